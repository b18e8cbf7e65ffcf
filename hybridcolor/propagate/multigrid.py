"""Multigrid on the pixel grid: an approximate inverse of q + (1 - q)(I - W) for seeded pixels.

Each coarser operator is the Galerkin product P^T Pi A P, where Pi = diag(pi) and pi is the stationary vector of
W: Pi A has a symmetric part that is a graph Laplacian (see `stationary`), and Galerkin coarsening keeps that. Pi
enters once, in the finest restriction; interpolation does not change when rows are scaled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from hybridcolor.propagate.coarse_pockets import coarse_pockets, correct
from hybridcolor.propagate.coarsening import COARSEST, NO_PULL, NO_ROWS, NO_WEIGHTS, Operator, coarser, dense_couplings
from hybridcolor.propagate.deep import DEEP, Grid, multiply, packed, solve_deep
from hybridcolor.propagate.krylov import ALIKE, RowWeight, conjugate_gradients, norm
from hybridcolor.propagate.pockets import NO_POCKETS, Pockets, find_pockets
from hybridcolor.propagate.smoothing import CHAIN, ascend, descend, prolong
from hybridcolor.propagate.stationary import BALANCED, balance, stationary_vector
from hybridcolor.propagate.stencil import Weights, operator_rows, walk_weights
from hybridcolor.threads import COMPILED, beside, share_rows

STEPS = (2, 1)
"""Krylov steps on the first coarser level and on the second; from the third on they alternate. Two on all of them need
as many steps of the whole and take a fifth longer; one on all but the first needs more on pictures of 5 megapixels."""
GOOD_ENOUGH = 0.25
"""Share of a load that the first of two steps may leave without a second, on levels that threads share. 48 strokes on
six pictures of a megapixel then take a twentieth more steps, each shorter by a fifth."""

Planes = NDArray[np.float32]
Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """What of the solver belongs to a picture alone, whatever its seeds.

    Attributes
    ----------
    weights : (H, 8, W) uint16
        See `walk_weights`.
    visits : (H, W) float32
        See `stationary_vector`.
    pockets : Pockets
    """

    weights: Weights
    visits: Planes
    pockets: Pockets

    @classmethod
    def of(cls, luminance: Planes) -> Walk:
        """The walk on a picture (H, W)."""
        COMPILED.wait()
        weights = walk_weights(luminance)
        rows = operator_rows(weights, np.zeros_like(luminance))
        pockets = beside(partial(find_pockets, rows))
        return cls(weights, stationary_vector(rows), pockets())

    def window(self, rows: slice, columns: slice) -> Walk:
        """Nearly the walk on a part of the picture, without pockets: those are left to the next answer of the whole."""
        weights, visits = self.weights[rows, :, columns], self.visits[rows, columns]
        return Walk(np.ascontiguousarray(weights), np.ascontiguousarray(visits), NO_POCKETS)


@dataclass(slots=True)
class _Level:
    operator: Operator
    prolongation: Planes  # (h' + 2, 9, w' + 2), see `transfer`
    swept: Planes  # (h + 2, 2, w + 2) work space, as all below
    coarse_load: Planes  # (h' + 2, 2, w' + 2)
    coarse_answer: Planes
    work: list[Planes] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Its pixels."""
        return self.operator[2].size

    def grid(self) -> Grid:
        """A coarse level as compiled code takes it."""
        visits, rows = self.operator[2:]
        return Grid(visits, rows, self.prolongation, self.swept, self.coarse_load, self.coarse_answer, *self.work)

    def take(self, grid: Grid) -> None:
        """Have its arrays lie elsewhere."""
        visits, rows, self.prolongation, self.swept, self.coarse_load, self.coarse_answer, *self.work = grid
        self.operator = (NO_WEIGHTS, NO_PULL, visits, rows)

    def part(self, rows: slice, columns: slice) -> Operator:
        """The operator of a window."""
        weights, pull, visits, stored = self.operator
        visits = np.ascontiguousarray(visits[rows, columns])
        if stored.size > 0:
            return weights, pull, visits, np.ascontiguousarray(stored[rows, :, columns])
        weights, pull = np.ascontiguousarray(weights[rows, :, columns]), np.ascontiguousarray(pull[rows, columns])
        return weights, pull, visits, stored


