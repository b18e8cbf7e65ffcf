"""Level-set propagation: a stroke's boundary grows over one pattern or one brightness, and stops where either changes.

The front of Qu, Wong and Heng is a curve that moves at a speed; here the speed is 0 or 1, so where it comes first is a
flood, and how far it leaks through a gap is the gap's width.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hybridcolor.errors import MethodError
from hybridcolor.propagate.lineart import SILL, TONE, at_home, level_at, relief_of, roll, rooms, tone_size
from hybridcolor.propagate.marker_flooding import flood_markers
from hybridcolor.propagate.patterns import GRID, SURE, pattern_distance, tone_features
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.strokes import Markers, mark, paint
from hybridcolor.propagate.tones import Tones, find_tones, ink
from hybridcolor.seeds import Seeds

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
    if not 0 <= gap < np.inf:
        raise MethodError(f"gap is {gap}, expected a width in pixels of 0 or more")
    drawn, size = ink(luminance), tone_size(luminance.shape, tone)
    tones = find_tones(drawn, size) if size else None
    levels = relief_of(luminance, drawn, size, tones)
    features = None
    if tones is not None:
        features, counted = tone_features(luminance, tones)
        levels = np.maximum(levels, _sills(features, counted, tones.inside))
    room = rooms(levels, gap)
    markers = mark(seeds.take(at_home(seeds, room)), levels.shape)
    roll(markers.plane, levels, range(1, len(markers.stroke) + 1))
    if tones is not None and features is not None:
        _spread(markers, room, tones, features)
    return paint(flood_markers(levels, markers.plane), markers, seeds)


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


def _spread(markers: Markers, room: NDArray[np.int32], tones: Tones, features: NDArray[np.float32]) -> None:
    """Mark toned rooms without a stroke for the nearest stroke in a room of the same pattern."""
    toned, mean, centre = _patterns(room[::GRID, ::GRID], tones.inside[::GRID, ::GRID], features)
    owner = np.zeros(int(room.max()) + 1, np.int32)
    marked = np.nonzero(markers.plane)
    np.maximum.at(owner, room[marked], markers.plane[marked])
    known = owner[toned] > 0
    if known.all() or not known.any():
        return
    far = np.square(centre[~known, None] - centre[None, known]).sum(axis=-1)
    far[pattern_distance(mean[~known, None], mean[None, known]) > SAME] = np.inf
    spread = np.zeros_like(owner)
    spread[toned[~known]] = np.where(np.isfinite(far.min(axis=1)), owner[toned[known]][far.argmin(axis=1)], 0)
    np.copyto(markers.plane, spread[room], where=spread[room] > 0)


def _patterns(
    room: NDArray[np.int32], inside: NDArray[np.bool_], features: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
    """The toned rooms, their mean features, and the middles of their tone; all arrays on the grid of the features."""
    count = np.bincount(room.ravel())
    tone = np.bincount(room[inside], minlength=len(count))
    (toned,) = np.nonzero((tone > LEAST_TONED * count) & (tone >= LEAST_SAMPLES))
    toned = toned[toned > 0]
    places = np.argwhere(inside).astype(np.float32)
    samples = np.concatenate([features[inside], places], axis=1)
    sums = np.stack([np.bincount(room[inside], column, minlength=len(count)) for column in samples.T], axis=1)
    mean = (sums[toned] / tone[toned, None]).astype(np.float32)
    return toned, mean[:, :-2], mean[:, -2:]
