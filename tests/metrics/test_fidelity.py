"""Pixel scores against scikit-image, published digits, and their formulas by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.metrics import peak_signal_noise_ratio

from hybridcolor.errors import ImageError
from hybridcolor.metrics.fidelity import (
    ab_psnr,
    ab_rmse,
    ciede2000,
    colourfulness,
    cumulative_histogram,
    pixel_errors,
    psnr,
    rgb_rmse,
)

# Sharma, Wu, Dalal 2005, table 1: L*, a*, b* of two colours and their difference.
SHARMA = """
50 2.6772 -79.7751 50 0 -82.7485 2.0425
50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.0200 50 0 -82.7485 3.4412
50 -1.3802 -84.2814 50 0 -82.7485 1.0000
50 -1.1848 -84.8006 50 0 -82.7485 1.0000
50 -0.9009 -85.5211 50 0 -82.7485 1.0000
50 0 0 50 -1 2 2.3669
50 -1 2 50 0 0 2.3669
50 2.4900 -0.0010 50 -2.4900 0.0009 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0010 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0011 7.2195
50 2.4900 -0.0010 50 -2.4900 0.0012 7.2195
50 -0.0010 2.4900 50 0.0009 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0010 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0011 -2.4900 4.7461
50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492
50 2.5 0 61 -5 29 22.8977
50 2.5 0 56 -27 -3 31.9030
50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1.0000
50 2.5 0 50 3.2972 0 1.0000
50 2.5 0 50 1.8634 0.5757 1.0000
50 2.5 0 50 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_psnr_is_scikit_images(kind):
    rng = np.random.default_rng(0)
    truth, result = (rng.integers(0, np.iinfo(kind).max, (20, 30, 3)).astype(kind) for _ in range(2))
    assert psnr(result, truth) == pytest.approx(peak_signal_noise_ratio(truth, result), abs=1e-9)
    assert psnr(truth, truth) == float("inf")


@pytest.mark.parametrize("row", SHARMA.split("\n")[1:-1])
def test_ciede2000_has_the_published_digits(row):
    numbers = np.array(row.split(), np.float32)
    one, other, expected = numbers[:3].reshape(1, 1, 3), numbers[3:6].reshape(1, 1, 3), float(numbers[6])
    assert ciede2000(one, other) == pytest.approx(expected, abs=1e-4)
    assert ciede2000(other, one) == pytest.approx(expected, abs=1e-4)


def test_ciede2000_is_the_mean_over_all_pixels():
    rows = np.array([row.split() for row in SHARMA.split("\n")[1:-1]], np.float32)
    many = np.tile(rows, (4000, 1))[None]  # more than one block of pixels
    assert ciede2000(many[..., :3], many[..., 3:6]) == pytest.approx(float(rows[:, 6].mean()), abs=1e-4)


def test_errors_by_hand():
    """RGB: errors 3, 0, 0 over three channels; the same on 16 bits. ab: errors 3, 4, 0, 0."""
    truth = np.full((1, 1, 3), 100, np.uint8)
    result = np.array([[[97, 100, 100]]], np.uint8)
    assert rgb_rmse(result, truth) == pytest.approx(math.sqrt(3))
    assert rgb_rmse(*(rgb.astype(np.uint16) * 257 for rgb in (result, truth))) == pytest.approx(math.sqrt(3))
    assert psnr(result, truth) == pytest.approx(20 * math.log10(255 / math.sqrt(3)))
    ab = np.array([[[3, 4], [0, 0]]], np.float32)
    assert ab_psnr(ab, np.zeros_like(ab)) == pytest.approx(20 * math.log10(255 / 2.5))
    assert ab_psnr(ab, ab) == float("inf")
    assert pixel_errors(ab, np.zeros_like(ab)).tolist() == [[pytest.approx(math.sqrt(12.5)), 0]]
    assert pixel_errors(truth, result).tolist() == [[pytest.approx(math.sqrt(3))]]


def test_ab_psnr_is_scikit_images_on_eight_bit_lab():
    rng = np.random.default_rng(0)
    result, truth = (rng.integers(0, 256, (9, 8, 2)).astype(np.uint8) for _ in range(2))
    shifted = (plane.astype(np.float32) - 128 for plane in (result, truth))
    assert ab_psnr(*shifted) == pytest.approx(peak_signal_noise_ratio(truth, result), abs=1e-5)


@given(arrays(np.float32, st.integers(1, 20), elements=st.integers(0, 5)), st.lists(st.integers(-1, 6), max_size=5))
def test_cumulative_histogram_counts(errors, thresholds):
    expected = [sum(e <= t for e in errors) / len(errors) for t in thresholds]
    assert cumulative_histogram(errors, thresholds).tolist() == pytest.approx(expected)


def test_the_rms_error_of_a_picture_is_that_of_its_pixels():
    rng = np.random.default_rng(1)
    result, truth = (rng.normal(0, 20, (7, 5, 2)).astype(np.float32) for _ in range(2))
    assert ab_rmse(result, truth) == pytest.approx(float(np.sqrt((pixel_errors(result, truth) ** 2).mean())), rel=1e-6)


def test_ab_rmse_is_over_both_channels():
    truth = np.zeros((1, 2, 2), np.float32)
    result = np.array([[[3, 4], [0, 0]]], np.float32)
    assert ab_rmse(result, truth) == pytest.approx(np.sqrt(25 / 4))


def test_colourfulness_of_two_colours_by_hand():
    """Half red, half green: rg is +-255, yb is 127.5 for both; so sqrt(255^2 + 0) + 0.3 * sqrt(0 + 127.5^2)."""
    rgb = np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)
    assert colourfulness(rgb) == pytest.approx(255 + 0.3 * 127.5)
    assert colourfulness((rgb.astype(np.uint16)) * 257) == pytest.approx(255 + 0.3 * 127.5)
    for wide in (rgb.astype(int), rgb / 255):
        with pytest.raises(ImageError, match="give it as uint8 or uint16"):
            colourfulness(wide)


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


@pytest.mark.parametrize("score", [psnr, rgb_rmse])
@pytest.mark.parametrize("kind", [np.uint16, np.float64, np.int64])
def test_pictures_of_two_types_have_no_score(score, kind):
    with pytest.raises(ImageError, match="give both as uint8 or both as uint16"):
        score(np.zeros((2, 2, 3), kind), np.zeros((2, 2, 3), np.uint8))
    if kind != np.uint16:
        with pytest.raises(ImageError, match="give both as uint8 or both as uint16"):
            score(np.zeros((2, 2, 3), kind), np.zeros((2, 2, 3), kind))


@pytest.mark.parametrize("score", [psnr, rgb_rmse, ab_rmse, ab_psnr])
def test_pictures_of_two_sizes_have_no_score(score):
    with pytest.raises(ImageError, match="bring them to one size first"):
        score(np.zeros((1, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8))
