"""Marker-controlled flooding of a gradient (Meyer), with ties settled by rule and not by scan order.

Pixels wait in one first-in-first-out queue a level. Meyer's order is kept, and made free of the order of pixels
within it: all pixels that joined the queue in the same wave are one wave again when they leave it, and a pixel
that several of a wave's pixels reach goes to the lowest marker among them.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.grid import neighbour


def gradient_levels(brightness: NDArray[np.int32]) -> NDArray[np.int32]:
    """Morphological gradient: largest minus smallest value in each pixel's 3 x 3 window.

    Examples
    --------
    >>> gradient_levels(np.array([[0, 0, 0, 9, 9]], np.int32)).tolist()
    [[0, 0, 9, 9, 0]]
    """
    padded = np.pad(brightness, 1, mode="edge")
    rows = (padded[:-2], padded[1:-1], padded[2:])
    low = np.minimum(np.minimum(rows[0], rows[1]), rows[2])
    high = np.maximum(np.maximum(rows[0], rows[1]), rows[2])
    low = np.minimum(np.minimum(low[:, :-2], low[:, 1:-1]), low[:, 2:])
    high = np.maximum(np.maximum(high[:, :-2], high[:, 1:-1]), high[:, 2:])
    difference: NDArray[np.int32] = high - low
    return difference


def flood(levels: NDArray[np.int32], markers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Grow markers over a relief, lowest passes first, to 4-neighbours.

    Parameters
    ----------
    levels : (H, W) int32
        The relief, >= 0; memory grows with the highest level.
    markers : (H, W) int32
        1, 2, ... where a pixel is marked, 0 elsewhere; at least one is marked.

    Returns
    -------
    (H, W) int32
        The marker that each pixel belongs to, never 0.

    References
    ----------
    .. [1] F. Meyer, "Color image segmentation", Int. Conf. on Image Processing and its Applications, 1992.

    Examples
    --------
    >>> flood(np.array([[0, 1, 9, 2, 0]], np.int32), np.array([[1, 0, 0, 0, 2]], np.int32)).tolist()
    [[1, 1, 1, 2, 2]]
    """
    owner = markers.copy()
    _flood(levels.ravel(), levels.shape[1], owner.ravel())
    return owner


@njit(cache=True, nogil=True)
def _append(queue, following, level, pixel):  # type: ignore[no-untyped-def]
    """Put a pixel last in a level's queue; row 0 of ``queue`` holds heads, row 1 tails."""
    following[pixel] = -1
    if queue[0, level] < 0:
        queue[0, level] = pixel
    else:
        following[queue[1, level]] = pixel
    queue[1, level] = pixel


@njit(cache=True, nogil=True)
def _flood(levels, width, owner):  # type: ignore[no-untyped-def]
    queue = np.full((2, levels.max() + 1), -1, np.int32)
    following = np.empty(levels.size, np.int32)
    joined = np.zeros(levels.size, np.int32)  # the wave that reached a pixel
    for pixel in range(levels.size):
        if owner[pixel] > 0:
            _append(queue, following, levels[pixel], pixel)
    wave = 0
    last_joined = -1
    level = 0
    while level < queue.shape[1]:
        pixel = queue[0, level]
        if pixel < 0:
            level += 1
            last_joined = -1
            continue
        queue[0, level] = following[pixel]
        if joined[pixel] != last_joined:
            wave += 1
            last_joined = joined[pixel]
        for side in range(4):
            beside = neighbour(pixel, side, width, levels.size)
            if beside < 0:
                continue
            if owner[beside] == 0:
                owner[beside] = owner[pixel]
                joined[beside] = wave
                _append(queue, following, max(levels[beside], level), beside)
            elif joined[beside] == wave and owner[pixel] < owner[beside]:
                owner[beside] = owner[pixel]
