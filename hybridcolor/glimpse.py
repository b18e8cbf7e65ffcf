"""What a large picture will look like, at once: a drawing is propagated on a small copy of the picture.

The copy's answer is coarse, but from one drawing to the next it *changes* as the picture's does. So a part in view is
shown as it was last answered exactly, plus the copy's change since, brought to size along the picture's edges. May
import ``groundwork`` and below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hybridcolor.drawing import Drawing
from hybridcolor.groundwork import Groundwork
from hybridcolor.picture import Picture
from hybridcolor.propagate import PropagationState, has_engine
from hybridcolor.resampling import guided_resample, resample
from hybridcolor.seeds import Seeds

MOST_PIXELS = 160_000
"""Of the small copy."""
UNSEEN = 0.75
"""Ab units by which a colour may change before it is drawn anew."""

Window = tuple[slice, slice]
"""Rows and columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """A part of a picture as it will look.

    Attributes
    ----------
    window : (rows, columns)
        The part that changed, as slices of the picture with a step: every so many-th pixel.
    rgb : (h, w, 3) uint8
        Those pixels.
    """

    window: Window
    rgb: NDArray[np.uint8]


class Exact(NamedTuple):
    """The last exact answer, what the small copy makes of the same drawing, and how far glimpses since have led."""

    settings: tuple[Any, ...]
    chroma: NDArray[np.float32]
    small: NDArray[np.float32]
    touched: NDArray[np.float32]


_Answer = tuple[Drawing, Groundwork, NDArray[np.float32]]


class Glimpses:
    """What glimpses of a picture go by: a small copy for the present settings, and the last exact answer.

    Parameters
    ----------
    picture : Picture
    ground_for : callable
        What the CNN has to say to a drawing.
    """

    def __init__(self, picture: Picture, ground_for: Callable[[Drawing], Groundwork]) -> None:
        self._picture, self._ground_for = picture, ground_for
        self._copy: SmallCopy | None = None
        self._settings: tuple[Any, ...] | None = None  # of the copy
        self._heard: Drawing | None = None  # what its CNN has been told
        self._exact: Exact | None = None
        self._answer: _Answer | None = None  # the last exact one
        self._gone_on: _Answer | None = None  # from this one

    def look(self, drawing: Drawing, view: Window, *, hear: bool) -> tuple[Window, NDArray[np.float32]] | None:
        """The part of a view that a drawing changes, and its colours; see `hybridcolor.session.EditSession.glimpse`."""
        self.go_on()
        copy = self._copy_for(drawing)
        if hear and not self._hear(copy, drawing):
            return None
        chroma = copy.chroma(drawing.scribbles)
        exact = self._exact
        if exact is None or exact.settings != self._settings:
            shown = brought_to(view, chroma, self._picture.luminance)
            lay_on(shown, drawing.scribbles, view)
            return view, shown
        change = chroma - exact.small
        np.maximum(exact.touched, np.abs(change), out=exact.touched)
        window = changed_window(exact.touched, self._picture.shape, view)
        if window is None:
            return None
        shown = exact.chroma[window] + brought_to(window, change, self._picture.luminance)
        lay_on(shown, drawing.scribbles, window)
        return window, shown

    def answered(self, drawing: Drawing, ground: Groundwork, chroma: NDArray[np.float32]) -> None:
        """Note an exact answer for glimpses to `go_on` from; takes no time, and may come from any thread."""
        if self._copy is not None:  # else nobody looks
            self._answer = drawing, ground, chroma

    def go_on(self) -> None:
        """Have the small copy answer what was answered exactly."""
        answer = self._answer
        if answer is None or answer is self._gone_on:
            return
        self._gone_on = answer
        drawing, ground, chroma = answer
        copy = self._copy_for(drawing)
        copy.hear(ground)
        self._heard = drawing
        small = copy.chroma(drawing.scribbles)
        self._exact = Exact(drawing.settings(), chroma, small, np.zeros_like(small))

    def _copy_for(self, drawing: Drawing) -> SmallCopy:
        settings = drawing.settings()
        if self._copy is None or self._settings != settings:
            ground = self._ground_for(drawing)
            self._copy = SmallCopy(ground, drawing.method, drawing.method_options)
            self._settings, self._heard = settings, drawing
        return self._copy

    def _hear(self, copy: SmallCopy, drawing: Drawing) -> bool:
        """Have the copy's CNN hear a drawing; False if it has, or there is none."""
        if self._heard is None or drawing.drawn_as(self._heard):
            return False
        ground = self._ground_for(drawing)
        self._heard = drawing
        if ground.belief is None:
            return False
        copy.hear(ground)
        return True


