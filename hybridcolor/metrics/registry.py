"""Every score by name, so that a report or a study loops over them and knows what each means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hybridcolor.metrics.fidelity import ab_rmse, colourfulness, psnr
from hybridcolor.metrics.pair import Pair


@dataclass(frozen=True, slots=True)
class Score:
    """A number that says how good a result is.

    Attributes
    ----------
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
    name : str
        As it stands at the head of a table's column.
    about : str
        What it is, in one line.
    unit : str
        Empty: all are shares in 0..1.
    higher_is_better : bool
        False for all: 0 is a result without this failure.
    against : "truth" or "unfaded"
        What the `Pair`'s ``truth`` must be: the true picture, or the same method's result for the scene before it was
        faded (``result`` is then its result for the faded one, see `hybridcolor.metrics.fading`).
    function : callable
        Takes a `Pair`, returns the score and an (H, W) float32 map in 0..1.
    """

    name: str
    about: str
    unit: str
    higher_is_better: bool
    against: Literal["truth", "unfaded"]
    function: Callable[[Pair], tuple[float, NDArray[np.float32]]]

    def __call__(self, pair: Pair) -> tuple[float, NDArray[np.float32]]:
        """The score and the map of a pair."""
        return self.function(pair)


SCORES: dict[str, Score] = {
    "psnr": Score(
        name="PSNR",
        about="Peak signal to noise ratio of the RGB values",
        unit="dB",
        higher_is_better=True,
        function=lambda pair: psnr(pair.result, pair.truth),
    ),
    "ab_rmse": Score(
        name="ab RMSE",
        about="Root mean square error of a* and b*, over both channels",
        unit="ab",
        higher_is_better=False,
        function=lambda pair: ab_rmse(pair.result_ab, pair.truth_ab),
    ),
    "colourfulness": Score(
        name="Colourfulness",
        about="How colourful the result is, whether right or wrong (Hasler and Suesstrunk); gray is 0",
        unit="",
        higher_is_better=True,
        function=lambda pair: colourfulness(pair.result),
    ),
}
"""The scores by the key that CSV and JSON use."""

FAILURES: dict[str, Failure] = {}
"""The failure forms by the key that CSV and JSON use."""
