"""Which picture is coloured: a list that follows the viewer's layers, their names and the slice in view."""

from __future__ import annotations

from typing import Any

from napari.layers import Image

from hybridcolor.errors import HybridColorError
from napari_hybridcolor.editing import Editing
from napari_hybridcolor.overlays import Overlays
from napari_hybridcolor.panel.controls import Choice
from napari_hybridcolor.timers import timer

SLICE_MS = 100  # the slider of a stack has come to rest on a slice
NOT_FLAT = "Colours are for the 2D view of the last two axes: switch 3D off, or turn the axes back, to go on."


class Pictures(Choice):
    """The viewer's pictures, without layers of ours. The chosen one is opened, and shown on top of the others."""

    def __init__(self, editing: Editing, overlays: Overlays) -> None:
        super().__init__()
        self.setToolTip("Which layer to colorize")
        self.editing, self._overlays = editing, overlays
        self._listed: list[Image] = []
        self._listing = timer(self, 0, self.follow)  # not from within napari's own work on its layers
        self._slicing = timer(self, SLICE_MS, self._slice_rested)
        viewer = editing.viewer
        self._events = (
            (viewer.layers.events.inserted, self._layers_changed),
            (viewer.layers.events.removed, self._layers_changed),
            (viewer.dims.events.point, self._slice_changed),
            (viewer.dims.events.ndisplay, self._view_changed),
            (viewer.dims.events.order, self._view_changed),
        )
        for event, action in self._events:
            event.connect(action)
        self.activated.connect(lambda _: self.open_chosen(shown=True))

    @property
    def events(self) -> tuple[tuple[Any, Any], ...]:
        """The viewer's events that are heard, and what hears them."""
        return (*self._events, *((layer.events.name, self._layers_changed) for layer in self._listed))

    def stop(self) -> None:
        """Open nothing that was about to be."""
        self._listing.stop()
        self._slicing.stop()

    def follow(self) -> None:
        """List the pictures as they are now; the chosen one stays so, or the selected, or the first takes its place."""
        chosen, before = self.currentData(), self._listed
        selected = self.editing.viewer.layers.selection.active
        ours = (self.editing.result.layer, *self._overlays.pictures())
        self._listed = [each for each in self.editing.viewer.layers if isinstance(each, Image) and each not in ours]
        self.clear()
        for layer in self._listed:
            layer.events.name.connect(self._layers_changed)
            self.addItem(layer.name, layer)
        if chosen not in self._listed and selected in self._listed and selected.visible:
            chosen = selected
        self.setCurrentIndex(self._listed.index(chosen) if chosen in self._listed else 0)
        self.open_chosen()
        come = [layer.name for layer in self._listed if layer not in before]
        if come and before:
            self.editing.said.emit(
                f"{come[-1]} is here too: choose it in the list on top to colour it. K picks colours from it."
            )

    def open_chosen(self, *, shown: bool = False) -> None:
        """Open the chosen picture, or the slice of it in view; show it, if asked to or if it was not open before."""
        layer, before = self.currentData(), self.editing.image
        if layer is None:
            self.editing.leave()
            return
        if not self._flat():
            self.editing.leave(NOT_FLAT)
            return
        try:
            self.editing.open(layer)
        except HybridColorError as error:
            self.editing.said.emit(str(error))
            return
        if shown or layer is not before:
            self._lower_others(layer)
        if shown or (before is not None and layer is not before):
            self._fit(layer)
        if shown:
            self.editing.viewer.layers.selection.active = self.editing.scribbles_layer()

    def _lower_others(self, chosen: Image) -> None:
        """Have no other picture cover the chosen one."""
        layers = self.editing.viewer.layers
        for other in self._listed:
            if other.visible and layers.index(other) > layers.index(chosen):
                layers.move(layers.index(other), layers.index(chosen))

    def _fit(self, chosen: Image) -> None:
        """Have the whole of a picture in view."""
        try:
            self.editing.viewer.reset_view(layers=[chosen])
        except (TypeError, IndexError):  # napari before 0.9; a flat picture among stacks
            self.editing.viewer.reset_view()

    def _layers_changed(self) -> None:
        self._listing.start()

    def _flat(self) -> bool:
        """Whether the last two axes are in view, which pictures lie in, and no others."""
        dims = self.editing.viewer.dims
        return set(dims.displayed) == {dims.ndim - 2, dims.ndim - 1}

    def _view_changed(self) -> None:
        if self.currentData() is not None and self._flat() == (self.editing.image is None):
            self._listing.start()

    def _slice_changed(self) -> None:
        if self.editing.image is not None and self.editing.image.ndim > 2:
            self._slicing.start()

    def _slice_rested(self) -> None:
        if self.editing.dragging:  # the stroke belongs to the slice that it was begun on
            self._slicing.start()
        else:
            self.open_chosen()
