"""Scores that look at neighbourhoods: SSIM, its quaternion form for colour, and PA, which counts artefacts."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

EVEN = 5.0
"""The default threshold of `pa` in ab units, about twice the difference that is just seen (2.3): the grain of a photo
stays below it, an artefact does not."""

_SIDE, _SIGMA = 11, 1.5  # the Gaussian window of Wang et al., which QSSIM keeps
_C1, _C2 = 0.01**2, 0.03**2


def ssim(result: NDArray[Any], truth: NDArray[Any]) -> float:
    """Mean structural similarity of two (H, W, 3) RGB pictures of the same integer type, each channel for itself.

    scikit-image's, with the published Gaussian window. As the luminance of a colorization is given, all are high:
    read differences. Sides below 11 pixels are mirrored up to 11.

    Returns
    -------
    float
        In -1..1; 1 is equal.

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment", IEEE TIP 2004, doi 10.1109/TIP.2003.819861.

    Examples
    --------
    >>> ssim(np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1, 3), np.uint8))
    1.0
    """
    from skimage.metrics import structural_similarity

    top = np.float32(np.iinfo(truth.dtype).max)
    value = structural_similarity(  # type: ignore[no-untyped-call]
        *(_mirrored(rgb).astype(np.float32) / top for rgb in (truth, result)),
        channel_axis=-1,
        data_range=1.0,
        gaussian_weights=True,
        use_sample_covariance=False,
    )
    return float(value)


def qssim(result: NDArray[Any], truth: NDArray[Any]) -> float:
    r"""Mean quaternion structural similarity of two (H, W, 3) RGB pictures of the same integer type.

    A colour is the pure quaternion q = R i + G j + B k, so that luminance, saturation and hue are compared at once.
    Over a Gaussian window (11 by 11, sigma 1.5) with mean :math:`\mu` and, in quaternion products,
    :math:`\sigma_x^2 = E|x - \mu_x|^2` and :math:`\sigma_{xy} = E[(x - \mu_x)\overline{(y - \mu_y)}]`,

    .. math:: \mathrm{QSSIM} = \left| \frac{2\mu_x\overline{\mu_y} + C_1}{|\mu_x|^2 + |\mu_y|^2 + C_1} \right|
              \left| \frac{2\sigma_{xy} + C_2}{\sigma_x^2 + \sigma_y^2 + C_2} \right|,

    :math:`C_1 = 0.01^2`, :math:`C_2 = 0.03^2` for channels in 0..1; the mean over all windows that lie inside. Sides
    below 11 pixels are mirrored up to 11.

    Returns
    -------
    float
        In 0..1; 1 is equal. By the modulus a negative (inverted) structure counts as a positive one.

    References
    ----------
    Kolaman, Yadid-Pecht, "Quaternion structural similarity", IEEE TIP 2012, doi 10.1109/TIP.2011.2181522.

    Examples
    --------
    >>> red, gray = np.zeros((11, 11, 3), np.uint8), np.full((11, 11, 3), 128, np.uint8)
    >>> red[..., 0] = 255
    >>> qssim(red, red), round(qssim(gray, red), 3)
    (1.0, 0.99)
    """
    # In float32 the difference of E|x|^2 and |mean|^2 would lose what C2 is small against.
    x, y = (_mirrored(rgb) / np.iinfo(truth.dtype).max for rgb in (result, truth))
    of_means = _products(_windows(x), _windows(y))
    centred = _windows(_products(x, y)) - of_means
    return float(np.mean(_similarity(of_means, _C1) * _similarity(centred, _C2), dtype=np.float64))


def pa(result: NDArray[np.float32], truth: NDArray[np.float32], *, threshold: float = EVEN) -> float:
    """PA: of the pixels that are even in the truth, the share that is even in the result too.

    A pixel is even if each of its 4-neighbours (those inside the picture) is within ``threshold`` of it in ab, as
    Euclidean distance. It punishes speckle, seams and halos, not other colours: a gray result scores 1.

    Parameters
    ----------
    result, truth : (H, W, 2) float32
        a* and b*.
    threshold : float, optional
        In ab units.

    Returns
    -------
    float
        In 0..1; 1 if no pixel of the truth is even, as nothing could be spoiled.

    Examples
    --------
    >>> spotty = np.zeros((5, 5, 2), np.float32)
    >>> spotty[2, 2] = 20
    >>> pa(spotty, np.zeros_like(spotty))
    0.8
    """
    even = _even(truth, threshold)
    return float(_even(result, threshold)[even].mean()) if even.any() else 1.0


def _even(ab: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    even = np.ones(ab.shape[:2], bool)
    for axis in (0, 1):
        step = np.diff(ab, axis=axis)
        jump = np.einsum("hwc,hwc->hw", step, step) > np.float32(threshold**2)
        here, there = np.moveaxis(even, axis, 0), np.moveaxis(jump, axis, 0)
        here[:-1] &= ~there
        here[1:] &= ~there
    return even


def _products(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, W, 5): x . y and the cross product, which make up x y* but for a sign; then |x|^2 + |y|^2."""
    (r, g, b), (u, v, w) = np.moveaxis(x, -1, 0), np.moveaxis(y, -1, 0)
    energy = r * r + g * g + b * b + (u * u + v * v + w * w)
    return np.stack([r * u + g * v + b * w, g * w - b * v, b * u - r * w, r * v - g * u, energy], axis=-1)


def _similarity(products: NDArray[np.float64], c: float) -> NDArray[np.float64]:
    """|2 x y* + c| / (|x|^2 + |y|^2 + c), from `_products`."""
    dot, cross, energy = products[..., 0], products[..., 1:4], products[..., 4]
    modulus = np.sqrt((2 * dot + c) ** 2 + 4 * np.einsum("hwc,hwc->hw", cross, cross))
    return np.asarray(modulus / (energy + c))


def _windows(planes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted mean over every window that lies inside the picture."""
    half = _SIDE // 2
    blurred = cv2.GaussianBlur(planes, (_SIDE, _SIDE), _SIGMA)
    return np.asarray(blurred[half:-half, half:-half], np.float64)


def _mirrored(rgb: NDArray[Any]) -> NDArray[Any]:
    """The picture, its small sides brought up to a window's by mirroring."""
    wide = [(0, max(0, _SIDE - side)) for side in rgb.shape[:2]]
    return np.pad(rgb, [*wide, (0, 0)], mode="symmetric")
