"""Between a nine-point operator's grid and the next coarser one: interpolation, restriction, Galerkin product.

Coarse pixel (I, J) sits on fine pixel (2 I, 2 J). Interpolation follows the operator (J. Dendy, "Black box
multigrid", 1982, doi 10.1016/0021-9991(82)90057-2): a fine pixel between two coarse ones takes the average that
its own equation, summed across the line, gives; a fine pixel amid four takes what its equation gives once its
eight neighbours are known.

The planes of a row of a prolongation P, for coarse pixel (I, J) and the fine pixels at and after it: 0 for (2I, 2J);
1, 2 for (2I, 2J + 1) from (I, J) and (I, J + 1); 3, 4 for (2I + 1, 2J) from (I, J) and (I + 1, J); 5..8 for
(2I + 1, 2J + 1) from (I, J), (I, J + 1), (I + 1, J) and (I + 1, J + 1). P is kept as (h' + 2, 9, w' + 2), padded
with zeros like x.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hybridcolor.propagate.affinity import FAST

TINY = np.float32(1e-30)
LEAST_REACH = np.float32(0.1)
"""A coarse pixel on a dead pixel is left out if all its weights are below this; see `prune`."""
LEAST_HOLD = np.float32(0.1)
"""Beside a pull, what a pixel holds on to across its line counts as at least this share of all its couplings. Else,
where couplings below 0 cancel it, the weakest pull would take all its weight, like a hard seed that nobody set."""
PLANE = np.array([[8, 4, 7], [2, 0, 1], [6, 3, 5]])
"""Plane of the weight toward each fine neighbour; those above and to the left belong to the coarse pixel before."""


def _column_terms(odd: int) -> NDArray[np.int64]:
    """Which coupling times which weight of P makes which entry of A P: (q, k, y, plane, x, slot), for rows of a parity.

    Neighbour k of fine pixel (odd, q) is (y, x) coarse steps on, and its own weights reach coarse pixels one further.
    """
    terms = []
    for q, k in product(range(2), range(9)):
        y, p = divmod(odd + k // 3 - 1, 2)
        x, r = divmod(q + k % 3 - 1, 2)
        for n, (dy, dx) in enumerate(product(range(p + 1), range(r + 1))):
            plane = (0, 1, 3, 5)[2 * p + r] + n
            terms.append((q, k, y, plane, x, 3 * (y + dy + 1) + x + dx + 1))
    return np.array(terms)


def _row_terms() -> NDArray[np.int64]:
    """Which weight of P times which entry of A P makes which coupling of P^T A P: (y, q, x, plane, slot, k)."""
    terms = []
    for y, x, k in product((-1, 0, 1), (-1, 0, 1), range(9)):
        slot = k // 3 + (y < 0), k % 3 + (x < 0)
        if k != 4 and max(slot) < 3 and slot[0] >= abs(y) and slot[1] >= abs(x):
            terms.append((y, abs(x), -(x < 0), PLANE[y + 1, x + 1], 3 * slot[0] + slot[1], k))
    return np.array(terms)


COLUMN_TERMS = (_column_terms(0), _column_terms(1))
ROW_TERMS = _row_terms()


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def restrict_row(before, here, above, middle, below, out):  # type: ignore[no-untyped-def]
    """One row of P^T x: ``above``, ``middle``, ``below`` are fine rows 2 I - 1 to 2 I + 1."""
    columns = here.shape[1] - 2
    p0, p1, p2, p3, p5, p6 = here[0], here[1], here[2], here[3], here[5], here[6]
    p4, p7, p8 = before[4], before[7], before[8]
    for c in range(out.shape[0]):
        a, m, b, y = above[c], middle[c], below[c], out[c]
        for j in range(columns):
            y[j + 1] = (
                ((p0[j + 1] * m[2 * j + 1] + p1[j + 1] * m[2 * j + 2]) + p2[j] * m[2 * j])
                + ((p3[j + 1] * b[2 * j + 1] + p5[j + 1] * b[2 * j + 2]) + p6[j] * b[2 * j])
                + ((p4[j + 1] * a[2 * j + 1] + p7[j + 1] * a[2 * j + 2]) + p8[j] * a[2 * j])
            )


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def prolong_row(here, odd, coarse, after, fine):  # type: ignore[no-untyped-def]
    """Add row 2 I + odd of P x to ``fine``; ``coarse`` and ``after`` are coarse rows I and I + 1."""
    columns = here.shape[1] - 2
    p0, p1, p2, p3, p4 = here[0], here[1], here[2], here[3], here[4]
    p5, p6, p7, p8 = here[5], here[6], here[7], here[8]
    for c in range(fine.shape[0]):
        e, f, y = coarse[c], after[c], fine[c]
        if odd == 0:
            for j in range(columns):
                y[2 * j + 1] += p0[j + 1] * e[j + 1]
                y[2 * j + 2] += p1[j + 1] * e[j + 1] + p2[j + 1] * e[j + 2]
        else:
            for j in range(columns):
                y[2 * j + 1] += p3[j + 1] * e[j + 1] + p4[j + 1] * f[j + 1]
                y[2 * j + 2] += (p5[j + 1] * e[j + 1] + p6[j + 1] * e[j + 2]) + (
                    p7[j + 1] * f[j + 1] + p8[j + 1] * f[j + 2]
                )


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True, error_model="numpy")
def _missing_weight(held, lost, diagonal):  # type: ignore[no-untyped-def]
    """What of 1 a pixel's weights lack, if pulls take ``lost`` beside the ``held`` of its line."""
    total = max(held + lost, LEAST_HOLD * diagonal)
    return lost / total if total > TINY else np.float32(1)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True, error_model="numpy")
