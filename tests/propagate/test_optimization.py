"""Levin's solution against SuperLU, on kind and unkind pictures, and the solver's conduct when it fails."""

from __future__ import annotations

import warnings
from math import prod

import cv2
import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from hybridcolor.errors import ConvergenceError, MethodError, PropagationWarning
from hybridcolor.propagate import optimization as module
from hybridcolor.propagate import propagate
from hybridcolor.propagate.affinity import affinity_matrix
from hybridcolor.propagate.elimination import eliminate
from hybridcolor.propagate.factorization import nested_dissection
from hybridcolor.propagate.optimization import solve
from hybridcolor.propagate.system import SeededSystem
from hybridcolor.seeds import Seeds
from tests.propagate.pictures import UNKIND, photo_luminance, photo_seeds, random_seeds, unkind_picture

HEIGHT, WIDTH = 70, 83


def superlu(luminance, seeds):
    """(I - W + T) x = T s assembled plainly and solved by scipy; a hard seed is a row x = s."""
    walk = affinity_matrix(luminance)
    pull = np.zeros(luminance.size)
    target = np.zeros((luminance.size, 2))
    flat = np.ravel_multi_index(tuple(seeds.coords.T), luminance.shape)
    pull[flat] = seeds.weight
    target[flat] = seeds.ab
    hard = np.isinf(pull)
    pull[hard] = 1.0
    rows = sp.diags_array((~hard).astype(float)) @ (sp.eye_array(luminance.size) - walk)
    matrix = (rows + sp.diags_array(pull)).tocsc()
    return spla.splu(matrix).solve(pull[:, None] * target).reshape(*luminance.shape, 2)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_multigrid_equals_superlu_on_photos(name):
    luminance = photo_luminance(name, 100, 91)
    seeds = photo_seeds(name, 100, 91)
    system = SeededSystem.of(luminance, seeds, seeds.ab)
    expected = superlu(luminance, seeds).transpose(2, 0, 1)
    solution, residual, iterations = solve(system, tolerance=1e-7, solver="multigrid")
    assert np.abs(solution - expected).max() < 1e-6
    assert residual < 1e-6
    assert iterations > 0


@pytest.mark.parametrize("kind", UNKIND)
def test_multigrid_equals_superlu_on_unkind_pictures(kind):
    luminance = unkind_picture(kind, HEIGHT, WIDTH)
    seeds = random_seeds(HEIGHT, WIDTH, 25)
    found = propagate(luminance, seeds, method="optimization", solver="multigrid", tolerance=1e-4)
    assert np.abs(found.chroma - superlu(luminance, seeds)).max() < 1e-3


@pytest.mark.parametrize("shape", [(3, 400), (900, 3), (17, 400)])
def test_multigrid_equals_superlu_on_strips(shape):
    """Of noise; on two rows of it multigrid may fail, and "auto" eliminates."""
    luminance = np.random.default_rng(2).uniform(40, 60, shape).astype(np.float32)
    seeds = random_seeds(*shape, 12)
    found = propagate(luminance, seeds, method="optimization", solver="multigrid", tolerance=1e-3)
    assert np.abs(found.chroma - superlu(luminance, seeds)).max() < 1e-2


@pytest.mark.parametrize("solver", ["auto", "multigrid", "direct"])
def test_soft_seeds_equal_superlu(solver):
    luminance = photo_luminance("coffee", 80, 45)
    hard = random_seeds(80, 45, 30)
    weight = 10.0 ** np.random.default_rng(3).uniform(-5, 5, 30)
    weight[:4] = np.inf
    seeds = Seeds.of(hard.coords, hard.ab, weight=weight)
    found = propagate(luminance, seeds, method="optimization", solver=solver, tolerance=1e-6)
    assert np.abs(found.chroma - superlu(luminance, seeds)).max() < 1e-4


def test_default_tolerance_holds_on_a_photo():
    luminance = photo_luminance("astronaut", 160, 160)
    seeds = photo_seeds("astronaut", 160, 160, strokes=30)
    error = np.abs(propagate(luminance, seeds, method="optimization").chroma - superlu(luminance, seeds))
    assert error.max() < 1
    assert error.mean() < 0.01


