"""Marker-controlled flooding held open: markers come and go, and only what they change is flooded anew.

As in Ramalingam and Reps, "An incremental algorithm for a generalization of the shortest-path problem", J. Algorithms
21(2), 1996, https://doi.org/10.1006/jagm.1996.0046: pixels of markers that went are free again, and the keys of
`hybridcolor.propagate.marker_flooding` spread from all around, and from new marks, least first.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.marker_flooding import (
    CLIMB,
    FREE,
    LEVEL,
    MARKER,
    check_count,
    flood_keys,
    free_keys,
    handed_on,
    inner_to_padded,
)

NOTHING = np.zeros(0, np.int64)


class HeldFlood:
    """A relief flooded from markers that come and go.

    Parameters
    ----------
    levels : (H, W) uint16
        The relief, below 32768.

    Examples
    --------
    >>> flood = HeldFlood(np.array([[0, 1, 9, 2, 0]], np.uint16))
    >>> flood.update(np.array([0]), np.array([1])), flood.at(np.arange(5)).tolist()
    (None, [1, 1, 1, 1, 1])
    >>> sorted(flood.update(np.array([0, 4]), np.array([1, 2])).tolist()), flood.at(np.arange(5)).tolist()
    ([3, 4], [1, 1, 1, 2, 2])
    """

    WORTH_IT = 0.15
    """Largest share of the picture for which flooding what changes, in order of keys, is quicker than flooding all."""

    def __init__(self, levels: NDArray[np.uint16]) -> None:
        self._levels = levels
        self._key = np.zeros((0, 0), np.int64)
        self._marks = NOTHING

    def look_up(self, table: NDArray[Any]) -> NDArray[Any]:
        """(H * W,) the row of a table for each pixel's marker."""
        out = np.empty(self._levels.size, table.dtype)
        _look_up(self._key, table, out)
        return out

    def at(self, place: NDArray[np.int64]) -> NDArray[np.int64]:
        """The marker of some pixels, by flat index."""
        marker: NDArray[np.int64] = self._key.ravel()[inner_to_padded(place, self._levels.shape[1])] & MARKER
        return marker

    def forget(self) -> None:
        """Flood all anew next time; needed where markers are numbered in another order."""
        self._marks = NOTHING

    def update(
        self, place: NDArray[np.int64], number: NDArray[np.int64], stale: NDArray[np.int64] = NOTHING
    ) -> NDArray[np.int64] | None:
        """Flood from other marks than before.

        Parameters
        ----------
        place, number : (N,) int64
            Flat indices of marked pixels, each once, and their markers from 1 to 2 ** 21 - 1.
        stale : (M,) int64, optional
            Markers whose pixels are to be among those returned though nothing changed for them.

        Returns
        -------
        (C,) int64 or None
            Flat indices of pixels that may have changed their marker, in any order; None if all may have.

        Raises
        ------
        MethodError
            If there are too many markers.
        """
        check_count(int(number.max(initial=0)))
        width = self._levels.shape[1]
        marks = np.sort(inner_to_padded(place, width) << CLIMB | number)
        before, self._marks = self._marks, marks
        if len(before):
            lost = np.zeros(int((np.concatenate([before, marks]) & MARKER).max()) + 1, bool)
            lost[np.setdiff1d(before, marks, assume_unique=True) & MARKER] = True
            lost[stale[stale < len(lost)]] = True
            coming = np.setdiff1d(marks, before, assume_unique=True)
            seeds = np.union1d(coming, marks[lost[marks & MARKER]])
            starts = before[lost[before & MARKER]] >> CLIMB
            limit = int(self.WORTH_IT * self._levels.size) + 1000  # the constant is for small pictures
            changed = _change(self._key.ravel(), self._levels, starts, lost, seeds, limit)
            if len(changed) <= limit:
                return np.asarray(changed - 2 * (changed // (width + 2)) - (width + 1))
        self._key = free_keys(self._levels)
        flood_keys(self._key.ravel(), width + 2, marks >> CLIMB, marks & MARKER)
        return None


@njit(cache=True, nogil=True)
def _look_up(key, table, out):  # type: ignore[no-untyped-def]
    at = 0
    for row in range(1, key.shape[0] - 1):
        for column in range(1, key.shape[1] - 1):
            out[at] = table[key[row, column] & MARKER]
            at += 1


@njit(cache=True, nogil=True)
def _level(levels, pixel):  # type: ignore[no-untyped-def]
    stride = levels.shape[1] + 2
    return np.int64(levels[pixel // stride - 1, pixel % stride - 1])


@njit(cache=True, nogil=True)
def _change(key, levels, starts, lost, seeds, limit):  # type: ignore[no-untyped-def]
    """Flood anew what belonged to lost markers, and from new seeds.

    Returns the pixels that changed; if these are more than the limit, the flood is not finished. An entry of the heap
    is a key and, with its pixel, whether to work out that pixel's key anew.
    """
    stride = levels.shape[1] + 2
    changed = _freed(key, levels, starts, lost, limit)
    heap = _around(key, stride, changed)
    for seed in seeds:
        pixel = seed >> CLIMB
        key[pixel] = _level(levels, pixel) << LEVEL | seed & MARKER
        changed.append(pixel)
        heappush(heap, (key[pixel], pixel << 1))
    while len(heap) > 0 and len(changed) <= limit:
        mine, entry = heappop(heap)
        pixel = entry >> 1
        if key[pixel] != mine:
            continue
        if entry & 1:
            least = _least(key, levels, pixel)
            if least == mine:
                continue
            key[pixel] = mine = least
            changed.append(pixel)
        for beside in (pixel - 1, pixel + 1, pixel - stride, pixel + stride):
            held = key[beside]
            if held == 0:
                continue
            offer = handed_on(mine, _level(levels, beside))
            if offer < held:
                key[beside] = offer
                changed.append(beside)
                heappush(heap, (offer, beside << 1))
            elif offer != held and offer >> CLIMB == held >> CLIMB:  # may be of the marker that was here
                heappush(heap, (held, beside << 1 | 1))
    return np.array(changed)


@njit(cache=True, nogil=True)
def _freed(key, levels, starts, lost, limit):  # type: ignore[no-untyped-def]
    """Free the pixels of lost markers, and list them; the search ends where they are more than the limit."""
    stride = levels.shape[1] + 2
    freed = [np.int64(0) for _ in range(0)]
    for pixel in starts:
        key[pixel] = FREE + _level(levels, pixel)
        freed.append(pixel)
    at = 0
    while at < len(freed) and len(freed) <= limit:
        pixel = freed[at]
        at += 1
        for beside in (pixel - 1, pixel + 1, pixel - stride, pixel + stride):
            if 0 < key[beside] < FREE and lost[key[beside] & MARKER]:
                key[beside] = FREE + _level(levels, beside)
                freed.append(beside)
    return freed


@njit(cache=True, nogil=True)
def _around(key, stride, freed):  # type: ignore[no-untyped-def]
    """A heap of the pixels beside those that were freed, by their keys."""
    heap = [(np.int64(0), np.int64(0)) for _ in range(0)]
    for pixel in freed:
        for beside in (pixel - 1, pixel + 1, pixel - stride, pixel + stride):
            if 0 < key[beside] < FREE:
                heappush(heap, (key[beside], beside << 1))
    return heap


@njit(cache=True, nogil=True)
def _least(key, levels, pixel):  # type: ignore[no-untyped-def]
    """The least key that neighbours hand on to a pixel."""
    stride = levels.shape[1] + 2
    level = _level(levels, pixel)
    least = FREE
    for beside in (pixel - 1, pixel + 1, pixel - stride, pixel + stride):
        if 0 < key[beside] < FREE:
            least = min(least, handed_on(key[beside], level))
    return least
