"""How a person's hints enter a network's decoder: near a hint by position, far from it by resemblance.

Hints come as one tensor at a quarter of the input's resolution, (B, 3, h, w): mean a* and b* of the hinted pixels of a
cell in units of 110, times whether there is any, and whether there is any (Zhang et al., SIGGRAPH 2017, in our
layout). `pyramid` carries it to the coarser resolutions. `Resemblance` lets every place look up the hints given at
places with like features, so that one leaf coloured colours the others too. Both start as zero: a network without
hints says what it said before.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

AB_SCALE = 110.0
CHANNELS = 3


def pyramid(hints: Tensor) -> list[Tensor]:
    """Hints at 1/4, 1/8, 1/16 and 1/32: masked means of the colours, and whether a cell has any."""
    levels = [hints]
    for _ in range(3):
        colour = F.avg_pool2d(levels[-1][:, :2], 2)  # colours are 0 where there is no hint
        share = F.avg_pool2d(levels[-1][:, 2:], 2)
        present = (share > 0).to(hints.dtype)
        levels.append(torch.cat([colour / share.clamp_min(1e-6) * present, present], 1))
    return levels


def entry(channels: int) -> nn.Conv2d:
    """A convolution from hints into features that starts as zero."""
    conv = nn.Conv2d(CHANNELS, channels, 3, padding=1, bias=False)
    nn.init.zeros_(conv.weight)
    return conv


class Resemblance(nn.Module):
    """Attention from every place to the hinted places: like features, like colour.

    Beside the hints there is one thing more to look at, a *nothing* of value zero, so that a place that resembles no
    hint is left alone.
    """

    def __init__(self, channels: int, *, width: int = 64) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, width, 1, bias=False)
        self.value = nn.Conv2d(2, width, 1, bias=False)
        self.out = nn.Conv2d(width, channels, 1, bias=False)
        self.nothing = nn.Parameter(torch.zeros(1))
        self.sharpness = nn.Parameter(torch.tensor(2.0))
        nn.init.zeros_(self.out.weight)

    def forward(self, features: Tensor, hints: Tensor) -> Tensor:
        """Features (B, C, h, w) with hints (B, 3, h, w) looked up."""
        height, width = features.shape[2:]
        query = F.normalize(self.project(features), dim=1)
        key = F.adaptive_avg_pool2d(query, ((height + 1) // 2, (width + 1) // 2))
        given = pyramid(hints)[1]
        value = self.value(given[:, :2])
        score = torch.einsum("bchw,bcyx->bhwyx", query, F.normalize(key, dim=1)).flatten(3) * self.sharpness.exp()
        score = score.masked_fill(given[:, 2].flatten(1)[:, None, None] == 0, -torch.inf)
        nothing = self.nothing.expand(*score.shape[:3], 1)
        share = torch.cat([score, nothing], 3).softmax(3)[..., :-1]
        found: Tensor = self.out(torch.einsum("bhwn,bcn->bchw", share, value.flatten(2)))
        return features + found
