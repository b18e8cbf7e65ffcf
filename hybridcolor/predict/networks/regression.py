"""Networks that name one colour a cell instead of weighing 313: the L2 variants of the published networks.

The colour is carried into the bins by a fixed layer, so that all else (decoding, seeds, export) stays the same: the
logits of a Gaussian of width s around the colour c are, up to a constant, q . c / s^2 - |q|^2 / (2 s^2) for bin q. That
is a 1 x 1 convolution of c. The Gaussian's mean is c again; its spread is s for every picture, and tells nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hybridcolor.bins import AB_BINS
from hybridcolor.predict.networks.hints import AB_SCALE

SPREAD = 12.0
"""s, in ab units; wide enough for bins 10 apart that the annealed mean too is the colour."""


class Regression(nn.Module):
    """A network of two outputs, a* and b* over 110, that answers in logits of the bins.

    Parameters
    ----------
    trunk : torch.nn.Module
        (B, 1, H, W) luminance in 0..1 to (B, 2, H / 4, W / 4).

    Examples
    --------
    >>> gray = Regression(nn.Conv2d(1, 2, 4, 4))
    >>> gray(torch.rand(1, 1, 8, 12)).shape
    torch.Size([1, 313, 2, 3])
    """

    stride = 8
    """Sides of the input must be multiples of this."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk
        bins = torch.from_numpy(AB_BINS.copy())
        self.register_buffer("to_bins", bins[:, :, None, None] / SPREAD**2, persistent=False)
        self.register_buffer("farness", -(bins**2).sum(1) / (2 * SPREAD**2), persistent=False)

    def colours(self, luminance: Tensor) -> Tensor:
        """(B, 2, H / 4, W / 4) a* and b*."""
        found: Tensor = AB_SCALE * self.trunk(luminance)
        return found

    def forward(self, luminance: Tensor) -> Tensor:
        """(B, 1, H, W) luminance in 0..1 to (B, 313, H / 4, W / 4) logits."""
        return nn.functional.conv2d(self.colours(luminance), self.get_buffer("to_bins"), self.get_buffer("farness"))
