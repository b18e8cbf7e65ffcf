"""Simulated wishes: one thing in another colour, hints on it, everything else as it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hybridcolor.lab import lab_to_rgb, rgb_to_lab
from hybridcolor.predict import simulation
from hybridcolor.predict.data import SoftTargets, true_colours
from hybridcolor.predict.networks.hints import AB_SCALE
from hybridcolor.predict.recolouring import LEAST, MOST, find_thing, other_colour
from hybridcolor.predict.simulation import COLOUR_ERROR, simulate


def scene():
    """A gray ground with one blue disc and one yellow square, 32 x 32 cells."""
    row, column = np.indices((32, 32))
    luminance, ab = np.full((32, 32), 50, np.float32), np.zeros((32, 32, 2), np.float32)
    disc = (row - 9) ** 2 + (column - 10) ** 2 <= 25
    square = (np.abs(row - 23) <= 4) & (np.abs(column - 22) <= 4)
    for part, level, colour in ((disc, 30, (10, -50)), (square, 80, (0, 60))):
        luminance[part], ab[part] = level, colour
    return luminance, ab, (disc, square)


def batch_of(count):
    luminance, ab, _ = scene()
    seen = torch.from_numpy(np.kron(luminance, np.ones((4, 4), np.float32)) / 100)
    return (seen.expand(count, 1, 128, 128), *SoftTargets()(np.broadcast_to(ab, (count, 32, 32, 2))))


def test_things_are_whole():
    luminance, ab, things = scene()
    found = [find_thing(luminance, ab, np.random.default_rng(seed)) for seed in range(40)]
    seen = [thing for thing in found if thing is not None]
    assert len(seen) > 10
    for thing in seen:
        assert any((thing == other).all() for other in things)
        assert LEAST <= thing.mean() <= MOST


def test_other_colours_are_mostly_in_gamut():
    rng = np.random.default_rng(0)
    level = rng.uniform(0, 100, 500)
    wanted = np.array([[value, *other_colour(value, rng)] for value in level], np.float32)[None]
    got = rgb_to_lab(np.clip(lab_to_rgb(wanted[..., 0], wanted[..., 1:]), 0, 1).astype(np.float32))
    lost = np.hypot(*(wanted - got)[0, :, 1:].T)
    assert np.median(lost) < 5


def test_one_thing_changes_and_is_hinted_at():
    batch = batch_of(60)
    before = true_colours(*batch[1:])
    (luminance, index, weight), hints = simulate(batch, 0.7, np.random.default_rng(1))
    after = true_colours(index, weight)
    assert luminance is batch[0]
    _, _, things = scene()
    recoloured = 0
    for i in range(60):
        changed = ((after - before)[i].abs().amax(0) > 1).numpy()
        if not changed.any():
            continue
        recoloured += 1
        assert any((changed <= thing).all() for thing in things)
        inside = hints[i][:, torch.from_numpy(changed)]
        assert inside[2].any()
    assert 10 < recoloured < 60
    given = hints[:, 2] > 0
    error = (hints[:, :2] * AB_SCALE - after).permute(0, 2, 3, 1)[given]
    assert error.abs().median() < 2 * COLOUR_ERROR


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_pictures_without_hints_keep_their_colours(monkeypatch, share):
    monkeypatch.setattr(simulation, "RECOLOURED", share)
    batch = batch_of(40)
    (_, index, _), hints = simulate(batch, 0.7, np.random.default_rng(2))
    unhinted = ~(hints[:, 2] > 0).any(dim=(1, 2))
    assert unhinted.any()
    assert torch.equal(index[unhinted], batch[1][unhinted])
    assert torch.equal(index, batch[1]) == (share == 0)
