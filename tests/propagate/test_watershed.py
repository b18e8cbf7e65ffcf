"""Flooding and growing over regions against scikit-image, scipy, brute force and plain cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from skimage.segmentation import watershed as reference_watershed

from hybridcolor.errors import MethodError
from hybridcolor.propagate import propagate
from hybridcolor.propagate.marker_flooding import WALL, flood_markers, gradient_levels
from hybridcolor.propagate.regions import quantize
from hybridcolor.propagate.strokes import typical
from hybridcolor.propagate.watershed import grow_areas
from hybridcolor.seeds import AUTO, USER, Seeds, concatenate
from tests.propagate.pictures import lab_photo, photo_luminance, photo_seeds, random_seeds

VARIANTS = ["flooding", "rainfall"]


def random_markers(shape, count, seed):
    rng = np.random.default_rng(seed)
    markers = np.zeros(shape, np.int32)
    markers.flat[rng.choice(markers.size, count, replace=False)] = np.arange(1, count + 1)
    return markers


@pytest.mark.parametrize("seed", range(8))
def test_unique_partition_equals_scikit_image(seed):
    levels = np.random.default_rng(seed).permutation(40 * 37).reshape(40, 37).astype(np.uint16)  # no two levels equal
    markers = random_markers(levels.shape, 9, seed)
    np.testing.assert_array_equal(flood_markers(levels, markers), reference_watershed(levels, markers, connectivity=1))


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_photo_partition_equals_scikit_image_where_unique(name):
    """Unique: scikit-image gives a pixel the same marker in all eight turned and mirrored pictures."""
    levels = gradient_levels(quantize(photo_luminance(name, 150, 200)))
    markers = random_markers(levels.shape, 40, 0)
    turned = []
    for mirror in (False, True):
        for quarters in range(4):
            plane, seeds = (np.rot90(x[:, ::-1] if mirror else x, quarters) for x in (levels, markers))
            back = np.rot90(reference_watershed(plane, seeds, connectivity=1), -quarters)
            turned.append(back[:, ::-1] if mirror else back)
    unique = (np.array(turned) == turned[0]).all(axis=0)
    same = flood_markers(levels, markers) == turned[0]
    assert unique.mean() > 0.9
    assert same[unique].mean() > 0.99


@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 8), st.integers(1, 6))
@settings(max_examples=80)
def test_owner_is_reached_over_a_lowest_pass(seed, height, width, contrast):
    """Whatever the ties: the highest level on the way from a pixel's own marker is the least from any marker."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, contrast, (height, width)).astype(np.uint16)
    markers = random_markers((height, width), int(rng.integers(1, height * width + 1)), seed)
    owner = flood_markers(levels, markers)
    np.testing.assert_array_equal(owner[markers > 0], markers[markers > 0])

    def passes(start):  # minimax distance by relaxation
        height_to = np.where(start, levels.astype(float), np.inf)
        while True:
            padded = np.pad(height_to, 1, constant_values=np.inf)
            least = np.min([padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]], axis=0)
            lower = np.minimum(height_to, np.maximum(least, levels))
            if np.array_equal(lower, height_to):
                return height_to
            height_to = lower

    best = passes(markers > 0)
    own = np.full(levels.shape, np.inf)
    for marker in np.unique(owner):
        own = np.where(owner == marker, passes(markers == marker), own)
    np.testing.assert_array_equal(own, best)


def test_flooding_goes_around_walls():
    markers = np.array([[1, WALL, 0], [0, 0, 0]], np.int32)
    assert flood_markers(np.zeros((2, 3), np.uint16), markers).tolist() == [[1, 0, 1], [1, 1, 1]]


def test_gradient_is_the_morphological_one():
    values = np.random.default_rng(0).integers(0, 1000, (23, 31)).astype(np.uint16)
    expected = ndimage.maximum_filter(values, 3, mode="nearest") - ndimage.minimum_filter(values, 3, mode="nearest")
    np.testing.assert_array_equal(gradient_levels(values), expected)


def test_areas_without_marker_follow_least_contrast():
    areas = np.array([[0, 1, 2, 3]], np.int32)
    brightness = np.array([[10, 14, 50, 53]], np.uint16)
    found = grow_areas(areas, brightness, np.zeros_like(brightness), np.array([1, 0, 0, 2], np.int32))
    assert found.tolist() == [[1, 1, 2, 2]]


def test_areas_are_left_over_the_lowest_pass():
    areas = np.array([[0, 0, 1, 1, 2, 2]], np.int32)
    levels = np.array([[0, 9, 9, 4, 4, 0]], np.uint16)  # equally bright, but the way to the right is lower
    found = grow_areas(areas, np.zeros_like(levels), levels, np.array([1, 0, 2], np.int32))
    assert found.tolist() == [[1, 1, 2, 2, 2, 2]]


