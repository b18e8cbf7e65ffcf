"""Conjugate gradients with a cycle in place of the gradient, for an A whose rows a weight makes nearly symmetric.

Weighted by the stationary vector (`stationary`) A has a symmetric part that is a graph Laplacian. Each step is the one
after which the weighted residual is orthogonal to the new direction and to the last, and with that, were A symmetric,
to all before: conjugate gradients as in O. Axelsson, "Conjugate gradient type methods for unsymmetric and inconsistent
systems of linear equations", 1980, doi 10.1016/0024-3795(80)90226-8, cut to the last direction, which also allows for
cycles that are no linear maps (Y. Notay, "Flexible conjugate gradients", 2000, doi 10.1137/S1064827599362314).

Conjugate residuals, which make the residual least, take as many steps where all goes well. But what is wrong in an area
that hardly lets a walk out has next to no residual, and they do not see it: steps that should have been thirty times as
long were found to go backward, and answers off by 13 ab were taken for good; see docs/mathematics.md.

Both colour planes share every pass over the operator, which is where the time goes; each has its own scalars, so
they are two independent solves that happen to run in step. All vectors are (h + 2, 2, w + 2), padded by zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import FAST
from hybridcolor.propagate.stencil import weigh_row
from hybridcolor.threads import share_rows

Planes = NDArray[np.float32]
Energies = NDArray[np.float64]
RowWeight = tuple[Planes, Planes]
"""What rows are weighted by: visits and pull, (h, w) each; see `weigh_row`."""
Cycle = Callable[[Planes, Planes, Planes], None]

ALIKE: RowWeight = np.empty((0, 0), np.float32), np.empty((0, 0), np.float32)
"""All rows weigh the same, as those of coarser grids, which carry the visits."""


def conjugate_gradients(
    cycle: Cycle, weight: RowWeight, residual: Planes, solution: NDArray[np.floating], work: list[Planes]
) -> Iterator[float]:
    """Improve ``solution`` of A x = b step by step, for as long as the caller asks for another.

    Parameters
    ----------
    cycle : callable
        ``cycle(residual, z, image)`` writes an approximate solution z of A z = residual, and A z.
    weight : RowWeight
    residual : (h + 2, 2, w + 2) float32
        b - A x; kept up to date in place. Between steps it may be found anew.
    solution : (h + 2, 2, w + 2)
        x, changed in place.
    work : list of four (h + 2, 2, w + 2) float32

    Yields
    ------
    float
        The largest change of any value; nan or inf after a breakdown, which ends it.
    """
    direction, image, last_direction, last_image = work
    last_energy = np.zeros(2)
    while True:
        cycle(residual, direction, image)
        energy = np.empty(2)
        change = _advance(
            weight, residual, solution, (direction, image, last_direction, last_image), last_energy, energy
        )
        yield change
        if not np.isfinite(change):
            return
        last_energy = energy
        direction, image, last_direction, last_image = last_direction, last_image, direction, image


def norm(vector: Planes) -> float:
    """The Euclidean norm of both planes together."""
    rows, width = vector.shape[0] - 2, vector.shape[2]
    squares = np.empty(rows)
    share_rows(partial(_squares, vector, squares), rows, width=width)
    return float(np.sqrt(squares.sum()))


def _advance(
    weight: RowWeight,
    residual: Planes,
    solution: NDArray[np.floating],
    directions: tuple[Planes, Planes, Planes, Planes],
    last_energy: Energies,
    energy: Energies,
) -> float:
    """Make the direction conjugate to the last and step along both; writes the direction's energy."""
    rows, width = residual.shape[0] - 2, residual.shape[2]
    sums = np.empty((rows, 2, 5))
    share_rows(partial(_dots, weight, residual, directions, sums), rows, width=width)
    lengths = np.empty((2, 3), np.float32)
    if not _lengths(sums, last_energy, energy, lengths):
        return np.nan
    return float(np.max(share_rows(partial(_step, residual, solution, directions, lengths), rows, width=width)))


@njit(cache=True, nogil=True, forceinline=True)
def lone_step(residual, solution, directions, last_energy, energy):  # type: ignore[no-untyped-def]
    """`_advance` within compiled code, on one thread, with rows that weigh the same; False after a breakdown."""
    first, last = np.int64(0), residual.shape[0] - 2  # a literal 0 would be another type, and all compiled again
    alike = np.empty((0, 0), np.float32), np.empty((0, 0), np.float32)
    sums = np.empty((last, 2, 5))
    lengths = np.empty((2, 3), np.float32)
    _dots(alike, residual, directions, sums, first, last)
    possible = _lengths(sums, last_energy, energy, lengths)
    if possible:
        _step(residual, solution, directions, lengths, first, last)
    return possible


