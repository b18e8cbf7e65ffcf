"""What the canvas does with the mouse before napari hears of it: see `DrawnFirst`, `EveryMove` and `EveryPress`."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QApplication, QWidget

_SEARCHES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick, QEvent.Type.Wheel)


class DrawnFirst(QObject):
    """Has a canvas drawn before vispy looks for what is under the mouse, if its layers have changed since it was.

    It keeps vispy from a crash: to find what is under the mouse, vispy draws the canvas in its own way, and fails where
    a layer came or went since the canvas was last drawn as usual.

    Parameters
    ----------
    canvas : QOpenGLWidget
        The one that vispy draws on.

    Attributes
    ----------
    stale : bool
        To be set when layers come or go.
    """

    def __init__(self, canvas: QOpenGLWidget) -> None:
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
            self._canvas.grabFramebuffer()  # draws at once; Qt puts repaint() off right after a frame
            self.stale = False
        return False


class EveryMove(QObject):
    """Has every move of a drag reach napari, so that a stroke goes wherever the mouse went.

    Of moves that come within 10 ms, vispy drops all but the first, and of those within 5 ms napari all but the last,
    which it passes on too late if the mouse is let go meanwhile. Where the window was busy for a moment, the moves of
    that moment come all at once, and the stroke would be a dot.

    Parameters
    ----------
    canvas : QWidget
        The one that vispy draws on.
    """

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        scene = getattr(canvas, "_vispy_canvas", None)
        listeners = [] if scene is None else scene.events.mouse_move.callbacks
        self._throttlers = [each for each in listeners if hasattr(each, "flush")]
        canvas.installEventFilter(self)

    def eventFilter(self, _canvas: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  # Qt's name
        """See events before the canvas does; none is kept from it."""
        if isinstance(event, QMouseEvent):
            dragged = event.type() == QEvent.Type.MouseMove and event.buttons() != Qt.MouseButton.NoButton
            if dragged or event.type() == QEvent.Type.MouseButtonRelease:
                for throttler in self._throttlers:
                    throttler.flush()
                self._canvas._last_time = 0.0  # type: ignore[attr-defined]  # noqa: SLF001  # of the move before
        return False


class EveryPress(QObject):
    """Has the second of two quick presses reach napari as a press, while a tool is in hand.

    Qt calls it a double click. napari draws nothing then, however far the mouse is dragged, or zooms in.

    Parameters
    ----------
    canvas : QWidget
        The one that vispy draws on.
    parent : QObject
        It is so as long as this is there.
    wanted : callable
        Whether a tool is in hand.
    """

    def __init__(self, canvas: QWidget, parent: QObject, wanted: Callable[[], bool]) -> None:
        super().__init__(parent)
        self._canvas, self._wanted = canvas, wanted
        canvas.installEventFilter(self)

    def eventFilter(self, _canvas: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  # Qt's name
        """Send a press in place of a double click."""
        double = isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonDblClick
        if not double or not self._wanted():
            return False
        assert isinstance(event, QMouseEvent)  # noqa: S101  # as above
        places, buttons = (event.position(), event.globalPosition()), (event.button(), event.buttons())
        press = QMouseEvent(QEvent.Type.MouseButtonPress, *places, *buttons, event.modifiers())
        QApplication.sendEvent(self._canvas, press)
        return True
