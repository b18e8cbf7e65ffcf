"""What is kept of a file beside its pixels; places and patients only if one asks for it.

May import nothing of the package.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image

_DESCRIPTION, _DATE, _AUTHOR, _COPYRIGHT = 0x010E, 0x0132, 0x013B, 0x8298  # the tags, in EXIF as in TIFF
_SOFTWARE = 0x0131
_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 0x011A, 0x011B, 0x0128
_EXIF, _GPS, _DATE_TAKEN = 0x8769, 0x8825, 0x9003
_LONGEST = 4096  # characters of a field
_PROGRAMS = ("<?xml", "{", "ImageJ=")  # descriptions that programs wrote for themselves: they tell of other pixels


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a picture's file says about it.

    Attributes
    ----------
    dpi : (float, float) or None
        Pixels per inch, across and down, of the upright picture.
    spacing : (float, float, float) or None
        Millimetres from a slice, a row and a column to the next, of a medical picture.
    date : str
        When it was taken, else made, as the file writes it: "2001:02:03 04:05:06" in EXIF.
    author, copyright, description : str
        Empty if the file does not say.
    software : str
        What made a result, and how. Not read: it says nothing of the next result.
    location : dict of int to object
        The GPS tags of EXIF. Not written unless one asks for it.
    patient : dict of str to str
        Patient and study of a DICOM file, by DICOM keyword. Not written unless one asks for it.

    Examples
    --------
    >>> Metadata(dpi=(300.0, 300.0), author="A. Nobody").dpi
    (300.0, 300.0)
    """

    dpi: tuple[float, float] | None = None
    spacing: tuple[float, float, float] | None = None
    date: str = ""
    author: str = ""
    copyright: str = ""
    description: str = ""
    software: str = ""
    location: Mapping[int, Any] = field(default_factory=dict)
    patient: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_image(cls, image: Image.Image) -> Metadata:
        """What Pillow knows of a picture that it has opened; damaged notes are left out, they never raise."""
        try:
            info = dict(image.info)
            if image.format == "JPEG" and not info.get("jfif_unit"):
                info.pop("dpi", None)  # Pillow's guess
            return cls.of(image.getexif(), info)
        except Exception:  # noqa: BLE001  # Pillow's EXIF parser raises whatever it trips over
            return cls()

    @classmethod
    def of(cls, exif: Image.Exif, info: Mapping[Any, Any]) -> Metadata:
        """What an EXIF block, and what Pillow calls a picture's info, say; damaged notes are left out."""
        tags, taken, place = _tags(lambda: exif), _tags(lambda: exif.get_ifd(_EXIF)), _tags(lambda: exif.get_ifd(_GPS))
        return cls(
            dpi=_dpi(info.get("dpi")) or _resolution(tags),
            date=_text(taken.get(_DATE_TAKEN) or tags.get(_DATE) or info.get("Creation Time")),
            author=_text(tags.get(_AUTHOR) or info.get("Author")),
            copyright=_text(tags.get(_COPYRIGHT) or info.get("Copyright")),
            description=_description(tags.get(_DESCRIPTION) or info.get("Description")),
            location=place,
        )

    def turned(self) -> Metadata:
        """The metadata for the picture turned on its side."""
        return self if self.dpi is None else replace(self, dpi=(self.dpi[1], self.dpi[0]))

    def public(self) -> Metadata:
        """The metadata without place and patient."""
        return replace(self, location={}, patient={})

    def to_exif(self) -> bytes:
        """An EXIF block with all but the patient; empty if there is nothing to say."""
        exif = Image.Exif()
        texts = {_DESCRIPTION: self.description, _AUTHOR: self.author, _COPYRIGHT: self.copyright, _DATE: self.date}
        texts[_SOFTWARE] = self.software
        for tag, text in texts.items():
            if text:
                exif[tag] = text.encode()  # EXIF means ASCII; most programs write and read UTF-8
        if self.date:
            exif.get_ifd(_EXIF)[_DATE_TAKEN] = self.date.encode()
        if self.location:
            exif.get_ifd(_GPS).update(self.location)
        if self.dpi is not None:
            exif[_X_RESOLUTION], exif[_Y_RESOLUTION] = self.dpi
            exif[_UNIT] = 2
        return exif.tobytes() if len(exif) or self.location else b""


NO_METADATA = Metadata()


def sensible_spacing(slices: object, rows: object, columns: object) -> tuple[float, float, float] | None:
    """Millimetres as a file states them; slices whose distance it leaves out are as far apart as columns.

    Examples
    --------
    >>> sensible_spacing(None, 0.8, "0.4"), sensible_spacing(3, 0, 1)
    ((0.4, 0.8, 0.4), None)
    """
    apart, down, across = map(_length, (slices, rows, columns))
    sides = apart or across, down, across
    return sides if min(sides) > 0 and max(sides) < 1000 * min(sides) else None


def _length(value: Any) -> float:
    """A number, or 0."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if 0 < number < math.inf else 0.0


def _tags(read: Callable[[], Mapping[int, Any]]) -> dict[int, Any]:
    """The tags that can be read."""
    try:
        return dict(read())
    except Exception:  # noqa: BLE001  # Pillow's EXIF parser raises whatever it trips over
        return {}


def _text(value: object) -> str:
    """One line of printable text, of what may be anything; Pillow reads EXIF's UTF-8 as Latin 1."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return ""
    with suppress(UnicodeError):
        value = value.encode("latin-1").decode("utf-8")
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())[:_LONGEST]


def _description(value: object) -> str:
    text = _text(value)
    return "" if text.startswith(_PROGRAMS) else text


def _dpi(value: object) -> tuple[float, float] | None:
    """A pair of sensible resolutions, or None."""
    if not isinstance(value, tuple) or len(value) != 2:
        return None
    try:
        x, y = (float(side) for side in value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return (x, y) if 1 < x < 1e5 and 1 < y < 1e5 else None  # 1 dpi is how programs say that they do not know


def _resolution(tags: Mapping[int, Any]) -> tuple[float, float] | None:
    """Resolution by the tags of EXIF; without an absolute unit it is only an aspect ratio."""
    factor = {2: 1.0, 3: 2.54}.get(tags.get(_UNIT, 2))
    if factor is None or _X_RESOLUTION not in tags or _Y_RESOLUTION not in tags:
        return None
    with suppress(TypeError):
        return _dpi((tags[_X_RESOLUTION] * factor, tags[_Y_RESOLUTION] * factor))
    return None
