"""Multilevel cycles over groups of nodes: a walk's stationary vector, and an approximate inverse of its seeded system.

Works on any graph of `aggregation`, so on grids of any number of axes. Constant interpolation makes coarse
corrections too small; each coarse system is therefore solved by two steps of a Krylov method which the next level
preconditions, and which finds the right size (K-cycle; Y. Notay, P. Vassilevski, 2008, doi 10.1002/nla.542).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.aggregation import LEAVE_OUT, Graph, coarsen, column, group, row_start

DAMPING = np.float32(0.7)
"""Of the Jacobi sweeps that find visits."""
SWEEPS = 2
"""Such sweeps before, and after, a coarse correction."""
CYCLES = 2
"""Cycles for each of the two kinds of groups in `stationary_visits`."""
COARSEST_SWEEPS = 30
"""Sweeps where there is no coarser level."""
COARSEST = 400
"""Largest graph, in nodes, that gets no coarser level."""
SLOWEST_COARSENING = 0.8
"""Where a coarser level would keep more than this share of the nodes, there is none."""
GOOD_ENOUGH = 0.25
"""Share of a load that one cycle may leave without a second one."""
TINY = np.float32(1e-30)

Vector = NDArray[np.float32]
Pair = NDArray[np.float32]
Scalars = NDArray[np.float64]
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
            np.maximum(visits, np.float32(1e-20), out=visits)
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


@dataclass(slots=True)
class _Level:
    """A level, and the groups of its nodes that are the nodes of the next."""

    graph: Graph
    excess: Vector
    weight: Vector  # of each row in the restriction; 0 if left out
    labels: NDArray[np.int32]
    count: int


class Hierarchy:
    """Every level of one seeded system A = q + (1 - q)(I - W), ready to be applied as an approximate inverse.

    Parameters
    ----------
    graph : Graph
        The walk W on a lattice. Overwritten: it becomes the finest level's couplings.
    pull : (n,) float32
        Pull T of every node toward its own colour, 0..inf.
    visits : (n,) float32
        Stationary vector of ``graph``.
    """

    def __init__(self, graph: Graph, pull: Vector, visits: Vector) -> None:
        excess = np.empty_like(pull)
        _absorb_seeds(graph, pull, excess)
        self.graph, self.excess = graph, excess
        weight = visits * np.where(pull < np.inf, np.float32(1) + pull, np.float32(0))  # rows were divided by 1 + T
        self.levels: list[_Level] = []
        while excess.size > COARSEST:
            _leave_out(graph, excess, weight)
            labels, count = group(graph, weight)
            if count > SLOWEST_COARSENING * excess.size:
                break
            self.levels.append(_Level(graph, excess, weight, labels, count))
            graph, excess = coarsen(graph, excess, weight, labels, count)
            weight = np.ones(count, np.float32)
        self._inverse = _dense_inverse(graph, excess)

    def apply(self, chroma: Pair, out: Pair) -> None:
        """Write out = A chroma, both (2, n)."""
        _apply(self.graph, self.excess, chroma, out)

    def sweep(self, load: Pair) -> Pair:
        """A sweep forth and one back from zero for a (2, n) load: a weak inverse that needs no coarse level."""
        x = np.zeros_like(load)
        for backward in (False, True):
            _sweep(self.graph, self.excess, load, x, backward)
        return x

    def cycle(self, load: Pair, depth: int = 0) -> Pair:
        """One cycle from zero for a (2, n) load."""
        if depth == len(self.levels):
            return (load.astype(np.float64) @ self._inverse.T).astype(np.float32)
        level = self.levels[depth]
        x = np.zeros_like(load)
        _sweep(level.graph, level.excess, load, x, False)
        coarse = np.zeros((2, level.count), np.float32)
        _restrict_defect(level.graph, level.excess, load, x, level.weight, level.labels, coarse)
        _prolong_add(self._accelerated(coarse, depth + 1), level.labels, x)
        _sweep(level.graph, level.excess, load, x, True)
        return x

    def _accelerated(self, load: Pair, depth: int) -> Pair:
        """Up to two cycles, combined so that the residual is orthogonal to both."""
        first = self.cycle(load, depth)
        if depth == len(self.levels):
            return first
        level = self.levels[depth]
        image = np.empty_like(first)
        _apply(level.graph, level.excess, first, image)
        size = _ratio(_dots(first, load), _dots(first, image))
        left = load - size * image
        if np.all(_dots(left, left) <= GOOD_ENOUGH**2 * _dots(load, load)):
            return size * first
        second = self.cycle(left, depth)
        image_of_second = left
        _apply(level.graph, level.excess, second, image_of_second)
        a, b = _dots(first, image), _dots(first, image_of_second)
        c, d = _dots(second, image), _dots(second, image_of_second)
        p, q = _dots(first, load), _dots(second, load)
        determinant = a * d - b * c
        return _ratio(d * p - b * q, determinant) * first + _ratio(a * q - c * p, determinant) * second


def _dots(first: Pair, second: Pair) -> Scalars:
    """The inner product of each plane, (2, 1)."""
    products: Scalars = _inner_products(first, second)[:, None]
    return products


def _ratio(above: Scalars, below: Scalars) -> Vector:
    """The quotient above / below, and 0 where a plane is already solved."""
    solved = np.abs(below) < 1e-300
    return np.asarray(np.where(solved, 0.0, above / np.where(solved, 1.0, below)), np.float32)


def _dense_inverse(graph: Graph, excess: Vector) -> NDArray[np.float64]:
    matrix: NDArray[np.float64] = np.zeros((excess.size, excess.size))
    _fill_dense(graph, excess, matrix)
    try:
        return np.asarray(np.linalg.inv(matrix), np.float64)
    except np.linalg.LinAlgError:  # seeds so weak that they are lost in float32
        return np.asarray(np.linalg.pinv(matrix), np.float64)


@njit(cache=True, nogil=True)
def _fill_dense(graph, excess, matrix):  # type: ignore[no-untyped-def]
    values, columns, starts = graph
    for i in range(excess.size):
        matrix[i, i] += excess[i]
        for entry in range(row_start(columns, starts, i), row_start(columns, starts, i + 1)):
            if values[entry] > 0:
                matrix[i, i] += values[entry]
                matrix[i, column(columns, starts, i, entry)] -= values[entry]
        if matrix[i, i] == 0:
            matrix[i, i] = 1.0


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


@njit(cache=True, nogil=True)
def _absorb_seeds(graph, pull, excess):  # type: ignore[no-untyped-def]
    """Turn W into q + (1 - q)(I - W), with couplings to hard seeds moved to the excess."""
    values, columns, starts = graph
    for i in range(pull.size):
        t = np.float64(pull[i])
        stop = t / (1.0 + t) if t < np.inf else 1.0
        excess[i] = stop
        for entry in range(row_start(columns, starts, i), row_start(columns, starts, i + 1)):
            value = np.float32((1.0 - stop) * values[entry])
            if value > 0 and pull[column(columns, starts, i, entry)] == np.inf:
                excess[i] += value
                value = np.float32(0)
            values[entry] = value


@njit(cache=True, nogil=True)
def _leave_out(graph, excess, weight):  # type: ignore[no-untyped-def]
    """Set the weight of nodes to 0 that need no coarse correction; see `LEAVE_OUT`."""
    values, columns, starts = graph
    for i in range(excess.size):
        total = np.float32(0)
        for entry in range(row_start(columns, starts, i), row_start(columns, starts, i + 1)):
            total += values[entry]
        if excess[i] > LEAVE_OUT * total:
            weight[i] = 0


@njit(cache=True, nogil=True)
def _outflow(values, columns, starts, i, x):  # type: ignore[no-untyped-def]
    """sum_j a_ij (x_i - x_j) of both planes, and sum_j a_ij."""
    flow_a = np.float32(0)
    flow_b = np.float32(0)
    total = np.float32(0)
    for entry in range(row_start(columns, starts, i), row_start(columns, starts, i + 1)):
        value = values[entry]
        if value > 0:
            j = column(columns, starts, i, entry)
            flow_a += value * (x[0, i] - x[0, j])
            flow_b += value * (x[1, i] - x[1, j])
            total += value
    return flow_a, flow_b, total


@njit(cache=True, nogil=True)
def _apply(graph, excess, x, out):  # type: ignore[no-untyped-def]
    values, columns, starts = graph
    for i in range(excess.size):
        flow_a, flow_b, _ = _outflow(values, columns, starts, i, x)
        out[0, i] = excess[i] * x[0, i] + flow_a
        out[1, i] = excess[i] * x[1, i] + flow_b


@njit(cache=True, nogil=True, error_model="numpy")
def _sweep(graph, excess, load, x, backward):  # type: ignore[no-untyped-def]
    """Gauss-Seidel over all nodes, first to last or last to first."""
    values, columns, starts = graph
    for step in range(excess.size):
        i = excess.size - 1 - step if backward else step
        flow_a, flow_b, total = _outflow(values, columns, starts, i, x)
        diagonal = total + excess[i] + TINY
        x[0, i] += (load[0, i] - excess[i] * x[0, i] - flow_a) / diagonal
        x[1, i] += (load[1, i] - excess[i] * x[1, i] - flow_b) / diagonal


@njit(cache=True, nogil=True)
def _restrict_defect(graph, excess, load, x, weight, labels, coarse):  # type: ignore[no-untyped-def]
    values, columns, starts = graph
    for i in range(excess.size):
        if labels[i] >= 0:
            flow_a, flow_b, _ = _outflow(values, columns, starts, i, x)
            coarse[0, labels[i]] += weight[i] * (load[0, i] - excess[i] * x[0, i] - flow_a)
            coarse[1, labels[i]] += weight[i] * (load[1, i] - excess[i] * x[1, i] - flow_b)


@njit(cache=True, nogil=True)
def _prolong_add(coarse, labels, x):  # type: ignore[no-untyped-def]
    for i in range(labels.size):
        if labels[i] >= 0:
            x[0, i] += coarse[0, labels[i]]
            x[1, i] += coarse[1, labels[i]]


@njit(cache=True, nogil=True)
def _inner_products(first, second):  # type: ignore[no-untyped-def]
    totals = np.zeros(2)
    for c in range(2):
        for i in range(first.shape[1]):
            totals[c] += np.float64(first[c, i]) * np.float64(second[c, i])
    return totals
