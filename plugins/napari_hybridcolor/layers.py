"""Between napari's layers and hybridcolor's types. Knows arrays only: no napari, no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from hybridcolor.drawing import Drawing, Stroke
from hybridcolor.errors import ImageError
from hybridcolor.palettes import Colour, lightness_of
from hybridcolor.picture import Picture
from hybridcolor.seeds import FULL_LIGHTNESS, USER, Seeds

LARGE = 3_000_000
"""Pixels from which on a picture is shown in several sizes."""
SMALLEST = 400_000
"""Pixels of the smallest size, at least."""


def layer_picture(data: NDArray[Any]) -> Picture:
    """The picture in an image layer's data, or in one slice of it.

    Parameters
    ----------
    data : (H, W) or (H, W, 3 or 4)
        uint8, uint16, or floats in 0..1.

    Raises
    ------
    ImageError
        If it is of another shape or type; napari shows those too.

    Examples
    --------
    >>> layer_picture(np.zeros((4, 5), np.uint8)).shape
    (4, 5)
    """
    if data.ndim not in (2, 3) or (data.ndim == 3 and data.shape[-1] not in (3, 4)):
        raise ImageError(f"the layer has shape {data.shape}; choose a gray or RGB picture, or a stack of gray ones")
    return Picture.from_array(data)


def as_shown(gray: NDArray[Any], limits: Sequence[float]) -> NDArray[Any]:
    """Gray values of any type as floats in 0..1: those that are shown as black and white, and between them.

    What is no number is black. Bytes that are shown in full stay bytes.

    Parameters
    ----------
    gray : (H, W)
    limits : (least, most)
        Shown as black and as white.

    Examples
    --------
    >>> as_shown(np.array([[-1000, 40, 3000]], np.int16), (-160, 240)).tolist()
    [[0.0, 0.5, 1.0]]
    """
    least, most = map(float, limits)
    if gray.dtype == np.uint8 and (least, most) == (0.0, 255.0):
        return gray
    shown = (np.asarray(gray, np.float64) - least) / (most - least)
    return np.asarray(np.nan_to_num(shown).clip(0.0, 1.0))


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


def enlarged(rgb: NDArray[np.uint8], step: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Every ``step``-th pixel of a picture of some shape, as a picture of that shape.

    Examples
    --------
    >>> enlarged(np.arange(12, dtype=np.uint8).reshape(2, 2, 3), 2, (3, 4))[:, :, 0].tolist()
    [[0, 0, 3, 3], [0, 0, 3, 3], [6, 6, 9, 9]]
    """
    rows, columns = (np.arange(side) // step for side in shape)
    return np.ascontiguousarray(rgb[rows[:, None], columns])


def drawing_labels(drawing: Drawing, shape: tuple[int, int]) -> NDArray[np.unsignedinteger]:
    """(H, W) labels of a drawing: a colour's place in the palette, from 1; 0 where nobody drew.

    In as few bits as the palette takes: napari makes a colour for each number of 16 bits, whenever one changes.

    Examples
    --------
    >>> drawing_labels(Drawing().with_stroke(Stroke.of([[0, 1]], (5, 5))), (1, 3)).tolist()
    [[0, 1, 0]]
    """
    labels = np.zeros(shape, np.min_scalar_type(len(drawing.palette)))
    scribbles = drawing.scribbles
    if len(drawing.automatic):  # which nobody drew
        scribbles = scribbles.take(scribbles.origin == USER)
    if not len(scribbles) or not drawing.palette:
        return labels
    pairs = np.ascontiguousarray(scribbles.ab).view(np.int64).ravel()  # ten times faster to sort than rows of two
    if (scribbles.lightness < FULL_LIGHTNESS).any():
        pairs = np.unique(pairs, return_inverse=True)[1] << 32 | scribbles.lightness.view(np.uint32)
    _, first, which = np.unique(pairs, return_index=True, return_inverse=True)
    drawn = np.column_stack([scribbles.ab[first], scribbles.lightness[first]])
    known = np.array([(*colour[:2], lightness_of(colour)) for colour in drawing.palette], np.float32)
    labels[tuple(scribbles.coords.T)] = cdist(drawn, known).argmin(axis=1)[which] + 1
    return labels


def new_strokes(
    coords: NDArray[np.intp], labels: NDArray[Any], palette: Sequence[Colour], *, weight: float = math.inf
) -> list[Stroke]:
    """Painted labels as strokes: one for each colour, and one where strokes were rubbed out.

    Parameters
    ----------
    coords : (N, 2) int
        The pixels that changed.
    labels : (N,) int
        What they are now: places in the palette, from 1; 0 is nothing. A label without a colour is taken for the
        palette's last.
    palette : sequence of (a*, b*) or (a*, b*, L*)
    weight : float, optional
        Of the strokes.

    Examples
    --------
    >>> strokes = new_strokes(np.array([[0, 0], [0, 2]]), np.array([0, 1]), [(20.0, 30.0)])
    >>> [(stroke.coords.tolist(), stroke.ab) for stroke in strokes]
    [([[0, 0]], None), ([[0, 2]], (20.0, 30.0))]
    """
    strokes = []
    for label in np.unique(labels):
        colour = palette[min(int(label), len(palette)) - 1] if label > 0 and palette else None
        strokes.append(Stroke.of(coords[labels == label], colour, weight=weight))
    return strokes


def seed_strokes(seeds: Seeds) -> list[Stroke]:
    """The scribbles of a seeds file as strokes, each of one colour.

    Examples
    --------
    >>> seeds = Seeds.of([[0, 0], [0, 1], [5, 5]], [[20, 30], [20, 30], [0, 0]], stroke=[0, 0, 1])
    >>> [(len(stroke.coords), stroke.ab) for stroke in seed_strokes(seeds)]
    [(2, (20.0, 30.0)), (1, (0.0, 0.0))]
    """
    strokes = []
    for number in np.unique(seeds.stroke):
        one = seeds.take(seeds.stroke == number)
        colour = *np.median(one.ab, axis=0).tolist(), float(np.median(one.lightness))
        strokes.append(Stroke.of(one.coords, colour, weight=float(np.median(one.weight))))
    return strokes
