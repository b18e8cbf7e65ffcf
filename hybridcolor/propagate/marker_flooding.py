"""Marker-controlled flooding of a gradient (Meyer), with ties settled by rule and not by scan order.

Meyer's order is kept: lowest level first, and first in, first out within a level. It is made free of the order of
pixels: those that joined in the same wave are one wave again when they leave the queue, and a pixel that several
of a wave's pixels reach goes to the lowest marker among them.

Each level's queue has its place in one array, as long as the level has pixels, so all queues are contiguous and
the run is linear in the pixels. A pixel that joins at or below the level in hand goes to a queue of its own.
"""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

WALL = np.int32(-1)
FREE = np.int64(2**62)
ONE = np.uint64(1)  # the kernel's indices are unsigned: that spares a test for negative ones at each access


def gradient_levels(brightness: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Morphological gradient: largest minus smallest value in each pixel's 3 x 3 window.

    Examples
    --------
    >>> gradient_levels(np.array([[0, 0, 0, 9, 9]], np.uint16)).tolist()
    [[0, 0, 9, 9, 0]]
    """
    return np.asarray(cv2.morphologyEx(brightness, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), np.uint16)


def flood_markers(levels: NDArray[np.uint16], markers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Grow markers over a relief, lowest passes first, to 4-neighbours.

    Parameters
    ----------
    levels : (H, W) uint16
        The relief.
    markers : (H, W) int32
        1, 2, ... where a pixel is marked, `WALL` where nothing may grow, 0 elsewhere: from there a marked pixel
        must be within reach.

    Returns
    -------
    (H, W) int32
        The marker that each pixel belongs to, 0 on walls.

    References
    ----------
    .. [1] F. Meyer, "Color image segmentation", Int. Conf. on Image Processing and its Applications, 1992.

    Examples
    --------
    >>> flood_markers(np.array([[0, 1, 9, 2, 0]], np.uint16), np.array([[1, 0, 0, 0, 2]], np.int32)).tolist()
    [[1, 1, 1, 2, 2]]
    """
    height, width = markers.shape
    owner = np.empty((height + 2, width + 2), np.int64)
    owner[[0, -1]] = owner[:, [0, -1]] = 0
    np.add(levels, FREE, out=owner[1:-1, 1:-1])
    _flood(markers, levels, owner.ravel(), np.empty((2, levels.size), np.uint32))
    grown: NDArray[np.int32] = owner[1:-1, 1:-1].astype(np.int32)
    return grown


@njit(cache=True, nogil=True)
def _queue_markers(markers, levels, owner, bucket):  # type: ignore[no-untyped-def]
    """Write marked pixels and walls into ``owner``; where each level's queue starts, and how far it is filled."""
    height, width = levels.shape
    start = np.zeros(levels.max() + 2, np.uint64)
    for row in range(height):
        for column in range(width):
            start[np.int64(levels[row, column]) + 1] += ONE
    start = np.cumsum(start)
    filled = start[:-1].copy()
    for row in range(height):
        for column in range(width):
            if markers[row, column] != 0:
                pixel = (row + 1) * (width + 2) + column + 1
                owner[pixel] = max(markers[row, column], 0)
                if owner[pixel] > 0:
                    bucket[filled[levels[row, column]]] = pixel
                    filled[levels[row, column]] += ONE
    return start, filled


@njit(cache=True, nogil=True)
def _flood(markers, levels, owner, queues):  # type: ignore[no-untyped-def]
    """Flood in place. ``owner`` has a border of one pixel of zeros; a free pixel holds `FREE` + its level.

    An owned pixel holds the wave that it joined in above 32 bits, and the marker below: so of two offers the lesser
    is the earlier, and within a wave that of the lower marker; a free pixel holds more than any offer.
    """
    bucket, current = queues
    start, filled = _queue_markers(markers, levels, owner, bucket)
    stride = np.uint64(levels.shape[1] + 2)
    wave = np.int64(0)
    for level in range(np.uint64(filled.size)):
        at = start[level]
        head = tail = np.uint64(0)
        last_joined = np.int64(-1)
        while at < filled[level] or head < tail:
            if at < filled[level]:
                pixel = np.uint64(bucket[at])
                at += ONE
            else:
                pixel = np.uint64(current[head])
                head += ONE
            held = owner[pixel]
            if held >> 32 != last_joined:
                last_joined = held >> 32
                wave += 1
            offer = wave << 32 | held & 0xFFFFFFFF
            for beside in (pixel - ONE, pixel + ONE, pixel - stride, pixel + stride):
                held = owner[beside]
                if held <= offer:
                    continue
                owner[beside] = offer
                if held >= FREE:
                    its_level = np.uint64(held - FREE)
                    if its_level <= level:
                        current[tail] = beside
                        tail += ONE
                    else:
                        bucket[filled[its_level]] = beside
                        filled[its_level] += ONE
