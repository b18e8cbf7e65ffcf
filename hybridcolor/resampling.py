"""Resizing of float planes: averaging where a picture shrinks, interpolation where it grows, edges taken from a guide.

May import ``threads`` only.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.threads import share_rows

Window = tuple[slice, slice]
"""Rows and columns."""

_EVEN_VARIANCE = np.float32(50.0)
"""Variance of L* (a spread of 7) below which a window counts as one surface, in `guided_resample`."""


def resample(plane: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """An (H, W) or (H, W, C) plane at another size.

    Area averaging where both sides shrink (no aliasing, and grain is averaged away), else bilinear.

    Parameters
    ----------
    plane : (H, W) or (H, W, C) float32
        C at most 4.
    shape : tuple of int
        Rows and columns wanted.

    Examples
    --------
    >>> resample(np.array([[0, 2], [4, 6]], np.float32), (1, 1)).tolist()
    [[3.0]]
    """
    rows, columns = shape
    shrinks = rows <= plane.shape[0] and columns <= plane.shape[1]
    return np.asarray(
        cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.float32
    )


def guided_resample(grid: NDArray[np.float32], guide: NDArray[np.float32]) -> NDArray[np.float32]:
    """A coarse grid brought to a picture's size, with the picture's edges instead of the grid's blur.

    The fast guided filter: around every pixel the grid's values are fitted as ``slope * guide + offset``; slope and
    offset are smooth and are interpolated, and the full-size guide brings the detail.

    Parameters
    ----------
    grid : (h, w, 2) float32
        What is to be enlarged, such as a network's colours.
    guide : (H, W) float32
        L* in 0..100.

    Returns
    -------
    (H, W, 2) float32

    References
    ----------
    He, Sun, "Fast guided filter", 2015, arXiv 1505.00996.

    Examples
    --------
    >>> guided_resample(np.ones((2, 3, 2), np.float32), np.full((20, 30), 50, np.float32)).shape
    (20, 30, 2)
    """
    rows, columns = guide.shape
    return guided_fit(grid, guide).at(guide, (slice(0, rows), slice(0, columns)), (rows, columns))


class GuidedFit(NamedTuple):
    """A coarse grid as a function of its guide, ``slope * guide + offset``, both (h, w, 2) float32 and smooth."""

    slope: NDArray[np.float32]
    offset: NDArray[np.float32]

    def at(self, guide: NDArray[np.float32], window: Window, shape: tuple[int, int]) -> NDArray[np.float32]:
        """What `guided_resample` gives, (h, w, 2), in a part of a picture; parameters as for `add_to`."""
        plane = np.zeros((*guide.shape, 2), np.float32)
        self.add_to(plane, guide, window, shape)
        return plane

    def add_to(
        self, plane: NDArray[np.float32], guide: NDArray[np.float32], window: Window, shape: tuple[int, int]
    ) -> None:
        """Add what `guided_resample` gives at the pixels of a window, in one compiled pass.

        Parameters
        ----------
        plane : (h, w, 2) float32
            Changed in place.
        guide : (h, w) float32
            The guide at the window's pixels.
        window : (rows, columns)
            Slices of the whole, perhaps with a step.
        shape : (int, int)
            Rows and columns of the whole.

        Examples
        --------
        >>> guide = np.linspace(0, 100, 2400, dtype=np.float32).reshape(40, 60)
        >>> grid = np.dstack([guide[::20, ::20], guide[::-20, ::20]]) / 9
        >>> window = slice(2, 40, 3), slice(5, 60, 2)
        >>> plane = np.zeros((13, 28, 2), np.float32)
        >>> guided_fit(grid, guide).add_to(plane, np.ascontiguousarray(guide[window]), window, (40, 60))
        >>> np.array_equal(plane, guided_resample(grid, guide)[window])
        True
        """
        where: list[NDArray[np.generic]] = []
        for side, whole, coarse in zip(window, shape, self.slope.shape[:2], strict=True):
            low, share = _neighbours(np.arange(side.start, side.stop, side.step), whole, coarse)
            where += [low, share.astype(np.float32)]
        both = np.concatenate([self.slope, self.offset], axis=2).reshape(len(self.slope), -1)
        share_rows(partial(_add_fit, both, guide, tuple(where), plane), guide.shape[0], width=guide.shape[1])


def guided_fit(grid: NDArray[np.float32], guide: NDArray[np.float32], *, cell: int = 4) -> GuidedFit:
    """What `guided_resample` fits, for guides that are too large to be held: ``guide`` may be a smaller copy.

    Parameters
    ----------
    grid, guide
        As for `guided_resample`; a copy has at least ``cell`` times the grid's rows and columns.
    cell : int, optional
        Resolution of the fit, and radius of its window, as a multiple of the grid's.

    Examples
    --------
    >>> guided_fit(np.ones((2, 3, 2), np.float32), np.full((20, 30), 50, np.float32)).slope.shape
    (8, 12, 2)
    """
    shape = (grid.shape[0] * cell, grid.shape[1] * cell)
    values, level = resample(grid, shape), resample(guide, shape)[..., None]

    def mean(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        side = 2 * cell + 1
        averaged = cv2.boxFilter(plane, -1, (side, side), borderType=cv2.BORDER_REPLICATE)
        return np.asarray(averaged, np.float32).reshape(plane.shape)

    mean_level, mean_values = mean(level), mean(values)
    variance = mean(level * level) - mean_level**2
    slope = (mean(level * values) - mean_level * mean_values) / (variance + _EVEN_VARIANCE)
    return GuidedFit(mean(slope), mean(mean_values - slope * mean_level))


def guided_plane_fit(plane: NDArray[np.float32], guide: NDArray[np.float32]) -> GuidedFit:
    """`guided_fit` of one plane of a copy, (h, w), in the first of its two channels; the other is zero."""
    return guided_fit(np.dstack([plane, np.zeros_like(plane)]), guide, cell=1)


def look_up(
    table: NDArray[np.float32], values: NDArray[np.float32], *, least: float, step: float
) -> NDArray[np.float32]:
    """A function of two numbers, interpolated bilinearly from a table of it.

    Parameters
    ----------
    table : (n, m) float32
        Values at ``least``, ``least + step`` and so on; numbers beyond its rim count as at the rim.
    values : (H, W, 2) float32

    Returns
    -------
    (H, W) float32

    Examples
    --------
    >>> table = np.float32([[0, 1], [10, 11]])
    >>> look_up(table, np.float32([[[5, 7.5], [-9, 99]]]), least=5, step=5).tolist()
    [[0.5, 1.0]]
    """
    rows, columns = values.shape[:2]
    found = np.empty((rows, columns), np.float32)
    pairs = np.ascontiguousarray(values, np.float32)
    work = partial(_look_up, table, pairs, np.float32(least), np.float32(1 / step), found)
    share_rows(work, rows, width=columns)
    return found


def _neighbours(fine: NDArray[np.intp], whole: int, coarse: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The coarse sample before each of these fine ones, and the share of the one after it."""
    where = np.clip((fine + 0.5) * coarse / whole - 0.5, 0, coarse - 1)
    low = np.minimum(where.astype(np.int64), max(coarse - 2, 0))
    return low, where - low


