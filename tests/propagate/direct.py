"""Levin's system by SuperLU: the authority for the solver's answer, and the peer of its speed."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import affinity_matrix
from hybridcolor.propagate.factorization import nested_dissection
from hybridcolor.seeds import Seeds


def spsolve(luminance: NDArray[np.float32], seeds: Seeds) -> NDArray[np.float64]:
    """As public ports of Levin's code do it: (I - W) x = b with rows x = s, SuperLU in its usual (COLAMD) order."""
    seeded = np.zeros(luminance.size, bool)
    given = np.zeros((luminance.size, 2))
    flat = np.ravel_multi_index(tuple(seeds.coords.T), luminance.shape)
    seeded[flat] = True
    given[flat] = seeds.ab
    walk = sp.diags_array((~seeded).astype(float)) @ affinity_matrix(luminance)
    matrix = (sp.eye_array(luminance.size) - walk).tocsc()
    solution: NDArray[np.float64] = spla.splu(matrix).solve(given).reshape(*luminance.shape, 2)
    return solution


def dissected(luminance: NDArray[np.float32], seeds: Seeds, columns: NDArray[np.floating]) -> NDArray[np.float64]:
    """The same with all that a grid allows: seeds eliminated, nested dissection, no pivots (rows are dominant).

    ``columns`` (N, C) are the values at the hard seeds; the answer is (H, W, C).
    """
    walk = (sp.eye_array(luminance.size) - affinity_matrix(luminance)).tocsr()
    flat = np.ravel_multi_index(tuple(seeds.coords.T), luminance.shape)
    order = nested_dissection(luminance.shape)
    free = order[~np.isin(order, flat)]
    rows = walk[free]
    symmetric = {"SymmetricMode": True}
    factors = spla.splu(rows[:, free].tocsc(), permc_spec="NATURAL", diag_pivot_thresh=0.0, options=symmetric)
    x = np.empty((luminance.size, columns.shape[1]))
    x[flat] = columns
    x[free] = factors.solve(-(rows[:, flat] @ columns))
    return x.reshape(*luminance.shape, -1)
