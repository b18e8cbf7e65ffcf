"""From pixels to the bytes of a picture file, tagged as sRGB.

May import ``icc``, ``metadata`` and ``errors``.
"""

from __future__ import annotations

import hashlib
import io
import math
import struct
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from hybridcolor.errors import ImageError
from hybridcolor.icc import srgb_profile
from hybridcolor.metadata import Metadata

Pixels = NDArray[Any]

SUFFIXES = (
    ".png", ".tif", ".tiff", ".webp", ".jpg", ".jpeg", ".bmp", ".dcm", ".nii", ".nii.gz", ".ome.tif", ".ome.tiff",
    ".zarr",
)  # fmt: skip
"""File name endings that can be written."""

# Longest sides in pixels, for PNG what its library writes; and the library of a format, with the extra that brings it.
# Photoshop documents are written by `layers` and checked here.
WITHOUT_ALPHA = (".jpg", ".jpeg", ".bmp", ".dcm", ".nii", ".nii.gz", ".zarr")
"""Formats that hold no transparency."""
_SIDES = {".png": 1_000_000, ".webp": 16_383, ".jpg": 65_500, ".jpeg": 65_500, ".dcm": 65_535}
_SIDES |= {".nii": 32_767, ".nii.gz": 32_767, ".psd": 30_000}
_LIBRARIES = {".dcm": ("pydicom", "medical"), ".nii": ("nibabel", "medical"), ".nii.gz": ("nibabel", "medical")}
_LIBRARIES |= {".zarr": ("zarr", "zarr"), ".psd": ("psd_tools", "psd")}

TILE = 512
"""Side of a tile of a TIFF that is written tile by tile."""
_BIG = 3 << 30  # bytes of pixels from which a TIFF is a BigTIFF
_DATE_TIME, _ARTIST, _COPYRIGHT = 306, 315, 33432  # tags of TIFF
NOTE = "Derived by hybridcolor: the colours are not measurements."
"""What medical and microscopy files say of themselves."""


def suffix_of(path: Path) -> str:
    """The ending that decides on the format, in lower case; some have two parts.

    Examples
    --------
    >>> suffix_of(Path("a.b.PNG")), suffix_of(Path("brain.nii.gz"))
    ('.png', '.nii.gz')
    """
    double = "".join(path.suffixes[-2:]).lower()
    return double if double in SUFFIXES else path.suffix.lower()


def check_library(suffix: str) -> None:
    """Raise `ImageError` if the library that writes a format is not installed; none is loaded."""
    library, extra = _LIBRARIES.get(suffix, ("", ""))
    try:
        missing = bool(library) and find_spec(library) is None
    except ValueError:  # it is blocked
        missing = True
    if missing:
        raise ImageError(f"{suffix} is written by {library}; pip install 'hybridcolor[{extra}]'")


def check_size(suffix: str, shape: tuple[int, ...]) -> None:
    """Raise `ImageError` if a format cannot hold a picture of so many rows and columns."""
    longest = max(shape[:2])
    if longest > _SIDES.get(suffix, longest):
        others = " ".join(each for each in SUFFIXES if longest <= _SIDES.get(each, longest))
        size = f"this picture has {shape[1]} x {shape[0]}"
        raise ImageError(f"{suffix} holds at most {_SIDES[suffix]} pixels a side, {size}; use one of {others}")


def check_opaque(suffix: str, alpha: Pixels | None) -> None:
    """Raise `ImageError` if a format cannot hold this transparency; what is opaque all over is held by all."""
    if alpha is not None and suffix in WITHOUT_ALPHA and (alpha < np.iinfo(alpha.dtype).max).any():
        raise ImageError(f"{suffix} cannot hold transparency; use .png, .tif or .webp")


def encode(suffix: str, pixels: Pixels, metadata: Metadata) -> bytes | dict[str, bytes]:
    """The whole file, in memory; of a folder, its files by their paths in it.

    Parameters
    ----------
    suffix : str
        One of `SUFFIXES`.
    pixels : (H, W) or (H, W, 2 to 4) uint8 or uint16
        Gray or sRGB, alpha last.
    metadata : Metadata
        All of it is written, as far as the format has a place for it.

    Raises
    ------
    ImageError
        If the format cannot hold this picture, or the library that writes it is not installed.
    """
    check_library(suffix)
    check_size(suffix, pixels.shape)
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4) and suffix in WITHOUT_ALPHA:
        check_opaque(suffix, pixels[..., -1])
        pixels = np.ascontiguousarray(pixels[..., :3] if pixels.shape[2] == 4 else pixels[..., 0])
    if suffix == ".png":
        return _png(pixels, metadata)
    if suffix.startswith(".ome") or suffix in (".tif", ".tiff"):
        return _tiff(pixels, metadata, ome=suffix.startswith(".ome"))
    if suffix == ".zarr":
        from hybridcolor.encoding.zarr import encode_zarr

        return encode_zarr(pixels, metadata)
    pixels = in_eight_bits(pixels)
    if suffix == ".dcm":
        from hybridcolor.encoding.dicom import encode_dicom

        return encode_dicom(pixels, metadata)
    if suffix.startswith(".nii"):
        from hybridcolor.encoding.nifti import encode_nifti

        return encode_nifti(pixels, metadata, packed=suffix.endswith(".gz"))
    return _by_pillow(suffix, pixels, metadata)


