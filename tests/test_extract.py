"""Automatic seeds: where they lie, and when they give way to a person's strokes."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from hybridcolor.bins import ColorDistribution, nearest_bin
from hybridcolor.errors import SeedError
from hybridcolor.extract import PATCH_TOLERANCE, _spaced, _spread, confidence_peaks, extract_seeds, merge_seeds
from hybridcolor.seeds import AUTO, USER, Seeds

Q = 313


def belief(colours, shape, *, sure=20.0):
    """A distribution that is sure of one colour in every cell of a grid."""
    grid = np.asarray(colours, np.float32)
    logits = np.zeros((*grid.shape[:2], Q), np.float32)
    np.put_along_axis(logits, nearest_bin(grid)[..., None], sure, axis=2)
    return ColorDistribution(logits, shape)


def test_patches_keep_their_distance_and_lie_on_one_even_surface():
    luminance = np.random.default_rng(0).uniform(20, 80, (12, 12)).repeat(10, 0).repeat(10, 1).astype(np.float32)
    seeds = extract_seeds(belief(np.full((30, 30, 2), 40.0), (120, 120)), luminance, spacing=0.2)
    strokes = [seeds.take(seeds.stroke == n) for n in np.unique(seeds.stroke)]
    assert len(strokes) > 4
    centres = np.array([stroke.coords.mean(axis=0) for stroke in strokes])
    gaps = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1)) + 1e9 * np.eye(len(centres))
    assert gaps.min() > 0.2 * 120 - 2 * 4  # less what patches may lie off their cell's middle
    for stroke in strokes:
        levels = luminance[tuple(stroke.coords.T)]
        assert np.ptp(levels) <= 2 * PATCH_TOLERANCE
        mask = np.zeros(luminance.shape, bool)
        mask[tuple(stroke.coords.T)] = True
        assert ndimage.label(mask, np.ones((3, 3)))[1] == 1


def test_sure_neutrals_are_neutral_seeds_and_sure_colours_are_coloured():
    colours = np.zeros((16, 16, 2))
    colours[:, 8:] = 50.0, 40.0
    seeds = extract_seeds(belief(colours, (64, 64)), np.full((64, 64), 50, np.float32))
    left = seeds.coords[:, 1] < 32
    assert left.any()
    assert not left.all()
    assert np.array_equal(seeds.ab[left], np.zeros((left.sum(), 2)))
    np.testing.assert_allclose(seeds.ab[~left], [[50.0, 40.0]] * int((~left).sum()), atol=1)
    assert (seeds.origin == AUTO).all()


def test_an_unsure_distribution_has_no_seeds():
    flat = ColorDistribution(np.zeros((8, 8, Q), np.float32), (32, 32))
    assert len(extract_seeds(flat, np.full((32, 32), 50, np.float32))) == 0


def test_a_hesitant_distribution_has_seeds_where_it_hesitates_least():
    """Between two colours, less and less sure of the first from left to right, and nowhere as sure as is asked."""
    first, second = nearest_bin([60, 40]), nearest_bin([-20, 0])
    logits = np.full((16, 16, Q), -30, np.float32)
    logits[..., second] = 0
    logits[..., first] = np.linspace(0.2, 0.0, 16)
    hesitant = ColorDistribution(logits, (64, 64))
    ratio = np.hypot(*hesitant.mean().T).T / hesitant.std()
    assert 0.4 < ratio.max() < 0.8
    seeds = extract_seeds(hesitant, np.full((64, 64), 50, np.float32))
    assert len(seeds) > 0
    assert seeds.coords[:, 1].max() < 24
    assert len(extract_seeds(hesitant, np.full((64, 64), 50, np.float32), coloured=4.0)) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (3, 2), (333, 7)])
def test_small_and_thin_pictures_have_seeds_inside(shape):
    seeds = extract_seeds(belief(np.full((10, 12, 2), 40.0), shape), np.full(shape, 50, np.float32))
    assert len(seeds) > 0
    seeds.check_inside(shape)


def test_a_distribution_of_another_picture_is_refused():
    with pytest.raises(SeedError, match="distribution"):
        extract_seeds(belief(np.zeros((2, 2, 2)), (8, 8)), np.zeros((9, 8), np.float32))


def two_surfaces():
    """Dark on the left, light on the right."""
    luminance = np.full((60, 80), 30, np.float32)
    luminance[:, 40:] = 80
    return luminance


def patch(row, column, ab):
    return [(row, column), (row, column + 1), (row + 1, column)], ab


def automatic(*patches):
    coords = np.concatenate([p[0] for p in patches])
    return Seeds.of(
        coords, np.repeat([p[1] for p in patches], 3, 0), stroke=np.repeat(range(len(patches)), 3), origin=AUTO
    )


def test_a_patch_of_another_colour_on_the_same_surface_gives_way_and_others_stay():
    auto = automatic(patch(10, 10, (0, 0)), patch(10, 60, (0, 0)), patch(50, 15, (40, -40)))
    user = Seeds.of([[30, 20], [30, 21]], [40.0, -40.0])
    merged = merge_seeds(auto, user, two_surfaces())
    kept = {tuple(c) for c in merged.coords[merged.origin == AUTO].tolist()}
    assert (10, 10) not in kept  # the same surface, another colour
    assert (10, 60) in kept  # behind the edge
    assert (50, 15) in kept  # the same colour
    assert np.isinf(merged.weight[merged.origin == USER]).all()
    assert (merged.weight[merged.origin == AUTO] < 1).all()


def test_without_scribbles_automatic_seeds_stay_as_they_are():
    auto = automatic(patch(10, 10, (0, 0)))
    merged = merge_seeds(auto, Seeds.empty(), two_surfaces())
    assert np.array_equal(merged.coords, auto.coords)
    assert np.isinf(merged.weight).all()


@pytest.mark.parametrize("scale", [1, 4])
def test_beside_a_person_automatic_seeds_are_as_soft_as_the_size_asks(scale):
    """A path through a patch has more pixels in a larger copy of a picture, so each stops fewer."""
    luminance = two_surfaces().repeat(scale, 0).repeat(scale, 1)
    merged = merge_seeds(automatic(patch(10, 60, (0, 0))), Seeds.of([[0, 0]], [40.0, 0.0]), luminance, weight=2.0)
    np.testing.assert_allclose(merged.weight[merged.origin == AUTO], 2.0 / (80 * scale))


PIXEL = st.tuples(st.integers(0, 59), st.integers(0, 79))
COLOUR = st.tuples(st.integers(-80, 80), st.integers(-80, 80))


@settings(max_examples=30)
@given(st.dictionaries(PIXEL, COLOUR, min_size=1, max_size=30), st.lists(PIXEL, max_size=30, unique=True))
def test_a_persons_seeds_always_survive_unchanged(drawn, proposed):
    user = Seeds.of(list(drawn), list(drawn.values()))
    auto = Seeds.of(np.array(proposed).reshape(-1, 2), [0, 0], origin=AUTO)
    merged = merge_seeds(auto, user, two_surfaces())
    mine = merged.origin == USER
    found = dict(zip(map(tuple, merged.coords[mine].tolist()), map(tuple, merged.ab[mine].tolist()), strict=True))
    assert found == {pixel: tuple(map(float, colour)) for pixel, colour in drawn.items()}
    assert np.isinf(merged.weight[mine]).all()


def test_spread_finds_the_cheapest_paths_and_their_ends():
    """Against a plain Dijkstra; a step costs its length times the mean cost of its two pixels."""
    rng = np.random.default_rng(4)
    cost = rng.uniform(0.1, 5, (9, 11))
    colour = np.full((9, 11, 2), np.nan, np.float32)
    starts = {(0, 0): 1.0, (8, 10): 2.0, (4, 5): 3.0}
    for start, value in starts.items():
        colour[start] = value
    best = np.full(cost.shape, np.inf)
    end = np.zeros(cost.shape)
    queue = [(0.0, start, value) for start, value in starts.items()]
    while queue:
        distance, (row, column), value = heapq.heappop(queue)
        if distance >= best[row, column]:
            continue
        best[row, column], end[row, column] = distance, value
        for r in range(max(0, row - 1), min(9, row + 2)):
            for c in range(max(0, column - 1), min(11, column + 2)):
                step = np.hypot(r - row, c - column) * (cost[r, c] + cost[row, column]) / 2
                heapq.heappush(queue, (distance + step, (r, c), value))
    distance, nearest = _spread(cost.astype(np.float32), colour)
    np.testing.assert_allclose(distance, best, rtol=1e-5)
    assert np.array_equal(nearest[..., 0], end)


def random_belief(seed, shape, *, grid=(12, 16)):
    """A distribution with sure and unsure, coloured and neutral cells."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1, (*grid, Q)).astype(np.float32)
    centre = nearest_bin(rng.uniform(-60, 60, (*grid, 2)) * (rng.random((*grid, 1)) < 0.6))
    np.put_along_axis(logits, centre[..., None], rng.uniform(2, 12, (*grid, 1)).astype(np.float32), axis=2)
    prior = rng.dirichlet(np.ones(Q)).astype(np.float32)
    return ColorDistribution(logits, shape, prior)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([(48, 64), (97, 131), (9, 9), (1, 80), (60, 1)]), st.floats(0, 1))
