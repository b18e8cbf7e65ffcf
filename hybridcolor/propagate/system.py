"""The equations of seeded colour: (I - W + T) x = T s, their true residual, and the shape of a solution.

See `optimization` for what they mean and `affinity` for W. Solvers keep x in rows of both planes with a pixel of
padding, (H + 2, 2, W + 2); `inner` is the same as planes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import affinity_matrix, system_residual
from hybridcolor.seeds import Seeds
from hybridcolor.threads import share_rows


class Solution(NamedTuple):
    """Colours (2, H, W) float64, the largest true residual, and the iterations used."""

    chroma: NDArray[np.float64]
    residual: float
    iterations: int


@dataclass(frozen=True, slots=True, eq=False)
class SeededSystem:
    """(I - W + T) x = T s: the luminance that makes W, the pull T (inf is hard), and the colours s.

    Attributes
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    pull : (H, W) float32
        0 where there is no seed, inf at a hard one.
    target : (2, H, W) float32
        The seeds' a* and b*, 0 elsewhere.
    """

    luminance: NDArray[np.float32]
    pull: NDArray[np.float32]
    target: NDArray[np.float32]

    @classmethod
    def of(cls, luminance: NDArray[np.float32], seeds: Seeds, ab: NDArray[np.float32]) -> SeededSystem:
        """The system of ``seeds``, with ``ab`` (N, 2) in place of their own colours."""
        pull = np.zeros(luminance.shape, np.float32)
        target = np.zeros((2, *luminance.shape), np.float32)
        row, column = seeds.coords.T
        pull[row, column] = seeds.weight
        target[:, row, column] = ab.T
        return cls(luminance, pull, target)

    def start(self) -> NDArray[np.float64]:
        """The hard seeds' colours, 0 elsewhere, as (H + 2, 2, W + 2) rows of both planes with padding."""
        chroma = np.zeros((self.pull.shape[0] + 2, 2, self.pull.shape[1] + 2))
        inner(chroma)[...] = np.where(np.isinf(self.pull), self.target, np.float32(0))
        return chroma

    def residual(self, chroma: NDArray[np.float64]) -> NDArray[np.float32]:
        """How far every pixel is from its equation, in ab units; both arrays padded as in `start`."""
        residual = np.zeros(chroma.shape, np.float32)
        self.fill_residual(chroma, residual)
        return residual

    def fill_residual(
        self, chroma: NDArray[np.float64], residual: NDArray[np.float32], *, single: bool = False
    ) -> None:
        """Write the `residual` into an array at hand; ``single`` as for `system_residual`."""
        system_residual(self.luminance, self.pull, self.target, chroma, residual, single=single)

    def bounds(self) -> NDArray[np.float32]:
        """Least and largest colour of a seed, (2 bounds, 2 planes): between them lies the exact solution."""
        colours = self.target.reshape(2, -1)
        if not self.pull.all():
            colours = colours[:, np.flatnonzero(self.pull)]
        return np.stack([colours.min(axis=1), colours.max(axis=1)])

    def picture(self, chroma: NDArray[np.float64], base: NDArray[np.float32]) -> NDArray[np.float32]:
        """``base`` (H, W, 2) plus padded colours, which are brought into their bounds: that only helps."""
        picture = np.empty_like(base)
        height, width = self.pull.shape
        share_rows(partial(_add_clipped, base, chroma, self.bounds(), picture), height, width=width)
        return picture

    def finish(self, chroma: NDArray[np.float64], iterations: int) -> Solution:
        """Clipped colours, with the true residual."""
        low, high = self.bounds()[:, :, None, None]
        np.clip(inner(chroma), low, high, out=inner(chroma))
        return Solution(inner(chroma), largest(self.residual(chroma)), iterations)

    def affinity(self) -> sp.csr_array:
        """W in float64; a volume has another."""
        return affinity_matrix(self.luminance)

    def matrix(self) -> sp.csc_array:
        """A in float64, for solvers that need it assembled."""
        affinity = self.affinity()
        pull = self.pull.ravel().astype(np.float64)
        free = 1.0 / (1.0 + pull)
        degree = affinity.sum(axis=1)
        walk = sp.diags_array(free) @ (sp.diags_array(degree) - affinity)
        matrix: sp.csc_array = (sp.diags_array(1.0 - free) + walk).tocsc()
        return matrix


def inner(rows: NDArray[Any]) -> NDArray[Any]:
    """The planes (2, H, W) in padded rows, as a view."""
    return rows[1:-1, :, 1:-1].transpose(1, 0, 2)


def largest(values: NDArray[np.floating]) -> float:
    """Largest absolute value, without a copy of all."""
    return float(max(values.max(), -values.min()))


@njit(cache=True, nogil=True)
def _add_clipped(base, rows, bounds, picture, first, last):  # type: ignore[no-untyped-def]
    for i in range(first, last):
        for j in range(picture.shape[1]):
            for c in range(2):
                colour = min(max(np.float32(rows[i + 1, c, j + 1]), bounds[0, c]), bounds[1, c])
                picture[i, j, c] = base[i, j, c] + colour
