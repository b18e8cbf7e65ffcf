"""Reading and writing picture files: nothing but `ImageError` comes out, and nothing half-written stays behind.

``decoding`` knows the formats on the way in; this module knows files. May import ``decoding``, ``picture`` and below.
"""

from __future__ import annotations

import io
import os
import secrets
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from hybridcolor.decoding import decode
from hybridcolor.errors import ImageError
from hybridcolor.picture import Picture

MAX_PIXELS = 200_000_000
"""Pictures with more pixels are refused unless one asks for more."""

WRITABLE_SUFFIXES = (".png", ".tif", ".tiff", ".webp", ".jpg", ".jpeg", ".bmp")
"""File name endings that `write_image` knows, and that folders of pictures are searched for."""


def images_at(path: Path) -> list[Path]:
    """The image files of a folder by their names, sorted; a path that is no folder stands for itself.

    Raises
    ------
    ImageError
        If there is nothing at the path, or no image in the folder.
    """
    if not path.is_dir():
        if not path.exists():
            raise ImageError(f"{path}: no such file; check the name")
        return [path]
    found = sorted(item for item in path.iterdir() if item.suffix.lower() in WRITABLE_SUFFIXES and item.is_file())
    if not found:
        raise ImageError(f"{path}: no image in this folder; expected {', '.join(WRITABLE_SUFFIXES)}")
    return found


def read_image(path: str | os.PathLike[str], *, frame: int = 0, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a PNG, JPEG, TIFF, WebP or BMP file, whatever its name ends in.

    Gray, RGB, CMYK or palette, 1, 8 or 16 bits a channel, float TIFF in 0..1, with or without alpha. The picture is
    turned upright as its EXIF orientation says. Colours count as sRGB; colour profiles are not applied.

    Parameters
    ----------
    path : path-like
        The file.
    frame : int, optional
        Which page of a TIFF file, from 0.
    max_pixels : int, optional
        Larger pictures are refused before any memory is taken for them.

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
    try:
        _check_source(source)
        with source.open("rb") as file:
            return Picture.from_array(decode(file, frame=frame, max_pixels=max_pixels), source=source)
    except ImageError as error:
        raise ImageError(f"cannot read {_name(source)}: {error}") from error
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
    overwrite: bool = False,
) -> None:
    """Write a gray or sRGB picture in the format that the file name ends in; all of it, or nothing.

    PNG and TIFF keep 8 or 16 bits, losslessly. WebP (lossless), BMP and JPEG (quality 95, full chroma resolution) hold
    8 bits: 16-bit pixels and alpha are rounded. JPEG and BMP have no alpha.

    Parameters
    ----------
    path : path-like
        Ends in one of `WRITABLE_SUFFIXES`; its folder must exist.
    pixels : (H, W) or (H, W, 3) uint8 or uint16
        Gray or sRGB.
    alpha : (H, W) array of the same type, optional
        Transparency.
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
    hybridcolor.errors.ImageError: cannot write a.gif: '.gif' is not one of .png .tif .tiff .webp .jpg .jpeg .bmp
    """
    target = Path(path)
    try:
        _check_target(target, overwrite)
        _write_whole(target, _encode(target.suffix.lower(), _with_alpha(pixels, alpha)), overwrite)
    except ImageError as error:
        raise ImageError(f"cannot write {_name(target)}: {error}") from error
    except FileExistsError as error:
        raise ImageError(f"cannot write {_name(target)}: the file exists; use --overwrite to replace it") from error
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise ImageError(f"cannot write {_name(target)}: {reason}") from error


def _name(path: Path) -> str:
    """A path for an error line, which stays one line."""
    return str(path) if str(path).isprintable() else repr(str(path))


def _check_source(source: Path) -> None:
    """Raise `ImageError` for what cannot be a picture file, before it is opened (which may wait for ever)."""
    if not source.exists():
        raise ImageError("there is no such file")
    if source.is_dir():
        raise ImageError("this is a folder; give the name of a picture file")
    if not source.is_file():
        raise ImageError("this is not an ordinary file; give the name of a picture file")
    if source.stat().st_size == 0:
        raise ImageError("the file is empty")


def _check_target(target: Path, overwrite: bool) -> None:
    """Find early what would fail late; the final word on an existing file is `_write_whole`'s."""
    if target.suffix.lower() not in WRITABLE_SUFFIXES:
        raise ImageError(f"'{target.suffix}' is not one of {' '.join(WRITABLE_SUFFIXES)}")
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


def _encode(suffix: str, pixels: NDArray[Any]) -> bytes:
    """The whole file, in memory."""
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    buffer = io.BytesIO()
    if suffix == ".png":
        order = {1: [0], 2: [0, 0, 0, 1], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]  # OpenCV knows no gray with alpha
        planes = np.ascontiguousarray(pixels.reshape(*pixels.shape[:2], channels)[..., order])
        done, data = cv2.imencode(".png", planes)
        if not done:
            raise ImageError(f"PNG cannot hold a picture of {pixels.shape[1]} x {pixels.shape[0]}")
        return data.tobytes()
    if suffix in (".tif", ".tiff"):
        tifffile.imwrite(
            buffer,
            pixels,
            photometric="rgb" if channels >= 3 else "minisblack",
            planarconfig="contig" if channels > 1 else None,
            extrasamples=["unassalpha"] if channels in (2, 4) else None,
            compression="zlib",
            metadata=None,
        )
        return buffer.getvalue()
    if channels in (2, 4) and suffix != ".webp":
        raise ImageError(f"{suffix} cannot hold transparency; use .png, .tif or .webp")
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    options: dict[str, dict[str, Any]] = {
        ".webp": {"format": "WEBP", "lossless": True, "exact": True},
        ".bmp": {"format": "BMP"},
    }
    jpeg = {"format": "JPEG", "quality": 95, "subsampling": 0}
    Image.fromarray(pixels).save(buffer, **options.get(suffix, jpeg))
    return buffer.getvalue()


def _write_whole(target: Path, data: bytes, overwrite: bool) -> None:
    """Put the bytes in a temporary file beside the target, down to the disk, and only then give it the name."""
    final = Path(os.path.realpath(target))  # through a link, its target is replaced and not the link
    part = final.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            part.replace(final)
        else:
            _rename_new(part, final)
    finally:
        part.unlink(missing_ok=True)


def _rename_new(part: Path, final: Path) -> None:
    """Rename, but never over a file that has come into being meanwhile."""
    try:
        os.link(part, final)  # fails if the name is taken, in one step
    except FileExistsError:
        raise
    except OSError:  # a file system without links: take the name first, then replace our own empty file
        final.open("xb").close()
        try:
            part.replace(final)
        except OSError:
            final.unlink()
            raise
