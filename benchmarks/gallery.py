"""The picture of docs/manga.md: `python -m benchmarks.gallery` draws a figure, strokes on it, and who fills it how."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.manga import PEERS, filled_by_gmic
from hybridcolor.lab import gray_to_luminance, lab_to_rgb
from hybridcolor.propagate import propagate
from hybridcolor.seeds import Seeds

HEIGHT, WIDTH = 900, 1200
STROKES = (  # row, column, half length, a*, b*
    (560, 830, 40, -35, 40), (320, 500, 25, 20, 25), (160, 500, 30, 10, -40), (700, 500, 40, -25, -30),
    (240, 930, 30, 0, 0), (340, 460, 3, -45, 15), (340, 540, 3, -45, 15), (720, 790, 14, 55, 45),
    (760, 930, 14, 55, 45), (700, 1030, 14, 55, 45), (700, 130, 40, 15, 60),
)  # fmt: skip


def figure() -> NDArray[np.uint8]:
    """Lines of varying width, hair hatched by hand, a shirt of dots that grow, a balloon, lettering and rays."""
    rng = np.random.default_rng(1)
    picture = np.full((HEIGHT, WIDTH), 255, np.uint8)
    _brush(picture, [(420, 250), (400, 340), (430, 430), (500, 480), (570, 430), (600, 340), (585, 255)])
    hair = cv2.ellipse(np.zeros_like(picture), (500, 230), (130, 95), 0, 180, 360, 255, -1)
    hair = cv2.rectangle(cv2.rectangle(hair, (370, 225), (415, 400), 255, -1), (590, 225), (632, 400), 255, -1)
    hatched = np.full_like(picture, 255)
    for column in np.arange(330, 680, 7) + rng.normal(0, 1, 50):
        end = int(16 * (column + rng.normal(0, 6))), 16 * 420
        cv2.line(hatched, (int(16 * column), 16 * 120), end, 0, int(rng.integers(1, 3)), cv2.LINE_AA, 4)
    picture[hair > 0] = np.minimum(picture, hatched)[hair > 0]
    cv2.drawContours(picture, cv2.findContours(hair, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], -1, 0, 2)
    for column in (460, 540):
        cv2.ellipse(picture, (column, 340), (16, 10), 0, 0, 360, 0, 2, cv2.LINE_AA)
        cv2.circle(picture, (column, 340), 5, 0, -1, cv2.LINE_AA)
    _brush(picture, [(480, 420), (500, 428), (520, 420)])
    shirt = cv2.fillPoly(np.zeros_like(picture), [np.array([(380, 520), (620, 520), (720, 880), (280, 880)])], 1)
    row, column = np.indices(picture.shape)
    away = ((row + column) % 14 - 7) ** 2 + ((row - column) % 14 - 7) ** 2
    picture[(shirt > 0) & (away < (2.4 + 3.2 * (row - 520) / 360).clip(0) ** 2)] = 0
    _brush(picture, [(380, 520), (340, 650), (300, 800), (280, 890)])
    _brush(picture, [(380, 520), (500, 500), (620, 520)])
    cv2.ellipse(picture, (930, 170), (200, 110), 0, 8, 352, 0, 3, cv2.LINE_AA)
    for turn in np.linspace(0, 2 * np.pi, 120):
        ends = [(int(16 * (130 + r * np.cos(turn))), int(16 * (700 + r * np.sin(turn)))) for r in (110, 260)]
        cv2.line(picture, *ends, 0, 1, cv2.LINE_AA, 4)
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    draw.text((800, 120), "WHO WOULD\nCOLOUR SUCH\nA PAGE?", font=ImageFont.load_default(26), fill=0)
    draw.text((760, 640), "BAM", font=ImageFont.load_default(190), fill=255, stroke_width=4, stroke_fill=0)
    return cv2.GaussianBlur(np.asarray(image), (0, 0), 0.5)


def _brush(picture: NDArray[np.uint8], points: list[tuple[int, int]]) -> None:
    """A smooth line that swells from 1 to 5 pixels and back."""
    at = np.linspace(0, 1, len(points))
    path = np.linspace(0, 1, 300)
    x, y = (np.polyval(np.polyfit(at, side, min(len(points) - 1, 4)), path) for side in np.transpose(points))
    for step in range(299):
        ends = [(int(16 * x[number]), int(16 * y[number])) for number in (step, step + 1)]
        cv2.line(picture, *ends, 0, round(1 + 4 * np.sin(np.pi * path[step])), cv2.LINE_AA, 4)


def strokes() -> Seeds:
    """A few short strokes of colour."""
    coords = [(row, column + step) for row, column, half, *_ in STROKES for step in range(-half, half)]
    ab = [ab for *_, half, a, b in STROKES for ab in [(a, b)] * (2 * half)]
    return Seeds.of(coords, ab, stroke=[number for number, s in enumerate(STROKES) for _ in range(2 * s[2])])


def coloured(gray: NDArray[np.uint8], chroma: NDArray[np.float32], title: str) -> Image.Image:
    """Flat colours under the drawing."""
    flat = lab_to_rgb(np.full(gray.shape, 80, np.float32), chroma)
    image = Image.fromarray(
        (np.asarray(flat, np.float32) * (gray[..., None] / 255) * 255).clip(0, 255).astype(np.uint8)
    )
    image = image.resize((WIDTH // 2, HEIGHT // 2), Image.Resampling.LANCZOS)
    ImageDraw.Draw(image).text((12, 8), title, font=ImageFont.load_default(24), fill=(0, 0, 0))
    return image


def main() -> None:
    """Write docs/manga.jpg."""
    seeds = strokes()
    colour = np.array([s[3:] for s in STROKES], np.float32)
    clean = figure()
    noise = np.random.default_rng(0).normal(0, 9, clean.shape)
    scanned = (65 + 0.62 * cv2.GaussianBlur(clean, (0, 0), 1.3) + noise).clip(0, 255).astype(np.uint8)
    rows = []
    for gray in (clean, scanned):
        luminance = gray_to_luminance(gray)
        drawn = np.zeros((*gray.shape, 2), np.float32)
        for shift in range(-4, 5):
            drawn[seeds.coords[:, 0] + shift, seeds.coords[:, 1]] = seeds.ab
        row = [coloured(gray, drawn, "strokes")]
        row += [coloured(gray, propagate(luminance, seeds, method=m).chroma, m) for m in ("lineart", "watershed")]
        if "gmic" in PEERS:
            row.append(coloured(gray, colour[filled_by_gmic(luminance, seeds)], "G'MIC"))
        rows.append(np.hstack(row))
    Image.fromarray(np.vstack(rows)).save(Path("docs") / "manga.jpg", quality=85)


if __name__ == "__main__":
    main()
