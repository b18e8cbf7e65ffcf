"""The automatic seeds as a layer of points: seen, deleted one by one or under a lasso, and pinned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from napari.layers import Points
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]

from hybridcolor.palettes import swatch
from hybridcolor.seeds import Seeds
from hybridcolor.session import EditSession
from napari_hybridcolor.editing import Editing
from napari_hybridcolor.gestures import Place, inside_lasso
from napari_hybridcolor.held import Held
from napari_hybridcolor.work import Job, Newest

NAME = "automatic seeds"


class Automatic(QObject):
    """One point for each patch of seeds. ``changed`` says that their number or the selection may be another."""

    changed = Signal()

    def __init__(self, editing: Editing) -> None:
        super().__init__()
        self.editing = editing
        self.wanted = False  # whether they are to be seen on the picture
        self.counted = False  # whether their number is to be seen in the panel
        self.keys: Mapping[str, Callable[[], object]] = {}  # bound to their layer, before napari's own
        self._to_be_active = False  # as soon as they are there
        self._held: Held[Points] = Held(editing.viewer)
        self._seeds = Seeds.empty()
        self._strokes = np.empty(0, np.int32)  # of each point
        self._showing = False
        self.looking = Newest(self)
        self.looking.answered.connect(self._found)
        self.looking.failed.connect(editing.said)
        editing.answered.connect(self.refresh)
        editing.drawing_changed.connect(self.refresh)
        editing.opened.connect(self._forget)

    def show(self, on: bool) -> None:
        """Show them, ready to be clicked on, or hide them and go back to drawing."""
        self.wanted = self._to_be_active = on
        if on:
            self.editing.say_without_network()
        layers, layer = self.editing.viewer.layers, self._held.layer
        if not on and layer is not None and layers.selection.active is layer:
            layers.selection.active = self.editing.scribbles.layer
            self.editing.said.emit("Automatic seeds are hidden.")
        self.refresh()

    def count(self) -> int:
        """How many there are."""
        return len(np.unique(self._seeds.stroke))

    def selected(self) -> NDArray[np.int32]:
        """The pixels of the selected ones, (N, 2)."""
        layer = self._held.layer
        chosen: Any = [] if layer is None else self._strokes[sorted(layer.selected_data)]
        return self._seeds.coords[np.isin(self._seeds.stroke, chosen)]

    def lasso(self, path: list[Place]) -> None:
        """Select those inside a lasso."""
        layer = self._held.layer
        if layer is None:
            self.editing.said.emit("No automatic seeds are shown to be selected: A shows them.")
            return
        layer.selected_data = set(np.flatnonzero(inside_lasso(path, layer.data)).tolist())
        self._make_active(layer)  # for the key Delete
        if not layer.selected_data:
            self.editing.said.emit("No automatic seed lies inside. J draws another lasso.")
        self.changed.emit()

    def delete(self) -> None:
        """Do without the selected ones."""
        self._do(self.editing.dismiss)

    def pin(self) -> None:
        """Make strokes of the selected ones."""
        self._do(self.editing.pin)

    def _do(self, what: Callable[[NDArray[np.int32]], None]) -> None:
        coords = self.selected()
        if not len(coords):
            self.editing.said.emit("Select automatic seeds first: click on them, or draw a lasso around them.")
        else:
            what(coords)

    def _make_active(self, layer: Points) -> None:
        self.editing.viewer.layers.selection.active = layer
        self.editing.said.emit("Click on a seed to select it, Shift+click on more; Delete them, or Pin them. D draws.")

    def _forget(self) -> None:
        """Forget those of the picture that was open: another one has others."""
        self._seeds = Seeds.empty()
        self._held.remove()
        self.changed.emit()

    def refresh(self) -> None:
        """Look for them again, if anybody wants to know."""
        session = self.editing.session
        if session is not None and (self.wanted or self.counted):
            self.looking.ask(_looking(session))
        else:
            self._held.remove()

    def _found(self, outcome: tuple[EditSession, Seeds]) -> None:
        session, self._seeds = outcome
        if session is not self.editing.session:
            self._seeds = Seeds.empty()
        self._strokes, first = np.unique(self._seeds.stroke, return_index=True)
        if not self.wanted or not len(self._strokes) or self.editing.image is None:
            self._held.remove()
        else:
            centres = np.array([self._seeds.coords[self._seeds.stroke == each].mean(axis=0) for each in self._strokes])
            self._show(centres, np.array([[*swatch((a, b)), 255] for a, b in self._seeds.ab[first].tolist()]) / 255)
        self.changed.emit()

    def _show(self, centres: NDArray[np.float64], colours: NDArray[np.float64]) -> None:
        """Points at these (N, 2) rows and columns, in (N, 4) colours in 0..1."""
        image, session = self.editing.image, self.editing.session
        assert image is not None  # noqa: S101  # the caller's own check
        assert session is not None  # noqa: S101  # there are seeds
        layer = self._held.layer
        if layer is not None and np.array_equal(layer.data, centres) and np.allclose(layer.face_color, colours):
            return
        self._showing = True
        if layer is None:
            size = max(5.0, max(session.picture.shape) / 70)
            layer = self._held.or_new(lambda: Points(ndim=2, name=NAME, size=size), image)
            layer.events.data.connect(self._edited)
            layer.selected_data.events.items_changed.connect(lambda _: self.changed.emit())
            layer.mode = "select"
            for key, action in self.keys.items():
                layer.bind_key(key, lambda _layer, action=action: action(), overwrite=True)
        layer.selected_data = set()
        layer.data = centres
        layer.face_color, layer.border_color = colours, "white"
        self._showing = False
        if self._to_be_active:
            self._to_be_active = False
            self._make_active(layer)

    def _edited(self, event: object) -> None:
        """Points that were deleted by napari's own keys are seeds that are dismissed; none can be added or moved."""
        layer, action = self._held.layer, getattr(event, "action", None)
        if self._showing or layer is None or action not in ("removed", "added", "changed"):
            return
        left = {tuple(place) for place in np.asarray(layer.data).tolist()}
        gone = [
            stroke
            for stroke in self._strokes.tolist()
            if tuple(self._seeds.coords[self._seeds.stroke == stroke].mean(axis=0).tolist()) not in left
        ]
        if gone and action == "removed":
            self.editing.dismiss(self._seeds.coords[np.isin(self._seeds.stroke, gone)])
        else:
            self.refresh()


def _looking(session: EditSession) -> Job:
    """The automatic seeds as the session is now; finding them takes the network's answer."""

    def job(_stop: Callable[[], bool]) -> Iterator[tuple[EditSession, Seeds]]:
        yield session, session.automatic

    return job
