"""Colorization using optimization, solved exactly (Levin, Lischinski and Weiss 2004).

Every pixel's colour is the affinity-weighted mean of its neighbours', pulled to its seed if it has one:

    (I - W + T) x = T s,    T = diag(weight of the seed, 0 where there is none),

a random walk from the pixel that ends at a seed; x is the expected colour of where it ends. A hard seed is the
limit T -> inf. With q = T / (1 + T), each row divided by 1 + T reads, for hard, soft and free pixels alike,

    A x = q s,    A = diag(q) + diag(1 - q) (I - W).

A is not symmetric and is not made so (see `affinity`). It is solved by multigrid-preconditioned conjugate residuals
in float32, started again from the true residual r = q s - A x, found in float64 straight from the luminance. How
fast the changes of x shrink tells the error of x, so the tolerance is in ab units and is for the worst pixel, not for
an average.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Literal, NamedTuple

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from numpy.typing import NDArray

from hybridcolor.errors import ConvergenceError, MethodError, PropagationWarning
from hybridcolor.propagate.affinity import affinity_matrix, system_residual
from hybridcolor.propagate.elimination import eliminate, elimination_work
from hybridcolor.propagate.krylov import Cycle, conjugate_residuals
from hybridcolor.propagate.multigrid import Hierarchy, Walk
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.seeds import Seeds

Solver = Literal["auto", "multigrid", "direct"]

ELIMINATE_BELOW = 2 * 10**7
"""Pictures whose elimination takes fewer multiplications are solved so: 64 x 64, 1 x 2000000."""
FACTOR_BELOW = 600 * 600
"""Where multigrid fails, pictures up to this many pixels are factored; larger ones would need many GB."""
LEAST_TOLERANCE = 1e-10
MOST_RESTARTS = 25
MOST_STEPS = 20
RESTART_AT = 0.05
WORST_RATIO = 0.9999
"""Changes near rounding shrink no more. No iteration worth going on with shrinks its changes more slowly than this."""
KEPT = 9
"""Directions kept beside the last once convergence is slow, for which there is then no better way to spend memory."""
CAUTION, SLOW_CAUTION = 5.0, 20.0
"""So much larger are errors taken to be than changes tell; and where convergence is slow, which hides more."""
SLOW_RESTARTS = 5
"""So many restarts in a row that did not halve the changes are one too many."""


class Solution(NamedTuple):
    """Colours (2, H, W) float64, the largest true residual, and the iterations used."""

    chroma: NDArray[np.float64]
    residual: float
    iterations: int


class Refinement(NamedTuple):
    """A step on the way: the true residual when last looked at, iterations so far, and whether it was the last."""

    residual: float
    iterations: int
    reached: bool


Attempt = Callable[["SeededSystem", float], Solution | None]
"""A solver: solves a system to a tolerance, or returns None if it does not converge."""

Correct = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Approximate solution e (2, H, W) of A e = r."""


