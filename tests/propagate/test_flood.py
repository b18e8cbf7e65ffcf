"""Seeded region growing against a slow one written from its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridcolor.errors import MethodError
from hybridcolor.propagate import propagate
from hybridcolor.propagate.flood import grow
from hybridcolor.seeds import Seeds
from tests.propagate.pictures import beside, photo_luminance, photo_seeds


def slow_growth(light, markers, threshold):
    """Layers of joining pixels; refused ones wait until a neighbour joins or the limit rises."""
    owner = markers.copy()
    limit = threshold

    def offer(pixel, means):
        return min((abs(int(light[pixel]) - means[owner[p]]), owner[p]) for p in beside(pixel, light.shape) if owner[p])

    def means():
        return {m: light[owner == m].astype(int).sum() / (owner == m).sum() for m in np.unique(owner) if m}

    new = {tuple(p) for p in np.argwhere(owner > 0).tolist()}
    while (owner == 0).any():
        now = means()
        asked = {p for q in new for p in beside(q, light.shape) if owner[p] == 0}
        new = {p: offer(p, now)[1] for p in asked if offer(p, now)[0] < limit}
        if not new:
            rim = [tuple(p) for p in np.argwhere(owner == 0).tolist() if any(owner[q] for q in beside(p, light.shape))]
            least = min(offer(p, now)[0] for p in rim)
            limit = max(limit, (least // threshold + 1) * threshold)
            new = {p: offer(p, now)[1] for p in rim if offer(p, now)[0] < limit}
        for p, marker in new.items():
            owner[p] = marker
    return owner


@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 9), st.sampled_from([4, 60, 256]))
@settings(max_examples=60)
def test_growth_equals_its_definition(seed, height, width, contrast):
    rng = np.random.default_rng(seed)
    light = rng.integers(0, contrast, (height, width)).astype(np.uint8)
    markers = np.zeros((height, width), np.int32)
    count = int(rng.integers(1, min(6, light.size) + 1))
    markers.flat[rng.choice(light.size, count, replace=False)] = rng.integers(1, 4, count)
    np.testing.assert_array_equal(grow(light, markers, 8.0), slow_growth(light, markers, 8.0))


def test_nearer_brightness_takes_a_contested_pixel():
    assert grow(np.array([[10, 18, 20]], np.uint8), np.array([[1, 0, 2]], np.int32), 16.0).tolist() == [[1, 2, 2]]


def test_the_mean_moves_with_the_region():
    light = np.array([[0, 7, 12, 15, 17]], np.uint8)  # 17 is 8.5 from the mean of the first four: too far for 8
    first = grow(light, np.array([[1, 0, 0, 0, 2]], np.int32), 8.0)
    assert first.tolist() == [[1, 1, 2, 2, 2]]


def test_the_range_of_luminance_does_not_matter():
    luminance = photo_luminance("coffee", 50, 60)
    seeds = photo_seeds("coffee", 50, 60)
    span = luminance.max() - luminance.min()
    stretched = np.round((luminance - luminance.min()) / span * 255) / 255  # whole levels, or rounding would tell
    full = propagate((stretched * 100).astype(np.float32), seeds, method="flood").label
    dull = propagate((20 + stretched * 40).astype(np.float32), seeds, method="flood").label
    assert (full == dull).mean() > 0.999


def test_label_colour_and_stroke_agree():
    seeds = photo_seeds("astronaut", 60, 50)
    found = propagate(photo_luminance("astronaut", 60, 50), seeds, method="flood")
    row, column = seeds.coords.T
    np.testing.assert_array_equal(found.label[row, column], seeds.stroke)
    for stroke in np.unique(seeds.stroke):
        assert len(np.unique(found.chroma[found.label == stroke], axis=0)) == 1  # strokes here have one colour


@pytest.mark.parametrize("threshold", [0, -1, 0.5, np.nan, np.inf])
def test_unfit_threshold_is_refused(threshold):
    with pytest.raises(MethodError, match="threshold"):
        propagate(np.full((3, 3), 50.0), Seeds.of([[0, 0]], [[1, 1]]), method="flood", threshold=threshold)
