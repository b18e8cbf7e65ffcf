"""The main path in a screenful: picture, CNN, seeds, propagation, colour.

`colorize` is what the command line, the plugin and your own scripts call. May import everything below the command
line.
"""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from hybridcolor.bins import DEFAULT_CONFIDENCE, DEFAULT_VIVIDNESS
from hybridcolor.extract import demands, extract_seeds, merge_seeds
from hybridcolor.imagefiles import write_image
from hybridcolor.layers import SUFFIXES as LAYERED
from hybridcolor.layers import drawing_layers, write_layers
from hybridcolor.page import Page, PageReading
from hybridcolor.painting import finished
from hybridcolor.picture import Picture
from hybridcolor.propagate import get_propagator, propagate
from hybridcolor.resampling import guided_resample
from hybridcolor.screen import screen_rgb
from hybridcolor.seeds import AUTO, USER, Seeds
from hybridcolor.strokes import possible_strokes, told_saturation

if TYPE_CHECKING:
    from hybridcolor.bins import ColorDistribution
    from hybridcolor.predict import Predictor, Reading
    from hybridcolor.recognition import Palette


DRAWN_REACH = 3.0
"""The reach of `hybrid` in drawings: all paper is as light as what was drawn on, so brightness stops no correction.
With the reach of photos scribbles had 6 to 15% more error on 32 pairs, random patches up to 1% less."""


@dataclass(frozen=True, slots=True, eq=False)
class Colorization:
    """A coloured picture and how it came about.

    Attributes
    ----------
    picture : Picture
        What came in; its luminance is the result's.
    chroma : (H, W, 2) float32
        a* and b* of the result.
    seeds : Seeds
        The seeds, automatic and drawn. A method that takes the CNN's colour as a prior had no need of the automatic
        ones: they repeat it.
    predicted : (H, W, 2) float32 or None
        The CNN's own colour, the annealed mean brought to size along the picture's edges; None where no predictor was
        used. A model that takes hints has heard what the person drew.
    method : str
        How the seeds were propagated.
    seconds : float
        Time it took.
    finish : str
        How the colour is put on (`hybridcolor.painting.finished`): models of drawings paint.
    tint : float
        Of lines, likewise.
    residual : float or None
        Largest amount, in ab units, by which a pixel misses the method's equation
        (`hybridcolor.propagate.Propagation`); 0.0 for methods that solve none. None for a preview: nobody measured it.
    provenance : str
        How it was made, for its file to say (`hybridcolor.provenance.made_by`).
    """

    picture: Picture
    chroma: NDArray[np.float32]
    seeds: Seeds
    predicted: NDArray[np.float32] | None
    method: str
    seconds: float
    finish: str = "photo"
    tint: float = 0.0
    residual: float | None = None
    provenance: str = ""

    def to_rgb(self) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """(H, W, 3) sRGB in the picture's bit depth, gamut-safe: see `hybridcolor.picture.Picture.to_rgb`."""
        luminance = finished(self.picture.luminance, self.chroma, finish=self.finish, tint=self.tint)
        return replace(self.picture, luminance=luminance).to_rgb(self.chroma)

    def on_screen(self) -> NDArray[np.uint8]:
        """(H, W, 3) the same in eight bits and at once: see `hybridcolor.screen.screen_rgb`."""
        return screen_rgb(
            finished(self.picture.luminance, self.chroma, finish=self.finish, tint=self.tint), self.chroma
        )


def colorize(  # noqa: PLR0913  # what a person may wish
    picture: Picture,
    *,
    predictor: Predictor | None = None,
    scribbles: Seeds | None = None,
    method: str = "hybrid",
    vividness: float = DEFAULT_VIVIDNESS,
    caution: float = 0.0,
    confidence: float = DEFAULT_CONFIDENCE,
    dismissed: NDArray[np.bool_] | None = None,
    palette: Palette | None = None,
    **options: Any,
) -> Colorization:
    """Colorize a picture from a CNN's seeds, a person's scribbles, or both.

    Parameters
    ----------
    picture : Picture
        From `read_image` or `Picture.from_array`; only its luminance is used.
    predictor : Predictor, optional
        From `load_predictor`. Without one the scribbles alone decide.
    scribbles : Seeds, optional
        What a person drew; it always wins over automatic seeds. Automatic ones among them, from an edited seeds file,
        are taken as they are instead of looking for new ones.
    method : str, optional
        A name in `hybridcolor.propagate.PROPAGATORS`.
    vividness : float, optional
        How far rare colours are lifted: 0 is the timid calibrated belief, 1 the full rebalancing of Zhang et al.
    caution : float, optional
        From 0, which shows every guess of the CNN, to 1: leave gray where it is unsure
        (`hybridcolor.bins.ColorDistribution.sureness`). Scribbles are shown in any case.
    confidence : float, optional
        How sure the CNN has to be of a place to make an automatic seed of it, from 0, many seeds, to 1, few
        (`hybridcolor.extract.demands`). Of no effect on a method that takes the CNN's colour as a prior.
    dismissed : (H, W) bool, optional
        Where no automatic seed may be.
    palette : Palette, optional
        Colours of an earlier page, for the regions of a drawing that are like its own (`hybridcolor.recognition`). The
        predictor is to be the model of drawings that read it.
    **options
        For the method.

    Returns
    -------
    Colorization

    Raises
    ------
    MethodError
        If the method or an option is unknown.
    SeedError
        If a scribble lies outside the picture, or there is neither predictor nor scribble.

    Examples
    --------
    >>> picture = Picture.from_array(np.full((8, 8), 120, np.uint8))
    >>> result = colorize(picture, scribbles=Seeds.of([[4, 4]], [[30.0, 20.0]]), method="optimization")
    >>> result.chroma[0, 0].round().tolist()
    [30.0, 20.0]
    """
    started = time.perf_counter()
    scribbles = Seeds.empty() if scribbles is None else scribbles
    scribbles.check_inside(picture.shape)  # before the CNN's work, not after it
    groundwork = Groundwork.of(
        picture,
        predictor=predictor,
        method=method,
        scribbles=scribbles,
        vividness=vividness,
        caution=caution,
        confidence=confidence,
        dismissed=dismissed,
        palette=palette,
    )
    seeds = groundwork.merged_with(scribbles)
    used = scribbles if groundwork.suffices(scribbles) else seeds
    options = groundwork.suited(method, options)
    result = propagate(picture.luminance, used, method=method, prior=groundwork.predicted, **options)
    seconds = time.perf_counter() - started
    return Colorization(
        picture,
        result.chroma,
        seeds,
        groundwork.predicted,
        method,
        seconds,
        own_finish(predictor),
        residual=result.residual,
    )


