"""What kind of picture this is, photo, line art or screentone, and so which method fills it best."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hybridcolor.propagate.registry import checked_luminance
from hybridcolor.propagate.relief import TONE, tone_size
from hybridcolor.propagate.tones import find_tones, ink

METHOD_OF = {"photo": "hybrid", "line art": "lineart", "screentone": "levelset"}
"""The method that `hybridcolor colorize --method auto` takes."""
FOR_DRAWINGS = ("lineart", "levelset")
"""Methods that go by lines and tones."""

NEAR = 12.0
"""L* from the middle of the ink, or of the paper, that still are ink or paper."""
PALE = 70.0
"""L* of paper, at least: dark skies and the black around a retina are none."""
APART = 50.0
"""L* between ink and paper, at least."""
DRAWN = 0.77
"""Share of a drawing's pixels that are ink or paper, at least."""
TONED_PAGE = 0.6
"""The same of a page with tone, whose dots are blurred."""
TONED = 0.03
"""Share of a page from which on tone counts."""


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
    middles = [float(np.median(plane[part])) for part in (drawn, ~drawn)]
    apart = abs(middles[0] - middles[1])
    if apart < APART:
        return Kind("photo", f"its dark and light parts differ by {apart:.0f} L* only")
    if max(middles) < PALE:
        return Kind("photo", f"its light parts have {max(middles):.0f} L* only, paper has more")
    near = float(np.mean(np.minimum(np.abs(plane - middles[0]), np.abs(plane - middles[1])) < NEAR))
    size = tone_size(plane.shape, TONE)
    tones = find_tones(drawn, size) if size and near >= TONED_PAGE else None
    toned = 0.0 if tones is None else float(tones.inside.mean())
    reason = f"{near:.0%} of the pixels are ink or paper, {toned:.0%} of the page is tone"
    if toned >= TONED:
        return Kind("screentone", reason)
    if near >= DRAWN:
        return Kind("line art", reason)
    return Kind("photo", f"{near:.0%} of the pixels only are ink or paper, the others between")
