"""Watershed propagation: strokes are markers, their regions grow by flooding, each region has one colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hybridcolor.propagate.flooding import flood, gradient_levels
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.regions import catchment_basins, grow_regions
from hybridcolor.seeds import Seeds

QUANTA = 10.0
"""Levels of luminance in one L*."""


def watershed(luminance: NDArray[np.float32], seeds: Seeds, *, merge: bool = False) -> Propagation:
    """Give every pixel the colour of the stroke whose region it falls into.

    Without ``merge``, the luminance gradient is flooded from the strokes, pixel by pixel (Meyer). With it, the
    picture is first split into the catchment basins of its gradient, and basins are joined along the minimum
    spanning forest of their differences in mean luminance, rooted in the strokes: a basin without a stroke goes
    where the least contrast leads. That follows surfaces of even brightness across faint texture and noise.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    seeds : Seeds
        Every seed marks its pixel, soft ones too; hard seeds also keep their own colour. A stroke's region has
        the stroke's colour nearest to its median.
    merge : bool, optional
        Grow over basins, not pixels.

    Returns
    -------
    Propagation
        With ``label``, the stroke each pixel belongs to.

    References
    ----------
    .. [1] F. Meyer, "Color image segmentation", Int. Conf. on Image Processing and its Applications, 1992.
    .. [2] J. Cousty, G. Bertrand, L. Najman, M. Couprie, "Watershed cuts: minimum spanning forests and the drop of
       water principle", IEEE TPAMI 31(8), 2009. https://doi.org/10.1109/TPAMI.2008.173

    Examples
    --------
    >>> from hybridcolor.seeds import Seeds
    >>> luminance = np.array([[20, 20, 20, 80, 80, 80]], np.float32)
    >>> seeds = Seeds.of([[0, 0], [0, 5]], [[40.0, 0.0], [0.0, 40.0]], stroke=[3, 7])
    >>> watershed(luminance, seeds).label.tolist()
    [[3, 3, 3, 7, 7, 7]]
    """
    brightness = np.round(luminance * np.float32(QUANTA)).astype(np.int32)
    strokes, colours, order = _stroke_colours(seeds)
    markers = np.zeros(luminance.shape, np.int32)
    markers[seeds.coords[:, 0], seeds.coords[:, 1]] = order + 1
    levels = gradient_levels(brightness)
    owner = flood(levels, markers)
    if merge:
        owner = grow_regions(catchment_basins(levels), brightness, markers, owner)
    chroma = colours[owner - 1]
    row, column = seeds.coords[np.isinf(seeds.weight)].T
    chroma[row, column] = seeds.ab[np.isinf(seeds.weight)]
    return Propagation(chroma, label=strokes[owner - 1])


def _stroke_colours(seeds: Seeds) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.intp]]:
    """Stroke ids, one colour each, and the place of every seed's stroke among them.

    The colour is a seed's own, the nearest to the stroke's median: one wild seed cannot shift it.
    """
    strokes, order = np.unique(seeds.stroke, return_inverse=True)
    colours = np.empty((len(strokes), 2), np.float32)
    sorted_seeds = np.lexsort((seeds.ab[:, 1], seeds.ab[:, 0], order))
    bounds = np.searchsorted(order[sorted_seeds], np.arange(len(strokes) + 1))
    for stroke in range(len(strokes)):
        ab = seeds.ab[sorted_seeds[bounds[stroke] : bounds[stroke + 1]]]
        colours[stroke] = ab[np.argmin(((ab - np.median(ab, axis=0)) ** 2).sum(axis=1))]
    return strokes, colours, order.ravel()
