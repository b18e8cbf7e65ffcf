"""A drawn page as a network is to see it, and the regions that one colour fills.

Networks of drawings have seen one thing at a time, and colour a page of many panels in pale clouds. So `PageReading`
shows them each thing by itself, and `Page.flatten` gives each region the one colour that they propose for most of it.
May import ``layout``, ``separation``, ``propagate``, ``bins``, ``seeds`` and below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects
from scipy.sparse import coo_array

from hybridcolor.bins import ColorDistribution, nearest_bin
from hybridcolor.layout import Box, find_balloons, find_panels, find_things
from hybridcolor.propagate.lineart import at_home
from hybridcolor.propagate.marker_flooding import flood_markers
from hybridcolor.propagate.strokes import typical
from hybridcolor.seeds import AUTO, Seeds, concatenate
from hybridcolor.separation import separate

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]
Table = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]

GAP = 0.008
"""Gaps in lines part two regions up to this share of the picture's shorter side, or two pixels."""
NARROW = 0.3
"""A passage that is narrower, as a share of the places on both of its sides, is a gap in a line."""
_FINENESS = 8  # levels of the relief to a pixel
_DEEPEST = 4000  # distance, in pixels, that the relief has levels for
_CELLS = 200  # of the longer side of a page
_PALE = 7.0  # ab units from gray
_DOUBT = np.float32(5)  # ab units of spread that are added, so that no cell decides alone
_SURE = np.float32(20)  # logit of white paper


