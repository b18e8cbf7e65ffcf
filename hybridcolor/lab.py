"""sRGB to CIE L*a*b* (D65, 2 degree observer) and back, keeping L* where a colour leaves the gamut.

sRGB is IEC 61966-2-1, L*a*b* is CIE 15; the matrix is Lindbloom's (www.brucelindbloom.com). Work runs
over short runs of pixels, so that all temporaries stay in the processor's cache. OpenCV's conversions are not
used: they are off by up to 0.4 L*a*b* units and clip RGB. May import ``errors`` only.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridcolor.errors import ImageError

Float = NDArray[np.float32]

_RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
# Relative to white, so that every row sums to 1. Then R = G = B means X = Y = Z and the other way round; both
# directions are written as "green (or Y) plus differences", which keeps grays gray to the last bit.
_RELATIVE = _RGB_TO_XYZ / _RGB_TO_XYZ.sum(axis=1, keepdims=True)
_FORWARD, FROM_XYZ = _RELATIVE.astype(np.float32), np.linalg.inv(_RELATIVE).astype(np.float32)

KNEE = np.float32(6 / 29)  # below it the cube root of L*a*b* is a straight line
_KNEE_CUBED = np.float32((6 / 29) ** 3)
KNEE_SLOPE = np.float32(3 * (6 / 29) ** 2)
_SRGB_KNEE = np.float32(0.0031308)

_RUN = 16384  # pixels at a time
_KNEES = np.full(_RUN, KNEE)  # numpy's maximum of two arrays is four times faster than of an array and a number
SLACK = np.float32(1e-6)  # of linear light: what float32 rounding alone may put outside 0..1
_FARTHEST = np.float32(110.0)  # no sRGB colour has |a*| or |b*| above 107.9
_STEPS = 10  # halvings in the gamut search: at most 0.16 units of chroma are given away


def rgb_to_lab(rgb: NDArray[Any]) -> Float:
    """CIE L*a*b* of sRGB colours.

    Parameters
    ----------
    rgb : (..., 3) uint8, uint16 or float
        sRGB, over the full range of an integer type or in 0..1.

    Returns
    -------
    (..., 3) float32
        L* in 0..100, a*, b*. Grays have a* = b* = 0 exactly.

    Raises
    ------
    ImageError
        If the last axis is not 3, the type is another, or a float lies outside 0..1.

    Examples
    --------
    >>> rgb_to_lab(np.array([255, 0, 0], np.uint8)).round(2).tolist()
    [53.2400016784668, 80.08999633789062, 67.19999694824219]
    """
    rgb = np.asarray(rgb)
    if rgb.ndim == 0 or rgb.shape[-1] != 3:
        raise ImageError(f"rgb_to_lab: expected an array of shape (..., 3), got {rgb.shape}")
    _check_range(rgb)
    lab = np.empty(rgb.shape, np.float32)
    flat, out = rgb.reshape(-1, 3), lab.reshape(-1, 3)
    for run in runs(len(flat)):
        _write_lab(out[run], *(_to_linear(flat[run, i]) for i in range(3)))
    return lab


def linear_to_lab(linear: ArrayLike) -> Float:
    """CIE L*a*b* of linear sRGB, also of colours outside of its gamut, whose channels leave 0..1.

    Parameters
    ----------
    linear : (..., 3) array-like of float
        Light relative to white; L* is held to 0..100.

    Returns
    -------
    (..., 3) float32
        L* in 0..100, a*, b*. Grays have a* = b* = 0 exactly.

    Examples
    --------
    >>> linear_to_lab([[0.184, 0.184, 0.184], [0.0, 1.0, 0.0]]).round().tolist()
    [[50.0, 0.0, 0.0], [88.0, -86.0, 83.0]]
    """
    channels = np.asarray(linear, np.float32)
    lab = np.empty(channels.shape, np.float32)
    flat, out = channels.reshape(-1, 3), lab.reshape(-1, 3)
    for run in runs(len(flat)):
        _write_lab(out[run], *(flat[run, i].copy() for i in range(3)))
    np.clip(out[:, 0], 0, 100, out=out[:, 0])
    return lab


def _write_lab(out: Float, red: Float, green: Float, blue: Float) -> None:
    """L*a*b* of a run of linear light; red and blue are used up."""
    red -= green
    blue -= green
    fx, fy, fz = (_root(green + from_red * red + from_blue * blue) for from_red, _, from_blue in _FORWARD)
    out[:, 0] = np.float32(116) * fy - np.float32(16)
    out[:, 1] = np.float32(500) * (fx - fy)
    out[:, 2] = np.float32(200) * (fy - fz)


def lab_to_rgb(luminance: ArrayLike, chroma: ArrayLike) -> Float:
    """A luminance plane and a chroma plane as sRGB, at exactly that luminance.

    Where (L*, a*, b*) is outside the sRGB gamut, chroma is reduced as `gamut_chroma` does; RGB is never clipped
    by more than rounding.

    Parameters
    ----------
    luminance : (...) array-like of float
        L*; values outside 0..100 count as 0 or 100.
    chroma : (..., 2) array-like of float
        a* and b*, of any size.

    Returns
    -------
    (..., 3) float32
        sRGB in 0..1. Where a* = b* = 0, R = G = B exactly.

    Raises
    ------
    ImageError
        If the shapes do not fit together or a value is not finite.

    Examples
    --------
    >>> rgb = lab_to_rgb([[50.0]], [[[200.0, 0.0]]])
    >>> round(float(rgb_to_lab(rgb)[0, 0, 0]), 3)
    50.0
    """
    planes, colours = checked_planes(luminance, chroma)
    rgb = np.empty((*planes.shape, 3), np.float32)
    flat, ab, out = planes.reshape(-1), colours.reshape(-1, 2), rgb.reshape(-1, 3)
    for run in runs(len(flat)):
        level = _level(flat[run])
        for i, channel in enumerate(_linear(level, *_into_gamut(level, ab[run]))):
            out[run, i] = encode(channel)
    return rgb


def gamut_chroma(luminance: ArrayLike, chroma: ArrayLike) -> Float:
    """The chroma that sRGB can show at each luminance: unchanged in gamut, else scaled toward neutral.

    L* and hue are kept. The scale is where the line from neutral to the colour leaves the gamut, found to 0.16 units
    of chroma. (A few lines near pure yellow leave it, come back and leave again; either border may be found there.)

    Parameters
    ----------
    luminance : (...) array-like of float
        L*; values outside 0..100 count as 0 or 100.
    chroma : (..., 2) array-like of float
        a* and b*, of any size.

    Returns
    -------
    (..., 2) float32
        Reduced a* and b*.

    Raises
    ------
    ImageError
        If the shapes do not fit together or a value is not finite.

    Examples
    --------
    >>> gamut_chroma([50.0, 50.0], [[20.0, 10.0], [200.0, 0.0]]).round().tolist()
    [[20.0, 10.0], [79.0, 0.0]]
    """
    planes, colours = checked_planes(luminance, chroma)
    reduced = np.empty(colours.shape, np.float32)
    flat, ab, out = planes.reshape(-1), colours.reshape(-1, 2), reduced.reshape(-1, 2)
    for run in runs(len(flat)):
        out[run, 0], out[run, 1] = _into_gamut(_level(flat[run]), ab[run])
    return reduced


def gray_to_luminance(gray: NDArray[Any]) -> Float:
    """L* of gray sRGB values.

    Parameters
    ----------
    gray : (...) uint8, uint16 or float
        Over the full range of an integer type or in 0..1.

    Returns
    -------
    (...) float32
        L* in 0..100.

    Raises
    ------
    ImageError
        If the type is another, or a float lies outside 0..1.

    Examples
    --------
    >>> gray_to_luminance(np.array([0, 119, 255], np.uint8)).round(2).tolist()
    [0.0, 50.029998779296875, 100.0]
    """
    gray = np.asarray(gray)
    _check_range(gray)
    if gray.dtype.kind == "u":
        return np.asarray(_luminance_table(gray.dtype.itemsize)[gray])
    luminance = np.empty(gray.shape, np.float32)
    flat, out = gray.reshape(-1), luminance.reshape(-1)
    for run in runs(len(flat)):
        out[run] = np.float32(116) * _root(_to_linear(flat[run])) - np.float32(16)
    return luminance


def luminance_to_gray(luminance: ArrayLike) -> Float:
    """The inverse of `gray_to_luminance`: gray sRGB values in 0..1, exact for 16-bit files.

    Examples
    --------
    >>> luminance_to_gray([0.0, 53.585, 100.0]).round(3).tolist()
    [0.0, 0.5019999742507935, 1.0]
    """
    planes = np.asarray(luminance, np.float32)
    gray = np.empty(planes.shape, np.float32)
    flat, out = planes.reshape(-1), gray.reshape(-1)
    for run in runs(len(flat)):
        out[run] = encode(_level(flat[run]).y)
    return gray


def quantize(values: NDArray[np.float32], bit_depth: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Values in 0..1 rounded to uint8 (``bit_depth`` 8) or uint16 (16).

    Examples
    --------
    >>> quantize(np.array([0.0, 0.5, 1.0], np.float32), 8).tolist()
    [0, 128, 255]
    """
    top, kind = (np.float32(65535), np.uint16) if bit_depth == 16 else (np.float32(255), np.uint8)
    out = np.empty(values.shape, kind)
    flat, levels = values.reshape(-1), out.reshape(-1)
    for run in runs(len(flat)):
        levels[run] = np.clip(flat[run], 0, 1) * top + np.float32(0.5)
    return out


