"""Photos of any size with strokes in their true colours.

scikit-image's bundled photos are real but small. A large picture is a gallery of them: rows of 512 pixels, every
photo whole and at most 1.7 times enlarged, turned over when it comes again. That keeps the sharpness, the grain and
the textures of real photos, which set how hard a picture is to solve; what it lacks is one object larger than 512
pixels, so scenes of one enlarged photo are measured beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from hybridcolor.picture import Picture
from hybridcolor.seeds import Seeds

ROW = 512
FLIPS = [None, 1, 0, -1]
PHOTOS = [
    "astronaut",
    "motorcycle",
    "coffee",
    "rocket",
    "chelsea",
    "immunohistochemistry",
    "hubble_deep_field",
    "retina",
]


@dataclass(frozen=True, slots=True)
class Scene:
    """A photo, what a person drew on it, and what a network might have said about it."""

    rgb: NDArray[np.uint8]
    luminance: NDArray[np.float32]
    seeds: Seeds
    prior: NDArray[np.float32]

    def save(self, path: Path) -> None:
        parts = {"coords": self.seeds.coords, "ab": self.seeds.ab, "stroke": self.seeds.stroke}
        np.savez(path, rgb=self.rgb, luminance=self.luminance, prior=self.prior, **parts)

    @classmethod
    def load(cls, path: Path) -> Scene:
        with np.load(path) as held:
            seeds = Seeds.of(held["coords"], held["ab"], stroke=held["stroke"])
            return cls(held["rgb"], held["luminance"], seeds, held["prior"])

    @classmethod
    def of(cls, name: str, megapixels: float, strokes: int) -> Scene:
        """A "gallery" of photos, or one photo by its name, brought to size."""
        side = round((megapixels * 1e6) ** 0.5)
        rgb = (
            gallery(side) if name == "gallery" else cv2.resize(photo(name), (side, side), interpolation=cv2.INTER_CUBIC)
        )
        picture = Picture.from_array(rgb)
        chroma = picture.chroma
        assert chroma is not None
        # Timid and blurred, as a network's colour is that was predicted at a quarter of 256 pixels.
        small = cv2.resize(chroma, (64, 64), interpolation=cv2.INTER_AREA)
        prior = 0.5 * cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
        return cls(rgb, picture.luminance, scribbles(chroma, strokes), prior)


def photo(name: str) -> NDArray[np.uint8]:
    """One of scikit-image's bundled photos; none is downloaded."""
    rgb: NDArray[np.uint8] = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
    return rgb


def gallery(side: int) -> NDArray[np.uint8]:
    """Rows of photos, cut to side x side."""
    picture = np.empty((side, side, 3), np.uint8)
    shown = 0
    for top in range(0, side, ROW):
        left = 0
        while left < side:
            rgb = photo(PHOTOS[shown % len(PHOTOS)])
            flip = FLIPS[shown // len(PHOTOS) % len(FLIPS)]
            shown += 1
            size = (round(rgb.shape[1] * ROW / rgb.shape[0]), ROW)
            smaller = rgb.shape[0] > ROW
            rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
            rgb = (rgb if flip is None else cv2.flip(rgb, flip))[: side - top, : side - left]
            picture[top : top + rgb.shape[0], left : left + rgb.shape[1]] = rgb
            left += rgb.shape[1]
    return picture


def scribbles(chroma: NDArray[np.float32], count: int) -> Seeds:
    """Short lines, 3 pixels thick, each in the median of the true colours under it."""
    height, width = chroma.shape[:2]
    rng = np.random.default_rng(0)
    mask = np.zeros((height, width), np.uint8)
    coords, ab = [], []
    for _ in range(count):
        start = rng.random(2) * (width, height)
        angle, length = rng.random() * 2 * np.pi, rng.uniform(0.01, 0.04) * width
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        corner = np.maximum(np.minimum(start, end).astype(int) - 2, 0)
        patch = mask[corner[1] : int(max(start[1], end[1])) + 3, corner[0] : int(max(start[0], end[0])) + 3]
        cv2.line(patch, *((point - corner).astype(int).tolist() for point in (start, end)), 1, 3)
        pixels = np.argwhere(patch) + corner[::-1]
        patch[:] = 0
        coords.append(pixels)
        ab.append(np.tile(np.median(chroma[pixels[:, 0], pixels[:, 1]], axis=0), (len(pixels), 1)))
    stroke = np.repeat(np.arange(count), [len(pixels) for pixels in coords])
    return Seeds.of(np.concatenate(coords), np.concatenate(ab), stroke=stroke)