class Hierarchy:
    """Every level of one seeded operator, ready to be applied as an approximate inverse.

    Parameters
    ----------
    walk : Walk
    pull : (H, W) float32
        Pull T of every pixel toward its own colour, 0..inf.
    """

    def __init__(self, walk: Walk, pull: NDArray[np.float32]) -> None:
        self.levels: list[_Level] = []
        self._pockets = walk.pockets
        operator: Operator = (walk.weights, pull, walk.visits, NO_ROWS)
        shape = walk.visits.shape
        while shape[0] * shape[1] > COARSEST or not self.levels:
            prolongation, coarse = coarser(operator)
            swept, shape = padded(shape), (coarse.shape[0], coarse.shape[2])
            self.levels.append(_Level(operator, prolongation, swept, padded(shape), padded(shape)))
            operator = (NO_WEIGHTS, NO_PULL, balance(coarse), coarse)
        for level in self.levels[1:]:
            level.work = [padded(level.operator[2].shape) for _ in range(4)]
        self._coarsest = operator
        self._inverse = _dense_inverse(operator[3])
        self._deep = next((n for n, level in enumerate(self.levels) if n and level.size < DEEP), len(self.levels))
        deep = self.levels[self._deep :]
        self._packed, grids = packed([level.grid() for level in deep])
        for level, grid in zip(deep, grids, strict=True):
            level.take(grid)
        self._find_pockets()
        self._steps = np.array([STEPS[(depth - 1) % 2] for depth in range(self._deep, len(self.levels))])

    @property
    def pull(self) -> NDArray[np.float32]:
        """The pull of every pixel, as it was given last."""
        return self.levels[0].operator[1]

    @property
    def weight(self) -> RowWeight:
        """What makes the rows of the finest level nearly symmetric."""
        _, pull, visits, _ = self.levels[0].operator
        return visits, pull

    def update(self, pull: NDArray[np.float32], window: Window) -> None:
        """Take other pulls, and make the coarser levels anew where a window, which may be empty, affects them."""
        weights, _, visits, stored = self.levels[0].operator
        self.levels[0].operator = (weights, pull, visits, stored)
        rows, columns = window
        if rows.start == rows.stop:
            return
        operators = [*(level.operator for level in self.levels[1:]), self._coarsest]
        for level, following in zip(self.levels, operators, strict=True):
            height, width = level.operator[2].shape
            coarse_height, coarse_width = following[2].shape
            rows, rows_there, fine_rows = _reach(rows, coarse_height, height)
            columns, columns_there, fine_columns = _reach(columns, coarse_width, width)
            prolongation, coarse = coarser(level.part(fine_rows, fine_columns))
            here, there = (rows, slice(None), columns), (rows_there, slice(None), columns_there)
            level.prolongation[1:-1, :, 1:-1][here] = prolongation[1:-1, :, 1:-1][there]
            following[3][here] = coarse[there]
            rows, columns = _balance_anew(following, (rows, columns))
        self._inverse = _dense_inverse(self._coarsest[3])
        self._find_pockets()

    def cycle(self, load: Planes, x: Planes, image: Planes, depth: int = 0) -> None:
        """Write x, an approximate solution of A x = load, and image = A x: one V at this level, below it a K.

        On coarser levels the solver is the same conjugate gradients, a few steps of it (Y. Notay, P. Vassilevski,
        "Recursive Krylov-based multigrid cycles", 2008, doi 10.1002/nla.542): where a coarse operator is hard to
        coarsen further, plain cycles lose more on every level. The finest level ends with the constants of `pockets`.
        """
        level = self.levels[depth]
        height, width = level.operator[2].shape
        swept, coarse = level.swept, level.coarse_answer

        def down(top: int, bottom: int) -> None:
            descend(level.operator, level.prolongation, load, swept, level.coarse_load, (top, bottom))

        def up(top: int, bottom: int) -> None:
            ascend(level.operator, level.prolongation, load, coarse, swept, (x, image), (top, bottom))

        share_rows(down, height, width=width, step=CHAIN)
        self._solve(depth + 1, level.coarse_load, coarse, steps=STEPS[depth % 2])
        share_rows(up, height, width=width, step=CHAIN, again=2 * CHAIN)
        if depth == 0:
            self._pockets.correct(self.pull, load, x, image)
        else:
            correct(self._coarse_pockets, depth - 1, load, x, image)

    def _find_pockets(self) -> None:
        """Those of the coarser levels, anew: seeds that go leave pixels that hold on to others."""
        operators = [level.operator[3] for level in self.levels]
        self._coarse_pockets = coarse_pockets(operators[1 : self._deep])
        self._deep_pockets = coarse_pockets(operators[self._deep :])

    def spread(self, residual: Planes, window: Window, solution: NDArray[np.floating]) -> None:
        """Add to the solution what a residual inside a window asks for everywhere, as the coarser levels see it.

        Parameters
        ----------
        residual : (rows + 2, 2, columns + 2) float32
        window : two slices
            Where it lies; both start at an even pixel.
        solution : (H + 2, 2, W + 2)
            Changed in place.
        """
        level = self.levels[0]
        rows, columns = (slice(side.start // 2, (side.stop + 1) // 2) for side in window)
        prolongation = level.prolongation[rows.start : rows.stop + 2, :, columns.start : columns.stop + 2].copy()
        load = padded((rows.stop - rows.start, columns.stop - columns.start))
        swept = np.zeros_like(residual)
        descend(level.part(*window), prolongation, residual, swept, load, (0, swept.shape[0] - 2))
        level.coarse_load[:] = 0
        level.coarse_load[1:-1, :, 1:-1][rows, :, columns] = load[1:-1, :, 1:-1]
        self._solve(1, level.coarse_load, level.coarse_answer, steps=1)
        prolong(level.prolongation, level.coarse_answer, solution)
        solution[1:-1, :, 1:-1][window[0], :, window[1]] += swept[1:-1, :, 1:-1]

    def _solve(self, depth: int, load: Planes, answer: Planes, *, steps: int) -> None:
        if depth == len(self.levels):
            multiply(self._inverse, load, answer)
            return
        if depth == self._deep:
            self._steps[0] = steps
            solve_deep(self._packed, self._deep_pockets, self._steps, self._inverse, load, answer)
            return
        answer[:] = 0

        def cycle(residual: Planes, x: Planes, image: Planes) -> None:
            self.cycle(residual, x, image, depth)

        enough = GOOD_ENOUGH * norm(load) if steps > 1 else 0.0
        taken = islice(conjugate_gradients(cycle, ALIKE, load, answer, self.levels[depth].work), steps)
        for number, _ in enumerate(taken, start=1):
            if number < steps and norm(load) <= enough:
                break


def padded(shape: tuple[int, int]) -> Planes:
    """Zeros for two planes of a grid, in rows with padding: (h + 2, 2, w + 2)."""
    return np.zeros((shape[0] + 2, 2, shape[1] + 2), np.float32)


def _reach(changed: slice, coarse: int, fine: int) -> tuple[slice, slice, slice]:
    """Along one axis: the coarse pixels that a change of fine ones affects, and the part to make them from.

    ``coarse`` and ``fine`` are the sides of the two grids. Returns those coarse pixels; their place among the part's
    coarse pixels; and the part's fine pixels. The part is wide enough that they come out the same as from the whole.
    """
    inner = slice(max(changed.start // 2 - 3, 0), min(changed.stop // 2 + 4, coarse))
    first, last = max(inner.start - 5, 0), min(inner.stop + 5, coarse)
    return inner, slice(inner.start - first, inner.stop - first), slice(2 * first, min(2 * last, fine))


def _balance_anew(operator: Operator, changed: Window) -> Window:
    """Bring the visits of a stored operator up to date with its rows, which changed in a window.

    Without this the cell of a seed, which no step leaves, would keep its visits when the seed is gone. Returns the
    window in which visits may have changed.
    """
    _, _, visits, stored = operator
    height, width = visits.shape
    rows, columns = _grown(changed[0], height), _grown(changed[1], width)
    across = _grown(columns, width)

    def renew(first: int, last: int) -> None:
        here = slice(rows.start + first, rows.start + last)
        around = _grown(here, height)
        balanced = balance(np.ascontiguousarray(stored[around, :, across]))
        visits[here, columns] = balanced[_within(here, around), _within(columns, across)]

    share_rows(renew, rows.stop - rows.start, width=columns.stop - columns.start)
    return rows, columns


def _grown(side: slice, of: int) -> slice:
    """A range of rows widened by `BALANCED` on both sides, within an axis of ``of`` rows: what its change affects."""
    return slice(max(side.start - BALANCED, 0), min(side.stop + BALANCED, of))


def _within(side: slice, whole: slice) -> slice:
    """A range of rows, counted from the first row of a wider range."""
    return slice(side.start - whole.start, side.stop - whole.start)


def _dense_inverse(operator: Planes) -> NDArray[np.float64]:
    matrix = np.negative(dense_couplings(operator), dtype=np.float64)
    diagonal = operator[:, 4].ravel() - matrix.sum(axis=1)
    np.fill_diagonal(matrix, np.where(diagonal > 0.0, diagonal, 1.0))
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:  # seeds so weak that they are lost in float32
        return np.linalg.pinv(matrix)
