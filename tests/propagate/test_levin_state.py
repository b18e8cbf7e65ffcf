"""Levin's equations held open, on pictures large enough for multigrid; the contract tests have the small ones."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from hybridcolor.errors import PropagationWarning
from hybridcolor.propagate import PropagationState, levin_state, propagate
from hybridcolor.propagate.krylov import conjugate_gradients
from hybridcolor.propagate.multigrid import Hierarchy, Walk
from hybridcolor.propagate.refinement import refinements
from hybridcolor.propagate.system import SeededSystem, inner
from hybridcolor.seeds import Seeds
from tests.propagate.pictures import lab_photo, photo_luminance, photo_seeds

HEIGHT, WIDTH = 150, 170
METHODS = ("optimization", "hybrid")


@pytest.fixture
def luminance():
    return photo_luminance("coffee", HEIGHT, WIDTH)


@pytest.fixture
def prior():
    return lab_photo("coffee", HEIGHT, WIDTH)[..., 1:] * np.float32(0.5)


def stroke(number, row, column, ab=(60.0, -30.0)):
    columns = np.arange(column, min(column + 20, WIDTH))
    return Seeds.of(np.stack([np.full(len(columns), row), columns], axis=1), ab, stroke=number)


def settled(state):
    """The last refinement."""
    *_, answer = state.refine()
    return answer


@pytest.mark.parametrize("method", METHODS)
def test_editing_ends_at_the_exact_answer(method, luminance, prior):
    state = PropagationState(luminance, method=method, prior=prior)
    state.set_seeds(photo_seeds("coffee", HEIGHT, WIDTH))
    settled(state)
    for edit in (
        lambda: state.add(stroke(90, 40, 60)),
        lambda: state.add(stroke(91, 140, 140, (-40, 50))),
        lambda: state.remove(90),
        lambda: state.add(stroke(91, 3, 0, (10, 50))),
        lambda: state.remove(3, 91),
    ):
        edit()
        state.preview()
        exact = propagate(luminance, state.seeds, method=method, prior=prior, tolerance=1e-3).chroma
        errors = [np.abs(answer.chroma - exact).max() for answer in state.refine()]
        assert errors[-1] <= 0.25
        assert errors == sorted(errors, reverse=True) or max(errors) <= 0.25


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("window", [levin_state.LARGEST_WINDOW, 0])
def test_preview_is_nearer_than_the_old_answer(method, window, luminance, prior, monkeypatch):
    monkeypatch.setattr(levin_state, "LARGEST_WINDOW", window)
    state = PropagationState(luminance, method=method, prior=prior)
    state.set_seeds(photo_seeds("coffee", HEIGHT, WIDTH))
    old = settled(state).chroma
    state.add(stroke(90, 70, 60))
    exact = propagate(luminance, state.seeds, method=method, prior=prior, tolerance=1e-3).chroma
    preview = state.preview().chroma
    assert np.abs(preview - exact).mean() < 0.2 * np.abs(old - exact).mean()
    np.testing.assert_array_equal(state.preview().chroma, preview)


def test_every_prior_ends_at_its_exact_answer(luminance, prior):
    """The hierarchy's coarser levels may stay those of the prior before; the answer may not."""
    state = PropagationState(luminance, method="hybrid", prior=prior)
    state.set_seeds(photo_seeds("coffee", HEIGHT, WIDTH))
    settled(state)
    for number, share in enumerate((0.9, -1.0, 0.0)):
        state.add(stroke(90 + number, 40 + 30 * number, 60))
        state.set_prior(prior * np.float32(share))
        exact = propagate(luminance, state.seeds, method="hybrid", prior=prior * np.float32(share), tolerance=1e-3)
        assert np.abs(settled(state).chroma - exact.chroma).max() <= 0.25


def test_first_preview_is_an_answer(luminance):
    state = PropagationState(luminance, method="optimization")
    state.set_seeds(photo_seeds("coffee", HEIGHT, WIDTH))
    exact = propagate(luminance, state.seeds, method="optimization", tolerance=1e-3).chroma
    assert np.abs(state.preview().chroma - exact).mean() < 1.0


def test_what_strokes_need_is_made_after_the_first_answer_without_any(luminance, prior, monkeypatch):
    made = []
    monkeypatch.setattr(levin_state.Walk, "of", lambda plane, of=Walk.of: made.append(plane) or of(plane))
    state = PropagationState(luminance, method="hybrid", prior=prior)
    assert np.array_equal(state.preview().chroma, prior)
    answers = state.refine()
    assert np.array_equal(next(answers).chroma, prior)
    assert not made
    assert list(answers) == []
    assert len(made) == 1
    state.add(stroke(1, 40, 60))
    settled(state)
    assert len(made) == 1


def test_refinement_left_off_is_gone_on_with(luminance):
    state = PropagationState(luminance, method="optimization")
    state.set_seeds(photo_seeds("coffee", HEIGHT, WIDTH))
    settled(state)
    state.add(stroke(90, 40, 60))
    running = state.refine()
    next(running)
    state.add(stroke(91, 41, 61, (0, 0)))
    assert list(running) == []
    exact = propagate(luminance, state.seeds, method="optimization", tolerance=1e-3).chroma
    assert np.abs(settled(state).chroma - exact).max() <= 0.25


