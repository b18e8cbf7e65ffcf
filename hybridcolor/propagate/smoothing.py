"""The two halves of a multigrid cycle on one level, each in one pass over the picture.

Memory is what a cycle waits for, so all that a half does runs row by row, one stage a few rows behind the other,
on a few rows that stay in cache: two sweeps, defect and restriction on the way down; interpolation, two sweeps
and the operator's action on the way up.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from hybridcolor.propagate.stencil import apply_row, defect_row, first_sweep_row, operator_row, sweep_row
from hybridcolor.propagate.transfer import prolong_row, restrict_row

LAG = 4
"""Rows that a ring of rows holds: one stage reads three and the stage before writes the next."""


@njit(cache=True, nogil=True)
def weigh_row(visits, pull, i, weight):  # type: ignore[no-untyped-def]
    """Row weights of a restriction: the stationary vector times 1 + T, which a row was divided by; 0 at hard seeds."""
    for j in range(weight.size):
        weight[j] = visits[i, j]
    if pull.shape[0] > 0:
        for j in range(weight.size):
            t = pull[i, j]
            weight[j] *= min(np.float32(1) + t, np.float32(1e6)) if t < np.inf else np.float32(0)


@njit(cache=True, nogil=True)
def descend(operator, prolongation, load, x, coarse):  # type: ignore[no-untyped-def]
    """Write x = two sweeps from zero, and the coarse load R (load - A x).

    ``operator`` is (luminance, pull, visits, stored); arrays of x are (h + 2, channels, w + 2) with zero padding.
    """
    luminance, pull, visits, stored = operator
    height, channels, width = x.shape[0] - 2, x.shape[1], x.shape[2] - 2
    buffer = np.empty((LAG, 10, width), np.float32)
    first = np.zeros((LAG, channels, width + 2), np.float32)
    left = np.zeros((LAG, channels, width + 2), np.float32)
    weight = np.ones(width, np.float32)
    for i in range(height + 3):
        if i < height:
            row = operator_row(luminance, pull, stored, i, buffer[i % LAG])
            first_sweep_row(row, load[i + 1], first[i % LAG])
        else:
            first[i % LAG] = 0
        if 0 <= i - 1 < height:
            k = i - 1
            row = stored[k] if stored.shape[0] > 0 else buffer[k % LAG]
            sweep_row(row, load[k + 1], x[k], first[k % LAG], first[(k + 1) % LAG], x[k + 1])
        if 0 <= i - 2 < height:
            k = i - 2
            row = stored[k] if stored.shape[0] > 0 else buffer[k % LAG]
            weigh_row(visits, pull, k, weight)
            defect_row(row, load[k + 1], x[k], x[k + 1], x[k + 2], weight, left[k % LAG])
        else:
            left[(i - 2) % LAG] = 0
        if i >= 3 and i % 2 == 1 and (i - 3) // 2 < prolongation.shape[0] - 1:
            k = (i - 3) // 2  # rows 2 k - 1, 2 k, 2 k + 1 are known
            restrict_row(
                prolongation[k], prolongation[k + 1],
                left[(2 * k - 1) % LAG], left[2 * k % LAG], left[(2 * k + 1) % LAG],
                coarse[k + 1],
            )  # fmt: skip


@njit(cache=True, nogil=True)
def ascend(operator, prolongation, load, coarse, x, image):  # type: ignore[no-untyped-def]
    """Add P coarse to x, sweep twice, and write image = A x."""
    luminance, pull, _, stored = operator
    height, channels, width = x.shape[0] - 2, x.shape[1], x.shape[2] - 2
    buffer = np.empty((LAG, 10, width), np.float32)
    swept = np.zeros((LAG, channels, width + 2), np.float32)
    for i in range(height + 3):
        if i < height:
            operator_row(luminance, pull, stored, i, buffer[i % LAG])
            prolong_row(prolongation[i // 2 + 1], i % 2, coarse[i // 2 + 1], coarse[i // 2 + 2], x[i + 1])
        if 0 <= i - 1 < height:
            k = i - 1
            row = stored[k] if stored.shape[0] > 0 else buffer[k % LAG]
            sweep_row(row, load[k + 1], swept[(k - 1) % LAG], x[k + 1], x[k + 2], swept[k % LAG])
        else:
            swept[(i - 1) % LAG] = 0
        if 0 <= i - 2 < height:
            k = i - 2
            row = stored[k] if stored.shape[0] > 0 else buffer[k % LAG]
            sweep_row(row, load[k + 1], x[k], swept[k % LAG], swept[(k + 1) % LAG], x[k + 1])
        if 0 <= i - 3 < height:
            k = i - 3
            row = stored[k] if stored.shape[0] > 0 else buffer[k % LAG]
            apply_row(row, x[k], x[k + 1], x[k + 2], image[k + 1])


@njit(cache=True, nogil=True)
def prolong(prolongation, coarse, fine):  # type: ignore[no-untyped-def]
    """Add P coarse to fine, both padded."""
    for i in range(fine.shape[0] - 2):
        prolong_row(prolongation[i // 2 + 1], i % 2, coarse[i // 2 + 1], coarse[i // 2 + 2], fine[i + 1])
