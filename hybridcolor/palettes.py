"""Palettes as other programs keep them: GIMP's .gpl (Krita, Inkscape, Aseprite) and JASC's .pal; a person's colours.

Those files hold 8-bit sRGB; a palette here is a tuple of a* and b*, since the luminance is the picture's. May import
``lab``, ``files`` and ``errors``.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hybridcolor.errors import SeedError
from hybridcolor.files import open_ordinary, write_whole
from hybridcolor.lab import gamut_chroma, lab_to_rgb, rgb_to_lab

Colour = tuple[float, float]
"""a* and b*."""
SUFFIXES = (".gpl", ".pal")
SHOWN_AT = 62.0
"""L* at which a colour without a luminance is shown and saved: most colours exist there."""
MOST = 256
"""Colours that are taken from a file."""
MOST_CHROMA = 300.0
"""No colour is as far from gray."""
_LARGEST = 1 << 20  # bytes


def swatch(ab: Colour, luminance: float = SHOWN_AT) -> tuple[int, int, int]:
    """8-bit sRGB in which a colour is shown, at some L*.

    Examples
    --------
    >>> swatch((0.0, 0.0), 100.0)
    (255, 255, 255)
    """
    level = np.float32(luminance)
    rgb = lab_to_rgb(level, gamut_chroma(level, np.array(ab, np.float32)))
    red, green, blue = (rgb * 255 + 0.5).astype(int).tolist()
    return red, green, blue


def read_palette(path: str | os.PathLike[str]) -> tuple[Colour, ...]:
    """The colours of a palette file, each once, in their order.

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
            lines = file.read(_LARGEST).decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise SeedError(f"{path}: cannot be read ({error.strerror})") from error
    head = lines[0].strip() if lines else ""
    if head == "GIMP Palette":
        rows = [line for line in lines[1:] if not line.lstrip().startswith(("#", "Name:", "Columns:"))]
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
    ab = rgb_to_lab(rgb)[:, 0, 1:].round(2).tolist()
    return tuple(dict.fromkeys((a, b) for a, b in ab))[:MOST]


def write_palette(path: str | os.PathLike[str], palette: Sequence[Colour], *, name: str = "hybridcolor") -> None:
    """Write a palette, whole or not at all; one of the same name is replaced.

    Parameters
    ----------
    path : path-like
        Its ending says the form: .gpl or .pal.
    palette : sequence of (a*, b*)
        Written as they look at L* 62.
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
    ...     write_palette(Path(folder) / "mine.gpl", [(40.0, 20.0), (0.0, 0.0)])
    ...     [(round(a), round(b)) for a, b in read_palette(Path(folder) / "mine.gpl")]
    [(40, 20), (0, 0)]
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
        found = tuple((float(a), float(b)) for a, b in content["colours"])
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise SeedError(f"{path}: cannot be read ({error.strerror})") from error
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise SeedError(f"{path}: holds no colours that hybridcolor kept; delete it to begin anew") from error
    if not all(math.hypot(*colour) < MOST_CHROMA for colour in found):
        raise SeedError(f"{path}: holds a colour that no screen shows; delete it to begin anew")
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


def _triples(rows: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    for row in rows:
        if not row.strip():
            continue
        numbers = [int(word) for word in row.split()[:3] if word.isdigit()]
        if len(numbers) != 3 or max(numbers) > 255:
            raise ValueError(f"got {row.strip()[:40]!r}")
        yield numbers[0], numbers[1], numbers[2]
