"""How often a random walk on the pixel grid visits each pixel, roughly.

pi W = pi for the stationary vector pi of a walk with step probabilities W. Its use here: the flux pi_i w_ij has
equal row and column sums, so diag(pi) (I - W) is positive semi-definite (its symmetric part is a graph Laplacian)
although I - W is not, and Galerkin coarsening of it cannot break down. For that mostly the balance between a pixel
and those nearby matters: sweeps pi_i <- sum_j pi_j w_ji settle it. Some cycles of aggregation and disaggregation
(H. De Sterck et al., "Multilevel adaptive aggregation for Markov chains", 2008, doi 10.1137/070685142) settle what
is unbalanced over longer distances; what is left of that is almost constant locally, goes over to the coarser
operator as a factor of its rows, and is settled by sweeps there.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import FAST

DAMPING = np.float32(0.95)
TINY = np.float32(1e-30)
SWEEPS = 8
"""Sweeps that run together in one pass over the picture, each two rows behind the one before."""
BALANCED = 2 * SWEEPS
"""Pixels within which the balance between neighbours alone is found: without cycles, rows farther off do not matter."""


def stationary_vector(rows: NDArray[np.float32], *, cycles: int = 0) -> NDArray[np.float32]:
    """Visit frequencies, balanced between neighbours and roughly over the picture.

    Parameters
    ----------
    rows : (H, 10, W) float32
        An operator (see `stencil`) whose couplings are the walk's rates.
    cycles : int, optional
        Cycles that balance over all distances; without, the balance is between neighbours only.

    Returns
    -------
    (H, W) float32, positive

    Examples
    --------
    >>> from hybridcolor.propagate.stencil import operator_rows
    >>> pi = stationary_vector(operator_rows(np.full((4, 6), 50, np.float32), np.zeros((4, 6), np.float32)), cycles=2)
    >>> bool(abs(pi[1, 1] / pi[0, 0] - 8 / 3) < 0.1)  # on a plain picture: the number of neighbours
    True
    """
    visits = np.ones((rows.shape[0], rows.shape[2]), np.float32)
    _sweep(rows, visits)
    for _ in range(cycles):
        _correct(rows, visits)
        _sweep(rows, visits)
    if cycles == 0:
        _sweep(rows, visits)
    return visits


def _correct(rows: NDArray[np.float32], visits: NDArray[np.float32]) -> None:
    """Balance blocks of two by two pixels against each other, on all scales."""
    height, width = (visits.shape[0] + 1) // 2, (visits.shape[1] + 1) // 2
    if height * width < 2:
        return
    blocks = np.zeros((height, 10, width), np.float32)
    _aggregate(rows, visits, blocks)
    factor = np.ones((height, width), np.float32)
    _sweep(blocks, factor)
    _correct(blocks, factor)
    _sweep(blocks, factor)
    factor /= factor.mean()
    _multiply_up(visits, factor)


@njit(cache=True, nogil=True)
def _rates_row(rows, i, buffer):  # type: ignore[no-untyped-def]
    """Rates from the pixels of row i to their neighbours; plane 4 is their sum."""
    total = buffer[4]
    total[:] = TINY
    for k in range(9):
        if k != 4:
            _add_rates(rows[i, k], buffer[k], total)


@njit(cache=True, nogil=True, fastmath=FAST)
def _add_rates(coupling, rate, total):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        rate[j] = max(coupling[j], np.float32(0))
        total[j] += rate[j]


@njit(cache=True, nogil=True)
def _sweep(rows, visits):  # type: ignore[no-untyped-def]
    """Some sweeps in place, each pi_i <- (1 - d) pi_i + d (what arrives) / (rates out), row after row."""
    height, width = visits.shape
    depth = 2 * SWEEPS + 1
    rates = np.empty((depth, 10, width), np.float32)
    arriving = np.zeros((SWEEPS, 3, width + 2), np.float32)
    for t in range(height + 2 * SWEEPS):
        if t < height:
            _rates_row(rows, t, rates[t % depth])
        for stage in range(SWEEPS):
            i = t - 2 * stage
            if 0 <= i < height:
                for k in (0, 1, 2, 3, 5):
                    _send(rates[i % depth, k], visits[i], arriving[stage, (i + k // 3 - 1) % 3][k % 3 :])
            if 1 <= i <= height:
                row = rates[(i - 1) % depth]
                _settle(row[4], arriving[stage, (i - 1) % 3][1:], visits[i - 1])
                for k in (6, 7, 8):
                    _send(row[k], visits[i - 1], arriving[stage, i % 3][k % 3 :])
                arriving[stage, (i - 1) % 3] = np.float32(0)  # the place of row i + 2


@njit(cache=True, nogil=True, fastmath=FAST)
def _send(rate, visits, arriving):  # type: ignore[no-untyped-def]
    for j in range(visits.size):
        arriving[j] += rate[j] * visits[j]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def _settle(departing, arriving, visits):  # type: ignore[no-untyped-def]
    for j in range(visits.size):
        settled = (np.float32(1) - DAMPING) * visits[j] + DAMPING * arriving[j] / departing[j]
        visits[j] = max(settled, np.float32(1e-12))


@njit(cache=True, nogil=True)
def _aggregate(rows, visits, blocks):  # type: ignore[no-untyped-def]
    """Add up the flux between blocks."""
    height, width = visits.shape
    buffer = np.empty((10, width), np.float32)
    for i in range(height):
        _rates_row(rows, i, buffer)
        for k in range(9):
            y = (i % 2 + k // 3 - 1) // 2
            for odd in range(2):
                x = (odd + k % 3 - 1) // 2
                if k != 4 and (y != 0 or x != 0):
                    _collect(buffer[k], visits[i], odd, blocks[i // 2, 3 * (y + 1) + x + 1])


@njit(cache=True, nogil=True, fastmath=FAST)
def _collect(rate, visits, odd, flux):  # type: ignore[no-untyped-def]
    for j in range((visits.size + 1 - odd) // 2):
        flux[j] += rate[2 * j + odd] * visits[2 * j + odd]


@njit(cache=True, nogil=True)
def _multiply_up(visits, factor):  # type: ignore[no-untyped-def]
    for i in range(visits.shape[0]):
        row, by = visits[i], factor[i // 2]
        for j in range(row.size):
            row[j] *= by[j // 2]
