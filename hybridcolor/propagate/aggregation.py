"""Weighted graphs, grouping their nodes by strength of coupling, and the coarser graph of the groups.

A row of a graph holds a node's couplings a_ij >= 0 to its neighbours and its excess t_i >= 0:

    (A x)_i = t_i x_i + sum_j a_ij (x_i - x_j).

Groups are made by pairing three times: a node joins the free neighbour that it is most strongly coupled to, then
pairs pair, and pairs of pairs. Interpolation is constant over a group, so coarse couplings are sums of fine ones: never
negative, on any grid and at any edge. If both the rows and the columns of A sum to no less than 0 (rows of I - W scaled
by the stationary vector do, see `stationary`) such groups carry a convergence bound although A is not symmetric (Y.
Notay, "Aggregation-based algebraic multigrid for convection-diffusion equations", 2012, doi 10.1137/110835347). The
bound wants the couplings between the parts of a group to be strong beside all couplings of its nodes: a pair that holds
together and hardly to anything else must stay a pair until a coarser level.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

COARSEST = 400
"""Largest graph, in nodes, that gets no coarser level."""
SLOWEST_COARSENING = 0.8
"""Where a coarser level would keep more than this share of the nodes, there is none."""
TINY = np.float32(1e-30)
"""Added to a sum of couplings that is divided by, which may be 0."""
PASSES = 3
"""Times that nodes, then pairs, then pairs of pairs are paired."""
STRONG = np.float32(0.25)
"""A partner's coupling must be at least this share of the strongest one."""
LEAST = np.float32(0.06)
"""And at least this share of all couplings of a group's nodes, those inside it too."""
RETURNED = np.float32(0.03)
"""Share of its couplings that the partner, too, must give back where groups are to be mutual."""
DEVOTED = np.float32(0.25)
"""A group with this share of its couplings to one neighbour joins it though it is taken."""
LEAVE_OUT = np.float32(0.5)
"""A node whose excess is above this share of its couplings needs no coarse correction: sweeps settle it."""


class Graph(NamedTuple):
    """Couplings of every node, row by row.

    Attributes
    ----------
    values : (E,) float32
    columns : (E,) int32, or (K,) int64 on a lattice
        Neighbour of each entry; on a lattice, where every row has K entries, the differences of node numbers.
    starts : (n + 1,) int64, or None on a lattice
        Where each row begins.
    """

    values: NDArray[np.float32]
    columns: NDArray[np.integer]
    starts: NDArray[np.int64] | None


def group(graph: Graph, weight: NDArray[np.float32], *, mutual: bool = False) -> tuple[NDArray[np.int32], int]:
    """Group the nodes of a graph.

    Parameters
    ----------
    graph : Graph
    weight : (n,) float32
        Factor of each row; nodes of weight 0 are left out.
    mutual : bool, optional
        Whether both parts of a group must depend on each other. Needed while ``weight`` is far from the stationary
        vector: if not, a pocket that should hold far more is tied to neighbours that should not.

    Returns
    -------
    (n,) int32, int
        Group of each node, -1 for those left out, and the number of groups.
    """
    kept = weight > 0
    labels = np.where(kept, np.cumsum(kept, dtype=np.int32) - np.int32(1), np.int32(-1))
    count = int(kept.sum())
    for step in range(PASSES):
        count = _pair(graph, weight, labels, *_members(labels, count), LEAST if step else np.float32(0), mutual)
    return labels, count


def coarsen(
    graph: Graph, excess: NDArray[np.float32], weight: NDArray[np.float32], labels: NDArray[np.int32], count: int
) -> tuple[Graph, NDArray[np.float32]]:
    """The Galerkin graph P^T diag(weight) A P of groups, and its excess."""
    size = graph.values.size  # more than enough: memory that is never touched costs nothing, growing would
    coarse = Graph(np.empty(size, np.float32), np.empty(size, np.int32), np.zeros(count + 1, np.int64))
    coarse_excess = np.zeros(count, np.float32)
    used = _coarsen(graph, excess, weight, labels, *_members(labels, count), coarse, coarse_excess)
    for array in (coarse.values, coarse.columns):
        array.resize(used, refcheck=False)
    return coarse, coarse_excess


