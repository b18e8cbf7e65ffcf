"""ONNX files against torch, run by OpenCV's own implementation."""

from __future__ import annotations

import json
import sys

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from hybridcolor.bins import AB_BINS
from hybridcolor.errors import ModelError
from hybridcolor.predict import load_predictor
from hybridcolor.predict.export import export_model, to_onnx
from hybridcolor.predict.networks import NETWORKS, build_network


def lively(name):
    """A network with random weights, and batch norms as measured on noise: outputs are far from constant."""
    torch.manual_seed(4)
    network = build_network(name)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight)
    with torch.no_grad():
        network(torch.rand(2, 1, 96, 96))
    return network.eval()


def run_onnx(content, luminance):
    net = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))
    net.setInput(luminance)
    return net.forward()


@pytest.mark.parametrize("name", NETWORKS)
def test_opencv_computes_what_torch_does_at_any_size(name):
    pytest.importorskip("onnx")
    network, rng = lively(name), np.random.default_rng(6)
    content = to_onnx(network)
    for shape in ((1, 1, 64, 96), (2, 1, 96, 64), (1, 1, 96, 160)):
        luminance = rng.random(shape, np.float32)
        with torch.inference_mode():
            expected = network(torch.from_numpy(luminance)).numpy()
        spread = float(expected.std(axis=(2, 3)).max())
        assert spread > 0.01
        np.testing.assert_allclose(run_onnx(content, luminance), expected, rtol=1e-3, atol=5e-3 * spread)


def test_a_shipped_model_is_exported_with_its_calibration_and_bins(run, tmp_path):
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "lite.onnx"
    assert run("models", "export", "default", "-o", path)[0] == 0
    properties = {each.key: each.value for each in onnx.load(path).metadata_props}
    assert json.loads(properties["bins"]) == AB_BINS.tolist()
    assert int(properties["stride"]) == 32
    luminance = np.random.default_rng(7).uniform(0, 100, (160, 192)).astype(np.float32)
    mirrored = [run_onnx(path.read_bytes(), plane[None, None] / 100)[0] for plane in (luminance, luminance[:, ::-1])]
    logits = (mirrored[0] + mirrored[1][..., ::-1]) / 2
    predictor = load_predictor()
    assert predictor.size == 160
    np.testing.assert_allclose(logits.transpose(1, 2, 0), predictor.predict(luminance).logits, rtol=1e-3, atol=1e-3)


def test_the_temperature_divides():
    pytest.importorskip("onnx")
    network, luminance = lively("lite"), np.random.default_rng(8).random((1, 1, 64, 64), np.float32)
    plain, cooled = (run_onnx(to_onnx(network, temperature=t), luminance) for t in (1, 2))
    np.testing.assert_allclose(cooled, plain / 2, rtol=1e-3, atol=1e-4)


def test_without_onnx_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModelError, match=r"pip install 'hybridcolor\[onnx\]'"):
        export_model("default", tmp_path / "x.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("default", "x.pth", "is not .onnx"),
        ("nonsense", "x.onnx", "unknown model"),
        ("default", "no/x.onnx", "has no folder"),
    ],
)
def test_exports_that_cannot_be_are_one_line(run, tmp_path, name, file, message):
    code, _, told = run("models", "export", name, "-o", tmp_path / file)
    assert code == 2
    assert told.count("\n") == 1
    assert message in told
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_kept(tmp_path):
    path = tmp_path / "x.onnx"
    path.write_text("mine")
    with pytest.raises(ModelError, match="exists already"):
        export_model("default", path)
    assert path.read_text() == "mine"
