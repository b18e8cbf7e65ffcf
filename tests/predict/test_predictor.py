"""Predictions at any size, with and without hints; registries and weights that are damaged."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from hybridcolor.errors import ImageError, ModelError, SeedError
from hybridcolor.predict import NetworkPredictor, Predictor, load_predictor, read_registry
from hybridcolor.predict.networks import build_network
from hybridcolor.predict.weights import ENVIRONMENT, models_folder
from hybridcolor.seeds import Seeds
from hybridcolor.strokes import possible_strokes


@pytest.fixture(scope="module")
def predictor():
    return load_predictor()


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (33, 47), (200, 131), (90, 1000)])
def test_pictures_of_any_size(predictor, shape):
    belief = predictor.predict(np.random.default_rng(0).uniform(0, 100, shape).astype(np.float32))
    assert belief.shape == shape
    assert np.isfinite(belief.mean()).all()
    rows, columns = belief.logits.shape[:2]
    assert max(rows, columns) <= 4 * min(rows, columns)  # longer pictures are squeezed, so that memory is bounded
    assert min(rows, columns) == predictor.size // 4
    if max(shape) <= 4 * min(shape):
        assert rows / columns == pytest.approx(shape[0] / shape[1], rel=0.03)
    assert belief.upsample(belief.mean()).shape == (*shape, 2)


@pytest.mark.parametrize(
    "luminance",
    [np.full((8, 8), 200, np.uint8), np.full((8, 8), np.nan), np.zeros((8, 8, 3)), np.zeros((0, 8))],
)
def test_what_is_no_luminance_is_told(predictor, luminance):
    with pytest.raises(ImageError):
        predictor.predict(luminance)


def test_luminance_may_be_anything_array_like(predictor):
    plane = np.arange(48.0).reshape(6, 8)
    expected = predictor.predict(plane.astype(np.float32)).logits
    for luminance in (plane, plane.tolist(), np.asfortranarray(plane), plane[::-1][::-1]):
        assert np.array_equal(predictor.predict(luminance).logits, expected)


def test_it_is_a_predictor_and_repeats_itself(predictor):
    luminance = np.random.default_rng(1).uniform(0, 100, (60, 80)).astype(np.float32)
    assert isinstance(predictor, Predictor)
    assert np.array_equal(predictor.predict(luminance).logits, predictor.predict(luminance).logits)


@pytest.mark.parametrize("shape", [(160, 320), (33, 47), (131, 200), (1, 90), (7, 300)])
def test_a_mirror_image_has_mirrored_colours(predictor, shape):
    luminance = np.random.default_rng(2).uniform(0, 100, shape).astype(np.float32)
    plain, mirrored = (predictor.predict(np.ascontiguousarray(p)).mean() for p in (luminance, luminance[:, ::-1]))
    np.testing.assert_allclose(plain, mirrored[:, ::-1], atol=1e-3)


@pytest.fixture(scope="module")
def listener():
    """A network whose hints enter by position; untrained, they would not at all."""
    torch.manual_seed(0)
    network = build_network("lite1-hints")
    for path in (network.hint16, network.hint8, network.hint4):
        torch.nn.init.normal_(path.weight, std=0.3)
    return NetworkPredictor(network, "listener", size=96)


@pytest.mark.parametrize("shape", [(96, 160), (33, 47), (300, 500), (1, 90)])
def test_a_network_that_listens_answers_hints_near_them_most(listener, shape):
    luminance = np.random.default_rng(2).uniform(0, 100, shape).astype(np.float32)
    hints = Seeds.of([[0, 0], [shape[0] // 2, 1]], [[60, 40], [50, 40]])
    reading = listener.read(luminance)
    blind, told = reading.predict(), reading.predict(hints)
    np.testing.assert_array_equal(reading.predict().logits, blind.logits)
    np.testing.assert_array_equal(reading.predict(Seeds.empty()).logits, blind.logits)
    np.testing.assert_array_equal(listener.predict(luminance, hints).logits, told.logits)
    change = np.abs(told.logits - blind.logits).mean(axis=(0, 2))
    if len(change) > 12:
        assert change[:6].mean() > 2 * change[-6:].mean()


def test_a_network_is_not_told_what_it_holds_impossible(listener, monkeypatch):
    luminance = np.random.default_rng(4).uniform(0, 100, (96, 128)).astype(np.float32)
    reading = listener.read(luminance)
    belief = reading.predict()
    likely = belief.top(1, 30, 40)[0][0]
    hints = Seeds.of([[30, 40], [30, 44], [70, 90]], [likely, likely, (90, -100)], stroke=[4, 4, 7])
    chance = [sum(p for ab, p in belief.top(313, *at) if np.hypot(*np.subtract(ab, c)) < 20)
              for at, c in (((30, 40), likely), ((70, 90), (90, -100)))]  # fmt: skip
    assert chance[0] > chance[1]  # by little: an untrained network holds all about alike
    monkeypatch.setattr("hybridcolor.strokes.POSSIBLE", np.mean(chance))
    assert possible_strokes(hints, reading.predict()).stroke.tolist() == [4, 4]
    told = reading.predict(hints)
    np.testing.assert_array_equal(told.logits, reading.predict(hints.take(hints.stroke == 4)).logits)
    np.testing.assert_array_equal(reading.predict(hints.take(hints.stroke == 7)).logits, belief.logits)


def test_hints_are_mirrored_with_the_picture(listener):
    luminance = np.random.default_rng(3).uniform(0, 100, (96, 128)).astype(np.float32)
    plain = listener.predict(luminance, Seeds.of([[10, 20]], [[60, 40]])).mean()
    mirrored = listener.predict(np.ascontiguousarray(luminance[:, ::-1]), Seeds.of([[10, 107]], [[60, 40]])).mean()
    np.testing.assert_allclose(plain, mirrored[:, ::-1], atol=1e-2)


def test_hints_outside_the_picture_are_refused(listener):
    with pytest.raises(SeedError, match="outside"):
        listener.predict(np.full((40, 40), 50, np.float32), Seeds.of([[40, 0]], [[60, 40]]))


def test_a_network_without_hints_does_not_listen():
    deaf = NetworkPredictor(build_network("lite"), "deaf", size=64)
    luminance = np.full((40, 40), 50, np.float32)
    assert not deaf.takes_hints
    hinted = deaf.predict(luminance, Seeds.of([[4, 0]], [[60, 40]]))
    np.testing.assert_array_equal(hinted.logits, deaf.predict(luminance).logits)


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A copy of the shipped models that a test may damage."""
    folder = tmp_path / "models"
    shutil.copytree(models_folder(), folder)
    monkeypatch.setenv(ENVIRONMENT, str(folder))
    return folder


