"""The affinity W of Levin, Lischinski and Weiss (2004) on grids of any number of axes: films, slices, lines.

The formula and its constants are those of `affinity`, over the window 3^N:

    w_ij = f_ij exp(-(Y_i - Y_j)^2 / s_i) / (sum of the same over all neighbours of i).

The paper's window spans time as it spans space. f_ij is 1 on a grid of equal steps; where they are unequal, it is
the squared length of the step on an equal grid over its squared length on this one, least step = 1. So slices that
lie 5 times as far apart as their pixels are linked 25 times as weakly.

Voxels are numbered in C order, and a row of W is kept as 3^N - 1 values: its k-th belongs to the voxel at
``offsets[k]`` from the row's own, and is 0 where that lies outside.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import LEAST_SIGMA, LOG_LEAST_WEIGHT, VARIANCE_SHARE


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """A grid of voxels and the steps of its window, centre left out.

    Attributes
    ----------
    shape : (N,) int64
    steps : (K, N) int64
        -1, 0 or 1 along each axis; K = 3^N - 1. Step K - 1 - k leads back from step k.
    offsets : (K,) int64
        The same as differences of voxel numbers.
    factors : (K,) float64
        f of each step.
    """

    shape: NDArray[np.int64]
    steps: NDArray[np.int64]
    offsets: NDArray[np.int64]
    factors: NDArray[np.float64]

    @classmethod
    def of(cls, shape: tuple[int, ...], spacing: tuple[float, ...] | None = None) -> Lattice:
        """The lattice of a shape; ``spacing`` is the distance of neighbours along each axis, in any unit.

        Examples
        --------
        >>> Lattice.of((5, 7)).offsets.tolist()
        [-8, -7, -6, -1, 1, 6, 7, 8]
        >>> Lattice.of((5, 7), (2.0, 1.0)).factors.tolist()
        [0.4, 0.25, 0.4, 1.0, 1.0, 0.4, 0.25, 0.4]
        """
        steps = np.array([step for step in itertools.product((-1, 0, 1), repeat=len(shape)) if any(step)], np.int64)
        steps = steps.reshape(3 ** len(shape) - 1, len(shape))
        strides = np.cumprod([1, *shape[:0:-1]])[::-1]
        pitch = np.ones(len(shape)) if spacing is None else np.asarray(spacing) / min(spacing, default=1.0)
        factors = (steps**2).sum(axis=1) / ((steps * pitch) ** 2).sum(axis=1)
        return cls(np.array(shape, np.int64), steps, steps @ strides[: len(shape)], factors)


def affinity_rows(luminance: NDArray[np.float32], lattice: Lattice) -> NDArray[np.float32]:
    """The rows of W, (voxels, K) float32."""
    rows = np.empty((luminance.size, len(lattice.offsets)), np.float32)
    _fill_rows(luminance.ravel(), lattice.shape, lattice.steps, lattice.offsets, lattice.factors, rows)
    return rows


def lattice_residual(
    luminance: NDArray[np.float32],
    lattice: Lattice,
    pull: NDArray[np.float32],
    target: NDArray[np.float32],
    chroma: NDArray[np.float64],
) -> NDArray[np.float32]:
    """How far every voxel is from its equation, in ab units; `affinity.system_residual` on a lattice.

    W is computed anew in float64.

    Parameters
    ----------
    luminance, pull : (voxels,) float32
    lattice : Lattice
    target, chroma : (2, voxels)

    Returns
    -------
    (2, voxels) float32
    """
    residual = np.empty(chroma.shape, np.float32)
    geometry = (lattice.shape, lattice.steps, lattice.offsets, lattice.factors)
    _fill_residual(luminance, geometry, pull, target, chroma, residual)
    return residual


@njit(cache=True, nogil=True)
def _advance(at, shape):  # type: ignore[no-untyped-def]
    """Move on to the next voxel in C order."""
    for axis in range(len(shape) - 1, -1, -1):
        at[axis] += 1
        if at[axis] < shape[axis]:
            return
        at[axis] = 0


@njit(cache=True, nogil=True)
def _inner(at, shape):  # type: ignore[no-untyped-def]
    """Whether the whole window lies inside."""
    inner = True
    for axis in range(len(shape)):
        inner = inner and 0 < at[axis] < shape[axis] - 1
    return inner


@njit(cache=True, nogil=True)
def _inside(at, step, shape):  # type: ignore[no-untyped-def]
    """Whether a step from a voxel ends inside."""
    inside = True
    for axis in range(len(shape)):
        inside = inside and 0 <= at[axis] + step[axis] < shape[axis]
    return inside


@njit(cache=True, nogil=True)
def _fill_row(luminance, shape, steps, offsets, factors, i, at, row):  # type: ignore[no-untyped-def]
    """Put the weights of voxel i, which is at ``at``, into row (K,) float64."""
    centre = np.float64(luminance[i])
    inner = _inner(at, shape)
    total = 0.0
    squares = 0.0
    count = 1
    nearest = np.inf
    for k in range(len(offsets)):
        row[k] = -1.0
        if inner or _inside(at, steps[k], shape):
            step = (np.float64(luminance[i + offsets[k]]) - centre) * 0.01
            square = step * step
            total += step
            squares += square
            count += 1
            row[k] = square
            nearest = min(nearest, square)
    mean = total / count
    sigma = max(VARIANCE_SHARE * (squares / count - mean * mean), nearest / LOG_LEAST_WEIGHT, LEAST_SIGMA)
    total = 0.0
    for k in range(len(offsets)):
        row[k] = factors[k] * math.exp(-row[k] / sigma) if row[k] >= 0.0 else 0.0
        total += row[k]
    if total > 0.0:  # a lone voxel has no neighbours
        for k in range(len(offsets)):
            row[k] /= total


@njit(cache=True, nogil=True)
def _fill_rows(luminance, shape, steps, offsets, factors, rows):  # type: ignore[no-untyped-def]
    at = np.zeros(len(shape), np.int64)
    row = np.empty(len(offsets))
    for i in range(luminance.size):
        _fill_row(luminance, shape, steps, offsets, factors, i, at, row)
        for k in range(len(offsets)):
            rows[i, k] = row[k]
        _advance(at, shape)


@njit(cache=True, nogil=True)
def _fill_residual(luminance, geometry, pull, target, chroma, residual):  # type: ignore[no-untyped-def]
    shape, steps, offsets, factors = geometry
    at = np.zeros(len(shape), np.int64)
    row = np.empty(len(offsets))
    for i in range(luminance.size):
        a = chroma[0, i]
        b = chroma[1, i]
        flow_a = 0.0
        flow_b = 0.0
        stop = 1.0
        if pull[i] < np.inf:
            stop = np.float64(pull[i]) / (1.0 + np.float64(pull[i]))
            _fill_row(luminance, shape, steps, offsets, factors, i, at, row)
            for k in range(len(offsets)):
                if row[k] > 0.0:
                    flow_a += row[k] * (chroma[0, i + offsets[k]] - a)
                    flow_b += row[k] * (chroma[1, i + offsets[k]] - b)
        residual[0, i] = stop * (target[0, i] - a) + (1.0 - stop) * flow_a
        residual[1, i] = stop * (target[1, i] - b) + (1.0 - stop) * flow_b
        _advance(at, shape)
