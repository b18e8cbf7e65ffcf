from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from hybridcolor.metrics import ab_rmse, colourfulness, psnr


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_psnr_is_scikit_images(kind):
    rng = np.random.default_rng(0)
    truth, result = (rng.integers(0, np.iinfo(kind).max, (20, 30, 3)).astype(kind) for _ in range(2))
    assert psnr(result, truth) == pytest.approx(peak_signal_noise_ratio(truth, result), abs=1e-9)
    assert psnr(truth, truth) == float("inf")


def test_ab_rmse_is_over_both_channels():
    truth = np.zeros((1, 2, 2), np.float32)
    result = np.array([[[3, 4], [0, 0]]], np.float32)
    assert ab_rmse(result, truth) == pytest.approx(np.sqrt(25 / 4))


def test_colourfulness_of_two_colours_by_hand():
    """Half red, half green: rg is +-255, yb is 127.5 for both; so sqrt(255^2 + 0) + 0.3 * sqrt(0 + 127.5^2)."""
    rgb = np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)
    assert colourfulness(rgb) == pytest.approx(255 + 0.3 * 127.5)
    assert colourfulness((rgb.astype(np.uint16)) * 257) == pytest.approx(255 + 0.3 * 127.5)
