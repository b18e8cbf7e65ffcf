"""Pockets: a few pixels that hold on to each other and to little else.

Two gray specks of equal luminance in a plain sky are a typical one: a walk leaves them once in thousands of steps; and
so is a stretch of a line one pixel wide. Sweeps then hardly move their common colour, and a coarser grid that has no
pixel among them cannot. So every pocket gets a correction of its own: one constant on all its pixels, such that the
weighted residual over it vanishes. Each is part of a step's direction (`multigrid`), so that the step's length suits
them too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import FAST
from hybridcolor.threads import share_rows

LEAST_BOND = np.float32(0.13)
"""Pixels are held together by weights of at least this: more than the 1/8 of a plain picture."""
LEAST_HOLD = np.float32(0.95)
"""A pocket grows from a pixel with at least this part of its weight in bonds."""
LEAST_MEMBER = np.float32(0.9)
"""And takes in others with at least this part; so a line ends where it runs into something."""
MOST_PIXELS = 16
"""Longer lines are several pockets."""
MOST_ESCAPE = np.float32(0.15)
"""A pocket is left with at most this probability a step, on average over its pixels: 16 of a line pass with both ends
cut. Pockets of up to 12 pixels that 0.03 leave took 315 steps over 32 strokes on four photos where these take 260."""
MOST_PULL = np.float32(1e-3)
"""A pocket with a stronger pull than this is held by it, and needs no correction of its own."""

LIKE_PIXELS = 4
"""An entry takes as long as so many pixels of a pass over the picture, since entries lie apart."""

Planes = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Pockets:
    """For each pocket n the entries ``start[n]`` to ``start[n + 1]``: its pixels and then those that step into it.

    Attributes
    ----------
    start, size : (N + 1,) and (N,) int64
        First entry, and number of the pocket's own pixels.
    where : (M, 2) int32
        Row and column of each entry.
    rate : (M,) float32
        What a step from there leaves the pocket with, at its own pixels; elsewhere what enters it with.
    share : (M,) float32
        Part of its time that a walk in the pocket spends there; 0 at other pixels.
    """

    start: NDArray[np.int64]
    size: NDArray[np.int64]
    where: NDArray[np.int32]
    rate: NDArray[np.float32]
    share: NDArray[np.float32]

    def correct(self, pull: Planes, load: Planes, x: Planes, image: Planes) -> None:
        """Correct every pocket without a seed in turn, toward A x = load; each plane may have a thread of its own.

        ``pull`` is T, (h, w); the others are (h + 2, 2, w + 2), and x and its image A x change in place.
        """
        pockets = (self.start, self.size, self.where, self.rate, self.share)
        share_rows(partial(_correct, pockets, pull, load, x, image), 2, width=LIKE_PIXELS * len(self.where))


NO_POCKETS = Pockets(
    np.zeros(1, np.int64), np.empty(0, np.int64), np.empty((0, 2), np.int32), *np.empty((2, 0), np.float32)
)


def find_pockets(rows: NDArray[np.float32]) -> Pockets:
    """All pockets of a walk whose steps are the couplings of rows (H, 10, W); see `stencil.operator_rows`."""
    return Pockets(*_find(rows))


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def _fill_held(row, held):  # type: ignore[no-untyped-def]
    """How much of every pixel's weight is in bonds."""
    held[:] = np.float32(0)
    for k in range(9):
        if k != 4:
            weight = row[k]
            for j in range(held.size):
                held[j] += weight[j] if weight[j] >= LEAST_BOND else np.float32(0)


@njit(cache=True, nogil=True)
def gather(rows, scale, held, owner, number, members):  # type: ignore[no-untyped-def]
    """Collect into members (MOST_PIXELS, 2) what hangs together with its first entry. 0 if it is no pocket.

    Couplings times ``scale`` (H, W) are shares of all that a pixel is coupled with.
    """
    size = 1
    at = 0
    owner[members[0, 0], members[0, 1]] = number
    escape = np.float32(1) - held[members[0, 0], members[0, 1]]
    while at < size and escape <= MOST_ESCAPE * np.float32(MOST_PIXELS):
        y, x = members[at, 0], members[at, 1]
        at += 1
        for k in range(9):
            if k == 4 or rows[y, k, x] * scale[y, x] < LEAST_BOND:
                continue
            i, j = y + k // 3 - 1, x + k % 3 - 1
            if owner[i, j] == number:
                continue
            if size == MOST_PIXELS or owner[i, j] > 0 or held[i, j] < LEAST_MEMBER:
                escape += rows[y, k, x] * scale[y, x]
                continue
            escape += np.float32(1) - held[i, j]
            owner[i, j] = number
            members[size, 0] = i
            members[size, 1] = j
            size += 1
    if size > 1 and escape <= MOST_ESCAPE * np.float32(size):
        return size
    for n in range(size):
        owner[members[n, 0], members[n, 1]] = 0
    return 0


