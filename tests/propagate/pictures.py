"""Pictures and seeds for the propagation tests."""

from __future__ import annotations

from functools import cache

import numpy as np
import skimage.data
from numpy.typing import NDArray
from skimage.color import rgb2lab
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


def random_seeds(height: int, width: int, count: int, seed: int = 0) -> Seeds:
    """Hard single-pixel seeds of random colours."""
    rng = np.random.default_rng(seed)
    flat = rng.choice(height * width, count, replace=False)
    return Seeds.of(np.stack(np.divmod(flat, width), axis=1), rng.uniform(-80, 80, (count, 2)))