@dataclass(frozen=True, slots=True, eq=False)
class SeededSystem:
    """(I - W + T) x = T s: the luminance that makes W, the pull T (inf is hard), and the colours s.

    Attributes
    ----------
    luminance : (H, W) float32
    pull : (H, W) float32
        0 where there is no seed, inf at a hard one.
    target : (2, H, W) float32
    """

    luminance: NDArray[np.float32]
    pull: NDArray[np.float32]
    target: NDArray[np.float32]

    @classmethod
    def of(cls, luminance: NDArray[np.float32], seeds: Seeds, ab: NDArray[np.float32]) -> SeededSystem:
        """The system of ``seeds``, with ``ab`` (N, 2) in place of their own colours."""
        pull = np.zeros(luminance.shape, np.float32)
        target = np.zeros((2, *luminance.shape), np.float32)
        row, column = seeds.coords.T
        pull[row, column] = seeds.weight
        target[:, row, column] = ab.T
        return cls(luminance, pull, target)

    def start(self) -> NDArray[np.float64]:
        """The hard seeds' colours, 0 elsewhere, as (H + 2, 2, W + 2) rows of both planes with padding."""
        chroma = np.zeros((self.pull.shape[0] + 2, 2, self.pull.shape[1] + 2))
        inner(chroma)[...] = np.where(np.isinf(self.pull), self.target, np.float32(0))
        return chroma

    def residual(self, chroma: NDArray[np.float64]) -> NDArray[np.float32]:
        """By how much ab every pixel misses its equation; both arrays padded as in `start`."""
        residual = np.zeros(chroma.shape, np.float32)
        self.fill_residual(chroma, residual)
        return residual

    def fill_residual(self, chroma: NDArray[np.float64], residual: NDArray[np.float32]) -> None:
        """The same into an array at hand."""
        system_residual(self.luminance, self.pull, self.target, chroma, residual)

    def clip(self, colours: NDArray[np.floating]) -> None:
        """Bring (2, H, W) colours into the range of the seeds'; the exact solution is, so it only helps."""
        seeded = self.pull > 0
        for target, plane in zip(self.target, colours, strict=True):
            low = target.min(where=seeded, initial=np.inf)
            high = target.max(where=seeded, initial=-np.inf)
            np.clip(plane, low, high, out=plane)

    def finish(self, chroma: NDArray[np.float64], iterations: int) -> Solution:
        """Clipped colours, with the true residual."""
        self.clip(inner(chroma))
        return Solution(inner(chroma), largest(self.residual(chroma)), iterations)

    def affinity(self) -> sp.csr_array:
        """W in float64."""
        return affinity_matrix(self.luminance)

    def matrix(self) -> sp.csc_array:
        """A in float64, for solvers that need it assembled."""
        affinity = self.affinity()
        pull = self.pull.ravel().astype(np.float64)
        free = 1.0 / (1.0 + pull)
        degree = affinity.sum(axis=1)
        walk = sp.diags_array(free) @ (sp.diags_array(degree) - affinity)
        matrix: sp.csc_array = (sp.diags_array(1.0 - free) + walk).tocsc()
        return matrix


def optimization(
    luminance: NDArray[np.float32], seeds: Seeds, *, tolerance: float = 1.0, solver: Solver = "auto"
) -> Propagation:
    """Levin's colorization: the exact solution of (I - W + T) x = T s.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    seeds : Seeds
        Hard seeds keep their colour; the weight T of a soft seed competes with the neighbours' total of 1.
    tolerance : float, optional
        Largest error wanted at any pixel, in ab units, isolated ones included. It is judged from how fast the
        solver's changes shrink; the mean error is usually several hundred times smaller.
    solver : {"auto", "multigrid", "direct"}, optional
        "direct" factors the matrix: exact, and slow above 0.25 megapixels. "auto" is multigrid, but eliminates
        directly on small and thin pictures.

    Returns
    -------
    Propagation
        Colours lie between the seeds' in each of a* and b*.

    Raises
    ------
    ConvergenceError
        If no solver reaches the tolerance. A wrong answer is never returned.

    References
    ----------
    .. [1] A. Levin, D. Lischinski, Y. Weiss, "Colorization using optimization", ACM Transactions on Graphics
       23(3), 2004. https://doi.org/10.1145/1015706.1015780

    Examples
    --------
    >>> from hybridcolor.seeds import Seeds
    >>> luminance = np.repeat([[20.0, 20.0, 80.0, 80.0]], 3, axis=0).astype(np.float32)
    >>> seeds = Seeds.of([[0, 0], [0, 3]], [[40.0, 0.0], [0.0, 40.0]])
    >>> optimization(luminance, seeds).chroma[2].round().astype(int).tolist()
    [[40, 0], [40, 0], [0, 40], [0, 40]]
    """
    system = SeededSystem.of(luminance, seeds, seeds.ab)
    solution, residual, iterations = solve(system, tolerance=tolerance, solver=solver)
    chroma = np.ascontiguousarray(solution.transpose(1, 2, 0), np.float32)
    return Propagation(chroma, residual, iterations)


