"""A plane of a* and b* to pick a colour from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QSize, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

from hybridcolor.lab import gamut_chroma, lab_to_rgb
from hybridcolor.palettes import SHOWN_AT, Colour

SHOWABLE = 15.0, 85.0
"""L* between which a screen has strong colours. A place beyond has its colours shown as everywhere in the panel."""
REACH = 100.0
"""The plane shows a* and b* from -REACH to REACH."""
_SIDE = 150  # pixels of the plane's side
_GRAY = 2.0  # ab units: nearer to the middle than this is gray


def plane_image(luminance: float, side: int) -> NDArray[np.uint8]:
    """(side, side, 4) RGBA of the colours that sRGB has at an L*; transparent where it has none.

    Examples
    --------
    >>> plane = plane_image(50, 41)
    >>> plane[20, 20].tolist(), int(plane[0, 0, 3])
    ([119, 119, 119, 255], 0)
    """
    axis = np.linspace(-REACH, REACH, side, dtype=np.float32)
    ab = np.stack(np.broadcast_arrays(axis[None, :], axis[::-1, None]), axis=-1)
    level = np.full((side, side), luminance, np.float32)
    held = gamut_chroma(level, ab)
    inside = np.hypot(*np.moveaxis(held - ab, -1, 0)) < 0.5
    rgb = (lab_to_rgb(level, held) * 255 + 0.5).astype(np.uint8)
    return np.dstack([rgb, np.where(inside, 255, 0).astype(np.uint8)])


class ColourPlane(QWidget):
    """Pick a* (to the right) and b* (upward) from what sRGB can show at the luminance of the place.

    On white and black it shows next to nothing: there the plane is that of a middle luminance, where a drawing's paper
    may be darkened to, and all colours can be told apart.
    """

    picked = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self.colour: Colour = (0.0, 0.0)
        self.luminance = 60.0
        self._image = self._render()
        self.setFixedSize(QSize(_SIDE, _SIDE))
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setToolTip("Click a colour to draw with. Shown is what a screen can show at this place's brightness.")

    def set_luminance(self, luminance: float) -> None:
        """Show the colours of another L*."""
        least, most = SHOWABLE
        luminance = luminance if least <= luminance <= most else SHOWN_AT
        if abs(luminance - self.luminance) >= 1:
            self.luminance = luminance
            self._image = self._render()
            self.update()

    def set_colour(self, colour: Colour) -> None:
        """Mark a colour as the one in use."""
        self.colour = colour
        self.update()

    def position_of(self, colour: Colour) -> QPointF:
        """Where a colour is on the plane."""
        a, b = (min(max(value, -REACH), REACH) for value in colour[:2])
        return QPointF((a + REACH) / (2 * REACH) * (_SIDE - 1), (REACH - b) / (2 * REACH) * (_SIDE - 1))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  # Qt's name
        """Mark the colour under the mouse."""
        if event is not None:
            self.set_colour(self._colour_at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  # Qt's name
        """Mark the colour under the mouse."""
        self.mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  # Qt's name
        """Pick it."""
        if event is not None:
            self.set_colour(self._colour_at(event.position()))
            self.picked.emit(*self.colour)

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802  # Qt's name
        """The plane, and a ring at the colour in use."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(96, 96, 96))
        painter.drawImage(self.rect(), self._image)
        held = gamut_chroma(self.luminance, np.array(self.colour[:2], np.float32)).tolist()
        for width, colour in ((4.0, QColor(0, 0, 0)), (2.0, QColor(255, 255, 255))):
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(self.position_of((held[0], held[1])), 6.0, 6.0)

    def _colour_at(self, position: QPointF) -> Colour:
        a = position.x() / (_SIDE - 1) * 2 * REACH - REACH
        b = REACH - position.y() / (_SIDE - 1) * 2 * REACH
        held = gamut_chroma(self.luminance, np.array([a, b], np.float32)).tolist()
        return (0.0, 0.0) if np.hypot(*held) < _GRAY else (held[0], held[1])

    def _render(self) -> QImage:
        plane = plane_image(self.luminance, _SIDE).tobytes()
        return QImage(plane, _SIDE, _SIDE, 4 * _SIDE, QImage.Format.Format_RGBA8888).copy()