def eight_bits(rgb: NDArray[Any]) -> NDArray[np.uint8]:
    """uint8 or uint16 values as the uint8 that a screen shows.

    Examples
    --------
    >>> eight_bits(np.array([0, 255, 65535], np.uint16)).tolist()
    [0, 0, 255]
    """
    return (rgb if rgb.dtype == np.uint8 else rgb >> 8).astype(np.uint8)


class _Level(NamedTuple):
    """The luminance of a run of pixels, on the two scales that the formulas use."""

    root: Float  # (L* + 16) / 116
    y: Float  # its cube, Y relative to white


def _level(luminance: Float) -> _Level:
    root = (np.clip(luminance, 0, 100) + np.float32(16)) * np.float32(1 / 116)
    return _Level(root, _cube(root))


def _into_gamut(level: _Level, ab: Float) -> tuple[Float, Float]:
    """a* and b* of a run of pixels, scaled toward neutral where they leave the gamut."""
    a, b = ab[:, 0].copy(), ab[:, 1].copy()  # a single pixel's would be views of the caller's array
    with np.errstate(over="ignore", invalid="ignore"):  # a colour so far out that its cube overflows is outside too
        outside = np.flatnonzero(~_in_gamut(level, a, b))
    if len(outside):
        far_a, far_b = a[outside], b[outside]
        scale = _gamut_scale(_Level(level.root[outside], level.y[outside]), far_a, far_b)
        a[outside], b[outside] = scale * far_a, scale * far_b
    return a, b


