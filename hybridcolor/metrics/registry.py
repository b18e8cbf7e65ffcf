"""Every score by name, so that a report or a study loops over them and knows what each means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hybridcolor.metrics.auc import auc, smoothed_prior
from hybridcolor.metrics.bleeding import bleeding
from hybridcolor.metrics.deficiency import deficiency
from hybridcolor.metrics.fading import fading_sensitivity
from hybridcolor.metrics.fidelity import ab_psnr, ab_rmse, ciede2000, colourfulness, psnr, rgb_rmse
from hybridcolor.metrics.inconsistency import inconsistency
from hybridcolor.metrics.pair import Pair
from hybridcolor.metrics.pollution import pollution
from hybridcolor.metrics.structure import pa, qssim, ssim


@dataclass(frozen=True, slots=True)
class Score:
    """A number that says how good a result is.

    Attributes
    ----------
    key : str
        What CSV, JSON and the dict call it.
    name : str
        As it stands at the head of a table's column.
    about : str
        What it is, in one line.
    unit : str
        Such as "dB"; empty where the number is a plain ratio.
    higher_is_better : bool
        Which way is good.
    function : callable
        Takes a `Pair`, returns a float; may be ``inf`` (PSNR of equal pictures), never NaN.
    """

    key: str
    name: str
    about: str
    unit: str
    higher_is_better: bool
    function: Callable[[Pair], float]

    def __call__(self, pair: Pair) -> float:
        """The score of a pair."""
        return self.function(pair)


@dataclass(frozen=True, slots=True)
class Failure:
    """A way in which colorizations fail, as a number and as a map of where.

    Attributes
    ----------
    key : str
        What CSV, JSON and the dict call it.
    key : str
        What CSV, JSON and the dict call it.
    name : str
        As it stands at the head of a table's column.
    about : str
        What it is, in one line.
    function : callable
        Takes a `Pair`, returns the score and an (H, W) float32 map, both in 0..1.
    against : "truth" or "unfaded"
        What the `Pair`'s ``truth`` must be: the true picture, or the same method's result for the scene before it was
        faded (``result`` is then its result for the faded one; `hybridcolor.metrics.fading.fade` fades).
    unit : str
        Empty: all are shares.
    higher_is_better : bool
        False: 0 is a result without this failure.
    """

    key: str
    name: str
    about: str
    function: Callable[[Pair], tuple[float, NDArray[np.float32]]]
    against: Literal["truth", "unfaded"] = "truth"
    unit: str = ""
    higher_is_better: bool = False

    def __call__(self, pair: Pair) -> tuple[float, NDArray[np.float32]]:
        """The score and the map of a pair."""
        return self.function(pair)


def _balanced_auc(pair: Pair) -> float:
    prior = smoothed_prior(pair.truth_ab) if pair.class_prior is None else pair.class_prior
    return auc(pair.result_ab, pair.truth_ab, class_prior=prior)


_SCORES = [
    Score(
        "psnr",
        "PSNR",
        "Peak signal to noise ratio of the RGB values",
        "dB",
        higher_is_better=True,
        function=lambda pair: psnr(pair.result, pair.truth),
    ),
    Score(
        "rgb_rmse",
        "RGB RMSE",
        "Root mean square error of the RGB values, in 8-bit levels",
        "levels",
        higher_is_better=False,
        function=lambda pair: rgb_rmse(pair.result, pair.truth),
    ),
    Score(
        "ab_psnr",
        "ab PSNR",
        "Peak signal to noise ratio of a* and b*, the peak being 255",
        "dB",
        higher_is_better=True,
        function=lambda pair: ab_psnr(pair.result_ab, pair.truth_ab),
    ),
    Score(
        "ab_rmse",
        "ab RMSE",
        "Root mean square error of a* and b*, over both channels",
        "ab",
        higher_is_better=False,
        function=lambda pair: ab_rmse(pair.result_ab, pair.truth_ab),
    ),
    Score(
        "ciede2000",
        "CIEDE2000",
        "Mean colour difference as people see it",
        "",
        higher_is_better=False,
        function=lambda pair: ciede2000(pair.result_lab, pair.truth_lab),
    ),
    Score(
        "auc",
        "AuC",
        "Area under the share of pixels whose ab error is below 0 to 150",
        "",
        higher_is_better=True,
        function=lambda pair: auc(pair.result_ab, pair.truth_ab),
    ),
    Score(
        "auc_balanced",
        "AuC balanced",
        "AuC with every colour class counting the same: 1 over its share of the truth",
        "",
        higher_is_better=True,
        function=_balanced_auc,
    ),
    Score(
        "pa",
        "PA",
        "Share of the truly even pixels that are even in the result: few artefacts",
        "",
        higher_is_better=True,
        function=lambda pair: pa(pair.result_ab, pair.truth_ab),
    ),
    Score(
        "ssim",
        "SSIM",
        "Structural similarity of the RGB channels",
        "",
        higher_is_better=True,
        function=lambda pair: ssim(pair.result, pair.truth),
    ),
    Score(
        "qssim",
        "QSSIM",
        "Quaternion structural similarity: luminance, saturation and hue at once",
        "",
        higher_is_better=True,
        function=lambda pair: qssim(pair.result, pair.truth),
    ),
    Score(
        "colourfulness",
        "Colourfulness",
        "How colourful the result is, whether right or wrong; gray is 0",
        "",
        higher_is_better=True,
        function=lambda pair: colourfulness(pair.result),
    ),
]

SCORES: dict[str, Score] = {score.key: score for score in _SCORES}
"""The scores by the key that CSV and JSON use."""

_FAILURES = [
    Failure("inconsistency", "Inconsistent colouring", "One surface of one colour comes out in patches", inconsistency),
    Failure("pollution", "Edge pollution", "A rim of wrong or mixed colour right at the edges", pollution),
    Failure("bleeding", "Colour bleeding", "The colour of one thing crosses an edge into its neighbour", bleeding),
    Failure("deficiency", "Colour deficiency", "Chroma that the truth has and the result lacks", deficiency),
    Failure(
        "fading",
        "Fading sensitivity",
        "Colours change when nothing but the scene's light does",
        fading_sensitivity,
        against="unfaded",
    ),
]

FAILURES: dict[str, Failure] = {failure.key: failure for failure in _FAILURES}
"""The failure forms by the key that CSV and JSON use."""
