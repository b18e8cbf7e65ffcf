"""The panel: a view over `editing.Editing`. It holds no state of its own but what the mouse is doing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import napari
import numpy as np
from napari.layers import Image, Points
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from hybridcolor.bins import DEFAULT_VIVIDNESS
from hybridcolor.drawing import NO_MODEL, Colour
from hybridcolor.errors import HybridColorError
from hybridcolor.pipeline import Colorization
from hybridcolor.predict.weights import read_registry
from hybridcolor.propagate import propagator_names, warm_up
from napari_hybridcolor.colours import ColourPlane, Swatches
from napari_hybridcolor.editing import FIRST, RESULT, Editing
from napari_hybridcolor.layers import shown_colour

REST_MS = 250  # the mouse has come to rest on a place
HERE = "draw here"
KEYS = (
    ("Ctrl+Z", "undo, also of settings"),
    ("Ctrl+Shift+Z", "redo"),
    ("N", "where a stroke is needed most"),
    ("Shift+click", "on a guess: put it there"),
    ("K", "pick a colour from the picture"),
    ("Q", "gray or coloured"),
    ("[  ]", "smaller, larger brush"),
    ("1  2  6", "rub out, draw, move the picture"),
)


class ColorizeWidget(QWidget):
    """The panel that napari opens as Plugins > hybridcolor > Colorize."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.editing = Editing(napari_viewer)
        self.place: tuple[int, int] | None = None
        self._picking = False
        self._hovered: tuple[int, int] | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._rested)
        self._listing = QTimer(self)  # not from within napari's own work on its layers
        self._listing.setSingleShot(True)
        self._listing.timeout.connect(self._list_images)
        self._build()
        self.plane.set_colour(FIRST)
        self._show_now(FIRST)
        self._connect()
        self._list_images()

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        self.image_choice = QComboBox()
        self.image_choice.setToolTip("Which layer to colorize")
        layout.addWidget(self.image_choice)
        layout.addWidget(self._colour_box())
        layout.addLayout(self._steps())
        layout.addWidget(self._settings_box())
        self.save_button = QPushButton("Save picture…")
        self.save_button.setToolTip("Write the coloured picture; strokes are saved as you go, beside the picture")
        layout.addWidget(self.save_button)
        self.message = QLabel("Open a picture to begin.")
        self.message.setWordWrap(True)
        self.message.setMinimumHeight(44)
        layout.addWidget(self.message)
        keys = QGroupBox("Keys")
        lines = QFormLayout(keys)
        lines.setVerticalSpacing(1)
        for key, what in KEYS:
            lines.addRow(f"<b>{key}</b>", QLabel(what))
        layout.addWidget(keys)
        layout.addStretch()

    def _colour_box(self) -> QGroupBox:
        box = QGroupBox("Colour to draw with")
        self.plane = ColourPlane()
        self.now = QLabel()
        self.now.setMinimumHeight(30)
        self.now.setToolTip("The colour that the next stroke will have")
        self.gray_button = _button("Gray", "Draw with gray: this place has no colour")
        self.pick_button = _button("Pick (K)", "Click on the picture to take a colour from it")
        self.pick_button.setCheckable(True)
        self.erase_button = _button("Rub out (1)", "Rub strokes out")
        side = QVBoxLayout()
        for widget in (self.now, self.gray_button, self.pick_button, self.erase_button):
            side.addWidget(widget)
        side.addStretch()
        top = QHBoxLayout()
        top.addWidget(self.plane)
        top.addLayout(side)
        self.likely_label = QLabel("The network's guesses: rest the mouse on a place")
        self.likely = Swatches(5, "Click to draw with it, Shift+click to put a dab of it there")
        self.used = Swatches(8, "Draw with it again")
        inner = QVBoxLayout(box)
        inner.addLayout(top)
        inner.addWidget(self.likely_label)
        inner.addWidget(self.likely)
        inner.addWidget(QLabel("Your colours"))
        inner.addWidget(self.used)
        return box

    def _steps(self) -> QHBoxLayout:
        self.next_button = _button("Where next? (N)", "Show where one more stroke is expected to gain most")
        self.undo_button = _button("Undo", "Take back the last stroke or setting (Ctrl+Z)")
        self.redo_button = _button("Redo", "Bring back what was undone (Ctrl+Shift+Z)")
        self.compare_button = _button("Gray (Q)", "Show the gray picture, or the colours again")
        row = QHBoxLayout()
        for button in (self.next_button, self.undo_button, self.redo_button, self.compare_button):
            row.addWidget(button)
        return row

    def _settings_box(self) -> QGroupBox:
        box = QGroupBox("Settings")
        self.model_choice = QComboBox()
        for name in ("default", *read_registry()[1]):
            self.model_choice.addItem("the default network" if name == "default" else name, name)
        self.model_choice.addItem("none: my strokes alone", NO_MODEL)
        self.model_choice.setToolTip("Which network proposes colours")
        self.method_choice = QComboBox()
        self.method_choice.addItems(propagator_names())
        self.method_choice.setToolTip("How strokes spread")
        self.vividness = _slider(DEFAULT_VIVIDNESS, "How far the network's rare colours are lifted")
        self.caution = _slider(0.0, "Leave gray where the network is unsure: to the left nowhere, to the right all")
        self.live = QCheckBox("Update while drawing")
        self.live.setChecked(True)
        self.colorize_button = _button("Update now", "Colorize with the strokes as they are")
        form = QFormLayout(box)
        form.addRow("network", self.model_choice)
        form.addRow("method", self.method_choice)
        form.addRow("vividness", self.vividness)
        form.addRow("caution", self.caution)
        form.addRow(self.live, self.colorize_button)
        return box

    def _connect(self) -> None:
        editing = self.editing
        editing.said.connect(self.message.setText)
        editing.answered.connect(self._answered)
        editing.drawing_changed.connect(self._show_drawing)
        self.image_choice.activated.connect(lambda _: self._open_chosen())
        for row in (self.plane, self.likely, self.used):
            row.picked.connect(lambda a, b: self.use_colour((a, b)))
        self.likely.put.connect(self._put)
        self.gray_button.clicked.connect(lambda: self.use_colour((0.0, 0.0)))
        self.pick_button.toggled.connect(self._pick)
        self.erase_button.clicked.connect(self._erase)
        self.next_button.clicked.connect(self.show_next_place)
        self.undo_button.clicked.connect(editing.undo)
        self.redo_button.clicked.connect(editing.redo)
        self.compare_button.clicked.connect(editing.compare)
        self.model_choice.activated.connect(lambda _: editing.change(model=self.model_choice.currentData()))
        self.method_choice.textActivated.connect(self._change_method)
        self.vividness.sliderReleased.connect(lambda: editing.change(vividness=self.vividness.value() / 100))
        self.caution.sliderReleased.connect(lambda: editing.change(caution=self.caution.value() / 100))
        self.live.toggled.connect(lambda on: setattr(editing, "live", on))
        self.colorize_button.clicked.connect(editing.ask)
        self.save_button.clicked.connect(self._save)
        self._events = (self.viewer.layers.events.inserted, self.viewer.layers.events.removed)
        for event in self._events:
            event.connect(self._layers_changed)
        self._keys = {
            "N": lambda _viewer: self.show_next_place(),
            "K": lambda _viewer: self.pick_button.toggle(),
            "Q": lambda _viewer: editing.compare(),
            "Control-Z": lambda _viewer: editing.undo(),
            "Control-Shift-Z": lambda _viewer: editing.redo(),
        }
        for key, action in self._keys.items():
            self.viewer.bind_key(key, action, overwrite=True)
        self.viewer.mouse_move_callbacks.append(self._hover)
        self.viewer.mouse_drag_callbacks.append(self._press)
        let_go = self._let_go_of(self.viewer)
        self.destroyed.connect(let_go)
        Thread(target=warm_up, args=(self.method_choice.currentText(),), daemon=True).start()

    def _let_go_of(self, viewer: napari.Viewer) -> Any:
        """What to do when the panel has gone: its own methods cannot be called any more."""
        hover, press, keys, editing = self._hover, self._press, tuple(self._keys), self.editing
        events, listing = self._events, self._layers_changed

        def let_go() -> None:
            for callbacks, ours in ((viewer.mouse_move_callbacks, hover), (viewer.mouse_drag_callbacks, press)):
                if ours in callbacks:
                    callbacks.remove(ours)
            for event in events:
                event.disconnect(listing)
            for key in keys:
                viewer.bind_key(key, None, overwrite=True)
            editing.close()

        return let_go

    def use_colour(self, colour: Colour) -> None:
        """Draw with a colour from now on."""
        self.plane.set_colour(colour)
        self._show_now(colour)
        self.editing.use_colour(colour)

    def look_at(self, place: tuple[int, int]) -> None:
        """Show what colours a place can have, and which ones the network holds likely there."""
        session = self.editing.session
        if session is None:
            return
        self.place = place
        luminance = float(session.picture.luminance[place])
        self.plane.set_luminance(luminance)
        found = self.editing.likely(place)
        texts = [f"{chance:.0%}" for _, chance in found]
        self.likely.show_colours([colour for colour, _ in found], texts, float(np.clip(luminance, 25, 90)))
        self.likely_label.setText(f"The network's guesses at {place[1]}, {place[0]}")

    def show_next_place(self) -> None:
        """Mark where one more stroke is expected to gain most, and offer colours for it."""
        place = self.editing.next_place()
        if place is None or self.editing.session is None:
            return
        size = max(self.editing.session.picture.shape) / 18
        self._remove_ring()
        active = self.viewer.layers.selection.active
        ring = Points([place], name=HERE, size=size, face_color="transparent", border_color="yellow", border_width=0.08)
        self.editing.lay_over(ring)
        self.viewer.layers.append(ring)
        self.viewer.layers.selection.active = active
        self.look_at(place)
        self.message.setText("A stroke in the ring helps most, it is expected. Shift+click a guess to put it there.")

    def _answered(self, answer: Colorization) -> None:
        session = self.editing.session
        if session is None:
            return
        strokes = len(session.drawing.strokes)
        saved = f", saved in {session.autosave.name}" if session.autosave and strokes else ""
        self.message.setText(f"{strokes} strokes, {answer.seconds * 1000:.0f} ms by {answer.method}{saved}")
        if self.place is not None:
            self.look_at(self.place)

    def _show_drawing(self) -> None:
        session = self.editing.session
        if session is None:
            return
        drawing = session.drawing
        self.used.show_colours(drawing.palette[::-1])
        self.model_choice.setCurrentIndex(max(0, self.model_choice.findData(drawing.model)))
        self.method_choice.setCurrentText(drawing.method)
        self.vividness.setValue(round(100 * drawing.vividness))
        self.caution.setValue(round(100 * drawing.caution))
        self._remove_ring()

    def _remove_ring(self) -> None:
        if HERE in self.viewer.layers:
            self.viewer.layers.remove(HERE)

    def _show_now(self, colour: Colour) -> None:
        red, green, blue = shown_colour(colour, self.plane.luminance)
        self.now.setStyleSheet(f"background: rgb({red},{green},{blue}); border: 1px solid #808080; border-radius: 3px;")

    def _change_method(self, method: str) -> None:
        Thread(target=warm_up, args=(method,), daemon=True).start()
        self.editing.change(method=method)

    def _layers_changed(self) -> None:
        self._listing.start(0)

    def _list_images(self) -> None:
        chosen = self.image_choice.currentData()
        self.image_choice.clear()
        images = [layer for layer in self.viewer.layers if isinstance(layer, Image) and layer.name != RESULT]
        for layer in images:
            self.image_choice.addItem(layer.name, layer)
        self.image_choice.setCurrentIndex(next((i for i, layer in enumerate(images) if layer is chosen), 0))
        self._open_chosen()

    def _open_chosen(self) -> None:
        layer = self.image_choice.currentData()
        if layer is None:
            return
        try:
            self.editing.open(layer)
        except HybridColorError as error:
            self.message.setText(str(error))

    def _hover(self, _viewer: Any, event: Any) -> None:
        self._hovered = self.editing.pixel(event.position)
        self._rest.start()

    def _rested(self) -> None:
        if self._hovered is not None:
            self.look_at(self._hovered)

    def _put(self, a: float, b: float) -> None:
        if self.place is not None:
            self.editing.put(self.place, (a, b))

    def _erase(self) -> None:
        if self.editing.session is not None:
            self.editing.draw_with("erase")

    def _pick(self, on: bool) -> None:
        self._picking = on and self.editing.session is not None
        if self._picking:
            self.editing.draw_with("pan_zoom")
            self.message.setText("Click on the picture to take a colour from it.")

    def _press(self, _viewer: Any, event: Any) -> Iterator[None]:
        """From the mouse button's press to its release."""
        place = self.editing.pixel(event.position) if self._picking else None
        self.editing.dragging = True
        yield
        while event.type == "mouse_move":
            yield
        self.editing.dragging = False
        if place is not None:
            self.pick_button.setChecked(False)
            colour = self.editing.colour_at(place)
            if colour is not None:
                self.use_colour(colour)

    def _save(self) -> None:
        session = self.editing.session
        if session is None:
            self.message.setText("There is no picture yet; open one first.")
            return
        source = session.picture.source
        start = str(source.with_name(f"{source.stem}-colour.png")) if source else "colour.png"
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the coloured picture", start, "Images (*.png *.tif *.jpg);;Layers (*.ora)"
        )
        if path:
            self.editing.save_picture(Path(path))


def _slider(share: float, about: str) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, 100)
    slider.setValue(round(100 * share))
    slider.setToolTip(about)
    return slider


def _button(text: str, about: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(about)
    return button
