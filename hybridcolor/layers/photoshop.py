"""Photoshop documents (.psd), which GIMP, Krita, Clip Studio Paint and Photoshop open with their layers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

from hybridcolor.encoding import check_library

if TYPE_CHECKING:
    from hybridcolor.layers import Layer


def encode_photoshop(layers: list[Layer]) -> bytes:
    """The whole file of a stack of layers, the lowest first.

    Raises
    ------
    ImageError
        If psd-tools is not installed.
    """
    check_library(".psd")
    from psd_tools import PSDImage
    from psd_tools.constants import BlendMode

    height, width = layers[0].pixels.shape[:2]
    document = PSDImage.new("RGB", (width, height))
    for layer in layers:
        mode = BlendMode.MULTIPLY if layer.multiply else BlendMode.NORMAL
        document.create_pixel_layer(Image.fromarray(layer.pixels), name=layer.name, blend_mode=mode)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()
