"""Prediction: from luminance to a distribution over colours. torch lives in this package and nowhere else.

`load_predictor` makes the heavy object once; its ``predict`` is called for every picture. The networks are in
``networks``, their files in ``weights``; ``train`` makes new ones from ``data`` and ``publish`` ships them;
``importing`` takes in what others released, ``export`` writes ONNX.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hybridcolor.bins import ColorDistribution
from hybridcolor.errors import ModelError
from hybridcolor.predict.networks import build_network
from hybridcolor.predict.weights import ModelEntry, find_model, load_weights, read_registry
from hybridcolor.resampling import resample

__all__ = ["NetworkPredictor", "Predictor", "load_predictor", "read_registry"]

CELL = 4
"""Side of a cell of the predicted grid, in pixels of the network's input."""
_LONGEST = 4  # the longer side is at most this many times the shorter one; more is squeezed


@runtime_checkable
class Predictor(Protocol):
    """Anything that guesses colours: the shipped CNN, or yours."""

    @property
    def name(self) -> str:
        """What results are labelled with."""

    def predict(self, luminance: NDArray[np.float32]) -> ColorDistribution:
        """The distribution for an (H, W) plane of L* in 0..100."""


class NetworkPredictor:
    """A network of this package with its weights.

    Parameters
    ----------
    network : torch.nn.Module
        Luminance (B, 1, h, w) in 0..1 to logits (B, Q, h / 4, w / 4).
    name : str
        The model's name.
    class_prior : (Q,) float32 or None
        How often each bin occurred in training.
    temperature : float, optional
        Calibration of the logits.
    size : int, optional
        Shorter side of the network's input.
    """

    def __init__(
        self,
        network: nn.Module,
        name: str,
        *,
        class_prior: NDArray[np.float32] | None = None,
        temperature: float = 1.0,
        size: int = 192,
    ) -> None:
        self.network = network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.name = name
        self.class_prior = class_prior
        self.temperature = temperature
        self.size = size

    @torch.inference_mode()
    def predict(self, luminance: NDArray[np.float32]) -> ColorDistribution:
        """The network's belief about a picture of any size, seen at ``size`` pixels and averaged with its mirror image.

        Parameters
        ----------
        luminance : (H, W) float32
            L* in 0..100.

        Returns
        -------
        ColorDistribution
            On a grid of about ``size / 4`` cells along the shorter side.
        """
        shape = (luminance.shape[0], luminance.shape[1])
        rows, columns = self._input_size(shape)
        small = resample(luminance, (rows, columns))
        logits = (self._logits(small) + self._logits(small[:, ::-1])[:, ::-1]) / (2 * self.temperature)
        return ColorDistribution(np.ascontiguousarray(logits), shape, self.class_prior)

    def _logits(self, small: NDArray[np.float32]) -> NDArray[np.float32]:
        """(h, w, Q) logits of a plane of whole cells, padded to the network's stride and cropped again."""
        rows, columns = small.shape
        stride = int(getattr(self.network, "stride", CELL))
        padded = np.pad(small, ((0, -rows % stride), (0, -columns % stride)), mode="edge") / np.float32(100)
        plane = torch.from_numpy(padded)[None, None].contiguous(memory_format=torch.channels_last)
        logits: NDArray[np.float32] = self.network(plane)[0].permute(1, 2, 0).numpy()
        return logits[: rows // CELL, : columns // CELL]

    def _input_size(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of the network's input, whole cells, at about the picture's proportions."""
        scale = self.size / min(shape)
        longest = self.size * _LONGEST
        rows, columns = (min(longest, round(side * scale / CELL) * CELL) for side in shape)
        return rows, columns


def load_predictor(name: str = "default") -> Predictor:
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
    return network, prior
