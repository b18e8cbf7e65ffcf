"""Colorization using optimization, solved exactly (Levin, Lischinski and Weiss 2004).

Every pixel's colour is the affinity-weighted mean of its neighbours', pulled to its seed if it has one:

    (I - W + T) x = T s,    T = diag(weight of the seed, 0 where there is none),

a random walk from the pixel that ends at a seed; x is the expected colour of where it ends. A hard seed is the
limit T -> inf. With q = T / (1 + T), each row divided by 1 + T reads, for hard, soft and free pixels alike,

    A x = q s,    A = diag(q) + diag(1 - q) (I - W).

A is not symmetric and is not made so (see `affinity`). It is solved by multigrid-preconditioned conjugate gradients
in float32, started again from the true residual r = q s - A x, found in float64 straight from the luminance. How
fast the changes of x shrink tells the error of x, so the tolerance is in ab units and is for the worst pixel, not for
an average.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hybridcolor.errors import ConvergenceError, MethodError, PropagationWarning
from hybridcolor.propagate.elimination import eliminate, elimination_work
from hybridcolor.propagate.factorization import factored, fits
from hybridcolor.propagate.grouping import grouped
from hybridcolor.propagate.lattice import Lattice
from hybridcolor.propagate.multigrid import Hierarchy, Walk
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.refinement import iterations_to, refinements
from hybridcolor.propagate.system import SeededSystem, Solution, inner, largest
from hybridcolor.seeds import Seeds

Solver = Literal["auto", "multigrid", "direct"]

ELIMINATE_BELOW = 2 * 10**7
"""Pictures whose elimination takes no more multiplications than this are eliminated: 64 x 64, 1 x 2000000."""
LEAST_TOLERANCE = 1e-10
"""Smallest tolerance that may be asked for, in ab units."""
Attempt = Callable[[SeededSystem, float], Solution | None]
"""A solver: solves a system to a tolerance, or returns None if it does not converge."""


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
        "direct" factors the matrix, which takes 9 s and 2 GB at a megapixel. "auto" is multigrid, but eliminates
        directly on small and thin pictures, and factors where multigrid fails.

    Returns
    -------
    Propagation
        Colours lie between the seeds' in each of a* and b*.

    Raises
    ------
    ConvergenceError
        If no solver reaches the tolerance.
    MethodError
        If the tolerance or the solver is unfit.

    Warns
    -----
    PropagationWarning
        If multigrid does not converge, and a slower safe solver takes over.

    Notes
    -----
    An area that a walk leaves once in millions of steps, and where nobody drew, may be off by more than the tolerance,
    unnoticed; of 1,030 answers that were checked none was. "direct" finds it. So may be what soft seeds of a weight
    below 1e-5 alone hold: such weights are hardly told from none.

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
    """Solve a seeded system with at least one seed; see `optimization` for the options and what is raised."""
    if not tolerance >= LEAST_TOLERANCE:
        raise MethodError(f"tolerance is {tolerance}, expected an error in ab units of at least {LEAST_TOLERANCE}")
    if solver not in ("auto", "multigrid", "direct"):
        raise MethodError(f"solver {solver!r} is unknown; use 'auto', 'multigrid' or 'direct'")
    if solver == "auto" and elimination_work(system.luminance.shape) <= ELIMINATE_BELOW:
        return attempted(system, [_eliminated], tolerance)
    if solver == "direct":
        return attempted(system, [factored], tolerance)
    return attempted(system, [_multigrid, factored if fits(system.luminance.size) else by_groups], tolerance)


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


def _multigrid(system: SeededSystem, tolerance: float) -> Solution | None:
    chroma = system.start()
    iterations = _iterate(system, chroma, tolerance)
    return None if iterations is None else system.finish(chroma, iterations)  # by now the work space is free again


def _iterate(system: SeededSystem, chroma: NDArray[np.float64], tolerance: float) -> int | None:
    """Solve in place. The iterations it took, or None if the error does not keep shrinking."""
    hierarchy = Hierarchy(Walk.of(system.luminance), system.pull)
    return iterations_to(refinements(system, hierarchy.cycle, hierarchy.weight, chroma, tolerance=tolerance))


def by_groups(system: SeededSystem, tolerance: float) -> Solution | None:
    """Slow, but needs no coarser grids, and below 200 bytes a pixel (measured at 1 megapixel)."""
    return grouped(Lattice.of(system.luminance.shape), system, tolerance)