class Answering(Protocol):
    """A picture that a network has read, such as `hybridcolor.predict.Reading`."""

    def predict(self, hints: Seeds | None = None, /) -> ColorDistribution:
        """The belief after hearing hints."""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What is where on a page.

    Attributes
    ----------
    panels : list of (slice, slice)
        Rows and columns of each panel, inside its frame; none if there are no frames.
    things : list of (slice, slice)
        Of what is drawn in them; the whole picture if it has no frames.
    white : (H, W) bool
        Gutters, border and balloons.
    region : (H, W) int32
        Regions to be filled, numbered from 0; they meet under the lines.
    depth : (H, W) float32
        Distance to the nearest line, in pixels.
    """

    panels: list[Box]
    things: list[Box]
    white: Mask
    region: NDArray[np.int32]
    depth: Plane
    _tables: dict[tuple[int, ...], Table] = field(default_factory=dict, repr=False)

    def flatten(self, colours: NDArray[np.float32], belief: ColorDistribution) -> NDArray[np.float32]:
        """(H, W, 2) each region in one colour, the mean of its cells'; it stays white if their median is nearly so.

        Parameters
        ----------
        colours : (h, w, 2) float32
            On the grid of the belief.
        belief : ColorDistribution
            About the page. Cells count by their pixels in the region, and the more the surer it is.
        """
        weight = 1 / (belief.std() + _DOUBT)
        if weight.shape not in self._tables:
            self._tables[weight.shape] = _cells(self.region, weight.shape)
        region, cell, count = self._tables[weight.shape]
        every = colours.reshape(-1, 2)[cell]
        each = (count * weight.ravel()[cell]).astype(np.float32)
        median = every[typical(every, each, region)]
        flat = np.stack([np.bincount(region, each * ab) for ab in every.T], axis=1) / np.bincount(region, each)[:, None]
        flat = np.where(np.hypot(*median.T)[:, None] < _PALE, np.float32(0), flat.astype(np.float32))
        return np.where(self.white[..., None], np.float32(0), flat[self.region])

    def recoloured(self, flat: NDArray[np.float32], known: Mask, value: NDArray[np.float32]) -> NDArray[np.float32]:
        """(H, W, ...) the same with other values, (R, ...), in the regions for which they are known."""
        inside = known[self.region]
        return np.where(inside.reshape(inside.shape + (1,) * (flat.ndim - 2)), value[self.region], flat)

    def seeds(self, flat: NDArray[np.float32]) -> Seeds:
        """One automatic stroke in the middle of each region, of its colour in an (H, W, 2) plane."""
        deepest = np.zeros(int(self.region.max()) + 1, np.float32)
        np.maximum.at(deepest, self.region, self.depth)
        row, column = np.nonzero((self.depth >= 0.8 * deepest[self.region]) & (self.depth > 0))
        return Seeds.of(np.column_stack([row, column]), flat[row, column], stroke=self.region[row, column], origin=AUTO)

    def merged(self, automatic: Seeds, drawn: Seeds) -> Seeds:
        """All seeds: a person's stroke takes the place of the automatic stroke of the region where it is at home.

        A region may be two things joined by a narrow passage, such as a ball whose outline has a gap, and the ground
        around it. A stroke in the ball then takes the ball's side only, and the ground keeps its automatic stroke.
        """
        every = concatenate(automatic, drawn)  # a tail that slipped into another region leaves it its own
        home = every.take(at_home(every, self.region + 1) & (every.origin != AUTO))
        at = self.region[tuple(home.coords.T)]
        boxes = find_objects(self.region + 1)
        taken = np.zeros(self.region.shape, bool)
        for number in np.unique(at).tolist():
            box = boxes[number]
            taken[box] |= self._taken(number, box, home.take(at == number))
        return concatenate(automatic.take(~taken[tuple(automatic.coords.T)]), drawn)

    def _taken(self, number: int, box: Box, strokes: Seeds) -> Mask:
        """What of a region's box strokes take: all of the region if they reach its middle, else their own side.

        A passage stops them if it is much narrower (`NARROW`) than both the place that they are in and the middle.
        """
        own: Mask = self.region[box] == number
        depth = np.where(own, self.depth[box], np.float32(0))
        middle = np.unravel_index(int(depth.argmax()), depth.shape)
        coords = strokes.coords - [side.start for side in box]
        taken = np.zeros(depth.shape, bool)
        for stroke in np.unique(strokes.stroke):
            mine = coords[strokes.stroke == stroke]
            top = _climbed(depth, mine[depth[tuple(mine.T)].argmax()])
            level = NARROW * min(float(depth[top]), float(depth[middle]))
            parts = cv2.connectedComponents((depth > level).astype(np.uint8), connectivity=4)[1]
            if parts[top] == parts[middle]:
                return own
            taken |= (parts == parts[top]) & (parts > 0)
        return taken


class PageReading:
    """A page as a network has read it, thing by thing. Told of a stroke, it reads none of them again.

    Parameters
    ----------
    look : callable
        From the luminance of a thing to its reading, which has ``predict(hints)``.
    luminance : (H, W) float32
        L* in 0..100.

    Attributes
    ----------
    page : Page
        Its layout.
    """

    def __init__(self, look: Callable[[Plane], Answering], luminance: Plane) -> None:
        self.page = read_page(luminance)
        self._readings = [(box, look(np.ascontiguousarray(luminance[box]))) for box in self.page.things]

    def predict(self, hints: Seeds | None = None) -> ColorDistribution:
        """The belief about the whole page; of gutters and border it is sure that they are white."""
        shape = self.page.region.shape
        told = Seeds.empty() if hints is None else hints
        parts = [(box, reading.predict(_inside(told, box))) for box, reading in self._readings]
        if parts[0][1].shape == shape:  # one thing is all there is
            return parts[0][1]
        scale = min(1, _CELLS / max(shape))
        rows, columns = (max(1, round(side * scale)) for side in shape)
        middle = np.indices((rows, columns)).reshape(2, -1).T * shape // (rows, columns)
        first = parts[0][1]
        logits = np.zeros((rows * columns, len(first.bins)), np.float32)
        logits[:, nearest_bin([0, 0])] = _SURE
        for box, belief in parts:
            low, high = (np.array([getattr(side, end) for side in box]) for end in ("start", "stop"))
            here = ((middle >= low) & (middle < high)).all(axis=1)
            logits[here] = belief.logits[belief.cells(middle[here] - low)]
        return ColorDistribution(logits.reshape(rows, columns, -1), shape, first.class_prior, first.bins)

    def features(self) -> tuple[NDArray[np.float32], Mask]:
        """What the network's encoder makes of each region.

        Returns
        -------
        features : (R, C) float32
            The mean over the region of `hybridcolor.predict.Reading.features`, each scale as long as the others and
            all together of length 1.
        seen : (R,) bool
            Which regions are drawn on a thing that the network was shown, and not white.
        """
        region = self.page.region
        count = np.bincount(region.ravel())
        pixels, sums = np.zeros(len(count)), []
        for box, reading in self._readings:
            scales = reading.features()  # type: ignore[attr-defined]  # a network's that takes hints
            rows, columns, size = _cells(region[box], scales[0].shape[:2])
            table = coo_array((size, (rows, columns)), shape=(len(count), scales[0][..., 0].size))
            pixels += np.bincount(rows, size, minlength=len(count))
            sums.append([table @ scale.reshape(-1, scale.shape[2]) for scale in scales])
        unit = [_unit(np.sum(each, axis=0)) / np.sqrt(len(sums[0])) for each in zip(*sums, strict=True)]
        white = np.bincount(region.ravel(), self.page.white.ravel()) > 0
        return np.concatenate(unit, axis=1), (pixels > 0.5 * count) & ~white


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)


def _cells(region: NDArray[np.int32], grid: tuple[int, ...]) -> Table:
    """Which regions have pixels in which cells of a grid laid over them, and how many."""
    (height, width), (rows, columns) = region.shape, grid
    cell = (np.arange(height) * rows // height)[:, None] * columns + np.arange(width) * columns // width
    table = coo_array((np.ones(region.size, np.float32), (region.ravel(), cell.ravel()))).tocsr().tocoo()
    return table.coords[0].astype(np.intp), table.coords[1].astype(np.intp), table.data


def _climbed(depth: Plane, start: NDArray[np.intp]) -> tuple[int, int]:
    """The deepest place that is reached from a pixel by going to ever deeper ones."""
    row, column = (int(at) for at in start)
    while True:
        top, left = max(0, row - 1), max(0, column - 1)
        around = depth[top : row + 2, left : column + 2]
        down, right = divmod(int(around.argmax()), around.shape[1])
        if depth[top + down, left + right] <= depth[row, column]:
            return row, column
        row, column = top + down, left + right


def _inside(hints: Seeds, box: Box) -> Seeds:
    """The hints in a box, as it counts its pixels."""
    low, high = (np.array([getattr(side, end) for side in box], np.int32) for end in ("start", "stop"))
    here = hints.take(np.flatnonzero(((hints.coords >= low) & (hints.coords < high)).all(axis=1)))
    return replace(here, coords=here.coords - low)


def read_page(luminance: Plane) -> Page:
    """Find panels, white paper and regions.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.

    Examples
    --------
    >>> page = np.full((200, 300), 100, np.float32)
    >>> for left in (10, 160):  # two frames
    ...     page[10:190, left : left + 130] = 0
    ...     page[13:187, left + 3 : left + 127] = 100
    >>> layout = read_page(page)
    >>> len(layout.panels), bool(layout.white[100, 150]), bool(layout.white[100, 50]), int(layout.region.max())
    (2, True, False, 2)
    """
    lines = separate(luminance).lines < 60
    depth = np.asarray(cv2.distanceTransform((~lines).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
    ball = max(2.0, GAP * min(luminance.shape)) / 2
    outside, panels = find_panels(lines, depth > ball)
    white = outside | find_balloons(lines)
    drawn = lines & (cv2.dilate(white.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0)  # neither balloons nor frames
    things = [_on_page(thing, panel) for panel in panels for thing in find_things(drawn[panel])]
    whole = np.s_[0 : luminance.shape[0], 0 : luminance.shape[1]]
    region = _regions(lines, depth, ball)
    blank = np.bincount(region.ravel(), white.ravel()) > 0.5 * np.bincount(region.ravel())
    return Page(panels, things or [whole], white | blank[region], region, depth)


def _on_page(box: Box, panel: Box) -> Box:
    return np.s_[
        box[0].start + panel[0].start : box[0].stop + panel[0].start,
        box[1].start + panel[1].start : box[1].stop + panel[1].start,
    ]


def _regions(lines: Mask, depth: Plane, ball: float) -> NDArray[np.int32]:
    """Where a ball does not get from one to the other; narrower places are parted by lines only (trapped balls)."""
    count, cores = cv2.connectedComponents((depth > ball).astype(np.uint8), connectivity=4)
    more, parts = cv2.connectedComponents((~lines).astype(np.uint8), connectivity=4)
    has_core = np.zeros(more, bool)
    has_core[parts[cores > 0]] = True
    markers = np.where(has_core[parts] | lines, cores, parts + count).astype(np.int32)
    if not markers.any():
        return np.zeros(lines.shape, np.int32)
    relief = (_DEEPEST - np.minimum(depth, _DEEPEST - 1)) * _FINENESS
    _, numbered = np.unique(flood_markers(relief.astype(np.uint16), markers), return_inverse=True)
    return numbered.reshape(lines.shape).astype(np.int32)
