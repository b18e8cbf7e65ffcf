"""What kind of picture this is, photo, line art or screentone, and so which method fills it best.

A drawing is ink on paper: most of its pixels are near one of two brightnesses, the paper is even, and the ink is in
lines. What fails one of these tests is a photo. The limits below are those tests, in the order of `kind_of`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridcolor.propagate.paper import evened, ink
from hybridcolor.propagate.registry import checked_luminance
from hybridcolor.tones import distance, find_tones, reaching, rolled, tone_size

METHOD_OF = {"photo": "hybrid", "line art": "lineart", "screentone": "levelset"}
"""The method that `hybridcolor colorize --method auto` takes."""
FOR_DRAWINGS = ("lineart", "levelset")
"""Methods that go by lines and tones."""

NEAR = 0.24
"""A pixel this near to the median of the ink, or of the paper, is one or the other; a share of the contrast."""
CONTRAST = 8.0
"""Least L* between ink and paper."""
GRAIN = 3.0
"""Standard deviation, in pixels, of the blur that leaves no grain."""
UNEVEN = 0.05
"""Most that paper varies once its grain is blurred, as a share of the contrast: a photo's surfaces are shaded."""
CLEAN = 0.01
"""Paper that varies less than this is cleaner than a photo's surfaces; the same share."""
STROKE = 0.015
"""Half the width of the widest stroke, as a share of the picture's shorter side."""
STROKES = 0.3
"""Least share of the ink that is strokes, unless the paper is clean."""
TONED_PAGE = 0.6
"""Least share of pixels that are ink or paper on a page with tone, whose dots are blurred."""
TONED = 0.03
"""Least share of a page that is tone, for the page to count as toned."""
LONG = 0.1
"""Least extent of a line, as a share of the picture's shorter side."""
LINES = 0.3
"""Least share of the ink that is in lines: stars and letters are none."""
DRAWN = 0.82
"""Least share of a drawing's pixels that are ink or paper."""


class Kind(NamedTuple):
    """What a picture is, and the measurement that says so."""

    name: Literal["photo", "line art", "screentone"]
    reason: str


def kind_of(luminance: ArrayLike) -> Kind:
    """Tell photos, line art and drawings with screentone or hatching apart.

    Parameters
    ----------
    luminance : (H, W) array-like
        L* in 0..100.

    Returns
    -------
    Kind

    Raises
    ------
    ImageError
        If it is not a plane of finite numbers in 0..100.

    Examples
    --------
    >>> page = np.full((100, 100), 95.0)
    >>> page[20:80, 50] = 5
    >>> kind_of(page)
    Kind(name='line art', reason='100% of the pixels are ink or paper, 0% of the page is tone')
    """
    plane = checked_luminance(luminance)
    drawn = ink(plane)
    if drawn.all() or not drawn.any():
        return Kind("photo", "there is nothing but one brightness")
    if np.median(plane[drawn]) > np.median(plane[~drawn]):
        plane = 100 - plane  # white on black
    plane = evened(plane)
    drawn = ink(plane)
    dark, light = (float(np.median(plane[part])) for part in (drawn, ~drawn))
    contrast = light - dark
    near = float(np.mean(np.minimum(np.abs(plane - dark), np.abs(plane - light)) < NEAR * contrast))
    reason = _not_drawn(plane, drawn, contrast)
    if reason:
        return Kind("photo", reason)
    tones = find_tones(drawn, tone_size(plane.shape)) if near >= TONED_PAGE else None
    toned = 0.0 if tones is None else float(tones.inside.mean())
    reason = f"{near:.0%} of the pixels are ink or paper, {toned:.0%} of the page is tone"
    if toned >= TONED:
        return Kind("screentone", reason)
    lines = np.count_nonzero(reaching(drawn, LONG * min(plane.shape))) / np.count_nonzero(drawn)
    if lines < LINES:
        return Kind("photo", f"only {lines:.0%} of what is drawn is in lines, the rest in specks")
    if near >= DRAWN:
        return Kind("line art", reason)
    return Kind("photo", f"only {near:.0%} of the pixels are ink or paper, the others lie between")


def _not_drawn(plane: NDArray[np.float32], drawn: NDArray[np.bool_], contrast: float) -> str:
    """Why what looks like ink and paper is neither; empty if it may be."""
    if contrast < CONTRAST:
        return f"its dark and light parts differ by only {contrast:.0f} L*"
    away = distance(~drawn) > GRAIN
    if not away.any():
        return "there is no paper between its darker parts"
    share, paper = (
        cv2.GaussianBlur(x, (0, 0), GRAIN) for x in (away.astype(np.float32), np.where(away, plane, np.float32(0)))
    )
    uneven = float(np.std(paper[away] / share[away])) / contrast
    if uneven > UNEVEN:
        return f"its lighter part varies by {uneven:.0%} of the contrast, paper is more even"
    bold = rolled(drawn, max(2, round(STROKE * min(plane.shape))))
    strokes = 1 - np.count_nonzero(bold) / np.count_nonzero(drawn)
    if strokes < STROKES and uneven > CLEAN:
        return f"only {strokes:.0%} of its darker part is as thin as a stroke"
    return ""
