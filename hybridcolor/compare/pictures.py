"""A report's image files: small enough for hundreds of pictures, faithful enough to judge colours by."""

from __future__ import annotations

import hashlib
import io
import re
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hybridcolor.errors import ImageError
from hybridcolor.files import write_whole
from hybridcolor.imagefiles import write_image

LONGEST = 1024
"""Longer side of a picture in the report, in pixels."""
LONGEST_MAP = 512


def slug(name: str) -> str:
    """A file name for any name: the name itself if it is safe everywhere, else something like it and a checksum.

    It has no dot and does not begin with ``_``: names that do are the report's own.

    Examples
    --------
    >>> slug("hybrid"), slug("hybrid:lite")
    ('hybrid', 'hybrid-lite-a747ca9b')
    """
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,59}", name):
        return name
    mark = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower())[:40].strip("-")
    return f"{readable or 'x'}-{mark}"


def save_picture(path: Path, rgb: NDArray[Any], *, longest: int = LONGEST) -> None:
    """An (H, W, 3) picture as JPEG with its full chroma resolution, its longer side of at most ``longest`` pixels.

    Raises
    ------
    ImageError
        If it cannot be written.
    """
    write_image(path, _shrunk(rgb, longest), overwrite=True)


def save_map(path: Path, values: NDArray[np.float32]) -> None:
    """An (H, W) map in 0..1 as a small JPEG, in a perceptually uniform colormap (inferno: dark to bright).

    Raises
    ------
    ImageError
        If it cannot be written.
    """
    levels = (_shrunk(values, LONGEST_MAP).clip(0, 1) * 255 + 0.5).astype(np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(_colormap()[levels]).save(encoded, "JPEG", quality=80)
    try:
        write_whole(path, encoded.getvalue())
    except OSError as error:
        raise ImageError(f"{path}: cannot be written ({error.strerror}); choose another folder for -o") from error


def _shrunk(array: NDArray[Any], longest: int) -> NDArray[Any]:
    height, width = array.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return array
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA))


@cache
def _colormap() -> NDArray[np.uint8]:
    """(256, 3) sRGB."""
    from matplotlib import colormaps

    return (np.asarray(colormaps["inferno"](np.arange(256)))[:, :3] * 255 + 0.5).astype(np.uint8)