@njit(cache=True, nogil=True)
def _lengths(sums, last_energy, energy, lengths):  # type: ignore[no-untyped-def]
    """How far to step along each direction, and whether that is a number.

    Where a direction's energy is not above 0, which only rounding or a bad cycle can bring about, the plane takes the
    cycle's own step and goes on from there.
    """
    for c in range(2):
        left = asked = alone = back = other = 0.0
        for i in range(sums.shape[0]):
            left += sums[i, c, 0]
            asked += sums[i, c, 1]
            alone += sums[i, c, 2]
            back += sums[i, c, 3]
            other += sums[i, c, 4]
        if not np.isfinite(left + asked + alone + back + other):
            return False
        again = _ratio(left, last_energy[c])  # not 0 where the caller changed the residual
        back = _ratio(back, last_energy[c])
        energy[c] = alone - back * other
        lengths[c, 0], lengths[c, 1], lengths[c, 2] = back, _ratio(asked - again * other, energy[c]), again
        if energy[c] <= 0.0:
            energy[c] = 0.0
            lengths[c, 0], lengths[c, 1], lengths[c, 2] = 0.0, 1.0, 0.0
    return True


@njit(cache=True, nogil=True)
def _ratio(above, below):  # type: ignore[no-untyped-def]
    """The quotient above / below, and 0 where there is no direction."""
    return above / below if below >= 1e-300 else 0.0


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def _dots(weight, residual, directions, sums, first, last):  # type: ignore[no-untyped-def]
    """(z', r), (z, r), (z, q), (z', q), (z, q') of each row and plane, weighted.

    r is the residual, z the direction and q its image, z' and q' the last ones.
    """
    visits, pull = weight
    direction, image, last_direction, last_image = directions
    width = residual.shape[2]
    weights = np.ones(width, np.float32)
    for i in range(first, last):
        if visits.shape[0] > 0:
            weigh_row(visits, pull, i, weights[1 : width - 1])
        for c in range(2):
            r, z, q = residual[i + 1, c], direction[i + 1, c], image[i + 1, c]
            last_z, last_q = last_direction[i + 1, c], last_image[i + 1, c]
            s0 = s1 = s2 = s3 = s4 = np.float32(0)
            for j in range(width):
                here, before = weights[j] * z[j], weights[j] * last_z[j]
                s0 += before * r[j]
                s1 += here * r[j]
                s2 += here * q[j]
                s3 += before * q[j]
                s4 += here * last_q[j]
            sums[i, c, 0], sums[i, c, 1], sums[i, c, 2], sums[i, c, 3], sums[i, c, 4] = s0, s1, s2, s3, s4


@njit(cache=True, nogil=True, fastmath=FAST)
def _squares(vector, squares, first, last):  # type: ignore[no-untyped-def]
    """The sum of the squares of each row of both planes."""
    for i in range(first, last):
        total = np.float32(0)
        for c in range(2):
            row = vector[i + 1, c]
            for j in range(row.size):
                total += row[j] * row[j]
        squares[i] = total


@njit(cache=True, nogil=True, forceinline=True)
def _step(residual, solution, directions, lengths, first, last):  # type: ignore[no-untyped-def]
    """Make the direction conjugate to the last, step along both, and return the largest change."""
    direction, image, last_direction, last_image = directions
    change = np.float32(0)
    for i in range(first + 1, last + 1):
        for c in range(2):
            rows = direction[i, c], image[i, c], last_direction[i, c], last_image[i, c]
            most = _step_row(residual[i, c], solution[i, c], rows, lengths[c])
            if not most <= change:
                change = most
    return np.float64(change)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def _step_row(r, x, directions, lengths):  # type: ignore[no-untyped-def]
    """`_step` in one row of one plane."""
    p, q, last_p, last_q = directions
    back, length, again = lengths[0], lengths[1], lengths[2]
    most = np.float32(0)
    for j in range(r.size):
        p[j] -= back * last_p[j]
        q[j] -= back * last_q[j]
        step = length * p[j] + again * last_p[j]
        x[j] += step
        r[j] -= length * q[j] + again * last_q[j]
        most = max(most, abs(step))
    return most
