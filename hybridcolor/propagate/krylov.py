"""Generalised conjugate residuals, cut to the last direction or the last few.

S. Eisenstat, H. Elman, M. Schultz, "Variational iterative methods for nonsymmetric systems of linear equations", 1983,
doi 10.1137/0720023.

Rows scaled by the stationary vector make the operator nearly symmetric, and for a symmetric one the last direction
is all that matters; then this needs one cycle an iteration and four vectors beside the answer. Where a few errors
resist the cycle, keeping more directions finds them. The residual never grows, and since every direction comes with its
image, the operator is never applied outside a cycle.

Both colour planes share every pass over the operator, which is where the time goes; each has its own scalars, so
they are two independent solves that happen to run in step. All vectors are (h + 2, 2, w + 2), padded by zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import FAST
from hybridcolor.threads import share_rows

Planes = NDArray[np.float32]
Squares = NDArray[np.float64]
Cycle = Callable[[Planes, Planes, Planes], None]


class Step(NamedTuple):
    """What a step did.

    Attributes
    ----------
    change : float
        The largest change of any value; nan or inf after a breakdown.
    length : float
        The step's length as a share of what its cycle asked for; the shorter of both planes'. If it is far below 1, the
        cycle solved another system, or the residual hardly shows the error: the error is nearly the same everywhere, or
        lost in the rounding of float32.
    """

    change: float
    length: float


def conjugate_residuals(
    cycle: Cycle, residual: Planes, solution: NDArray[np.floating], work: list[Planes], *, bold: bool = False
) -> Iterator[Step]:
    """Improve ``solution`` of A x = b step by step, for as long as the caller asks for another.

    Parameters
    ----------
    cycle : callable
        ``cycle(residual, z, image)`` writes an approximate solution z of A z = residual, and A z.
    residual : (h + 2, 2, w + 2) float32
        b - A x; kept up to date in place. Between steps it may be found anew.
    solution : (h + 2, 2, w + 2)
        x, changed in place.
    work : list of (h + 2, 2, w + 2) float32
        Four to go by the last direction, and two more for each direction that is to be kept longer.
    bold : bool, optional
        Take the first step at full length, whatever the residual says. That corrects an error that is nearly the same
        everywhere, and lost in the rounding of the residual.

    Yields
    ------
    Step
    """
    direction, image, last_direction, last_image, *rest = work
    free = list(zip(rest[::2], rest[1::2], strict=True))
    older: list[tuple[Planes, Planes, Squares]] = []
    last_square = np.zeros(2)
    while True:
        cycle(residual, direction, image)
        for kept, kept_image, kept_square in older:
            _conjugate(direction, image, kept, kept_image, kept_square)
        square = np.empty(2)
        directions = direction, image, last_direction, last_image
        step = _advance(residual, solution, directions, last_square, bold, square)
        yield step
        if not np.isfinite(step.change):
            return
        bold = False
        following = last_direction, last_image
        if rest:
            older.append((last_direction, last_image, last_square))
            following = free.pop() if free else older.pop(0)[:2]
        last_direction, last_image, last_square = direction, image, square
        direction, image = following


def _advance(
    residual: Planes,
    solution: NDArray[np.floating],
    directions: tuple[Planes, Planes, Planes, Planes],
    last_square: Squares,
    bold: bool,
    square: Squares,
) -> Step:
    """Make the direction conjugate to the last and step along both; writes the image's square."""
    rows, width = residual.shape[0] - 2, residual.shape[2]
    _, image, _, last_image = directions
    sums = np.empty((rows, 2, 4))
    share_rows(partial(_dots, residual, image, last_image, sums), rows, width=width)
    lengths = np.empty((2, 3), np.float32)
    possible, shortest = _lengths(sums, last_square, bold, square, lengths)
    if not possible:
        return Step(np.nan, 0.0)
    changes = share_rows(partial(_step, residual, solution, directions, lengths), rows, width=width)
    return Step(float(np.max(changes)), shortest)


@njit(cache=True, nogil=True, forceinline=True)
def lone_step(residual, solution, directions, last_square, square):  # type: ignore[no-untyped-def]
    """`_advance` within compiled code, on one thread; False after a breakdown."""
    _, image, _, last_image = directions
    first, last = np.int64(0), residual.shape[0] - 2  # a literal 0 would be another type, and all compiled again
    sums = np.empty((last, 2, 4))
    lengths = np.empty((2, 3), np.float32)
    _dots(residual, image, last_image, sums, first, last)
    possible, _ = _lengths(sums, last_square, False, square, lengths)
    if possible:
        _step(residual, solution, directions, lengths, first, last)
    return possible


@njit(cache=True, nogil=True)
def _lengths(sums, last_square, bold, square, lengths):  # type: ignore[no-untyped-def]
    """How far to step along each direction, whether that is a number, and the shorter of both planes' lengths."""
    shortest = np.inf
    for c in range(2):
        crossed = projected = alone = repeated = 0.0
        for i in range(sums.shape[0]):
            crossed += sums[i, c, 0]
            projected += sums[i, c, 1]
            alone += sums[i, c, 2]
            repeated += sums[i, c, 3]
        if not np.isfinite(crossed + projected + alone + repeated):
            return False, 0.0
        back = _ratio(repeated, last_square[c])
        square[c] = max(alone - back * repeated, 0.0)
        length = 1.0 if bold else _ratio(projected - back * crossed, square[c])
        again = _ratio(crossed, last_square[c])  # not 0 where the caller changed the residual
        lengths[c, 0], lengths[c, 1], lengths[c, 2] = back, length, again
        if alone > 0.0:
            shortest = min(shortest, length)
    return True, shortest


@njit(cache=True, nogil=True)
def _ratio(above, below):  # type: ignore[no-untyped-def]
    """The quotient above / below, and 0 where a plane is already solved."""
    return above / below if below >= 1e-300 else 0.0


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def _dots(residual, image, last_image, sums, first, last):  # type: ignore[no-untyped-def]
    """(r, q'), (r, q), (q, q), (q, q') of each row and plane; r is the residual, q the image and q' the last one."""
    for i in range(first, last):
        for c in range(2):
            r, q, p = residual[i + 1, c], image[i + 1, c], last_image[i + 1, c]
            s0 = s1 = s2 = s3 = np.float32(0)
            for j in range(q.size):
                s0 += r[j] * p[j]
                s1 += r[j] * q[j]
                s2 += q[j] * q[j]
                s3 += q[j] * p[j]
            sums[i, c, 0], sums[i, c, 1], sums[i, c, 2], sums[i, c, 3] = s0, s1, s2, s3


@njit(cache=True, nogil=True, fastmath=FAST)
def _conjugate(direction, image, kept, kept_image, kept_square):  # type: ignore[no-untyped-def]
    """Make a direction conjugate to one that was kept."""
    for c in range(2):
        if kept_square[c] < 1e-300:
            continue
        shared = np.float64(0)
        for i in range(1, image.shape[0] - 1):
            q, k = image[i, c], kept_image[i, c]
            total = np.float32(0)
            for j in range(q.size):
                total += q[j] * k[j]
            shared += total
        back = np.float32(shared / kept_square[c])
        for i in range(1, image.shape[0] - 1):
            p, q, kept_p, kept_q = direction[i, c], image[i, c], kept[i, c], kept_image[i, c]
            for j in range(q.size):
                p[j] -= back * kept_p[j]
                q[j] -= back * kept_q[j]


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
