"""Lines apart from screentone: what of a drawing is stroke, and how dark the tone between the strokes is.

Screentone is many small dots of one size in a regular grid (or, where it is dark, small holes of paper in the ink);
strokes are not. `separate` tells them apart and turns tone into the even gray that it stands for, for
``painting`` and for layered files. It decides for each dot by itself whether it belongs to a tone, so that no other ink
is taken away. Whole toned areas, also of hatching or of dots that touch, are found by ``tones``. Imports that and
``discs`` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hybridcolor.discs import disc
from hybridcolor.tones import dark_side, find_tones, tone_size

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

LARGEST_DOT = 14
"""Height and width, in pixels, of the largest dot or hole of a screentone."""
_NEIGHBOURS = 4
_ALIKE = 1.8  # times by which the areas of neighbouring dots differ, at most
_EVEN = 1.7  # times by which the distances to a dot's neighbours differ, at most
_FEWEST = 30  # dots of a tone: so many letters of a line are not alike
_ANGLES = 12  # of the straight pieces that lines are made of


@dataclass(frozen=True, slots=True, eq=False)
class Separation:
    """A drawing in two planes, whose product is the drawing with its tones smoothed.

    Attributes
    ----------
    lines : (H, W) float32
        L* in 0..100: strokes and solid black, on white.
    shade : (H, W) float32
        L* in 0..100: the even gray that tones stand for; elsewhere the drawing without its lines.
    """

    lines: Plane
    shade: Plane


def separate(luminance: Plane, *, hatching: bool = False) -> Separation:
    """Part a drawing into its lines and the shade of its tones.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    hatching : bool, optional
        Whether hatching, close parallel strokes, is tone too.

    Returns
    -------
    Separation
        Where there is no tone, ``lines * shade / 100`` is the drawing itself.

    Examples
    --------
    >>> luminance = np.full((60, 60), 100, np.float32)
    >>> for row, column in ((2, 2), (2, 3), (3, 2), (3, 3)):
    ...     luminance[row::6, column::6] = 0
    >>> luminance[29:32] = 0  # a line
    >>> parts = separate(luminance)
    >>> float(parts.lines[30].max()), float(parts.lines[10:20].min()), round(float(parts.shade[15, 15]))
    (0.0, 100.0, 88)
    """
    ink = dark_side(luminance)
    zone, lines = np.zeros(ink.shape, bool), ink
    dots, reach = _screentone(ink)
    if dots.any():
        zone, lines = reach, np.where(reach, _strokes(ink & ~dots), ink & ~dots)
    holes, reach = _screentone(~ink)
    reach &= ~zone  # dots that touch a line have paper between them
    if holes.any():
        zone, lines = zone | reach, np.where(reach, _strokes(ink, thickness=3), lines)
    hatched = find_tones(lines, tone_size(lines.shape)) if hatching else None
    if hatched is not None:
        zone, lines = zone | hatched.inside, np.where(hatched.inside, _strokes(lines & hatched.lines), lines)
    zone = cv2.morphologyEx(zone.astype(np.uint8), cv2.MORPH_CLOSE, disc(LARGEST_DOT // 2)) > 0
    return _planes(luminance, lines, zone & ~lines)


def _screentone(blobs: Mask) -> tuple[Mask, Mask]:
    """Those of the blobs that lie in a regular grid, and the zone of that grid."""
    count, parts, stats, middle = cv2.connectedComponentsWithStats(blobs.astype(np.uint8), connectivity=4)
    size = stats[:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1].max(axis=1)
    small = np.flatnonzero((size <= LARGEST_DOT) & (np.arange(count) > 0))
    nothing = np.zeros(blobs.shape, bool)
    if len(small) < _FEWEST:
        return nothing, nothing
    period = _period(middle[small].astype(np.float64), stats[small, cv2.CC_STAT_AREA])
    column, row = middle[small].round().astype(int).T
    reach = nothing.astype(np.uint8)
    radius = np.ceil(0.75 * period).astype(int)  # from dot to dot across the cell of a square grid, and a little more
    for length in np.unique(radius[radius > 0]):
        points = nothing.astype(np.uint8)
        points[row[radius == length], column[radius == length]] = 1
        reach |= cv2.dilate(points, disc(length)).astype(np.uint8)
    _, fields, box, _ = cv2.connectedComponentsWithStats(reach, connectivity=4)
    many = np.bincount(fields[row, column], period > 0, minlength=len(box)) >= _FEWEST
    many &= box[:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1].min(axis=1) >= 3 * LARGEST_DOT
    many[0] = False
    is_tone = np.zeros(count, bool)
    is_tone[small] = (period > 0) & many[fields[row, column]]
    return is_tone[parts], many[fields]


def _period(middle: NDArray[np.float64], area: NDArray[Any]) -> NDArray[np.float64]:
    """(N,) distance to the farthest of the neighbours, for blobs that lie in a grid of blobs like them; else 0."""
    found = cKDTree(middle).query(middle, k=range(2, _NEIGHBOURS + 2))
    distance, near = np.asarray(found[0]), np.asarray(found[1])
    ratio = (area[near] + 2.0) / (area[:, None] + 2.0)  # of dots of few pixels one more or less says nothing
    alike = ((ratio < _ALIKE) & (ratio > 1 / _ALIKE)).sum(axis=1) >= _NEIGHBOURS - 1
    regular = alike & (distance[:, -1] < _EVEN * distance[:, 0]) & (distance[:, -1] < 2.5 * LARGEST_DOT)
    among = regular[near].sum(axis=1)
    period = np.where(regular[near], distance[:, -1][near], 0).max(axis=1)
    joins = (among >= _NEIGHBOURS - 1) | ((among >= 1) & (distance[:, 0] < 0.8 * period))  # cut ones at the rim too
    return np.where(joins, period, 0)


def _strokes(ink: Mask, *, thickness: int = 1) -> Mask:
    """Ink that straight pieces longer than a dot fit into."""
    found = np.zeros(ink.shape, bool)
    half = LARGEST_DOT // 2 + 1
    row, column = np.indices((2 * half + 1, 2 * half + 1)) - half
    for turn in np.arange(_ANGLES) * np.pi / _ANGLES:
        beside = np.abs(np.sin(turn) * column - np.cos(turn) * row) < thickness / 2 + 1e-6
        along = np.abs(np.cos(turn) * column + np.sin(turn) * row) < half + 0.5
        piece = (beside & along).astype(np.uint8)
        found |= cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_OPEN, piece) > 0
    return found


def _planes(luminance: Plane, lines: Mask, zone: Mask) -> Separation:
    """The two planes, with even shade in each part of the zone."""
    shade = luminance.copy()
    near = cv2.dilate(lines.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0  # with the soft rim of lines
    _, parts, stats, _ = cv2.connectedComponentsWithStats(zone.astype(np.uint8), connectivity=4)
    crumbs = stats[:, cv2.CC_STAT_AREA] < LARGEST_DOT**2 / 2  # between lines: shaded as what is beside them
    for part in np.flatnonzero(~crumbs)[1:]:
        left, top, width, height = stats[part, :4]
        box = np.s_[top : top + height, left : left + width]
        own = (parts[box] == part).astype(np.float32)
        weight = cv2.GaussianBlur(own, (0, 0), LARGEST_DOT / 2)
        even = cv2.GaussianBlur(own * luminance[box], (0, 0), LARGEST_DOT / 2) / np.maximum(weight, 1e-6)
        shade[box] = np.where(own > 0, even, shade[box])
    unknown = near | crumbs[parts]
    if unknown.any() and not unknown.all():
        mask = unknown.astype(np.uint8)
        _, label = cv2.distanceTransformWithLabels(mask, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
        value = np.zeros(label.max() + 1, np.float32)
        value[label[~unknown]] = shade[~unknown]
        shade = value[label]
    ratio = np.divide(luminance, shade, out=np.ones_like(luminance), where=shade > 0)
    return Separation(np.where(near, np.minimum(100 * ratio, 100), 100).astype(np.float32), shade)
