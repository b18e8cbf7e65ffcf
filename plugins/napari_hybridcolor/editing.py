"""A picture being edited in a viewer: its session, its layers, and the thread that answers.

The person's strokes are a labels layer, which napari knows to paint on: what changed in it becomes strokes of the
session, and undo, which is the session's, is painted back. Undo in a labels layer fires no paint event, so its keys are
taken over. Layers are held by reference: a person may rename, move or delete them at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import napari
import numpy as np
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal  # type: ignore[attr-defined]

from hybridcolor.advice import likely_colours, next_place
from hybridcolor.bins import DEFAULT_VIVIDNESS
from hybridcolor.drawing import Colour, Drawing, Stroke
from hybridcolor.errors import HybridColorError
from hybridcolor.lab import rgb_to_lab
from hybridcolor.pipeline import Colorization
from hybridcolor.session import EditSession
from napari_hybridcolor.answers import answers, saving
from napari_hybridcolor.layers import drawing_labels, new_strokes, shown_colour
from napari_hybridcolor.opening import picture_of_layer, take_up
from napari_hybridcolor.work import Newest

FIRST: Colour = (32.0, 36.0)
"""What a person draws with who has not picked a colour."""
SCRIBBLES = "scribbles"
RESULT = "colorized"
DEBOUNCE_MS = 10  # a stroke comes whole, when the mouse is let go
_SAME = 1.0  # ab units within which a colour is one of the palette


class Editing(QObject):
    """Everything the panel does, without the panel."""

    answered = Signal(object)
    drawing_changed = Signal()
    said = Signal(str)

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.session: EditSession | None = None
        self.answer: Colorization | None = None
        self.live = True
        self.dragging = False  # a stroke is not one before the mouse is let go
        self._sessions: WeakKeyDictionary[Layer, EditSession] = WeakKeyDictionary()
        self._image: Image | None = None
        self._scribbles: Labels | None = None
        self._result: Image | None = None
        self._painted: NDArray[Any] | None = None  # the labels as the session knows them
        self._coloured: tuple[Labels, tuple[Colour, ...]] | None = None
        self._asked: EditSession | None = None
        self.work = Newest(self)
        self.work.answered.connect(self._show)
        self.saving = Newest(self)  # apart: a stroke ends the work under way, and must not end this
        self.saving.answered.connect(self.said.emit)
        for thread in (self.work, self.saving):
            thread.failed.connect(self.said)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(DEBOUNCE_MS)
        self.timer.timeout.connect(self.ask)

    def open(self, layer: Image) -> None:
        """Take up a picture, with what was drawn on it before.

        Raises
        ------
        HybridColorError
            If the layer is no picture that can be coloured.
        """
        session = self._sessions.get(layer)
        told = ""
        if session is None:
            picture = picture_of_layer(layer)
            session = EditSession(picture, predictor="default", vividness=DEFAULT_VIVIDNESS)
            told = take_up(session)
            self._sessions[layer] = session
        if layer is self._image:
            return
        self._remove_layers()
        self.session, self.answer, self._image = session, None, layer
        self._paint()
        self.said.emit(told or "Pick a colour and draw where the colours are wrong.")
        self.ask()

    def ask(self) -> None:
        """Have the drawing as it is now answered."""
        if self.session is not None:
            self._asked = self.session
            self.work.ask(answers(self.session))

    def use_colour(self, colour: Colour) -> None:
        """Draw with a colour from now on; a new one joins the palette."""
        if self.session is None:
            self.said.emit("There is no picture to draw on; open one first.")
            return
        palette = self.session.drawing.palette
        near = [i for i, known in enumerate(palette) if np.hypot(*np.subtract(known, colour)) < _SAME]
        if not near:
            self._set(replace(self.session.drawing, palette=(*palette, colour)))
        layer = self.scribbles_layer()
        layer.selected_label = near[0] + 1 if near else len(palette) + 1
        self.draw_with("paint")

    def draw_with(self, mode: str) -> None:
        """Make the scribbles' layer the active one, in one of napari's modes."""
        layer = self.scribbles_layer()
        self.viewer.layers.selection.active = layer
        layer.mode = mode

    def put(self, place: tuple[int, int], colour: Colour) -> None:
        """Draw a dab of a colour, as wide as the brush."""
        if self.session is None:
            return
        radius = max(1.0, self.scribbles_layer().brush_size / 2)
        steps = np.arange(-int(radius), int(radius) + 1)
        dab = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
        dab = dab[np.hypot(*dab.T) <= radius] + place
        dab = dab[((dab >= 0) & (dab < self.session.picture.shape)).all(axis=1)]
        self._set(self.session.drawing.with_stroke(Stroke.of(dab, colour)))
        self._paint()
        self.ask()

    def change(self, **settings: Any) -> None:
        """Change model, method, vividness or caution."""
        if self.session is None:
            return
        drawing = replace(self.session.drawing, **settings)
        if drawing.settings() != self.session.drawing.settings():
            self._set(drawing)
            self.ask()

    def undo(self) -> None:
        """Take back the last stroke or setting."""
        self._travel(EditSession.undo, "There is nothing to undo.")

    def redo(self) -> None:
        """Bring back what was undone."""
        self._travel(EditSession.redo, "There is nothing to redo.")

    def compare(self) -> None:
        """Show the gray picture, or the colours again."""
        if self._result is not None and self._result in self.viewer.layers:
            self._result.visible = not self._result.visible

    def likely(self, place: tuple[int, int]) -> list[tuple[Colour, float]]:
        """The colours that the network holds likely at a pixel."""
        belief = None if self.session is None else self.session.belief
        return [] if belief is None else likely_colours(belief, *place)

    def next_place(self) -> tuple[int, int] | None:
        """Where a stroke is needed most; None without a network."""
        belief = None if self.session is None else self.session.belief
        if belief is None or self.session is None:
            self.said.emit("Where to draw next is the network's advice: choose a model, and wait for its answer.")
            return None
        return next_place(belief, self.session.picture.luminance, self.session.drawing.scribbles)

    def pixel(self, position: tuple[float, ...]) -> tuple[int, int] | None:
        """The picture's pixel at a place of the canvas."""
        if self._image is None or self.session is None:
            return None
        row, column = (round(float(value)) for value in self._image.world_to_data(position)[:2])
        inside = 0 <= row < self.session.picture.shape[0] and 0 <= column < self.session.picture.shape[1]
        return (row, column) if inside else None

    def colour_at(self, place: tuple[int, int]) -> Colour | None:
        """The colour that is shown at a pixel: the result's, or where that is hidden the picture's own."""
        layers = (self._result, self._image)
        for layer in layers:
            if layer is not None and layer in self.viewer.layers and layer.visible and layer.rgb:
                _, a, b = rgb_to_lab(np.asarray(layer.data[place][:3])[None, None])[0, 0].tolist()
                return a, b
        return None

    def save_picture(self, path: Path) -> None:
        """Write the coloured picture, as `hybridcolor replay` would."""
        if self.session is not None:
            self.saving.ask(saving(self.session, path))

    def close(self) -> None:
        """Let go of the viewer."""
        self.timer.stop()
        self._image = self.session = None

    def scribbles_layer(self) -> Labels:
        """The layer to draw in, made on top of all others if there is none."""
        if self._scribbles is None or self._scribbles not in self.viewer.layers:
            self._paint()
        assert self._scribbles is not None  # noqa: S101  # there is a session
        return self._scribbles

    def _set(self, drawing: Drawing) -> None:
        assert self.session is not None  # noqa: S101  # the callers' own check
        try:
            self.session.set(drawing)
        except HybridColorError as error:
            self.said.emit(str(error))
        self._colour_labels()
        self.drawing_changed.emit()

    def _travel(self, how: Callable[[EditSession], bool], nothing: str) -> None:
        if self.session is None:
            return
        try:
            if not how(self.session):
                self.said.emit(nothing)
                return
        except HybridColorError as error:
            self.said.emit(str(error))
        self._paint()
        self.ask()

    def _edited(self) -> None:
        """What changed in the scribbles' layer becomes strokes."""
        layer = self._scribbles
        if self.session is None or layer is None or self._painted is None or self.dragging:
            return
        labels = np.asarray(layer.data)
        if labels.shape != self._painted.shape or np.array_equal(labels, self._painted):
            return
        drawing = self.session.drawing
        for stroke in new_strokes(self._painted, labels, drawing.palette or (FIRST,)):
            drawing = drawing.with_stroke(stroke)
        self._painted = labels.copy()
        self._set(drawing)
        if labels.max() > len(drawing.palette):  # a label of napari's own, without a colour
            self._paint()
        if self.live:
            self.timer.start()

    def _paint(self) -> None:
        """Show the session's drawing in the scribbles' layer."""
        assert self.session is not None  # noqa: S101  # the callers' own check
        self._painted = drawing_labels(self.session.drawing, self.session.picture.shape)
        if self._scribbles is not None and self._scribbles in self.viewer.layers:
            self._scribbles.data = self._painted.copy()
        else:
            layer = Labels(self._painted.copy(), name=SCRIBBLES, opacity=1.0)
            layer.brush_size = max(3, round(max(self._painted.shape) / 100))
            for event in (layer.events.paint, layer.events.set_data):
                event.connect(self._edited)
            for keys, action in (("Control-Z", self.undo), ("Control-Shift-Z", self.redo)):
                layer.bind_key(keys, lambda _layer, action=action: action(), overwrite=True)
            self._scribbles = layer
            self.lay_over(layer)
            self.viewer.layers.append(layer)
        self._colour_labels()
        self.drawing_changed.emit()

    def _colour_labels(self) -> None:
        """Show every stroke in its own colour."""
        if self._scribbles is None or self.session is None or self._scribbles not in self.viewer.layers:
            return
        palette = self.session.drawing.palette or (FIRST,)
        if self._coloured == (self._scribbles, palette):
            return  # to set a colormap draws the layer anew
        self._coloured = self._scribbles, palette
        shown: dict[int | None, Any] = {None: "transparent", 0: "transparent"}
        for number, colour in enumerate(palette, 1):
            shown[number] = np.array([*shown_colour(colour), 255]) / 255
        self._scribbles.colormap = DirectLabelColormap(color_dict=shown)

    def _show(self, outcome: tuple[Colorization, NDArray[np.uint8]]) -> None:
        answer, shown = outcome
        if self._asked is not self.session or self.session is None or self._image not in self.viewer.layers:
            return  # another picture was chosen, or this one removed, meanwhile
        self.answer = answer
        if self._result is not None and self._result in self.viewer.layers:
            self._result.data = shown
        else:
            active = self.viewer.layers.selection.active
            self._result = Image(shown, name=RESULT, rgb=True)
            self.lay_over(self._result)
            self.viewer.layers.insert(self.viewer.layers.index(self._image) + 1, self._result)
            self.viewer.layers.selection.active = active
        self.answered.emit(answer)

    def lay_over(self, layer: Layer) -> None:
        """Lay a layer exactly over the picture."""
        if self._image is not None:
            layer.scale, layer.translate = self._image.scale[:2], self._image.translate[:2]

    def _remove_layers(self) -> None:
        for layer in (self._scribbles, self._result):
            if layer is not None and layer in self.viewer.layers:
                self.viewer.layers.remove(layer)
        self._scribbles = self._result = None
