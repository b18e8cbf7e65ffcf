"""Where the panels of a drawn page are, and its speech balloons.

Gutters and border are the white that reaches the rim of a page between framed panels; a balloon is a round white region
with lettering in it. Imports nothing of hybridcolor.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Mask = NDArray[np.bool_]
Box = tuple[slice, slice]

FRAME = 0.85
"""Least share of its bounding box that a panel fills."""
LEAST_PANEL = 0.02
"""Least share of the page that a panel's box covers."""
EDGE = 0.06
"""Farthest that a frame reaches into its panel's box, as a share of the box's side."""
APART = 0.08
"""How far apart ink must be to be of two things, as a share of the panel's shorter side."""
LEAST_THING = 0.01
"""Least share of a panel that a thing covers."""
LETTERS = 4
"""Fewest letters side by side in a balloon."""
ROUND = 0.8
"""Least share of its convex hull that a balloon fills."""
OTHERS = 0.05
"""Greatest share of a balloon that is drawn on, apart from letters."""
_LARGEST_LETTER = 0.05  # height and width of a letter as a share of the page's longer side
_SMALLEST_LETTER = 5  # pixels


def find_panels(ink: Mask, open_paper: Mask) -> tuple[Mask, list[Box]]:
    """The paper outside of all panels, and the rows and columns of each; nothing where there are no frames.

    Parameters
    ----------
    ink, open_paper : (H, W) bool
        Lines, and where there is room between them.

    Examples
    --------
    >>> page = np.ones((100, 60), bool)
    >>> for top in (5, 55):  # two frames
    ...     page[top : top + 40, 5:55] = False
    ...     page[top + 2 : top + 38, 7:53] = True
    >>> outside, boxes = find_panels(~page, page)
    >>> bool(outside[50, 30]), bool(outside[20, 20]), [(rows.start, rows.stop) for rows, _ in boxes]
    (True, False, [(7, 43), (57, 93)])
    """
    _, parts = cv2.connectedComponents(np.pad(open_paper, 1, constant_values=True).astype(np.uint8), connectivity=4)
    outside = (parts == parts[0, 0])[1:-1, 1:-1]
    _, _, stats, _ = cv2.connectedComponentsWithStats((~outside).astype(np.uint8), connectivity=4)
    size = stats[:, cv2.CC_STAT_WIDTH] * stats[:, cv2.CC_STAT_HEIGHT]
    framed = (stats[:, cv2.CC_STAT_AREA] >= FRAME * size) & (size >= LEAST_PANEL * open_paper.size)
    framed[0] = False
    boxes = [np.s_[top : top + height, left : left + width] for left, top, width, height, _ in stats[framed].tolist()]
    return outside & framed.any(), [_inside_frame(ink, box) for box in boxes]


def _inside_frame(ink: Mask, box: Box) -> Box:
    """A panel's box without its frame: the lines nearest to its sides that run along most of them."""
    ends = []
    for axis, side in enumerate(box):
        lined = np.flatnonzero(ink[box].mean(axis=1 - axis) > 0.5)
        length = side.stop - side.start
        first, last = lined[lined < EDGE * length], lined[lined >= (1 - EDGE) * length]
        inner = (
            side.start + first.max() + 1 if len(first) else side.start,
            side.start + last.min() if len(last) else side.stop,
        )
        ends.append(slice(int(inner[0]), int(inner[1])))
    return ends[0], ends[1]


def find_things(ink: Mask) -> list[Box]:
    """Rows and columns of the things drawn in a panel, with a margin, the largest first: boxes that do not touch.

    Parameters
    ----------
    ink : (H, W) bool
        Of a panel, without its frame.

    Examples
    --------
    >>> ink = np.zeros((60, 100), bool)
    >>> ink[10:30, 10:30] = ink[10:50, 60:90] = True
    >>> [(rows.start, columns.start) for rows, columns in find_things(ink)]
    [(8, 58), (8, 8)]
    """
    if ink.size == 0:  # a panel that is nothing but its frame
        return []
    near = 2 * round(APART * min(ink.shape) / 2) + 1  # odd, so that the dilation is even on all sides
    covered = cv2.dilate(ink.astype(np.uint8), np.ones((near, near), np.uint8))
    count = 0
    while True:
        found, _, stats, _ = cv2.connectedComponentsWithStats(covered, connectivity=8)
        if found == count:
            break
        count, covered = found, np.zeros_like(covered)
        for left, top, width, height, _ in stats[1:].tolist():
            covered[top : top + height, left : left + width] = 1  # boxes that touch become one
    large = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= LEAST_THING * ink.size]
    order = np.argsort(-large[:, cv2.CC_STAT_AREA], kind="stable")
    return [np.s_[top : top + height, left : left + width] for left, top, width, height, _ in large[order].tolist()]


