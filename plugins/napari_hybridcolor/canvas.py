"""Keeps vispy from a crash: a canvas whose layers have changed is drawn before vispy hears of a mouse press.

To find what is under the mouse, vispy draws the canvas in its own way, and fails where a layer came or went since the
canvas was last drawn as usual.
"""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget

_SEARCHES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick, QEvent.Type.Wheel)


class DrawnFirst(QObject):
    """Has a canvas drawn before vispy looks for what is under the mouse, if its layers have changed since it was.

    Parameters
    ----------
    canvas : QWidget
        The one that vispy draws on.

    Attributes
    ----------
    stale : bool
        To be set when layers come or go.
    """

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.stale = True
        self._canvas = canvas
        canvas.installEventFilter(self)

    def eventFilter(self, _canvas: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  # Qt's name
        """See events before the canvas does; none is kept from it."""
        kind = None if event is None else event.type()
        if kind == QEvent.Type.Paint:
            self.stale = False
        elif kind in _SEARCHES and self.stale:
            self._canvas.repaint()
        return False
