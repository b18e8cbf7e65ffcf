"""From the bytes of a picture file to its pixels, upright and in full depth.

Pillow decodes PNG, JPEG, WebP and BMP; tifffile decodes TIFF. Both have gaps that OpenCV (16-bit colour, which Pillow
crushes to 8 bits) or Pillow (TIFF compressions that tifffile lacks) fill. The plugin classes of Pillow are used
directly: `Image.open` guesses among formats and limits the size by a global. A decoder may raise any error
here; `read_image` turns it into an `ImageError`. May import ``errors`` only.
"""

from __future__ import annotations

import io
import logging
import math
import os
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from hybridcolor.errors import ImageError

Pixels = NDArray[Any]

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # or its remarks on a file go to stderr

_ORIENTATION = 0x0112  # the tag, in EXIF as in TIFF
_PNG_START = b"\x89PNG\r\n\x1a\n"
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))  # Adam7
_TIFFFILE_READS = (1, 8, 32773, 32946, 34925)  # none, deflate, PackBits, old deflate, LZMA
_MODES = {  # of Pillow, and what to make of them; 16-bit modes are taken as they are, others refused
    "1": "L", "L": "L", "LA": "LA", "La": "LA", "P": "RGB", "PA": "RGBA", "RGB": "RGB", "RGBA": "RGBA", "RGBa": "RGBA",
    "RGBX": "RGB", "CMYK": "RGB", "YCbCr": "RGB",
}  # fmt: skip
_SILENCE = threading.Lock()


def decode(file: BinaryIO, *, frame: int, max_pixels: int) -> Pixels:
    """The pixels of an open picture file: (H, W) or (H, W, 2 to 4), uint8, uint16 or float, upright.

    Raises
    ------
    ImageError
        If the format is unknown, the picture too large, or of a kind that cannot be read.
    Exception
        Whatever a decoder raises on damaged bytes.
    """
    start = file.read(16)
    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if start.startswith(_TIFF_STARTS):
            return _decode_tiff(file, frame, max_pixels)
        if frame != 0:
            raise ImageError(f"there is no frame {frame}; only TIFF files hold more than one")
        if start.startswith(_PNG_START):
            return _decode_png(file, max_pixels)
        if start.startswith(b"\xff\xd8"):
            return _from_pillow(JpegImageFile(file), max_pixels)
        if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
            return _from_pillow(WebPImageFile(file), max_pixels)
        if start.startswith(b"BM"):
            return _from_pillow(BmpImageFile(file), max_pixels)
    raise ImageError("this is not a picture; expected PNG, JPEG, TIFF, WebP or BMP content")


def _check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise `ImageError` before anything is allocated for a picture that is too large or has no pixel."""
    if width < 1 or height < 1:
        raise ImageError(f"the picture has no pixels ({width} x {height})")
    if width * height > max_pixels:
        raise ImageError(f"{width} x {height} pixels is over the limit of {max_pixels}; raise max_pixels to read it")


def _upright(pixels: Pixels, orientation: object) -> Pixels:
    """Turn and mirror as an EXIF orientation (1 to 8) says; anything else leaves the pixels alone."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _orientation(exif: Callable[[], Image.Exif]) -> object:
    """The orientation that an EXIF block gives; damaged EXIF does not make the picture unreadable."""
    try:
        return exif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001  # Pillow's EXIF parser raises whatever it trips over
        return None


def _from_pillow(image: ImageFile.ImageFile, max_pixels: int) -> Pixels:
    """Decode a picture that Pillow has opened; incomplete data raises."""
    _check_size(*image.size, max_pixels)
    image.load()
    orientation = _orientation(image.getexif)
    if image.mode.startswith("I;16"):
        return _upright(np.asarray(image).astype(np.uint16), orientation)
    mode = _MODES.get(image.mode)
    if mode is None:
        raise ImageError(f"pixels of kind {image.mode} cannot be read; save it with 8 or 16 bits, gray or RGB")
    if "transparency" in image.info and mode in ("L", "RGB"):
        mode = "LA" if mode == "L" else "RGBA"
    return _upright(np.asarray(image.convert(mode)), orientation)