def test_every_patch_is_one_even_connected_piece_of_its_cell(seed, shape, vividness):
    luminance = np.random.default_rng(seed).uniform(40, 60, shape).astype(np.float32)
    belief = random_belief(seed, shape)
    seeds = extract_seeds(belief, luminance, vividness=vividness)
    assert len(seeds) > 0
    seeds.check_inside(shape)
    colours = belief.rebalanced(vividness).annealed_mean().reshape(-1, 2)
    for number in np.unique(seeds.stroke):
        stroke = seeds.take(seeds.stroke == number)
        assert np.ptp(luminance[tuple(stroke.coords.T)]) <= 2 * PATCH_TOLERANCE
        assert len(np.unique(stroke.ab, axis=0)) == 1
        assert not stroke.ab[0].any() or (colours == stroke.ab[0]).all(axis=1).any()
        if min(shape) >= 12:  # else patches of several cells share pixels
            mask = np.zeros(shape, bool)
            mask[tuple(stroke.coords.T)] = True
            assert ndimage.label(mask)[1] == 1


@given(st.integers(0, 10**6), st.floats(0.5, 6))
def test_cells_are_chosen_greedily_and_apart(seed, distance):
    score = np.maximum(np.random.default_rng(seed).normal(0, 1, (9, 13)), 0).astype(np.float32)
    chosen = _spaced(score, distance)
    values = [score[cell] for cell in chosen]
    assert values == sorted(values, reverse=True)
    for i, one in enumerate(chosen):
        assert all(np.hypot(one[0] - other[0], one[1] - other[1]) >= distance for other in chosen[:i])
    for cell in np.argwhere(score > 0):  # whatever was left out is too near to one that is at least as good
        near = [c for c in chosen if np.hypot(*(cell - c)) < distance and score[c] >= score[tuple(cell)]]
        assert near or tuple(cell) in chosen


