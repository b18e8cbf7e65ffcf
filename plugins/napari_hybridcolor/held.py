"""A layer of ours among a person's: held by reference, since they may rename, move or delete it at any time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import napari
import numpy as np
from napari.layers import Image, Layer

L = TypeVar("L", bound=Layer)


class Held(Generic[L]):
    """One layer that lies exactly over the picture, or none.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._layer: L | None = None
        self._over: Image | None = None
        self._step = 1.0, 1.0
        self._laying = False

    @property
    def layer(self) -> L | None:
        """The layer, if it was made and nobody has deleted it."""
        return self._layer if self._layer is not None and self._layer in self._viewer.layers else None

    def or_new(
        self, make: Callable[[], L], over: Image, *, after: Layer | None = None, step: tuple[float, float] = (1.0, 1.0)
    ) -> L:
        """The layer, made and laid over the picture if it is not there: on top, or right above another layer.

        The layer that is selected stays so. One of the layer's pixels covers ``step`` of the picture's. Where the
        picture is scaled, moved or turned the layer goes with it.
        """
        layer = self.layer
        if layer is not None:
            return layer
        layer, self._over, self._step = make(), over, step
        self._layer = layer
        self._lay_over()
        for each in (over, layer):
            events = each.events
            for event in (events.scale, events.translate, events.rotate, events.shear, events.affine, events.units):
                event.connect(self._lay_over)
        layers = self._viewer.layers
        active = layers.selection.active
        layers.insert(len(layers) if after is None else layers.index(after) + 1, layer)
        if active is not None:
            layers.selection.active = active
        return layer

    def remove(self) -> None:
        """Take it out of the viewer."""
        layer, self._layer, self._over = self.layer, None, None
        if layer is not None:
            self._viewer.layers.remove(layer)

    def lost(self, layer: Layer) -> bool:
        """Whether this is ours, and somebody else has taken it out of the viewer."""
        return layer is self._layer and layer not in self._viewer.layers

    def _lay_over(self) -> None:
        """Lay it over the last two axes of the picture, wherever that is in the world, and whoever moved it."""
        layer, picture = self._layer, self._over
        if layer is None or picture is None or self._laying:
            return
        self._laying = True  # what it does to the layer is told too
        places = np.vstack([np.zeros(picture.ndim), np.eye(picture.ndim)[-2:]])
        origin, down, right = (np.array(picture.data_to_world(place)[-2:]) for place in places)
        axes, matrix = np.column_stack([down - origin, right - origin]), np.eye(3)
        matrix[:2, :2] = axes * self._step
        matrix[:2, 2] = origin + axes @ (np.array(self._step) - 1) / 2
        layer.scale, layer.translate, layer.rotate, layer.shear = (1, 1), (0, 0), 0, (0,)
        layer.affine = matrix
        layer.units = picture.units[-2:]
        self._laying = False
