"""Chrominance blending (Yatziv and Sapiro 2006): each pixel mixes the colours that are geodesically nearest."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.errors import MethodError
from hybridcolor.propagate.geodesic import nearest_sources
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.seeds import Seeds

QUANTA = 10.0
"""Quanta of geodesic length in one L*. A step on a plain picture costs one quantum, 0.1 L*."""
LONGEST_START = 10**6


def chrominance(
    luminance: NDArray[np.float32], seeds: Seeds, *, k: int = 3, power: float = 4.0, coarseness: float = 4.0
) -> Propagation:
    """Blend the k nearest chrominances, each with weight distance^-power.

    Distance is the luminance change along the best path, so colour runs freely within a surface and pays for
    crossing an edge.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    seeds : Seeds
        Hard seeds keep their colour. A soft seed of weight T lies at distance 1 / T behind its pixel.
    k : int, optional
        How many chrominances to blend, 1..16.
    power : float, optional
        Fall of the weight with distance, above 0. Larger is crisper.
    coarseness : float, optional
        Seed colours are taken as one chrominance where they fall into the same square of this side, in ab units.

    Returns
    -------
    Propagation
        With ``label``, the stroke that is nearest.

    Raises
    ------
    MethodError
        If an option is out of range.

    References
    ----------
    .. [1] L. Yatziv, G. Sapiro, "Fast image and video colorization using chrominance blending", IEEE Transactions
       on Image Processing 15(5), 2006. https://doi.org/10.1109/TIP.2005.864231

    Examples
    --------
    >>> from hybridcolor.seeds import Seeds
    >>> luminance = np.array([[20, 20, 80, 80]], np.float32)
    >>> result = chrominance(luminance, Seeds.of([[0, 0], [0, 3]], [[40.0, 0.0], [0.0, 40.0]]))
    >>> result.chroma[0, 1].round(3).tolist(), result.label.tolist()
    ([40.0, 0.0], [[0, 0, 1, 1]])
    """
    if k not in range(1, 17):
        raise MethodError(f"k is {k}, expected a whole number of chrominances from 1 to 16")
    if not (np.isfinite(power) and power > 0):
        raise MethodError(f"power is {power}, expected a finite number above 0")
    if not (np.isfinite(coarseness) and coarseness > 0):
        raise MethodError(f"coarseness is {coarseness}, expected a distance in ab above 0")
    levels = np.round(luminance * np.float32(QUANTA)).astype(np.int32)
    colours, chroma_of_seed = group_colours(seeds.ab, coarseness)
    # A source is one stroke's share of one chrominance; numbering by chrominance first is what ties go by.
    pairs, number = np.unique(np.stack([chroma_of_seed, seeds.stroke], axis=1), axis=0, return_inverse=True)
    pixels = (seeds.coords[:, 0].astype(np.int64) * luminance.shape[1] + seeds.coords[:, 1]).astype(np.int32)
    starts = np.minimum(np.ceil(1.0 / seeds.weight.astype(np.float64)), LONGEST_START).astype(np.int32)
    sources = pixels, number.ravel().astype(np.int32), starts
    group = np.ascontiguousarray(pairs[:, 0], np.int32)
    distance, source = nearest_sources(levels, sources, group, min(k, len(colours)))
    chroma = np.empty((*luminance.shape, 2), np.float32)
    _blend(distance, source, group, colours, float(power), chroma)
    row, column = seeds.coords[np.isinf(seeds.weight)].T
    chroma[row, column] = seeds.ab[np.isinf(seeds.weight)]
    label = pairs[:, 1].astype(np.int32)[source[..., 0]]
    return Propagation(chroma, label=label)


def group_colours(ab: NDArray[np.float32], coarseness: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Mean colour of each occupied square of a grid, and the square of each colour.

    Sums run over sorted distinct colours, so the result does not depend on the order of the seeds.

    Examples
    --------
    >>> colours, member = group_colours(np.array([[40, 0], [41, 0], [-9, 3]], np.float32), 4.0)
    >>> colours.tolist(), member.tolist()
    ([[-9.0, 3.0], [40.5, 0.0]], [1, 1, 0])
    """
    distinct, which, count = np.unique(ab, axis=0, return_inverse=True, return_counts=True)
    squares, square = np.unique(np.round(distinct / coarseness), axis=0, return_inverse=True)
    square = square.ravel()
    total = np.zeros((len(squares), 2))
    np.add.at(total, square, distinct.astype(np.float64) * count[:, None])
    seeds = np.bincount(square, weights=count, minlength=len(squares))
    return (total / seeds[:, None]).astype(np.float32), square[which.ravel()]


@njit(cache=True, nogil=True)
def _blend(distance, source, group, colours, power, chroma):  # type: ignore[no-untyped-def]
    height, width, k = distance.shape
    for i in range(height):
        for j in range(width):
            nearest = distance[i, j, 0]
            total = 0.0
            a = 0.0
            b = 0.0
            for slot in range(k):
                if source[i, j, slot] < 0:
                    break
                length = distance[i, j, slot]
                weight = 1.0 if length == 0 else (nearest / length) ** power
                colour = group[source[i, j, slot]]
                total += weight
                a += weight * colours[colour, 0]
                b += weight * colours[colour, 1]
            chroma[i, j, 0] = a / total
            chroma[i, j, 1] = b / total
