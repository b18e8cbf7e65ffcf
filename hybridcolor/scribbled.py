"""Scribbles on pictures: a marked image as every paint program makes one, read as strokes, and seeds painted on a copy.

A marked image is the gray picture with colour painted over it (Levin, Lischinski and Weiss 2004), or a transparent
layer with only the scribbles on it. What lies in it is found by what differs from the picture; touching pixels of like
colour are a stroke, less what `brushes` leave at its rim. `seedfiles` has the files. May import ``brushes`` and below.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage.measure import label

from hybridcolor.brushes import ALIKE, ALIKE_LOSSY, AROUND, lightness_of_strokes, rims, specks_on_ink
from hybridcolor.errors import SeedError
from hybridcolor.lab import gamut_chroma
from hybridcolor.painting import make_room
from hybridcolor.picture import DARK, Picture
from hybridcolor.seeds import FULL_LIGHTNESS, USER, Seeds

_LOSSLESS_MARK = 3.0  # L*a*b* units by which a marked pixel differs from the gray one
_LOSSY_MARK = 12.0  # the same after JPEG compression
_UNEVEN = 25.0  # ab units by which the colour changes over a few pixels at the rim of a stroke that JPEG has blurred
_WIDE = 0.25  # share of a stroke that its even part is at least, unless it is thin
_NEARLY_WHITE = 94.0  # L* at which white is painted on white paper
_HIDDEN = 0.9  # share of what is in a picture that a sheet hides, at least
_MOSTLY = 0.5  # share of a picture from which on what differs from it is more than strokes
_GRAY = 1.0  # ab units of what is no colour
_FLAT = 5.0  # L* by which the levels of a picture differ where it is no blank paper
_FAINT = 0.1  # share of full alpha up to which a transparent layer has nothing on it
_OPAQUE = 0.5  # share of its stroke's alpha from which a pixel of a transparent layer is a scribble
# L* tried, in this order, until a seed's colour fits: the most vivid ones do so at one luminance only.
_PAINT_LEVELS = (65, 50, 80, 35, 90, 20, *(half / 2 for half in range(10, 200)))
_PAINT_LOSS = 0.5  # ab units that painting may cost a colour that fits


def strokes_on(marked: Picture, picture: Picture, *, lossy: bool) -> Seeds:
    """Every touching area of one colour in a marked image of a picture, as a stroke of a person's.

    Parameters
    ----------
    marked : Picture
        As read with ``read_image(..., layer=True)``, of the picture's size.
    picture : Picture
    lossy : bool
        Whether the marked image was compressed as JPEG is, so that colours are off and rims blurred.

    Raises
    ------
    SeedError
        If they differ everywhere.
    """
    if _holds_ink(marked, picture):
        marked = marked.on_paper()
    chroma = np.zeros((*picture.shape, 2), np.float32) if marked.chroma is None else marked.chroma
    if marked.alpha is not None and _is_layer(marked.alpha, picture.alpha):
        drawn = _covered(marked.alpha)
    else:
        threshold = _LOSSY_MARK if lossy else _LOSSLESS_MARK
        # A copy in gray, or in the colours that it came with, as of paper, or no copy at all.
        copied = (replace(picture, chroma=None), picture, *_sheet(marked, picture, threshold))
        drawn, picture = min(
            ((_differs(marked, each) > threshold, each) for each in copied), key=lambda both: both[0].sum()
        )
        if _has_other_tones(drawn, marked, picture):
            picture = _toned(marked, picture)
            drawn = _differs(marked, picture) > threshold
            if _has_other_tones(drawn, marked, picture):
                raise SeedError("most of the marked image has other grays than the picture; paint on a copy of that")
        if lossy:
            drawn |= _faint(marked, picture)
    if drawn.all():
        raise SeedError("the marked image differs from the picture everywhere; paint on a copy of the picture itself")
    if not drawn.any():
        return Seeds.empty()
    if lossy:
        drawn = _even(drawn, chroma)
    stroke = _touching(drawn, marked, picture, ALIKE_LOSSY if lossy else ALIKE)
    drawn = drawn & ~rims(marked, picture, stroke)
    lightness = lightness_of_strokes(marked, picture, np.where(drawn, stroke, 0))[drawn]
    seeds = Seeds.of(np.argwhere(drawn), chroma[drawn], stroke=stroke[drawn] - 1, origin=USER, lightness=lightness)
    pieces: NDArray[np.int64] = label(np.where(drawn, stroke, 0), connectivity=2)  # type: ignore[no-untyped-call]
    return seeds.take(~specks_on_ink(seeds, pieces[tuple(seeds.coords.T)], picture.luminance, lossy=lossy))


def _sheet(marked: Picture, picture: Picture, threshold: float) -> list[Picture]:
    """The white or black sheet that a layer of scribbles lies on if it was saved without its transparency."""
    sheets = [Picture(np.full(picture.shape, level, np.float32)) for level in (100, 0)]
    for sheet in sheets:
        hidden = np.abs(picture.luminance - sheet.luminance) > threshold
        if hidden.any() and np.mean(_differs(marked, sheet)[hidden] <= threshold) > _HIDDEN:
            return [sheet]
    return []


def _has_other_tones(drawn: NDArray[np.bool_], marked: Picture, picture: Picture) -> bool:
    """Whether what differs is no paint: most of the picture, in many grays on both sides."""
    gray = drawn if marked.chroma is None else drawn & (np.hypot(*np.moveaxis(marked.chroma, -1, 0)) < _GRAY)
    many = all(np.std(each.luminance[gray]) > _FLAT for each in (marked, picture)) if gray.any() else False
    return bool(gray.mean() > _MOSTLY and many)


def _toned(marked: Picture, picture: Picture) -> Picture:
    """The picture in the tones of a copy that is darker, or without its profile: each level as it mostly is there."""
    level = np.rint(picture.luminance).astype(np.int64).ravel()
    gray = np.ones(level.shape, bool) if marked.chroma is None else np.hypot(*marked.chroma.reshape(-1, 2).T) < _GRAY
    of_level = [marked.luminance.ravel()[gray & (level == each)] for each in range(101)]
    known = [each for each, found in enumerate(of_level) if len(found)]
    tones = np.interp(picture.luminance, known, [np.median(of_level[each]) for each in known]) if known else 0
    return replace(picture, luminance=np.broadcast_to(tones, picture.shape).astype(np.float32), chroma=None)


def _covered(alpha: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a transparent layer is at least half as opaque as in the most opaque place of the same stroke."""
    areas: NDArray[np.int64] = label(alpha >= _FAINT * np.iinfo(alpha.dtype).max, connectivity=2)  # type: ignore[no-untyped-call]
    most = np.zeros(areas.max() + 1)
    np.maximum.at(most, areas.ravel(), alpha.ravel())
    return np.asarray((areas > 0) & (alpha >= _OPAQUE * most[areas]))


