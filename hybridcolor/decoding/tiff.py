"""TIFF, BigTIFF too: tifffile decodes, where it can; OpenCV and Pillow the compressions that it lacks."""

from __future__ import annotations

import io
import math
import re
import struct
from typing import BinaryIO

import numpy as np
import tifffile
from PIL.TiffImagePlugin import TiffImageFile
from tifffile import EXTRASAMPLE, PHOTOMETRIC, PLANARCONFIG

from hybridcolor.decoding.common import (
    ORIENTATION,
    Decoded,
    Pixels,
    Space,
    check_frame,
    check_size,
    from_opencv,
    from_pillow,
    lab_of,
    silence,
)
from hybridcolor.errors import ImageError
from hybridcolor.metadata import Metadata

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_SPACES: dict[int, Space] = {
    PHOTOMETRIC.MINISWHITE: "gray",
    PHOTOMETRIC.MINISBLACK: "gray",
    PHOTOMETRIC.RGB: "rgb",
    PHOTOMETRIC.SEPARATED: "cmyk",
    PHOTOMETRIC.CIELAB: "lab",
    PHOTOMETRIC.ICCLAB: "lab",
}
_CHANNELS = {"gray": 1, "rgb": 3, "cmyk": 4, "lab": 3}
_TIFFFILE_READS = (1, 8, 32773, 32946, 34925)  # none, deflate, PackBits, old deflate, LZMA
_FLOAT_PREDICTOR = 3
_WHITES = {(1 << bits) - 1 for bits in range(9, 16)}
_SIGNIFICANT = re.compile(r'\bSignificantBits="(\d{1,2})"')  # of OME
_RANGE = re.compile(r"\nmin=0(?:\.0*)?\nmax=(\d{1,5})(?:\.0*)?(?:\n|$)")  # of ImageJ


def decode_tiff(file: BinaryIO, frame: int, max_pixels: int) -> Decoded:
    """A page of a TIFF file, counted from 0."""
    tiff = tifffile.TiffFile(file)
    if not len(tiff.pages):
        raise ImageError("the TIFF holds no picture; it is damaged or cut short")
    check_frame(frame, len(tiff.pages))
    page = tiff.pages[frame].aspage()
    check_size(page.imagewidth, page.imagelength, max_pixels)
    check_data(page, tiff.filehandle.size)
    white = white_of(page)
    decoded = _decoded(file, page, frame, max_pixels=max_pixels)
    return _filled(decoded, page, white)._replace(frames=len(tiff.pages))


def white_of(page: tifffile.TiffPage) -> int:
    """What 9 to 15 bits that lie in 16 have as their largest number, where the file says how many are in use; else 0.

    OME says it, ImageJ by the range that it shows, and others by the largest number a sample may have.
    """
    if page.bitspersample != 16:
        return 0
    text = page.parent.pages.first.description
    if page.parent.is_ome:
        said = {(1 << int(bits)) - 1 for bits in _SIGNIFICANT.findall(text)}
    elif text.startswith("ImageJ="):
        said = {int(top) for top in _RANGE.findall(text)}
    else:
        tags = [page.tags[name].value for name in ("MaxSampleValue", "SMaxSampleValue") if name in page.tags]
        said = set(np.concatenate([np.ravel(each) for each in tags]).tolist()) if tags else set()
    return int(said.pop()) if len(said) == 1 and said <= _WHITES else 0


def _filled(decoded: Decoded, page: tifffile.TiffPage, white: int) -> Decoded:
    """The same with this white as that of 16 bits; as it is where there is a lighter pixel, so that it was not true."""
    if not white or decoded.colours.dtype != np.uint16:
        return decoded
    flip = np.uint16(65535 if page.photometric == PHOTOMETRIC.MINISWHITE else 0)  # these have been turned round
    stored = decoded.colours ^ flip
    alpha = decoded.alpha
    if stored.max() > white:
        return decoded
    if alpha is not None and alpha.max() <= white:
        alpha = _stretched(alpha, white)
    return decoded._replace(colours=_stretched(stored, white) ^ flip, alpha=alpha)


