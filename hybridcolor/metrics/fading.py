"""Fading sensitivity: the same scene, faded out or in, should keep its colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hybridcolor.metrics.pair import Pair
from hybridcolor.metrics.surfaces import COLOURED, length, mean_where

_KNEE = 8.0  # L* below which L*a*b* is a straight line, and 8-bit files are too coarse to tell a colour
_SLOPE = 24389 / 27  # of that line


def fade(luminance: NDArray[np.float32], light: float) -> NDArray[np.float32]:
    """The L* plane of a scene under ``light`` times its light, as films are faded out and in.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    light : float
        From 0 (black) to 1 (as it is).

    Examples
    --------
    >>> fade(np.array([[100, 50, 0]], np.float32), 0.125).round(1).tolist()
    [[42.0, 17.0, 0.0]]
    """
    y = np.where(luminance > _KNEE, ((luminance + 16) / 116) ** 3, luminance / _SLOPE) * light
    return np.where(y > _KNEE / _SLOPE, 116 * np.cbrt(y) - 16, y * _SLOPE).astype(np.float32)


def fading_sensitivity(pair: Pair) -> tuple[float, NDArray[np.float32]]:
    r"""How much a method's colours change when nothing but the light does.

    Under a share of the light all of X, Y and Z shrink alike, so a true colour's a* and b* shrink as L* + 16 does
    (above L* = 8). With the result f for the faded scene, u for the unfaded one and
    :math:`f' = f\,(L_u + 16) / (L_f + 16)`,

    .. math:: m = \frac{|f' - u|}{\max(|f'| + |u|,\ 20)}

    where either has a chroma above 10 and both L* are above 8.

    Parameters
    ----------
    pair : Pair
        ``result``: what a method made of the scene after `fade`; ``truth``: what it made of the scene as it was.

    Returns
    -------
    score : float
        Mean of m over those pixels: 0 if all colours are kept, 1 if they are lost or turned to their opposite.
    map : (H, W) float32
        m in 0..1; 0 elsewhere.

    Examples
    --------
    >>> from hybridcolor.metrics.pair import Pair
    >>> bright, dim = (np.full((1, 1, 3), rgb, np.uint8) for rgb in ((200, 100, 100), (144, 70, 70)))
    >>> round(fading_sensitivity(Pair(dim, bright))[0], 2), fading_sensitivity(Pair(dim[..., ::-1], bright))[0] > 0.5
    (0.0, True)
    """
    faded, unfaded = pair.result_lab, pair.truth_lab
    brighter = (unfaded[..., :1] + 16) / (faded[..., :1] + 16)
    as_bright = faded[..., 1:] * brighter
    chroma, chroma_unfaded = length(as_bright), length(unfaded[..., 1:])
    bright = np.minimum(faded[..., 0], unfaded[..., 0]) > _KNEE
    judged = bright & (np.maximum(chroma, chroma_unfaded) > COLOURED)
    change = length(as_bright - unfaded[..., 1:]) / np.maximum(chroma + chroma_unfaded, 2 * COLOURED)
    change = np.where(judged, np.minimum(change, 1), np.float32(0))
    return mean_where(change, judged), change
