"""Hybrid: a network's colour everywhere, corrected by seeds.

x = p + c, where p is the prior (a CNN's colour) and the correction c is Levin's propagation of what the prior
lacks at the seeds, s - p, made to fade on its way: away from the seeds (I - W + T) c = 0, with a small pull T
toward zero. How far a correction reaches is in T, and depends on two things:

    T = t (1 + |s - p| / m)^2 (1 + ((L - L_s) / d)^2),

with s, p and L_s those of the pixel's nearest seed. A small correction says that the network is a little off,
and is likely so elsewhere too; a large one says that this thing has another colour than all the network knows, and
stays near what was drawn. And things of another brightness are other things, behind however soft an edge.

Where there are no seeds the prior stays; with enough of them the answer goes to Levin's own. Automatic seeds only
repeat what the prior says, so beside it they have nothing to correct and would stand in a person's way: they
count where they were given another colour. docs/mathematics.md has the derivation and the measurements.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hybridcolor.errors import MethodError
from hybridcolor.propagate.optimization import SeededSystem, Solver, optimization, solve
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.seeds import AUTO, Seeds

STEP_VARIANCE = 0.75
"""Variance v along one axis of a step to one of eight neighbours, all equally likely. A pull T toward zero then lets
a correction obey (v / 2) c'' = T c, so it fades by e over sqrt(v / (2 T)) pixels."""
REACH = 8.0
"""Of the smallest corrections, as a fraction of the longer side."""
LIKELY_CORRECTION = 20.0
"""m: a correction of this size, in ab units, reaches half as far as the smallest ones. About the CNN's usual error."""
SAME_BRIGHTNESS = 10.0
"""d: where L* differs by this much from the seed's, a correction fades as if the way were 1.4 times as long."""

CLEARLY_OTHER = 20.0
"""Ab units between an automatic stroke and the prior from which on it was given another colour. The stroke has one
colour of the grid's, the prior was brought to size along edges: they differ by more in 2% of photos."""


def hybrid(
    luminance: NDArray[np.float32],
    seeds: Seeds,
    *,
    prior: NDArray[np.float32] | None = None,
    trust: NDArray[np.float32] | None = None,
    reach: float = REACH,
    tolerance: float = 1.0,
    solver: Solver = "auto",
) -> Propagation:
    """The prior's colour plus the seeds' correction to it, propagated exactly.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    seeds : Seeds
        A person's hard seeds keep their colour. Automatic ones count where their colour is clearly not the prior's.
    prior : (H, W, 2) float32, optional
        a* and b* that a model proposes. Without it this is `optimization`.
    trust : (H, W) float32, optional
        How firmly the prior holds, 0 (a correction passes freely) to 1 (the default everywhere).
    reach : float, optional
        How far the smallest corrections carry where trust is 1 and the picture is plain, as a fraction of the longer
        side: there they fade by a factor e over this distance. A correction by 20 ab units carries half as far, one
        by 60 a quarter. Trust 1/4 carries each twice as far; ``inf`` turns the fading off.
    tolerance, solver
        As for `optimization`.

    Raises
    ------
    ConvergenceError
        If no solver reaches the tolerance.
    MethodError
        If an option is out of range.

    Examples
    --------
    >>> from hybridcolor.seeds import Seeds
    >>> luminance = np.full((4, 4), 50.0, np.float32)
    >>> prior = np.full((4, 4, 2), 10.0, np.float32)
    >>> hybrid(luminance, Seeds.of([[0, 0]], [[30.0, 10.0]]), prior=prior, reach=np.inf).chroma[3, 3].round(3).tolist()
    [30.0, 10.0]
    """
    if prior is None:
        return optimization(luminance, seeds, tolerance=tolerance, solver=solver)
    seeds = without_repetitions(seeds, prior)
    system = correction_system(luminance, seeds, prior, trust=trust, reach=reach)
    if len(seeds) == 0:
        return Propagation(prior.copy())
    correction, residual, iterations = solve(system, tolerance=tolerance, solver=solver)
    return corrected(prior, Propagation(correction.transpose(1, 2, 0).astype(np.float32), residual, iterations), seeds)


