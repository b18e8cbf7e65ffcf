"""Direct solution of small or thin pictures without a single subtraction.

The system q x + (1 - q)(I - W) x = q s says that a walk at pixel i stops with probability q_i and else steps to a
neighbour. Removing pixels one by one, each handing its arrivals on to where it would have sent them, is Gaussian
elimination; if what leaves a pixel is *added up* and never found as 1 minus the rest, all terms are positive and
every entry keeps nearly full relative accuracy (W. Grassmann, M. Taksar, D. Heyman, 1985, doi
10.1287/opre.33.5.1107). That matters: on a line of noise a walk may need 10^16 steps to reach a seed, and there LU
in float64 has no correct digit left.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import affinity_planes


def elimination_work(shape: tuple[int, int]) -> int:
    """Multiplications that `eliminate` needs, about."""
    return shape[0] * shape[1] * (min(shape) + 2) ** 2


def eliminate(
    luminance: NDArray[np.float32], pull: NDArray[np.float32], target: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Solve (I - W + T) x = T s by elimination along the picture's longer side.

    Parameters
    ----------
    luminance, pull : (H, W) float32
        L* in 0..100; pull T of every pixel toward its own colour, 0..inf.
    target : (2, H, W) float32
        The own colour of every pixel, a* and b*; where the pull is 0 it does not matter.

    Returns
    -------
    (2, H, W) float64
        Not finite if no seed can be reached.

    Examples
    --------
    >>> pull = np.array([[np.inf, 0, 0, 0, np.inf]], np.float32)
    >>> target = np.array([[[0, 0, 0, 0, 8]]] * 2, np.float32)
    >>> eliminate(np.full((1, 5), 50.0, np.float32), pull, target)[0].tolist()
    [[0.0, 2.0, 4.0, 6.0, 8.0]]
    """
    planes = affinity_planes(luminance)
    wide = luminance.shape[1] > luminance.shape[0]
    if wide:  # turned on its side: pixels are numbered by rows, and those of neighbours should be close
        planes = planes.reshape(3, 3, *luminance.shape).transpose(1, 0, 3, 2).reshape(9, *luminance.shape[::-1])
        pull, target = pull.T, target.transpose(0, 2, 1)
    solution = np.empty(target.shape)
    _eliminate(np.ascontiguousarray(planes), np.ascontiguousarray(pull), np.ascontiguousarray(target), solution)
    return np.ascontiguousarray(solution.transpose(0, 2, 1)) if wide else solution


@njit(cache=True, nogil=True)
def _fill_band(planes, pull, target, band, stops, gains):  # type: ignore[no-untyped-def]
    """Steps band[i, reach + j - i] from i to j, chances to stop, and colours gained by stopping."""
    height, width = pull.shape
    for i in range(height * width):
        row = i // width
        column = i % width
        pulled = np.float64(pull[row, column])
        free = 1.0 / (1.0 + pulled)
        stops[i] = pulled * free if pulled < np.inf else 1.0
        for c in range(2):
            gains[i, c] = stops[i] * target[c, row, column]
        for k in range(9):
            if planes[k, row, column] > 0.0:
                band[i, width + 1 + (k // 3 - 1) * width + k % 3 - 1] = free * planes[k, row, column]


@njit(cache=True, nogil=True, error_model="numpy")
def _eliminate(planes, pull, target, solution):  # type: ignore[no-untyped-def]
    size = pull.size
    width = pull.shape[1]
    reach = width + 1  # largest difference of neighbours' numbers
    band = np.zeros((size, 2 * reach + 1))
    stops = np.zeros(size)
    gains = np.zeros((size, 2))
    _fill_band(planes, pull, target, band, stops, gains)
    for i in range(size):
        last = min(i + reach, size - 1)
        leaving = stops[i] + band[i, reach + 1 : reach + 1 + last - i].sum()
        band[i, reach] = leaving
        for k in range(i + 1, last + 1):
            share = band[k, reach + i - k] / leaving
            if share > 0.0:
                for j in range(i + 1, last + 1):
                    band[k, reach + j - k] += share * band[i, reach + j - i]  # j = k is overwritten in k's turn
                stops[k] += share * stops[i]
                gains[k] += share * gains[i]
    for i in range(size - 1, -1, -1):
        for c in range(2):
            total = gains[i, c]
            for j in range(i + 1, min(i + reach, size - 1) + 1):
                total += band[i, reach + j - i] * solution[c, j // width, j % width]
            solution[c, i // width, i % width] = total / band[i, reach]
