"""What to draw with: the colour, the tool, and colours at hand."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from hybridcolor.advice import likely_colours
from hybridcolor.drawing import NO_MODEL
from hybridcolor.errors import HybridColorError
from hybridcolor.palettes import (
    SHOWN_AT,
    Colour,
    lightness_of,
    lit,
    painted,
    read_palette,
    swatch,
    unlike,
    write_palette,
)
from hybridcolor.pipeline import Colorization
from hybridcolor.seeds import FULL_LIGHTNESS
from napari_hybridcolor.editing import Editing
from napari_hybridcolor.gestures import Place
from napari_hybridcolor.kept import MOST, Kept
from napari_hybridcolor.panel.controls import Text, button, slider
from napari_hybridcolor.panel.files import file_to_write
from napari_hybridcolor.panel.plane import SHOWABLE, ColourPlane
from napari_hybridcolor.panel.swatches import Swatches
from napari_hybridcolor.scribbles import FIRST
from napari_hybridcolor.timers import timer
from napari_hybridcolor.tools import BRUSH, FILL, LINE, PICK, RECOLOUR, REMOVE, RUB_OUT, Tools

GRAY: Colour = (0.0, 0.0)
MOST_COLOURS = 64
"""How many of the picture's colours are at hand."""
LEAST = 0.02
"""Least probability of a guess of the network that is worth a look."""
_TOOLS = (
    (BRUSH, "Draw", "Draw freely (D); [ and ] change the brush"),
    (LINE, "Line", "Draw a straight line from where you press to where you let go (I)"),
    (FILL, "Region", "Click on a region of even brightness to draw all of it (R)"),
    (RUB_OUT, "Rub out", "Rub strokes out (E)"),
    (RECOLOUR, "Recolour", "Click on a stroke to give it the colour in use (H)"),
    (REMOVE, "Take away", "Click on a stroke to take all of it away (T)"),
    (PICK, "Pick", "Click on the picture, or on any other that is shown, to take a colour from it (K)"),
)
_REST = "The network's guesses: rest the mouse on a place"
_RESTED_MS = 700
_PALETTES = "Palettes (*.gpl *.pal)"


