"""The help: which keys do what, and what the mouse does."""

from __future__ import annotations

from qtpy.QtWidgets import QFormLayout, QLabel, QWidget

KEYS = (
    ("D  I  R", "draw freely, a straight line, a region"),
    ("E", "rub out strokes"),
    ("H  T", "recolour a stroke, take it away"),
    ("K", "pick a colour from the picture"),
    ("G", "draw with gray"),
    ("[   ]", "smaller, larger brush"),
    ("N", "where a stroke is needed most"),
    ("Shift+click", "on a guess: put it there"),
    ("Q", "gray picture or coloured"),
    ("W", "wipe between before and after"),
    ("A  J", "automatic seeds to click on, a lasso to select some"),
    ("U", "where the network is unsure"),
    ("V", "hide or show the selected layer"),
    ("Ctrl+Z", "undo, also of settings"),
    ("Ctrl+Shift+Z", "redo"),
    ("Space", "hold to move the picture"),
    ("S", "save the picture"),
)


class Keys(QWidget):
    """A table of keys."""

    def __init__(self) -> None:
        super().__init__()
        lines = QFormLayout(self)
        lines.setVerticalSpacing(2)
        for key, what in KEYS:
            about = QLabel(what)
            about.setWordWrap(True)
            lines.addRow(f"<b>{key}</b>", about)
