"""Reading and writing picture files: nothing but `ImageError` comes out, and nothing half-written stays behind.

``decoding`` knows the formats on the way in, ``encoding`` on the way out; this module knows files. May import both,
``picture`` and below.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.decoding import DecodedBands, bands_of, decode, decode_bands, decode_zarr, is_zarr
from hybridcolor.decoding.common import Decoded
from hybridcolor.encoding import SUFFIXES, check_library, check_opaque, check_size, encode, suffix_of
from hybridcolor.errors import HybridColorError, ImageError
from hybridcolor.files import open_ordinary, write_whole
from hybridcolor.icc import pcs_to_lab, to_lab
from hybridcolor.metadata import Metadata
from hybridcolor.picture import Picture, are_ink

__all__ = [
    "MAX_PIXELS",
    "READABLE_SUFFIXES",
    "WRITABLE_SUFFIXES",
    "check_library",
    "read_image",
    "suffix_of",
    "write_image",
]

_ROWS = 512
"""Of a band that is read to see whether a picture is ink."""

MAX_PIXELS = 200_000_000
"""Pictures with more pixels are refused unless one asks for more."""

READABLE_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".avif", ".dcm", ".nii", ".nii.gz", ".zarr"
)  # fmt: skip
"""Usual file name endings of what `read_image` reads, by which folders are searched; it goes by the content."""

WRITABLE_SUFFIXES = SUFFIXES
"""File name endings that `write_image` knows."""


def images_at(path: Path) -> list[Path]:
    """The image files of a folder by their names, sorted, without hidden ones; what is no folder stands for itself.

    Raises
    ------
    ImageError
        If there is nothing at the path, or no image in the folder.
    """
    if not path.is_dir() or path.suffix == ".zarr":
        if not path.exists():
            raise ImageError(f"{path}: no such file; check the name")
        return [path]
    found = sorted(item for item in path.iterdir() if _is_image(item))
    if not found:
        raise ImageError(f"{path}: no image in this folder; expected {', '.join(READABLE_SUFFIXES)}")
    return found


def _is_image(path: Path) -> bool:
    named = path.name.lower().endswith(READABLE_SUFFIXES) and not path.name.startswith(".")
    return named and (path.is_file() or path.suffix == ".zarr")


def read_image(
    path: str | os.PathLike[str], *, frame: int = 0, max_pixels: int = MAX_PIXELS, layer: bool = False
) -> Picture:
    """Read a PNG, JPEG, TIFF, WebP, BMP, GIF, AVIF, DICOM or NIfTI file, or an OME-Zarr folder.

    Gray, RGB, CMYK, L*a*b* or palette, 1 to 16 bits a channel, TIFF of 32 bits or of floats in 0..1, with or without
    alpha. The picture is turned upright as its EXIF orientation says. Its colour profile is applied; without one,
    colours count as sRGB. A DICOM picture is what its window shows. docs/formats.md has the tables.

    Parameters
    ----------
    path : path-like
        The file.
    frame : int, optional
        Which page, animation step or slice, from 0.
    max_pixels : int, optional
        Larger pictures are refused before any memory is taken for them.
    layer : bool, optional
        Whether dark ink on nothing stays a layer, instead of a drawing on white paper.

    Returns
    -------
    Picture
        With ``source`` set to ``path``.

    Raises
    ------
    ImageError
        If there is no such file, or it is not a whole picture of a kind that can be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_image(Path(folder, "gray.png"), np.full((2, 3), 200, np.uint8))
    ...     read_image(Path(folder, "gray.png")).shape
    (2, 3)
    """
    source = Path(path)
    with _reading(source):
        if source.is_dir():
            picture = _picture(decode_zarr(source, frame, max_pixels), source)
        else:
            with open_ordinary(source) as file:
                picture = _picture(decode(file, frame=frame, max_pixels=max_pixels), source)
        return picture.on_paper() if picture.is_ink and not layer else picture


@dataclass(frozen=True, slots=True)
class Bands:
    """A picture that is read some rows at a time: see `open_bands`.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns of the whole.
    source : Path
    is_ink : bool
        Whether it is dark ink on nothing, and is read as a drawing on white paper.
    """

    shape: tuple[int, int]
    source: Path
    _decoded: DecodedBands
    is_ink: bool = False

    def read(self, top: int, bottom: int) -> Picture:
        """Rows ``top`` to ``bottom``, without the last, as a picture.

        Raises
        ------
        ImageError
            If they are damaged.
        """
        with _reading(self.source):
            band = _picture(self._decoded(top, bottom), self.source)
            return band.on_paper() if self.is_ink else band

    def as_read(self) -> Bands:
        """These, on white paper if they are ink, which takes all of them to tell."""
        (height, width), seen = self.shape, 0
        for top in range(0, height, _ROWS):
            ink = self.read(top, min(top + _ROWS, height)).ink_pixels
            if ink is None:
                return self
            seen += ink
        return replace(self, is_ink=are_ink(seen, height * width))


@contextmanager
def open_bands(path: str | os.PathLike[str], *, frame: int = 0, max_pixels: int = MAX_PIXELS) -> Iterator[Bands]:
    """Open what `read_image` reads, to read it by bands of rows and never hold all of it as L*.

    TIFF without compression, or with ZIP or LZMA, is decoded band by band as far as its own strips or tiles go; of all
    else the pixels are held as the file has them.

    Parameters
    ----------
    path, frame, max_pixels
        As for `read_image`.

    Raises
    ------
    ImageError
        As `read_image`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_image(Path(folder, "gray.tif"), np.full((20, 3), 200, np.uint8))
    ...     with open_bands(Path(folder, "gray.tif")) as bands:
    ...         bands.shape, bands.read(5, 9).shape
    ((20, 3), (4, 3))
    """
    source = Path(path)
    with ExitStack() as stack:
        with _reading(source):
            if source.is_dir():
                shape, decoded = bands_of(decode_zarr(source, frame, max_pixels))
            else:
                file = stack.enter_context(open_ordinary(source))
                shape, decoded = decode_bands(file, frame=frame, max_pixels=max_pixels)
        yield Bands(shape, source, decoded).as_read()


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    """Whatever is raised in reading this file becomes an `ImageError` that names it."""
    try:
        _check_source(source)
        yield
    except ImageError as error:
        raise type(error)(f"cannot read {_name(source)}: {error}") from error
    except MemoryError as error:
        raise ImageError(f"cannot read {_name(source)}: there is not enough memory for it") from error
    except Exception as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged or cut short"
        raise ImageError(f"cannot read {_name(source)}: {reason}") from error


def write_image(
    path: str | os.PathLike[str],
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    *,
    alpha: NDArray[np.uint8] | NDArray[np.uint16] | None = None,
    metadata: Metadata | None = None,
    keep_private: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a gray or sRGB picture in the format that the file name ends in; all of it, or nothing.

    PNG, TIFF and OME-TIFF keep 8 or 16 bits, losslessly. WebP (lossless), BMP, DICOM (secondary capture), NIfTI and
    JPEG (quality 95, full chroma resolution) hold 8 bits: 16-bit pixels and alpha are rounded. PNG, TIFF and WebP alone
    have alpha. All but BMP and NIfTI are tagged as sRGB.

    Parameters
    ----------
    path : path-like
        Ends in one of `WRITABLE_SUFFIXES`; its folder must exist.
    pixels : (H, W) or (H, W, 3) uint8 or uint16
        Gray or sRGB.
    alpha : (H, W) array of the same type, optional
        Transparency.
    metadata : Metadata, optional
        Such as `Picture.metadata`.
    keep_private : bool, optional
        Whether to write its location, or patient and study, too.
    overwrite : bool, optional
        Whether an existing file may be replaced.

    Raises
    ------
    ImageError
        If the ending is unknown, the arrays do not fit together or into the format, the file exists and
        ``overwrite`` is off, or the folder cannot be written to. A file that was there is then untouched.

    Examples
    --------
    >>> write_image("a.gif", np.zeros((2, 2), np.uint8))
    Traceback (most recent call last):
    hybridcolor.errors.ImageError: cannot write a.gif: '.gif' is not one of .png .tif .tiff .webp .jpg
    .jpeg .bmp .dcm .nii .nii.gz .ome.tif .ome.tiff .zarr
    """
    target = Path(path)
    with writing(target, overwrite=overwrite):
        notes = metadata or Metadata()
        data = encode(suffix_of(target), _with_alpha(pixels, alpha), notes if keep_private else notes.public())
        if isinstance(data, dict):
            _write_folder(target, data)
        else:
            write_whole(target, data, overwrite=overwrite)


