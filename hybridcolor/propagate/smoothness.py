"""Smooth pictures, in which multigrid is believed too early, and how far it must go there.

Where slopes grow from pixel to pixel, as at a blurred edge, each step up is a hundred times less likely than one down.
A walk leaves what such a slope surrounds once in 10^7 steps, so that an area may be off by any colour while residual
and changes are tiny. Eight bits end such slopes, grain breaks them; blurred, rendered and enlarged pictures in 16 bits
or float have them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hybridcolor.propagate.factorization import fits

SMOOTH = 0.03
"""Roughness below which a picture is smooth. Photos and drawings in 8 bits have 0.17 to 0.45, blurred by one pixel in
float 0.017, by three 0.001; and by four in 8 bits 0.06."""
LEAST_SLOPE = 0.14
"""Least difference of L* that changes the affinity, by its least sigma."""
LOOKED_AT = 100_000
"""About how many pixels a picture is judged by."""
SURE = 0.01
"""The tolerance for smooth pictures, in ab units. How many of 216 edits of six blurred photos were off by more than 1
ab: 34 with a tolerance of 1, the worst by 19; 6 with a tenth of it; 1 with this one, by 6. Of 72 solves of three other
photos it was 5 with a tolerance of 1, and 2 with this one, by 1 and by 6. It costs two steps more on average. Where
steps lead nowhere, as in 57 of these edits, LU factors take over."""
MOST_PIXELS = 1_200_000
"""Largest picture that is treated so: LU factors take 10 s for it, but a minute and 8 GB for 4 megapixels. At that size
an enlarged photo in float was off by more than 1 ab, up to 5, in less than a hundredth of its pixels."""


def safe_tolerance(luminance: NDArray[np.float32], tolerance: float) -> float:
    """The tolerance to give multigrid, so that the answer is within ``tolerance`` in smooth pictures too.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    tolerance : float
        Largest error wanted at any pixel, in ab units.

    Examples
    --------
    >>> row, column = np.indices((40, 60), np.float32)
    >>> wave = 50 + 40 * np.sin(row / 9) * np.cos(column / 7)
    >>> safe_tolerance(wave, 1.0), safe_tolerance(wave.round(), 1.0)
    (0.01, 1.0)
    """
    strict = luminance.size <= MOST_PIXELS and is_smooth(luminance) and fits(luminance.size)
    return min(tolerance, SURE) if strict else tolerance


def is_smooth(luminance: NDArray[np.float32]) -> bool:
    """Whether a picture (H, W) has slopes but neither grain nor steps, by its roughness.

    That is the median, over the pixels that lie on a slope, of their second difference along both axes, over 6 and over
    the slope. Of white noise the first quotient is about its standard deviation, see `paper.grain`.

    Examples
    --------
    >>> ramp = np.tile(np.arange(100, dtype=np.float32), (20, 1))
    >>> is_smooth(ramp), is_smooth(np.full((20, 20), 50, np.float32))
    (True, False)
    """
    height, width = luminance.shape
    if min(height, width) < 3:
        return False
    rows = np.arange(1, height - 1, 1 + height * width // LOOKED_AT)
    above, here, below = luminance[rows - 1], luminance[rows], luminance[rows + 1]
    bent = above - 2 * here + below
    rough = np.abs(bent[:, :-2] - 2 * bent[:, 1:-1] + bent[:, 2:]) / 6
    slope = np.hypot(here[:, 2:] - here[:, :-2], below[:, 1:-1] - above[:, 1:-1]) / 2
    steep = slope > LEAST_SLOPE
    return bool(steep.any() and np.median(rough[steep] / slope[steep]) < SMOOTH)
