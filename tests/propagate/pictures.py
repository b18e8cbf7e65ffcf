"""Pictures and seeds for the propagation tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import scipy.ndimage as ndi
import skimage.data
from numpy.typing import NDArray
from skimage.color import rgb2lab
from skimage.feature import canny
from skimage.transform import resize

from hybridcolor.seeds import Seeds


@cache
def lab_photo(name: str, height: int, width: int) -> NDArray[np.float32]:
    """A bundled photo as (height, width, 3) L*a*b*, not to be written to."""
    rgb = resize(getattr(skimage.data, name)(), (height, width), anti_aliasing=True)
    lab = rgb2lab(rgb).astype(np.float32)
    lab[..., 0] = lab[..., 0].clip(0, 100)
    lab.setflags(write=False)
    return lab


def photo_luminance(name: str, height: int, width: int) -> NDArray[np.float32]:
    return lab_photo(name, height, width)[..., 0].copy()


UNKIND = ["constant", "gradient", "checkerboard", "stripes", "rings", "noise", "two-level noise", "salt and pepper"]
UNKIND += ["mostly white", "overexposed photo", "line art", "scanned line art", "8-bit gradient", "enlarged photo"]
UNKIND += ["black borders", "screentone"]


def unkind_picture(kind: str, height: int, width: int) -> NDArray[np.float32]:
    """Luminance of a kind that solvers and queues find hard: ties, isolated pixels, edges everywhere."""
    shape = (height, width)
    i, j = np.indices(shape)
    rng = np.random.default_rng(7)
    photo = photo_luminance("astronaut", height, width)
    pens = ndi.gaussian_filter(canny(photo, sigma=1.5).astype(float), 0.5)
    picture = {
        "constant": np.full(shape, 50),
        "gradient": i * 100 / height,
        "checkerboard": (i + j) % 2 * 100,
        "stripes": i % 2 * 100,
        "rings": np.hypot(i - 30, j - 40) // 2 % 2 * 100,
        "noise": rng.uniform(0, 100, shape),
        "two-level noise": rng.integers(0, 2, shape) * 100,
        "salt and pepper": np.where(rng.random(shape) < 0.1, rng.integers(0, 2, shape) * 100, 50),
        "mostly white": np.where(rng.random(shape) < 0.9, 100, 30),
        "overexposed photo": photo * 100 / np.quantile(photo, 0.1),  # nine pixels of ten saturate
        "line art": np.where((i % 11 == 0) | (j % 13 == 0), 0, 100),
        "8-bit gradient": np.round(i * 0.2 + j * 0.1) / 2.55 + 10,
        "enlarged photo": ndi.zoom(photo[::8, ::8], 9, order=3)[:height, :width],
        "black borders": np.where((i % (height - 9) > 9) & (j % (width - 9) > 9), photo, 3),
        "screentone": np.where((i // 30 + j // 30) % 2 + (np.hypot((i + j) % 6 - 3, (i - j) % 6 - 3) > 1.8), 100, 0),
        "scanned line art": 94 - 80 * pens + rng.normal(0, 1.5, shape),
    }[kind]
    return np.ascontiguousarray(np.clip(picture, 0, 100), np.float32)


TURNS = ["left-right", "up-down", "transpose"]


def turned(turn: str, luminance: NDArray[np.float32], seeds: Seeds) -> tuple[NDArray[np.float32], Seeds, Callable]:
    """A mirrored or transposed picture with its seeds, and what turns an answer (H, W, ...) back."""
    height, width = luminance.shape
    row, column = seeds.coords.T
    image, coords, back = {
        "left-right": (luminance[:, ::-1], (row, width - 1 - column), lambda x: x[:, ::-1]),
        "up-down": (luminance[::-1], (height - 1 - row, column), lambda x: x[::-1]),
        "transpose": (luminance.T, (column, row), lambda x: np.swapaxes(x, 0, 1)),
    }[turn]
    return image, Seeds.of(np.stack(coords, axis=1), seeds.ab, weight=seeds.weight, stroke=seeds.stroke), back


def photo_seeds(name: str, height: int, width: int, strokes: int = 12, seed: int = 0) -> Seeds:
    """Short horizontal strokes in the photo's own colours."""
    lab = lab_photo(name, height, width)
    rng = np.random.default_rng(seed)
    coords, ab, ids = [], [], []
    for stroke in range(strokes):
        row = rng.integers(height)
        columns = np.arange(rng.integers(width), width)[:6]
        pixels = np.stack([np.full(len(columns), row), columns], axis=1)
        coords.append(pixels)
        ab.append(np.repeat(np.median(lab[row, columns, 1:], axis=0)[None], len(columns), axis=0))
        ids.append(np.full(len(columns), stroke))
    return Seeds.of(np.concatenate(coords), np.concatenate(ab), stroke=np.concatenate(ids))


def beside(pixel: tuple[int, int], shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """The 4-neighbours of a pixel that are in the picture."""
    i, j = pixel
    return [
        (y, x) for y, x in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)) if 0 <= y < shape[0] and 0 <= x < shape[1]
    ]


def random_seeds(height: int, width: int, count: int, seed: int = 0) -> Seeds:
    """Hard single-pixel seeds of random colours."""
    rng = np.random.default_rng(seed)
    flat = rng.choice(height * width, count, replace=False)
    return Seeds.of(np.stack(np.divmod(flat, width), axis=1), rng.uniform(-80, 80, (count, 2)))
