"""How often a random walk on the pixel grid visits each pixel, roughly.

pi W = pi for the stationary vector pi of a walk with step probabilities W. Its use here: the flux pi_i w_ij has
equal row and column sums, so diag(pi) (I - W) is positive semi-definite (its symmetric part is a graph Laplacian)
although I - W is not, and Galerkin coarsening of it cannot break down. For that mostly the balance between a pixel
and those nearby matters: sweeps pi_i <- sum_j pi_j w_ji settle it (`balance`).

What is unbalanced over longer distances makes coarse corrections too weak, and the solver slow or even wrong where
dark or noisy areas hardly let a walk out again. Coarser grids settle it: if pi is balanced but for a factor P f, then f
is the stationary vector of the coarser operator P^T diag(pi) (I - W) P, and P is the solver's own interpolation, which
follows the picture's edges (H. De Sterck et al., "Smoothed aggregation multigrid for Markov chains", 2010, doi
10.1137/080719157).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import FAST
from hybridcolor.propagate.coarsening import COARSEST, NO_PULL, NO_WEIGHTS, coarser, dense_couplings
from hybridcolor.propagate.smoothing import prolong

DAMPING = np.float32(0.95)
TINY = np.float32(1e-30)
LEAST_FACTOR = np.float32(1e-6)
"""A coarser grid's factor is above 0 but for rounding."""
SWEEPS = 8
"""Sweeps that run together in one pass over the picture, each two rows behind the one before."""
BALANCED = 2 * SWEEPS
"""Pixels within which the balance between neighbours alone is found by `balance`: rows farther off do not matter."""
LEAST_CHANGE = 0.3
"""Mean size of the logarithm of a cycle's change from which on another is worth its time."""
MOST_CYCLES = 6
TWICE = 4096
"""Coarse grids of more pixels than this are visited twice in a cycle."""

Planes = NDArray[np.float32]


def stationary_vector(rows: Planes) -> Planes:
    """How often each pixel is visited, balanced over the whole picture.

    Parameters
    ----------
    rows : (H, 10, W) float32
        An operator (see `stencil`) whose couplings are the walk's rates.

    Returns
    -------
    (H, W) float32, positive, of mean 1

    Examples
    --------
    >>> from hybridcolor.propagate.stencil import operator_rows, walk_weights
    >>> plain, pull = np.full((4, 6), 50, np.float32), np.zeros((4, 6), np.float32)
    >>> pi = stationary_vector(operator_rows(walk_weights(plain), pull))
    >>> bool(abs(pi[1, 1] / pi[0, 0] - 8 / 3) < 0.01)  # on a plain picture: the number of neighbours
    True
    """
    visits = balance(rows)
    for _ in range(MOST_CYCLES):
        before, visits = visits, _cycle(rows, visits)
        if np.abs(np.log(visits / before)).mean() < LEAST_CHANGE:
            break
    return visits


def balance(rows: Planes) -> Planes:
    """The same as `stationary_vector`, but only balanced between neighbours."""
    visits = np.ones((rows.shape[0], rows.shape[2]), np.float32)
    _sweep(rows, visits)
    _sweep(rows, visits)
    return visits


def _cycle(rows: Planes, visits: Planes) -> Planes:
    """Better visits, by those of the coarser grids."""
    if visits.size <= COARSEST:
        return _solved(rows)
    prolongation, coarse = coarser((NO_WEIGHTS, NO_PULL, visits, rows))
    factor = balance(coarse)
    for _ in range(2 if factor.size > TWICE else 1):
        factor = _cycle(coarse, factor)
    padded = np.zeros((prolongation.shape[0], 1, prolongation.shape[2]), np.float32)
    padded[1:-1, 0, 1:-1] = factor
    fine = np.zeros((visits.shape[0] + 2, 1, visits.shape[1] + 2), np.float32)
    prolong(prolongation, padded, fine)
    better = visits * np.maximum(fine[1:-1, 0, 1:-1], LEAST_FACTOR)
    better /= better.mean(dtype=np.float64)
    _sweep(rows, better)
    return better


def _solved(rows: Planes) -> Planes:
    """The stationary vector of a small grid."""
    flux = dense_couplings(rows).T
    flux -= np.diag(flux.sum(axis=0))
    flux[0] = 1.0  # one of the equations follows from the others; instead, the mean is 1
    try:
        visits = np.linalg.solve(flux, np.eye(len(flux))[0] * len(flux))
    except np.linalg.LinAlgError:  # it falls apart
        return balance(rows)
    return np.maximum(visits, LEAST_FACTOR).reshape(len(rows), -1).astype(np.float32)


@njit(cache=True, nogil=True, forceinline=True)
def _rates_row(rows, i, buffer):  # type: ignore[no-untyped-def]
    """Rates from the pixels of row i to their neighbours; plane 4 is their sum."""
    total = buffer[4]
    total[:] = TINY
    for k in range(9):
        if k != 4:
            _add_rates(rows[i, k], buffer[k], total)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
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


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def _send(rate, visits, arriving):  # type: ignore[no-untyped-def]
    for j in range(visits.size):
        arriving[j] += rate[j] * visits[j]


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True, error_model="numpy")
def _settle(departing, arriving, visits):  # type: ignore[no-untyped-def]
    for j in range(visits.size):
        settled = (np.float32(1) - DAMPING) * visits[j] + DAMPING * arriving[j] / departing[j]
        visits[j] = max(settled, np.float32(1e-12))
