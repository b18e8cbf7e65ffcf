"""Each failure form's detector ranks what was planted at known strength, and sees nothing in the truth."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.planted import PLANTINGS, SCENES, detect, plant, scene
from hybridcolor.metrics.fading import fade
from hybridcolor.metrics.pair import Pair
from hybridcolor.metrics.registry import FAILURES

STRENGTHS = (0.0, 0.2, 0.5, 1.0)


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("form", [*PLANTINGS, "fading"])
def test_more_of_a_failure_scores_more(form, name):
    truth = scene(name, 200)
    seen = [detect(form, plant(form, truth, strength)) for strength in STRENGTHS]
    assert seen[0] <= 0.015  # fading darkens 8-bit values, which rounds some
    assert (np.diff(seen) > 0).all()


@pytest.mark.parametrize("form", ["bleeding", "pollution", "deficiency"])
def test_the_map_shows_where(form):
    truth = scene("drawing", 200)
    pair = plant(form, truth, 1.0)
    _, where = FAILURES[form].function(pair)
    wrong = np.hypot(*np.moveaxis(pair.result_ab - pair.truth_ab, -1, 0))
    assert where.shape == truth.shape[:2]
    assert where.dtype == np.float32
    assert 0 <= where.min() <= where.max() <= 1
    assert wrong[where > 0.3].mean() > 3 * wrong[where == 0].mean()


@pytest.mark.parametrize("form", FAILURES)
def test_a_gray_result_has_one_failure_and_the_truth_has_none(form):
    truth = scene("coffee", 160)
    gray = np.repeat(truth[..., 1:2], 3, axis=2)
    assert FAILURES[form].function(Pair(truth, truth))[0] == 0
    seen = FAILURES[form].function(Pair(gray, truth))[0]
    assert (seen > 0.95) if form == "deficiency" else (seen < 0.15)


def test_fading_follows_the_light_linearly():
    luminance = np.array([[5, 20, 60, 100]], np.float32)
    twice = fade(fade(luminance, 0.5), 0.5)
    assert np.allclose(twice, fade(luminance, 0.25), atol=1e-3)
