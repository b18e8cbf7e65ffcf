"""Doing something once, a while after it was last asked for."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer


def timer(parent: QObject, milliseconds: int, action: Callable[[], object]) -> QTimer:
    """A timer that does something once, so many milliseconds after it was last started."""
    made = QTimer(parent)
    made.setSingleShot(True)
    made.setInterval(milliseconds)
    made.timeout.connect(action)
    return made
