"""The relief of a drawing: the lower, the further from a line, with lines and the edges of tones as its walls."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridcolor.propagate.marker_flooding import gradient_levels
from hybridcolor.propagate.paper import evened, grain, ink
from hybridcolor.propagate.regions import QUANTA, SMOOTHING, quantize
from hybridcolor.tones import TONE, Tones, find_tones, reaching, tone_size

STEP = 5.0
"""Least L* by which neighbours differ at a line."""
GRAIN = 5.0
"""Least step at a line in standard deviations of the picture's grain."""
CONTRAST = 0.35
"""Least step at a line as a share of the strong steps: of the 9th decile of those above the other two limits."""
FINENESS = 8
"""Levels of the relief for one pixel of distance."""
SILL = 6.0
"""Width in pixels of the gap that parts two strokes as well as the edge of a tone does."""
SPECK = 6
"""Steps that extend over no more pixels than this are grain, not lines."""
CORE = 3.0
"""Ink up to so many pixels from a line's edges belongs to the line; farther in, it is an area of its own."""
SHORE = 4000 * FINENESS
"""Lines are at this level and above; below it are distances to the next line of up to 4000 pixels."""


def relief(luminance: NDArray[np.float32], tone: int = TONE) -> NDArray[np.uint16]:
    """(H, W) levels: the lower, the further from a line; lines rise above all else by how strong they are.

    A tone's edge without an outline is a low sill: it parts two strokes as a gap of `SILL` pixels would.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    tone : int, optional
        Pixels from dot to dot, or from stroke to stroke, up to which they are a tone; 0 for no tones.

    Examples
    --------
    >>> luminance = np.full((1, 9), 100, np.float32)
    >>> luminance[0, 4] = 0
    >>> levels = relief(luminance, 0)[0].astype(int)
    >>> bool(levels[0] < levels[1] < levels[3] <= levels[4])
    True
    """
    luminance = evened(luminance)
    drawn, size = ink(luminance), tone_size(luminance.shape, tone)
    return relief_of(luminance, drawn, size, find_tones(drawn, size))


def relief_of(
    luminance: NDArray[np.float32], drawn: NDArray[np.bool_], size: int, tones: Tones | None
) -> NDArray[np.uint16]:
    """`relief` of a drawing whose ink, tones and their `tone_size` are known."""
    light = quantize(luminance)
    steps = gradient_levels(without_dots(light, drawn, size))
    lines = reaching(steps > _least_step(luminance, steps), min(size, SPECK))
    if tones is not None:
        np.copyto(lines, tones.lines, where=tones.inside)
        ridges = (tones.height.clip(0, 1) * (100 * QUANTA)).astype(np.uint16)
    if not lines.any():
        return steps if tones is None else np.where(tones.inside, np.uint16(0), steps)
    away = cv2.distanceTransform((~lines).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    levels = level_at(away)
    paper = np.full(light.shape, _percentile(light[~drawn], 50), np.uint16)
    height = np.asarray(cv2.absdiff(cv2.GaussianBlur(light, (0, 0), SMOOTHING), paper), np.uint16)
    stroke = lines | (drawn & (away <= CORE))
    if tones is not None:
        np.copyto(height, ridges, where=tones.inside)
        np.copyto(stroke, lines, where=tones.inside)
        np.maximum(levels, level_at(SILL / 2), out=levels, where=tones.edge)
    np.copyto(levels, SHORE + height // 4, where=stroke)
    return levels


def _least_step(luminance: NDArray[np.float32], steps: NDArray[np.uint16]) -> float:
    """The least step of a line, in quanta."""
    least = max(STEP, GRAIN * grain(luminance)) * QUANTA
    strong = steps[steps > least]
    return max(least, CONTRAST * _percentile(strong, 90)) if strong.size else least


def _percentile(values: NDArray[np.uint16], share: float) -> int:
    """Percentile of L* in quanta, by a histogram."""
    bins = round(101 * QUANTA)
    counts = cv2.calcHist([values.reshape(1, -1)], [0], None, [bins], [0, bins]).ravel()
    return int(np.searchsorted(np.cumsum(counts, dtype=np.float64), share / 100 * values.size))


def level_at(distance: ArrayLike) -> NDArray[np.uint16]:
    """The relief's level at a distance, in pixels, from the next line.

    Examples
    --------
    >>> level_at(np.array([1.0, 2.0, 5000.0], np.float32)).tolist()
    [31992, 31984, 1]
    """
    level = np.asarray(np.multiply(distance, -FINENESS, dtype=np.float32))
    level += SHORE
    return np.asarray(np.maximum(level, 1), np.uint16)


def without_dots(luminance: NDArray[Any], drawn: NDArray[np.bool_], size: int) -> NDArray[Any]:
    """The picture with dots of ink, up to ``size`` pixels high and wide, painted over with the paper's brightness.

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
    return np.where(around & ~line, np.median(luminance[~drawn]).astype(luminance.dtype), luminance)


def rooms(levels: NDArray[np.uint16], gap: float = SILL) -> NDArray[np.int32]:
    """Number the rooms: the areas that are left apart if gaps of up to ``gap`` pixels are closed.

    Parameters
    ----------
    levels : (H, W) uint16
        As `relief` makes them.
    gap : float, optional
        In pixels.

    Returns
    -------
    (H, W) int32
        From 1; 0 in such gaps and near lines.
    """
    inside = levels < SHORE - gap / 2 * FINENESS
    return np.asarray(cv2.connectedComponents(inside.view(np.uint8), connectivity=4)[1])
