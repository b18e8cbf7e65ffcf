"""From the bytes of a picture file to its pixels, upright and in full depth.

The plugin classes of Pillow are used directly: `Image.open` guesses among formats and limits the size by a global. A
decoder may raise any error here; `read_image` turns it into an `ImageError`. May import ``metadata`` and ``errors``.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import BinaryIO

from PIL import ImageFile, features
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.WebPImagePlugin import WebPImageFile

from hybridcolor.decoding import bands, dicom, nifti, png, tiff
from hybridcolor.decoding.bands import DecodedBands, bands_of
from hybridcolor.decoding.common import Decoded, from_pillow
from hybridcolor.decoding.zarr import decode_zarr, is_zarr
from hybridcolor.errors import ImageError

__all__ = ["DecodedBands", "bands_of", "decode", "decode_bands", "decode_zarr", "is_zarr"]

for _library in ("tifffile", "pydicom", "nibabel", "PIL"):
    logging.getLogger(_library).addHandler(logging.NullHandler())  # or their remarks on a file go to stderr

Reader = Callable[[BinaryIO, int, int], Decoded]


def decode(file: BinaryIO, *, frame: int, max_pixels: int) -> Decoded:
    """The picture in an open file.

    Parameters
    ----------
    file : binary file
        Open to read, at its start.
    frame : int
        Which page, animation step or slice, from 0.
    max_pixels : int
        A larger picture is refused before it takes memory.

    Raises
    ------
    ImageError
        If the format is unknown, the picture too large, or of a kind that cannot be read.
    Exception
        Whatever a decoder raises on damaged bytes.
    """
    start = file.read(352)  # to behind NIfTI's mark, the last of them
    file.seek(0)
    for begins, read in _FORMATS:
        if begins(start):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return read(file, frame, max_pixels)
    raise ImageError(
        "this is not a picture of a kind that is read; expected PNG, JPEG, TIFF, WebP, BMP, GIF, AVIF, DICOM or NIfTI"
    )


def decode_bands(file: BinaryIO, *, frame: int, max_pixels: int) -> tuple[tuple[int, int], DecodedBands]:
    """Rows and columns of the picture in an open file, and what decodes a band of it; the file stays in use.

    Raises
    ------
    ImageError, Exception
        As `decode`.
    """
    start = file.read(132)  # to the end of DICOM's mark
    file.seek(0)
    if start.startswith(tiff.STARTS) and not dicom.is_dicom(start):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = bands.tiff_bands(file, frame, max_pixels)
        if found is not None:
            return found
        file.seek(0)
    return bands_of(decode(file, frame=frame, max_pixels=max_pixels))


def _by(plugin: type[ImageFile.ImageFile]) -> Reader:
    """Read by one of Pillow's plugins."""
    return lambda file, frame, max_pixels: from_pillow(plugin(file), max_pixels, frame=frame)


def _decode_avif(file: BinaryIO, frame: int, max_pixels: int) -> Decoded:
    if not features.check("avif"):
        raise ImageError("this is AVIF, which the installed Pillow cannot read; pip install --upgrade Pillow")
    from PIL.AvifImagePlugin import AvifImageFile

    return from_pillow(AvifImageFile(file), max_pixels, frame=frame)


_FORMATS: tuple[tuple[Callable[[bytes], bool], Reader], ...] = (
    (dicom.is_dicom, dicom.decode_dicom),  # first: what comes before its mark may look like TIFF
    (lambda start: start.startswith(png.START), png.decode_png),
    (lambda start: start.startswith(b"\xff\xd8"), _by(JpegImageFile)),
    (lambda start: start.startswith(tiff.STARTS), tiff.decode_tiff),
    (lambda start: start.startswith(b"RIFF") and start[8:12] == b"WEBP", _by(WebPImageFile)),
    (lambda start: start.startswith((b"GIF87a", b"GIF89a")), _by(GifImageFile)),
    (lambda start: start[4:12] in (b"ftypavif", b"ftypavis"), _decode_avif),
    (lambda start: nifti.is_nifti(start) or start.startswith(nifti.GZIP), nifti.decode_nifti),
    (lambda start: start.startswith(b"BM"), _by(BmpImageFile)),
)
