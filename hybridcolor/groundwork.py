"""What a colorization starts from: the CNN's word on a picture, as its own colour and as seeds, before any propagation.

A picture is read once; what the person's strokes tell the CNN, vividness, caution and the like ask for no more than
`Groundwork.changed`. May import everything below ``pipeline``.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from hybridcolor.bins import DEFAULT_CONFIDENCE, DEFAULT_VIVIDNESS, ColorDistribution, check_shares
from hybridcolor.drawing import NO_MODEL
from hybridcolor.errors import ModelError, SeedError
from hybridcolor.extract import demands, extract_seeds, merge_seeds
from hybridcolor.page import Page, PageReading
from hybridcolor.picture import Picture
from hybridcolor.propagate import get_propagator
from hybridcolor.resampling import guided_resample
from hybridcolor.seeds import AUTO, FULL_LIGHTNESS, USER, Seeds
from hybridcolor.strokes import possible_strokes, told_saturation

if TYPE_CHECKING:
    from hybridcolor.predict import Predictor, Reading
    from hybridcolor.recognition import Carried, Palette

DRAWN_REACH = 3.0
"""The reach of `hybrid` in drawings: all paper is as light as what was drawn on, so brightness stops no correction.
With the reach of photos scribbles had 6 to 15% more error on 32 pairs, random patches up to 1% less."""


def load_model(name: str) -> Predictor | None:
    """The model of a name; None for "none", which leaves a person's scribbles to decide alone.

    Raises
    ------
    ModelError
        If the model is unknown, or its file damaged.
    """
    if name == NO_MODEL:
        return None
    from hybridcolor.predict import load_predictor  # torch comes with it

    return load_predictor(name)


def suited_options(method: str, options: Mapping[str, Any], *, drawn: bool) -> dict[str, Any]:
    """A method's options, with what suits pictures read by a model of drawings where nothing else is wished.

    Examples
    --------
    >>> suited_options("hybrid", {}, drawn=True), suited_options("hybrid", {"reach": 8.0}, drawn=True)
    ({'reach': 3.0}, {'reach': 8.0})
    """
    return {"reach": DRAWN_REACH, **options} if drawn and method == "hybrid" else dict(options)


@dataclass(frozen=True, slots=True)
class _Deaf:
    """The reading of a network that takes no hints: one belief, whatever it is told."""

    belief: ColorDistribution

    def predict(self, _hints: Seeds | None = None) -> ColorDistribution:
        return self.belief


@dataclass(frozen=True, eq=False)
class Groundwork:
    """What a colorization starts from: the picture, and the CNN's word on it.

    Attributes
    ----------
    picture : Picture
    vividness, caution, confidence, dismissed, palette
        As for `hybridcolor.colorize`.
    takes_prior : bool
        Whether the method propagates corrections to ``predicted``.
    reading : Reading or None
        The picture as the CNN has read it.
    belief : ColorDistribution or None
        What it thinks, having heard the strokes.
    shown : (h, w) float32 or None
        How much is shown of the colour in each cell of the belief, by caution and as the person's strokes say.
    """

    picture: Picture
    vividness: float
    caution: float
    confidence: float
    dismissed: NDArray[np.bool_] | None
    takes_prior: bool
    palette: Palette | None = None
    reading: Reading | PageReading | _Deaf | None = None
    belief: ColorDistribution | None = None
    shown: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        check_shares(vividness=self.vividness, caution=self.caution, confidence=self.confidence)
        area = self.dismissed
        if area is not None and (np.shape(area) != self.picture.shape or getattr(area, "dtype", None) != np.bool_):
            raise SeedError(f"dismissed is no mask of the picture; give an array of bool of shape {self.picture.shape}")

    @classmethod
    def of(cls, picture: Picture, *, predictor: Predictor | None, method: str, scribbles: Seeds, **wishes: Any) -> Self:
        """Ask the CNN; parameters are those of `hybridcolor.colorize`, ``wishes`` its settings from ``vividness`` on.

        Raises
        ------
        MethodError
            If the method is unknown, or a setting is not from 0 to 1: told before the CNN's work, not after it.
        ModelError
            If the predictor is none, or its answer none for this picture.
        SeedError
            If what is dismissed is no mask of the picture.
        """
        settings: dict[str, Any] = {"vividness": DEFAULT_VIVIDNESS, "caution": 0.0, "confidence": DEFAULT_CONFIDENCE}
        settings |= {"dismissed": None} | wishes
        ground = cls(picture, takes_prior=takes_prior(method), **settings)
        reading = None if predictor is None else _read(predictor, picture.luminance)
        return replace(ground, reading=reading).told(scribbles)

    def changed(self, *, method: str, scribbles: Seeds, **wishes: Any) -> Self:
        """The groundwork for other settings; the picture is not read again."""
        return replace(self, takes_prior=takes_prior(method), **wishes).told(scribbles)

    def told(self, scribbles: Seeds) -> Self:
        """The groundwork after the CNN has heard what a person drew, if it listens; nothing heard before counts."""
        if self.reading is None:
            return self
        drawn = scribbles.take(scribbles.origin == USER)
        unheard, belief = self.reading.predict(), self.reading.predict(drawn)
        gain = np.float32(told_saturation(possible_strokes(drawn, unheard), unheard.rebalanced(self.vividness)))
        return replace(self, belief=belief, shown=gain * belief.sureness(self.caution))

    def at_size_of(self, picture: Picture) -> Self:
        """The groundwork with its belief laid over the picture at another size.

        The picture is not read there, so that the regions of a drawing are not known: it counts as a photo. Nothing is
        dismissed.
        """
        belief = None if self.belief is None else replace(self.belief, shape=picture.shape)
        return replace(self, picture=picture, reading=None, belief=belief, dismissed=None)

    @cached_property
    def predicted(self) -> NDArray[np.float32] | None:
        """(H, W, 2) the CNN's own colour, brought to size along the picture's edges; None without a CNN."""
        if self.belief is None or self.shown is None:
            return None
        if self._page is not None and (self._page.panels or self.palette is not None):
            return self.flat
        return guided_resample(self.colours, self.picture.luminance)  # a single drawing may be shaded

    @cached_property
    def flat(self) -> NDArray[np.float32]:
        """(H, W, 2) the CNN's colours of a drawing, one a region, or those of an earlier page where it is known."""
        assert isinstance(self.reading, PageReading) and self.belief is not None  # noqa: PT018, S101
        flat = self.reading.page.flatten(self.colours, self.belief)
        if self._carried is None:
            return flat
        return self.reading.page.recoloured(flat, self._carried.known, self._carried.ab)

    @cached_property
    def lightness(self) -> NDArray[np.float32] | float | None:
        """(H, W) L* of ``predicted`` on blank paper, or one for all; None without a CNN. A CNN's own is full."""
        if self.belief is None:
            return None
        if self._carried is None or self._page is None:
            return FULL_LIGHTNESS
        full = np.full(self.picture.shape, FULL_LIGHTNESS, np.float32)
        return self._page.recoloured(full, self._carried.known, self._carried.lightness)

    @cached_property
    def _carried(self) -> Carried | None:
        """The colours of an earlier page in the regions of this one."""
        if self.palette is None or not isinstance(self.reading, PageReading):
            return None
        return self.palette.carried(self.reading)

    @property
    def colours(self) -> NDArray[np.float32]:
        """(h, w, 2) a* and b* in the cells of the belief, as far as they are shown; only with a predictor."""
        assert self.belief is not None and self.shown is not None  # noqa: PT018, S101
        return self.shown[..., None] * self.belief.rebalanced(self.vividness).annealed_mean()

    @cached_property
    def automatic(self) -> Seeds:
        """The CNN's own seeds, less those that were dismissed; none without it."""
        if self.belief is None or self.shown is None:
            return Seeds.empty()
        if self._page is not None:
            seeds = self._page.seeds(self.flat)
            if isinstance(self.lightness, np.ndarray):
                seeds = replace(seeds, lightness=self.lightness[tuple(seeds.coords.T)])
        else:
            demanded = demands(self.confidence)
            seeds = extract_seeds(self.belief, self.picture.luminance, vividness=self.vividness, **demanded)
            seeds = replace(seeds, ab=self.shown[self.belief.cells(seeds.coords)][:, None] * seeds.ab)
        return seeds if self.dismissed is None else seeds.take(~seeds.of_strokes_in(self.dismissed))

    def suited(self, method: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options that a method is to run with on this picture: `suited_options`."""
        return suited_options(method, options, drawn=self.seeds_regions)

    @property
    def seeds_regions(self) -> bool:
        """Whether there is one automatic seed a region, however sure the CNN is: with models of drawings."""
        return self._page is not None

    @property
    def _page(self) -> Page | None:
        """The layout of a drawing, whose regions are each to have one colour and one seed."""
        return self.reading.page if isinstance(self.reading, PageReading) else None

    def suffices(self, scribbles: Seeds) -> bool:
        """Whether scribbles are all to be propagated: a method with a prior has no need of seeds that repeat it."""
        return self.belief is None or (self.takes_prior and not (scribbles.origin == AUTO).any())

    def merged_with(self, scribbles: Seeds) -> Seeds:
        """All seeds, automatic and a person's, who may have edited the automatic ones too."""
        if self.belief is None:
            return scribbles
        edited = scribbles.origin == AUTO
        automatic = scribbles.take(edited) if edited.any() else self.automatic
        drawn = scribbles.take(~edited)
        if self._page is not None:
            return self._page.merged(automatic, drawn)
        return merge_seeds(automatic, drawn, self.picture.luminance)


def _read(predictor: Predictor, luminance: NDArray[np.float32]) -> Reading | PageReading | _Deaf:
    """The picture as a network sees it; models of drawings see the things on a page one by one."""

    def look(seen: NDArray[np.float32]) -> Reading | _Deaf:
        if getattr(predictor, "takes_hints", False):
            return predictor.read(seen)  # type: ignore[attr-defined,no-any-return]
        if not hasattr(predictor, "predict"):
            raise ModelError(f"a {type(predictor).__name__} is no predictor; give what `load_predictor` returns")
        belief: object = predictor.predict(seen)  # of anybody's predictor
        if not isinstance(belief, ColorDistribution) or tuple(belief.shape) != seen.shape:
            found = getattr(belief, "shape", type(belief).__name__)
            raise ModelError(f"the predictor answers {found}, expected a ColorDistribution whose shape is {seen.shape}")
        return _Deaf(belief)

    return PageReading(look, luminance) if getattr(predictor, "paint", False) else look(luminance)


def takes_prior(method: str) -> bool:
    """Whether a method goes on from the network's colours, rather than from seeds alone."""
    return "prior" in inspect.signature(get_propagator(method)).parameters
