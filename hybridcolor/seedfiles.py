"""Seeds on disk: a JSON form that keeps everything, and marked images that any paint program can make.

A marked image is the gray picture with colour painted over it (Levin, Lischinski and Weiss 2004), or a
transparent layer with only the scribbles on it. May import ``seeds``, ``picture``, ``imagefiles`` and below.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage.measure import label

from hybridcolor.errors import ImageError, SeedError
from hybridcolor.files import read_whole, write_whole
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.lab import eight_bits, gamut_chroma
from hybridcolor.picture import DARK, Picture
from hybridcolor.seeds import AUTO, USER, Seeds, check_values

SCHEMA = 1
_ORIGINS = {AUTO: "auto", USER: "user"}
_LOSSLESS_MARK = 3.0  # L*a*b* units by which a marked pixel differs from the gray one
_LOSSY_MARK = 12.0  # the same after JPEG compression
_ALIKE = 4.0  # ab units by which touching pixels of one stroke differ at most
_ALIKE_LOSSY = 10.0  # the same after JPEG compression
_UNEVEN = 25.0  # ab units by which the colour changes over a few pixels at the rim of a stroke that JPEG has blurred
_AROUND = np.ones((5, 5), np.uint8)
_LOSSY = {".jpg", ".jpeg", ".webp"}
_HIDDEN = 0.9  # share of what is in a picture that a sheet hides, at least
_FAINT = 0.1  # share of full alpha up to which a transparent layer has nothing on it
_OPAQUE = 0.5  # share of its stroke's alpha from which a pixel of a transparent layer is a scribble
_SPECK = 6  # pixels up to which a stroke may be grain that shows through another
_RIM = 2  # pixels from a stroke's rim to where its brush covers wholly
_THIN = 0.9  # share of a stroke's strongest colour up to which its own colour is thin
_COVERED = 0.98  # share from which on a pixel is covered
_OFF, _OFF_SPECK = 4.0, 24.0  # of 255, by which a mixture may be off; the same for specks
# L* tried, in this order, until a seed's colour fits: the most vivid ones do so at one luminance only.
_PAINT_LEVELS = (65, 50, 80, 35, 90, 20, *(half / 2 for half in range(10, 200)))
_PAINT_LOSS = 0.5  # ab units that painting may cost a colour that fits


def read_seeds(path: str | os.PathLike[str], picture: Picture) -> Seeds:
    """Seeds of a picture from a ``.json`` file or a marked image.

    Parameters
    ----------
    path : path-like
        JSON as `write_seeds` makes it, or an image of the picture's size: a marked copy of the gray picture, or
        a layer that is transparent, or white, but for the scribbles.
    picture : Picture
        What the seeds are for.

    Returns
    -------
    Seeds
        In a marked image every touching area of one colour is one stroke, drawn by a person. The soft rim that most
        brushes leave, an airbrush's thin parts among it, is no stroke: those pixels are as good as not drawn on. So
        are those where a brush that multiplies is shaded by ink, and the blurred rims of a JPEG copy.

    Raises
    ------
    SeedError
        If the file is not one of these, is for another size, or has a seed outside the picture.
    """
    path = Path(path)
    if path.suffix.lower() == ".json":
        seeds = read_json_seeds(path, picture.shape)
    else:
        try:
            marked = read_image(path, layer=True)
        except ImageError as error:
            raise SeedError(f"seeds file: {error}") from error
        if marked.shape != picture.shape:
            raise SeedError(
                f"{path}: is {_size(marked.shape)}, the picture is {_size(picture.shape)}; make them the same"
            )
        seeds = _from_marked(marked, picture, lossy=path.suffix.lower() in _LOSSY)
    seeds.check_inside(picture.shape)
    return seeds


def write_seeds(path: str | os.PathLike[str], seeds: Seeds, picture: Picture, *, overwrite: bool = False) -> None:
    """Save seeds as JSON, or, for any other suffix, as a marked copy of the gray picture.

    JSON keeps everything, to the bit. A marked image keeps colours that sRGB can show to within a unit or two of 8-bit
    rounding, and forgets weights and origins.

    Raises
    ------
    SeedError
        If a seed lies outside the picture, or the file exists, or cannot be written.
    ImageError
        The same for a marked image.
    """
    path = Path(path)
    seeds.check_inside(picture.shape)
    if path.suffix.lower() != ".json":
        write_image(path, draw_seeds(seeds, picture), overwrite=overwrite)
        return
    if path.exists() and not overwrite:
        raise SeedError(f"{path}: exists already; choose another name or pass --overwrite")
    content = {
        "format": "hybridcolor-seeds",
        "schema": SCHEMA,
        "shape": list(picture.shape),
        "strokes": strokes_to_json(seeds),
    }
    try:
        write_whole(path, json.dumps(content, indent=1).encode(), overwrite=overwrite)
    except OSError as error:
        raise SeedError(f"{path}: cannot be written ({error.strerror}); choose a folder you may write to") from error


def draw_seeds(seeds: Seeds, picture: Picture) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """(H, W, 3) RGB of the gray picture with the seeds painted on it, at a level that holds their colour."""
    luminance, chroma = picture.luminance.copy(), np.zeros((*picture.shape, 2), np.float32)
    row, column = seeds.coords.T
    level, loss = np.zeros(len(seeds), np.float32), np.full(len(seeds), np.inf, np.float32)
    for paint in _PAINT_LEVELS:
        left = np.flatnonzero(loss > _PAINT_LOSS)
        ab = seeds.ab[left]
        held = gamut_chroma(np.full(len(left), paint, np.float32), ab)
        stands_out = np.abs(luminance[row, column][left] - paint) + np.hypot(*held.T) > 4 * _LOSSLESS_MARK
        lost = np.where(stands_out, np.hypot(*(held - ab).T), np.inf)
        better = lost < loss[left]
        level[left[better]], loss[left[better]] = paint, lost[better]
    luminance[row, column], chroma[row, column] = level, seeds.ab
    return Picture(luminance, None, None, picture.bit_depth).to_rgb(chroma)


def strokes_to_json(seeds: Seeds) -> list[dict[str, Any]]:
    """Strokes of one colour, weight and origin each, their pixels as runs (row, first column, length)."""
    key = np.column_stack([seeds.stroke, seeds.origin, seeds.ab, seeds.weight]).astype(np.float64)
    groups, group = np.unique(key, axis=0, return_inverse=True)
    group = group.reshape(-1)
    strokes = []
    for i, (stroke, origin, a, b, weight) in enumerate(groups):
        strokes.append(
            {
                "stroke": int(stroke),
                "origin": _ORIGINS[int(origin)],
                "ab": [_shortest(a), _shortest(b)],
                "weight": None if np.isinf(weight) else _shortest(weight),
                "runs": runs_of_pixels(seeds.coords[group == i]),
            }
        )
    return strokes


def _shortest(value: np.float64) -> float:
    """A float32 value as the number with the fewest digits that reads back as the same float32."""
    return float(str(np.float32(value)))


def runs_of_pixels(coords: NDArray[np.int32]) -> list[list[int]]:
    """Horizontal runs (row, first column, length) that cover (N, 2) pixels.

    Examples
    --------
    >>> runs_of_pixels(np.array([[0, 2], [0, 1], [3, 0]], np.int32))
    [[0, 1, 2], [3, 0, 1]]
    """
    coords = coords[np.lexsort((coords[:, 1], coords[:, 0]))]
    breaks = np.flatnonzero((np.diff(coords[:, 0]) != 0) | (np.diff(coords[:, 1]) != 1)) + 1
    return [[int(part[0, 0]), int(part[0, 1]), len(part)] for part in np.split(coords, breaks) if len(part)]


def count_of_runs(runs: Any, shape: tuple[int, int]) -> int:
    """How many pixels runs have; to be asked before `pixels_of_runs`, which could fill the memory.

    Raises
    ------
    SeedError
        If one lies outside the picture.
    TypeError, ValueError
        If they are no runs.

    Examples
    --------
    >>> count_of_runs([[0, 1, 2], [3, 0, 4]], (4, 4))
    6
    """
    pixels = 0
    for row, column, length in runs:
        if not all(type(number) is int for number in (row, column, length)):
            raise TypeError("rows, columns and lengths are whole numbers")
        if not (0 <= row < shape[0] and column >= 0 and length > 0 and column + length <= shape[1]):
            raise SeedError(
                f"seeds: a run of {length} at row {row}, column {column} lies outside the picture "
                f"({_size(shape)}); were they made for another picture or size?"
            )
        pixels += length
    return pixels


def pixels_of_runs(runs: list[list[int]]) -> NDArray[np.int64]:
    """The pixels of runs.

    Examples
    --------
    >>> pixels_of_runs([[0, 1, 2]]).tolist()
    [[0, 1], [0, 2]]
    """
    parts = [np.column_stack([np.full(n, row), np.arange(column, column + n)]) for row, column, n in runs]
    return np.concatenate(parts) if parts else np.empty((0, 2), np.int64)


def read_json_seeds(path: Path, shape: tuple[int, int]) -> Seeds:
    """As `read_seeds`, of JSON alone, for a picture of this shape that need not be in memory.

    Raises
    ------
    SeedError
        As `read_seeds`.
    """
    try:
        content = json.loads(read_whole(path).decode())
    except OSError as error:
        raise SeedError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise SeedError(f"{path}: is not JSON; give a seeds file of hybridcolor or a marked image") from error
    try:
        if content["format"] == "hybridcolor-session":
            raise SeedError(f"{path}: is a session of the editor and no seeds; `hybridcolor replay` colours by it")
        if content["format"] != "hybridcolor-seeds":
            raise SeedError(f"{path}: is not a seeds file of hybridcolor; its format is {content['format']!r}")
        if content["schema"] != SCHEMA:
            raise SeedError(f"{path}: schema {content['schema']!r} is not known, expected {SCHEMA}; update hybridcolor")
        if tuple(content["shape"]) != shape:
            raise SeedError(f"{path}: was made for {_size(content['shape'])}, the picture is {_size(shape)}")
        return strokes_from_json(content["strokes"], shape)
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise SeedError(f"{path}: is not a seeds file of hybridcolor ({type(error).__name__}: {error})") from error


def strokes_from_json(strokes: list[dict[str, Any]], shape: tuple[int, int]) -> Seeds:
    """Seeds from what `strokes_to_json` made.

    Raises
    ------
    SeedError
        If a pixel lies outside of a picture of this shape, comes twice, or has no colour.
    LookupError, TypeError, ValueError, OverflowError
        If it is something else.
    """
    if not all(type(stroke["stroke"]) is int for stroke in strokes):
        raise TypeError("stroke ids are whole numbers")
    pixels = sum(count_of_runs(stroke["runs"], shape) for stroke in strokes)
    if pixels > shape[0] * shape[1]:
        raise SeedError(f"seeds: {pixels} pixels are given, the picture has {shape[0] * shape[1]}; some come twice")
    parts = [pixels_of_runs(stroke["runs"]) for stroke in strokes]
    origin_of = {name: number for number, name in _ORIGINS.items()}
    columns = [
        (len(pixels), s["ab"], np.inf if s["weight"] is None else s["weight"], s["stroke"], origin_of[s["origin"]])
        for s, pixels in zip(strokes, parts, strict=True)
    ]
    if not columns:
        return Seeds.empty()
    count, ab, weight, stroke, origin = zip(*columns, strict=True)
    colours, weights = np.asarray(ab, np.float64).reshape(-1, 2), np.asarray(weight, np.float64)
    check_values(colours, weights)  # before they are rounded: a weight must not become inf by that
    return Seeds(
        np.concatenate(parts).astype(np.int32),
        np.repeat(colours.astype(np.float32), count, axis=0),
        np.repeat(weights.astype(np.float32), count),
        np.repeat(np.asarray(stroke, np.int32), count),
        np.repeat(np.asarray(origin, np.uint8), count),
    )


def _from_marked(marked: Picture, picture: Picture, *, lossy: bool) -> Seeds:
    """Every touching area of one colour as a stroke."""
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
    if drawn.all():
        raise SeedError("the marked image differs from the picture everywhere; paint on a copy of the picture itself")
    if not drawn.any():
        return Seeds.empty()
    if lossy:
        drawn = _even(drawn, chroma)
    stroke = _touching(drawn, chroma, _ALIKE_LOSSY if lossy else _ALIKE)
    drawn = drawn & ~_rims(marked, picture, stroke)
    return Seeds.of(np.argwhere(drawn), chroma[drawn], stroke=stroke[drawn] - 1, origin=USER)


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


def _even(drawn: NDArray[np.bool_], chroma: NDArray[np.float32]) -> NDArray[np.bool_]:
    """What is drawn less where its colour changes, as compression blurs it; areas without an even pixel stay whole."""
    most, least = cv2.dilate(chroma, _AROUND), cv2.erode(chroma, _AROUND)
    inner = cv2.erode(drawn.view(np.uint8), _AROUND) > 0
    even = inner & (np.hypot(*np.moveaxis(most - least, -1, 0)) < _UNEVEN)
    areas: NDArray[np.int64] = label(drawn, connectivity=2)  # type: ignore[no-untyped-call]
    return np.asarray(even | (drawn & ~np.isin(areas, areas[even])))


def _touching(drawn: NDArray[np.bool_], chroma: NDArray[np.float32], alike: float) -> NDArray[np.int32]:
    """(H, W) numbers from 1 of the areas of pixels that touch and are alike in colour; 0 where nothing is drawn."""
    count = np.count_nonzero(drawn)
    number = np.full(np.add(drawn.shape, (1, 2)), -1, np.int32)  # of each pixel, and -1 beyond the picture's rim
    number[:-1, 1:-1][drawn] = np.arange(count)
    colour, pairs = chroma[drawn], []
    for down, right in ((0, 1), (1, -1), (1, 0), (1, 1)):
        beside = number[down : down + drawn.shape[0], 1 + right : 1 + right + drawn.shape[1]]
        pair = np.stack([number[:-1, 1:-1][drawn], beside[drawn]])
        pair = pair[:, pair[1] >= 0]
        pairs.append(pair[:, np.hypot(*(colour[pair[0]] - colour[pair[1]]).T) < alike])
    edges = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(edges.shape[1], bool), tuple(edges)), (count, count))
    areas = np.zeros(drawn.shape, np.int32)
    areas[drawn] = connected_components(graph, directed=False)[1] + 1
    return areas


def _differs(marked: Picture, picture: Picture) -> NDArray[np.float32]:
    """(H, W) L*a*b* units between two pictures."""
    ab, own = (np.float32(0) if each.chroma is None else each.chroma for each in (marked, picture))
    apart = np.hypot(*np.moveaxis(np.broadcast_to(ab - own, (*picture.shape, 2)), -1, 0))
    return np.asarray(np.abs(marked.luminance - picture.luminance) + apart, np.float32)


def _rims(marked: Picture, picture: Picture, stroke: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Pixels that a brush covered in part: mixtures of a stroke with what lies under it.

    The stroke is their own, as of an airbrush, or one beside them. Under it is the picture, or another stroke on the
    pixel's other side. Where the brush multiplies, what lies under it shades it. Paint programs mix sRGB values.
    """
    inside = np.argwhere(stroke) + _RIM
    paint, below = (np.pad(_srgb(each), ((_RIM, _RIM), (_RIM, _RIM), (0, 0)), "edge") for each in (marked, picture))
    stroke = np.pad(stroke, _RIM)
    at = tuple(inside.T)
    own, paint, below = stroke[at], paint[at], below[at]
    strongest, is_speck = _strongest(paint, below, own), np.bincount(own) <= _SPECK
    vivid = np.ptp(paint, axis=1)
    mixed = (vivid < _THIN * vivid[strongest][own]) & _mixtures(paint, below, paint[strongest][own])
    for offset in np.argwhere(np.ones((2 * _RIM + 1, 2 * _RIM + 1))) - _RIM:
        beside, across = stroke[tuple((inside + offset).T)], stroke[tuple((inside - offset).T)]
        (near,) = np.nonzero((beside > 0) & (beside != own))
        beside, across = strongest[beside[near]], across[near]
        colour, ground, other = paint[near], below[near], paint[beside]
        is_brush = ~is_speck[own[beside]]
        off = np.where(is_brush & is_speck[own[near]], _OFF_SPECK, _OFF)
        shade = ground / np.maximum(below[beside], np.float32(1))
        shaded = is_brush & (shade.max(axis=1) < _COVERED) & (np.abs(colour - shade * other).max(axis=1) <= off)
        mixed[near] |= shaded | _mixtures(colour, ground, other, off=off)
        mixed[near] |= (across > 0) & (across != own[near]) & _mixtures(colour, paint[strongest[across]], other)
    rims = np.zeros(stroke.shape, bool)
    rims[at] = mixed
    return rims[_RIM:-_RIM, _RIM:-_RIM]


