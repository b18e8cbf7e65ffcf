"""Training, resuming and publishing, end to end on a few made-up photos."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from hybridcolor.bins import AB_BINS, soft_encode
from hybridcolor.errors import ImageError, ModelError
from hybridcolor.predict import load_predictor, publish, train, validation
from hybridcolor.predict.data import ImageSet, SoftTargets, augmented, batches, is_held_out, read_shards
from hybridcolor.predict.networks import NETWORKS
from hybridcolor.predict.networks.regression import Regression
from hybridcolor.predict.publish import publish_run
from hybridcolor.predict.recipe import Recipe
from hybridcolor.predict.weights import ENVIRONMENT
from tests.predict.made_up import RECIPE, picture_file, write_shard


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
    (models / "tiny.md").write_text("# tiny\n\nkept above\n\n" + "\n".join(publish._MARK) + "\n\nkept below\n")
    scores = publish_run(run, recipe, name="tiny", data=data, folder=models)
    card = (models / "tiny.md").read_text()
    assert "kept above" in card
    assert "kept below" in card
    assert f"| ab_rmse | {scores['ab_rmse']} |" in card
    monkeypatch.setenv(ENVIRONMENT, str(models))
    assert load_predictor().predict(np.full((40, 40), 50, np.float32)).shape == (40, 40)
    assert not list(tmp_path.rglob("*.part"))


HINTED = "hinted = 0.7\n" + RECIPE.replace('"lite"', '"lite1-hints"')
LINES = "line_art = true\n" + RECIPE
TWO_STAGES = RECIPE.replace("steps = 4", "steps = 2") + RECIPE[RECIPE.index("[[stage]]") :].replace(
    "steps = 4", "steps = 2"
)


@pytest.mark.parametrize("text", [HINTED, LINES, TWO_STAGES])
def test_a_killed_run_ends_as_one_that_was_not(tmp_path, data, recipe, text):
    recipe.write_text(text)

    def kill(report):
        if report["step"] == kill_at:
            raise KilledError

    ends = []
    for kill_at in (0, 4):
        run = tmp_path / f"run{kill_at}"
        try:
            train.train(Recipe.read(recipe), data=data, run=run, progress=kill)
        except KilledError:
            train.train(Recipe.read(recipe), data=data, run=run, progress=lambda _: None)
        ends.append(torch.load(run / "checkpoint.pt", weights_only=True))
    whole, resumed = ends
    for part in ("network", "average"):
        for name, tensor in whole[part].items():
            assert torch.equal(tensor, resumed[part][name]), name
    assert all(whole[key] == resumed[key] for key in ("step", "smooth", "best"))


def test_training_stops_when_the_held_out_images_get_no_better(tmp_path, data, recipe, monkeypatch):
    entropies = iter([3.0, 2.0, 2.5, 2.4, 2.6])
    monkeypatch.setattr(train, "REPORT_EVERY", 1)
    monkeypatch.setattr(train, "scores_so_far", lambda *_: {"cross_entropy": next(entropies)})
    recipe.write_text("patience = 1\n" + RECIPE)
    run, seen = tmp_path / "run", []
    train.train(Recipe.read(recipe), data=data, run=run, progress=seen.append)
    assert [report["step"] for report in seen] == [1, 2, 3]
    train.train(Recipe.read(recipe), data=data, run=run, progress=seen.append)
    assert len(seen) == 3  # it stays stopped


def test_a_run_starts_from_another(tmp_path, data, recipe):
    train.train(Recipe.read(recipe), data=data, run=tmp_path / "first", progress=lambda _: None)
    begun = train.start(dataclasses.replace(Recipe.read(recipe), start_from="first"), beside=tmp_path).state_dict()
    for name, tensor in torch.load(tmp_path / "first" / "best.pt", weights_only=True)["average"].items():
        assert torch.equal(tensor, begun[name])


def test_a_network_that_names_one_colour_learns_it():
    """One colour everywhere, and by its L2 loss the network names it."""
    torch.manual_seed(0)
    network = Regression(torch.nn.Conv2d(1, 2, 4, 4))
    ab = np.full((2, 8, 8, 2), (20.0, -30.0), np.float32)
    batch = (torch.rand(2, 1, 32, 32), *SoftTargets()(ab))
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(600):
        optimizer.zero_grad()
        loss, _ = train.loss_of(network, batch, [], torch.ones(313))
        loss.backward()
        optimizer.step()
    bins = torch.from_numpy(AB_BINS.copy())
    mean = torch.einsum("bqhw,qc->bchw", network(batch[0]).softmax(1), bins)
    assert (mean - torch.tensor([20.0, -30.0])[None, :, None, None]).abs().mean() < 1


def test_the_best_weights_are_kept_over_a_kill(tmp_path, data, recipe, monkeypatch):
    entropies = iter([3.0, 2.0, 2.5, 2.4])
    monkeypatch.setattr(train, "REPORT_EVERY", 1)
    monkeypatch.setattr(train, "scores_so_far", lambda *_: {"cross_entropy": next(entropies)})

    def kill(report):
        if report["step"] == 4:
            raise KilledError

    run = tmp_path / "run"
    with pytest.raises(KilledError):
        train.train(Recipe.read(recipe), data=data, run=run, progress=kill)
    entropies = iter([2.3])
    train.train(Recipe.read(recipe), data=data, run=run, progress=lambda _: None)
    assert torch.load(run / "best.pt", weights_only=True)["step"] == 2
    assert torch.load(run / "checkpoint.pt", weights_only=True)["step"] == 4


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
    with pytest.raises(ModelError, match=r"best\.pt"):
        publish_run(tmp_path, recipe, name="x", data=data, folder=tmp_path)


@pytest.mark.parametrize("name", ["lite-automatic", "lite", "lineart"])
def test_recipes_of_what_ships_are_readable(pytestconfig, name):
    shipped = Recipe.read(pytestconfig.rootpath / f"models/train/{name}.toml")
    assert shipped.steps > 0
    assert shipped.network in NETWORKS


def test_about_three_percent_are_held_out_for_ever():
    share = np.mean([is_held_out(f"photo_{n}.webp") for n in range(20000)])
    assert share == pytest.approx(0.03, abs=0.005)
    assert [n for n in range(200) if is_held_out(f"photo_{n}.webp")] == HELD_OUT_OF_THE_FIRST_200


HELD_OUT_OF_THE_FIRST_200 = [10, 102, 137]  # by CRC-32 of the name


def test_augmentation_degrades_luminance_only_within_range(monkeypatch):
    rng = np.random.default_rng(0)
    images = ImageSet(["flat.png"], [b""])
    lab = np.dstack([np.linspace(0, 100, 60 * 90).reshape(60, 90), np.full((60, 90), 20), np.full((60, 90), -30)])
    monkeypatch.setattr(ImageSet, "decode", lambda *_, **__: lab.astype(np.float32))
    for _ in range(50):
        crop = augmented(images, 0, 64, line_art=False, rng=rng)
        assert crop.shape == (64, 64, 3)
        assert crop[..., 0].min() >= 0
        assert crop[..., 0].max() <= 100
        assert np.abs(crop[..., 1:] - [20, -30]).max() < 1e-3


def some_names(*, held_out, count):
    names = (f"photo_{n}.png" for n in range(10_000))
    return [name for name in names if is_held_out(name) == held_out][:count]


def start_training(recipe, folder, tmp_path):
    train.train(Recipe.read(recipe), data=folder, run=tmp_path / "run", progress=lambda report: None)


@pytest.mark.timeout(60)
def test_fewer_images_than_a_batch_needs_are_no_deadlock(tmp_path, recipe):
    rng = np.random.default_rng(0)
    names = some_names(held_out=False, count=2) + some_names(held_out=True, count=1)
    write_shard(tmp_path / "few" / "shard.tar", {name: picture_file(rng) for name in names})
    start_training(recipe, tmp_path / "few", tmp_path)
    assert (tmp_path / "run" / "checkpoint.pt").is_file()


@pytest.mark.timeout(60)
def test_an_image_that_cannot_be_decoded_is_named_and_stops_the_training(tmp_path, recipe):
    rng = np.random.default_rng(0)
    contents = dict.fromkeys(some_names(held_out=False, count=4), b"this is not a picture")
    contents |= {name: picture_file(rng) for name in some_names(held_out=True, count=1)}
    write_shard(tmp_path / "bad" / "shard.tar", contents)
    with pytest.raises(ImageError, match=r"photo_\d+\.png cannot be decoded"):
        start_training(recipe, tmp_path / "bad", tmp_path)


def test_training_without_held_out_images_is_refused_before_it_starts(tmp_path, recipe):
    rng = np.random.default_rng(0)
    contents = {name: picture_file(rng) for name in some_names(held_out=False, count=4)}
    write_shard(tmp_path / "all" / "shard.tar", contents)
    with pytest.raises(ImageError, match="held out"):
        start_training(recipe, tmp_path / "all", tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a tar", b"\x1f\x8b\x08"])
def test_damaged_shards_are_named(tmp_path, content):
    (tmp_path / "broken.tar").write_bytes(content)
    with pytest.raises(ImageError, match=r"broken\.tar|no training image"):
        read_shards(tmp_path, ["*.tar"])


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04 cut short", bytes(range(256))])
def test_damaged_checkpoints_are_refused(tmp_path, data, recipe, content):
    run = tmp_path / "run"
    run.mkdir()
    (run / "checkpoint.pt").write_bytes(content)
    with pytest.raises(ModelError, match=r"checkpoint\.pt is damaged"):
        start_training(recipe, data, tmp_path)
    (run / "best.pt").write_bytes(content)
    with pytest.raises(ModelError, match=r"best\.pt is damaged"):
        publish_run(run, recipe, name="x", data=data, folder=tmp_path)
    assert (run / "checkpoint.pt").read_bytes() == content


def test_the_same_seed_gives_the_same_batches(data):
    images, _ = read_shards(data, ["*.tar"])

    def first_two(seed):
        source = batches(images, size=32, batch=3, probability=images.sampling_weights(0.7), seed=seed)
        found = [next(source) for _ in range(2)]
        source.close()
        return found

    for one, again in zip(first_two(5), first_two(5), strict=True):
        assert all(torch.equal(x, y) for x, y in zip(one, again, strict=True))
    assert not torch.equal(first_two(5)[0][0], first_two(6)[0][0])


def test_sources_are_drawn_by_the_power_of_their_size():
    images = ImageSet(["a__1", "a__2", "a__3", "a__4", "b_1"], [b""] * 5)
    weights = images.sampling_weights(0.5)
    assert weights.sum() == pytest.approx(1)
    assert weights[:4].sum() / weights[4] == pytest.approx(4**0.5)


def test_table_lookup_is_the_soft_encoding():
    ab = np.random.default_rng(0).integers(-110, 111, (50, 2)).astype(np.float32)

    def spread(index, weight):
        full = np.zeros((50, 313))
        np.put_along_axis(full, np.asarray(index), np.asarray(weight), axis=1)
        return full

    np.testing.assert_allclose(spread(*SoftTargets()(ab)), spread(*soft_encode(ab)), atol=1e-6)


def test_cross_entropy_is_its_sum():
    """- sum_q Z_q log P_q, with Z spread out over all 313 bins."""
    torch.manual_seed(0)
    logits = torch.randn(2, 313, 3, 4, dtype=torch.float64)
    index = torch.stack([torch.randperm(313)[:5] for _ in range(24)]).reshape(2, 3, 4, 5)
    weight = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    target = torch.zeros(2, 3, 4, 313, dtype=torch.float64).scatter(3, index, weight)
    expected = -(target * torch.log(torch.softmax(logits, 1)).permute(0, 2, 3, 1)).sum(3)
    torch.testing.assert_close(validation.cross_entropy(logits, index, weight), expected)


@pytest.mark.parametrize(("steps", "warm_up"), [(1000, 100), (4000, train.WARM_UP)])
def test_the_rate_warms_up_and_falls_to_two_percent(steps, warm_up):
    optimizer = torch.optim.SGD([{"params": [torch.zeros(1)], "lr": 0.0, "base": 0.5}])
    rates = []
    for step in range(steps):
        train.set_rate(optimizer, step, steps)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates[0] < 0.02
    peak = int(np.argmax(rates))
    assert peak == pytest.approx(warm_up, abs=2)
    assert (np.diff(rates[: peak + 1]) > 0).all()
    assert (np.diff(rates[peak:]) < 0).all()
    assert rates[-1] == pytest.approx(0.02 * 0.5, rel=0.01)


def test_the_average_follows_and_counters_are_copied():
    network, average = torch.nn.BatchNorm1d(3), torch.nn.BatchNorm1d(3)
    torch.nn.init.constant_(network.weight, 5.0)
    network.num_batches_tracked.fill_(7)
    train.update_average(average, network, 0.9, step=0)
    assert average.weight[0].item() == pytest.approx(0.1 * 1 + 0.9 * 5)  # early steps count more: (1 + 0) / (10 + 0)
    train.update_average(average, network, 0.9, step=10_000)
    assert average.weight[0].item() == pytest.approx(0.9 * 4.6 + 0.1 * 5)
    assert average.num_batches_tracked == 7