@pytest.mark.parametrize(("row", "column"), [(70, 61), (0, 0), (HEIGHT - 7, WIDTH - 30), (13, 3), (71, WIDTH - 30)])
@pytest.mark.parametrize("before", [np.inf, 0.3, 0.0])
@pytest.mark.parametrize("after", [np.inf, 0.3, 0.0])
def test_hierarchy_updated_in_a_window_is_as_if_made_anew(row, column, before, after, luminance):
    rng = np.random.default_rng(2)
    pulls = np.zeros((2, *luminance.shape), np.float32)
    pulls[:, rng.integers(0, HEIGHT, 300), rng.integers(0, WIDTH, 300)] = np.inf
    pulls[:, row : row + 7, column : column + 30] = [[[before]], [[after]]]
    walk = Walk.of(luminance)
    updated = Hierarchy(walk, pulls[0])
    updated.update(pulls[1], (slice(row, row + 7), slice(column, column + 30)))
    load = rng.normal(0, 1, (HEIGHT + 2, 2, WIDTH + 2)).astype(np.float32)
    answers = [np.zeros_like(load), np.zeros_like(load)]
    for hierarchy, answer in zip((updated, Hierarchy(walk, pulls[1])), answers, strict=True):
        hierarchy.cycle(load, answer, np.zeros_like(load))
    np.testing.assert_allclose(*answers, atol=0.01)


def test_strokes_that_come_and_go_cost_no_more_steps_than_a_start(luminance):
    """A level that still takes a stroke's place for held, or free, sends the steps astray."""
    walk = Walk.of(luminance)
    system = SeededSystem.of(luminance, *_seeds_and_colours(40))
    updated = Hierarchy(walk, system.pull)
    for strokes in (12, 40, 5, 30, 40, 8):
        other = SeededSystem.of(luminance, *_seeds_and_colours(strokes))
        updated.update(other.pull, (slice(0, HEIGHT), slice(0, WIDTH)))
        counts = []
        for hierarchy in (updated, Hierarchy(walk, other.pull)):
            *_, last = refinements(other, hierarchy.cycle, hierarchy.weight, other.start(), tolerance=0.01)
            assert last.reached
            counts.append(last.iterations)
        assert counts[0] <= counts[1] + 1


def test_coarse_levels_spread_a_local_residual(luminance):
    """The error shrinks far from the window too."""
    system = SeededSystem.of(luminance, *_seeds_and_colours(12))
    hierarchy = Hierarchy(Walk.of(luminance), system.pull)
    window = (slice(60, 90), slice(80, 120))
    residual = np.zeros((HEIGHT + 2, 2, WIDTH + 2), np.float32)
    inner(residual)[:, 65:85, 85:115] = 1.0
    inner(residual)[:, np.isinf(system.pull)] = 0.0
    work = [np.zeros_like(residual) for _ in range(4)]
    exact = np.zeros_like(residual)
    for _ in islice(conjugate_gradients(hierarchy.cycle, hierarchy.weight, residual.copy(), exact, work), 12):
        pass
    found = np.zeros_like(residual)
    part = residual[window[0].start : window[0].stop + 2, :, window[1].start : window[1].stop + 2]
    hierarchy.spread(part.copy(), window, found)
    far = np.ones(luminance.shape, bool)
    far[50:100, 70:130] = False
    error = np.abs(inner(found) - inner(exact))
    assert error.mean() < 0.5 * np.abs(inner(exact)).mean()
    assert error[:, far].mean() < 0.5 * np.abs(inner(exact)[:, far]).mean()


def test_safe_solver_takes_over(luminance, monkeypatch):
    state = PropagationState(luminance, method="optimization")
    state.set_seeds(photo_seeds("coffee", HEIGHT, WIDTH))
    exact = propagate(luminance, state.seeds, method="optimization", tolerance=1e-3).chroma

    def spoiled(self, load, x, image, depth=0):
        x[:] = np.nan
        image[:] = np.nan

    monkeypatch.setattr(Hierarchy, "cycle", spoiled)
    with pytest.warns(PropagationWarning, match="safe solver"):
        found = settled(state)
    assert np.abs(found.chroma - exact).max() <= 0.25
    np.testing.assert_array_equal(state.preview().chroma, found.chroma)


@pytest.mark.parametrize("method", METHODS)
def test_refinement_stops_when_cancelled(method, luminance, prior):
    state = PropagationState(luminance, method=method, prior=prior)
    state.set_seeds(photo_seeds("coffee", HEIGHT, WIDTH))
    asked = []

    def cancel():
        asked.append(True)
        return len(asked) >= 3

    assert len(list(state.refine(cancel))) <= 3
    exact = propagate(luminance, state.seeds, method=method, prior=prior, tolerance=1e-3).chroma
    assert np.abs(settled(state).chroma - exact).max() <= 0.25


def _seeds_and_colours(strokes):
    seeds = photo_seeds("coffee", HEIGHT, WIDTH, strokes=strokes)
    return seeds, seeds.ab
