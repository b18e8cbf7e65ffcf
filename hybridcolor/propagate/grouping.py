"""Solvers of seeded systems on a lattice of any number of axes, by cycles over groups of nodes (see `cycles`).

For volumes, and for pictures on which the faster `multigrid` fails: groups follow how strongly pixels are linked, not
where they lie. Below 200 bytes a pixel.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse.linalg as spla
from numpy.typing import NDArray

from hybridcolor.propagate.aggregation import Graph
from hybridcolor.propagate.cycles import Hierarchy, Pair
from hybridcolor.propagate.lattice import Lattice, affinity_rows
from hybridcolor.propagate.refinement import iterations_to, refinements
from hybridcolor.propagate.system import SeededSystem, Solution, inner
from hybridcolor.propagate.visits import stationary_visits


def grouped(lattice: Lattice, system: SeededSystem, tolerance: float) -> Solution | None:
    """Conjugate gradients on the cycle. None if the error does not keep shrinking."""
    hierarchy = _hierarchy(lattice, system)
    return _refined(system, hierarchy, hierarchy.cycle, tolerance)


def gcrot(lattice: Lattice, system: SeededSystem, tolerance: float) -> Solution | None:
    """GCROT, which keeps more than the last direction, on a cycle and a sweep; if the cycle overflows, on the sweep.

    E. de Sturler, "Truncation strategies for optimal Krylov subspace methods", 1999, doi 10.1137/S0036142997315950.
    """
    hierarchy = _hierarchy(lattice, system)
    shape = (2, system.pull.size)

    def apply(flat: NDArray[np.float64]) -> NDArray[np.float64]:
        return _image(hierarchy, flat.reshape(shape).astype(np.float32)).ravel().astype(np.float64)

    def precondition(flat: NDArray[np.float64]) -> NDArray[np.float64]:
        load = flat.reshape(shape).astype(np.float32)
        step = hierarchy.cycle(load)
        if not np.isfinite(step).all():
            step[:] = 0
        step += hierarchy.sweep(load - _image(hierarchy, step))
        return step.ravel().astype(np.float64)

    size = system.target.size
    matrix, inverse = (spla.LinearOperator((size, size), step, dtype=np.float64) for step in (apply, precondition))

    def solve(load: Pair) -> Pair:
        flat = load.ravel().astype(np.float64)
        found, failed = spla.gcrotmk(matrix, flat, rtol=1e-2, M=inverse, m=20, k=5, maxiter=50)
        if failed:
            raise np.linalg.LinAlgError("GCROT did not converge")
        return np.asarray(found.reshape(shape), np.float32)

    return _refined(system, hierarchy, solve, tolerance)


def _hierarchy(lattice: Lattice, system: SeededSystem) -> Hierarchy:
    graph = Graph(affinity_rows(system.luminance, lattice).ravel(), lattice.offsets, None)
    return Hierarchy(graph, system.pull.ravel(), stationary_visits(graph, system.pull.size))


def _image(hierarchy: Hierarchy, x: Pair) -> Pair:
    image = np.empty_like(x)
    hierarchy.apply(x, image)
    return image


def _refined(
    system: SeededSystem, hierarchy: Hierarchy, solve: Callable[[Pair], Pair], tolerance: float
) -> Solution | None:
    """Refine with ``solve``, an approximate inverse for (2, n) loads. None if the error does not keep shrinking."""
    shape = system.target.shape

    def cycle(residual: NDArray[np.float32], x: NDArray[np.float32], image: NDArray[np.float32]) -> None:
        step = solve(np.ascontiguousarray(inner(residual)).reshape(2, -1))
        inner(x)[...] = step.reshape(shape)
        inner(image)[...] = _image(hierarchy, step).reshape(shape)

    chroma = system.start()
    weight = hierarchy.visits.reshape(system.pull.shape), system.pull
    iterations = iterations_to(refinements(system, cycle, weight, chroma, tolerance=tolerance))
    return None if iterations is None else system.finish(chroma, iterations)
