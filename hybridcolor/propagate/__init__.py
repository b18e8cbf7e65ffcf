"""Propagation: from the colour of some pixels to the colour of all, along the picture's own edges.

`propagate` is the one entry point; `PROPAGATORS` names the methods. A method is a function
``method(luminance, seeds, *, prior=None, trust=None, **its options) -> Propagation`` that leaves out what it has
no use for. A package can add one under the entry point group ``hybridcolor.propagators``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridcolor.errors import ImageError, MethodError, SeedError
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.seeds import Seeds

__all__ = ["PROPAGATORS", "Propagation", "get_propagator", "propagate", "propagator_names"]

ENTRY_POINTS = "hybridcolor.propagators"

PROPAGATORS: dict[str, str] = {
    "hybrid": "hybridcolor.propagate.hybrid:hybrid",
    "optimization": "hybridcolor.propagate.optimization:optimization",
    "chrominance": "hybridcolor.propagate.chrominance:chrominance",
    "watershed": "hybridcolor.propagate.watershed:watershed",
    "flood": "hybridcolor.propagate.flood:flood",
}
"""Name of each built-in method, and where it lives; a method's kernels load when it is first used."""


def propagate(
    luminance: ArrayLike,
    seeds: Seeds,
    *,
    method: str = "hybrid",
    prior: ArrayLike | None = None,
    trust: ArrayLike | None = None,
    **options: Any,
) -> Propagation:
    """Give every pixel a colour, from seeds and, for methods that take one, a model's prior colour.

    Parameters
    ----------
    luminance : (H, W) array-like
        L* in 0..100.
    seeds : Seeds
        Pixels of known colour. Hard ones keep it exactly, with every method.
    method : str, optional
        One of `propagator_names`: "hybrid", "optimization", "chrominance", "watershed", "flood", or an entry point's.
    prior : (H, W, 2) array-like, optional
        a* and b* that a model proposes. Methods other than "hybrid" have no use for it and leave it aside.
    trust : (H, W) array-like, optional
        How firmly the prior holds, 0..1; see `hybridcolor.propagate.hybrid.hybrid`. Left aside like ``prior``.
    **options
        The method's own options; see its function.

    Returns
    -------
    Propagation

    Raises
    ------
    ImageError
        If the luminance, prior or trust has a wrong shape or value.
    SeedError
        If a seed lies outside the picture, or there is none and nothing else to go by.
    MethodError
        If the method or an option is unknown.
    ConvergenceError
        If a solver cannot reach its tolerance.

    Examples
    --------
    >>> luminance = np.full((8, 8), 50.0)
    >>> result = propagate(luminance, Seeds.of([[3, 3]], [[20.0, -5.0]]), method="optimization")
    >>> result.chroma.shape, result.chroma[7, 0].tolist()
    ((8, 8, 2), [20.0, -5.0])
    """
    function = get_propagator(method)
    known = inspect.signature(function).parameters
    plane = _checked(luminance, "luminance", None, (0.0, 100.0))
    seeds.check_inside((plane.shape[0], plane.shape[1]))
    if prior is not None:
        prior = _checked(prior, "prior", (*plane.shape, 2), (-np.inf, np.inf))
    if trust is not None:
        trust = _checked(trust, "trust", plane.shape, (0.0, 1.0))
    options |= {name: value for name, value in {"prior": prior, "trust": trust}.items() if name in known}
    _check_options(method, options, known)
    if len(seeds) == 0 and options.get("prior") is None:
        raise SeedError(f"method {method!r} has no seed to go by; draw at least one scribble")
    return function(plane, seeds, **options)


def propagator_names() -> list[str]:
    """Names of all methods, built in and added by other packages."""
    return [*PROPAGATORS, *sorted({entry.name for entry in entry_points(group=ENTRY_POINTS)} - set(PROPAGATORS))]


def get_propagator(name: str) -> Callable[..., Propagation]:
    """The function of a method; a built-in one wins over an entry point of the same name.

    Raises
    ------
    MethodError
        If no method has this name, or an entry point cannot be loaded.
    """
    if name in PROPAGATORS:
        module, function = PROPAGATORS[name].split(":")
        built_in: Callable[..., Propagation] = getattr(import_module(module), function)
        return built_in
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        try:
            added: Callable[..., Propagation] = entry.load()
        except Exception as error:  # another package's import may raise anything
            raise MethodError(f"method {name!r} from {entry.value} cannot be loaded: {error}") from error
        return added
    raise MethodError(f"propagation method {name!r} is unknown; known methods are {', '.join(propagator_names())}")


def _checked(
    values: ArrayLike, name: str, shape: tuple[int, ...] | None, bounds: tuple[float, float]
) -> NDArray[np.float32]:
    """A contiguous float32 array of the right shape with finite values in range."""
    array = np.asarray(values)
    if shape is None and (array.ndim != 2 or array.size == 0):
        raise ImageError(f"{name} has shape {array.shape}, expected (rows, columns) of at least one pixel")
    if shape is not None and array.shape != shape:
        raise ImageError(f"{name} has shape {array.shape}, expected {shape} to go with the luminance")
    if array.dtype.kind not in "fiu":
        raise ImageError(f"{name} has type {array.dtype}, expected numbers")
    if not np.isfinite(array).all():
        raise ImageError(f"{name} has values that are not finite; repair or fill them first")
    low, high = bounds
    if array.min() < low or array.max() > high:
        raise ImageError(f"{name} runs from {array.min():g} to {array.max():g}, expected {low:g} to {high:g}")
    return np.ascontiguousarray(array, np.float32)


def _check_options(method: str, options: dict[str, Any], known: Any) -> None:
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values()):
        return
    names = [name for name, parameter in known.items() if parameter.kind is inspect.Parameter.KEYWORD_ONLY]
    for option in options:
        if option not in names:
            own = ", ".join(name for name in names if name not in ("prior", "trust")) or "none"
            raise MethodError(f"method {method!r} has no option {option!r}; its options are {own}")
