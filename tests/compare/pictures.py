"""Small pictures with known colours."""

from __future__ import annotations

import numpy as np
from PIL import Image


def colour_photo(seed, shape=(40, 56)):
    """A coloured scene: two flat regions on a ramp."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    rgb = np.stack([60 + rows * 3, 70 + columns * 2, np.full(shape, 90)], axis=-1)
    rgb[(rows - 20) ** 2 + (columns - 20) ** 2 < 100] = rng.integers(20, 235, 3)
    rgb[5:15, 35:50] = rng.integers(20, 235, 3)
    return rgb.clip(0, 255).astype(np.uint8)


def save(folder, **pictures):
    """PNG files by name; returns the folder."""
    folder.mkdir(exist_ok=True)
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder
