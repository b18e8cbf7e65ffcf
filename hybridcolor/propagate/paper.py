"""Ink and paper: which part of a picture is drawn, also where the paper is dark or unevenly lit."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hybridcolor.discs import disc
from hybridcolor.tones import dark_side

BLOCKS = 64
"""Along a picture's shorter side. The lightest pixel of a block is paper, unless a black area covers the block."""
AREA = 17
"""Black areas of fewer blocks than this across are filled in with the paper around."""
DARKEST = 0.6
"""The darkest paper is taken to have at least this share of the lightest's L*."""
EVEN = 0.93
"""Paper whose darkest part has at least this share of the lightest's L* is even."""
SAMPLES = 250_000
"""About how many pixels the grain is measured at."""
QUARTILE = 0.3186  # the lower quartile of |x| for a standard normal x


def ink(luminance: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where the drawing is drawn: its dark side, or the light one if that is less.

    Examples
    --------
    >>> ink(np.array([[100, 0, 100, 100]], np.float32)).tolist()
    [[False, True, False, False]]
    """
    dark = dark_side(luminance)
    return dark if 2 * np.count_nonzero(dark) <= dark.size else ~dark


def evened(luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    """The drawing on paper that is equally light everywhere: L* divided by that of the paper around.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100; returned as it is where the paper is even, and if it is too small to tell.

    Examples
    --------
    >>> page = np.linspace(50, 80, 400, dtype=np.float32) * np.ones((300, 1), np.float32)
    >>> page[:, ::50] *= 0.2
    >>> float(np.ptp(evened(page)[:, 25::50])) < 3
    True
    """
    size = min(luminance.shape) // BLOCKS
    if size == 0:
        return luminance
    height, width = luminance.shape[0] // size, luminance.shape[1] // size
    blocks = luminance[: height * size, : width * size].reshape(height, size, width * size).max(axis=1)
    lightest = np.ascontiguousarray(blocks.reshape(height, width, size).max(axis=2))
    paper = cv2.morphologyEx(lightest, cv2.MORPH_CLOSE, disc(AREA // 2), borderType=cv2.BORDER_REPLICATE)
    paper = cv2.GaussianBlur(paper, (0, 0), AREA / 6, borderType=cv2.BORDER_REPLICATE)
    top = float(paper.max())
    if paper.min() >= EVEN * top:
        return luminance
    share = cv2.resize(np.maximum(paper / max(top, 1e-3), DARKEST), luminance.shape[::-1])
    return np.asarray(np.minimum(luminance / share, 100), np.float32)


def grain(luminance: NDArray[np.float32]) -> float:
    """Standard deviation of the paper's noise, from second differences in bands of three rows.

    On even paper and on slopes they are noise alone, and if half of the picture is paper, so is their lower quartile.
    (J. Immerkaer, "Fast noise variance estimation", CVIU 64(2), 1996, https://doi.org/10.1006/cviu.1996.0060, goes by
    their mean.)

    Examples
    --------
    >>> page = 80 + np.random.default_rng(0).normal(0, 2, (90, 200)).astype(np.float32)
    >>> page[:, ::20] = 10
    >>> round(grain(page))
    2
    """
    height, width = luminance.shape
    if min(height, width) < 3:
        return 0.0
    count = min(height - 2, max(1, SAMPLES // width))  # all rows of a small picture, whichever way it is up
    first = np.linspace(0, height - 3, count).astype(int)
    down = luminance[first] - 2 * luminance[first + 1] + luminance[first + 2]
    both = down[:, :-2] - 2 * down[:, 1:-1] + down[:, 2:]
    return round(float(np.percentile(np.abs(both), 25)) / (QUARTILE * 6), 2)
