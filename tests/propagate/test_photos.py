"""Levin's solution and the hybrid's on thirty photos of different kinds, each against SuperLU."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from skimage.color import gray2rgb, rgb2lab
from skimage.util import img_as_float

from hybridcolor.propagate import propagate
from hybridcolor.seeds import Seeds
from tests.propagate.direct import dissected

SIDE = 256

# Photo, and where the crop lies: 0 at the top or left, 1 at the bottom or right. Full resolution, never scaled, so
# grain, JPEG blocks, scanner noise and saturated areas are what they were.
CROPS = [
    ("astronaut", 0.25, 0.45),  # a face, a flag
    ("astronaut", 0.75, 0.3),  # cloth
    ("astronaut", 0.5, 1.0),
    ("chelsea", 0.5, 0.4),  # fur
    ("chelsea", 0.5, 1.0),
    ("coffee", 0.5, 0.4),  # smooth china
    ("coffee", 0.0, 1.0),  # wood
    ("rocket", 0.4, 0.5),  # night sky, saturated light
    ("rocket", 1.0, 0.0),
    ("motorcycle", 0.5, 0.4),  # chrome, spokes
    ("motorcycle", 0.0, 1.0),
    ("motorcycle", 1.0, 0.7),
    ("hubble_deep_field", 0.3, 0.3),  # points on black
    ("hubble_deep_field", 0.8, 0.7),
    ("retina", 0.5, 0.3),  # a fundus camera
    ("retina", 0.5, 0.8),
    ("retina", 0.0, 0.5),  # its black edge
    ("immunohistochemistry", 0.2, 0.2),  # a stained section
    ("immunohistochemistry", 0.8, 0.8),
    ("camera", 0.3, 0.4),  # gray photos from here on
    ("camera", 1.0, 0.0),
    ("brick", 0.5, 0.5),
    ("grass", 0.5, 0.5),
    ("gravel", 0.5, 0.5),
    ("coins", 0.5, 0.5),
    ("cell", 0.5, 0.5),
    ("moon", 0.5, 0.5),
    ("clock", 0.5, 0.5),  # motion blur
    ("page", 0.5, 0.5),  # print, 191 rows
    ("text", 0.5, 0.5),  # 172 rows
]


def crop(name, row, column):
    """At most 256 x 256 of a photo, as L*a*b*."""
    photo = skimage.data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(skimage.data, name)()
    height, width = min(SIDE, photo.shape[0]), min(SIDE, photo.shape[1])
    top, left = round(row * (photo.shape[0] - height)), round(column * (photo.shape[1] - width))
    part = img_as_float(photo)[top : top + height, left : left + width]
    return rgb2lab(part if part.ndim == 3 else gray2rgb(part)).astype(np.float32)


def five_by_five(lab, rng):
    """Two hundred squares of seeds, in the photo's own colours, or in any where it is gray."""
    corners = (rng.random((200, 2)) * (np.array(lab.shape[:2]) - 4)).astype(int)
    coords = (corners[:, None] + np.argwhere(np.ones((5, 5)))).reshape(-1, 2)
    ab = lab[coords[:, 0], coords[:, 1], 1:]
    if np.abs(lab[..., 1:]).max() < 1:
        ab = rng.uniform(-60, 60, (200, 2)).repeat(25, axis=0)
    return Seeds.of(coords, ab, stroke=np.repeat(np.arange(200), 25))


def assert_close(found, expected):
    error = np.linalg.norm(found - expected, axis=2)
    assert error.mean() < 0.1
    assert np.quantile(error, 0.999) < 1


@pytest.mark.parametrize(("name", "row", "column"), CROPS)
def test_photo_equals_superlu(name, row, column):
    lab = crop(name, row, column)
    luminance = np.ascontiguousarray(lab[..., 0].clip(0, 100))
    rng = np.random.default_rng(0)
    seeds = five_by_five(lab, rng)
    prior = np.broadcast_to(rng.uniform(-30, 30, 2).astype(np.float32), lab[..., 1:].shape) + lab[..., :2] / 5
    there = prior[seeds.coords[:, 0], seeds.coords[:, 1]]
    exact = dissected(luminance, seeds, np.hstack([seeds.ab, seeds.ab - there]))
    assert_close(propagate(luminance, seeds, method="optimization").chroma, exact[..., :2])
    hybrid = propagate(luminance, seeds, method="hybrid", prior=prior, reach=np.inf)
    assert_close(hybrid.chroma, prior + exact[..., 2:])
