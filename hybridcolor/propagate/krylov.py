"""BiCGSTAB for two colour planes at once (H. van der Vorst, 1992, doi 10.1137/0913035).

Both planes share every pass over the operator, which is where the time goes; each has its own scalars, so
they are two independent solves that happen to run in step.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

Planes = NDArray[np.float32]
Pair = NDArray[np.float64]


def bicgstab(
    apply: Callable[[Planes, Planes], None],
    precondition: Callable[[Planes], Planes],
    load: Planes,
    *,
    start: Planes,
    reduction: float,
    most: int,
) -> tuple[Planes, int, bool]:
    """Solve A x = load until the residual's 2-norm falls to ``reduction`` of the load's.

    Parameters
    ----------
    apply : callable
        ``apply(x, out)`` writes A x.
    precondition : callable
        Approximate inverse of A; its result may be overwritten by its next call.
    load, start : (2, H, W) float32
    reduction : float
        Relative residual wanted, above what float32 can resolve (about 1e-6).
    most : int
        Iterations at most.

    Returns
    -------
    (2, H, W) float32, int, bool
        The best iterate met, whatever happened after it, the iterations used, and whether the residual wanted
        was reached. A breakdown is no error here: the caller judges the answer by its true residual.
    """
    x = start.copy()
    best = x.copy()
    residual = np.empty_like(x)
    apply(x, residual)
    np.subtract(load, residual, out=residual)
    shadow = residual.copy()
    direction = residual.copy()
    image = np.empty_like(x)
    image_of_half = np.empty_like(x)
    goal = reduction * np.sqrt(_dots(load, load))
    rho = _dots(shadow, residual)
    least = np.sqrt(_dots(residual, residual))
    iteration = 0
    while iteration < most and not np.all(least <= goal):
        iteration += 1
        step = precondition(direction).copy()
        apply(step, image)
        alpha = _ratio(rho, _dots(shadow, image))
        _combine(residual, -alpha, image, np.zeros(2), image, np.ones(2))
        half = precondition(residual)
        apply(half, image_of_half)
        omega = _ratio(_dots(image_of_half, residual), _dots(image_of_half, image_of_half))
        _combine(x, alpha, step, omega, half, np.ones(2))
        _combine(residual, -omega, image_of_half, np.zeros(2), image_of_half, np.ones(2))
        norm = np.sqrt(_dots(residual, residual))
        if not np.isfinite(norm).all() or not np.isfinite(omega).all():
            break
        for c in range(2):
            if norm[c] < least[c]:
                best[c] = x[c]
                least[c] = norm[c]
        rho_next = _dots(shadow, residual)
        beta = _ratio(rho_next, rho) * _ratio(alpha, omega)
        rho = rho_next
        _combine(direction, np.ones(2), residual, -beta * omega, image, beta)
    return best, iteration, bool(np.all(least <= goal))


def _ratio(above: Pair, below: Pair) -> Pair:
    """The quotient above / below, and 0 where a plane is already solved."""
    solved = np.abs(below) < 1e-300
    return np.where(solved, 0.0, above / np.where(solved, 1.0, below))


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _dots(first, second):  # type: ignore[no-untyped-def]
    """Inner product of each plane, summed by rows in float64."""
    totals = np.zeros(2)
    for c in range(2):
        for i in range(first.shape[1]):
            row = np.float32(0)
            for j in range(first.shape[2]):
                row += first[c, i, j] * second[c, i, j]
            totals[c] += row
    return totals


@njit(cache=True, nogil=True)
def _combine(y, a, x, b, z, keep):  # type: ignore[no-untyped-def]
    """Write y = a x + b z + keep y, with one scalar of each kind a plane."""
    for c in range(2):
        p = np.float32(a[c])
        q = np.float32(b[c])
        r = np.float32(keep[c])
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                y[c, i, j] = p * x[c, i, j] + q * z[c, i, j] + r * y[c, i, j]
