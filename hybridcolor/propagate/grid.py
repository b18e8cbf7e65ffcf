"""The 4-neighbours of a pixel by flat index, for kernels that walk over a picture."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def neighbour(pixel, side, width, size):  # type: ignore[no-untyped-def]
    """Flat index of the neighbour west, east, north or south (side 0..3); negative outside the picture."""
    if side == 0:
        return pixel - 1 if pixel % width > 0 else -1
    if side == 1:
        return pixel + 1 if pixel % width < width - 1 else -1
    if side == 2:
        return pixel - width
    return pixel + width if pixel + width < size else -1
