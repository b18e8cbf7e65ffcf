"""What the mouse does: napari's brush and eraser, and our straight line, region fill, eyedropper and lasso."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]

from napari_hybridcolor.band import Band
from napari_hybridcolor.editing import Editing
from napari_hybridcolor.gestures import Place

BRUSH, RUB_OUT, LINE, FILL, PICK = "brush", "rub out", "line", "fill", "pick"
RECOLOUR, REMOVE, LASSO, REGION = "recolour", "remove", "lasso", "region"
_NAPARIS = {BRUSH: "paint", RUB_OUT: "erase"}
"""Tools that are modes of a labels layer."""
_BANDED = (LINE, LASSO, REGION)
"""Tools that show what a drag would draw."""
_SAYS = {
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
    picked = Signal(float, float)
    lassoed = Signal(object)
    enclosed = Signal(object)

    def __init__(self, editing: Editing) -> None:
        super().__init__()
        self.editing = editing
        self.tool = ""
        self.band: Band | None = None
        self._setting = False
        editing.scribbles.mode_changed = self._mode_changed

    def use(self, tool: str) -> None:
        """Take up a tool; the same one again lays it down."""
        if self.editing.session is None:
            self.editing.said.emit("There is no picture to draw on; open one first.")
            self.changed.emit("")
            return
        tool = "" if tool == self.tool and tool not in _NAPARIS else tool
        self._setting = True
        self.editing.draw_with(_NAPARIS.get(tool, "pan_zoom"))
        self._setting = False
        self.editing.scribbles_layer().mouse_pan = tool == ""
        self.tool = tool
        if tool in _SAYS:
            self.editing.said.emit(_SAYS[tool])
        self.changed.emit(tool)

    def press(self, _viewer: Any, event: Any) -> Iterator[None]:
        """From the mouse button's press to its release; for napari's ``mouse_drag_callbacks``."""
        editing, tool = self.editing, self._in_hand()
        start = end = editing.pixel(event.position) if tool in _SAYS else None
        path = [] if start is None else [start]
        band = self.band if path and tool in _BANDED else None
        corners = [] if band is None else [tuple(event.pos)]  # on the canvas
        editing.take_up()
        editing.dragging = True
        yield
        while event.type == "mouse_move":
            here = editing.pixel(event.position) if path else None
            if here is not None:
                end = here
                path.append(here)
            if band is not None:
                corners.append(tuple(event.pos))
                band.draw([corners[0], corners[-1]] if tool == LINE else corners)
            yield
        editing.dragging = False
        if band is not None:
            band.hide()
        if start is not None and end is not None:
            self._finish(tool, start, end, path)

    def _finish(self, tool: str, start: Place, end: Place, path: list[Place]) -> None:
        if tool == LINE:
            self.editing.draw_line(start, end)
        elif tool == FILL:
            self.editing.fill(end)
        elif tool == RECOLOUR:
            self.editing.recolour(end)
        elif tool == REMOVE:
            self.editing.remove(end)
        elif tool in (LASSO, REGION):
            self.use(tool)  # lays it down
            if len(path) > 2:
                (self.lassoed if tool == LASSO else self.enclosed).emit(path)
        elif tool == PICK:
            colour = self.editing.colour_at(end)
            self.use(PICK)
            if colour is not None:
                self.picked.emit(*colour)

    def _in_hand(self) -> str:
        """The tool, unless another layer has been made the active one."""
        active = self.editing.viewer.layers.selection.active
        return self.tool if active is not None and active is self.editing.scribbles.layer else ""

    def _mode_changed(self, mode: str) -> None:
        """napari's own buttons or keys chose a mode of the labels layer."""
        if not self._setting:
            self.tool = next((tool for tool, name in _NAPARIS.items() if name == mode), "")
            self.changed.emit(self.tool)
