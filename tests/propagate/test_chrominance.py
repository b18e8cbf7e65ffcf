"""Chrominance blending against brute-force Dijkstra."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridcolor.errors import MethodError
from hybridcolor.propagate import propagate
from hybridcolor.propagate.geodesic import nearest_sources
from hybridcolor.seeds import Seeds
from tests.propagate.pictures import photo_luminance, random_seeds


def dijkstra(levels, starts):
    """Distance of every pixel from a set of (row, column, start), by a heap."""
    distance = np.full(levels.shape, np.inf)
    heap = [(start, row, column) for row, column, start in starts]
    while heap:
        length, i, j = heapq.heappop(heap)
        if length >= distance[i, j]:
            continue
        distance[i, j] = length
        for y, x in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if 0 <= y < levels.shape[0] and 0 <= x < levels.shape[1]:
                heapq.heappush(heap, (length + abs(int(levels[y, x]) - int(levels[i, j])) + 1, y, x))
    return distance


@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_nearest_sources_equal_brute_force(seed, height, width, k, contrast):
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, contrast, (height, width)).astype(np.int32)
    count = int(rng.integers(1, height * width + 1))
    pixels = rng.choice(height * width, count, replace=False).astype(np.int32)
    group = np.sort(rng.integers(0, 4, 7)).astype(np.int32)
    numbers = rng.integers(0, 7, count).astype(np.int32)
    starts = rng.choice([0, 0, 1, 30], count).astype(np.int32)
    distance, source = nearest_sources(levels, (pixels, numbers, starts), group, k)
    of_source = {}
    for number in np.unique(numbers):
        mine = numbers == number
        places = zip(*np.divmod(pixels[mine], width), starts[mine], strict=True)
        of_source[int(number)] = dijkstra(levels, [(int(r), int(c), int(s)) for r, c, s in places])
    for i in range(height):
        for j in range(width):
            best = {}
            for number, plane in of_source.items():
                candidate = (plane[i, j], number)
                best[group[number]] = min(best.get(group[number], candidate), candidate)
            expected = sorted(best.values())[:k]
            found = [(d, s) for d, s in zip(distance[i, j], source[i, j], strict=True) if s >= 0]
            assert found == expected


def test_blend_is_the_papers_formula():
    levels = np.array([[0, 0, 20, 20, 20, 70, 70]])
    seeds = Seeds.of([[0, 0], [0, 3], [0, 6]], [[40, 0], [0, 40], [-40, -40]])
    found = propagate(levels / 10, seeds, method="chrominance", k=2)
    # Pixel 2: 22 from the first seed (20 of contrast, 2 steps), 1 from the second, 53 from the third (left out).
    weights = np.array([22.0**-4, 1.0])
    expected = weights @ np.array([[40, 0], [0, 40]]) / weights.sum()
    np.testing.assert_allclose(found.chroma[0, 2], expected, rtol=1e-5)
    assert found.label.tolist() == [[0, 0, 1, 1, 1, 2, 2]]


def test_label_is_the_nearest_stroke():
    luminance = photo_luminance("coffee", 30, 40)
    seeds = random_seeds(30, 40, 8)
    found = propagate(luminance, seeds, method="chrominance", k=1)
    levels = np.round(luminance * np.float32(10)).astype(int)
    planes = np.stack([dijkstra(levels, [(*seed, 0)]) for seed in seeds.coords])
    chosen = np.take_along_axis(planes, found.label[None], axis=0)[0]
    np.testing.assert_array_equal(chosen, planes.min(axis=0))


def test_soft_seed_lies_behind_its_pixel():
    luminance = np.full((1, 2), 50.0)
    seeds = Seeds.of([[0, 0], [0, 1]], [[40, 0], [-40, 0]], weight=[1.0, np.inf])
    found = propagate(luminance, seeds, method="chrominance", power=1.0)
    np.testing.assert_allclose(found.chroma[0, :, 0], [0.0, -40.0])  # both at distance 1 from the soft pixel


@pytest.mark.parametrize("options", [{"k": 0}, {"k": 99}, {"k": 1.5}, {"power": 0}, {"coarseness": float("nan")}])
def test_unfit_options_are_refused(options):
    with pytest.raises(MethodError, match=next(iter(options))):
        propagate(np.full((3, 3), 50.0), random_seeds(3, 3, 1), method="chrominance", **options)
