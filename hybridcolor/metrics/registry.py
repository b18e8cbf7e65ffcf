"""Every score by name, so that a report loops over them and knows what each means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybridcolor.metrics.auc import auc, smoothed_prior
from hybridcolor.metrics.bleeding import bleeding
from hybridcolor.metrics.deficiency import deficiency
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
    name : str
        As it stands at the head of a table's column.
    better : {1, -1, 0}
        Higher is better, lower is, or neither.
    about : str
        What it is, in one line.
    function : callable
        Takes a `Pair`, returns a float; may be ``inf`` (PSNR of equal pictures), never NaN.
    needs_truth : bool
        Whether it depends on the pair's truth.
    """

    name: str
    better: int
    about: str
    function: Callable[[Pair], float]
    needs_truth: bool = True


@dataclass(frozen=True, slots=True)
class Failure:
    """A way in which colorizations fail, as a share (0 is a result without it) and as a map of where.

    Attributes
    ----------
    name, about : str
        As for a `Score`.
    function : callable
        Takes a `Pair`, returns the share and an (H, W) float32 map, both in 0..1.
    """

    name: str
    about: str
    function: Callable[[Pair], tuple[float, NDArray[np.float32]]]


def _balanced_auc(pair: Pair) -> float:
    return auc(pair.result_ab, pair.truth_ab, class_prior=smoothed_prior(pair.truth_ab))


SCORES: dict[str, Score] = {
    "psnr": Score("PSNR, dB", 1, "Peak signal to noise ratio of RGB.", lambda pair: psnr(pair.result, pair.truth)),
    "rgb_rmse": Score(
        "RGB RMSE",
        -1,
        "Root mean square error of RGB; white is 255.",
        lambda pair: rgb_rmse(pair.result, pair.truth),
    ),
    "ab_psnr": Score(
        "ab PSNR, dB",
        1,
        "Peak signal to noise ratio of a* and b*; the peak is 255.",
        lambda pair: ab_psnr(pair.result_ab, pair.truth_ab),
    ),
    "ab_rmse": Score(
        "ab RMSE",
        -1,
        "Root mean square error of a* and b*, in their units.",
        lambda pair: ab_rmse(pair.result_ab, pair.truth_ab),
    ),
    "ciede2000": Score(
        "CIEDE2000",
        -1,
        "Mean colour difference as seen, by the formula of 2000; 1 is just visible.",
        lambda pair: ciede2000(pair.result_lab, pair.truth_lab),
    ),
    "auc": Score(
        "AuC",
        1,
        "Area under the share of pixels whose ab error is below 0 to 150 (Zhang et al. 2016).",
        lambda pair: auc(pair.result_ab, pair.truth_ab),
    ),
    "auc_balanced": Score(
        "AuC, balanced", 1, "AuC in which every colour of the picture counts the same, however rare.", _balanced_auc
    ),
    "pa": Score(
        "PA",
        1,
        "Share of the truly even pixels that are even in the result: few artefacts.",
        lambda pair: pa(pair.result_ab, pair.truth_ab),
    ),
    "ssim": Score(
        "SSIM",
        1,
        "Structural similarity of RGB, Wang et al. 2004 (doi 10.1109/TIP.2003.819861); 1 is equal.",
        lambda pair: ssim(pair.result, pair.truth),
    ),
    "qssim": Score(
        "QSSIM",
        1,
        "Quaternion structural similarity: luminance, saturation and hue at once (doi 10.1109/TIP.2011.2181522).",
        lambda pair: qssim(pair.result, pair.truth),
    ),
    "colourfulness": Score(
        "Colourfulness",
        0,
        "Hasler and Suesstrunk 2003; gray is 0.",
        lambda pair: colourfulness(pair.result),
        needs_truth=False,
    ),
    "true_colourfulness": Score(
        "Colourfulness, truth",
        0,
        "That of the true colours, the same for every method: colourfulness is best near it.",
        lambda pair: colourfulness(pair.truth),
    ),
}
"""The scores by the key that CSV and JSON use."""

FAILURES: dict[str, Failure] = {
    "inconsistency": Failure("Inconsistent", "One surface of one colour comes out in patches.", inconsistency),
    "pollution": Failure("Polluted edges", "A rim of wrong or mixed colour right at the edges.", pollution),
    "bleeding": Failure("Bleeding", "The colour of one thing crosses an edge into its neighbour.", bleeding),
    "deficiency": Failure("Deficient", "Chroma that the truth has and the result lacks.", deficiency),
}
"""The failure forms that one result shows. The fifth, `hybridcolor.metrics.fading`, compares two results."""