@pytest.mark.parametrize("seed", range(5))
def test_area_forest_is_that_of_scipy(seed):
    """The minimum spanning tree with all marked areas tied to one root, by scipy, gives the same owners."""
    rng = np.random.default_rng(seed)
    areas = np.arange(49, dtype=np.int32).reshape(7, 7)
    brightness = (rng.permutation(49) ** 2).reshape(7, 7).astype(np.uint16)
    levels = rng.integers(0, 50, (7, 7)).astype(np.uint16)
    winner = random_markers((7, 7), 4, seed).ravel()
    edges = [(i, i + step) for i in range(49) for step in (1, 7) if (step == 7 or i % 7 < 6) and i + step < 49]
    light, relief = brightness.ravel().astype(int), levels.ravel().astype(int)
    weights = [abs(light[a] - light[b]) + max(relief[a], relief[b]) + 1 + i * 1e-6 for i, (a, b) in enumerate(edges)]
    tied = [(49, int(area)) for area in np.flatnonzero(winner)]
    ends = np.array(edges + tied).T
    graph = coo_array((np.array(weights + [1e-9] * len(tied)), (ends[0], ends[1])), (50, 50))
    tree = minimum_spanning_tree(graph.tocsr()).toarray()
    tree[49] = 0
    component = connected_components(tree, directed=False)[1][:49]
    expected = np.array([winner[(component == component[i]) & (winner > 0)][0] for i in range(49)])
    np.testing.assert_array_equal(grow_areas(areas, brightness, levels, winner).ravel(), expected)


@pytest.mark.parametrize("variant", VARIANTS)
def test_label_colour_and_marker_agree(variant):
    luminance = photo_luminance("astronaut", 60, 50)
    seeds = photo_seeds("astronaut", 60, 50)
    found = propagate(luminance, seeds, method="watershed", variant=variant)
    row, column = seeds.coords.T
    np.testing.assert_array_equal(found.label[row, column], seeds.stroke)
    for stroke in np.unique(seeds.stroke):
        assert len(np.unique(found.chroma[found.label == stroke], axis=0)) == 1  # strokes here have one colour


@pytest.mark.parametrize("method", ["watershed", "flood"])
def test_region_colour_is_robust_and_the_strokes_own(method):
    seeds = Seeds.of([[0, j] for j in range(5)], [[10, 0], [11, 0], [12, 0], [13, 0], [-90, 90]], stroke=4)
    found = propagate(np.full((3, 5), 50.0), seeds, method=method)
    assert found.chroma[2, 2].tolist() == [11.0, 0.0]
    assert found.chroma[0, 4].tolist() == [-90.0, 90.0]  # a hard seed keeps its own


@given(st.integers(0, 10**6))
def test_typical_colour_equals_brute_force(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    ab = rng.integers(-5, 5, (n, 2)).astype(np.float32)
    weight = rng.choice(np.array([0.5, 1.0, 3.0, np.inf], np.float32), n)
    group = np.unique(rng.integers(0, 4, n), return_inverse=True)[1].ravel()
    for number, found in enumerate(typical(ab, weight, group)):
        members = np.flatnonzero(group == number)
        hard = members[np.isinf(weight[members])]
        counted = hard if len(hard) else members
        times = np.ones(len(hard)) if len(hard) else weight[counted]
        copies = np.repeat(ab[counted], (times * 2).astype(int), axis=0)
        middle = np.sort(copies, axis=0)[(len(copies) - 1) // 2]
        least = ((ab[counted] - middle) ** 2).sum(axis=1).min()
        assert found in counted
        assert ((ab[found] - middle) ** 2).sum() == least


def test_unknown_variant_is_refused():
    with pytest.raises(MethodError, match='"flooding" or "rainfall"'):
        propagate(np.full((3, 3), 50.0), Seeds.of([[0, 0]], [[1, 1]]), method="watershed", variant="rain")


def noisy_halves(noise=2.0):
    return np.where(np.arange(60) < 30, 40.0, 60.0) + np.random.default_rng(0).normal(0, noise, (60, 60))


def test_rainfall_crosses_noise_that_flooding_stops_at():
    """Two plain halves with noise, a small stroke in each: regions find the halves."""
    seeds = Seeds.of([[5, 5], [50, 50]], [[40, 0], [0, 40]], stroke=[0, 1])
    truth = np.broadcast_to(np.arange(60) >= 30, (60, 60))
    right = {
        variant: (propagate(noisy_halves(8.0), seeds, method="watershed", variant=variant).label == truth).mean()
        for variant in VARIANTS
    }
    assert right["rainfall"] > 0.95 > 0.85 > right["flooding"]


def test_one_wrong_automatic_seed_does_not_colour_a_region():
    right = Seeds.of([[5, 5], [20, 20], [50, 9]], [[40, 0], [41, 1], [42, 0]], weight=0.1, origin=AUTO)
    wrong = Seeds.of([[30, 10]], [[-60, 60]], weight=0.1, origin=AUTO)
    other = Seeds.of([[30, 50]], [[0, 40]], weight=0.1, origin=AUTO)
    seeds = concatenate(concatenate(right, wrong), other)
    chroma = propagate(noisy_halves(), seeds, method="watershed", variant="rainfall").chroma
    assert (chroma[:, :29, 0] >= 40).all()
    assert (chroma[:, 31:] == [0, 40]).all()


def test_a_person_wins_the_region():
    automatic = Seeds.of([[5, 5], [20, 20], [50, 9]], [[40, 0], [41, 1], [42, 0]], origin=AUTO)
    seeds = concatenate(automatic, Seeds.of([[30, 10]], [[-60, 60]]))
    found = propagate(noisy_halves(), seeds, method="watershed", variant="rainfall")
    others = np.ones((60, 60), bool)
    others[automatic.coords[:, 0], automatic.coords[:, 1]] = False  # these were given as hard
    assert (found.chroma[:, :29][others[:, :29]] == [-60, 60]).all()
    assert found.chroma[5, 5].tolist() == [40, 0]


def test_a_persons_strokes_share_a_region():
    seeds = Seeds.of([[5, 5], [50, 5]], [[40, 0], [0, 40]], stroke=[8, 9])
    label = propagate(np.full((60, 10), 50.0), seeds, method="watershed", variant="rainfall").label
    assert (label[:25] == 8).all()
    assert (label[35:] == 9).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2), (40, 34)])
