"""The k nearest sources of every pixel by luminance-gradient geodesic distance.

A step between 4-neighbours p and q costs |Y_p - Y_q| + 1 in whole quanta of luminance, so a path's length is the
luminance change met along it plus a little for every step. Sources of one group compete: of each group only the
nearest counts, and the k nearest groups are kept, ties going to the lower source number. Costs are small whole
numbers, so Dijkstra's queue is a circle of buckets and the run is linear in the pixels. A bucket is first settled
as a whole, then spread: with steps of at least 1 nothing it spreads falls back into it, so the answer does not
depend on the order within.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.grid import neighbour


def nearest_sources(
    levels: NDArray[np.int32],
    sources: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]],
    group: NDArray[np.int32],
    k: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Distance and number of the nearest source of each of the k nearest groups.

    Parameters
    ----------
    levels : (H, W) int32
        Luminance in quanta.
    sources : three (N,) int32
        Flat pixel index, source number and starting distance of every source pixel.
    group : (S,) int32
        Group of each source number. Lower source numbers must not belong to higher groups.
    k : int
        Groups to keep.

    Returns
    -------
    distance : (H, W, k) int32
        Ascending; where fewer than k groups exist, the rest is -1.
    source : (H, W, k) int32
        Source numbers, -1 where there is none.

    Examples
    --------
    >>> start = np.zeros(2, np.int32)
    >>> distance, source = nearest_sources(
    ...     np.array([[0, 0, 5, 5]], np.int32), (np.array([0, 3], np.int32), np.arange(2, dtype=np.int32), start),
    ...     np.arange(2, dtype=np.int32), 2)
    >>> distance[0].tolist(), source[0, :, 0].tolist()
    ([[0, 8], [1, 7], [1, 7], [0, 8]], [0, 0, 1, 1])
    """
    pixels, numbers, starts = sources
    order = np.argsort(starts, kind="stable")
    height, width = levels.shape
    distance = np.full((height, width, k), -1, np.int32)
    source = np.full((height, width, k), -1, np.int32)
    widest = 0
    if height > 1:
        widest = int(np.abs(np.diff(levels, axis=0)).max())
    if width > 1:
        widest = max(widest, int(np.abs(np.diff(levels, axis=1)).max()))
    flat = (height * width, k)
    _spread(
        levels.ravel(), width, (pixels[order], numbers[order], starts[order]), group, widest + 2,
        distance.reshape(flat), source.reshape(flat),
    )  # fmt: skip
    return distance, source


@njit(cache=True, nogil=True)
def _push(entries, head, bucket, pixel, number):  # type: ignore[no-untyped-def]
    """Add an entry (pixel, number, next) to a bucket; returns the entries, moved if they had to grow.

    The last two places of ``head`` are the list of entries to use again and the count of those ever used.
    """
    fresh = head[-2]
    if fresh >= 0:
        head[-2] = entries[fresh, 2]
    else:
        fresh = head[-1]
        head[-1] += 1
        if fresh == len(entries):
            larger = np.empty((2 * fresh, 3), np.int32)
            larger[:fresh] = entries
            entries = larger
    entries[fresh, 0] = pixel
    entries[fresh, 1] = number
    entries[fresh, 2] = head[bucket]
    head[bucket] = fresh
    return entries


@njit(cache=True, nogil=True)
def _wants(pixel, number, length, group, distance, source):  # type: ignore[no-untyped-def]
    """Whether something longer than ``length`` may still enter a pixel's list from this group."""
    k = distance.shape[1]
    if source[pixel, k - 1] >= 0 and distance[pixel, k - 1] <= length:
        return False
    for slot in range(k):
        if source[pixel, slot] < 0:
            return True
        if group[source[pixel, slot]] == group[number]:
            return False
    return True


@njit(cache=True, nogil=True)
def _holds(pixel, number, length, distance, source):  # type: ignore[no-untyped-def]
    held = False
    for slot in range(distance.shape[1]):
        held = held or (source[pixel, slot] == number and distance[pixel, slot] == length)
    return held


@njit(cache=True, nogil=True)
def _settle(pixel, number, length, group, distance, source):  # type: ignore[no-untyped-def]
    """Enter a source into a pixel's list if it is among the k best by (distance, number). True if it was."""
    k = distance.shape[1]
    place = k
    for slot in range(k):
        held = source[pixel, slot]
        if held < 0 or (distance[pixel, slot] == length and number < held):
            place = slot
            break
        if group[held] == group[number]:
            return False  # its group is there already, nearer or with a lower number
    if place == k:
        return False
    last = place  # everything from place to last moves down; a held entry of the same group is overwritten
    while last < k - 1 and source[pixel, last] >= 0 and group[source[pixel, last]] != group[number]:
        last += 1
    for slot in range(last, place, -1):
        source[pixel, slot] = source[pixel, slot - 1]
        distance[pixel, slot] = distance[pixel, slot - 1]
    source[pixel, place] = number
    distance[pixel, place] = length
    return True


@njit(cache=True, nogil=True)
def _spread(levels, width, sources, group, buckets, distance, source):  # type: ignore[no-untyped-def]
    pixels, numbers, starts = sources
    head = np.full(buckets + 2, -1, np.int32)
    head[-1] = 0
    entries = np.empty((levels.size + 1024, 3), np.int32)
    waiting = 0
    begun = 0
    length = 0
    while waiting > 0 or begun < starts.size:
        if waiting == 0:
            length = starts[begun]
        bucket = length % buckets
        while begun < starts.size and starts[begun] == length:
            entries = _push(entries, head, bucket, pixels[begun], numbers[begun])
            waiting += 1
            begun += 1
        first = head[bucket]
        head[bucket] = -1
        entry = first
        while entry >= 0:
            if not _settle(entries[entry, 0], entries[entry, 1], length, group, distance, source):
                entries[entry, 1] = -1
            entry = entries[entry, 2]
        entry = first
        while entry >= 0:
            pixel, number, after = entries[entry]
            entries[entry, 2] = head[-2]
            head[-2] = entry
            waiting -= 1
            entry = after
            # A lower number in this bucket may have pushed a settled one out again.
            if number < 0 or not _holds(pixel, number, length, distance, source):
                continue
            for side in range(4):
                beside = neighbour(pixel, side, width, levels.size)
                if beside >= 0 and _wants(beside, number, length, group, distance, source):
                    step = abs(levels[beside] - levels[pixel]) + 1
                    entries = _push(entries, head, (length + step) % buckets, beside, number)
                    waiting += 1
        length += 1
