"""Catchment basins and their merging against scikit-image and plain cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label
from skimage.morphology import local_minima

from hybridcolor.errors import ImageError, MethodError
from hybridcolor.propagate.rainfall import catchment_basins
from hybridcolor.propagate.regions import merge_basins, regions
from tests.propagate.pictures import beside, lab_photo, photo_luminance


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 12), st.integers(1, 9))
@settings(max_examples=60)
def test_every_pixel_drains_into_its_basin(seed, height, width, contrast):
    levels = np.random.default_rng(seed).integers(0, contrast, (height, width)).astype(np.uint16)
    basins = catchment_basins(levels, np.zeros_like(levels))
    plateaus = label(levels, background=-1, connectivity=1)
    lowest = np.array([levels[plateaus == plateau].min() for plateau in range(1, plateaus.max() + 1)])
    drains = np.zeros(len(lowest), bool)
    for pixel in np.ndindex(levels.shape):
        lower = [p for p in beside(pixel, levels.shape) if levels[p] < levels[pixel]]
        if lower:
            drains[plateaus[pixel] - 1] = True
            least = min(levels[p] for p in lower)
            assert basins[pixel] in {basins[p] for p in lower if levels[p] == least}
    minima = [basins[plateaus == plateau + 1] for plateau in np.flatnonzero(~drains)]
    assert all(len(np.unique(of_one)) == 1 for of_one in minima)
    assert sorted(of_one[0] for of_one in minima) == list(range(basins.max() + 1))


def test_minima_are_those_of_scikit_image():
    levels = np.random.default_rng(0).integers(0, 9, (40, 50)).astype(np.uint16)
    minima = label(local_minima(levels, connectivity=1), connectivity=1)
    assert catchment_basins(levels, np.zeros_like(levels)).max() + 1 == minima.max()


def test_plateau_is_shared_by_distance():
    levels = np.array([[0, 5, 5, 5, 5, 5, 5, 1]], np.uint16)
    assert catchment_basins(levels, np.zeros_like(levels)).tolist() == [[0, 0, 0, 0, 1, 1, 1, 1]]


def test_of_equally_low_neighbours_the_like_one_is_taken():
    levels = np.array([[0, 5, 0]], np.uint16)
    assert catchment_basins(levels, np.array([[9, 40, 50]], np.uint16)).tolist() == [[0, 1, 1]]


def test_merging_is_by_size_and_difference():
    basins = np.repeat(np.array([[0, 1, 2]], np.int32), [8, 8, 1], axis=1)
    brightness = np.where(basins == 0, 500, np.where(basins == 1, 510, 530)).astype(np.uint16)  # 1 and 2 L* apart
    level = np.zeros_like(brightness)
    # 1 L* between 8 and 8 pixels is chance up to q = 4; 2 L* between 8 and 1 from q = 4 / (1 + 1/8) = 3.56 on
    assert np.unique(merge_basins(basins, brightness, level, 3.0)).tolist() == [0, 1, 2]
    assert np.unique(merge_basins(basins, brightness, level, 3.6)).tolist() == [0, 1]
    assert np.unique(merge_basins(basins, brightness, level, 10.0)).tolist() == [0]


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_regions_are_connected_and_numbered_in_scan_order(name):
    found = regions(photo_luminance(name, 90, 110))
    assert found.shape == (90, 110)
    assert found.dtype == np.int32
    assert label(found, background=-1, connectivity=1).max() == found.max() + 1  # each is one piece
    first = np.unique(found, return_index=True)[1]
    assert (np.diff(first) > 0).all()


def test_coarser_means_fewer_and_detail_costs_colour():
    """Fewer regions with more coarseness, and always far better than as many plain squares."""
    lab = lab_photo("coffee", 120, 160)
    counts = []
    for coarseness in (0.0, 0.5, 1.0, 2.0, 4.0):
        found = regions(lab[..., 0], coarseness=coarseness)
        counts.append(found.max() + 1)
        side = max(1, round((found.size / counts[-1]) ** 0.5))
        row, column = np.indices(found.shape) // side
        squares = np.unique(row * 1000 + column, return_inverse=True)[1].reshape(found.shape)
        assert spread(found, lab) < 0.8 * spread(squares, lab)
    assert sorted(counts, reverse=True) == counts
    assert counts[0] > 3 * counts[-1]


def spread(areas, lab):
    """Mean distance in ab from the region's mean."""
    size = np.bincount(areas.ravel())
    mean = np.stack([np.bincount(areas.ravel(), lab[..., c].ravel()) / size for c in (1, 2)], axis=1)
    return np.linalg.norm(lab[..., 1:] - mean[areas], axis=2).mean()


def test_noise_alone_is_one_region():
    """The floor: with no coarseness, what noise explains is merged; without noise, fine steps stay apart."""
    rng = np.random.default_rng(0)
    noisy = regions(50 + rng.normal(0, 3.0, (80, 80)), coarseness=0.0)
    assert np.bincount(noisy.ravel()).max() > 0.9 * noisy.size
    stairs = np.repeat(np.linspace(20, 80, 8), 10) * np.ones((80, 1))
    assert regions(stairs, coarseness=0.0).max() + 1 == 8


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_tiny_pictures(shape):
    assert not regions(np.full(shape, 100.0)).any()


@pytest.mark.parametrize(
    "bad", [np.zeros((3, 3, 3)), np.zeros((0, 3)), np.full((3, 3), np.nan), np.full((3, 3), 101), np.full((3, 3), "x")]
)
def test_unfit_luminance_is_refused(bad):
    with pytest.raises(ImageError, match="luminance"):
        regions(bad)


@pytest.mark.parametrize("coarseness", [1000.0, 1e200])
def test_the_coarsest_is_one_region(coarseness):
    assert not regions(photo_luminance("coffee", 60, 80), coarseness=coarseness).any()


@pytest.mark.parametrize("coarseness", [-1, np.nan, np.inf])
def test_unfit_coarseness_is_refused(coarseness):
    with pytest.raises(MethodError, match="coarseness"):
        regions(np.full((3, 3), 50.0), coarseness=coarseness)