@njit(cache=True, nogil=True)
def _add_fit(fit, guide, where, plane, first, last):  # type: ignore[no-untyped-def]
    """Add slope * guide + offset, interpolated from a fit (h, w * 4) of both, to rows first to last of a plane."""
    rows, downs, columns, acrosses = where
    line = np.empty(fit.shape[1] + 4, np.float32)  # the fit at one row; its last sample twice
    for i in range(first, last):
        above, below, down = fit[rows[i]], fit[min(rows[i] + 1, fit.shape[0] - 1)], downs[i]
        for k in range(fit.shape[1]):
            line[k] = above[k] + down * (below[k] - above[k])
        line[-4:] = line[-8:-4]
        for j in range(guide.shape[1]):
            k, across = 4 * columns[j], acrosses[j]
            for c in range(2):
                slope = line[k + c] + across * (line[k + c + 4] - line[k + c])
                offset = line[k + c + 2] + across * (line[k + c + 6] - line[k + c + 2])
                plane[i, j, c] += slope * guide[i, j] + offset


@njit(cache=True, nogil=True)
def _look_up(table, values, least, per_unit, found, first, last):  # type: ignore[no-untyped-def]
    """Write rows first to last of what a table says of pairs of values."""
    rows, columns = table.shape
    for i in range(first, last):
        for j in range(values.shape[1]):
            row = min(max((values[i, j, 0] - least) * per_unit, np.float32(0)), np.float32(rows - 1))
            column = min(max((values[i, j, 1] - least) * per_unit, np.float32(0)), np.float32(columns - 1))
            k, m = min(int(row), rows - 2), min(int(column), columns - 2)
            down, across = row - np.float32(k), column - np.float32(m)
            above = table[k, m] + across * (table[k, m + 1] - table[k, m])
            below = table[k + 1, m] + across * (table[k + 1, m + 1] - table[k + 1, m])
            found[i, j] = above + down * (below - above)
