"""Prediction: from luminance to a distribution over colours. torch lives in this package and nowhere else.

`load_predictor` makes the heavy object once (a `NetworkPredictor`); its ``predict`` is called for every picture. The
networks are in ``networks``, their files in ``weights``; ``train`` makes new ones from ``data`` and ``publish`` ships
them; ``importing`` takes in what others released, ``export`` writes ONNX.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hybridcolor.bins import ColorDistribution
from hybridcolor.errors import ModelError
from hybridcolor.predict.networks import build_network
from hybridcolor.predict.predictor import NetworkPredictor, Reading
from hybridcolor.predict.weights import ModelEntry, find_model, load_weights, read_registry

__all__ = ["NetworkPredictor", "Predictor", "Reading", "load_predictor", "read_registry"]

if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads, and would wait for them for ever
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))


@runtime_checkable
class Predictor(Protocol):
    """Anything that guesses colours: the shipped CNN, or yours.

    One whose ``takes_hints`` is true also has ``read(luminance)``, as `NetworkPredictor` has, and hears what a person
    draws.
    """

    @property
    def name(self) -> str:
        """What results are labelled with."""

    def predict(self, luminance: NDArray[np.float32]) -> ColorDistribution:
        """The distribution for an (H, W) plane of L* in 0..100."""


def load_predictor(name: str = "default") -> NetworkPredictor:
    """A shipped model, ready to predict.

    Parameters
    ----------
    name : str, optional
        A name that ``hybridcolor models`` lists.

    Raises
    ------
    ModelError
        If the model is unknown, or its file damaged.

    Examples
    --------
    >>> predictor = load_predictor()
    >>> predictor.predict(np.full((40, 60), 50, np.float32)).shape
    (40, 60)
    """
    entry = find_model(name)
    network, prior = load_network(entry)
    return NetworkPredictor(
        network,
        entry.name,
        class_prior=None if prior is None else prior.numpy(),
        temperature=entry.temperature,
        size=entry.size,
        paint=entry.paint,
    )


def load_network(entry: ModelEntry) -> tuple[nn.Module, torch.Tensor | None]:
    """A model's network with its weights, and the class prior (Q,) that came with them.

    Raises
    ------
    ModelError
        If the file is damaged or is not of the network that the entry names.
    """
    tensors = load_weights(entry)
    prior = tensors.pop("class_prior", None)
    network = build_network(entry.network)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ModelError(
            f"model {entry.name!r} does not fit network {entry.network!r}; reinstall hybridcolor"
        ) from error
    if prior is not None and not (torch.isfinite(prior).all() and (prior >= 0).all()):
        raise ModelError(f"model {entry.name!r} has a class prior that is no frequency; reinstall hybridcolor")
    return network, prior
