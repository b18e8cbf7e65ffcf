"""The small controls that the panel's parts share."""

from __future__ import annotations

import re
from collections.abc import Callable

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QResizeEvent, QWheelEvent
from qtpy.QtWidgets import QCheckBox, QComboBox, QFrame, QLabel, QPushButton, QScrollArea, QSlider, QWidget


def button(text: str, about: str, action: Callable[[], object] | None = None) -> QPushButton:
    """A push button with a tooltip."""
    made = QPushButton(text)
    made.setToolTip(about)
    made.setMinimumWidth(made.fontMetrics().horizontalAdvance(text) + 18)  # some styles ask for more than there is
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the canvas
    if action is not None:
        made.clicked.connect(lambda _checked=False: action())
    return made


class _LeavesTheWheel:
    """A widget over which the wheel scrolls the panel, and changes nothing."""

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802  # Qt's name
        """Leave it to the panel."""
        if event is not None:
            event.ignore()


class Choice(_LeavesTheWheel, QComboBox):
    """A list to choose from by a click: typed letters are the canvas's keys."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)


class Slider(_LeavesTheWheel, QSlider):
    """A level slider."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)


def tick(text: str, about: str) -> QCheckBox:
    """A box to tick, with a tooltip."""
    made = QCheckBox(text)
    made.setToolTip(about)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # as of buttons
    return made


def slider(share: float, about: str) -> QSlider:
    """A slider in hundredths, from 0 to 1."""
    made = Slider()
    made.setRange(0, 100)
    made.setValue(round(100 * share))
    made.setToolTip(about)
    return made


def bring_into_view(widget: QWidget) -> None:
    """Scroll the panel, where the window is too low for it, to a widget that has just become worth a look."""
    around = widget.parentWidget()
    while around is not None:
        if isinstance(around, QScrollArea):
            around.ensureWidgetVisible(widget, 0, 0)
        around = around.parentWidget()


class Text(QLabel):
    """A text that is shown whole, however long it is and however narrow the panel.

    Parameters
    ----------
    lines : int, optional
        It is at least so high, so that what is above it stays where it is.
    """

    def __init__(self, text: str = "", *, lines: int = 1) -> None:
        super().__init__()
        self.setWordWrap(True)
        self._least = lines * self.fontMetrics().lineSpacing()
        self.say(text)

    def say(self, text: str, about: str = "") -> None:
        """Show a text, and tell something about it; file names may be parted anywhere."""
        self.setText(re.sub(r"\S{25,}", lambda word: "\u200b".join(word[0]), text))
        self.setToolTip(about)
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  # Qt's name
        """Be as high as the text needs at another width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setMinimumHeight(0)  # which Qt would take for what the text needs
        self.setFixedHeight(max(self._least, self.heightForWidth(self.width())))


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

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        """No wider than that: what is left of the window is the picture's."""
        return QSize(self.minimumSizeHint().width(), super().sizeHint().height())
