"""Drawings with known regions, and who fills them right: `python -m benchmarks.manga` for docs/manga.md."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import flood_fill

from hybridcolor.lab import gray_to_luminance
from hybridcolor.propagate import propagate
from hybridcolor.seeds import Seeds

SIDE, REGIONS = 480, 14
METHODS = ("lineart", "watershed", "optimization", "chrominance", "flood")
RIGHT = 0.95  # share of a region's pixels that are to have its stroke


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
        Ink of the outlines.
    """

    luminance: NDArray[np.float32]
    region: NDArray[np.int64]
    line: NDArray[np.bool_]


def page(seed: int, *, gap: int = 0, width: int = 3, tone: str = "", scale: int = 8, jpeg: bool = False) -> Drawing:
    """Regions parted by lines with a gap in every border, every other one with a tone of its own."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    wave = 6 * np.sin(row / 23 + seed) + 6 * np.cos(column / 31)
    middles: list[NDArray[np.float64]] = []
    while len(middles) < REGIONS:
        new = rng.uniform(30, SIDE - 30, 2)
        if all(np.hypot(*(new - known)) > 70 for known in middles):
            middles.append(new)
    region = np.stack([np.hypot(row - r + wave, column - c + wave) for r, c in middles]).argmin(axis=0)
    line = _outlines(region, width, gap)
    picture = np.where(line, 0.0, 255.0).astype(np.float32)
    if tone:
        picture[(region % 2 == 0) & TONES[tone](row, column, scale) & ~line] = 0
    picture = cv2.GaussianBlur(picture, (0, 0), 0.6)
    gray = picture.clip(0, 255).astype(np.uint8)
    if jpeg:
        gray = cv2.imdecode(cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_GRAYSCALE)
    return Drawing(gray_to_luminance(gray), region, line)


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


TONES: dict[str, Any] = {
    "dots": lambda r, c, s: (r % s - s / 2) ** 2 + (c % s - s / 2) ** 2 < (0.3 * s) ** 2,
    "dense dots": lambda r, c, s: (r % s - s / 2) ** 2 + (c % s - s / 2) ** 2 < (0.42 * s) ** 2,
    "slanted dots": lambda r, c, s: ((r + c) % s - s / 2) ** 2 + ((r - c) % s - s / 2) ** 2 < (0.35 * s) ** 2,
    "squares": lambda r, c, s: (r % s < 0.45 * s) & (c % s < 0.45 * s),
    "dashes": lambda r, c, s: (r % s < 0.25 * s) & ((c + r // s * s / 2) % (1.5 * s) < 0.8 * s),
    "hatching": lambda r, c, s: (r + c) % s < 0.25 * s,
}
"""Screentones of a period, in pixels; the last is long strokes."""


def strokes(drawing: Drawing) -> Seeds:
    """One short stroke in the widest place of each region, each of a hue of its own."""
    coords, stroke = [], []
    for number in range(REGIONS):
        inside = ((drawing.region == number) & ~drawing.line).astype(np.uint8)
        room = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
        row, column = np.unravel_index(room.argmax(), room.shape)
        half = int(room.max() / 2)
        path = [(int(row) + step // 6, int(column) + step) for step in range(-half, half)]
        path = [at for at in path if min(at) >= 0 and max(at) < SIDE and inside[at]]
        coords += path
        stroke += [number] * len(path)
    turn = 2 * np.pi * np.array(stroke) / REGIONS
    return Seeds.of(coords, 60 * np.stack([np.cos(turn), np.sin(turn)], axis=1), stroke=stroke)


def share_right(drawing: Drawing, owner: NDArray[Any]) -> float:
    """The share of regions that have their own stroke nearly everywhere."""
    parts = [(drawing.region == number) & ~drawing.line for number in range(REGIONS)]
    return float(np.mean([(owner[part] == number).mean() >= RIGHT for number, part in enumerate(parts)]))


def filled(drawing: Drawing, seeds: Seeds, method: str) -> NDArray[Any]:
    """Which stroke each pixel goes to."""
    if method == "bucket":  # a paint program's: what touches, and is about as bright
        picture = drawing.luminance.copy()
        for number in range(REGIONS):
            row, column = seeds.coords[seeds.stroke == number][0]
            picture = flood_fill(picture, (row, column), 1000.0 + number, tolerance=30, connectivity=1)
        return picture - 1000
    result = propagate(drawing.luminance, seeds, method=method)
    if result.label is not None:
        return result.label
    turn = 2 * np.pi * np.arange(REGIONS) / REGIONS
    hues = 60 * np.stack([np.cos(turn), np.sin(turn)], axis=1).astype(np.float32)
    return np.asarray(np.square(result.chroma[:, :, None] - hues).sum(axis=-1).argmin(axis=-1))


def compared(title: str, kinds: dict[str, dict[str, Any]], pages: int = 3) -> list[str]:
    """A table: kinds of drawings by methods."""
    methods = (*METHODS, "bucket")
    lines = [f"| {title} | " + " | ".join(methods) + " |", "|---" * (len(methods) + 1) + "|"]
    for name, kind in kinds.items():
        drawings = [page(seed, **kind) for seed in range(pages)]
        shares = [np.mean([share_right(d, filled(d, strokes(d), method)) for d in drawings]) for method in methods]
        lines.append(f"| {name} | " + " | ".join(f"{100 * share:.0f}%" for share in shares) + " |")
    return lines


def speed() -> list[str]:
    """Seconds for larger pages, by how many times the page is enlarged."""
    lines = ["| megapixels | lineart, s | watershed, s |", "|---|---|---|"]
    small = page(0, gap=4)
    for times in (2, 4, 7):
        large = np.kron(small.luminance, np.ones((times, times), np.float32))
        seeds = strokes(small)
        seeds = Seeds.of(seeds.coords * times, seeds.ab, stroke=seeds.stroke)
        taken = []
        for method in ("lineart", "watershed"):
            propagate(small.luminance, strokes(small), method=method)  # compiled
            begun = time.perf_counter()
            propagate(large, seeds, method=method)
            taken.append(time.perf_counter() - begun)
        lines.append(f"| {large.size / 1e6:.1f} | {taken[0]:.2f} | {taken[1]:.2f} |")
    return lines


def main() -> None:
    """All tables."""
    gaps = {f"gaps of {gap} pixels" if gap else "closed lines": {"gap": gap} for gap in (0, 1, 2, 4, 6, 9, 12)}
    gaps["4 pixels, JPEG of quality 60"] = {"gap": 4, "jpeg": True}
    gaps["4 pixels, lines of 1 pixel"] = {"gap": 4, "width": 1}
    tones = {f"{tone}, {scale} px": {"gap": 4, "tone": tone, "scale": scale} for tone in TONES for scale in (5, 8, 12)}
    tables = (compared("regions right", gaps), compared("tone", tones, pages=2), speed())
    sys.stdout.write("\n\n".join("\n".join(table) for table in tables) + "\n")


if __name__ == "__main__":
    main()
