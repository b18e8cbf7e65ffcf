"""What a person made of a picture: strokes and settings, which can be undone, saved and opened again.

A `Drawing` never changes; an edit makes another one that shares the strokes. `History` goes back and forth among
them. On disk it is JSON (docs/sessions.md): a few bytes a stroke. May import ``seeds``, ``files`` and below.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridcolor.bins import DEFAULT_VIVIDNESS
from hybridcolor.errors import SeedError
from hybridcolor.files import write_whole
from hybridcolor.picture import Picture
from hybridcolor.seedfiles import count_of_runs, pixels_of_runs, runs_of_pixels, strokes_from_json, strokes_to_json
from hybridcolor.seeds import Seeds, concatenate

SCHEMA = 1
SUFFIX = ".hybridcolor.json"
"""Of a saved drawing: it lies beside its picture, ``old.png.hybridcolor.json``."""
MOST_LAYERS = 1000
"""How many times over a file's strokes may cover the picture, so that a bad one cannot fill the memory."""
NO_MODEL = "none"
"""Of a drawing whose strokes alone decide."""
LARGEST_AB = 200.0
"""No colour that a screen shows is as far from gray."""

Colour = tuple[float, float]
"""a* and b*."""


@dataclass(frozen=True, eq=False)
class Stroke:
    """One gesture of a person.

    Attributes
    ----------
    coords : (N, 2) int32
        Rows and columns, each pixel once, in scan order.
    ab : (a*, b*) or None
        Its colour; (0, 0) is a stroke of gray. None rubs out what was drawn there.
    """

    coords: NDArray[np.int32]
    ab: Colour | None

    @classmethod
    def of(cls, coords: ArrayLike, ab: ArrayLike | None) -> Stroke:
        """A stroke from anything array-like.

        Raises
        ------
        SeedError
            If the pixels are no whole numbers from 0 on, or the colour is none.

        Examples
        --------
        >>> Stroke.of([[3, 4], [3, 4]], (20, 30)).coords.tolist()
        [[3, 4]]
        """
        pixels = Seeds.of(coords, (0, 0)).coords
        pixels = pixels[np.lexsort(pixels.T[::-1])]
        if ab is None:
            return cls(pixels, None)
        try:
            colour = np.asarray(ab, np.float64)
        except (TypeError, ValueError) as error:
            raise SeedError(f"stroke: a colour is a* and b*, got {ab}") from error
        if colour.shape != (2,) or not (np.abs(colour) <= LARGEST_AB).all():
            raise SeedError(f"stroke: a colour is a* and b* of at most {LARGEST_AB:g}, got {ab}")
        return cls(pixels, (float(colour[0]), float(colour[1])))

    @cached_property
    def as_json(self) -> dict[str, Any]:
        """Colour, and pixels as runs (row, first column, length)."""
        return {"ab": None if self.ab is None else list(self.ab), "runs": runs_of_pixels(self.coords)}


@dataclass(frozen=True, eq=False)
class Drawing:
    """All that a person decided about a picture.

    Attributes
    ----------
    imported : Seeds
        Scribbles, and edited automatic seeds, that came from a seeds file. They lie under the strokes.
    strokes : tuple of Stroke
        In the order in which they were drawn: the later covers the earlier.
    palette : tuple of (a*, b*)
        The colours in use, in the order in which they were first picked.
    model : str
        For `hybridcolor.predict.load_predictor`; "none" for strokes alone.
    method : str
        A name in `hybridcolor.propagate.PROPAGATORS`.
    vividness, caution : float
        As for `hybridcolor.colorize`.

    Examples
    --------
    >>> drawing = Drawing().with_stroke(Stroke.of([[0, 0], [0, 1]], (20, 30))).with_stroke(Stroke.of([[0, 1]], None))
    >>> drawing.scribbles.coords.tolist(), drawing.palette
    ([[0, 0]], ((20.0, 30.0),))
    """

    imported: Seeds = field(default_factory=Seeds.empty)
    strokes: tuple[Stroke, ...] = ()
    palette: tuple[Colour, ...] = ()
    model: str = "default"
    method: str = "hybrid"
    vividness: float = DEFAULT_VIVIDNESS
    caution: float = 0.0

    def with_stroke(self, stroke: Stroke) -> Drawing:
        """One stroke more; a new colour joins the palette."""
        new = stroke.ab is not None and stroke.ab not in self.palette
        palette = (*self.palette, stroke.ab) if new else self.palette
        return replace(self, strokes=(*self.strokes, stroke), palette=palette)  # type: ignore[arg-type]

    @cached_property
    def scribbles(self) -> Seeds:
        """The strokes as they lie over each other, numbered as drawn; what is rubbed out has gone."""
        if not self.strokes:
            return self.imported
        count = [len(stroke.coords) for stroke in self.strokes]
        colours = np.array([stroke.ab or (0, 0) for stroke in self.strokes], np.float32)
        every = Seeds.of(
            np.concatenate([stroke.coords for stroke in self.strokes]),
            np.repeat(colours, count, axis=0),
            stroke=np.repeat(np.arange(len(count)), count),
        )
        erasers = [number for number, stroke in enumerate(self.strokes) if stroke.ab is None]
        drawn = every.take(~np.isin(every.stroke, erasers))
        return concatenate(self.imported.without(every.coords), drawn) if len(self.imported) else drawn

    def settings(self) -> tuple[str, str, float, float]:
        """What, when it changes, changes more than seeds."""
        return self.model, self.method, self.vividness, self.caution


