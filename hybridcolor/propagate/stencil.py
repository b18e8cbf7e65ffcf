"""Nine-point operators on the pixel grid: their action, their residual and damped Jacobi sweeps.

An operator is kept as nine planes, (9, h, w). For pixel i with couplings a_k to its eight neighbours (planes
k = 3 (dy + 1) + (dx + 1) but 4) and excess t (plane 4),

    (A x)_i = t_i x_i + sum_k a_ik (x_i - x_k).

The excess, not the diagonal, is stored, because where no seed is near it is exactly zero, and the difference
form then loses no digits in float32 even in pockets that are all but cut off. Couplings across the picture's
border are 0, so neighbours' indices may be clamped. All functions work on x of shape (channels, h, w).
"""

from __future__ import annotations

import numpy as np
from numba import njit

DAMPING = np.float32(0.8)
TINY = np.float32(1e-30)


@njit(cache=True, nogil=True, inline="always")
def sum_couplings(operator, i, j):  # type: ignore[no-untyped-def]
    """Sum of the eight couplings of a pixel."""
    return (
        (operator[0, i, j] + operator[1, i, j])
        + (operator[2, i, j] + operator[3, i, j])
        + (operator[5, i, j] + operator[6, i, j])
        + (operator[7, i, j] + operator[8, i, j])
    )


@njit(cache=True, nogil=True, inline="always")
def _scale(operator, i, j):  # type: ignore[no-untyped-def]
    """What damped Jacobi divides by: the diagonal, or half the row's absolute sum where that is larger.

    The second is for coarse rows with couplings below 0. Either way no eigenvalue of the scaled operator exceeds
    2, so the sweep is stable.
    """
    diagonal = operator[4, i, j] + sum_couplings(operator, i, j)
    absolute = (
        (abs(operator[0, i, j]) + abs(operator[1, i, j]))
        + (abs(operator[2, i, j]) + abs(operator[3, i, j]))
        + (abs(operator[5, i, j]) + abs(operator[6, i, j]))
        + (abs(operator[7, i, j]) + abs(operator[8, i, j]))
    )
    return max(diagonal, np.float32(0.5) * (abs(diagonal) + absolute)) + TINY


@njit(cache=True, nogil=True, inline="always")
def _outflow(operator, x, i, up, down, j, left, right):  # type: ignore[no-untyped-def]
    """sum_k a_k (x_i - x_k); a clamped neighbour has coupling 0."""
    c = x[i, j]
    return (
        (operator[0, i, j] * (c - x[up, left]) + operator[1, i, j] * (c - x[up, j]))
        + (operator[2, i, j] * (c - x[up, right]) + operator[3, i, j] * (c - x[i, left]))
        + (operator[5, i, j] * (c - x[i, right]) + operator[6, i, j] * (c - x[down, left]))
        + (operator[7, i, j] * (c - x[down, j]) + operator[8, i, j] * (c - x[down, right]))
    )


@njit(cache=True, nogil=True)
def apply(operator, x, out):  # type: ignore[no-untyped-def]
    """Write out = A x."""
    height, width = operator.shape[1:]
    for i in range(height):
        up = max(i - 1, 0)
        down = min(i + 1, height - 1)
        for c in range(x.shape[0]):
            u = x[c]
            for j in range(1, width - 1):
                out[c, i, j] = operator[4, i, j] * u[i, j] + _outflow(operator, u, i, up, down, j, j - 1, j + 1)
            for j in (0, width - 1):
                flow = _outflow(operator, u, i, up, down, j, max(j - 1, 0), min(j + 1, width - 1))
                out[c, i, j] = operator[4, i, j] * u[i, j] + flow


@njit(cache=True, nogil=True)
def defect(operator, load, x, out):  # type: ignore[no-untyped-def]
    """Write out = load - A x."""
    height, width = operator.shape[1:]
    for i in range(height):
        up = max(i - 1, 0)
        down = min(i + 1, height - 1)
        for c in range(x.shape[0]):
            u = x[c]
            for j in range(1, width - 1):
                flow = _outflow(operator, u, i, up, down, j, j - 1, j + 1)
                out[c, i, j] = load[c, i, j] - operator[4, i, j] * u[i, j] - flow
            for j in (0, width - 1):
                flow = _outflow(operator, u, i, up, down, j, max(j - 1, 0), min(j + 1, width - 1))
                out[c, i, j] = load[c, i, j] - operator[4, i, j] * u[i, j] - flow


@njit(cache=True, nogil=True, error_model="numpy")
def first_sweep(operator, load, x):  # type: ignore[no-untyped-def]
    """Damped Jacobi from zero."""
    height, width = operator.shape[1:]
    for i in range(height):
        for c in range(x.shape[0]):
            for j in range(width):
                x[c, i, j] = DAMPING * load[c, i, j] / _scale(operator, i, j)


@njit(cache=True, nogil=True, error_model="numpy")
def sweep(operator, load, x, out):  # type: ignore[no-untyped-def]
    """Damped Jacobi: out = x + omega (load - A x) / diagonal."""
    height, width = operator.shape[1:]
    for i in range(height):
        up = max(i - 1, 0)
        down = min(i + 1, height - 1)
        for c in range(x.shape[0]):
            u = x[c]
            for j in range(1, width - 1):
                flow = _outflow(operator, u, i, up, down, j, j - 1, j + 1)
                left = load[c, i, j] - operator[4, i, j] * u[i, j] - flow
                out[c, i, j] = u[i, j] + DAMPING * left / _scale(operator, i, j)
            for j in (0, width - 1):
                flow = _outflow(operator, u, i, up, down, j, max(j - 1, 0), min(j + 1, width - 1))
                left = load[c, i, j] - operator[4, i, j] * u[i, j] - flow
                out[c, i, j] = u[i, j] + DAMPING * left / _scale(operator, i, j)
