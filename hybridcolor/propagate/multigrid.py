"""Multigrid on the pixel grid: an approximate inverse of q + (1 - q)(I - W) for seeded pixels.

Each coarser operator is the Galerkin product P^T Pi A P, where Pi = diag(pi) and pi is the stationary vector of
W: Pi A has a symmetric part that is a graph Laplacian (see `stationary`), and Galerkin coarsening keeps that. Pi
enters once, in the finest restriction; interpolation does not change when rows are scaled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import planes_to_matrix
from hybridcolor.propagate.coarsening import coarsen, interpolate
from hybridcolor.propagate.krylov import conjugate_residuals
from hybridcolor.propagate.pockets import find_pockets
from hybridcolor.propagate.smoothing import ascend, descend
from hybridcolor.propagate.stationary import stationary_vector

STEPS = (0, 3, 3)
"""Krylov steps on the coarser levels 1 and 2, where they pay; 2 on all below."""
COARSEST = 400

Planes = NDArray[np.float32]
NONE = np.empty((0, 0), np.float32)


@dataclass(slots=True)
class _Level:
    operator: tuple[Planes, Planes, Planes, Planes]  # luminance, pull, visits of the finest; rows of a coarser one
    prolongation: Planes  # (h' + 2, 9, w' + 2), see `transfer`
    coarse_load: Planes  # (h' + 2, 2, w' + 2) work space, as below
    coarse_answer: Planes
    work: list[Planes] = field(default_factory=list)


class Hierarchy:
    """Every level of one seeded operator, ready to be applied as an approximate inverse.

    Parameters
    ----------
    luminance : (H, W) float32
    pull : (H, W) float32
        Pull T of every pixel toward its own colour, 0..inf.
    visits : (H, W) float32, optional
        The picture's stationary vector, if already known.
    """

    def __init__(self, luminance: Planes, pull: NDArray[np.float32], visits: NDArray[np.float32] | None = None) -> None:
        if visits is None:
            visits = stationary_vector(luminance)
        self.pockets = find_pockets(luminance, pull)
        self.levels: list[_Level] = []
        operator = (luminance, pull, visits, np.empty((0, 10, 0), np.float32))
        shape = luminance.shape
        while shape[0] * shape[1] > COARSEST or not self.levels:
            coarse_shape = ((shape[0] + 1) // 2, (shape[1] + 1) // 2)
            prolongation = np.zeros((coarse_shape[0] + 2, 9, coarse_shape[1] + 2), np.float32)
            missing = np.zeros((shape[0] + 2, 1, shape[1] + 2), np.float32)
            interpolate(operator, prolongation, missing)
            coarse = np.empty((coarse_shape[0], 10, coarse_shape[1]), np.float32)
            coarsen(operator, prolongation, missing, coarse)
            self.levels.append(_Level(operator, prolongation, padded(coarse_shape), padded(coarse_shape)))
            operator = (NONE, NONE, stationary_vector(NONE, coarse), coarse)
            shape = coarse_shape
        for level in self.levels[1:]:
            rows, _, columns = level.operator[3].shape
            level.work = [padded((rows, columns)) for _ in range(4)]
        self._inverse = _dense_inverse(operator[3])

    def cycle(self, load: Planes, x: Planes, image: Planes, depth: int = 0) -> None:
        """Write x, an approximate solution of A x = load, and image = A x: one V at this level, below it a K.

        On coarser levels the solver is the same conjugate residuals, a few steps of it (Y. Notay, P. Vassilevski,
        "Recursive Krylov-based multigrid cycles", 2008, doi 10.1002/nla.542): where a coarse operator is hard to
        coarsen further, plain cycles lose more on every level.
        """
        level = self.levels[depth]
        descend(level.operator, level.prolongation, load, x, level.coarse_load)
        self._solve(depth + 1, level.coarse_load, level.coarse_answer)
        ascend(level.operator, level.prolongation, load, level.coarse_answer, x, image)

    def _solve(self, depth: int, load: Planes, answer: Planes) -> None:
        if depth == len(self.levels):
            flat = load[1:-1, :, 1:-1].transpose(1, 0, 2).reshape(2, -1).astype(np.float64)
            rows, columns = load.shape[0] - 2, load.shape[2] - 2
            answer[1:-1, :, 1:-1] = (flat @ self._inverse.T).reshape(2, rows, columns).transpose(1, 0, 2)
            return
        answer[:] = 0

        def cycle(residual: Planes, x: Planes, image: Planes) -> None:
            self.cycle(residual, x, image, depth)

        steps = conjugate_residuals(cycle, load, answer, self.levels[depth].work)
        for _ in islice(steps, STEPS[depth] if depth < len(STEPS) else 2):
            pass


def padded(shape: tuple[int, int]) -> Planes:
    """Zeros for two planes of a grid, in rows with padding: (h + 2, 2, w + 2)."""
    return np.zeros((shape[0] + 2, 2, shape[1] + 2), np.float32)


def _dense_inverse(operator: Planes) -> NDArray[np.float64]:
    couplings = operator.transpose(1, 0, 2)[:9].astype(np.float64)
    excess = couplings[4].copy()
    couplings[4] = 0.0
    diagonal = couplings.sum(axis=0) + excess
    couplings[4] = -np.where(diagonal > 0.0, diagonal, 1.0)
    matrix = -planes_to_matrix(couplings).toarray()
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:  # seeds so weak that they are lost in float32
        return np.linalg.pinv(matrix)
