"""Simulated users draw inside the picture, in the true colours, and where they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from hybridcolor.lab import rgb_to_lab
from hybridcolor.users import PATCH, USERS, largest_errors, scribbles

SHAPES = [(1, 1), (1, 30), (25, 2), (31, 44)]


def strokes_of(name, truth, count, seed=0):
    user = USERS[name](truth, np.random.default_rng(seed))
    return [next(user) if n == 0 else user.send(truth * 0) for n in range(count)]


@pytest.mark.parametrize("name", USERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_strokes_are_inside_numbered_and_of_one_true_colour(name, shape):
    truth = np.random.default_rng(0).uniform(-60, 60, (*shape, 2)).astype(np.float32)
    for number, seeds in enumerate(strokes_of(name, truth, 12)):
        seeds.check_inside(shape)
        assert len(seeds) > 0
        assert (seeds.stroke == number).all()
        assert (seeds.ab == seeds.ab[0]).all()
        under = truth[tuple(seeds.coords.T)]
        assert (under.min(axis=0) <= seeds.ab[0] + 1e-4).all()
        assert (seeds.ab[0] <= under.max(axis=0) + 1e-4).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_same_seed_draws_the_same(seed):
    truth = np.random.default_rng(1).uniform(-60, 60, (20, 30, 2)).astype(np.float32)
    for one, again in zip(strokes_of("random", truth, 5, seed), strokes_of("random", truth, 5, seed), strict=True):
        np.testing.assert_array_equal(one.coords, again.coords)


def test_an_attentive_person_goes_where_the_result_is_worst():
    truth = np.zeros((40, 60, 2), np.float32)
    user = largest_errors(truth, np.random.default_rng(0))
    next(user)
    for row, column in ((7, 9), (30, 50), (20, 20)):
        result = np.zeros_like(truth)
        result[row - 2 : row + 3, column - 2 : column + 3] = 40
        seeds = user.send(result)
        assert seeds.coords.mean(axis=0).tolist() == [row, column]
        assert len(seeds) == PATCH**2


def test_an_attentive_person_does_not_draw_twice_at_one_place():
    truth = np.full((30, 30, 2), 50, np.float32)
    drawn = strokes_of("attentive", truth, 9)
    middles = {tuple(seeds.coords.mean(axis=0)) for seeds in drawn}
    assert len(middles) == 9


def test_scribbles_stay_in_one_region_and_take_the_strongest_first():
    truth = np.zeros((60, 90, 2), np.float32)
    truth[:, 30:60] = (60, 20)
    truth[10:50, 60:85] = (-30, 30)
    drawn = strokes_of("scribbles", truth, 8)
    assert drawn[0].ab[0].tolist() == [60, 20]
    assert drawn[1].ab[0].tolist() == [-30, 30]
    for seeds in drawn:
        assert len(np.unique(truth[tuple(seeds.coords.T)], axis=0)) == 1
    assert len({seeds.coords.tobytes() for seeds in drawn}) > 3


def test_scribbles_on_a_photo_are_long_and_thin():
    truth = np.ascontiguousarray(rgb_to_lab(data.astronaut()[::2, ::2])[..., 1:])
    user = scribbles(truth, np.random.default_rng(0))
    drawn = [next(user) for _ in range(20)]
    longest = [np.ptp(seeds.coords, axis=0).max() for seeds in drawn]
    assert np.median(longest) > 8
    assert max(longest) <= 0.3 * 256 + 4
