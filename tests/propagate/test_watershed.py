"""Flooding and region growing against scikit-image, scipy and plain cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import local_minima
from skimage.segmentation import watershed as reference_watershed

from hybridcolor.propagate import propagate
from hybridcolor.propagate.flooding import flood, gradient_levels
from hybridcolor.propagate.regions import catchment_basins, grow_regions
from hybridcolor.seeds import Seeds
from tests.propagate.pictures import photo_luminance, photo_seeds, random_seeds


def random_markers(shape, count, seed):
    rng = np.random.default_rng(seed)
    markers = np.zeros(shape, np.int32)
    markers.flat[rng.choice(markers.size, count, replace=False)] = np.arange(1, count + 1)
    return markers


@pytest.mark.parametrize("seed", range(8))
def test_unique_partition_equals_scikit_image(seed):
    levels = np.random.default_rng(seed).permutation(40 * 37).reshape(40, 37).astype(np.int32)  # no two levels equal
    markers = random_markers(levels.shape, 9, seed)
    np.testing.assert_array_equal(flood(levels, markers), reference_watershed(levels, markers, connectivity=1))


def test_photo_partition_nearly_equals_scikit_image():
    luminance = photo_luminance("coffee", 150, 200)
    levels = gradient_levels(np.round(luminance * 10).astype(np.int32))
    markers = random_markers(levels.shape, 40, 0)
    same = flood(levels, markers) == reference_watershed(levels, markers, connectivity=1)
    assert same.mean() > 0.97


def test_gradient_is_the_morphological_one():
    values = np.random.default_rng(0).integers(0, 1000, (23, 31)).astype(np.int32)
    expected = ndimage.maximum_filter(values, 3, mode="nearest") - ndimage.minimum_filter(values, 3, mode="nearest")
    np.testing.assert_array_equal(gradient_levels(values), expected)


def test_basins_are_those_of_the_regional_minima():
    values = np.random.default_rng(0).integers(0, 9, (30, 33)).astype(np.int32)
    minima = local_minima(values, connectivity=1)
    basins = catchment_basins(values)
    numbered, count = ndimage.label(minima)
    assert basins.min() == 0
    assert basins.max() + 1 == count
    for basin in range(1, count + 1):
        assert len(np.unique(basins[numbered == basin])) == 1


def test_regions_without_marker_follow_least_contrast():
    regions = np.array([[0, 1, 2, 3]], np.int32)
    brightness = np.array([[10, 14, 50, 53]], np.int32)
    markers = np.array([[1, 0, 0, 2]], np.int32)
    assert grow_regions(regions, brightness, markers, markers).tolist() == [[1, 1, 2, 2]]


def test_region_forest_equals_brute_force_kruskal():
    rng = np.random.default_rng(5)
    regions = np.arange(49, dtype=np.int32).reshape(7, 7)
    brightness = (rng.permutation(49) ** 2).reshape(7, 7).astype(np.int32)
    markers = random_markers((7, 7), 4, 5)
    edges = [(i, i + 1) for i in range(49) if i % 7 < 6] + [(i, i + 7) for i in range(42)]
    light = brightness.ravel()
    edges.sort(key=lambda e: (abs(light[e[0]] - light[e[1]]), min(light[e[0]], light[e[1]])))
    members = [{i} for i in range(49)]
    marker = [{int(m)} - {0} for m in markers.ravel()]
    for a, b in edges:
        if members[a] is not members[b] and len(marker[a] | marker[b]) < 2:
            members[a] |= members[b]
            marker[a] |= marker[b]
            for i in members[a]:
                members[i], marker[i] = members[a], marker[a]
    expected = np.array([next(iter(m)) for m in marker]).reshape(7, 7)
    np.testing.assert_array_equal(grow_regions(regions, brightness, markers, markers), expected)


def test_region_with_several_markers_is_split_by_owner():
    regions = np.zeros((1, 5), np.int32)
    markers = np.array([[1, 0, 0, 0, 2]], np.int32)
    owner = np.array([[1, 1, 2, 2, 2]], np.int32)
    grown = grow_regions(regions, np.zeros((1, 5), np.int32), markers, owner)
    np.testing.assert_array_equal(grown, owner)


@pytest.mark.parametrize("merge", [False, True])
def test_label_colour_and_marker_agree(merge):
    luminance = photo_luminance("astronaut", 60, 50)
    seeds = photo_seeds("astronaut", 60, 50)
    found = propagate(luminance, seeds, method="watershed", merge=merge)
    row, column = seeds.coords.T
    np.testing.assert_array_equal(found.label[row, column], seeds.stroke)
    for stroke in np.unique(seeds.stroke):
        assert len(np.unique(found.chroma[found.label == stroke], axis=0)) == 1  # strokes here have one colour


def test_region_colour_is_robust_and_the_strokes_own():
    seeds = Seeds.of([[0, j] for j in range(5)], [[10, 0], [11, 0], [12, 0], [13, 0], [-90, 90]], stroke=4)
    found = propagate(np.full((3, 5), 50.0), seeds, method="watershed")
    assert found.chroma[2, 2].tolist() == [11.0, 0.0]
    assert found.chroma[0, 4].tolist() == [-90.0, 90.0]  # a hard seed keeps its own


def test_merge_crosses_noise_that_flooding_stops_at():
    """Two plain halves with noise, a small stroke in each: region growing finds the halves."""
    rng = np.random.default_rng(0)
    halves = np.where(np.arange(60) < 30, 35.0, 65.0) + rng.normal(0, 2.0, (60, 60))
    seeds = Seeds.of([[5, 5], [50, 50]], [[40, 0], [0, 40]], stroke=[0, 1])
    label = propagate(halves, seeds, method="watershed", merge=True).label
    assert (label == (np.arange(60) >= 30)).mean() > 0.95


def test_merge_is_nearly_flip_equivariant():
    luminance = photo_luminance("coffee", 80, 90)
    seeds = random_seeds(80, 90, 15)
    flipped = Seeds.of(np.stack([seeds.coords[:, 0], 89 - seeds.coords[:, 1]], axis=1), seeds.ab)
    found = propagate(luminance, seeds, method="watershed", merge=True).label
    mirrored = propagate(luminance[:, ::-1], flipped, method="watershed", merge=True).label
    assert (found == mirrored[:, ::-1]).mean() > 0.9
