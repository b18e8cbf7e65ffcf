"""Rainfall: every drop runs down the steepest slope, and a basin is where drops end in the same minimum."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

OUTSIDE = np.uint16(65535)


def catchment_basins(levels: NDArray[np.uint16], brightness: NDArray[np.uint16]) -> NDArray[np.int32]:
    """Split a relief into the basins of its regional minima, by steepest descent to 4-neighbours.

    On a plateau that drains, a drop takes the shortest way to where it drains. Where two neighbours are equally
    low, it takes the one nearer in brightness.

    Parameters
    ----------
    levels : (H, W) uint16
        The relief, below 65535.
    brightness : (H, W) uint16
        Settles ties.

    Returns
    -------
    (H, W) int32
        Basin of each pixel, numbered from 0 in scan order.

    References
    ----------
    .. [1] V. Osma-Ruiz, J. I. Godino-Llorente, N. Saenz-Lechon, P. Gomez-Vilda, "An improved watershed algorithm
       based on efficient computation of shortest paths", Pattern Recognition 40(3), 2007.
       https://doi.org/10.1016/j.patcog.2006.06.025

    Examples
    --------
    >>> catchment_basins(np.array([[0, 1, 5, 2, 2]], np.uint16), np.zeros((1, 5), np.uint16)).tolist()
    [[0, 0, 0, 1, 1]]
    """
    relief = np.pad(levels, 1, constant_values=OUTSIDE)
    downhill = np.empty(relief.shape, np.int32)
    stride = relief.shape[1]
    _descend(relief.ravel(), np.pad(brightness, 1).ravel(), stride, downhill.ravel())
    _drain_plateaus(relief.ravel(), stride, downhill.ravel(), np.empty(levels.size, np.int32))
    _number(relief.ravel(), stride, downhill.ravel())
    return np.ascontiguousarray(downhill[1:-1, 1:-1])


@njit(cache=True, nogil=True)
def find(parent, item):  # type: ignore[no-untyped-def]
    """Root of an item's tree, the path to it halved on the way."""
    while parent[item] != item:
        parent[item] = parent[parent[item]]
        item = parent[item]
    return item


@njit(cache=True, nogil=True)
def _descend(relief, brightness, stride, downhill):  # type: ignore[no-untyped-def]
    """Point every pixel to its lowest neighbour, or to itself where none is lower."""
    for pixel in range(relief.size):
        downhill[pixel] = pixel
        if relief[pixel] == OUTSIDE:
            continue
        lowest = relief[pixel]
        nearest = np.int64(65536)
        for beside in (pixel - 1, pixel + 1, pixel - stride, pixel + stride):
            if relief[beside] <= lowest and relief[beside] < relief[pixel]:
                apart = abs(np.int64(brightness[beside]) - np.int64(brightness[pixel]))
                if relief[beside] < lowest or apart < nearest:
                    downhill[pixel] = beside
                    lowest = relief[beside]
                    nearest = apart


@njit(cache=True, nogil=True)
def _drain_plateaus(relief, stride, downhill, queue):  # type: ignore[no-untyped-def]
    """Point the pixels of a plateau that drains towards its nearest outlet, layer by layer."""
    tail = 0
    for pixel in range(stride, relief.size - stride):
        if downhill[pixel] != pixel:
            for beside in (pixel - 1, pixel + 1, pixel - stride, pixel + stride):
                if downhill[beside] == beside and relief[beside] == relief[pixel]:
                    queue[tail] = pixel
                    tail += 1
                    break
    head = 0
    while head < tail:
        pixel = queue[head]
        head += 1
        for beside in (pixel - 1, pixel + 1, pixel - stride, pixel + stride):
            if downhill[beside] == beside and relief[beside] == relief[pixel]:
                downhill[beside] = pixel
                queue[tail] = beside
                tail += 1


@njit(cache=True, nogil=True)
def _number(relief, stride, downhill):  # type: ignore[no-untyped-def]
    """Join the pixels of each minimum, and replace the pointers by the basin's number."""
    for pixel in range(stride, relief.size - stride):
        if downhill[pixel] != pixel or relief[pixel] == OUTSIDE:
            continue
        for beside in (pixel - 1, pixel - stride):
            if relief[beside] == relief[pixel]:  # so it is of the same minimum
                one = find(downhill, pixel)
                other = find(downhill, beside)
                downhill[max(one, other)] = min(one, other)
    for pixel in range(relief.size):
        downhill[pixel] = find(downhill, pixel)
    count = 0
    for pixel in range(relief.size):
        if relief[pixel] == OUTSIDE:
            continue
        root = downhill[pixel]
        if root >= 0:  # a root is met after its pixels where it lies below them
            if downhill[root] >= 0:
                downhill[root] = ~count
                count += 1
            downhill[pixel] = downhill[root]
    for pixel in range(relief.size):
        downhill[pixel] = ~downhill[pixel]
