"""AuC against the published sum over thresholds, against classes counted by hand, and its class prior."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import data

from hybridcolor.bins import AB_BINS, nearest_bin
from hybridcolor.errors import ModelError
from hybridcolor.lab import rgb_to_lab
from hybridcolor.metrics.auc import auc, smoothed_prior

# On the border of two bins either may be named, so no whole numbers.
COLOURS = st.integers(-140, 140).map(lambda n: n + 0.25)
PLANES = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda s: st.tuples(*[arrays(np.float32, (*s, 2), elements=COLOURS)] * 2)
)


def published_sum(result, truth, weight):
    """As Zhang et al. describe it: the share within each threshold 0, 1, ... 150, and the area by trapezoids."""
    distance = np.linalg.norm((result - truth).astype(np.float64), axis=-1).ravel()
    shares = [weight.ravel()[distance <= t].sum() / weight.sum() for t in range(151)]
    return np.trapezoid(shares) / 150


@given(PLANES)
def test_the_closed_form_is_the_area_to_within_half_a_threshold(planes):
    result, truth = planes
    raw = published_sum(result, truth, np.ones(truth.shape[:2]))
    assert auc(result, truth) == pytest.approx(raw, abs=0.5 / 150 + 1e-6)
    prior = smoothed_prior(truth)
    balanced = published_sum(result, truth, 1 / np.maximum(prior, 1e-6)[nearest_bin(truth)])
    assert auc(result, truth, class_prior=prior) == pytest.approx(balanced, abs=0.5 / 150 + 1e-6)


def test_two_classes_by_hand():
    """Three gray pixels right, one red pixel 75 off. Raw: 1 - (75 / 4) / 150. With p = 3/4 and 1/4 both classes weigh
    the same: 1 - (75 / 2) / 150."""
    truth = np.zeros((2, 2, 2), np.float32)
    truth[1, 1] = 60, 40
    result = truth.copy()
    result[1, 1, 0] -= 75
    prior = np.zeros(313)
    prior[nearest_bin([0, 0])], prior[nearest_bin([60, 40])] = 0.75, 0.25
    assert auc(result, truth) == pytest.approx(0.875)
    assert auc(result, truth, class_prior=prior) == pytest.approx(0.75)


def test_gray_scores_much_less_when_classes_are_balanced():
    truth = rgb_to_lab(data.astronaut()[::4, ::4])[..., 1:]
    gray = np.zeros_like(truth)
    assert auc(gray, truth, class_prior=smoothed_prior(truth)) < auc(gray, truth) - 0.1


def test_errors_past_the_limit_count_as_the_limit():
    truth = np.full((1, 1, 2), -100, np.float32)
    assert auc(-truth, truth) == 0


@given(arrays(np.float32, (4, 4, 2), elements=COLOURS))
def test_the_prior_is_a_smoothed_histogram(ab):
    prior = smoothed_prior(ab)
    assert prior.sum() == pytest.approx(1)
    counts = np.bincount(nearest_bin(ab).ravel(), minlength=313)
    spread = np.exp(-((AB_BINS[:, None] - AB_BINS) ** 2).sum(-1) / (2 * 5.0**2))
    expected = (spread / spread.sum(0)) @ counts / counts.sum()
    assert prior == pytest.approx(expected, abs=1e-6)
    assert np.all(prior[nearest_bin(ab)] > 0)


def test_one_prior_of_many_pictures_counts_pixels():
    one, other = np.zeros((1, 3, 2), np.float32), np.full((1, 1, 2), 50, np.float32)
    together = np.concatenate([one, other], axis=1)
    assert smoothed_prior(one, other) == pytest.approx(smoothed_prior(together))


@pytest.mark.parametrize("prior", [np.ones(10), np.zeros(313), np.full(313, -1.0), np.full(313, np.nan)])
def test_a_bad_prior_is_refused(prior):
    with pytest.raises(ModelError, match="313"):
        auc(np.zeros((1, 1, 2), np.float32), np.zeros((1, 1, 2), np.float32), class_prior=prior)
