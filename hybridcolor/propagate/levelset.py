"""Level-set propagation: a stroke's boundary grows over one pattern or one brightness, and stops where either changes.

In Qu, Wong and Heng's method a curve moves outward at a speed that the picture sets. Here the speed is 0 or 1. Then a
flood finds which stroke's curve arrives first, as in `lineart`, and a gap's width alone says whether it leaks through.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hybridcolor.errors import MethodError
from hybridcolor.propagate.lineart import LineartState
from hybridcolor.propagate.paper import evened, ink
from hybridcolor.propagate.patterns import GRID, SURE, pattern_distance, tone_features
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.relief import SHORE, SILL, level_at, relief_of
from hybridcolor.seeds import Seeds
from hybridcolor.tones import TONE, find_tones, tone_size

SAME = 4.0
"""Distance of pattern features, in L*, up to which two regions have one pattern; one kind of tone varies by 0.3, and
those of a printer's table are mostly 8 and more apart."""
EDGE = 2.0
"""Change of the features over `GRID` pixels to either side that is as high a sill as the edge of a tone."""
LEAST_SAMPLES = 4
"""Samples of tone that tell a pattern."""
LEAST_TONED = 0.5
"""Share of a region that is tone, at least, for the region to have a pattern."""


def levelset(luminance: NDArray[np.float32], seeds: Seeds, *, gap: float = SILL, tone: int = TONE) -> Propagation:
    """Fill regions of one pattern or brightness, wherever they are, from one stroke.

    As `hybridcolor.propagate.lineart.lineart`, with two additions. Where a pattern meets another, of the same density
    too, there is an edge. And a toned region without a stroke takes that of the nearest region with the same tone,
    however far away, before any colour leaks into it.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    seeds : Seeds
        As for `lineart`.
    gap : float, optional
        Width in pixels of the gaps that a stroke does not pass to a region with a pattern of its own.
    tone : int, optional
        As for `lineart`; 0 is without patterns.

    Returns
    -------
    Propagation
        With ``label``, the stroke each pixel belongs to.

    Raises
    ------
    MethodError
        If ``gap`` is negative or not finite.
    SeedError
        If there are no seeds.

    References
    ----------
    .. [1] Y. Qu, T.-T. Wong, P.-A. Heng, "Manga colorization", ACM Transactions on Graphics 25(3), 2006.
       https://doi.org/10.1145/1141911.1142017

    Examples
    --------
    >>> luminance = np.full((240, 300), 100, np.float32)
    >>> luminance[::5, :100] = luminance[::5, 200:] = 0  # two hatched parts, blank paper between them
    >>> seeds = Seeds.of([[120, 50], [120, 150]], [[40.0, 0.0], [0.0, 40.0]])
    >>> levelset(luminance, seeds).label[120, [50, 150, 250]].tolist()
    [0, 1, 0]
    """
    state = LevelsetState(luminance, gap=gap, tone=tone)
    state.set_seeds(seeds)
    return state.preview()


