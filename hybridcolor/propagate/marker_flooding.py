"""Marker-controlled flooding of a relief (Meyer), with ties settled by rule and not by scan order.

A path from a marker has a *key*, of four parts that are compared in this order: the highest level on the path; the
steps since it came to that level; how little it climbed in the step to that level, so that the steeper path is first;
and the marker's number. Every pixel takes the least of the keys that its 4-neighbours hand on. These equations have one
solution, whatever the order in which pixels are met. So all can be flooded at once, with a queue for each level, as
Meyer does (`flood_markers`); or markers come and go, and only what they change is flooded anew (`held_flood`).
"""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.errors import MethodError

WALL = np.int32(-1)
FREE = np.int64(1 << 62)  # a free pixel's key is this and its level, a wall's is 0
LEVEL, STEP, CLIMB = 47, 32, 21  # lowest bit of each part of a key; below them is the marker
MARKER = np.int64((1 << CLIMB) - 1)  # mask of the marker
FARTHEST = np.int64(((1 << LEVEL - STEP) - 1) << STEP)  # mask of the steps: where all are set, more are not counted
STEEPEST = np.int64((1 << STEP - CLIMB) - 2)  # a larger climb counts as this
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
        The relief, below 32768.
    markers : (H, W) int32
        1, 2, ... below 2 ** 21 where a pixel is marked, `WALL` where nothing may grow, 0 elsewhere: from there a marked
        pixel must be within reach.

    Returns
    -------
    (H, W) int32
        The marker that each pixel belongs to, 0 on walls.

    Raises
    ------
    MethodError
        If there are too many markers.

    References
    ----------
    .. [1] F. Meyer, "Color image segmentation", Int. Conf. on Image Processing and its Applications, 1992.

    Examples
    --------
    >>> flood_markers(np.array([[0, 1, 9, 2, 0]], np.uint16), np.array([[1, 0, 0, 0, 2]], np.int32)).tolist()
    [[1, 1, 1, 2, 2]]
    """
    check_count(int(markers.max()))
    key = free_keys(levels)
    key[1:-1, 1:-1][markers == WALL] = 0
    place = np.flatnonzero(markers > 0)
    flood_keys(key.ravel(), key.shape[1], inner_to_padded(place, levels.shape[1]), markers.ravel()[place])
    return np.asarray(key[1:-1, 1:-1].astype(np.int32) & np.int32(MARKER))


def check_count(strokes: int) -> None:
    """Refuse more strokes than markers can be told apart.

    Raises
    ------
    MethodError
        If there are 2 ** 21 or more.
    """
    if strokes > MARKER:
        raise MethodError(f"{strokes} strokes are too many, expected up to {MARKER}; give several seeds one stroke")


def inner_to_padded(place: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Flat indices of a plane, as those of the plane with a border of one pixel."""
    return place + 2 * (place // width) + (width + 3)


def free_keys(levels: NDArray[np.uint16]) -> NDArray[np.int64]:
    """(H + 2, W + 2) the keys of free pixels, with a border that nothing passes."""
    key = np.empty((levels.shape[0] + 2, levels.shape[1] + 2), np.int64)
    key[[0, -1]] = key[:, [0, -1]] = 0
    np.add(levels, FREE, out=key[1:-1, 1:-1])
    return key


@njit(cache=True, nogil=True)
def handed_on(key, level):  # type: ignore[no-untyped-def]
    """The key that a pixel of a level gets from a neighbour's key."""
    climb = np.int64(level) - (key >> LEVEL)
    if climb > 0:
        return np.int64(level) << LEVEL | (STEEPEST + 1 - min(climb, STEEPEST)) << CLIMB | key & MARKER
    return key if key & FARTHEST == FARTHEST else key + (np.int64(1) << STEP)


@njit(cache=True, nogil=True)
def _queue_marks(key, place, number, bucket):  # type: ignore[no-untyped-def]
    """Give marked pixels their keys; where each level's queue starts, and how far it is filled."""
    highest = np.int64(0)
    for pixel in range(key.size):
        if key[pixel] >= FREE:
            highest = max(highest, key[pixel] - FREE)
    start = np.zeros(highest + 2, np.uint64)
    for pixel in range(key.size):
        if key[pixel] >= FREE:
            start[key[pixel] - FREE + 1] += ONE
    start = np.cumsum(start)
    filled = start[:-1].copy()
    for mark in range(place.size):
        level = key[place[mark]] - FREE
        key[place[mark]] = level << LEVEL | np.int64(number[mark])
        bucket[filled[level]] = place[mark]
        filled[level] += ONE
    return start, filled


@njit(cache=True, nogil=True)
def flood_keys(key, stride, place, number):  # type: ignore[no-untyped-def]
    """Flood free pixels from marked ones, level by level; ``key`` has a border of one pixel of zeros.

    Each level's queue has its place in one array, as long as the level has pixels, so all queues are contiguous and the
    run is linear in the pixels. A pixel that joins at or below the level in hand goes to a queue of its own.
    """
    bucket, current = np.empty(key.size, np.uint32), np.empty(key.size, np.uint32)
    start, filled = _queue_marks(key, place, number, bucket)
    side = np.uint64(stride)
    for level in range(filled.size):
        at = start[level]
        head = tail = np.uint64(0)
        while at < filled[level] or head < tail:
            if at < filled[level]:
                pixel = np.uint64(bucket[at])
                at += ONE
            else:
                pixel = np.uint64(current[head])
                head += ONE
            mine = key[pixel]
            for beside in (pixel - ONE, pixel + ONE, pixel - side, pixel + side):
                held = key[beside]
                if held <= mine:
                    continue
                if held >= FREE:
                    its_level = held - FREE
                    key[beside] = handed_on(mine, its_level)
                    if its_level <= level:
                        current[tail] = beside
                        tail += ONE
                    else:
                        bucket[filled[its_level]] = beside
                        filled[its_level] += ONE
                else:
                    key[beside] = min(held, handed_on(mine, held >> LEVEL))