def edit(folder, change):
    path = folder / "registry.json"
    registry = json.loads(path.read_text())
    change(registry)
    path.write_text(json.dumps(registry))


def replace_weights(folder, content):
    """Other weights, with their checksum in the registry."""
    (folder / "lite.safetensors").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    edit(folder, lambda registry: registry["models"]["lite"].update(sha256=digest))


def refused(message, name="default"):
    with pytest.raises(ModelError, match=message) as caught:
        load_predictor(name)
    assert "\n" not in str(caught.value)


def test_every_shipped_model_loads_and_has_a_card(models):
    default, entries = read_registry()
    assert default in entries
    for name, entry in entries.items():
        assert load_predictor(name).name == name
        assert (models / entry.card).is_file()
        assert entry.scores["ab_rmse"] < entry.scores["gray_ab_rmse"]


def test_unknown_models_name_the_known_ones(models):
    refused("known: default, lite", name="nonsense")


def test_damaged_weights_are_refused(models):
    weights = models / "lite.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    refused("checksum")
    weights.unlink()
    refused("cannot read the weights")


def test_weights_of_another_network_are_refused(models):
    edit(models, lambda registry: registry["models"]["lite"].update(network="nonsense"))
    refused("unknown network")


def test_weights_that_do_not_fit_their_network_are_refused(models):
    weights = load((models / "lite.safetensors").read_bytes())
    name = next(key for key in weights if key.startswith("head"))
    for damaged in (
        {key: value for key, value in weights.items() if key != name},
        weights | {name: torch.zeros(3)},
        weights | {"surprise": torch.zeros(3)},
    ):
        replace_weights(models, save(damaged))
        refused("does not fit network")
    replace_weights(models, b"{}")
    refused("not a safetensors file")
    replace_weights(models, save(weights | {"class_prior": torch.full((5,), 0.2)}))
    with pytest.raises(ModelError, match="class prior"):
        load_predictor().predict(np.full((8, 8), 50, np.float32))


