"""Comic pages composed of drawings whose colours are known, and what becomes of them without a person.

`python -m benchmarks.pages FOLDER` takes the held-out pairs of the shard `lineart192.tar` of training images in the
folder and writes the figures of docs/manga.md; with a second folder it saves the pages there, to look at. Without any
(`python -m benchmarks.pages "" FOLDER`) it takes the drawings of ``things``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.things import THINGS, draw
from hybridcolor.bins import DEFAULT_VIVIDNESS
from hybridcolor.page import read_page
from hybridcolor.picture import Picture
from hybridcolor.pipeline import colorize
from hybridcolor.predict import NetworkPredictor, load_predictor
from hybridcolor.predict.data import read_shards
from hybridcolor.predict.drawings import age_drawing
from hybridcolor.recognition import Palette
from hybridcolor.resampling import guided_resample

WORDS = ("WHAT IS THIS?", "RUN! NOW!", "I told you\nnot to come.", "It is so quiet\nhere tonight...", "Wait for\nme!")
HEIGHT, WIDTH, GUTTER, FRAME, BALLOON = 1200, 840, 18, 4, 110
PAGES = 10

Plane = NDArray[np.float32]
Box = tuple[slice, slice]
Pair = tuple[Plane, Plane]
"""A square drawing's L*, and its true a* and b*."""


@dataclass(slots=True)
class Composed:
    """A page and what is known of it.

    Attributes
    ----------
    luminance : (H, W) float32
        L*.
    chroma : (H, W, 2) float32
        The true colours.
    panels : list of (slice, slice)
        Insides of the frames.
    things : list of (drawing, (slice, slice))
        Which drawing is where.
    paper, balloon : (H, W) bool
        Gutters and border; insides of balloons with their lettering.
    """

    luminance: Plane
    chroma: Plane
    panels: list[Box]
    things: list[tuple[int, Box]]
    paper: NDArray[np.bool_]
    balloon: NDArray[np.bool_]


def compose(pairs: list[Pair], rng: np.random.Generator) -> Composed:
    """Three rows of one or two panels with one to three of the drawings, and a balloon in most panels."""
    shape = (HEIGHT, WIDTH)
    blank, gray = np.full(shape, 100, np.float32), np.zeros((*shape, 2), np.float32)
    page = Composed(blank, gray, [], [], np.ones(shape, bool), np.zeros(shape, bool))
    cuts = sorted(int(HEIGHT * (share + rng.uniform(-0.05, 0.05))) for share in (1 / 3, 2 / 3))
    for top, bottom in pairwise([2 * GUTTER, *cuts, HEIGHT - GUTTER]):
        middle = [] if rng.random() < 0.35 else [int(WIDTH * rng.uniform(0.38, 0.62))]
        for left, right in pairwise([2 * GUTTER, *middle, WIDTH - GUTTER]):
            _draw_panel(page, np.s_[top : bottom - GUTTER, left : right - GUTTER], pairs, rng)
    return page


