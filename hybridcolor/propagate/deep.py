"""The deeper levels of a multigrid cycle, walked through in one compiled call.

Small grids cost next to nothing, but a K-cycle visits them some thirty times, and a thread that comes back from a
kernel waits for the interpreter while a window draws. So the levels too small for two threads to share are one call, by
the same kernels; `multigrid` has the others, and says what a cycle is.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.krylov import lone_step
from hybridcolor.propagate.smoothing import ascend, descend
from hybridcolor.threads import LEAST_PIXELS

Planes = NDArray[np.float32]

DEEP = 2 * LEAST_PIXELS
"""Grids of fewer pixels than this are deep."""
MOST_DEEP = math.ceil(math.log2(DEEP))
"""More than there can be, since each has at most some half of the pixels of the one before."""


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


@njit(cache=True, nogil=True)
def solve_deep(grids, steps, inverse, load, answer):  # type: ignore[no-untyped-def]
    """Write an approximate answer to a load of the first grid.

    Parameters
    ----------
    grids : MOST_DEEP of `Grid`
        Of which as many are meant as there are ``steps``.
    steps : (N,) int64
        Krylov steps on each.
    inverse : (n, n) float64
        Of the operator of the coarsest grid, which follows.
    load, answer : (h + 2, 2, w + 2) float32
        The load becomes what is left of it.
    """
    no_weights, no_pull = np.empty((0, 8, 0), np.uint16), np.empty((0, 0), np.float32)
    done = np.zeros(steps.size, np.int64)
    squares = np.zeros((steps.size, 2, 2))
    depth = 0
    arriving = True
    while depth >= 0:
        grid = grids[depth]
        operator, rows = (no_weights, no_pull, grid.visits, grid.rows), (0, grid.rows.shape[0])
        here_load = load if depth == 0 else grids[depth - 1].coarse_load
        here_answer = answer if depth == 0 else grids[depth - 1].coarse_answer
        if arriving:
            here_answer[:] = np.float32(0)
            squares[depth] = 0.0
            done[depth] = 0
        else:
            directions = grid.direction, grid.image, grid.last_direction, grid.last_image
            if done[depth] % 2 == 1:
                directions = grid.last_direction, grid.last_image, grid.direction, grid.image
            x, image = directions[0], directions[1]
            ascend(operator, grid.prolongation, here_load, grid.coarse_answer, grid.swept, (x, image), rows)
            now, before = done[depth] % 2, 1 - done[depth] % 2
            possible = lone_step(here_load, here_answer, directions, squares[depth, before], squares[depth, now])
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
