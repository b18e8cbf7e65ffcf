"""Scores of one coloured picture, and where in it the errors are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000
from skimage.metrics import structural_similarity

from hybridcolor.lab import rgb_to_lab
from hybridcolor.metrics import ab_rmse, colourfulness, psnr

ERROR = "error"
FULL_SCALE = 50.0
"""The ab distance that an error map shows at full brightness."""
LEVELS = np.arange(0, 101)
"""The errors, in ab units, at which the share of pixels below is counted."""
SSIM_WINDOW = 7
"""Side of the window that scikit-image measures SSIM in, in pixels."""


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
    Column(
        "ssim", "SSIM", 1, "Structural similarity of RGB, Wang et al. 2004 (doi 10.1109/TIP.2003.819861); 1 is equal."
    ),
    Column("ciede2000", "CIEDE2000", -1, "Mean colour difference as seen, by the formula of 2000; 1 is just visible."),
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
    lab, true_lab = rgb_to_lab(rgb), rgb_to_lab(truth)
    ab, true = np.ascontiguousarray(lab[..., 1:]), np.ascontiguousarray(true_lab[..., 1:])
    difference = ab - true
    distance = np.hypot(difference[..., 0], difference[..., 1])
    scores = {
        "psnr": psnr(rgb, truth),
        "ab_rmse": ab_rmse(ab, true),
        "ssim": _ssim(rgb, truth),
        "ciede2000": float(deltaE_ciede2000(true_lab, lab).mean()),  # type: ignore[no-untyped-call]
        **own,
    }
    shares = np.searchsorted(np.sort(distance, axis=None) / np.sqrt(2), LEVELS, side="right") / distance.size
    return Scored(scores, [round(float(share), 5) for share in shares], {ERROR: (distance / FULL_SCALE).clip(0, 1)})


def _ssim(rgb: NDArray[Any], truth: NDArray[Any]) -> float:
    """Mean over the picture; nan if it is smaller than the window."""
    if min(rgb.shape[:2]) < SSIM_WINDOW:
        return float("nan")
    full = float(np.iinfo(truth.dtype).max)
    options = {"win_size": SSIM_WINDOW, "channel_axis": 2, "data_range": full}
    return float(structural_similarity(truth, rgb, **options))  # type: ignore[no-untyped-call]