def in_eight_bits(pixels: Pixels) -> NDArray[np.uint8]:
    """Pixels of 8 or 16 bits rounded to 8.

    Examples
    --------
    >>> in_eight_bits(np.array([0, 200, 65535], np.uint16)).tolist()
    [0, 1, 255]
    """
    return pixels if pixels.dtype == np.uint8 else ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _by_pillow(suffix: str, pixels: Pixels, metadata: Metadata) -> bytes:
    formats: dict[str, dict[str, Any]] = {
        ".webp": {"format": "WEBP", "lossless": True, "exact": True},
        ".bmp": {"format": "BMP"},
    }
    options = formats.get(suffix, {"format": "JPEG", "quality": 95, "subsampling": 0})
    if suffix != ".bmp":
        # WebP holds gray as RGB
        options["icc_profile"] = srgb_profile(gray=pixels.ndim == 2 and suffix != ".webp")
        options["exif"] = metadata.to_exif()
    if metadata.dpi is not None and suffix != ".webp" and (suffix == ".bmp" or max(metadata.dpi) < 1 << 16):
        options["dpi"] = metadata.dpi  # JPEG has 16 bits for it beside EXIF
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, **options)
    return buffer.getvalue()


def _png(pixels: Pixels, metadata: Metadata) -> bytes:
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    order = {1: [0], 2: [0, 0, 0, 1], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]  # OpenCV knows no gray with alpha
    planes = np.ascontiguousarray(pixels.reshape(*pixels.shape[:2], channels)[..., order])
    done, encoded = cv2.imencode(".png", planes)
    if not done:
        raise ImageError(f"PNG cannot hold a picture of {pixels.shape[1]} x {pixels.shape[0]}")
    data = encoded.tobytes()
    notes = [(b"iCCP", b"sRGB\0\0" + zlib.compress(srgb_profile(gray=channels == 1)))]
    if metadata.dpi is not None:
        notes.append((b"pHYs", struct.pack(">IIB", *(round(side / 0.0254) for side in metadata.dpi), 1)))  # per metre
    if exif := metadata.to_exif().removeprefix(b"Exif\0\0"):
        notes.append((b"eXIf", exif))
    start, body = data[:33], data[33:]  # the signature and the header; notes belong before the pixels
    for name, note in notes:
        start += struct.pack(">I", len(note)) + name + note + struct.pack(">I", zlib.crc32(name + note))
    return start + body


def _tiff(pixels: Pixels, metadata: Metadata, *, ome: bool) -> bytes:
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    buffer = io.BytesIO()
    mark = hashlib.sha256(pixels.tobytes()).digest() if ome else b""
    tifffile.imwrite(buffer, pixels, ome=ome, **_tiff_options(channels, metadata, mark))
    return buffer.getvalue()


@contextmanager
def tiff_of_pages(file: BinaryIO, *, size: int) -> Iterator[Callable[[Pixels, Metadata], None]]:
    """Gives what writes the next page of a TIFF, of pixels as `encode` takes them, with its own notes.

    Parameters
    ----------
    file : binary file
        Open to write.
    size : int
        How many bytes all pixels have: BigTIFF where four gigabytes may not be enough.
    """
    with tifffile.TiffWriter(file, bigtiff=size > _BIG) as writer:

        def write(pixels: Pixels, metadata: Metadata) -> None:
            writer.write(pixels, **_tiff_options(pixels.shape[2] if pixels.ndim == 3 else 1, metadata, b""))

        yield write


def write_tiff_tiles(
    file: BinaryIO, tiles: Iterator[Pixels], *, shape: tuple[int, int, int], metadata: Metadata, mark: bytes
) -> None:
    """TIFF of tiles that come one after the other, by rows; BigTIFF where four gigabytes may not be enough.

    Parameters
    ----------
    file : binary file
        Open to write.
    tiles : iterator of (`TILE`, `TILE`, C) uint8 or uint16
        Those at the right and at the bottom may be smaller.
    shape : (int, int, int)
        Rows, columns and channels of the whole.
    metadata : Metadata
    mark : bytes
        What an OME-TIFF takes its identity from, a checksum of the picture; empty for plain TIFF.
    """
    first = next(tiles)
    big = math.prod(shape) * first.itemsize > _BIG
    with tifffile.TiffWriter(file, bigtiff=big, ome=bool(mark)) as writer:
        options = _tiff_options(shape[2], metadata, mark)
        writer.write(chain([first], tiles), shape=shape, dtype=first.dtype, tile=(TILE, TILE), **options)


def _tiff_options(channels: int, metadata: Metadata, mark: bytes) -> dict[str, Any]:
    """What tifffile is told of a picture; of an OME-TIFF if there is a mark to make its identity of."""
    texts = {_DATE_TIME: metadata.date, _ARTIST: metadata.author, _COPYRIGHT: metadata.copyright}
    description: dict[str, Any] = {"description": metadata.description.encode() or None, "metadata": None}
    if mark:
        words = f"{NOTE} {metadata.description}".strip()
        identity = str(uuid.UUID(bytes=mark[:16]))  # same picture, same bytes
        axes = "YX" if channels == 1 else "YXS"
        description = {"metadata": {"axes": axes, "Description": words, "UUID": f"urn:uuid:{identity}"}}
    return {
        "photometric": "rgb" if channels >= 3 else "minisblack",
        "planarconfig": "contig" if channels > 1 else None,
        "extrasamples": ["unassalpha"] if channels in (2, 4) else None,
        "compression": "zlib",
        "iccprofile": srgb_profile(gray=channels < 3),
        "software": metadata.software or None,
        "resolution": metadata.dpi,
        "resolutionunit": None if metadata.dpi is None else "inch",
        "extratags": [(tag, "s", 0, text.encode(), True) for tag, text in texts.items() if text],
        **description,
    }