@dataclass(slots=True)
class History:
    """The present drawing, those before it, and those that were undone. Without limit: strokes are shared.

    Examples
    --------
    >>> history = History(Drawing())
    >>> history.do(Drawing(method="watershed"))
    >>> history.undo(), history.present.method, history.redo(), history.present.method, history.redo()
    (True, 'hybrid', True, 'watershed', False)
    """

    present: Drawing
    past: list[Drawing] = field(default_factory=list)
    undone: list[Drawing] = field(default_factory=list)

    def do(self, drawing: Drawing) -> None:
        """Make this the present; what was undone is forgotten."""
        self.past.append(self.present)
        self.present = drawing
        self.undone.clear()

    def undo(self) -> bool:
        """One step back; False if there is none."""
        if not self.past:
            return False
        self.undone.append(self.present)
        self.present = self.past.pop()
        return True

    def redo(self) -> bool:
        """One step forth again; False if there is none."""
        if not self.undone:
            return False
        self.past.append(self.present)
        self.present = self.undone.pop()
        return True


def save_drawing(path: str | os.PathLike[str], drawing: Drawing, picture: Picture) -> None:
    """Save a drawing, whole or not at all; one of the same name is replaced.

    Raises
    ------
    SeedError
        If the file cannot be written.
    """
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
        "vividness": drawing.vividness,
        "caution": drawing.caution,
        "palette": [list(colour) for colour in drawing.palette],
        "imported": strokes_to_json(drawing.imported),
        "strokes": [stroke.as_json for stroke in drawing.strokes],
    }
    try:
        write_whole(Path(path), (json.dumps(content) + "\n").encode())
    except OSError as error:
        raise SeedError(f"{path}: cannot be written ({error.strerror}); save it to another folder") from error


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
            palette=tuple((float(a), float(b)) for a, b in content["palette"]),
            model=content["model"],
            method=content["method"],
            vividness=content["vividness"],
            caution=content["caution"],
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
    """A checksum of the luminance."""
    return hashlib.sha256(np.ascontiguousarray(picture.luminance).data).hexdigest()


def _content(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SeedError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise SeedError(f"{path}: is not JSON; give a file that a session of hybridcolor saved") from error
    if not isinstance(content, dict) or content.get("format") != "hybridcolor-session":
        raise SeedError(f"{path}: is not a session of hybridcolor")
    if content.get("schema") != SCHEMA:
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
        yield Stroke.of(pixels_of_runs(stroke["runs"]), stroke["ab"])


def _check(drawing: Drawing) -> None:
    """Refuse what JSON allows and no drawing has."""
    if not all(isinstance(name, str) for name in (drawing.model, drawing.method)):
        raise TypeError("model and method are names")
    for share in (drawing.vividness, drawing.caution):
        if isinstance(share, bool) or not 0 <= share <= 1:
            raise ValueError("vividness and caution are numbers from 0 to 1")
    if not all(math.hypot(*colour) <= 2 * LARGEST_AB for colour in drawing.palette):
        raise ValueError("a colour of the palette is out of range")
