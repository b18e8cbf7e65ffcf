"""Room for colour on blank paper: a drawing's white regions have no colour at their own lightness.

Photos keep their luminance; on a drawing a person wants the yellow of a sun and the red of a coat where the paper is
blank. `make_room` darkens a pixel just as far as its colour needs, so lines stay black and paper without colour stays
white. May import ``lab``.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from hybridcolor.lab import gamut_chroma

Plane = NDArray[np.float32]
_STEP = 4  # ab units between entries of the table
_RANGE = 128


def make_room(luminance: Plane, chroma: NDArray[np.float32]) -> Plane:
    """L* lowered to where each pixel's colour lies in the sRGB gamut.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    chroma : (H, W, 2) float32
        a* and b*.

    Returns
    -------
    (H, W) float32
        L*, nowhere higher than it was. A colour that exists at no lightness counts as the strongest of its hue.

    Examples
    --------
    >>> white = np.full((1, 2), 100, np.float32)
    >>> make_room(white, np.float32([[[0, 0], [60, 40]]])).round().tolist()
    [[100.0, 61.0]]
    """
    place = np.moveaxis((chroma.clip(-_RANGE, _RANGE) + _RANGE) / np.float32(_STEP), -1, 0)
    return np.minimum(luminance, map_coordinates(_lightest(), place, output=np.float32, order=1))


@cache
def _lightest() -> Plane:
    """The highest L* at which each (a*, b*) of a grid is in gamut, or as strong as it can be."""
    axis = np.arange(-_RANGE, _RANGE + 1, _STEP, dtype=np.float32)
    ab = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1)
    levels = np.arange(101, dtype=np.float32)
    shape = (len(levels), *ab.shape[:2])
    kept = gamut_chroma(np.broadcast_to(levels[:, None, None], shape), np.broadcast_to(ab, (*shape, 2)))
    share = np.hypot(*np.moveaxis(kept, -1, 0)) / np.maximum(np.hypot(ab[..., 0], ab[..., 1]), 1e-6)
    full = share >= 0.995 * share.max(axis=0)
    lightest = levels[len(levels) - 1 - full[::-1].argmax(axis=0)]
    lightest[len(axis) // 2, len(axis) // 2] = 100  # gray is everywhere
    return np.asarray(lightest, np.float32)
