"""OpenRaster (.ora), which Krita, GIMP and MyPaint open."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hybridcolor.layers import merged

if TYPE_CHECKING:
    from hybridcolor.layers import Layer

_THUMBNAIL = 256
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same picture gives the same bytes


def encode_openraster(layers: list[Layer]) -> bytes:
    """The whole file of a stack of layers, the lowest first.

    References
    ----------
    The OpenRaster specification 0.0.5, https://www.openraster.org/baseline/
    """
    seen = merged(layers)
    thumbnail = Image.fromarray(seen)
    thumbnail.thumbnail((_THUMBNAIL, _THUMBNAIL))
    files = {"stack.xml": _stack(layers), "mergedimage.png": _png(seen)}
    files |= {f"data/{layer.name}.png": _png(layer.pixels) for layer in layers}
    files["Thumbnails/thumbnail.png"] = _png(np.asarray(thumbnail))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("mimetype", _EPOCH), "image/openraster")  # first, and not compressed
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return buffer.getvalue()


def _stack(layers: list[Layer]) -> bytes:
    """The description of the layers, the topmost first."""
    height, width = layers[0].pixels.shape[:2]
    image = ET.Element("image", {"version": "0.0.5", "w": str(width), "h": str(height)})
    stack = ET.SubElement(image, "stack")
    for layer in reversed(layers):
        operation = "svg:multiply" if layer.multiply else "svg:src-over"
        about = {"name": layer.name, "src": f"data/{layer.name}.png", "composite-op": operation, "x": "0", "y": "0"}
        ET.SubElement(stack, "layer", {**about, "opacity": "1.0", "visibility": "visible"})
    return bytes(ET.tostring(image, encoding="utf-8", xml_declaration=True))


def _png(rgb: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()