def test_vividness_changes_colours_and_never_places():
    luminance = np.full((48, 64), 50, np.float32)
    timid, vivid = (extract_seeds(random_belief(3, (48, 64)), luminance, vividness=v) for v in (0.0, 1.0))
    assert np.array_equal(timid.coords, vivid.coords)
    assert not np.array_equal(timid.ab, vivid.ab)
    assert np.array_equal((timid.ab == 0).all(axis=1), (vivid.ab == 0).all(axis=1))


@pytest.mark.parametrize("sure_cell", [(0, 0), (0, 1), (1, 1)])
def test_where_patches_share_a_pixel_the_surest_holds(sure_cell):
    colours = np.full((2, 2, 2), [-40.0, 40.0])
    colours[sure_cell] = 50.0, -20.0
    logits = np.array(belief(colours, (1, 1), sure=8.0).logits)
    logits[sure_cell] *= 3
    seeds = extract_seeds(ColorDistribution(logits, (1, 1)), np.full((1, 1), 50, np.float32))
    np.testing.assert_allclose(seeds.ab, [[50.0, -20.0]], atol=1)


@settings(max_examples=30)
@given(
    st.dictionaries(PIXEL, COLOUR, min_size=1, max_size=20),
    st.lists(PIXEL, max_size=40, unique=True),
    st.floats(0.01, 5),
    st.integers(0, 100),
)
def test_merging_keeps_or_drops_whole_patches_and_invents_nothing(drawn, proposed, weight, seed):
    rng = np.random.default_rng(seed)
    user = Seeds.of(list(drawn), list(drawn.values()), weight=weight)
    stroke = rng.integers(0, 5, len(proposed))
    ab = rng.uniform(-60, 60, (5, 2))[stroke]
    auto = Seeds.of(
        np.array(proposed).reshape(-1, 2), ab.reshape(-1, 2) if len(ab) else [0, 0], stroke=stroke, origin=AUTO
    )
    merged = merge_seeds(auto, user, two_surfaces())
    kept = {tuple(c) for c in merged.coords[merged.origin == AUTO].tolist()}
    assert kept <= set(proposed) - set(drawn)
    for number in range(5):
        pixels = {pixel for pixel, s in zip(proposed, stroke, strict=True) if s == number} - set(drawn)
        assert pixels <= kept or pixels.isdisjoint(kept)
    assert np.array_equal(merged.weight[merged.origin == USER], user.weight)
    assert set(merged.stroke[merged.origin == AUTO]).isdisjoint(merged.stroke[merged.origin == USER])


