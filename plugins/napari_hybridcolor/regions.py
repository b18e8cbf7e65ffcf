"""What the fill tool fills: regions of even brightness, or what lies between a drawing's lines. Knows no window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from hybridcolor.drawing import Drawing
from hybridcolor.propagate.kinds import FOR_DRAWINGS
from hybridcolor.propagate.regions import regions
from hybridcolor.propagate.relief import SILL, relief, rooms
from hybridcolor.session import EditSession
from napari_hybridcolor.work import Job

Found = tuple[EditSession, NDArray[np.int32]]
"""A session and its (H, W) regions, numbered from 1; 0 is a line, or a gap in one."""


def parted_by_lines(drawing: Drawing) -> bool:
    """Whether the method is one for drawings: then lines part regions."""
    return drawing.method in FOR_DRAWINGS


def gap_of(drawing: Drawing) -> float:
    """Width in pixels of the gaps in a drawing's lines that part two regions."""
    return float(drawing.options.get("levelset", {}).get("gap", SILL))


class Regions:
    """The regions of the session that was asked for last: found once, and by one thread at a time."""

    def __init__(self) -> None:
        self._even: Found | None = None
        self._relief: tuple[EditSession, NDArray[np.uint16]] | None = None
        self._finding = Lock()

    def finding(self, session: EditSession, gap: float | None = None) -> Job:
        """A job that yields a session and its regions.

        A photo's regions are areas of even brightness. A drawing's lie between its lines, in which gaps up to a width
        are closed, the session's own unless another is given.
        """
        lined, width = parted_by_lines(session.drawing), gap_of(session.drawing) if gap is None else gap

        def job(_stop: Callable[[], bool]) -> Iterator[Found]:
            yield session, self._of(session, lined, width)

        return job

    def _of(self, session: EditSession, lined: bool, gap: float) -> NDArray[np.int32]:
        luminance = session.picture.luminance
        with self._finding:
            if not lined:
                if self._even is None or self._even[0] is not session:
                    self._even = session, regions(luminance) + 1
                return self._even[1]
            if self._relief is None or self._relief[0] is not session:
                self._relief = session, relief(luminance)
            return rooms(self._relief[1], gap)
