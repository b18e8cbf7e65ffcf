"""The seeds' type: what it refuses, and its set operations against dictionaries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcolor.errors import SeedError
from hybridcolor.seeds import AUTO, USER, Seeds, concatenate

PIXELS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=40)


def make(pixels, *, first=0.0, origin=USER):
    """Seeds at pixels, the n-th of colour (first + n, 0)."""
    return Seeds.of(
        np.array(pixels).reshape(-1, 2), [(first + n, 0.0) for n in range(len(pixels))] or [0, 0], origin=origin
    )


@given(PIXELS)
def test_of_keeps_the_last_colour_of_a_pixel(pixels):
    seeds = make(pixels)
    expected = {pixel: float(n) for n, pixel in enumerate(pixels)}
    assert dict(zip(map(tuple, seeds.coords.tolist()), seeds.ab[:, 0].tolist(), strict=True)) == expected


@given(PIXELS, PIXELS)
def test_concatenate_lets_the_second_hold(first, second):
    both = concatenate(make(first, origin=AUTO), make(second, first=100))
    found = dict(zip(map(tuple, both.coords.tolist()), both.ab[:, 0].tolist(), strict=True))
    expected = {pixel: float(n) for n, pixel in enumerate(first)} | {p: 100.0 + n for n, p in enumerate(second)}
    assert found == expected
    assert set(both.stroke[both.origin == AUTO]).isdisjoint(both.stroke[both.origin == USER])


@given(PIXELS, st.integers(1, 9), st.integers(1, 9))
def test_on_another_size_the_last_of_those_that_fall_together_holds(pixels, rows, columns):
    small = replace(make(pixels), weight=np.ones(len(make(pixels)), np.float32)).resized((7, 7), (rows, columns))
    colour_of = {pixel: float(n) for n, pixel in enumerate(pixels)}
    expected = {}
    for row, column in make(pixels).coords.tolist():
        expected[row * rows // 7, column * columns // 7] = colour_of[row, column]
    assert dict(zip(map(tuple, small.coords.tolist()), small.ab[:, 0].tolist(), strict=True)) == expected
    assert small.weight == pytest.approx(7 / max(rows, columns))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ab": [[np.nan, 0]]}, "at most 200"),
        ({"coords": [[-1, 0]]}, "negative"),
        ({"coords": [[0.5, 0]]}, "whole numbers"),
        ({"coords": [[0, 0, 0]]}, "row, column"),
        ({"weight": 0.0}, "weight"),
        ({"weight": np.nan}, "weight"),
        ({"stroke": [-3]}, "stroke"),
        ({"origin": 7}, "origin"),
        ({"ab": [[1, 2], [3, 4]]}, "do not go with"),
        ({"coords": [[2**32, 0]]}, "whole numbers"),  # would wrap around to pixel (0, 0)
        ({"coords": [[np.inf, 0]]}, "whole numbers"),
        ({"coords": [[np.nan, 0]]}, "whole numbers"),
        ({"coords": [["top", "left"]]}, "whole numbers"),
        ({"coords": [[0], [1, 2]]}, "whole numbers"),
        ({"stroke": 1.7}, "whole numbers"),
        ({"stroke": 2**32 + 5}, "whole numbers"),
        ({"stroke": [1, 2]}, "do not go with"),
        ({"origin": 300}, "origin"),
        ({"origin": -1}, "origin"),
        ({"ab": "red"}, "do not go with"),
        ({"ab": [[1e300, 0]]}, "at most 200"),
        ({"ab": [[0, -201]]}, "at most 200"),
        ({"weight": 1e38}, "below 1e[+]30"),
        ({"weight": 1e-38}, "above 1e-30"),
        ({"weight": -1}, "weight"),
        ({"weight": [1, 2, 3]}, "do not go with"),
    ],
)
def test_bad_seeds_are_refused_in_one_line(changes, message):
    with pytest.raises(SeedError, match=message) as caught:
        Seeds.of(**{"coords": [[0, 0]], "ab": [[1, 2]], **changes})
    assert "\n" not in str(caught.value)


def test_a_pixel_twice_is_refused_where_nothing_may_be_dropped():
    seeds = make([(1, 1)])
    with pytest.raises(SeedError, match="twice"):
        Seeds(
            *(
                np.concatenate([field, field])
                for field in (seeds.coords, seeds.ab, seeds.weight, seeds.stroke, seeds.origin, seeds.lightness)
            )
        )


def test_a_seed_outside_is_named():
    with pytest.raises(SeedError, match="row 2, column 5 of 3 x 5"):
        Seeds.of([[2, 4], [2, 5]], [0, 0]).check_inside((3, 5))
    make([(2, 4)]).check_inside((3, 5))


def test_neutral_is_a_colour():
    assert len(Seeds.of([[0, 0]], [0, 0])) == 1
    assert len(Seeds.empty()) == 0


STROKES = st.lists(st.sampled_from([0, 1, 2, 2**31 - 2, 2**31 - 1]), min_size=1, max_size=6)


@given(STROKES, STROKES)
def test_concatenate_never_mixes_strokes(first, second):
    """Pixels share a stroke afterwards where they did before, however large the ids are."""
    one = Seeds.of([(0, n) for n in range(len(first))], [0, 0], stroke=first, origin=AUTO)
    two = Seeds.of([(1, n) for n in range(len(second))], [0, 0], stroke=second)
    both = concatenate(one, two)
    before = [("one", n) for n in first] + [("two", n) for n in second]
    after = both.stroke.tolist()
    assert both.stroke.dtype == np.int32
    for i, old in enumerate(before):
        for j, other in enumerate(before):
            assert (after[i] == after[j]) == (old == other)


@given(PIXELS, st.integers(1, 8), st.integers(1, 8))
def test_inside_is_what_indexing_can_reach(pixels, rows, columns):
    seeds = make(pixels)
    if all(row < rows and column < columns for row, column in pixels):
        seeds.check_inside((rows, columns))
        assert np.zeros((rows, columns))[tuple(seeds.coords.T)].shape == (len(seeds),)
    else:
        with pytest.raises(SeedError, match="outside the picture"):
            seeds.check_inside((rows, columns))


def test_seeds_keep_their_own_copy():
    coords, ab = np.array([[1, 2]], np.int32), np.array([[3, 4]], np.float32)
    seeds = Seeds.of(coords, ab)
    coords[:], ab[:] = 0, 0
    assert (seeds.coords.tolist(), seeds.ab.tolist()) == ([[1, 2]], [[3, 4]])


def test_take_selects_whole_rows():
    seeds = make([(0, 0), (1, 1), (2, 2)])
    chosen = seeds.take(np.array([2, 0]))
    assert (chosen.coords.tolist(), chosen.ab[:, 0].tolist(), chosen.stroke.tolist()) == (
        [[2, 2], [0, 0]],
        [2, 0],
        [2, 0],
    )
    assert len(seeds.take(np.zeros(3, bool))) == 0


def test_no_seeds_are_no_error():
    assert (
        len(Seeds.of([], [])) == len(Seeds.of([], (20, 30))) == len(Seeds.of(np.empty((0, 2)), np.empty((0, 2)))) == 0
    )
