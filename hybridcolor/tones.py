"""Screentone and hatching: where a drawing is even only on average, and the lines that run through it there.

It says which areas are toned, to fill each as one. Which single dots belong to a tone ``separation`` says.

Ink and paper alternate in a tone within a few pixels, so no ball of paper fits in between, nor one of ink: what is
left when both are taken away is lines, which are thin, and tones, which are not. Averaged over a few periods a tone is
flat, and an outline in it stands out as a ridge, whether the tone is made of dots, of dots that touch, or of strokes.
Strokes drawn by hand, as of hair, are flat once they are averaged across their direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

TONE = 12
"""Pixels from dot to dot, or from stroke to stroke, up to which they are a tone."""
LEAST_TONES = 40
"""Periods of a tone that a picture's shorter side has at least."""
AVERAGED = 5 / 12
"""Standard deviation of the average, in sizes of the tone: of the coarsest tone it leaves a ripple of 3%."""
FLAT = 0.03
"""Share of ink by which a tone's narrow and wide averages differ at most, away from lines. Where they differ more
everywhere there is no tone but detail: a face, lettering."""
PARALLEL = 0.8
"""How much of the edges around runs one way, from 0 to 1, from which on strokes may be unevenly spaced."""
CLOSE = 0.45
"""Half the widest gap between such strokes, in sizes of the tone."""
MANY = 1.5
"""Least half width, in sizes of the tone, of an area of such strokes: the lines of bold letters are narrower."""
RIDGE = 0.04
"""Share of ink by which the narrow average exceeds the wide one at a line, at least, in a tone that is nearly white; in
darker ones less is asked, as there is less paper to cover."""


@dataclass(frozen=True, slots=True, eq=False)
class Tones:
    """The toned areas of a drawing.

    Attributes
    ----------
    inside : (H, W) bool
        Where there is tone, its outlines among it.
    lines : (H, W) bool
        Outlines within the tone, as broad as the average makes them.
    edge : (H, W) bool
        Where the tone ends, with an outline or without.
    height : (H, W) float32
        How much more ink there is than around, averaged: highest along the middle of a line.
    """

    inside: NDArray[np.bool_]
    lines: NDArray[np.bool_]
    edge: NDArray[np.bool_]
    height: NDArray[np.float32]


def dark_side(luminance: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The darker side of Otsu's threshold: the ink of a drawing on paper that is lighter.

    Examples
    --------
    >>> dark_side(np.array([[100, 0, 100, 100]], np.float32)).tolist()
    [[False, True, False, False]]
    """
    gray = (luminance * 2.55).astype(np.uint8)
    _, dark = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    return np.asarray(dark > 0)


def tone_size(shape: tuple[int, ...], tone: int = TONE) -> int:
    """``tone``, or what is left of it in a small picture: there small things are no dots.

    Examples
    --------
    >>> tone_size((200, 900))
    5
    """
    return min(tone, min(shape) // LEAST_TONES)


def find_tones(drawn: NDArray[np.bool_], size: int) -> Tones | None:
    """The toned areas of a drawing, if there are any.

    Parameters
    ----------
    drawn : (H, W) bool
        The ink.
    size : int
        The largest gap between dots or strokes of a tone, and about the least half width of a toned area; 0 for none.

    Examples
    --------
    >>> hatched = np.zeros((60, 90), bool)
    >>> hatched[::5, 45:] = True
    >>> find_tones(hatched, 8).inside[30, [10, 70]].tolist()
    [False, True]
    """
    if size == 0:
        return None
    paper = distance(np.pad(~drawn, 1))[1:-1, 1:-1]  # the page ends as if in ink: a tone goes on there
    balls = (paper > 0.6 * size) | (distance(drawn) > 0.6 * size)
    mass = ~_near(balls, 0.6 * size)
    half = size / 2  # what is wide is seen well enough, and four times as fast, in a picture half as large
    small, share = (_halved(plane) for plane in (mass, drawn & mass))
    wide = _near(distance(small > 0.5) > half, 1.5 * half)
    if not wide.any():
        return None
    mass &= _full(wide, drawn.shape)
    small *= wide
    share *= wide
    density, excess = _excess(share, small, AVERAGED * half)
    inside = _flat(excess, small > 0.5, half)
    rest = _holding((small > 0.5) & ~inside, MANY * half)
    if rest.any():
        rest &= _halved(~_near(paper > CLOSE * size, CLOSE * size)) > 0.5
        hatched, density_across, excess_across = _uneven_strokes(drawn, rest, np.dstack([share, small]), half)
        np.copyto(density, density_across, where=hatched)
        np.copyto(excess, excess_across, where=hatched)
        inside |= hatched
    if not inside.any():
        return None
    least = np.full(small.shape, 3 * RIDGE, np.float32)  # at the page's edge half of the average is missing
    rim = int(2 * AVERAGED * half)
    least[rim:-rim, rim:-rim] = RIDGE
    over = excess - least * (np.float32(1.05) - density)
    ridge = reaching(inside & (small > 0.5) & (over > 0), 1.5 * half)
    inside = mass & _full(inside, drawn.shape)
    lines = inside & _full(cv2.dilate(ridge.view(np.uint8), np.ones((3, 3), np.uint8)) > 0, drawn.shape)
    lines &= cv2.resize(over, drawn.shape[::-1]) > 0
    edge = inside & (cv2.dilate((~mass).view(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    return Tones(inside, lines, edge, np.asarray(cv2.resize(excess, drawn.shape[::-1]), np.float32))


def _halved(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The share of a mask in each square of four pixels."""
    size = -(-mask.shape[1] // 2), -(-mask.shape[0] // 2)
    return np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)


def _full(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A mask of half the size, as one of the full."""
    return cv2.resize(mask.view(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST).view(np.bool_)


def rolled(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """What of a mask a ball can cover that does not leave it; it may leave the picture."""
    return _near(distance(mask) > radius, radius)


def _near(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """Pixels within a distance of a mask."""
    return distance(~mask) <= radius if mask.any() else mask


def distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far each pixel of a mask is from the nearest that is not in it."""
    return np.asarray(cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)


def _flat(excess: NDArray[np.float32], within: NDArray[np.bool_], half: float) -> NDArray[np.bool_]:
    """Where a mask's narrow and wide averages agree, and as far around as the average of a line reaches."""
    even = within & (np.abs(cv2.GaussianBlur(excess, (3, 3), 0)) < FLAT)
    return _near(distance(even) > half * 2 / 3, half * 2 / 3 + 3 * AVERAGED * half)


def _uneven_strokes(
    drawn: NDArray[np.bool_], within: NDArray[np.bool_], planes: NDArray[np.float32], half: float
) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32]]:
    """Where in a mask parallel strokes are, even or not, and `_excess` of the planes averaged across the strokes."""
    angle, parallel = _direction(_halved(drawn), half)
    strokes = _holding(within & (parallel > PARALLEL), MANY * half)
    mean, (share, inside) = _across(planes, angle, half), np.moveaxis(planes, 2, 0)
    evened = np.where(strokes, mean[..., 0] / np.maximum(mean[..., 1], np.float32(1e-3)) * inside, share)
    density, excess = _excess(evened, np.ascontiguousarray(inside), AVERAGED * half)
    return strokes & _flat(excess, strokes, half), density, excess


