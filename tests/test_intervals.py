"""Bootstrap intervals against Student's, against resampling by hand, and by how often they cover the truth."""

from __future__ import annotations

import numpy as np
from scipy import stats

from hybridcolor.intervals import mean_intervals


def test_of_many_normal_numbers_the_interval_is_students():
    values = np.random.default_rng(1).normal(20, 4, (1, 400))
    low, high = mean_intervals(values)
    student = stats.t.interval(0.95, 399, values.mean(), stats.sem(values[0]))
    assert np.allclose([low[0], high[0]], student, atol=0.06)


def test_it_agrees_with_resampling_by_hand():
    values = np.array([3.0, 5, 8, 9, 12, 13, 17, 21, 22, 30])
    picks = np.random.default_rng(2).integers(0, 10, (50_000, 10))
    by_hand = np.quantile(values[picks].mean(axis=1), [0.025, 0.975])  # without the correction for bias and skewness
    low, high = mean_intervals(values[np.newaxis])
    assert np.allclose([low[0], high[0]], by_hand, atol=0.5)


def test_it_covers_the_true_mean_as_often_as_it_says():
    samples = np.random.default_rng(3).gamma(4, 2, (300, 25))  # skewed; the true mean is 8
    low, high = mean_intervals(samples)
    assert 0.89 < np.mean((low < 8) & (high > 8)) < 0.98
