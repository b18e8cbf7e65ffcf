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
from functools import partial

import numpy as np
import scipy.sparse as sp
from numba import njit, types
from numba.extending import overload
from numpy.typing import NDArray

from hybridcolor.threads import share_rows

VARIANCE_SHARE = 0.6  # these three are the constants of s_i above
LOG_LEAST_WEIGHT = math.log(100.0)
LEAST_SIGMA = 2e-6
FAST = {"reassoc", "contract", "arcp", "nsz", "nnan"}
"""Liberties the compiler may take with finite numbers; without them loops with a minimum or a sum stay scalar.

How it takes them depends on what is around. So what is called by compiled code and comes to such a loop is put into its
caller (``forceinline``): of several copies of it the first to be loaded would be the one that runs, and the run that
compiles would come to other last bits than those after it."""


def affinity_planes(luminance: NDArray[np.float32]) -> NDArray[np.float64]:
    """The rows of W as planes.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.

    Returns
    -------
    (9, H, W) float64
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
    planes = np.empty((9, *luminance.shape))
    _fill_planes(luminance, planes)
    return planes


def affinity_matrix(luminance: NDArray[np.float32]) -> sp.csr_array:
    """W in float64, as `affinity_planes` has it, as a sparse (H W, H W) matrix."""
    return planes_to_matrix(affinity_planes(luminance))


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
    luminance: NDArray[np.float32],
    pull: NDArray[np.float32],
    target: NDArray[np.float32],
    chroma: NDArray[np.float64],
    residual: NDArray[np.float32],
    *,
    single: bool = False,
) -> None:
    """How far every pixel is from its equation, in ab units.

    The equation of a pixel with pull T and target colour s is (I - W + T) x = T s. It is used divided by
    1 + T, with q = T / (1 + T): q (s - x_i) + (1 - q) sum_j w_ij (x_j - x_i) = 0, which holds a hard seed
    (T = inf, q = 1) and a free pixel (T = 0) in one form. W is computed anew from the luminance, so this check shares
    no rounding with a solver's matrices.

    Parameters
    ----------
    luminance, pull : (H, W) float32
        L*, and T in 0..inf.
    target : (2, H, W) float32
    chroma : (H + 2, 2, W + 2) float64
        x in rows of both planes, with padding.
    residual : (H + 2, 2, W + 2) float32
        Written, but for its padding.
    single : bool, optional
        W in float32: it takes half the time and is as if each weight were off by a millionth. All else is in float64.
    """
    height, width = luminance.shape
    kind = np.empty(0, np.float32 if single else np.float64)
    share_rows(partial(_fill_residual, luminance, pull, target, chroma, residual, kind), height, width=width)


def _halvings(y: float) -> float:
    """2 to the power of -y for y >= 0, in the precision of y; branchless, so that loops of it run on vectors."""
    return float(2.0**-y)


@overload(_halvings, inline="always")
def _halvings_compiled(y):  # type: ignore[no-untyped-def]
    if y == types.float32:

        def single(y):  # type: ignore[no-untyped-def]
            y = min(y, np.float32(125))
            whole = np.int32(y + np.float32(0.5))
            x = (np.float32(whole) - y) * np.float32(0.6931471805599453)
            p = np.float32(1 / 720)
            for c in (1 / 120, 1 / 24, 1 / 6, 1 / 2, 1.0, 1.0):
                p = p * x + np.float32(c)
            return p * np.int32((np.int32(127) - whole) * np.int32(1 << 23)).view(np.float32)

        return single

    def double(y):  # type: ignore[no-untyped-def]
        y = min(y, 1000.0)
        whole = np.int64(y + 0.5)
        x = (np.float64(whole) - y) * 0.6931471805599453
        p = 1 / 479001600
        for c in (1 / 39916800, 1 / 3628800, 1 / 362880, 1 / 40320, 1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 0.5):
            p = p * x + c
        p = (p * x + 1.0) * x + 1.0
        return p * np.int64((np.int64(1023) - whole) << np.int64(52)).view(np.float64)

    return double


@njit(cache=True, nogil=True, forceinline=True)
def fill_affinity(luminance, i, row):  # type: ignore[no-untyped-def]
    """Put the weights of the pixels of row i into row (10, W), in the array's precision; planes 4 and 9 are scratch."""
    height, width = luminance.shape
    if 0 < i < height - 1 and width > 2:
        _fill_inner(luminance[i - 1], luminance[i], luminance[i + 1], row)
    step = max(width - 1, 1) if 0 < i < height - 1 else 1
    for j in range(0, width, step):
        _fill_pixel(luminance, i, j, row)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True, error_model="numpy")
