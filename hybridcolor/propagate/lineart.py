"""Line-art propagation: each pixel goes to the stroke from which the largest ball can roll to it.

Gaps in the lines need no closing and no size given: where two strokes could both flow in, the narrowest passage parts
them, as in trapped-ball segmentation, here for all ball sizes at once.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hybridcolor.propagate.marker_flooding import flood_markers, gradient_levels
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.regions import QUANTA, quantize
from hybridcolor.propagate.strokes import mark, paint
from hybridcolor.seeds import Seeds

STEP = 16.0
"""L* by which neighbours differ at a line, at least."""
CONTRAST = 0.35
"""The same as a share of the picture's strongest steps (its 99th percentile)."""
FINENESS = 8
"""Levels of the relief to a pixel of distance."""
_DEEPEST = 4000  # distance, in pixels, that the relief has levels for


def lineart(luminance: NDArray[np.float32], seeds: Seeds, *, tone: int = 12) -> Propagation:
    r"""Fill drawings region by region, over gaps in their lines and under the lines to their middle.

    With :math:`d` the distance to the nearest line, the relief :math:`-d` is flooded from the strokes (Meyer): a pixel
    goes to the stroke from which a path leads to it whose narrowest place is widest. Lines are flooded last, from both
    sides, so no white fringe is left.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    seeds : Seeds
        Every seed marks its pixel; hard ones keep their own colour. A region without a stroke is filled through its
        widest gap: give paper a stroke of gray.
    tone : int, optional
        Dots of ink of at most this height and width, in pixels, are screentone and no lines; 0 for none.

    Returns
    -------
    Propagation
        With ``label``, the stroke each pixel belongs to.

    Notes
    -----
    docs/manga.md has the figures. Hatching of long strokes is taken for lines.

    References
    ----------
    .. [1] S.-H. Zhang et al., "Vectorizing cartoon animations", IEEE TVCG 15(4), 2009 (trapped-ball segmentation).
       https://doi.org/10.1109/TVCG.2009.9
    .. [2] F. Meyer, "Color image segmentation", Int. Conf. on Image Processing and its Applications, 1992.

    Examples
    --------
    >>> luminance = np.full((9, 21), 100, np.float32)
    >>> luminance[:, 10] = 0
    >>> luminance[4, 10] = 100  # a gap
    >>> seeds = Seeds.of([[4, 2], [4, 18]], [[40.0, 0.0], [0.0, 40.0]])
    >>> lineart(luminance, seeds).label[4].tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    markers = mark(seeds, luminance.shape)
    return paint(flood_markers(relief(luminance, tone), markers.plane), markers, seeds)


def relief(luminance: NDArray[np.float32], tone: int) -> NDArray[np.uint16]:
    """(H, W) levels: the lower, the further from a line; lines rise above all else by how strong they are.

    Examples
    --------
    >>> luminance = np.full((1, 9), 100, np.float32)
    >>> luminance[0, 4] = 0
    >>> levels = relief(luminance, 0)[0].astype(int)
    >>> bool(levels[0] < levels[1] < levels[3] <= levels[4])
    True
    """
    steps = gradient_levels(quantize(without_tone(luminance, tone) if tone else luminance))
    strongest = float(np.percentile(steps, 99))
    lines = steps > max(STEP * QUANTA, CONTRAST * strongest)
    top = _DEEPEST * FINENESS
    if not lines.any():
        return steps
    away = cv2.distanceTransform((~lines).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    low = top - np.minimum(away * FINENESS, top - 1)
    return np.where(lines, top + steps.astype(np.int32) // 4, low).astype(np.uint16)


def without_tone(luminance: NDArray[np.float32], tone: int) -> NDArray[np.float32]:
    """The picture with small dots of ink filled by the paper around them.

    Examples
    --------
    >>> luminance = np.full((9, 30), 100, np.float32)
    >>> luminance[4, 4] = luminance[2, 8:] = 0  # a dot and a line
    >>> clean = without_tone(luminance, 6)
    >>> float(clean[4, 4]), float(clean[2, 20])
    (100.0, 0.0)
    """
    gray = (luminance * 2.55).astype(np.uint8)
    _, ink = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    _, parts, size, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    dots = (size[:, cv2.CC_STAT_WIDTH] <= tone) & (size[:, cv2.CC_STAT_HEIGHT] <= tone)
    dots[0] = False  # the paper
    if not dots.any():
        return luminance
    around = cv2.dilate(dots[parts].astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    paper = np.median(luminance[ink == 0]) if (ink == 0).any() else luminance.max()
    line = cv2.dilate(((ink > 0) & ~dots[parts]).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(around & ~line, np.float32(paper), luminance)
