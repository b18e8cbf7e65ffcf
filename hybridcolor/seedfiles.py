"""Seeds on disk: a JSON form that keeps everything, and marked images that any paint program can make (`scribbled`).

May import ``scribbled``, ``seeds``, ``picture``, ``imagefiles`` and below.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.errors import ImageError, SeedError
from hybridcolor.files import read_whole, write_whole
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.picture import Picture
from hybridcolor.scribbled import draw_seeds, strokes_on
from hybridcolor.seeds import AUTO, FULL_LIGHTNESS, USER, Seeds, check_values

SCHEMA = 2
_READABLE = (1, SCHEMA)
"""Older ones too: 1 knew no lightness."""
_ORIGINS = {AUTO: "auto", USER: "user"}
_LOSSY = {".jpg", ".jpeg", ".webp"}


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
        seeds = strokes_on(marked, picture, lossy=path.suffix.lower() in _LOSSY)
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


def strokes_to_json(seeds: Seeds) -> list[dict[str, Any]]:
    """Strokes of one colour, weight and origin each, their pixels as runs (row, first column, length)."""
    key = np.column_stack([seeds.stroke, seeds.origin, seeds.ab, seeds.weight, seeds.lightness]).astype(np.float64)
    groups, group = np.unique(key, axis=0, return_inverse=True)
    group = group.reshape(-1)
    strokes = []
    for i, (stroke, origin, a, b, weight, lightness) in enumerate(groups):
        own_lightness = {} if lightness == FULL_LIGHTNESS else {"lightness": _shortest(lightness)}
        strokes.append(
            {
                "stroke": int(stroke),
                "origin": _ORIGINS[int(origin)],
                "ab": [_shortest(a), _shortest(b)],
                **own_lightness,
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
        if content["schema"] not in _READABLE:
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
        (
            len(pixels),
            s["ab"],
            np.inf if s["weight"] is None else s["weight"],
            s["stroke"],
            origin_of[s["origin"]],
            s.get("lightness", FULL_LIGHTNESS),
        )
        for s, pixels in zip(strokes, parts, strict=True)
    ]
    if not columns:
        return Seeds.empty()
    count, ab, weight, stroke, origin, lightness = zip(*columns, strict=True)
    colours, weights = np.asarray(ab, np.float64).reshape(-1, 2), np.asarray(weight, np.float64)
    levels = np.asarray(lightness, np.float64)
    check_values(colours, weights, levels)  # before they are rounded: a weight must not become inf by that
    return Seeds(
        np.concatenate(parts).astype(np.int32),
        np.repeat(colours.astype(np.float32), count, axis=0),
        np.repeat(weights.astype(np.float32), count),
        np.repeat(np.asarray(stroke, np.int32), count),
        np.repeat(np.asarray(origin, np.uint8), count),
        np.repeat(levels.astype(np.float32), count),
    )


def _size(shape: Any) -> str:
    """Width x height, as people say it."""
    return f"{shape[1]} x {shape[0]} pixels"
