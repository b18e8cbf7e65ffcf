"""How often a walk on a graph visits each node, roughly, by multilevel cycles over groups of nodes.

The same as `stationary` finds on the pixel grid, for any graph of `aggregation`, so for grids of any number of axes.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.aggregation import (
    COARSEST,
    SLOWEST_COARSENING,
    TINY,
    Graph,
    coarsen,
    column,
    group,
    row_start,
)

DAMPING = np.float32(0.7)
"""Damping of the Jacobi sweeps that find visits."""
SWEEPS = 2
"""Sweeps before, and after, a coarse correction."""
CYCLES = 2
"""Cycles for each of the two kinds of groups."""
COARSEST_SWEEPS = 30
"""Sweeps where there is no coarser level."""
LEAST_VISITS = np.float32(1e-20)
"""Visits of a node, of 1 on average: above 0 whatever rounding makes of them."""

Vector = NDArray[np.float32]
Groups = list[tuple[NDArray[np.int32], int]]


def stationary_visits(graph: Graph, size: int) -> Vector:
    """Visit frequency of each node of a walk, (size,) positive float32 of mean 1.

    By aggregation and disaggregation as in `stationary`. Groups that are mutual find what single pockets hold, but
    hardly coarsen where regions hang together loosely; groups of the other kind then find what each region holds.
    """
    visits = np.ones(size, np.float32)
    if size == 1:
        return visits
    for mutual in (True, False):
        groups: Groups = []
        for _ in range(CYCLES):
            visits = _visits_cycle(graph, visits, groups, mutual)
            visits /= np.float32(visits.mean(dtype=np.float64))
            np.maximum(visits, LEAST_VISITS, out=visits)
    return visits


def _visits_cycle(graph: Graph, visits: Vector, groups: Groups, mutual: bool, depth: int = 0) -> Vector:
    """Relax, correct by the stationary vector of the groups' walk, relax. The first cycle decides the groups."""
    if visits.size <= COARSEST:
        return _even_out(graph, visits, COARSEST_SWEEPS)
    visits = _even_out(graph, visits, SWEEPS)
    if depth == len(groups):
        groups.append(group(graph, visits, mutual=mutual))
    labels, count = groups[depth]
    if count > SLOWEST_COARSENING * visits.size:
        return _even_out(graph, visits, COARSEST_SWEEPS)
    coarse, _ = coarsen(graph, np.zeros_like(visits), visits, labels, count)
    visits *= _visits_cycle(coarse, np.ones(count, np.float32), groups, mutual, depth + 1)[labels]
    return _even_out(graph, visits, SWEEPS)


def _even_out(graph: Graph, visits: Vector, sweeps: int) -> Vector:
    following = np.empty_like(visits)
    for _ in range(sweeps):
        _visit(graph, visits, following)
        visits, following = following, visits
    return visits


@njit(cache=True, nogil=True, error_model="numpy")
def _visit(graph, visits, following):  # type: ignore[no-untyped-def]
    """Damped Jacobi sweep of v_i <- sum_j v_j a_ji / sum_j a_ij."""
    values, columns, starts = graph
    leaving = np.zeros(visits.size, np.float32)
    following[:] = 0
    for i in range(visits.size):
        for entry in range(row_start(columns, starts, i), row_start(columns, starts, i + 1)):
            if values[entry] > 0:
                following[column(columns, starts, i, entry)] += visits[i] * values[entry]
                leaving[i] += values[entry]
    for i in range(visits.size):
        following[i] = (1 - DAMPING) * visits[i] + DAMPING * following[i] / (leaving[i] + TINY)