def _draw_panel(page: Composed, box: Box, pairs: list[Pair], rng: np.random.Generator) -> None:
    page.paper[box], page.luminance[box] = False, 0
    inner = np.s_[box[0].start + FRAME : box[0].stop - FRAME, box[1].start + FRAME : box[1].stop - FRAME]
    page.luminance[inner] = 100
    page.panels.append(inner)
    height, width = page.luminance[inner].shape
    head = BALLOON * int(rng.random() < 0.8)
    count = max(1, min(3, width // 220))
    for i in range(count):
        number = int(rng.integers(len(pairs)))
        side = int(min(height - head, width / count) * rng.uniform(0.8, 0.98))
        top = inner[0].start + head + (height - head - side) // 2
        left = inner[1].start + int((i + 0.5) * width / count - side / 2)
        place = np.s_[top : top + side, left : left + side]
        line, colour = (cv2.resize(plane, (side, side), interpolation=cv2.INTER_CUBIC) for plane in pairs[number])
        page.luminance[place], page.chroma[place] = line.clip(0, 100), colour
        page.things.append((number, place))
    if head:
        _speak(page, inner, WORDS[int(rng.integers(len(WORDS)))], int(rng.integers(14, 20)))


def _speak(page: Composed, inner: Box, words: str, size: int) -> None:
    """A balloon with a tail at the top of a panel."""
    height, width = page.luminance[inner].shape
    font = ImageFont.load_default(size)
    sheet, inside = Image.new("L", (width, height), 255), Image.new("L", (width, height), 0)
    left, top, right, bottom = ImageDraw.Draw(sheet).multiline_textbbox((0, 0), words, font=font, align="center")
    x, y, reach, rise = width // 2, BALLOON // 2, (right - left) * 0.75, (bottom - top) * 0.5 + 22
    for image, outline in ((sheet, 0), (inside, 255)):
        pen = ImageDraw.Draw(image)
        pen.polygon([(x - 12, y + rise - 8), (x + 10, y + rise - 8), (x - 4, y + rise + 18)], fill=255, outline=outline)
        pen.ellipse((x - reach, y - rise, x + reach, y + rise), fill=255, outline=outline, width=3)
        pen.polygon([(x - 9, y + rise - 11), (x + 7, y + rise - 11), (x - 4, y + rise + 10)], fill=255)
    place = (x - (right - left) / 2, y - (bottom - top) / 2 - top)
    ImageDraw.Draw(sheet).multiline_text(place, words, font=font, fill=0, align="center")
    mask = np.asarray(inside) > 0
    page.luminance[inner][mask] = np.asarray(sheet, np.float32)[mask] / np.float32(2.55)
    page.chroma[inner][mask] = 0
    page.balloon[inner] |= mask


def held_out_pairs(folder: Path) -> list[Pair]:
    """Drawings that no model was trained on, and their colours."""
    _, images = read_shards(folder, ["lineart192.tar"])
    labs = [images.decode(i) for i, name in enumerate(images.names) if name in images.drawings]
    return [(np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:])) for lab in labs]


def whiteness(chroma: Plane, where: NDArray[np.bool_]) -> float:
    """The share of the places that no colour is seen on."""
    return float((np.hypot(*np.moveaxis(chroma[where], -1, 0)) < 5).mean())


def measure(page: Composed, predictor: NetworkPredictor) -> tuple[dict[str, float], Plane, Plane]:
    """Figures of a page, its colours, and those of the network shown the page as a whole."""
    layout = read_page(page.luminance)
    belief = predictor.predict(page.luminance)
    whole = guided_resample(belief.rebalanced(DEFAULT_VIVIDNESS).annealed_mean(), page.luminance)
    colours = colorize(Picture(page.luminance), predictor=predictor).chroma
    inside = page.balloon & (page.luminance > 90)
    drawn = ~page.paper & ~page.balloon & (page.luminance > 50)
    figures = {"panels": len(page.panels), "panels found": len(layout.panels)}
    figures["taken for balloon or gutter, % of the rest"] = 100 * (layout.white & drawn).sum() / drawn.sum()
    for name, chroma in (("whole page", whole), ("thing by thing", colours)):
        figures[f"gutters and border white, %, {name}"] = 100 * whiteness(chroma, page.paper)
        figures[f"balloons white, %, {name}"] = 100 * whiteness(chroma, inside) if inside.any() else np.nan
        figures[f"ab RMSE, {name}"] = float(np.sqrt(np.square(chroma - page.chroma)[drawn].mean()))
    figures["ab RMSE, gray"] = float(np.sqrt(np.square(page.chroma)[drawn].mean()))
    return figures, colours, whole


