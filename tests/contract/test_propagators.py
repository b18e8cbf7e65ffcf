"""What every registered propagation method promises."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import numpy as np
import pytest

import hybridcolor.propagate.registry as registry
from hybridcolor.errors import ImageError, MethodError, SeedError
from hybridcolor.propagate import PROPAGATORS, Propagation, get_propagator, propagate, propagator_names
from hybridcolor.seeds import Seeds
from tests.propagate.pictures import TURNS, photo_luminance, photo_seeds, random_seeds, turned

HEIGHT, WIDTH = 40, 34
EQUATION_TOLERANCE = 0.5  # of two solves, each promised to 1 ab and usually far better

METHODS = sorted(PROPAGATORS)
pytestmark = pytest.mark.parametrize("method", METHODS)


@pytest.fixture
def luminance():
    return photo_luminance("astronaut", HEIGHT, WIDTH)


@pytest.fixture
def seeds():
    return photo_seeds("astronaut", HEIGHT, WIDTH)


def at(result, seeds):
    return result.chroma[seeds.coords[:, 0], seeds.coords[:, 1]]


def test_shape_dtype_and_hard_seeds(method, luminance, seeds):
    result = propagate(luminance, seeds, method=method)
    assert isinstance(result, Propagation)
    assert result.chroma.shape == (HEIGHT, WIDTH, 2)
    assert result.chroma.dtype == np.float32
    assert np.isfinite(result.chroma).all()
    assert 0 <= result.residual < 0.25
    assert result.iterations >= 0
    np.testing.assert_array_equal(at(result, seeds), seeds.ab)
    if result.label is not None:
        assert result.label.shape == (HEIGHT, WIDTH)
        assert result.label.dtype == np.int32
        assert np.isin(result.label, seeds.stroke).all()


def test_same_input_same_bytes_and_input_unchanged(method, luminance, seeds):
    kept = luminance.copy()
    first = propagate(luminance, seeds, method=method)
    second = propagate(luminance, seeds, method=method)
    assert first.chroma.tobytes() == second.chroma.tobytes()
    np.testing.assert_array_equal(luminance, kept)


def test_seed_order_does_not_matter(method, luminance, seeds):
    order = np.random.default_rng(0).permutation(len(seeds))
    first = propagate(luminance, seeds, method=method)
    second = propagate(luminance, seeds.take(order), method=method)
    np.testing.assert_array_equal(first.chroma, second.chroma)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_turned_picture_gives_turned_answer(method, turn, name):
    luminance = photo_luminance(name, HEIGHT, WIDTH)
    seeds = random_seeds(HEIGHT, WIDTH, 12)
    image, image_seeds, back = turned(turn, luminance, seeds)
    expected = propagate(luminance, seeds, method=method)
    found = propagate(image, image_seeds, method=method)
    if expected.label is None:
        assert np.abs(back(found.chroma) - expected.chroma).max() < EQUATION_TOLERANCE
    else:
        np.testing.assert_array_equal(back(found.label), expected.label)
        np.testing.assert_allclose(back(found.chroma), expected.chroma, atol=1e-4)


def test_colours_stay_within_the_seeds(method, luminance):
    seeds = random_seeds(HEIGHT, WIDTH, 15)
    chroma = propagate(luminance, seeds, method=method).chroma
    slack = 1e-4
    assert (chroma >= seeds.ab.min(axis=0) - slack).all()
    assert (chroma <= seeds.ab.max(axis=0) + slack).all()


def test_one_seed_colours_everything(method, luminance):
    seeds = Seeds.of([[7, 9]], [[33.0, -21.0]])
    chroma = propagate(luminance, seeds, method=method).chroma
    np.testing.assert_allclose(chroma, np.broadcast_to(seeds.ab, chroma.shape), atol=1e-3)


def test_all_pixels_seeded(method, luminance):
    seeds = random_seeds(HEIGHT, WIDTH, HEIGHT * WIDTH)
    result = propagate(luminance, seeds, method=method)
    np.testing.assert_array_equal(at(result, seeds), seeds.ab)


def test_contradicting_neighbours_both_hold(method, luminance):
    seeds = Seeds.of([[20, 10], [20, 11]], [[90.0, 90.0], [-90.0, -90.0]])
    result = propagate(luminance, seeds, method=method)
    np.testing.assert_array_equal(at(result, seeds), seeds.ab)
    assert np.isfinite(result.chroma).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2), (1, 200), (3, 90)])
def test_tiny_and_thin_pictures(method, shape):
    luminance = np.random.default_rng(0).uniform(20, 80, shape)
    seeds = Seeds.of([[shape[0] - 1, shape[1] - 1]], [[12.0, -34.0]])
    chroma = propagate(luminance, seeds, method=method).chroma
    np.testing.assert_allclose(chroma, np.broadcast_to(seeds.ab, chroma.shape), atol=1e-3)


@pytest.mark.parametrize("value", [0, 50.0, 100])
def test_constant_picture(method, value):
    luminance = np.full((70, 71), value)
    seeds = Seeds.of([[0, 0], [69, 70]], [[50.0, 0.0], [-50.0, 0.0]])
    result = propagate(luminance, seeds, method=method)
    np.testing.assert_array_equal(at(result, seeds), seeds.ab)
    assert result.chroma[2, 2, 0] > result.chroma[67, 68, 0]


def test_clean_edge_is_kept(method):
    luminance = np.where(np.arange(80) < 40, 25.0, 75.0) * np.ones((80, 1))
    seeds = Seeds.of([[40, 5], [40, 74]], [[60.0, 0.0], [0.0, 60.0]])
    chroma = propagate(luminance, seeds, method=method).chroma
    assert chroma[:, :36, 0].min() > 45
    assert chroma[:, 44:, 1].min() > 45


def test_soft_seeds_are_accepted(method, luminance, seeds):
    soft = Seeds.of(seeds.coords, seeds.ab, weight=0.1, stroke=seeds.stroke)
    assert np.isfinite(propagate(luminance, soft, method=method).chroma).all()


def test_prior_and_trust_are_accepted(method, luminance, seeds):
    prior = np.zeros((HEIGHT, WIDTH, 2))
    result = propagate(luminance, seeds, method=method, prior=prior, trust=np.full((HEIGHT, WIDTH), 0.5))
    np.testing.assert_array_equal(at(result, seeds), seeds.ab)


def test_numbers_of_16_bits_will_do(method, luminance, seeds):
    prior = np.full((HEIGHT, WIDTH, 2), 5, np.float16)
    result = propagate(luminance.astype(np.float16), seeds, method=method, prior=prior)
    assert result.chroma.dtype == np.float32


@pytest.mark.parametrize(
    "bad",
    [
        np.full((4, 4), np.nan),
        np.full((4, 4), np.inf),
        np.full((4, 4), 101.0),
        np.full((4, 4), -1.0),
        np.zeros((4, 4, 3)),
        np.zeros((0, 4)),
        np.full((4, 4), "x"),
        np.zeros((4, 4), complex),
    ],
    ids=["nan", "inf", "high", "low", "colour", "empty", "text", "complex"],
)
def test_unfit_luminance_is_refused(method, bad):
    with pytest.raises(ImageError, match="luminance"):
        propagate(bad, Seeds.of([[0, 0]], [[0.0, 0.0]]), method=method)


@pytest.mark.parametrize(
    "bad", [np.zeros((4, 5, 2)), np.zeros((4, 4)), np.full((4, 4, 2), np.nan), np.full((4, 4, 2), 1e300)]
)
def test_unfit_prior_is_refused(method, bad):
    with pytest.raises(ImageError, match="prior"):
        propagate(np.full((4, 4), 50.0), Seeds.of([[0, 0]], [[0.0, 0.0]]), method=method, prior=bad)


@pytest.mark.parametrize("bad", [np.zeros((4, 5)), np.full((4, 4), 1.5), np.full((4, 4), np.nan)])
def test_unfit_trust_is_refused(method, bad):
    with pytest.raises(ImageError, match="trust"):
        propagate(np.full((4, 4), 50.0), Seeds.of([[0, 0]], [[0.0, 0.0]]), method=method, trust=bad)


def test_seed_outside_is_refused(method, luminance):
    with pytest.raises(SeedError, match="outside"):
        propagate(luminance, Seeds.of([[HEIGHT, 0]], [[0.0, 0.0]]), method=method)


def test_no_seeds_is_refused(method, luminance):
    with pytest.raises(SeedError, match="scribble"):
        propagate(luminance, Seeds.empty(), method=method)


def test_unknown_option_is_refused(method, luminance, seeds):
    with pytest.raises(MethodError, match="no option 'sparkle'"):
        propagate(luminance, seeds, method=method, sparkle=1)


def test_unknown_method_lists_the_known(method, luminance, seeds):
    with pytest.raises(MethodError, match=method):
        propagate(luminance, seeds, method="nosuch")


def test_entry_point_extends_but_never_replaces(method, luminance, seeds, monkeypatch):
    points = [
        EntryPoint("plain", "hybridcolor.propagate.chrominance:chrominance", registry.ENTRY_POINTS),
        EntryPoint("broken", "hybridcolor.nosuch:thing", registry.ENTRY_POINTS),
        EntryPoint(method, "hybridcolor.nosuch:thing", registry.ENTRY_POINTS),
    ]
    monkeypatch.setattr(
        registry, "entry_points", lambda group, name=None: [p for p in points if name is None or p.name == name]
    )
    assert {"plain", "broken", *METHODS} == set(propagator_names())
    assert get_propagator(method).__module__.startswith("hybridcolor.propagate")
    assert propagate(luminance, seeds, method="plain").chroma.shape == (HEIGHT, WIDTH, 2)
    with pytest.raises(MethodError, match="cannot be loaded"):
        propagate(luminance, seeds, method="broken")


def test_only_the_needed_kernels_load(method):
    """Looking up one method must not load another method's module."""
    others = set(METHODS) - {method, {"hybrid": "optimization", "levelset": "lineart"}.get(method)}
    code = (
        "import sys, hybridcolor.propagate as p; assert 'numba' not in sys.modules;"
        f"p.get_propagator({method!r});"
        f"loaded = [m for m in {sorted(others)!r} if 'hybridcolor.propagate.' + m in sys.modules];"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
