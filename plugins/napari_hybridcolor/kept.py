"""What a person keeps from one picture to the next, and from day to day: recent colours and saved palettes."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QStandardPaths

from hybridcolor.errors import HybridColorError
from hybridcolor.palettes import SUFFIXES, Colour, keep_colours, read_colours, unlike

MOST = 24
"""How many recent colours are kept."""


def folder() -> Path:
    """Where the operating system wants a person's data to be, such as ``~/.local/share/hybridcolor``."""
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    return Path(place) / "hybridcolor"


class Kept:
    """A person's colours.

    Attributes
    ----------
    palettes : Path
        The folder of saved palettes: whatever lies there is offered.
    told : str
        Why recent colours cannot be kept, if they cannot.
    """

    def __init__(self) -> None:
        self.palettes = folder() / "palettes"
        self.told = ""
        self._file = folder() / "recent.json"
        self._recent: tuple[Colour, ...] = ()
        self._read()

    @property
    def recent(self) -> tuple[Colour, ...]:
        """The colours used last, on whatever picture, the last one first."""
        return self._recent

    def use(self, colour: Colour) -> None:
        """Put a colour first."""
        self.told = ""
        self._read()  # another window may have kept some
        self._recent = (colour, *unlike(self._recent, [colour]))[:MOST]
        if not self.told:
            try:
                keep_colours(self._file, self._recent)
            except HybridColorError as error:
                self.told = f"Colours are not kept: {error}"

    def saved(self) -> list[Path]:
        """The saved palettes, by name."""
        try:
            return sorted(file for file in self.palettes.iterdir() if file.suffix in SUFFIXES)
        except OSError:
            return []

    def _read(self) -> None:
        try:
            self._recent = read_colours(self._file) or self._recent
        except HybridColorError as error:
            self.told = f"Colours are not kept: {error}"
