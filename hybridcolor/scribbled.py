"""Scribbles on pictures: a marked image as every paint program makes one, read as strokes, and seeds painted on a copy.

A marked image is the gray picture with colour painted over it (Levin, Lischinski and Weiss 2004), or a transparent
layer with only the scribbles on it. What lies in it is found by what differs from the picture; touching pixels of like
colour are a stroke, less the soft rim that brushes and JPEG leave. `seedfiles` has the files. May import ``seeds``,
``picture`` and below.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage.measure import label

from hybridcolor.errors import SeedError
from hybridcolor.lab import eight_bits, gamut_chroma
from hybridcolor.painting import make_room
from hybridcolor.picture import DARK, Picture
from hybridcolor.seeds import FULL_LIGHTNESS, USER, Seeds

_LOSSLESS_MARK = 3.0  # L*a*b* units by which a marked pixel differs from the gray one
_LOSSY_MARK = 12.0  # the same after JPEG compression
_ALIKE = 4.0  # ab units by which touching pixels of one stroke differ at most
_ALIKE_LOSSY = 10.0  # the same after JPEG compression
_UNEVEN = 25.0  # ab units by which the colour changes over a few pixels at the rim of a stroke that JPEG has blurred
_WIDE = 0.25  # share of a stroke that its even part is at least, unless it is thin
_AROUND = np.ones((5, 5), np.uint8)
_WHITE = 90.0  # L* from which on a gray stroke on a drawing stands for white paper, on which white cannot be seen
_NEARLY_WHITE = 94.0  # L* at which white is painted on white paper
_HIDDEN = 0.9  # share of what is in a picture that a sheet hides, at least
_FAINT = 0.1  # share of full alpha up to which a transparent layer has nothing on it
_OPAQUE = 0.5  # share of its stroke's alpha from which a pixel of a transparent layer is a scribble
_SPECK = 6  # pixels up to which a stroke may be grain that shows through another
_INKED = 12  # pixels up to which a stroke may be ink that shows through another, or noise of compression
_RIM = 2  # pixels from a stroke's rim to where its brush covers wholly
_EVEN = 2.0  # of 255, by which a stroke's colour changes at a rim at least
_SOFT = 8  # pixels as far as which a soft brush leaves specks on ink
_THIN = 0.9  # share of a stroke's strongest colour up to which its own colour is thin
_COVERED = 0.98  # share from which on a pixel is covered
_OFF, _OFF_SPECK = 4.0, 24.0  # of 255, by which a mixture may be off; the same for specks
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
        if lossy:
            drawn |= _faint(marked, picture)
    if drawn.all():
        raise SeedError("the marked image differs from the picture everywhere; paint on a copy of the picture itself")
    if not drawn.any():
        return Seeds.empty()
    if lossy:
        drawn = _even(drawn, chroma)
    stroke = _touching(drawn, marked, picture, _ALIKE_LOSSY if lossy else _ALIKE)
    drawn = drawn & ~_rims(marked, picture, stroke)
    lightness = _lightness(marked, picture, np.where(drawn, stroke, 0))[drawn]
    seeds = Seeds.of(np.argwhere(drawn), chroma[drawn], stroke=stroke[drawn] - 1, origin=USER, lightness=lightness)
    pieces: NDArray[np.int64] = label(np.where(drawn, stroke, 0), connectivity=2)  # type: ignore[no-untyped-call]
    return seeds.take(~_specks_on_ink(seeds, pieces[tuple(seeds.coords.T)], picture.luminance, lossy=lossy))


def _lightness(marked: Picture, picture: Picture, stroke: NDArray[np.int32]) -> NDArray[np.float32]:
    """(H, W) L* of each stroke where it covers well, on the lightest of what it lies on; nearly white is white."""
    where = np.nonzero(stroke)
    number, level, ground = (
        np.unique(stroke[where], return_inverse=True)[1],
        marked.luminance[where],
        picture.luminance[where],
    )
    unlike = np.abs(level - ground)
    if marked.chroma is not None:
        unlike += np.hypot(*marked.chroma[where].T)
    chosen = _covering(number, ground, unlike, 0.75)  # its rim is thin, and a few pixels may be noise
    white = level[chosen] > _WHITE
    if marked.chroma is not None:
        white &= np.hypot(*marked.chroma[where][chosen].T) < _ALIKE
    of_stroke = np.where(white, np.float32(FULL_LIGHTNESS), np.minimum(level[chosen], FULL_LIGHTNESS))
    light_of = np.zeros(stroke.shape, np.float32)
    light_of[where] = of_stroke[number]
    return light_of


def _covering(
    stroke: NDArray[np.intp], ground: NDArray[np.float32], unlike: NDArray[np.float32], share: float
) -> NDArray[np.intp]:
    """Of each stroke the pixel that is more unlike its ground than a share of those on the stroke's lightest ground."""
    lightest = ground[_ranked(stroke, ground, 0.9)]
    light = np.flatnonzero(ground > lightest[stroke] - _LOSSY_MARK)
    return np.asarray(light[_ranked(stroke[light], unlike[light], share)])