def redrawn(pair: Pair, rng: np.random.Generator) -> Pair:
    """The same thing on another page: turned, smaller, seen in a mirror, as another pen and scanner make it."""
    turn = cv2.getRotationMatrix2D((96, 96), rng.uniform(-12, 12), rng.uniform(0.75, 1.0))
    line, colour = (
        cv2.warpAffine(plane, turn, (192, 192), flags=cv2.INTER_LINEAR, borderValue=(white, white))
        for plane, white in zip(pair, (100, 0), strict=True)
    )
    if rng.random() < 0.5:
        line, colour = line[:, ::-1], colour[:, ::-1]
    return age_drawing(np.ascontiguousarray(line), rng), np.ascontiguousarray(colour)


def cast(pairs: list[Pair], predictor: NetworkPredictor, rng: np.random.Generator) -> tuple[dict[str, float], Plane]:
    """Eight drawings on a coloured page, and again on the next one, with strangers among them: who is recognised?"""
    chosen = rng.permutation(len(pairs))
    count = min(8, 2 * len(pairs) // 3)
    known, strangers = [pairs[i] for i in chosen[:count]], [pairs[i] for i in chosen[count : count + count // 2]]
    first = compose(known, rng)
    present = sorted({number for number, _ in first.things})
    coloured = Picture.from_array(Picture(first.luminance).to_rgb(first.chroma, paint=True))
    palette = Palette.of(coloured, predictor)
    second = compose([redrawn(known[i], rng) for i in present] + [redrawn(pair, rng) for pair in strangers], rng)
    shown = Picture(second.luminance)
    alone, carried = (colorize(shown, predictor=predictor, palette=each).chroma for each in (None, palette))
    region = read_page(second.luminance).region
    right: dict[str, list[float]] = {"palette": [], "network alone": [], "by chance": [], "strangers changed": []}
    for number, box in second.things:
        for part in np.unique(region[box]):
            here = (region[box] == part) & (second.luminance[box] > 60)
            truth = np.median(second.chroma[box][here], axis=0) if here.sum() > 100 else np.zeros(2)
            if np.hypot(*truth) < 10 or np.hypot(*(second.chroma[box][here] - truth).T).mean() > 12:
                continue  # paper, or not of one colour
            got = [np.median(chroma[box][here], axis=0) for chroma in (carried, alone)]
            if number >= len(present):
                right["strangers changed"].append(np.hypot(*(got[0] - got[1])) > 1)
                continue
            right["palette"].append(np.hypot(*(got[0] - truth)) < 15)
            right["network alone"].append(np.hypot(*(got[1] - truth)) < 15)
            right["by chance"].append(float((np.hypot(*(palette.ab - truth).T) < 15).mean()))
    views = [
        coloured.to_rgb(coloured.chroma),
        *(shown.to_rgb(chroma, paint=True) for chroma in (alone, carried, second.chroma)),
    ]
    return {name: 100 * float(np.mean(each)) if each else np.nan for name, each in right.items()}, np.hstack(views)


def main(folder: str = "", save: str = "") -> None:
    """Figures, means over the pages."""
    pairs = held_out_pairs(Path(folder)) if folder else [draw(name) for name in THINGS]
    predictor = load_predictor("lineart")
    every = []
    for seed in range(PAGES):
        page = compose(pairs, np.random.default_rng(seed))
        figures, colours, whole = measure(page, predictor)
        every.append(figures)
        if save:
            views = [Picture(page.luminance).to_rgb(chroma, paint=True) for chroma in (whole, colours, page.chroma)]
            Image.fromarray(np.hstack(views)).save(Path(save) / f"page{seed}.png")
    _print(every)
    every = []
    for seed in range(PAGES):
        figures, views = cast(pairs, predictor, np.random.default_rng(100 + seed))
        every.append(figures)
        if save:
            Image.fromarray(views).save(Path(save) / f"cast{seed}.png")
    _print(every)


def _print(every: list[dict[str, float]]) -> None:
    for name in every[0]:
        sys.stdout.write(f"| {name} | {np.nanmean([figures[name] for figures in every]):.1f} |\n")
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