def _members(labels: NDArray[np.int32], count: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The nodes of each group, group by group, and where each group begins."""
    begins = np.zeros(count + 1, np.int64)
    members = np.empty(int((labels >= 0).sum()), np.int32)
    _sort(labels, begins, members)
    return begins, members


@njit(cache=True, nogil=True)
def row_start(columns, starts, i):  # type: ignore[no-untyped-def]
    """First entry of row i."""
    if starts is None:
        return i * columns.size
    return starts[i]


@njit(cache=True, nogil=True)
def column(columns, starts, i, entry):  # type: ignore[no-untyped-def]
    """Neighbour that an entry of row i leads to; it may lie outside if the entry's value is 0."""
    if starts is None:
        return i + columns[entry - i * columns.size]
    return np.int64(columns[entry])


@njit(cache=True, nogil=True)
def _sort(labels, begins, members):  # type: ignore[no-untyped-def]
    for label in labels:
        if label >= 0:
            begins[label + 1] += 1
    for k in range(1, begins.size):
        begins[k] += begins[k - 1]
    place = begins[:-1].copy()
    for i in range(labels.size):
        if labels[i] >= 0:
            members[place[labels[i]]] = i
            place[labels[i]] += 1


@njit(cache=True, nogil=True)
def _pair(graph, weight, labels, begins, members, least, mutual):  # type: ignore[no-untyped-def]
    """Join groups two by two, relabel the nodes, and return how many groups there are now."""
    count = begins.size - 1
    joined = np.full(count, -1, np.int32)
    strength = np.zeros(count, np.float32)
    touched = np.empty(count, np.int32)
    groups = 0
    for here in range(count):
        if joined[here] >= 0:
            continue
        found, bulk = _measure(graph, weight, labels, members[begins[here] : begins[here + 1]], here, strength, touched)
        host = -1
        partner = -1
        for there in touched[:found]:
            if host < 0 or strength[there] > strength[host]:
                host = there
            if joined[there] < 0 and (partner < 0 or strength[there] > strength[partner]):
                partner = there
        pairs = partner >= 0 and strength[partner] >= max(STRONG * strength[host], least * bulk)
        if pairs and mutual:
            pairs = _share(graph, labels, members[begins[partner] : begins[partner + 1]], here) >= RETURNED
        if pairs:
            joined[partner] = groups
        if not pairs and not mutual and host >= 0 and joined[host] >= 0 and strength[host] >= DEVOTED * bulk:
            joined[here] = joined[host]
        else:
            joined[here] = groups
            groups += 1
        strength[touched[:found]] = 0
    for i in range(labels.size):
        if labels[i] >= 0:
            labels[i] = joined[labels[i]]
    return groups


@njit(cache=True, nogil=True)
def _measure(graph, weight, labels, nodes, here, strength, touched):  # type: ignore[no-untyped-def]
    """Add up the couplings of a group's nodes to each other group; return how many those are, and the total."""
    values, columns, starts = graph
    found = 0
    bulk = np.float32(0)
    for i in nodes:
        for entry in range(row_start(columns, starts, i), row_start(columns, starts, i + 1)):
            if values[entry] > 0:
                flux = weight[i] * values[entry]
                bulk += flux
                there = labels[column(columns, starts, i, entry)]
                if there >= 0 and there != here and flux > 0:
                    if strength[there] == 0:
                        touched[found] = there
                        found += 1
                    strength[there] += flux
    return found, bulk


@njit(cache=True, nogil=True, error_model="numpy")
def _share(graph, labels, nodes, taker):  # type: ignore[no-untyped-def]
    """Part of a group's couplings, summed without weights, that leads to another one."""
    values, columns, starts = graph
    given = np.float32(0)
    total = np.float32(1e-30)
    for i in nodes:
        for entry in range(row_start(columns, starts, i), row_start(columns, starts, i + 1)):
            if values[entry] > 0:
                total += values[entry]
                if labels[column(columns, starts, i, entry)] == taker:
                    given += values[entry]
    return given / total


@njit(cache=True, nogil=True)
def _coarsen(graph, excess, weight, labels, begins, members, coarse, coarse_excess):  # type: ignore[no-untyped-def]
    """Write the rows of the coarse graph one after the other, and return how many entries they have."""
    values, columns, starts = graph
    coarse_values, coarse_columns, coarse_starts = coarse
    count = begins.size - 1
    place = np.full(count, -1, np.int64)
    used = 0
    for here in range(count):
        begin = used
        for m in range(begins[here], begins[here + 1]):
            i = members[m]
            coarse_excess[here] += weight[i] * excess[i]
            for entry in range(row_start(columns, starts, i), row_start(columns, starts, i + 1)):
                flux = weight[i] * values[entry]
                if flux > 0:
                    there = labels[column(columns, starts, i, entry)]
                    if there < 0:
                        coarse_excess[here] += flux
                    elif there != here:
                        if place[there] < begin:
                            place[there] = used
                            coarse_values[used] = 0
                            coarse_columns[used] = there
                            used += 1
                        coarse_values[place[there]] += flux
        coarse_starts[here + 1] = used
    return used