class SmallCopy:
    """A picture made small, with its CNN's word and its propagation held open.

    Parameters
    ----------
    ground : Groundwork
        Of the picture.
    method, options
        As for `hybridcolor.propagate.PropagationState`.
    """

    def __init__(self, ground: Groundwork, method: str, options: Mapping[str, Any]) -> None:
        self._full = ground.picture.shape
        scale = min(1.0, (MOST_PIXELS / (self._full[0] * self._full[1])) ** 0.5)
        self.shape = (max(1, round(self._full[0] * scale)), max(1, round(self._full[1] * scale)))
        self._picture = Picture(resample(ground.picture.luminance, self.shape))
        self._ground = ground.at_size_of(self._picture)
        prior = self._ground.predicted
        suited = ground.suited(method, options)
        self._state = PropagationState(self._picture.luminance, method=method, prior=prior, **suited)
        self._goes_on = has_engine(method)

    def hear(self, ground: Groundwork) -> None:
        """Take up what the CNN says now."""
        self._ground = ground.at_size_of(self._picture)
        if self._ground.predicted is not None:
            self._state.set_prior(self._ground.predicted)

    def chroma(self, scribbles: Seeds) -> NDArray[np.float32]:
        """(h, w, 2) a* and b* of a drawing's scribbles.

        Raises
        ------
        SeedError
            If there is nothing to go by.
        """
        small = self._scaled(scribbles)
        self._state.set_seeds(small if self._ground.suffices(small) else self._ground.merged_with(small))
        if self._goes_on:
            return self._state.preview().chroma
        *_, answer = self._state.refine()
        return answer.chroma

    def _scaled(self, seeds: Seeds) -> Seeds:
        """Seeds of the picture as seeds of the copy; the last of those that fall together holds."""
        coords = seeds.coords.astype(np.int64) * self.shape // self._full
        _, last = np.unique((coords @ (self.shape[1], 1))[::-1], return_index=True)
        kept = seeds.take(np.sort(len(coords) - 1 - last))
        weight = kept.weight * np.float32(max(self._full) / max(self.shape))
        return Seeds(
            coords[np.sort(len(coords) - 1 - last)].astype(np.int32), kept.ab, weight, kept.stroke, kept.origin
        )


def changed_window(change: NDArray[np.float32], shape: tuple[int, int], view: Window) -> Window | None:
    """The part of a view in which a small copy's change is to be seen, None if in none of it.

    Parameters
    ----------
    change : (h, w, 2) float32
        In ab units.
    shape : tuple of int
        Of the picture.
    view : (rows, columns)
        Slices of the picture, with a step.

    Examples
    --------
    >>> change = np.zeros((10, 10, 2), np.float32)
    >>> change[4, 5] = 9
    >>> changed_window(change, (100, 100), (slice(0, 100, 2), slice(0, 55, 2)))
    (slice(30, 60, 2), slice(40, 55, 2))
    """
    seen = np.abs(change).max(axis=2) > UNSEEN
    found = []
    for axis, (side, part) in enumerate(zip(shape, view, strict=True)):
        along = np.flatnonzero(seen.max(axis=1 - axis)).tolist()
        if not len(along):
            return None
        small, step = change.shape[axis], part.step or 1
        first, last = max(0, along[0] - 1) * side // small, min(small, along[-1] + 2) * side // small
        start = part.start + max(0, first - part.start) // step * step
        stop = min(part.stop, last)
        if start >= stop:
            return None
        found.append(slice(start, stop, step))
    return found[0], found[1]


def brought_to(window: Window, change: NDArray[np.float32], luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    """A small copy's change at the pixels of a window, along the picture's edges.

    Parameters
    ----------
    window : (rows, columns)
        Slices of the picture, with a step.
    change : (h, w, 2) float32
    luminance : (H, W) float32
        The picture's L*.

    Returns
    -------
    (rows, columns, 2) float32
    """
    guide = np.ascontiguousarray(luminance[window])
    inside = []
    for part, small, side in zip(window, change.shape, luminance.shape, strict=False):
        first, last = part.start * small // side, -(-part.stop * small // side)
        inside.append(slice(first, max(last, first + 1)))
    return guided_resample(np.ascontiguousarray(change[inside[0], inside[1]]), guide, cell=1)


def lay_on(chroma: NDArray[np.float32], scribbles: Seeds, window: Window) -> None:
    """Give the hard scribbles in a window exactly their colour.

    Examples
    --------
    >>> chroma = np.zeros((1, 2, 2), np.float32)
    >>> lay_on(chroma, Seeds.of([[0, 4], [0, 5]], (9, 9)), (slice(0, 1, 2), slice(2, 6, 2)))
    >>> chroma.tolist()
    [[[0.0, 0.0], [9.0, 9.0]]]
    """
    first, stop, step = np.transpose([(side.start, side.stop, side.step or 1) for side in window])
    inside = ((scribbles.coords >= first) & (scribbles.coords < stop)).all(axis=1) & np.isinf(scribbles.weight)
    place, rest = np.divmod(scribbles.coords[inside] - first, step)
    seen = (rest == 0).all(axis=1)
    chroma[tuple(place[seen].T)] = scribbles.ab[inside][seen]
