"""Rows of nine-point operators on the pixel grid, and what a smoother does with a row.

An operator row is (10, w): for pixel j couplings a_k to its eight neighbours (planes k = 3 (dy + 1) + (dx + 1) but
4), excess t (plane 4) and the damped inverse diagonal d that Jacobi sweeps use (plane 9):

    (A x)_j = t_j x_j + sum_k a_jk (x_j - x_k).

The excess, not the diagonal, is stored, because where no seed is near it is exactly zero, and the difference form
then loses no digits in float32 even in pockets that are all but cut off. Couplings across the picture's border
are 0. Rows of x are (channels, w + 2), with a pixel of padding at both ends.

Coarse operators are stored as (h, 10, w). `operator_row` makes the rows of the finest, q + (1 - q)(I - W), from W,
which is kept in 16 bits: reading it takes a sixth of the time of making it from the luminance. No weight is below
exp(-81 / (0.6 x 8)) / 8 = 6e-9, so 5 bits of exponent suffice and 11 are left for the mantissa. Weights are then off by
up to 0.02%; the true residual, which is found from the luminance, makes up for that.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import FAST, fill_affinity, outflow
from hybridcolor.threads import share_rows

DAMPING = np.float32(0.9)
"""Damping of Jacobi sweeps."""
MOST_PULL = np.float32(1e30)
"""Stands for the infinite pull of a hard seed, with which one cannot divide."""
SMALLER = np.float32(2.0**-96)
"""Weights times this have 0 in the first 4 bits of a float32, which so need not be kept."""

Weights = NDArray[np.uint16]


def walk_weights(luminance: NDArray[np.float32]) -> Weights:
    """The weights W of a picture (H, W) to the eight neighbours of each pixel, in 16 bits: (H, 8, W) uint16."""
    height, width = luminance.shape
    weights = np.empty((height, 8, width), np.uint16)
    share_rows(partial(_fill_weights, luminance, weights), height, width=width)
    return weights


@njit(cache=True, nogil=True)
def _fill_weights(luminance, weights, first, last):  # type: ignore[no-untyped-def]
    row = np.empty((10, luminance.shape[1]), np.float32)
    for i in range(first, last):
        fill_affinity(luminance, i, row)
        for n in range(8):
            _pack(row[n if n < 4 else n + 1], weights[i, n])


@njit(cache=True, nogil=True)
def _pack(weight, packed):  # type: ignore[no-untyped-def]
    """Round weights, which are 0 or between 6e-9 and 1, to 16 bits, the 5th to the 20th of a float32 made `SMALLER`."""
    for j in range(packed.size):
        bits = np.float32(weight[j] * SMALLER).view(np.uint32)
        packed[j] = (bits + np.uint32(1 << 11)) >> np.uint32(12)


def operator_rows(weights: Weights, pull: NDArray[np.float32]) -> NDArray[np.float32]:
    """The finest operator as stored rows (H, 10, W); ``pull`` is (H, W), and where it is 0 the couplings are W."""
    rows = np.empty((len(weights), 10, weights.shape[2]), np.float32)
    share_rows(partial(_fill_rows, weights, pull, rows), len(weights), width=weights.shape[2])
    return rows


@njit(cache=True, nogil=True)
def _fill_rows(weights, pull, rows, first, last):  # type: ignore[no-untyped-def]
    for i in range(first, last):
        _fill_row(weights[i], pull[i], rows[i])


@njit(cache=True, nogil=True, forceinline=True)
def operator_row(weights, pull, stored, i, buffer):  # type: ignore[no-untyped-def]
    """Row i of the operator; ``stored`` with no rows means the finest, whose row is made in ``buffer``."""
    if stored.shape[0] > 0:
        return stored[i]
    _fill_row(weights[i], pull[i], buffer)
    return buffer


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST, forceinline=True)
def _fill_row(weights, pull, row):  # type: ignore[no-untyped-def]
    """Write a row of q + (1 - q)(I - W). Its diagonal is 1; a hard seed, whose correction is 0, keeps still."""
    excess, scale, damped = row[4], row[9], row[9]
    for j in range(pull.size):
        t = min(pull[j], MOST_PULL)
        free = np.float32(1) / (np.float32(1) + t)
        excess[j] = t * free
        scale[j] = free / SMALLER
    for n in range(8):
        packed, coupling = weights[n], row[n if n < 4 else n + 1]
        for j in range(pull.size):
            coupling[j] = np.uint32(np.uint32(packed[j]) << np.uint32(12)).view(np.float32) * scale[j]
    for j in range(pull.size):
        damped[j] = DAMPING if pull[j] < MOST_PULL else np.float32(0)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def _image(row, n, x, s, j):  # type: ignore[no-untyped-def]
    """(A x)_j of a plane; n, x and s are the rows above, here and below, padded."""
    return outflow(row, n, x, s, j) + row[4, j] * x[j + 1]


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def apply_row(row, above, here, below, out):  # type: ignore[no-untyped-def]
    """Write out = A x."""
    for c in range(here.shape[0]):
        n, x, s, y = above[c], here[c], below[c], out[c]
        for j in range(y.size - 2):
            y[j + 1] = _image(row, n, x, s, j)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def defect_row(row, load, above, here, below, weight, out):  # type: ignore[no-untyped-def]
    """Write out = weight (load - A x)."""
    for c in range(here.shape[0]):
        n, x, s, b, y = above[c], here[c], below[c], load[c], out[c]
        for j in range(b.size - 2):
            y[j + 1] = weight[j] * (b[j + 1] - _image(row, n, x, s, j))


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def sweep_row(row, load, above, here, below, out):  # type: ignore[no-untyped-def]
    """Damped Jacobi: out = x + d (load - A x)."""
    for c in range(here.shape[0]):
        n, x, s, b, y = above[c], here[c], below[c], load[c], out[c]
        for j in range(b.size - 2):
            y[j + 1] = x[j + 1] + row[9, j] * (b[j + 1] - _image(row, n, x, s, j))


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def first_sweep_row(row, load, out):  # type: ignore[no-untyped-def]
    """Damped Jacobi from zero."""
    d = row[9]
    for c in range(load.shape[0]):
        b, y = load[c], out[c]
        for j in range(b.size - 2):
            y[j + 1] = d[j] * b[j + 1]


@njit(cache=True, nogil=True)
def weigh_row(visits, pull, i, weight):  # type: ignore[no-untyped-def]
    """What makes rows of I - W nearly symmetric: the stationary vector times 1 + T, which a row was divided by.

    0 at hard seeds. Without a pull, (0, 0), it is ``visits`` as they are.
    """
    for j in range(weight.size):
        weight[j] = visits[i, j]
    if pull.shape[0] > 0:
        for j in range(weight.size):
            t = pull[i, j]
            weight[j] *= min(np.float32(1) + t, np.float32(1e6)) if t < np.inf else np.float32(0)
