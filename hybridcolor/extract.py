"""Automatic seeds: where a CNN's distribution is both sure and coloured, and where they give way to a person.

The most confident pixels of a colorization CNN are the gray ones, so confidence alone finds seeds that add no
colour. Cells are ranked by ``|mean ab| / std`` with a floor on chroma instead; confident neutrals become neutral seeds,
which keep colour from leaking into walls, paper and hair. A lone pixel is a poor seed (it may sit on noise or an
edge), so each seed is a small patch of even luminance. May import ``seeds``, ``bins`` and below.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.graph import MCP_Geometric

from hybridcolor.bins import DEFAULT_CONFIDENCE, ColorDistribution
from hybridcolor.errors import SeedError
from hybridcolor.resampling import resample
from hybridcolor.seeds import AUTO, USER, Seeds, concatenate

PATCH_TOLERANCE = 4.0
"""How far a patch's L* may be from its centre's."""
COLOURED = 0.8
"""Expected errors that a coloured seed's colour is away from gray, at least, by default."""
NEUTRAL_STD = 13.0
"""Expected error, in ab units, of a neutral seed, at most, by default."""

_MERGE_SIDE = 256  # merging looks at the picture at this longer side
_SEEN_AROUND = 6  # pixels that smoothing and gradient look at around a box
_TEXTURE = 1.5  # L* a pixel of gradient that counts as texture, not as an edge


def extract_seeds(
    distribution: ColorDistribution,
    luminance: NDArray[np.float32],
    *,
    vividness: float = 0.0,
    spacing: float = 0.06,
    coloured: float = COLOURED,
    chroma_floor: float = 8.0,
    neutral_std: float = NEUTRAL_STD,
) -> Seeds:
    """Seed patches where the distribution is sure of a colour, or sure that there is none.

    Parameters
    ----------
    distribution : ColorDistribution
        The CNN's belief about the picture.
    luminance : (H, W) float32
        L* in 0..100.
    vividness : float, optional
        For the seeds' colours only (`ColorDistribution.rebalanced`); their places are found in the belief as it is,
        whose spread tells the true error.
    spacing : float, optional
        Least distance between two patches, as a fraction of the shorter side.
    coloured : float, optional
        Least ``|mean ab| / std`` of a coloured seed: how many expected errors its colour is away from gray. Where the
        surest fifth of a picture's coloured cells falls short of it, that fifth will do, down to half of it: on
        held-out photos such seeds are as often better than gray, and no photo is left without.
    chroma_floor : float, optional
        Least ``|mean ab|`` of a coloured seed.
    neutral_std : float, optional
        Largest std, in ab units, of a neutral seed, whose mean lies within half the chroma floor of gray.

    Returns
    -------
    Seeds
        Hard automatic seeds, one stroke a patch, the surest patch first. Coloured ones carry the annealed mean.

    Raises
    ------
    SeedError
        If the distribution belongs to a picture of another size.

    Examples
    --------
    >>> from hybridcolor.bins import nearest_bin
    >>> logits = np.zeros((8, 8, 313), np.float32)
    >>> logits[..., int(nearest_bin([40, 30]))] = 20.0
    >>> seeds = extract_seeds(ColorDistribution(logits, (32, 32)), np.full((32, 32), 50, np.float32))
    >>> len(seeds) > 0, seeds.ab[0].round().tolist()
    (True, [40.0, 30.0])
    """
    if distribution.shape != luminance.shape:
        raise SeedError(f"the distribution is of a {distribution.shape} picture, the luminance is {luminance.shape}")
    mean, std = distribution.mean(), np.maximum(distribution.std(), 1e-3)
    chroma = np.hypot(mean[..., 0], mean[..., 1])
    ratio = chroma / std
    candidates = ratio[chroma >= chroma_floor]
    least = np.clip(np.quantile(candidates, 0.8), coloured / 2, coloured) if candidates.size else coloured
    is_coloured = (ratio >= least) & (chroma >= chroma_floor)
    is_neutral = (std <= neutral_std) & (chroma <= chroma_floor / 2)
    colour = np.where(is_neutral[..., None], np.float32(0), distribution.rebalanced(vividness).annealed_mean())

    # Coloured cells by how sure their colour is, and after them the neutral ones by how small their spread is.
    score = np.where(is_coloured, 1 + ratio, np.where(is_neutral, 1 / (1 + std), 0))
    cells = _spaced(score, spacing * min(score.shape))
    coords, ab, stroke = [], [], []
    for number, (row, column) in enumerate(cells):
        patch = even_patch(luminance, _cell_box((row, column), score.shape, luminance.shape))
        coords.append(patch)
        ab.append(np.broadcast_to(colour[row, column], (len(patch), 2)))
        stroke.append(np.full(len(patch), number))
    if not coords:
        return Seeds.empty()
    # Where patches share a pixel, in a picture smaller than the grid, the last holds: so the surest comes last.
    pixels, colours, numbers = (np.concatenate(part[::-1]) for part in (coords, ab, stroke))
    seeds = Seeds.of(pixels, colours, stroke=numbers, origin=AUTO)
    return seeds.take(np.argsort(seeds.stroke, kind="stable"))