def test_reported_residual_is_the_true_one():
    luminance = photo_luminance("chelsea", 90, 90)
    seeds = photo_seeds("chelsea", 90, 90)
    system = SeededSystem.of(luminance, seeds, seeds.ab)
    solution, residual, _ = solve(system, tolerance=0.25, solver="multigrid")
    walk = affinity_matrix(luminance)
    free = system.pull.ravel() == 0
    missed = [np.abs((walk @ plane.ravel() - plane.ravel())[free]).max() for plane in solution]
    assert residual == pytest.approx(max(missed), rel=1e-3)


def spoiled(damage):
    """A cycle that answers with ``damage(load)`` whatever the operator, and says that this solves all."""

    def cycle(self, load, x, image):
        x[1:-1, :, 1:-1] = np.broadcast_to(damage(load), load.shape)[1:-1, :, 1:-1]
        image[:] = load

    return cycle


def test_failed_multigrid_warns_and_falls_back_to_the_right_answer(monkeypatch):
    luminance = photo_luminance("coffee", 90, 80)
    seeds = photo_seeds("coffee", 90, 80)
    monkeypatch.setattr(module.Hierarchy, "cycle", spoiled(lambda load: np.roll(load, 7, axis=0)))
    with pytest.warns(PropagationWarning, match="slower safe solver"):
        found = propagate(luminance, seeds, method="optimization", tolerance=1e-6)
    assert np.abs(found.chroma - superlu(luminance, seeds)).max() < 1e-4


@pytest.mark.parametrize("damage", [np.nan, np.inf, 0.0])
def test_broken_preconditioner_is_never_silent(monkeypatch, damage):
    luminance = photo_luminance("coffee", 90, 80)
    seeds = photo_seeds("coffee", 90, 80)
    monkeypatch.setattr(module.Hierarchy, "cycle", spoiled(lambda load: damage))
    with pytest.warns(PropagationWarning):
        found = propagate(luminance, seeds, method="optimization", tolerance=1e-6)
    assert np.abs(found.chroma - superlu(luminance, seeds)).max() < 1e-4


def test_groups_take_over_on_large_pictures(monkeypatch):
    luminance = photo_luminance("coffee", 90, 80)
    seeds = photo_seeds("coffee", 90, 80)
    monkeypatch.setattr(module, "fits", lambda pixels: False)
    monkeypatch.setattr(module.Hierarchy, "cycle", spoiled(lambda load: 0.0))
    with pytest.warns(PropagationWarning):
        found = propagate(luminance, seeds, method="optimization", tolerance=1e-4)
    assert np.abs(found.chroma - superlu(luminance, seeds)).max() < 1e-2


@pytest.mark.parametrize(
    ("shape", "sigma", "seed"), [((200, 220), 2, 0), ((200, 220), 2, 2), ((200, 220), 2, 4), ((256, 256), 3, 2)]
)
def test_areas_that_a_walk_hardly_leaves_are_solved(shape, sigma, seed):
    """A blurred photo in float has some; by conjugate residuals it ended up to 6 ab off, or not at all."""
    luminance = gaussian_filter(photo_luminance("astronaut", *shape), sigma)
    seeds = photo_seeds("astronaut", *shape, strokes=3, seed=seed)
    found = propagate(luminance, seeds, method="optimization")
    assert np.abs(found.chroma - superlu(luminance, seeds)).max() < 0.2


