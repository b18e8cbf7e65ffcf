"""Between a nine-point operator's grid and the next coarser one: interpolation, restriction, Galerkin product.

Coarse pixel (I, J) sits on fine pixel (2 I, 2 J). Interpolation follows the operator, as in "Black box multigrid"
(J. Dendy, 1982, doi 10.1016/0021-9991(82)90057-2): a fine pixel between two coarse ones takes the average that its own
equation gives, a fine pixel amid four takes what its equation gives once its eight neighbours are known.

What the equation of a pixel between two coarse ones says of those at its corners has to be shared out between the two.
Dendy adds each corner to the coarse pixel beside it. But a corner may lie beyond an edge that runs diagonally, as most
edges do that are no walls; so it counts only as far as it goes with that coarse pixel itself, by its own first guess
(`guess_even`, `guess_odd`). An area behind such an edge, which a walk hardly leaves, else has a coarse equation that
lets it out: corrections of its colour then are too weak by any factor.

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


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def _toward(beside, corner, other_corner, share, other_share):  # type: ignore[no-untyped-def]
    """What a pixel holds on to on one side of its line, and of that what is above 0.

    ``beside`` is the coupling to the coarse pixel there; the corners count by the shares with which they go with it.
    """
    zero = np.float32(0)
    above = max(beside, zero) + max(corner, zero) * share + max(other_corner, zero) * other_share
    return beside + corner * share + other_corner * other_share, above


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def _both_sides(first, first_above, second, second_above):  # type: ignore[no-untyped-def]
    """What a pixel holds on to on both sides; where couplings below 0 cancel all of one side, by those above 0.

    Else a pixel might go wholly with the side to which next to nothing links it.
    """
    cancelled = min(first, second) < np.float32(0)
    return (first_above if cancelled else first), (second_above if cancelled else second)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def _west_and_east(row, i):  # type: ignore[no-untyped-def]
    """What pixel i holds on to on its west and east, corners in full."""
    one = np.float32(1)
    west, west_above = _toward(row[3, i], row[0, i], row[6, i], one, one)
    east, east_above = _toward(row[5, i], row[2, i], row[8, i], one, one)
    return _both_sides(west, west_above, east, east_above)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def _north_and_south(row, i):  # type: ignore[no-untyped-def]
    """What pixel i holds on to on its north and south, corners in full."""
    one = np.float32(1)
    north, north_above = _toward(row[1, i], row[0, i], row[2, i], one, one)
    south, south_above = _toward(row[7, i], row[6, i], row[8, i], one, one)
    return _both_sides(north, north_above, south, south_above)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True, error_model="numpy")
def guess_even(row, share):  # type: ignore[no-untyped-def]
    """How far each pixel (2 I, 2 J + 1) goes with the coarse one west of it rather than with that to the east."""
    for j in range(row.shape[1] // 2):
        west, east = _west_and_east(row, 2 * j + 1)
        share[j + 1] = west / (west + east) if west + east > TINY else np.float32(0.5)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True, error_model="numpy")
def guess_odd(row, share):  # type: ignore[no-untyped-def]
    """How far each pixel (2 I + 1, 2 J) goes with the coarse one north of it rather than with that to the south."""
    for j in range((row.shape[1] + 1) // 2):
        north, south = _north_and_south(row, 2 * j)
        share[j + 1] = north / (north + south) if north + south > TINY else np.float32(0.5)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True, error_model="numpy")
def interpolate_even(row, above, below, here, missing):  # type: ignore[no-untyped-def]
    """Planes 0..2 from fine row 2 I, and how much its pixels' weights miss of 1.

    ``above`` and ``below`` are the first guesses of fine rows 2 I - 1 and 2 I + 1. A pixel that couplings below 0 leave
    without a line to hold on to takes its neighbours on the line equally: only what a seed takes may be missing, or a
    region without seeds would be pulled to 0.
    """
    p0, p1, p2 = here[0], here[1], here[2]
    width = row.shape[1]
    for j in range((width + 1) // 2):
        p0[j + 1] = np.float32(1) if _total(row, 2 * j) > TINY else np.float32(0)  # at a hard seed the correction is 0
        missing[2 * j + 1] = np.float32(1) - p0[j + 1]
    for j in range(width // 2):
        i = 2 * j + 1
        all_west, all_east = _west_and_east(row, i)
        lacking = _missing_weight(all_west + all_east, max(row[4, i], np.float32(0)), _total(row, i) + row[4, i])
        west, west_above = _toward(row[3, i], row[0, i], row[6, i], np.float32(1) - above[j + 1], below[j + 1])
        east, east_above = _toward(row[5, i], row[2, i], row[8, i], np.float32(1) - above[j + 2], below[j + 2])
        west, east = _both_sides(west, west_above, east, east_above)
        alone = west + east <= TINY
        west, east = (all_west if alone else west), (all_east if alone else east)
        loose = west + east <= TINY
        west = np.float32(1) if loose else west
        east = np.float32(1) if loose and i + 1 < width else east
        share = (np.float32(1) - lacking) / (west + east)
        p1[j + 1] = west * share
        p2[j + 1] = east * share
        missing[i + 1] = lacking


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True, error_model="numpy")
def interpolate_odd(row, above, below, here, after, missing, inside):  # type: ignore[no-untyped-def]
    """Planes 3..8 from fine row 2 I + 1; ``missing`` is fine rows 2 I to 2 I + 2, of which the middle is written.

    ``above`` and ``below`` are the first guesses of fine rows 2 I and 2 I + 2, ``inside`` says whether the second lies
    inside the picture.
    """
    p3, p4 = here[3], here[4]
    width = row.shape[1]
    for j in range((width + 1) // 2):
        i = 2 * j
        all_north, all_south = _north_and_south(row, i)
        lacking = _missing_weight(all_north + all_south, max(row[4, i], np.float32(0)), _total(row, i) + row[4, i])
        north, north_above = _toward(row[1, i], row[0, i], row[2, i], np.float32(1) - above[j], above[j + 1])
        south, south_above = _toward(row[7, i], row[6, i], row[8, i], np.float32(1) - below[j], below[j + 1])
        north, south = _both_sides(north, north_above, south, south_above)
        alone = north + south <= TINY
        north, south = (all_north if alone else north), (all_south if alone else south)
        loose = north + south <= TINY
        north = np.float32(1) if loose else north
        south = np.float32(1) if loose and inside else south
        share = (np.float32(1) - lacking) / (north + south)
        p3[j + 1] = north * share
        p4[j + 1] = south * share
        missing[1, i + 1] = lacking
    _interpolate_amid(row, here, after, missing, inside)


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True, error_model="numpy")
def _interpolate_amid(row, here, after, missing, inside):  # type: ignore[no-untyped-def]
    """Planes 5..8: pixels amid four coarse ones, from the planes before."""
    n, w, e, s = row[1], row[3], row[5], row[7]
    nw, ne, t, sw, se = row[0], row[2], row[4], row[6], row[8]
    p1, p2, p3, p4 = here[1], here[2], here[3], here[4]
    p5, p6, p7, p8 = here[5], here[6], here[7], here[8]
    q1, q2 = after[1], after[2]
    above, middle, below = missing[0], missing[1], missing[2]
    width = t.size
    zero, one = np.float32(0), np.float32(1)
    for j in range(width // 2):
        i = 2 * j + 1
        lost = t[i] + (n[i] * above[i + 1] + s[i] * below[i + 1]) + (w[i] * middle[i] + e[i] * middle[i + 2])
        north_west = nw[i] + n[i] * p1[j + 1] + w[i] * p3[j + 1]
        north_east = ne[i] + n[i] * p2[j + 1] + e[i] * p3[j + 2]
        south_west = sw[i] + s[i] * q1[j + 1] + w[i] * p4[j + 1]
        south_east = se[i] + s[i] * q2[j + 1] + e[i] * p4[j + 2]
        if min(north_west, north_east, south_west, south_east) < zero:  # as in `_both_sides`
            north, south, west, east = max(n[i], zero), max(s[i], zero), max(w[i], zero), max(e[i], zero)
            north_west = max(nw[i], zero) + north * p1[j + 1] + west * p3[j + 1]
            north_east = max(ne[i], zero) + north * p2[j + 1] + east * p3[j + 2]
            south_west = max(sw[i], zero) + south * q1[j + 1] + west * p4[j + 1]
            south_east = max(se[i], zero) + south * q2[j + 1] + east * p4[j + 2]
        held = (north_west + north_east) + (south_west + south_east)
        lacking = _missing_weight(held, max(lost, zero), _total(row, i) + t[i])
        loose = held <= TINY
        right = i + 1 < width
        north_west = one if loose else north_west
        north_east = one if loose and right else north_east
        south_west = one if loose and inside else south_west
        south_east = one if loose and right and inside else south_east
        share = (one - lacking) / ((north_west + north_east) + (south_west + south_east))
        p5[j + 1] = north_west * share
        p6[j + 1] = north_east * share
        p7[j + 1] = south_west * share
        p8[j + 1] = south_east * share
        middle[i + 1] = lacking


@njit(cache=True, nogil=True, fastmath=FAST, forceinline=True)
def _total(row, i):  # type: ignore[no-untyped-def]
    """All couplings of pixel i."""
    return ((row[0, i] + row[1, i]) + (row[2, i] + row[3, i])) + ((row[5, i] + row[6, i]) + (row[7, i] + row[8, i]))


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
