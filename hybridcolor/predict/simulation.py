"""Hints as a person might give them, drawn from the true colours: what the hint decoder is trained on.

After R. Zhang et al., "Real-time user-guided image colorization with learned deep priors", SIGGRAPH 2017
(https://doi.org/10.1145/3072959.3073703): few hints mostly, many sometimes, small patches that average the true colour,
nearer the middle of the picture than its rim. Ours err a little in colour too, and some pictures have none.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hybridcolor.predict.networks.hints import AB_SCALE, CHANNELS

NONE = 0.3
"""Share of pictures without hints, so that the network keeps its own eye for colour."""
MEAN_COUNT = 8.0
MOST = 200
LARGEST_PATCH = 3
"""Cells; a cell is 4 x 4 pixels of the network's input."""
COLOUR_ERROR = 3.0
"""Standard deviation of a hint's a* and b*: nobody picks the true colour."""


def simulate_hints(truth: Tensor, rng: np.random.Generator) -> Tensor:
    """Hints for a batch, some pictures with none and some with many.

    Parameters
    ----------
    truth : (B, 2, h, w) float32
        True mean a* and b* of every cell.
    rng : numpy.random.Generator

    Returns
    -------
    (B, 3, h, w) float32
        As `hybridcolor.predict.networks.hints` takes them.

    Examples
    --------
    >>> hints = simulate_hints(torch.full((8, 2, 16, 16), 55.0), np.random.default_rng(0))
    >>> bool((hints[:, :2].abs() < 0.7).all()), sorted(set(hints[:, 2].flatten().tolist()))
    (True, [0.0, 1.0])
    """
    count = len(truth)
    counts = np.minimum(rng.geometric(1 / MEAN_COUNT, count), MOST) * (rng.random(count) >= NONE)
    return torch.stack([scattered_hints(truth[i], int(counts[i]), rng) for i in range(count)])


def scattered_hints(truth: Tensor, count: int, rng: np.random.Generator) -> Tensor:
    """So many hints on one picture: (2, h, w) true colours to (3, h, w)."""
    height, width = truth.shape[1:]
    hints = torch.zeros(CHANNELS, height, width)
    for _ in range(count):
        side = int(rng.integers(1, LARGEST_PATCH + 1))
        place = rng.normal(0.5, 0.25, 2) if rng.random() < 0.5 else rng.random(2)
        top, left = (place.clip(0, 1) * (height - side, width - side)).round().astype(int).clip(0)
        patch = (slice(None), slice(top, top + side), slice(left, left + side))
        colour = truth[patch].mean(dim=(1, 2)) + torch.from_numpy(rng.normal(0, COLOUR_ERROR, 2).astype(np.float32))
        hints[:2][patch] = colour[:, None, None] / AB_SCALE
        hints[2:][patch] = 1.0
    return hints
