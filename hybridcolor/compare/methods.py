"""What can be compared by name: ``METHOD`` or ``METHOD:MODEL``.

A method is one of the propagators, ``cnn`` (the network's own colours; one that takes hints hears the scribbles) or
``gray`` (no colour: the least that any method must beat). The model ``none`` leaves a propagator alone with the
scribbles.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from hybridcolor.drawing import NO_MODEL
from hybridcolor.errors import MethodError
from hybridcolor.groundwork import Groundwork, suited_options
from hybridcolor.picture import Picture
from hybridcolor.pipeline import colorize, usual_finish
from hybridcolor.propagate import get_propagator
from hybridcolor.propagate.registry import propagator_names
from hybridcolor.seeds import Seeds

if TYPE_CHECKING:
    from hybridcolor.predict import Predictor

GRAY = "gray"
CNN = "cnn"
DEFAULT_METHODS = (GRAY, CNN, "hybrid", "optimization", "chrominance", "watershed", "flood")
"""What is compared where nothing is named."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way to colour a picture.

    Attributes
    ----------
    name : str
        As it was asked for, such as ``hybrid:lite``.
    algorithm : str
        A propagator's name, ``cnn`` or ``gray``.
    model : str or None
        A model's name; None where no network is used.

    Examples
    --------
    >>> Method.parse("optimization:none")
    Method(name='optimization:none', algorithm='optimization', model=None)
    """

    name: str
    algorithm: str
    model: str | None

    @classmethod
    def parse(cls, text: str) -> Method:
        """Read ``METHOD`` or ``METHOD:MODEL``; that a model is installed is found out when it is loaded.

        Raises
        ------
        MethodError
            If there is no such method, or it and the model do not go together.
        """
        algorithm, _, model = text.partition(":")
        known = (GRAY, CNN, *propagator_names())
        if algorithm not in known:
            raise MethodError(f"method {text!r} is unknown; give METHOD or METHOD:MODEL with one of {', '.join(known)}")
        if text.endswith(":") or (algorithm == GRAY and model) or (algorithm == CNN and model == NO_MODEL):
            raise MethodError(f"method {text!r} makes no sense; {algorithm!r} goes with {_models(algorithm)}")
        uses_none = algorithm == GRAY or model == NO_MODEL
        return cls(text, algorithm, None if uses_none else model or "default")

    @property
    def needs_scribbles(self) -> bool:
        """Whether it has nothing else to go by."""
        return self.model is None and self.algorithm != GRAY

    def options(self) -> dict[str, Any]:
        """Every setting that `colorize` runs it with, to be written down.

        Raises
        ------
        ModelError
            If its model is not installed.

        Examples
        --------
        >>> Method.parse("hybrid:lineart").options()["reach"], Method.parse("hybrid").options()["reach"]
        (3.0, 8.0)
        """
        if self.algorithm == GRAY:
            return {}
        settings = {}
        if self.model is not None:
            wanted = ("vividness", "caution") if self.algorithm == CNN else ("vividness", "caution", "confidence")
            settings = {name: _default(colorize, name) for name in wanted}
        if self.algorithm == CNN:
            return settings
        propagator = get_propagator(self.algorithm)
        parameters = inspect.signature(propagator).parameters.values()
        names = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in ("prior", "trust")]
        own = {name: _default(propagator, name) for name in names}
        return settings | own | suited_options(self.algorithm, {}, drawn=self._colours_drawings())

    def colorize(self, picture: Picture, predictor: Predictor | None, scribbles: Seeds | None) -> NDArray[Any]:
        """(H, W, 3) RGB of a picture in its colours; models and methods for drawings paint, as in files.

        Parameters
        ----------
        picture : Picture
        predictor : Predictor or None
            Of ``model``.
        scribbles : Seeds or None

        Raises
        ------
        SeedError, ConvergenceError
            As `hybridcolor.colorize`.
        """
        if self.algorithm == GRAY:
            return picture.to_rgb()
        finish = usual_finish(self.algorithm, predictor)
        if self.algorithm == CNN:
            heard = Seeds.empty() if scribbles is None else scribbles
            ground = Groundwork.of(picture, predictor=predictor, method="hybrid", scribbles=heard)
            return picture.to_rgb(ground.predicted, paint=finish == "paint")
        asked: dict[str, Any] = {"predictor": predictor, "scribbles": scribbles, "method": self.algorithm}
        return colorize(picture, finish=finish, **asked).to_rgb()

    def _colours_drawings(self) -> bool:
        """Whether its model is one of drawings, see `hybridcolor.predict.weights.ModelEntry`."""
        if self.model is None:
            return False
        from hybridcolor.predict.weights import find_model  # torch comes with it

        return find_model(self.model).paint


def _default(function: Callable[..., Any], name: str) -> Any:
    return inspect.signature(function).parameters[name].default


def _models(algorithm: str) -> str:
    if algorithm == GRAY:
        return "no model"
    return "the name of a model" + ("" if algorithm == CNN else f", or {NO_MODEL!r} for scribbles alone")
