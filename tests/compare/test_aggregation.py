"""Means with intervals, which lead is clear, and pictures that one method lacks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcolor.compare.aggregation import summarize

VALUES = st.lists(st.floats(-100, 100, width=32), min_size=3, max_size=12)


def test_a_small_but_steady_lead_is_clear_though_the_intervals_overlap():
    pictures = np.random.default_rng(4).normal(20, 6, 40)
    wobble = np.random.default_rng(5).normal(0.5, 0.2, 40)
    row = summarize({"a": pictures.tolist(), "b": (pictures + wobble).tolist()}, better=1)
    assert row.means["b"].best
    assert not row.means["a"].best
    assert row.means["a"].high > row.means["b"].low
    assert row.means["a"].clearly
    assert row.means["a"].behind == pytest.approx(wobble.mean())


def test_a_lead_that_comes_from_one_picture_is_not_clear():
    row = summarize({"a": [10, 10, 10, 10, 10, 10], "b": [9.9, 10.1, 9.9, 10.1, 9.9, 12]}, better=1)
    assert row.means["b"].best
    assert not row.means["a"].clearly


@pytest.mark.parametrize(("better", "best"), [(1, "b"), (-1, "a"), (0, None)])
def test_which_way_is_better(better, best):
    row = summarize({"a": [1, 2, 3, 4], "b": [2, 3, 4, 5]}, better=better)
    assert [name for name, mean in row.means.items() if mean.best] == ([best] if best else [])
    assert all((mean.behind is None) == (better == 0) for mean in row.means.values())


def test_equal_methods_are_both_the_best():
    row = summarize({"a": [1, 2, 4], "b": [1, 2, 4]}, better=-1)
    assert all(mean.best and mean.behind == 0 and not mean.clearly for mean in row.means.values())


def test_a_picture_that_one_method_lacks_counts_for_none():
    row = summarize({"a": [1.0, 100.0, 3.0], "b": [2.0, None, 2.0], "c": [2.0, float("inf"), 4.0]}, better=1)
    assert row.count == 2
    assert [mean.mean for mean in row.means.values()] == [2, 2, 3]


def test_few_pictures_have_no_interval_and_none_no_row():
    row = summarize({"a": [1, 2], "b": [4, 5]}, better=1)
    assert (row.means["a"].low, row.means["a"].high, row.means["a"].clearly) == (None, None, False)
    assert summarize({"a": [None], "b": [1.0]}, better=1) is None
    assert summarize({}, better=1) is None


@given(VALUES, st.floats(-50, 50))
def test_means_and_intervals_go_with_the_numbers(values, shift):
    plain = summarize({"a": values}, better=1).means["a"]
    moved = summarize({"a": [value + shift for value in values]}, better=1).means["a"]
    assert moved.mean == pytest.approx(plain.mean + shift, abs=1e-6)
    assert plain.mean == pytest.approx(np.mean(values), abs=1e-9)
    if plain.low is not None:
        assert min(values) - 1e-9 <= plain.low <= plain.high <= max(values) + 1e-9
