"""Between a nine-point operator's grid and the next coarser one: interpolation, restriction, Galerkin product.

Coarse pixel (I, J) sits on fine pixel (2 I, 2 J). Interpolation follows the operator (J. Dendy, "Black box
multigrid", 1982, doi 10.1016/0021-9991(82)90057-2): a fine pixel between two coarse ones takes the average that
its own equation, summed across the line, gives; a fine pixel amid four takes what its equation gives once its
eight neighbours are known.

The planes of a prolongation P, for coarse pixel (I, J) and the fine pixels at and after it: 0 for (2I, 2J);
1, 2 for (2I, 2J + 1) from (I, J) and (I, J + 1); 3, 4 for (2I + 1, 2J) from (I, J) and (I + 1, J); 5..8 for
(2I + 1, 2J + 1) from (I, J), (I, J + 1), (I + 1, J) and (I + 1, J + 1). A restriction has the same planes.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.stencil import TINY, defect, sum_couplings

LEAST_REACH = np.float32(0.1)
PLANE = np.array([[8, 4, 7], [2, 0, 1], [6, 3, 5]])
"""Plane of the weight toward each fine neighbour; those above and to the left belong to the coarse pixel before."""

Planes = NDArray[np.float32]


def interpolation(operator: Planes) -> tuple[Planes, NDArray[np.float32]]:
    """Prolongation planes of an operator, and how much each fine pixel's weights miss of 1."""
    height, width = operator.shape[1:]
    prolongation = np.zeros((9, (height + 1) // 2, (width + 1) // 2), np.float32)
    missing = np.zeros((height, width), np.float32)
    _interpolate_lines(operator, prolongation, missing)
    _interpolate_centres(operator, prolongation, missing)
    _prune(prolongation, missing)
    return prolongation, missing


def galerkin(operator: Planes, prolongation: Planes, restriction: Planes, missing: NDArray[np.float32]) -> Planes:
    """R A P as planes. Its excess is R A (P 1) = R (t - A m), with m = 1 - P 1 the ``missing`` weight."""
    coarse = np.zeros_like(prolongation)
    _galerkin(operator, prolongation, restriction, coarse)
    unmet = np.empty((1, *missing.shape), np.float32)
    defect(operator, operator[4:5], missing[None], unmet)
    restrict(restriction, unmet, coarse[4:5])
    return coarse


def weighted(prolongation: Planes, weight: NDArray[np.float32]) -> Planes:
    """Restriction P^T diag(weight), in the planes of P."""
    height, width = weight.shape
    padded = np.zeros((height + height % 2, width + width % 2), np.float32)
    padded[:height, :width] = weight
    quarter = padded[0::2, 0::2], padded[0::2, 1::2], padded[1::2, 0::2], padded[1::2, 1::2]
    of_plane = (0, 1, 1, 2, 2, 3, 3, 3, 3)
    restriction = np.empty_like(prolongation)
    for k, which in enumerate(of_plane):
        np.multiply(prolongation[k], quarter[which], out=restriction[k])
    return restriction


@njit(cache=True, nogil=True, inline="always")
def _share(before, after, excess):  # type: ignore[no-untyped-def]
    """Weights toward the two coarse neighbours, and what is missing of 1."""
    before = max(before, np.float32(0))
    after = max(after, np.float32(0))
    excess = max(excess, np.float32(0))
    total = before + after + excess
    if total <= TINY:
        return np.float32(0), np.float32(0), np.float32(1)
    return before / total, after / total, excess / total


@njit(cache=True, nogil=True)
def _interpolate_lines(operator, prolongation, missing):  # type: ignore[no-untyped-def]
    """Planes 0..4: coarse pixels themselves, and fine pixels on the lines between them."""
    height, width = missing.shape
    a = operator
    for i in range(0, height, 2):
        for j in range(0, width, 2):
            row = i // 2
            column = j // 2
            if sum_couplings(a, i, j) > TINY:
                prolongation[0, row, column] = np.float32(1)
            else:
                missing[i, j] = np.float32(1)  # a hard seed: its correction is 0
            if j + 1 < width:
                west = a[0, i, j + 1] + a[3, i, j + 1] + a[6, i, j + 1]
                east = a[2, i, j + 1] + a[5, i, j + 1] + a[8, i, j + 1]
                west, east, lost = _share(west, east, a[4, i, j + 1])
                prolongation[1, row, column] = west
                prolongation[2, row, column] = east
                missing[i, j + 1] = lost
            if i + 1 < height:
                north = a[0, i + 1, j] + a[1, i + 1, j] + a[2, i + 1, j]
                south = a[6, i + 1, j] + a[7, i + 1, j] + a[8, i + 1, j]
                north, south, lost = _share(north, south, a[4, i + 1, j])
                prolongation[3, row, column] = north
                prolongation[4, row, column] = south
                missing[i + 1, j] = lost


@njit(cache=True, nogil=True)
def _interpolate_centres(operator, prolongation, missing):  # type: ignore[no-untyped-def]
    """Planes 5..8: a fine pixel amid four coarse ones, from its eight neighbours, now known."""
    height, width = missing.shape
    rows, columns = prolongation.shape[1:]
    p = prolongation
    for i in range(1, height, 2):
        for j in range(1, width, 2):
            row = i // 2
            column = j // 2
            nw, n, ne = operator[0, i, j], operator[1, i, j], operator[2, i, j]
            w, e = operator[3, i, j], operator[5, i, j]
            sw, s, se = operator[6, i, j], operator[7, i, j], operator[8, i, j]
            lost = operator[4, i, j] + n * missing[i - 1, j] + w * missing[i, j - 1]
            north_west = nw + n * p[1, row, column] + w * p[3, row, column]
            north_east = ne + n * p[2, row, column]
            south_west = sw + w * p[4, row, column]
            south_east = se
            if column + 1 < columns:
                north_east += e * p[3, row, column + 1]
                south_east += e * p[4, row, column + 1]
                lost += e * missing[i, j + 1]
            if row + 1 < rows:
                south_west += s * p[1, row + 1, column]
                south_east += s * p[2, row + 1, column]
                lost += s * missing[i + 1, j]
            north_west = max(north_west, np.float32(0))
            north_east = max(north_east, np.float32(0))
            south_west = max(south_west, np.float32(0))
            south_east = max(south_east, np.float32(0))
            lost = max(lost, np.float32(0))
            total = north_west + north_east + south_west + south_east + lost
            if total <= TINY:
                missing[i, j] = np.float32(1)
                continue
            p[5, row, column] = north_west / total
            p[6, row, column] = north_east / total
            p[7, row, column] = south_west / total
            p[8, row, column] = south_east / total
            missing[i, j] = lost / total


@njit(cache=True, nogil=True, inline="always")
def _weight(planes, row, column, dy, dx):  # type: ignore[no-untyped-def]
    """Weight between coarse (row, column) and fine (2 row + dy, 2 column + dx), dy and dx in -1..1."""
    if dy < 0:
        row -= 1
    if dx < 0:
        column -= 1
    if row < 0 or column < 0:
        return np.float32(0)
    return planes[PLANE[dy + 1, dx + 1], row, column]


@njit(cache=True, nogil=True)
def _prune(prolongation, missing):  # type: ignore[no-untyped-def]
    """Leave out coarse pixels that sit on a dead pixel and hardly reach its neighbours.

    Their rows would be all cancellation. What they carried counts as missing.
    """
    rows, columns = prolongation.shape[1:]
    for row in range(rows):
        for column in range(columns):
            if prolongation[0, row, column] > 0:
                continue
            most = np.float32(0)
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    most = max(most, _weight(prolongation, row, column, dy, dx))
            if most < LEAST_REACH:
                _leave_out(prolongation, row, column, missing)


@njit(cache=True, nogil=True)
def _leave_out(prolongation, row, column, missing):  # type: ignore[no-untyped-def]
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            weight = _weight(prolongation, row, column, dy, dx)
            if weight > 0:  # so the fine pixel lies inside
                missing[2 * row + dy, 2 * column + dx] += weight
                prolongation[PLANE[dy + 1, dx + 1], row - (dy < 0), column - (dx < 0)] = np.float32(0)


@njit(cache=True, nogil=True)
def _galerkin(operator, prolongation, restriction, coarse):  # type: ignore[no-untyped-def]
    """Couplings of R A P, one column of P at a time."""
    rows, columns = coarse.shape[1:]
    basis = np.zeros((7, 7), np.float32)
    image = np.zeros((5, 5), np.float32)
    for row in range(rows):
        for column in range(columns):
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    basis[dy + 3, dx + 3] = _weight(prolongation, row, column, dy, dx)
            _spread(operator, basis, 2 * row, 2 * column, image)
            for k in range(9):
                y = row + k // 3 - 1
                x = column + k % 3 - 1
                if k != 4 and 0 <= y < rows and 0 <= x < columns:
                    coarse[8 - k, y, x] = -_gather(restriction, image, row, column, y, x)


@njit(cache=True, nogil=True)
def _spread(operator, basis, top, left, image):  # type: ignore[no-untyped-def]
    """A applied to a 3 x 3 patch around (top, left), as the 5 x 5 patch it reaches."""
    height, width = operator.shape[1:]
    for dy in range(-2, 3):
        i = top + dy
        for dx in range(-2, 3):
            j = left + dx
            flow = np.float32(0)
            if 0 <= i < height and 0 <= j < width:
                c = basis[dy + 3, dx + 3]
                flow = operator[4, i, j] * c
                for k in range(9):
                    if k != 4:
                        flow += operator[k, i, j] * (c - basis[dy + 2 + k // 3, dx + 2 + k % 3])
            image[dy + 2, dx + 2] = flow


@njit(cache=True, nogil=True)
def _gather(restriction, image, row, column, to_row, to_column):  # type: ignore[no-untyped-def]
    """The 5 x 5 patch around coarse (row, column), restricted to its neighbour."""
    total = np.float32(0)
    for dy in range(-1, 2):
        y = 2 * (to_row - row) + dy
        for dx in range(-1, 2):
            x = 2 * (to_column - column) + dx
            if -2 <= y <= 2 and -2 <= x <= 2:
                total += image[y + 2, x + 2] * _weight(restriction, to_row, to_column, dy, dx)
    return total


@njit(cache=True, nogil=True)
def restrict(restriction, fine, coarse):  # type: ignore[no-untyped-def]
    """Write coarse = R fine."""
    height, width = fine.shape[1:]
    rows, columns = coarse.shape[1:]
    r = restriction
    for row in range(rows):
        i = 2 * row
        for c in range(fine.shape[0]):
            f = fine[c]
            for column in range(columns):
                j = 2 * column
                total = r[0, row, column] * f[i, j]
                if j + 1 < width:
                    total += r[1, row, column] * f[i, j + 1]
                if column > 0:
                    total += r[2, row, column - 1] * f[i, j - 1]
                if i + 1 < height:
                    total += r[3, row, column] * f[i + 1, j]
                    if j + 1 < width:
                        total += r[5, row, column] * f[i + 1, j + 1]
                    if column > 0:
                        total += r[6, row, column - 1] * f[i + 1, j - 1]
                if row > 0:
                    total += r[4, row - 1, column] * f[i - 1, j]
                    if j + 1 < width:
                        total += r[7, row - 1, column] * f[i - 1, j + 1]
                    if column > 0:
                        total += r[8, row - 1, column - 1] * f[i - 1, j - 1]
                coarse[c, row, column] = total


@njit(cache=True, nogil=True)
def prolong_add(prolongation, coarse, fine):  # type: ignore[no-untyped-def]
    """Add P coarse to fine."""
    height, width = fine.shape[1:]
    rows, columns = coarse.shape[1:]
    p = prolongation
    for row in range(rows):
        i = 2 * row
        below = min(row + 1, rows - 1)
        for c in range(fine.shape[0]):
            e = coarse[c]
            for column in range(columns):
                j = 2 * column
                after = min(column + 1, columns - 1)
                here = e[row, column]
                fine[c, i, j] += p[0, row, column] * here
                if j + 1 < width:
                    fine[c, i, j + 1] += p[1, row, column] * here + p[2, row, column] * e[row, after]
                if i + 1 < height:
                    fine[c, i + 1, j] += p[3, row, column] * here + p[4, row, column] * e[below, column]
                    if j + 1 < width:
                        upper = p[5, row, column] * here + p[6, row, column] * e[row, after]
                        lower = p[7, row, column] * e[below, column] + p[8, row, column] * e[below, after]
                        fine[c, i + 1, j + 1] += upper + lower
