from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
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


@given(arrays(np.uint8, (3, 4, 3)), arrays(np.uint8, (3, 4, 3)))
def test_scores_are_their_formulas(result, truth):
    """Hasler and Suesstrunk 2003, section 7: M = sigma_rgyb + 0.3 mu_rgyb; sums written out."""
    pixels = [tuple(map(float, pixel)) for pixel in result.reshape(-1, 3)]
    rg = [r - g for r, g, _ in pixels]
    yb = [0.5 * (r + g) - b for r, g, b in pixels]
    mean = [math.fsum(values) / len(values) for values in (rg, yb)]
    variance = [math.fsum((v - m) ** 2 for v in values) / len(values) for values, m in zip((rg, yb), mean, strict=True)]
    expected = math.sqrt(sum(variance)) + 0.3 * math.hypot(*mean)
    assert colourfulness(result) == pytest.approx(expected, abs=1e-9)
    planes = [array[..., :2].astype(np.float32) for array in (result, truth)]
    squares = [(float(a) - float(b)) ** 2 for a, b in zip(planes[0].ravel(), planes[1].ravel(), strict=True)]
    assert ab_rmse(*planes) == pytest.approx(math.sqrt(math.fsum(squares) / len(squares)), abs=1e-9)
    assert psnr(result, truth) == psnr(truth, result)


@given(st.integers(0, 255), st.integers(0, 255))
def test_gray_has_no_colour(level, other):
    assert colourfulness(np.array([[[level] * 3, [other] * 3]], np.uint8)) == 0