def interpolate_even(row, here, missing):  # type: ignore[no-untyped-def]
    """Planes 0..2 from fine row 2 I, and how much its pixels' weights miss of 1.

    A pixel that couplings below 0 leave without a line to hold on to takes its neighbours on the line equally: only
    what a seed takes may be missing, or a region without seeds would be pulled to 0.
    """
    a0, a1, a2, a3, t = row[0], row[1], row[2], row[3], row[4]
    a5, a6, a7, a8 = row[5], row[6], row[7], row[8]
    p0, p1, p2 = here[0], here[1], here[2]
    width = t.size
    for j in range((width + 1) // 2):
        i = 2 * j
        total = ((a0[i] + a1[i]) + (a2[i] + a3[i])) + ((a5[i] + a6[i]) + (a7[i] + a8[i]))
        p0[j + 1] = np.float32(1) if total > TINY else np.float32(0)  # at a hard seed the correction is 0
        missing[i + 1] = np.float32(1) - p0[j + 1]
    for j in range(width // 2):
        i = 2 * j + 1
        diagonal = ((a0[i] + a1[i]) + (a2[i] + a3[i])) + ((a5[i] + a6[i]) + (a7[i] + a8[i])) + t[i]
        lost = max(t[i], np.float32(0))
        west = max(a0[i] + a3[i] + a6[i], np.float32(0))
        east = max(a2[i] + a5[i] + a8[i], np.float32(0))
        lacking = _missing_weight(west + east, lost, diagonal)
        loose = west + east <= TINY
        west = np.float32(1) if loose else west
        east = np.float32(1) if loose and i + 1 < width else east
        share = (np.float32(1) - lacking) / (west + east)
        p1[j + 1] = west * share
        p2[j + 1] = east * share
        missing[i + 1] = lacking


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True, error_model="numpy")
def interpolate_odd(row, here, after, missing, inside):  # type: ignore[no-untyped-def]
    """Planes 3..8 from fine row 2 I + 1; ``missing`` is fine rows 2 I to 2 I + 2, of which the middle is written.

    ``inside`` says whether fine row 2 I + 2 lies inside the picture.
    """
    n, w, e, s = row[1], row[3], row[5], row[7]
    nw, ne, t, sw, se = row[0], row[2], row[4], row[6], row[8]
    p1, p2, p3, p4 = here[1], here[2], here[3], here[4]
    p5, p6, p7, p8 = here[5], here[6], here[7], here[8]
    q1, q2 = after[1], after[2]
    above, middle, below = missing[0], missing[1], missing[2]
    width = t.size
    for j in range((width + 1) // 2):
        i = 2 * j
        diagonal = ((n[i] + w[i]) + (e[i] + s[i])) + ((nw[i] + ne[i]) + (sw[i] + se[i])) + t[i]
        lost = max(t[i], np.float32(0))
        north = max(nw[i] + n[i] + ne[i], np.float32(0))
        south = max(sw[i] + s[i] + se[i], np.float32(0))
        lacking = _missing_weight(north + south, lost, diagonal)
        loose = north + south <= TINY
        north = np.float32(1) if loose else north
        south = np.float32(1) if loose and inside else south
        share = (np.float32(1) - lacking) / (north + south)
        p3[j + 1] = north * share
        p4[j + 1] = south * share
        middle[i + 1] = lacking
    for j in range(width // 2):
        i = 2 * j + 1
        diagonal = ((n[i] + w[i]) + (e[i] + s[i])) + ((nw[i] + ne[i]) + (sw[i] + se[i])) + t[i]
        lost = t[i] + (n[i] * above[i + 1] + s[i] * below[i + 1]) + (w[i] * middle[i] + e[i] * middle[i + 2])
        lost = max(lost, np.float32(0))
        north_west = max(nw[i] + n[i] * p1[j + 1] + w[i] * p3[j + 1], np.float32(0))
        north_east = max(ne[i] + n[i] * p2[j + 1] + e[i] * p3[j + 2], np.float32(0))
        south_west = max(sw[i] + s[i] * q1[j + 1] + w[i] * p4[j + 1], np.float32(0))
        south_east = max(se[i] + s[i] * q2[j + 1] + e[i] * p4[j + 2], np.float32(0))
        lacking = _missing_weight((north_west + north_east) + (south_west + south_east), lost, diagonal)
        loose = (north_west + north_east) + (south_west + south_east) <= TINY
        right = i + 1 < width
        north_west = np.float32(1) if loose else north_west
        north_east = np.float32(1) if loose and right else north_east
        south_west = np.float32(1) if loose and inside else south_west
        south_east = np.float32(1) if loose and right and inside else south_east
        share = (np.float32(1) - lacking) / ((north_west + north_east) + (south_west + south_east))
        p5[j + 1] = north_west * share
        p6[j + 1] = north_east * share
        p7[j + 1] = south_west * share
        p8[j + 1] = south_east * share
        middle[i + 1] = lacking


@njit(cache=True, nogil=True)
def prune(prolongation, missing):  # type: ignore[no-untyped-def]
    """Leave out coarse pixels that sit on a dead pixel, one without couplings, and hardly reach its neighbours.

    Their rows would be all cancellation. What they carried counts as missing.
    """
    for i in range(1, prolongation.shape[0] - 1):
        for j in range(1, prolongation.shape[2] - 1):
            if prolongation[i, 0, j] > 0:
                continue
            most = np.float32(0)
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    most = max(most, prolongation[i - (dy < 0), PLANE[dy + 1, dx + 1], j - (dx < 0)])
            if most >= LEAST_REACH:
                continue
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    y, k, x = i - (dy < 0), PLANE[dy + 1, dx + 1], j - (dx < 0)
                    if prolongation[y, k, x] > 0:  # so the fine pixel lies inside
                        missing[2 * i - 1 + dy, 0, 2 * j - 1 + dx] += prolongation[y, k, x]
                        prolongation[y, k, x] = np.float32(0)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def columns_row(row, odd, prolongation, entries, products):  # type: ignore[no-untyped-def]
    """One row of A P: products[q, slot, J] of fine pixel (2 I + odd, 2 J + q) with the coarse pixels around (I, J).

    ``prolongation`` is coarse rows I - 1 to I + 1; ``entries`` (2, 9, w') is work space; ``products`` is added to.
    """
    width = row.shape[1]
    for q in range(2):
        for k in range(9):
            sign = np.float32(1) if k == 4 else np.float32(-1)
            source, entry = row[k], entries[q, k]
            for j in range((width + 1 - q) // 2):
                entry[j] = sign * source[2 * j + q]
        diagonal = entries[q, 4]
        for k in range(9):
            if k != 4:
                entry = entries[q, k]
                for j in range(diagonal.size):
                    diagonal[j] -= entry[j]
    for n in range(COLUMN_TERMS[odd].shape[0]):
        term = COLUMN_TERMS[odd][n]
        q, k, y, plane, x, slot = term[0], term[1], term[2], term[3], term[4], term[5]
        size = (width + 1 - q) // 2
        _add_product(entries[q, k][:size], prolongation[y + 1, plane][x + 1 : x + 1 + size], products[q, slot][1:])


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def galerkin_row(products, before, here, coarse):  # type: ignore[no-untyped-def]
    """Couplings of one row of P^T A P; ``products`` is fine rows 2 I - 1 to 2 I + 1 of A P."""
    size = coarse.shape[1]
    for k in range(9):
        coarse[k] = np.float32(0)
    for n in range(ROW_TERMS.shape[0]):
        term = ROW_TERMS[n]
        y, q, x, plane, slot, k = term[0], term[1], term[2], term[3], term[4], term[5]
        weight = before[plane] if y < 0 else here[plane]
        _subtract_product(weight[1 + x : 1 + x + size], products[y + 1, q, slot][1 + x : 1 + x + size], coarse[k])


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def _add_product(first, second, total):  # type: ignore[no-untyped-def]
    for j in range(first.size):
        total[j] += first[j] * second[j]


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def _subtract_product(first, second, total):  # type: ignore[no-untyped-def]
    for j in range(first.size):
        total[j] -= first[j] * second[j]
