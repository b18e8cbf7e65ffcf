"""Layered files for colorists: flat colours, and the drawing over them on multiply, as OpenRaster (.ora).

Krita, GIMP and MyPaint open it. May import ``picture`` and below, and ``files``.
"""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hybridcolor.errors import ImageError
from hybridcolor.files import write_whole
from hybridcolor.lab import eight_bits
from hybridcolor.picture import Picture

SUFFIX = ".ora"
_THUMBNAIL = 256
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same picture gives the same bytes


def write_openraster(
    path: str | os.PathLike[str], picture: Picture, chroma: NDArray[np.float32], *, overwrite: bool = False
) -> None:
    """Write a coloured drawing in two layers: "colours", and "lines" over it on multiply.

    The colours are those of the result on blank paper: white darkened as far as each colour needs.

    Parameters
    ----------
    path : path-like
        Ending in ``.ora``.
    picture : Picture
        The drawing; written with 8 bits, its transparency is left out.
    chroma : (H, W, 2) float32
        The a* and b* of its colours.
    overwrite : bool, optional
        Replace a file that exists.

    Raises
    ------
    ImageError
        If the file exists or cannot be written.

    References
    ----------
    The OpenRaster specification 0.0.5, https://www.openraster.org/baseline/
    """
    lines = eight_bits(picture.to_rgb())
    colours = eight_bits(Picture(np.full_like(picture.luminance, 100)).to_rgb(chroma, paint=True))
    merged = ((colours.astype(np.uint16) * lines + 127) // 255).astype(np.uint8)
    thumbnail = Image.fromarray(merged)
    thumbnail.thumbnail((_THUMBNAIL, _THUMBNAIL))
    files = {
        "stack.xml": _stack(picture.shape),
        "data/lines.png": _png(lines),
        "data/colours.png": _png(colours),
        "mergedimage.png": _png(merged),
        "Thumbnails/thumbnail.png": _png(np.asarray(thumbnail)),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("mimetype", _EPOCH), "image/openraster")  # first, and not compressed
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    try:
        write_whole(Path(path), buffer.getvalue(), overwrite=overwrite)
    except FileExistsError as error:
        raise ImageError(f"{path}: exists already; choose another name or pass --overwrite") from error
    except OSError as error:
        raise ImageError(f"{path}: cannot be written ({error.strerror}); choose another folder") from error


def _stack(shape: tuple[int, int]) -> bytes:
    """The description of the layers, the topmost first."""
    image = ET.Element("image", {"version": "0.0.5", "w": str(shape[1]), "h": str(shape[0])})
    stack = ET.SubElement(image, "stack")
    for name, operation in (("lines", "svg:multiply"), ("colours", "svg:src-over")):
        about = {"name": name, "src": f"data/{name}.png", "composite-op": operation, "x": "0", "y": "0"}
        ET.SubElement(stack, "layer", {**about, "opacity": "1.0", "visibility": "visible"})
    return bytes(ET.tostring(image, encoding="utf-8", xml_declaration=True))


def _png(rgb: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()
