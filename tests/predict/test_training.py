"""Training, resuming and publishing, end to end on a few made-up photos."""

from __future__ import annotations

import dataclasses
import io
import json
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from hybridcolor.errors import HybridColorError, ImageError, ModelError
from hybridcolor.predict import load_predictor, train
from hybridcolor.predict.data import augment, is_held_out, read_shards
from hybridcolor.predict.publish import publish_run
from hybridcolor.predict.train import Recipe
from hybridcolor.predict.weights import ENVIRONMENT

RECIPE = """
summary = "a test"
licence = "none"
data = "made up"
network = "lite"
imagenet = false
seed = 3
learning_rate = 1e-3
encoder_rate = 0.5
weight_decay = 0.01
rebalancing = 0.5
average = 0.9
exponent = 0.7
held_out = ["*.tar"]
[[stage]]
shards = ["*.tar"]
size = 64
batch = 4
steps = 4
"""


@pytest.fixture
def data(tmp_path):
    """A shard of 80 little pictures, about 3% of them held out."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "data"
    folder.mkdir()
    with tarfile.open(folder / "shard.tar", "w") as shard:
        for n in range(80):
            buffer = io.BytesIO()
            noise = rng.integers(0, 60, (64, 80, 3)) + rng.integers(0, 190, 3)
            Image.fromarray(noise.astype(np.uint8)).save(buffer, "png")
            member = tarfile.TarInfo(f"source{n % 3}__{n:05d}.png")
            member.size = buffer.tell()
            buffer.seek(0)
            shard.addfile(member, buffer)
    return folder


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "REPORT_EVERY", 2)
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


class KilledError(Exception):
    pass


def test_a_killed_run_goes_on_and_is_published(tmp_path, data, recipe, monkeypatch):
    run, seen = tmp_path / "run", []

    def kill(report):
        if report["step"] == 4:
            raise KilledError

    with pytest.raises(KilledError):
        train.train(Recipe.read(recipe), data=data, run=run, progress=kill)
    assert torch.load(run / "checkpoint.pt", weights_only=True)["step"] == 2
    train.train(Recipe.read(recipe), data=data, run=run, progress=seen.append)
    assert [report["step"] for report in seen] == [4]
    assert torch.load(run / "checkpoint.pt", weights_only=True)["step"] == 4
    assert all(np.isfinite(value) for value in seen[0].values())
    assert [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()] == [2, 4, 4]

    models = tmp_path / "models"
    models.mkdir()
    (models / "tiny.md").write_text("# tiny\n\nkept above\n\n" + "\n".join(_marks()) + "\n\nkept below\n")
    scores = publish_run(run, recipe, name="tiny", data=data, folder=models)
    card = (models / "tiny.md").read_text()
    assert "kept above" in card
    assert "kept below" in card
    assert f"| ab_rmse | {scores['ab_rmse']} |" in card
    monkeypatch.setenv(ENVIRONMENT, str(models))
    assert load_predictor().predict(np.full((40, 40), 50, np.float32)).shape == (40, 40)
    assert not list(tmp_path.rglob("*.part"))


def _marks():
    from hybridcolor.predict import publish

    return publish._MARK


def test_recipes_are_checked(tmp_path, recipe):
    for text in (
        RECIPE + "surprise = 1",
        RECIPE.replace("seed = 3", ""),
        "=",
        RECIPE.split("[[stage]]", maxsplit=1)[0],
    ):
        recipe.write_text(text)
        with pytest.raises(ModelError, match="not a training recipe"):
            Recipe.read(recipe)
    with pytest.raises(ModelError, match="not a training recipe"):
        Recipe.read(tmp_path / "missing.toml")


def test_missing_images_and_runs_are_told(tmp_path, data, recipe):
    with pytest.raises(ImageError, match="no training image"):
        read_shards(tmp_path, ["*.tar"])
    with pytest.raises(ModelError, match=r"checkpoint\.pt"):
        publish_run(tmp_path, recipe, name="x", data=data, folder=tmp_path)
    assert issubclass(ModelError, HybridColorError)


def test_the_recipe_that_ships_is_readable(pytestconfig):
    shipped = Recipe.read(pytestconfig.rootpath / "models/train/lite.toml")
    assert shipped.steps == sum(stage.steps for stage in shipped.stage) > 0
    assert dataclasses.is_dataclass(shipped)


def test_about_three_percent_are_held_out_for_ever():
    share = np.mean([is_held_out(f"photo_{n}.webp") for n in range(20000)])
    assert share == pytest.approx(0.03, abs=0.005)
    assert [n for n in range(200) if is_held_out(f"photo_{n}.webp")] == HELD_OUT_OF_THE_FIRST_200


HELD_OUT_OF_THE_FIRST_200 = [10, 102, 137]  # by CRC-32 of the name


def test_augmentation_degrades_luminance_only_within_range():
    rng = np.random.default_rng(0)
    lab = np.dstack([np.linspace(0, 100, 60 * 90).reshape(60, 90), np.full((60, 90), 20), np.full((60, 90), -30)])
    for _ in range(50):
        crop = augment(lab.astype(np.float32), 64, rng)
        assert crop.shape == (64, 64, 3)
        assert crop[..., 0].min() >= 0
        assert crop[..., 0].max() <= 100
        assert np.abs(crop[..., 1:] - [20, -30]).max() < 1e-3
