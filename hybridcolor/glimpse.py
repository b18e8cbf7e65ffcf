"""What a large picture will look like, at once: a drawing is propagated on a small copy of the picture.

The copy's answer is coarse, but from one drawing to the next it *changes* as the picture's does. So a part in view is
shown as it was last answered exactly, plus the copy's change since, brought to size along the picture's edges. May
import ``groundwork`` and below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hybridcolor.drawing import Drawing
from hybridcolor.groundwork import Groundwork
from hybridcolor.picture import Picture
from hybridcolor.propagate import PropagationState, has_engine
from hybridcolor.propagate.lightness import LightnessState
from hybridcolor.resampling import Window, guided_fit, guided_plane_fit, resample
from hybridcolor.seeds import FULL_LIGHTNESS, Seeds

MOST_PIXELS = 160_000
"""Pixels that the small copy has at most."""
FIRST_STEPS, STEPS = 2, 1
"""Steps of the solver on the copy: to its first answer, and from one answer to the next. After a second step the latter
would be nearer to the picture's by 1% on photos with a network, 4% by strokes alone; the rest is the copy's size."""
UNSEEN = 0.75
"""L*a*b* units by which a colour may change before it is drawn anew."""


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


class Seen(NamedTuple):
    """A glimpse before it is made ready for the screen: every pixel's L*, a* and b*, and how light they are painted."""

    window: Window
    luminance: NDArray[np.float32]
    chroma: NDArray[np.float32]
    lightness: NDArray[np.float32] | None


