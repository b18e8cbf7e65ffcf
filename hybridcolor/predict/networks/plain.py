"""The plain network of Zhang, Isola and Efros, "Colorful image colorization", ECCV 2016, layer by layer.

https://doi.org/10.1007/978-3-319-46487-9_40. No pooling: strides halve, dilations widen; after block 8 the grid is a
quarter of the input. Modules are named as in the authors' PyTorch release, so its weights fit as they are.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from hybridcolor.bins import AB_BINS


def _block(channels: tuple[int, ...], *, strides: tuple[int, ...], dilation: int = 1) -> nn.Sequential:
    """3 x 3 convolutions, each with a ReLU, and a batch norm after the last."""
    layers: list[nn.Module] = []
    for inside, outside, stride in zip(channels, channels[1:], strides, strict=False):
        layers += [nn.Conv2d(inside, outside, 3, stride, dilation, dilation), nn.ReLU()]
    return nn.Sequential(*layers, nn.BatchNorm2d(channels[-1]))


class PlainNetwork(nn.Module):
    """22 convolutions and a prediction of 313 logits; 32.2 million parameters.

    Parameters
    ----------
    outputs : int, optional
        Channels of the prediction: 2 for the variants that name one colour, see `Regression`.
    """

    stride = 8
    """Sides of the input must be multiples of this."""

    def __init__(self, *, outputs: int = len(AB_BINS)) -> None:
        super().__init__()
        self.model1 = _block((1, 64, 64), strides=(1, 2))
        self.model2 = _block((64, 128, 128), strides=(1, 2))
        self.model3 = _block((128, 256, 256, 256), strides=(1, 1, 2))
        self.model4 = _block((256, 512, 512, 512), strides=(1, 1, 1))
        self.model5 = _block((512, 512, 512, 512), strides=(1, 1, 1), dilation=2)
        self.model6 = _block((512, 512, 512, 512), strides=(1, 1, 1), dilation=2)
        self.model7 = _block((512, 512, 512, 512), strides=(1, 1, 1))
        self.model8 = nn.Sequential(
            nn.ConvTranspose2d(512, 256, 4, 2, 1), nn.ReLU(),
            nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU(),
            nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU(),
            nn.Conv2d(256, outputs, 1),
        )  # fmt: skip

    def forward(self, luminance: Tensor) -> Tensor:
        """(B, 1, H, W) luminance in 0..1 to (B, outputs, H / 4, W / 4)."""
        x = luminance - 0.5  # the release feeds (L* - 50) / 100
        for block in (self.model1, self.model2, self.model3, self.model4, self.model5, self.model6, self.model7):
            x = block(x)
        return cast(Tensor, self.model8(x))
