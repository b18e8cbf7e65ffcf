"""Means with intervals, and which differences are real: every method is measured on the same pictures, so pairwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hybridcolor.intervals import mean_intervals


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
    lows, highs = mean_intervals(table)
    if not better:
        return Row(count, {name: _mean(*each) for name, *each in zip(values, means, lows, highs, strict=True)})
    best = int(np.argmax(better * means))
    behind = better * (table[best] - table)
    low, _ = mean_intervals(behind)
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


def _mean(mean: float, low: float, high: float) -> Mean:
    return Mean(*_plain(mean, low, high))


def _plain(mean: float, low: float, high: float) -> tuple[float, float | None, float | None]:
    known = bool(np.isfinite(low) and np.isfinite(high))
    return float(mean), float(low) if known else None, float(high) if known else None