def find_balloons(ink: Mask) -> Mask:
    """(H, W) the insides of speech balloons, their lettering among them.

    Parameters
    ----------
    ink : (H, W) bool
        Lines and lettering, without screentone.
    """
    _, papers, stats, _ = cv2.connectedComponentsWithStats((~ink).astype(np.uint8), connectivity=4)
    inside = np.zeros(ink.shape, bool)
    letters, around = _letters(ink, papers.astype(np.int32))
    for number in np.flatnonzero(np.bincount(around) >= LETTERS):
        left, top, width, height, paper_area = stats[number]
        if min(left, top) == 0 or top + height == ink.shape[0] or left + width == ink.shape[1]:
            continue  # it goes on beyond the page
        box = np.s_[top : top + height, left : left + width]
        own = (papers[box] == number).astype(np.uint8)
        outline, _ = cv2.findContours(own, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        area, hull = cv2.contourArea(outline[0]), cv2.contourArea(cv2.convexHull(outline[0]))
        words = letters[around == number]
        others = area - paper_area - words[:, 2:4].prod(axis=1).sum()  # what else than paper and letters' boxes
        if area < ROUND * hull or others > OTHERS * area or not _is_lettered(words, stats[number]):
            continue
        filled = cv2.drawContours(np.zeros((height, width), np.uint8), outline[:1], 0, 1, cv2.FILLED)
        inside[box] |= filled > 0
    return inside


def _letters(ink: Mask, papers: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Pieces of ink of a letter's size: (N, 5) left, top, width, height and area, and (N,) the paper around each."""
    _, marks, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    side = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    fits = (side.max(axis=1) >= _SMALLEST_LETTER) & (side.max(axis=1) <= _LARGEST_LETTER * max(ink.shape))
    fits &= (left > 0) & (top > 0) & (left + side[:, 0] < ink.shape[1]) & (top + side[:, 1] < ink.shape[0])
    fits[0] = False
    row, column = np.nonzero(marks)  # the first pixel of each mark has paper above it
    first = np.full(len(stats), -1)
    _, index = np.unique(marks[row, column], return_index=True)
    first[marks[row[index], column[index]]] = index
    at = first[fits]
    return stats[fits], papers[row[at] - 1, column[at]]


def _is_lettered(letters: NDArray[np.int32], paper: NDArray[np.int32]) -> bool:
    """Whether marks stand side by side, of about one height, as letters do, in the middle of their paper.

    Parameters
    ----------
    letters, paper : (N, 5) and (5,) int32
        Left, top, width, height and area.
    """
    middle = letters[:, :2] + letters[:, 2:4] / 2
    height = letters[:, 2:4].max(axis=1)
    found = cKDTree(middle).query(middle, k=[2])
    distance, near = np.asarray(found[0])[:, 0], np.asarray(found[1])[:, 0]
    alike = np.maximum(height, height[near]) <= 2 * np.minimum(height, height[near])
    beside = np.abs(middle - middle[near]).min(axis=1) <= 0.6 * height
    lettered = alike & beside & (distance <= 1.8 * np.maximum(height, height[near]))
    if lettered.sum() < max(LETTERS, 0.6 * len(letters)):
        return False
    low, high = letters[:, :2].min(axis=0), (letters[:, :2] + letters[:, 2:4]).max(axis=0)
    off = np.abs((low + high) / 2 - (paper[:2] + paper[2:4] / 2)) / paper[2:4]
    return bool((off < 0.2).all())
