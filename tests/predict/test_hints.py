"""How hints enter the network, and how they are simulated."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from hybridcolor.errors import ModelError
from hybridcolor.predict import train
from hybridcolor.predict.networks import build_network
from hybridcolor.predict.networks.hints import AB_SCALE, pyramid
from hybridcolor.predict.simulation import COLOUR_ERROR, scattered_hints, simulate_hints
from tests.predict.made_up import RECIPE


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build_network("lite1-hints").eval()


def given(rng, count=5):
    return scattered_hints(torch.from_numpy(rng.normal(0, 40, (2, 24, 32)).astype(np.float32)), count, rng)[None]


@torch.inference_mode()
def test_untrained_hints_change_nothing(network):
    luminance, hints = torch.rand(1, 1, 96, 128), given(np.random.default_rng(0))
    torch.testing.assert_close(network(luminance, hints), network(luminance))


def test_every_hint_path_learns(network):
    luminance, hints = torch.rand(1, 1, 96, 128), given(np.random.default_rng(0))
    network.zero_grad()
    network(luminance, hints).square().mean().backward()
    for name in ("hint32", "hint16", "hint8", "hint4"):
        assert network.get_submodule(name).weight.grad.abs().max() > 0
    assert network.resemblance.out.weight.grad.abs().max() > 0


@torch.inference_mode()
def test_a_hint_reaches_what_looks_alike():
    """Two like halves: attention carries a hint in one to the other."""
    torch.manual_seed(1)
    network = build_network("lite1-hints").eval()
    torch.nn.init.normal_(network.resemblance.out.weight)
    half = torch.rand(1, 1, 96, 192)
    luminance = torch.cat([half, half], 3)
    hints = torch.zeros(1, 3, 24, 96)
    hints[:, :, 10:14, 20:24] = 1.0
    changed = (network(luminance, hints) - network(luminance)).abs().mean(1)[0]
    assert changed[:, 90:].max() > 0.1 * changed.max()


@torch.inference_mode()
def test_features_serve_any_hints(network):
    """A new hint costs the decoder only."""
    luminance, hints = torch.rand(1, 1, 64, 64), torch.zeros(1, 3, 16, 16)
    hints[:, :, 3, 4] = 0.5
    torch.testing.assert_close(network.decode(network.encoder(luminance), hints), network(luminance, hints))


def test_coarser_hints_are_means_of_the_hinted_cells():
    hints = torch.zeros(1, 3, 16, 16)
    hints[0, :, 0, 0] = torch.tensor([0.5, -0.25, 1.0])
    hints[0, :, 1, 1] = torch.tensor([0.1, 0.75, 1.0])
    levels = pyramid(hints)
    assert [tuple(level.shape[2:]) for level in levels] == [(16, 16), (8, 8), (4, 4), (2, 2)]
    for level in levels[1:]:
        torch.testing.assert_close(level[0, :, 0, 0], torch.tensor([0.3, 0.25, 1.0]))
        assert level[0, :, -1, -1].abs().max() == 0


def test_simulated_hints_have_nearly_the_true_colour():
    rng = np.random.default_rng(0)
    truth = torch.tensor([30.0, -50.0])[None, :, None, None].expand(40, 2, 32, 32)
    hints = simulate_hints(truth, 0.7, rng)
    present = hints[:, 2] > 0
    error = hints[:, :2].permute(0, 2, 3, 1)[present] * AB_SCALE - torch.tensor([30.0, -50.0])
    assert error.std() == pytest.approx(COLOUR_ERROR, rel=0.3)
    assert hints[:, :2].permute(0, 2, 3, 1)[~present].abs().max() == 0
    none = (present.sum(dim=(1, 2)) == 0).float().mean()
    assert 0.1 < none < 0.6
    assert not simulate_hints(truth, 0.0, rng).any()


def test_hints_are_trained_and_reported(tmp_path, monkeypatch, data):
    monkeypatch.setattr(train, "REPORT_EVERY", 2)
    path = tmp_path / "hints.toml"
    path.write_text("hinted = 0.7\n" + RECIPE.replace('"lite"', '"lite1-hints"'))
    train.train(train.Recipe.read(path), data=data, run=tmp_path / "run", progress=lambda _: None)
    report = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    assert {"cross_entropy", "cross_entropy_10", "ab_rmse_10"} <= set(report)


def test_a_trunk_must_fit(recipe):
    chosen = train.Recipe.read(recipe)
    with pytest.raises(ModelError, match="unknown model"):
        train.start(dataclasses.replace(chosen, start_from="nonsense"))
    with pytest.raises(ModelError, match="does not fit"):
        train.start(dataclasses.replace(chosen, network="lite2", start_from="lite"))