def test_a_model_without_prior_predicts_and_refuses_vividness(models):
    weights = load((models / "lite.safetensors").read_bytes())
    del weights["class_prior"]
    replace_weights(models, save(weights))
    belief = load_predictor().predict(np.full((8, 8), 50, np.float32))
    assert belief.class_prior is None
    with pytest.raises(ModelError, match="use vividness 0"):
        belief.rebalanced(0.5)


def test_temperature_and_size_are_the_registrys(models):
    luminance = np.random.default_rng(0).uniform(0, 100, (64, 64)).astype(np.float32)
    edit(models, lambda registry: registry["models"]["lite"].update(size=64, temperature=1.0))
    plain = load_predictor().predict(luminance)
    assert plain.logits.shape[:2] == (16, 16)
    edit(models, lambda registry: registry["models"]["lite"].update(temperature=2))
    np.testing.assert_allclose(load_predictor().predict(luminance).logits, plain.logits / 2, rtol=1e-5, atol=1e-5)


FIELDS = ["paint", "file", "sha256", "card", "network", "temperature", "size", "licence", "data", "summary", "scores"]
JUNK = [None, True, 3, -1, 0, 1e300, 10**9, "junk", "", "\0", [], {}, {"a": "b"}, [[]]]


@pytest.mark.parametrize("field", FIELDS)
def test_junk_in_any_field_is_a_model_error_or_harmless(models, field):
    original = json.loads((models / "registry.json").read_text())
    for junk in JUNK:
        (models / "registry.json").write_text(json.dumps(original))
        edit(models, lambda registry, junk=junk: registry["models"]["lite"].update({field: junk}))
        try:
            assert load_predictor().name == "lite"
            assert field in ("card", "licence", "data", "summary", "scores", "temperature", "paint")
        except ModelError as error:
            message = str(error)
        else:
            message = ""
        assert "\n" not in message


@pytest.mark.parametrize("default", [None, "gone", [], {}, 3])
def test_a_default_that_does_not_exist_is_refused(models, default):
    edit(models, lambda registry: registry.update(default=default))
    refused("not a model registry")


NESTED = "[" * 100_000


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", NESTED, '{"schema": 1, "default": "x", "models": {"x": {"file": 3}}}']
)
def test_damaged_registries_are_refused(models, content):
    (models / "registry.json").write_text(content)
    refused("not a model registry")


def test_another_schema_is_refused(models):
    edit(models, lambda registry: registry.update(schema=99))
    refused("schema 99")


def test_a_folder_without_registry_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    refused("no registry.json")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_does_not_wait_for_threads_that_it_has_not():
    program = """
import os, signal
import numpy as np
import torch
from hybridcolor import load_predictor
torch.set_num_threads(2)
luminance = np.random.default_rng(0).uniform(0, 100, (300, 300)).astype(np.float32)
predictor = load_predictor()
found = predictor.predict(luminance).logits
child = os.fork()
if child == 0:
    signal.alarm(60)
    os._exit(not np.allclose(predictor.predict(luminance).logits, found, atol=1e-3))
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)
