"""The labels layer that a person paints on, and what changed in it as strokes.

napari knows how to paint labels, so that is what strokes are drawn in: a label is a colour's place in the palette. Undo
in a labels layer fires no paint event and is not the session's, so its keys are taken over.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import napari
import numpy as np
from napari.layers import Image, Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from hybridcolor.drawing import Drawing, Stroke
from hybridcolor.palettes import Colour, swatch
from napari_hybridcolor.held import Held
from napari_hybridcolor.layers import drawing_labels, new_strokes

NAME = "scribbles"
FIRST: Colour = (32.0, 36.0)
"""What a person draws with who has never picked a colour."""
OPACITY = 0.55
"""Opacity of strokes: what came of them is seen through them."""


class Scribbles:
    """A drawing as a layer.

    Parameters
    ----------
    viewer : napari.Viewer
    edited : callable
        Called when something was painted; `strokes` then says what.
    keys : dict of str to callable
        Bound to the layer, before napari's own.

    Attributes
    ----------
    colour : (a*, b*) or (a*, b*, L*)
        What is painted from now on.
    palette : tuple of the same
        The drawing's colours, and the one in use where it is not yet one of them: label 1 is the first.
    made : callable
        Called with each new layer.
    mode_changed : callable
        Called with the name of the mode that the layer is in from now on.
    look : callable
        The 8-bit RGB in which strokes of a colour are shown.
    colour_chosen : callable
        Called when another colour was chosen by napari's own means.
    """

    def __init__(self, viewer: napari.Viewer, edited: Callable[[], None], keys: dict[str, Callable[[], None]]) -> None:
        self._held: Held[Labels] = Held(viewer)
        self._edited, self._keys = edited, keys
        self.made: Callable[[Labels], None] = lambda _layer: None
        self.mode_changed: Callable[[str], None] = lambda _mode: None
        self.colour_chosen: Callable[[], None] = lambda: None
        self.colour = FIRST
        self.look: Callable[[Colour], tuple[int, int, int]] = swatch
        self.palette: tuple[Colour, ...] = (FIRST,)
        self._known: NDArray[np.unsignedinteger] | None = None  # the labels as the session has them
        self._shown: tuple[Labels, DirectLabelColormap, list[tuple[int, int, int]]] | None = None

    @property
    def layer(self) -> Labels | None:
        """The layer, if there is one."""
        return self._held.layer

    def show(self, drawing: Drawing, picture: Image, shape: tuple[int, int]) -> Labels:
        """Show a drawing, in a new layer on top of all others if there is none."""
        labels = drawing_labels(drawing, shape)
        layer = self._held.layer
        if layer is None or layer.data.shape != shape:
            self._held.remove()
            layer = self._held.or_new(lambda: self._new(labels), picture)
            for event in (layer.events.labels_update, layer.events.paint):
                event.disconnect(layer.events)  # else napari paints its list of layers anew as often as the brush moves
            self._known = labels
            self.made(layer)
        elif self._known is not None and not np.array_equal(labels, layer.data):
            self.show_palette(drawing.palette)
            self._known = labels.astype(layer.data.dtype)
            layer.data[...] = labels  # other data would have napari look at all layers anew
            layer.refresh(extent=False)
        self.show_palette(drawing.palette)
        return layer

    def strokes(self, weight: float = math.inf, *, under_way: bool = False) -> list[Stroke]:
        """What was painted since this was last asked, or shown. Labels without a colour are the palette's last.

        A stroke that is still under way will be asked for again when it is done.
        """
        layer = self._held.layer
        if layer is None or self._known is None or layer.data.shape != self._known.shape:
            return []
        labels = np.asarray(layer.data)
        changed = np.flatnonzero(labels != self._known)
        if not len(changed):
            return []
        coords = np.stack(np.unravel_index(changed, labels.shape), axis=-1)
        now = labels.ravel()[changed]
        if not under_way:
            self._known.ravel()[changed] = now
        return new_strokes(coords, now, self.palette, weight=weight)

    def show_palette(self, known: tuple[Colour, ...]) -> None:
        """Show every stroke in its own colour, of those of the drawing, and paint in the one in use."""
        self.palette = palette = known if self.colour in known else (*known, self.colour)
        layer = self._held.layer
        if layer is None:
            return
        if self._known is not None and len(palette) > np.iinfo(layer.data.dtype).max:
            self._known = self._known.astype(np.min_scalar_type(len(palette)))
            layer.data = layer.data.astype(self._known.dtype)
        if layer.selected_label:  # 0 rubs out, until a colour is picked
            layer.selected_label = palette.index(self.colour) + 1
        looks = [self.look(colour) for colour in palette]
        if self._shown == (layer, layer.colormap, looks):
            return  # to set a colormap draws the layer anew
        shown: dict[int | None, Any] = {None: "transparent", 0: "transparent"}
        for number, look in enumerate(looks, 1):
            shown[number] = np.array([*look, 255]) / 255
        colormap = DirectLabelColormap(color_dict=shown)
        self._shown = layer, colormap, looks
        layer.colormap = colormap

    def use_colour(self, colour: Colour, known: tuple[Colour, ...] = ()) -> None:
        """Paint in this colour from now on, beside those of the drawing."""
        self.colour = colour
        self.show_palette(known)
        if self._held.layer is not None:
            self._held.layer.selected_label = self.palette.index(colour) + 1

    def remove(self) -> None:
        """Take the layer out of the viewer."""
        self._held.remove()
        self._known = None

    def _new(self, labels: NDArray[np.unsignedinteger]) -> Labels:
        layer = Labels(labels.copy(), name=NAME, opacity=OPACITY)
        layer.brush_size = max(3, round(min(max(labels.shape) / 100, min(labels.shape) / 20)))  # also of a strip
        for event in (layer.events.labels_update, layer.events.paint, layer.events.set_data):
            event.connect(self._edited)
        layer.events.colormap.connect(lambda _: self._recoloured())
        layer.events.mode.connect(lambda event: self.mode_changed(str(event.mode)))
        layer.events.selected_label.connect(lambda event: self._label_chosen(int(event.source.selected_label)))
        for keys, action in self._keys.items():
            layer.bind_key(keys, lambda _layer, action=action: action(), overwrite=True)
        return layer

    def _recoloured(self) -> None:
        """Give strokes their own colours again if napari's means, such as to shuffle colours, gave them others."""
        layer = self._held.layer
        if layer is not None and self._shown is not None and layer.colormap is not self._shown[1]:
            self.show_palette(self.palette)

    def _label_chosen(self, label: int) -> None:
        colour = self.palette[min(label, len(self.palette)) - 1]
        if label and colour != self.colour:
            self.colour = colour
            self.colour_chosen()
