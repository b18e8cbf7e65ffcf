"""Colorization using optimization, solved exactly (Levin, Lischinski and Weiss 2004).

Every pixel's colour is the affinity-weighted mean of its neighbours', pulled to its seed if it has one:

    (I - W + T) x = T s,    T = diag(weight of the seed, 0 where there is none),

a random walk from the pixel that ends at a seed; x is the expected colour of where it ends. A hard seed is the
limit T -> inf. With q = T / (1 + T), each row divided by 1 + T reads, for hard, soft and free pixels alike,

    A x = q s,    A = diag(q) + diag(1 - q) (I - W).

A is not symmetric and is not made so (see `affinity`). It is solved by iterative refinement: the residual
r = q s - A x in float64, straight from the luminance; A e = r approximately in float32; x <- x + e. The size of
e estimates the error of x, so the tolerance is in ab units and is for the worst pixel, not for an average.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from numpy.typing import NDArray

from hybridcolor.errors import ConvergenceError, MethodError, PropagationWarning
from hybridcolor.propagate.affinity import affinity_matrix, affinity_planes, system_residual
from hybridcolor.propagate.elimination import eliminate, elimination_work
from hybridcolor.propagate.krylov import bicgstab
from hybridcolor.propagate.multigrid import Hierarchy
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.stationary import stationary_vector
from hybridcolor.seeds import Seeds

Solver = Literal["auto", "multigrid", "direct"]

ELIMINATE_BELOW = 2 * 10**7
"""Pictures whose elimination takes fewer multiplications are solved so: 64 x 64, 1 x 2000000."""
FACTOR_BELOW = 600 * 600
"""Where multigrid fails, pictures up to this many pixels are factored; larger ones would need many GB."""
LEAST_TOLERANCE = 1e-10
MOST_REFINEMENTS = 25
INNER_REDUCTION = 1e-2
INNER_ITERATIONS = 30


class Correction(NamedTuple):
    """An approximate solution e of A e = r, the iterations it took, and whether it is as good as was asked."""

    step: NDArray[np.float64]
    iterations: int
    reached: bool


Correct = Callable[[NDArray[np.float32], int], Correction]
"""Makes a correction from a residual, in so many iterations at most."""


class Refinement(NamedTuple):
    """An answer on its way: colours (2, H, W) float64, largest residual, iterations so far, estimated error."""

    chroma: NDArray[np.float64]
    residual: float
    iterations: int
    error: float

    def within(self, tolerance: float) -> bool:
        """Whether it is good enough; residual and error both count, for either may flatter."""
        return max(self.error, self.residual) <= tolerance


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
        """The hard seeds' colours, and 0 elsewhere."""
        return np.where(np.isinf(self.pull), self.target, np.float32(0)).astype(np.float64)

    def clip(self, chroma: NDArray[Any]) -> None:
        """Bring (2, H, W) chroma into the range of the seeds' colours; the exact solution is, so it only helps."""
        seeded = self.pull > 0
        for colour, plane in zip(self.target, chroma, strict=True):
            low = colour.min(where=seeded, initial=np.inf)
            high = colour.max(where=seeded, initial=-np.inf)
            np.clip(plane, low, high, out=plane)

    def residual(self, chroma: NDArray[np.float64]) -> NDArray[np.float32]:
        """By how much ab every pixel misses its equation."""
        return system_residual(self.luminance, self.pull, self.target, chroma)

    def matrix(self) -> sp.csc_array:
        """A in float64, for solvers that need it assembled."""
        affinity = affinity_matrix(self.luminance)
        pull = self.pull.ravel().astype(np.float64)
        free = 1.0 / (1.0 + pull)
        degree = affinity.sum(axis=1)
        walk = sp.diags_array(free) @ (sp.diags_array(degree) - affinity)
        matrix: sp.csc_array = (sp.diags_array(1.0 - free) + walk).tocsc()
        return matrix


