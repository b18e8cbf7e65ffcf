"""Line drawings to train on: lines taken from colour photos, and what paper, ink and scanners do to drawings.

Pairs of a drawing and its colours are few; lines extracted from photos add every subject that photos have.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def extract_lines(luminance: Plane, rng: np.random.Generator) -> Plane:
    """A photo as an ink drawing: its thresholded difference of Gaussians, at random width and density of lines.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    rng : numpy.random.Generator

    Returns
    -------
    (H, W) float32
        L* in 0..100: white paper, black lines, black where the photo is very dark.

    References
    ----------
    H. Winnemoeller, J. Kyprianidis, S. Olsen, "XDoG: an extended difference-of-Gaussians compendium", Computers &
    Graphics 2012, doi 10.1016/j.cag.2012.03.004.

    Examples
    --------
    >>> step = np.repeat(np.float32([[30, 90]]), 16, axis=1) * np.ones((16, 1), np.float32)
    >>> lines = extract_lines(step, np.random.default_rng(0))
    >>> bool(lines[8, 2] > 90), bool(lines[8, 14:18].min() < 50)
    (True, True)
    """
    width = rng.uniform(0.5, 1.1)
    fine, coarse = (cv2.GaussianBlur(luminance, (0, 0), sigma) for sigma in (width, 1.6 * width))
    ink = (coarse - fine) - np.float32(rng.uniform(0.6, 1.8))  # L* by which a line is darker than what is around it
    lines = 100 * (1 - np.tanh(np.maximum(ink, 0) * np.float32(rng.uniform(0.6, 1.5))))
    black = np.float32(rng.uniform(0, 18))  # filled shadows
    return np.asarray(np.where(fine < black, 0, lines), np.float32)


def age_drawing(luminance: Plane, rng: np.random.Generator) -> Plane:
    """A drawing as it comes off a scanner: thicker or thinner lines, pale ink, gray paper, blur, grain, JPEG noise.

    Parameters and result as for `extract_lines`.

    Examples
    --------
    >>> paper = np.full((16, 16), 100, np.float32)
    >>> aged = age_drawing(paper, np.random.default_rng(1))
    >>> aged.shape, bool(aged.min() >= 0), bool(aged.max() <= 100)
    ((16, 16), True, True)
    """
    square = np.ones((2, 2), np.uint8)
    chance = rng.random(5)
    if chance[0] < 0.2:
        luminance = np.asarray(cv2.erode(luminance, square), np.float32)
    elif chance[0] < 0.3:  # half thinned: lines of one pixel turn pale, they do not vanish
        luminance = np.asarray(luminance + cv2.dilate(luminance, square), np.float32) / np.float32(2)
    if chance[1] < 0.2:
        luminance = np.asarray(cv2.GaussianBlur(luminance, (0, 0), rng.uniform(0.3, 0.9)), np.float32)
    if chance[2] < 0.5:
        ink, paper = rng.uniform(0, 45), rng.uniform(82, 100)
        luminance = luminance * np.float32((paper - ink) / 100) + np.float32(ink)
    if chance[3] < 0.25:
        luminance = luminance + rng.normal(0, rng.uniform(0.5, 4), luminance.shape).astype(np.float32)
    luminance = np.asarray(luminance.clip(0, 100), np.float32)
    if chance[4] < 0.2:
        _, code = cv2.imencode(".jpg", (luminance * 2.55).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 40])
        luminance = np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE), np.float32) / np.float32(2.55)
    return luminance
