"""The colours as a layer: whole, or for a large picture in several sizes, so that only what is in view is drawn."""

from __future__ import annotations

from collections.abc import Callable

import napari
import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from hybridcolor.glimpse import Glimpse
from hybridcolor.resampling import Window
from napari_hybridcolor.gestures import Place
from napari_hybridcolor.held import Held

RESULT = "colorized"
FIRST_LOOK = 1_000_000
"""Pixels at most of a glimpse before there is a layer to look at."""


class Result(Held[Image]):
    """The layer of the colours.

    Attributes
    ----------
    camera : napari.components.Camera
        What part of the picture the window shows, and at which zoom.
    hidden : callable
        Called with whether the colours are hidden, when they have been, or are shown again.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__(viewer)
        self.hidden: Callable[[bool], None] = lambda _hidden: None
        self.camera = getattr(viewer, "scene", viewer).camera  # napari before 0.9 has no scene

    def show(self, levels: list[NDArray[np.uint8]], over: Image) -> None:
        """Show a whole answer, in the sizes of `napari_hybridcolor.layers.sizes`."""
        layer, many = self.layer, len(levels) > 1
        if layer is not None and layer.multiscale == many:
            shown = list(layer.data) if many else [layer.data]
            if [level.shape for level in shown] == [level.shape for level in levels]:
                for now, then in zip(shown, levels, strict=True):
                    now[...] = then  # other data would have napari look at all layers anew
                self._refresh(layer)
                return
        self.remove()
        data = levels if many else levels[0]
        layer = self.or_new(lambda: Image(data, name=RESULT, rgb=True, multiscale=many), over, after=over)
        layer.events.visible.connect(lambda _: self.hidden(not layer.visible))
        self.hidden(False)

    def draw(self, glimpse: Glimpse) -> None:
        """Show a part of the picture in the size in which it is looked at."""
        layer, step = self.layer, glimpse.window[0].step or 1
        if layer is not None:
            level = layer.data[step.bit_length() - 1] if layer.multiscale else layer.data
            level[tuple(slice(side.start // step, -(-side.stop // step)) for side in glimpse.window)] = glimpse.rgb
            self._refresh(layer)

    def finish(self) -> None:
        """Bring the thumbnail up to date, once all answers are shown: the whole window is painted for it."""
        if self.layer is not None:
            self.layer.refresh(extent=False, data_displayed=False, highlight=False)

    def _refresh(self, layer: Image) -> None:
        """Have other colours drawn, and the list of layers, which they do not concern, not painted anew."""
        with self._viewer.layers.events.blocker():
            layer.refresh(extent=False, thumbnail=False)

    def compare(self) -> None:
        """Show the gray picture below, or the colours again; nothing if they have been deleted."""
        if self.layer is not None:
            self.layer.visible = not self.layer.visible
        self.hidden(self.layer is not None and not self.layer.visible)

    def view(self, shape: tuple[int, int]) -> Window:
        """What of the picture is in view, with a step where not every pixel is."""
        layer, step = self.layer, 1
        if layer is None:
            while shape[0] * shape[1] > FIRST_LOOK * step**2:
                step *= 2
            corners = np.array([(0, 0), shape])
        else:
            step = 2**layer.data_level if layer.multiscale else 1
            corners = layer.corner_pixels[:, -2:] * step + [(0, 0), (step, step)]
        first, last = corners.clip(0, shape).tolist()
        rows, columns = (slice(start, stop, step) for start, stop in zip(first, last, strict=True))
        return rows, columns

    def bring_into_view(self, place: Place) -> None:
        """Move the picture until a pixel of it is in view, if it is not."""
        layer = self.layer
        if layer is None:
            return
        pixels = layer.data[0] if layer.multiscale else layer.data
        rows, columns = self.view(pixels.shape[:2])
        if not (rows.start <= place[0] < rows.stop and columns.start <= place[1] < columns.stop):
            self.camera.center = layer.data_to_world(place)[-2:]