def _faint(marked: Picture, picture: Picture) -> NDArray[np.bool_]:
    """Where a compressed copy differs less than noise may, but evenly over an area: strokes of nearly white."""
    most, least = (change(marked.luminance, AROUND[:3, :3]) for change in (cv2.dilate, cv2.erode))
    even = (most - least < _LOSSLESS_MARK) & (_differs(marked, picture) > _LOSSLESS_MARK)
    return np.asarray(cv2.morphologyEx(even.view(np.uint8), cv2.MORPH_OPEN, AROUND[:3, :3]) > 0)


def _even(drawn: NDArray[np.bool_], chroma: NDArray[np.float32]) -> NDArray[np.bool_]:
    """What is drawn less where its colour changes, as compression blurs it: less of thin areas, none of hairs."""
    areas: NDArray[np.int64] = label(drawn, connectivity=2)  # type: ignore[no-untyped-call]
    left = drawn
    for around in (AROUND, AROUND[:3, :3]):
        most, least = cv2.dilate(chroma, around), cv2.erode(chroma, around)
        inner = cv2.erode(left.view(np.uint8), around) > 0
        even = inner & (np.hypot(*np.moveaxis(most - least, -1, 0)) < _UNEVEN)
        wide = np.bincount(areas[even], minlength=areas.max() + 1) >= _WIDE * np.bincount(areas.ravel())
        drawn = np.where(wide[areas] & left, even, drawn)
        left = left & ~wide[areas]
    return np.asarray(drawn)


