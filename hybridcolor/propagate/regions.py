"""Regions of even brightness: catchment basins, merged where their difference may be chance."""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from hybridcolor.errors import ImageError, MethodError
from hybridcolor.propagate.marker_flooding import gradient_levels
from hybridcolor.propagate.rainfall import catchment_basins, find

QUANTA = 10.0
"""Levels of luminance in one L*."""

SMOOTHING = 0.7
"""Standard deviation in pixels of the blur before basins are sought: they follow edges, not single pixels."""

NOISE_FLOOR = 5.0
"""Standard deviations of noise that are merged at least. With 3, a plane of noise fell apart, as basins pick out its
extremes; with 5 it is one region."""


def regions(luminance: ArrayLike, *, coarseness: float = 2.0) -> NDArray[np.int32]:
    """Split a picture into connected regions of even brightness.

    The catchment basins of the gradient (rainfall) are merged in order of the difference of their mean luminance;
    two regions of n and m pixels become one where that is at most sqrt(q (1/n + 1/m)). So small regions merge
    easily and large ones only when alike.

    Parameters
    ----------
    luminance : (H, W) array-like
        L* in 0..100.
    coarseness : float, optional
        Difference in mean L* above which two regions stay apart that each cover a hundredth of the picture:
        q = coarseness ** 2 * (H * W) / 200. But q is at least that of `NOISE_FLOOR` standard deviations of the
        picture's noise, (5 sigma) ** 2.

    Returns
    -------
    (H, W) int32
        Region of each pixel, numbered from 0 in scan order.

    Raises
    ------
    ImageError
        If the luminance is not a plane of finite numbers in 0..100.
    MethodError
        If ``coarseness`` is negative or not finite.

    References
    ----------
    .. [1] R. Nock, F. Nielsen, "Statistical region merging", IEEE TPAMI 26(11), 2004.
       https://doi.org/10.1109/TPAMI.2004.110

    Examples
    --------
    >>> halves = np.where(np.arange(8) < 3, 20.0, 80.0) * np.ones((8, 1))
    >>> regions(halves)[0].tolist()
    [0, 0, 0, 1, 1, 1, 1, 1]
    """
    plane = np.asarray(luminance)
    if plane.ndim != 2 or plane.size == 0 or plane.dtype.kind not in "fiu":
        raise ImageError(f"luminance has shape {plane.shape} of {plane.dtype}, expected (rows, columns) of numbers")
    if not (np.isfinite(plane).all() and plane.min() >= 0 and plane.max() <= 100):
        raise ImageError("luminance has values that are not finite or not in 0..100; give L*")
    if not 0 <= coarseness < np.inf:
        raise MethodError(f"coarseness is {coarseness}, expected 0 or more")
    plane = plane.astype(np.float32)
    brightness = quantize(smoothed(plane))
    basins = catchment_basins(gradient_levels(brightness), brightness)
    return merge_basins(basins, brightness, max(coarseness**2 * plane.size / 200, (NOISE_FLOOR * _noise(plane)) ** 2))


def smoothed(luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Luminance as basins are sought in it."""
    return np.asarray(cv2.GaussianBlur(luminance, (0, 0), SMOOTHING, borderType=cv2.BORDER_REPLICATE), np.float32)


def quantize(luminance: NDArray[np.float32]) -> NDArray[np.uint16]:
    """L* in whole `QUANTA`."""
    return (luminance * np.float32(QUANTA) + np.float32(0.5)).astype(np.uint16)


def merge_basins(basins: NDArray[np.int32], brightness: NDArray[np.uint16], q: float) -> NDArray[np.int32]:
    """Merge neighbouring basins of n and m pixels whose means differ by at most sqrt(q (1/n + 1/m)) L*.

    Pairs are tried once, in order of the difference at the outset, with the means and sizes of what has merged
    by then.

    Examples
    --------
    >>> brightness = np.array([[500, 510, 510, 900]], np.uint16)
    >>> merge_basins(np.array([[0, 1, 1, 2]], np.int32), brightness, 1.0).tolist()
    [[0, 0, 0, 1]]
    """
    size, mean = statistics(basins, brightness)
    first, second = border_pairs(basins)[:2]
    order = np.argsort(np.abs(mean[first] - mean[second]).astype(np.uint16), kind="stable")  # a radix sort
    parent = np.arange(len(size), dtype=np.int32)
    _merge(first[order], second[order], size, mean * size, q * QUANTA**2, parent)
    merged = np.empty_like(basins)
    _number(basins.ravel(), parent, merged.ravel())
    return merged


def statistics(
    areas: NDArray[np.int32], brightness: NDArray[np.uint16]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels and mean brightness of each area; areas are numbered from 0 without gaps."""
    size = np.bincount(areas.ravel()).astype(np.float64)
    return size, np.bincount(areas.ravel(), weights=brightness.ravel()) / size


def border_pairs(
    areas: NDArray[np.int32], levels: NDArray[np.uint16] | None = None
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint16]]:
    """The areas on both sides of every border between 4-neighbours, and the higher of the two levels there."""
    relief = np.zeros(areas.shape, np.uint16) if levels is None else levels
    sides = []
    for one, other in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        apart = areas[one] != areas[other]
        sides.append((areas[one][apart], areas[other][apart], np.maximum(relief[one][apart], relief[other][apart])))
    first, second, height = (np.concatenate(part) for part in zip(*sides, strict=True))
    return first, second, height


def _noise(luminance: NDArray[np.float32]) -> float:
    """Standard deviation of the noise, from the median of a second difference that edges and ramps hardly touch.

    J. Immerkaer, "Fast noise variance estimation", CVIU 64(2), 1996. https://doi.org/10.1006/cviu.1996.0060
    """
    mask = np.outer([1, -2, 1], [1, -2, 1]).astype(np.float32)
    difference = cv2.filter2D(luminance, -1, mask, borderType=cv2.BORDER_REFLECT)
    return float(np.median(np.abs(difference))) / (0.6745 * 6)


@njit(cache=True, nogil=True)
def _merge(first, second, size, total, q, parent):  # type: ignore[no-untyped-def]
    for pair in range(first.size):
        one = find(parent, first[pair])
        other = find(parent, second[pair])
        if one != other:
            difference = total[one] / size[one] - total[other] / size[other]
            if difference * difference <= q * (1 / size[one] + 1 / size[other]):
                parent[other] = one
                size[one] += size[other]
                total[one] += total[other]


@njit(cache=True, nogil=True)
def _number(basins, parent, merged):  # type: ignore[no-untyped-def]
    number = np.full(parent.size, -1, np.int32)
    count = 0
    for pixel in range(basins.size):
        root = find(parent, basins[pixel])
        if number[root] < 0:
            number[root] = count
            count += 1
        merged[pixel] = number[root]
