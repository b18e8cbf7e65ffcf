"""What every propagation method returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Propagation:
    """The colour of every pixel, and how it was reached.

    Attributes
    ----------
    chroma : (H, W, 2) float32
        a* and b* of every pixel.
    residual : float
        Largest amount, in ab units, by which a pixel misses its equation; 0.0 for methods that solve none.
    iterations : int
        Iterations the solver took; 0 for methods that need none.
    label : (H, W) int32 or None
        Stroke id whose seed owns the pixel, for methods that decide it.
    """

    chroma: NDArray[np.float32]
    residual: float = 0.0
    iterations: int = 0
    label: NDArray[np.int32] | None = None