class Thinned:
    """A large plane that is read with a step, every so many-th pixel: a dense copy of those is kept.

    Reading the plane itself with gaps would be slow.

    Parameters
    ----------
    plane : (H, W) or (H, W, 2) float32
    pixels : Window, optional
        Those that will be read first.
    """

    def __init__(self, plane: NDArray[np.float32], pixels: Window | None = None) -> None:
        self._plane = self._kept = plane
        self.pixels: Window = (slice(0, None, 1), slice(0, None, 1))
        if pixels is not None:
            self._keep(pixels)

    def part(self, window: Window) -> NDArray[np.float32]:
        """``plane[window]``.

        Examples
        --------
        >>> plane = np.arange(100, dtype=np.float32).reshape(10, 10)
        >>> Thinned(plane).part((slice(5, 10, 2), slice(2, 9, 3))).tolist()
        [[52.0, 55.0, 58.0], [72.0, 75.0, 78.0], [92.0, 95.0, 98.0]]
        """
        steps = [side.step or 1 for side in window]
        pixels = [slice(side.start % step, None, step) for side, step in zip(window, steps, strict=True)]
        self._keep((pixels[0], pixels[1]))
        rows, columns = (
            slice(side.start // step, (side.stop - side.start % step - 1) // step + 1)
            for side, step in zip(window, steps, strict=True)
        )
        return self._kept[rows, columns]

    def _keep(self, pixels: Window) -> None:
        if self.pixels != pixels:
            self.pixels, self._kept = pixels, np.ascontiguousarray(self._plane[pixels])


class Exact(NamedTuple):
    """The last exact answer, and what the small copy has to say to it.

    Attributes
    ----------
    settings : tuple
        `Drawing.settings` of the drawing that was answered.
    chroma : Thinned
        The answer, (H, W, 2).
    small : Coloured
        The copy's answer to the same drawing.
    touched : (h, w) float32
        How far the copy's answers since were off ``small`` at most: there glimpses have drawn over the exact answer.
    """

    settings: tuple[Any, ...]
    chroma: Thinned
    small: Coloured
    touched: NDArray[np.float32]


class Coloured(NamedTuple):
    """A small copy's answer: (h, w, 2) a* and b*, and the (h, w) lightness of strokes where any asks for one."""

    chroma: NDArray[np.float32]
    lightness: NDArray[np.float32] | None

    def off(self, other: Coloured) -> NDArray[np.float32]:
        """(h, w) how far it is off another answer, in the channel that differs most."""
        change = np.abs(self.chroma - other.chroma)
        most: NDArray[np.float32] = np.maximum(change[..., 0], change[..., 1])  # an axis of two is slow to reduce
        if self.lightness is None and other.lightness is None:
            return most
        lights = self.lightness, other.lightness
        one, another = (np.float32(FULL_LIGHTNESS) if light is None else light for light in lights)
        return np.maximum(most, np.abs(one - another), dtype=np.float32)


_Answer = tuple[Drawing, Groundwork, NDArray[np.float32]]  # to which drawing, from which groundwork, and the chroma


class Glimpses:
    """What glimpses of a picture go by: a small copy for the present settings, and the last exact answer.

    Parameters
    ----------
    picture : Picture
    ground_for : callable
        What the CNN has to say to a drawing.
    paints : callable
        Whether a drawing is painted, so that the lightness of strokes is to be seen.
    """

    def __init__(
        self, picture: Picture, ground_for: Callable[[Drawing], Groundwork], paints: Callable[[Drawing], bool]
    ) -> None:
        self._shape, self._ground_for, self._paints = picture.shape, ground_for, paints
        self._luminance = Thinned(picture.luminance)
        self._copy: SmallCopy | None = None
        self._settings: tuple[Any, ...] | None = None  # of the copy
        self._heard: Drawing | None = None  # what its CNN has been told
        self._exact: Exact | None = None
        self._answer: _Answer | None = None  # the exact one that was noted last
        self._gone_on: _Answer | None = None  # the one that ``_exact`` was made from

    def look(self, drawing: Drawing, view: Window, *, hear: bool) -> Seen | None:
        """The part of a view that a drawing changes, as it will look; see `hybridcolor.session.EditSession.glimpse`."""
        copy = self.prepare(drawing)
        if hear and not self._hear(copy, drawing):
            return None
        answer = copy.answer(drawing.scribbles, lit=self._paints(drawing))
        change, exact = answer.chroma, self._exact
        if exact is None or exact.settings != self._settings:
            window, before = view, None
        else:
            change = change - exact.small.chroma
            np.maximum(exact.touched, answer.off(exact.small), out=exact.touched)
            changed = changed_window(exact.touched, self._shape, view)
            if changed is None:
                return None
            window, before = changed, exact.chroma.part(changed)
        luminance = np.ascontiguousarray(self._luminance.part(window))
        chroma = np.zeros((*luminance.shape, 2), np.float32) if before is None else before.copy()
        guided_fit(change, copy.luminance, cell=1).add_to(chroma, luminance, window, self._shape)
        lay_on(chroma, drawing.scribbles, window)
        lightness = None
        if answer.lightness is not None:
            lightness = guided_plane_fit(answer.lightness, copy.luminance).at(luminance, window, self._shape)[..., 0]
        return Seen(window, luminance, chroma, lightness)

    def answered(self, drawing: Drawing, ground: Groundwork, chroma: NDArray[np.float32]) -> None:
        """Note an exact answer for glimpses to go on from; takes no time, and may come from any thread."""
        if self._copy is not None:  # else nobody looks
            self._answer = drawing, ground, chroma

    def prepare(self, drawing: Drawing) -> SmallCopy:
        """The small copy for a drawing's settings, after it has answered what was answered exactly."""
        self._go_on()
        return self._copy_for(drawing)

    def _go_on(self) -> None:
        """Make the answer that was noted last the one that glimpses go on from."""
        answer = self._answer
        if answer is None or answer is self._gone_on:
            return
        self._gone_on = answer
        drawing, ground, chroma = answer
        copy = self._copy_for(drawing)
        copy.hear(ground)
        self._heard = drawing
        small = copy.answer(drawing.scribbles, lit=self._paints(drawing))
        nowhere = np.zeros(copy.shape, np.float32)
        self._exact = Exact(drawing.settings(), Thinned(chroma, self._luminance.pixels), small, nowhere)

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
        self._picture = Picture(resample(ground.picture.luminance, self.shape).clip(0, 100))  # means are rounded
        self._ground = ground.at_size_of(self._picture)
        prior = self._ground.predicted
        suited = ground.suited(method, options)
        self._state = PropagationState(self._picture.luminance, method=method, prior=prior, **suited)
        light = self._ground.lightness
        self._lightness = LightnessState(self._picture.luminance, method=method, prior=light, **suited)
        self._goes_on = has_engine(method)
        self._answered: tuple[Seeds, bool] | None = None
        self._answer: Coloured | None = None

    @property
    def luminance(self) -> NDArray[np.float32]:
        """The copy's L*."""
        return self._picture.luminance

    def hear(self, ground: Groundwork) -> None:
        """Take up what the CNN says now."""
        self._ground, self._answered = ground.at_size_of(self._picture), None
        if self._ground.predicted is not None:
            self._state.set_prior(self._ground.predicted)

    def answer(self, scribbles: Seeds, *, lit: bool) -> Coloured:
        """The colours that a drawing's scribbles give, and with ``lit`` their lightness.

        Raises
        ------
        SeedError
            If there is nothing to go by.
        """
        if self._answer is None or self._answered != (scribbles, lit):
            small = scribbles.resized(self._full, self.shape)
            seeds = small if self._ground.suffices(small) else self._ground.merged_with(small)
            self._state.set_seeds(seeds)
            steps, asked = FIRST_STEPS if self._answer is None else STEPS, count()

            def enough() -> bool:  # asked before the first step and after each
                return self._goes_on and next(asked) == steps

            answers = list(self._state.refine(enough))
            answer = answers[-1] if answers else self._state.preview()
            self._answer = Coloured(answer.chroma, self._lightness.preview(seeds, answer) if lit else None)
            self._answered = scribbles, lit
        return self._answer


def changed_window(change: NDArray[np.float32], shape: tuple[int, int], view: Window) -> Window | None:
    """The part of a view in which a small copy's change is to be seen, None if in none of it.

    Parameters
    ----------
    change : (h, w) float32
        In units of L*, a* and b*.
    shape : tuple of int
        Of the picture.
    view : (rows, columns)
        Slices of the picture, with a step.

    Examples
    --------
    >>> change = np.zeros((10, 10), np.float32)
    >>> change[4, 5] = 9
    >>> changed_window(change, (100, 100), (slice(0, 100, 2), slice(0, 55, 2)))
    (slice(30, 60, 2), slice(40, 55, 2))
    """
    seen = change > UNSEEN
    found = []
    for axis, (side, part) in enumerate(zip(shape, view, strict=True)):
        along = np.flatnonzero(seen.any(axis=1 - axis)).tolist()
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


def lay_on(chroma: NDArray[np.float32], scribbles: Seeds, window: Window) -> None:
    """Give the hard scribbles in a window exactly their colour.

    Examples
    --------
    >>> chroma = np.zeros((1, 2, 2), np.float32)
    >>> lay_on(chroma, Seeds.of([[0, 4], [0, 5]], (9, 9)), (slice(0, 1, 2), slice(2, 6, 2)))
    >>> chroma.tolist()
    [[[0.0, 0.0], [9.0, 9.0]]]
    """
    seen = np.flatnonzero(np.isinf(scribbles.weight))
    for axis, side in enumerate(window):
        along = scribbles.coords[seen, axis]
        seen = seen[(along >= side.start) & (along < side.stop) & ((along - side.start) % (side.step or 1) == 0)]
    row, column = ((scribbles.coords[seen, axis] - side.start) // (side.step or 1) for axis, side in enumerate(window))
    chroma[row, column] = scribbles.ab[seen]
