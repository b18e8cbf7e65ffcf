"""The light networks: an EfficientNet-Lite encoder and a small U-Net decoder, 3.9 to 5.5 million parameters.

The encoder (Tan and Le, ICML 2019, in the Lite form: no squeeze-excitation, ReLU6) knows objects from
ImageNet and reads gray pictures nearly as well as colour ones; the decoder carries that knowledge back to a
quarter of the input's resolution, with a global vector for the scene as in Iizuka et al. (SIGGRAPH 2016).
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hybridcolor.bins import AB_BINS
from hybridcolor.predict.networks.hints import Resemblance, entry, pyramid

# repeats, kernel, stride, expansion, channels in, channels out: the table of EfficientNet-B0, which Lite0 shares.
# Lite1 and Lite2 repeat the inner stages more often and widen them; the first and the last stage stay as they are.
_STAGES = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)
_SKIPS = (1, 2, 4, 6)  # stages after which the resolution is 1/4, 1/8, 1/16 and 1/32


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's 'SAME' padding on even inputs: at stride 2 the odd pixel goes right and below."""

    def __init__(self, cin: int, cout: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__(cin, cout, kernel, stride, 0 if stride == 2 else kernel // 2, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Pad where the stride asks for it, and convolve."""
        if self.stride[0] == 2:
            total = self.kernel_size[0] - 2
            x = F.pad(x, (total // 2, total - total // 2, total // 2, total - total // 2))
        return super().forward(x)


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; added to the input where the shapes allow it (MobileNetV2)."""

    def __init__(self, cin: int, cout: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        middle = cin * expansion
        self.expand = nn.Identity() if expansion == 1 else nn.Sequential(SameConv(cin, middle, 1), _batch_norm(middle))
        self.depthwise = nn.Sequential(
            SameConv(middle, middle, kernel, stride=stride, groups=middle), _batch_norm(middle)
        )
        self.project = nn.Sequential(SameConv(middle, cout, 1), _batch_norm(cout))
        self.activate_first = expansion != 1
        self.residual = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        """(B, cin, H, W) to (B, cout, H / stride, W / stride)."""
        y = F.relu6(self.expand(x)) if self.activate_first else x
        y = cast(Tensor, self.project(F.relu6(self.depthwise(y))))
        return x + y if self.residual else y


def _scaled(channels: int, width: float) -> int:
    """Channels times width, to the nearest multiple of 8 that is not below 90% of it."""
    nearest = max(8, int(channels * width + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels * width else nearest + 8


class LiteEncoder(nn.Module):
    """EfficientNet-Lite without its classifier, on one luminance channel.

    Parameters
    ----------
    depth, width : float, optional
        How much deeper and wider than Lite0: (1.1, 1.0) is Lite1 and (1.2, 1.1) is Lite2.

    Attributes
    ----------
    channels : list of int
        Channels of the features at 1/4, 1/8, 1/16 and 1/32.
    """

    def __init__(self, *, depth: float = 1.0, width: float = 1.0) -> None:
        super().__init__()
        self.stem = nn.Sequential(SameConv(1, 32, 3, stride=2), _batch_norm(32))
        blocks: list[nn.Module] = []
        self.channels: list[int] = []
        self._skips: list[int] = []
        previous = 32
        for stage, (repeats, kernel, stride, expansion, _, lite0_channels) in enumerate(_STAGES):
            inner = 0 < stage < len(_STAGES) - 1
            channels = _scaled(lite0_channels, width)
            for i in range(math.ceil(repeats * depth) if inner else repeats):
                first = i == 0
                blocks.append(
                    InvertedResidual(
                        previous, channels, kernel=kernel, stride=stride if first else 1, expansion=expansion
                    )
                )
                previous = channels
            if stage in _SKIPS:
                self.channels.append(channels)
                self._skips.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)

    def forward(self, luminance: Tensor) -> list[Tensor]:
        """Features at 1/4, 1/8, 1/16 and 1/32 of a (B, 1, H, W) luminance in 0..1."""
        x = F.relu6(self.stem((luminance - 0.449) / 0.226))  # ImageNet's mean and spread, averaged over the channels
        features = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self._skips:
                features.append(x)
        return features

    def load_imagenet(self, state: dict[str, Tensor]) -> None:
        """Take ImageNet weights in the names of the ``efficientnet-lite-pytorch`` package.

        The three input channels are summed into one, which is what a gray picture on all three gives.
        """
        renamed: dict[str, Tensor] = {}
        parts = {
            "_expand_conv": "expand.0",
            "_bn0": "expand.1",
            "_depthwise_conv": "depthwise.0",
            "_bn1": "depthwise.1",
            "_project_conv": "project.0",
            "_bn2": "project.1",
        }
        for key, value in state.items():
            head, _, rest = key.partition(".")
            if head == "_conv_stem":
                renamed["stem.0.weight"] = value.sum(dim=1, keepdim=True)
            elif head == "_bn0":
                renamed[f"stem.1.{rest}"] = value
            elif head == "_blocks":
                index, part, name = rest.split(".")
                renamed[f"blocks.{index}.{parts[part]}.{name}"] = value
        self.load_state_dict(renamed)  # strict: a key that is missing or left over is an error


def _conv(cin: int, cout: int, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(cin, cout, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True)
    )


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class LiteNetwork(nn.Module):
    """EfficientNet-Lite encoder, light decoder, one logit for each of the 313 bins at a quarter of the resolution.

    Parameters
    ----------
    depth, width : float, optional
        The encoder's, see `LiteEncoder`.
    dropout : float, optional
        Share of the coarsest channels left out in training.
    hints : bool, optional
        Whether the decoder takes a person's hints; see `hybridcolor.predict.networks.hints`.
    """

    stride = 32
    """Sides of the input must be multiples of this."""

    def __init__(self, *, depth: float = 1.0, width: float = 1.0, dropout: float = 0.1, hints: bool = False) -> None:
        super().__init__()
        self.encoder = LiteEncoder(depth=depth, width=width)
        quarter, eighth, sixteenth, top = self.encoder.channels
        self.top = _conv(top, 192, 1)
        self.scene = nn.Linear(top, 192)
        self.decode16 = _conv(192 + sixteenth, 160)
        self.decode8 = _conv(160 + eighth, 128)
        self.decode4 = _conv(128 + quarter, 96)
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(96, len(AB_BINS), 1)
        self.takes_hints = hints
        if hints:
            self.hint32 = entry(192)
            self.hint16, self.hint8, self.hint4 = entry(192 + sixteenth), entry(160 + eighth), entry(128 + quarter)
            self.resemblance = Resemblance(128)

    def forward(self, luminance: Tensor, hints: Tensor | None = None) -> Tensor:
        """(B, 1, H, W) luminance in 0..1, perhaps (B, 3, H / 4, W / 4) hints, to (B, 313, H / 4, W / 4) logits."""
        return self.decode(self.encoder(luminance), hints)

    def decode(self, features: list[Tensor], hints: Tensor | None = None) -> Tensor:
        """Logits from the encoder's features, which stay the same while a person adds hints."""
        f4, f8, f16, f32 = features
        scene = self.scene(f32.mean(dim=(2, 3)))[:, :, None, None]
        x = self.dropout(self.top(f32) + scene)
        if hints is None or not self.takes_hints:
            x = self.decode16(torch.cat([_double(x), f16], 1))
            x = self.decode8(torch.cat([_double(x), f8], 1))
            x = self.decode4(torch.cat([_double(x), f4], 1))
        else:
            h4, h8, h16, h32 = pyramid(hints)
            x = x + self.hint32(h32)
            x = self.decode16(torch.cat([_double(x), f16], 1) + self.hint16(h16))
            x = self.resemblance(self.decode8(torch.cat([_double(x), f8], 1) + self.hint8(h8)), h8)
            x = self.decode4(torch.cat([_double(x), f4], 1) + self.hint4(h4))
        return cast(Tensor, self.head(x))