def _gamut_scale(level: _Level, a: Float, b: Float) -> Float:
    """The scale in [0, 1) that brings each colour from outside to just inside the gamut's border.

    Plain bisection: it needs cubes only, no powers, and here beats the secant methods at its worst pixel.
    """
    step = np.minimum(np.float32(1), _FARTHEST / np.maximum(np.abs(a), np.abs(b)))
    scale = np.zeros_like(step)
    for _ in range(_STEPS):
        step *= np.float32(0.5)
        trial = scale + step
        scale += step * _in_gamut(level, trial * a, trial * b)
    return scale


def _in_gamut(level: _Level, a: Float, b: Float) -> NDArray[np.bool_]:
    """Whether all three channels lie in 0..1, give or take rounding."""
    red, green, blue = (np.abs(channel - np.float32(0.5)) for channel in _linear(level, a, b))
    inside: NDArray[np.bool_] = np.maximum(np.maximum(red, green), blue) <= np.float32(0.5) + SLACK
    return inside


def _linear(level: _Level, a: Float, b: Float) -> list[Float]:
    """Linear red, green and blue; with a = b = 0 all three are Y, to the last bit."""
    x = _cube(level.root + np.float32(1 / 500) * a) - level.y
    z = _cube(level.root - np.float32(1 / 200) * b) - level.y
    return [level.y + red * x + blue * z for red, _, blue in FROM_XYZ]