def check_no_source(target: Path, *sources: Path | None) -> None:
    """Refuse to replace what the result is made from, by whatever name, even if asked to overwrite.

    Raises
    ------
    ImageError
        If the target is one of the sources.
    """
    for source in sources:
        if source is not None and target.exists() and source.exists() and target.samefile(source):
            raise ImageError(f"{source}: would be replaced by what is made from it; choose another name for the result")


@contextmanager
def writing(target: Path, *, overwrite: bool) -> Iterator[None]:
    """Check that a picture may be written there; whatever is raised then becomes an `ImageError` that names it."""
    try:
        _check_target(target, overwrite)
        yield
    except ImageError as error:
        raise ImageError(f"cannot write {_name(target)}: {error}") from error
    except HybridColorError:  # of what was to be written
        raise
    except FileExistsError as error:
        raise ImageError(f"cannot write {_name(target)}: the file exists; use --overwrite to replace it") from error
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise ImageError(f"cannot write {_name(target)}: {reason}") from error


def check_holds(path: Path, shape: tuple[int, ...], alpha: NDArray[Any] | None = None) -> None:
    """Raise `ImageError` if the format of this file cannot hold such a picture; to be asked before any work."""
    try:
        check_size(suffix_of(path), shape)
        check_opaque(suffix_of(path), alpha)
    except ImageError as error:
        raise ImageError(f"cannot write {_name(path)}: {error}") from error


