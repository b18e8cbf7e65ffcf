"""How light each pixel's colour is to be on blank paper: the lightness of strokes, spread as their colours are.

A stroke on gray says more of blank paper: as much lighter than the stroke as paper is than the gray, so that shading
stays. Where a method gives each pixel the colour of one stroke, the pixel is as light as that stroke; other methods
spread the lightness as they spread a* and b*. Only drawings show it (`hybridcolor.painting.finished`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.brushes import ranked
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.state import PropagationState
from hybridcolor.seeds import FULL_LIGHTNESS, Seeds

Plane = NDArray[np.float32]

OF_ONE_STROKE = ("watershed", "flood", "lineart", "levelset")
"""Methods whose pixels have the colour of the stroke that they belong to, by their label."""


class LightnessState:
    """The lightness that goes with the answers of a `PropagationState`, held open like that.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    prior : (H, W) float32 or float or None
        L* on blank paper of the colours that a network proposes; None without one.
    method, **options
        As for `PropagationState`.

    Attributes
    ----------
    is_exact_at_once : bool
        Whether a preview is as good as the exact answer.

    Examples
    --------
    >>> luminance = np.full((1, 4), 100, np.float32)
    >>> state = LightnessState(luminance, method="optimization", prior=None)
    >>> seeds = Seeds.of([[0, 0]], [[20, 30]], lightness=25)
    >>> state.exact(seeds, Propagation(np.zeros((1, 4, 2), np.float32))).round(3).tolist()
    [[25.0, 25.0, 25.0, 25.0]]
    """

    def __init__(self, luminance: Plane, *, method: str, prior: Plane | float | None, **options: Any) -> None:
        self.is_exact_at_once = method in OF_ONE_STROKE
        self._luminance, self._prior, self._arguments = luminance, prior, {"method": method, **options}
        self._state: PropagationState | None = None  # of other methods, from the first lightness on
        self._seeds = self._paper_seeds = Seeds.empty()
        self._set: Seeds | None = None  # in that state
        self._last: Plane | None = None

    def preview(self, seeds: Seeds, answer: Propagation) -> Plane | None:
        """(H, W) L* at once, as good as a preview; None if neither seeds nor prior ask for any."""
        return self._plane(seeds, answer, PropagationState.preview)

    def exact(self, seeds: Seeds, answer: Propagation, cancel: Callable[[], bool] | None = None) -> Plane | None:
        """(H, W) L*; None if neither seeds nor prior ask for any. A preview of it once ``cancel`` returns True.

        Raises
        ------
        ConvergenceError
            If a solver cannot reach its tolerance.
        """

        def refined(state: PropagationState) -> Propagation:
            best = state.preview()
            for best in state.refine(cancel):  # noqa: B007  # the last
                pass
            return best

        return self._plane(seeds, answer, refined)

    def _plane(self, seeds: Seeds, answer: Propagation, ask: Callable[[PropagationState], Propagation]) -> Plane | None:
        if (seeds.lightness == FULL_LIGHTNESS).all() and not isinstance(self._prior, np.ndarray):
            return None
        seeds = self._on_paper(seeds)
        if self.is_exact_at_once:
            if answer.label is not None:  # else it is a preview that only lays seeds on the answer before
                self._last = _of_labels(answer.label, seeds)
            return self._last
        if self._state is None:
            prior = None if self._prior is None else np.broadcast_to(self._prior, self._luminance.shape)
            self._state = PropagationState(
                self._luminance, prior=None if prior is None else _as_chroma(prior), **self._arguments
            )
        if seeds is not self._set:
            self._state.set_seeds(replace(seeds, ab=_as_chroma(seeds.lightness)))
            self._set = seeds
        light = ask(self._state).chroma[..., 0] + FULL_LIGHTNESS
        return np.asarray(light.clip(0, FULL_LIGHTNESS), np.float32)

    def _on_paper(self, seeds: Seeds) -> Seeds:
        """The seeds with the lightness that they would have had if they had been drawn on blank paper."""
        if seeds is not self._seeds:
            light = seeds.lightness / np.maximum(_ground(seeds, self._luminance), 1) * FULL_LIGHTNESS
            self._seeds, self._paper_seeds = seeds, replace(seeds, lightness=np.minimum(light, FULL_LIGHTNESS))
        return self._paper_seeds


def _as_chroma(lightness: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., 2) lightness as a* and b*, to be propagated like them; white is gray."""
    darkness = lightness - FULL_LIGHTNESS
    return np.stack([darkness, np.zeros_like(darkness)], axis=-1).astype(np.float32)


def _ground(seeds: Seeds, luminance: Plane) -> Plane:
    """(N,) L* of what each seed's stroke lies on: of its lighter pixels, as it may cross lines and tone."""
    level: Plane = luminance[tuple(seeds.coords.T)]
    number = np.unique(seeds.stroke, return_inverse=True)[1]
    ground: Plane = level[ranked(number, level, 0.9)][number]
    return ground


def _of_labels(label: NDArray[np.int32], seeds: Seeds) -> Plane:
    """Each pixel as light as the stroke that it belongs to."""
    stroke, one = np.unique(seeds.stroke, return_index=True)
    light: Plane = seeds.lightness[one[np.searchsorted(stroke, label).clip(0, len(stroke) - 1)]]
    return light
