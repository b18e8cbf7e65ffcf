"""Confidence intervals of mean scores: how far a mean over pictures would move with other pictures of the same kind.

``study`` and ``compare`` print them. Imports nothing of hybridcolor.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 2000
LEAST = 3
"""With fewer pictures no interval is given."""


def mean_intervals(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95% bootstrap intervals of means, bias-corrected and accelerated.

    Parameters
    ----------
    table : (M, N)
        M samples of N values each.

    Returns
    -------
    low, high : (M,)
        The ends for each row's mean; nan where N is less than `LEAST`. A row whose values are all the same has an
        interval of no width.

    References
    ----------
    B. Efron and R. Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 14, ISBN 978-0412042317.

    Examples
    --------
    >>> low, high = mean_intervals(np.arange(100.0)[np.newaxis])
    >>> bool(low[0] < 49.5 < high[0]), bool(high[0] - low[0] < 14)
    (True, True)
    """
    low, high = np.full((2, len(table)), np.nan)
    if table.shape[1] < LEAST:
        return low, high
    low, high = table.mean(axis=1), table.mean(axis=1)
    varied = np.ptp(table, axis=1) > 0
    if varied.any():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # few pictures: resamples that all are the same
            interval = stats.bootstrap(
                (table[varied],),
                np.mean,
                axis=1,
                vectorized=True,
                n_resamples=RESAMPLES,
                confidence_level=CONFIDENCE,
                method="BCa",
                rng=np.random.default_rng(0),
            ).confidence_interval
        low[varied], high[varied] = interval.low, interval.high
    return low, high
