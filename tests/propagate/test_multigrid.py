"""The hierarchy's algebra against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest

from hybridcolor.propagate.affinity import affinity_planes, planes_to_matrix
from hybridcolor.propagate.krylov import bicgstab
from hybridcolor.propagate.multigrid import Hierarchy
from hybridcolor.propagate.stationary import stationary_vector
from hybridcolor.propagate.transfer import galerkin, interpolation
from tests.propagate.pictures import photo_luminance


def dense_prolongation(planes, height, width):
    rows, columns = planes.shape[1:]
    matrix = np.zeros((height, width, rows, columns))
    steps = [(0, 0, 0, 0), (0, 1, 0, 0), (0, 1, 0, 1), (1, 0, 0, 0), (1, 0, 1, 0)]
    steps += [(1, 1, dy, dx) for dy in (0, 1) for dx in (0, 1)]
    for k, (i, j, dy, dx) in enumerate(steps):
        for row in range(rows):
            for column in range(columns):
                y, x = 2 * row + i, 2 * column + j
                if y < height and x < width and planes[k, row, column] != 0:
                    matrix[y, x, row + dy, column + dx] = planes[k, row, column]
    return matrix.reshape(height * width, rows * columns)


def dense_operator(planes):
    couplings = planes.astype(float).copy()
    excess = couplings[4].copy()
    couplings[4] = 0
    matrix = -planes_to_matrix(couplings).toarray()
    np.fill_diagonal(matrix, (couplings.sum(axis=0) + excess).ravel())
    return matrix


def seeded(height, width):
    luminance = photo_luminance("coffee", height, width)
    rates = affinity_planes(luminance)
    visits = stationary_vector(rates)
    pull = np.zeros(luminance.shape, np.float32)
    pull[height // 2, 1:3] = np.inf
    pull[0, 0] = 0.5
    return rates, pull, visits


@pytest.mark.parametrize("shape", [(23, 24), (22, 21), (1, 450), (450, 1), (2, 230)])
def test_coarse_operator_is_galerkin(shape):
    hierarchy = Hierarchy(*seeded(*shape))
    level = hierarchy.levels[0]
    prolongation, missing = interpolation(level.operator)
    p = dense_prolongation(prolongation, *shape)
    r = dense_prolongation(level.restriction, *shape).T
    np.testing.assert_allclose(1 - p.sum(axis=1), missing.ravel(), atol=1e-5)
    expected = r @ dense_operator(level.operator) @ p
    found = dense_operator(galerkin(level.operator, prolongation, level.restriction, missing))
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())


def test_operator_is_the_seeded_system():
    rates, pull, visits = seeded(9, 11)
    walk = planes_to_matrix(rates.copy()).toarray()
    hierarchy = Hierarchy(rates, pull, visits)
    hard = np.isinf(pull).ravel()
    free = np.where(hard, 0, 1 / (1 + np.where(hard, 0, pull.ravel())))
    expected = np.diag(1 - free) + free[:, None] * (np.eye(99) - walk)
    rng = np.random.default_rng(0)
    x = np.where(hard, 0, rng.normal(size=(2, 99))).astype(np.float32)  # corrections are 0 at hard seeds
    out = np.empty((2, 9, 11), np.float32)
    hierarchy.apply(x.reshape(2, 9, 11), out)
    np.testing.assert_allclose(out.reshape(2, -1), x @ expected.T, atol=1e-5)


def test_full_cycle_is_close_and_krylov_finishes():
    rates, pull, visits = seeded(56, 50)
    pull[::17, ::13] = np.inf
    hierarchy = Hierarchy(rates, pull, visits)
    load = np.random.default_rng(0).uniform(-1, 1, (2, 56, 50)).astype(np.float32)
    load[:, np.isinf(pull)] = 0
    exact = np.linalg.solve(dense_operator(hierarchy.operator), load.reshape(2, -1).T).T.reshape(load.shape)
    assert np.abs(hierarchy.full_cycle(load) - exact).mean() < 0.1 * np.abs(exact).mean()
    solution, iterations, reached = bicgstab(
        hierarchy.apply, hierarchy.cycle, load, start=np.zeros_like(load), reduction=1e-5, most=30
    )
    assert reached
    assert iterations < 30
    assert np.abs(solution - exact).max() < 1e-3 * np.abs(exact).max()
