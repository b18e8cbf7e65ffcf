"""Means with intervals, and which differences are real: every method is measured on the same pictures, so pairwise.

An interval is a 95% bootstrap interval over pictures (bias-corrected and accelerated; Efros and Tibshirani's book of
1993, chapter 14): how much the mean might be another one with other pictures of the same kind.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 2000
LEAST = 3
"""With fewer pictures no interval is given."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A method's mean score.

    Attributes
    ----------
    mean : float
    low, high : float or None
        The interval; None with too few pictures.
    best : bool
        No other method's mean is better.
    behind : float or None
        How much worse than the best, at least 0; None where a score has no better or worse.
    clearly : bool
        The interval of the paired difference from the best leaves out 0.
    """

    mean: float
    low: float | None
    high: float | None
    best: bool = False
    behind: float | None = None
    clearly: bool = False

    def as_json(self) -> dict[str, Any]:
        """For a report."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Row:
    """One score of all methods: means by method over the ``count`` pictures on which every method has it."""

    count: int
    means: dict[str, Mean]


def summarize(values: Mapping[str, Sequence[float | None]], *, better: int) -> Row | None:
    """Means of one score with intervals, and what is best.

    Parameters
    ----------
    values : mapping of sequence
        For each method a value for each picture; None where there is none. Pictures that lack one are left out for all
        methods: means over different pictures cannot be compared.
    better : {1, -1, 0}
        Higher is better, lower is, or neither.

    Returns
    -------
    Row or None
        None if no picture has the score.

    Examples
    --------
    >>> row = summarize({"a": [1, 2, 3, 4], "b": [2, 3, 4, None]}, better=1)
    >>> row.count, row.means["a"].mean, row.means["b"].best, row.means["a"].clearly
    (3, 2.0, True, True)
    """
    if not values:
        return None
    table = np.array([[np.nan if value is None else value for value in row] for row in values.values()], np.float64)
    table = table[:, np.isfinite(table).all(axis=0)]
    count = table.shape[1]
    if not count:
        return None
    means = table.mean(axis=1)
    lows, highs = bootstrap_interval(table)
    if not better:
        return Row(count, {name: _mean(*each) for name, *each in zip(values, means, lows, highs, strict=True)})
    best = int(np.argmax(better * means))
    behind = better * (table[best] - table)
    low, _ = bootstrap_interval(behind)
    return Row(
        count,
        {
            name: Mean(
                *_plain(means[i], lows[i], highs[i]),
                best=bool(means[i] == means[best]),
                behind=float(behind[i].mean()),
                clearly=bool(low[i] > 0),
            )
            for i, name in enumerate(values)
        },
    )


def bootstrap_interval(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper ends for the mean of each row of an (M, N) table; nan where N is less than `LEAST`.

    A row whose values are all the same has an interval of no width.
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


def _mean(mean: float, low: float, high: float) -> Mean:
    return Mean(*_plain(mean, low, high))


def _plain(mean: float, low: float, high: float) -> tuple[float, float | None, float | None]:
    known = bool(np.isfinite(low) and np.isfinite(high))
    return float(mean), float(low) if known else None, float(high) if known else None
