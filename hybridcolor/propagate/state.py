"""Propagation held open: strokes come and go, and only what a change affects is computed anew.

`PropagationState` keeps a person's strokes in the order they were drawn, and one *engine*: a method's own way to go on
from its last answer. Methods without one are computed anew. It is not for several threads at once; to stop a
refinement from another thread, let its ``cancel`` see a flag.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridcolor.errors import SeedError
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.registry import (
    ANY_FLOAT,
    checked_arguments,
    checked_luminance,
    checked_values,
    get_engine,
    get_propagator,
    luminance_for,
)
from hybridcolor.seeds import Seeds, overlay
from hybridcolor.threads import COMPILED


class Engine(Protocol):
    """The incremental form of a method: it goes on from its last answer. Made as ``Engine(luminance, **arguments)``.

    `PropagationState` checks all input, and asks for answers only where there is a seed or a prior.
    """

    def set_seeds(self, seeds: Seeds) -> None:
        """Take a new set of seeds, and find out what changed."""

    def set_prior(self, prior: NDArray[np.float32]) -> None:
        """Take another prior; called only for methods that were given one."""

    def preview(self) -> Propagation:
        """An answer at once, good near the last change."""

    def refine(self, cancel: Callable[[], bool], /) -> Iterator[Propagation]:
        """Better and better answers, the last as good as the method's own; fewer once ``cancel`` returns True."""


class Recomputation:
    """The engine of methods that have none: every refinement computes the whole answer."""

    def __init__(self, compute: Callable[..., Propagation], start: NDArray[np.float32]) -> None:
        self._compute = compute
        self._seeds = Seeds.empty()
        self._last = Propagation(start)

    def set_seeds(self, seeds: Seeds) -> None:
        """Take a new set of seeds."""
        self._seeds = seeds

    def set_prior(self, prior: NDArray[np.float32]) -> None:
        """Take another prior."""
        self._compute = partial(self._compute, prior=prior)

    def preview(self) -> Propagation:
        """The last answer with the seeds' colours laid on it."""
        chroma = self._last.chroma.copy()
        row, column = self._seeds.coords.T
        chroma[row, column] = self._seeds.ab
        return Propagation(chroma)

    def refine(self, cancel: Callable[[], bool], /) -> Iterator[Propagation]:
        """The answer."""
        if cancel():
            return
        self._last = self._compute(self._seeds)
        yield self._last