def _direction(plane: NDArray[np.float32], sigma: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The angle across the strokes around, and how much of their edges run that way, from 0 to 1 (structure tensor)."""
    soft = cv2.GaussianBlur(plane, (0, 0), 0.6)
    down, right = cv2.Sobel(soft, cv2.CV_32F, 0, 1), cv2.Sobel(soft, cv2.CV_32F, 1, 0)
    xx, yy, xy = (cv2.GaussianBlur(product, (0, 0), sigma) for product in (right * right, down * down, right * down))
    parallel = np.hypot(xx - yy, 2 * xy) / np.maximum(xx + yy, np.float32(1e-3))
    return np.asarray(np.arctan2(2 * xy, xx - yy) / 2, np.float32), np.asarray(parallel, np.float32)


def _across(planes: NDArray[np.float32], angle: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Sums along a line at each pixel's angle, weighted by a bell."""
    row, column = np.indices(angle.shape, np.float32)
    right, down = np.cos(angle), np.sin(angle)
    total = np.zeros_like(planes)
    for step in range(-round(2 * sigma), round(2 * sigma) + 1):
        at = column + step * right, row + step * down
        beside = cv2.remap(planes, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        total += np.float32(np.exp(-0.5 * (step / sigma) ** 2)) * beside
    return total


def _holding(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """The parts of a mask that a ball finds room in."""
    balls = distance(mask) > radius
    if not balls.any():
        return balls
    count, parts = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    kept = np.zeros(count, bool)
    kept[parts[balls]] = True
    return np.asarray(kept[parts])


def _excess(
    drawn: NDArray[np.float32], inside: NDArray[np.float32], sigma: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Share of ink in the surroundings inside a mask, and by how much it exceeds that of surroundings twice as wide."""

    def averaged(sigma: float) -> NDArray[np.float32]:
        dark, all_ = (cv2.GaussianBlur(x, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT) for x in (drawn, inside))
        return np.asarray(dark / np.maximum(all_, np.float32(1e-3)))

    density = averaged(sigma)
    return density, density - averaged(2 * sigma)


def reaching(mask: NDArray[np.bool_], length: float) -> NDArray[np.bool_]:
    """The parts of a mask that reach further than a length."""
    _, parts, size, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    kept = np.maximum(size[:, cv2.CC_STAT_WIDTH], size[:, cv2.CC_STAT_HEIGHT]) > length
    kept[0] = False
    return np.asarray(kept[parts])
