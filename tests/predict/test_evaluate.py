"""Evaluation, with beliefs whose scores are known beforehand."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from hybridcolor.bins import AB_BINS, ColorDistribution
from hybridcolor.cli import app
from hybridcolor.errors import ImageError, ModelError
from hybridcolor.predict import NetworkPredictor
from hybridcolor.predict.evaluate import HINTS, Calibration, evaluate
from hybridcolor.predict.networks import build_network


class Gray:
    """Believes in gray, and little else."""

    name = "gray"

    def predict(self, luminance):
        logits = np.zeros((8, 8, len(AB_BINS)), np.float32)
        logits[..., np.hypot(*AB_BINS.T).argmin()] = 30.0
        return ColorDistribution(logits, luminance.shape, np.full(len(AB_BINS), 1 / len(AB_BINS), np.float32))


def test_a_gray_belief_scores_as_gray(data, tmp_path):
    seen = []
    scores = evaluate(
        Gray(), data, tmp_path / "report", shards=["*.tar"], progress=lambda done, of: seen.append((done, of))
    )
    assert scores["ab_rmse"] == pytest.approx(scores["gray_ab_rmse"], abs=0.01)
    assert scores["colourfulness"] < 1
    assert scores["coloured_seeds"] == 0
    assert "seeds_better_than_gray" not in scores
    assert "best_20th_better_than_gray" not in scores
    report = json.loads((tmp_path / "report" / "scores.json").read_text())
    assert seen[-1] == (report["photos"], report["photos"])
    assert np.mean([row["psnr"] for row in report["each"]]) == pytest.approx(scores["psnr"])
    for name in ("calibration.png", "contact.jpg", "failures.jpg"):
        with Image.open(tmp_path / "report" / name) as picture:
            assert np.ptp(np.asarray(picture)) > 100


def test_a_network_that_listens_is_scored_with_hints(data, tmp_path):
    network = build_network("lite1-hints")
    predictor = NetworkPredictor(network, "x", class_prior=np.full(313, 1 / 313, np.float32), size=64)
    untrained = evaluate(predictor, data, tmp_path / "before", shards=["*.tar"])
    for count in HINTS:
        assert untrained[f"psnr_{count}_hints"] == pytest.approx(untrained["psnr"])
    torch.nn.init.normal_(network.hint4.weight)
    heard = evaluate(predictor, data, tmp_path / "after", shards=["*.tar"])
    assert heard["psnr"] == pytest.approx(untrained["psnr"])
    assert len({round(heard[f"ab_rmse_{count}_hints"], 6) for count in HINTS}) == len(HINTS)


def strictly(text):
    """As any reader of JSON does, to whom NaN is none."""
    return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def test_what_a_photo_does_not_tell_is_null(data, tmp_path):
    evaluate(Gray(), data, tmp_path / "report", shards=["*.tar"])
    report = strictly((tmp_path / "report" / "scores.json").read_text())
    assert report["each"][0]["coloured_seeds"] == 0
    assert report["each"][0]["seeds_hue_within_30"] is None


def test_what_is_a_persons_is_left_alone(data, tmp_path):
    (tmp_path / "scores.json").write_text('["mine"]')
    with pytest.raises(ImageError, match="not empty and no earlier report"):
        evaluate(Gray(), data, tmp_path, shards=["*.tar"])
    assert (tmp_path / "scores.json").read_text() == '["mine"]'
    for _ in range(2):  # the second time over its own
        evaluate(Gray(), data, tmp_path / "report", shards=["*.tar"])
    (tmp_path / "file").touch()
    with pytest.raises(ImageError, match="cannot be made"):
        evaluate(Gray(), data, tmp_path / "file", shards=["*.tar"])


@pytest.mark.parametrize("pattern", ["", "/absolute/*.tar"])
def test_what_is_no_pattern_is_told(data, tmp_path, pattern):
    with pytest.raises(ImageError, match="no pattern of names"):
        evaluate(Gray(), data, tmp_path / "report", shards=[pattern])


def test_a_hue_where_the_truth_has_none_is_left_out():
    logits = np.zeros((20, 20, len(AB_BINS)), np.float32)
    logits[..., np.hypot(*(AB_BINS - (40, 0)).T).argmin()] = 30.0
    calibration = Calibration()
    calibration.add(ColorDistribution(logits, (20, 20)), np.zeros((20, 20, 2), np.float32))
    assert calibration.best_twentieth() == {"best_20th_better_than_gray": 0.0}


def test_the_best_twentieth_are_the_surest_coloured_cells():
    """Of 400 cells, 20: ten sure and right, ten sure and of the opposite hue; the unsure ones do not count."""
    truth = np.full((20, 20, 2), (40.0, 0.0), np.float32)
    logits = np.zeros((20, 20, len(AB_BINS)), np.float32)
    for column, colour in ((0, (40, 0)), (1, (-40, 0))):
        logits[:10, column, np.hypot(*(AB_BINS - colour).T).argmin()] = 30.0
    calibration = Calibration()
    calibration.add(ColorDistribution(logits, (20, 20)), truth)
    assert calibration.best_twentieth() == {"best_20th_better_than_gray": 0.5, "best_20th_hue_within_30": 0.5}


def test_an_honest_belief_lies_on_the_diagonal():
    """Of cells whose colour is drawn from the belief itself, the share in the first bin is its probability."""
    rng = np.random.default_rng(0)
    calibration = Calibration()
    for _ in range(30):
        first, second = rng.integers(0, len(AB_BINS), (2, 40, 40))
        p = rng.uniform(0.5, 1.0, (40, 40))
        logits = np.full((40, 40, len(AB_BINS)), -40, np.float32)
        np.put_along_axis(logits, second[..., None], np.log(1 - p)[..., None].astype(np.float32), 2)
        np.put_along_axis(logits, first[..., None], np.log(p)[..., None].astype(np.float32), 2)
        truth = AB_BINS[np.where(rng.random((40, 40)) < p, first, second)].astype(np.float32)
        calibration.add(ColorDistribution(logits, (40, 40)), truth)
    tenths = calibration.summary()
    assert len(tenths["std"]) == 10
    np.testing.assert_allclose(tenths["accuracy"], tenths["confidence"], atol=0.03)
    np.testing.assert_allclose(tenths["error"], tenths["std"], rtol=0.06, atol=0.5)


def test_nothing_held_out_is_refused(tmp_path):
    with pytest.raises(ImageError, match="no training image"):
        evaluate(Gray(), tmp_path, tmp_path / "report")


def test_command_needs_a_model(tmp_path):
    with pytest.raises(ModelError, match="nothing to evaluate without a model"):
        CliRunner().invoke(
            app, ["evaluate", "none", "--data", str(tmp_path), "-o", str(tmp_path)], catch_exceptions=False
        )
