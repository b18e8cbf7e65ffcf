"""The affinity against a slow transcription of the paper's formula, and against its properties."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as spla
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hybridcolor.picture import Picture
from hybridcolor.propagate import stationary
from hybridcolor.propagate.affinity import affinity_matrix, fill_affinity, planes_to_matrix, system_residual
from hybridcolor.propagate.stencil import operator_rows, walk_weights
from tests.propagate.pictures import photo_luminance


def paper_row(luminance, i, j):
    """One row of W: neighbours {(y, x): weight}, written from the paper and its published reference settings."""
    brightness = luminance.astype(float) / 100
    window = [
        (y, x)
        for y in range(max(0, i - 1), min(luminance.shape[0], i + 2))
        for x in range(max(0, j - 1), min(luminance.shape[1], j + 2))
    ]
    variance = np.var([brightness[p] for p in window])
    others = [p for p in window if p != (i, j)]
    squares = np.array([(brightness[p] - brightness[i, j]) ** 2 for p in others])
    sigma = variance * 0.6
    if sigma < -squares.min() / np.log(0.01):
        sigma = -squares.min() / np.log(0.01)
    sigma = max(sigma, 0.000002)
    weights = np.exp(-squares / sigma)
    return dict(zip(others, weights / weights.sum(), strict=True))


@pytest.mark.parametrize(
    "luminance",
    [
        photo_luminance("astronaut", 14, 17),
        np.random.default_rng(0).uniform(0, 100, (9, 8)).astype(np.float32),
        (np.indices((7, 9)).sum(axis=0) % 2 * 100).astype(np.float32),
        np.full((4, 5), 37.0, np.float32),
        np.array([[0, 100, 3]], np.float32),
    ],
    ids=["photo", "noise", "checkerboard", "constant", "line"],
)
def test_matrix_is_the_papers(luminance):
    height, width = luminance.shape
    expected = np.zeros((height * width,) * 2)
    for i in range(height):
        for j in range(width):
            for (y, x), weight in paper_row(luminance, i, j).items():
                expected[i * width + j, y * width + x] = weight
    np.testing.assert_allclose(affinity_matrix(luminance).toarray(), expected, rtol=1e-10, atol=1e-15)
    single = np.zeros((height, 10, width), np.float32)
    for i in range(height):
        fill_affinity(luminance, i, single[i])
    for rows, precision in ((single, 2e-5), (walk_rows(luminance), 2.6e-4)):  # the last in 16 bits
        found = planes_to_matrix(rows[:, :9].transpose(1, 0, 2)).toarray()
        np.testing.assert_allclose(found, expected, rtol=precision, atol=1e-9)


@given(arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(2, 6)), elements=st.floats(0, 100, width=32)))
@settings(max_examples=40, deadline=None)
def test_rows_are_probabilities(luminance):
    matrix = affinity_matrix(luminance)
    assert matrix.min() >= 0
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, rtol=1e-12)


def test_affinity_is_not_symmetric():
    matrix = affinity_matrix(photo_luminance("coffee", 20, 20)).toarray()
    assert np.abs(matrix - matrix.T).max() > 0.1


@pytest.mark.parametrize(("single", "precision"), [(False, 1e-5), (True, 1e-4)])
def test_residual_agrees_with_the_assembled_matrix(single, precision):
    luminance = photo_luminance("chelsea", 15, 18)
    rng = np.random.default_rng(1)
    pull = np.where(rng.random(luminance.shape) < 0.2, 10.0 ** rng.uniform(-4, 4, luminance.shape), 0)
    pull = pull.astype(np.float32)
    pull[3, 4] = np.inf
    target = rng.uniform(-50, 50, (2, *luminance.shape)).astype(np.float32)
    rows = rng.uniform(-50, 50, (17, 2, 20))
    chroma = rows[1:-1, :, 1:-1].transpose(1, 0, 2)
    found = np.zeros((17, 2, 20), np.float32)
    system_residual(luminance, pull, target, rows, found, single=single)
    found = found[1:-1, :, 1:-1].transpose(1, 0, 2)
    walk = affinity_matrix(luminance)
    for c in range(2):
        flow = (walk @ chroma[c].ravel()).reshape(luminance.shape) - chroma[c]
        finite = np.where(np.isinf(pull), 0, pull).astype(float)
        expected = (finite * (target[c] - chroma[c]) + flow) / (1 + finite)
        expected[3, 4] = target[c, 3, 4] - chroma[c, 3, 4]
        np.testing.assert_allclose(found[c], expected, rtol=1e-5, atol=precision)


def walk_rows(luminance):
    """W as the solver keeps it, in 16 bits."""
    return operator_rows(walk_weights(luminance), np.zeros_like(luminance))


def test_sweeps_lead_to_the_stationary_eigenvector():
    luminance = photo_luminance("coffee", 12, 13)
    rows = walk_rows(luminance)
    walk = planes_to_matrix(rows[:, :9].transpose(1, 0, 2).astype(float)).toarray()
    values, vectors = np.linalg.eig(np.eye(len(walk)) + walk.T - np.diag(walk.sum(axis=1)))
    exact = np.abs(np.real(vectors[:, np.argmin(np.abs(values - 1))]))
    found = stationary.balance(rows)
    for _ in range(500):
        stationary._sweep(rows, found)
    np.testing.assert_allclose(found.ravel() / found.mean(), exact / exact.mean(), atol=1e-3)


def test_visits_are_balanced_between_neighbours():
    luminance = photo_luminance("chelsea", 60, 66)
    walk = affinity_matrix(luminance)
    for found in (stationary.balance(walk_rows(luminance)), stationary.stationary_vector(walk_rows(luminance))):
        assert found.min() > 0
        unbalanced = np.abs(walk.T @ found.ravel().astype(float) - found.ravel()).sum()
        assert unbalanced < 0.05 * found.sum()
        assert unbalanced < 0.1 * np.abs(walk.T @ np.ones(found.size) - 1).sum()


@pytest.mark.parametrize("name", ["chelsea", "brick", "rocket"])
def test_visits_are_about_right_over_the_whole_picture(name):
    """Against the eigenvector: nine tenths of the pixels within a factor 8, where balance alone is off by hundreds."""
    luminance = np.ascontiguousarray(Picture.from_array(getattr(skimage.data, name)()[:150, :180]).luminance)
    flux = (sp.eye_array(luminance.size) - affinity_matrix(luminance)).T.tocsc()
    exact = np.r_[1.0, spla.splu(flux[1:, 1:]).solve(-flux[1:, [0]].toarray().ravel())]
    ratio = stationary.stationary_vector(walk_rows(luminance)).ravel() / exact
    low, high = np.percentile(ratio / np.median(ratio), [5, 95])
    assert low > 1 / 8
    assert high < 8