def _touching(drawn: NDArray[np.bool_], marked: Picture, picture: Picture, alike: float) -> NDArray[np.int32]:
    """(H, W) numbers from 1 of the areas of pixels that touch and are alike; 0 where nothing is drawn.

    Lightness that changes with what is below, as under a brush that lets it through, is alike too, if it is so along
    most of where two such areas touch.
    """
    count = int(np.count_nonzero(drawn))
    number = np.full(np.add(drawn.shape, (1, 2)), -1, np.int32)  # of each pixel, and -1 beyond the picture's rim
    number[:-1, 1:-1][drawn] = np.arange(count)
    pairs = []
    for down, right in ((0, 1), (1, -1), (1, 0), (1, 1)):
        beside = number[down : down + drawn.shape[0], 1 + right : 1 + right + drawn.shape[1]]
        pair = np.stack([number[:-1, 1:-1][drawn], beside[drawn]])
        pairs.append(pair[:, pair[1] >= 0])
    first, second = np.concatenate(pairs, axis=1)
    level, ground = (each.luminance[drawn] for each in (marked, picture))
    apart, below = level[first] - level[second], ground[first] - ground[second]
    hue = 0 if marked.chroma is None else np.hypot(*(marked.chroma[drawn][first] - marked.chroma[drawn][second]).T)
    area = _joined(first, second, np.hypot(hue, apart) < alike, count)
    shown = (hue < alike) & (np.minimum(below, 0) - alike < apart) & (apart < np.maximum(below, 0) + alike)
    border = np.flatnonzero(area[first] != area[second])
    both = np.sort([area[first[border]], area[second[border]]], axis=0).astype(np.int64)
    pair, at = np.unique(both[0] << 32 | both[1], return_inverse=True)
    mostly = np.bincount(at, shown[border], len(pair)) > np.bincount(at, minlength=len(pair)) / 2
    areas = np.zeros(drawn.shape, np.int32)
    areas[drawn] = _joined(pair >> 32, pair & 0xFFFFFFFF, mostly, count)[area] + 1
    return areas


def _joined(first: NDArray[Any], second: NDArray[Any], are_one: NDArray[np.bool_], count: int) -> NDArray[np.int32]:
    """The part of a graph that each of its nodes is in."""
    edges = coo_array((np.ones(np.count_nonzero(are_one), bool), (first[are_one], second[are_one])), (count, count))
    return np.asarray(connected_components(edges, directed=False)[1], np.int32)


def _differs(marked: Picture, picture: Picture) -> NDArray[np.float32]:
    """(H, W) L*a*b* units between two pictures."""
    ab, own = (np.float32(0) if each.chroma is None else each.chroma for each in (marked, picture))
    apart = np.hypot(*np.moveaxis(np.broadcast_to(ab - own, (*picture.shape, 2)), -1, 0))
    return np.asarray(np.abs(marked.luminance - picture.luminance) + apart, np.float32)


def _holds_ink(marked: Picture, picture: Picture) -> bool:
    """Whether a transparent image has the ink of a drawing too: it is a marked copy, and no layer of scribbles."""
    ink = picture.luminance < DARK
    if marked.alpha is None or picture.alpha is not None or not ink.any():
        return False
    same = np.abs(marked.on_paper().luminance[ink] - picture.luminance[ink]) < _LOSSLESS_MARK
    return bool(same.mean() > 0.5)


def _is_layer(alpha: NDArray[Any], own: NDArray[Any] | None) -> bool:
    """Whether an image is a transparent layer, and not a copy of a picture that is itself transparent in places."""
    copied = own is not None and np.array_equal(alpha, own)
    return not copied and bool(alpha.min() < np.iinfo(alpha.dtype).max)


def draw_seeds(seeds: Seeds, picture: Picture) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """(H, W, 3) RGB of the gray picture with the seeds painted on it, at a level that holds their colour."""
    luminance, chroma = picture.luminance.copy(), np.zeros((*picture.shape, 2), np.float32)
    row, column = seeds.coords.T
    level, loss = np.zeros(len(seeds), np.float32), np.full(len(seeds), np.inf, np.float32)
    own = np.where(seeds.origin == USER, make_room(seeds.lightness[None], seeds.ab[None])[0], _PAINT_LEVELS[0])
    tried_first = (own, np.where(seeds.lightness < FULL_LIGHTNESS, own, np.minimum(own, np.float32(_NEARLY_WHITE))))
    paints = (*tried_first, *(np.full_like(own, each) for each in _PAINT_LEVELS))
    for number, paint in enumerate(paints):
        clear = _LOSSLESS_MARK * (1.5 if number < len(tried_first) else 4)
        left = np.flatnonzero(loss > _PAINT_LOSS)
        ab, tried = seeds.ab[left], paint[left]
        held = gamut_chroma(tried, ab)
        stands_out = np.abs(luminance[row, column][left] - tried) + np.hypot(*held.T) > clear
        lost = np.where(stands_out, np.hypot(*(held - ab).T), np.inf)
        better = lost < loss[left]
        level[left[better]], loss[left[better]] = tried[better], lost[better]
    luminance[row, column], chroma[row, column] = level, seeds.ab
    return Picture(luminance, None, None, picture.bit_depth).to_rgb(chroma)
