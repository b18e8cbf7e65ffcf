"""Line-art propagation: each pixel goes to the stroke from which the largest ball can roll to it.

Gaps in the lines need no closing and no size given: where two strokes could both flow in, the narrowest passage parts
them, as in trapped-ball segmentation, here for all ball sizes at once.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridcolor.propagate.marker_flooding import flood_markers, gradient_levels
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.regions import QUANTA, quantize
from hybridcolor.propagate.strokes import mark, paint
from hybridcolor.propagate.tones import Tones, find_tones, ink, reaching
from hybridcolor.seeds import Seeds

STEP = 16.0
"""L* by which neighbours differ at a line, at least."""
CONTRAST = 0.35
"""The same as a share of the picture's strongest steps (its 99th percentile)."""
FINENESS = 8
"""Levels of the relief to a pixel of distance."""
TONE = 12
"""Pixels from dot to dot, or from stroke to stroke, up to which they are a tone."""
SILL = 6.0
"""Width of the gap, in pixels, that parts two strokes as well as the edge of a tone does."""
SPECK = 6
"""Pixels up to whose extent steps are grain, not lines."""
LEAST_TONES = 40
"""Periods of a tone that a picture's shorter side has at least."""
_SHORE = 4000 * FINENESS  # lines are above this level; distances of up to 4000 pixels have levels below it


def lineart(luminance: NDArray[np.float32], seeds: Seeds, *, tone: int = TONE) -> Propagation:
    r"""Fill drawings region by region, over gaps in their lines and under the lines to their middle.

    With :math:`d` the distance to the nearest line, the relief :math:`-d` is flooded from the strokes (Meyer): a pixel
    goes to the stroke from which a path leads to it whose narrowest place is widest. Lines are flooded last, from both
    sides, so no white fringe is left.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    seeds : Seeds
        Hard ones keep their own colour. The tail of a stroke that slips over a line into another's region fills
        nothing there. A region without a stroke is filled through its widest gap: give paper a stroke of gray.
    tone : int, optional
        Dots of at most this size, and dots and strokes of hatching of at most this distance, in pixels, are tone and no
        lines; less in pictures whose shorter side is not 40 times as long, 0 for none.

    Returns
    -------
    Propagation
        With ``label``, the stroke each pixel belongs to.

    Notes
    -----
    docs/manga.md has the figures.

    References
    ----------
    .. [1] S.-H. Zhang et al., "Vectorizing cartoon animations", IEEE TVCG 15(4), 2009 (trapped-ball segmentation).
       https://doi.org/10.1109/TVCG.2009.9
    .. [2] F. Meyer, "Color image segmentation", Int. Conf. on Image Processing and its Applications, 1992.

    Examples
    --------
    >>> luminance = np.full((9, 21), 100, np.float32)
    >>> luminance[:, 10] = 0
    >>> luminance[4, 10] = 100  # a gap
    >>> seeds = Seeds.of([[4, 2], [4, 18]], [[40.0, 0.0], [0.0, 40.0]])
    >>> lineart(luminance, seeds).label[4].tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    levels = relief(luminance, tone)
    return fill(levels, rooms(levels), seeds)


def fill(levels: NDArray[np.uint16], room: NDArray[np.int32], seeds: Seeds) -> Propagation:
    """Flood a relief from the strokes that are in their own rooms, wherever in them they were drawn."""
    markers = mark(seeds.take(at_home(seeds, room)), levels.shape)
    roll(markers.plane, levels, range(1, len(markers.stroke) + 1))
    return paint(flood_markers(levels, markers.plane), markers, seeds)


def roll(plane: NDArray[np.int32], levels: NDArray[np.uint16], markers: Iterable[int]) -> None:
    """Mark, for some markers, the deepest places that a ball reaches from them which grows as it rolls.

    So a stroke near a line, or on lettering, holds its region as one in the middle does. It stops where another stroke
    is within the ball.

    Examples
    --------
    >>> levels = level_at([[0, 1, 2, 3, 4, 3, 2, 1, 0]])
    >>> plane = np.array([[0, 0, 7, 0, 0, 0, 0, 0, 0]], np.int32)
    >>> roll(plane, levels, [7])
    >>> plane.tolist()
    [[0, 0, 7, 7, 7, 0, 0, 0, 0]]
    """
    if levels.max() < _SHORE:
        return
    row, column = np.nonzero(plane)
    order = np.lexsort((levels[row, column], plane[row, column]))
    known, first = np.unique(plane[row, column][order], return_index=True)
    start = {int(marker): order[at] for marker, at in zip(known, first, strict=True)}
    for marker in markers:
        if marker in start:
            _roll_one(plane, levels, int(row[start[marker]]), int(column[start[marker]]))


def _roll_one(plane: NDArray[np.int32], levels: NDArray[np.uint16], row: int, column: int) -> None:
    """From one pixel on: to the deepest pixels of the largest ball around it, and again from there."""
    marker = plane[row, column]
    while (depth := (_SHORE - int(levels[row, column])) / FINENESS) > 1:
        radius = int(depth)
        (top, bottom), (left, right) = (
            (max(at - radius, 0), min(at + radius + 1, side))
            for at, side in zip((row, column), plane.shape, strict=True)
        )
        window = np.s_[top:bottom, left:right]
        rows, columns = np.ogrid[window]
        away = np.hypot(rows - row, columns - column)
        sills = levels[window] > level_at(np.maximum(depth - away - 2, 0))  # higher than the next line makes it
        ball = away < away[sills].min(initial=depth)
        if np.isin(plane[window][ball], (0, marker), invert=True).any():
            return
        deepest = levels[window][ball].min()
        if deepest + FINENESS / 2 > levels[row, column]:
            return
        there = np.argwhere(ball & (levels[window] == deepest)) + np.array([top, left])
        plane[tuple(there.T)] = marker
        farthest = np.square(there - (row, column)).sum(axis=1)
        if np.count_nonzero(farthest == farthest.max()) > 1:  # the choice would depend on which way the page is up
            return
        row, column = (int(side) for side in there[farthest.argmax()])


def rooms(levels: NDArray[np.uint16], gap: float = SILL) -> NDArray[np.int32]:
    """(H, W) numbers from 1 of the places that gaps up to some pixels part; 0 in the gaps and near lines."""
    inside = levels < _SHORE - gap / 2 * FINENESS
    return np.asarray(cv2.connectedComponents(inside.view(np.uint8), connectivity=4)[1])


def at_home(seeds: Seeds, room: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which seeds count: not the tail of a stroke that slipped into a room where another stroke is at home.

    A stroke is at home in the room where most of it is, and in those where it is at least half as much.

    Parameters
    ----------
    seeds : Seeds
    room : (H, W) int32
        As `rooms` numbers them.

    Returns
    -------
    (N,) bool

    Examples
    --------
    >>> room = np.array([[1, 1, 1, 0, 2, 2]], np.int32)
    >>> seeds = Seeds.of([[0, j] for j in range(6)], [1, 1], stroke=[1, 1, 1, 1, 1, 2])
    >>> at_home(seeds, room).tolist()
    [True, True, True, True, False, True]
    """
    where = room[tuple(seeds.coords.T)]
    stroke = np.unique(seeds.stroke, return_inverse=True)[1].reshape(-1)
    pairs, pair, count = np.unique(np.stack([stroke, where]), axis=1, return_inverse=True, return_counts=True)
    count[pairs[1] == 0] = 0
    most = np.zeros(len(seeds), np.intp)
    np.maximum.at(most, pairs[0], count)
    home = 2 * count >= most[pairs[0]]
    claimed = np.isin(where, pairs[1, home & (count > 0)])
    return np.asarray(home[pair.reshape(-1)] | ~claimed)


