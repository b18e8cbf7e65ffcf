"""Resizing of float planes: averaging where a picture shrinks, interpolation where it grows, edges taken from a guide.

Imports nothing of hybridcolor.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

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


def guided_resample(grid: NDArray[np.float32], guide: NDArray[np.float32], *, cell: int = 4) -> NDArray[np.float32]:
    """A coarse grid brought to a picture's size, with the picture's edges instead of the grid's blur.

    The fast guided filter: around every pixel the grid's values are fitted as ``slope * guide + offset``, at ``cell``
    times the grid's resolution; slope and offset are smooth and are interpolated, and the full-size guide brings the
    detail.

    Parameters
    ----------
    grid : (h, w, C) float32
        What is to be enlarged, such as a network's colours.
    guide : (H, W) float32
        L* in 0..100.
    cell : int, optional
        Resolution of the fit, and radius of its window, as a multiple of the grid's.

    Returns
    -------
    (H, W, C) float32

    References
    ----------
    He, Sun, "Fast guided filter", 2015, arXiv 1505.00996.

    Examples
    --------
    >>> guided_resample(np.ones((2, 3, 2), np.float32), np.full((20, 30), 50, np.float32)).shape
    (20, 30, 2)
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
    offset = mean_values - slope * mean_level
    full = (guide.shape[0], guide.shape[1])
    return resample(mean(slope), full) * guide[..., None] + resample(mean(offset), full)
