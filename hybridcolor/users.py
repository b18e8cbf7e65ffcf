"""Simulated users: what people who know the true colours would draw, one stroke after another.

Studies and model cards need hints that nobody tires of giving, and the same ones for every method. May import
``seeds`` only.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.graph import route_through_array
from skimage.segmentation import felzenszwalb

from hybridcolor.seeds import Seeds

Chroma = NDArray[np.float32]
Strokes = Generator[Seeds, Chroma | None, None]
"""Strokes without end, numbered from 0. Who looks at results is sent the newest, (H, W, 2), after each stroke."""

PATCH = 5
"""Side of a patch, in pixels, as in R. Zhang et al. 2017."""
PEN = 3
"""Width of a scribble, in pixels."""
LONGEST = 0.3
"""Length of a scribble, as a fraction of the longer side."""


def random_patches(truth: Chroma, rng: np.random.Generator) -> Strokes:
    """Small patches anywhere: a person who does not look (R. Zhang et al. 2017, section 4.2).

    Parameters
    ----------
    truth : (H, W, 2) float32
        True a* and b*.
    rng : numpy.random.Generator

    Yields
    ------
    Seeds
        One stroke of the mean true colour under it.

    Examples
    --------
    >>> user = random_patches(np.ones((9, 9, 2), np.float32), np.random.default_rng(0))
    >>> next(user).ab[0].tolist(), next(user).stroke[0].item()
    ([1.0, 1.0], 1)
    """
    stroke = 0
    while True:
        row, column = rng.integers(truth.shape[:2])
        yield _patch(truth, int(row), int(column), stroke)
        stroke += 1


def largest_errors(truth: Chroma, _rng: np.random.Generator) -> Strokes:
    """Small patches where the result is worst: an attentive person. Before the first result, where gray is worst.

    Parameters as for `random_patches`.

    Examples
    --------
    >>> truth = np.zeros((20, 20, 2), np.float32)
    >>> truth[12:] = 30
    >>> user = largest_errors(truth, np.random.default_rng(0))
    >>> bool(next(user).coords[:, 0].mean() > 12), bool(user.send(truth * [[[1, 0]]]).coords[:, 0].mean() > 12)
    (True, True)
    """
    result: Chroma | None = np.zeros_like(truth)
    done = np.zeros(truth.shape[:2], bool)
    stroke = 0
    while True:
        if result is not None:
            squared = np.square(truth - result).sum(axis=2).astype(np.float32)
            error = np.asarray(cv2.boxFilter(squared, -1, (PATCH, PATCH), borderType=cv2.BORDER_REFLECT))
        row, column = np.unravel_index(int(np.where(done, -1.0, error).argmax()), error.shape)
        seeds = _patch(truth, int(row), int(column), stroke)
        done[tuple(seeds.coords.T)] = True
        result = yield seeds
        stroke += 1


def scribbles(truth: Chroma, _rng: np.random.Generator) -> Strokes:
    """A scribble along the middle of one region after another, the one that gray misses most first.

    Regions are those of the truth (`skimage.segmentation.felzenszwalb`). A region comes again for the part that is
    still far from its scribbles, and for all of it when there is no such part. Parameters as for `random_patches`.

    Examples
    --------
    >>> truth = np.zeros((40, 40, 2), np.float32)
    >>> truth[:, 20:] = 50
    >>> first = next(scribbles(truth, np.random.default_rng(0)))
    >>> bool((first.coords[:, 1] > 20).all()), first.ab[0].tolist()
    (True, [50.0, 50.0])
    """
    smallest = max(9, truth[..., 0].size // 2000)
    label = felzenszwalb(truth / 100, scale=1, sigma=0.5, min_size=smallest, channel_axis=2)
    missed = np.hypot(*np.moveaxis(truth, 2, 0)) + 1.0
    waiting = [(-float(missed[label == each].sum()), int(each), label == each) for each in np.unique(label)]
    heapq.heapify(waiting)
    tie = len(waiting)
    stroke = 0
    while True:
        _, _, region = heapq.heappop(waiting)
        path = _along_the_middle(region, limit=max(2, round(LONGEST * max(region.shape))))
        drawn = cv2.dilate(path.astype(np.uint8), np.ones((PEN, PEN), np.uint8)).astype(bool) & region
        coords = np.argwhere(drawn)
        yield Seeds.of(coords, np.median(truth[drawn], axis=0), stroke=stroke)
        stroke += 1
        depth = cv2.distanceTransform((~path).astype(np.uint8), cv2.DIST_L2, 3)
        rest = region & (depth > PEN)
        if not rest.any():  # nothing is left to draw on: draw on what was drawn on
            rest = region
        heapq.heappush(waiting, (-float((missed * rest).sum()) / 4, tie, rest))  # a quarter, after new ones
        tie += 1


USERS: dict[str, Callable[[Chroma, np.random.Generator], Strokes]] = {
    "random": random_patches,
    "attentive": largest_errors,
    "scribbles": scribbles,
}
"""All simulated users by name."""


def _patch(truth: Chroma, row: int, column: int, stroke: int) -> Seeds:
    """A square around a pixel, cut at the picture's rim, of the mean true colour under it."""
    rows, columns = (
        np.arange(max(middle - PATCH // 2, 0), min(middle + PATCH // 2 + 1, side))
        for middle, side in zip((row, column), truth.shape, strict=False)
    )
    coords = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    return Seeds.of(coords, truth[coords[:, 0], coords[:, 1]].mean(axis=0), stroke=stroke)


def _along_the_middle(region: NDArray[np.bool_], *, limit: int) -> NDArray[np.bool_]:
    """A path of at most ``limit`` pixels through the widest place of a region, away from its rim."""
    rows, columns = np.nonzero(region)
    top, left = rows.min(), columns.min()
    part = np.pad(region[top : rows.max() + 1, left : columns.max() + 1], 1)
    depth = cv2.distanceTransform(part.astype(np.uint8), cv2.DIST_L2, 5)
    start = np.unravel_index(int(depth.argmax()), depth.shape)
    _, connected = cv2.connectedComponents(part.astype(np.uint8), connectivity=8)
    inside = (depth >= 0.6 * depth.max()) & (connected == connected[start])
    ends = np.argwhere(inside)
    end = ends[np.hypot(*(ends - start).T).argmax()]
    cost = np.where(connected == connected[start], 1 / np.maximum(depth, 0.5) ** 2, -1)  # below 0: no way
    route, _ = route_through_array(cost, start, end)  # type: ignore[no-untyped-call]
    row, column = np.array(route[:limit]).T
    path = np.zeros(region.shape, bool)
    path[row + top - 1, column + left - 1] = True
    return path
