"""What brushes leave: soft rims, mixtures with what lies below, ink that shows through, and what JPEG makes of it.

`scribbled` tells by it which pixels of a marked image are strokes, and how light. May import ``seeds``, ``picture`` and
below.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridcolor.lab import eight_bits
from hybridcolor.picture import Picture
from hybridcolor.seeds import FULL_LIGHTNESS, Seeds

ALIKE = 4.0
"""Ab units by which touching pixels of one stroke differ at most."""
ALIKE_LOSSY = 10.0
"""The same after JPEG compression."""
AROUND = np.ones((5, 5), np.uint8)
"""The pixels around one, as far as a brush's rim goes."""
_DARKER = 12.0  # L* by which ground is another ground
_WHITE = 90.0  # L* from which on a gray stroke on a drawing stands for white paper, on which white cannot be seen
_SPECK = 6  # pixels up to which a stroke may be grain that shows through another
_INKED = 12  # pixels up to which a stroke may be ink that shows through another, or noise of compression
_RIM = 2  # pixels from a stroke's rim to where its brush covers wholly
_EVEN = 2.0  # of 255, by which a stroke's colour changes at a rim at least
_SOFT = 8  # pixels as far as which a soft brush leaves specks on ink
_THIN = 0.9  # share of a stroke's strongest colour up to which its own colour is thin
_COVERED = 0.98  # share from which on a pixel is covered
_OFF, _OFF_SPECK = 4.0, 24.0  # of 255, by which a mixture may be off; the same for specks


def rims(marked: Picture, picture: Picture, stroke: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Pixels that a brush covered in part: mixtures of a stroke with what lies under it.

    The stroke is their own, as of an airbrush, or one beside them. Under it is the picture, or another stroke on the
    pixel's other side; where the stroke goes on evenly there it has no rim. Where the brush multiplies, what lies under
    it shades it. Paint programs mix sRGB values.

    Parameters
    ----------
    marked, picture : Picture
        What was drawn on, and what it was before; of one size.
    stroke : (H, W) int32
        The number of each pixel's stroke, 0 where nobody drew.

    Returns
    -------
    (H, W) bool

    Examples
    --------
    >>> paper = Picture.from_array(np.full((7, 20, 3), 255, np.uint8))
    >>> row = np.array([255] * 6 + [245, 150] + [40] * 4 + [150, 245] + [255] * 6, np.uint8)
    >>> marked = Picture.from_array(np.tile(row[None, :, None], (7, 1, 3)))
    >>> rims(marked, paper, np.int32(marked.luminance < 99))[3].nonzero()[0].tolist()
    [6, 7, 12, 13]
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
    changing = np.ptp([cv2.erode(plane, AROUND)[at], cv2.dilate(plane, AROUND)[at]], axis=0).max(axis=1) > _EVEN
    mixed = changing & _mixtures(paint, below, paint[strongest][own], most=_THIN)
    numbers = stroke.astype(np.float64)
    outer = np.flatnonzero((cv2.dilate(numbers, AROUND) != cv2.erode(numbers, AROUND))[at])
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


def lightness_of_strokes(marked: Picture, picture: Picture, stroke: NDArray[np.int32]) -> NDArray[np.float32]:
    """(H, W) L* of each stroke where it covers well, on the lightest of what it lies on; nearly white is white.

    Parameters
    ----------
    marked, picture, stroke
        As for `rims`.

    Examples
    --------
    >>> paper, marked = (Picture.from_array(np.full((1, 8), level, np.uint8)) for level in (255, 119))
    >>> lightness_of_strokes(marked, paper, np.ones((1, 8), np.int32))[0, 0].round()
    np.float32(50.0)
    """
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
        white &= np.hypot(*marked.chroma[where][chosen].T) < ALIKE
    of_stroke = np.where(white, np.float32(FULL_LIGHTNESS), np.minimum(level[chosen], FULL_LIGHTNESS))
    light_of = np.zeros(stroke.shape, np.float32)
    light_of[where] = of_stroke[number]
    return light_of


def _covering(
    stroke: NDArray[np.intp], ground: NDArray[np.float32], unlike: NDArray[np.float32], share: float
) -> NDArray[np.intp]:
    """Of each stroke the pixel that is more unlike its ground than a share of those on the stroke's lightest ground."""
    lightest = ground[ranked(stroke, ground, 0.9)]
    light = np.flatnonzero(ground > lightest[stroke] - _DARKER)
    return np.asarray(light[ranked(stroke[light], unlike[light], share)])


def ranked(stroke: NDArray[np.intp], value: NDArray[np.float32], share: float) -> NDArray[np.intp]:
    """Of each stroke, numbered from 0 without gaps, the pixel whose value is larger than a share of the others'.

    Examples
    --------
    >>> ranked(np.array([0, 1, 1, 1]), np.float32([5, 7, 9, 8]), 0.5).tolist()
    [0, 3]
    """
    count = np.bincount(stroke)
    first = np.cumsum(count) - count
    return np.asarray(np.lexsort((value, stroke))[first + (count * share).astype(int)])


def specks_on_ink(
    seeds: Seeds, piece: NDArray[np.int64], luminance: NDArray[np.float32], *, lossy: bool
) -> NDArray[np.bool_]:
    """Which seeds are specks where ink shows through a brush: near a stroke of their hue, on darker ground than it.

    Compression makes gray and pale specks of ink and strokes, those of a stroke's hue, and some of a few pixels.

    Parameters
    ----------
    seeds : Seeds
    piece : (N,) int
        The number of the touching pixels that each seed is one of.
    luminance : (H, W) float32
        L* of the picture.
    lossy : bool
        Whether it was compressed.

    Returns
    -------
    (N,) bool
    """
    number, count = np.unique(piece, return_inverse=True, return_counts=True)[1:]
    at = tuple(seeds.coords.T)
    below = luminance[at]
    ground = below[ranked(number, below, 0.9)]  # of a stroke that crosses ink, what is between
    level, *ab_of = (np.bincount(number, each) / count for each in (seeds.lightness, *seeds.ab.T))
    ab = np.column_stack(ab_of)
    veiled = (np.hypot(*ab.T) < ALIKE) & (level < ground)  # so little paint has no hue
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
        near = near[(count[near] > 4 * count[speck]) & (lossy | (ground[near] > ground[speck] + _DARKER))]
        along = ab[near] @ ab[speck]
        of_hue = along >= 0.9 * np.hypot(*ab[near].T) * np.hypot(*ab[speck])
        is_speck[speck] = (of_hue | veiled[speck]).any()
    if lossy:
        stroke, size = np.unique(seeds.stroke, return_inverse=True, return_counts=True)[1:]
        vivid = np.hypot(*(np.bincount(stroke, each) / size for each in seeds.ab.T))
        most = np.select([vivid < ALIKE, vivid < ALIKE_LOSSY], [_INKED, 2 * _INKED], _SPECK // 2)
        return is_speck[number] | (size <= most)[stroke]
    return is_speck[number]


def _srgb(picture: Picture) -> NDArray[np.uint8]:
    """(H, W, 3) as 8 bits."""
    return eight_bits(picture.to_rgb(picture.chroma))