def _stretched(values: Pixels, white: int) -> Pixels:
    """Whole numbers up to this white over all of 16 bits."""
    return ((values.astype(np.uint32) * 65535 + white // 2) // white).astype(np.uint16)


def _decoded(file: BinaryIO, page: tifffile.TiffPage, frame: int, *, max_pixels: int) -> Decoded:
    """A page by whatever decodes it, turned upright."""
    orientation = page.tags.get(ORIENTATION)
    turn = 1 if orientation is None else orientation.value
    profile, order = page.iccprofile or b"", page.parent.byteorder
    decoded = _by_tifffile(page) if is_readable(page) else None
    metadata = read_metadata(file, frame)
    if decoded is not None:
        return decoded._replace(profile=profile, metadata=metadata).upright(turn)
    file.seek(0)
    if _is_torn_apart(page):
        raise ImageError(
            "its channels lie in separate planes, which are not read with this compression; save it uncompressed or "
            "with ZIP compression"
        )
    try:
        if page.photometric in (1, 2) and (_is_deep_colour(page) or page.dtype == np.float32):
            data = bytearray(file.read())
            if orientation is not None:  # some versions of OpenCV obey it and some do not
                struct.pack_into(f"{order}H", data, orientation.valueoffset, 1)
            decoded = without_extras(page, from_opencv(bytes(data), frame))
            return decoded._replace(profile=profile, metadata=metadata).upright(turn)
        if page.photometric == PHOTOMETRIC.MINISWHITE and page.bitspersample > 8:  # Pillow would show a negative
            data = bytearray(file.read())
            struct.pack_into(f"{order}H", data, page.tags["PhotometricInterpretation"].valueoffset, 1)
            decoded = _by_pillow(io.BytesIO(data), page, frame, max_pixels)
            white = 1 if decoded.colours.dtype.kind == "f" else 65535
            return decoded._replace(colours=white - decoded.colours)
        return _by_pillow(file, page, frame, max_pixels)
    except ImageError:
        raise
    except Exception as error:
        if page.bitspersample not in (1, 8, 16, 32, 64):
            raise ImageError(f"{page.bitspersample}-bit pixels cannot be read; save it with 8 or 16 bits") from error
        compression = getattr(page.compression, "name", page.compression)
        raise ImageError(f"its compression ({compression}) cannot be read here, or it is damaged") from error


def is_readable(page: tifffile.TiffPage) -> bool:
    """Whether tifffile decodes this page with nothing but what Python brings."""
    return (
        page.photometric in _SPACES
        and page.compression in _TIFFFILE_READS
        and page.predictor != _FLOAT_PREDICTOR
        and page.bitspersample in (1, 8, 16, 32, 64)
    )


def _is_deep_colour(page: tifffile.TiffPage) -> bool:
    """Whether Pillow would crush this page to 8 bits."""
    return page.bitspersample == 16 and page.samplesperpixel > 1


def _is_torn_apart(page: tifffile.TiffPage) -> bool:
    """Whether its channels lie apart in a way that OpenCV and Pillow read as if they lay together."""
    apart = page.planarconfig == PLANARCONFIG.SEPARATE and page.samplesperpixel > 1
    return apart and not (page.bitspersample == 8 and page.photometric in (PHOTOMETRIC.RGB, PHOTOMETRIC.SEPARATED))


def read_metadata(file: BinaryIO, frame: int) -> Metadata:
    """Read by Pillow, whose tags are the same for all formats."""
    try:
        file.seek(0)
        with silence():
            image = TiffImageFile(file)
            image.seek(frame)
            return Metadata.of_image(image)
    except Exception:  # noqa: BLE001  # notes that cannot be read do not cost the picture
        return Metadata()


def _by_pillow(file: BinaryIO, page: tifffile.TiffPage, frame: int, max_pixels: int) -> Decoded:
    with silence():
        decoded = from_pillow(TiffImageFile(file), max_pixels, frame=frame)
    if page.photometric in _SPACES and page.bitspersample > 8 and decoded.colours.dtype == np.uint8:
        raise ImageError(
            f"{page.bitspersample}-bit {PHOTOMETRIC(page.photometric).name} pixels with this compression cannot be "
            "read in full depth; save it uncompressed or with ZIP compression"
        )
    if decoded.colours.dtype == np.uint16 and page.bitspersample < 16:
        top = (1 << page.bitspersample) - 1
        return decoded._replace(colours=np.round(decoded.colours * (65535 / top)).astype(np.uint16))
    return decoded


def check_data(page: tifffile.TiffPage, file_size: int) -> None:
    """Raise if a strip or tile is missing (decoders paint it black), lies outside the file, or is a bomb.

    So it is with what is but a thumbnail: in camera raw and DNG, which begin as TIFF does, the picture lies elsewhere.
    """
    if page.is_reduced and "SubIFDs" in page.tags:
        raise ImageError(
            "this page is only the thumbnail of a picture in a form that is not read, as in camera raw; convert it to "
            "TIFF or PNG first"
        )
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if len(segments) < math.prod(page.chunked) or any(not count or at + count > file_size for at, count in segments):
        raise ImageError("the TIFF is cut short or damaged: some of its pixels are missing")
    raw = page.imagewidth * page.imagelength * page.samplesperpixel * page.bitspersample // 8
    if page.compression == 1 and sum(page.databytecounts) < raw:
        raise ImageError("the TIFF is damaged: it holds fewer pixels than it says")
    if page.samplesperpixel > 1 and page.bitspersample == 1:  # what a lost tag falls back to
        raise ImageError("the TIFF is damaged: it does not say how many bits its colours have")
    if page.samplesperpixel > 16 or sum(page.databytecounts) > 2 * raw + 4096 * len(segments):
        raise ImageError("the TIFF is not an ordinary picture: it holds far more data than its size asks for")


def _by_tifffile(page: tifffile.TiffPage) -> Decoded:
    """A gray, RGB, CMYK or Lab page in full depth."""
    pixels = page.asarray()
    if page.axes not in ("YX", "YXS", "SYX"):
        raise ImageError(f"the TIFF page has axes {page.axes}; expected one flat picture")
    if page.axes == "SYX":
        pixels = np.moveaxis(pixels, 0, 2)
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype == np.uint32:
        pixels = pixels / np.float64(2**32 - 1)
    if pixels.dtype.kind not in "uf" or (pixels.dtype.itemsize > 4 and pixels.dtype.kind == "u"):
        raise ImageError(f"its samples are {pixels.dtype}; save it with 8 or 16 bits, or as floats in 0..1")
    return without_extras(page, pixels)


def without_extras(page: tifffile.TiffPage, pixels: Pixels) -> Decoded:
    """The colours, and alpha if the first extra channel says that it is alpha."""
    space = _SPACES[page.photometric]
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    count = _CHANNELS[space]
    if pixels.shape[2] < count:
        raise ImageError(
            f"the TIFF is {PHOTOMETRIC(page.photometric).name} with {pixels.shape[2]} channels; expected {count}"
        )
    colours = pixels[..., :count]
    if page.photometric == PHOTOMETRIC.MINISWHITE:
        colours = (1 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max) - colours
    kind = page.extrasamples[0] if page.extrasamples else EXTRASAMPLE.UNSPECIFIED
    alpha = None
    if kind != EXTRASAMPLE.UNSPECIFIED and pixels.shape[2] > count:
        alpha = np.ascontiguousarray(pixels[..., count])
        if kind == EXTRASAMPLE.ASSOCALPHA and space in ("gray", "rgb"):
            colours = _unmultiplied(colours, alpha)
    if space == "lab":
        return Decoded(_lab(page, colours), space, alpha, bits=page.bitspersample)
    return Decoded(colours, space, alpha)


def _lab(page: tifffile.TiffPage, stored: Pixels) -> Pixels:
    """L*a*b* as TIFF 6.0 (CIELab) and its supplement (ICCLab) store it."""
    if stored.dtype.kind == "f":
        return np.asarray(stored, np.float32)
    bits = stored.dtype.itemsize * 8
    step = 1 if bits == 8 else 256
    if page.photometric == PHOTOMETRIC.ICCLAB:
        return lab_of(stored - np.array([0.0, 128 * step, 128 * step]), 255 * step, step)
    signed = stored[..., 1:].view(np.int8 if bits == 8 else np.int16)
    return lab_of(np.concatenate([stored[..., :1].astype(np.float32), signed], axis=2), (1 << bits) - 1, step)


def _unmultiplied(colours: Pixels, alpha: Pixels) -> Pixels:
    """Colours that were stored multiplied by their alpha, as they were before."""
    top = 1.0 if colours.dtype.kind == "f" else float(np.iinfo(colours.dtype).max)
    scale = top / np.maximum(alpha.astype(np.float64), top * 1e-9)
    plain = np.minimum(colours * scale[..., np.newaxis], top)
    return (np.round(plain) if colours.dtype.kind == "u" else plain).astype(colours.dtype)
