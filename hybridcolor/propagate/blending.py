"""Kernels of `hybridcolor.propagate.chrominance`: a pixel's colour from its nearest sources, and what seeds changed."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def blend(lists, sources, power, seeds, pixels, planes):  # type: ignore[no-untyped-def]
    """Write colour and label of the given flat pixels; if they are as many as the picture has, of all in order.

    Returns the first and last row and column that were written.

    The colour is the mean of the sources' colours with weight distance^-power, taken over the nearest distance so that
    no weight overflows. Only the pixel of a hard seed is at distance 0 from its source; it has the seed's own colour.
    """
    distance, source = lists
    colours, stroke = sources
    seed_at, ab = seeds
    chroma, label = planes
    height, width, k = source.shape
    everywhere = len(pixels) == height * width
    top, bottom, left, right = height, -1, width, -1
    for at in range(len(pixels)):
        pixel = np.int64(at) if everywhere else pixels[at]
        i = pixel // width
        j = pixel - i * width
        top, bottom, left, right = min(top, i), max(bottom, i), min(left, j), max(right, j)
        label[i, j] = stroke[source[i, j, 0]]
        nearest = distance[i, j, 0]
        if nearest == 0:
            chroma[i, j, 0], chroma[i, j, 1] = ab[seed_at[pixel], 0], ab[seed_at[pixel], 1]
            continue
        total = 0.0
        a = 0.0
        b = 0.0
        for slot in range(k):
            number = source[i, j, slot]
            if number == 0:
                break
            weight = nearest / distance[i, j, slot]
            if power == 4.0:
                weight *= weight
                weight *= weight
            else:
                weight **= power
            total += weight
            a += weight * colours[number, 0]
            b += weight * colours[number, 1]
        chroma[i, j, 0] = a / total
        chroma[i, j, 1] = b / total
    return top, bottom, left, right


@njit(cache=True, nogil=True)
def differences(seed_at, pixels, now, before):  # type: ignore[no-untyped-def]
    """Which seeds are new or other than before, and which of those before are no more.

    ``now`` and ``before`` are starting distance, stroke and ab of each seed.
    """
    lengths, strokes, ab = now
    lengths_before, strokes_before, ab_before = before
    new = np.ones(len(pixels), np.bool_)
    gone = np.ones(len(lengths_before), np.bool_)
    for seed in range(len(pixels)):
        old = seed_at[pixels[seed]]
        if old < 0 or lengths[seed] != lengths_before[old] or strokes[seed] != strokes_before[old]:
            continue
        if ab[seed, 0] == ab_before[old, 0] and ab[seed, 1] == ab_before[old, 1]:
            new[seed] = False
            gone[old] = False
    return new, gone
