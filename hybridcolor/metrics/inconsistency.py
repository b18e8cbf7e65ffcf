"""Inconsistent colouring: one surface of one colour comes out in patches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hybridcolor.metrics.pair import Pair
from hybridcolor.metrics.surfaces import DIRECTIONS, FULL, edge_zone, length, mean_where, pixels_apart
from hybridcolor.resampling import resample

_LONGEST = 256  # pixels of a side at which patches are looked for: grain is averaged away
_DISTANCES = (0.015, 0.03, 0.06, 0.12)  # between the pixels of a pair, as shares of the longer side
_ALIKE_AB, _ALIKE_L = 6.0, 15.0  # differences up to which two pixels truly are of one surface


def inconsistency(pair: Pair) -> tuple[float, NDArray[np.float32]]:
    r"""How far apart pixels come out that have the same colour in truth.

    Over all pairs of pixels 1.5, 3, 6 and 12% of the longer side apart, in eight directions, that are alike in truth
    (within 6 in ab and 15 in L*), and of which neither is at an edge of the true colour: m of a pixel is the mean of

    .. math:: \min(1,\ \max(0,\ |r_p - r_q| - |t_p - t_q|) / 40)

    over its pairs.

    Returns
    -------
    score : float
        Mean of m over the pixels that have a pair. A surface that is evenly wrong, or gray, scores 0.
    map : (H, W) float32
        m in 0..1; 0 elsewhere. Where two patches meet neither is known to be the right one: both are marked.
    """
    shape = pair.truth.shape[:2]
    scale = min(1.0, _LONGEST / max(shape))
    small = (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale)))
    truth = resample(pair.truth_lab, small)
    result = resample(np.ascontiguousarray(pair.result_ab), small)
    inside = resample(edge_zone(pair.truth_ab).astype(np.float32), small) <= 0.5
    total: NDArray[np.float32] = np.zeros(small, np.float32)
    count = np.zeros_like(total)
    for distance in _DISTANCES:
        far = max(1, round(distance * max(small)))
        for rows, columns in DIRECTIONS[:4]:  # the others are these backwards, and both ends of a pair count
            here, there = pixels_apart(small, (rows * far, columns * far))
            apart = truth[here] - truth[there]
            true = length(apart[..., 1:])
            counts = inside[here] & inside[there] & (true < _ALIKE_AB) & (np.abs(apart[..., 0]) < _ALIKE_L)
            excess = np.clip((length(result[here] - result[there]) - true) / FULL, 0, 1) * counts
            for end in (here, there):
                total[end] += excess
                count[end] += counts
    patches = np.asarray(total / np.maximum(count, 1), np.float32)
    score = mean_where(patches, count > 0)
    return score, np.clip(resample(patches, (shape[0], shape[1])), 0, 1)
