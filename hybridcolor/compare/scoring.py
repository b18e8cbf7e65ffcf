"""Scores of one coloured picture, and where in it the errors are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.lab import rgb_to_lab
from hybridcolor.metrics import ab_rmse, colourfulness, psnr

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
    Column("psnr", "PSNR, dB", 1, "Peak signal to noise ratio of RGB."),
    Column("ab_rmse", "ab RMSE", -1, "Root mean square error of a* and b*, in their units."),
    Column("colourfulness", "Colourfulness", 0, "Hasler and Suesstrunk 2003; gray is 0.", needs_truth=False),
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
    own = {"colourfulness": colourfulness(rgb)}
    if truth is None:
        return Scored(own, None, {})
    ab, true = (np.ascontiguousarray(rgb_to_lab(pixels)[..., 1:]) for pixels in (rgb, truth))
    difference = ab - true
    distance = np.hypot(difference[..., 0], difference[..., 1])
    scores = {"psnr": psnr(rgb, truth), "ab_rmse": ab_rmse(ab, true), **own}
    shares = np.searchsorted(np.sort(distance, axis=None) / np.sqrt(2), LEVELS, side="right") / distance.size
    return Scored(scores, [round(float(share), 5) for share in shares], {ERROR: (distance / FULL_SCALE).clip(0, 1)})
