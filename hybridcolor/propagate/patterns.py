"""What a picture's surface is like around each pixel: local averages of Gabor wavelets' magnitudes (pattern features).

Within one screentone or hatching luminance jumps from pixel to pixel, and the features are even; where one pattern
meets another they change. A Gabor wavelet with a round envelope is a product of two one-dimensional ones, so a bank
costs a few short filters along rows and columns, and coarser wavelets are the same on a smaller picture.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hybridcolor.tones import Tones

GRID = 4
"""Pixels from one sample of the features to the next."""
WAVELENGTH = 5.0
"""Wavelength of the finest wavelets, in pixels; those of the next scales are 2 and 4 times as long."""
SCALES = 3
ENVELOPE = 2.5
"""Standard deviation of the finest wavelets' envelope, in pixels."""
AVERAGED = 8.0
"""Standard deviation, in pixels, of the average of magnitudes."""

RIM = 7.0
"""Distance from a tone's edge and lines, in pixels, from which on its features count."""
SURE = 0.3
"""Least share of the surroundings that must count for a sample's features to be believed."""


def pattern_features(
    luminance: NDArray[np.float32], weight: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features of the pattern around every `GRID`-th pixel, in units of L*.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    weight : (H, W) float32, optional
        How much each pixel counts in the averages; 0 where a line disturbs the pattern.

    Returns
    -------
    features : (h, w, 13) float32
        Mean L*, then for wavelengths of 5, 10 and 20 pixels the mean magnitude of the waves that run from left to
        right, from top to bottom, and along both diagonals.
    counted : (h, w) float32
        Total weight that went into them, 1 where all around counts.

    References
    ----------
    .. [1] B. S. Manjunath, W. Y. Ma, "Texture features for browsing and retrieval of image data", IEEE TPAMI 18(8),
       1996. https://doi.org/10.1109/34.531803

    Examples
    --------
    >>> stripes = np.where(np.arange(60) % 5 < 2, 0, 100) * np.ones((60, 1))
    >>> features, _ = pattern_features(stripes.astype(np.float32))
    >>> features.shape, int(features[7, 7, 1:].argmax())
    ((15, 15, 13), 0)
    """
    height, width = luminance.shape
    size = -(-width // GRID), -(-height // GRID)
    share = np.ones(luminance.shape, np.float32) if weight is None else weight
    planes = [luminance]
    level = luminance
    for scale in range(SCALES):
        planes += _magnitudes(level)
        if scale < SCALES - 1:
            level = _resized(level, (-(-level.shape[1] // 2), -(-level.shape[0] // 2)))
    total = _averaged(_resized(share, size))
    features = np.empty((size[1], size[0], len(planes)), np.float32)
    for number, plane in enumerate(planes):
        counted = plane * share if plane.shape == share.shape else _resized(plane, size) * _resized(share, size)
        features[..., number] = _averaged(_resized(counted, size)) / np.maximum(total, np.float32(1e-3))
    return features, total


def tone_features(luminance: NDArray[np.float32], tones: Tones) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """`pattern_features` of tones, without pixels near lines, tones' edges or the page's rim: wavelets see beyond."""
    tone = cv2.copyMakeBorder((tones.inside & ~tones.lines).view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    even = cv2.distanceTransform(tone, cv2.DIST_L2, cv2.DIST_MASK_3)[1:-1, 1:-1] > RIM
    return pattern_features(luminance, even.astype(np.float32))


def pattern_distance(features: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Euclidean distance of features, in units of L*; both (..., 13)."""
    return np.asarray(np.sqrt(np.square(features - other).sum(axis=-1)), np.float32)


def _magnitudes(plane: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Magnitudes of the responses to four waves, whose two-dimensional filters are made of one-dimensional ones."""
    radius = int(3 * ENVELOPE)
    at = np.arange(-radius, radius + 1)
    bell = np.exp(-0.5 * (at / ENVELOPE) ** 2)
    bell /= bell.sum()

    def wave(turn: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        angle = turn * 2 * np.pi / WAVELENGTH * at
        even = bell * np.cos(angle)
        even -= bell * even.sum()  # plain surfaces have no magnitude
        return even.astype(np.float32), (bell * np.sin(angle)).astype(np.float32)

    def filtered(across: NDArray[np.float32], down: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.sepFilter2D(plane, -1, across, down, borderType=cv2.BORDER_REFLECT), np.float32)

    flat = bell.astype(np.float32)
    even, odd = wave(1.0)
    straight = [
        cv2.magnitude(filtered(even, flat), filtered(odd, flat)),
        cv2.magnitude(filtered(flat, even), filtered(flat, odd)),
    ]
    even, odd = wave(0.5**0.5)
    both, neither = filtered(even, even), filtered(odd, odd)
    first, second = filtered(odd, even), filtered(even, odd)
    diagonal = [cv2.magnitude(both - neither, first + second), cv2.magnitude(both + neither, first - second)]
    return [np.asarray(plane, np.float32) for plane in straight + diagonal]


def _resized(plane: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _averaged(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), AVERAGED / GRID, borderType=cv2.BORDER_CONSTANT), np.float32)
