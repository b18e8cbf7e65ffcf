"""Seeded systems by LU factors: slow and large, and right where multigrid cannot be trusted.

SuperLU takes the pixels in the order of nested dissection (A. George, "Nested dissection of a regular finite element
mesh", 1973, doi 10.1137/0710032) and without pivots, since every row is dominant: a sixth of the time of its own order
and three fifths of the memory (at 1 megapixel).
"""

from __future__ import annotations

from math import prod

import numpy as np
import scipy.sparse.linalg as spla
from numpy.typing import NDArray

from hybridcolor.memory import free_memory
from hybridcolor.propagate.refinement import CAUTION, MOST_RENEWALS, Watch
from hybridcolor.propagate.system import SeededSystem, Solution, inner, largest

FACTORS = 2400
"""Bytes a pixel that factors take, measured up to 4 megapixels; they grow by the logarithm of the picture."""
SHARE = 0.5
"""Share of the free memory that factors may take."""
UNKNOWN = 360_000
"""Pixels that fit where no system says how much memory is free."""
LEAF = 64
"""Blocks of at most so many pixels are not dissected further."""


def fits(pixels: int) -> bool:
    """Whether there is memory for the factors of so large a picture.

    Examples
    --------
    >>> fits(10), fits(10**12)
    (True, False)
    """
    free = free_memory()
    return pixels <= UNKNOWN if free is None else FACTORS * pixels <= SHARE * free


def factored(system: SeededSystem, tolerance: float, *, shape: tuple[int, ...] | None = None) -> Solution | None:
    """Solve in float64, and refine that until a residual found anew is small. None if the error does not shrink.

    Parameters
    ----------
    system : SeededSystem
    tolerance : float
        Largest error wanted at any pixel, in ab units.
    shape : tuple of int, optional
        Of the grid, where it has more than the two axes of the system's arrays.
    """
    order = nested_dissection(shape or system.pull.shape)
    dissected = system.matrix()[order][:, order]
    options = {"SymmetricMode": True}
    factors = spla.splu(dissected, permc_spec="NATURAL", diag_pivot_thresh=0.0, options=options)
    chroma = system.start()
    watch = Watch()
    for iteration in range(1, MOST_RENEWALS + 1):
        residual = system.residual(chroma)
        step = np.empty((2, system.pull.size))
        step[:, order] = factors.solve(inner(residual).reshape(2, -1).T[order].astype(np.float64)).T
        change = float(np.abs(step).max())
        if not np.isfinite(change):
            return None
        inner(chroma)[...] += step.reshape(system.target.shape)
        error = CAUTION * watch.error(change)
        if iteration > 1 and error <= tolerance and largest(residual) <= tolerance:
            return system.finish(chroma, iteration)
    return None


def nested_dissection(shape: tuple[int, ...]) -> NDArray[np.intp]:
    """The nodes of a grid ordered so that both halves of a block come before the line, or plane, between them.

    Examples
    --------
    >>> int(nested_dissection((100, 1))[-1])
    50
    """

    def order(block: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        if block.size <= LEAF:
            return [block.ravel()]
        block = np.moveaxis(block, int(np.argmax(block.shape)), 0)
        middle = len(block) // 2
        return [*order(block[:middle]), *order(block[middle + 1 :]), block[middle].ravel()]

    return np.concatenate(order(np.arange(prod(shape)).reshape(shape)))
