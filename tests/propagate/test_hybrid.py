"""The hybrid method: prior plus propagated correction."""

from __future__ import annotations

import numpy as np
import pytest

from hybridcolor.errors import MethodError, SeedError
from hybridcolor.propagate import propagate
from hybridcolor.seeds import Seeds
from tests.propagate.pictures import lab_photo, photo_luminance, photo_seeds

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


def test_trust_reaches_as_far_as_it_says():
    """On a plain strip the correction is exp(-distance / reach)."""
    luminance = np.full((3, 301), 50.0)
    seeds = Seeds.of([[i, 0] for i in range(3)], [30.0, 0.0])
    prior = np.zeros((3, 301, 2))
    found = propagate(luminance, seeds, prior=prior, trust=np.ones((3, 301)), reach=40 / 301, tolerance=1e-6)
    line = found.chroma[1, :, 0]
    assert line[60] / line[20] == pytest.approx(np.exp(-1), rel=0.1)


def test_soft_seed_and_trust_share_by_their_weights():
    luminance = np.full((1, 1), 50.0)
    seeds = Seeds.of([[0, 0]], [[30.0, 0.0]], weight=0.375)
    found = propagate(luminance, seeds, prior=np.zeros((1, 1, 2)), trust=np.ones((1, 1)), reach=1.0, tolerance=1e-8)
    assert found.chroma[0, 0, 0] == pytest.approx(15.0)


@pytest.mark.parametrize("reach", [0.0, -1.0, float("nan")])
def test_unfit_reach_is_refused(photo, reach):
    luminance, seeds, prior = photo
    with pytest.raises(MethodError, match="reach"):
        propagate(luminance, seeds, prior=prior, reach=reach)
