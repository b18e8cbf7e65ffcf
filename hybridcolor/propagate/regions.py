"""Regions of even brightness: catchment basins, merged where their difference may be chance."""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from hybridcolor.errors import MethodError
from hybridcolor.propagate.marker_flooding import gradient_levels
from hybridcolor.propagate.rainfall import catchment_basins, find
from hybridcolor.propagate.registry import checked_luminance

QUANTA = 10.0
"""Levels of luminance in one L*."""

SMOOTHING = 0.7
"""Standard deviation in pixels of the blur before basins are sought: they follow edges, not single pixels."""

NOISE_FLOOR = 5.0
"""Standard deviations of noise that are merged at least. With 3, a plane of noise fell apart, as basins pick out its
extremes; with 5 it is one region."""

COARSEST = 1000.0
"""Coarseness from which on any two regions merge: means differ by 100 at most, and q (1/n + 1/m) is over 100 ** 2."""


def regions(luminance: ArrayLike, *, coarseness: float = 2.0) -> NDArray[np.int32]:
    """Split a picture into connected regions of even brightness.

    The catchment basins of the gradient (rainfall) are merged over the weakest borders first: those of little
    difference in mean luminance and a low pass. Two regions of n and m pixels become one where their means differ
    by at most sqrt(q (1/n + 1/m)), so small regions merge easily and large ones only when alike.

    Parameters
    ----------
    luminance : (H, W) array-like
        L* in 0..100.
    coarseness : float, optional
        Difference in mean L* above which two regions stay apart that each cover a hundredth of the picture:
        q = coarseness ** 2 * (H * W) / 200. But q is at least that of `NOISE_FLOOR` standard deviations of the
        picture's noise, (5 sigma) ** 2. From `COARSEST` on the picture is one region.

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
    plane = checked_luminance(luminance)
    if not 0 <= coarseness < np.inf:
        raise MethodError(f"coarseness is {coarseness}, expected 0 or more")
    brightness = quantize(smoothed(plane))
    levels = gradient_levels(brightness)
    basins = catchment_basins(levels, brightness)
    by_size = min(coarseness, COARSEST) ** 2 * plane.size / 200
    return merge_basins(basins, brightness, levels, max(by_size, (NOISE_FLOOR * _noise(plane)) ** 2))


def smoothed(luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Luminance as basins are sought in it."""
    return np.asarray(cv2.GaussianBlur(luminance, (0, 0), SMOOTHING, borderType=cv2.BORDER_REPLICATE), np.float32)


def quantize(luminance: NDArray[np.float32]) -> NDArray[np.uint16]:
    """L* in whole `QUANTA`."""
    return (luminance * np.float32(QUANTA) + np.float32(0.5)).astype(np.uint16)


def merge_basins(
    basins: NDArray[np.int32], brightness: NDArray[np.uint16], levels: NDArray[np.uint16], q: float
) -> NDArray[np.int32]:
    """Merge neighbouring basins of n and m pixels whose means differ by at most sqrt(q (1/n + 1/m)) L*.

    Borders are tried once, the weakest first, with the means and sizes of what has merged by then.

    Examples
    --------
    >>> brightness = np.array([[500, 510, 510, 900]], np.uint16)
    >>> merge_basins(np.array([[0, 1, 1, 2]], np.int32), brightness, np.zeros_like(brightness), 1.0).tolist()
    [[0, 0, 0, 1]]
    """
    size, mean = statistics(basins, brightness)
    first, second = sorted_borders(basins, mean, levels)
    parent = np.arange(len(size), dtype=np.int32)
    _merge(first, second, size, mean * size, q * QUANTA**2, parent)
    merged = np.empty_like(basins)
    _number(basins.ravel(), parent, merged.ravel())
    return merged


def sorted_borders(
    areas: NDArray[np.int32], mean: NDArray[np.float64], levels: NDArray[np.uint16]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The areas on both sides of every border between two pixels, the weakest border first.

    A border weighs the difference of the areas' mean brightness plus the higher of the two pixels' levels, so two
    areas meet first over the lowest pass between them.

    Examples
    --------
    >>> areas, mean = np.array([[0, 1, 2]], np.int32), np.array([9.0, 5.0, 4.0])
    >>> first, second = sorted_borders(areas, mean, np.zeros((1, 3), np.uint16))
    >>> first.tolist(), second.tolist()
    ([1, 0], [2, 1])
    """
    pairs = np.empty((2, 2 * areas.size), np.int32)
    weight = np.empty(2 * areas.size, np.uint16)
    count = _borders(areas, mean, levels, pairs, weight)
    order = np.argsort(weight[:count], kind="stable")  # a radix sort
    return pairs[0, order], pairs[1, order]


def statistics(
    areas: NDArray[np.int32], brightness: NDArray[np.uint16]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels and mean brightness of each area; areas are numbered from 0 without gaps."""
    size = np.bincount(areas.ravel()).astype(np.float64)
    return size, np.bincount(areas.ravel(), weights=brightness.ravel()) / size


def _noise(luminance: NDArray[np.float32]) -> float:
    """Standard deviation of the noise, from the median of a second difference that edges and ramps hardly touch.

    J. Immerkaer, "Fast noise variance estimation", CVIU 64(2), 1996. https://doi.org/10.1006/cviu.1996.0060
    """
    mask = np.outer([1, -2, 1], [1, -2, 1]).astype(np.float32)
    difference = cv2.filter2D(luminance, -1, mask, borderType=cv2.BORDER_REFLECT)
    return float(np.median(np.abs(difference))) / (0.6745 * 6)


@njit(cache=True, nogil=True)
def _borders(areas, mean, levels, pairs, weight):  # type: ignore[no-untyped-def]
    height, width = areas.shape
    count = 0
    for row in range(height):
        for column in range(width):
            area = areas[row, column]
            for down, right in ((0, 1), (1, 0)):
                if row + down == height or column + right == width:
                    continue
                beside = areas[row + down, column + right]
                if area != beside:
                    level = max(levels[row, column], levels[row + down, column + right])
                    pairs[0, count] = area
                    pairs[1, count] = beside
                    weight[count] = np.uint16(abs(mean[area] - mean[beside]) + level)
                    count += 1
    return count


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
