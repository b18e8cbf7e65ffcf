"""Marked images that a person has edited: which strokes on them are the person's, and which the CNN's own.

`hybridcolor seeds` paints the CNN's seeds on a copy of the picture, for a person to draw beside or over them. The image
that comes back does not say who painted what. May import ``groundwork`` and below.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hybridcolor.groundwork import Groundwork
from hybridcolor.picture import Picture
from hybridcolor.seedfiles import read_seeds, write_seeds
from hybridcolor.seeds import AUTO, FULL_LIGHTNESS, USER, Seeds, concatenate

if TYPE_CHECKING:
    from hybridcolor.predict import Predictor

PAINT_ERROR = 6.0
"""Ab units that a seed's colour may lose when it is painted on a picture of 8 bits and read back."""


def read_scribbles(path: str | os.PathLike[str], picture: Picture, predictor: Predictor | None) -> Seeds:
    """As `hybridcolor.seedfiles.read_seeds`, but the CNN's own patches in a marked image are automatic seeds.

    Where somebody drew, and took none of them away, there are the strokes alone: the CNN hears them, and finds anew.

    Parameters
    ----------
    path, picture
        As for `read_seeds`.
    predictor : Predictor or None
        Whose patches they are.

    Raises
    ------
    SeedError
        As for `read_seeds`.
    """
    seeds = read_seeds(path, picture)
    if predictor is None or len(seeds) == 0 or Path(path).suffix.lower() == ".json":
        return seeds
    automatic = found_seeds(picture.luminance, predictor)
    seeds = mark_automatic(seeds, automatic)
    drawn = seeds.take(seeds.origin == USER)
    left = automatic.without(drawn.coords)
    there = automatic.of_strokes_in(seeds.take(seeds.origin == AUTO).mask(picture.shape))
    untouched = np.isin(left.stroke, automatic.stroke[there]).all()
    return drawn if len(drawn) and untouched else seeds


def found_seeds(luminance: NDArray[np.float32], predictor: Predictor) -> Seeds:
    """The automatic seeds of a picture, L* in 0..100, that nobody has drawn on; of a drawn page one a region."""
    picture = Picture(luminance)
    return Groundwork.of(picture, predictor=predictor, method="hybrid", scribbles=Seeds.empty()).automatic


def write_used_seeds(
    path: Path, seeds: Seeds, picture: Picture, predictor: Predictor | None, *, overwrite: bool = False
) -> None:
    """Write the seeds of a result: all as JSON, or in an image to paint on, which makes the same result again.

    There the CNN's patches are those that it finds before it hears anybody, as `read_scribbles` knows only these again.

    Parameters
    ----------
    path, picture, overwrite
        As for `hybridcolor.seedfiles.write_seeds`.
    seeds : Seeds
        That were used.
    predictor : Predictor or None
        That found the automatic ones.

    Raises
    ------
    SeedError
        As `write_seeds`.
    """
    drawn = seeds.take(seeds.origin == USER)
    if predictor is not None and path.suffix.lower() != ".json" and len(drawn) < len(seeds):
        seeds = concatenate(found_seeds(picture.luminance, predictor), drawn)
    write_seeds(path, seeds, picture, overwrite=overwrite)


def mark_automatic(scribbles: Seeds, automatic: Seeds) -> Seeds:
    """Make automatic what is the CNN's own among scribbles.

    Parameters
    ----------
    scribbles : Seeds
        From a marked image.
    automatic : Seeds
        What had been painted there.

    Returns
    -------
    Seeds
        The scribbles; strokes that lie within the automatic seeds and have their colours are automatic, and have no
        lightness of their own: they were painted at one where their colour exists.

    Examples
    --------
    >>> automatic = Seeds.of([[0, 0], [0, 1], [5, 5]], [[20, 30], [20, 30], [0, 40]], origin=AUTO)
    >>> scribbles = Seeds.of([[0, 0], [5, 5], [9, 9]], [[21, 30], [-30, 0], [0, 40]], stroke=[0, 1, 2])
    >>> (mark_automatic(scribbles, automatic).origin == AUTO).tolist()
    [True, False, False]
    """
    if len(scribbles) == 0 or len(automatic) == 0:
        return scribbles
    extent = np.maximum(scribbles.coords.max(axis=0), automatic.coords.max(axis=0)) + 1
    painted = np.full((*extent, 2), np.inf, np.float32)
    painted[tuple(automatic.coords.T)] = automatic.ab
    apart = np.hypot(*(scribbles.ab - painted[tuple(scribbles.coords.T)]).T)
    drawn = np.isin(scribbles.stroke, scribbles.stroke[apart > PAINT_ERROR])
    origin = np.where(drawn, scribbles.origin, np.uint8(AUTO))
    return replace(scribbles, origin=origin, lightness=np.where(drawn, scribbles.lightness, np.float32(FULL_LIGHTNESS)))
