"""Strokes as numbered markers, the one colour that stands for several seeds, and painting by marker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybridcolor.propagate.propagation import Propagation
from hybridcolor.seeds import Seeds


@dataclass(frozen=True, slots=True, eq=False)
class Markers:
    """The strokes of some seeds, numbered 1, 2, ... in order of their ids.

    Attributes
    ----------
    plane : (H, W) int32
        The marker of each seed's pixel, 0 elsewhere.
    of_seed : (N,) int32
        The marker of each seed.
    stroke : (M,) int32
        Stroke id of each marker; ``stroke[0]`` is that of marker 1.
    colour : (M, 2) float32
        One colour for each: the stroke's own colour nearest to its weighted median (see `typical`).
    """

    plane: NDArray[np.int32]
    of_seed: NDArray[np.int32]
    stroke: NDArray[np.int32]
    colour: NDArray[np.float32]


def mark(seeds: Seeds, shape: tuple[int, ...]) -> Markers:
    """Number the strokes and draw them into a plane of ``shape``."""
    stroke, order = np.unique(seeds.stroke, return_inverse=True)
    of_seed = (order.ravel() + 1).astype(np.int32)
    plane = np.zeros(shape, np.int32)
    plane[seeds.coords[:, 0], seeds.coords[:, 1]] = of_seed
    return Markers(plane, of_seed, stroke, seeds.ab[typical(seeds.ab, seeds.weight, order.ravel())])


def paint(owner: NDArray[np.int32], markers: Markers, seeds: Seeds) -> Propagation:
    """Each pixel in its marker's colour; hard seeds keep their own colour and stroke."""
    colour = np.concatenate([np.zeros((1, 2), np.float32), markers.colour])  # there is no marker 0
    label = np.concatenate([np.zeros(1, np.int32), markers.stroke])[owner]
    chroma = colour.view(np.complex64).ravel()[owner].view(np.float32).reshape(*owner.shape, 2)
    hard = np.isinf(seeds.weight)
    row, column = seeds.coords[hard].T
    chroma[row, column] = seeds.ab[hard]
    label[row, column] = seeds.stroke[hard]
    return Propagation(chroma, label=label)


def typical(ab: NDArray[np.float32], weight: NDArray[np.float32], group: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each group of seeds, the one whose colour is nearest to the weighted median of both channels.

    Less than half of a group's weight, however wrong, cannot carry the colour away, and the colour is one that
    was really given. Where a group has hard seeds (weight inf), only those count, alike.

    Parameters
    ----------
    ab : (N, 2) float32
    weight : (N,) float32
        Above 0; inf is hard.
    group : (N,) int
        0, 1, ... without gaps.

    Returns
    -------
    (G,) int
        Index of a seed for each group; of equals the first.

    Examples
    --------
    >>> ab = np.array([[0, 0], [1, 0], [2, 0], [99, 99]], np.float32)
    >>> typical(ab, np.ones(4, np.float32), np.zeros(4, int)).tolist()
    [1]
    """
    hard = np.isinf(weight)
    has_hard = np.bincount(group, weights=hard) > 0
    counts = np.where(has_hard[group], hard, np.where(hard, 1.0, weight))
    total = np.bincount(group, weights=counts)
    before = np.concatenate([[0.0], np.cumsum(total)[:-1]])
    first = np.concatenate([[0], np.cumsum(np.bincount(group))])
    centre = np.empty((len(total), 2))
    for channel in (0, 1):
        order = np.lexsort((counts, ab[:, channel], group))
        middle = np.searchsorted(np.cumsum(counts[order]), before + total / 2)
        centre[:, channel] = ab[order[middle.clip(first[:-1], first[1:] - 1)], channel]
    distance = np.where(counts > 0, ((ab - centre[group]) ** 2).sum(axis=1), np.inf)
    nearest: NDArray[np.intp] = np.lexsort((ab[:, 1], ab[:, 0], distance, group))[first[:-1]]
    return nearest
