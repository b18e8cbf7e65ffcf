"""Seeded region growing: a stroke's region takes in neighbours that are as bright as it is on average."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.errors import MethodError
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.strokes import mark, paint
from hybridcolor.seeds import Seeds

RANGE = 255.0
"""Luminance is stretched to 0..RANGE, so that a threshold means the same in a dull picture as in a brilliant one."""

OUTSIDE = np.int32(-1)


def flood(luminance: NDArray[np.float32], seeds: Seeds, *, threshold: float = 16.0) -> Propagation:
    """Grow every stroke's region to 4-neighbours whose luminance is near the region's mean.

    Luminance is stretched so that the picture's darkest pixel is 0 and its brightest 255. All regions grow at once,
    a layer of pixels at a time: a neighbouring pixel joins if it differs from the region's running mean by less
    than the threshold, and of several regions the nearest in brightness takes it. Where no region can grow any
    more, the threshold is raised by its own amount, as often as it takes until every pixel has an owner. Pixels
    that were refused are asked again when another neighbour joins, and when the threshold rises.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    seeds : Seeds
        Every seed starts its stroke's region, soft ones too; hard seeds also keep their own colour and stroke. A
        stroke of several colours has its region in the one nearest to their median.
    threshold : float, optional
        In 0..255 of the picture's own range of luminance.

    Returns
    -------
    Propagation
        With ``label``, the stroke each pixel belongs to.

    Raises
    ------
    MethodError
        If the threshold is not a finite number of at least 1.

    Notes
    -----
    With seeds of the true colour it had the least error of the methods that give each pixel one stroke: on 103 photos
    with 3, 10, 30, 100 and 300 patches of 5 x 5 pixels 14.5, 10.7, 7.9, 5.6, 4.1 ab (see `watershed` in its module
    for the others). Thresholds from 4 to 16 differ by less than 1%, and 32 is 1% worse.

    References
    ----------
    .. [1] R. Adams, L. Bischof, "Seeded region growing", IEEE TPAMI 16(6), 1994.
       https://doi.org/10.1109/34.295913

    Examples
    --------
    >>> from hybridcolor.seeds import Seeds
    >>> luminance = np.array([[20, 22, 24, 78, 79, 80]], np.float32)
    >>> seeds = Seeds.of([[0, 0], [0, 5]], [[40.0, 0.0], [0.0, 40.0]], stroke=[3, 7])
    >>> flood(luminance, seeds).label.tolist()
    [[3, 3, 3, 7, 7, 7]]
    """
    if not 1 <= threshold < np.inf:
        raise MethodError(f"threshold is {threshold}, expected a number of at least 1 (luminance runs from 0 to 255)")
    markers = mark(seeds, luminance.shape)
    return paint(grow(_stretched(luminance), markers.plane, threshold), markers, seeds)


def grow(light: NDArray[np.uint8], markers: NDArray[np.int32], threshold: float) -> NDArray[np.int32]:
    """The marker of every pixel, grown from where ``markers`` are not 0.

    Examples
    --------
    >>> grow(np.array([[0, 5, 30, 60]], np.uint8), np.array([[1, 0, 0, 2]], np.int32), 8.0).tolist()
    [[1, 1, 1, 2]]
    """
    owner = np.pad(markers, 1, constant_values=OUTSIDE)
    lists = np.empty((2, markers.size), np.int32)
    _grow(np.pad(light, 1).ravel(), owner.shape[1], owner.ravel(), float(threshold), lists)
    return np.ascontiguousarray(owner[1:-1, 1:-1])


def _stretched(luminance: NDArray[np.float32]) -> NDArray[np.uint8]:
    low, high = float(luminance.min()), float(luminance.max())
    scale = RANGE / (high - low) if high > low else 0.0
    return np.round((luminance - np.float32(low)) * np.float32(scale)).astype(np.uint8)


@njit(cache=True, nogil=True)
def _nearest(light, stride, owner, mean, pixel):  # type: ignore[no-untyped-def]
    """The region beside a pixel that is nearest in brightness, the lowest-numbered of equals, and how far it is."""
    nearest = np.int32(0)
    least = np.inf
    for beside in (pixel - 1, pixel + 1, pixel - stride, pixel + stride):
        marker = owner[beside]
        if marker > 0 and marker != nearest:
            difference = abs(light[pixel] - mean[marker])
            if difference < least or (difference == least and marker < nearest):
                nearest = marker
                least = difference
    return nearest, least


@njit(cache=True, nogil=True)
def _join(joining, planes, mean, counts, asked):  # type: ignore[no-untyped-def]
    """Let pixels join, and list the free pixels beside them; returns their number."""
    light, owner, _is_refused, is_asked, stride = planes
    total, size = counts
    for pixel, marker in joining:
        owner[pixel] = marker
        total[marker] += light[pixel]
        size[marker] += 1
        mean[marker] = total[marker] / size[marker]
    asking = 0
    for pixel, _marker in joining:
        for beside in (pixel - 1, pixel + 1, pixel - stride, pixel + stride):
            if owner[beside] == 0 and not is_asked[beside]:
                is_asked[beside] = True
                asked[asking] = beside
                asking += 1
    return asking


@njit(cache=True, nogil=True)
def _ask(asked, planes, mean, limit, joining, refused, waiting):  # type: ignore[no-untyped-def]
    """Sort free pixels into those that join and those refused; returns both numbers."""
    light, owner, is_refused, is_asked, stride = planes
    joined = 0
    for pixel in asked:
        is_asked[pixel] = False
        marker, difference = _nearest(light, stride, owner, mean, pixel)
        if difference < limit:
            joining[joined, 0] = pixel
            joining[joined, 1] = marker
            joined += 1
        elif not is_refused[pixel]:
            is_refused[pixel] = True
            refused[waiting] = pixel
            waiting += 1
    return joined, waiting


@njit(cache=True, nogil=True)
def _grow(light, stride, owner, threshold, lists):  # type: ignore[no-untyped-def]
    """Grow in place; the planes have a border of one pixel.

    A layer is decided as a whole from the means before it, and only then joins, so no order of pixels matters.
    """
    asked, refused = lists
    joining = np.empty((asked.size, 2), np.int32)
    is_refused = np.zeros(owner.size, np.bool_)
    planes = (light, owner, is_refused, np.zeros(owner.size, np.bool_), stride)
    counts = np.zeros((2, owner.max() + 1), np.int64)  # the sum of brightness, and pixels
    mean = np.zeros(owner.max() + 1)
    joined = 0
    for pixel in range(owner.size):
        if owner[pixel] > 0:
            joining[joined, 0] = pixel
            joining[joined, 1] = owner[pixel]
            joined += 1
    waiting = 0
    limit = threshold
    while joined > 0:
        asking = _join(joining[:joined], planes, mean, counts, asked)
        joined, waiting = _ask(asked[:asking], planes, mean, limit, joining, refused, waiting)
        if joined > 0:
            continue
        least = np.inf  # no region can grow: raise the limit just past the nearest of those refused, and ask again
        asking = 0
        for pixel in refused[:waiting]:
            is_refused[pixel] = False
            if owner[pixel] == 0:
                asked[asking] = pixel
                asking += 1
                least = min(least, _nearest(light, stride, owner, mean, pixel)[1])
        if asking > 0:
            limit = max(limit, (np.floor(least / threshold) + 1) * threshold)
        joined, waiting = _ask(asked[:asking], planes, mean, limit, joining, refused, 0)
