"""The stationary vector of a random walk on the pixel grid, by multilevel aggregation and disaggregation.

pi W = pi says how often a walk that steps with probabilities W visits each pixel. Its use here: the flux
pi_i w_ij has equal row and column sums, so diag(pi) (I - W) is positive semi-definite (its symmetric part is
a graph Laplacian) although I - W is not, and Galerkin coarsening of it cannot break down.

One cycle relaxes pi_i <- sum_j pi_j w_ji, joins pixels two by two in each direction into a coarser walk whose
rates are the summed fluxes, corrects pi by that walk's own stationary vector, and relaxes again
(H. De Sterck et al., "Multilevel adaptive aggregation for Markov chains", 2008, doi 10.1137/070685142).
Exactness is not needed, since pi only shapes a preconditioner, but at 4 megapixels a pi half as exact doubles
the iterations of the solver, and an inexact one makes its coarse operators indefinite.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

DAMPING = np.float32(0.7)
SWEEPS = 6
CYCLES = 6
COARSEST_SWEEPS = 60
COARSEST = 16


def stationary_vector(rates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Visit frequency of each pixel, scaled to mean 1.

    Parameters
    ----------
    rates : (9, H, W) float32
        Step probabilities as planes (see `affinity`); plane 4 is not read.

    Returns
    -------
    (H, W) float32, positive

    Examples
    --------
    >>> from hybridcolor.propagate.affinity import affinity_planes
    >>> pi = stationary_vector(affinity_planes(np.full((4, 6), 50.0, np.float32)))
    >>> bool(abs(pi[1, 1] / pi[0, 0] - 8 / 3) < 1e-3)  # on a plain picture: the number of neighbours
    True
    """
    visits = np.ones(rates.shape[1:], np.float32)
    if visits.size == 1:
        return visits
    for _ in range(CYCLES):
        visits = _cycle(rates, visits)
        visits /= np.float32(visits.mean(dtype=np.float64))
    return np.maximum(visits, np.float32(1e-12))


def _cycle(rates: NDArray[np.float32], visits: NDArray[np.float32]) -> NDArray[np.float32]:
    if visits.size <= COARSEST:
        return _relax(rates, visits, COARSEST_SWEEPS)
    visits = _relax(rates, visits, SWEEPS)
    coarse_shape = ((visits.shape[0] + 1) // 2, (visits.shape[1] + 1) // 2)
    coarse_rates = np.zeros((9, *coarse_shape), np.float32)
    _aggregate(rates, visits, coarse_rates)
    correction = _cycle(coarse_rates, np.ones(coarse_shape, np.float32))
    _multiply_up(visits, correction)
    return _relax(rates, visits, SWEEPS)


def _relax(rates: NDArray[np.float32], visits: NDArray[np.float32], sweeps: int) -> NDArray[np.float32]:
    following = np.empty_like(visits)
    for _ in range(sweeps):
        _sweep(rates, visits, following)
        visits, following = following, visits
    return visits


@njit(cache=True, nogil=True, inline="always")
def _arrivals(rates, visits, i, up, down, j, left, right):  # type: ignore[no-untyped-def]
    """Flux into (i, j): neighbour k sends through its opposite plane 8 - k. Clamped neighbours send nothing out."""
    return (
        rates[8, up, left] * visits[up, left]
        + rates[7, up, j] * visits[up, j]
        + rates[6, up, right] * visits[up, right]
        + rates[5, i, left] * visits[i, left]
        + rates[3, i, right] * visits[i, right]
        + rates[2, down, left] * visits[down, left]
        + rates[1, down, j] * visits[down, j]
        + rates[0, down, right] * visits[down, right]
    )


@njit(cache=True, nogil=True, inline="always")
def _departures(rates, i, j):  # type: ignore[no-untyped-def]
    return (
        (rates[0, i, j] + rates[1, i, j])
        + (rates[2, i, j] + rates[3, i, j])
        + (rates[5, i, j] + rates[6, i, j])
        + (rates[7, i, j] + rates[8, i, j])
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _sweep(rates, visits, following):  # type: ignore[no-untyped-def]
    height, width = visits.shape
    keep = np.float32(1) - DAMPING
    for i in range(height):
        if 0 < i < height - 1:
            for j in range(1, width - 1):
                flux = _arrivals(rates, visits, i, i - 1, i + 1, j, j - 1, j + 1)
                following[i, j] = keep * visits[i, j] + DAMPING * flux / _departures(rates, i, j)
        step = max(width - 1, 1) if 0 < i < height - 1 else 1
        for j in range(0, width, step):
            flux = np.float32(0)
            for k in range(9):
                y = i + k // 3 - 1
                x = j + k % 3 - 1
                if k != 4 and 0 <= y < height and 0 <= x < width:
                    flux += rates[8 - k, y, x] * visits[y, x]
            following[i, j] = keep * visits[i, j] + DAMPING * flux / _departures(rates, i, j)


@njit(cache=True, nogil=True)
def _aggregate(rates, visits, coarse):  # type: ignore[no-untyped-def]
    height, width = visits.shape
    for i in range(height):
        for j in range(width):
            for k in range(9):
                dy = (i + k // 3 - 1) // 2 - (i) // 2
                dx = (j + k % 3 - 1) // 2 - (j) // 2
                if (dy != 0 or dx != 0) and rates[k, i, j] != 0:  # 0 is also what points outside the picture
                    flux = visits[i, j] * rates[k, i, j]
                    coarse[3 * (dy + 1) + dx + 1, (i) // 2, (j) // 2] += flux


@njit(cache=True, nogil=True)
def _multiply_up(visits, correction):  # type: ignore[no-untyped-def]
    height, width = visits.shape
    for i in range(height):
        for j in range(width):
            visits[i, j] *= correction[(i) // 2, (j) // 2]
