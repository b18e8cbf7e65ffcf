"""Scores of a colorization against the truth, and of its colours alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def psnr(result: NDArray[Any], truth: NDArray[Any]) -> float:
    """Peak signal to noise ratio of two RGB pictures of the same integer type, in dB; ``inf`` if they are equal.

    Examples
    --------
    >>> black, gray = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    >>> psnr(gray, black)
    0.0
    """
    error = float(np.mean((result.astype(np.float64) - truth) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(np.iinfo(truth.dtype).max ** 2 / error))


def ab_rmse(result: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Root mean square difference of two (H, W, 2) chroma planes, over both channels, in ab units.

    Examples
    --------
    >>> ab_rmse(np.zeros((1, 1, 2), np.float32), np.full((1, 1, 2), 3, np.float32))
    3.0
    """
    return float(np.sqrt(np.mean((result.astype(np.float64) - truth) ** 2)))


def colourfulness(rgb: NDArray[Any]) -> float:
    """Colourfulness of an (H, W, 3) RGB picture on the scale of 8-bit values; gray is 0, lively photos 40 to 60.

    References
    ----------
    Hasler and Suesstrunk, "Measuring colourfulness in natural images", SPIE 2003, doi 10.1117/12.477378.

    Examples
    --------
    >>> colourfulness(np.full((4, 4, 3), 90, np.uint8))
    0.0
    """
    red, green, blue = np.moveaxis(rgb.astype(np.float64) * (255 / np.iinfo(rgb.dtype).max), -1, 0)
    opponents = red - green, (red + green) / 2 - blue
    spread, offset = (np.hypot(*(f(o) for o in opponents)) for f in (np.std, np.mean))
    return float(spread + 0.3 * offset)