def demands(confidence: float) -> dict[str, float]:
    """``coloured`` and ``neutral_std`` of `extract_seeds` for a slider from 0, many seeds, to 1, few.

    Every quarter of it doubles what is asked; in the middle (`hybridcolor.bins.DEFAULT_CONFIDENCE`) are the defaults.

    Examples
    --------
    >>> demands(0.5), demands(1.0)
    ({'coloured': 0.8, 'neutral_std': 13.0}, {'coloured': 3.2, 'neutral_std': 3.25})
    """
    times = 16 ** (confidence - DEFAULT_CONFIDENCE)
    return {"coloured": COLOURED * times, "neutral_std": NEUTRAL_STD / times}


def confidence_peaks(distribution: ColorDistribution, *, count: int = 64) -> Seeds:
    """The plain idea, to compare with: a pixel at each local maximum of the CNN's confidence, in its likeliest colour.

    The most confident pixels are the gray ones, so what it brings is half the colour (docs/study.md has figures), and a
    lone pixel may sit on an edge. `extract_seeds` is what to use.

    Parameters
    ----------
    distribution : ColorDistribution
    count : int, optional
        At most so many, the most confident ones.

    Examples
    --------
    >>> logits = np.zeros((8, 8, 313), np.float32)
    >>> logits[2, 3, 7] = 9.0
    >>> confidence_peaks(ColorDistribution(logits, (32, 32))).coords.tolist()
    [[10, 14]]
    """
    confidence, mode = distribution.confidence(), distribution.mode()
    cells = peak_local_max(  # type: ignore[no-untyped-call]
        confidence, min_distance=1, exclude_border=False, num_peaks=count
    )
    if np.ptp(confidence) == 0:
        cells = cells[:0]  # a plain is no peak
    coords = (2 * cells + 1) * np.array(distribution.shape) // (2 * np.array(confidence.shape))
    return Seeds.of(coords, mode[tuple(cells.T)], origin=AUTO)


def merge_seeds(
    automatic: Seeds,
    user: Seeds,
    luminance: NDArray[np.float32],
    *,
    edge: float = 15.0,
    reach: float = 0.4,
    contradiction: float = 12.0,
    weight: float = 5.0,
) -> Seeds:
    """Both sets as one, where the person always wins.

    An automatic patch gives way when the scribble nearest to it *along the picture* is of clearly another colour, and
    reachable without crossing an edge or going too far. Patches behind an edge stay, and stop the scribble's colour.

    Parameters
    ----------
    automatic, user : Seeds
        What a model proposed and what a person drew; origins are set accordingly.
    luminance : (H, W) float32
        L* in 0..100.
    edge : float, optional
        The sum of L* steps along the best path that separates a patch from a scribble.
    reach : float, optional
        The distance over even ground that separates them too, as a fraction of the longer side.
    contradiction : float, optional
        How different, in ab units, the colours must be for a patch to give way.
    weight : float, optional
        Of the automatic seeds beside a person's: over the longer side in pixels it is their screening weight, so that
        it means about the same at any size. On held-out photos it takes most of what hard seeds gain with few strokes,
        and with fifty, unlike theirs, the error stays below that of the strokes alone.

    Returns
    -------
    Seeds
        The automatic seeds that stay, then the person's. Without any of the person's, the automatic ones as they are.

    Raises
    ------
    SeedError
        If a seed lies outside the picture.
    """
    shape = (luminance.shape[0], luminance.shape[1])
    automatic.check_inside(shape)
    user.check_inside(shape)
    if len(user) == 0 or len(automatic) == 0:
        return concatenate(automatic, user)
    scale = min(1.0, _MERGE_SIDE / max(shape))
    small = resample(luminance, (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))))

    def to_small(coords: NDArray[np.int32]) -> tuple[NDArray[np.intp], ...]:
        row, column = np.minimum(coords * scale, np.array(small.shape) - 1).astype(np.intp).T
        return row, column

    colour = np.full((*small.shape, 2), np.nan, np.float32)
    colour[to_small(user.coords)] = user.ab
    step = np.hypot(ndimage.sobel(small, 0), ndimage.sobel(small, 1)) / 8  # L* a pixel
    cost = np.maximum(step - _TEXTURE, 0) + edge / (reach * max(small.shape))
    distance, nearest = _spread(cost, colour)
    at = to_small(automatic.coords)
    gives_way = (distance[at] < edge) & (np.hypot(*(automatic.ab - nearest[at]).T) > contradiction)
    gives_way = np.isin(automatic.stroke, automatic.stroke[gives_way])  # a patch stays or goes as a whole
    drawn = replace(user, origin=np.full(len(user), USER, np.uint8))
    stay = automatic.take(~gives_way)
    soft = np.float32(weight / max(shape))
    return concatenate(replace(stay, weight=np.minimum(stay.weight, soft)), drawn)


