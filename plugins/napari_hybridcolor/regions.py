"""What the fill tool fills: regions of even brightness, or what lies between a drawing's lines. No napari, no Qt."""

from __future__ import annotations

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from hybridcolor.propagate.regions import regions
from hybridcolor.propagate.relief import relief, rooms
from hybridcolor.session import EditSession


class Regions:
    """Those of the picture that they were last asked of, found once, whichever thread asks."""

    def __init__(self) -> None:
        self._even: tuple[EditSession, NDArray[np.int32]] | None = None
        self._relief: tuple[EditSession, NDArray[np.uint16]] | None = None
        self._finding = Lock()

    def of(self, session: EditSession, drawing: bool, gap: float) -> NDArray[np.int32]:
        """(H, W) regions, numbered from 1; of a drawing 0 is a line, or a gap in one up to a width in pixels."""
        luminance = session.picture.luminance
        with self._finding:
            if not drawing:
                if self._even is None or self._even[0] is not session:
                    self._even = session, regions(luminance) + 1
                return self._even[1]
            if self._relief is None or self._relief[0] is not session:
                self._relief = session, relief(luminance)
            return rooms(self._relief[1], gap)
