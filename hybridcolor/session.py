"""A picture held open while a person draws: every change is answered at once, then exactly, and can be undone.

The plugin is a view over `EditSession`; scripts and notebooks may use it as it is. Knows no window. A change, which is
`hybridcolor.document`'s, only notes what is wanted and takes no time; `preview` and `refine` compute, and may run in
one other thread meanwhile, `glimpse` in a third. To stop a refinement from outside let its ``cancel`` see a flag.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from hybridcolor.bins import DEFAULT_VIVIDNESS
from hybridcolor.document import Document
from hybridcolor.drawing import Drawing
from hybridcolor.glimpse import Glimpse, Glimpses
from hybridcolor.grounds import Grounds
from hybridcolor.groundwork import Groundwork
from hybridcolor.painting import finished
from hybridcolor.picture import Picture, check_picture
from hybridcolor.pipeline import Colorization, colorize, usual_finish
from hybridcolor.propagate import Propagation, PropagationState
from hybridcolor.propagate.lightness import LightnessState
from hybridcolor.provenance import made_by
from hybridcolor.resampling import Window
from hybridcolor.screen import screen_rgb
from hybridcolor.seeds import USER, Seeds
from hybridcolor.sessionfiles import document_of

if TYPE_CHECKING:
    from hybridcolor.bins import ColorDistribution
    from hybridcolor.predict import Predictor


class EditSession(Document):
    """`colorize`, for a person who draws stroke after stroke on one picture: a document that answers.

    Parameters
    ----------
    picture, method, vividness, caution, **options
        As for `hybridcolor.colorize`.
    predictor : Predictor or str, optional
        The CNN, or a model's name, to be loaded when it is first needed. It looks at the picture once; one that takes
        hints hears every change.
    autosave : path-like, optional
        Where every change is saved at once, so that a crash loses none.

    Attributes
    ----------
    picture : Picture
        What is coloured.

    Raises
    ------
    ImageError
        If the picture is none.
    MethodError
        If the method or an option is unknown, or vividness or caution is not from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> session = EditSession(Picture.from_array(np.full((8, 8), 120, np.uint8)), method="optimization")
    >>> session.draw([[4, 4]], (30.0, 20.0))
    >>> session.draw([[1, 1]], (0.0, 0.0))
    >>> session.undo()
    True
    >>> session.result().chroma[0, 0].round().tolist()
    [30.0, 20.0]
    """

    _groundwork: Groundwork  # these three from the first answer on
    _state: PropagationState
    _lightness: LightnessState

    def __init__(
        self,
        picture: Picture,
        *,
        predictor: Predictor | str | None = None,
        method: str = "hybrid",
        vividness: float = DEFAULT_VIVIDNESS,
        caution: float = 0.0,
        autosave: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> None:
        check_picture(picture)
        self._grounds = Grounds(picture, predictor)
        drawing = Drawing(
            model=self._grounds.model, method=method, vividness=vividness, caution=caution, options={method: options}
        )
        super().__init__(picture, drawing, autosave=autosave)
        self._applied: Drawing | None = None  # what the state below has been given
        self._heard: Drawing | None = None  # what the CNN has been told
        self._made: tuple[str, dict[str, Any], bool] | None = None  # method, options and prior of the state below
        self._seeds = Seeds.empty()  # those that it has
        self._glimpses = Glimpses(picture, self._grounds.of, lambda drawing: self._finish(drawing) != "photo")
        self._sharing = threading.RLock()  # of glimpses

    def preview(self) -> Colorization:
        """An answer at once: exact near the last change, nearly so elsewhere, before the CNN has heard of it.

        Its ``seeds`` are those that were propagated: a method with a prior needs no automatic ones (`automatic`).

        Raises
        ------
        SeedError
            If there is neither a scribble nor a CNN to go by.
        """
        drawing = self._catch_up()
        answer = self._state.preview()
        return replace(self._colorization(drawing, answer, self._light(drawing, answer)), residual=None)

    def glimpse(
        self, view: Window | None = None, *, hear: bool = False, drawing: Drawing | None = None
    ) -> Glimpse | None:
        """What a part of the picture will look like, at once whatever the picture's size.

        May run in another thread than `refine`, while that computes.

        Parameters
        ----------
        view : (rows, columns), optional
            Slices of the picture, with a step where only every so many-th pixel is shown; all of it by default.
        hear : bool, optional
            Let the CNN hear what was drawn first, and answer only if it had not: for a second glimpse, which takes
            longer than the first.
        drawing : Drawing, optional
            To look at another than the present one, such as one with a stroke that is still being drawn. The session
            stays as it is.

        Returns
        -------
        Glimpse or None
            The part of the view that differs from the last exact answer, and what earlier glimpses since then had
            changed, so that it is shown anew too; None if there is no such part. The whole view before the first exact
            answer, or after a change of settings.

        Raises
        ------
        SeedError
            If there is neither a scribble nor a CNN to go by.
        """
        with self._sharing:
            drawing = drawing or self.drawing
            rows, columns = self.picture.shape
            found = self._glimpses.look(drawing, view or (slice(0, rows), slice(0, columns)), hear=hear)
        if found is None:
            return None
        colours = finished(found.luminance, found.chroma, lightness=found.lightness, **self._put_on(drawing))
        return Glimpse(found.window, screen_rgb(colours, found.chroma))

    def prepare_glimpse(self) -> None:
        """Do now, before the first exact answer or after one, what the next `glimpse` would have to do first."""
        with self._sharing:
            self._glimpses.prepare(self.drawing)

    def refine(self, cancel: Callable[[], bool] | None = None) -> Iterator[Colorization]:
        """Better and better answers, the last as good as that of `hybridcolor.colorize`; ``seeds`` as in `preview`.

        Parameters
        ----------
        cancel : callable, optional
            Asked before the first step and between steps; when it returns True no more answers come. The next
            refinement goes on from there. It may wait, so that another thread has the processor first.

        Raises
        ------
        SeedError
            If there is neither a scribble nor a CNN to go by.
        ConvergenceError
            If a solver cannot reach its tolerance.
        """
        drawing = self._catch_up()
        if self._heard is None or not drawing.drawn_as(self._heard):
            self._heard = drawing
            self._groundwork = self._grounds.of(drawing)
            if self._groundwork.predicted is not None:
                self._state.set_prior(self._groundwork.predicted)
                self._set_seeds(drawing)
        answer: Propagation | None = None
        for answer in self._state.refine(cancel):
            yield self._colorization(drawing, answer, self._light(drawing, answer))
        if answer is None or (cancel and cancel()):
            return
        self._glimpses.answered(drawing, self._groundwork, answer.chroma)
        if not self._lightness.is_exact_at_once and self._light(drawing, answer) is not None:
            yield self._colorization(drawing, answer, self._lightness.exact(self._seeds, answer, cancel))

    def result(self) -> Colorization:
        """The best answer.

        Raises
        ------
        SeedError, ConvergenceError
            As for `refine`.
        """
        *_, best = self.refine()
        return best

    def final(self, drawing: Drawing | None = None) -> Colorization:
        """What `hybridcolor.colorize` makes of a drawing, the present one by default: the same to the bit.

        Raises
        ------
        SeedError, ConvergenceError
            As for `hybridcolor.colorize`.
        """
        drawing = drawing or self.drawing
        predictor = self._grounds.predictor(drawing.model)
        wanted = self._grounds.wanted(drawing) | self._put_on(drawing)
        result = colorize(self.picture, predictor=predictor, **wanted, **drawing.method_options)
        provenance = made_by(
            method=drawing.method,
            model=drawing.model,
            vividness=drawing.vividness,
            caution=drawing.caution,
            options=drawing.method_options,
            session_sha256=hashlib.sha256(document_of(drawing, self.picture)).hexdigest(),
        )
        return replace(result, provenance=provenance)

    @property
    def belief(self) -> ColorDistribution | None:
        """What the CNN thought of every place when it was last asked; None before that, or without one."""
        return None if self._applied is None else self._groundwork.belief

    @property
    def automatic(self) -> Seeds:
        """The automatic seeds, less those dismissed; none before the CNN was first asked, or without one.

        They are as the CNN last spoke. A method that takes its colour as a prior (`hybrid`) does without them: they
        show what it is sure of, `pin` makes strokes of them, to dismiss them changes nothing. `uses_automatic` tells.
        """
        drawing, applied = self.drawing, self._applied
        if applied is None:
            return Seeds.empty()
        if len(drawing.automatic):
            return drawing.automatic
        if drawing.seeded_as(applied):
            return self._groundwork.automatic
        return replace(self._groundwork, **self._grounds.choice(drawing)).automatic

    @property
    def uses_automatic(self) -> bool:
        """Whether automatic seeds take part in the answer."""
        return self._applied is not None and not self._groundwork.suffices(self.drawing.scribbles)

    @property
    def seeds_regions(self) -> bool:
        """Whether there is one automatic seed a region, whatever the confidence: with models of drawings."""
        return self._applied is not None and self._groundwork.seeds_regions

    def count_automatic(self, confidence: float) -> int:
        """How many automatic seeds there would be at another confidence; takes some 20 ms."""
        if self._applied is None:
            return 0
        wanted = self._grounds.choice(self.drawing) | {"confidence": confidence}
        return len(np.unique(replace(self._groundwork, **wanted).automatic.stroke))

    def hear(self, scribbles: Seeds) -> ColorDistribution | None:
        """What the CNN would think had these been drawn; None before it was first asked, or without one.

        For `hybridcolor.advice.variants`.
        """
        reading = None if self._applied is None else self._groundwork.reading
        return None if reading is None else reading.predict(scribbles.take(scribbles.origin == USER))

    def untouched(self) -> NDArray[np.float32] | None:
        """(H, W, 2) colour of the CNN as if nobody had drawn; None before it was asked, or without one."""
        return None if self._applied is None else self._groundwork.told(Seeds.empty()).predicted

    def __reduce__(self) -> NoReturn:
        """A session is of one process, as its locks and what it has computed are."""
        raise TypeError("an EditSession cannot be pickled or copied; save it, and load that into another one")

    def _open(self, drawing: Drawing) -> None:
        """Lay the ground for these settings: the CNN's work, as far as it is not done yet, and the method's."""
        self._groundwork = self._grounds.of(drawing)
        prior = self._groundwork.predicted
        options = self._groundwork.suited(drawing.method, drawing.method_options)
        made = drawing.method, options, prior is not None
        if made != self._made:
            self._state = PropagationState(self.picture.luminance, method=drawing.method, prior=prior, **options)
            self._lightness = LightnessState(
                self.picture.luminance, method=drawing.method, prior=self._groundwork.lightness, **options
            )
            self._made, self._seeds = made, Seeds.empty()
        elif prior is not None:
            self._state.set_prior(prior)
        self._heard = drawing

    def _catch_up(self) -> Drawing:
        """Have the present drawing propagated from here on."""
        drawing, applied = self.drawing, self._applied
        if applied is None or drawing.settings() != applied.settings():
            self._open(drawing)
        elif not drawing.seeded_as(applied):
            self._groundwork = replace(self._groundwork, **self._grounds.choice(drawing))
        if drawing is not self._applied:
            self._applied = drawing
            self._set_seeds(drawing)
        return drawing

    def _set_seeds(self, drawing: Drawing) -> None:
        """Have the scribbles propagated, with the automatic seeds where the method needs them."""
        scribbles = drawing.scribbles
        seeds = scribbles if self._groundwork.suffices(scribbles) else self._groundwork.merged_with(scribbles)
        if seeds is not self._seeds:
            self._state.set_seeds(seeds)
            self._seeds = seeds

    def _finish(self, drawing: Drawing) -> str:
        return drawing.finish or usual_finish(drawing.method, self._grounds.predictor(drawing.model))

    def _put_on(self, drawing: Drawing) -> dict[str, Any]:
        """How colour is put on, as keywords."""
        return {"finish": self._finish(drawing), "tint": drawing.tint}

    def _light(self, drawing: Drawing, answer: Propagation) -> NDArray[np.float32] | None:
        """How light the strokes' colours are in an answer, at once, if that is to be seen."""
        return None if self._finish(drawing) == "photo" else self._lightness.preview(self._seeds, answer)

    def _colorization(
        self, drawing: Drawing, answer: Propagation, lightness: NDArray[np.float32] | None
    ) -> Colorization:
        return Colorization(
            self.picture,
            answer.chroma,
            self._seeds,
            self._groundwork.predicted,
            drawing.method,
            time.perf_counter() - self._changed,
            residual=answer.residual,
            lightness=lightness,
            **self._put_on(drawing),
        )
