"""Palettes as other programs keep them: GIMP's .gpl (Krita, Inkscape, Aseprite) and JASC's .pal; a person's colours.

Those files hold 8-bit sRGB. A colour here is a* and b*, since the luminance is the picture's, and on the blank paper of
a drawing it may have a lightness of its own. May import ``lab``, ``painting``, ``seeds``, ``files`` and ``errors``.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from hybridcolor.errors import SeedError
from hybridcolor.files import open_ordinary, write_whole
from hybridcolor.lab import gamut_chroma, lab_to_rgb, rgb_to_lab
from hybridcolor.painting import on_paper
from hybridcolor.seeds import FULL_LIGHTNESS

Colour = tuple[float, ...]
"""a* and b*; and L* where it has a lightness of its own, which only drawings show."""
SUFFIXES = (".gpl", ".pal")
SHOWN_AT = 62.0
"""L* at which a colour without a luminance is shown and saved: most colours exist there."""
SAME = 1.0
"""L*a*b* units within which two colours count as one."""
MOST = 256
"""Colours that are taken from a file."""
MOST_CHROMA = 300.0
"""No colour is as far from gray."""
_LARGEST = 1 << 20  # bytes


def lightness_of(colour: Colour) -> float:
    """The L* that a colour asks for.

    Examples
    --------
    >>> lightness_of((20.0, 30.0, 25.0)), lightness_of((20.0, 30.0))
    (25.0, 100.0)
    """
    return colour[2] if len(colour) > 2 else FULL_LIGHTNESS


def lit(colour: Colour, lightness: float) -> Colour:
    """A colour with another lightness; with `FULL_LIGHTNESS`, or nearly so, with none of its own.

    Examples
    --------
    >>> lit((20.0, 30.0), 25.0), lit((20.0, 30.0, 25.0), 100.0)
    ((20.0, 30.0, 25.0), (20.0, 30.0))
    """
    return colour[:2] if lightness > FULL_LIGHTNESS - 0.5 else (*colour[:2], lightness)


def unlike(colours: Iterable[Colour], known: Iterable[Colour]) -> tuple[Colour, ...]:
    """Those of some colours that are not among others, nor a second time among themselves, to within `SAME`.

    Examples
    --------
    >>> unlike([(40.04, 20.0), (0.0, 5.0), (0.0, 5.5), (0.0, 5.0, 40.0)], [(40.0, 20.0)])
    ((0.0, 5.0), (0.0, 5.0, 40.0))
    """
    found, all_known = [], list(known)
    for colour in colours:
        if all(apart(colour, each) >= SAME for each in all_known):
            found.append(colour)
            all_known.append(colour)
    return tuple(found)


def apart(one: Colour, other: Colour) -> float:
    """L*a*b* units between two colours.

    Examples
    --------
    >>> apart((3.0, 0.0), (0.0, 4.0)), apart((3.0, 0.0), (3.0, 0.0, 88.0))
    (5.0, 12.0)
    """
    return math.dist((*one[:2], lightness_of(one)), (*other[:2], lightness_of(other)))


@lru_cache(4096)  # a palette is looked at again and again
def swatch(colour: Colour, luminance: float = SHOWN_AT) -> tuple[int, int, int]:
    """8-bit sRGB in which a colour without a lightness of its own is shown at some L*, and others at theirs.

    Examples
    --------
    >>> swatch((0.0, 0.0), 100.0), swatch((0.0, 0.0, 0.0), 100.0)
    ((255, 255, 255), (0, 0, 0))
    """
    level = np.float32(colour[2] if len(colour) > 2 else luminance)
    rgb = lab_to_rgb(level, gamut_chroma(level, np.array(colour[:2], np.float32)))
    red, green, blue = (rgb * 255 + 0.5).astype(int).tolist()
    return red, green, blue


@lru_cache(4096)
def painted(colour: Colour) -> Colour:
    """A colour with the L* that it has on the blank paper of a drawing.

    Examples
    --------
    >>> painted((0.0, 0.0)), swatch(painted((30.0, 40.0))), painted((0.0, 0.0, 20.0))
    ((0.0, 0.0, 100.0), (252, 159, 110), (0.0, 0.0, 20.0))
    """
    lightness = np.full((1, 1), lightness_of(colour), np.float32)
    return (*colour[:2], float(on_paper(np.full((1, 1, 2), colour[:2], np.float32), lightness)[0, 0]))


def read_palette(path: str | os.PathLike[str]) -> tuple[Colour, ...]:
    """The colours of a palette file, each once, in their order, with their lightness.

    Parameters
    ----------
    path : path-like
        A GIMP palette (.gpl) or a JASC palette (.pal); told apart by their first line.

    Raises
    ------
    SeedError
        If the file cannot be read, or is no such palette.
    """
    try:
        with open_ordinary(path) as file:
            lines = file.read(_LARGEST).decode("utf-8-sig", "replace").splitlines()
    except OSError as error:
        raise SeedError(f"{path}: cannot be read ({error.strerror})") from error
    head = lines[0].strip() if lines else ""
    if head == "GIMP Palette":
        rows = [line for line in lines[1:] if not line.lstrip().startswith(("#", "Name:", "Columns:", "Channels:"))]
    elif head == "JASC-PAL":
        rows = lines[3:]
    else:
        raise SeedError(f"{path}: is no palette; give a GIMP palette (.gpl) or a JASC palette (.pal)")
    try:
        rgb = np.array(list(_triples(rows)), np.uint8).reshape(-1, 1, 3)
    except ValueError as error:
        raise SeedError(f"{path}: a colour is three numbers from 0 to 255, {error}") from error
    if not len(rgb):
        raise SeedError(f"{path}: holds no colour")
    lab = rgb_to_lab(rgb)[:, 0].round(2).tolist()
    return tuple(dict.fromkeys(lit((a, b), level) for level, a, b in lab))[:MOST]


def write_palette(path: str | os.PathLike[str], palette: Sequence[Colour], *, name: str = "hybridcolor") -> None:
    """Write a palette, whole or not at all; one of the same name is replaced.

    Parameters
    ----------
    path : path-like
        Its ending says the form: .gpl or .pal.
    palette : sequence of (a*, b*) or (a*, b*, L*)
        Written as they look at their own lightness, or else at L* 62.
    name : str, optional
        That programs show for it.

    Raises
    ------
    SeedError
        If the ending is another one, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_palette(Path(folder) / "mine.gpl", [(40.0, 20.0), (0.0, 0.0, 30.0)])
    ...     [(round(a), round(b), round(level)) for a, b, level in read_palette(Path(folder) / "mine.gpl")]
    [(40, 20, 62), (0, 0, 30)]
    """
    colours = [swatch(colour) for colour in palette]
    if Path(path).suffix == ".gpl":
        title = " ".join(name.split())
        rows = [
            f"{r:3d} {g:3d} {b:3d}\ta* {ab[0]:.0f} b* {ab[1]:.0f}"
            for (r, g, b), ab in zip(colours, palette, strict=True)
        ]
        lines = ["GIMP Palette", f"Name: {title}", "Columns: 8", "#", *rows]
    elif Path(path).suffix == ".pal":
        lines = ["JASC-PAL", "0100", str(len(colours)), *(f"{r} {g} {b}" for r, g, b in colours)]
    else:
        raise SeedError(f"{path}: a palette ends in {' or '.join(SUFFIXES)}; name it so")
    try:
        write_whole(Path(path), ("\n".join(lines) + "\n").encode())
    except OSError as error:
        raise SeedError(f"{path}: cannot be written ({error.strerror}); save it to another folder") from error


def read_colours(path: str | os.PathLike[str]) -> tuple[Colour, ...]:
    """What `keep_colours` kept, to the last digit; nothing where nothing was kept yet.

    Raises
    ------
    SeedError
        If the file cannot be read, or is something else.
    """
    try:
        with open_ordinary(path) as file:
            content = json.loads(file.read(_LARGEST))
        found = tuple(colour_of(numbers) for numbers in content["colours"])
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise SeedError(f"{path}: cannot be read ({error.strerror})") from error
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise SeedError(f"{path}: holds no colours that hybridcolor kept; delete it to begin anew") from error
    return found[:MOST]


def keep_colours(path: str | os.PathLike[str], colours: Sequence[Colour]) -> None:
    """Keep colours from one run of a program to the next, whole or not at all; folders are made.

    Raises
    ------
    SeedError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keep_colours(Path(folder) / "mine" / "recent.json", [(40.5, 20.0)])
    ...     read_colours(Path(folder) / "mine" / "recent.json"), read_colours(Path(folder) / "none.json")
    (((40.5, 20.0),), ())
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_whole(Path(path), (json.dumps({"colours": [list(colour) for colour in colours]}) + "\n").encode())
    except OSError as error:
        raise SeedError(f"{path}: cannot be written ({error.strerror})") from error


def colour_of(numbers: Sequence[float]) -> Colour:
    """The colour of two or three numbers of a file.

    Raises
    ------
    TypeError, ValueError
        If they are no a* and b*, and L* from 0 to 100, within what screens show.

    Examples
    --------
    >>> colour_of([35, 20]), colour_of([35, 20, 40])
    ((35.0, 20.0), (35.0, 20.0, 40.0))
    """
    a, b, *rest = (float(number) for number in numbers)
    colour = (a, b, *rest)
    if len(rest) > 1 or not math.hypot(a, b) < MOST_CHROMA or not 0 <= lightness_of(colour) <= FULL_LIGHTNESS:
        raise ValueError(f"{list(numbers)} is no colour that a screen shows")
    return colour


def _triples(rows: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    for row in rows:
        if not row.strip():
            continue
        numbers = [int(word) for word in row.split()[:3] if word.isdigit()]
        if len(numbers) != 3 or max(numbers) > 255:
            raise ValueError(f"got {row.strip()[:40]!r}")
        yield numbers[0], numbers[1], numbers[2]
