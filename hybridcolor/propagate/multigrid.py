"""Multigrid on the pixel grid: an approximate inverse of q + (1 - q)(I - W) for seeded pixels.

Each coarser operator is the Galerkin product P^T Pi A P, where Pi = diag(pi) and pi is the stationary vector of
W: Pi A has a symmetric part that is a graph Laplacian (see `stationary`), and Galerkin coarsening keeps that. Pi
enters once, in the finest restriction; interpolation does not change when rows are scaled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import planes_to_matrix
from hybridcolor.propagate.stencil import apply, defect, first_sweep, sweep
from hybridcolor.propagate.transfer import galerkin, interpolation, prolong_add, restrict, weighted

SWEEPS = 2
COARSE_VISITS = 2
COARSEST = 400

Planes = NDArray[np.float32]


@dataclass(slots=True)
class _Level:
    operator: Planes  # (9, h, w); plane 4 is the excess
    prolongation: Planes  # (9, h', w'), see `transfer`
    restriction: Planes  # the same, weighted by pi on the finest level
    solution: Planes  # (2, h, w) work space
    spare: Planes
    load: Planes


class Hierarchy:
    """Every level of one seeded operator, ready to be applied as an approximate inverse.

    Parameters
    ----------
    rates : (9, H, W) float32
        Step probabilities W as planes. Overwritten: it becomes the finest operator.
    pull : (H, W) float32
        Pull T of every pixel toward its own colour, 0..inf.
    visits : (H, W) float32
        Stationary vector of ``rates``.
    """

    def __init__(self, rates: Planes, pull: NDArray[np.float32], visits: NDArray[np.float32]) -> None:
        weight = np.empty_like(visits)
        _absorb_seeds(rates, pull, visits, rates, weight)
        self.levels: list[_Level] = []
        operator = rates
        while operator[0].size > COARSEST:
            prolongation, missing = interpolation(operator)
            restriction = weighted(prolongation, weight) if not self.levels else prolongation
            coarse = galerkin(operator, prolongation, restriction, missing)
            shape = (2, *operator.shape[1:])
            work = (np.empty(shape, np.float32), np.empty(shape, np.float32))
            load = np.empty((2, *coarse.shape[1:]), np.float32)
            self.levels.append(_Level(operator, prolongation, restriction, *work, load))
            operator = coarse
        self._coarsest = operator
        self.operator = self.levels[0].operator if self.levels else operator
        self._inverse = _dense_inverse(operator)

    def update(
        self, rates: Planes, pull: NDArray[np.float32], visits: NDArray[np.float32], window: tuple[slice, slice]
    ) -> None:
        """Take other seeds: exactly on the finest level, on the coarser ones only for what changed in a window.

        Parameters
        ----------
        rates, pull, visits
            As when it was made, with other pulls; ``rates`` is left as it is.
        window : tuple of two slices
            Rows and columns. Where pulls changed little outside of it, the coarser levels stay useful; where they did
            not change, all is as if made anew.
        """
        weight = np.empty_like(visits)
        _absorb_seeds(rates, pull, visits, self.operator, weight)
        rows, columns = window
        for depth, level in enumerate(self.levels):
            coarser = self.levels[depth + 1].operator if depth + 1 < len(self.levels) else self._coarsest
            height, width = coarser.shape[1:]
            inner_rows, outer_rows, fine_rows = _reach(rows, height, level.operator.shape[1])
            inner_columns, outer_columns, fine_columns = _reach(columns, width, level.operator.shape[2])
            operator = np.ascontiguousarray(level.operator[:, fine_rows, fine_columns])
            prolongation, missing = interpolation(operator)
            restriction = (
                weighted(prolongation, np.ascontiguousarray(weight[fine_rows, fine_columns]))
                if depth == 0
                else prolongation
            )
            coarse = galerkin(operator, prolongation, restriction, missing)
            here = (slice(None), inner_rows, inner_columns)
            there = (
                slice(None),
                slice(inner_rows.start - outer_rows.start, inner_rows.stop - outer_rows.start),
                slice(inner_columns.start - outer_columns.start, inner_columns.stop - outer_columns.start),
            )
            level.prolongation[here] = prolongation[there]
            level.restriction[here] = restriction[there]
            coarser[here] = coarse[there]
            rows, columns = inner_rows, inner_columns
        self._inverse = _dense_inverse(self._coarsest)

    def apply(self, chroma: Planes, out: Planes) -> None:
        """Write out = A chroma on the finest level."""
        apply(self.operator, chroma, out)

    def cycle(self, load: Planes, depth: int = 0) -> Planes:
        """One cycle from zero: a V on the finest level, where time goes, and a W below, where it is cheap.

        The result is work space: copy it to keep it.
        """
        if depth == len(self.levels):
            return self._solve_coarsest(load)
        level = self.levels[depth]
        x, y = level.solution, level.spare
        first_sweep(level.operator, load, x)
        for _ in range(SWEEPS - 1):
            sweep(level.operator, load, x, y)
            x, y = y, x
        for _ in range(1 if depth == 0 else COARSE_VISITS):
            defect(level.operator, load, x, y)
            restrict(level.restriction, y, level.load)
            prolong_add(level.prolongation, self.cycle(level.load, depth + 1), x)
            for _ in range(SWEEPS):
                sweep(level.operator, load, x, y)
                x, y = y, x
        level.solution, level.spare = x, y
        return x

    def full_cycle(self, load: Planes) -> Planes:
        """Full multigrid: solve the coarsest level, then carry the answer up with one cycle a level."""
        loads = [load]
        for level in self.levels:
            coarse = np.empty_like(level.load)
            restrict(level.restriction, loads[-1], coarse)
            loads.append(coarse)
        answer = self._solve_coarsest(loads[-1])
        for depth in range(len(self.levels) - 1, -1, -1):
            level = self.levels[depth]
            finer = np.zeros_like(level.solution)
            prolong_add(level.prolongation, answer, finer)
            left = np.empty_like(finer)
            defect(level.operator, loads[depth], finer, left)
            finer += self.cycle(left, depth)
            answer = finer
        return answer

    def _solve_coarsest(self, load: Planes) -> Planes:
        flat = load.reshape(2, -1).astype(np.float64)
        return (flat @ self._inverse.T).astype(np.float32).reshape(load.shape)


def _dense_inverse(operator: Planes) -> NDArray[np.float64]:
    couplings = operator.astype(np.float64)
    excess = couplings[4].copy()
    couplings[4] = 0.0
    diagonal = couplings.sum(axis=0) + excess
    couplings[4] = -np.where(diagonal > 0.0, diagonal, 1.0)
    matrix = -planes_to_matrix(couplings).toarray()
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:  # seeds so weak that they are lost in float32
        return np.linalg.pinv(matrix)


def _reach(changed: slice, coarse: int, fine: int) -> tuple[slice, slice, slice]:
    """Along one axis: the coarse pixels that a change of the fine ones reaches, those more, and their fine pixels.

    ``coarse`` and ``fine`` are the sides of the two grids. The second slice is wide enough that its inner part comes
    out the same as from the whole grid.
    """
    inner = slice(max(changed.start // 2 - 2, 0), min(changed.stop // 2 + 3, coarse))
    outer = slice(max(inner.start - 4, 0), min(inner.stop + 4, coarse))
    return inner, outer, slice(2 * outer.start, min(2 * outer.stop, fine))


@njit(cache=True, nogil=True)
def _absorb_seeds(rates, pull, visits, operator, weight):  # type: ignore[no-untyped-def]
    """Turn W into the operator q + (1 - q)(I - W), with flux into hard seeds moved to the excess.

    Dividing a row by 1 + T is undone in its weight pi, as far as float32 allows. The operator may be ``rates`` itself.
    """
    height, width = pull.shape
    for i in range(height):
        for j in range(width):
            t = np.float64(pull[i, j])
            stop = t / (1.0 + t) if t < np.inf else 1.0
            excess = stop
            for k in range(9):
                y = i + k // 3 - 1
                x = j + k % 3 - 1
                flux = (1.0 - stop) * rates[k, i, j] if k != 4 else 0.0
                if flux > 0.0 and pull[y, x] == np.inf:
                    excess += flux
                    flux = 0.0
                operator[k, i, j] = flux
            operator[4, i, j] = excess
            weight[i, j] = visits[i, j] * (min(1.0 + t, 1e6) if t < np.inf else 0.0)
