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

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.errors import MethodError
from hybridcolor.propagate.optimization import Solver, optimization, solve
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.system import SeededSystem
from hybridcolor.seeds import AUTO, Seeds

STEP_VARIANCE = 0.75
"""Variance v along one axis of a step to one of eight neighbours, all equally likely. A pull T toward zero then lets
a correction obey (v / 2) c'' = T c, so it fades by e over sqrt(v / (2 T)) pixels."""
REACH = 8.0
"""How far the smallest corrections carry, as a fraction of the longer side; see `hybrid`."""
LEAST_REACH, NO_FADING = 1e-6, 1e15
"""Least reach that may be asked for, and that from which on nothing fades: between, float32 holds the pull."""
LIKELY_CORRECTION = 20.0
"""m: a correction of this size, in ab units, reaches half as far as the smallest ones. About the CNN's usual error."""
SAME_BRIGHTNESS = 10.0
"""d: where L* differs by this much from the seed's, a correction fades as if the way were 1.4 times as long."""

CLEARLY_OTHER = 20.0
"""An automatic stroke that is farther than this from the prior, in ab units, was given another colour by a person. The
stroke has one colour of the grid's, the prior was brought to size along edges: they differ by more in 2% of photos."""


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

    Returns
    -------
    Propagation

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
    chroma = prior + correction.transpose(1, 2, 0).astype(np.float32)
    hard = seeds.take(np.isinf(seeds.weight))
    chroma[tuple(hard.coords.T)] = hard.ab  # p + (s - p) may round
    return Propagation(chroma, residual, iterations)


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
        If the reach is below `LEAST_REACH`.

    Examples
    --------
    >>> seeds = Seeds.of([[0, 0]], [[20.0, 0.0]])
    >>> system = correction_system(np.full((1, 4), 50, np.float32), seeds, np.zeros((1, 4, 2), np.float32), reach=1.0)
    >>> system.pull.round(3).tolist()
    [[inf, 0.094, 0.094, 0.094]]
    """
    if not reach >= LEAST_REACH:
        raise MethodError(f"reach is {reach}, expected a fraction of the longer side of at least {LEAST_REACH}")
    system = SeededSystem.of(luminance, seeds, seeds.ab - prior[tuple(seeds.coords.T)])
    if len(seeds) and reach < NO_FADING:
        screen = _screen(system, seeds, np.float32(0.5 * STEP_VARIANCE / (reach * max(luminance.shape)) ** 2))
        if trust is not None:
            screen *= trust
        soft = np.isfinite(seeds.weight)
        place = tuple(seeds.coords[soft].T)
        system.target[:, *place] *= system.pull[place] / (system.pull[place] + screen[place])  # see `_screen`
        np.add(system.pull, screen, out=system.pull)
    return system


def without_repetitions(seeds: Seeds, prior: NDArray[np.float32]) -> Seeds:
    """The seeds less the automatic strokes that say, on average, what the prior says.

    Examples
    --------
    >>> seeds = Seeds.of([[0, 0], [0, 1]], [[9.0, 0.0], [30.0, 0.0]], origin=AUTO)
    >>> without_repetitions(seeds, np.zeros((1, 4, 2), np.float32)).ab.tolist()
    [[30.0, 0.0]]
    """
    if not (seeds.origin == AUTO).any():
        return seeds
    _, stroke = np.unique(seeds.stroke, return_inverse=True)
    lacking = (seeds.ab - prior[tuple(seeds.coords.T)]) / np.bincount(stroke)[stroke][:, None]
    mean = [np.bincount(stroke, lacking[:, channel])[stroke] for channel in (0, 1)]
    return seeds.take((seeds.origin != AUTO) | (np.hypot(*mean) > CLEARLY_OTHER))


def _screen(system: SeededSystem, seeds: Seeds, least: np.float32) -> NDArray[np.float32]:
    """The pull R toward zero of every pixel, going by its nearest seed; ``least`` is that of the smallest corrections.

    R is what the module's formula calls T; here T is the seeds' own. Where a soft seed pulls too, both are one pull:
    T s + R 0 = (T + R) (T s / (T + R)).
    """
    places = tuple(seeds.coords.T)
    free = np.ones(system.pull.shape, np.uint8)
    free[places] = 0
    _, nearest = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)
    number = nearest[places]
    farther, brightness = np.ones((2, len(seeds) + 1), np.float32)
    farther[number] = 1 + np.hypot(*system.target[:, *places]) / np.float32(LIKELY_CORRECTION)
    brightness[number] = system.luminance[places]
    screen = np.empty_like(system.pull)
    _fill_screen(system.luminance.ravel(), nearest.ravel(), least * farther**2, brightness, screen.ravel())
    return screen


@njit(cache=True, nogil=True)
def _fill_screen(luminance, number, pull, brightness, screen):  # type: ignore[no-untyped-def]
    for i in range(screen.size):
        other = (luminance[i] - brightness[number[i]]) * np.float32(1 / SAME_BRIGHTNESS)
        screen[i] = pull[number[i]] * (np.float32(1) + other * other)
