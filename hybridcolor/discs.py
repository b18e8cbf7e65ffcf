"""The disc that areas of a drawing are widened and closed with. Imports nothing of hybridcolor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def disc(radius: int) -> NDArray[np.uint8]:
    """Pixels up to half a pixel more than a radius from the middle: as wide as high, which OpenCV's ellipse is not.

    Examples
    --------
    >>> disc(2).tolist()
    [[0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 1, 1, 0]]
    """
    away = np.arange(-radius, radius + 1)
    return (away**2 + away[:, None] ** 2 <= (radius + 0.5) ** 2).astype(np.uint8)
