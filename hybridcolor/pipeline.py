"""The main path in a screenful: picture, CNN, seeds, propagation, colour.

`colorize` is what the command line, batches, comparisons and your own scripts call. The editor goes the same way a step
at a time: `hybridcolor.session.EditSession`. May import ``groundwork`` and below.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from hybridcolor.bins import DEFAULT_CONFIDENCE, DEFAULT_VIVIDNESS, check_shares
from hybridcolor.groundwork import Groundwork
from hybridcolor.imagefiles import write_image
from hybridcolor.lab import gamut_chroma
from hybridcolor.layers import drawing_layers, is_layered, write_layers
from hybridcolor.painting import check_finish, finished
from hybridcolor.picture import Picture, check_picture
from hybridcolor.propagate import propagate
from hybridcolor.propagate.kinds import FOR_DRAWINGS
from hybridcolor.propagate.lightness import LightnessState
from hybridcolor.screen import screen_rgb
from hybridcolor.seeds import FULL_LIGHTNESS, USER, Seeds

if TYPE_CHECKING:
    from hybridcolor.predict import Predictor
    from hybridcolor.recognition import Palette

_COLOURED = 10.0  # ab units from gray from which on a stroke asks for colour
_SEEN = 0.25  # share of its chroma that is to be seen


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
        How the colour is put on (`hybridcolor.painting.finished`): models for drawings paint; see `usual_finish`.
    tint : float
        Of lines, likewise.
    residual : float or None
        Largest amount, in ab units, by which a pixel misses the method's equation
        (`hybridcolor.propagate.Propagation`); 0.0 for methods that solve none. None for a preview: nobody measured it.
    lightness : (H, W) float32 or None
        L* that the colours have on the blank paper of a drawing, as strokes asked for; None: as light as they can be.
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
    lightness: NDArray[np.float32] | None = None
    provenance: str = ""

    def to_rgb(self) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """(H, W, 3) sRGB in the picture's bit depth, gamut-safe: see `hybridcolor.picture.Picture.to_rgb`."""
        return replace(self.picture, luminance=self._shown()).to_rgb(self.chroma)

    def on_screen(self) -> NDArray[np.uint8]:
        """(H, W, 3) the same in eight bits and at once: see `hybridcolor.screen.screen_rgb`."""
        return screen_rgb(self._shown(), self.chroma)

    def _shown(self) -> NDArray[np.float32]:
        """(H, W) L* at which it is shown."""
        return finished(
            self.picture.luminance, self.chroma, finish=self.finish, tint=self.tint, lightness=self.lightness
        )

    def strokes_lost_on(self) -> Literal["white", "black"] | None:
        """What most of a person's coloured strokes lie on, if it leaves no room for their colour; None if they show.

        Examples
        --------
        >>> paper = Picture.from_array(np.full((8, 8), 255, np.uint8))
        >>> result = colorize(paper, scribbles=Seeds.of([[4, 4]], [[30.0, 20.0]]), method="optimization")
        >>> result.strokes_lost_on(), replace(result, finish="paint").strokes_lost_on()
        ('white', None)
        """
        strength = np.hypot(*self.seeds.ab.T)
        coloured = (self.seeds.origin == USER) & (strength > _COLOURED)
        if not coloured.any():
            return None
        drawn = self.seeds.take(coloured)
        level, ab = self.picture.luminance[tuple(drawn.coords.T)][None], drawn.ab[None]
        shown = finished(level, ab, finish="photo" if self.finish == "photo" else "paint")
        if np.median(np.hypot(*gamut_chroma(shown, ab)[0].T) / strength[coloured]) > _SEEN:
            return None
        return "white" if np.median(level) > 50 else "black"


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
    finish: str | None = None,
    tint: float = 0.0,
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
        How far rare colours are lifted, from 0, the timid calibrated belief, to 1, the full rebalancing of Zhang et al.
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
    finish : str, optional
        How the colour is put on (`hybridcolor.painting.finished`); models of drawings paint, else the luminance stays.
    tint : float, optional
        Of a drawing's lines, likewise: from 0, black, to 1, a dark shade of the colour beside them.
    **options
        For the method.

    Returns
    -------
    Colorization

    Raises
    ------
    ImageError
        If the picture is none, but an array or the name of a file.
    MethodError
        If the method, an option or the finish is unknown, or vividness, caution, confidence or tint is not from 0 to 1.
    ModelError
        If the predictor is none, but a name, or its answer none for this picture.
    SeedError
        If a scribble lies outside the picture, what is dismissed is no mask of it, or there is neither predictor nor
        scribble.

    Examples
    --------
    >>> picture = Picture.from_array(np.full((8, 8), 120, np.uint8))
    >>> result = colorize(picture, scribbles=Seeds.of([[4, 4]], [[30.0, 20.0]]), method="optimization")
    >>> result.chroma[0, 0].round().tolist()
    [30.0, 20.0]
    """
    started = time.perf_counter()
    check_picture(picture)
    if finish is not None:
        check_finish(finish)
    check_shares(tint=tint)
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
    prior = groundwork.predicted
    result = propagate(picture.luminance, used, method=method, prior=prior, **options)
    finish = finish or ("paint" if _paints(predictor) else "photo")
    light = LightnessState(picture.luminance, method=method, prior=groundwork.lightness, **options)
    lightness = None if finish == "photo" else light.exact(used, result)
    seconds = time.perf_counter() - started
    return Colorization(
        picture,
        result.chroma,
        seeds,
        groundwork.predicted,
        method,
        seconds,
        finish,
        tint,
        residual=result.residual,
        lightness=lightness,
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
    if is_layered(path):
        finish = "paint" if result.finish == "photo" else result.finish
        chroma, lightness = result.chroma, result.lightness
        if picture.alpha is not None:  # what is transparent is white paper
            seen = picture.alpha > 0
            chroma = chroma * seen[..., np.newaxis]
            lightness = None if lightness is None else np.where(seen, lightness, np.float32(FULL_LIGHTNESS))
        painted: dict[str, Any] = {"finish": finish, "tint": result.tint, "lightness": lightness}
        layers = drawing_layers(picture.on_paper(), chroma, **painted)
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


def usual_finish(method: str, predictor: Predictor | None) -> str:
    """How files and windows show colours unless a person says otherwise: methods for drawings paint, as models do.

    `colorize` itself leaves the luminance alone unless a finish is asked for, so that methods can be compared.

    Examples
    --------
    >>> usual_finish("lineart", None), usual_finish("hybrid", None)
    ('paint', 'photo')
    """
    return "paint" if method in FOR_DRAWINGS or _paints(predictor) else "photo"


def _paints(predictor: Predictor | None) -> bool:
    return getattr(predictor, "paint", False)