class LevelsetState(LineartState):
    """The method `levelset` held open: patterns are found once, and a stroke refills only what it changes.

    Parameters
    ----------
    luminance, gap, tone
        As for `levelset`.

    Examples
    --------
    >>> state = LevelsetState(np.full((1, 8), 100, np.float32))
    >>> state.set_seeds(Seeds.of([[0, 0], [0, 7]], [9, 0], stroke=[1, 2]))
    >>> state.preview().label[0]
    array([1, 1, 1, 1, 2, 2, 2, 2], dtype=int32)
    """

    def __init__(self, luminance: NDArray[np.float32], *, gap: float = SILL, tone: int = TONE) -> None:
        if not 0 <= gap < np.inf:
            raise MethodError(f"gap is {gap}, expected a width in pixels of 0 or more")
        luminance = evened(luminance)
        drawn, size = ink(luminance), tone_size(luminance.shape, tone)
        tones = find_tones(drawn, size)
        levels = relief_of(luminance, drawn, size, tones)
        self._patterns: Patterns | None = None
        if tones is None:
            self._hold(levels, gap)
            return
        features, counted = tone_features(luminance, tones)
        levels = np.maximum(levels, _sills(features, counted, tones.inside))
        self._hold(levels, gap)
        self._patterns = Patterns.of(self._rooms, levels, tones.inside[::GRID, ::GRID], features)

    def _marks(
        self, place: NDArray[np.int64], number: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        place, number = super()._marks(place, number)
        if self._patterns is None:
            return place, number
        more = self._patterns.spread(self._rooms.ravel()[place], number)
        return np.concatenate([place, more[0]]), np.concatenate([number, more[1]])


def _sills(
    features: NDArray[np.float32], counted: NDArray[np.float32], inside: NDArray[np.bool_]
) -> NDArray[np.uint16]:
    """The least levels of a relief within tones: as if near a line where the pattern changes, and 0 elsewhere."""
    waves = features[..., 1:]  # mean L* near a line depends on which dots are left out with it
    wide = np.pad(waves, ((1, 1), (1, 1), (0, 0)), mode="edge")
    change = np.hypot(
        pattern_distance(wide[2:, 1:-1], wide[:-2, 1:-1]), pattern_distance(wide[1:-1, 2:], wide[1:-1, :-2])
    )
    change[counted < SURE] = 0
    change = cv2.resize(change, inside.shape[::-1])
    return np.where(inside & (change > EDGE), level_at(SILL / 2 * EDGE / np.maximum(change, EDGE)), 0)


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """The toned rooms of a drawing, and what the pattern in each is like.

    Attributes
    ----------
    room : (R,) int64
        Their numbers.
    mean : (R, C) float32
        What each one's tone is like.
    centre : (R, 2) float32
        Its middle, in samples.
    deepest : (D,) int64
        Flat indices of the pixels of each room that are farthest from lines.
    within : (D,) int64
        The room of each of those, as an index into ``room``.
    """

    room: NDArray[np.int64]
    mean: NDArray[np.float32]
    centre: NDArray[np.float32]
    deepest: NDArray[np.int64]
    within: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        rooms: NDArray[np.int32],
        levels: NDArray[np.uint16],
        inside: NDArray[np.bool_],
        features: NDArray[np.float32],
    ) -> Patterns:
        """The patterns of a drawing: rooms and relief are of every pixel, tone and features of every `GRID`-th."""
        sampled = rooms[::GRID, ::GRID]
        count = np.bincount(sampled.ravel(), minlength=int(rooms.max()) + 1)
        tone = np.bincount(sampled[inside], minlength=len(count))
        is_toned = (tone > LEAST_TONED * count) & (tone >= LEAST_SAMPLES)
        is_toned[0] = False
        (toned,) = np.nonzero(is_toned)
        samples = np.concatenate([features[inside], np.argwhere(inside).astype(np.float32)], axis=1)
        sums = np.stack([np.bincount(sampled[inside], column, minlength=len(count)) for column in samples.T], axis=1)
        mean = (sums[toned] / tone[toned, None]).astype(np.float32)
        place = np.flatnonzero(is_toned[rooms])
        number, level = np.searchsorted(toned, rooms.ravel()[place]), levels.ravel()[place]
        lowest = np.full(len(toned), SHORE)
        np.minimum.at(lowest, number, level)
        deepest = level == lowest[number]
        return cls(toned, mean[:, :-2], mean[:, -2:], place[deepest], number[deepest])

    def spread(self, room: NDArray[np.int32], number: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Marks for toned rooms that have none: of the nearest room with the same pattern that has one.

        Parameters
        ----------
        room, number : (N,) int
            The room of every mark, 0 for none, and its marker.

        Returns
        -------
        place, number : (M,) int64
            The new marks, as flat indices and markers.
        """
        if len(self.room) == 0:
            return self.deepest, self.within  # both are empty
        at = np.searchsorted(self.room, room).clip(max=len(self.room) - 1)
        here = self.room[at] == room
        owner = np.zeros(len(self.room), np.int64)
        np.maximum.at(owner, at[here], number[here])
        known = owner > 0
        if known.any() and not known.all():
            far = np.square(self.centre[~known, None] - self.centre[None, known]).sum(axis=-1)
            far[pattern_distance(self.mean[~known, None], self.mean[None, known]) > SAME] = np.inf
            owner[~known] = np.where(np.isfinite(far.min(axis=1)), owner[known][far.argmin(axis=1)], 0)
        given = ~known[self.within] & (owner[self.within] > 0)
        return self.deepest[given], owner[self.within[given]]
