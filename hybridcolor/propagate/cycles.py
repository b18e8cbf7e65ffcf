"""Multilevel cycles over groups of nodes: an approximate inverse of a walk's seeded system.

Works on any graph of `aggregation`, so on grids of any number of axes. Constant interpolation makes coarse
corrections too small; each coarse system is therefore solved by two steps of a Krylov method which the next level
preconditions, and which finds the right size (K-cycle; Y. Notay, P. Vassilevski, 2008, doi 10.1002/nla.542).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.aggregation import (
    COARSEST,
    LEAVE_OUT,
    SLOWEST_COARSENING,
    TINY,
    Graph,
    coarsen,
    column,
    group,
    row_start,
)

GOOD_ENOUGH = 0.25
"""Share of a load that one cycle may leave without a second one."""

Vector = NDArray[np.float32]  # (n,), a number for each node
Pair = NDArray[np.float32]  # (2, n), two planes that are solved side by side
Scalars = NDArray[np.float64]  # (2, 1), a number for each plane


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
        self.graph, self.excess, self.visits = graph, excess, visits
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
        """Up to two cycles, combined so that the residual is orthogonal to both.

        The answer is y = f ``first`` + s ``second``, and what (f, s) must be follows from two equations:
        (first, A y) = (first, load) and (second, A y) = (second, load).
        """
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