class ColourBox(QGroupBox):
    """The plane of colours, tools, the network's guesses and the palette."""

    def __init__(self, editing: Editing, tools: Tools) -> None:
        super().__init__("Colour to draw with")
        self.editing, self.tools = editing, tools
        self.kept = Kept()
        self.place: Place | None = None
        self.plane = ColourPlane()
        self.now = QLabel()
        self.now.setMinimumHeight(26)
        self.now.setToolTip("The colour that the next stroke will have")
        self.gray_button = button("Gray", "Draw with gray: this place has no colour (G)", self.use_gray)
        self.tool_buttons = {tool: self._tool_button(tool, text, about) for tool, text, about in _TOOLS}
        self._looked_at: Image | None = None  # the picture that the place is of
        self.likely_label = Text(_REST)
        self.likely = Swatches(5, "Click to draw with it, Shift+click to put a dab of it there", columns=5)
        self.used = Swatches(MOST_COLOURS, "Draw with it again")
        self.used.setToolTip("This picture's colours, the last one first, and then those you used on others")
        self.open_button = button("Palettes", "Add the colours of a palette that you saved, or of any palette file")
        self.open_menu = QMenu(self.open_button)
        self.open_menu.aboutToShow.connect(self._list_palettes)
        self.open_button.setMenu(self.open_menu)
        self.keep_button = button(
            "Save…", "Save this picture's colours as a palette (GIMP .gpl, JASC .pal)", self._save
        )
        self.strength = slider(
            1.0, "Of the next strokes: to the right exactly their colour, to the left a mere hint of it"
        )
        self.lightness = slider(
            1.0, "On the paper of a drawing: to the left black, to the right as light as the colour can be"
        )
        self.lightness_row = QWidget()
        self._rest = timer(self, _RESTED_MS, self._rested)
        self._lay_out()
        editing.scribbles.use_colour(next(iter(self.kept.recent), FIRST))
        self.show_colour(editing.colour)
        self._show_drawing()

        self.plane.picked.connect(lambda a, b: self.use(lit((a, b), self.lightness.value())))
        for row in (self.likely, self.used, tools):
            row.picked.connect(self.use)
        self.lightness.valueChanged.connect(self._slid)
        self.lightness.sliderReleased.connect(self._slid)
        self.likely.put.connect(self._put)
        self.strength.valueChanged.connect(lambda value: setattr(editing, "strength", max(value, 1) / 100))
        tools.changed.connect(self._show_tool)
        editing.drawing_changed.connect(self._show_drawing)
        editing.colour_changed.connect(lambda: self.show_colour(editing.colour))
        editing.answered.connect(self._answered)
        editing.opened.connect(self._forget)

    def use(self, colour: Colour) -> None:
        """Draw with a colour from now on."""
        colour = colour if self.editing.paints else colour[:2]
        self._keep(colour)
        self.editing.use_colour(colour)
        self._show_drawing()
        self.tools.draw()

    def use_gray(self) -> None:
        """Draw with gray from now on."""
        self.use(GRAY)

    def look_at(self, place: Place) -> None:
        """Show what colours a place can have, and which ones the network holds likely there."""
        session = self.editing.session
        if session is None or not (place[0] < session.picture.shape[0] and place[1] < session.picture.shape[1]):
            return
        self.place = place
        luminance = float(session.picture.luminance[place])
        if not self.editing.paints:
            self.plane.set_luminance(luminance)
        belief = session.belief
        found = [] if belief is None else [each for each in likely_colours(belief, *place) if each[1] >= LEAST]
        texts = [f"{chance:.0%}" for _, chance in found]
        level = float(np.clip(luminance, 25, 90))
        look = self.editing.look if self.editing.paints else partial(swatch, luminance=level)
        self.likely.show_colours([colour for colour, _ in found], texts, look)
        if session.drawing.model == NO_MODEL:
            self.likely_label.say("No network is asked, so there are no guesses")
        else:
            self.likely_label.say(f"The network's guesses at {place[1]}, {place[0]}")

    def _forget(self) -> None:
        """Another picture has other guesses; another slice of it has them at the same place."""
        if self.editing.image is not self._looked_at:
            self._looked_at, self.place = self.editing.image, None
            self.likely.show_colours([])
            self.likely_label.say(_REST)

    def show_colour(self, colour: Colour) -> None:
        """Show which colour is in use."""
        if self.editing.paints:
            level = lightness_of(colour)
            self.plane.set_luminance(float(np.clip(level, *SHOWABLE)) if level < FULL_LIGHTNESS else SHOWN_AT)
            with QSignalBlocker(self.lightness):
                self.lightness.setValue(round(level))
        self.plane.set_colour(colour)
        red, green, blue = self.editing.look(colour)
        self.now.setStyleSheet(f"background: rgb({red},{green},{blue}); border: 1px solid #808080; border-radius: 3px;")

    def _lay_out(self) -> None:
        side = QVBoxLayout()
        side.addWidget(self.now)
        grid = QGridLayout()
        grid.setSpacing(4)
        for number, widget in enumerate((*self.tool_buttons.values(), self.gray_button)):
            grid.addWidget(widget, number // 2, number % 2)
        side.addLayout(grid)
        strength = QHBoxLayout()
        strength.addWidget(QLabel("strength"))
        strength.addWidget(self.strength)
        side.addLayout(strength)
        side.addStretch()
        top = QHBoxLayout()
        top.addWidget(self.plane)
        top.addLayout(side)
        lightness = QHBoxLayout(self.lightness_row)
        lightness.setContentsMargins(0, 0, 0, 0)
        lightness.addWidget(QLabel("lightness"))
        lightness.addWidget(self.lightness)
        self.lightness_row.hide()
        palette = QHBoxLayout()
        palette.addWidget(QLabel("Your colours"))
        palette.addStretch()
        palette.addWidget(self.open_button)
        palette.addWidget(self.keep_button)
        inner = QVBoxLayout(self)
        inner.setContentsMargins(5, 8, 5, 5)
        inner.addLayout(top)
        inner.addWidget(self.lightness_row)
        inner.addWidget(self.likely_label)
        inner.addWidget(self.likely)
        inner.addLayout(palette)
        inner.addWidget(self.used)

    def _tool_button(self, tool: str, text: str, about: str) -> QPushButton:
        made = button(text, about, lambda: self.tools.use(tool))
        made.setCheckable(True)
        made.setStyleSheet("padding: 3px;")
        made.setMinimumWidth(made.fontMetrics().horizontalAdvance(text) + 10)
        return made

    def _show_tool(self, tool: str) -> None:
        for name, each in self.tool_buttons.items():
            each.setChecked(name == tool)

    def _show_drawing(self) -> None:
        """Show colours at hand: a new one that was chosen, the picture's own, and others."""
        drawn = () if self.editing.session is None else self.editing.session.drawing.palette[::-1]
        own, recent = self._shown(drawn), self._shown(self.kept.recent)
        others = unlike(recent, own)[: max(0, MOST - len(own))]
        chosen = [self.editing.colour] if self.editing.colour in others else []
        self.used.show_colours((*chosen, *own, *unlike(others, chosen)), look=self.editing.look)
        self.lightness_row.setVisible(self.editing.paints)

    def _shown(self, colours: Sequence[Colour]) -> tuple[Colour, ...]:
        """Colours as they can be drawn: a photo knows no lightness of theirs."""
        return tuple(colours) if self.editing.paints else unlike([colour[:2] for colour in colours], [])

    def _answered(self, _answer: Colorization) -> None:
        """The answer tells whether the picture is painted."""
        if self.lightness_row.isVisibleTo(self) != self.editing.paints:
            self._show_drawing()
            self.show_colour(self.editing.colour)
        if self.place is not None:
            self.look_at(self.place)

    def _slid(self) -> None:
        """Another lightness: shown at once, and drawn with when the slider is let go."""
        colour = lit(self.editing.colour, self.lightness.value())
        if self.lightness.isSliderDown():
            self.show_colour(colour)
        else:
            self.editing.use_colour(colour)
            self.tools.draw()
            self._rest.start()

    def _rested(self) -> None:
        """Keep the colour at which the slider came to rest, not those that keys led it past."""
        self._keep(self.editing.colour)
        self._show_drawing()

    def _keep(self, colour: Colour) -> None:
        """Have it at hand on other pictures and other days; gray is there in any case."""
        if colour != GRAY:
            warned = self.kept.told
            self.kept.use(colour)
            if self.kept.told != warned:
                self.editing.said.emit(self.kept.told)

    def _put(self, colour: Colour) -> None:
        if self.place is not None:
            self._keep(colour)
            self.editing.draw_line(self.place, self.place, colour)  # a dab

    def _list_palettes(self) -> None:
        self.open_menu.clear()
        for file in self.kept.saved():
            self.open_menu.addAction(file.stem, lambda file=file: self.open_palette(file))
        self.open_menu.addSeparator()
        self.open_menu.addAction("From a file…", self._open)

    def _open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a palette", "", _PALETTES)
        if path:
            self.open_palette(Path(path))

    def _save(self) -> None:
        folder = self.kept.palettes
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        path = file_to_write(self, "Save this picture's colours", folder / "mine.gpl", _PALETTES, ending=".gpl")
        if path:
            self.save_palette(path)

    def open_palette(self, path: Path) -> None:
        """Add the colours of a file to those at hand."""
        session = self.editing.session
        if session is None:
            self.editing.said.emit(self.editing.without)
            return
        try:
            found = read_palette(path)
        except HybridColorError as error:
            self.editing.said.emit(str(error))
            return
        known = session.drawing.palette
        new = unlike(self._shown(found), known)
        self.editing.change(palette=(*known, *new[::-1]))  # the file's first is shown first
        some = f" The first {MOST_COLOURS} of them are at hand." if len(new) > MOST_COLOURS else ""
        self.editing.said.emit(f"{len(found)} colours from {path.name}.{some}")

    def save_palette(self, path: Path) -> None:
        """Save the colours at hand."""
        session = self.editing.session
        own = (() if session is None else session.drawing.palette) or (self.editing.colour,)
        try:
            write_palette(path, [painted(colour) for colour in own] if self.editing.paints else own, name=path.stem)
        except HybridColorError as error:
            self.editing.said.emit(str(error))
            return
        self.editing.said.emit(f"Saved {path.name}.")
