"""Scores of one coloured picture, and where in it the errors are.

Errors of a* and b* come in two measures. With (da, db) the error of a pixel, `LEVELS` and the shares of pixels are by
its root mean square per channel, sqrt((da^2 + db^2) / 2), as RMSE is; `FULL_SCALE` and the error map are by its
Euclidean distance, sqrt(da^2 + db^2), which is sqrt(2) times as large.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.metrics.fidelity import cumulative_histogram, pixel_errors
from hybridcolor.metrics.pair import Pair
from hybridcolor.metrics.registry import FAILURES, SCORES

ERROR = "error"
FULL_SCALE = 50.0
"""The Euclidean distance in ab that an error map shows at full brightness."""
LEVELS = np.arange(0, 101)
"""The errors, RMS per channel in ab units, for each of which the share of pixels with at most so much is counted."""


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
        Column(key, score.name, score.better, score.about, needs_truth=score.needs_truth)
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
        The share of pixels whose error is at most each of `LEVELS`; None without the truth.
    maps : dict of (H, W) float32
        Where the errors are, in 0..1: the distance in ab over `FULL_SCALE`, then each of `FAILURES`. Empty without the
        truth.
    """

    scores: dict[str, float]
    shares: list[float] | None
    maps: dict[str, NDArray[np.float32]]


def score(rgb: NDArray[Any], truth: NDArray[Any] | None) -> Scored:
    """Measure one result, against the truth if there is one.

    Parameters
    ----------
    rgb : (H, W, 3) uint8 or uint16
        sRGB.
    truth : (H, W, 3) uint8 or uint16, or None
        sRGB.

    Raises
    ------
    ImageError
        If the two are not of one shape, or not of these types.

    Examples
    --------
    >>> red, gray = np.full((4, 4, 3), (200, 60, 60), np.uint8), np.full((4, 4, 3), 110, np.uint8)
    >>> score(gray, red).scores["deficiency"], score(gray, None).scores
    (1.0, {'colourfulness': 0.0})
    """
    pair = Pair(rgb, rgb if truth is None else truth)
    if truth is None:
        return Scored({key: each.function(pair) for key, each in SCORES.items() if not each.needs_truth}, None, {})
    scores = {key: each.function(pair) for key, each in SCORES.items()}
    errors = pixel_errors(pair.result_ab, pair.truth_ab)
    maps = {ERROR: (errors * np.float32(np.sqrt(2) / FULL_SCALE)).clip(0, 1)}  # sqrt(2): RMS to distance
    for key, failure in FAILURES.items():
        scores[key], maps[key] = failure.function(pair)
    shares = [round(float(share), 5) for share in cumulative_histogram(errors, LEVELS)]
    return Scored(scores, shares, maps)
