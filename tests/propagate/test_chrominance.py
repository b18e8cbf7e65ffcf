"""Chrominance blending against brute-force Dijkstra."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridcolor.errors import MethodError, SeedError
from hybridcolor.propagate import geodesic, propagate
from hybridcolor.propagate.chrominance import ChrominanceState, chrominance
from hybridcolor.propagate.spreading import GROUP
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


@pytest.fixture(scope="module", autouse=True)
def small_tiles():
    """Tiles and queue so small that small pictures have many of them and outgrow it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(geodesic, "TILE", 4)
        patch.setattr(geodesic, "CHUNKS", 130)
        yield


def nearest_by_brute_force(levels, sources, tags, k):
    """The k best (distance, number) of every pixel by (distance, tag), one of each group."""
    planes = {}
    for number in np.unique(sources[1]).tolist():
        mine = sources[1] == number
        places = zip(*np.divmod(sources[0][mine], levels.shape[1]), sources[2][mine], strict=True)
        planes[number] = dijkstra(levels, [(int(r), int(c), int(s)) for r, c, s in places])
    lists = {}
    for pixel in np.ndindex(levels.shape):
        best = {}
        for number, plane in planes.items():
            group, found = tags[number] >> GROUP, (plane[pixel], tags[number], number)
            best[group] = min(best.get(group, found), found)
        lists[pixel] = [(distance, number) for distance, _, number in sorted(best.values())[:k]]
    return lists


def random_sources(rng, size, numbers):
    """Pixel, number and starting distance of some seeds."""
    count = int(rng.integers(1, size + 1))
    starts = rng.choice([0, 0, 1, 30, 5000], count)
    return rng.choice(size, count, replace=False), rng.choice(numbers, count), starts


def assert_lists(nearest, expected):
    for pixel, wanted in expected.items():
        pairs = zip(nearest.distance[pixel].tolist(), nearest.source[pixel].tolist(), strict=True)
        assert [(distance, number) for distance, number in pairs if number > 0] == wanted


@given(
    st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.sampled_from([1, 3, 40, 1000])
)
@settings(max_examples=60, deadline=None)
def test_nearest_sources_equal_brute_force(seed, height, width, k, contrast):
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, contrast, (height, width)).astype(np.int32)
    nearest = geodesic.NearestSources(levels, k)
    tags = np.append(-1, rng.integers(0, 4, 9) << GROUP | rng.permutation(9))
    nearest.tags = tags
    first = random_sources(rng, levels.size, [1, 2, 3, 4, 5, 6])
    nearest.lay(*first)
    assert_lists(nearest, nearest_by_brute_force(levels, first, tags, k))
    # Some leave, others stay, and new ones come.
    gone = np.isin(np.arange(10), [1, 3, 5])
    leaves = gone[first[1]]
    coming = random_sources(rng, levels.size, [7, 8, 9])
    there = [np.concatenate([old[~leaves], new]) for old, new in zip(first, coming, strict=True)]
    nearest.lay(*there, gone=(gone, first[0][leaves]))
    assert_lists(nearest, nearest_by_brute_force(levels, there, tags, k))


def random_strokes(rng, shape):
    """Strokes of a few pixels by stroke id: coordinates, colours, weights."""
    strokes = {}
    for stroke in rng.choice(8, rng.integers(0, 7), replace=False).tolist():
        count = int(rng.integers(1, 9))
        coords = np.stack([rng.integers(0, side, count) for side in shape], axis=1)
        colours = rng.choice([-40, 0, 3, 40], 2) + rng.choice([0.0, 3.0]) * rng.normal(size=(count, 2))
        strokes[stroke] = coords, colours, rng.choice([np.inf, np.inf, 1.0, 0.001], count)
    return strokes


def seeds_of(strokes):
    if not strokes:
        return Seeds.empty()
    coords, colours, weights = (np.concatenate(part) for part in zip(*strokes.values(), strict=True))
    return Seeds.of(
        coords, colours, weight=weights, stroke=np.repeat(list(strokes), [len(s[0]) for s in strokes.values()])
    )


@given(st.integers(0, 10**6), st.tuples(st.integers(1, 20), st.integers(1, 20)), st.sampled_from([1, 20, 1000]))
@settings(max_examples=60, deadline=None)
def test_any_sequence_of_changes_ends_like_a_fresh_run(seed, shape, contrast):
    rng = np.random.default_rng(seed)
    luminance = (rng.integers(0, contrast, shape) / 10).astype(np.float32)
    state = ChrominanceState(luminance)
    strokes = random_strokes(rng, shape)
    for _ in range(6):
        before = state.chroma.copy(), state.label.copy()
        others = random_strokes(rng, shape)
        dropped = [stroke for stroke in strokes if rng.random() < 0.4]
        strokes = {stroke: what for stroke, what in (strokes | others).items() if stroke not in dropped}
        seeds = seeds_of(strokes)
        state.set_seeds(seeds)
        if not len(seeds):
            continue
        fresh = chrominance(luminance, seeds)
        np.testing.assert_array_equal(state.chroma.view(np.int32), fresh.chroma.view(np.int32))
        np.testing.assert_array_equal(state.label, fresh.label)
        for old, now in zip(before, (state.chroma, state.label), strict=True):
            old[state.changed] = now[state.changed]
            np.testing.assert_array_equal(old, now)  # nothing changed outside


def test_order_of_seeds_does_not_matter():
    luminance = photo_luminance("coffee", 30, 40)
    seeds = random_seeds(30, 40, 50)
    other = seeds.take(np.random.default_rng(1).permutation(50))
    first, second = (propagate(luminance, each, method="chrominance", coarseness=20.0) for each in (seeds, other))
    assert first.chroma.tobytes() == second.chroma.tobytes()


def test_state_without_seeds_has_no_result():
    state = ChrominanceState(np.full((3, 3), 50, np.float32))
    state.set_seeds(random_seeds(3, 3, 2))
    result = state.result()
    state.set_seeds(Seeds.empty())
    assert (result.label >= 0).all()
    assert (state.label == -1).all()
    with pytest.raises(SeedError, match="no seed"):
        state.result()


def test_state_refuses_seeds_outside_and_keeps_what_it_has():
    state = ChrominanceState(np.full((3, 3), 50, np.float32))
    state.set_seeds(random_seeds(3, 3, 2))
    before = state.chroma.copy()
    with pytest.raises(SeedError, match="outside"):
        state.set_seeds(Seeds.of([[3, 0]], [[1, 2]]))
    np.testing.assert_array_equal(state.chroma, before)


def test_one_stroke_stands_for_its_chrominance():
    """Colours of one square do not mix: the nearer stroke's own holds, whatever other strokes there are."""
    seeds = Seeds.of([[0, 0], [0, 6]], [[40, 0], [41, 0]])
    found = propagate(np.full((1, 7), 50.0), seeds, method="chrominance", coarseness=10.0)
    assert found.chroma[0, :, 0].tolist() == [40, 40, 40, 40, 41, 41, 41]


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
