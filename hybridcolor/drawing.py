"""What a person made of a picture: strokes and settings.

A `Drawing` never changes; an edit makes another one that shares the strokes. `hybridcolor.document` goes back and forth
among them; `hybridcolor.sessionfiles` keeps them on disk. May import ``seedfiles`` and below.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridcolor.bins import DEFAULT_CONFIDENCE, DEFAULT_VIVIDNESS
from hybridcolor.errors import MethodError, SeedError
from hybridcolor.palettes import Colour, lightness_of, lit
from hybridcolor.seedfiles import runs_of_pixels
from hybridcolor.seeds import AUTO, FULL_LIGHTNESS, Seeds, check_values, concatenate

NO_MODEL = "none"
"""The model of a drawing whose strokes alone decide."""
FIRM = 5.0
"""Weight of a stroke of half strength, times the longer side: that of an automatic seed beside a person's strokes."""

Option = bool | int | float | str
"""What an option of a method may be, so that it can be saved."""


def weight_of(strength: float, shape: tuple[int, int]) -> float:
    """The weight of a stroke's seeds for a person's slider from 0 (not drawn at all) to 1 (exactly its colour).

    In between a stroke gives way to others around it that are stronger, the more the weaker it is; alone it colours as
    a strong one does. Half strength is that of automatic seeds (`hybridcolor.extract.merge_seeds`), at any size.

    Raises
    ------
    SeedError
        If the strength is not above 0 and at most 1.

    Examples
    --------
    >>> weight_of(1.0, (800, 1000)), weight_of(0.5, (800, 1000))
    (inf, 0.005)
    """
    if not 0 < strength <= 1:
        raise SeedError(f"a stroke's strength is {strength}, expected a number above 0 and at most 1")
    return math.inf if strength == 1 else strength / (1 - strength) * FIRM / max(shape)


@dataclass(frozen=True, eq=False)
class Stroke:
    """One gesture of a person.

    Attributes
    ----------
    coords : (N, 2) int32
        Rows and columns, each pixel once, in scan order.
    ab : (a*, b*) or None
        Its colour; (0, 0) is a stroke of gray. None rubs out what was drawn there.
    weight : float
        How firmly it holds (`hybridcolor.seeds.Seeds`, and `weight_of` for people); inf is exactly.
    lightness : float
        L* that it has in a drawing (`hybridcolor.seeds.Seeds`).
    """

    coords: NDArray[np.int32]
    ab: tuple[float, float] | None
    weight: float = math.inf
    lightness: float = FULL_LIGHTNESS

    @classmethod
    def of(cls, coords: ArrayLike, colour: ArrayLike | None, *, weight: float = math.inf) -> Stroke:
        """A stroke from anything array-like; its colour may have a third number, the lightness.

        Raises
        ------
        SeedError
            If the pixels are not whole numbers from 0 on, or the colour or weight is not a valid one.

        Examples
        --------
        >>> Stroke.of([[3, 4], [3, 4]], (20, 30)).coords.tolist()
        [[3, 4]]
        >>> Stroke.of([[3, 4]], (20, 30, 25)).lightness
        25.0
        """
        if isinstance(weight, bool) or np.ndim(weight):
            raise SeedError(f"stroke: a weight is a number above 0, got {weight}")
        pixels = Seeds.of(coords, (0, 0)).coords
        pixels = pixels[np.lexsort(pixels.T[::-1])]
        try:
            numbers = np.asarray((0, 0) if colour is None else colour, np.float64)
        except (TypeError, ValueError) as error:
            raise SeedError(f"stroke: a colour is a* and b*, got {colour!r}") from error
        if numbers.shape not in ((2,), (3,)):
            raise SeedError(f"stroke: a colour is a* and b*, on drawings L* too, got {colour!r}")
        check_values(numbers[:2], np.asarray(weight), numbers[2:])
        if colour is None:
            return cls(pixels, None)
        a, b, *_ = found = tuple(numbers.tolist())
        return cls(pixels, (a, b), float(np.float32(weight)), lightness_of(found))

    @property
    def colour(self) -> Colour | None:
        """Its a* and b*, and its lightness if it has one of its own; None if it rubs out."""
        return None if self.ab is None else lit(self.ab, self.lightness)

    @cached_property
    def as_json(self) -> dict[str, Any]:
        """Colour, lightness and weight if there are, and pixels as runs (row, first column, length)."""
        weight = {} if math.isinf(self.weight) else {"weight": self.weight}
        lightness = {} if self.lightness == FULL_LIGHTNESS else {"lightness": self.lightness}
        ab = None if self.ab is None else list(self.ab)
        return {"ab": ab, **lightness, **weight, "runs": runs_of_pixels(self.coords)}