def solve(system: SeededSystem, *, tolerance: float, solver: Solver = "auto") -> Solution:
    """Solve a seeded system with at least one seed; see `optimization` for the options."""
    if not tolerance >= LEAST_TOLERANCE:
        raise MethodError(f"tolerance is {tolerance}, expected an error in ab units of at least {LEAST_TOLERANCE}")
    if solver not in ("auto", "multigrid", "direct"):
        raise MethodError(f"solver {solver!r} is unknown; use 'auto', 'multigrid' or 'direct'")
    if solver == "auto" and elimination_work(system.luminance.shape) <= ELIMINATE_BELOW:
        return attempted(system, [_eliminated], tolerance)
    if solver == "direct":
        return attempted(system, [factored], tolerance)
    return attempted(system, [_multigrid, factored if system.luminance.size <= FACTOR_BELOW else gmres], tolerance)


def attempted(system: SeededSystem, attempts: Sequence[Attempt], tolerance: float) -> Solution:
    """What the first attempt finds that finds anything, with a warning if it is not the first.

    Raises
    ------
    ConvergenceError
        If none does.
    """
    for number, attempt in enumerate(attempts):
        if number > 0:
            warnings.warn(
                "the multigrid solver did not converge here; a slower safe solver takes over",
                PropagationWarning,
                stacklevel=4,
            )
        try:
            with np.errstate(all="ignore"):  # an overflow is divergence, which shows
                found = attempt(system, tolerance)
        except (RuntimeError, MemoryError, np.linalg.LinAlgError):  # a singular or too large factorisation
            found = None
        if found is not None:
            return found
    raise ConvergenceError(
        f"the colour equations could not be solved to {tolerance} ab; raise tolerance, or use another method"
    )


def _eliminated(system: SeededSystem, tolerance: float) -> Solution | None:
    chroma = system.start()
    inner(chroma)[...] = eliminate(system.luminance, system.pull, system.target)
    found = Solution(inner(chroma), largest(system.residual(chroma)), 1)
    return found if found.residual <= tolerance else None


