"""What the CNN would tell a person: likely colours of a place, where a stroke is needed most, whole other colourings.

For the plugin, and for tools of your own. May import ``drawing``, ``extract`` and below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybridcolor.bins import DEFAULT_VIVIDNESS, ColorDistribution
from hybridcolor.drawing import Drawing, Stroke
from hybridcolor.errors import ModelError, SeedError
from hybridcolor.extract import even_patch
from hybridcolor.palettes import Colour
from hybridcolor.resampling import resample
from hybridcolor.seeds import Seeds, concatenate

APART = 18.0
"""Bins nearer than so many ab units to a likely one count as shades of its colour, in `likely_colours`."""
PLACES = 3
"""Strokes that make a variant."""
_LEAST = 0.02  # probability of a colour that a variant may choose
_LONGEST = 56  # cells of a side at which places are compared
_REACH = 0.15  # how far a stroke is felt (one sigma), as a share of the longer side
_ALIKE = 8.0  # L* by which two places may differ and still be felt as one thing (one sigma)


@dataclass(frozen=True, eq=False)
class Variant:
    """Another plausible colouring.

    Attributes
    ----------
    strokes : tuple of Stroke
        What makes it: to be drawn as they are.
    belief : ColorDistribution
        What the CNN thinks, having heard them; its `annealed_mean` is the colouring, small.
    """

    strokes: tuple[Stroke, ...]
    belief: ColorDistribution


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
    left = belief.at([(row, column)]).probability()[0, 0].astype(np.float64)
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


def variants(
    hear: Callable[[Seeds], ColorDistribution | None],
    luminance: NDArray[np.float32],
    *,
    drawn: Seeds,
    region: NDArray[np.bool_] | None = None,
    count: int = 3,
) -> list[Variant]:
    """Plausible colourings that differ clearly from each other, each as a few strokes.

    The strokes are laid where they are expected to gain most. At each place every variant takes a colour that the CNN,
    having heard the variant's former strokes, holds likely, and that is as far as may be from what the others took:
    of the likely colours the one with the largest ``probability ** 0.5 * distance``. So each is coherent in itself.

    Parameters
    ----------
    hear : callable
        What the CNN thinks once it has heard strokes: `hybridcolor.EditSession.hear`, or a reading's ``predict``.
    luminance : (H, W) float32
        L*.
    drawn : Seeds
        What is drawn already; the CNN hears it too.
    region : (H, W) bool, optional
        Where the variants may differ from what is drawn: strokes are centred in it. Everywhere by default.
    count : int, optional
        How many.

    Returns
    -------
    list of Variant

    Raises
    ------
    ModelError
        If the CNN does not answer: a session that has none, or has not asked it yet.
    SeedError
        If the region holds no pixel, or is of another size.

    Examples
    --------
    >>> from hybridcolor.predict import load_predictor
    >>> luminance = np.tile(np.linspace(20, 80, 60, dtype=np.float32), (40, 1))
    >>> hear = load_predictor().read(luminance).predict
    >>> [len(variant.strokes) for variant in variants(hear, luminance, drawn=Seeds.empty())]
    [3, 3, 3]
    """
    found = [Variant((), _answer(hear, drawn))] * count
    dabs: list[NDArray[np.intp]] = []
    for _ in range(PLACES):
        known = concatenate(drawn, Seeds.of(np.concatenate([np.empty((0, 2)), *dabs]), (0, 0)))
        place = next_place(found[0].belief, luminance, known, region=region)
        dabs.append(even_patch(luminance, _square(place, luminance.shape)))
        taken: list[Colour] = []
        for number, variant in enumerate(found):
            colour = _another_colour(variant.belief, place, taken)
            taken.append(colour)
            strokes = (*variant.strokes, Stroke.of(dabs[-1], colour))
            found[number] = Variant(strokes, _answer(hear, concatenate(drawn, Drawing(strokes=strokes).scribbles)))
    return found


def _answer(hear: Callable[[Seeds], ColorDistribution | None], scribbles: Seeds) -> ColorDistribution:
    belief = hear(scribbles)
    if belief is None:
        raise ModelError("there is no CNN's answer to go by; give the session a predictor, and ask for a preview first")
    return belief


def _another_colour(belief: ColorDistribution, place: tuple[int, int], taken: list[Colour]) -> Colour:
    """A likely colour at a place, far from those that are taken."""
    likely = likely_colours(belief.at([place]).rebalanced(DEFAULT_VIVIDNESS), *place)
    usable = [(colour, chance) for colour, chance in likely if chance >= _LEAST] or likely[:1]

    def worth(each: tuple[Colour, float]) -> float:
        colour, chance = each
        return float(chance**0.5 * min((np.hypot(*np.subtract(colour, other)) for other in taken), default=1.0))

    return max(usable, key=worth)[0]


def _square(place: tuple[int, int], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The pixels around a place, as wide as a cell of those at which places are compared."""
    half = max(2, max(shape) // (2 * _LONGEST))
    rows, columns = (slice(max(0, at - half), min(side, at + half + 1)) for at, side in zip(place, shape, strict=True))
    return rows, columns


def next_place(
    belief: ColorDistribution,
    luminance: NDArray[np.float32],
    strokes: Seeds,
    *,
    region: NDArray[np.bool_] | None = None,
) -> tuple[int, int]:
    r"""The pixel where one more stroke is expected to gain most.

    A stroke at i is felt at j by :math:`A_{ij} = \exp(-d_{ij}^2 / 2 r^2 - (L_i - L_j)^2 / 2 \lambda^2)`, with d the
    distance, r = 0.15 of the longer side, and :math:`\lambda` = 8 in L*. With :math:`\sigma_j^2` the variance of what
    the CNN believes, which is the square error to expect of its mean colour, and strokes at k, the gain is

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
    region : (H, W) bool, optional
        Where the stroke may be, and where gain counts; everywhere by default.

    Returns
    -------
    tuple of int
        Row and column. Larger pictures are compared as a grid of at most 56 cells a side: this is the middle of the
        best cell, or the region's pixel nearest to it.

    Raises
    ------
    SeedError
        If the region holds no pixel, or is of another size.

    Examples
    --------
    >>> from hybridcolor.bins import AB_BINS
    >>> logits = np.zeros((4, 8, 313), np.float32)
    >>> logits[:, :4, 0] = 50  # sure of the left half
    >>> belief = ColorDistribution(logits, (40, 80))
    >>> next_place(belief, np.full((40, 80), 50, np.float32), Seeds.empty())[1] > 40
    True
    """
    if region is not None and region.shape != luminance.shape:
        raise SeedError(f"a region to look in is {region.shape}, the picture {luminance.shape}; make them the same")
    if region is not None and not region.any():
        raise SeedError("a region to look in holds no pixel; enclose at least one pixel, or give no region")
    height, width = luminance.shape
    scale = min(1.0, _LONGEST / max(height, width))
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    level = resample(luminance, (rows, columns)).ravel()
    variance = resample(belief.std().astype(np.float32), (rows, columns)).ravel() ** 2
    if region is not None:
        wanted = resample(region.astype(np.float32), (rows, columns)).ravel()
        variance = variance * wanted
    where = np.indices((rows, columns), np.float32).reshape(2, -1)
    nearness = _squares_apart(where * np.float32(1 / (_REACH * max(rows, columns))))
    felt = np.exp(-0.5 * (nearness + _squares_apart(level[None] * np.float32(1 / _ALIKE))))
    if len(strokes):
        row, column = (strokes.coords.astype(np.int64) * (rows, columns) // (height, width)).T
        variance = variance * (1 - felt[np.unique(row * columns + column)].max(axis=0))
    gain = felt @ variance
    if region is not None:
        gain = np.where(wanted > 0, gain, -1)  # also where nothing is to be gained, the place is in the region
    row, column = divmod(int(gain.argmax()), columns)
    middle = int((row + 0.5) * height / rows), int((column + 0.5) * width / columns)
    return middle if region is None else _nearest(region, middle)


def _nearest(region: NDArray[np.bool_], pixel: tuple[int, int]) -> tuple[int, int]:
    """The pixel of a region that is nearest to a pixel."""
    if region[pixel]:
        return pixel
    inside = np.argwhere(region)
    row, column = inside[((inside - pixel) ** 2).sum(axis=1).argmin()]
    return int(row), int(column)


def _squares_apart(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, N) squared distances of (K, N) vectors."""
    length = np.einsum("kn,kn->n", vectors, vectors)
    return np.asarray(np.maximum(length[:, None] + length[None] - 2 * vectors.T @ vectors, 0))