def _strongest(paint: NDArray[np.uint8], below: NDArray[np.uint8], stroke: NDArray[np.int32]) -> NDArray[np.int64]:
    """Of each stroke the pixel of the most vivid colour, of grays the one most unlike what is below it.

    A tenth of its pixels may be so by noise.
    """
    unlike = np.abs(np.subtract(paint, below, dtype=np.float32)).max(axis=1)
    order = np.lexsort((np.ptp(paint, axis=1) + unlike / 32, stroke))
    count = np.bincount(stroke)
    return np.asarray(order[np.maximum(np.cumsum(count) - 1 - count // 10, 0)], np.int64)


def _mixtures(
    colour: NDArray[np.uint8], ground: NDArray[np.uint8], paint: NDArray[np.uint8], *, off: ArrayLike = _OFF
) -> NDArray[np.bool_]:
    """Which colours, (N, 3), are a ground under a paint that covers it in part."""
    whole, part = (np.subtract(each, ground, dtype=np.float32) for each in (paint, colour))
    share = (part * whole).sum(axis=1) / np.maximum((whole * whole).sum(axis=1), 1)
    away = np.abs(part - share[:, None] * whole).max(axis=1)
    return np.asarray((share > 0) & (share < _COVERED) & (away <= off))


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


def _size(shape: Any) -> str:
    """Width x height, as people say it."""
    return f"{shape[1]} x {shape[0]} pixels"
