"""What every propagation method keeps to on pictures that are hard for it, and with many seeds."""

from __future__ import annotations

import numpy as np
import pytest

from hybridcolor.propagate import PROPAGATORS, propagate
from hybridcolor.seeds import Seeds
from tests.propagate.pictures import TURNS, UNKIND, photo_luminance, random_seeds, turned, unkind_picture

HEIGHT, WIDTH = 72, 83  # above what Levin's system is eliminated at
EQUATION_TOLERANCE = 2.0  # two solves, each to the default 1 ab

METHODS = sorted(PROPAGATORS)
pytestmark = pytest.mark.parametrize("method", METHODS)


def assert_sound(result, seeds):
    """Finite, seeds kept, no colour outside theirs (maximum principle), residual small, labels the strokes'."""
    assert np.isfinite(result.chroma).all()
    np.testing.assert_array_equal(result.chroma[tuple(seeds.coords.T)], seeds.ab)
    slack = 1e-4
    assert (result.chroma >= seeds.ab.min(axis=0) - slack).all()
    assert (result.chroma <= seeds.ab.max(axis=0) + slack).all()
    assert 0 <= result.residual < 0.25
    if result.label is not None:
        assert np.isin(result.label, seeds.stroke).all()


@pytest.mark.parametrize("kind", UNKIND)
def test_unkind_picture(method, kind):
    seeds = random_seeds(HEIGHT, WIDTH, 25)
    assert_sound(propagate(unkind_picture(kind, HEIGHT, WIDTH), seeds, method=method), seeds)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("kind", UNKIND)
def test_turned_unkind_picture(method, kind, turn):
    luminance = unkind_picture(kind, HEIGHT, WIDTH)
    seeds = random_seeds(HEIGHT, WIDTH, 12)
    image, image_seeds, back = turned(turn, luminance, seeds)
    expected = propagate(luminance, seeds, method=method)
    off = np.abs(back(propagate(image, image_seeds, method=method).chroma) - expected.chroma)
    assert off.max() < (EQUATION_TOLERANCE if expected.label is None else 1e-4)
    assert off.mean() < 0.2


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 90), (90, 1), (2, 90)])
def test_noise_in_thin_pictures_with_contradicting_seeds(method, shape):
    luminance = np.random.default_rng(0).uniform(0, 100, shape)
    seeds = random_seeds(*shape, min(4, luminance.size))
    assert_sound(propagate(luminance, seeds, method=method), seeds)


def test_thousands_of_seeds(method):
    seeds = random_seeds(110, 120, 5000)
    assert_sound(propagate(photo_luminance("coffee", 110, 120), seeds, method=method), seeds)


def test_contradicting_strokes_side_by_side(method):
    """Combs of opposite colours, tooth in tooth."""
    i, j = np.indices((HEIGHT, WIDTH))
    coords = np.argwhere((j % 4 == 0) & (i % 2 == 0))
    stroke = coords[:, 1] // 4 % 2
    seeds = Seeds.of(coords, np.where(stroke[:, None] == 0, [60, -60], [-60, 60]), stroke=stroke)
    assert_sound(propagate(photo_luminance("coffee", HEIGHT, WIDTH), seeds, method=method), seeds)
