"""Levin's equations held open: the engines of `optimization` and `hybrid` for a person who draws.

What belongs to the picture is made once: W and its stationary vector. A change of the seeds is first answered in a
window around it, solved with the old answer held fixed on the window's rim; then the whole picture is refined from
there, each answer about ten times better than the one before, until it is as good as the method's own.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import affinity_planes, planes_residual
from hybridcolor.propagate.elimination import elimination_work
from hybridcolor.propagate.hybrid import REACH, corrected, correction_system, hybrid, without_repetitions
from hybridcolor.propagate.multigrid import Hierarchy
from hybridcolor.propagate.optimization import (
    ELIMINATE_BELOW,
    INNER_ITERATIONS,
    Correction,
    SeededSystem,
    Solver,
    multigrid_corrections,
    optimization,
    refinements,
)
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.stationary import stationary_vector
from hybridcolor.seeds import Seeds, changed_pixels

MARGIN = 96
"""Pixels around a change that its preview solves for."""
LARGEST_WINDOW = 512 * 512
"""A change over more pixels than this is previewed by one cycle over the whole picture."""
PREVIEW_ITERATIONS = 2
PATIENCE = (1, 2, 4)
"""Iterations before the first answers of a refinement."""

Window = tuple[slice, slice]


class OptimizationState:
    """`optimization` held open; see `hybridcolor.propagate.state.Engine`, and `optimization` for the options."""

    _pulls_everywhere = False  # whether a stroke changes the pull of pixels far from it

    def __init__(self, luminance: NDArray[np.float32], *, tolerance: float = 0.25, solver: Solver = "auto") -> None:
        self._luminance = luminance
        self._tolerance, self._solver = tolerance, solver
        self._seeds = Seeds.empty()
        self._system = self._equations(self._seeds)
        self._solution = self._system.start()
        self._changed: Window | None = None  # what the hierarchy does not know of yet
        self._window: Window | None = None  # what is still to be previewed
        self._hierarchy: Hierarchy | None = None
        self._exact = False  # whether its coarse levels are as if made anew
        self._warm = False  # whether the solution is an answer to go on from
        self._solved: Propagation | None = None
        self._small = solver == "direct" or elimination_work(luminance.shape) <= ELIMINATE_BELOW
        if not self._small:
            self._rates = affinity_planes(luminance)
            self._visits = stationary_vector(self._rates)

    def set_seeds(self, seeds: Seeds) -> None:
        """Take a new set of seeds, and find out where they change."""
        before, self._seeds = self._seeds, self._counted(seeds)
        changed = changed_pixels(before, self._seeds)
        if len(changed) == 0:
            return
        self._changed = _joined(self._changed, _around(changed, 0, self._luminance.shape))
        self._window = _joined(self._window, _around(changed, MARGIN, self._luminance.shape))
        self._system = self._equations(self._seeds)
        self._solved = None
        hard = np.isinf(self._system.pull)
        self._solution[:, hard] = self._system.target[:, hard]

    def preview(self) -> Propagation:
        """The answer in a window around the last change; elsewhere as it was."""
        if self._small or len(self._seeds) == 0:
            *_, answer = self.refine()
            return answer
        if self._window is not None:
            rows, columns = self._window
            if self._warm and (rows.stop - rows.start) * (columns.stop - columns.start) <= LARGEST_WINDOW:
                self._solve_window(rows, columns)
            else:
                self._solution += self._correct(self._quick_residual(self._solution), 0).step
            self._window, self._warm = None, True
        return self._answer(0.0, 0)

    def refine(self) -> Iterator[Propagation]:
        """Answers of the whole picture, each better than the one before."""
        if self._solved is None and not self._small and len(self._seeds) > 0:
            system, self._window = self._system, None
            for step in refinements(
                system,
                self._correct,
                start=self._solution,
                patience=PATIENCE if self._warm else (),
                quick=self._quick_residual,
            ):
                answer = self._answer(step.residual, step.iterations)
                self._warm = True
                if step.within(self._tolerance):
                    self._solved = answer
                    break
                yield answer
                if self._system is not system:
                    return
            else:
                self._solution, self._warm = system.start(), False  # what diverged is nothing to go on from
        if self._solved is None:
            self._solved = self._from_scratch()
        yield self._solved

    def _counted(self, seeds: Seeds) -> Seeds:
        """The seeds that take part."""
        return seeds

    def _equations(self, seeds: Seeds) -> SeededSystem:
        return SeededSystem.of(self._luminance, seeds, seeds.ab)

    def _answer(self, residual: float, iterations: int) -> Propagation:
        planes = self._solution.astype(np.float32)
        self._system.clip(planes)
        return Propagation(np.ascontiguousarray(planes.transpose(1, 2, 0)), residual, iterations)

    def _from_scratch(self) -> Propagation:
        """The method itself, which has slower, safe solvers to fall back on."""
        return optimization(self._luminance, self._seeds, tolerance=self._tolerance, solver=self._solver)

    def _quick_residual(self, solution: NDArray[np.float64]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = planes_residual(self._rates, self._system.pull, self._system.target, solution)
        return found

    def _correct(self, residual: NDArray[np.float32], most: int) -> Correction:
        """A correction; one of a few iterations makes do with a hierarchy that was only brought up to date."""
        if self._hierarchy is None or (most == INNER_ITERATIONS and not self._exact):
            self._hierarchy, self._exact = Hierarchy(self._rates.copy(), self._system.pull, self._visits), True
        elif self._changed is not None:
            self._hierarchy.update(self._rates, self._system.pull, self._visits, self._changed)
            self._exact = self._exact and not self._pulls_everywhere
        self._changed = None
        return multigrid_corrections(self._hierarchy)(residual, most)

    def _solve_window(self, rows: slice, columns: slice) -> None:
        """Solve for what lies inside the window, with its rim held where it is."""
        here = (rows, columns)
        luminance = np.ascontiguousarray(self._luminance[here])
        solution = np.ascontiguousarray(self._solution[:, rows, columns])
        pull, target = self._system.pull[here].copy(), self._system.target[:, rows, columns].copy()
        rim = np.zeros(pull.shape, bool)
        rim[0], rim[-1] = rows.start > 0, rows.stop < self._luminance.shape[0]
        rim[:, 0] |= columns.start > 0
        rim[:, -1] |= columns.stop < self._luminance.shape[1]
        pull[rim] = np.inf
        target[:, rim] = solution[:, rim]
        system = SeededSystem(luminance, pull, target)
        hierarchy = Hierarchy(affinity_planes(luminance), pull, np.ascontiguousarray(self._visits[here]))
        correct = multigrid_corrections(hierarchy)
        step = correct(system.residual(solution), PREVIEW_ITERATIONS).step
        self._solution[:, rows, columns] += step


class HybridState(OptimizationState):
    """`hybrid` held open; see `hybridcolor.propagate.state.Engine`, and `hybrid` for the options."""

    def __init__(
        self,
        luminance: NDArray[np.float32],
        *,
        prior: NDArray[np.float32] | None = None,
        trust: NDArray[np.float32] | None = None,
        reach: float = REACH,
        tolerance: float = 0.25,
        solver: Solver = "auto",
    ) -> None:
        self._prior, self._trust, self._reach = prior, trust, reach
        self._pulls_everywhere = prior is not None
        super().__init__(luminance, tolerance=tolerance, solver=solver)

    def _counted(self, seeds: Seeds) -> Seeds:
        return seeds if self._prior is None else without_repetitions(seeds, self._prior)

    def _equations(self, seeds: Seeds) -> SeededSystem:
        if self._prior is None:
            return super()._equations(seeds)
        return correction_system(self._luminance, seeds, self._prior, trust=self._trust, reach=self._reach)

    def _answer(self, residual: float, iterations: int) -> Propagation:
        answer = super()._answer(residual, iterations)
        return answer if self._prior is None else corrected(self._prior, answer, self._seeds)

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
    """The rectangle of some pixels and a margin, inside the picture."""
    first, last = np.maximum(pixels.min(axis=0) - margin, 0), np.minimum(pixels.max(axis=0) + margin + 1, shape)
    return slice(int(first[0]), int(last[0])), slice(int(first[1]), int(last[1]))


def _joined(first: Window | None, second: Window) -> Window:
    """The rectangle around both."""
    if first is None:
        return second
    rows, columns = (slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(first, second, strict=True))
    return rows, columns
