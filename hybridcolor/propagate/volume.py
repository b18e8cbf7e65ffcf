"""Levin's colorization of films and volumes: time, or depth, as one more axis of the window.

Levin, Lischinski and Weiss (2004) colour a film as they colour a picture, with a window that also spans the frames
before and after. The equations are those of `optimization`, on an array of any number of axes:

    (I - W + T) x = T s.

A few marked frames so colour the others, through what is alike in both. The system is solved as there, with a check
against a float64 residual, but the multilevel hierarchy groups voxels by how strongly they are linked (`aggregation`)
and knows nothing of axes. It takes about 250 bytes a voxel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from hybridcolor.errors import ImageError, MethodError, SeedError
from hybridcolor.propagate.elimination import eliminate
from hybridcolor.propagate.factorization import factored
from hybridcolor.propagate.grouping import gcrot, grouped
from hybridcolor.propagate.lattice import Lattice, affinity_rows, lattice_residual
from hybridcolor.propagate.optimization import LEAST_TOLERANCE, attempted
from hybridcolor.propagate.registry import checked_values
from hybridcolor.propagate.system import SeededSystem, Solution, inner, largest

MOST_AXES = 3
FACTOR_BELOW = 20_000
"""Where multigrid fails, volumes up to this many voxels are factored: 3 s and 0.4 GB, growing by the square."""


@dataclass(frozen=True, slots=True, eq=False)
class VolumePropagation:
    """The colour of every voxel, and how it was reached.

    Attributes
    ----------
    chroma : (..., 2) float32
        a* and b* of every voxel.
    residual : float
        Largest amount, in ab units, by which a voxel misses its equation.
    iterations : int
        Iterations the solver took.
    """

    chroma: NDArray[np.float32]
    residual: float
    iterations: int


@dataclass(frozen=True, slots=True, eq=False)
class _System(SeededSystem):
    """The equations of a volume, laid out as a picture: a row for every line along the last axis."""

    lattice: Lattice

    def fill_residual(
        self,
        chroma: NDArray[np.float64],
        residual: NDArray[np.float32],
        *,
        single: bool = False,  # noqa: ARG002
    ) -> None:
        """Write how far every voxel is from its equation, in ab units; W is in float64 always."""
        flat = np.ascontiguousarray(inner(chroma)).reshape(2, -1)
        target = self.target.reshape(2, -1)
        found = lattice_residual(self.luminance.ravel(), self.lattice, self.pull.ravel(), target, flat)
        inner(residual)[...] = found.reshape(self.target.shape)

    def affinity(self) -> sp.csr_array:
        """W in float64."""
        rows = affinity_rows(self.luminance, self.lattice).astype(np.float64)
        voxel, step = np.nonzero(rows)
        entries = (voxel, voxel + self.lattice.offsets[step])
        return sp.coo_array((rows[voxel, step], entries), shape=(len(rows), len(rows))).tocsr()


def propagate_volume(
    luminance: ArrayLike,
    coords: ArrayLike,
    ab: ArrayLike,
    *,
    weight: ArrayLike = np.inf,
    spacing: Sequence[float] | None = None,
    tolerance: float = 1.0,
) -> VolumePropagation:
    """Give every voxel of a film or volume a colour, from some voxels of known colour.

    To propagate a correction to colours ``prior`` that a model proposes, as "hybrid" does for pictures: give
    ``ab - prior[tuple(coords.T)]`` and add ``prior`` to the result.

    Parameters
    ----------
    luminance : (frames, rows, columns) array-like
        L* in 0..100. One or two axes are possible too.
    coords : (N, axes) array-like of int
        Seeds: frame, row and column of each. Where a voxel is given twice, the last one holds.
    ab : (N, 2) or (2,) array-like
        Colour of each seed, or one for all.
    weight : float or (N,) array-like, optional
        T of each seed in (0, inf]: inf is hard, a finite one competes with the neighbours' total of 1.
    spacing : sequence of float, optional
        Distance of neighbours along each axis, in any unit; equal by default. Neighbours further apart are linked
        more weakly, by the square: thick slices, and frames between which much moves.
    tolerance : float, optional
        Largest error wanted at any voxel, in ab units. The mean error is usually a hundred times smaller.

    Returns
    -------
    VolumePropagation
        Colours lie between the seeds' in each of a* and b*.

    Raises
    ------
    ImageError
        If the luminance has a wrong shape or value.
    SeedError
        If there is no seed, or one is malformed or outside.
    MethodError
        If the spacing or the tolerance is unfit.
    ConvergenceError
        If the tolerance cannot be reached.

    Warns
    -----
    PropagationWarning
        If multigrid alone does not converge, and a slower safe solver takes over.

    References
    ----------
    .. [1] A. Levin, D. Lischinski, Y. Weiss, "Colorization using optimization", ACM Transactions on Graphics
       23(3), 2004. https://doi.org/10.1145/1015706.1015780

    Examples
    --------
    A dark square moves over a bright ground; colours in the first frame reach the last.

    >>> film = np.full((4, 8, 8), 80.0)
    >>> for t in range(4):
    ...     film[t, 3:6, t + 1 : t + 4] = 30.0
    >>> result = propagate_volume(film, [[0, 4, 2], [0, 0, 0]], [[40.0, 30.0], [0.0, -20.0]])
    >>> result.chroma[3, 4, 5].round().tolist(), result.chroma[3, 7, 0].round().tolist()
    ([39.0, 28.0], [1.0, -19.0])
    """
    if not tolerance >= LEAST_TOLERANCE:
        raise MethodError(f"tolerance is {tolerance}, expected an error in ab units of at least {LEAST_TOLERANCE}")
    volume = _checked_volume(luminance)
    lattice = _lattice(volume.shape, spacing)
    pull, target = _seeded(volume.shape, coords, ab, weight)
    line = (-1, volume.shape[-1])
    system = _System(volume.reshape(line), pull.reshape(line), target.reshape(2, *line), lattice)
    safe = partial(factored, shape=volume.shape) if volume.size <= FACTOR_BELOW else partial(gcrot, lattice)
    attempts = [_eliminated] if lattice.shape.size <= 1 else [partial(grouped, lattice), safe]
    found = attempted(system, attempts, tolerance)
    chroma = np.ascontiguousarray(found.chroma.transpose(1, 2, 0), np.float32).reshape(*volume.shape, 2)
    return VolumePropagation(chroma, found.residual, found.iterations)


def _checked_volume(luminance: ArrayLike) -> NDArray[np.float32]:
    volume = np.asarray(luminance)
    if not 1 <= volume.ndim <= MOST_AXES or volume.size == 0:
        raise ImageError(f"luminance has shape {volume.shape}, expected (frames, rows, columns) of at least one voxel")
    return checked_values(volume, "luminance", volume.shape, (0.0, 100.0))


def _lattice(shape: tuple[int, ...], spacing: Sequence[float] | None) -> Lattice:
    """The lattice of a shape; axes of one voxel have no neighbours and are left out."""
    steps = (1.0,) * len(shape) if spacing is None else tuple(float(step) for step in spacing)
    if len(steps) != len(shape) or not all(0 < step < np.inf for step in steps):
        raise MethodError(f"spacing is {spacing}, expected {len(shape)} distances above 0, one for each axis")
    long = [axis for axis, length in enumerate(shape) if length > 1]
    return Lattice.of(tuple(shape[axis] for axis in long), tuple(steps[axis] for axis in long))


def _seeded(
    shape: tuple[int, ...], coords: ArrayLike, ab: ArrayLike, weight: ArrayLike
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pull (n,) and target (2, n) of every voxel."""
    where = np.asarray(coords)
    if where.size == 0:
        raise SeedError("there is no seed to go by; give the colour of at least one voxel")
    if where.dtype.kind not in "iu" or where.ndim != 2 or where.shape[1] != len(shape):
        raise SeedError(f"seeds: coords must be (N, {len(shape)}) whole numbers, got {where.dtype} {where.shape}")
    outside = ((where < 0) | (where >= shape)).any(axis=1)
    if outside.any():
        raise SeedError(f"seeds: {tuple(where[outside.argmax()].tolist())} lies outside the volume of shape {shape}")
    try:
        colours = np.broadcast_to(np.asarray(ab, np.float32), (len(where), 2))
        weights = np.broadcast_to(np.asarray(weight, np.float32), len(where))
    except ValueError as error:
        raise SeedError(f"seeds: ab must be ({len(where)}, 2) and weight ({len(where)},): {error}") from error
    if not np.isfinite(colours).all():
        raise SeedError("seeds: a colour is not finite; give a* and b* as ordinary numbers")
    if not (weights > 0).all():
        raise SeedError("seeds: a weight is not above 0; use inf for a hard seed, or leave the seed out")
    flat = np.ravel_multi_index(tuple(where.T), shape)
    size = int(np.prod(shape))
    pull, target = np.zeros(size, np.float32), np.zeros((2, size), np.float32)
    voxels, last = np.unique(flat[::-1], return_index=True)
    pull[voxels] = weights[::-1][last]
    target[:, voxels] = colours[::-1][last].T
    return pull, target


def _eliminated(system: SeededSystem, _tolerance: float) -> Solution:
    """A line of noise may need more digits than the other ways have."""
    chroma = system.start()
    line = (system.luminance.reshape(1, -1), system.pull.reshape(1, -1), system.target.reshape(2, 1, -1))
    inner(chroma)[...] = eliminate(*line).reshape(system.target.shape)
    return Solution(inner(chroma), largest(system.residual(chroma)), 1)
