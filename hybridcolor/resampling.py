"""Resizing of float planes: averaging where a picture shrinks, interpolation where it grows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def resample(plane: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """An (H, W) or (H, W, C) plane at another size.

    Area averaging where both sides shrink (no aliasing, and grain is averaged away), else bilinear.

    Parameters
    ----------
    plane : (H, W) or (H, W, C) float32
        C at most 4.
    shape : tuple of int
        Rows and columns wanted.

    Examples
    --------
    >>> resample(np.array([[0, 2], [4, 6]], np.float32), (1, 1)).tolist()
    [[3.0]]
    """
    rows, columns = shape
    shrinks = rows <= plane.shape[0] and columns <= plane.shape[1]
    return np.asarray(
        cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.float32
    )
