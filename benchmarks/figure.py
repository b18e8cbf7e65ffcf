"""Draws docs/methods.jpg, the methods for photos on three photos, same strokes: python -m benchmarks.figure."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.scenes import photo, scribbles
from hybridcolor.picture import Picture
from hybridcolor.pipeline import colorize
from hybridcolor.predict import load_predictor

SIZE = (260, 200)  # of one picture, in pixels
CAPTION = 22
STROKES = 40
METHODS = ("optimization", "chrominance", "watershed", "flood", "hybrid")


def main() -> None:
    predictor = load_predictor()
    rows = []
    for name in ("astronaut", "coffee", "motorcycle"):
        rgb = _cut(photo(name))
        truth = Picture.from_array(rgb)
        assert truth.chroma is not None
        gray = Picture.from_array(truth.to_rgb())  # what a gray file would hold
        seeds = scribbles(truth.chroma, STROKES)
        drawn = np.zeros_like(truth.chroma)
        drawn[tuple(seeds.coords.T)] = seeds.ab
        row = {"gray with strokes": gray.to_rgb(drawn)}
        for method in METHODS:
            heard = predictor if method == "hybrid" else None
            row[method] = colorize(gray, predictor=heard, scribbles=seeds, method=method).to_rgb()
        rows.append(row | {"truth": rgb})
    sheet = Image.fromarray(np.vstack([np.hstack([_small(rgb) for rgb in row.values()]) for row in rows]))
    figure = Image.new("RGB", (sheet.width, sheet.height + CAPTION), "white")
    figure.paste(sheet, (0, CAPTION))
    pen, font = ImageDraw.Draw(figure), ImageFont.load_default(15)
    for column, caption in enumerate(rows[0]):
        pen.text((column * SIZE[0] + 4, 2), caption, fill="black", font=font)
    figure.save(Path(__file__).parent.parent / "docs" / "methods.jpg", quality=86, optimize=True)


def _cut(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle of a photo, in the figure's proportions, twice its size."""
    height, width = rgb.shape[:2]
    scale = min(width / SIZE[0], height / SIZE[1])
    top, left = int(height - scale * SIZE[1]) // 2, int(width - scale * SIZE[0]) // 2
    part = rgb[top : top + int(scale * SIZE[1]), left : left + int(scale * SIZE[0])]
    return cv2.resize(part, (2 * SIZE[0], 2 * SIZE[1]), interpolation=cv2.INTER_AREA if scale > 2 else cv2.INTER_CUBIC)


def _small(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.resize(rgb, SIZE, interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main()