def optimization(
    luminance: NDArray[np.float32], seeds: Seeds, *, tolerance: float = 0.25, solver: Solver = "auto"
) -> Propagation:
    """Levin's colorization: the exact solution of (I - W + T) x = T s.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    seeds : Seeds
        Hard seeds keep their colour; the weight T of a soft seed competes with the neighbours' total of 1.
    tolerance : float, optional
        Largest error wanted at any pixel, in ab units. The mean error is usually a hundred times smaller.
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


def solve(system: SeededSystem, *, tolerance: float, solver: Solver = "auto") -> tuple[NDArray[np.float64], float, int]:
    """Solve a seeded system with at least one seed; see `optimization` for the options.

    Returns
    -------
    (2, H, W) float64, float, int
        The solution, its largest true residual, and the iterations used.
    """
    if not tolerance >= LEAST_TOLERANCE:
        raise MethodError(f"tolerance is {tolerance}, expected an error in ab units of at least {LEAST_TOLERANCE}")
    if solver not in ("auto", "multigrid", "direct"):
        raise MethodError(f"solver {solver!r} is unknown; use 'auto', 'multigrid' or 'direct'")
    pixels = system.luminance.size
    if solver == "auto" and elimination_work(system.luminance.shape) <= ELIMINATE_BELOW:
        found = _eliminated(system, tolerance)
    elif solver == "direct":
        found = _attempt(system, _factored, tolerance)
    else:
        found = _attempt(system, _multigrid, tolerance)
        if found is None:
            warnings.warn(
                "the multigrid solver did not converge on this picture; a slower safe solver takes over",
                PropagationWarning,
                stacklevel=3,
            )
            found = _attempt(system, _factored if pixels <= FACTOR_BELOW else _gmres, tolerance)
    if found is None:
        raise ConvergenceError(
            f"the colour equations could not be solved to {tolerance} ab; raise tolerance, or use another method"
        )
    return found


def _eliminated(system: SeededSystem, tolerance: float) -> tuple[NDArray[np.float64], float, int] | None:
    chroma = eliminate(system.luminance, system.pull, system.target)
    largest = float(np.abs(system.residual(chroma)).max())
    return (chroma, largest, 1) if largest <= tolerance else None


def _attempt(
    system: SeededSystem, prepare: Callable[[SeededSystem], Correct], tolerance: float
) -> tuple[NDArray[np.float64], float, int] | None:
    """Refine with the corrections that ``prepare`` makes. None if they cannot be made or do not converge."""
    try:
        return refine(system, prepare(system), tolerance)
    except (RuntimeError, MemoryError, np.linalg.LinAlgError):  # a singular or too large factorisation
        return None


def refine(system: SeededSystem, correct: Correct, tolerance: float) -> tuple[NDArray[np.float64], float, int] | None:
    """The first refinement within the tolerance. None if the error does not keep shrinking."""
    for answer in refinements(system, correct):
        if answer.within(tolerance):
            system.clip(answer.chroma)
            return answer.chroma, float(np.abs(system.residual(answer.chroma)).max()), answer.iterations
    return None


def refinements(
    system: SeededSystem,
    correct: Correct,
    *,
    start: NDArray[np.float64] | None = None,
    patience: Sequence[int] = (),
    quick: Callable[[NDArray[np.float64]], NDArray[np.float32]] | None = None,
) -> Iterator[Refinement]:
    """Iterative refinement: better and better answers, until the error does not keep shrinking.

    If one correction is e and the one before was e', the error left is about |e| |e| / |e'|; the worse of the
    last two ratios is taken. It is believed only of a correction that was solved for as well as was asked.

    Parameters
    ----------
    system : SeededSystem
    correct : callable
    start : (2, H, W) float64, optional
        Where to begin, overwritten; its hard seeds must have their colours.
    patience : sequence of int, optional
        Iterations at most for each of the first corrections, so that early answers come early.
    quick : callable, optional
        A residual for these early answers. They are not believed, whatever it says.
    """
    chroma = system.start() if start is None else start
    early = system.residual if quick is None else quick
    residual = (early if patience else system.residual)(chroma)
    iterations = 0
    last_change = np.inf
    last_ratio = 0.0
    slow = 0
    for number, most in enumerate((*patience, *(MOST_REFINEMENTS * [INNER_ITERATIONS]))):
        is_early = number + 1 < len(patience)
        step, used, reached = correct(residual, most)
        iterations += used
        change = float(np.abs(step).max())
        if not np.isfinite(change):
            return
        chroma += step
        residual = (early if is_early else system.residual)(chroma)
        ratio = change / last_change if np.isfinite(last_change) and last_change > 0.0 else 1.0
        left = change * min(1.0, max(ratio, last_ratio))
        yield Refinement(
            chroma, float(np.abs(residual).max()), iterations, left if reached and not is_early else np.inf
        )
        slow = slow + 1 if ratio > 0.7 and most == INNER_ITERATIONS else 0
        if slow == 4:
            return
        last_ratio = ratio if np.isfinite(last_change) else 0.0
        last_change = change


def _multigrid(system: SeededSystem) -> Correct:
    rates = affinity_planes(system.luminance)
    return multigrid_corrections(Hierarchy(rates, system.pull, stationary_vector(rates)))


def multigrid_corrections(hierarchy: Hierarchy) -> Correct:
    """Corrections by multigrid-preconditioned BiCGSTAB in float32.

    Each starts from a full multigrid cycle: that sees the error on every scale, also an error that is nearly the
    same everywhere and hardly shows in the residual. One of less than `INNER_ITERATIONS` saves that time.
    """

    def correct(residual: NDArray[np.float32], most: int) -> Correction:
        scale = float(np.abs(residual).max())
        if not 0.0 < scale < np.inf:
            return Correction(residual.astype(np.float64), 0, True)
        load = residual / np.float32(scale)
        with np.errstate(all="ignore"):  # an overflow is divergence, which the caller sees
            step, used, reached = bicgstab(
                hierarchy.apply,
                hierarchy.cycle,
                load,
                start=hierarchy.full_cycle(load) if most in (0, INNER_ITERATIONS) else np.zeros_like(load),
                reduction=INNER_REDUCTION,
                most=most,
            )
        return Correction(step.astype(np.float64) * scale, used, reached)

    return correct


def _factored(system: SeededSystem) -> Correct:
    """Corrections by SuperLU in float64."""
    factors = spla.splu(system.matrix())

    def correct(residual: NDArray[np.float32], _most: int) -> Correction:
        load = residual.reshape(2, -1).astype(np.float64)
        return Correction(np.ascontiguousarray(factors.solve(load.T).T).reshape(residual.shape), 1, True)

    return correct


def _gmres(system: SeededSystem) -> Correct:
    """Corrections by GMRES with an incomplete factorisation in float64: slow, but needs no coarse levels."""
    matrix = system.matrix()
    factors = spla.spilu(matrix, drop_tol=1e-4, fill_factor=12)
    preconditioner = spla.LinearOperator(matrix.shape, factors.solve)

    def correct(residual: NDArray[np.float32], _most: int) -> Correction:
        used = 0

        def count(_: object) -> None:
            nonlocal used
            used += 1

        step = np.empty(residual.shape)
        reached = True
        for plane, out in zip(residual, step, strict=True):
            load = plane.ravel().astype(np.float64)
            found, failed = spla.gmres(
                matrix, load, rtol=1e-2, restart=40, maxiter=5, M=preconditioner, callback=count,
                callback_type="pr_norm",
            )  # fmt: skip
            out[...] = found.reshape(plane.shape)
            reached = reached and failed == 0
        return Correction(step, used, reached)

    return correct
