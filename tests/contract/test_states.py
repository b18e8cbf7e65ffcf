"""What every method promises when it is held open in a `PropagationState`."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridcolor.errors import ImageError, MethodError, SeedError
from hybridcolor.propagate import PROPAGATORS, PropagationState, propagate
from hybridcolor.seeds import AUTO, Seeds, overlay
from tests.propagate.pictures import photo_luminance, random_seeds

HEIGHT, WIDTH = 44, 37
LUMINANCE = photo_luminance("coffee", HEIGHT, WIDTH)
PRIOR = np.stack(np.broadcast_arrays(np.linspace(-9, 9, WIDTH)[None], np.linspace(5, 20, HEIGHT)[:, None]), -1)
TWO_SOLVES = 0.5
"""Two answers of an iterative method, each within its default tolerance of the truth."""

METHODS = sorted(PROPAGATORS)
pytestmark = pytest.mark.parametrize("method", METHODS)


def line(stroke, row, column, ab, *, length=6, weight=np.inf):
    columns = np.arange(column, min(column + length, WIDTH))
    return Seeds.of(np.stack([np.full(len(columns), row), columns], 1), ab, stroke=stroke, weight=weight)


def last(state, **how):
    *_, answer = state.refine(**how)
    return answer


def assert_same(answer, expected):
    np.testing.assert_allclose(answer.chroma, expected.chroma, atol=TWO_SOLVES)
    if expected.label is not None:
        np.testing.assert_array_equal(answer.label, expected.label)


strokes = st.builds(
    line,
    stroke=st.integers(0, 4),
    row=st.integers(0, HEIGHT - 1),
    column=st.integers(0, WIDTH - 1),
    ab=st.tuples(st.integers(-60, 60), st.integers(-60, 60)),
    weight=st.sampled_from([np.inf, np.inf, 0.5]),
)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(strokes, st.booleans()), min_size=1, max_size=4))  # so that one of five strokes stays
def test_any_editing_ends_at_the_answer_of_a_fresh_run(method, edits):
    state = PropagationState(LUMINANCE, method=method, prior=PRIOR)
    state.set_seeds(random_seeds(HEIGHT, WIDTH, 5))
    for stroke, taken_back in edits:
        state.add(stroke)
        assert np.isfinite(state.preview().chroma).all()
        last(state)
        if taken_back:
            state.remove(int(stroke.stroke[0]))
    assert_same(last(state), propagate(LUMINANCE, state.seeds, method=method, prior=PRIOR))


def test_another_prior_is_as_if_it_had_been_there_from_the_start(method):
    state = PropagationState(LUMINANCE, method=method, prior=PRIOR)
    state.set_seeds(random_seeds(HEIGHT, WIDTH, 5))
    last(state)
    for other in (PRIOR[::-1] * 3, PRIOR * 0):
        state.add(line(3, 20, 10, (50, -20)))
        state.set_prior(other)
        assert state.preview().chroma[20, 12].tolist() == [50, -20]
        assert_same(last(state), propagate(LUMINANCE, state.seeds, method=method, prior=other))


def test_a_refused_prior_changes_nothing(method):
    state = PropagationState(LUMINANCE, method=method, prior=PRIOR)
    state.set_seeds(random_seeds(HEIGHT, WIDTH, 5))
    before = last(state)
    for bad in (PRIOR[1:], PRIOR * np.nan):
        with pytest.raises(ImageError, match="prior"):
            state.set_prior(bad)
    assert_same(last(state), before)


def test_preview_has_the_hard_seeds_and_the_shape(method):
    state = PropagationState(LUMINANCE, method=method)
    state.set_seeds(random_seeds(HEIGHT, WIDTH, 9))
    last(state)
    stroke = line(77, 20, 10, (50, -20))
    state.add(stroke)
    preview = state.preview()
    assert preview.chroma.shape == (HEIGHT, WIDTH, 2)
    assert preview.chroma.dtype == np.float32
    np.testing.assert_array_equal(preview.chroma[20, 10:16], np.full((6, 2), (50, -20)))


def test_removal_brings_back_what_was_before(method):
    state = PropagationState(LUMINANCE, method=method)
    below = line(1, 20, 10, (50, -20))
    state.set_seeds(overlay([random_seeds(HEIGHT, WIDTH, 9, seed=3), below]))
    before = last(state)
    state.add(line(100, 20, 12, (-30, 40)))
    assert state.seeds.ab[(state.seeds.coords == (20, 13)).all(1)].tolist() == [[-30, 40]]
    last(state)
    state.remove(100)
    assert state.seeds.ab[(state.seeds.coords == (20, 13)).all(1)].tolist() == [[50, -20]]
    assert_same(last(state), before)


def test_adding_a_known_stroke_moves_it(method):
    state = PropagationState(LUMINANCE, method=method)
    state.add(line(3, 5, 5, (10, 10)))
    state.add(line(3, 30, 9, (10, 10)))
    assert set(state.seeds.coords[:, 0].tolist()) == {30}


def test_cancelled_refinement_goes_on_later(method):
    state = PropagationState(LUMINANCE, method=method, prior=PRIOR)
    state.set_seeds(random_seeds(HEIGHT, WIDTH, 9))
    assert len(list(state.refine(cancel=lambda: True))) <= 1
    assert_same(last(state), propagate(LUMINANCE, state.seeds, method=method, prior=PRIOR))


def test_a_change_ends_the_refinement_that_was_going_on(method):
    state = PropagationState(LUMINANCE, method=method)
    state.set_seeds(random_seeds(HEIGHT, WIDTH, 9))
    running = state.refine()
    next(running)
    state.add(line(50, 8, 8, (0, 0)))
    assert list(running) == []
    assert_same(last(state), propagate(LUMINANCE, state.seeds, method=method))


def test_refinement_of_a_finished_answer_gives_it_again(method):
    state = PropagationState(LUMINANCE, method=method)
    state.set_seeds(random_seeds(HEIGHT, WIDTH, 9))
    assert_same(last(state), last(state))


def test_origin_and_weight_survive(method):
    state = PropagationState(LUMINANCE, method=method)
    soft = Seeds.of([[2, 2]], [[9, 9]], weight=0.25, stroke=8, origin=AUTO)
    state.add(soft)
    assert state.seeds.weight.tolist() == [0.25]
    assert state.seeds.origin.tolist() == [AUTO]


def test_refused_edits_change_nothing(method):
    state = PropagationState(LUMINANCE, method=method)
    state.add(line(1, 3, 3, (10, 10)))
    with pytest.raises(SeedError, match="outside"):
        state.add(Seeds.of([[HEIGHT, 0]], [[0, 0]]))
    with pytest.raises(SeedError, match="no stroke 9"):
        state.remove(9)
    assert set(state.seeds.stroke.tolist()) == {1}


def test_nothing_to_go_by(method):
    state = PropagationState(LUMINANCE, method=method)
    with pytest.raises(SeedError, match="no seed"):
        state.preview()
    with pytest.raises(SeedError, match="no seed"):
        list(state.refine())


def test_bad_input_is_refused_when_made(method):
    with pytest.raises(ImageError, match="not finite"):
        PropagationState(np.full((3, 3), np.nan), method=method)
    with pytest.raises(MethodError, match="no option 'nosuch'"):
        PropagationState(LUMINANCE, method=method, nosuch=1)


def test_a_copy_that_would_not_be_whole_is_refused(method):
    state = PropagationState(LUMINANCE, method=method)
    for make in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied; make another one"):
            make(state)