def relief(luminance: NDArray[np.float32], tone: int) -> NDArray[np.uint16]:
    """(H, W) levels: the lower, the further from a line; lines rise above all else by how strong they are.

    A tone's edge without an outline is a low sill: it parts two strokes as a gap of `SILL` pixels would.

    Examples
    --------
    >>> luminance = np.full((1, 9), 100, np.float32)
    >>> luminance[0, 4] = 0
    >>> levels = relief(luminance, 0)[0].astype(int)
    >>> bool(levels[0] < levels[1] < levels[3] <= levels[4])
    True
    """
    drawn, size = ink(luminance), tone_size(luminance.shape, tone)
    return relief_of(luminance, drawn, size, find_tones(drawn, size) if size else None)


def tone_size(shape: tuple[int, ...], tone: int) -> int:
    """``tone``, or what is left of it in a small picture: there small things are no dots.

    Examples
    --------
    >>> tone_size((200, 900), 12)
    5
    """
    return min(tone, min(shape) // LEAST_TONES)


def relief_of(
    luminance: NDArray[np.float32], drawn: NDArray[np.bool_], size: int, tones: Tones | None
) -> NDArray[np.uint16]:
    """The same of a drawing whose ink and tones are known."""
    steps = gradient_levels(quantize(without_dots(luminance, drawn, size) if size else luminance)).astype(np.int32)
    lines = steps > max(STEP * QUANTA, CONTRAST * float(np.percentile(steps, 99)))
    lines = reaching(lines, min(size, SPECK))
    if tones is not None:
        lines = np.where(tones.inside, tones.lines, lines)
        steps = np.where(tones.inside, (tones.height.clip(0, 1) * (100 * QUANTA)).astype(np.int32), steps)
    if not lines.any():
        return steps.astype(np.uint16)
    away = cv2.distanceTransform((~lines).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    if tones is not None:
        away[tones.edge] = np.minimum(away[tones.edge], SILL / 2)
    return np.where(lines, _SHORE + steps // 4, level_at(away)).astype(np.uint16)


def level_at(distance: ArrayLike) -> NDArray[np.uint16]:
    """The relief's level so many pixels from the next line.

    Examples
    --------
    >>> level_at(np.array([1.0, 2.0, 5000.0], np.float32)).tolist()
    [31992, 31984, 1]
    """
    return np.asarray(_SHORE - np.minimum(np.multiply(distance, FINENESS), _SHORE - 1), np.uint16)


def without_dots(luminance: NDArray[np.float32], drawn: NDArray[np.bool_], size: int) -> NDArray[np.float32]:
    """The picture with dots of ink up to some height and width filled by the paper around them.

    Examples
    --------
    >>> luminance = np.full((9, 30), 100, np.float32)
    >>> luminance[4, 4] = luminance[2, 8:] = 0  # a dot and a line
    >>> clean = without_dots(luminance, luminance < 50, 6)
    >>> float(clean[4, 4]), float(clean[2, 20])
    (100.0, 0.0)
    """
    _, parts, extent, _ = cv2.connectedComponentsWithStats(drawn.view(np.uint8), connectivity=8)
    dots = (extent[:, cv2.CC_STAT_WIDTH] <= size) & (extent[:, cv2.CC_STAT_HEIGHT] <= size)
    dots[0] = False  # the paper
    if not dots.any() or drawn.all():
        return luminance
    is_dot = dots[parts]
    around = cv2.dilate(is_dot.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    line = cv2.dilate((drawn & ~is_dot).view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(around & ~line, np.median(luminance[~drawn]), luminance)
