"""The small controls that the panel's parts share."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtWidgets import QFrame, QPushButton, QScrollArea, QSlider, QWidget


def button(text: str, about: str, action: Callable[[], object] | None = None) -> QPushButton:
    """A push button with a tooltip."""
    made = QPushButton(text)
    made.setToolTip(about)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the canvas
    if action is not None:
        made.clicked.connect(lambda _checked=False: action())
    return made


def slider(share: float, about: str) -> QSlider:
    """A slider in hundredths, from 0 to 1."""
    made = QSlider(Qt.Orientation.Horizontal)
    made.setRange(0, 100)
    made.setValue(round(100 * share))
    made.setToolTip(about)
    return made


def timer(parent: QWidget, milliseconds: int, action: Callable[[], object]) -> QTimer:
    """Does something once, so long after it was last started."""
    made = QTimer(parent)
    made.setSingleShot(True)
    made.setInterval(milliseconds)
    made.timeout.connect(action)
    return made


class Scrolled(QScrollArea):
    """A widget that can be scrolled up and down where the window is not tall enough for it."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.setWidget(widget)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        """As wide as the widget has to be: it cannot be scrolled sideways."""
        widget, bar = self.widget(), self.verticalScrollBar()
        assert widget is not None  # noqa: S101  # it was made with one
        width = widget.minimumSizeHint().width() + (bar.sizeHint().width() if bar else 0)
        return QSize(width, super().minimumSizeHint().height())