def _ranked(stroke: NDArray[np.intp], value: NDArray[np.float32], share: float) -> NDArray[np.intp]:
    """Of each stroke the pixel whose value is larger than a share of the others'."""
    count = np.bincount(stroke)
    first = np.cumsum(count) - count
    return np.asarray(np.lexsort((value, stroke))[first + (count * share).astype(int)])


def _specks_on_ink(
    seeds: Seeds, piece: NDArray[np.int64], luminance: NDArray[np.float32], *, lossy: bool
) -> NDArray[np.bool_]:
    """Which seeds are specks where ink shows through a brush: near a stroke of their hue, on darker ground than it.

    Compression makes gray and pale specks of ink and strokes, those of a stroke's hue, and some of a few pixels.
    """
    number, count = np.unique(piece, return_inverse=True, return_counts=True)[1:]
    at = tuple(seeds.coords.T)
    total = [np.bincount(number, each) for each in (luminance[at], *seeds.ab.T)]
    ground, ab = total[0] / count, np.column_stack(total[1:]) / count[:, None]
    plane = np.full(luminance.shape, -1)
    plane[at] = number
    is_speck = np.zeros(len(count), bool)
    order = np.argsort(number, kind="stable")
    first = np.cumsum(count) - count
    for speck in np.flatnonzero(count <= _INKED):
        here = seeds.coords[order[first[speck] : first[speck] + count[speck]]]
        (top, left), (bottom, right) = np.maximum(here.min(axis=0) - _SOFT, 0), here.max(axis=0) + _SOFT + 1
        near = np.unique(plane[top:bottom, left:right])
        near = near[(near >= 0) & (near != speck)]
        near = near[(count[near] > 4 * count[speck]) & (lossy | (ground[near] > ground[speck] + _LOSSY_MARK))]
        along = ab[near] @ ab[speck]
        is_speck[speck] = (along >= 0.9 * np.hypot(*ab[near].T) * np.hypot(*ab[speck])).any()
    if lossy:
        stroke, size = np.unique(seeds.stroke, return_inverse=True, return_counts=True)[1:]
        vivid = np.hypot(*(np.bincount(stroke, each) / size for each in seeds.ab.T))
        most = np.select([vivid < _ALIKE, vivid < _ALIKE_LOSSY], [_INKED, 2 * _INKED], _SPECK // 2)
        return is_speck[number] | (size <= most)[stroke]
    return is_speck[number]


def _sheet(marked: Picture, picture: Picture, threshold: float) -> list[Picture]:
    """The white or black sheet that a layer of scribbles lies on if it was saved without its transparency."""
    sheets = [Picture(np.full(picture.shape, level, np.float32)) for level in (100, 0)]
    for sheet in sheets:
        hidden = np.abs(picture.luminance - sheet.luminance) > threshold
        if hidden.any() and np.mean(_differs(marked, sheet)[hidden] <= threshold) > _HIDDEN:
            return [sheet]
    return []


def _covered(alpha: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a transparent layer is at least half as opaque as in the most opaque place of the same stroke."""
    areas: NDArray[np.int64] = label(alpha >= _FAINT * np.iinfo(alpha.dtype).max, connectivity=2)  # type: ignore[no-untyped-call]
    most = np.zeros(areas.max() + 1)
    np.maximum.at(most, areas.ravel(), alpha.ravel())
    return np.asarray((areas > 0) & (alpha >= _OPAQUE * most[areas]))


def _faint(marked: Picture, picture: Picture) -> NDArray[np.bool_]:
    """Where a compressed copy differs less than noise may, but evenly over an area: strokes of nearly white."""
    most, least = (change(marked.luminance, _AROUND[:3, :3]) for change in (cv2.dilate, cv2.erode))
    even = (most - least < _LOSSLESS_MARK) & (_differs(marked, picture) > _LOSSLESS_MARK)
    return np.asarray(cv2.morphologyEx(even.view(np.uint8), cv2.MORPH_OPEN, _AROUND[:3, :3]) > 0)


def _even(drawn: NDArray[np.bool_], chroma: NDArray[np.float32]) -> NDArray[np.bool_]:
    """What is drawn less where its colour changes, as compression blurs it: less of thin areas, none of hairs."""
    areas: NDArray[np.int64] = label(drawn, connectivity=2)  # type: ignore[no-untyped-call]
    left = drawn
    for around in (_AROUND, _AROUND[:3, :3]):
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


def _rims(marked: Picture, picture: Picture, stroke: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Pixels that a brush covered in part: mixtures of a stroke with what lies under it.

    The stroke is their own, as of an airbrush, or one beside them. Under it is the picture, or another stroke on the
    pixel's other side; where the stroke goes on evenly there it has no rim. Where the brush multiplies, what lies under
    it shades it. Paint programs mix sRGB values.
    """
    inside = np.argwhere(stroke) + _RIM
    paint, below = (np.pad(_srgb(each), ((_RIM, _RIM), (_RIM, _RIM), (0, 0)), "edge") for each in (marked, picture))
    stroke = np.pad(stroke, _RIM)
    at = tuple(inside.T)
    plane, own, paint, below = paint, stroke[at], paint[at], below[at]
    unlike = np.abs(np.subtract(paint, below, dtype=np.float32)).max(axis=1)
    most = _covering(
        np.unique(own, return_inverse=True)[1], below.max(axis=1), np.ptp(paint, axis=1) + unlike / 32, 0.9
    )
    strongest = np.zeros(own.max() + 1, np.intp)
    strongest[own[most]] = most
    is_speck = np.bincount(own) <= _SPECK
    changing = np.ptp([cv2.erode(plane, _AROUND)[at], cv2.dilate(plane, _AROUND)[at]], axis=0).max(axis=1) > _EVEN
    mixed = changing & _mixtures(paint, below, paint[strongest][own], most=_THIN)
    numbers = stroke.astype(np.float64)
    outer = np.flatnonzero((cv2.dilate(numbers, _AROUND) != cv2.erode(numbers, _AROUND))[at])
    for offset in np.argwhere(np.ones((2 * _RIM + 1, 2 * _RIM + 1))) - _RIM:
        beside, across = (stroke[tuple((inside[outer] + way).T)] for way in (offset, -offset))
        is_near = (beside > 0) & (beside != own[outer])
        near, beside, across = outer[is_near], strongest[beside[is_near]], across[is_near]
        colour, ground, other = paint[near], below[near], paint[beside]
        is_brush = ~is_speck[own[beside]]
        off = np.where(is_brush & is_speck[own[near]], _OFF_SPECK, _OFF)
        shade = ground / np.maximum(below[beside], np.float32(1))
        shaded = is_brush & (shade.max(axis=1) < _COVERED) & (np.abs(colour - shade * other).max(axis=1) <= off)
        beyond = np.abs(np.subtract(colour, plane[tuple((inside[near] - offset).T)], dtype=np.float32)).max(axis=1)
        is_rim = (across != own[near]) | (beyond > _EVEN)
        mixed[near] |= is_rim & (shaded | _mixtures(colour, ground, other, off=off))
        mixed[near] |= (across > 0) & (across != own[near]) & _mixtures(colour, paint[strongest[across]], other)
    rims = np.zeros(stroke.shape, bool)
    rims[at] = mixed
    return rims[_RIM:-_RIM, _RIM:-_RIM]


def _mixtures(
    colour: NDArray[np.uint8],
    ground: NDArray[np.uint8],
    paint: NDArray[np.uint8],
    *,
    off: ArrayLike = _OFF,
    most: float = _COVERED,
) -> NDArray[np.bool_]:
    """Which colours, (N, 3), are a ground under a paint that covers it in part, less than ``most``."""
    whole, part = (np.subtract(each, ground, dtype=np.float32) for each in (paint, colour))
    share = (part * whole).sum(axis=1) / np.maximum((whole * whole).sum(axis=1), 1)
    away = np.abs(part - share[:, None] * whole).max(axis=1)
    return np.asarray((share > 0) & (share < most) & (away <= off))


def _srgb(picture: Picture) -> NDArray[np.uint8]:
    """(H, W, 3) as 8 bits."""
    return eight_bits(picture.to_rgb(picture.chroma))


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
