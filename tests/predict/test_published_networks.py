"""The plain and the residual network against the published layer tables, row by row."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from hybridcolor.bins import ColorDistribution
from hybridcolor.predict.networks import build_network
from hybridcolor.predict.networks.regression import SPREAD, Regression

# module, channels in and out, stride, dilation, side of the output for an input of 224, weights, receptive field
PLAIN = [
    ("model1.0", 1, 64, 1, 1, 224, 576, 3),
    ("model1.2", 64, 64, 2, 1, 112, 36_864, 5),
    ("model2.0", 64, 128, 1, 1, 112, 73_728, 9),
    ("model2.2", 128, 128, 2, 1, 56, 147_456, 13),
    ("model3.0", 128, 256, 1, 1, 56, 294_912, 21),
    ("model3.2", 256, 256, 1, 1, 56, 589_824, 29),
    ("model3.4", 256, 256, 2, 1, 28, 589_824, 37),
    ("model4.0", 256, 512, 1, 1, 28, 1_179_648, 53),
    ("model4.2", 512, 512, 1, 1, 28, 2_359_296, 69),
    ("model4.4", 512, 512, 1, 1, 28, 2_359_296, 85),
    ("model5.0", 512, 512, 1, 2, 28, 2_359_296, 117),
    ("model5.2", 512, 512, 1, 2, 28, 2_359_296, 149),
    ("model5.4", 512, 512, 1, 2, 28, 2_359_296, 181),
    ("model6.0", 512, 512, 1, 2, 28, 2_359_296, 213),
    ("model6.2", 512, 512, 1, 2, 28, 2_359_296, 245),
    ("model6.4", 512, 512, 1, 2, 28, 2_359_296, 277),
    ("model7.0", 512, 512, 1, 1, 28, 2_359_296, 293),
    ("model7.2", 512, 512, 1, 1, 28, 2_359_296, 309),
    ("model7.4", 512, 512, 1, 1, 28, 2_359_296, 325),
    ("model8.0", 512, 256, 2, 1, 56, 2_097_152, 333),
    ("model8.2", 256, 256, 1, 1, 56, 589_824, 341),
    ("model8.4", 256, 256, 1, 1, 56, 589_824, 349),
    ("model8.6", 256, 313, 1, 1, 56, 80_128, 349),
]
RESIDUAL = [
    ("conv0", 1, 64, 1, 1, 224, 576, 3),
    ("conv1.0", 64, 128, 2, 1, 112, 73_728, 5),
    ("conv1.2", 128, 256, 1, 1, 112, 294_912, 9),
    ("conv1_branch1.0", 64, 256, 2, 1, 112, 147_456, 5),
    ("conv2.0", 256, 256, 1, 1, 112, 589_824, 13),
    ("conv2.2", 256, 256, 1, 1, 112, 589_824, 17),
    ("conv3.0", 256, 512, 2, 1, 56, 1_179_648, 21),
    ("conv3.2", 512, 512, 1, 2, 56, 2_359_296, 37),
    ("conv3.4", 512, 256, 1, 2, 56, 1_179_648, 53),
    ("conv3_branch1.0", 256, 256, 2, 1, 56, 589_824, 21),
    ("conv4.0", 256, 512, 1, 2, 56, 1_179_648, 69),
    ("conv4.2", 512, 512, 1, 2, 56, 2_359_296, 85),
    ("conv4_branch1.0", 256, 512, 1, 2, 56, 1_179_648, 69),
    ("conv5.0", 512, 256, 1, 1, 56, 1_179_648, 93),
    ("conv5.2", 256, 512, 1, 2, 56, 1_179_648, 109),
    ("conv5.4", 512, 512, 1, 1, 56, 2_359_296, 117),
    ("pred", 512, 313, 1, 1, 56, 160_256, 117),
]
TABLES = {"plain": PLAIN, "residual": RESIDUAL}
CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


@pytest.fixture(scope="module", params=TABLES)
def network(request):
    torch.manual_seed(0)
    found = build_network(request.param).eval()
    found.rows = TABLES[request.param]
    return found


def test_every_layer_is_as_published(network):
    layers = {name: module for name, module in network.named_modules() if isinstance(module, CONVOLUTIONS)}
    assert list(layers) == [row[0] for row in network.rows]
    for name, inside, outside, stride, dilation, _, weights, _ in network.rows:
        layer = layers[name]
        found = (layer.in_channels, layer.out_channels, layer.stride, layer.dilation, layer.weight.numel())
        assert found == (inside, outside, (stride, stride), (dilation, dilation), weights), name


def test_parameters_add_up(network):
    counted = {"plain": 32_230_393 + 4_992, "residual": 16_608_057 + 5_632}
    total = sum(p.numel() for p in network.parameters())
    assert total == counted["plain" if network.rows is PLAIN else "residual"]


def thin(network):
    """The same wiring with one channel everywhere and weights of one: cheap, and no receptive field can cancel out."""
    copied = copy.deepcopy(network).double()
    for name, layer in list(copied.named_modules()):
        parent = copied.get_submodule(name.rpartition(".")[0])
        leaf = name.rpartition(".")[2]
        if isinstance(layer, CONVOLUTIONS):
            one = type(layer)(1, 1, layer.kernel_size, layer.stride, layer.padding, dilation=layer.dilation)
            nn.init.constant_(one.weight, 0.1)
            nn.init.constant_(one.bias, 1.0)  # keeps every ReLU open
            setattr(parent, leaf, one.double())
        elif isinstance(layer, nn.BatchNorm2d):
            setattr(parent, leaf, nn.Identity())
    return copied


def test_sizes_and_receptive_fields(network):
    wired = thin(network)
    outputs = {}
    for name, *_ in network.rows:
        wired.get_submodule(name).register_forward_hook(lambda _m, _i, out, name=name: outputs.update({name: out}))
    wired(torch.rand(1, 1, 224, 224, dtype=torch.float64))
    assert {name: out.shape[2] for name, out in outputs.items()} == {row[0]: row[5] for row in network.rows}
    luminance = torch.rand(1, 1, 448, 448, dtype=torch.float64, requires_grad=True)
    wired(luminance)
    for name, *_, field in network.rows:
        middle = outputs[name].shape[2] // 2
        (gradient,) = torch.autograd.grad(outputs[name][0, 0, middle, middle], luminance, retain_graph=True)
        seen = gradient[0, 0].abs().sum(dim=0).nonzero()
        reach = int(seen.max() - seen.min()) + 1
        if name.startswith("model8") and name != "model8.6":
            assert reach <= field, name  # a transposed convolution's pixels see half of its kernel each
        elif name != "model8.6":
            assert reach == field, name


@pytest.mark.parametrize("name", ["plain", "residual"])
def test_regression_variants_differ_in_the_last_layer_only(name):
    table = TABLES[name]
    trunk = build_network(f"{name}-ab").trunk
    layers = {key: module for key, module in trunk.named_modules() if isinstance(module, CONVOLUTIONS)}
    assert list(layers) == [row[0] for row in table]
    assert layers[table[-1][0]].out_channels == 2
    assert [layers[row[0]].weight.numel() for row in table[:-1]] == [row[6] for row in table[:-1]]


@torch.inference_mode()
def test_a_named_colour_comes_back_from_the_bins():
    """Mean and annealed mean are the colour that the network names, well inside the bins."""
    colours = torch.tensor([[0.0, 0.0], [33.3, 41.7], [-24.9, 18.2], [12.5, -47.5]])
    network = Regression(nn.Identity())
    logits = network(colours.T[None, :, :, None] / 110)
    distribution = ColorDistribution(logits[0].permute(1, 2, 0).numpy(), (4, 1))
    np.testing.assert_allclose(distribution.mean()[:, 0], colours, atol=1.0)
    np.testing.assert_allclose(distribution.annealed_mean()[:, 0], colours, atol=0.1)
    assert distribution.std()[0, 0] == pytest.approx(SPREAD * 2**0.5, rel=0.05)
