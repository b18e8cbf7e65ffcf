"""Regions instead of pixels: catchment basins, and growing markers over them along least contrast."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.flooding import flood
from hybridcolor.propagate.grid import neighbour


def catchment_basins(levels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Split a relief into the basins of its regional minima, numbered from 0.

    Examples
    --------
    >>> catchment_basins(np.array([[0, 1, 5, 2, 2]], np.int32)).tolist()
    [[0, 0, 0, 1, 1]]
    """
    minima = np.zeros(levels.shape, np.int32)
    _mark_minima(levels.ravel(), levels.shape[1], minima.ravel())
    basins: NDArray[np.int32] = flood(levels, minima) - np.int32(1)
    return basins


def grow_regions(
    regions: NDArray[np.int32], brightness: NDArray[np.int32], markers: NDArray[np.int32], owner: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Give every region a marker along the minimum spanning forest of contrasts, rooted in the marked ones.

    Neighbouring regions are joined in order of the difference of their mean brightness (Kruskal), unless both
    already have different markers. A region that holds several markers is first split the way ``owner`` is.

    Parameters
    ----------
    regions : (H, W) int32
        Region of each pixel, numbered from 0 without gaps.
    brightness : (H, W) int32
    markers : (H, W) int32
        1, 2, ... where a pixel is marked, 0 elsewhere; at least one is marked.
    owner : (H, W) int32
        A marker for every pixel, for regions that hold several.

    Returns
    -------
    (H, W) int32
        The marker each pixel belongs to.
    """
    regions, root = _split_by_marker(regions, markers, owner)
    size = np.bincount(regions.ravel(), minlength=len(root))
    mean = np.bincount(regions.ravel(), weights=brightness.ravel(), minlength=len(root)) / size
    first, second = _borders(regions)
    contrast = np.abs(mean[first] - mean[second])
    smaller = np.minimum(size[first], size[second])
    darker = np.minimum(mean[first], mean[second])
    order = np.lexsort((darker, smaller, contrast))  # ties go by what the regions are, not by where they lie
    _join(first[order], second[order], root)
    grown: NDArray[np.int32] = root[regions]
    return grown


def _split_by_marker(
    regions: NDArray[np.int32], markers: NDArray[np.int32], owner: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Regions renumbered so that none holds two markers, and the marker of each (0 for none)."""
    count = int(regions.max()) + 1
    marked = markers > 0
    lowest = np.full(count, np.iinfo(np.int32).max, np.int32)
    highest = np.zeros(count, np.int32)
    np.minimum.at(lowest, regions[marked], markers[marked])
    np.maximum.at(highest, regions[marked], markers[marked])
    several = (highest > 0) & (lowest < highest)
    root = np.where(several, 0, highest).astype(np.int32)
    inside = several[regions]
    if not inside.any():
        return regions, root
    parts, part = np.unique(
        np.stack([regions[inside], owner[inside]], axis=1), axis=0, return_inverse=True
    )  # the part of an owner within such a region is a region of its own, and marked
    split = regions.copy()
    split[inside] = count + part.ravel()
    root = np.concatenate([root, parts[:, 1].astype(np.int32)])
    numbers, dense = np.unique(split, return_inverse=True)
    return dense.reshape(regions.shape).astype(np.int32), root[numbers]


def _borders(regions: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each pair of 4-neighbouring regions once, lower number first."""
    count = int(regions.max()) + 1
    pairs = []
    for one, other in ((regions[:, :-1], regions[:, 1:]), (regions[:-1], regions[1:])):
        apart = one != other
        low = np.minimum(one[apart], other[apart]).astype(np.int64)
        pairs.append(low * count + np.maximum(one[apart], other[apart]))
    first, second = np.divmod(np.unique(np.concatenate(pairs)), count)
    return first, second


@njit(cache=True, nogil=True)
def _find(parent, region):  # type: ignore[no-untyped-def]
    while parent[region] != region:
        parent[region] = parent[parent[region]]
        region = parent[region]
    return region


@njit(cache=True, nogil=True)
def _join(first, second, root):  # type: ignore[no-untyped-def]
    """Kruskal over sorted edges; ``root`` becomes the marker of every region."""
    parent = np.arange(root.size)
    for edge in range(first.size):
        one = _find(parent, first[edge])
        other = _find(parent, second[edge])
        if one != other and (root[one] == 0 or root[other] == 0 or root[one] == root[other]):
            parent[other] = one
            root[one] = max(root[one], root[other])
    for region in range(root.size):
        root[region] = root[_find(parent, region)]


@njit(cache=True, nogil=True)
def _mark_minima(levels, width, minima):  # type: ignore[no-untyped-def]
    """Number the plateaus that have no lower neighbour, from 1."""
    seen = np.zeros(levels.size, np.bool_)
    plateau = np.empty(levels.size, np.int32)
    count = 0
    for start in range(levels.size):
        if seen[start]:
            continue
        seen[start] = True
        plateau[0] = start
        found = 1
        lowest = True
        at = 0
        while at < found:
            pixel = plateau[at]
            at += 1
            for side in range(4):
                beside = neighbour(pixel, side, width, levels.size)
                if beside < 0:
                    continue
                if levels[beside] < levels[pixel]:
                    lowest = False
                elif levels[beside] == levels[pixel] and not seen[beside]:
                    seen[beside] = True
                    plateau[found] = beside
                    found += 1
        if lowest:
            count += 1
            for at in range(found):
                minima[plateau[at]] = count
