"""The residual variant of the plain network: half its weights, twice its work, a far smaller receptive field.

Branches of 3 x 3 convolutions, batch norm before each sum and ReLU after it, as in K. He et al., "Deep residual
learning for image recognition", CVPR 2016 (https://doi.org/10.1109/CVPR.2016.90). Two strides only, so the grid stays
at a quarter of the input and nothing is upsampled.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from hybridcolor.bins import AB_BINS


def _branch(*layers: tuple[int, int, int, int]) -> nn.Sequential:
    """3 x 3 convolutions from (channels in, channels out, stride, dilation), ReLU between, batch norm at the end."""
    modules: list[nn.Module] = []
    for inside, outside, stride, dilation in layers:
        modules += [nn.Conv2d(inside, outside, 3, stride, dilation, dilation), nn.ReLU()]
    return nn.Sequential(*modules[:-1], nn.BatchNorm2d(layers[-1][1]))


class ResidualNetwork(nn.Module):
    """Four residual sums, three more convolutions and a prediction of 313 logits; 16.6 million parameters.

    Parameters
    ----------
    outputs : int, optional
        Channels of the prediction: 2 for the variants that name one colour, see `Regression`.
    """

    stride = 8
    """Sides of the input must be multiples of this."""

    def __init__(self, *, outputs: int = len(AB_BINS)) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(1, 64, 3, 1, 1)
        self.conv1 = _branch((64, 128, 2, 1), (128, 256, 1, 1))
        self.conv1_branch1 = _branch((64, 256, 2, 1))
        self.conv2 = _branch((256, 256, 1, 1), (256, 256, 1, 1))
        self.conv3 = _branch((256, 512, 2, 1), (512, 512, 1, 2), (512, 256, 1, 2))
        self.conv3_branch1 = _branch((256, 256, 2, 1))
        self.conv4 = _branch((256, 512, 1, 2), (512, 512, 1, 2))
        self.conv4_branch1 = _branch((256, 512, 1, 2))
        self.conv5 = _branch((512, 256, 1, 1), (256, 512, 1, 2), (512, 512, 1, 1))
        self.pred = nn.Conv2d(512, outputs, 1)

    def forward(self, luminance: Tensor) -> Tensor:
        """(B, 1, H, W) luminance in 0..1 to (B, outputs, H / 4, W / 4)."""
        x = F.relu(self.conv0(luminance - 0.5))
        x = F.relu(self.conv1(x) + self.conv1_branch1(x))
        x = F.relu(self.conv2(x) + x)
        x = F.relu(self.conv3(x) + self.conv3_branch1(x))
        x = F.relu(self.conv4(x) + self.conv4_branch1(x))
        return cast(Tensor, self.pred(F.relu(self.conv5(x))))
