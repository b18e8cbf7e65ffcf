"""What the CNN would tell a person: the colours it holds likely at a place, and where a stroke is needed most.

For the plugin, and for tools of your own. May import ``bins``, ``seeds`` and below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hybridcolor.bins import ColorDistribution
from hybridcolor.resampling import resample
from hybridcolor.seeds import Seeds

APART = 18.0
"""Likely colours are at least so many ab units from each other: nearer ones are one colour to a person."""
_LONGEST = 56  # cells of a side at which places are compared
_REACH = 0.15  # how far a stroke is felt (one sigma), as a share of the longer side
_ALIKE = 8.0  # L* by which two places may differ and still be felt as one thing (one sigma)


def likely_colours(
    belief: ColorDistribution, row: int, column: int, *, count: int = 5
) -> list[tuple[tuple[float, float], float]]:
    """The colours that a CNN holds likely at a pixel, the likeliest first, each with its probability.

    The 313 bins are 10 ab units apart, so neighbours are shades of one colour: their probabilities are added up.

    Parameters
    ----------
    belief : ColorDistribution
    row, column : int
        The pixel.
    count : int, optional
        At most so many.

    Returns
    -------
    list of ((a*, b*), probability)

    Examples
    --------
    >>> from hybridcolor.bins import AB_BINS
    >>> logits = np.log(np.exp(-np.hypot(*(AB_BINS - [60, 40]).T)) + 0.3 * np.exp(-np.hypot(*(AB_BINS - [0, -50]).T)))
    >>> belief = ColorDistribution(logits.astype(np.float32)[None, None], (4, 4))
    >>> [((round(a), round(b)), round(p, 2)) for (a, b), p in likely_colours(belief, 1, 1, count=2)]
    [((60, 40), 0.77), ((0, -50), 0.23)]
    """
    left = belief.probability()[belief.cells([[row, column]])][0].astype(np.float64)
    near = np.hypot(*(belief.bins[:, None] - belief.bins[None]).transpose(2, 0, 1)) < APART
    found = []
    for _ in range(count):
        taken = near[int((near @ left).argmax())] & (left > 0)
        mass = float(left[taken].sum())
        if mass < 0.5 / len(left):
            break
        a, b = left[taken] @ belief.bins[taken] / mass
        found.append(((float(a), float(b)), mass))
        left[taken] = 0
    return sorted(found, key=lambda each: -each[1])


def next_place(belief: ColorDistribution, luminance: NDArray[np.float32], strokes: Seeds) -> tuple[int, int]:
    r"""The pixel where one more stroke is expected to gain most.

    A stroke at i is felt at j by :math:`A_{ij} = \exp(-d_{ij}^2 / 2 r^2 - (L_i - L_j)^2 / 2 \lambda^2)`, with d the
    distance, r a seventh of the longer side and :math:`\lambda` 8 L*. With :math:`\sigma_j^2` the variance of what the
    CNN believes, which is the square error to expect of its mean colour, and strokes at k, the gain is

    .. math:: \sum_j A_{ij}\, \sigma_j^2\, (1 - \max_k A_{jk}).

    docs/sessions.md says how it compares with random places and with an all-knowing person's.

    Parameters
    ----------
    belief : ColorDistribution
        After the CNN has heard the strokes.
    luminance : (H, W) float32
        L*.
    strokes : Seeds
        What is drawn already.

    Examples
    --------
    >>> from hybridcolor.bins import AB_BINS
    >>> logits = np.zeros((4, 8, 313), np.float32)
    >>> logits[:, :4, 0] = 50  # sure of the left half
    >>> belief = ColorDistribution(logits, (40, 80))
    >>> next_place(belief, np.full((40, 80), 50, np.float32), Seeds.empty())[1] > 40
    True
    """
    height, width = luminance.shape
    scale = min(1.0, _LONGEST / max(height, width))
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    level = resample(luminance, (rows, columns)).ravel()
    variance = resample(belief.std().astype(np.float32), (rows, columns)).ravel() ** 2
    where = np.indices((rows, columns), np.float32).reshape(2, -1)
    nearness = _squares_apart(where * np.float32(1 / (_REACH * max(rows, columns))))
    felt = np.exp(-0.5 * (nearness + _squares_apart(level[None] * np.float32(1 / _ALIKE))))
    if len(strokes):
        row, column = (strokes.coords.astype(np.int64) * (rows, columns) // (height, width)).T
        variance = variance * (1 - felt[np.unique(row * columns + column)].max(axis=0))
    best = int((felt @ variance).argmax())
    row, column = divmod(best, columns)
    return int((row + 0.5) * height / rows), int((column + 0.5) * width / columns)


def _squares_apart(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, N) squared distances of (K, N) vectors."""
    length = np.einsum("kn,kn->n", vectors, vectors)
    return np.asarray(np.maximum(length[:, None] + length[None] - 2 * vectors.T @ vectors, 0))
