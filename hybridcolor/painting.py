"""How colour is put on a drawing, whose white paper has no room for colour at its own lightness.

Photos keep their luminance; on a drawing a person wants the yellow of a sun and the red of a coat where the paper is
blank. `make_room` darkens a pixel just as far as its colour needs, so lines stay black and paper without colour stays
white; `finished` has the other ways. May import ``lab``, ``resampling``, ``separation`` and ``errors``.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from hybridcolor.errors import MethodError
from hybridcolor.lab import gamut_chroma
from hybridcolor.separation import Separation, separate

Plane = NDArray[np.float32]

FINISHES = ("photo", "paint", "tone", "pattern")
"""Ways of putting colour on: see `finished`."""
_TINT = np.float32(0.45)  # lightness of a tinted line as a share of its colour's
_VIVID = np.float32(20)  # chroma from which on a colour tints wholly
_STEP = 4  # ab units between entries of the table
_RANGE = 128


def finished(
    luminance: Plane, chroma: NDArray[np.float32], *, finish: str, tint: float = 0.0, lightness: Plane | None = None
) -> Plane:
    """L* at which a picture shows its colours.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    chroma : (H, W, 2) float32
        a* and b*.
    finish : str
        One of `FINISHES`. "photo" leaves the luminance as it is. "paint" darkens blank paper as far as its colour
        needs; strokes and tone stay. "tone" takes screentone off and shades the colour as much as it was dark;
        "pattern" does so with hatching too. Lines stay with both.
    tint : float, optional
        From 0, black lines, to 1: lines in a dark shade of the colour beside them. Photos have none.
    lightness : (H, W) float32, optional
        L* that the colours are to have on blank paper, as far as they exist there, and less on gray; as light as they
        can be if not given. Photos keep their own.

    Returns
    -------
    (H, W) float32

    Raises
    ------
    MethodError
        If there is no such finish.

    References
    ----------
    Y. Qu, T.-T. Wong, P.-A. Heng, "Manga colorization", SIGGRAPH 2006, https://doi.org/10.1145/1141911.1142017, has
    these ways: color replacement, stroke-preserving colorization, pattern to shading.

    Examples
    --------
    >>> drawing = np.float32([[100, 0]])
    >>> red = np.full((1, 2, 2), (60, 40), np.float32)
    >>> [finished(drawing, red, finish="paint", tint=tint).round().tolist() for tint in (0, 1)]
    [[[61.0, 0.0]], [[61.0, 27.0]]]
    >>> finished(drawing, red, finish="paint", lightness=np.full_like(drawing, 40)).tolist()
    [[40.0, 0.0]]
    """
    check_finish(finish)
    if finish == "photo":
        return luminance
    room = on_paper(chroma, lightness)
    parts = drawn_parts(luminance, finish)
    if parts is not None:
        shown = room * parts.shade * parts.lines / np.float32(1e4)
    else:
        shown = np.minimum(luminance if lightness is None else luminance * lightness / np.float32(100), room)
    return np.asarray(np.maximum(shown, lightest_tint(chroma, tint) * room) if tint else shown, np.float32)


def on_paper(chroma: NDArray[np.float32], lightness: Plane | None = None) -> Plane:
    """(H, W) L* of colours on blank paper: of this lightness, or as light as they can be; see `finished`."""
    return make_room(np.full(chroma.shape[:2], 100, np.float32) if lightness is None else lightness, chroma)


def drawn_parts(luminance: Plane, finish: str) -> Separation | None:
    """The lines and the shade of a drawing, if its finish parts them."""
    return separate(luminance, hatching=finish == "pattern") if finish in ("tone", "pattern") else None


def lightest_tint(chroma: NDArray[np.float32], tint: float) -> Plane:
    """(H, W) share of its colour's lightness that a line has at least, from 0 for black."""
    strength = np.minimum(np.hypot(chroma[..., 0], chroma[..., 1]) / _VIVID, 1)
    return np.asarray(np.float32(tint) * _TINT * strength, np.float32)


def check_finish(finish: str) -> None:
    """Raise `MethodError` if there is no such finish."""
    if finish not in FINISHES:
        raise MethodError(f"finish {finish!r} is unknown; known: {', '.join(FINISHES)}")


def make_room(luminance: Plane, chroma: NDArray[np.float32]) -> Plane:
    """L* lowered to where each pixel's colour lies in the sRGB gamut.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    chroma : (H, W, 2) float32
        a* and b*.

    Returns
    -------
    (H, W) float32
        L*, nowhere higher than it was. A colour that exists at no lightness counts as the strongest of its hue.

    Examples
    --------
    >>> white = np.full((1, 2), 100, np.float32)
    >>> make_room(white, np.float32([[[0, 0], [60, 40]]])).round().tolist()
    [[100.0, 61.0]]
    """
    from hybridcolor.resampling import look_up  # numba comes with it, which readers of pictures do without

    return np.minimum(luminance, look_up(_lightest(), chroma, least=-_RANGE, step=_STEP))


@cache
def _lightest() -> Plane:
    """The highest L* at which each (a*, b*) of a grid is in gamut, or as strong as it can be."""
    axis = np.arange(-_RANGE, _RANGE + 1, _STEP, dtype=np.float32)
    ab = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1)
    levels = np.arange(101, dtype=np.float32)
    shape = (len(levels), *ab.shape[:2])
    kept = gamut_chroma(np.broadcast_to(levels[:, None, None], shape), np.broadcast_to(ab, (*shape, 2)))
    share = np.hypot(*np.moveaxis(kept, -1, 0)) / np.maximum(np.hypot(ab[..., 0], ab[..., 1]), 1e-6)
    full = share >= 0.995 * share.max(axis=0)
    lightest = levels[len(levels) - 1 - full[::-1].argmax(axis=0)]
    lightest[len(axis) // 2, len(axis) // 2] = 100  # gray is everywhere
    return np.asarray(lightest, np.float32)
