"""Balls that roll from where strokes were drawn to where their regions are widest: marks for `lineart`'s flood."""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.relief import FINENESS, SHORE

_SLACK = FINENESS // 2  # half a pixel of depth: for less, a ball does not roll on
_FAR = 12
"""Most pixels from a stroke that is all on ink to the paper beside it."""
_BITS = 24
"""Bits of a marker: a place and its marker are packed into one number, ``place << _BITS | marker``."""


class Rolling:
    """The places that balls reach from strokes, kept as strokes come and go.

    A ball grows as it rolls: from the deepest pixel of a stroke to the deepest ones within the largest ball around it,
    and again from there. So a stroke near a line, or on lettering, holds its region as one in the middle does. It stops
    where another stroke is within the ball. A stroke that is all on ink, as of a pupil, reaches the paper beside it.

    Parameters
    ----------
    levels : (H, W) uint16
        The relief, as `hybridcolor.propagate.relief.relief` makes it.

    Examples
    --------
    >>> from hybridcolor.propagate.relief import level_at
    >>> rolling = Rolling(level_at([[0, 1, 2, 3, 4, 3, 2, 1, 0]]))
    >>> place, number = rolling.reached(np.array([2]), np.array([7]))
    >>> place.tolist(), number.tolist()
    ([2, 3, 4], [7, 7, 7])
    """

    def __init__(self, levels: NDArray[np.uint16]) -> None:
        self._levels = levels
        self._has_lines = bool(levels.max() >= SHORE)
        self._plane = np.zeros(levels.shape, np.int32)  # the markers where strokes are, else 0
        self._place = self._number = np.zeros(0, np.int64)  # the strokes' pixels, as they were given last
        # Of each marker: where its ball starts, the rows and columns that were searched, and the places it reaches.
        self._start: dict[int, int] = {}
        self._box: dict[int, NDArray[np.int64]] = {}
        self._reached: dict[int, NDArray[np.int64]] = {}

    def reached(
        self, place: NDArray[np.int64], number: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Marks of the strokes' pixels and of the places that their balls reach; of two at one place the lower marker.

        Parameters
        ----------
        place, number : (N,) int64
            Flat indices of the strokes' pixels, each once, and the markers they are of.

        Returns
        -------
        place, number : (M,) int64
            In order of place.
        """
        if not self._has_lines:
            return place, number
        changed = self._draw(place, number)
        order = np.lexsort((place, self._levels.ravel()[place], number))  # of each marker the deepest pixel first
        known, first = np.unique(number[order], return_index=True)
        start = dict(zip(known.tolist(), place[order[first]].tolist(), strict=True))
        self._forget(start, changed)
        for marker in start.keys() - self._reached.keys():
            if self._levels.flat[start[marker]] < SHORE:
                self._reached[marker], self._box[marker] = _roll(self._plane, self._levels, start[marker])
            else:
                own = place[number == marker]
                self._reached[marker], self._box[marker] = _beside(self._levels, own)
        self._start = start
        markers = sorted(start)
        reached = np.concatenate([place, *(self._reached[marker] for marker in markers)])
        reached_by = np.repeat(markers, [len(self._reached[marker]) for marker in markers])
        return _lowest(reached, np.concatenate([number, reached_by]).astype(np.int64))

    def _draw(self, place: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Bring the plane of the strokes up to date; returns the places that changed."""
        plane = self._plane.ravel()
        old = self._place[~np.isin(self._place << _BITS | self._number, place << _BITS | number)]
        plane[old] = 0
        new = place[plane[place] != number]
        plane[place] = number
        self._place, self._number = place, number
        return np.concatenate([old, new])

    def _forget(self, start: dict[int, int], changed: NDArray[np.int64]) -> None:
        """Drop what was reached by balls that start elsewhere now, or that looked at a place that changed."""
        stale = {marker for marker in self._reached if start.get(marker) != self._start.get(marker)}
        if len(changed) and self._reached:
            row, column = np.divmod(changed, self._levels.shape[1])
            at = np.array([row.min(), row.max(), column.min(), column.max()])
            box = np.array(list(self._box.values()))
            near = (box[:, 0] <= at[1]) & (at[0] <= box[:, 1]) & (box[:, 2] <= at[3]) & (at[2] <= box[:, 3])
            stale |= {marker for marker, is_near in zip(self._box, near, strict=True) if is_near}
        for marker in stale:
            del self._reached[marker], self._box[marker]


def _lowest(place: NDArray[np.int64], number: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each place once, with the lowest of its numbers."""
    code = np.sort(place << _BITS | number)
    first = np.concatenate([[True], code[1:] >> _BITS != code[:-1] >> _BITS])
    return code[first] >> _BITS, code[first] & ((1 << _BITS) - 1)


def _beside(levels: NDArray[np.uint16], place: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places off the ink that are nearest to a stroke all on ink, and the rows and columns that were searched."""
    row, column = np.divmod(place, levels.shape[1])
    top, left = max(int(row.min()) - _FAR, 0), max(int(column.min()) - _FAR, 0)
    window = np.s_[top : int(row.max()) + _FAR + 1, left : int(column.max()) + _FAR + 1]
    around = np.ones_like(levels[window], np.uint8)
    around[row - top, column - left] = 0
    away = cv2.distanceTransform(around, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    away[levels[window] >= SHORE] = np.inf
    near = np.argwhere(away <= min(away.min() + 1, _FAR))
    box = [top, top + around.shape[0] - 1, left, left + around.shape[1] - 1]
    return (near[:, 0] + top) * levels.shape[1] + near[:, 1] + left, np.array(box)


@njit(cache=True, nogil=True)
def _roll(plane, levels, start):  # type: ignore[no-untyped-def]
    """The places that a ball from one marked pixel reaches, and the rows and columns that were searched."""
    height, width = levels.shape
    reached = [np.int64(0) for _ in range(0)]  # an empty list whose type the compiler can tell
    row, column = start // width, start % width
    box = np.array([row, row, column, column])
    while SHORE - levels[row, column] > FINENESS:
        radius = int((SHORE - levels[row, column]) / FINENESS)
        top, bottom = max(row - radius, 0), min(row + radius + 1, height)
        left, right = max(column - radius, 0), min(column + radius + 1, width)
        box[0], box[1] = min(box[0], top), max(box[1], bottom - 1)
        box[2], box[3] = min(box[2], left), max(box[3], right - 1)
        window = np.array([top, bottom, left, right])
        ball = _ball(levels, row, column, window)
        deepest = _deepest(plane, levels, row, column, window, ball, plane[start // width, start % width])
        if deepest < 0 or deepest + _SLACK > levels[row, column]:
            break
        farthest, ties = -1, 0
        to = row, column
        for i in range(top, bottom):
            for j in range(left, right):
                away = (i - row) ** 2 + (j - column) ** 2
                if away < ball and levels[i, j] == deepest:
                    reached.append(i * width + j)
                    ties += away == farthest
                    if away > farthest:
                        farthest, ties, to = away, 1, (i, j)
        if ties > 1:  # the choice would depend on which way the page is up
            break
        row, column = to
    return np.array(reached), box


@njit(cache=True, nogil=True)
def _ball(levels, row, column, window):  # type: ignore[no-untyped-def]
    """The square of a ball's radius: to the next line, or to a nearer sill, a place higher than lines alone make it."""
    depth = (SHORE - levels[row, column]) / FINENESS
    ball = depth * depth
    for i in range(window[0], window[1]):
        for j in range(window[2], window[3]):
            away = (i - row) ** 2 + (j - column) ** 2
            if away < ball and SHORE - levels[i, j] < FINENESS * max(depth - np.sqrt(away) - 2, 0):
                ball = away
    return ball


@njit(cache=True, nogil=True)
def _deepest(plane, levels, row, column, window, ball, marker):  # type: ignore[no-untyped-def]
    """The lowest level within a ball; -1 if another marker is in it."""
    deepest = np.int64(levels[row, column])
    for i in range(window[0], window[1]):
        for j in range(window[2], window[3]):
            if (i - row) ** 2 + (j - column) ** 2 < ball:
                if plane[i, j] != 0 and plane[i, j] != marker:
                    return np.int64(-1)
                deepest = min(deepest, np.int64(levels[i, j]))
    return deepest
