"""Scores of one coloured picture, and where in it the errors are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.metrics.fidelity import colourfulness, cumulative_histogram, pixel_errors
from hybridcolor.metrics.pair import Pair
from hybridcolor.metrics.registry import FAILURES, SCORES

ERROR = "error"
FULL_SCALE = 50.0
"""The ab distance that an error map shows at full brightness."""
LEVELS = np.arange(0, 101)
"""The errors, in ab units, at which the share of pixels below is counted."""


@dataclass(frozen=True, slots=True)
class Column:
    """A score: how it is called, and which way is better (1 higher, -1 lower, 0 neither)."""

    key: str
    label: str
    better: int
    about: str
    needs_truth: bool = True


COLUMNS = (
    *(
        Column(key, score.name, score.better, score.about, needs_truth=key != "colourfulness")
        for key, score in SCORES.items()
    ),
    *(Column(key, failure.name, -1, failure.about) for key, failure in FAILURES.items()),
)
"""All scores, in the order of the tables."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What was measured on one result.

    Attributes
    ----------
    scores : dict of float
        By the keys of `COLUMNS`; those that need the truth are left out without it.
    shares : list of float or None
        The share of pixels whose error is at most each of `LEVELS`.
    maps : dict of (H, W) float32
        Where the errors are, in 0..1.
    """

    scores: dict[str, float]
    shares: list[float] | None
    maps: dict[str, NDArray[np.float32]]


def score(rgb: NDArray[Any], truth: NDArray[Any] | None) -> Scored:
    """Measure one result, (H, W, 3) sRGB, against the truth if there is one."""
    if truth is None:
        return Scored({"colourfulness": colourfulness(rgb)}, None, {})
    pair = Pair(rgb, truth)
    scores = {key: score.function(pair) for key, score in SCORES.items()}
    errors = pixel_errors(pair.result_ab, pair.truth_ab)
    maps = {ERROR: (errors * np.float32(np.sqrt(2) / FULL_SCALE)).clip(0, 1)}
    for key, failure in FAILURES.items():
        scores[key], maps[key] = failure.function(pair)
    shares = [round(float(share), 5) for share in cumulative_histogram(errors, LEVELS)]
    return Scored(scores, shares, maps)
