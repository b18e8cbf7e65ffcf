"""The pixels of a gesture: a dab, a line, a region, what lies inside a lasso. Knows arrays only: no napari, no Qt."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from skimage.measure import points_in_poly

Place = tuple[int, int]
"""Row and column of a pixel."""
_PIECE = 64
"""Pixels of a line's pieces, at most, unless it is wide."""


def line(start: Place, end: Place, width: float, shape: tuple[int, int]) -> NDArray[np.intp]:
    """The pixels within half a width of a straight line, with round ends; a dab where both ends are one.

    Parameters
    ----------
    start, end : (row, column)
    width : float
        In pixels.
    shape : (H, W)
        Of the picture; what lies outside is left out.

    Returns
    -------
    (N, 2) int

    Examples
    --------
    >>> line((1, 0), (1, 3), 1, (3, 9)).tolist()
    [[1, 0], [1, 1], [1, 2], [1, 3]]
    >>> len(line((4, 4), (4, 4), 3, (9, 9)))
    9
    """
    ends = np.array([start, end], np.float64)
    pieces = int(np.ceil(np.hypot(*(ends[1] - ends[0])) / max(_PIECE, 4 * width))) or 1
    corners = ends[0] + np.linspace(0, 1, pieces + 1)[:, None] * (ends[1] - ends[0])
    # their boxes are small where that of the whole line would be most of the picture
    found = [_piece(corners[n : n + 2], width, shape) for n in range(pieces)]
    return np.unique(np.concatenate(found), axis=0)


def _piece(ends: NDArray[np.float64], width: float, shape: tuple[int, int]) -> NDArray[np.intp]:
    """The pixels of a straight line with these ends, (2, 2)."""
    radius = max(width, 1) / 2
    first = np.maximum(np.floor(ends.min(axis=0) - radius), 0).astype(int)
    last = np.minimum(np.ceil(ends.max(axis=0) + radius) + 1, shape).astype(int)
    pixels = np.indices(np.maximum(last - first, 0)).reshape(2, -1).T + first
    along = ends[1] - ends[0]
    share = np.clip((pixels - ends[0]) @ along / max(along @ along, 1e-9), 0, 1)
    apart = np.hypot(*(pixels - ends[0] - share[:, None] * along).T)
    return np.asarray(pixels[apart <= radius], np.intp)


def region(labels: NDArray[np.integer], place: Place) -> NDArray[np.intp]:
    """The pixels of the region that a pixel belongs to, without its outermost ones, unless nothing would be left.

    A region's rim is often half of its neighbour's.

    Parameters
    ----------
    labels : (H, W) int
        From `hybridcolor.propagate.regions`.
    place : (row, column)

    Examples
    --------
    >>> region(np.array([[0, 0, 1], [0, 0, 1]]), (0, 2)).tolist()
    [[0, 2], [1, 2]]
    """
    inside = (labels == labels[place]).astype(np.uint8)
    core = cv2.erode(inside, np.ones((3, 3), np.uint8))
    return np.argwhere(core if core.any() else inside)


def inside_lasso(corners: ArrayLike, coords: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which pixels lie inside a polygon.

    Parameters
    ----------
    corners : (K, 2) array-like
        Rows and columns.
    coords : (N, 2) int

    Examples
    --------
    >>> inside_lasso([[0, 0], [0, 10], [10, 10], [10, 0]], np.array([[5, 5], [5, 20]])).tolist()
    [True, False]
    """
    inside = points_in_poly(coords, np.asarray(corners))  # type: ignore[no-untyped-call]
    return np.asarray(inside, np.bool_)