def _spread(cost: NDArray[np.float32], colour: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Cheapest path from every pixel to a coloured one: its cost, and the colour at its end."""
    search = MCP_Geometric(cost)
    distance, step = search.find_costs(np.argwhere(np.isfinite(colour[..., 0])))
    offsets = np.array([*search.offsets, (0, 0)])  # a start has step -1: it is its own parent
    row, column = np.indices(cost.shape) - np.moveaxis(offsets[step], -1, 0)
    parent = np.ravel_multi_index((row.ravel(), column.ravel()), cost.shape)
    while not np.array_equal(parent, parent[parent]):  # every round doubles how far up the path a pixel sees
        parent = parent[parent]
    return distance, colour.reshape(-1, 2)[parent].reshape(colour.shape)


def _spaced(score: NDArray[np.float32], distance: float) -> list[tuple[int, int]]:
    """Cells with a positive score, best first, none closer than ``distance`` to a better one."""
    free = score > 0
    rows, columns = np.indices(score.shape)
    chosen = []
    for index in np.argsort(-score, axis=None, kind="stable"):
        row, column = divmod(int(index), score.shape[1])
        if score[row, column] <= 0:
            break
        if free[row, column]:
            chosen.append((row, column))
            free &= (rows - row) ** 2 + (columns - column) ** 2 >= distance**2
    return chosen


def _cell_box(cell: tuple[int, int], grid: tuple[int, ...], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The pixels of the picture that a grid cell covers, at least one."""
    bounds = [(c * n // g, max((c + 1) * n // g, c * n // g + 1)) for c, g, n in zip(cell, grid, shape, strict=True)]
    return slice(*bounds[0]), slice(*bounds[1])


def even_patch(luminance: NDArray[np.float32], box: tuple[slice, slice]) -> NDArray[np.intp]:
    """Coordinates of the even-toned patch around the smoothest pixel of a box: safely inside one surface.

    Examples
    --------
    >>> even_patch(np.full((9, 9), 50, np.float32), (slice(3, 5), slice(3, 5))).tolist()
    [[3, 3], [3, 4], [4, 3], [4, 4]]
    """
    inner, roughness = luminance[box], _local_roughness(luminance, box)
    centre = np.unravel_index(int(roughness.argmin()), inner.shape)
    radius = max(1.5, max(inner.shape) / 4)  # well inside the box: its neighbours may have another colour
    rows, columns = np.indices(inner.shape)
    close = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2
    connected, _ = ndimage.label(close & (np.abs(inner - inner[centre]) <= PATCH_TOLERANCE))
    inside = np.nonzero(connected == connected[centre])
    return np.stack([inside[0] + box[0].start, inside[1] + box[1].start], axis=1)


def _local_roughness(luminance: NDArray[np.float32], box: tuple[slice, slice]) -> NDArray[np.float32]:
    """Gradient magnitude in a box, smoothed: where it is small a seed sits away from edges."""
    first = [max(0, side.start - _SEEN_AROUND) for side in box]
    seen = luminance[first[0] : box[0].stop + _SEEN_AROUND, first[1] : box[1].stop + _SEEN_AROUND]
    smooth = cv2.GaussianBlur(seen, (0, 0), 1.0)
    rough = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    inside = [slice(side.start - start, side.stop - start) for side, start in zip(box, first, strict=True)]
    return np.asarray(rough[inside[0], inside[1]], np.float32)
