"""From any start to the solution of a seeded system in steps, with an estimate of the error that is left after each.

Conjugate gradients (`krylov`) do the work, with whatever approximate inverse they are given: the hierarchy of a picture
(`multigrid`) or of a volume (`cycles`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hybridcolor.propagate.krylov import Cycle, Planes, RowWeight, conjugate_gradients
from hybridcolor.propagate.system import SeededSystem, largest

MOST_RENEWALS = 25
"""True residuals that are found before giving up."""
MOST_STEPS = 20
"""Steps by one true residual."""
RENEW_AT = 0.05
"""Once changes are this share of the first by the same residual, a true residual is found."""
WORST_RATIO = 0.9999
"""Changes near rounding shrink no more. No iteration worth going on with shrinks its changes more slowly than this."""
CAUTION = 2.0
"""Factor by which errors are taken to be larger than changes tell."""
CAUTION_SMALL = 4.0
"""The same below `SMALL` pixels, where a step takes next to no time. Of 440 such pages of thin lines with gaps of one
pixel 18 were off by up to 2.3 times the tolerance with 2, none with 4, for a fifth more steps."""
SMALL = 400_000
SINGLE_FROM = 0.1
"""Tolerance from which on W in float32 is true enough: see `system_residual`."""
SLOW_RENEWALS = 5
"""After so many true residuals in a row that did not halve the changes, it is given up."""


class Refinement(NamedTuple):
    """A step on the way: the true residual when last found, iterations so far, and whether the tolerance is reached."""

    residual: float
    iterations: int
    reached: bool


class Watch:
    """Estimates the error that is left from the changes an iteration makes.

    If changes shrink by a factor r, those still to come add up to r / (1 - r) times the last. The worse of the last
    two factors and the larger of the last two changes are taken, since the first step by a new residual is short. The
    caller multiplies this by a caution, since the factors still rise as the slower errors come to the fore.

    Examples
    --------
    >>> watch = Watch()
    >>> [watch.error(change) for change in (8.0, 4.0, 2.0)]  # the last: 4 * 0.5 / (1 - 0.5)
    [inf, 8.0, 4.0]
    """

    def __init__(self) -> None:
        self.changes = [np.inf, np.inf, np.inf]

    def error(self, change: float) -> float:
        """The error left at the worst pixel after a step with the largest change ``change``."""
        if change == 0.0:  # nothing was left to correct; no factor can be told from that
            return 0.0
        self.changes = [*self.changes[1:], change]
        before, last, now = self.changes
        if np.isinf(last):
            return np.inf
        ratio = max(now / max(last, now), last / max(before, last))
        ratio = min(ratio, WORST_RATIO)
        return max(last, now) * ratio / (1.0 - ratio)


def iterations_to(steps: Iterable[Refinement]) -> int | None:
    """How many iterations it took to reach the tolerance; None if it was not reached."""
    return next((step.iterations for step in steps if step.reached), None)


def refinements(
    system: SeededSystem,
    cycle: Cycle,
    weight: RowWeight,
    chroma: NDArray[np.float64],
    *,
    tolerance: float,
    work: list[Planes] | None = None,
) -> Iterator[Refinement]:
    """Conjugate gradients preconditioned by multigrid in float32, whose residual is found anew now and then.

    Ends when the tolerance is reached, or when the error does not keep shrinking. The error is believed to be small
    only once the residual is the true one, because an error that is nearly the same everywhere hardly shows in a
    residual of seven digits. A new residual keeps the last direction, since starting again without it costs a step or
    two.

    Parameters
    ----------
    system : SeededSystem
    cycle, weight
        An approximate inverse of its A, and what makes A nearly symmetric; see `conjugate_gradients`.
    chroma : (H + 2, 2, W + 2) float64
        Where to begin, changed in place; its hard seeds must have their colours.
    tolerance : float
        Largest error wanted at any pixel, in ab units.
    work : list, optional
        Work space: empty, or as an earlier call of this size that did not fail has left it. New memory takes longer.
    """
    kept = [] if work is None else work
    if not kept:
        kept += (np.zeros(chroma.shape, np.float32) for _ in range(5))
    residual, *directions = kept
    steps = conjugate_gradients(cycle, weight, residual, chroma, directions)
    watch, caution = Watch(), CAUTION_SMALL if system.luminance.size < SMALL else CAUTION
    iterations = slow = 0
    first_before = np.inf
    for renewal in range(MOST_RENEWALS):
        system.fill_residual(chroma, residual, single=tolerance >= SINGLE_FROM)
        missed = largest(residual)
        first = 0.0
        for change in islice(steps, MOST_STEPS):
            if not np.isfinite(change):
                return
            iterations += 1
            error = caution * watch.error(change)
            reached = renewal > 0 and max(error, missed) <= tolerance
            yield Refinement(missed, iterations, reached)
            if reached:
                return
            first = first or change
            if change <= RENEW_AT * first:
                break
        slow = slow + 1 if first > 0.5 * first_before else 0
        if slow == SLOW_RENEWALS:
            return
        first_before = first
