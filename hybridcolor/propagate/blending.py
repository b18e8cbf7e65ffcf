"""Kernel of `hybridcolor.propagate.chrominance`: a pixel's colour from its nearest sources."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def blend(distance, source, colours, power, everywhere, pixels, chroma):  # type: ignore[no-untyped-def]
    """Mean of the sources' colours with weight distance^-power, at some flat pixels or everywhere.

    Over the nearest distance, so that no weight overflows.
    """
    width = source.shape[1]
    for at in range(source.shape[0] * width if everywhere else len(pixels)):
        i, j = divmod(np.int64(at) if everywhere else pixels[at], width)
        nearest = distance[i, j, 0]
        total = 0.0
        a = 0.0
        b = 0.0
        for slot in range(source.shape[2]):
            number = source[i, j, slot]
            if number == 0:
                break
            weight = 1.0
            length = distance[i, j, slot]
            if length > nearest:
                weight = nearest / length
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
