"""The colours as a layer: whole, or for a large picture in several sizes, so that only what is in view is drawn."""

from __future__ import annotations

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from hybridcolor.glimpse import Glimpse, Window
from napari_hybridcolor.held import Held

RESULT = "colorized"
LARGE = 3_000_000
"""Pixels from which on a picture is shown in several sizes."""
SMALLEST = 400_000
"""Pixels of the smallest size, at least."""
FIRST_LOOK = 1_000_000
"""Pixels at most of a glimpse before there is a layer to look at."""


class Result(Held[Image]):
    """The layer of the colours."""

    def show(self, rgb: NDArray[np.uint8], over: Image) -> None:
        """Show a whole answer."""
        self._set(sizes(rgb), over)

    def draw(self, glimpse: Glimpse, over: Image, shape: tuple[int, int]) -> None:
        """Show a part of a picture of this shape; a new layer begins with it."""
        step = glimpse.window[0].step or 1
        layer = self.layer
        if layer is None:
            rows, columns = (np.arange(side) // step for side in shape)
            self._set(sizes(glimpse.rgb[rows[:, None].clip(max=len(glimpse.rgb) - 1), columns]), over)
            return
        level = layer.data[step.bit_length() - 1] if layer.multiscale else layer.data
        level[tuple(slice(side.start // step, -(-side.stop // step)) for side in glimpse.window)] = glimpse.rgb
        layer.refresh(extent=False, thumbnail=False)

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

    def _set(self, levels: list[NDArray[np.uint8]], over: Image) -> None:
        layer, many = self.layer, len(levels) > 1
        if layer is not None and layer.multiscale != many:
            self.remove()
            layer = None
        data = levels if many else levels[0]
        if layer is None:
            self.or_new(lambda: Image(data, name=RESULT, rgb=True, multiscale=many), over, after=over)
        else:
            layer.data = data


def sizes(rgb: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """A picture, and if it is large every other pixel of it, every fourth, and so on.

    Examples
    --------
    >>> [level.shape for level in sizes(np.zeros((2000, 2000, 3), np.uint8))]
    [(2000, 2000, 3), (1000, 1000, 3)]
    """
    levels = [rgb]
    while rgb.shape[0] * rgb.shape[1] > LARGE and levels[-1].shape[0] * levels[-1].shape[1] > 4 * SMALLEST:
        levels.append(np.ascontiguousarray(levels[-1][::2, ::2]))
    return levels
