"""The hybrid method: prior plus propagated correction."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse.linalg as spla
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from hybridcolor.errors import MethodError, SeedError
from hybridcolor.propagate import propagate
from hybridcolor.propagate.affinity import affinity_matrix
from hybridcolor.propagate.hybrid import LIKELY_CORRECTION, SAME_BRIGHTNESS, correction_system
from hybridcolor.seeds import AUTO, Seeds, concatenate
from tests.propagate.pictures import (
    UNKIND,
    lab_photo,
    photo_luminance,
    photo_seeds,
    random_seeds,
    unkind_picture,
)

SHAPE = (48, 40)


@pytest.fixture
def photo():
    luminance = photo_luminance("astronaut", *SHAPE)
    prior = 0.5 * lab_photo("astronaut", *SHAPE)[..., 1:]
    return luminance, photo_seeds("astronaut", *SHAPE), prior


def test_without_prior_it_is_optimization(photo):
    luminance, seeds, _ = photo
    expected = propagate(luminance, seeds, method="optimization").chroma
    np.testing.assert_array_equal(propagate(luminance, seeds).chroma, expected)


def test_without_seeds_it_is_the_prior(photo):
    luminance, _, prior = photo
    np.testing.assert_array_equal(propagate(luminance, Seeds.empty(), prior=prior).chroma, prior)


def test_without_seeds_or_prior_it_asks_for_a_scribble(photo):
    with pytest.raises(SeedError, match="draw at least one scribble"):
        propagate(photo[0], Seeds.empty())


def test_correction_is_levins(photo):
    luminance, seeds, prior = photo
    row, column = seeds.coords.T
    lacking = Seeds.of(seeds.coords, seeds.ab - prior[row, column], stroke=seeds.stroke)
    expected = prior + propagate(luminance, lacking, method="optimization").chroma
    np.testing.assert_allclose(propagate(luminance, seeds, prior=prior, reach=np.inf).chroma, expected, atol=1e-4)


def test_seeds_that_agree_with_the_prior_change_nothing(photo):
    luminance, seeds, prior = photo
    row, column = seeds.coords.T
    agreeing = Seeds.of(seeds.coords, prior[row, column])
    np.testing.assert_allclose(propagate(luminance, agreeing, prior=prior).chroma, prior, atol=1e-5)


def test_constant_prior_is_optimization(photo):
    luminance, seeds, _ = photo
    prior = np.full((*SHAPE, 2), 7.0)
    expected = propagate(luminance, seeds, method="optimization").chroma
    np.testing.assert_allclose(propagate(luminance, seeds, prior=prior, reach=np.inf).chroma, expected, atol=1e-3)


def test_trust_fades_the_correction_with_distance():
    luminance = np.full((31, 31), 50.0)
    seeds = Seeds.of([[15, 15]], [[40.0, -20.0]])
    prior = np.zeros((31, 31, 2))
    free = propagate(luminance, seeds, prior=prior, trust=np.zeros((31, 31)), tolerance=1e-4)
    firm = propagate(luminance, seeds, prior=prior, trust=np.ones((31, 31)), tolerance=1e-4)
    nearer = propagate(luminance, seeds, prior=prior, trust=np.ones((31, 31)), reach=0.05, tolerance=1e-4)
    np.testing.assert_allclose(free.chroma[..., 0], 40.0, atol=1e-3)
    line = firm.chroma[15, 15:, 0]
    assert (np.diff(line) < 0).all()
    assert line[0] == 40.0
    assert (nearer.chroma[15, 16:, 0] < line[1:]).all()


@pytest.mark.parametrize("size", [1.0, 20.0, 60.0])
def test_a_correction_reaches_as_far_as_it_says(size):
    """On a plain strip it is exp(-distance (1 + size / 20) / reach)."""
    luminance = np.full((3, 301), 50.0)
    seeds = Seeds.of([[i, 0] for i in range(3)], [size, 0.0])
    fades_over = 40 * (1 + size / LIKELY_CORRECTION) / 301
    found = propagate(luminance, seeds, prior=np.zeros((3, 301, 2)), reach=fades_over, tolerance=1e-6)
    line = found.chroma[1, :, 0]
    assert line[60] / line[20] == pytest.approx(np.exp(-1), rel=0.1)


def test_soft_seed_and_trust_share_by_their_weights():
    seeds = Seeds.of([[0, 0]], [[20.0, 0.0]], weight=0.375 * 4)
    found = propagate(np.full((1, 1), 50.0), seeds, prior=np.zeros((1, 1, 2)), reach=1.0, tolerance=1e-8)
    assert found.chroma[0, 0, 0] == pytest.approx(10.0)


def test_a_correction_stays_with_what_is_as_bright():
    """Behind a ramp too soft to be an edge, less arrives than at the same distance on a plain picture."""
    ramp = np.clip(np.linspace(20, 100, 81), 45, 75) * np.ones((9, 1))
    seeds = Seeds.of([[i, 0] for i in range(9)], [40.0, 0.0])
    prior = np.zeros((9, 81, 2))
    plain, behind = (
        propagate(picture, seeds, prior=prior, tolerance=1e-4).chroma[4, :, 0] for picture in (0 * ramp + 45, ramp)
    )
    assert behind[-1] < 0.7 * plain[-1]


def test_it_solves_its_equations(photo):
    """Against a dense solve, with the pull of every pixel from a plain search for its nearest seed."""
    luminance, _, prior = photo
    seeds = Seeds.of([[5, 7], [30, 33], [44, 10]], [[60.0, 10.0], [-20.0, 5.0], [3.0, 40.0]])
    row, column = seeds.coords.T
    lacking = seeds.ab - prior[row, column]
    pixels = np.argwhere(np.ones(SHAPE))
    nearest = cdist(pixels, seeds.coords).argmin(axis=1)
    other = luminance.ravel() - luminance[row, column][nearest]
    size = np.hypot(*lacking.T)[nearest]
    pull = 0.375 / (0.5 * 48) ** 2 * (1 + size / LIKELY_CORRECTION) ** 2 * (1 + (other / SAME_BRIGHTNESS) ** 2)
    matrix = np.diag(1 + pull) - affinity_matrix(luminance).toarray()
    load = np.zeros((len(pixels), 2))
    at = row * SHAPE[1] + column
    matrix[at] = np.eye(len(pixels))[at]
    load[at] = lacking
    expected = prior + np.linalg.solve(matrix, load).reshape(*SHAPE, 2)
    found = propagate(luminance, seeds, prior=prior, reach=0.5, tolerance=1e-4)
    assert np.abs(found.chroma - expected).max() < 0.05  # where two seeds are almost equally near, either may rule


@pytest.mark.parametrize("kind", UNKIND)
def test_multigrid_equals_superlu_on_unkind_pictures(kind):
    """With a prior and its weak pull everywhere; a solver that gives up would warn, and warnings are errors."""
    luminance = unkind_picture(kind, 70, 83)
    seeds = random_seeds(70, 83, 25)
    prior = np.indices((70, 83)).transpose(1, 2, 0).astype(np.float32) - 40
    system = correction_system(luminance, seeds, prior)
    load = system.target / (1 + 1 / system.pull.astype(float))
    correction = spla.splu(system.matrix()).solve(load.reshape(2, -1).T).reshape(70, 83, 2)
    found = propagate(luminance, seeds, prior=prior, solver="multigrid", tolerance=1e-4)
    assert np.abs(found.chroma - prior - correction).max() < 1e-3


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([(1, 1), (1, 40), (40, 1), (13, 17)]), st.floats(0.05, 10))
def test_no_correction_is_larger_than_at_a_seed(seed, shape, reach):
    rng = np.random.default_rng(seed)
    luminance = rng.uniform(0, 100, shape).astype(np.float32)
    prior = rng.uniform(-60, 60, (*shape, 2)).astype(np.float32)
    seeds = random_seeds(*shape, int(rng.integers(1, 1 + min(6, luminance.size))), seed)
    lacking = seeds.ab - prior[tuple(seeds.coords.T)]
    chroma = propagate(luminance, seeds, prior=prior, reach=reach).chroma
    correction = chroma - prior
    assert (correction >= np.minimum(lacking.min(axis=0), 0) - 1e-3).all()
    assert (correction <= np.maximum(lacking.max(axis=0), 0) + 1e-3).all()
    assert np.array_equal(chroma[tuple(seeds.coords.T)], seeds.ab)


def test_a_turned_picture_gives_the_turned_answer(photo):
    luminance, seeds, prior = photo
    turned = Seeds.of(seeds.coords[:, ::-1], seeds.ab, stroke=seeds.stroke)
    found = propagate(luminance, seeds, prior=prior, tolerance=0.01).chroma
    back = propagate(luminance.T, turned, prior=prior.swapaxes(0, 1), tolerance=0.01).chroma.swapaxes(0, 1)
    assert np.abs(back - found).max() < 0.2


def test_seed_order_does_not_matter(photo):
    luminance, seeds, prior = photo
    order = np.random.default_rng(0).permutation(len(seeds))
    first, second = (propagate(luminance, s, prior=prior).chroma for s in (seeds, seeds.take(order)))
    assert np.array_equal(first, second)


def test_automatic_seeds_that_repeat_the_prior_count_for_nothing(photo):
    luminance, drawn, prior = photo
    free = np.setdiff1d(np.arange(48 * 40), drawn.coords @ [40, 1])[::20]
    coords = np.stack(np.divmod(free, 40), axis=1)
    repeated = prior[tuple(coords.T)] + np.random.default_rng(0).uniform(-5, 5, (len(free), 2))
    automatic = Seeds.of(coords, repeated, origin=AUTO)
    assert np.array_equal(propagate(luminance, automatic, prior=prior).chroma, prior)
    alone, beside = (propagate(luminance, s, prior=prior).chroma for s in (drawn, concatenate(automatic, drawn)))
    assert np.array_equal(alone, beside)


@pytest.mark.parametrize("weight", [np.inf, 0.1])
def test_automatic_seeds_that_were_given_another_colour_count(weight):
    luminance, prior = np.full((20, 20), 50.0), np.zeros((20, 20, 2))
    given = [[r, c] for r in range(8, 12) for c in range(8, 12)]
    edited = Seeds.of(given, [30.0, 0.0], stroke=[0] * 16, weight=weight, origin=AUTO)
    assert propagate(luminance, edited, prior=prior).chroma[10, 13, 0] > 20


def test_a_huge_reach_is_no_fading(photo):
    luminance, seeds, prior = photo
    huge, endless = (propagate(luminance, seeds, prior=prior, reach=reach).chroma for reach in (1e200, np.inf))
    assert np.array_equal(huge, endless)


@pytest.mark.parametrize("reach", [0.0, -1.0, 1e-200, float("nan")])
def test_unfit_reach_is_refused(photo, reach):
    luminance, seeds, prior = photo
    with pytest.raises(MethodError, match="reach"):
        propagate(luminance, seeds, prior=prior, reach=reach)