@pytest.mark.parametrize("scale", [1, 3, 12])
def test_an_edge_separates_at_any_size(scale):
    luminance = two_surfaces().repeat(scale, 0).repeat(scale, 1)
    same, behind = (10 * scale, 10 * scale), (10 * scale, 60 * scale)
    auto = Seeds.of([same, behind], [0, 0], origin=AUTO)
    merged = merge_seeds(auto, Seeds.of([(30 * scale, 20 * scale)], [40, -40]), luminance)
    assert merged.coords[merged.origin == AUTO].tolist() == [list(behind)]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (3, 7)])
def test_merging_works_on_thin_pictures(shape):
    luminance = np.random.default_rng(0).uniform(0, 100, shape).astype(np.float32)
    auto, user = Seeds.of([[0, 0]], [0, 0], origin=AUTO), Seeds.of([[shape[0] - 1, shape[1] - 1]], [9, 50])
    merged = merge_seeds(auto, user, luminance)
    assert merged.ab[merged.origin == USER].tolist() == [[9, 50]]


def test_merging_refuses_seeds_outside():
    inside, outside = Seeds.of([[0, 0]], [0, 0]), Seeds.of([[60, 0]], [0, 0])
    for pair in ((inside, outside), (outside, inside), (outside, Seeds.empty()), (Seeds.empty(), outside)):
        with pytest.raises(SeedError, match="outside the picture"):
            merge_seeds(*pair, two_surfaces())


def test_confidence_peaks_are_lone_pixels_of_the_likeliest_colour():
    rng = np.random.default_rng(0)
    belief = ColorDistribution(rng.normal(0, 2, (12, 16, 313)).astype(np.float32), (120, 160))
    seeds = confidence_peaks(belief, count=9)
    assert len(seeds) == len(np.unique(seeds.stroke)) == 9
    confidence = belief.confidence()
    for (row, column), ab in zip(seeds.coords // 10, seeds.ab, strict=True):
        around = confidence[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        assert confidence[row, column] == around.max()
        assert ab.tolist() == belief.mode()[row, column].tolist()
    surest = np.unravel_index(confidence.argmax(), confidence.shape)
    assert list(surest) in (seeds.coords // 10).tolist()
