"""Edge pollution: a rim of wrong or mixed colour right at the edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hybridcolor.metrics.pair import Pair
from hybridcolor.metrics.surfaces import DIRECTIONS, EDGE_REACH, FULL, edge_zone, length, mean_where, pixels_apart

_DISTANCES = (EDGE_REACH + 2, 2 * EDGE_REACH + 2, 4 * EDGE_REACH)  # pixels to where a surface shows its own colour
_ALIKE = 6.0  # ab units: sigma of "of the same true colour"
_LEAST = 0.05  # weight of all such pixels below which nothing can be said


def pollution(pair: Pair) -> tuple[float, NDArray[np.float32]]:
    r"""How far colours at the edges are from what the same surface has a few pixels on.

    The error :math:`e = r - t` of a pixel p within 4 pixels of an edge of the true colour is compared with its mean
    :math:`\bar e` over pixels q that are 6, 10 and 16 pixels away in eight directions, outside of all edges' zones,
    weighted by likeness of the true colours, :math:`\exp(-|t_p - t_q|^2 / (2 \cdot 6^2))`:

    .. math:: m = \min(1,\ |e_p - \bar e| / 40).

    So a surface that has the wrong colour, but evenly up to its edge, is clean.

    Returns
    -------
    score : float
        Mean of m over the pixels near edges for which there is a like q: 0 is clean.
    map : (H, W) float32
        m in 0..1; 0 elsewhere.
    """
    truth, error = pair.truth_ab, pair.result_ab - pair.truth_ab
    zone = edge_zone(truth)
    total = np.zeros(zone.shape, np.float32)
    mean = np.zeros_like(error)
    for distance in _DISTANCES:
        for rows, columns in DIRECTIONS:
            here, there = pixels_apart(zone.shape, (rows * distance, columns * distance))
            at = np.nonzero(zone[here] & ~zone[there])
            apart = truth[here][at] - truth[there][at]
            weight = np.exp(np.einsum("nc,nc->n", apart, apart) * np.float32(-1 / (2 * _ALIKE**2)))
            total[here][at] += weight
            mean[here][at] += weight[:, None] * error[there][at]
    judged = zone & (total > _LEAST)
    halo = np.zeros(zone.shape, np.float32)
    halo[judged] = length(error[judged] - mean[judged] / total[judged][:, None]) / np.float32(FULL)
    np.minimum(halo, 1, out=halo)
    return mean_where(halo, judged), halo