@pytest.mark.parametrize(("side", "margin", "thick"), [(61, 5, 1), (90, 6, 3), (120, 4, 3), (200, 4, 4), (200, 7, 1)])
def test_pages_of_panels_are_solved(side, margin, thick):
    """Gutters and frames have no seed and hardly let a walk out; conjugate residuals left such pages to LU factors."""
    page = np.full((side, 3 * side), 100, np.float32)
    coords = []
    for panel in range(3):
        left = panel * side
        cv2.rectangle(page, (left + margin, margin), (left + side - margin, side - margin), 0, thick)
        coords += [(side // 2, left + side // 3 + k) for k in range(side // 3)]
    ab = np.repeat([[50, -20], [-40, 30], [10, 60]], side // 3, axis=0)
    seeds = Seeds.of(coords, ab)
    found = propagate(page, seeds, method="optimization", solver="multigrid")
    assert np.abs(found.chroma - superlu(page, seeds)).max() < 1


@given(shape=st.lists(st.integers(1, 20), min_size=1, max_size=3).map(tuple))
def test_dissection_takes_every_node_once(shape):
    assert sorted(nested_dissection(shape)) == list(range(prod(shape)))


def test_no_solver_left_raises(monkeypatch):
    luminance = photo_luminance("coffee", 90, 80)
    seeds = photo_seeds("coffee", 90, 80)
    monkeypatch.setattr(module, "_multigrid", lambda system, tolerance: None)
    monkeypatch.setattr(module, "factored", lambda system, tolerance: None)
    with pytest.warns(PropagationWarning), pytest.raises(ConvergenceError, match="raise tolerance"):
        propagate(luminance, seeds, method="optimization")


def test_weak_far_seeds_are_not_lost():
    """A near-uniform error hardly shows in the residual; it must be seen, or the safe solver used."""
    luminance = photo_luminance("coffee", 70, 75)
    seeds = Seeds.of([[3, 3], [60, 70]], [[50, -20], [-30, 40]], weight=[1e-6, 3e-6])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PropagationWarning)
        found = propagate(luminance, seeds, method="optimization", solver="multigrid", tolerance=1e-3)
    assert np.abs(found.chroma - superlu(luminance, seeds)).max() < 0.05


@pytest.mark.parametrize("options", [{"tolerance": 0}, {"tolerance": float("nan")}, {"solver": "magic"}])
def test_unfit_options_are_refused(options):
    with pytest.raises(MethodError, match=f"^{next(iter(options))} "):
        propagate(np.full((3, 3), 50.0), random_seeds(3, 3, 1), method="optimization", **options)


@pytest.mark.parametrize("shape", [(1, 24), (24, 1), (3, 8), (5, 5)])
@pytest.mark.parametrize("seeds", [1, 3])
def test_elimination_equals_fifty_digit_arithmetic(shape, seeds):
    """On noise with few seeds the system may be too ill-conditioned for LU in float64."""
    mpmath = pytest.importorskip("mpmath")
    luminance = np.random.default_rng(4).uniform(0, 100, shape).astype(np.float32)
    placed = random_seeds(*shape, seeds, seed=4)
    pull = np.zeros(luminance.size)
    target = np.zeros((luminance.size, 2))
    flat = np.ravel_multi_index(tuple(placed.coords.T), shape)
    pull[flat] = np.inf
    target[flat] = placed.ab
    walk = affinity_matrix(luminance).toarray()
    with mpmath.workdps(50):
        matrix = mpmath.matrix(luminance.size, luminance.size)
        for i in range(luminance.size):
            matrix[i, i] = mpmath.mpf(1)
            if pull[i] == 0:
                total = mpmath.fsum(float(w) for w in walk[i])
                for j in np.flatnonzero(walk[i]):
                    matrix[i, int(j)] -= mpmath.mpf(float(walk[i, j])) / total
        exact = np.array([[float(v) for v in mpmath.lu_solve(matrix, mpmath.matrix(list(t)))] for t in target.T])
    found = eliminate(luminance, pull.reshape(shape).astype(np.float32), target.T.reshape(2, *shape).astype(np.float32))
    np.testing.assert_allclose(found.reshape(2, -1), exact, atol=1e-10)


def test_a_long_line_of_noise_is_solved():
    luminance = np.random.default_rng(1).uniform(0, 100, (1, 3000)).astype(np.float32)
    found = propagate(luminance, Seeds.of([[0, 0]], [[40.0, -10.0]]), method="optimization")
    np.testing.assert_allclose(found.chroma, np.broadcast_to([40.0, -10.0], (1, 3000, 2)), atol=1e-4)
