"""The networks: shapes, published sizes, TensorFlow's padding, and ImageNet weights."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from hybridcolor.errors import ModelError
from hybridcolor.predict.networks import NETWORKS, build_network
from hybridcolor.predict.networks.lite import LiteEncoder, SameConv


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [(32, 32), (64, 96), (160, 224)])
def test_logits_lie_on_a_quarter_of_the_input(name, size):
    network = build_network(name).eval()
    with torch.inference_mode():
        assert network(torch.rand(2, 1, *size)).shape == (2, 313, size[0] // 4, size[1] // 4)


def test_an_unknown_network_names_the_known_ones():
    with pytest.raises(ModelError, match="lite"):
        build_network("nonsense")


def test_the_encoder_is_efficientnet_lite0s_size():
    """4,652,008 parameters (published) less the classifier's 1,281,000 and the last 1x1 layer's 409,600 + 2,560; a gray
    stem has a third of the colour stem's 864 weights.
    """
    count = sum(p.numel() for p in LiteEncoder().parameters())
    assert count == 4_652_008 - 1_281_000 - 409_600 - 2_560 - 576


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_same_padding_is_tensorflows(kernel, stride):
    """TensorFlow pads by max(k - s, 0) on even inputs, the smaller half first."""
    torch.manual_seed(0)
    convolution = SameConv(2, 3, kernel, stride=stride)
    x = torch.rand(1, 2, 12, 16)
    total = kernel - stride
    padded = F.pad(x, (total // 2, total - total // 2) * 2)
    torch.testing.assert_close(convolution(x), F.conv2d(padded, convolution.weight, stride=stride))


def published_names(encoder):
    """The encoder's state in the names of the public package, with a colour stem whose channels sum to ours."""
    parts = {"expand.0": "_expand_conv", "expand.1": "_bn0", "depthwise.0": "_depthwise_conv", "depthwise.1": "_bn1"}
    parts |= {"project.0": "_project_conv", "project.1": "_bn2"}
    state = {}
    for key, value in encoder.state_dict().items():
        if key == "stem.0.weight":
            state["_conv_stem.weight"] = value.repeat(1, 3, 1, 1) / 3
        elif key.startswith("stem.1."):
            state["_bn0." + key.removeprefix("stem.1.")] = value
        else:
            _, block, *part, name = key.split(".")
            state[f"_blocks.{block}.{parts['.'.join(part)]}.{name}"] = value
    return state


def test_imagenet_weights_are_taken_by_name_or_refused():
    torch.manual_seed(1)
    source, target = LiteEncoder(), LiteEncoder()
    state = published_names(source) | {"_fc.weight": torch.zeros(3), "_conv_head.weight": torch.zeros(3)}
    target.load_imagenet(state)
    for key, value in source.state_dict().items():
        torch.testing.assert_close(target.state_dict()[key], value)
    del state["_blocks.3._bn1.weight"]
    with pytest.raises(RuntimeError, match="Missing key"):
        target.load_imagenet(state)


@pytest.mark.parametrize("name", NETWORKS)
def test_pictures_of_a_batch_do_not_meddle_and_results_repeat(name):
    torch.manual_seed(0)
    network = build_network(name).eval()
    x = torch.rand(3, 1, 64, 96)
    with torch.inference_mode():
        together = network(x)
        assert torch.equal(together, network(x))
        for i in range(3):
            torch.testing.assert_close(network(x[i : i + 1])[0], together[i], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_weight_is_used_and_named_once(name):
    torch.manual_seed(0)
    network = build_network(name)
    for weight in network.parameters():
        if weight.ndim > 1 and not weight.any():  # what hints enter by begins as zero
            torch.nn.init.normal_(weight, std=0.1)
    hints = [torch.ones(2, 3, 16, 16) * torch.rand(2, 3, 16, 16).round()] if name.endswith("hints") else []
    network(torch.rand(2, 1, 64, 64), *hints).square().mean().backward()
    assert [key for key, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_the_light_network_has_3_9_million_parameters():
    assert 3.85e6 < sum(p.numel() for p in build_network("lite").parameters()) < 3.95e6


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_same_convolution_by_hand(kernel, stride):
    """Every output as a sum over the window that TensorFlow's documentation of 'SAME' gives, zero outside."""
    torch.manual_seed(1)
    convolution = SameConv(1, 1, kernel, stride=stride)
    x, weight = torch.rand(6, 8), convolution.weight.detach()[0, 0]
    rows, columns = -(-6 // stride), -(-8 // stride)
    before = [max((n_out - 1) * stride + kernel - n, 0) // 2 for n, n_out in ((6, rows), (8, columns))]
    expected = torch.zeros(rows, columns)
    for r in range(rows):
        for c in range(columns):
            for i in range(kernel):
                for j in range(kernel):
                    row, column = r * stride + i - before[0], c * stride + j - before[1]
                    if 0 <= row < 6 and 0 <= column < 8:
                        expected[r, c] += weight[i, j] * x[row, column]
    torch.testing.assert_close(convolution(x[None, None])[0, 0], expected)


def test_a_gray_picture_is_seen_as_a_colour_stem_sees_it_on_three_channels():
    torch.manual_seed(2)
    encoder = LiteEncoder()
    colour_stem = torch.rand(32, 3, 3, 3)
    encoder.load_imagenet(published_names(encoder) | {"_conv_stem.weight": colour_stem})
    gray = torch.rand(1, 1, 16, 16)
    padded = F.pad(gray.repeat(1, 3, 1, 1), (0, 1, 0, 1))
    torch.testing.assert_close(encoder.stem[0](gray), F.conv2d(padded, colour_stem, stride=2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("key", ["_blocks.16._bn1.weight", "_blocks.0._expand_conv.weight"])
def test_imagenet_weights_of_another_network_are_refused(key):
    encoder = LiteEncoder()
    with pytest.raises(RuntimeError, match="Unexpected key"):
        encoder.load_imagenet(published_names(encoder) | {key: torch.zeros(1)})
