"""What a person's strokes say about a network's belief: which of them it holds possible, and how vivid it should be.

A belief is of a grid of cells, strokes are of pixels; here the two meet. May import ``bins`` and ``seeds``.
"""

from __future__ import annotations

import numpy as np

from hybridcolor.bins import ColorDistribution
from hybridcolor.seeds import Seeds

POSSIBLE = 0.01
"""Probability that a network must give to the neighbourhood of a stroke's colour, before it is told of the stroke."""
NEIGHBOURHOOD = 20.0
"""Radius of that neighbourhood, in ab units."""
OWN_SAY = 1600.0
"""How firmly a network's own saturation holds, in squared ab units: as much as one stroke on a colour of chroma 40."""
LEAST_SATURATION = 0.7
"""Least factor for a network's colours whatever the strokes are: they speak of some places, the network of all."""


def possible_strokes(strokes: Seeds, belief: ColorDistribution) -> Seeds:
    """The strokes whose colour a network, before it hears of any, holds possible where they are.

    Parameters
    ----------
    strokes : Seeds
        Inside the picture.
    belief : ColorDistribution
        Before any stroke.

    Examples
    --------
    >>> from hybridcolor.bins import AB_BINS
    >>> near_gray = -np.hypot(*AB_BINS.T) / 5
    >>> belief = ColorDistribution(np.tile(near_gray, (2, 2, 1)).astype(np.float32), (8, 8))
    >>> [len(possible_strokes(Seeds.of([[1, 1]], [ab]), belief)) for ab in ([5, 15], [95, -60])]
    [1, 0]
    """
    numbers, number = np.unique(strokes.stroke, return_inverse=True)
    _, one = np.unique(belief.cell_numbers(strokes.coords) * len(numbers) + number, return_index=True)
    likely = belief.at(strokes.coords[one]).probability()[0]
    near = np.square(belief.bins - strokes.ab[one, None]).sum(axis=2) < NEIGHBOURHOOD**2
    chance = np.bincount(number[one], (likely * near).sum(axis=1)) / np.bincount(number[one])
    return strokes.take(np.isin(strokes.stroke, numbers[chance >= POSSIBLE]))


def told_saturation(strokes: Seeds, belief: ColorDistribution) -> float:
    """The factor for a network's colours, by how vivid a person's strokes are where the network spoke first.

    Ridge regression through the origin of the strokes' mean colours s on the network's p at the same places,
    (w + sum s . p) / (w + sum p . p) with w = `OWN_SAY`: less than 1 where the person draws grayer colours, or other
    ones, than the network proposed. It is never more: where a network hedges, its errors would grow with its colours.
    docs/mathematics.md says what it brings.

    Parameters
    ----------
    strokes : Seeds
        Inside the picture; those that the network holds possible.
    belief : ColorDistribution
        Before any stroke; its annealed mean is p.

    Returns
    -------
    float
        In `LEAST_SATURATION`..1.

    Examples
    --------
    >>> from hybridcolor.bins import AB_BINS
    >>> orange = -np.hypot(*(AB_BINS - [40, 40]).T)
    >>> belief = ColorDistribution(np.tile(orange, (2, 2, 1)).astype(np.float32), (8, 8))
    >>> [round(told_saturation(Seeds.of([[1, 1]], [ab]), belief), 1) for ab in ([40, 40], [30, 30], [0, 0])]
    [1.0, 0.8, 0.7]
    """
    if len(strokes) == 0:
        return 1.0
    _, one, cell = np.unique(belief.cell_numbers(strokes.coords), return_index=True, return_inverse=True)
    proposed = belief.at(strokes.coords[one]).annealed_mean()[0, cell]
    _, number = np.unique(strokes.stroke, return_inverse=True)
    count = np.bincount(number)
    said, thought = (np.stack([np.bincount(number, ab) / count for ab in each.T]) for each in (strokes.ab, proposed))
    gain = (OWN_SAY + (said * thought).sum()) / (OWN_SAY + (thought**2).sum())
    return float(np.clip(gain, LEAST_SATURATION, 1.0))