@pytest.mark.parametrize("origin", [AUTO, USER])
def test_rainfall_with_few_or_all_pixels_seeded(shape, origin):
    luminance = np.random.default_rng(0).uniform(20, 80, shape)
    for count in {1, luminance.size}:
        seeds = random_seeds(*shape, count)
        seeds = Seeds.of(seeds.coords, seeds.ab, stroke=seeds.stroke, origin=origin)
        found = propagate(luminance, seeds, method="watershed", variant="rainfall")
        row, column = seeds.coords.T
        np.testing.assert_array_equal(found.chroma[row, column], seeds.ab)
        np.testing.assert_array_equal(found.label[row, column], seeds.stroke)
        assert np.isin(found.label, seeds.stroke).all()


@pytest.mark.parametrize("origin", [AUTO, USER])
def test_seed_order_does_not_matter_to_rainfall(origin):
    luminance = photo_luminance("coffee", 60, 70)
    seeds = random_seeds(60, 70, 80)
    seeds = Seeds.of(seeds.coords, np.round(seeds.ab / 40), weight=0.1, stroke=seeds.stroke // 2, origin=origin)
    shuffled = seeds.take(np.random.default_rng(0).permutation(len(seeds)))
    first, second = (propagate(luminance, s, method="watershed", variant="rainfall") for s in (seeds, shuffled))
    np.testing.assert_array_equal(first.chroma, second.chroma)
    np.testing.assert_array_equal(first.label, second.label)


@pytest.mark.parametrize("name", ["coffee", "astronaut"])
def test_rainfall_is_nearly_flip_equivariant(name):
    luminance = photo_luminance(name, 80, 90)
    seeds = random_seeds(80, 90, 15)
    flipped = Seeds.of(np.stack([seeds.coords[:, 0], 89 - seeds.coords[:, 1]], axis=1), seeds.ab)
    found = propagate(luminance, seeds, method="watershed", variant="rainfall").label
    mirrored = propagate(luminance[:, ::-1], flipped, method="watershed", variant="rainfall").label
    assert (found == mirrored[:, ::-1]).mean() > 0.9


def test_rainfall_with_wrong_automatic_seeds_beats_flooding_on_photos():
    """Every fifth automatic seed is wild: the regions' vote leaves less error than flooding from each."""
    error = dict.fromkeys(VARIANTS, 0.0)
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        lab = lab_photo(name, 128, 128)
        rng = np.random.default_rng(1)
        coords = np.unique(rng.integers(0, 128, (150, 2)), axis=0)
        ab = lab[coords[:, 0], coords[:, 1], 1:].copy()
        ab[::5] = rng.uniform(-60, 60, ab[::5].shape)
        seeds = Seeds.of(coords, ab, weight=0.1, origin=AUTO)
        for variant in VARIANTS:
            chroma = propagate(lab[..., 0], seeds, method="watershed", variant=variant).chroma
            error[variant] += np.abs(chroma - lab[..., 1:]).mean()
    assert error["rainfall"] < 0.9 * error["flooding"]
