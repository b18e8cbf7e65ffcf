"""A picture being edited in a viewer: its session, its layers, and the thread that answers.

Everything the panel does, without the panel: `Editing` turns what a person does into changes of the session, asks for
answers, and shows them. What is painted becomes strokes in `scribbles`; undo, which is the session's, is painted back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any
from weakref import WeakKeyDictionary

import napari
import numpy as np
from napari.layers import Image, Labels
from numpy.typing import ArrayLike, NDArray
from qtpy.QtCore import QObject, QTimer, Signal  # type: ignore[attr-defined]

from hybridcolor.advice import likely_colours, next_place
from hybridcolor.drawing import Drawing, Stroke, weight_of
from hybridcolor.errors import HybridColorError
from hybridcolor.glimpse import Glimpse
from hybridcolor.lab import eight_bits, rgb_to_lab
from hybridcolor.palettes import Colour
from hybridcolor.pipeline import Colorization
from hybridcolor.propagate.kinds import FOR_DRAWINGS
from hybridcolor.propagate.relief import SILL
from hybridcolor.seeds import AUTO, USER, Seeds
from hybridcolor.session import EditSession
from napari_hybridcolor.answers import Levels, answers, glimpses, is_large, saving
from napari_hybridcolor.gestures import Place, line, region
from napari_hybridcolor.kept import SAME
from napari_hybridcolor.layers import seed_strokes, sizes
from napari_hybridcolor.opening import go_on, new_session, picture_of_layer, slice_of
from napari_hybridcolor.regions import Regions
from napari_hybridcolor.result import Result
from napari_hybridcolor.scribbles import Scribbles
from napari_hybridcolor.work import Job, Newest

FIRST: Colour = (32.0, 36.0)
"""What a person draws with who has never picked a colour."""
DEBOUNCE_MS = 0  # a stroke comes whole, when the mouse is let go: only what one event does is waited for
MOVED_MS = 60  # the picture has come to rest after it was moved or zoomed


class Editing(QObject):
    """The state that every part of the panel is a view of."""

    opened = Signal()
    answered = Signal(object)
    glimpsed = Signal()
    drawing_changed = Signal()
    said = Signal(str)

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.session: EditSession | None = None
        self.answer: Colorization | None = None
        self.image: Image | None = None
        self.advice = ""  # what to tell of the picture as long as nothing is drawn
        self.live = True
        self.strength = 1.0  # of the next strokes
        self.first = FIRST
        self.dragging = False  # a stroke is not one before the mouse is let go
        self.result = Result(viewer)
        self.scribbles = Scribbles(viewer, self._painted, {"Control-Z": self.undo, "Control-Shift-Z": self.redo})
        self._sessions: WeakKeyDictionary[Image, dict[tuple[int, ...], EditSession]] = WeakKeyDictionary()
        self._regions = Regions()
        self._to_fill: list[Place] = []
        self._asked: EditSession | None = None
        self._glimpsed = Event()  # what was asked for, once
        self.work = Newest(self)
        self.work.answered.connect(self._show)
        self.glancing = Newest(self)  # beside the work, which may be in a long step
        self.glancing.answered.connect(self._show_glimpse)
        self.saving = Newest(self)  # apart: a stroke ends the work under way, and must not end this
        self.saving.answered.connect(self.said.emit)
        self.filling = Newest(self)
        self.filling.answered.connect(self._fill)
        for thread in (self.work, self.glancing, self.saving, self.filling):
            thread.failed.connect(self.said)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(DEBOUNCE_MS)
        self.timer.timeout.connect(self.take_up)
        self._moving = QTimer(self)
        self._moving.setSingleShot(True)
        self._moving.setInterval(MOVED_MS)
        self._moving.timeout.connect(self._moved)
        camera = getattr(viewer, "scene", viewer).camera  # napari before 0.9 has no scene
        self._sights = camera.events.zoom, camera.events.center
        for event in self._sights:
            event.connect(self._look_around)

    # ----- pictures

    def open(self, layer: Image) -> None:
        """Take up a picture, or the slice of a stack that is in view, with what was drawn on it before.

        Raises
        ------
        HybridColorError
            If the layer is no picture that can be coloured.
        """
        sessions = self._sessions.setdefault(layer, {})
        index = slice_of(layer, self.viewer)
        session, told = sessions.get(index), ""
        if session is None:
            picture = picture_of_layer(layer, index)
            session, told = new_session(picture)
            told = go_on(session, index) or told
            sessions[index] = session
        if session is self.session and layer is self.image:
            return
        if layer is not self.image:
            self.result.remove()
            self.scribbles.remove()
        elif self.result.layer is not None:  # another slice: not yet coloured
            self.result.show(sizes(eight_bits(session.picture.to_rgb())), layer)
        self.session, self.answer, self.image = session, None, layer
        self._show_drawing()
        self.viewer.layers.selection.active = self.scribbles.layer
        self.opened.emit()
        self.advice = told or "Pick a colour and draw where it is wrong."
        self.said.emit(self.advice)
        self.ask()

    def carry_on(self) -> None:
        """Go to the next slice of a stack, and draw there what was drawn on this one."""
        if self.session is None or self.image is None or self.image.ndim == 2:
            return
        drawn, axis = self.drawing, self.viewer.dims.ndim - 3
        step, session = self.viewer.dims.current_step[axis], self.session
        self.viewer.dims.set_current_step(axis, step + 1)
        self.open(self.image)
        if self.session is session:
            self.said.emit("This is the last slice.")
            return
        self.become(self.drawing.with_strokes(drawn.strokes))

    def ask(self) -> None:
        """Have the drawing as it is now answered."""
        if self.session is not None:
            self._asked, self._glimpsed = self.session, Event()
            if is_large(self.session):
                self._glance()
            self.work.ask(answers(self.session, self._glimpsed))

    def save_picture(self, path: Path) -> None:
        """Write the coloured picture, as `hybridcolor replay` would."""
        self.take_up()
        if self.session is not None:
            self.saving.ask(saving(self.session, path))

    def close(self) -> None:
        """Let go of the viewer."""
        for each in (self, self.work, self.glancing, self.saving, self.filling):
            each.blockSignals(True)  # who listened has gone
        self.timer.stop()
        self._moving.stop()
        for event in self._sights:
            event.disconnect(self._look_around)
        self.work.stop()
        self.glancing.stop()
        self.image = self.session = None

    # ----- drawing

    @property
    def colour(self) -> Colour:
        """What the next stroke is drawn with."""
        palette = () if self.session is None else self.session.drawing.palette
        layer = self.scribbles.layer
        label = 1 if layer is None else int(layer.selected_label)
        return palette[min(max(label, 1), len(palette)) - 1] if palette else self.first

    @property
    def drawing(self) -> Drawing:
        """The session's, with what was painted a moment ago."""
        self.take_up()
        assert self.session is not None  # noqa: S101  # the callers' own check
        return self.session.drawing

    def use_colour(self, colour: Colour) -> None:
        """Draw with a colour from now on; a new one joins the palette."""
        if self.session is None:
            self.said.emit("There is no picture to draw on; open one first.")
            return
        palette = self.drawing.palette
        near = [i for i, known in enumerate(palette) if np.hypot(*np.subtract(known, colour)) < SAME]
        if not near:
            self._set(replace(self.drawing, palette=(*palette, colour)))
        self.draw_with("paint")
        self.scribbles_layer().selected_label = near[0] + 1 if near else len(palette) + 1

    def draw_with(self, mode: str) -> None:
        """Make the scribbles' layer the active one, in one of napari's modes."""
        layer = self.scribbles_layer()
        self.viewer.layers.selection.active = layer
        layer.mode = mode

    def draw(self, coords: ArrayLike, colour: Colour | None = None) -> None:
        """Draw these pixels, in the colour in use unless another is given."""
        if self.session is not None and len(np.asarray(coords)):
            stroke = Stroke.of(coords, self.colour if colour is None else colour, weight=self._weight())
            self.become(self.drawing.with_stroke(stroke))

    def put(self, place: Place, colour: Colour) -> None:
        """Draw a dab of a colour, as wide as the brush."""
        self.draw_line(place, place, colour)

    def draw_line(self, start: Place, end: Place, colour: Colour | None = None) -> None:
        """Draw a straight line, as wide as the brush."""
        if self.session is not None:
            width = self.scribbles_layer().brush_size
            self.draw(line(start, end, width, self.session.picture.shape), colour)

    def fill(self, place: Place) -> None:
        """Draw all of the region that a pixel belongs to, as soon as the regions are found."""
        if self.session is not None:
            self._to_fill.append(place)
            self.filling.ask(self.finding())

    def recolour(self, place: Place) -> None:
        """Give the stroke at a pixel the colour in use."""
        if self.session is not None:
            self.become(self.drawing.recoloured(place, self.colour))

    def remove(self, place: Place) -> None:
        """Take away the stroke at a pixel."""
        if self.session is not None:
            self.become(self.drawing.removed(place))

    def dismiss(self, coords: NDArray[np.int32]) -> None:
        """Do without the automatic seeds at some pixels."""
        if self.session is not None and self.session.dismiss(coords):
            self._changed()

    def pin(self, coords: NDArray[np.int32]) -> None:
        """Make strokes of the automatic seeds at some pixels."""
        if self.session is not None and self.session.pin(coords):
            self._changed()

    def become(self, drawing: Drawing) -> None:
        """Make this the drawing, and show and answer it."""
        if self.session is not None and drawing is not self.session.drawing:
            self._set(drawing)
            self._changed()

    def take(self, seeds: Seeds) -> None:
        """Draw the scribbles of a seeds file; its automatic seeds take the place of the network's."""
        if self.session is not None:
            drawing = replace(self.drawing, imported=seeds.take(seeds.origin == AUTO))
            self.become(drawing.with_strokes(seed_strokes(seeds.take(seeds.origin == USER))))

    def change(self, **settings: Any) -> None:
        """Change model, method, vividness, caution, confidence or palette."""
        if self.session is None:
            return
        before = self.drawing
        drawing = replace(before, **settings)
        if drawing.palette != before.palette:
            self._set(drawing)
        elif any(getattr(drawing, name) != getattr(before, name) for name in settings):
            self._set(drawing)
            self.ask()

    def undo(self) -> None:
        """Take back the last stroke or setting."""
        self._travel(EditSession.undo, "There is nothing to undo.")

    def redo(self) -> None:
        """Bring back what was undone."""
        self._travel(EditSession.redo, "There is nothing to redo.")

    def scribbles_layer(self) -> Labels:
        """The layer to draw in, made on top of all others if there is none."""
        layer = self.scribbles.layer
        if layer is None:
            self._show_drawing()
            layer = self.scribbles.layer
        assert layer is not None  # noqa: S101  # there is a session
        return layer

    # ----- what a person may ask

    def likely(self, place: Place) -> list[tuple[Colour, float]]:
        """The colours that the network holds likely at a pixel."""
        belief = None if self.session is None else self.session.belief
        return [] if belief is None else likely_colours(belief, *place)

    def next_place(self) -> Place | None:
        """Where a stroke is needed most; None without a network."""
        belief = None if self.session is None else self.session.belief
        if belief is None or self.session is None:
            self.said.emit("Where to draw next is the network's advice: choose a model, and wait for its answer.")
            return None
        return next_place(belief, self.session.picture.luminance, self.session.drawing.scribbles)

    @property
    def is_drawing(self) -> bool:
        """Whether the method is one for drawings."""
        return self.session is not None and self.session.drawing.method in FOR_DRAWINGS

    @property
    def gap(self) -> float:
        """Width in pixels of the gaps in a drawing's lines that part two regions."""
        options = {} if self.session is None else self.session.drawing.options
        return float(options.get("levelset", {}).get("gap", SILL))

    def set_gap(self, gap: float) -> None:
        """Close wider gaps, or only narrower ones."""
        if self.session is not None and gap != self.gap:
            options = {**self.drawing.options, "levelset": {"gap": gap}}
            self.change(options=options)

    def finding(self, gap: float | None = None) -> Job:
        """Finds the session's (H, W) regions that the fill tool fills, numbered from 1.

        Of a photo they are those of even brightness; of a drawing what lies between its lines and the gaps up to a
        width in them, and 0 is a line or a gap.
        """
        session, drawing, width = self.session, self.is_drawing, self.gap if gap is None else gap
        assert session is not None  # noqa: S101  # the callers' own check

        def job(_stop: Callable[[], bool]) -> Iterator[tuple[EditSession, NDArray[np.int32]]]:
            yield session, self._regions.of(session, drawing, width)

        return job

    def pixel(self, position: tuple[float, ...]) -> Place | None:
        """The picture's pixel at a place of the canvas."""
        if self.image is None or self.session is None or self.image not in self.viewer.layers:
            return None
        row, column = (round(float(value)) for value in self.image.world_to_data(position)[-2:])
        inside = 0 <= row < self.session.picture.shape[0] and 0 <= column < self.session.picture.shape[1]
        return (row, column) if inside else None

    def colour_at(self, place: Place) -> Colour | None:
        """The colour that is shown at a pixel: that of the topmost colour picture that is visible."""
        for layer in reversed(self.viewer.layers):
            if isinstance(layer, Image) and layer.rgb and layer.visible and layer.ndim == 2:
                row, column = (round(float(value)) for value in layer.world_to_data(self._world(place))[-2:])
                pixels = layer.data[0] if layer.multiscale else layer.data
                if 0 <= row < pixels.shape[0] and 0 <= column < pixels.shape[1]:
                    _, a, b = rgb_to_lab(np.asarray(pixels[row, column][:3])[None, None])[0, 0].tolist()
                    return a, b
        return None

    def compare(self) -> None:
        """Show the gray picture, or the colours again."""
        layer = self.result.layer
        if layer is not None:
            layer.visible = not layer.visible

    # ----- inside

    def _world(self, place: Place) -> tuple[float, ...]:
        assert self.image is not None  # noqa: S101  # the callers' own check
        scale, translate = self.image.scale[-2:], self.image.translate[-2:]
        return tuple(float(start + size * at) for start, size, at in zip(translate, scale, place, strict=True))

    def _fill(self, found: tuple[EditSession, NDArray[np.int32]]) -> None:
        """Draw the regions that were clicked at since."""
        places, self._to_fill = self._to_fill, []
        session, labels = found
        for place in places if session is self.session else ():
            if labels[place] == 0:
                self.said.emit("This is a line, or a gap in one: click inside a region.")
            else:
                self.draw(region(labels, place))

    def _changed(self) -> None:
        self._show_drawing()
        self.ask()

    def _weight(self) -> float:
        assert self.session is not None  # noqa: S101  # the callers' own check
        return weight_of(self.strength, self.session.picture.shape)

    def _set(self, drawing: Drawing) -> None:
        assert self.session is not None  # noqa: S101  # the callers' own check
        try:
            self.session.set(drawing)
        except HybridColorError as error:
            self.said.emit(str(error))
        self.scribbles.show_palette(self._palette())
        self.drawing_changed.emit()

    def _palette(self) -> tuple[Colour, ...]:
        assert self.session is not None  # noqa: S101  # the callers' own check
        return self.session.drawing.palette or (self.first,)

    def _travel(self, how: Callable[[EditSession], bool], nothing: str) -> None:
        self.take_up()
        if self.session is None:
            return
        try:
            if not how(self.session):
                self.said.emit(nothing)
                return
        except HybridColorError as error:
            self.said.emit(str(error))
        self._changed()

    def _painted(self) -> None:
        """Something is being painted in the scribbles' layer: napari tells before it has changed the labels."""
        self.timer.start()

    def take_up(self) -> None:
        """What was painted in the scribbles' layer becomes strokes."""
        self.timer.stop()
        layer = self.scribbles.layer
        if self.session is None or layer is None or self.dragging:
            return
        strokes = self.scribbles.strokes(self._palette(), self._weight())
        if not strokes:
            return
        drawing = self.session.drawing.with_strokes(strokes)
        self._set(drawing)
        if layer.selected_label > len(drawing.palette):  # a label of napari's own, without a colour
            self._show_drawing()
        if self.live:
            self.ask()

    def _show_drawing(self) -> None:
        """Show the session's drawing in the scribbles' layer."""
        assert self.session is not None  # noqa: S101  # the callers' own check
        assert self.image is not None  # noqa: S101  # it came with the session
        self.scribbles.show(self.session.drawing, self.image, self.session.picture.shape)
        self.scribbles.show_palette(self._palette())
        self.drawing_changed.emit()

    def _look_around(self) -> None:
        self._moving.start()

    def _glance(self) -> None:
        """Have what is in view glimpsed."""
        if self.session is not None:
            view, nothing_yet = self.result.view(self.session.picture.shape), self.result.layer is None
            self.glancing.ask(glimpses(self.session, view, self._glimpsed, first=nothing_yet))

    def _moved(self) -> None:
        """Another part of the picture, or another size of it, is in view; what it shows may be old."""
        if self.work.busy and self._asked is self.session and self.session is not None and is_large(self.session):
            self._glance()

    def _show(self, outcome: tuple[Colorization, Levels]) -> None:
        if self._shows():
            self.answer, levels = outcome
            self.result.show(levels, self.image)
            self.answered.emit(self.answer)

    def _show_glimpse(self, seen: Glimpse | Levels) -> None:
        """Show a part of what comes; the answer itself, should it be there first, is better."""
        if not self._shows():
            return
        if self.work.busy:
            if isinstance(seen, Glimpse):
                self.result.draw(seen)
            elif self.result.layer is None:
                self.result.show(seen, self.image)
        self.glimpsed.emit()

    def _shows(self) -> bool:
        """Whether what was asked for is still to be shown: no other picture was chosen, nor this one removed."""
        return self._asked is self.session and self.session is not None and self.image in self.viewer.layers
