"""Levin's equations held open: the engines of `optimization` and `hybrid` for a person who draws.

What belongs to the picture is made once. A change of the seeds is first answered roughly everywhere, by the coarser
levels, and well in a window around it, solved with its rim held fixed; then the whole picture is refined from there,
each answer better than the one before, until it is as good as the method's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.elimination import elimination_work
from hybridcolor.propagate.hybrid import REACH, correction_system, hybrid, without_repetitions
from hybridcolor.propagate.krylov import conjugate_gradients
from hybridcolor.propagate.multigrid import Hierarchy, Walk, Window
from hybridcolor.propagate.optimization import ELIMINATE_BELOW, Solver, optimization
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.refinement import refinements
from hybridcolor.propagate.system import SeededSystem, inner
from hybridcolor.seeds import Seeds, changed_pixels

MARGIN = 96
"""Pixels around a change that its preview solves for."""
LARGEST_WINDOW = 400 * 400
"""A change over more pixels than this is previewed by steps over the whole picture."""
PREVIEW_STEPS = 2
ENOUGH = 3
"""Steps after which an answer nearly always looks like the best."""
SOON = 0.3
"""Seconds of refinement before an answer on the way is given, and then again whenever four times as many have gone by.
To make and show one takes as long as two steps; where the best comes sooner, it is worth waiting for."""
OTHER_PULL = 4.0
"""Factor by which a pull must change for the hierarchy to be made anew there."""


class OptimizationState:
    """`optimization` held open; see `hybridcolor.propagate.state.Engine`, and `optimization` for the options."""

    def __init__(self, luminance: NDArray[np.float32], *, tolerance: float = 1.0, solver: Solver = "auto") -> None:
        self._luminance = luminance
        self._tolerance, self._solver = tolerance, solver
        self._seeds = Seeds.empty()
        self._made: SeededSystem | None = self._equations(self._seeds)
        self._solution = self._made.start()
        self._window: Window | None = None  # what is still to be previewed
        self._hierarchy: Hierarchy | None = None
        self._known = self._made.pull  # what the hierarchy's coarser levels were made for
        self._warm = False  # whether the solution is an answer to go on from
        self._work: list[NDArray[np.float32]] = []  # the solver's, from one answer to the next
        self._solved: Propagation | None = None
        self._small = solver == "direct" or elimination_work(luminance.shape) <= ELIMINATE_BELOW
        self._walk: Walk | None = None

    def set_seeds(self, seeds: Seeds) -> None:
        """Take a new set of seeds, and find out where they change."""
        before, self._seeds = self._seeds, self._counted(seeds)
        changed = changed_pixels(before, self._seeds)
        if len(changed):
            self._take_up(_around(changed, MARGIN, self._luminance.shape))

    def preview(self) -> Propagation:
        """The answer in a window around the last change; elsewhere as it was."""
        if self._solved is not None:
            return self._solved
        if self._small or len(self._seeds) == 0:
            return next(self.refine(_never))
        if self._window is not None:
            rows, columns = self._window
            if self._warm and (rows.stop - rows.start) * (columns.stop - columns.start) <= LARGEST_WINDOW:
                self._improve_window(rows, columns)
            else:
                _improve(self._system, self._current_hierarchy(), self._solution, steps=PREVIEW_STEPS)
            self._window, self._warm = None, True
        return self._answer(0.0, 0)

    def refine(self, cancel: Callable[[], bool], /) -> Iterator[Propagation]:
        """Answers of the whole picture, each better than the one before; then what the next stroke will need."""
        if self._solved is None and not self._small and len(self._seeds) > 0:
            system, hierarchy = self._system, self._current_hierarchy()
            if cancel():
                return
            self._window = None
            begun, due = time.perf_counter(), SOON
            cycle, weight = hierarchy.cycle, hierarchy.weight
            for step in refinements(system, cycle, weight, self._solution, tolerance=self._tolerance, work=self._work):
                self._warm = True
                if step.reached:
                    self._solved = self._answer(step.residual, step.iterations)
                    break
                elapsed = time.perf_counter() - begun
                if step.iterations >= ENOUGH and elapsed > due:
                    due = 4 * elapsed
                    yield self._answer(step.residual, step.iterations)
                if cancel():
                    return
            else:
                self._solution, self._warm = system.start(), False  # what diverged is nothing to go on from
                self._work.clear()
        if self._solved is None:
            self._solved = self._from_scratch()
        yield self._solved
        if not self._small and not cancel():
            self._current_walk()

    def _take_up(self, window: Window) -> None:
        """Note a change inside a window; the solution stays, as a start for the next."""
        self._window = _joined(self._window, window)
        self._made = self._solved = None

    @property
    def _system(self) -> SeededSystem:
        """The equations, made when they are asked for: another prior often comes with other seeds."""
        if self._made is None:
            self._made = self._equations(self._seeds)
            row, column = self._seeds.coords[np.isinf(self._seeds.weight)].T
            inner(self._solution)[:, row, column] = self._made.target[:, row, column]
        return self._made

    def _counted(self, seeds: Seeds) -> Seeds:
        """The seeds that count in the equations."""
        return seeds

    def _equations(self, seeds: Seeds) -> SeededSystem:
        return SeededSystem.of(self._luminance, seeds, seeds.ab)

    def _answer(self, residual: float, iterations: int) -> Propagation:
        chroma = self._system.picture(self._solution, self._base())
        hard = self._seeds.take(np.isinf(self._seeds.weight))
        chroma[tuple(hard.coords.T)] = hard.ab  # prior plus correction may round
        return Propagation(chroma, residual, iterations)

    def _base(self) -> NDArray[np.float32]:
        """What the solution is added to."""
        return np.zeros((*self._luminance.shape, 2), np.float32)

    def _from_scratch(self) -> Propagation:
        """The method itself, which has slower, safe solvers to fall back on."""
        return optimization(self._luminance, self._seeds, tolerance=self._tolerance, solver=self._solver)

    def _current_hierarchy(self) -> Hierarchy:
        """The hierarchy of the seeds as they are, made anew only where they pull clearly otherwise than before.

        It only has to bring every step nearer to the answer; whether the answer is reached is measured without it.
        """
        pull = self._system.pull
        if self._hierarchy is None:
            self._hierarchy, self._known = Hierarchy(self._current_walk(), pull), pull.copy()
        elif self._hierarchy.pull is not pull:
            first, last = _otherwise(pull, self._known)
            window = slice(first[0], last[0]), slice(first[1], last[1])
            self._hierarchy.update(pull, window)
            self._known[window] = pull[window]
        return self._hierarchy

    def _current_walk(self) -> Walk:
        """What belongs to the picture alone: made after the first answer without a seed, which needs none of it."""
        if self._walk is None:
            self._walk = Walk.of(self._luminance)
        return self._walk

    def _improve_window(self, rows: slice, columns: slice) -> None:
        """Solve for what lies inside a window, with its rim held where the coarser levels bring it."""
        hierarchy = self._current_hierarchy()
        system, solution = self._held_window(rows, columns)
        hierarchy.spread(system.residual(solution), (rows, columns), self._solution)
        system, solution = self._held_window(rows, columns)
        walk = self._current_walk().window(rows, columns)
        _improve(system, Hierarchy(walk, system.pull), solution, steps=PREVIEW_STEPS)
        inner(self._solution)[:, rows, columns] = inner(solution)

    def _held_window(self, rows: slice, columns: slice) -> tuple[SeededSystem, NDArray[np.float64]]:
        """The equations inside a window with its rim held where it is, and the solution there, padded."""
        here = (rows, columns)
        solution = self._solution[rows.start : rows.stop + 2, :, columns.start : columns.stop + 2].copy()
        pull, target = self._system.pull[here].copy(), self._system.target[:, rows, columns].copy()
        rim = np.zeros(pull.shape, bool)
        rim[0], rim[-1] = rows.start > 0, rows.stop < self._luminance.shape[0]
        rim[:, 0] |= columns.start > 0
        rim[:, -1] |= columns.stop < self._luminance.shape[1]
        pull[rim] = np.inf
        target[:, rim] = inner(solution)[:, rim]
        return SeededSystem(np.ascontiguousarray(self._luminance[here]), pull, target), solution


def _never() -> bool:
    """For `refine`, when nobody cancels."""
    return False


def _improve(system: SeededSystem, hierarchy: Hierarchy, chroma: NDArray[np.float64], *, steps: int) -> None:
    """Take some steps, in place, without finding out how far they get."""
    work = [np.zeros(chroma.shape, np.float32) for _ in range(4)]
    cycle, weight = hierarchy.cycle, hierarchy.weight
    for _ in islice(conjugate_gradients(cycle, weight, system.residual(chroma), chroma, work), steps):
        pass


class HybridState(OptimizationState):
    """`hybrid` held open; see `hybridcolor.propagate.state.Engine`, and `hybrid` for the options."""

    def __init__(
        self,
        luminance: NDArray[np.float32],
        *,
        prior: NDArray[np.float32] | None = None,
        trust: NDArray[np.float32] | None = None,
        reach: float = REACH,
        tolerance: float = 1.0,
        solver: Solver = "auto",
    ) -> None:
        self._prior, self._trust, self._reach = prior, trust, reach
        self._given = Seeds.empty()
        super().__init__(luminance, tolerance=tolerance, solver=solver)

    def set_seeds(self, seeds: Seeds) -> None:
        """Take a new set of seeds, and find out where they change."""
        self._given = seeds
        super().set_seeds(seeds)

    def set_prior(self, prior: NDArray[np.float32]) -> None:
        """Take another prior, such as that of a network that has heard the last stroke."""
        self._prior = prior
        self._seeds = self._counted(self._given)
        rows, columns = self._luminance.shape
        self._take_up((slice(0, rows), slice(0, columns)))

    def _counted(self, seeds: Seeds) -> Seeds:
        return seeds if self._prior is None else without_repetitions(seeds, self._prior)

    def _equations(self, seeds: Seeds) -> SeededSystem:
        if self._prior is None:
            return super()._equations(seeds)
        return correction_system(self._luminance, seeds, self._prior, trust=self._trust, reach=self._reach)

    def _base(self) -> NDArray[np.float32]:
        return super()._base() if self._prior is None else self._prior

    def _from_scratch(self) -> Propagation:
        return hybrid(
            self._luminance,
            self._seeds,
            prior=self._prior,
            trust=self._trust,
            reach=self._reach,
            tolerance=self._tolerance,
            solver=self._solver,
        )


def _around(pixels: NDArray[np.int32], margin: int, shape: tuple[int, ...]) -> Window:
    """The rectangle around some pixels with a margin, inside the picture; its start is even, for `Hierarchy.spread`."""
    first = np.maximum(pixels.min(axis=0) - margin, 0) // 2 * 2
    last = np.minimum(pixels.max(axis=0) + margin + 1, shape)
    return slice(int(first[0]), int(last[0])), slice(int(first[1]), int(last[1]))


@njit(cache=True, nogil=True)
def _otherwise(pull, known):  # type: ignore[no-untyped-def]
    """The rectangle around all pixels whose pull clearly differs from what is known: its first corner, and its end."""
    left, right = pull.shape[1], 0
    top, bottom = pull.shape[0], 0
    factor = np.float32(OTHER_PULL)
    for i in range(pull.shape[0]):
        for j in range(pull.shape[1]):
            if pull[i, j] > factor * known[i, j] or known[i, j] > factor * pull[i, j]:
                left, right = min(left, j), max(right, j + 1)
                top, bottom = min(top, i), i + 1
    return (min(top, bottom), min(left, right)), (bottom, right)


def _joined(first: Window | None, second: Window) -> Window:
    """The rectangle around both."""
    if first is None:
        return second
    rows, columns = (slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(first, second, strict=True))
    return rows, columns
