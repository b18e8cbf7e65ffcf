"""Between napari's layers and hybridcolor's types. Knows arrays only: no napari, no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.drawing import Colour, Drawing, Stroke
from hybridcolor.errors import ImageError
from hybridcolor.lab import gamut_chroma, lab_to_rgb
from hybridcolor.picture import Picture

SHOWN_AT = 62.0
"""L* at which a stroke is shown: most colours are possible there."""


def layer_picture(data: NDArray[Any]) -> Picture:
    """The picture in an image layer's data.

    Parameters
    ----------
    data : (H, W) or (H, W, 3 or 4)
        uint8, uint16, or floats in 0..1.

    Raises
    ------
    ImageError
        If it is a stack or another type; napari shows those too.

    Examples
    --------
    >>> layer_picture(np.zeros((4, 5), np.uint8)).shape
    (4, 5)
    """
    if data.ndim not in (2, 3) or (data.ndim == 3 and data.shape[-1] not in (3, 4)):
        raise ImageError(f"the layer has shape {data.shape}; choose a single gray or RGB picture, not a stack")
    return Picture.from_array(data)


def drawing_labels(drawing: Drawing, shape: tuple[int, int]) -> NDArray[np.int32]:
    """(H, W) labels of a drawing: a colour's place in the palette, from 1; 0 where nobody drew.

    Examples
    --------
    >>> drawing_labels(Drawing().with_stroke(Stroke.of([[0, 1]], (5, 5))), (1, 3)).tolist()
    [[0, 1, 0]]
    """
    labels = np.zeros(shape, np.int32)
    scribbles = drawing.scribbles
    if not len(scribbles):
        return labels
    colours, which = np.unique(scribbles.ab, axis=0, return_inverse=True)
    apart = np.hypot(*(colours[:, None] - np.array(drawing.palette, np.float32)[None]).transpose(2, 0, 1))
    labels[tuple(scribbles.coords.T)] = apart.argmin(axis=1)[which.reshape(-1)] + 1
    return labels


def new_strokes(before: NDArray[Any], after: NDArray[Any], palette: Sequence[Colour]) -> list[Stroke]:
    """The strokes that turn labels into others: one for each colour that appeared, and one where some were rubbed out.

    Parameters
    ----------
    before, after : (H, W) int
        Places in the palette, from 1; 0 is nothing. A label without a colour is taken for the palette's last.
    palette : sequence of (a*, b*)

    Examples
    --------
    >>> strokes = new_strokes(np.array([[1, 0, 0]]), np.array([[0, 0, 1]]), [(20.0, 30.0)])
    >>> [(stroke.coords.tolist(), stroke.ab) for stroke in strokes]
    [([[0, 0]], None), ([[0, 2]], (20.0, 30.0))]
    """
    changed = np.argwhere(before != after)
    labels = after[tuple(changed.T)]
    strokes = []
    for label in np.unique(labels):
        colour = palette[min(int(label), len(palette)) - 1] if label > 0 and palette else None
        strokes.append(Stroke.of(changed[labels == label], colour))
    return strokes


def shown_colour(ab: Colour, luminance: float = SHOWN_AT) -> tuple[int, int, int]:
    """8-bit RGB in which a colour is shown, at some L*.

    Examples
    --------
    >>> shown_colour((0.0, 0.0), 100.0)
    (255, 255, 255)
    """
    level = np.float32(luminance)
    red, green, blue = (
        (lab_to_rgb(level, gamut_chroma(level, np.array(ab, np.float32))) * 255 + 0.5).astype(int).tolist()
    )
    return red, green, blue