class PropagationState:
    """A picture, its strokes and their propagation, kept up to date as strokes are added, moved and removed.

    Parameters
    ----------
    luminance, method, prior, trust, affinity, **options
        As for `hybridcolor.propagate.propagate`.

    Raises
    ------
    ImageError, MethodError
        As `hybridcolor.propagate.propagate`.

    Examples
    --------
    >>> state = PropagationState(np.full((8, 8), 50.0), method="optimization")
    >>> state.add(Seeds.of([[3, 3]], [[20.0, -5.0]], stroke=1))
    >>> state.add(Seeds.of([[3, 4]], [[0.0, 9.0]], stroke=2))
    >>> state.remove(2)
    >>> *_, answer = state.refine()
    >>> answer.chroma[7, 0].round(3).tolist()
    [20.0, -5.0]
    """

    def __init__(
        self,
        luminance: ArrayLike,
        *,
        method: str = "hybrid",
        prior: ArrayLike | None = None,
        trust: ArrayLike | None = None,
        affinity: str = "luminance",
        **options: Any,
    ) -> None:
        plane = luminance_for(checked_luminance(luminance), affinity)
        options = checked_arguments(method, plane, prior=prior, trust=trust, options=options)
        self._method = method
        self._shape = (plane.shape[0], plane.shape[1])
        self._has_prior = options.get("prior") is not None
        make = get_engine(method)
        start = options["prior"] if self._has_prior else np.zeros((*self._shape, 2), np.float32)
        self._engine: Engine = (
            Recomputation(partial(get_propagator(method), plane, **options), start)
            if make is None
            else make(plane, **options)
        )
        self._layers: list[Seeds] = []
        self._seeds = Seeds.empty()
        self._changes = 0

    @property
    def seeds(self) -> Seeds:
        """The strokes' pixels; where strokes cross, those of the one drawn last."""
        return self._seeds

    def set_seeds(self, seeds: Seeds) -> None:
        """Replace all strokes.

        Raises
        ------
        SeedError
            If a seed lies outside the picture; the state is then as before.
        """
        self._lay([seeds])

    def set_prior(self, prior: ArrayLike) -> None:
        """Replace the colour that a model proposes; ignored if the state was made without one or its method takes none.

        Parameters
        ----------
        prior : (H, W, 2) array-like
            a* and b*.

        Raises
        ------
        ImageError
            If its shape or a value is unfit; the state is then as before.
        """
        checked = checked_values(prior, "prior", (*self._shape, 2), ANY_FLOAT)
        if self._has_prior:
            self._changes += 1
            self._engine.set_prior(checked)

    def add(self, seeds: Seeds) -> None:
        """Draw strokes over those that are there; a stroke whose id is known moves to its new place, on top.

        Raises
        ------
        SeedError
            If a seed lies outside the picture; the state is then as before.
        """
        self._lay([*self._without(np.unique(seeds.stroke)), seeds])

    def remove(self, *strokes: int) -> None:
        """Take strokes away; what they covered shows again.

        Raises
        ------
        SeedError
            If no stroke has this id; the state is then as before.
        """
        unknown = set(strokes) - {int(stroke) for layer in self._layers for stroke in np.unique(layer.stroke)}
        if unknown:
            raise SeedError(
                f"there is no stroke {min(unknown)} to remove; see the stroke ids of PropagationState.seeds"
            )
        self._lay(self._without(np.array(strokes)))

    def preview(self) -> Propagation:
        """An answer at once: good near the last change, and as it was before elsewhere.

        Raises
        ------
        SeedError
            If there is no seed, and no prior to go by.
        """
        self._check_seeded()
        return self._engine.preview()

    def refine(self, cancel: Callable[[], bool] | None = None) -> Iterator[Propagation]:
        """Better and better answers; the last is as good as that of `hybridcolor.propagate.propagate`.

        Parameters
        ----------
        cancel : callable, optional
            Asked after each answer; by `optimization` and `hybrid` also before the first, and after each step toward
            one, some 30 ms apart at 1 megapixel. When it returns True no more answers come. The next refinement goes
            on from there.

        Yields
        ------
        Propagation
            Each replaces the one before. A change of the strokes ends the iteration too.

        Raises
        ------
        SeedError
            If there is no seed, and no prior to go by.
        ConvergenceError
            If a solver cannot reach its tolerance.
        """
        self._check_seeded()
        changes = self._changes

        def stop() -> bool:
            return self._changes != changes or (cancel is not None and cancel())

        for answer in self._engine.refine(stop):
            yield answer
            if stop():
                return

    def __reduce__(self) -> NoReturn:
        """A copy would not be whole: engines share memory between their parts."""
        raise TypeError("a PropagationState cannot be pickled or copied; make another one, and set its seeds")

    def _without(self, strokes: NDArray[np.integer[Any]]) -> list[Seeds]:
        kept = (layer.take(~np.isin(layer.stroke, strokes)) for layer in self._layers)
        return [layer for layer in kept if len(layer)]

    def _lay(self, layers: list[Seeds]) -> None:
        for layer in layers:
            layer.check_inside(self._shape)
        self._layers = layers
        self._seeds = overlay(layers)
        self._changes += 1
        self._engine.set_seeds(self._seeds)

    def _check_seeded(self) -> None:
        if len(self._seeds) == 0 and not self._has_prior:
            raise SeedError(f"method {self._method!r} has no seed to go by; draw at least one scribble")


_WARM_UP = "import sys; from hybridcolor.propagate import warm_up; warm_up(sys.argv[1])"


def warm_up(method: str = "hybrid", *, aside: bool = False) -> None:
    """Compile what a method needs, or load it from the cache, so that nobody who draws has to wait for it.

    Takes some 20 to 60 seconds the first time on a machine and a second after that. May run in a thread of its own.

    Parameters
    ----------
    method : str
        Name of a registered method.
    aside : bool
        Whether a process of its own is to compile what this machine never has. Numba compiles one function at a time
        in a process, and all that others need meanwhile would have to wait for it. Solvers here wait for that process.

    Raises
    ------
    MethodError
        If no method has this name.

    Examples
    --------
    >>> warm_up("watershed")
    """
    if aside and sys.executable and not _was_compiled(method):
        command = [sys.executable, "-c", _WARM_UP, method]
        COMPILED.clear()
        try:
            subprocess.run(command, check=False, capture_output=True)  # noqa: S603  # Python, and a method's name
        except OSError:
            pass  # it is done here
        finally:
            COMPILED.set()
    row, column = np.indices((96, 100))
    luminance = 50 + 40 * np.sin(row / 7) * np.cos(column / 9)
    state = PropagationState(luminance, method=method, prior=np.zeros((96, 100, 2)))
    for number, place in enumerate(([3, 3], [90, 90], [40, 50])):
        state.add(Seeds.of([place], [9.0, 9.0], stroke=number))
        state.preview()
        for _ in state.refine():
            pass


def _was_compiled(method: str) -> bool:
    """Whether the functions of a method's engine lie in numba's cache, of this version or of one before."""
    engine = get_engine(method)
    if engine is None:
        return True
    functions = [each for each in vars(sys.modules[engine.__module__]).values() if hasattr(each, "stats")]
    return all(any(Path(each.stats.cache_path).glob(f"*.{each.__name__}-*.nbi")) for each in functions)
