"""Pockets of coarser grids: areas that are one pixel wide there and lie between two columns of the next grid.

A door frame or a pole may have none of the pixels of a grid whose cells are as wide as it is. That grid then does not
know it, and sweeps along it take as many steps as it is long. As on the finest grid (`pockets`) each stretch of it gets
a constant of its own, such that what its pixels lack adds up to zero; rows of coarser grids carry the visits, so pixels
count alike. Where seeds come and go other pixels are held, so pockets are found anew with the operators.
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

NONE = np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 0), np.int32)
"""What is found where there is no pocket."""

Planes = NDArray[np.float32]


class CoarsePockets(NamedTuple):
    """Those of some levels. Pocket n has pixels ``start[n]`` to ``start[n + 1]``.

    Attributes
    ----------
    first : (levels + 1,) int64
        Level l has pockets ``first[l]`` to ``first[l + 1]``.
    start : (N + 1,) int64
    where : (M,) int64
        The place of each pixel in its level, row by row.
    cells : (levels + 1,) int64
        Where the pixels of each level begin in ``owner``.
    owner : int32
        For each pixel of each level the number of its pocket among the level's, from 1; 0 for none.
    """

    first: NDArray[np.int64]
    start: NDArray[np.int64]
    where: NDArray[np.int64]
    cells: NDArray[np.int64]
    owner: NDArray[np.int32]


def coarse_pockets(operators: Sequence[Planes]) -> CoarsePockets:
    """All pockets of stored operators, (h, 10, w) each."""
    found = [_find(rows) for rows in operators]
    sizes, where, owner = zip(*found, NONE, strict=True)
    return CoarsePockets(
        np.cumsum([0, *map(len, sizes)])[:-1],
        np.concatenate([[0], np.cumsum(np.concatenate(sizes))]),
        np.concatenate(where),
        np.cumsum([0, *(each.size for each in owner)])[:-1],
        np.concatenate([each.ravel() for each in owner]),
    )


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
def _find(rows):  # type: ignore[no-untyped-def]
    """The number of pixels of each pocket of an operator, those pixels, and the owner of every pixel."""
    height, width = rows.shape[0], rows.shape[2]
    scale = np.empty((height, width), np.float32)
    held = np.empty((height, width), np.float32)
    for i in range(height):
        _hold(rows[i], scale[i], held[i])
    owner = np.zeros((height, width), np.int32)
    members = np.empty((MOST_PIXELS, 2), np.int64)
    sizes, where = [0], [0]
    sizes.clear()
    where.clear()
    for i in range(height):
        for j in range(width):
            if held[i, j] > LEAST_HOLD and owner[i, j] == 0:
                members[0, 0] = i
                members[0, 1] = j
                count = gather(rows, scale, held, owner, len(sizes) + 1, members)
                if count > 0:
                    sizes.append(count)
                    where.extend([members[n, 0] * width + members[n, 1] for n in range(count)])
    return np.array(sizes), np.array(where), owner


@njit(cache=True, nogil=True)
def _leaving(rows, owner, i, j):  # type: ignore[no-untyped-def]
    """What A makes of the indicator of a pixel's pocket at that pixel."""
    leaving = rows[i, 4, j]
    for k in range(9):
        y, x = i + k // 3 - 1, j + k % 3 - 1
        if k != 4 and 0 <= y < owner.shape[0] and 0 <= x < owner.shape[1] and owner[y, x] != owner[i, j]:
            leaving += rows[i, k, j]
    return leaving


@njit(cache=True, nogil=True, error_model="numpy")
def correct(pockets, level, rows, load, x, image):  # type: ignore[no-untyped-def]
    """Correct every pocket of a level in turn, toward A x = load, there and back; x and its image A x change in place.

    Parameters
    ----------
    pockets : CoarsePockets
    level : int
        Of those that the pockets are of.
    rows : (h, 10, w) float32
        Its operator A.
    load, x, image : (h + 2, 2, w + 2) float32
    """
    height, width = rows.shape[0], rows.shape[2]
    begin, end, cells = pockets.first[level], pockets.first[level + 1], pockets.cells[level]
    owner = pockets.owner[cells : cells + height * width].reshape((height, width))
    for turn in range(2 * (end - begin)):
        n = begin + turn if begin + turn < end else 2 * end - 1 - begin - turn
        members = pockets.where[pockets.start[n] : pockets.start[n + 1]]
        lost = whole = np.float32(0)
        for m in range(len(members)):
            i, j = divmod(members[m], width)
            lost += _leaving(rows, owner, i, j)
            whole += np.float32(1) / rows[i, 9, j]
        if not lost > LEAST_LOST * whole:
            continue
        for c in range(2):
            lacking = np.float32(0)
            for m in range(len(members)):
                i, j = divmod(members[m], width)
                lacking += load[i + 1, c, j + 1] - image[i + 1, c, j + 1]
            lacking /= lost
            for m in range(len(members)):
                i, j = divmod(members[m], width)
                x[i + 1, c, j + 1] += lacking
                image[i + 1, c, j + 1] += _leaving(rows, owner, i, j) * lacking
                for k in range(9):
                    y, z = i + k // 3 - 1, j + k % 3 - 1
                    if 0 <= y < height and 0 <= z < width and owner[y, z] != owner[i, j]:
                        image[y + 1, c, z + 1] -= rows[y, 8 - k, z] * lacking
