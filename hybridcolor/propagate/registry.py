"""The propagation methods by name, and the checks that every call to one begins with.

A method is a function ``method(luminance, seeds, *, prior=None, trust=None, **its options) -> Propagation`` that
leaves out what it has no use for. A package can add one under the entry point group ``hybridcolor.propagators``.
Kernels load when a method is first used: this file imports none. `propagate` and `PropagationState` begin here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from importlib import import_module
from importlib.metadata import entry_points
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridcolor.errors import ImageError, MethodError
from hybridcolor.propagate.propagation import Propagation

if TYPE_CHECKING:
    from hybridcolor.seeds import Seeds

ENTRY_POINTS = "hybridcolor.propagators"

PROPAGATORS: dict[str, str] = {
    "hybrid": "hybridcolor.propagate.hybrid:hybrid",
    "optimization": "hybridcolor.propagate.optimization:optimization",
    "chrominance": "hybridcolor.propagate.chrominance:chrominance",
    "watershed": "hybridcolor.propagate.watershed:watershed",
    "flood": "hybridcolor.propagate.flood:flood",
    "lineart": "hybridcolor.propagate.lineart:lineart",
    "levelset": "hybridcolor.propagate.levelset:levelset",
}
"""Name of each built-in method, and where it lives; a method's kernels load when it is first used."""

ENGINES: dict[str, str] = {
    "hybrid": "hybridcolor.propagate.levin_state:HybridState",
    "optimization": "hybridcolor.propagate.levin_state:OptimizationState",
    "chrominance": "hybridcolor.propagate.chrominance:ChrominanceState",
    "lineart": "hybridcolor.propagate.lineart:LineartState",
    "levelset": "hybridcolor.propagate.levelset:LevelsetState",
}
"""Where the incremental form of a built-in method lives, for those that have one; see `hybridcolor.propagate.state`."""

ANY_FLOAT = float(np.finfo(np.float32).min), float(np.finfo(np.float32).max)
_GIVEN = ("prior", "trust")  # keywords of a method that are no options: they come from a predictor
_KINDS: dict[type, type] = {bool: bool, int: Integral, float: Real, str: str}  # of an option's default: of its values


def propagator_names() -> list[str]:
    """Names of all methods, built in and added by other packages."""
    return [*PROPAGATORS, *sorted({entry.name for entry in entry_points(group=ENTRY_POINTS)} - set(PROPAGATORS))]


def get_propagator(name: str) -> Callable[..., Propagation]:
    """The function of a method; a built-in one wins over an entry point of the same name, whose answers are checked.

    Raises
    ------
    MethodError
        If no method has this name, or an entry point cannot be loaded.
    """
    if name in PROPAGATORS:
        built_in: Callable[..., Propagation] = _load(PROPAGATORS[name])
        return built_in
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        try:
            added: Callable[..., Propagation] = entry.load()
        except Exception as error:  # another package's import may raise anything
            raise MethodError(f"method {name!r} from {entry.value} cannot be loaded: {error}") from error
        return _checking(name, added)
    raise MethodError(f"propagation method {name!r} is unknown; known methods are {', '.join(propagator_names())}")


def get_engine(name: str) -> Callable[..., Any] | None:
    """The incremental form of a method, or None if it has none."""
    return _load(ENGINES[name]) if name in ENGINES else None


def has_engine(name: str) -> bool:
    """Whether a method has an incremental form, and so a preview that is more than the seeds on the last answer."""
    return name in ENGINES


def luminance_for(luminance: NDArray[np.float32], affinity: str) -> NDArray[np.float32]:
    """The luminance that a method is given: as it is, or, for the affinity "pattern", with patterns laid flat.

    Raises
    ------
    MethodError
        If the affinity is unknown.
    """
    if affinity == "luminance":
        return luminance
    if affinity != "pattern":
        raise MethodError(f'affinity is {affinity!r}, expected "luminance" or "pattern"')
    flat: NDArray[np.float32] = _load("hybridcolor.propagate.flattening:flattened")(luminance)
    return flat