def _cube(f: Float) -> Float:
    """The cube, continued by its tangent below the knee."""
    above: Float = np.maximum(f, _KNEES[: len(f)])
    return above * above * above + KNEE_SLOPE * (f - above)


def _root(t: Float) -> Float:
    """The inverse of `_cube`."""
    above = np.maximum(t, _KNEE_CUBED)
    root: Float = np.cbrt(above) + (t - above) / KNEE_SLOPE
    return root


def encode(linear: Float) -> Float:
    """The sRGB transfer curve, of linear light that may be a rounding error outside 0..1."""
    above = np.maximum(linear, _SRGB_KNEE)
    curve = np.float32(1.055) * np.power(above, np.float32(1 / 2.4)) - np.float32(0.055)
    return np.asarray(np.clip(curve + np.float32(12.92) * (linear - above), 0, 1), np.float32)


def to_linear(encoded: NDArray[Any]) -> NDArray[Any]:
    """Linear light of float sRGB values: the inverse of the transfer curve, in the precision that is given.

    Examples
    --------
    >>> to_linear(np.array([0.0, 0.5, 1.0])).round(4).tolist()
    [0.0, 0.214, 1.0]
    """
    above: NDArray[Any] = np.maximum(encoded, encoded.dtype.type(0.04045))
    linear: NDArray[Any] = ((above + 0.055) / 1.055) ** 2.4 + (encoded - above) / 12.92
    return linear


def _to_linear(encoded: NDArray[Any]) -> Float:
    """Linear light of integer or float sRGB values."""
    if encoded.dtype.kind == "u":
        return np.asarray(_linear_table(encoded.dtype.itemsize)[encoded])
    return to_linear(encoded.astype(np.float32))


@cache
def _linear_table(itemsize: int) -> Float:
    """Linear light of every value of an unsigned type of ``itemsize`` bytes."""
    return to_linear(np.linspace(0, 1, 256**itemsize)).astype(np.float32)


@cache
def _luminance_table(itemsize: int) -> Float:
    """L* of every gray value of an unsigned type of ``itemsize`` bytes."""
    linear = to_linear(np.linspace(0, 1, 256**itemsize))
    root = np.where(linear > (6 / 29) ** 3, np.cbrt(linear), linear / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.asarray(116 * root - 16, np.float32)


def _check_range(values: NDArray[Any]) -> None:
    """Raise `ImageError` unless these are uint8, uint16, or floats in 0..1."""
    if values.dtype in (np.uint8, np.uint16):
        return
    if values.dtype.kind != "f":
        raise ImageError(f"pixel type {values.dtype}: expected uint8, uint16 or float in 0..1; convert first")
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise ImageError("a float pixel lies outside 0..1 or is not a number; scale the picture to 0..1")


def checked_planes(luminance: ArrayLike, chroma: ArrayLike) -> tuple[Float, Float]:
    """(H, W) and (H, W, 2) as float32.

    Raises
    ------
    ImageError
        If they do not fit together, or are not finite.
    """
    planes, colours = np.asarray(luminance, np.float32), np.asarray(chroma, np.float32)
    if colours.shape != (*planes.shape, 2):
        raise ImageError(f"chroma has shape {colours.shape}, expected {(*planes.shape, 2)} to go with this luminance")
    if not (np.isfinite(planes).all() and np.isfinite(colours).all()):
        raise ImageError("luminance or chroma is not finite (NaN or infinite); give ordinary numbers")
    return planes, colours


def runs(count: int) -> Iterator[slice]:
    """Slices that cover ``count`` pixels in order, each so short that all temporaries stay in the processor's cache."""
    return (slice(start, start + _RUN) for start in range(0, count, _RUN))
