"""Colour deficiency: the result is gray, or grayer, where the truth is coloured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hybridcolor.metrics.pair import Pair
from hybridcolor.metrics.surfaces import COLOURED, length, mean_where


def deficiency(pair: Pair) -> tuple[float, NDArray[np.float32]]:
    r"""The share of the true chroma that is missing.

    With chroma :math:`C = \sqrt{a^2 + b^2}` of truth t and result r, at the pixels where :math:`C_t > 10`,

    .. math:: m = \max(0,\ 1 - C_r / C_t).

    Returns
    -------
    score : float
        Mean of m over those pixels: 1 for a gray result, 0 for one at least as vivid as the truth, whatever its hue,
        and for a gray truth.
    map : (H, W) float32
        m in 0..1; 0 elsewhere.

    Examples
    --------
    >>> from hybridcolor.metrics.pair import Pair
    >>> red = np.array([[[255, 0, 0], [90, 90, 90]]], np.uint8)
    >>> deficiency(Pair(np.full_like(red, 90), red))[0]
    1.0
    """
    true = length(pair.truth_ab)
    coloured = true > COLOURED
    missing = np.clip(1 - length(pair.result_ab) / np.maximum(true, COLOURED), 0, 1) * coloured
    return mean_where(missing, coloured), np.asarray(missing, np.float32)
