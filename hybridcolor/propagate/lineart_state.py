"""Line-art filling held open: lines and tones are found once, and a stroke refills only the regions it falls into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hybridcolor.propagate.lineart import TONE, at_home, fill, relief, roll, rooms
from hybridcolor.propagate.marker_flooding import WALL, flood_markers
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.strokes import mark, paint
from hybridcolor.seeds import Seeds

WORTH_IT = 0.5
"""Share of the picture up to which refilling what a change touches is quicker than filling all."""


class LineartState:
    """The method `lineart`, kept up to date as strokes come and go.

    A preview fills anew what belonged to the strokes that changed and to those that lay where the change is, between
    all others as they are. It may differ from the whole answer along lines, and where the change reaches on through
    the next gap.

    Parameters
    ----------
    luminance, tone
        As for `hybridcolor.propagate.lineart.lineart`.

    Examples
    --------
    >>> state = LineartState(np.full((1, 8), 100, np.float32))
    >>> for seeds in (Seeds.of([[0, 0]], [9, 0], stroke=1), Seeds.of([[0, 0], [0, 7]], [9, 0], stroke=[1, 2])):
    ...     state.set_seeds(seeds)
    ...     print(state.preview().label[0])
    [1 1 1 1 1 1 1 1]
    [1 1 1 1 2 2 2 2]
    """

    def __init__(self, luminance: NDArray[np.float32], *, tone: int = TONE) -> None:
        self._levels = relief(luminance, tone)
        self._rooms = rooms(self._levels)
        self._seeds = self._filled_for = Seeds.empty()
        self._answer: Propagation | None = None
        self._is_whole = False

    def set_seeds(self, seeds: Seeds) -> None:
        """Take a new set of seeds."""
        self._seeds, self._is_whole = seeds, False

    def set_prior(self, prior: NDArray[np.float32]) -> None:
        """Leave a prior aside, as the method does."""

    def preview(self) -> Propagation:
        """The last answer, with what changed filled anew."""
        if self._answer is None or self._answer.label is None:
            return self._fill()
        label = self._answer.label
        touched = _touched(self._filled_for, self._seeds, label)
        anew = np.isin(label, touched)
        if np.count_nonzero(anew) > WORTH_IT * anew.size:
            return self._fill()
        if anew.any():
            self._refill(anew, touched, self._answer.chroma.copy(), label.copy())
        return self._answer

    def refine(self, _cancel: Callable[[], bool], /) -> Iterator[Propagation]:
        """The whole answer, once."""
        yield self._answer if self._is_whole and self._answer is not None else self._fill()

    def _fill(self) -> Propagation:
        self._answer, self._filled_for = fill(self._levels, self._rooms, self._seeds), self._seeds
        self._is_whole = True
        return self._answer

    def _refill(
        self,
        anew: NDArray[np.bool_],
        touched: NDArray[np.int32],
        chroma: NDArray[np.float32],
        label: NDArray[np.int32],
    ) -> None:
        """Flood a part of the picture from the strokes in it, and from the others at its rim."""
        window = _window(anew)
        free = anew[window]
        rim = (cv2.dilate(free.view(np.uint8), cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))) > 0) & ~free
        markers = mark(self._seeds.take(at_home(self._seeds, self._rooms)), label.shape)
        roll(markers.plane, self._levels, np.flatnonzero(np.isin(markers.stroke, touched)) + 1)
        plane = np.where(free, markers.plane[window], WALL)
        plane[rim] = np.searchsorted(markers.stroke, label[window][rim]) + 1
        place = self._seeds.coords - [side.start for side in window]
        here = ((place >= 0) & (place < free.shape)).all(axis=1)
        seeds = replace(self._seeds.take(here), coords=place[here].astype(np.int32))
        filled = paint(flood_markers(self._levels[window], plane), markers, seeds)
        np.copyto(chroma[window], filled.chroma, where=free[..., None])
        np.copyto(label[window], np.asarray(filled.label), where=free)
        self._answer, self._filled_for = Propagation(chroma, label=label), self._seeds


def _touched(before: Seeds, now: Seeds, label: NDArray[np.int32]) -> NDArray[np.int32]:
    """The strokes of seeds that are not in both sets, and those to whom their pixels belong."""
    kinds = [
        np.column_stack([seeds.coords, seeds.stroke, seeds.ab, seeds.weight]).astype(np.float64).view("V48").ravel()
        for seeds in (before, now)
    ]
    changed = before.take(~np.isin(kinds[0], kinds[1])), now.take(~np.isin(kinds[1], kinds[0]))
    strokes = [[seeds.stroke, label[tuple(seeds.coords.T)]] for seeds in changed]
    return np.unique(np.concatenate(strokes[0] + strokes[1]))


def _window(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns that hold a mask and a pixel around it."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return slice(max(top - 1, 0), top + height + 1), slice(max(left - 1, 0), left + width + 1)
