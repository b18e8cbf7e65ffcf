"""A picture being edited in a viewer: its session, and the layers that show what was drawn and what came of it.

Everything the panel does, without the panel: `Editing` turns what a person does into changes of the session, and has
them answered (`answering`). What is painted becomes strokes (`scribbles`); undo, which is the session's, is painted
back. What the mouse does is in `tools`, above.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import napari
import numpy as np
from napari.layers import Image, Labels
from numpy.typing import ArrayLike, NDArray
from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]

from hybridcolor.advice import next_place
from hybridcolor.drawing import NO_MODEL, Drawing, Stroke, weight_of
from hybridcolor.errors import HybridColorError
from hybridcolor.lab import eight_bits
from hybridcolor.palettes import SAME, Colour, apart, painted, swatch
from hybridcolor.pipeline import Colorization
from hybridcolor.seeds import AUTO, USER, Seeds, concatenate
from hybridcolor.session import EditSession
from napari_hybridcolor.answering import Answering
from napari_hybridcolor.answers import saving, saving_all
from napari_hybridcolor.gestures import Place, line
from napari_hybridcolor.layers import seed_strokes, sizes
from napari_hybridcolor.opening import file_of, slice_of
from napari_hybridcolor.regions import Regions
from napari_hybridcolor.scribbles import Scribbles
from napari_hybridcolor.sessions import Sessions
from napari_hybridcolor.timers import timer
from napari_hybridcolor.work import InTurn, Newest

NO_PICTURE = "There is no picture to draw on; open one first."
DEBOUNCE_MS = 0  # a stroke is read once the mouse is let go, so only the end of the event is waited for
AHEAD_MS = 150  # a stroke under way is glimpsed so often, or on a slow machine after the hand has rested so long


class Editing(QObject):
    """The state that every part of the panel is a view of."""

    opened = Signal()
    answered = Signal(object)
    glimpsed = Signal()
    drawing_changed = Signal()
    colour_changed = Signal()
    said = Signal(str)

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.session: EditSession | None = None
        self.answer: Colorization | None = None
        self.image: Image | None = None
        self.without = NO_PICTURE  # what to tell as long as there is none
        self.advice = ""  # what to tell of the picture as long as nothing is drawn
        self.live = True
        self.strength = 1.0  # of the next strokes
        self.dragging = False  # a stroke is not one before the mouse is let go
        self.scribbles = Scribbles(viewer, self._painted, {"Control-Z": self.undo, "Control-Shift-Z": self.redo})
        self.scribbles.colour_chosen = self.colour_changed.emit
        self.scribbles.look = self.look
        self.regions = Regions()
        self._sessions = Sessions()
        self._answering = answering = Answering(viewer)
        self.result, self.work, self.glancing = answering.result, answering.work, answering.glancing
        answering.answered.connect(self._answered)
        answering.glimpsed.connect(self.glimpsed)
        answering.failed.connect(self.said)
        self.saving = InTurn(self)  # a stroke ends the work under way, and must not end this; nor must another saving
        self.saving.answered.connect(self.said.emit)
        self.saving.failed.connect(self.said)
        self.saving_all = Newest(self)  # and neither must that of one slice end that of all
        self.saving_all.failed.connect(self.said)
        self.timer = timer(self, DEBOUNCE_MS, self.take_up)
        self._ahead = timer(self, AHEAD_MS, self._foresee)

    # ----- pictures

    def open(self, layer: Image) -> None:
        """Take up a picture, or the slice of a stack that is in view, with what was drawn on it before.

        Raises
        ------
        HybridColorError
            If the layer is no picture that can be coloured.
        """
        self.take_up()
        left = self.session if layer is self.image else None
        session, told = self._sessions.in_view(layer, self.viewer, left=left)
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
        drawn, (*before, number) = self.drawing, slice_of(self.image, self.viewer)
        if number + 1 == self.image.data.shape[-3]:
            self.said.emit("This is the last slice.")
            return
        place = self.image.data_to_world((*before, number + 1, 0, 0))
        self.viewer.dims.set_point(self.viewer.dims.ndim - 3, place[-3])
        self.open(self.image)
        self.become(self.drawing.with_strokes(drawn.strokes))

    def catch_up(self) -> None:
        """Take up the slice that is in view, if the stack's slider has come to it but a moment ago."""
        if self.image is not None and self.image.ndim > 2:
            try:
                self.open(self.image)
            except HybridColorError as error:
                self.said.emit(str(error))

    def go_on_with(self, path: Path) -> None:
        """Go on with saved strokes and settings, and save them there from now on."""
        if self.session is None:
            return
        self.take_up()
        try:
            self.session.go_on_with(path)
        except HybridColorError as error:
            self.said.emit(str(error))
            return
        self._show_drawing()
        self.ask()
        self.said.emit(f"Strokes are saved in {path.name} from now on.")

    def compare(self) -> None:
        """Show the gray picture, or the colours again, also if their layer has been deleted."""
        gone = self.result.layer is None
        self.result.compare()
        if gone:
            self.ask()

    def say_without_network(self) -> None:
        """Say why nothing is seen of what only a network knows, if there is none."""
        if self.session is not None and self.session.drawing.model == NO_MODEL:
            self.said.emit("That is the network's, and there is none: choose one in Settings.")

    def go_live(self, on: bool) -> None:
        """Have every change answered at once from now on, and those until now; or only when asked for."""
        self.live = on
        if on:
            self.take_up()
            self.ask()

    def ask(self) -> None:
        """Have the drawing as it is now answered."""
        if self.session is not None and self.image is not None:
            self._answering.ask(self.session, self.image)

    def save_picture(self, path: Path) -> None:
        """Write the coloured picture, as `hybridcolor replay` would."""
        self.take_up()
        if self.session is not None and self.image is not None:
            self.said.emit(f"Saving {path.name}…")
            self.saving.ask(saving(self.session, path, self.session.picture.source, file_of(self.image)[0]))

    def save_stack(self, path: Path) -> None:
        """Write all slices in colour, as `hybridcolor replay` would."""
        self.take_up()
        if self.session is not None and self.image is not None:
            self.saving_all.ask(saving_all(self._sessions.slices(self.image, self.session), path))

    def leave(self, why: str = NO_PICTURE) -> None:
        """Have no picture, and say why, and none of our layers; what was drawn is in the picture's session."""
        if self.image is None and self.without == why:
            return
        self.without = why
        if self.image is None:
            self.said.emit(why)
            return
        self.take_up()
        image, self.session, self.answer, self.image = self.image, None, None, None
        self._answering.stop()
        self.result.remove()
        self.scribbles.remove()
        if image in self.viewer.layers:
            self.viewer.layers.selection.active = image  # where the next panel goes on
        self.opened.emit()
        self.drawing_changed.emit()
        self.said.emit(why)

    def close(self) -> None:
        """Let go of the viewer; who opens these pictures next goes on with what was drawn."""
        self._sessions.leave()
        self._answering.close()
        self.saving_all.stop()
        for each in (self, self.saving, self.saving_all):
            each.blockSignals(True)  # who listened has gone
        self.timer.stop()
        self._ahead.stop()
        self.image = self.session = None

    # ----- drawing

    @property
    def paints(self) -> bool:
        """Whether the picture is a drawing, on which a colour can have a lightness of its own."""
        wished = None if self.session is None else self.session.drawing.finish
        return (wished or ("photo" if self.answer is None else self.answer.finish)) != "photo"

    def look(self, colour: Colour) -> tuple[int, int, int]:
        """The 8-bit RGB that a colour has on this picture's paper, or on a photo at middle luminance."""
        return swatch(painted(colour) if self.paints else colour)

    @property
    def colour(self) -> Colour:
        """What the next stroke is drawn with, on whatever picture, and whatever is undone."""
        return self.scribbles.colour

    @property
    def drawing(self) -> Drawing:
        """The session's, with what was painted a moment ago."""
        self.take_up()
        assert self.session is not None  # noqa: S101  # the callers' own check
        return self.session.drawing

    def use_colour(self, colour: Colour) -> None:
        """Draw with a colour from now on; a new one joins the palette with its first stroke."""
        if self.session is None:
            self.said.emit(self.without)
            self.colour_changed.emit()
            return
        palette = self.drawing.palette
        near = [known for known in palette if apart(known, colour) < SAME]
        self.scribbles.use_colour(near[0] if near else colour, palette)
        self.colour_changed.emit()

    def draw(self, coords: ArrayLike, colour: Colour | None = None) -> None:
        """Draw these pixels, in the colour in use unless another is given."""
        if self.session is not None and len(np.asarray(coords)):
            stroke = Stroke.of(coords, self.colour if colour is None else colour, weight=self._weight)
            self.become(self.drawing.with_stroke(stroke))

    def draw_line(self, start: Place, end: Place, colour: Colour | None = None) -> None:
        """Draw a straight line, as wide as the brush."""
        if self.session is not None:
            width = self.scribbles_layer().brush_size
            self.draw(line(start, end, width, self.session.picture.shape), colour)

    def recolour(self, place: Place) -> None:
        """Give the stroke at a pixel the colour in use."""
        if self.session is not None:
            self._become_at(self.drawing.recoloured(place, self.colour))

    def remove(self, place: Place) -> None:
        """Take away the stroke at a pixel."""
        if self.session is not None:
            self._become_at(self.drawing.removed(place))

    def dismiss(self, coords: NDArray[np.int32]) -> None:
        """Do without the automatic seeds at some pixels."""
        if self._do(lambda session: session.dismiss(coords)):
            self._changed()

    def pin(self, coords: NDArray[np.int32]) -> None:
        """Make strokes of the automatic seeds at some pixels."""
        if self._do(lambda session: session.pin(coords)):
            self._changed()

    def become(self, drawing: Drawing) -> None:
        """Make this the drawing, and show and answer it."""
        if self.session is not None and drawing is not self.session.drawing:
            self._set(drawing)
            self._changed()

    def _become_at(self, drawing: Drawing) -> None:
        if drawing is self.drawing:
            self.said.emit("There is no stroke here.")
        self.become(drawing)

    def take(self, seeds: Seeds) -> None:
        """Draw the scribbles of a seeds file; its automatic seeds take the place of the network's."""
        if self.session is not None:
            known = self.drawing.imported
            imported = concatenate(seeds.take(seeds.origin == AUTO), known.take(known.origin == USER))
            drawing = replace(self.drawing, imported=imported)
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

    def next_place(self) -> Place | None:
        """Where a stroke is needed most; None without a network."""
        if self.session is None:
            self.said.emit(self.without)
            return None
        belief = self.session.belief
        if belief is None:
            self.said.emit("Where to draw next is the network's advice: choose a model, and wait for its answer.")
            return None
        return next_place(belief, self.session.picture.luminance, self.session.drawing.scribbles)

    # ----- inside

    def _answered(self, answer: Colorization) -> None:
        self.answer = answer
        if self.session is not None:
            self.scribbles.show_palette(self.session.drawing.palette)  # the answer says whether it is painted
        self.answered.emit(answer)

    def _changed(self) -> None:
        self._show_drawing()
        if self.live:
            self.ask()

    def _set(self, drawing: Drawing) -> None:
        assert self.session is not None  # noqa: S101  # the callers' own check
        self._do(lambda session: session.set(drawing))
        self.scribbles.show_palette(self.session.drawing.palette)
        self.drawing_changed.emit()

    def _travel(self, how: Callable[[EditSession], bool], nothing: str) -> None:
        if self.dragging:  # the stroke before would go, and half of the one under way
            self.said.emit("Let the mouse go first.")
            return
        self.take_up()
        if self._do(how):
            self._changed()
        elif self.session is not None:
            self.said.emit(nothing)

    def _do(self, change: Callable[[EditSession], object]) -> bool:
        """Whether the session changed. What could not be saved is told, and has changed all the same."""
        if self.session is None:
            return False
        try:
            return bool(change(self.session))
        except HybridColorError as error:
            self.said.emit(str(error))
            return True

    def _painted(self) -> None:
        """Something is being painted in the scribbles' layer: napari tells before it has changed the labels."""
        self.timer.start()

    def take_up(self) -> None:
        """What was painted in the scribbles' layer becomes strokes."""
        self.timer.stop()
        layer = self.scribbles.layer
        if self.session is None or layer is None:
            return
        if self.dragging:
            if self.live and (self._answering.foresees_slowly or not self._ahead.isActive()):
                self._ahead.start()
            return
        strokes = self.scribbles.strokes(self._weight)
        if not strokes:
            if self._answering.foreseeing:  # of a stroke that napari has taken back
                self.ask()
            return
        of_naparis_own = layer.selected_label > len(self.scribbles.palette)  # a label without a colour
        self._set(self.session.drawing.with_strokes(strokes))
        if of_naparis_own:
            self._show_drawing()
        if self.live:
            self.ask()

    def _foresee(self) -> None:
        """Show the colours of a stroke that is still being drawn."""
        if self.session is None or not self.dragging:
            return
        strokes = self.scribbles.strokes(self._weight, under_way=True)
        if strokes:
            self._answering.foresee(self.session, self.session.drawing.with_strokes(strokes))

    @property
    def _weight(self) -> float:
        """The weight of the next stroke's pixels."""
        assert self.session is not None  # noqa: S101  # the callers' own check
        return weight_of(self.strength, self.session.picture.shape)

    def _show_drawing(self) -> None:
        """Show the session's drawing in the scribbles' layer."""
        assert self.session is not None  # noqa: S101  # the callers' own check
        assert self.image is not None  # noqa: S101  # it came with the session
        self.scribbles.show(self.session.drawing, self.image, self.session.picture.shape)
        self.drawing_changed.emit()