def checked_luminance(luminance: ArrayLike) -> NDArray[np.float32]:
    """L* as a contiguous float32 plane.

    Raises
    ------
    ImageError
        If it is not a plane of finite numbers in 0..100.
    """
    return checked_values(luminance, "luminance", None, (0.0, 100.0))


def checked_arguments(
    method: str,
    luminance: NDArray[np.float32],
    *,
    prior: ArrayLike | None,
    trust: ArrayLike | None,
    options: dict[str, Any],
) -> dict[str, Any]:
    """All keyword arguments for a method's function: its options, and prior and trust if it takes them.

    Raises
    ------
    ImageError
        If prior or trust has another size than the luminance, or unfit values.
    MethodError
        If the method or an option is unknown.
    """
    check_options(method, options)
    known = inspect.signature(get_propagator(method)).parameters
    if prior is not None:
        prior = checked_values(prior, "prior", (*luminance.shape, 2), ANY_FLOAT)
    if trust is not None:
        trust = checked_values(trust, "trust", luminance.shape, (0.0, 1.0))
    return options | {name: value for name, value in {"prior": prior, "trust": trust}.items() if name in known}


def checked_values(
    values: ArrayLike, name: str, shape: tuple[int, ...] | None, bounds: tuple[float, float]
) -> NDArray[np.float32]:
    """An array of finite values in range, as contiguous float32.

    Parameters
    ----------
    values : array-like
    name : str
        What to call it in an error.
    shape : tuple of int or None
        The shape that it must have; None for any plane of at least one pixel.
    bounds : two floats
        Least and largest value allowed.

    Raises
    ------
    ImageError
        If the shape, the type or a value is unfit.
    """
    array = np.asarray(values)
    if shape is None and (array.ndim != 2 or array.size == 0):
        raise ImageError(f"{name} has shape {array.shape}, expected (rows, columns) of at least one pixel")
    if shape is not None and array.shape != shape:
        raise ImageError(f"{name} has shape {array.shape}, expected {shape} to go with the luminance")
    if array.dtype.kind not in "fiu":
        raise ImageError(f"{name} has type {array.dtype}, expected numbers")
    least, most = float(array.min()), float(array.max())  # bounds may be beyond the array's own type
    if not np.isfinite([least, most]).all():  # one NaN makes both NaN
        raise ImageError(f"{name} has values that are not finite; repair or fill them first")
    low, high = bounds
    if least < low or most > high:
        raise ImageError(f"{name} runs from {least:g} to {most:g}, expected {low:g} to {high:g}")
    return np.ascontiguousarray(array, np.float32)


def check_options(method: str, options: Mapping[str, Any]) -> None:
    """Refuse options that a method does not have, and values of another type than the option's default.

    Raises
    ------
    MethodError
        If the method or an option is unknown, or a value is of another type.

    Examples
    --------
    >>> check_options("chrominance", {"power": 2})
    """
    known = inspect.signature(get_propagator(method)).parameters
    own = {name: each for name, each in known.items() if each.kind is each.KEYWORD_ONLY and name not in _GIVEN}
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values())
    for option, value in options.items():
        if option in _GIVEN or (option not in own and not takes_any):
            raise MethodError(f"method {method!r} has no option {option!r}; its options are {', '.join(own) or 'none'}")
        default = own[option].default if option in own else None
        kind = next((kind for kind in _KINDS if isinstance(default, kind)), object)
        if not isinstance(value, _KINDS.get(kind, object)) or (isinstance(value, bool) and kind in (int, float)):
            raise MethodError(
                f"option {option!r} of method {method!r} is {value!r}, expected something like {default!r}"
            )


def _checking(name: str, added: Callable[..., Any]) -> Callable[..., Propagation]:
    """A method of another package, whose answers are looked at before anything is made of them."""

    @wraps(added)
    def checked(luminance: NDArray[np.float32], seeds: Seeds, **arguments: Any) -> Propagation:
        answer = added(luminance, seeds, **arguments)
        if not isinstance(answer, Propagation):
            raise MethodError(f"method {name!r} answers {type(answer).__name__}, expected a Propagation")
        chroma = checked_values(answer.chroma, f"the chroma of method {name!r}", (*luminance.shape, 2), ANY_FLOAT)
        return replace(answer, chroma=chroma)

    return checked


def _load(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(module), name)
