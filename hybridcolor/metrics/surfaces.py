"""What the failure forms share: where the truth has an edge of colour, and which pixels to compare with which."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

EDGE_REACH = 4
"""How far, in pixels, an edge of the true colour reaches: a network with a grid of quarter size is off by this."""

CONTRAST = 20.0
"""Two colours this far apart in ab are of different things."""

COLOURED = 10.0
"""Chroma from which on a colour counts as one; below, it looks gray."""

FULL = 40.0
"""An ab difference that fills a failure map: that of gray and a clear colour."""

DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
"""Steps (rows, columns) to the eight sides; the second four undo the first."""

_Slices = tuple[slice, slice]


def edge_zone(ab: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(H, W): where colours differ by more than `CONTRAST` within `EDGE_REACH` pixels, as (max - min) of a* and b*.

    Examples
    --------
    >>> halves = np.zeros((1, 20, 2), np.float32)
    >>> halves[:, 10:] = 30
    >>> edge_zone(halves)[0].nonzero()[0].tolist()
    [6, 7, 8, 9, 10, 11, 12, 13]
    """
    window = np.ones((2 * EDGE_REACH + 1,) * 2, np.uint8)
    planes = np.ascontiguousarray(ab)
    span = cv2.dilate(planes, window) - cv2.erode(planes, window)
    return np.asarray(np.hypot(span[..., 0], span[..., 1]) > CONTRAST)


def pixels_apart(shape: tuple[int, ...], step: tuple[int, int]) -> tuple[_Slices, _Slices]:
    """Where the pixels are that have a neighbour ``step`` (rows, columns) away, and where those neighbours are.

    Examples
    --------
    >>> here, there = pixels_apart((1, 4), (0, -1))
    >>> row = np.arange(4)[None]
    >>> row[here].tolist(), row[there].tolist()
    ([[1, 2, 3]], [[0, 1, 2]])
    """
    sides = list(zip(shape, step, strict=False))
    here = [slice(max(0, -by), max(0, min(size, size - by))) for size, by in sides]
    there = [slice(max(0, by), max(0, min(size, size + by))) for size, by in sides]
    return (here[0], here[1]), (there[0], there[1])


def length(ab: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """The Euclidean length of the last axis's two numbers: chroma, of a colour."""
    return np.asarray(np.hypot(ab[..., 0], ab[..., 1]), np.float32)


def mean_where(values: NDArray[np.floating[Any]], where: NDArray[np.bool_]) -> float:
    """The mean over the pixels where a failure can be; 0 if it can be nowhere."""
    return float(values[where].mean(dtype=np.float64)) if where.any() else 0.0
