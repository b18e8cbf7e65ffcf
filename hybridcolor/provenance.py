"""How a result was made, in one line for its file to say.

May import ``predict`` and below.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import hybridcolor
from hybridcolor.drawing import NO_MODEL
from hybridcolor.errors import ModelError


def made_by(
    *, method: str, model: str, vividness: float, caution: float, options: Mapping[str, Any] | None = None, **more: Any
) -> str:
    """Version, settings and the checksum of the weights. It names no file, since names tell of patients.

    Parameters
    ----------
    method, vividness, caution, options
        As for `hybridcolor.colorize`.
    model : str
        A model's name, or "none".
    **more
        What else decided on the result, such as ``seeds_sha256``; None and False are left out.

    Examples
    --------
    >>> made_by(method="watershed", model="none", vividness=0.45, caution=0.0, tint=0.5).split(" ", 2)[2]
    '{"caution": 0.0, "method": "watershed", "model": "none", "options": {}, "tint": 0.5, "vividness": 0.45}'
    """
    told = {
        "method": method,
        "model": model,
        "vividness": vividness,
        "caution": caution,
        "options": dict(options or {}),
    }
    with suppress(ModelError):  # a predictor of a person's own
        told["weights_sha256"] = weights_sha256(model)
    told |= more
    told = {name: value for name, value in told.items() if value is not None and value is not False}
    return f"hybridcolor {hybridcolor.__version__} {json.dumps(told, sort_keys=True)}"


def weights_sha256(model: str) -> str | None:
    """Which weights a model has; None for no model.

    Raises
    ------
    ModelError
        If it is not installed.
    """
    if model == NO_MODEL:
        return None
    from hybridcolor.predict.weights import find_model  # torch comes with it

    return find_model(model).sha256
