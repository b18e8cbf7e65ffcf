"""A network at work: a picture is read once, and then answered as often as a person gives other hints."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hybridcolor.bins import ColorDistribution
from hybridcolor.errors import ModelError
from hybridcolor.picture import Picture
from hybridcolor.predict.networks.hints import AB_SCALE, CHANNELS
from hybridcolor.resampling import resample
from hybridcolor.seeds import Seeds
from hybridcolor.strokes import possible_strokes

CELL = 4
"""Side of a cell of the predicted grid, in pixels of the network's input."""
_LONGEST = 4  # the longer side is at most this many times the shorter one; more is squeezed


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
    paint : bool, optional
        Whether it colours drawings, whose blank paper needs room for colour (`hybridcolor.painting`).
    """

    def __init__(
        self,
        network: nn.Module,
        name: str,
        *,
        class_prior: NDArray[np.float32] | None = None,
        temperature: float = 1.0,
        size: int = 192,
        paint: bool = False,
    ) -> None:
        self.network = network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.name = name
        self.class_prior = class_prior
        self.temperature = temperature
        self.size = size
        self.paint = paint

    @property
    def takes_hints(self) -> bool:
        """Whether the network listens to a person's hints."""
        return bool(getattr(self.network, "takes_hints", False))

    def input_size(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns at which the network looks at a picture: whole cells, at about the same proportions."""
        scale = self.size / min(shape)
        longest = self.size * _LONGEST
        rows, columns = (min(longest, round(side * scale / CELL) * CELL) for side in shape)
        return rows, columns

    def predict(self, luminance: NDArray[np.float32], hints: Seeds | None = None) -> ColorDistribution:
        """The network's belief about a picture of any size, seen at ``size`` pixels and averaged with its mirror image.

        Parameters
        ----------
        luminance : (H, W) float32
            L* in 0..100.
        hints : Seeds, optional
            What a person says; of no effect if the network does not take hints.

        Returns
        -------
        ColorDistribution
            On a grid of about ``size / 4`` cells along the shorter side.

        Raises
        ------
        ImageError
            If the luminance is no plane of numbers in 0..100.
        SeedError
            If a hint lies outside the picture.
        """
        return self.read(luminance).predict(hints)

    def read(self, luminance: NDArray[np.float32]) -> Reading:
        """Look at a picture, for one or many answers; ``luminance`` is (H, W), L* in 0..100."""
        return Reading(self, luminance)


class Reading:
    """A picture as a network has read it: an answer to new hints costs the decoder only.

    A network takes what it is told for true of the whole picture. Told that a coat is purple, it would find purple
    elsewhere too. So it only hears strokes that it holds possible; the others are left to propagation.

    Parameters
    ----------
    predictor : NetworkPredictor
    luminance : (H, W) float32
        L* in 0..100.

    Examples
    --------
    >>> from hybridcolor.predict import load_predictor
    >>> reading = load_predictor().read(np.full((40, 60), 50, np.float32))
    >>> reading.predict().shape
    (40, 60)
    """

    def __init__(self, predictor: NetworkPredictor, luminance: NDArray[np.float32]) -> None:
        luminance = Picture(np.asarray(luminance, np.float32)).luminance  # which checks it
        self._predictor = predictor
        self._shape = (luminance.shape[0], luminance.shape[1])
        rows, columns = predictor.input_size(self._shape)
        small = resample(luminance, (rows, columns)) / np.float32(100)
        self._grid = (rows // CELL, columns // CELL)
        stride = int(getattr(predictor.network, "stride", CELL))
        self._rim = (-rows % stride, -columns % stride)  # what the input is padded by to whole strides
        both = np.stack([_padded(plane, self._rim, mode="edge") for plane in (small, small[:, ::-1])])
        self._seen: list[Tensor] | Tensor = self._look(
            torch.from_numpy(both)[:, None].contiguous(memory_format=torch.channels_last)
        )

    def predict(self, hints: Seeds | None = None) -> ColorDistribution:
        """The belief about the picture, see `NetworkPredictor.predict`."""
        if hints is None or len(hints) == 0 or not self._predictor.takes_hints:
            return self._blind
        hints.check_inside(self._shape)
        believed = possible_strokes(hints, self._blind)
        return self._answer(believed) if len(believed) else self._blind

    @torch.inference_mode()
    def features(self) -> list[NDArray[np.float32]]:
        """What the encoder makes of each cell of the grid: (h, w, C) of length 1, for each of its scales.

        Raises
        ------
        ModelError
            If the network is not one that keeps them: one that takes hints.
        """
        if isinstance(self._seen, Tensor):
            raise ModelError(f"model {self._predictor.name!r} keeps no features of a picture; use one that takes hints")
        height, width = self._grid
        size = self._seen[0].shape[2:]
        unit = [functional.normalize(level) for level in self._seen]
        scales = [functional.interpolate(level, size=size, mode="bilinear")[..., :height, :width] for level in unit]
        return [((plain + mirrored.flip(2)) / 2).permute(1, 2, 0).numpy() for plain, mirrored in scales]

    @cached_property
    def _blind(self) -> ColorDistribution:
        return self._answer(None)

    @torch.inference_mode()
    def _answer(self, hints: Seeds | None) -> ColorDistribution:
        logits = self._seen if isinstance(self._seen, Tensor) else self._decode(self._seen, hints)
        height, width = self._grid
        plain, mirrored = (side[:, :height, :width] for side in logits)
        mean = (plain + mirrored.flip(2)) / (2 * self._predictor.temperature)
        belief = np.ascontiguousarray(mean.permute(1, 2, 0).numpy())
        return ColorDistribution(belief, self._shape, self._predictor.class_prior)

    @torch.inference_mode()
    def _look(self, planes: Tensor) -> list[Tensor] | Tensor:
        """Features of the picture and its mirror image where hints may come to them, else the logits themselves."""
        network = self._predictor.network
        seen: list[Tensor] | Tensor = network.encoder(planes) if self._predictor.takes_hints else network(planes)
        return seen

    def _decode(self, features: list[Tensor], hints: Seeds | None) -> Tensor:
        given = None
        if hints is not None:
            cells = hint_cells(hints, self._shape, self._grid)
            rim = (self._rim[0] // CELL, self._rim[1] // CELL)
            both = np.stack([[_padded(plane, rim) for plane in side] for side in (cells, cells[..., ::-1])])
            given = torch.from_numpy(both)
        logits: Tensor = self._predictor.network.decode(features, given)
        return logits


def hint_cells(hints: Seeds, shape: tuple[int, int], grid: tuple[int, int]) -> NDArray[np.float32]:
    """Hints as the networks take them: for every cell the mean a* and b* of its hints over 110, and whether it has any.

    Parameters
    ----------
    hints : Seeds
        Inside the picture.
    shape, grid : tuple of int
        Rows and columns of the picture, and of the cells laid over it.

    Returns
    -------
    (3, h, w) float32

    Examples
    --------
    >>> hint_cells(Seeds.of([[0, 0], [1, 1], [9, 9]], [[11, 0], [33, 0], [0, -55]]), (10, 10), (2, 2)).round(1).tolist()
    [[[0.2, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, -0.5]], [[1.0, 0.0], [0.0, 1.0]]]
    """
    row, column = (hints.coords.astype(np.int64) * grid // shape).T
    cells = np.zeros((CHANNELS, *grid), np.float32)
    for channel, values in enumerate((*(hints.ab.T / AB_SCALE), np.ones(len(hints)))):
        np.add.at(cells[channel], (row, column), values)
    cells[:2] /= np.maximum(cells[2], 1)
    cells[2] = np.minimum(cells[2], 1)
    return cells


def _padded(plane: NDArray[np.float32], rim: tuple[int, int], **how: str) -> NDArray[np.float32]:
    return np.pad(plane, ((0, rim[0]), (0, rim[1])), **how)  # type: ignore[call-overload,no-any-return]
