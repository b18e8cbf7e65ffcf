"""Seeds: the pixels whose colour is known, and where they come from.

A *seed* is one constrained pixel; a *scribble* (one ``stroke`` id) is the set of seeds that one gesture
of a person, or one automatic patch, laid down. This module only holds the type and its plain set
operations: ``extract`` finds seeds in a CNN's distribution, ``seedfiles`` reads and writes them, and
``propagate`` turns them into a full chroma plane. May import ``errors`` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridcolor.errors import SeedError

AUTO = 0
"""``Seeds.origin`` of a seed that a model proposed."""
USER = 1
"""``Seeds.origin`` of a seed that a person drew."""
LARGEST_AB = 200.0
"""No colour that a screen shows is as far from gray."""
FULL_LIGHTNESS = 100.0
"""L* of a seed that asks for none: on a drawing it is as light as its colour can be."""
_LEAST, _MOST = 1e-30, 1e30  # of weights: float32 can hold the sum of as many as a picture has pixels


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """Pixels of known colour. Build one with `Seeds.of`, which fills in what is not given.

    Attributes
    ----------
    coords : (N, 2) int32
        Row and column of each seed. A pixel appears at most once.
    ab : (N, 2) float32
        The a* and b* of each seed; (0, 0) is a neutral seed, which is not the same as no seed.
    weight : (N,) float32
        How strongly the seed holds, above 0. ``inf`` is a hard seed: its pixel has exactly this
        colour. A finite weight is the screening weight of a soft seed.
    stroke : (N,) int32
        Scribble id of each seed, >= 0.
    origin : (N,) uint8
        ``AUTO`` or ``USER``.
    lightness : (N,) float32
        L* in 0..100 that the colour has in a drawing where it was drawn, as far as it exists there and there is no ink;
        `FULL_LIGHTNESS` is as light as it can be. Photos keep their own luminance whatever this is.

    Raises
    ------
    SeedError
        If shapes disagree, a value is out of range (`check_values`), or a pixel appears twice.

    Examples
    --------
    >>> seeds = Seeds.of([[0, 1], [2, 3]], [[40.0, 20.0], [0.0, 0.0]])
    >>> len(seeds), bool(np.isinf(seeds.weight).all())
    (2, True)
    """

    coords: NDArray[np.int32]
    ab: NDArray[np.float32]
    weight: NDArray[np.float32]
    stroke: NDArray[np.int32]
    origin: NDArray[np.uint8]
    lightness: NDArray[np.float32]

    def __post_init__(self) -> None:
        n = len(self.coords)
        shapes = {"coords": (n, 2), "ab": (n, 2), "weight": (n,), "stroke": (n,), "origin": (n,), "lightness": (n,)}
        for name, shape in shapes.items():
            found = getattr(self, name).shape
            if found != shape:
                raise SeedError(f"seeds: {name} has shape {found}, expected {shape}; give one row per seed")
        if n == 0:
            return
        if self.coords.min() < 0:
            raise SeedError("seeds: a row or column is negative; count pixels from the top left, from 0")
        check_values(self.ab, self.weight, self.lightness)
        if self.stroke.min() < 0:
            raise SeedError("seeds: a stroke id is negative; number strokes from 0")
        if not np.isin(self.origin, (AUTO, USER)).all():
            raise SeedError(f"seeds: an origin is neither {AUTO} (auto) nor {USER} (user)")
        keys = np.sort(_keys(self.coords))  # numpy's unique takes several times as long
        if (keys[1:] == keys[:-1]).any():
            raise SeedError("seeds: a pixel appears twice; keep one colour for each pixel (Seeds.of keeps the last)")

    def __len__(self) -> int:
        return len(self.coords)

    @classmethod
    def of(
        cls,
        coords: ArrayLike,
        ab: ArrayLike,
        *,
        weight: ArrayLike = np.inf,
        stroke: ArrayLike | None = None,
        origin: int = USER,
        lightness: ArrayLike = FULL_LIGHTNESS,
    ) -> Seeds:
        """Seeds from anything array-like; where a pixel is given twice, the last one holds.

        Parameters
        ----------
        coords : (N, 2) array-like of int
            Row and column of each seed.
        ab : (N, 2) or (2,) array-like of float
            Colour of each seed, or one colour for all.
        weight : float or (N,) array-like, optional
            Screening weight in (0, inf]; hard by default.
        stroke : int or (N,) array-like, optional
            Scribble ids; by default every seed is its own scribble.
        origin : {AUTO, USER}, optional
            Who laid these seeds.
        lightness : float or (N,) array-like, optional
            L* in 0..100 on the paper of a drawing; as light as the colour can be by default.

        Raises
        ------
        SeedError
            If shapes do not fit together, a coordinate or id is not a whole number, or a value is out of range.

        Examples
        --------
        >>> Seeds.of([[5, 5], [5, 5]], [[9, 9], [1, 2]]).ab.tolist()
        [[1.0, 2.0]]
        """
        where = _whole(coords, "coords")
        if where.size == 0:
            where = np.empty((0, 2), np.int32)
            ab = np.empty((0, 2)) if np.size(ab) == 0 else ab
        if where.ndim != 2 or where.shape[1] != 2:
            raise SeedError(f"seeds: coords must be (N, 2) whole numbers (row, column), got shape {where.shape}")
        if origin not in (AUTO, USER):
            raise SeedError(f"seeds: an origin is neither {AUTO} (auto) nor {USER} (user)")
        n = len(where)
        try:
            with np.errstate(over="ignore"):  # what is too large becomes inf, which is refused for a colour
                colours = np.broadcast_to(np.asarray(ab, np.float32), (n, 2))
                weights = np.broadcast_to(np.asarray(weight, np.float32), (n,))
                levels = np.broadcast_to(np.asarray(lightness, np.float32), (n,))
            strokes = np.broadcast_to(_whole(np.arange(n) if stroke is None else stroke, "stroke ids"), (n,))
        except (TypeError, ValueError) as error:
            raise SeedError(f"seeds: {n} pixels do not go with the colours, weights or strokes given") from error
        keep = _last_of_each(where)
        return cls(
            where[keep],
            np.ascontiguousarray(colours[keep]),
            np.ascontiguousarray(weights[keep]),
            strokes[keep],
            np.full(len(keep), origin, np.uint8),
            np.ascontiguousarray(levels[keep]),
        )

    @classmethod
    def empty(cls) -> Seeds:
        """No seeds at all."""
        return cls.of(np.empty((0, 2), np.int32), np.empty((0, 2)))

    def take(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> Seeds:
        """The seeds that a boolean mask or an index array selects."""
        return Seeds(*(column[index] for column in _columns(self)))

    def without(self, coords: NDArray[np.int32]) -> Seeds:
        """The seeds that are at none of these (N, 2) pixels.

        Examples
        --------
        >>> Seeds.of([[0, 0], [0, 1]], [1, 1]).without(np.array([[0, 1]])).coords.tolist()
        [[0, 0]]
        """
        return self.take(~np.isin(_keys(self.coords), _keys(coords)))

    def of_strokes_in(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(N,) which seeds belong to strokes that touch an (H, W) mask.

        Examples
        --------
        >>> two = Seeds.of([[0, 0], [0, 1], [0, 2]], [1, 1], stroke=[0, 0, 1])
        >>> two.of_strokes_in(np.array([[False, True, False]])).tolist()
        [True, True, False]
        """
        return np.isin(self.stroke, self.stroke[mask[tuple(self.coords.T)]])

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Their pixels in a picture of ``shape``, as (H, W).

        Examples
        --------
        >>> Seeds.of([[0, 1]], (5, 5)).mask((1, 3)).tolist()
        [[False, True, False]]
        """
        mask = np.zeros(shape, bool)
        mask[tuple(self.coords.T)] = True
        return mask

    def resized(self, shape: tuple[int, int], size: tuple[int, int]) -> Seeds:
        """The seeds of a picture of ``shape`` on a copy of ``size`` (rows, columns).

        Where several fall into one pixel the last holds. Weights grow as the longer side shrinks, so that soft seeds
        hold about as firmly at any size.

        Examples
        --------
        >>> small = Seeds.of([[0, 0], [0, 1], [9, 9]], [1, 2], weight=[0.5, 0.5, np.inf]).resized((10, 10), (5, 5))
        >>> small.coords.tolist(), small.stroke.tolist(), small.weight.tolist()
        ([[0, 0], [4, 4]], [1, 2], [1.0, inf])
        """
        row, column = (self.coords[:, axis].astype(np.int64) * size[axis] // shape[axis] for axis in (0, 1))
        last = np.full(size, -1)
        last[row, column] = np.arange(len(self))
        held = np.sort(last[last >= 0])
        kept = self.take(held)
        coords = np.stack([row[held], column[held]], axis=1).astype(np.int32)
        return replace(kept, coords=coords, weight=kept.weight * np.float32(max(shape) / max(size)))

    def check_inside(self, shape: tuple[int, int]) -> None:
        """Raise `SeedError` if a seed lies outside a picture of ``shape`` (rows, columns)."""
        outside = (self.coords >= np.asarray(shape)).any(axis=1)
        if outside.any():
            row, column = self.coords[outside][0]
            raise SeedError(
                f"seeds: {int(outside.sum())} of {len(self)} lie outside the picture, the first at row {row}, "
                f"column {column} of {shape[0]} x {shape[1]}; were they made for another picture or size?"
            )


def check_values(ab: NDArray[Any], weight: NDArray[Any], lightness: NDArray[Any]) -> None:
    """Raise `SeedError` for colours that no screen shows, and weights that cannot be computed with."""
    if not (np.abs(ab) <= LARGEST_AB).all():
        raise SeedError(f"seeds: a colour is a* and b* of at most {LARGEST_AB:g}; one of these is beyond, or no number")
    if not (((weight > _LEAST) & (weight < _MOST)) | (weight == np.inf)).all():
        raise SeedError(
            f"seeds: a weight is a number above {_LEAST:g} and below {_MOST:g}, or inf for a hard seed; "
            "leave the seed out if it is not to count"
        )
    if not ((lightness >= 0) & (lightness <= FULL_LIGHTNESS)).all():
        raise SeedError("seeds: a lightness is L* from 0, black, to 100, white; one of these is beyond, or no number")


def overlay(layers: Sequence[Seeds]) -> Seeds:
    """All layers as one, stroke ids as they are; where they share a pixel the last holds.

    Examples
    --------
    >>> both = overlay([Seeds.of([[0, 0], [0, 1]], [1, 1], stroke=1), Seeds.of([[0, 1]], [2, 2], stroke=2)])
    >>> both.stroke.tolist()
    [1, 2]
    """
    if not layers:
        return Seeds.empty()
    coords = np.concatenate([layer.coords for layer in layers])
    keep = _last_of_each(coords)
    return Seeds(*(np.concatenate(columns)[keep] for columns in zip(*map(_columns, layers), strict=True)))


def concatenate(first: Seeds, second: Seeds) -> Seeds:
    """Both sets as one; where they share a pixel the second holds, and its strokes are renumbered after the first's."""
    shift = int(first.stroke.max()) + 1 if len(first) else 0
    stroke = np.concatenate([first.stroke, second.stroke.astype(np.int64) + shift])
    if len(stroke) and stroke.max() > np.iinfo(np.int32).max:  # ids so large are renumbered from 0, in the same order
        stroke = np.unique(stroke, return_inverse=True)[1].reshape(-1)
    first_ids, second_ids = np.split(stroke.astype(np.int32), [len(first)])
    return overlay([replace(first, stroke=first_ids), replace(second, stroke=second_ids)])


