"""The deeper levels of a multigrid cycle, walked through in one compiled call.

Small grids cost next to nothing, but a K-cycle visits them some thirty times, and a thread that comes back from a
kernel waits for the interpreter while a window draws. So the levels too small for two threads to share are one call, by
the same kernels; `multigrid` has the others, and says what a cycle is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.coarse_pockets import correct
from hybridcolor.propagate.krylov import lone_step
from hybridcolor.propagate.smoothing import ascend, descend
from hybridcolor.threads import LEAST_PIXELS

Planes = NDArray[np.float32]

DEEP = 2 * LEAST_PIXELS
"""Grids of fewer pixels than this are deep."""


class Grid(NamedTuple):
    """One level as compiled code takes it; see `multigrid`. Padded arrays are (h + 2, channels, w + 2)."""

    visits: Planes
    rows: Planes
    prolongation: Planes
    swept: Planes
    coarse_load: Planes
    coarse_answer: Planes
    direction: Planes
    image: Planes
    last_direction: Planes
    last_image: Planes


class Packed(NamedTuple):
    """Some levels in one array: tuples of arrays would take numba several times as long to compile.

    Attributes
    ----------
    store : (N,) float32
    places : (levels, 10, 4) int64
        Where each array of each `Grid` begins, and its shape; visits as (h, 1, w).
    """

    store: Planes
    places: NDArray[np.int64]


def packed(grids: Sequence[Grid]) -> tuple[Packed, list[Grid]]:
    """Levels copied into one array, and the same levels as views of it.

    Examples
    --------
    >>> grid = Grid(np.ones((2, 3), np.float32), *[np.zeros((4, 2, 5), np.float32)] * 9)
    >>> whole, (view,) = packed([grid])
    >>> view.visits[1, 2] = 7
    >>> whole.store.shape, float(whole.store[5]), view.last_image.shape
    ((366,), 7.0, (4, 2, 5))
    """
    arrays = [array for grid in grids for array in grid]
    starts = np.cumsum([0, *(array.size for array in arrays)])
    store = np.empty(starts[-1], np.float32)
    places = np.empty((len(grids), len(Grid._fields), 4), np.int64)
    views = []
    for place, start, array in zip(places.reshape(-1, 4), starts, arrays, strict=False):
        height, *channels, width = array.shape
        place[:] = start, height, *(channels or [1]), width
        views.append(store[start : start + array.size].reshape(array.shape))
        views[-1][:] = array
    each = len(Grid._fields)
    return Packed(store, places), [Grid(*views[first : first + each]) for first in range(0, len(views), each)]


@njit(cache=True, nogil=True)
def _unpacked(store, place):  # type: ignore[no-untyped-def]
    """One array of `Packed`."""
    start, height, channels, width = place[0], place[1], place[2], place[3]
    return store[start : start + height * channels * width].reshape((height, channels, width))


@njit(cache=True, nogil=True)
def _grid(packed, depth):  # type: ignore[no-untyped-def]
    """One level of `Packed`."""
    store, places = packed.store, packed.places[depth]
    visits = _unpacked(store, places[0]).reshape((places[0, 1], places[0, 3]))
    return Grid(
        visits, _unpacked(store, places[1]), _unpacked(store, places[2]),
        _unpacked(store, places[3]), _unpacked(store, places[4]), _unpacked(store, places[5]),
        _unpacked(store, places[6]), _unpacked(store, places[7]),
        _unpacked(store, places[8]), _unpacked(store, places[9]),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def solve_deep(packed, pockets, steps, inverse, load, answer):  # type: ignore[no-untyped-def]
    """Write an approximate answer to a load of the first grid.

    Parameters
    ----------
    packed : Packed
        N levels, each coarser than the one before.
    pockets : CoarsePockets
        Theirs.
    steps : (N,) int64
        Krylov steps on each.
    inverse : (n, n) float64
        Of the operator of the coarsest grid, which follows.
    load, answer : (h + 2, 2, w + 2) float32
        The load becomes what is left of it.
    """
    no_weights, no_pull = np.empty((0, 8, 0), np.uint16), np.empty((0, 0), np.float32)
    done = np.zeros(steps.size, np.int64)
    energies = np.zeros((steps.size, 2, 2))
    depth = np.int64(0)
    arriving = True
    while depth >= 0:
        grid = _grid(packed, depth)
        operator, rows = (no_weights, no_pull, grid.visits, grid.rows), (np.int64(0), grid.rows.shape[0])
        here_load, here_answer = load, answer
        if depth > 0:
            above = _grid(packed, depth - 1)
            here_load, here_answer = above.coarse_load, above.coarse_answer
        if arriving:
            here_answer[:] = np.float32(0)
            energies[depth] = 0.0
            done[depth] = 0
        else:
            directions = grid.direction, grid.image, grid.last_direction, grid.last_image
            if done[depth] % 2 == 1:
                directions = grid.last_direction, grid.last_image, grid.direction, grid.image
            x, image = directions[0], directions[1]
            ascend(operator, grid.prolongation, here_load, grid.coarse_answer, grid.swept, (x, image), rows)
            correct(pockets, depth, here_load, x, image)
            now, before = done[depth] % 2, 1 - done[depth] % 2
            possible = lone_step(here_load, here_answer, directions, energies[depth, before], energies[depth, now])
            done[depth] += 1
            if done[depth] == steps[depth] or not possible:
                depth -= 1
                continue
        descend(operator, grid.prolongation, here_load, grid.swept, grid.coarse_load, rows)
        arriving = depth + 1 < steps.size
        if arriving:
            depth += 1
        else:
            multiply(inverse, grid.coarse_load, grid.coarse_answer)


@njit(cache=True, nogil=True)
def multiply(inverse, load, answer):  # type: ignore[no-untyped-def]
    """Write the answer to a load, both (h + 2, 2, w + 2), by a stored inverse."""
    height, width = load.shape[0] - 2, load.shape[2] - 2
    for c in range(2):
        for i in range(height * width):
            total = 0.0
            for j in range(height * width):
                total += inverse[i, j] * load[j // width + 1, c, j % width + 1]
            answer[i // width + 1, c, i % width + 1] = total