def corrected(prior: NDArray[np.float32], correction: Propagation, seeds: Seeds) -> Propagation:
    """The prior plus its correction, with hard seeds exact: p + (s - p) may round."""
    chroma = prior + correction.chroma
    hard = seeds.take(np.isinf(seeds.weight))
    chroma[tuple(hard.coords.T)] = hard.ab
    return replace(correction, chroma=chroma)


def correction_system(
    luminance: NDArray[np.float32],
    seeds: Seeds,
    prior: NDArray[np.float32],
    *,
    trust: NDArray[np.float32] | None = None,
    reach: float = REACH,
) -> SeededSystem:
    """The equations of the correction c, for seeds `without_repetitions`; see `hybrid` for the parameters.

    Raises
    ------
    MethodError
        If the reach is not above 0.

    Examples
    --------
    >>> seeds = Seeds.of([[0, 0]], [[20.0, 0.0]])
    >>> system = correction_system(np.full((1, 4), 50, np.float32), seeds, np.zeros((1, 4, 2), np.float32), reach=1.0)
    >>> system.pull.round(3).tolist()
    [[inf, 0.094, 0.094, 0.094]]
    """
    if not reach > 0:
        raise MethodError(f"reach is {reach}, expected a fraction of the longer side above 0")
    system = SeededSystem.of(luminance, seeds, seeds.ab - prior[tuple(seeds.coords.T)])
    if len(seeds) and np.isfinite(reach):
        pull = np.float32(0.5 * STEP_VARIANCE / (reach * max(luminance.shape)) ** 2) * _resistance(system)
        _screen(system, pull if trust is None else pull * trust)
    return system


def without_repetitions(seeds: Seeds, prior: NDArray[np.float32]) -> Seeds:
    """The seeds less the automatic strokes that say, on average, what the prior says.

    Examples
    --------
    >>> seeds = Seeds.of([[0, 0], [0, 1]], [[9.0, 0.0], [30.0, 0.0]], origin=AUTO)
    >>> without_repetitions(seeds, np.zeros((1, 4, 2), np.float32)).ab.tolist()
    [[30.0, 0.0]]
    """
    _, stroke = np.unique(seeds.stroke, return_inverse=True)
    lacking = (seeds.ab - prior[tuple(seeds.coords.T)]) / np.bincount(stroke)[stroke][:, None]
    mean = [np.bincount(stroke, lacking[:, channel])[stroke] for channel in (0, 1)]
    return seeds.take((seeds.origin != AUTO) | (np.hypot(*mean) > CLEARLY_OTHER))


def _resistance(system: SeededSystem) -> NDArray[np.float32]:
    """By how much every pixel shortens the reach, squared, going by its nearest seed."""
    seeded = system.pull > 0
    _, number = cv2.distanceTransformWithLabels(
        (~seeded).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    seed = np.zeros(int(number.max()) + 1, np.intp)
    seed[number[seeded]] = np.flatnonzero(seeded)
    size = np.hypot(*system.target).ravel()[seed]
    brightness = system.luminance.ravel()[seed]
    farther = 1 + size[number] / np.float32(LIKELY_CORRECTION)
    other = (system.luminance - brightness[number]) / np.float32(SAME_BRIGHTNESS)
    return np.asarray(farther**2 * (1 + other**2), np.float32)


def _screen(system: SeededSystem, screen: NDArray[np.float32]) -> None:
    """Add a pull of ``screen`` toward zero: T s + R 0 = (T + R) (T s / (T + R))."""
    soft = (system.pull > 0) & np.isfinite(system.pull)
    system.target[:, soft] *= system.pull[soft] / (system.pull[soft] + screen[soft])
    np.add(system.pull, screen, out=system.pull)
