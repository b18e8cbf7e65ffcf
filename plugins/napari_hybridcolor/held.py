"""A layer of ours among a person's: held by reference, since they may rename, move or delete it at any time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import napari
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

    @property
    def layer(self) -> L | None:
        """The layer, if it was made and nobody has deleted it."""
        return self._layer if self._layer is not None and self._layer in self._viewer.layers else None

    def or_new(self, make: Callable[[], L], over: Image, *, after: Layer | None = None) -> L:
        """The layer, made and laid over the picture if it is not there: on top, or right above another layer.

        The layer that is selected stays so.
        """
        layer = self.layer
        if layer is not None:
            return layer
        layer = self._layer = make()
        lay_over(layer, over)
        layers = self._viewer.layers
        active = layers.selection.active
        layers.insert(len(layers) if after is None else layers.index(after) + 1, layer)
        if active is not None:
            layers.selection.active = active
        return layer

    def remove(self) -> None:
        """Take it out of the viewer."""
        layer, self._layer = self.layer, None
        if layer is not None:
            self._viewer.layers.remove(layer)

    def lost(self, layer: Layer) -> bool:
        """Whether this is ours, and somebody else has taken it out of the viewer."""
        return layer is self._layer and layer not in self._viewer.layers


def lay_over(layer: Layer, picture: Image, *, step: tuple[float, float] = (1.0, 1.0)) -> None:
    """Lay a layer exactly over the last two axes of a picture; one of its pixels covers ``step`` of the picture's."""
    scale, translate = picture.scale[-2:], picture.translate[-2:]
    layer.scale = [size * by for size, by in zip(scale, step, strict=True)]
    layer.translate = [start + size * (by - 1) / 2 for start, size, by in zip(translate, scale, step, strict=True)]
