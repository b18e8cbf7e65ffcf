"""Luminance with its patterns laid flat: what `affinity="pattern"` gives a method in place of luminance."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hybridcolor.propagate.paper import evened, ink
from hybridcolor.propagate.patterns import GRID, SURE, tone_features
from hybridcolor.propagate.relief import without_dots
from hybridcolor.tones import find_tones, tone_size


def flattened(luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Tones as even areas with lines of ink between; patterns of one density differ by their first principal component.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.

    Returns
    -------
    (H, W) float32
        In 0..100; where there is no tone the luminance, without small dots.

    Examples
    --------
    >>> luminance = np.full((240, 300), 100, np.float32)
    >>> luminance[::5, :150] = 0
    >>> plane = flattened(luminance)
    >>> float(luminance[100:140, 50:90].std().round()), float(plane[100:140, 50:90].std().round())
    (40.0, 0.0)
    """
    luminance = evened(luminance)
    drawn, size = ink(luminance), tone_size(luminance.shape)
    tones = find_tones(drawn, size)
    plain = without_dots(luminance, drawn, size)
    if tones is None:
        return plain
    features, counted = tone_features(luminance, tones)
    light = features[..., 0] + _first_component(features[..., 1:], tones.inside[::GRID, ::GRID] & (counted > SURE))
    flat = np.where(tones.inside, cv2.resize(light, luminance.shape[::-1]), plain)
    flat[tones.lines] = np.median(luminance[drawn])
    return np.clip(flat, 0, 100).astype(np.float32)


def _first_component(features: NDArray[np.float32], counted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Where each sample lies along the direction in which those that count differ most."""
    if np.count_nonzero(counted) < 2:
        return np.zeros(counted.shape, np.float32)
    centred = features - features[counted].mean(axis=0)
    direction = np.linalg.eigh(np.cov(centred[counted].T))[1][:, -1]
    direction *= np.sign(direction[np.abs(direction).argmax()])
    return np.asarray(centred @ direction, np.float32)