def _from_opencv(data: bytes, frame: int = 0) -> Pixels:
    """Decode 16-bit PNG or TIFF in full depth; OpenCV's blue, green, red put in order."""
    with _silence():
        found, frames = cv2.imdecodemulti(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED, range=(frame, frame + 1))
    if not found or frames[0].dtype != np.uint16:
        raise ImageError("the picture data is damaged or of a kind that cannot be read")
    pixels = frames[0]
    return pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what libpng and libtiff print straight to the standard error stream from the person's terminal.

    They know no other way to report damage, and an `ImageError` follows anyhow. One thread at a time.
    """
    with _SILENCE:
        try:
            stderr = os.dup(2)
        except OSError:  # no standard error stream at all
            yield
            return
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


# PNG. Pillow checks neither the sums of the pixel data nor that there is enough of it, and OpenCV prints to stderr.


class _PngHeader(NamedTuple):
    width: int
    height: int
    bits: int
    kind: int  # 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA
    compression: int
    filtering: int
    interlace: int


def _decode_png(file: BinaryIO, max_pixels: int) -> Pixels:
    chunks = list(_png_chunks(file.read()))
    if not chunks or chunks[0][0] != b"IHDR":
        raise ImageError("the PNG header is missing")
    header = _PngHeader(*struct.unpack(">IIBBBBB", chunks[0][1]))
    _check_size(header.width, header.height, max_pixels)
    _check_png_data(header, b"".join(data for name, data in chunks if name == b"IDAT"))
    if header.bits < 16:
        return _from_pillow(PngImageFile(io.BytesIO(_png(chunks))), max_pixels)
    pixels = _from_opencv(_png([chunk for chunk in chunks if chunk[0] in (b"IHDR", b"IDAT", b"IEND")]))
    pixels = pixels.reshape(header.height, header.width, -1)
    if header.kind == 4:
        pixels = pixels[..., [0, 3]]  # OpenCV gives gray and alpha as RGBA
    extra = dict(chunks)
    if b"tRNS" in extra and header.kind in (0, 2):
        transparent = (pixels == np.frombuffer(extra[b"tRNS"], ">u2")).all(axis=2, keepdims=True)
        pixels = np.concatenate([pixels, np.where(transparent, 0, 65535).astype(np.uint16)], axis=2)
    return _upright(pixels, _orientation(lambda: _exif(extra.get(b"eXIf", b""))))


def _exif(data: bytes) -> Image.Exif:
    exif = Image.Exif()
    exif.load(data)
    return exif


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of the chunks that matter, their sums checked; text, colour profiles and so on are left out."""
    position, name = len(_PNG_START), b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, position)
        body = data[position + 8 : position + 8 + length]
        good = data[position + 8 + length : position + 12 + length] == struct.pack(">I", zlib.crc32(name + body))
        if name in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND") and not good:
            raise ImageError(f"the PNG is cut short or damaged in its {name.decode()} part")
        if name in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND") or (name == b"eXIf" and good):
            yield name, body
        position += 12 + length


