"""Colour bleeding: the colour of one thing crosses an edge into its neighbour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.metrics.pair import Pair
from hybridcolor.metrics.surfaces import COLOURED, CONTRAST, DIRECTIONS, edge_zone, length, mean_where, pixels_apart
from hybridcolor.resampling import resample

_LONGEST = 400  # pixels of a side at which bleeding is looked for: it is broad
_DISTANCES = (0.0125, 0.025, 0.05, 0.1)  # from which colour may have come, as shares of the longer side


def bleeding(pair: Pair) -> tuple[float, NDArray[np.float32]]:
    r"""How much of the colour of a neighbouring thing has come over.

    For a pixel p and each q up to a tenth of the longer side away (four distances, eight directions) whose true colour
    is a colour and another one: :math:`u = t_q / |t_q|` is its hue,
    :math:`s = \min(\max(r_q \cdot u, 0), |t_q|)` what it kept of its own colour,
    :math:`o = \max(t_p \cdot u, 0)` what p truly has of that hue. Then

    .. math:: m_{pq} = \frac{\max(0,\ \min(r_p \cdot u, s) - o - x)}{|t_q| - o}

    is the share of q's colour that has come over; x is how far the part of :math:`r_p` across u lies outside of what
    mixing could give, between 0 and that of :math:`t_p`. A pixel's m is its largest over q. Pairs count where
    :math:`|t_q| > 10` and :math:`|t_q| - o > 20`, and pixels that lie outside the edges' own zone, which belongs to
    `pollution`.

    Returns
    -------
    score : float
        Mean of m over the pixels that have such a neighbour: 1 if all took a neighbour's colour, 0 for a gray result.
    map : (H, W) float32
        m in 0..1; 0 elsewhere.
    """
    shape = pair.truth.shape[:2]
    scale = min(1.0, _LONGEST / max(shape))
    small = (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale)))
    truth, result = (resample(np.ascontiguousarray(ab), small) for ab in (pair.truth_ab, pair.result_ab))
    in_zone = resample(edge_zone(pair.truth_ab).astype(np.float32), small) > 0.5
    come = np.full(small, -1, np.float32)  # less than 0: nothing could
    for distance in _DISTANCES:
        for rows, columns in DIRECTIONS:
            far = max(1, round(distance * max(small)))
            here, there = pixels_apart(small, (rows * far, columns * far))
            share = _come_over(truth[here], result[here], truth[there], result[there])
            np.maximum(come[here], share, out=come[here])
    come[in_zone] = -1
    score = mean_where(come, come >= 0)
    return score, np.clip(resample(np.maximum(come, 0), (shape[0], shape[1])), 0, 1)


def _come_over(
    truth: NDArray[np.float32],
    result: NDArray[np.float32],
    other_truth: NDArray[np.float32],
    other: NDArray[np.float32],
) -> NDArray[np.float32]:
    """m of each pair, -1 where it does not count."""
    strength = length(other_truth)
    hue = other_truth / np.maximum(strength, np.float32(1))[..., None]
    kept = np.clip(_along(other, hue), 0, strength)
    own = np.maximum(_along(truth, hue), 0)
    room = strength - own
    across, own_across = _across(result, hue), _across(truth, hue)
    foreign = np.maximum(across - np.maximum(own_across, 0), np.minimum(own_across, 0) - across)
    came = np.minimum(_along(result, hue), kept) - own - np.maximum(foreign, 0)
    counts = (strength > COLOURED) & (room > CONTRAST)
    return np.where(counts, np.maximum(came, 0) / np.maximum(room, 1), np.float32(-1))


def _along(ab: NDArray[np.float32], hue: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """The part of colours along hues, which are unit vectors."""
    return np.asarray(ab[..., 0] * hue[..., 0] + ab[..., 1] * hue[..., 1])


def _across(ab: NDArray[np.float32], hue: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """The part perpendicular to them."""
    return np.asarray(ab[..., 1] * hue[..., 0] - ab[..., 0] * hue[..., 1])
