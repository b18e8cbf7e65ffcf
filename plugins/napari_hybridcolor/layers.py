"""Between napari's layers and hybridcolor's types. Knows arrays only: no napari, no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.errors import ImageError, SeedError
from hybridcolor.picture import Picture
from hybridcolor.seeds import USER, Seeds

Colour = tuple[float, float]
"""a* and b*."""


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


def scribble_seeds(labels: NDArray[Any], palette: Mapping[int, Colour]) -> Seeds:
    """A person's seeds from a labels layer: every label is one stroke of one colour.

    Parameters
    ----------
    labels : (H, W) int
        0 where nobody drew.
    palette : mapping of int to (a*, b*)
        The colour of each label.

    Raises
    ------
    SeedError
        If a label has no colour.

    Examples
    --------
    >>> scribble_seeds(np.array([[0, 2]]), {2: (30.0, -40.0)}).ab.tolist()
    [[30.0, -40.0]]
    """
    coords = np.argwhere(labels > 0)
    strokes = labels[labels > 0]
    used, which = np.unique(strokes, return_inverse=True)
    unknown = [int(label) for label in used if int(label) not in palette]
    if unknown:
        raise SeedError(f"label {unknown[0]} has no colour; pick one with 'New colour' before you draw")
    if not len(used):
        return Seeds.empty()
    colours = np.array([palette[int(label)] for label in used], np.float32)
    return Seeds.of(coords, colours[which.reshape(-1)], stroke=strokes, origin=USER)


def seed_labels(seeds: Seeds, shape: tuple[int, int]) -> NDArray[np.int32]:
    """(H, W) labels that show where seeds are: stroke id + 1, 0 elsewhere.

    Examples
    --------
    >>> seed_labels(Seeds.of([[0, 1]], [5, 5]), (1, 3)).tolist()
    [[0, 1, 0]]
    """
    seeds.check_inside(shape)
    labels = np.zeros(shape, np.int32)
    labels[tuple(seeds.coords.T)] = seeds.stroke + 1
    return labels
