"""The CNNs that are asked about one open picture, and the last answer of each, kept from one edit to the next.

`hybridcolor.session.EditSession` asks here for the `Groundwork` of every drawing. May import ``groundwork`` and below.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hybridcolor.drawing import NO_MODEL, Drawing
from hybridcolor.groundwork import Groundwork, load_model
from hybridcolor.picture import Picture

if TYPE_CHECKING:
    from hybridcolor.predict import Predictor


class Grounds:
    """The CNNs of a picture, loaded when they are first needed, and the last answer of each; for several threads.

    Parameters
    ----------
    picture : Picture
    predictor : Predictor or str, optional
        A CNN, or a model's name.

    Attributes
    ----------
    model : str
        The name of that CNN.
    """

    def __init__(self, picture: Picture, predictor: Predictor | str | None) -> None:
        self._picture = picture
        self._predictors: dict[str, Predictor | None] = {}
        if predictor is None or isinstance(predictor, str):
            self.model = predictor or NO_MODEL
        else:
            self.model = predictor.name
            self._predictors[self.model] = predictor
        self._said: dict[str, tuple[Drawing, Groundwork]] = {}  # by model, so that the picture is read once
        self._asking = threading.Lock()

    def predictor(self, model: str) -> Predictor | None:
        """The CNN of a name; None for strokes alone."""
        if model not in self._predictors:
            self._predictors[model] = _model(model)
        return self._predictors[model]

    def of(self, drawing: Drawing) -> Groundwork:
        """The groundwork of a drawing: its CNN reads the picture once, and is only told what was drawn since."""
        with self._asking:
            known = self._said.get(drawing.model)
            if known is None:
                predictor = self.predictor(drawing.model)
                ground = Groundwork.of(self._picture, predictor=predictor, **self.wanted(drawing))
            elif known[0] is drawing:
                ground = known[1]
            else:
                ground = known[1].changed(**self.wanted(drawing))
            self._said[drawing.model] = drawing, ground  # no other is kept: they are large
            return ground

    def wanted(self, drawing: Drawing) -> dict[str, Any]:
        """What a drawing asks of `hybridcolor.colorize`, but for its model and options."""
        return {
            "scribbles": drawing.scribbles,
            "method": drawing.method,
            "vividness": drawing.vividness,
            "caution": drawing.caution,
            **self.choice(drawing),
        }

    def choice(self, drawing: Drawing) -> dict[str, Any]:
        """Which automatic seeds it wants."""
        return {"confidence": drawing.confidence, "dismissed": drawing.without_seeds(self._picture.shape)}


def _model(name: str) -> Predictor | None:
    if name == NO_MODEL:
        return None
    from hybridcolor.predict.weights import find_model  # torch comes with it

    return _loaded(name, find_model(name).sha256)


@lru_cache(maxsize=2)
def _loaded(name: str, _weights: str) -> Predictor | None:
    """A model, kept for the next picture: loading it takes longer than to colour a slice of a stack."""
    return load_model(name)
