"""SSIM, QSSIM and PA against their definitions, pixel by pixel and in quaternions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import data
from skimage.metrics import structural_similarity

from hybridcolor.metrics.structure import pa, qssim, ssim

SIDES = st.tuples(st.integers(1, 6), st.integers(1, 6))


class Quaternion:
    """Hamilton's algebra, from ij = k, jk = i, ki = j and i^2 = j^2 = k^2 = -1."""

    def __init__(self, r, i, j, k):
        self.parts = (r, i, j, k)

    def __add__(self, other):
        return Quaternion(*(a + b for a, b in zip(self.parts, other.parts, strict=True)))

    def __sub__(self, other):
        return self + other.scaled(-1)

    def __mul__(self, other):
        (a, b, c, d), (e, f, g, h) = self.parts, other.parts
        return Quaternion(
            a * e - b * f - c * g - d * h,
            a * f + b * e + c * h - d * g,
            a * g - b * h + c * e + d * f,
            a * h + b * g - c * f + d * e,
        )

    def scaled(self, factor):
        return Quaternion(*(factor * part for part in self.parts))

    def conjugate(self):
        r, *vector = self.parts
        return Quaternion(r, *(-part for part in vector))

    def modulus(self):
        return math.sqrt(sum(part * part for part in self.parts))


def brute_force_qssim(result, truth):
    """The definition, window by window and pixel by pixel, in quaternion arithmetic."""
    side, sigma, c1, c2 = 11, 1.5, 0.01**2, 0.03**2
    taps = [math.exp(-((i - 5) ** 2) / (2 * sigma**2)) for i in range(side)]
    values = []
    for row in range(result.shape[0] - side + 1):
        for column in range(result.shape[1] - side + 1):
            weighted = []
            for i in range(side):
                for j in range(side):
                    here = row + i, column + j
                    x, y = (Quaternion(0, *(float(v) / 255 for v in picture[here])) for picture in (result, truth))
                    weighted.append((taps[i] * taps[j] / sum(taps) ** 2, x, y))
            zero = Quaternion(0, 0, 0, 0)
            mean_x = sum((x.scaled(w) for w, x, _ in weighted), zero)
            mean_y = sum((y.scaled(w) for w, _, y in weighted), zero)
            cross = zero
            spread = 0.0
            for w, x, y in weighted:
                dx, dy = x - mean_x, y - mean_y
                cross += (dx * dy.conjugate()).scaled(w)
                spread += w * (dx.modulus() ** 2 + dy.modulus() ** 2)
            means = (mean_x * mean_y.conjugate()).scaled(2) + Quaternion(c1, 0, 0, 0)
            structure = cross.scaled(2) + Quaternion(c2, 0, 0, 0)
            luminance = means.modulus() / (mean_x.modulus() ** 2 + mean_y.modulus() ** 2 + c1)
            values.append(luminance * structure.modulus() / (spread + c2))
    return sum(values) / len(values)


@pytest.mark.parametrize("seed", range(3))
def test_qssim_is_its_definition_in_quaternions(seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 256, (13, 12, 3)).astype(np.uint8)
    noise = rng.integers(-40, 41, truth.shape)
    result = np.clip(truth + noise, 0, 255).astype(np.uint8)
    assert qssim(result, truth) == pytest.approx(brute_force_qssim(result, truth), abs=1e-5)


def test_qssim_of_gray_pictures_is_ssim():
    """With R = G = B a quaternion product is three times the product of the grays and has no vector part; so it is SSIM
    with both constants a third, apart from negative structure, of which there is none here."""
    gray = data.camera()[::8, ::8]
    darker = (gray * 0.8 + 20).astype(np.uint8)
    expected, full = structural_similarity(
        gray / 255,
        darker / 255,
        data_range=1.0,
        gaussian_weights=True,
        use_sample_covariance=False,
        full=True,
        K1=0.01 / math.sqrt(3),
        K2=0.03 / math.sqrt(3),
    )
    assert full.min() > 0
    pictures = (np.repeat(plane[..., None], 3, axis=-1) for plane in (darker, gray))
    assert qssim(*pictures) == pytest.approx(expected, abs=1e-5)


def test_qssim_turns_with_the_colours():
    """A rotation of colour space (here R to G to B) rotates all quaternions alike and changes no modulus."""
    truth = data.astronaut()[100:140, 200:240]
    result = (truth * np.array([0.9, 0.7, 1.0])).astype(np.uint8)
    turned = (np.roll(rgb, 1, axis=-1) for rgb in (result, truth))
    assert qssim(*turned) == pytest.approx(qssim(result, truth), abs=1e-6)


def test_qssim_falls_as_colour_fades():
    truth = data.coffee()[100:228, 200:328]
    gray = truth.mean(axis=-1, keepdims=True)
    faded = [(truth * (1 - k) + gray * k).astype(np.uint8) for k in (0.25, 0.5, 0.75, 1.0)]
    scores = [qssim(rgb, truth) for rgb in faded]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 0.97


@pytest.mark.parametrize("score", [ssim, qssim])
@given(pictures=SIDES.flatmap(lambda s: st.tuples(*[arrays(np.uint8, (*s, 3))] * 2)))
@settings(max_examples=30)
def test_similarity_is_symmetric_bounded_and_one_for_equal_pictures(score, pictures):
    result, truth = pictures
    assert score(truth, truth) == pytest.approx(1, abs=1e-5)
    assert score(result, truth) == pytest.approx(score(truth, result), abs=1e-5)
    assert -1 <= score(result, truth) <= 1 + 1e-5
    wide = [rgb.astype(np.uint16) * np.uint16(257) for rgb in pictures]
    assert score(*wide) == pytest.approx(score(*pictures), abs=1e-5)


def brute_force_pa(result, truth, threshold):
    even, kept = 0, 0
    rows, columns = truth.shape[:2]
    for row in range(rows):
        for column in range(columns):
            around = [(row + i, column + j) for i, j in ((1, 0), (-1, 0), (0, 1), (0, -1))]
            inside = [at for at in around if 0 <= at[0] < rows and 0 <= at[1] < columns]
            steady = [
                all(math.dist(ab[row, column].tolist(), ab[at].tolist()) <= threshold for at in inside)
                for ab in (truth, result)
            ]
            even += steady[0]
            kept += all(steady)
    return kept / even if even else 1.0


@given(SIDES.flatmap(lambda s: st.tuples(*[arrays(np.float32, (*s, 2), elements=st.integers(0, 6))] * 2)))
def test_pa_is_its_definition_pixel_by_pixel(planes):
    result, truth = planes
    assert pa(result, truth, threshold=4.0) == pytest.approx(brute_force_pa(result, truth, 4.0))
    assert pa(truth, truth) == pa(np.zeros_like(truth), truth) == 1
