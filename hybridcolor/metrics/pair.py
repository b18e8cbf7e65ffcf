"""A result beside its truth: what every score looks at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.errors import ImageError
from hybridcolor.lab import rgb_to_lab


@dataclass(frozen=True, eq=False)
class Pair:
    """Two pictures of the same thing at the same size. Their L*a*b* planes are computed when first asked for, and kept.

    Attributes
    ----------
    result, truth : (H, W, 3) uint8 or uint16
        sRGB. Where only one of them has 16 bits, the other is widened to it (each value times 257, exactly).

    Raises
    ------
    ImageError
        If the shapes differ, are not (H, W, 3) or have no pixel, or a type is neither uint8 nor uint16.

    Examples
    --------
    >>> pair = Pair(np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 65535, np.uint16))
    >>> pair.result.dtype.name, pair.truth_lab[0, 0].round().tolist()
    ('uint16', [100.0, 0.0, 0.0])
    """

    result: NDArray[Any]
    truth: NDArray[Any]

    def __post_init__(self) -> None:
        for name in ("result", "truth"):
            rgb = np.asarray(getattr(self, name))
            if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0 or rgb.dtype not in (np.uint8, np.uint16):
                raise ImageError(f"the {name} is {rgb.dtype} {rgb.shape}; expected (H, W, 3) RGB of uint8 or uint16")
        if self.result.shape != self.truth.shape:
            raise ImageError(
                f"the result has shape {self.result.shape}, the truth {self.truth.shape}; bring them to one size first"
            )
        if self.result.dtype != self.truth.dtype:
            for name in ("result", "truth"):
                rgb = getattr(self, name)
                if rgb.dtype == np.uint8:
                    object.__setattr__(self, name, rgb.astype(np.uint16) * np.uint16(257))

    @cached_property
    def result_lab(self) -> NDArray[np.float32]:
        """(H, W, 3) float32: L*, a*, b* of the result."""
        return rgb_to_lab(self.result)

    @cached_property
    def truth_lab(self) -> NDArray[np.float32]:
        """(H, W, 3) float32: L*, a*, b* of the truth."""
        return rgb_to_lab(self.truth)

    @property
    def result_ab(self) -> NDArray[np.float32]:
        """(H, W, 2) float32: a view of `result_lab`."""
        return self.result_lab[..., 1:]

    @property
    def truth_ab(self) -> NDArray[np.float32]:
        """(H, W, 2) float32: a view of `truth_lab`."""
        return self.truth_lab[..., 1:]