def _picture(decoded: Decoded, source: Path) -> Picture:
    """What a file holds, as a picture that knows of the file's others."""
    picture = _converted(decoded, source)
    return picture if decoded.frames == 1 else replace(picture, frames=decoded.frames)


def _converted(decoded: Decoded, source: Path) -> Picture:
    """Luminance and chroma of what a file holds, under its colour profile."""
    colours, space, alpha, profile, metadata = decoded[:5]
    if space != "lab" and colours.dtype.kind == "f" and not (colours.min() >= 0 and colours.max() <= 1):
        raise ImageError("a float pixel lies outside 0..1 or is not a number; scale the picture to 0..1")
    lab = pcs_to_lab(colours) if space == "lab" else to_lab(colours, profile, space=space)
    if lab is not None:
        return Picture.from_lab(lab, alpha=alpha, bit_depth=decoded.bit_depth, source=source, metadata=metadata)
    if space == "cmyk":
        colours = _without_ink(colours)
    pixels = colours if alpha is None else np.concatenate([colours, alpha[..., np.newaxis]], axis=2)
    return Picture.from_array(pixels, source=source, metadata=metadata)


def _without_ink(cmyk: NDArray[Any]) -> NDArray[Any]:
    """RGB of CMYK without a profile: each ink takes away its share of the light. No print looks like that."""
    top = 1 if cmyk.dtype.kind == "f" else int(np.iinfo(cmyk.dtype).max)
    light = top - cmyk[..., 3:].astype(np.float64 if top == 1 else np.int64)
    taken = cmyk[..., :3] * light / top if top == 1 else (cmyk[..., :3] * light + top // 2) // top
    return np.asarray(light - taken, cmyk.dtype)


def _name(path: Path) -> str:
    """A path for an error line, which stays one line."""
    return str(path) if str(path).isprintable() else repr(str(path))


def _check_source(source: Path) -> None:
    """Raise `ImageError` for what cannot be a picture file, before it is opened (which may wait for ever)."""
    if not source.exists():
        raise ImageError("there is no such file")
    if source.is_dir():
        if is_zarr(source):
            return
        raise ImageError("this is a folder; give the name of a picture file")
    if not source.is_file():
        raise ImageError("this is not an ordinary file; give the name of a picture file")
    if source.stat().st_size == 0:
        raise ImageError("the file is empty")


def _check_target(target: Path, overwrite: bool) -> None:
    """Find early what would fail late; the final word on an existing file is `write_whole`'s."""
    if suffix_of(target) not in WRITABLE_SUFFIXES:
        raise ImageError(f"'{target.suffix}' is not one of {' '.join(WRITABLE_SUFFIXES)}")
    check_library(suffix_of(target))
    if target.is_dir() and target.suffix == ".zarr":
        raise ImageError("the folder exists; folders are not replaced, remove it first")
    if target.is_dir():
        raise ImageError("this is a folder; give a file name")
    if not target.parent.is_dir():
        raise ImageError(f"there is no folder {_name(target.parent)}; make it first")
    if not overwrite and os.path.lexists(target):
        raise FileExistsError


def _with_alpha(pixels: NDArray[Any], alpha: NDArray[Any] | None) -> NDArray[Any]:
    """Pixels and alpha in one array: (H, W), (H, W, 2), (H, W, 3) or (H, W, 4)."""
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.size == 0:
        raise ImageError(f"expected uint8 or uint16 pixels, got {pixels.dtype} {pixels.shape}")
    if pixels.ndim != 2 and (pixels.ndim != 3 or pixels.shape[2] != 3):
        raise ImageError(f"expected pixels of shape (H, W) or (H, W, 3), got {pixels.shape}")
    if alpha is None:
        return np.ascontiguousarray(pixels)
    if alpha.shape != pixels.shape[:2] or alpha.dtype != pixels.dtype:
        raise ImageError(f"alpha is {alpha.dtype} {alpha.shape}, expected {pixels.dtype} {pixels.shape[:2]}")
    return np.dstack([pixels, alpha])


def _write_folder(target: Path, files: dict[str, bytes]) -> None:
    """As `write_whole`, for a folder; one that exists is never replaced."""
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        for name, data in files.items():
            file = part / name
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        part.rename(target)  # which fails if a file, or a folder that is not empty, has this name by now
    finally:
        shutil.rmtree(part, ignore_errors=True)
