"""The two halves of a multigrid cycle on one level, each in one pass over the picture.

Memory is what a cycle waits for, so all that a half does runs row by row, one stage a few rows behind the other,
on a few rows that stay in cache: two sweeps, defect and restriction on the way down; interpolation, two sweeps
and the operator's action on the way up. A pass may be shared out by rows: from ``top``, a multiple of CHAIN, to before
``bottom``, also one or the picture's last; what it needs to know of rows beyond, it makes for itself.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from hybridcolor.propagate.stencil import apply_row, defect_row, first_sweep_row, operator_row, sweep_row, weigh_row
from hybridcolor.propagate.transfer import prolong_row, restrict_row

LAG = 4
"""Rows that a ring of rows holds: one stage reads three and the stage before writes the next."""
LINE = 16
"""Numbers in a line of cache: to read what lies across two lines takes twice as long."""
CHAIN = 32
"""A sweep goes by what it just made of the row above, but for every so many-th row, which goes by what that was before.
So threads need know no more than some rows above their own, and any number of them comes to the same bytes."""


@njit(cache=True, nogil=True)
def row_at(stored, buffer, k):  # type: ignore[no-untyped-def]
    """Row k of the operator, which `operator_row` made not long ago."""
    return stored[k] if stored.shape[0] > 0 else buffer[k % LAG]


@njit(cache=True, nogil=True)
def rings(width, channels):  # type: ignore[no-untyped-def]
    """Room for `LAG` rows of the operator, and of three stages of x, all zero, with more pixels than are asked for.

    Every row begins with a line of cache, and is a line longer than eight or a multiple of that: where rows are as long
    as a page of memory, as some would be, each is held up by the others' changes.
    """
    stride = (width + 1 + 7 * LINE) // (8 * LINE) * (8 * LINE) + LINE
    size = LAG * stride
    store = np.zeros((10 + 3 * channels) * size + LINE, np.float32)
    first = -(store.ctypes.data // 4) % LINE
    operator = store[first : first + 10 * size].reshape((LAG, 10, stride))
    x = store[first + 10 * size : first + (10 + 3 * channels) * size].reshape((3, LAG, channels, stride))
    return operator, x[0], x[1], x[2]


@njit(cache=True, nogil=True)
def copy_row(source, target):  # type: ignore[no-untyped-def]
    """``target[:] = source``, of which numba makes ten times as much to compile, for an error that cannot come."""
    for c in range(source.shape[0]):
        for j in range(min(source.shape[1], target.shape[1])):
            target[c, j] = source[c, j]


@njit(cache=True, nogil=True, forceinline=True)
def sweep_on(row, load, before, after, k):  # type: ignore[no-untyped-def]
    """Write row k of a ring of rows, one sweep after another ring."""
    above = before[(k - 1) % LAG] if k % CHAIN == 0 else after[(k - 1) % LAG]
    sweep_row(row, load, above, before[k % LAG], before[(k + 1) % LAG], after[k % LAG])


@njit(cache=True, nogil=True, forceinline=True)
def descend(operator, prolongation, load, x, coarse, rows):  # type: ignore[no-untyped-def]
    """Write rows top to bottom of x = two sweeps from zero, and of the coarse load R (load - A x).

    ``operator`` is (weights, pull, visits, stored); arrays of x are (h + 2, channels, w + 2) with zero padding.
    """
    weights, pull, visits, stored = operator
    top, bottom = rows
    height, channels, width = x.shape[0] - 2, x.shape[1], x.shape[2] - 2
    buffer, first, second, left = rings(width, channels)
    weight = np.ones(width, np.float32)
    for i in range(max(top - CHAIN - 1, 0), bottom + 3):
        if i < min(bottom + 2, height):
            row = operator_row(weights, pull, stored, i, buffer[i % LAG])
            first_sweep_row(row, load[i + 1], first[i % LAG])
        else:
            first[i % LAG] = 0
        k = i - 1
        if max(top - CHAIN, 0) <= k < min(bottom + 1, height):
            sweep_on(row_at(stored, buffer, k), load[k + 1], first, second, k)
            if top <= k < bottom:
                copy_row(second[k % LAG], x[k + 1])
        else:
            second[k % LAG] = 0
        k = i - 2
        if max(top - 1, 0) <= k < bottom:
            row = row_at(stored, buffer, k)
            weigh_row(visits, pull, k, weight)
            here = second[k % LAG]
            defect_row(row, load[k + 1], second[(k - 1) % LAG], here, second[(k + 1) % LAG], weight, left[k % LAG])
        else:
            left[k % LAG] = 0
        k = (i - 3) // 2  # fine rows 2 k - 1, 2 k, 2 k + 1 are known
        if i % 2 == 1 and top // 2 <= k < (bottom + 1) // 2:
            restrict_row(
                prolongation[k], prolongation[k + 1],
                left[(2 * k - 1) % LAG], left[2 * k % LAG], left[(2 * k + 1) % LAG],
                coarse[k + 1],
            )  # fmt: skip


@njit(cache=True, nogil=True, forceinline=True)
def ascend(operator, prolongation, load, coarse, swept, answer, rows):  # type: ignore[no-untyped-def]
    """Write rows top to bottom of x = two sweeps from swept + P coarse, and of image = A x; answer is (x, image)."""
    weights, pull, _, stored = operator
    x, image = answer
    top, bottom = rows
    height, channels, width = x.shape[0] - 2, x.shape[1], x.shape[2] - 2
    buffer, start, first, second = rings(width, channels)
    for i in range(max(top - 2 * CHAIN - 1, 0), bottom + 3):
        if i < height:
            operator_row(weights, pull, stored, i, buffer[i % LAG])
            copy_row(swept[i + 1], start[i % LAG])
            prolong_row(prolongation[i // 2 + 1], i % 2, coarse[i // 2 + 1], coarse[i // 2 + 2], start[i % LAG])
        else:
            start[i % LAG] = 0
        k = i - 1
        if max(top - 2 * CHAIN, 0) <= k < min(bottom + 2, height):
            sweep_on(row_at(stored, buffer, k), load[k + 1], start, first, k)
        else:
            first[k % LAG] = 0
        k = i - 2
        if max(top - CHAIN, 0) <= k < min(bottom + 1, height):
            sweep_on(row_at(stored, buffer, k), load[k + 1], first, second, k)
            if top <= k < bottom:
                copy_row(second[k % LAG], x[k + 1])
        else:
            second[k % LAG] = 0
        k = i - 3
        if top <= k < bottom:
            row = row_at(stored, buffer, k)
            apply_row(row, second[(k - 1) % LAG], second[k % LAG], second[(k + 1) % LAG], image[k + 1])


@njit(cache=True, nogil=True)
def prolong(prolongation, coarse, fine):  # type: ignore[no-untyped-def]
    """Add P coarse to fine, both padded."""
    for i in range(fine.shape[0] - 2):
        prolong_row(prolongation[i // 2 + 1], i % 2, coarse[i // 2 + 1], coarse[i // 2 + 2], fine[i + 1])