class _Watch:
    """Estimates the error that is left from the changes an iteration makes.

    If changes shrink by a factor r, those still to come add up to r / (1 - r) times the last. The worse of the last
    two factors and the larger of the last two changes are taken, since the first step after a restart is short, and
    all that twice, since the factors still rise as the slower errors come to the fore.
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


def _multigrid(system: SeededSystem, tolerance: float) -> Solution | None:
    chroma = system.start()
    iterations = _iterate(system, chroma, tolerance)
    return None if iterations is None else system.finish(chroma, iterations)  # by now the work space is free again


def _iterate(system: SeededSystem, chroma: NDArray[np.float64], tolerance: float) -> int | None:
    """Solve in place. The iterations it took, or None if the error does not keep shrinking."""
    walk = Walk.of(system.luminance)
    relax = partial(walk.pockets.relax, system.pull)
    cycle = Hierarchy(walk, system.pull).cycle
    return iterations_to(refinements(system, cycle, chroma, tolerance=tolerance, relax=relax))


def iterations_to(steps: Iterable[Refinement]) -> int | None:
    """How many iterations it took to reach the tolerance; None if it was not reached."""
    return next((step.iterations for step in steps if step.reached), None)


def refinements(
    system: SeededSystem,
    cycle: Cycle,
    chroma: NDArray[np.float64],
    *,
    tolerance: float,
    relax: Callable[[NDArray[np.float32], NDArray[np.float64]], None] | None = None,
) -> Iterator[Refinement]:
    """Conjugate residuals preconditioned by multigrid in float32, restarted from the true residual now and then.

    Ends when the tolerance is reached, or when the error does not keep shrinking. It is believed to be small only
    after a restart, because an error that is nearly the same everywhere hardly shows in a residual of seven digits.

    Parameters
    ----------
    system : SeededSystem
    cycle : callable
        An approximate inverse of its A; see `conjugate_residuals`.
    chroma : (H + 2, 2, W + 2) float64
        Where to begin, changed in place; its hard seeds must have their colours.
    tolerance : float
        Largest error wanted at any pixel, in ab units.
    relax : callable, optional
        ``relax(residual, chroma)`` improves both in place after every step.
    """
    work = [np.zeros(chroma.shape, np.float32) for _ in range(4)]
    residual = np.zeros(chroma.shape, np.float32)
    watch = _Watch()
    iterations = slow = 0
    first_before = np.inf
    for restart in range(MOST_RESTARTS):
        if slow == 1 and len(work) == 4:
            work += [np.zeros(chroma.shape, np.float32) for _ in range(2 * KEPT)]
        system.fill_residual(chroma, residual)
        missed = largest(residual)
        first = 0.0
        steps = conjugate_residuals(cycle, residual, chroma, work, bold=restart > 0)
        for change, trusted in islice(steps, MOST_STEPS if len(work) == 4 else KEPT + 1):
            if not np.isfinite(change):
                return
            iterations += 1
            error = (CAUTION if len(work) == 4 else SLOW_CAUTION) * watch.error(change)
            if relax is not None:
                relax(residual, chroma)
            reached = restart > 0 and trusted and max(error, missed) <= tolerance
            yield Refinement(missed, iterations, reached)
            if reached:
                return
            first = first or change
            if len(work) == 4 and (change <= RESTART_AT * first or not trusted):
                break
        slow = slow + 1 if first > 0.5 * first_before else 0
        if slow == SLOW_RESTARTS:
            return
        first_before = first


def _refined(system: SeededSystem, correct: Correct, tolerance: float) -> Solution | None:
    """Iterative refinement with the corrections of a safe solver. None if the error does not keep shrinking."""
    chroma = system.start()
    watch = _Watch()
    for iteration in range(1, MOST_RESTARTS + 1):
        residual = system.residual(chroma)
        step = correct(inner(residual).astype(np.float64))
        change = float(np.abs(step).max())
        if not np.isfinite(change):
            return None
        inner(chroma)[...] += step
        error = watch.error(change)
        if iteration > 1 and error <= tolerance and largest(residual) <= tolerance:
            return system.finish(chroma, iteration)
    return None


def factored(system: SeededSystem, tolerance: float) -> Solution | None:
    """SuperLU in float64."""
    factors = spla.splu(system.matrix())

    def correct(residual: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ascontiguousarray(factors.solve(residual.reshape(2, -1).T).T).reshape(residual.shape)

    return _refined(system, correct, tolerance)


def gmres(system: SeededSystem, tolerance: float) -> Solution | None:
    """GMRES with an incomplete factorisation in float64: slow, but needs no coarse levels."""
    matrix = system.matrix()
    factors = spla.spilu(matrix, drop_tol=1e-4, fill_factor=12)
    preconditioner = spla.LinearOperator(matrix.shape, factors.solve)

    def correct(residual: NDArray[np.float64]) -> NDArray[np.float64]:
        step = np.empty(residual.shape)
        for load, out in zip(residual, step, strict=True):
            found, failed = spla.gmres(matrix, load.ravel(), rtol=1e-2, restart=40, maxiter=5, M=preconditioner)
            if failed:
                raise np.linalg.LinAlgError("GMRES did not converge")
            out[...] = found.reshape(load.shape)
        return step

    return _refined(system, correct, tolerance)


def inner(rows: NDArray[Any]) -> NDArray[Any]:
    """The planes (2, H, W) in padded rows, as a view."""
    return rows[1:-1, :, 1:-1].transpose(1, 0, 2)


def largest(values: NDArray[np.floating]) -> float:
    """Largest absolute value, without a copy of all."""
    return float(max(values.max(), -values.min()))
