"""How far a result's values are from the truth's, pixel by pixel; and colourfulness, which knows no truth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridcolor.errors import ImageError

_AB_PEAK = 255.0  # of a* + 128 and b* + 128, as 8-bit files hold them
_PIXELS_AT_ONCE = 65536  # so that the two dozen planes of CIEDE2000 stay in the cache


def rgb_rmse(result: NDArray[Any], truth: NDArray[Any]) -> float:
    """Root mean square error of two (H, W, 3) RGB pictures of one integer type, on the scale of 8-bit values: 0 to 255.

    Raises
    ------
    ImageError
        If shapes or types differ, or the type is neither uint8 nor uint16; `hybridcolor.metrics.pair.Pair` widens one.

    Examples
    --------
    >>> rgb_rmse(np.full((2, 2, 3), 514, np.uint16), np.zeros((2, 2, 3), np.uint16))
    2.0
    """
    white = _white(result, truth)
    return _rmse(result, truth) * 255 / white


def psnr(result: NDArray[Any], truth: NDArray[Any]) -> float:
    """Peak signal to noise ratio of two (H, W, 3) RGB pictures of one integer type, in dB; ``inf`` if they are equal.

    Raises
    ------
    ImageError
        As for `rgb_rmse`.

    Examples
    --------
    >>> black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    >>> psnr(white, black)
    0.0
    """
    return _decibel(_white(result, truth), _rmse(result, truth))


def ab_rmse(result: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Root mean square difference of two (H, W, 2) chroma planes, over both channels, in ab units.

    Raises
    ------
    ImageError
        If their shapes differ.

    Examples
    --------
    >>> ab_rmse(np.zeros((1, 1, 2), np.float32), np.full((1, 1, 2), 3, np.float32))
    3.0
    """
    return _rmse(result, truth)


def ab_psnr(result: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Peak signal to noise ratio of two (H, W, 2) chroma planes in dB, the peak being 255; ``inf`` if they are equal.

    Examples
    --------
    >>> ab_psnr(np.zeros((1, 1, 2), np.float32), np.full((1, 1, 2), 25.5, np.float32))
    20.0
    """
    return _decibel(_AB_PEAK, _rmse(result, truth))


def ciede2000(result: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Mean CIEDE2000 colour difference of two (H, W, 3) L*a*b* pictures; about 1 is just seen in even patches.

    References
    ----------
    Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula", Color Research & Application 2005, doi
    10.1002/col.20070. The formula is scikit-image's.

    Examples
    --------
    >>> blue = np.array([[[50, 2.6772, -79.7751]]], np.float32), np.array([[[50, 0, -82.7485]]], np.float32)
    >>> round(ciede2000(*blue), 4)
    2.0425
    """
    from skimage.color import deltaE_ciede2000

    pixels = result.reshape(-1, 3), truth.reshape(-1, 3)
    starts = range(0, len(pixels[0]), _PIXELS_AT_ONCE)
    parts = ((p[i : i + _PIXELS_AT_ONCE] for p in pixels) for i in starts)
    differences = (deltaE_ciede2000(*part) for part in parts)  # type: ignore[no-untyped-call]
    return math.fsum(float(d.sum(dtype=np.float64)) for d in differences) / len(pixels[0])


def pixel_errors(result: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float32]:
    """Root mean square error of each pixel over its channels: (H, W, C) twice to (H, W) float32.

    Examples
    --------
    >>> pixel_errors(np.zeros((1, 1, 2), np.float32), np.array([[[1, 7]]], np.float32)).tolist()
    [[5.0]]
    """
    difference = np.subtract(result, truth, dtype=np.float32)
    squared = np.einsum("hwc,hwc->hw", difference, difference)
    return np.asarray(np.sqrt(squared / np.float32(difference.shape[-1])))


def cumulative_histogram(errors: ArrayLike, thresholds: ArrayLike) -> NDArray[np.float64]:
    """The share of errors that are at most each threshold: the curve that papers on colorization plot.

    Parameters
    ----------
    errors : array-like
        Of pixels (`pixel_errors`) or of whole pictures (one RMSE each); at least one.
    thresholds : (N,) array-like
        In the errors' unit.

    Returns
    -------
    (N,) float64
        Shares in 0..1, rising with the threshold.

    Examples
    --------
    >>> cumulative_histogram([1, 2, 3, 10], [0, 2, 10]).tolist()
    [0.0, 0.5, 1.0]
    """
    ordered = np.sort(np.asarray(errors), axis=None)
    return np.searchsorted(ordered, np.asarray(thresholds), side="right") / ordered.size


def colourfulness(rgb: NDArray[Any]) -> float:
    """Colourfulness of an (H, W, 3) RGB picture on the scale of 8-bit values; gray is 0, lively photos 40 to 60.

    Raises
    ------
    ImageError
        If its type is neither uint8 nor uint16.

    References
    ----------
    Hasler and Suesstrunk, "Measuring colourfulness in natural images", SPIE 2003, doi 10.1117/12.477378.

    Examples
    --------
    >>> colourfulness(np.full((4, 4, 3), 90, np.uint8))
    0.0
    """
    if rgb.dtype not in (np.uint8, np.uint16):  # white would be unknown
        raise ImageError(f"the picture is {rgb.dtype}; give it as uint8 or uint16")
    red, green, blue = np.moveaxis(rgb.astype(np.float64) * (255 / np.iinfo(rgb.dtype).max), -1, 0)
    opponents = red - green, (red + green) / 2 - blue
    spread, offset = (np.hypot(*(f(o) for o in opponents)) for f in (np.std, np.mean))
    return float(spread + 0.3 * offset)


def _white(result: NDArray[Any], truth: NDArray[Any]) -> float:
    """The value of white in two RGB pictures of one type."""
    if result.dtype != truth.dtype or truth.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"the result is {result.dtype}, the truth {truth.dtype}; give both as uint8 or both as uint16")
    return float(np.iinfo(truth.dtype).max)


def _rmse(result: NDArray[Any], truth: NDArray[Any]) -> float:
    if result.shape != truth.shape:  # which numpy might stretch to fit
        raise ImageError(f"the result has shape {result.shape}, the truth {truth.shape}; bring them to one size first")
    difference = np.subtract(result, truth, dtype=np.float64)
    difference *= difference
    return math.sqrt(difference.mean())


def _decibel(peak: float, rmse: float) -> float:
    return float("inf") if rmse == 0 else 20 * math.log10(peak / rmse)