def _fill_inner(above, here, below, row):  # type: ignore[no-untyped-def]
    """Weights of the inner pixels of a row that is not at the border; rows of luminance are (W,)."""
    real = row.dtype.type
    size = here.size - 2
    rate = row[9][1 : size + 1]
    for j in range(size):
        c = real(here[j + 1])
        d0, d1, d2 = real(above[j]) - c, real(above[j + 1]) - c, real(above[j + 2]) - c
        d3, d5 = real(here[j]) - c, real(here[j + 2]) - c
        d6, d7, d8 = real(below[j]) - c, real(below[j + 1]) - c, real(below[j + 2]) - c
        mean = (((d0 + d1) + (d2 + d3)) + ((d5 + d6) + (d7 + d8))) * real(1 / 9)
        d0, d1, d2, d3, d5, d6, d7, d8 = d0 * d0, d1 * d1, d2 * d2, d3 * d3, d5 * d5, d6 * d6, d7 * d7, d8 * d8
        square = (((d0 + d1) + (d2 + d3)) + ((d5 + d6) + (d7 + d8))) * real(1 / 9)
        nearest = min(d0, d1, d2, d3, d5, d6, d7, d8)
        sigma = max(real(VARIANCE_SHARE) * (square - mean * mean), nearest * real(1 / LOG_LEAST_WEIGHT))
        rate[j] = real(1 / math.log(2.0)) / max(sigma, real(LEAST_SIGMA * 1e4))
    total = row[4][1 : size + 1]
    total[:] = real(0)
    for k in range(9):
        if k != 4:
            there = (above, here, below)[k // 3][k % 3 : k % 3 + size]
            _fill_weights(here[1 : size + 1], there, rate, row[k][1 : size + 1], total)
    for j in range(size):
        rate[j] = real(1) / total[j]
    for k in range(9):
        if k != 4:
            weight = row[k][1 : size + 1]
            for j in range(size):
                weight[j] *= rate[j]
    total[:] = real(0)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def _fill_weights(here, there, rate, weight, total):  # type: ignore[no-untyped-def]
    real = weight.dtype.type
    for j in range(weight.size):
        step = real(there[j]) - real(here[j])
        weight[j] = _halvings(step * step * rate[j])
        total[j] += weight[j]


@njit(cache=True, nogil=True)
def _fill_pixel(luminance, i, j, row):  # type: ignore[no-untyped-def]
    """Weights of one pixel, at the border or not."""
    height, width = luminance.shape
    centre = np.float64(luminance[i, j])
    weights = np.full(9, -1.0)
    total = 0.0
    squares = 0.0
    count = 0
    nearest = np.inf
    for k in range(9):
        y = i + k // 3 - 1
        x = j + k % 3 - 1
        if 0 <= y < height and 0 <= x < width:
            step = (np.float64(luminance[y, x]) - centre) * 0.01
            square = step * step
            total += step
            squares += square
            count += 1
            if k != 4:
                weights[k] = square
                nearest = min(nearest, square)
    mean = total / count
    sigma = max(VARIANCE_SHARE * (squares / count - mean * mean), nearest / LOG_LEAST_WEIGHT, LEAST_SIGMA)
    total = 0.0
    for k in range(9):
        weights[k] = math.exp(-weights[k] / sigma) if weights[k] >= 0.0 else 0.0
        total += weights[k]
    for k in range(9):
        row[k, j] = weights[k] / max(total, 1e-300)  # a picture of one pixel has no neighbours


@njit(cache=True, nogil=True)
def _fill_planes(luminance, planes):  # type: ignore[no-untyped-def]
    row = np.empty((10, luminance.shape[1]), planes.dtype)
    for i in range(luminance.shape[0]):
        fill_affinity(luminance, i, row)
        planes[:, i] = row[:9]


@njit(cache=True, nogil=True)
def _fill_residual(luminance, pull, target, chroma, residual, kind, first, last):  # type: ignore[no-untyped-def]
    weights = np.empty((10, luminance.shape[1]), kind.dtype)
    for i in range(first, last):
        fill_affinity(luminance, i, weights)
        for c in range(2):
            _miss(weights, pull[i], target[c, i], chroma[i, c], chroma[i + 1, c], chroma[i + 2, c], residual[i + 1, c])


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True, error_model="numpy")
def _miss(weights, pull, target, n, x, s, residual):  # type: ignore[no-untyped-def]
    """How far the pixels of a row and plane are from their equations; n, x and s are its chroma and its neighbours'."""
    for j in range(pull.size):
        t = min(np.float64(pull[j]), 1e30)
        residual[j + 1] = (t * (target[j] - x[j + 1]) - outflow(weights, n, x, s, j)) / (1.0 + t)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def outflow(row, n, x, s, j):  # type: ignore[no-untyped-def]
    """sum_k a_jk (x_j - x_k) over the neighbours k of pixel j of a plane; n, x and s are padded rows as in `_miss`."""
    m = x[j + 1]
    return (
        (row[0, j] * (m - n[j]) + row[1, j] * (m - n[j + 1])) + (row[2, j] * (m - n[j + 2]) + row[3, j] * (m - x[j]))
    ) + (
        (row[5, j] * (m - x[j + 2]) + row[6, j] * (m - s[j]))
        + (row[7, j] * (m - s[j + 1]) + row[8, j] * (m - s[j + 2]))
    )
