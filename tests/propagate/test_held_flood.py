"""A flood held open is the flood of all, whatever came and went before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridcolor.errors import MethodError
from hybridcolor.propagate.held_flood import HeldFlood
from hybridcolor.propagate.marker_flooding import flood_markers


def relief(rng, height, width):
    """Random levels with many ties, or a cone of even slopes with a little noise."""
    if rng.random() < 0.5:
        return rng.integers(0, rng.integers(1, 40), (height, width)).astype(np.uint16)
    away = np.add.outer(abs(np.arange(height) - height // 2), abs(np.arange(width) - width // 2))
    return (away * rng.integers(1, 9) + rng.integers(0, 2, (height, width))).astype(np.uint16)


@given(st.integers(0, 10**6), st.integers(1, 14), st.integers(1, 14), st.sampled_from([0.15, 9.0]))
@settings(max_examples=150)
def test_marks_come_and_go_and_what_is_told_to_change_is_all_that_does(seed, height, width, worth_it):
    rng = np.random.default_rng(seed)
    levels = relief(rng, height, width)
    flood = HeldFlood(levels)
    flood.WORTH_IT = worth_it
    every = np.arange(levels.size)
    marks, before = {}, np.zeros(levels.size, int)
    for _ in range(6):
        marks = {place: marker for place, marker in marks.items() if rng.random() < 0.7}
        marks |= {int(rng.integers(levels.size)): int(rng.integers(1, 9)) for _ in range(rng.integers(1, 4))}
        changed = flood.update(np.array(list(marks)), np.array(list(marks.values())))
        plane = np.zeros(levels.shape, np.int32)
        plane.flat[list(marks)] = list(marks.values())
        owner = flood.at(every)
        np.testing.assert_array_equal(owner.reshape(levels.shape), flood_markers(levels, plane))
        if changed is not None:
            others = np.isin(every, changed, invert=True)
            np.testing.assert_array_equal(owner[others], before[others])
        before = owner


def test_a_stale_marker_is_told_though_it_did_not_change():
    flood = HeldFlood(np.array([[0, 1, 9, 2, 0]], np.uint16))
    marks = np.array([0, 4]), np.array([1, 2])
    flood.update(*marks)
    assert flood.update(*marks).tolist() == []
    assert sorted(set(flood.update(*marks, np.array([2])).tolist())) == [3, 4]


def test_too_many_strokes_are_refused():
    with pytest.raises(MethodError, match="2097152 strokes are too many"):
        HeldFlood(np.zeros((2, 2), np.uint16)).update(np.array([0]), np.array([2**21]))
