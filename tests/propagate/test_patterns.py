"""Patterns: one kind is even, kinds differ, one stroke fills one kind; and which kind a picture is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from benchmarks.drawings import TONES, WORN, page
from hybridcolor.errors import MethodError
from hybridcolor.lab import gray_to_luminance
from hybridcolor.propagate import propagate
from hybridcolor.propagate.flattening import flattened
from hybridcolor.propagate.kinds import kind_of
from hybridcolor.propagate.patterns import ENVELOPE, WAVELENGTH, _magnitudes, pattern_distance, pattern_features
from hybridcolor.seeds import Seeds

SHAPE = 280, 330


def toned(kind, scale=8, shape=SHAPE):
    row, column = np.indices(shape).astype(np.float32)
    dark = np.where(TONES[kind](row, column, scale), 0, 255).astype(np.float32)
    return gray_to_luminance(cv2.GaussianBlur(dark, (0, 0), 0.6).astype(np.uint8))


def test_magnitudes_are_those_of_the_full_two_dimensional_wavelet():
    plane = np.random.default_rng(0).uniform(0, 100, (40, 47)).astype(np.float32)
    at = np.arange(-int(3 * ENVELOPE), int(3 * ENVELOPE) + 1)
    y, x = np.meshgrid(at, at, indexing="ij")
    bell = np.exp(-(x**2 + y**2) / (2 * ENVELOPE**2))
    for found, (u, v) in zip(_magnitudes(plane), ((1, 0), (0, 1), (1, 1), (1, -1)), strict=True):
        wave = np.exp(2j * np.pi / WAVELENGTH * (u * x + v * y) / np.hypot(u, v)) * bell / bell.sum()
        expected = np.abs(ndimage.convolve(plane - plane.mean(), wave, mode="reflect"))
        inner = np.s_[8:-8, 8:-8]
        assert np.abs(found[inner] - expected[inner]).mean() < 0.1 * expected[inner].mean()


@pytest.mark.parametrize("kind", TONES)
def test_features_are_even_within_a_tone_and_differ_between_tones(kind):
    mine = pattern_features(toned(kind))[0][8:-8, 8:-8].reshape(-1, 13)
    assert pattern_distance(mine, mine.mean(axis=0)).max() < 1
    for other in set(TONES) - {kind}:
        theirs = pattern_features(toned(other))[0][8:-8, 8:-8].reshape(-1, 13).mean(axis=0)
        assert pattern_distance(mine.mean(axis=0), theirs) > 6


def test_two_patterns_of_one_density_part_where_they_meet():
    luminance = toned("hatching")
    luminance[:, 160:] = toned("dots")[:, 160:]
    seeds = Seeds.of([[140, 40], [140, 290]], [9, 9], stroke=[1, 2])
    owner = propagate(luminance, seeds, method="levelset").label
    assert np.abs((owner == 1).sum(axis=1) - 160).max() < 14
    assert abs((owner == 1).mean() * SHAPE[1] - 160) < 6


def test_one_stroke_fills_one_pattern_wherever_it_is_and_no_other():
    luminance = np.full((300, 620), 100, np.float32)
    for kind, columns in (("hatching", np.s_[10:120]), ("dots", np.s_[260:370]), ("hatching", np.s_[500:610])):
        luminance[:, columns] = toned(kind, shape=luminance.shape)[:, columns]
    seeds = Seeds.of([[150, 60], [150, 190], [150, 310], [150, 440]], [9, 9], stroke=[1, 2, 3, 2])
    for method in ("levelset", "lineart"):
        owner = propagate(luminance, seeds, method=method).label[150]
        assert owner[[60, 190, 310, 440]].tolist() == [1, 2, 3, 2]
        assert (owner[555] == 1) == (method == "levelset")


@pytest.mark.parametrize(("gap", "expected"), [(0.0, 1), (6.0, 2)])
def test_gap_says_whether_a_stroke_on_paper_passes_into_a_pattern(gap, expected):
    """Two hatched boxes on paper, the first with an opening of 10 pixels; strokes on the paper and in the second."""
    luminance = np.full((300, 620), 100, np.float32)
    hatching = toned("hatching", shape=luminance.shape)
    for columns in (np.s_[150:301], np.s_[450:601]):
        luminance[18:282, columns] = 0
        inside = np.s_[21:279, columns.start + 3 : columns.stop - 3]
        luminance[inside] = hatching[inside]
    luminance[145:155, 150:153] = 100
    seeds = Seeds.of([[150, 60], [150, 530]], [9, 9], stroke=[1, 2])
    owner = propagate(luminance, seeds, method="levelset", gap=gap).label[150]
    assert owner[[60, 225, 380, 530]].tolist() == [1, expected, 1, 2]


def test_a_negative_gap_is_refused():
    with pytest.raises(MethodError, match="gap is -1"):
        propagate(toned("dots"), Seeds.of([[9, 9]], [9, 9]), method="levelset", gap=-1)


def test_pattern_affinity_makes_a_tone_one_region_for_methods_that_go_by_luminance():
    drawing = page(1, tone="hatching")
    flat = flattened(drawing.luminance)
    inside = cv2.erode(((drawing.region % 2 == 0) & ~drawing.line).astype(np.uint8), np.ones((25, 25))) > 0
    assert np.abs(ndimage.sobel(flat))[inside].mean() < 0.02 * np.abs(ndimage.sobel(drawing.luminance))[inside].mean()
    assert flat[drawing.line].mean() < 40
    bare = page(1).luminance
    assert np.abs(flattened(bare) - bare).max() < 1


def test_pattern_affinity_for_all_methods_and_its_name_checked():
    luminance, seeds = toned("dots"), Seeds.of([[9, 9]], [[20.0, 5.0]])
    assert propagate(luminance, seeds, method="watershed", affinity="pattern").chroma[200, 200].tolist() == [20, 5]
    with pytest.raises(MethodError, match='expected "luminance" or "pattern"'):
        propagate(luminance, seeds, method="watershed", affinity="texture")


PHOTOS = [
    *("astronaut", "brick", "camera", "cell", "chelsea", "clock", "coffee", "coins", "colorwheel", "grass", "gravel"),
    *(
        "hubble_deep_field",
        "immunohistochemistry",
        "logo",
        "microaneurysms",
        "moon",
        "page",
        "retina",
        "rocket",
        "text",
    ),
]


@pytest.mark.parametrize("name", PHOTOS)
def test_photos_are_photos(name):
    picture = getattr(data, name)()
    gray = picture if picture.ndim == 2 else picture[..., :3].mean(axis=-1)
    assert kind_of(gray_to_luminance(gray.astype(np.uint8))).name == "photo"


@pytest.mark.parametrize("how", [{"width": 1}, *({"worn": worn} for worn in WORN)], ids=str)
def test_drawings_are_line_art_and_toned_ones_screentone(how):
    assert kind_of(page(2, gap=4, **how).luminance).name == "line art"
    for tone in TONES if how.get("worn") != "pale" else ():
        kind = kind_of(page(2, gap=4, tone=tone, **how).luminance)
        assert kind.name == "screentone"
        assert "% of the page is tone" in kind.reason


@pytest.mark.parametrize("value", [0.0, 60.0, 100.0])
def test_a_blank_picture_has_a_kind_too(value):
    assert kind_of(np.full((5, 7), value)).name == "photo"