def changed_pixels(before: Seeds, after: Seeds) -> NDArray[np.int32]:
    """Row and column of every pixel that has a seed in only one of them, or one of another colour or weight.

    Examples
    --------
    >>> changed_pixels(Seeds.of([[0, 0], [0, 1]], [1, 1]), Seeds.of([[0, 1], [0, 2]], [1, 1])).tolist()
    [[0, 0], [0, 2]]
    """
    _, old, new = np.intersect1d(_keys(before.coords), _keys(after.coords), assume_unique=True, return_indices=True)
    same = (before.ab[old] == after.ab[new]).all(axis=1) & (before.weight[old] == after.weight[new])
    return np.concatenate([np.delete(before.coords, old[same], axis=0), np.delete(after.coords, new[same], axis=0)])


def _columns(seeds: Seeds) -> tuple[NDArray[Any], ...]:
    return seeds.coords, seeds.ab, seeds.weight, seeds.stroke, seeds.origin, seeds.lightness


def _whole(values: ArrayLike, name: str) -> NDArray[np.int32]:
    """As int32; what is not a whole number of that range is refused, not rounded or wrapped around."""
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise SeedError(f"seeds: {name} must be whole numbers, got something else") from error
    if not (np.abs(numbers) < 2**31).all() or not np.array_equal(numbers, np.round(numbers)):
        raise SeedError(f"seeds: {name} must be whole numbers of ordinary size; round them first")
    return numbers.astype(np.int32)


def _last_of_each(coords: NDArray[np.generic]) -> NDArray[np.intp]:
    """Ascending indices that keep the last row of each distinct pixel."""
    _, first_from_end = np.unique(_keys(coords)[::-1], return_index=True)
    return np.sort(len(coords) - 1 - first_from_end)


def _keys(coords: NDArray[np.generic]) -> NDArray[np.int64]:
    """One number a pixel, in scan order."""
    row, column = coords.astype(np.int64).T
    return np.asarray(row << 32 | column & 0xFFFFFFFF)
