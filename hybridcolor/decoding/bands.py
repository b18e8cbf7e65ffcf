"""Pictures some rows at a time: TIFF by its own strips or tiles, so that a whole slide never lies in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import numpy as np
import tifffile

from hybridcolor.decoding import tiff
from hybridcolor.decoding.common import ORIENTATION, Decoded, Pixels, check_frame, check_size
from hybridcolor.errors import ImageError

DecodedBands = Callable[[int, int], Decoded]
"""A function that decodes rows: takes the first, and the one behind the last."""
_MOST_ROWS = 4096  # of a strip or tile; larger ones are no better than the whole


def bands_of(decoded: Decoded) -> tuple[tuple[int, int], DecodedBands]:
    """The shape (rows, columns) of a picture that is in memory, and what gives its bands."""

    def band(top: int, bottom: int) -> Decoded:
        alpha = None if decoded.alpha is None else decoded.alpha[top:bottom]
        return decoded._replace(colours=decoded.colours[top:bottom], alpha=alpha)

    height, width = decoded.colours.shape[:2]
    return (height, width), band


def tiff_bands(file: BinaryIO, frame: int, max_pixels: int) -> tuple[tuple[int, int], DecodedBands] | None:
    """The same for a page of a TIFF file, decoded as bands are asked for; None if it can only be read as a whole."""
    page_of = tifffile.TiffFile(file)
    if not len(page_of.pages):
        return None
    check_frame(frame, len(page_of.pages))
    page = page_of.pages[frame].aspage()
    check_size(page.imagewidth, page.imagelength, max_pixels)
    tiff.check_data(page, page_of.filehandle.size)
    orientation = page.tags.get(ORIENTATION)
    upright = orientation is None or orientation.value == 1
    plain = page.bitspersample in (8, 16) and page.axes in ("YX", "YXS") and page.photometric in (0, 1, 2)
    if not (upright and plain and tiff.is_readable(page)) or tiff.white_of(page):
        return None
    metadata, profile = tiff.read_metadata(file, frame), page.iccprofile or b""
    if not page.is_memmappable and page.chunks[0] > _MOST_ROWS:
        return None
    rows = _plain_rows if page.is_memmappable else _rows

    def band(top: int, bottom: int) -> Decoded:
        pixels = rows(page, top, bottom)
        decoded = tiff.without_extras(page, pixels)
        return decoded._replace(profile=profile, metadata=metadata, frames=len(page_of.pages))

    return (page.imagelength, page.imagewidth), band


def _plain_rows(page: tifffile.TiffPage, top: int, bottom: int) -> Pixels:
    """Rows of a page that lies in the file as it lies in memory."""
    shape = (bottom - top, page.imagewidth, page.samplesperpixel)
    kind = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
    row = page.imagewidth * page.samplesperpixel * kind.itemsize
    page.parent.filehandle.seek(page.dataoffsets[0] + top * row)
    data = page.parent.filehandle.read((bottom - top) * row)
    return np.frombuffer(data, kind).reshape(shape).astype(page.dtype)


def _rows(page: tifffile.TiffPage, top: int, bottom: int) -> Pixels:
    """Rows of a page, from the strips or tiles that hold them."""
    high, wide = page.chunks[0], page.chunks[1]
    across = -(-page.imagewidth // wide)
    first, last = top // high, -(-bottom // high)
    out = np.zeros(((last - first) * high, across * wide, page.samplesperpixel), page.dtype)
    for index in range(first * across, last * across):
        page.parent.filehandle.seek(page.dataoffsets[index])
        data = page.parent.filehandle.read(page.databytecounts[index])
        segment, place, shape = page.decode(data, index)
        if segment is None:
            raise ImageError("the TIFF is damaged: one of its tiles is missing")
        row, column = place[2] - first * high, place[3]
        out[row : row + shape[1], column : column + shape[2]] = segment[0, : shape[1], : shape[2]]
    return out[top - first * high : bottom - first * high, : page.imagewidth]