@njit(cache=True, nogil=True)
def _find(rows):  # type: ignore[no-untyped-def]
    height, width = rows.shape[0], rows.shape[2]
    held = np.empty((height, width), np.float32)
    for i in range(height):
        _fill_held(rows[i], held[i])
    scale = np.ones((height, width), np.float32)
    owner = np.zeros((height, width), np.int32)
    members = np.empty((MOST_PIXELS, 2), np.int64)
    start = [0]
    size = [0]
    where = [(0, 0)]
    rate = [np.float32(0)]
    share = [np.float32(0)]
    size.clear()
    where.clear()
    rate.clear()
    share.clear()
    for i in range(height):
        for j in range(width):
            if held[i, j] > LEAST_HOLD and owner[i, j] == 0:
                members[0, 0] = i
                members[0, 1] = j
                number = len(size) + 1
                count = gather(rows, scale, held, owner, number, members)
                if count > 0:
                    size.append(count)
                    _describe(rows, members[:count], owner, number, where, rate, share)
                    start.append(len(where))
    places = np.empty((len(where), 2), np.int32)
    for n in range(len(where)):
        places[n, 0] = where[n][0]
        places[n, 1] = where[n][1]
    return np.array(start), np.array(size), places, np.array(rate), np.array(share)


@njit(cache=True, nogil=True)
def _shares(rows, members, among, shares):  # type: ignore[no-untyped-def]
    """How a walk that stays in the pocket divides its time, without a single subtraction.

    Were time divided otherwise, what flows inside the pocket would look like something lacking, and a tiny escape
    would make much of it (W. Grassmann, M. Taksar, D. Heyman, 1985, doi 10.1287/opre.33.5.1107).
    """
    count = members.shape[0]
    for a in range(count):
        for b in range(count):
            dy, dx = members[b, 0] - members[a, 0], members[b, 1] - members[a, 1]
            near = abs(dy) <= 1 and abs(dx) <= 1 and a != b
            among[a, b] = rows[members[a, 0], 3 * dy + dx + 4, members[a, 1]] if near else 0.0
    for n in range(count - 1, 0, -1):
        back = 0.0
        for b in range(n):
            back += among[n, b]
        for a in range(n):
            among[a, n] /= back
            for b in range(n):
                among[a, b] += among[a, n] * among[n, b]
    shares[0] = 1.0
    for n in range(1, count):
        shares[n] = 0.0
        for a in range(n):
            shares[n] += shares[a] * among[a, n]


@njit(cache=True, nogil=True)
def _describe(rows, members, owner, number, where, rate, share):  # type: ignore[no-untyped-def]
    """Append a pocket's entries."""
    height, width = owner.shape
    count = members.shape[0]
    among = np.empty((count, count))
    shares = np.empty(count)
    _shares(rows, members, among, shares)
    for n in range(count):
        y, x = members[n, 0], members[n, 1]
        leaving = 0.0
        for k in range(9):
            step = rows[y, k, x]
            if k != 4 and step > 0 and owner[y + k // 3 - 1, x + k % 3 - 1] != number:
                leaving += step
        where.append((y, x))
        rate.append(np.float32(leaving))
        share.append(np.float32(shares[n] / shares.sum()))
    outside = len(where)
    for n in range(count):
        y, x = members[n, 0], members[n, 1]
        for k in range(9):
            i, j = y + k // 3 - 1, x + k % 3 - 1
            if not (0 <= i < height and 0 <= j < width) or owner[i, j] == number:
                continue
            entry = outside
            while entry < len(where) and where[entry] != (i, j):
                entry += 1
            if entry == len(where):
                where.append((i, j))
                rate.append(np.float32(0))
                share.append(np.float32(0))
            rate[entry] += rows[i, 8 - k, j]


@njit(cache=True, nogil=True)
def _correct(pockets, pull, load, x, image, first_plane, last_plane):  # type: ignore[no-untyped-def]
    start, size, where, rate, share = pockets
    for n in range(size.size):
        first, middle, last = start[n], start[n] + size[n], start[n + 1]
        most = np.float32(0)
        lost = np.float32(0)  # a step, by one that is anywhere in the pocket
        for m in range(first, middle):
            t = pull[where[m, 0], where[m, 1]]
            most = max(most, t)
            lost += share[m] * (rate[m] + t)
        if most > MOST_PULL or lost <= 0:
            continue
        for c in range(first_plane, last_plane):
            lacking = np.float32(0)
            for m in range(first, middle):
                i, j = where[m, 0], where[m, 1]
                lacking += share[m] * (np.float32(1) + pull[i, j]) * (load[i + 1, c, j + 1] - image[i + 1, c, j + 1])
            lacking /= lost
            for m in range(first, middle):
                i, j = where[m, 0], where[m, 1]
                t = pull[i, j]
                x[i + 1, c, j + 1] += lacking
                image[i + 1, c, j + 1] += (rate[m] + t) / (np.float32(1) + t) * lacking
            for m in range(middle, last):
                i, j = where[m, 0], where[m, 1]
                if pull[i, j] < np.inf:
                    image[i + 1, c, j + 1] -= rate[m] / (np.float32(1) + pull[i, j]) * lacking
