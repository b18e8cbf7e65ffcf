"""The hierarchy's algebra against dense matrices."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from hybridcolor.propagate import multigrid
from hybridcolor.propagate.affinity import planes_to_matrix
from hybridcolor.propagate.coarsening import NO_ROWS, coarsen, interpolate, prune
from hybridcolor.propagate.krylov import conjugate_residuals
from hybridcolor.propagate.multigrid import Hierarchy, Walk, padded
from hybridcolor.propagate.pockets import find_pockets
from hybridcolor.propagate.stencil import operator_rows, walk_weights
from tests.propagate.pictures import photo_luminance


def dense_prolongation(rows, height, width):
    planes = rows[1:-1, :, 1:-1].transpose(1, 0, 2)
    matrix = np.zeros((height, width, *planes.shape[1:]))
    steps = [(0, 0, 0, 0), (0, 1, 0, 0), (0, 1, 0, 1), (1, 0, 0, 0), (1, 0, 1, 0)]
    steps += [(1, 1, dy, dx) for dy in (0, 1) for dx in (0, 1)]
    for k, (i, j, dy, dx) in enumerate(steps):
        for row, column in np.argwhere(planes[k]):
            matrix[2 * row + i, 2 * column + j, row + dy, column + dx] = planes[k, row, column]
    return matrix.reshape(height * width, -1)


def dense_operator(rows):
    couplings = rows.transpose(1, 0, 2)[:9].astype(float)
    excess = couplings[4].copy()
    couplings[4] = 0
    matrix = -planes_to_matrix(couplings).toarray()
    np.fill_diagonal(matrix, (couplings.sum(axis=0) + excess).ravel())
    return matrix


def kept_outflow(luminance):
    """I - W as the solver keeps it, in 16 bits."""
    rows = operator_rows(walk_weights(luminance), np.zeros_like(luminance))
    walk = planes_to_matrix(rows[:, :9].transpose(1, 0, 2).astype(float)).toarray()
    return np.diag(walk.sum(axis=1)) - walk


def seeded(height, width, every=1000):
    """A picture with hard and soft seeds, and its operator for corrections, which are 0 at hard seeds."""
    luminance = photo_luminance("coffee", height, width)
    pull = np.zeros(luminance.shape, np.float32)
    pull[height // 2, 1:3] = np.inf
    pull[every // 2 :: every, every // 2 :: every] = np.inf
    pull[0, 0] = 0.5
    hard = np.isinf(pull).ravel()
    free = np.where(hard, 0, 1 / (1 + np.where(hard, 0, pull.ravel())))
    matrix = np.diag(1 - free) + free[:, None] * kept_outflow(luminance)
    matrix[:, hard] = matrix[hard] = 0
    matrix[hard, hard] = 1
    return luminance, pull, matrix


def as_rows(planes):
    rows = padded(planes.shape[1:])
    rows[1:-1, :, 1:-1] = planes.transpose(1, 0, 2)
    return rows


def as_columns(rows):
    return rows[1:-1, :, 1:-1].transpose(1, 0, 2).reshape(2, -1).T.astype(float)


@pytest.mark.parametrize("shape", [(23, 24), (22, 21), (1, 450), (450, 1), (2, 230)])
def test_coarse_operators_are_galerkin(shape):
    luminance, pull, matrix = seeded(*shape)
    hierarchy = Hierarchy(Walk.of(luminance), pull)
    visits = hierarchy.levels[0].operator[2]
    weight = np.where(np.isinf(pull), 0, visits * (1 + np.where(np.isinf(pull), 0, pull)))
    p = dense_prolongation(hierarchy.levels[0].prolongation, *shape)
    expected = p.T @ (weight.ravel()[:, None] * matrix) @ p
    coarse_shape = ((shape[0] + 1) // 2, (shape[1] + 1) // 2)
    missing = np.zeros((shape[0] + 2, 1, shape[1] + 2), np.float32)
    prolongation = np.zeros_like(hierarchy.levels[0].prolongation)
    operator = (walk_weights(luminance), pull, visits, NO_ROWS)
    interpolate(operator, prolongation, missing, 0, coarse_shape[0])
    prune(prolongation, missing)
    np.testing.assert_array_equal(prolongation, hierarchy.levels[0].prolongation)
    np.testing.assert_allclose(1 - p.sum(axis=1), missing[1:-1, 0, 1:-1].ravel(), atol=1e-5)
    found = np.empty((coarse_shape[0], 10, coarse_shape[1]), np.float32)
    coarsen(operator, prolongation, missing, found, 0, coarse_shape[0])
    np.testing.assert_allclose(dense_operator(found), expected, atol=2e-5 * np.abs(expected).max())


@pytest.mark.parametrize("shape", [(24, 23), (21, 40)])
def test_a_cycle_returns_the_image_of_its_answer(shape):
    luminance, pull, matrix = seeded(*shape)
    load = as_rows(np.random.default_rng(0).uniform(-1, 1, (2, *shape)).astype(np.float32))
    load[1:-1, :, 1:-1][np.isinf(pull)[:, None, :].repeat(2, axis=1)] = 0
    answer, image = padded(shape), padded(shape)
    hierarchy = Hierarchy(Walk.of(luminance), pull)
    hierarchy.cycle(load, answer, image)
    np.testing.assert_allclose(as_columns(image), matrix @ as_columns(answer), atol=1e-4)
    exact = np.linalg.solve(matrix, as_columns(load))
    assert np.abs(as_columns(answer) - exact).mean() < 0.5 * np.abs(exact).mean()


def test_conjugate_residuals_solve():
    luminance, pull, matrix = seeded(56, 50, every=13)
    load = as_rows(np.random.default_rng(0).uniform(-1, 1, (2, 56, 50)).astype(np.float32))
    load[1:-1, :, 1:-1][np.isinf(pull)[:, None, :].repeat(2, axis=1)] = 0
    exact = np.linalg.solve(matrix, as_columns(load))
    hierarchy = Hierarchy(Walk.of(luminance), pull)
    answer = padded((56, 50))
    residual = load.copy()
    work = [padded((56, 50)) for _ in range(4)]
    steps = islice(conjugate_residuals(hierarchy.cycle, residual, answer, work), 15)
    norms = [np.linalg.norm(residual) for _ in steps]
    assert np.all(np.diff(norms) <= 1e-5 * norms[0])
    assert np.abs(as_columns(answer) - exact).max() < 1e-3 * np.abs(exact).max()
    true = as_columns(load) - matrix @ as_columns(answer)
    np.testing.assert_allclose(as_columns(residual), true, atol=2e-4)  # in float32 it drifts by 1e-5 a step


def test_pockets_are_found_and_corrected_exactly():
    """Specks of one to six pixels in a plain picture, far from each other; one pixel alone is no pocket."""
    luminance = np.full((40, 60), 50.0, np.float32)
    specks = [[(5, 5)], [(5, 20), (5, 21)], [(5, 41), (6, 42)], [(21, 5), (21, 6), (21, 7)], [(20, 21), (21, 20)]]
    specks += [[(21 + dy, 41 + dx) for dy in range(2) for dx in range(3)]]
    for speck in specks:
        for pixel in speck:
            luminance[pixel] = 60.0
    pull = np.zeros(luminance.shape, np.float32)
    pull[35, :] = np.inf
    pockets = find_pockets(operator_rows(walk_weights(luminance), np.zeros_like(luminance)))
    own = [pockets.where[a : a + n].tolist() for a, n in zip(pockets.start, pockets.size, strict=False)]
    found = {frozenset(map(tuple, pixels)) for pixels in own}
    assert found == {frozenset(speck) for speck in specks[1:]}
    matrix = kept_outflow(luminance)
    hard = np.isinf(pull).ravel()
    matrix[hard] = 0
    load = np.random.default_rng(0).uniform(-1, 1, (2, 40, 60)).astype(np.float32)
    load[:, 35] = 0
    answer, image = padded((40, 60)), padded((40, 60))
    pockets.correct(pull, as_rows(load), answer, image)
    expected = as_columns(as_rows(load)) - matrix @ as_columns(answer)
    np.testing.assert_allclose(as_columns(as_rows(load) - image), expected, atol=1e-4)
    for a, n in zip(pockets.start, pockets.size, strict=False):
        inside = np.ravel_multi_index(tuple(pockets.where[a : a + n].T), luminance.shape)
        np.testing.assert_allclose(matrix[inside][:, inside].sum(axis=1), pockets.rate[a : a + n], atol=1e-6)
        share = pockets.share[a : a + n]
        assert share.sum() == pytest.approx(1)
        np.testing.assert_allclose(share @ matrix[inside][:, inside], 0, atol=0.01)
        np.testing.assert_allclose(share @ expected[inside], 0, atol=1e-5)


def test_a_thin_line_that_ends_in_something_is_several_pockets():
    luminance = np.full((60, 40), 50.0, np.float32)
    luminance[:, 20] = 80.0
    luminance[:8, 10:30] = 80.0  # what its upper end runs into
    pockets = find_pockets(operator_rows(walk_weights(luminance), np.zeros_like(luminance)))
    own = [
        set(map(tuple, pockets.where[a : a + n].tolist())) for a, n in zip(pockets.start, pockets.size, strict=False)
    ]
    assert max(map(len, own)) <= 16
    assert set.union(*own) >= {(row, 20) for row in range(12, 60)}
    assert sum(map(len, own)) == len(set.union(*own))


def test_deep_levels_are_solved_like_the_others(monkeypatch):
    luminance, pull, _ = seeded(90, 101)
    load = as_rows(np.random.default_rng(0).uniform(-1, 1, (2, 90, 101)).astype(np.float32))
    load[1:-1, :, 1:-1][np.isinf(pull)[:, None, :].repeat(2, axis=1)] = 0
    walk, answers = Walk.of(luminance), []
    for deep in (multigrid.DEEP, 0):
        monkeypatch.setattr(multigrid, "DEEP", deep)
        answer, image = padded((90, 101)), padded((90, 101))
        Hierarchy(walk, pull).cycle(load, answer, image)
        answers.append(answer)
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-4 * np.abs(answers[1]).max())


def test_pockets_with_seeds_are_left_alone():
    luminance = np.full((30, 40), 50.0, np.float32)
    luminance[5, 20:22] = luminance[20, 10:12] = 60.0
    pull = np.zeros(luminance.shape, np.float32)
    pull[5, 20] = 0.5
    pull[20, 12] = np.inf  # beside the other one
    load, answer, image = as_rows(np.ones((2, 30, 40), np.float32)), padded((30, 40)), padded((30, 40))
    find_pockets(operator_rows(walk_weights(luminance), np.zeros_like(luminance))).correct(pull, load, answer, image)
    assert set(map(tuple, np.argwhere(as_columns(answer).reshape(30, 40, 2)[..., 0]))) == {(20, 10), (20, 11)}
    assert image[21, 0, 13] == 0


@pytest.mark.parametrize("screen", [0.0, 1e-8])
@pytest.mark.parametrize("seed", range(6))
def test_no_level_pulls_where_no_seed_is(seed, screen):
    """Interpolation keeps constants even where couplings below zero leave a pixel without a line to hold on to.

    Uneven stripes have such pixels. A weak pull everywhere must stay as weak on every level: its sum, at most.
    """
    rng = np.random.default_rng(seed)
    stripes = np.cumsum(rng.normal(0, 10, (1, 101)), axis=1) + np.cumsum(rng.normal(0, 1, (130, 1)), axis=0)
    luminance = stripes + rng.normal(0, 0.3, stripes.shape)
    luminance = ((luminance - luminance.min()) / np.ptp(luminance) * 100).astype(np.float32)
    pull = np.full(luminance.shape, screen, np.float32)
    pull[0, 0] = np.inf
    walk = Walk.of(luminance)
    for level in Hierarchy(walk, pull).levels[1:]:
        excess = np.abs(level.operator[3][:, 4])
        excess[:3, :3] = 0
        assert excess.max() < 1e-6 + 2 * screen * walk.visits.sum()