@dataclass(frozen=True, eq=False)
class Drawing:
    """All that a person decided about a picture.

    Attributes
    ----------
    imported : Seeds
        Scribbles, and edited automatic seeds, that came from a seeds file. They lie under the strokes.
    strokes : tuple of Stroke
        In the order in which they were drawn: the later covers the earlier.
    palette : tuple of (a*, b*) or (a*, b*, L*)
        The colours in use, in the order in which they were first picked.
    model : str
        For `hybridcolor.predict.load_predictor`; "none" for strokes alone.
    method : str
        A name in `hybridcolor.propagate.PROPAGATORS`.
    vividness, caution, confidence : float
        As for `hybridcolor.colorize`.
    finish : str or None
        How the colour is put on (`hybridcolor.painting.finished`); None leaves it to the model.
    tint : float
        How far lines take the colour beside them, 0..1, see there.
    dismissed : tuple of Stroke
        Where no automatic seed may be.
    options : mapping of method to (mapping of name to value)
        Those of the present method count; those of another are kept for when that is chosen again.

    Examples
    --------
    >>> drawing = Drawing().with_stroke(Stroke.of([[0, 0], [0, 1]], (20, 30))).with_stroke(Stroke.of([[0, 1]], None))
    >>> drawing.scribbles.coords.tolist(), drawing.palette
    ([[0, 0]], ((20.0, 30.0),))
    """

    imported: Seeds = field(default_factory=Seeds.empty)
    strokes: tuple[Stroke, ...] = ()
    palette: tuple[Colour, ...] = ()
    model: str = "default"
    method: str = "hybrid"
    vividness: float = DEFAULT_VIVIDNESS
    caution: float = 0.0
    finish: str | None = None
    tint: float = 0.0
    confidence: float = DEFAULT_CONFIDENCE
    dismissed: tuple[Stroke, ...] = ()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def with_stroke(self, stroke: Stroke) -> Drawing:
        """One stroke more; a new colour joins the palette."""
        return replace(self, strokes=(*self.strokes, stroke), palette=self._palette_with(stroke.colour))

    def with_strokes(self, strokes: Iterable[Stroke]) -> Drawing:
        """Several strokes more, in their order."""
        drawing = self
        for stroke in strokes:
            drawing = drawing.with_stroke(stroke)
        return drawing

    def recoloured(self, pixel: tuple[int, int], colour: ArrayLike) -> Drawing:
        """The stroke that shows at a pixel in another colour; the drawing itself where none shows.

        Raises
        ------
        SeedError
            If the colour is not an a* and a b*, and perhaps an L*, within bounds.

        Examples
        --------
        >>> drawing = Drawing().with_stroke(Stroke.of([[0, 0], [0, 1]], (20, 30)))
        >>> drawing.recoloured((0, 1), (5, 6)).scribbles.ab.tolist()
        [[5.0, 6.0], [5.0, 6.0]]
        """
        return self._changed_at(pixel, Stroke.of([pixel], colour))

    def removed(self, pixel: tuple[int, int]) -> Drawing:
        """The drawing without the stroke that shows at a pixel: what it covered shows again. As it is where none shows.

        Examples
        --------
        >>> drawing = Drawing().with_stroke(Stroke.of([[0, 0], [0, 1]], (20, 30)))
        >>> len(drawing.removed((0, 1)).strokes), drawing.removed((5, 5)) is drawing
        (0, True)
        """
        return self._changed_at(pixel, None)

    def dismissing(self, area: Stroke, shape: tuple[int, int]) -> Drawing:
        """The drawing without automatic seeds in an area of a picture of this shape, the CNN's or a seeds file's."""
        left = self.imported.origin != AUTO  # their numbers are their own
        left[~left] = ~self.automatic.of_strokes_in(_mask((area,), shape))
        return replace(self, imported=self.imported.take(left), dismissed=(*self.dismissed, area))

    def without_seeds(self, shape: tuple[int, int]) -> NDArray[np.bool_] | None:
        """Where no automatic seed may be, as a mask; None if they may be everywhere."""
        return _mask(self.dismissed, shape) if self.dismissed else None

    def _changed_at(self, pixel: tuple[int, int], new: Stroke | None) -> Drawing:
        """The stroke that shows at a pixel in another's colour, or none of it; the drawing itself where none shows."""
        palette = self._palette_with(None if new is None else new.colour)
        for number, stroke in reversed(list(enumerate(self.strokes))):
            if (stroke.coords == pixel).all(axis=1).any():
                if stroke.ab is None:
                    return self
                own = () if new is None else (replace(stroke, ab=new.ab, lightness=new.lightness),)
                return replace(
                    self, strokes=(*self.strokes[:number], *own, *self.strokes[number + 1 :]), palette=palette
                )
        seeds = self.imported
        here = (seeds.coords == pixel).all(axis=1)
        if not here.any():
            return self
        whole = (seeds.stroke == seeds.stroke[here]) & (seeds.origin == seeds.origin[here])
        if new is None:
            return replace(self, imported=seeds.take(~whole))
        ab = np.where(whole[:, None], np.array(new.ab, np.float32), seeds.ab)
        lightness = np.where(whole, np.float32(new.lightness), seeds.lightness)
        return replace(self, imported=replace(seeds, ab=ab, lightness=lightness), palette=palette)

    def _palette_with(self, colour: Colour | None) -> tuple[Colour, ...]:
        return self.palette if colour is None or colour in self.palette else (*self.palette, colour)

    @cached_property
    def scribbles(self) -> Seeds:
        """The strokes as they lie over each other, numbered as drawn; what is rubbed out has gone."""
        if not self.strokes:
            return self.imported
        count = [len(stroke.coords) for stroke in self.strokes]
        colours = np.array([stroke.ab or (0, 0) for stroke in self.strokes], np.float32)
        every = Seeds.of(
            np.concatenate([stroke.coords for stroke in self.strokes]),
            np.repeat(colours, count, axis=0),
            weight=np.repeat(np.array([stroke.weight for stroke in self.strokes], np.float32), count),
            stroke=np.repeat(np.arange(len(count)), count),
            lightness=np.repeat(np.array([stroke.lightness for stroke in self.strokes], np.float32), count),
        )
        erasers = [number for number, stroke in enumerate(self.strokes) if stroke.ab is None]
        drawn = every.take(~np.isin(every.stroke, erasers))
        return concatenate(self.imported.without(every.coords), drawn) if len(self.imported) else drawn

    @cached_property
    def automatic(self) -> Seeds:
        """The automatic seeds that came from a seeds file."""
        return self.imported.take(self.imported.origin == AUTO)

    def drawn_as(self, other: Drawing) -> bool:
        """Whether nothing was drawn or taken away in between."""
        return self.strokes is other.strokes and self.imported is other.imported

    def seeded_as(self, other: Drawing) -> bool:
        """Whether the same automatic seeds are wanted."""
        return self.confidence == other.confidence and self.dismissed is other.dismissed

    @property
    def method_options(self) -> Mapping[str, Any]:
        """Those of the present method."""
        return self.options.get(self.method, {})

    def settings(self) -> tuple[Any, ...]:
        """All that asks for more than new seeds when it changes: then the propagation begins anew."""
        return self.model, self.method, self.vividness, self.caution, dict(self.method_options)


def check_savable(method: str, options: Mapping[str, Any]) -> None:
    """Refuse options that a session could not save.

    Raises
    ------
    MethodError
        If a value is neither a number, a word, nor true or false.

    Examples
    --------
    >>> check_savable("chrominance", {"power": 2.0})
    """
    for name, value in options.items():
        if not isinstance(value, Option) or value != value:  # noqa: PLR0124  # not a number
            raise MethodError(
                f"option {name!r} of {method!r}: a session keeps numbers, words, true and false, not {value!r}"
            )


def _mask(areas: tuple[Stroke, ...], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels of strokes, as (H, W)."""
    mask = np.zeros(shape, bool)
    for area in areas:
        mask[tuple(area.coords.T)] = True
    return mask
