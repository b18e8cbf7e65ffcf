"""Drawings on disk, as JSON (docs/sessions.md): a few bytes a stroke, beside the picture.

May import ``drawing`` and below.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from hybridcolor.bins import DEFAULT_CONFIDENCE
from hybridcolor.drawing import Drawing, Stroke, check_savable
from hybridcolor.errors import SeedError
from hybridcolor.files import read_whole, write_whole
from hybridcolor.painting import check_finish
from hybridcolor.palettes import colour_of
from hybridcolor.picture import Picture
from hybridcolor.seedfiles import count_of_runs, pixels_of_runs, strokes_from_json, strokes_to_json

SCHEMA = 3
READABLE = (1, 2, SCHEMA)
"""Older ones too: 1 knew neither weights, options, confidence nor dismissed seeds, 2 no lightness."""
SUFFIX = ".hybridcolor.json"
"""Ending of a saved drawing, which lies beside its picture: ``old.png.hybridcolor.json``."""
MOST_LAYERS = 1000
"""How many times over a file's strokes may cover the picture, so that a bad one cannot fill the memory."""

_fingerprints: WeakKeyDictionary[Picture, str] = WeakKeyDictionary()


def save_drawing(path: str | os.PathLike[str], drawing: Drawing, picture: Picture) -> None:
    """Save a drawing, whole or not at all; one of the same name is replaced.

    Raises
    ------
    SeedError
        If the file cannot be written.
    """
    try:
        write_whole(Path(path), document_of(drawing, picture))
    except OSError as error:
        raise SeedError(f"{path}: cannot be written ({error.strerror}); save it to another folder") from error


def document_of(drawing: Drawing, picture: Picture) -> bytes:
    """What `save_drawing` writes."""
    content = {
        "format": "hybridcolor-session",
        "schema": SCHEMA,
        "picture": {
            "name": picture.source.name if picture.source else None,
            "shape": list(picture.shape),
            "sha256": fingerprint(picture),
        },
        "model": drawing.model,
        "method": drawing.method,
        "vividness": float(drawing.vividness),
        "caution": float(drawing.caution),
        "finish": drawing.finish,
        "tint": float(drawing.tint),
        "confidence": float(drawing.confidence),
        "options": {method: dict(options) for method, options in drawing.options.items()},
        "palette": [list(colour) for colour in drawing.palette],
        "imported": strokes_to_json(drawing.imported),
        "strokes": [stroke.as_json for stroke in drawing.strokes],
        "dismissed": [area.as_json for area in drawing.dismissed],
    }
    return (json.dumps(content) + "\n").encode()


def read_drawing(path: str | os.PathLike[str], picture: Picture) -> Drawing:
    """A saved drawing, if it is of this picture.

    Raises
    ------
    SeedError
        If the file cannot be read, is something else, or is of another picture.
    """
    content = _content(path)
    try:
        shape, found = tuple(content["picture"]["shape"]), picture.shape
        if shape != found:
            raise SeedError(
                f"{path}: was drawn on {shape[1]} x {shape[0]} pixels, the picture has {found[1]} x {found[0]}; "
                "give the picture that it was drawn on"
            )
        if content["picture"]["sha256"] != fingerprint(picture):
            raise SeedError(f"{path}: was drawn on another picture, or this one has changed; give the one it was")
        drawing = Drawing(
            imported=strokes_from_json(content["imported"], picture.shape),
            strokes=tuple(_strokes(content["strokes"], picture.shape)),
            palette=tuple(colour_of(numbers) for numbers in content["palette"]),
            model=content["model"],
            method=content["method"],
            vividness=content["vividness"],
            caution=content["caution"],
            finish=content.get("finish"),
            tint=content.get("tint", 0.0),
            confidence=content.get("confidence", DEFAULT_CONFIDENCE),  # this and the rest came with schema 2
            options=content.get("options", {}),
            dismissed=tuple(_strokes(content.get("dismissed", []), picture.shape)),
        )
        _check(drawing)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise SeedError(f"{path}: is not a session of hybridcolor ({type(error).__name__}: {error})") from error
    return drawing


def picture_of(path: str | os.PathLike[str]) -> Path:
    """Where the picture of a saved drawing should be: beside it, under the name it had.

    Raises
    ------
    SeedError
        If the file is no saved drawing, or names no picture.
    """
    content = _content(path)
    picture = content.get("picture")
    name = picture.get("name") if isinstance(picture, dict) else None
    if not isinstance(name, str) or not name or Path(name).name != name:
        raise SeedError(f"{path}: names no picture; say which one it was drawn on")
    return Path(path).with_name(name)


def fingerprint(picture: Picture) -> str:
    """A checksum of the luminance, computed once for a picture: it is asked for at every stroke."""
    known = _fingerprints.get(picture)
    if known is None:
        known = _fingerprints[picture] = _checksum(picture)
    return known


def _checksum(picture: Picture) -> str:
    return hashlib.sha256(np.ascontiguousarray(picture.luminance).data).hexdigest()


def _content(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        content = json.loads(read_whole(path).decode())
    except OSError as error:
        raise SeedError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise SeedError(f"{path}: is not JSON; give a file that a session of hybridcolor saved") from error
    if not isinstance(content, dict) or content.get("format") != "hybridcolor-session":
        raise SeedError(f"{path}: is not a session of hybridcolor")
    if content.get("schema") not in READABLE:
        raise SeedError(f"{path}: schema {content.get('schema')!r} is not known, expected {SCHEMA}; update hybridcolor")
    return content


def _strokes(strokes: list[dict[str, Any]], shape: tuple[int, int]) -> Iterator[Stroke]:
    """The strokes of a file, as long as they are not more than a person can have drawn."""
    room = MOST_LAYERS * shape[0] * shape[1] + MOST_LAYERS**2
    for stroke in strokes:
        pixels = count_of_runs(stroke["runs"], shape)
        if pixels > shape[0] * shape[1]:
            raise SeedError(f"a stroke of {pixels} pixels, the picture has {shape[0] * shape[1]}; some come twice")
        room -= pixels
        if room < 0:
            raise SeedError(f"strokes cover the picture more than {MOST_LAYERS} times over")
        lightness = [stroke["lightness"]] if "lightness" in stroke else []
        colour = None if stroke["ab"] is None else [*stroke["ab"], *lightness]
        yield Stroke.of(pixels_of_runs(stroke["runs"]), colour, weight=stroke.get("weight", math.inf))


def _check(drawing: Drawing) -> None:
    """Refuse what JSON allows and no drawing has."""
    if not all(isinstance(name, str) for name in (drawing.model, drawing.method)):
        raise TypeError("model and method are names")
    if drawing.finish is not None:
        check_finish(drawing.finish)
    for share in (drawing.vividness, drawing.caution, drawing.confidence, drawing.tint):
        if isinstance(share, bool) or not 0 <= share <= 1:
            raise ValueError("vividness, caution, confidence and tint are numbers from 0 to 1")
    if any(area.ab is not None for area in drawing.dismissed):
        raise ValueError("an area without automatic seeds has no colour")
    for method, options in drawing.options.items():
        check_savable(method, options)
