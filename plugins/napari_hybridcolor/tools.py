"""What the mouse does: napari's brush and eraser, and our straight line, region fill, eyedropper and lasso.

A tool turns a click or a drag into a command of `editing`; which pixels a gesture means is in `gestures`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from napari.layers import Image, Labels
from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]

from hybridcolor.lab import rgb_to_lab
from hybridcolor.palettes import Colour, lit
from hybridcolor.session import EditSession
from napari_hybridcolor.band import Band
from napari_hybridcolor.editing import Editing
from napari_hybridcolor.gestures import Place, region
from napari_hybridcolor.regions import Found
from napari_hybridcolor.work import Newest

BRUSH, RUB_OUT, LINE, FILL, PICK = "brush", "rub out", "line", "fill", "pick"
RECOLOUR, REMOVE, LASSO, REGION = "recolour", "remove", "lasso", "region"
_NAPARIS = {BRUSH: "paint", RUB_OUT: "erase"}
"""Tools that are modes of a labels layer."""
_BANDED = (LINE, LASSO, REGION)
"""Tools that show what a drag would draw."""
_COLOURING = (LINE, FILL, RECOLOUR)
_LEFT = 1  # vispy's number of the button
_SAYS = {
    BRUSH: "Draw strokes; [ and ] change the brush.",
    RUB_OUT: "Draw over strokes to rub them out.",
    LINE: "Drag from one end of the line to the other.",
    FILL: "Click on a region to draw all of it.",
    PICK: "Click on the picture to take a colour from it.",
    RECOLOUR: "Click on a stroke to give it the colour in use.",
    REMOVE: "Click on a stroke to take it away.",
    LASSO: "Drag around automatic seeds to select them.",
    REGION: "Drag around a part of the picture to colour it otherwise.",
}


class Tools(QObject):
    """The tool in use. ``changed`` says its name, or "" when napari's own are.

    Attributes
    ----------
    band : Band or None
        Over the window's canvas, to show what a drag would draw.
    """

    changed = Signal(str)
    picked = Signal(object)
    lassoed = Signal(object)
    enclosed = Signal(object)

    def __init__(self, editing: Editing) -> None:
        super().__init__()
        self.editing = editing
        self.tool = ""
        self.band: Band | None = None
        self._before = ""  # the tool before this one
        self._setting = False
        self._to_fill: list[tuple[EditSession, Place]] = []  # clicks whose regions are being found
        self._found: Found | None = None  # while another stroke is drawn, which must not be painted over
        self.filling = Newest(self)
        self.filling.answered.connect(self._fill)
        self.filling.failed.connect(editing.said)
        editing.scribbles.mode_changed = self._mode_changed
        editing.scribbles.made = self._equip

    def use(self, tool: str) -> None:
        """Take up a tool; the same one again lays it down."""
        if self.editing.session is None:
            self.editing.said.emit(self.editing.without)
            self.changed.emit("")
            return
        self.hold("" if tool == self.in_hand() and tool not in _NAPARIS else tool)
        self._tell()

    def hold(self, tool: str) -> None:
        """Have a tool in hand, and the strokes before it: shown, and the active layer."""
        if self.editing.session is None:
            return
        self._before, self.tool = self.tool, tool
        layer = self.editing.scribbles_layer()
        self._equip(layer)
        self.editing.viewer.layers.selection.active = layer
        self.changed.emit(tool)

    def draw(self) -> None:
        """Keep the tool in hand if it colours, else take up the brush."""
        tool = self._before if self.tool == PICK else self.tool
        self.hold(tool if tool in _COLOURING else BRUSH)

    def in_hand(self) -> str:
        """The tool, unless another layer has been made the active one."""
        active = self.editing.viewer.layers.selection.active
        return self.tool if active is not None and active is self.editing.scribbles.layer else ""

    def active_changed(self) -> None:
        """Another layer has been made the active one: a tool works on the strokes' layer only."""
        self.changed.emit(self.in_hand())

    def press(self, _viewer: Any, event: Any) -> Iterator[None]:
        """Follow the mouse from a button's press to its release; for napari's ``mouse_drag_callbacks``."""
        editing, tool = self.editing, self.in_hand()
        editing.catch_up()
        ours = tool not in ("", *_NAPARIS) and event.button == _LEFT  # the right button zooms
        start = end = self.pixel(event.position) if ours else None
        path = [] if start is None else [start]
        band = self.band if path and tool in _BANDED else None
        corners = [] if band is None else [tuple(event.pos)]  # on the canvas
        editing.take_up()
        editing.dragging = True
        yield
        while event.type == "mouse_move":
            here = self.pixel(event.position) if path else None
            if here is not None:
                end = here
                path.append(here)
            if band is not None:
                corners.append(tuple(event.pos))
                band.draw([corners[0], corners[-1]] if tool == LINE else corners)
            yield
        editing.dragging = False
        editing.take_up()  # now: the canvas has yet to be painted, and can be meanwhile
        editing.timer.start()  # a stroke that napari has taken back tells nobody
        if self._found is not None:
            self._fill(self._found)
        if band is not None:
            band.hide()
        if start is not None and end is not None:
            self._finish(tool, start, end, path)

    def hold_off(self, _viewer: Any) -> Iterator[None]:
        """Let the mouse move the picture while a key is pressed; napari's own key knows its own tools only."""
        tool, layer = self.in_hand(), self.editing.viewer.layers.selection.active
        if tool:
            self.hold("")
            yield
            self.hold(tool)
        elif layer is not None:
            mode = layer.mode
            layer.mode = "pan_zoom"
            yield
            layer.mode = mode

    def pixel(self, position: tuple[float, ...]) -> Place | None:
        """The picture's pixel at a place of the canvas."""
        image, session = self.editing.image, self.editing.session
        if image is None or session is None or image not in self.editing.viewer.layers:
            return None
        row, column = (round(float(value)) for value in image.world_to_data(position)[-2:])
        inside = 0 <= row < session.picture.shape[0] and 0 <= column < session.picture.shape[1]
        return (row, column) if inside else None

    def fill(self, place: Place) -> None:
        """Draw all of the region that a pixel belongs to, as soon as the regions are found."""
        session = self.editing.session
        if session is not None:
            self._to_fill.append((session, place))
            self.filling.ask(self.editing.regions.finding(session))

    def _finish(self, tool: str, start: Place, end: Place, path: list[Place]) -> None:
        if tool == LINE:
            self.editing.draw_line(start, end)
        elif tool == FILL:
            self.fill(end)
        elif tool == RECOLOUR:
            self.editing.recolour(end)
        elif tool == REMOVE:
            self.editing.remove(end)
        elif tool in (LASSO, REGION):
            self.hold("")
            if len(path) > 2:
                (self.lassoed if tool == LASSO else self.enclosed).emit(path)
        elif tool == PICK:
            colour = self._colour_at(end)
            self.hold(self._before)
            if colour is not None:
                self.editing.said.emit("Draw with the colour that you picked.")
                self.picked.emit(colour)

    def _fill(self, found: Found) -> None:
        """Draw the regions that were clicked at; clicks at a picture that was left since are forgotten."""
        self._found = found if self.editing.dragging else None
        if self.editing.dragging:
            return
        session, labels = found
        clicks, self._to_fill = self._to_fill, []
        for clicked, place in clicks:
            if clicked is not self.editing.session:
                continue
            if clicked is not session:  # its own regions are yet to come
                self._to_fill.append((clicked, place))
            elif labels[place] == 0:
                self.editing.said.emit("This is a line, or a gap in one: click inside a region.")
            else:
                self.editing.draw(region(labels, place))

    def _colour_at(self, place: Place) -> Colour | None:
        """The colour that is shown at a pixel: that of the topmost colour picture that is visible."""
        picture = self.editing.image
        assert picture is not None  # noqa: S101  # the place is one of its pixels
        here = picture.data_to_world((*[0] * (picture.ndim - 2), *place))[-2:]
        for layer in reversed(self.editing.viewer.layers):
            if isinstance(layer, Image) and layer.rgb and layer.visible and layer.ndim == 2:
                row, column = (round(float(value)) for value in layer.world_to_data(here)[-2:])
                pixels = layer.data[0] if layer.multiscale else layer.data
                if 0 <= row < pixels.shape[0] and 0 <= column < pixels.shape[1]:
                    level, a, b = rgb_to_lab(np.asarray(pixels[row, column][:3])[None, None])[0, 0].tolist()
                    return lit((a, b), level)
        return None

    def _equip(self, layer: Labels) -> None:
        """Have the strokes' layer do what the tool in hand does; it may be hidden, or a new one."""
        self._setting = True
        if not layer.visible:  # napari has no mode for it then
            layer.visible = True
        layer.mode = _NAPARIS.get(self.tool, "pan_zoom")
        self._setting = False
        layer.mouse_pan = self.tool == ""

    def _mode_changed(self, mode: str) -> None:
        """napari's own buttons or keys chose a mode of the labels layer."""
        if not self._setting:
            self.tool = next((tool for tool, name in _NAPARIS.items() if name == mode), "")
            self.changed.emit(self.tool)
            if self.tool:
                self._tell()

    def _tell(self) -> None:
        """Say what the tool in hand does."""
        self.editing.said.emit(_SAYS.get(self.tool, "The mouse moves the picture."))