def _png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG file of these chunks."""
    parts = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return _PNG_START + b"".join(parts)


def _check_png_data(header: _PngHeader, data: bytes) -> None:
    """Raise unless the compressed data holds every row of the picture."""
    bits = header.bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[header.kind]
    missing = 0
    for top, left, down, right in _PASSES if header.interlace else ((0, 0, 1, 1),):
        rows, columns = -(-(header.height - top) // down), -(-(header.width - left) // right)
        if rows > 0 and columns > 0:
            missing += rows * (1 + -(-columns * bits // 8))
    inflater = zlib.decompressobj()
    for start in range(0, len(data), 1 << 16):  # in pieces: a bomb never inflates by more than one of them
        missing -= len(inflater.decompress(data[start : start + (1 << 16)]))
        if missing <= 0:
            return
    raise ImageError("the PNG is cut short: its last rows are missing")


# TIFF


def _decode_tiff(file: BinaryIO, frame: int, max_pixels: int) -> Pixels:
    with tifffile.TiffFile(file) as tiff:
        if not len(tiff.pages):
            raise ImageError("the TIFF holds no picture; it is damaged or cut short")
        if not 0 <= frame < len(tiff.pages):
            raise ImageError(f"there is no frame {frame}; the file holds {len(tiff.pages)}, counted from 0")
        page = tiff.pages[frame].aspage()
        _check_size(page.imagewidth, page.imagelength, max_pixels)
        _check_tiff_data(page, tiff.filehandle.size)
        plain = page.photometric in (0, 1, 2)
        orientation = page.tags.get(_ORIENTATION)
        turn = 1 if orientation is None else orientation.value
        if plain and page.compression in _TIFFFILE_READS:
            return _upright(_without_extras(page, _tiff_pixels(page)), turn)
        deep_colour = plain and page.photometric != 0 and page.bitspersample == 16 and page.samplesperpixel > 1
        order = tiff.byteorder
    file.seek(0)
    try:
        if deep_colour:
            data = bytearray(file.read())
            if orientation is not None:  # some versions of OpenCV obey it and some do not
                struct.pack_into(f"{order}H", data, orientation.valueoffset, 1)
            return _upright(_without_extras(page, _from_opencv(bytes(data), frame)), turn)
        with _silence():
            image = TiffImageFile(file)
            image.seek(frame)
            return _from_pillow(image, max_pixels)  # Pillow itself turns a TIFF upright
    except ImageError:
        raise
    except Exception as error:
        compression = getattr(page.compression, "name", page.compression)
        raise ImageError(f"its compression ({compression}) cannot be read here, or it is damaged") from error


def _check_tiff_data(page: tifffile.TiffPage, file_size: int) -> None:
    """Raise if a strip or tile is missing (decoders paint it black), lies outside the file, or is a bomb."""
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if len(segments) < math.prod(page.chunked) or any(not count or at + count > file_size for at, count in segments):
        raise ImageError("the TIFF is cut short or damaged: some of its pixels are missing")
    raw = page.imagewidth * page.imagelength * page.samplesperpixel * page.bitspersample // 8
    if page.compression == 1 and sum(page.databytecounts) < raw:
        raise ImageError("the TIFF is damaged: it holds fewer pixels than it says")
    if page.samplesperpixel > 16 or sum(page.databytecounts) > 2 * raw + 4096 * len(segments):
        raise ImageError("the TIFF is not an ordinary picture: it holds far more data than its size asks for")


def _tiff_pixels(page: tifffile.TiffPage) -> Pixels:
    """A gray or RGB page in full depth, white high, channels last."""
    pixels = page.asarray()
    if page.axes not in ("YX", "YXS", "SYX"):
        raise ImageError(f"the TIFF page has axes {page.axes}; expected one flat picture")
    if page.axes == "SYX":
        pixels = np.moveaxis(pixels, 0, 2)
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype.kind not in "uf" or pixels.dtype in (np.uint32, np.uint64):
        raise ImageError(f"its samples are {pixels.dtype}; save it with 8 or 16 bits, or as floats in 0..1")
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        pixels = (1 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max) - pixels
    return pixels


def _without_extras(page: tifffile.TiffPage, pixels: Pixels) -> Pixels:
    """Gray or RGB, and alpha if the first extra channel says that it is alpha."""
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    colours = 3 if page.photometric == tifffile.PHOTOMETRIC.RGB else 1
    kind = page.extrasamples[0] if page.extrasamples else tifffile.EXTRASAMPLE.UNSPECIFIED
    if kind == tifffile.EXTRASAMPLE.UNSPECIFIED:
        return pixels[..., :colours]
    pixels = pixels[..., : colours + 1]
    return _unmultiplied(pixels) if kind == tifffile.EXTRASAMPLE.ASSOCALPHA else pixels


def _unmultiplied(pixels: Pixels) -> Pixels:
    """Colours that were stored multiplied by their alpha (the last channel), as they were before."""
    top = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    alpha = pixels[..., -1:].astype(np.float64)
    colours = np.minimum(pixels[..., :-1] * (top / np.maximum(alpha, top * 1e-9)), top)
    if pixels.dtype.kind == "u":
        colours = np.round(colours)
    return np.concatenate([colours.astype(pixels.dtype), pixels[..., -1:]], axis=2)
