"""Things in colours that only their maker can know: a purple coat, a green sky.

True colours alone teach a network that hints are what it would have guessed, and that a colour it would not have
guessed holds for the whole picture. So some training pictures have one thing recoloured, with hints on it: what is said
of one thing holds for that thing.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

ALIKE = (12.0, 12.0)
"""How far L* and ab of a cell may be from those of the cell where a thing was found, to belong to it."""
LEAST, MOST = 0.015, 0.4
"""Size of a thing, as a share of the picture."""
TRIES = 8
CHROMA = (15.0, 75.0)


def find_thing(
    luminance: NDArray[np.float32], ab: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.bool_] | None:
    """The cells that hang together with a random cell and look like it; None where no try found a fitting size.

    Parameters
    ----------
    luminance : (h, w) float32
        L* in 0..100.
    ab : (h, w, 2) float32
    rng : numpy.random.Generator

    Examples
    --------
    >>> luminance = np.repeat(np.float32([[30, 80]]), 8, axis=1) * np.ones((16, 1), np.float32)
    >>> thing = find_thing(luminance, np.zeros((16, 16, 2), np.float32), np.random.default_rng(0))
    >>> thing is None  # half of the picture is too much
    True
    """
    height, width = luminance.shape
    scaled = np.dstack([luminance / ALIKE[0], ab / ALIKE[1]]).astype(np.float32)
    for _ in range(TRIES):
        mask = np.zeros((height + 2, width + 2), np.uint8)
        start = (int(rng.integers(width)), int(rng.integers(height)))
        flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE
        cv2.floodFill(scaled, mask, start, 0, (1.0,) * 3, (1.0,) * 3, flags)
        thing = mask[1:-1, 1:-1].astype(bool)
        if LEAST <= thing.mean() <= MOST:
            return thing
    return None


def other_colour(level: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Any colour that a thing of this L* may have: of less chroma the nearer it is to black or white.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> bool(15 <= np.hypot(*other_colour(50.0, rng)) <= 75), np.hypot(*other_colour(100.0, rng)).item()
    (True, 0.0)
    """
    hue, chroma = rng.uniform(0, 2 * np.pi), rng.uniform(*CHROMA)
    chroma *= min(1.0, level / 35, (100 - level) / 25)
    return np.asarray(chroma * np.array([np.cos(hue), np.sin(hue)]), np.float32)