def write_colorization(
    path: str | os.PathLike[str],
    result: Colorization,
    *,
    keep_private: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a result with its provenance and all that came with its picture; ``.ora`` and ``.psd`` get layers instead.

    Parameters
    ----------
    path : path-like
    result : Colorization
    keep_private, overwrite : bool, optional
        As for `hybridcolor.write_image`.

    Raises
    ------
    ImageError
        If the file exists or cannot be written.
    """
    picture = result.picture
    if Path(path).suffix in LAYERED:
        finish = "paint" if result.finish == "photo" else result.finish
        layers = drawing_layers(picture, result.chroma, finish=finish, tint=result.tint)
        write_layers(path, layers, overwrite=overwrite)
        return
    write_image(
        path,
        result.to_rgb(),
        alpha=picture.alpha,
        metadata=replace(picture.metadata, software=result.provenance),
        keep_private=keep_private,
        overwrite=overwrite,
    )


def own_finish(predictor: Predictor | None) -> str:
    """How a model's colours are put on: models of drawings paint."""
    return "paint" if getattr(predictor, "paint", False) else "photo"


@dataclass(frozen=True, slots=True)
class _Deaf:
    """The reading of a network that takes no hints."""

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
        As for `colorize`.
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

    @classmethod
    def of(cls, picture: Picture, *, predictor: Predictor | None, method: str, scribbles: Seeds, **wishes: Any) -> Self:
        """Ask the CNN; see `colorize` for the parameters, ``wishes`` are those from ``vividness`` to ``dismissed``.

        Raises
        ------
        MethodError
            If the method is unknown: told before the CNN's work, not after it.
        """
        takes_prior = _takes_prior(method)
        reading = None if predictor is None else _read(predictor, picture.luminance)
        every: dict[str, Any] = {"vividness": DEFAULT_VIVIDNESS, "caution": 0.0, "confidence": DEFAULT_CONFIDENCE}
        every |= {"dismissed": None} | wishes
        return cls(picture, takes_prior=takes_prior, reading=reading, **every).told(scribbles)

    def changed(self, *, method: str, scribbles: Seeds, **wishes: Any) -> Self:
        """The same for other settings; the picture is not read again."""
        return replace(self, takes_prior=_takes_prior(method), **wishes).told(scribbles)

    def told(self, scribbles: Seeds) -> Self:
        """The same after the CNN has heard what a person drew, if it listens; nothing heard before counts."""
        if self.reading is None:
            return self
        drawn = scribbles.take(scribbles.origin == USER)
        unheard, belief = self.reading.predict(), self.reading.predict(drawn)
        gain = np.float32(told_saturation(possible_strokes(drawn, unheard), unheard.rebalanced(self.vividness)))
        return replace(self, belief=belief, shown=gain * belief.sureness(self.caution))

    def at_size_of(self, picture: Picture) -> Self:
        """What was said for the picture at another size: a drawing as a photo, and nothing dismissed."""
        belief = None if self.belief is None else replace(self.belief, shape=picture.shape)
        return replace(self, picture=picture, reading=None, belief=belief, dismissed=None)

    @cached_property
    def predicted(self) -> NDArray[np.float32] | None:
        """(H, W, 2) the CNN's own colour, as in `Colorization`."""
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
        if self.palette is None:
            return flat
        return self.reading.page.recoloured(flat, *self.palette.carried(self.reading))

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
        else:
            demanded = demands(self.confidence)
            seeds = extract_seeds(self.belief, self.picture.luminance, vividness=self.vividness, **demanded)
            seeds = replace(seeds, ab=self.shown[self.belief.cells(seeds.coords)][:, None] * seeds.ab)
        return seeds if self.dismissed is None else seeds.take(~seeds.of_strokes_in(self.dismissed))

    def suited(self, method: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """A method's options, with what suits a drawing where nothing else is wished."""
        return {"reach": DRAWN_REACH, **options} if self.seeds_regions and method == "hybrid" else dict(options)

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
        return _Deaf(predictor.predict(seen))

    return PageReading(look, luminance) if getattr(predictor, "paint", False) else look(luminance)


def _takes_prior(method: str) -> bool:
    return "prior" in inspect.signature(get_propagator(method)).parameters
