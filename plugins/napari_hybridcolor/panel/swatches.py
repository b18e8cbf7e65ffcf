"""Rows of colours to click on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QApplication, QGridLayout, QPushButton, QSizePolicy, QWidget

from hybridcolor.palettes import Colour, swatch


class Swatches(QWidget):
    """Colours to draw with; with Shift, to be put somewhere at once.

    Parameters
    ----------
    count : int
        At most so many are shown.
    about : str
        What a click does.
    columns : int, optional
        In a row.
    """

    picked = Signal(object)
    put = Signal(object)

    def __init__(self, count: int, about: str, *, columns: int = 8) -> None:
        super().__init__()
        self.colours: list[Colour] = []
        self._about = about
        self._shown: tuple[object, ...] | None = None
        self._columns = columns
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        self.buttons = [QPushButton() for _ in range(count)]
        for number, button in enumerate(self.buttons):
            button.setFixedHeight(22)
            button.setMinimumWidth(8)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _checked=False, number=number: self._pick(number))
            grid.addWidget(button, number // columns, number % columns)
        self.show_colours([])

    def show_colours(
        self,
        colours: Sequence[Colour],
        texts: Sequence[str] = (),
        look: Callable[[Colour], tuple[int, int, int]] = swatch,
    ) -> None:
        """Fill the rows with colours as they look; of what is left over only the first row stays, empty."""
        looks = [look(colour) for colour in colours]
        shown = (tuple(colours), tuple(texts), tuple(looks))
        if shown == self._shown:
            return  # styles are slow to set
        self._shown = shown
        self.colours = list(colours[: len(self.buttons)])
        rows = max(1, -(-len(self.colours) // self._columns))
        for number, button in enumerate(self.buttons):
            button.setEnabled(number < len(self.colours))
            button.setVisible(number < rows * self._columns)
            if number >= len(self.colours):
                button.setText("")
                button.setToolTip("")
                button.setStyleSheet("QPushButton { background: transparent; border: 1px dashed palette(mid); }")
                continue
            red, green, blue = looks[number]
            ink = "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 120 else "white"
            button.setText(texts[number] if number < len(texts) else "")
            a, b, *level = self.colours[number]
            button.setToolTip(f"{self._about}: a* {a:.0f}, b* {b:.0f}" + "".join(f", L* {each:.0f}" for each in level))
            button.setStyleSheet(
                f"QPushButton {{ background: rgb({red},{green},{blue}); color: {ink}; border: 1px solid #808080;"
                " padding: 0px; border-radius: 3px; } QPushButton:hover { border: 2px solid white; }"
            )

    def _pick(self, number: int) -> None:
        shift = QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier
        (self.put if shift else self.picked).emit(self.colours[number])
