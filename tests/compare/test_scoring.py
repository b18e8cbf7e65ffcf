"""Scores of one result against published digits, known errors and planted failures."""

from __future__ import annotations

import numpy as np
import pytest

from hybridcolor.compare.scoring import COLUMNS, ERROR, LEVELS, score
from hybridcolor.lab import lab_to_rgb, quantize

from .pictures import colour_photo


def flat(lightness, a, b, shape=(8, 8)):
    luminance = np.full(shape, lightness, np.float32)
    return quantize(lab_to_rgb(luminance, np.broadcast_to(np.float32([a, b]), (*shape, 2))), 16)


def test_the_published_example_of_ciede2000():
    # Sharma, Wu and Dalal 2005, table 1, pair 25: 1.2644; it is within sRGB.
    scored = score(flat(60.2574, -34.0099, 36.2677), flat(60.4626, -34.1751, 39.4387))
    assert scored.scores["ciede2000"] == pytest.approx(1.2644, abs=0.005)


def test_a_known_error_of_every_pixel():
    scored = score(flat(50, 3, 4), flat(50, 0, 0))
    assert scored.scores["ab_rmse"] == pytest.approx(5 / np.sqrt(2), abs=0.01)
    assert scored.maps[ERROR] == pytest.approx(5 / 50, abs=0.001)
    assert next(LEVELS[i] for i, share in enumerate(scored.shares) if share == 1) == 4  # 3.54 per channel
    assert scored.shares[3] == 0


def test_equal_pictures_have_no_error():
    photo = colour_photo(1)
    scored = score(photo, photo)
    assert scored.scores["ab_rmse"] == scored.scores["ciede2000"] == 0
    assert scored.scores["ssim"] == pytest.approx(1)
    assert scored.shares[0] == 1
    assert not scored.maps[ERROR].any()


def test_every_column_has_a_score_and_every_score_a_column():
    photo, other = colour_photo(1), colour_photo(2)
    assert set(score(other, photo).scores) == {column.key for column in COLUMNS}
    assert set(score(other, None).scores) == {column.key for column in COLUMNS if not column.needs_truth}


def test_a_colour_that_runs_over_is_seen_as_bleeding_and_where():
    truth, result = (np.full((60, 90, 2), (0, 0), np.float32) for _ in range(2))
    truth[:, :45] = result[:, :58] = (50, 40)
    luminance = np.full((60, 90), 55, np.float32)
    scored = score(*(quantize(lab_to_rgb(luminance, ab), 8) for ab in (result, truth)))
    assert scored.scores["bleeding"] > 0.05 > scored.scores["deficiency"]
    assert scored.maps["bleeding"][:, 50:56].mean() > 0.5 > 0.01 > scored.maps["bleeding"][:, 65:].max()


@pytest.mark.parametrize("shape", [(1, 1), (3, 9), (40, 2)])
def test_small_pictures_have_every_score(shape):
    assert not np.isnan(list(score(colour_photo(1, shape), colour_photo(2, shape)).scores.values())).any()
