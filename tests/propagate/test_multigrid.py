"""The hierarchy's algebra against dense matrices."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from scipy.sparse.linalg import cg

from hybridcolor.propagate import multigrid
from hybridcolor.propagate.affinity import planes_to_matrix
from hybridcolor.propagate.coarse_pockets import coarse_pockets, correct
from hybridcolor.propagate.coarsening import NO_PULL, NO_ROWS, NO_WEIGHTS, coarsen, coarser, interpolate, prune
from hybridcolor.propagate.krylov import ALIKE, conjugate_gradients
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


@pytest.mark.parametrize("radius", [5, 9, 14, 20])
def test_what_hardly_leaves_an_area_hardly_leaves_it_on_the_coarser_grid(radius):
    """Where corners count in full, this disc is left 29 to 50 times as often as on the finest; else 6 to 12 times."""
    rows, columns = np.indices((60, 70))
    inside = np.hypot(rows - 30, columns - 35) < radius
    luminance = np.where(inside, 80, 20) + np.random.default_rng(0).normal(0, 1, inside.shape)
    walk = Walk.of(luminance.astype(np.float32))
    fine = operator_rows(walk.weights, np.zeros_like(walk.visits))
    outflow = walk.visits.ravel()[:, None] * dense_operator(fine)
    prolongation, _ = coarser((walk.weights, np.zeros_like(walk.visits), walk.visits, NO_ROWS))
    area = inside.ravel().astype(float)
    coarse = dense_prolongation(prolongation, *inside.shape) @ inside[::2, ::2].ravel().astype(float)
    assert coarse @ outflow @ coarse < 20 * (area @ outflow @ area)


def test_a_side_that_cancels_out_is_not_lost():
    """Couplings of a coarse grid in a photo: in sum the east holds less than nothing, but the west next to nothing."""
    rows = np.zeros((3, 10, 3), np.float32)
    rows[:, 5, :2] = rows[:, 3, 1:] = rows[:2, 7] = rows[1:, 1] = 0.1
    rows[0, :9, 1] = 0, 0, 0, 0.0002, 0, -0.1475, 0.0002, 0.3499, 0.0041
    prolongation = np.zeros((4, 9, 4), np.float32)
    missing = np.zeros((5, 1, 5), np.float32)
    interpolate((NO_WEIGHTS, NO_PULL, np.ones((3, 3), np.float32), rows), prolongation, missing, 0, 2)
    west, east = prolongation[1, 1:3, 1]
    assert east > 0.8
    assert west + east == pytest.approx(1)


def test_pockets_of_coarser_grids_are_found_and_corrected():
    """A door frame, two pixels wide on the finest grid: on the next it lies between two columns of the one after."""
    luminance = np.full((64, 80), 20, np.float32)
    luminance[:, 42:44] = 80
    luminance += np.random.default_rng(1).normal(0, 0.5, luminance.shape).astype(np.float32)
    walk = Walk.of(luminance)
    hierarchy = Hierarchy(walk, np.zeros_like(luminance))
    rows = hierarchy.levels[1].operator[3]
    pockets = coarse_pockets([rows, rows])
    places = [pockets.where[first : first + size] for first, size in zip(pockets.start, pockets.size, strict=False)]
    own = np.concatenate(places[: len(places) // 2])
    assert (own % 40 == 21).sum() > 28
    matrix = dense_operator(rows)
    load, x, image = (padded((32, 40)) for _ in range(3))
    load[1:-1, :, 1:-1] = np.random.default_rng(0).normal(0, 1e-3, (32, 2, 40))
    lacking = []
    for _ in range(40):
        correct(pockets, 1, load, x, image)
        applied = matrix @ x[1:-1, :, 1:-1].transpose(0, 2, 1).reshape(-1, 2)
        assert np.abs(image[1:-1, :, 1:-1].transpose(0, 2, 1).reshape(-1, 2) - applied).max() < 1e-4
        left = (load - image)[1:-1, :, 1:-1].transpose(0, 2, 1).reshape(-1, 2)
        lacking.append(max(np.abs(left[each].sum(axis=0)).max() for each in places))
    assert lacking[-1] < 0.05 * lacking[0]


def test_conjugate_gradients_solve():
    luminance, pull, matrix = seeded(56, 50, every=13)
    load = as_rows(np.random.default_rng(0).uniform(-1, 1, (2, 56, 50)).astype(np.float32))
    load[1:-1, :, 1:-1][np.isinf(pull)[:, None, :].repeat(2, axis=1)] = 0
    exact = np.linalg.solve(matrix, as_columns(load))
    hierarchy = Hierarchy(Walk.of(luminance), pull)
    answer = padded((56, 50))
    residual = load.copy()
    work = [padded((56, 50)) for _ in range(4)]
    for _ in islice(conjugate_gradients(hierarchy.cycle, hierarchy.weight, residual, answer, work), 15):
        pass
    assert np.abs(as_columns(answer) - exact).max() < 1e-3 * np.abs(exact).max()
    true = as_columns(load) - matrix @ as_columns(answer)
    np.testing.assert_allclose(as_columns(residual), true, atol=2e-4)  # in float32 it drifts by 1e-5 a step


def test_on_symmetric_systems_they_are_the_usual_conjugate_gradients():
    """Step by step as in SciPy, with the diagonal's inverse in place of a cycle; each plane on its own."""
    rng = np.random.default_rng(3)
    half = rng.normal(size=(30, 30))
    matrix = half @ half.T + 8 * np.eye(30)
    loads = rng.normal(size=(2, 30))
    inverse = 1 / np.diag(matrix)

    def cycle(residual, z, image):
        z[1:-1, :, 1:-1] = residual[1:-1, :, 1:-1] * inverse.reshape(5, 1, 6)
        image[1:-1, :, 1:-1] = as_rows((as_columns(z).T @ matrix).reshape(2, 5, 6))[1:-1, :, 1:-1]

    answer, work = padded((5, 6)), [padded((5, 6)) for _ in range(4)]
    steps = conjugate_gradients(cycle, ALIKE, as_rows(loads.reshape(2, 5, 6).astype(np.float32)), answer, work)
    for number in range(1, 9):
        next(steps)
        for plane in range(2):
            expected, _ = cg(matrix, loads[plane], M=np.diag(inverse), maxiter=number, rtol=0)
            np.testing.assert_allclose(as_columns(answer)[:, plane], expected, atol=1e-4 * np.abs(expected).max())


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
