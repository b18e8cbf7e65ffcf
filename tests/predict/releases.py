"""Files as Zhang et al. released them, made here: their network in torch and in Caffe's terms, and both file formats.

Written from the published descriptions (eccv16, colorization_deploy_v2.prototxt, caffe.proto), not from our reader.
"""

from __future__ import annotations

import struct

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from hybridcolor.bins import AB_BINS

CHANNELS = {1: (1, 64), 2: (64, 128), 3: (128, 256), 4: (256, 512), 5: (512, 512), 6: (512, 512), 7: (512, 512)}


def block(number):
    """Blocks 1 to 7: two or three convolutions with ReLU, then batch norm."""
    cin, cout = CHANNELS[number]
    count, dilation = (2 if number < 3 else 3), (2 if number in (5, 6) else 1)
    layers = []
    for i in range(count):
        stride = 2 if number <= 3 and i == count - 1 else 1
        first = cin if i == 0 else cout
        layers += [nn.Conv2d(first, cout, 3, stride, padding=dilation, dilation=dilation), nn.ReLU()]
    return nn.Sequential(*layers, nn.BatchNorm2d(cout))


class ReleasedNetwork(nn.Module):
    """The eccv16 network: L* to ab at a quarter of the size."""

    def __init__(self):
        super().__init__()
        for number in CHANNELS:
            self.add_module(f"model{number}", block(number))
        self.model8 = nn.Sequential(
            *(nn.ConvTranspose2d(512, 256, 4, 2, 1), nn.ReLU()),
            *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()),
            nn.Conv2d(256, 313, 1),
        )
        self.model_out = nn.Conv2d(313, 2, 1, bias=False)

    def logits(self, luminance):
        x = (luminance - 50) / 100
        for number in range(1, 9):
            x = self.get_submodule(f"model{number}")(x)
        return x

    def forward(self, luminance):
        return 110 * self.model_out(self.logits(luminance).softmax(1))


def random_release(*, seed=0, order=None):
    """The network with random weights, batch norms as measured on noise, and bins in ``order``."""
    torch.manual_seed(seed)
    network = ReleasedNetwork()
    bins = AB_BINS if order is None else AB_BINS[order]
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.2, 0.2)
                module.momentum = None
            elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.bias is not None:
                nn.init.kaiming_normal_(module.weight)
                module.bias.uniform_(-0.1, 0.1)
        network.model8[6].weight *= 2
        network.model_out.weight[:] = torch.from_numpy(bins.T.copy())[..., None, None] / 110
        network.logits(100 * torch.rand(2, 1, 64, 64))
    return network.eval()


def hollow_state(network_state):
    """A state dict of the same names and shapes whose file is small: every tensor is one number, repeated."""
    state = {key: torch.tensor(0.5).expand(value.shape) for key, value in network_state.items()}
    return state | {"model_out.weight": network_state["model_out.weight"].clone()}


CAFFE_NAMES = {
    **{f"model{b}.{2 * i}": f"conv{b}_{i + 1}" for b in CHANNELS for i in range(2 if b < 3 else 3)},
    **{f"model{b}.{4 if b < 3 else 6}": f"conv{b}_{2 if b < 3 else 3}norm" for b in CHANNELS},
    "model8.0": "conv8_1",
    "model8.2": "conv8_2",
    "model8.4": "conv8_3",
    "model8.6": "conv8_313",
    "model1.0": "bw_conv1_1",
}


def random_caffe(*, seed=0):
    """Blobs by layer: convolutions' weights and biases; batch norms' scaled mean, variance, and the factor."""
    state = random_release(seed=seed).state_dict()
    layers = {}
    for number, (key, name) in enumerate(CAFFE_NAMES.items()):
        if name.endswith("norm"):
            factor = np.float32([0.5 + number])
            mean, variance = (state[f"{key}.running_{part}"].numpy() for part in ("mean", "var"))
            layers[name] = [mean * factor, variance * factor, factor]
        else:
            layers[name] = [state[f"{key}.weight"].numpy(), state[f"{key}.bias"].numpy()]
    layers["bw_conv1_1"][0] = layers["bw_conv1_1"][0] / np.float32(100)  # it is fed with L* - 50
    return layers


def caffe_ab(layers, luminance, bins=AB_BINS):
    """What Caffe computes from these blobs: the prototxt line by line."""
    x = luminance - 50
    blobs = {name: [torch.from_numpy(np.asarray(blob, np.float32)) for blob in each] for name, each in layers.items()}
    for number in CHANNELS:
        count, dilation = (2 if number < 3 else 3), (2 if number in (5, 6) else 1)
        for i in range(1, count + 1):
            name = "bw_conv1_1" if (number, i) == (1, 1) else f"conv{number}_{i}"
            stride = 2 if name in ("conv1_2", "conv2_2", "conv3_3") else 1
            x = F.relu(F.conv2d(x, *blobs[name], stride=stride, padding=dilation, dilation=dilation))
        mean, variance, factor = blobs[f"conv{number}_{count}norm"]
        x = (x - (mean / factor)[:, None, None]) / torch.sqrt(variance / factor + 1e-5)[:, None, None]
    x = F.relu(F.conv_transpose2d(x, *blobs["conv8_1"], stride=2, padding=1))
    x = F.relu(F.conv2d(x, *blobs["conv8_2"], padding=1))
    x = F.relu(F.conv2d(x, *blobs["conv8_3"], padding=1))
    probability = (2.606 * F.conv2d(x, *blobs["conv8_313"])).softmax(1)
    return torch.einsum("bqhw,qc->bchw", probability, torch.from_numpy(np.array(bins)))


# The wire format of protocol buffers.


def varint(value):
    """7 bits a byte, the lowest first; the top bit says that more follow."""
    content = b""
    while value >= 0x80:
        content += bytes([value & 0x7F | 0x80])
        value >>= 7
    return content + bytes([value])


def field(number, content):
    """A field that is an integer, or bytes with their length."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def blob(array, *, legacy_shape=False, packed=True):
    """A BlobProto: shape (7), or num, channels, height and width (1 to 4); data (5) or double_data (8)."""
    array = np.asarray(array)
    number, code, wire = (8, "<d", 1) if array.dtype == np.float64 else (5, "<f", 5)
    if legacy_shape:
        dimensions = (1,) * (4 - array.ndim) + array.shape
        shape = b"".join(field(1 + i, size) for i, size in enumerate(dimensions))
    else:
        shape = field(7, field(1, b"".join(varint(size) for size in array.shape)))
    if packed:
        return shape + field(number, array.astype(code).tobytes())
    key = varint(number << 3 | wire)
    return shape + b"".join(key + struct.pack(code, value) for value in array.ravel())


def layer(name, blobs, *, v1_layers=False):
    """A LayerParameter (field 100 of the net) or V1LayerParameter (field 2), each with a field that is no blob."""
    name_field, blobs_field, type_field, number = (4, 6, 5, 2) if v1_layers else (1, 7, 2, 100)
    kind = field(type_field, 4 if v1_layers else b"Convolution")
    content = field(name_field, name.encode()) + kind + b"".join(field(blobs_field, each) for each in blobs)
    return field(number, content)


def caffemodel(layers, *, legacy_shape=False, v1_layers=False):
    """A NetParameter with its name, the layers, and one without blobs as ReLUs are."""
    blobs = {name: [blob(each, legacy_shape=legacy_shape) for each in arrays] for name, arrays in layers.items()}
    parts = [layer(name, each, v1_layers=v1_layers) for name, each in {**blobs, "relu1_1": []}.items()]
    return b"".join([field(1, b"LtoAB"), *parts])
