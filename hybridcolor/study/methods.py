"""What a study compares: the main path, and what is left of it with one part or another switched off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hybridcolor.bins import ColorDistribution
from hybridcolor.extract import confidence_peaks
from hybridcolor.picture import Picture
from hybridcolor.pipeline import colorize
from hybridcolor.predict import Reading
from hybridcolor.seeds import Seeds, concatenate

Chroma = NDArray[np.float32]
"""(H, W, 2) a* and b*."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A photo as a study sees it: the picture, and a predictor that has read it once.

    Attributes
    ----------
    picture : Picture
    reading : Reading
    takes_hints : bool
        Whether the network is told of the strokes; else it is *deaf*.
    name : str
        As of any predictor.
    """

    picture: Picture
    reading: Reading
    takes_hints: bool = True
    name: str = "study"

    def predict(self, _luminance: NDArray[np.float32]) -> ColorDistribution:
        """What the network says before it hears of any stroke."""
        return self.reading.predict()

    def read(self, _luminance: NDArray[np.float32]) -> Reading:
        """The reading, for a network that listens."""
        return self.reading


def _scribbles_alone(scene: Scene, strokes: Seeds, *, method: str) -> Chroma:
    if len(strokes) == 0:
        return np.zeros((*scene.picture.shape, 2), np.float32)
    return colorize(scene.picture, scribbles=strokes, method=method).chroma


def _with_network(scene: Scene, strokes: Seeds, *, method: str, deaf: bool = False) -> Chroma:
    predictor = replace(scene, takes_hints=False) if deaf else scene
    return colorize(scene.picture, predictor=predictor, scribbles=strokes, method=method).chroma


def _confidence_peaks(scene: Scene, strokes: Seeds, *, method: str) -> Chroma:
    peaks = confidence_peaks(scene.reading.predict())
    return colorize(scene.picture, scribbles=concatenate(peaks, strokes), method=method).chroma


def _network_alone(scene: Scene, strokes: Seeds) -> Chroma:
    found = colorize(scene.picture, predictor=scene, scribbles=strokes).predicted
    assert found is not None  # noqa: S101  # there is a predictor
    return found


METHODS: dict[str, Callable[[Scene, Seeds], Chroma]] = {
    "hybrid": partial(_with_network, method="hybrid"),
    "hybrid, network deaf": partial(_with_network, method="hybrid", deaf=True),
    "network alone": _network_alone,
    "optimization": partial(_scribbles_alone, method="optimization"),
    "optimization, automatic seeds": partial(_with_network, method="optimization"),
    "chrominance": partial(_scribbles_alone, method="chrominance"),
    "chrominance, automatic seeds": partial(_with_network, method="chrominance"),
    "optimization, confidence peaks": partial(_confidence_peaks, method="optimization"),
    "chrominance, confidence peaks": partial(_confidence_peaks, method="chrominance"),
    "watershed": partial(_scribbles_alone, method="watershed"),
    "watershed, automatic seeds": partial(_with_network, method="watershed"),
}
"""The main path, and what is left of it without one part or another: without the hint decoder (the network is *deaf*),
without propagation (*network alone*), without the network (*optimization* is the rest of the hybrid). *Confidence
peaks* are the plain idea of automatic seeds."""
DEFAULT_METHODS = ("hybrid", "hybrid, network deaf", "network alone", "optimization", "chrominance")
