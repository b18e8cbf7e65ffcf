"""Hints as a person might give them, drawn from the true colours: what the hint decoder is trained on.

After R. Zhang et al., "Real-time user-guided image colorization with learned deep priors", SIGGRAPH 2017
(https://doi.org/10.1145/3072959.3073703): few hints mostly, many sometimes, small patches that average the true colour,
nearer the middle of the picture than its rim. Ours err a little in colour too, some pictures have none, in some the
hints are strokes drawn over one thing, and in some one thing has been given another colour.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hybridcolor.predict.data import Batch, SoftTargets, true_colours
from hybridcolor.predict.networks.hints import AB_SCALE, CHANNELS
from hybridcolor.predict.recolouring import find_thing, other_colour

soft_targets = cache(SoftTargets)

MEAN_COUNT = 8.0
MOST = 200
LARGEST_PATCH = 3
"""Cells; a cell is 4 x 4 pixels of the network's input."""
COLOUR_ERROR = 3.0
"""Standard deviation of a hint's a* and b*: nobody picks the true colour."""
STROKES = 0.4
"""Share of the hinted pictures whose hints are strokes, not patches."""
LONGEST_STROKE = 16
"""Cells of the longest simulated stroke."""
SAME_THING = 12.0
"""Ab units: a stroke ends where the true colour differs more than this from that of its start."""
RECOLOURED = 0.6
"""Share of the hinted pictures in which one thing is recoloured."""


def simulate(batch: Batch, hinted: float, rng: np.random.Generator) -> tuple[Batch, Tensor]:
    """A batch as people might want it coloured, and the hints they give.

    Parameters
    ----------
    batch : Batch
        As `hybridcolor.predict.data.batches` gives it.
    hinted : float
        Share of pictures with hints; the others keep the network's own eye for colour.
    rng : numpy.random.Generator

    Returns
    -------
    batch : Batch
        The same pictures, in some of them one thing of another colour.
    hints : (B, 3, h, w) float32
        As `hybridcolor.predict.networks.hints` takes them.
    """
    luminance, index, weight = batch
    truth = true_colours(index, weight)
    hints = simulate_hints(truth, hinted, rng)
    levels = 100 * nn.functional.avg_pool2d(luminance, luminance.shape[2] // truth.shape[2])[:, 0]
    index, weight = index.clone(), weight.clone()
    for i in range(len(truth)):
        if rng.random() >= RECOLOURED or not hints[i, 2].any():
            continue
        level, ab = levels[i].numpy(), truth[i].permute(1, 2, 0).numpy()
        thing = find_thing(level, ab, rng)
        if thing is None:
            continue
        texture = 0.5 * (ab[thing] - ab[thing].mean(axis=0))
        colours = other_colour(float(level[thing].mean()), rng) + texture
        inside = torch.from_numpy(thing)
        index[i][inside], weight[i][inside] = soft_targets()(colours)
        # Hints that were there now name the new colour, and there is at least one.
        hints[i, :, inside] = hints[i, :, inside].where(hints[i, 2, inside] == 0, _hint(colours.mean(axis=0), rng))
        for at in rng.integers(len(colours), size=rng.integers(1, 4)):
            row, column = np.argwhere(thing)[at]
            hints[i, :, row, column] = _hint(colours[at], rng)[:, 0]
    return (luminance, index, weight), hints


def _hint(colour: NDArray[np.floating[Any]], rng: np.random.Generator) -> Tensor:
    """(3, 1) one hint of about a colour."""
    a, b = (colour + rng.normal(0, COLOUR_ERROR, 2)) / AB_SCALE
    return torch.tensor([[a], [b], [1.0]], dtype=torch.float32)


def simulate_hints(truth: Tensor, hinted: float, rng: np.random.Generator) -> Tensor:
    """Hints for a batch, some pictures with none and some with many.

    Parameters
    ----------
    truth : (B, 2, h, w) float32
        True mean a* and b* of every cell.
    hinted : float
        Share of pictures with hints.
    rng : numpy.random.Generator

    Returns
    -------
    (B, 3, h, w) float32
        As `hybridcolor.predict.networks.hints` takes them.

    Examples
    --------
    >>> hints = simulate_hints(torch.full((8, 2, 16, 16), 55.0), 0.7, np.random.default_rng(0))
    >>> bool((hints[:, :2].abs() < 0.7).all()), sorted(set(hints[:, 2].flatten().tolist()))
    (True, [0.0, 1.0])
    """
    count = len(truth)
    counts = np.minimum(rng.geometric(1 / MEAN_COUNT, count), MOST) * (rng.random(count) < hinted)
    makers = [stroke_hints if drawn else scattered_hints for drawn in rng.random(count) < STROKES]
    return torch.stack([make(truth[i], int(counts[i]), rng) for i, make in enumerate(makers)])


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


def stroke_hints(truth: Tensor, count: int, rng: np.random.Generator) -> Tensor:
    """So many strokes on one picture, one cell wide, each of the colour where it began: (2, h, w) to (3, h, w).

    Examples
    --------
    >>> left_and_right = torch.tensor([0.0, 55.0]).repeat_interleave(8).expand(2, 16, 16)
    >>> hints = stroke_hints(left_and_right, 9, np.random.default_rng(0))
    >>> on_the_right = hints[0, :, 8:][hints[2, :, 8:] > 0]
    >>> bool((on_the_right > 0.35).all()), len(on_the_right) > 9
    (True, True)
    """
    colours = truth.numpy()
    last = np.array(colours.shape[1:]) - 1
    hints = np.zeros((CHANNELS, *colours.shape[1:]), np.float32)
    for _ in range(count):
        start = rng.random(2) * last
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.3, rng.integers(1, LONGEST_STROKE + 1)))
        path = start + np.cumsum(np.stack([np.sin(heading), np.cos(heading)], 1), axis=0)
        row, column = np.vstack([start, path]).clip(0, last).round().astype(int).T
        first = colours[:, row[0], column[0]]
        other = np.hypot(*(colours[:, row, column] - first[:, None])) > SAME_THING
        end = int(other.argmax()) if other.any() else len(row)
        colour = first + rng.normal(0, COLOUR_ERROR, 2)
        hints[:2, row[:end], column[:end]] = colour[:, None] / AB_SCALE
        hints[2, row[:end], column[:end]] = 1.0
    return torch.from_numpy(hints)
