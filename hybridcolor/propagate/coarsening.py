"""One level of a hierarchy from the one above: its interpolation P and its Galerkin operator P^T diag(v) A P."""

from __future__ import annotations

from functools import partial

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import planes_to_matrix
from hybridcolor.propagate.stencil import DAMPING, Weights, apply_row, operator_row, weigh_row
from hybridcolor.propagate.transfer import (
    TINY,
    columns_row,
    galerkin_row,
    guess_even,
    guess_odd,
    interpolate_even,
    interpolate_odd,
    prune,
    restrict_row,
)
from hybridcolor.threads import share_rows

Planes = NDArray[np.float32]
Operator = tuple[Weights, Planes, Planes, Planes]
"""(weights, pull, visits, stored rows), see `stencil` and `stationary`. The finest has no stored rows, a coarser one no
weights and no pull."""
NO_WEIGHTS = np.empty((0, 8, 0), np.uint16)
NO_PULL, NO_ROWS = np.empty((0, 0), np.float32), np.empty((0, 10, 0), np.float32)
COARSEST = 100
"""Pixels of a grid that is solved outright: few enough that linear algebra does not spread over threads."""


def coarser(operator: Operator) -> tuple[Planes, Planes]:
    """The prolongation from the next coarser grid, (h' + 2, 9, w' + 2), and the operator there, (h', 10, w')."""
    height, width = operator[2].shape
    rows, columns = (height + 1) // 2, (width + 1) // 2
    prolongation = np.zeros((rows + 2, 9, columns + 2), np.float32)
    missing = np.zeros((height + 2, 1, width + 2), np.float32)
    coarse = np.empty((rows, 10, columns), np.float32)
    share_rows(partial(interpolate, operator, prolongation, missing), rows, width=2 * width)
    prune(prolongation, missing)
    share_rows(partial(coarsen, operator, prolongation, missing, coarse), rows, width=2 * width)
    return prolongation, coarse


def dense_couplings(rows: Planes) -> NDArray[np.float64]:
    """The couplings of a stored operator (h, 10, w) as a matrix (h w, h w)."""
    couplings = rows.transpose(1, 0, 2)[:9].astype(np.float64)
    couplings[4] = 0.0
    return np.asarray(planes_to_matrix(couplings).toarray())


@njit(cache=True, nogil=True, forceinline=True)
def weighted_row(operator, i, buffer, weight):  # type: ignore[no-untyped-def]
    """Write row i of diag(v) A, with the flux into hard seeds moved to the excess."""
    weights, pull, visits, stored = operator
    row = operator_row(weights, pull, stored, i, buffer)
    weigh_row(visits, pull, i, weight)
    for k in range(9):
        coupling, product = row[k], buffer[k]
        for j in range(weight.size):
            product[j] = coupling[j] * weight[j]
    height, width = pull.shape
    for k in range(9):
        y = i + k // 3 - 1
        if k != 4 and 0 <= y < height:
            first = max(0, 1 - k % 3)
            size = width - abs(k % 3 - 1)
            _absorb(pull[y][first + k % 3 - 1 :][:size], buffer[k][first:][:size], buffer[4][first:][:size])


@njit(cache=True, nogil=True)
def _absorb(pull, coupling, excess):  # type: ignore[no-untyped-def]
    for j in range(pull.size):
        flux = coupling[j] if pull[j] == np.inf else np.float32(0)
        excess[j] += flux
        coupling[j] -= flux


