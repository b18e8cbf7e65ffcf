"""Drawings whose regions are known: wavy cells with gaps in their outlines, tones, walls and the marks of a scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hybridcolor.lab import gray_to_luminance
from hybridcolor.seeds import Seeds

SIDE, REGIONS = 480, 14
NECK = 12


@dataclass(frozen=True, slots=True)
class Drawing:
    """A page of wavy cells.

    Attributes
    ----------
    luminance : (H, W) float32
        L*.
    region : (H, W) int
        Which region a pixel is of.
    line : (H, W) bool
        Ink of the outlines, those included that are left out.
    """

    luminance: NDArray[np.float32]
    region: NDArray[np.int64]
    line: NDArray[np.bool_]


def page(
    seed: int,
    *,
    gap: int = 0,
    width: int = 3,
    tone: str = "",
    scale: int = 8,
    bare: bool = False,
    walls: bool = False,
    worn: str = "",
) -> Drawing:
    """Regions parted by lines with a gap in every border, every other one with a tone.

    ``bare`` leaves out the outlines between tone and paper. ``walls`` nearly divide each region, but for a neck.
    ``worn`` is one of `WORN`.
    """
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    wave = 6 * np.sin(row / 23 + seed) + 6 * np.cos(column / 31)
    middles: list[NDArray[np.float64]] = []
    while len(middles) < REGIONS:
        new = rng.uniform(30, SIDE - 30, 2)
        if all(np.hypot(*(new - known)) > 70 for known in middles):
            middles.append(new)
    region = np.stack([np.hypot(row - r + wave, column - c + wave) for r, c in middles]).argmin(axis=0)
    toned = region % 2 == 0
    line = _outlines(region, width, gap)
    drawn = line & ~_borders(toned, width + 2) if bare else line
    if walls:
        drawn |= _walls(region, line)
    picture = np.where(drawn, 0.0, 255.0).astype(np.float32)
    if tone:
        picture[toned & TONES[tone](row, column, scale) & ~drawn] = 0
    return Drawing(gray_to_luminance(aged(picture, worn, rng)), region, line)


def aged(picture: NDArray[np.float32], worn: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A drawing in 0..255 as gray pixels: with soft lines and, of `WORN`, blur, paler ink, darker paper, and grain."""
    blur, black, white, grain = WORN.get(worn, WORN[""])
    picture = black + (white - black) / 255 * cv2.GaussianBlur(picture, (0, 0), blur)
    if worn == "uneven":
        picture = picture * np.linspace(0.65, 1, picture.shape[1])
    if grain:
        picture = picture + rng.normal(0, grain, picture.shape)
    gray = picture.clip(0, 255).astype(np.uint8)
    if worn == "jpeg":
        gray = cv2.imdecode(cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_GRAYSCALE)
    return gray


WORN: dict[str, tuple[float, float, float, float]] = {
    "": (0.6, 0, 255, 0),
    "jpeg": (0.6, 0, 255, 0),
    "scan": (1.2, 50, 220, 8),
    "gray": (0.8, 75, 165, 2),
    "faded": (0.8, 140, 205, 2),
    "pale": (2.0, 150, 240, 2),
    "uneven": (0.8, 40, 240, 3),
    "negative": (0.6, 255, 0, 0),
    "chalk": (0.8, 190, 40, 5),
}
"""Of each wear the blur in pixels, ink and paper in 0..255, and the grain; "uneven" is lit from one side, and "jpeg" of
quality 60."""


def _borders(area: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Pixels so near to where a mask begins or ends."""
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    return cv2.morphologyEx(area.astype(np.uint8), cv2.MORPH_GRADIENT, brush) > 0


def _outlines(region: NDArray[np.int64], width: int, gap: int) -> NDArray[np.bool_]:
    """Lines between the regions, each border of two with one gap of so many pixels."""
    border = np.zeros(region.shape, np.uint8)
    pair = np.full(region.shape, -1, np.int64)
    for here, there in ((np.s_[:-1, :], np.s_[1:, :]), (np.s_[:, :-1], np.s_[:, 1:])):
        differ = region[here] != region[there]
        border[here] |= differ
        code = np.minimum(region[here], region[there]) * REGIONS + np.maximum(region[here], region[there])
        pair[here] = np.where(differ, code, pair[here])
    line = cv2.dilate(border, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))) > 0
    row, column = np.indices(region.shape)
    for code in np.unique(pair[pair >= 0]) if gap else ():
        places = np.argwhere(pair == code)
        if len(places) > 4 * gap + 20:
            r, c = places[len(places) // 2]
            line &= (row - r) ** 2 + (column - c) ** 2 > ((gap + width) / 2) ** 2
    return line


def _walls(region: NDArray[np.int64], line: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """An upright line through each region, beside its widest place and with a neck of `NECK` pixels."""
    row, column = np.indices(region.shape)
    walls = np.zeros(region.shape, bool)
    for number in range(REGIONS):
        (r, c), room = widest((region == number) & ~line)
        wall = (np.abs(column - c - room / 2) <= 1) & (np.abs(row - r) > NECK / 2)
        walls |= wall & (region == number)
    return walls


TONES: dict[str, Any] = {
    "dots": lambda r, c, s: (r % s - s / 2) ** 2 + (c % s - s / 2) ** 2 < (0.3 * s) ** 2,
    "dense dots": lambda r, c, s: (r % s - s / 2) ** 2 + (c % s - s / 2) ** 2 < (0.42 * s) ** 2,
    "slanted dots": lambda r, c, s: ((r + c) % s - s / 2) ** 2 + ((r - c) % s - s / 2) ** 2 < (0.35 * s) ** 2,
    "squares": lambda r, c, s: (r % s < 0.45 * s) & (c % s < 0.45 * s),
    "dashes": lambda r, c, s: (r % s < 0.25 * s) & ((c + r // s * s / 2) % (1.5 * s) < 0.8 * s),
    "hatching": lambda r, c, s: (r + c) % s < 0.25 * s,
}
"""Screentones of a period, in pixels; the last is long strokes."""


def widest(inside: NDArray[np.bool_]) -> tuple[tuple[int, int], float]:
    """The pixel of a mask that is farthest from its rim, and how far that is."""
    room = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    row, column = np.unravel_index(room.argmax(), room.shape)
    return (int(row), int(column)), float(room.max())


def strokes(drawing: Drawing) -> Seeds:
    """One short stroke in the widest place of each region, each of a hue of its own."""
    coords, stroke = [], []
    for number in range(REGIONS):
        inside = (drawing.region == number) & ~drawing.line
        (row, column), room = widest(inside)
        half = int(room / 2)
        path = [(row + step // 6, column + step) for step in range(-half, half)]
        path = [at for at in path if min(at) >= 0 and max(at) < SIDE and inside[at]]
        coords += path
        stroke += [number] * len(path)
    turn = 2 * np.pi * np.array(stroke) / REGIONS
    return Seeds.of(coords, 60 * np.stack([np.cos(turn), np.sin(turn)], axis=1), stroke=stroke)
