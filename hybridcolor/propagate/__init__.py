"""Propagation: from the colour of some pixels to the colour of all, along the picture's own edges.

`propagate` gives one answer; `PropagationState` is the same held open for a person who draws. `PROPAGATORS` names the
methods (`registry`); each has a file of its own.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from hybridcolor.errors import SeedError
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.registry import (
    PROPAGATORS,
    check_options,
    checked_arguments,
    checked_luminance,
    get_propagator,
    has_engine,
    luminance_for,
    propagator_names,
)
from hybridcolor.propagate.state import PropagationState, warm_up
from hybridcolor.seeds import Seeds

__all__ = [
    "PROPAGATORS",
    "Propagation",
    "PropagationState",
    "check_options",
    "get_propagator",
    "has_engine",
    "propagate",
    "propagator_names",
    "warm_up",
]


def propagate(
    luminance: ArrayLike,
    seeds: Seeds,
    *,
    method: str = "hybrid",
    prior: ArrayLike | None = None,
    trust: ArrayLike | None = None,
    affinity: str = "luminance",
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
        One of `propagator_names`: "hybrid", "optimization", "chrominance", "watershed", "flood", "lineart", "levelset",
        or an entry point's.
    prior : (H, W, 2) array-like, optional
        a* and b* that a model proposes. Methods other than "hybrid" have no use for it and leave it aside.
    trust : (H, W) array-like, optional
        How firmly the prior holds, 0..1; see `hybridcolor.propagate.hybrid.hybrid`. Left aside like ``prior``.
    affinity : {"luminance", "pattern"}, optional
        What holds neighbours together: their luminance, or that of screentone and hatching laid flat
        (`hybridcolor.propagate.flattening.flattened`). The methods "lineart" and "levelset" see tones by themselves.
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
        If the method, its option or the affinity is unknown, or an option's value is unfit.
    ConvergenceError
        If a solver cannot reach its tolerance.

    Examples
    --------
    >>> import numpy as np
    >>> luminance = np.full((8, 8), 50.0)
    >>> result = propagate(luminance, Seeds.of([[3, 3]], [[20.0, -5.0]]), method="optimization")
    >>> result.chroma.shape, result.chroma[7, 0].tolist()
    ((8, 8, 2), [20.0, -5.0])
    """
    plane = checked_luminance(luminance)
    seeds.check_inside((plane.shape[0], plane.shape[1]))
    options = checked_arguments(method, plane, prior=prior, trust=trust, options=options)
    if len(seeds) == 0 and options.get("prior") is None:
        raise SeedError(f"method {method!r} has no seed to go by; draw at least one scribble")
    return get_propagator(method)(luminance_for(plane, affinity), seeds, **options)
