"""The affinity W of Levin, Lischinski and Weiss (2004), and what is made directly from it.

For pixel i and its neighbours j in the 3 x 3 window,

    w_ij = exp(-(Y_i - Y_j)^2 / s_i) / (sum of the same over all neighbours of i)

where Y = L* / 100 and s_i = max(0.6 var_i, min_j (Y_i - Y_j)^2 / ln 100, 2e-6) as in the authors' reference
code; var_i is the variance over the window with its centre. Rows sum to 1, and since s_i is the row's own,
W is not symmetric. It must stay so: every symmetrisation gives a visibly different, worse picture.

The nine values of a row are kept as planes k = 3 (dy + 1) + (dx + 1), so plane 4 is the centre.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sp
from numba import njit
from numpy.typing import NDArray

VARIANCE_SHARE = 0.6
LOG_LEAST_WEIGHT = math.log(100.0)
LEAST_SIGMA = 2e-6


def affinity_planes(luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows of W as planes.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.

    Returns
    -------
    (9, H, W) float32
        ``planes[k, i, j]`` is the weight from pixel (i, j) to its neighbour k; 0 outside the picture and at k = 4.

    References
    ----------
    .. [1] A. Levin, D. Lischinski, Y. Weiss, "Colorization using optimization", ACM Transactions on Graphics
       23(3), 2004. https://doi.org/10.1145/1015706.1015780

    Examples
    --------
    >>> planes = affinity_planes(np.full((5, 5), 50.0, np.float32))
    >>> planes[:, 2, 2].tolist()
    [0.125, 0.125, 0.125, 0.125, 0.0, 0.125, 0.125, 0.125, 0.125]
    """
    planes = np.empty((9, *luminance.shape), np.float32)
    _fill_planes(luminance, planes)
    return planes


def affinity_planes_double(luminance: NDArray[np.float32]) -> NDArray[np.float64]:
    """The same planes in float64, for direct solvers."""
    planes = np.empty((9, *luminance.shape))
    _fill_planes(luminance, planes)
    return planes


def affinity_matrix(luminance: NDArray[np.float32]) -> sp.csr_array:
    """The same W in float64 as a sparse (H W, H W) matrix."""
    return planes_to_matrix(affinity_planes_double(luminance))


def planes_to_matrix(planes: NDArray[np.floating]) -> sp.csr_array:
    """Nine planes as a sparse matrix; weights that point outside the picture must be 0."""
    height, width = planes.shape[1:]
    number = np.arange(height * width).reshape(height, width)
    rows, columns, values = [], [], []
    for k in range(9):
        dy, dx = divmod(k, 3)
        here = np.s_[max(0, 1 - dy) : height - max(0, dy - 1), max(0, 1 - dx) : width - max(0, dx - 1)]
        there = np.s_[max(0, dy - 1) : height - max(0, 1 - dy), max(0, dx - 1) : width - max(0, 1 - dx)]
        rows.append(number[here].ravel())
        columns.append(number[there].ravel())
        values.append(planes[k][here].ravel())
    entries = (np.concatenate(rows), np.concatenate(columns))
    return sp.coo_array((np.concatenate(values), entries), shape=(number.size, number.size)).tocsr()


def system_residual(
    luminance: NDArray[np.float32], pull: NDArray[np.float32], target: NDArray[np.float32], chroma: NDArray[np.float64]
) -> NDArray[np.float32]:
    """How far every pixel is from its equation, in ab units.

    The equation of a pixel with pull T and target colour s is (I - W + T) x = T s. It is used divided by
    1 + T, with q = T / (1 + T): q (s - x_i) + (1 - q) sum_j w_ij (x_j - x_i) = 0, which holds a hard seed
    (T = inf, q = 1) and a free pixel (T = 0) in one form. W is computed anew from the luminance in float64,
    so this check shares no rounding and no mistake with a solver's stored matrices.

    Parameters
    ----------
    luminance : (H, W) float32
    pull : (H, W) float32
        T in 0..inf.
    target, chroma : (2, H, W)

    Returns
    -------
    (2, H, W) float32
    """
    residual = np.empty(chroma.shape, np.float32)
    _fill_residual(luminance, pull, target, chroma, residual)
    return residual


@njit(cache=True, nogil=True)
def _fill_row(luminance, i, j, row):  # type: ignore[no-untyped-def]
    """Put the weights of pixel (i, j) into row (9,) float64."""
    height, width = luminance.shape
    centre = np.float64(luminance[i, j])
    total = 0.0
    squares = 0.0
    count = 0
    nearest = np.inf
    for k in range(9):
        y = i + k // 3 - 1
        x = j + k % 3 - 1
        row[k] = -1.0
        if 0 <= y < height and 0 <= x < width:
            step = (np.float64(luminance[y, x]) - centre) * 0.01
            square = step * step
            total += step
            squares += square
            count += 1
            if k != 4:
                row[k] = square
                nearest = min(nearest, square)
    mean = total / count
    sigma = max(VARIANCE_SHARE * (squares / count - mean * mean), nearest / LOG_LEAST_WEIGHT, LEAST_SIGMA)
    total = 0.0
    for k in range(9):
        row[k] = math.exp(-row[k] / sigma) if row[k] >= 0.0 else 0.0
        total += row[k]
    if total > 0.0:  # a picture of one pixel has no neighbours
        for k in range(9):
            row[k] /= total


@njit(cache=True, nogil=True)
def _fill_planes(luminance, planes):  # type: ignore[no-untyped-def]
    height, width = luminance.shape
    row = np.empty(9)
    for i in range(height):
        for j in range(width):
            _fill_row(luminance, i, j, row)
            for k in range(9):
                planes[k, i, j] = row[k]


@njit(cache=True, nogil=True)
def _fill_residual(luminance, pull, target, chroma, residual):  # type: ignore[no-untyped-def]
    height, width = luminance.shape
    row = np.empty(9)
    for i in range(height):
        for j in range(width):
            a = chroma[0, i, j]
            b = chroma[1, i, j]
            flow_a = 0.0
            flow_b = 0.0
            stop = 1.0
            if pull[i, j] < np.inf:
                stop = np.float64(pull[i, j]) / (1.0 + np.float64(pull[i, j]))
                _fill_row(luminance, i, j, row)
                for k in range(9):
                    if row[k] > 0.0:
                        y = i + k // 3 - 1
                        x = j + k % 3 - 1
                        flow_a += row[k] * (chroma[0, y, x] - a)
                        flow_b += row[k] * (chroma[1, y, x] - b)
            residual[0, i, j] = stop * (target[0, i, j] - a) + (1.0 - stop) * flow_a
            residual[1, i, j] = stop * (target[1, i, j] - b) + (1.0 - stop) * flow_b


@njit(cache=True, nogil=True)
def planes_residual(planes, pull, target, chroma):  # type: ignore[no-untyped-def]
    """`system_residual` from stored weights: six times faster, for answers on their way to one that is checked."""
    height, width = pull.shape
    residual = np.empty(chroma.shape, np.float32)
    for i in range(height):
        for j in range(width):
            t = pull[i, j]
            stop = np.float64(t) / (1.0 + np.float64(t)) if t < np.inf else 1.0
            for c in range(2):
                here = chroma[c, i, j]
                flow = 0.0
                if stop < 1.0:
                    for k in range(9):
                        w = planes[k, i, j]
                        if k != 4 and w > 0.0:
                            flow += w * (chroma[c, i + k // 3 - 1, j + k % 3 - 1] - here)
                residual[c, i, j] = stop * (target[c, i, j] - here) + (1.0 - stop) * flow
    return residual