@njit(cache=True, nogil=True)
def interpolate(operator, prolongation, missing, first, last):  # type: ignore[no-untyped-def]
    """Write coarse rows first to last of the prolongation of an operator.

    Also write into missing (h + 2, 1, w + 2) how much each fine pixel's weights lack of 1. Of coarse row ``last`` as
    much is written as the row before needs.
    """
    height, width = missing.shape[0] - 2, missing.shape[2] - 2
    buffer = np.empty((3, 10, width), np.float32)
    guess = np.zeros((4, width // 2 + 3), np.float32)
    weight = np.empty(width, np.float32)
    for ahead in range(2 * first - 1, min(2 * last, height) + 2):  # a row needs the guesses of that below it
        if 0 <= ahead < height:
            weighted_row(operator, ahead, buffer[ahead % 3], weight)
            if ahead % 2 == 0:
                guess_even(buffer[ahead % 3], guess[ahead % 4])
            else:
                guess_odd(buffer[ahead % 3], guess[ahead % 4])
        i = ahead - 1
        if i % 2 == 1 or i < 2 * first:
            continue
        before, here = prolongation[i // 2], prolongation[i // 2 + 1]
        if i < height:
            interpolate_even(buffer[i % 3], guess[(i - 1) % 4], guess[(i + 1) % 4], here, missing[i + 1, 0])
        if i > 2 * first:  # a row between two lines waits for the second
            around = missing[i - 1 : i + 2, 0]
            interpolate_odd(buffer[(i - 1) % 3], guess[(i - 2) % 4], guess[i % 4], before, here, around, i < height)


@njit(cache=True, nogil=True)
def coarsen(operator, prolongation, missing, coarse, first, last):  # type: ignore[no-untyped-def]
    """Write coarse rows first to last of P^T diag(v) A P, as rows (10, w').

    The excess is P^T (t - A m), with m = 1 - P 1 the missing weight.
    """
    height, width = missing.shape[0] - 2, missing.shape[2] - 2
    columns = coarse.shape[2]
    buffer = np.empty((10, width), np.float32)
    weight = np.empty(width, np.float32)
    products = np.zeros((3, 2, 9, columns + 2), np.float32)  # of fine rows 2 I - 1 to 2 I + 1
    unmet = np.zeros((3, 1, width + 2), np.float32)
    excess = np.zeros((1, columns + 2), np.float32)
    entries = np.empty((2, 9, columns), np.float32)
    for i in range(max(2 * first - 1, 0), 2 * last):
        k = 1 + i % 2
        products[k] = np.float32(0)
        unmet[k] = np.float32(0)
        if i < height:
            weighted_row(operator, i, buffer, weight)
            columns_row(buffer, i % 2, prolongation[i // 2 : i // 2 + 3], entries, products[k])
            apply_row(buffer, missing[i], missing[i + 1], missing[i + 2], unmet[k])
            for j in range(width):
                unmet[k, 0, j + 1] = buffer[4, j] - unmet[k, 0, j + 1]
        if i % 2 == 1 and i // 2 >= first:
            before, here = prolongation[i // 2], prolongation[i // 2 + 1]
            galerkin_row(products, before, here, coarse[i // 2])
            restrict_row(before, here, unmet[0], unmet[1], unmet[2], excess)
            for j in range(columns):
                coarse[i // 2, 4, j] = excess[0, j + 1]
            invert_diagonal(coarse[i // 2])
        if i % 2 == 1:
            _copy(products[2], products[0])
            _copy(unmet[2], unmet[0])


@njit(cache=True, nogil=True)
def _copy(source, target):  # type: ignore[no-untyped-def]
    first, second = source.ravel(), target.ravel()
    for j in range(first.size):
        second[j] = first[j]


@njit(cache=True, nogil=True, error_model="numpy")
def invert_diagonal(row):  # type: ignore[no-untyped-def]
    """Plane 9: what damped Jacobi multiplies by, DAMPING / max(diagonal, half the row's absolute sum).

    The second is for coarse rows with couplings below 0. Either way no eigenvalue of the scaled operator exceeds 2,
    so the sweep is stable. 0 for a row that holds nothing.
    """
    for j in range(row.shape[1]):
        diagonal = row[4, j]
        absolute = np.float32(0)
        for k in range(9):
            if k != 4:
                diagonal += row[k, j]
                absolute += abs(row[k, j])
        scale = max(diagonal, np.float32(0.5) * (abs(diagonal) + absolute))
        row[9, j] = DAMPING / scale if scale > TINY else np.float32(0)
