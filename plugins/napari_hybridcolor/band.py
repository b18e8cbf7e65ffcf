"""The line that a drag would draw, painted by Qt over the canvas: napari's shapes would take 0.1 s for each move."""

from __future__ import annotations

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

_WIDTH = 2.0


class Band(QWidget):
    """A line over a canvas, which lets the mouse through.

    Parameters
    ----------
    canvas : QWidget
        The one that vispy draws on.
    """

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._canvas = canvas
        self._corners = QPolygonF()
        self.hide()

    def draw(self, corners: list[tuple[float, float]]) -> None:
        """Show a line through these places of the canvas."""
        self._corners = QPolygonF([QPointF(x, y) for x, y in corners])
        self.setGeometry(self._canvas.rect())
        self.show()
        self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802  # Qt's name
        """Paint the line, dark under yellow, so that it shows on any picture."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for width, colour in ((2 * _WIDTH, QColor(0, 0, 0, 140)), (_WIDTH, QColor("yellow"))):
            painter.setPen(QPen(colour, width))
            painter.drawPolyline(self._corners)
        painter.end()
