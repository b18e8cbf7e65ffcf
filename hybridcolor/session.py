"""A picture held open while a person draws: every change of the scribbles is answered at once, then exactly.

The plugin is a view over `EditSession`; scripts and notebooks may use it as it is. Knows no window. It is not for
several threads at once; to stop a refinement from another thread, let its ``cancel`` see a flag.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from hybridcolor.bins import DEFAULT_VIVIDNESS
from hybridcolor.picture import Picture
from hybridcolor.pipeline import Colorization, Groundwork
from hybridcolor.propagate import Propagation, PropagationState
from hybridcolor.seeds import Seeds

if TYPE_CHECKING:
    from hybridcolor.predict import Predictor


class EditSession:
    """`colorize`, for a person who draws stroke after stroke on one picture.

    Parameters
    ----------
    picture, predictor, method, vividness, **options
        As for `hybridcolor.colorize`. The CNN looks at the picture once; one that takes hints hears every change.

    Raises
    ------
    MethodError
        If the method or an option is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> session = EditSession(Picture.from_array(np.full((8, 8), 120, np.uint8)), method="optimization")
    >>> session.set_scribbles(Seeds.of([[4, 4]], [[30.0, 20.0]]))
    >>> *_, answer = session.refine()
    >>> answer.chroma[0, 0].round().tolist()
    [30.0, 20.0]
    """

    def __init__(
        self,
        picture: Picture,
        *,
        predictor: Predictor | None = None,
        method: str = "hybrid",
        vividness: float = DEFAULT_VIVIDNESS,
        **options: Any,
    ) -> None:
        self._groundwork = Groundwork.of(
            picture, predictor=predictor, method=method, vividness=vividness, scribbles=Seeds.empty()
        )
        predicted = self._groundwork.predicted
        self._state = PropagationState(picture.luminance, method=method, prior=predicted, **options)
        self._method = method
        self._scribbles = Seeds.empty()
        self._seeds: Seeds | None = None
        self._told = True  # whether the CNN has heard the scribbles as they are
        self._changed = time.perf_counter()
        self.set_scribbles(Seeds.empty())

    @property
    def picture(self) -> Picture:
        """The picture that is coloured."""
        return self._groundwork.picture

    def set_scribbles(self, scribbles: Seeds) -> None:
        """Replace what the person drew.

        Raises
        ------
        SeedError
            If a scribble lies outside the picture; the session is then as before.
        """
        self._changed = time.perf_counter()
        scribbles.check_inside(self.picture.shape)
        self._told = self._groundwork.reading is None or (len(scribbles) == len(self._scribbles) == 0)
        self._scribbles = scribbles
        self._set_seeds()

    def preview(self) -> Colorization:
        """An answer at once: exact near the last change, nearly so elsewhere, before the CNN has heard of it.

        Its ``seeds`` are those that were propagated; to merge the others takes longer than the preview.

        Raises
        ------
        SeedError
            If there is neither a scribble nor a CNN to go by.
        """
        return self._colorization(self._state.preview(), self._scribbles if self._seeds is None else self._seeds)

    def refine(self, cancel: Callable[[], bool] | None = None) -> Iterator[Colorization]:
        """Better and better answers, the last as good as that of `hybridcolor.colorize`.

        Parameters
        ----------
        cancel : callable, optional
            Asked between steps; when it returns True no more answers come. The next refinement goes on from there.

        Raises
        ------
        SeedError
            If there is neither a scribble nor a CNN to go by.
        ConvergenceError
            If a solver cannot reach its tolerance.
        """
        if not self._told:
            self._groundwork, self._told = self._groundwork.told(self._scribbles), True
            if self._groundwork.predicted is not None:
                self._state.set_prior(self._groundwork.predicted)
            self._set_seeds()
        for answer in self._state.refine(cancel):
            if self._seeds is None:
                self._seeds = self._groundwork.merged_with(self._scribbles)
            yield self._colorization(answer, self._seeds)

    def _set_seeds(self) -> None:
        """Have the scribbles propagated, with the automatic seeds where the method needs them."""
        suffices = self._groundwork.suffices(self._scribbles)
        self._seeds = None if suffices else self._groundwork.merged_with(self._scribbles)
        self._state.set_seeds(self._scribbles if self._seeds is None else self._seeds)

    def _colorization(self, answer: Propagation, seeds: Seeds) -> Colorization:
        seconds = time.perf_counter() - self._changed
        return Colorization(self.picture, answer.chroma, seeds, self._groundwork.predicted, self._method, seconds)
