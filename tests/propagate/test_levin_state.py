"""Levin's equations held open, on pictures large enough for multigrid; the contract tests have the small ones."""

from __future__ import annotations

import numpy as np
import pytest

from hybridcolor.errors import PropagationWarning
from hybridcolor.propagate import PropagationState, levin_state, optimization, propagate
from hybridcolor.propagate.affinity import affinity_planes, planes_residual, system_residual
from hybridcolor.propagate.multigrid import Hierarchy
from hybridcolor.propagate.stationary import stationary_vector
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


def test_first_preview_is_an_answer(luminance):
    state = PropagationState(luminance, method="optimization")
    state.set_seeds(photo_seeds("coffee", HEIGHT, WIDTH))
    exact = propagate(luminance, state.seeds, method="optimization", tolerance=1e-3).chroma
    assert np.abs(state.preview().chroma - exact).mean() < 1.0


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
@pytest.mark.parametrize("pull", [np.inf, 0.3, 0.0])
def test_updated_hierarchy_is_as_if_made_anew(row, column, pull, luminance):
    rates = affinity_planes(luminance)
    visits = stationary_vector(rates)
    rng = np.random.default_rng(2)
    before = np.zeros(luminance.shape, np.float32)
    before[rng.integers(0, HEIGHT, 300), rng.integers(0, WIDTH, 300)] = np.inf
    after = before.copy()
    after[row : row + 7, column : column + 30] = pull
    updated = Hierarchy(rates.copy(), before, visits)
    updated.update(rates, after, visits, (slice(row, row + 7), slice(column, column + 30)))
    anew = Hierarchy(rates.copy(), after, visits)
    load = rng.normal(0, 1, (2, HEIGHT, WIDTH)).astype(np.float32)
    np.testing.assert_array_equal(updated.full_cycle(load), anew.full_cycle(load))


def test_residual_from_stored_weights(luminance):
    rng = np.random.default_rng(3)
    pull = np.where(rng.random(luminance.shape) < 0.1, rng.choice([0.2, np.inf], luminance.shape), 0)
    pull = pull.astype(np.float32)
    target, chroma = rng.normal(0, 30, (2, 2, HEIGHT, WIDTH))
    quick = planes_residual(affinity_planes(luminance), pull, target.astype(np.float32), chroma)
    exact = system_residual(luminance, pull, target.astype(np.float32), chroma)
    np.testing.assert_allclose(quick, exact, atol=1e-4)


def test_safe_solver_takes_over(luminance, monkeypatch):
    state = PropagationState(luminance, method="optimization")
    state.set_seeds(photo_seeds("coffee", HEIGHT, WIDTH))
    exact = propagate(luminance, state.seeds, method="optimization", tolerance=1e-3).chroma
    for module in (levin_state, optimization):
        monkeypatch.setattr(module.Hierarchy, "cycle", lambda self, load, depth=0: np.full_like(load, np.nan))
    with pytest.warns(PropagationWarning, match="safe solver"):
        found = settled(state)
    assert np.abs(found.chroma - exact).max() <= 0.25
