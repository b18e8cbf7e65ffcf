"""Pockets of coarser grids: areas that are one pixel wide there and lie between two columns of the next grid.

A door frame or a pole may have none of the pixels of a grid whose cells are as wide as it is. That grid then does not
know it, and sweeps along it take as many steps as it is long. As on the finest grid (`pockets`) each stretch of it gets
a constant of its own, such that what its pixels lack adds up to zero; rows of coarser grids carry the visits, so pixels
count alike. Where seeds come and go other pixels are held, so pockets are found anew with the operators; they grow only
from pixels that hold on to none of the next grid's, which takes half the time and as many steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import FAST
from hybridcolor.propagate.pockets import LEAST_BOND, LEAST_HOLD, MOST_PIXELS, gather

LEAST_LOST = np.float32(1e-6)
"""What a pocket loses to the rest, as a share of all that its pixels are coupled with: less is lost in rounding."""

NONE = *(np.empty(0, np.int64) for _ in range(3)), np.empty(0, np.float32)
"""What is found where there is no pocket."""

Planes = NDArray[np.float32]


class CoarsePockets(NamedTuple):
    """Those of some levels. For each pocket n the entries ``start[n]`` to ``start[n + 1]``: its pixels, then others.

    Attributes
    ----------
    first : (levels + 1,) int64
        Level l has pockets ``first[l]`` to ``first[l + 1]``.
    start, size : (N + 1,) and (N,) int64
        First entry, and number of the pocket's own pixels.
    where : (M,) int64
        The place of each entry in its level, row by row.
    rate : (M,) float32
        What A makes there of the pocket's indicator.
    """

    first: NDArray[np.int64]
    start: NDArray[np.int64]
    size: NDArray[np.int64]
    where: NDArray[np.int64]
    rate: NDArray[np.float32]


def coarse_pockets(operators: Sequence[Planes]) -> CoarsePockets:
    """All pockets of stored operators, (h, 10, w) each."""
    found = [_find(rows) for rows in operators]
    size, entries, where, rate = zip(*found, NONE, strict=True)
    first = np.cumsum([0, *map(len, size)])[:-1]
    start = np.concatenate([[0], np.cumsum(np.concatenate(entries))])
    return CoarsePockets(first, start, np.concatenate(size), np.concatenate(where), np.concatenate(rate))


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True, error_model="numpy")
def _hold(row, scale, held):  # type: ignore[no-untyped-def]
    """What each pixel's couplings are to be multiplied by, for shares of all of them, and the share of its bonds."""
    scale[:] = row[4]
    held[:] = np.float32(0)
    for k in range(9):
        if k != 4:
            coupling = row[k]
            for j in range(scale.size):
                scale[j] += coupling[j]
    for j in range(scale.size):
        scale[j] = np.float32(1) / scale[j] if scale[j] > 0 else np.float32(0)
    for k in range(9):
        if k != 4:
            coupling = row[k]
            for j in range(scale.size):
                share = coupling[j] * scale[j]
                held[j] += share if share >= LEAST_BOND else np.float32(0)


@njit(cache=True, nogil=True)
def _known(rows, scale, i, j):  # type: ignore[no-untyped-def]
    """Whether the next grid has this pixel, or one that this one holds on to."""
    for k in range(9):
        on_next = (i + k // 3 - 1) % 2 == 0 and (j + k % 3 - 1) % 2 == 0
        if on_next and (k == 4 or rows[i, k, j] * scale[i, j] >= LEAST_BOND):
            return True
    return False


@njit(cache=True, nogil=True)
def _find(rows):  # type: ignore[no-untyped-def]
    """The number of pixels and of entries of each pocket of an operator, and the place and rate of each entry."""
    height, width = rows.shape[0], rows.shape[2]
    scale = np.empty((height, width), np.float32)
    held = np.empty((height, width), np.float32)
    for i in range(height):
        _hold(rows[i], scale[i], held[i])
    owner = np.zeros((height, width), np.int32)
    members = np.empty((MOST_PIXELS, 2), np.int64)
    size, entries, where, rate = [0], [0], [0], [np.float32(0)]
    size.clear()
    entries.clear()
    where.clear()
    rate.clear()
    number = 0
    for i in range(height):
        for j in range(width):
            if held[i, j] <= LEAST_HOLD or owner[i, j] > 0 or _known(rows, scale, i, j):
                continue
            members[0, 0] = i
            members[0, 1] = j
            number += 1
            count = gather(rows, scale, held, owner, number, members)
            if count > 0:
                before = len(where)
                if _describe(rows, scale, owner, members[:count], where, rate):
                    size.append(count)
                    entries.append(len(where) - before)
    return np.array(size), np.array(entries), np.array(where), np.array(rate)


@njit(cache=True, nogil=True)
def _describe(rows, scale, owner, members, where, rate):  # type: ignore[no-untyped-def]
    """Append a pocket's entries; False, and none, if what it loses is lost in rounding."""
    height, width = owner.shape
    number = owner[members[0, 0], members[0, 1]]
    lost = whole = np.float32(0)
    for n in range(len(members)):
        i, j = members[n, 0], members[n, 1]
        leaving = rows[i, 4, j]
        for k in range(9):
            y, x = i + k // 3 - 1, j + k % 3 - 1
            if k != 4 and 0 <= y < height and 0 <= x < width and owner[y, x] != number:
                leaving += rows[i, k, j]
        where.append(i * width + j)
        rate.append(leaving)
        lost += leaving
        whole += np.float32(1) / scale[i, j]
    if not lost > LEAST_LOST * whole:
        for _ in range(len(members)):
            where.pop()
            rate.pop()
        return False
    outside = len(where)
    for n in range(len(members)):
        for k in range(9):
            y, x = members[n, 0] + k // 3 - 1, members[n, 1] + k % 3 - 1
            if k == 4 or not (0 <= y < height and 0 <= x < width) or owner[y, x] == number:
                continue
            entry = outside
            while entry < len(where) and where[entry] != y * width + x:
                entry += 1
            if entry == len(where):
                where.append(y * width + x)
                rate.append(np.float32(0))
            rate[entry] -= rows[y, 8 - k, x]
    return True


@njit(cache=True, nogil=True)
def correct(pockets, level, load, x, image):  # type: ignore[no-untyped-def]
    """Correct every pocket of a level in turn, toward A x = load, there and back; x and its image A x change in place.

    Parameters
    ----------
    pockets : CoarsePockets
    level : int
        Of those that the pockets are of.
    load, x, image : (h + 2, 2, w + 2) float32
    """
    width = x.shape[2] - 2
    begin, end = pockets.first[level], pockets.first[level + 1]
    for turn in range(2 * (end - begin)):
        n = begin + turn if begin + turn < end else 2 * end - 1 - begin - turn
        first, last = pockets.start[n], pockets.start[n + 1]
        middle = first + pockets.size[n]
        lost = one = other = np.float32(0)
        for m in range(first, middle):
            i, j = pockets.where[m] // width + 1, pockets.where[m] % width + 1
            lost += pockets.rate[m]
            one += load[i, 0, j] - image[i, 0, j]
            other += load[i, 1, j] - image[i, 1, j]
        one /= lost
        other /= lost
        for m in range(first, last):
            i, j = pockets.where[m] // width + 1, pockets.where[m] % width + 1
            if m < middle:
                x[i, 0, j] += one
                x[i, 1, j] += other
            image[i, 0, j] += pockets.rate[m] * one
            image[i, 1, j] += pockets.rate[m] * other
