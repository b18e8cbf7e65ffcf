from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from hybridcolor.errors import ModelError
from hybridcolor.predict import Predictor, load_predictor, read_registry
from hybridcolor.predict.weights import ENVIRONMENT, models_folder


@pytest.fixture(scope="module")
def predictor():
    return load_predictor()


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (33, 47), (200, 131), (90, 1000)])
def test_pictures_of_any_size(predictor, shape):
    belief = predictor.predict(np.random.default_rng(0).uniform(0, 100, shape).astype(np.float32))
    assert belief.shape == shape
    assert np.isfinite(belief.mean()).all()
    assert belief.upsample(belief.mean()).shape == (*shape, 2)


def test_it_is_a_predictor_and_repeats_itself(predictor):
    luminance = np.random.default_rng(1).uniform(0, 100, (60, 80)).astype(np.float32)
    assert isinstance(predictor, Predictor)
    assert np.array_equal(predictor.predict(luminance).logits, predictor.predict(luminance).logits)


def test_a_mirror_image_has_mirrored_colours(predictor):
    luminance = np.random.default_rng(2).uniform(0, 100, (160, 320)).astype(np.float32)
    plain, mirrored = (predictor.predict(np.ascontiguousarray(p)).mean() for p in (luminance, luminance[:, ::-1]))
    np.testing.assert_allclose(plain, mirrored[:, ::-1], atol=1e-3)


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


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": 1, "default": "x", "models": {"x": {"file": 3}}}'])
def test_damaged_registries_are_refused(models, content):
    (models / "registry.json").write_text(content)
    refused("not a model registry")


def test_another_schema_is_refused(models):
    edit(models, lambda registry: registry.update(schema=99))
    refused("schema 99")


def test_a_folder_without_registry_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    refused("no registry.json")
