"""L*a*b* against Lindbloom's digits, scikit-image and a dense grid; what the gamut search promises."""

from __future__ import annotations

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import color, data

from hybridcolor.errors import ImageError
from hybridcolor.lab import (
    gamut_chroma,
    gray_to_luminance,
    lab_to_rgb,
    linear_to_lab,
    luminance_to_gray,
    quantize,
    rgb_to_lab,
)
from hybridcolor.screen import screen_rgb

# brucelindbloom.com, CIE colour calculator: sRGB, D65, no adaptation.
LINDBLOOM = {
    (255, 0, 0): (53.2408, 80.0925, 67.2032),
    (0, 255, 0): (87.7347, -86.1827, 83.1793),
    (0, 0, 255): (32.2970, 79.1875, -107.8602),
    (0, 255, 255): (91.1132, -48.0875, -14.1312),
    (255, 0, 255): (60.3242, 98.2343, -60.8249),
    (255, 255, 0): (97.1393, -21.5537, 94.4780),
    (255, 255, 255): (100.0, 0.0, 0.0),
    (128, 128, 128): (53.5850, 0.0, 0.0),
    (138, 90, 43): (42.5990, 15.0398, 34.5152),
    (100, 150, 200): (60.5072, -2.7871, -30.9306),
    (0, 0, 0): (0.0, 0.0, 0.0),
}


def dense_grid(step: float = 8.0) -> tuple[np.ndarray, np.ndarray]:
    """L* with dense black and white ends, a* and b* up to 160."""
    ends = np.linspace(0, 2, 21)
    levels = np.concatenate([ends, np.linspace(2, 98, 97), 100 - ends])
    axis = np.arange(-160, 160 + step, step)
    luminance, a, b = (np.ravel(v).astype(np.float32) for v in np.meshgrid(levels, axis, axis, indexing="ij"))
    return luminance, np.stack([a, b], axis=-1)


@pytest.mark.parametrize(("rgb", "lab"), LINDBLOOM.items(), ids=str)
def test_known_colours(rgb: tuple[int, ...], lab: tuple[float, ...]) -> None:
    np.testing.assert_allclose(rgb_to_lab(np.array(rgb, np.uint8)), lab, atol=2e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_agrees_with_scikit_image(dtype: type) -> None:
    """Its matrix and white differ from ours in the sixth digit."""
    rgb = data.astronaut()
    ours = rgb.astype(dtype) if dtype == np.uint8 else quantize(np.float32(rgb / 255), 16)
    ours = (rgb / 255).astype(dtype) if np.dtype(dtype).kind == "f" else ours
    np.testing.assert_allclose(rgb_to_lab(ours), color.rgb2lab(rgb), atol=5e-3)


def test_agrees_with_scikit_image_backwards() -> None:
    luminance, chroma = dense_grid()
    inside = gamut_chroma(luminance, chroma)
    theirs = color.lab2rgb(np.concatenate([luminance[:, None], inside], axis=1))
    np.testing.assert_allclose(lab_to_rgb(luminance, inside), theirs, atol=1e-4)


def test_every_8_bit_colour_comes_back() -> None:
    """Every third level of the cube, its faces included: no colour that sRGB has counts as out of gamut."""
    level = np.r_[0:256:3, 255].astype(np.uint8)
    rgb = np.stack(np.meshgrid(level, level, level), axis=-1)
    lab = rgb_to_lab(rgb)
    assert np.array_equal(quantize(lab_to_rgb(lab[..., 0], lab[..., 1:]), 8), rgb)
    assert np.array_equal(gamut_chroma(lab[..., 0], lab[..., 1:]), lab[..., 1:])


def test_16_bit_colours_come_back_within_a_step() -> None:
    rgb = np.random.default_rng(3).integers(0, 65536, (60_000, 3), np.uint16)
    lab = rgb_to_lab(rgb)
    back = quantize(lab_to_rgb(lab[:, 0], lab[:, 1:]), 16)
    assert np.abs(back.astype(int) - rgb).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_gray_comes_back(dtype: type) -> None:
    gray = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    bits = gray.itemsize * 8
    luminance = gray_to_luminance(gray)
    lab = rgb_to_lab(np.repeat(gray[:, None], 3, axis=1))
    assert np.array_equal(quantize(luminance_to_gray(luminance), bits), gray)
    assert np.array_equal(
        quantize(lab_to_rgb(luminance, np.zeros((len(gray), 2))), bits), np.repeat(gray[:, None], 3, 1)
    )
    np.testing.assert_allclose(lab[:, 0], luminance, atol=2e-5)
    assert not lab[:, 1:].any()


def test_float_grays_agree_with_the_integer_table() -> None:
    gray = np.arange(65536, dtype=np.uint16)
    np.testing.assert_allclose(gray_to_luminance((gray / 65535).astype(np.float32)), gray_to_luminance(gray), atol=3e-5)


@pytest.mark.parametrize("far", [1, 3, 1000, 1e30])
def test_luminance_survives_any_chroma(far: float) -> None:
    luminance, chroma = dense_grid()
    rgb = lab_to_rgb(luminance, chroma * np.float32(far))
    assert np.abs(rgb_to_lab(rgb)[:, 0] - luminance).max() < 0.0015  # one step of a 16-bit file
    for bits, bound in ((8, 0.27), (16, 0.002)):
        assert np.abs(rgb_to_lab(quantize(rgb, bits))[:, 0] - luminance).max() < bound


def test_reduced_chroma_keeps_its_hue_and_touches_the_border() -> None:
    """Checked with scikit-image: in gamut as it is, out of it (or at its own size) with 0.2 units more."""
    luminance, chroma = dense_grid(16)
    plain = (luminance > 0.5) & (luminance < 90)  # away from the black and white points and the folded yellow
    luminance, chroma = luminance[plain], chroma[plain]
    reduced = gamut_chroma(luminance, chroma)
    size, wanted = np.hypot(*reduced.T), np.hypot(*chroma.T)
    np.testing.assert_allclose(reduced[:, 0] * chroma[:, 1], reduced[:, 1] * chroma[:, 0], atol=2e-2)
    assert (size <= wanted).all()
    assert ((reduced * chroma).sum(axis=1) >= 0).all()
    xyz = color.lab2xyz(np.column_stack([luminance, reduced * ((size + 0.2) / np.maximum(size, 1e-9))[:, None]]))
    linear = xyz @ np.linalg.inv(color.colorconv.xyz_from_rgb).T
    beyond = ((linear < -1e-7) | (linear > 1 + 1e-7)).any(axis=1)
    assert (beyond | (size == wanted)).all()


@settings(max_examples=40, deadline=None)
@given(
    npst.arrays(np.float32, st.integers(1, 30), elements=st.floats(-10, 110, width=32)),
    st.floats(-200, 200),
    st.floats(-200, 200),
)
def test_gamut_chroma_is_idempotent(luminance: np.ndarray, a: float, b: float) -> None:
    once = gamut_chroma(luminance, np.broadcast_to([a, b], (len(luminance), 2)))
    twice = gamut_chroma(luminance, once)
    assert np.abs(twice - once).max() <= 0.2
    rgb = lab_to_rgb(luminance, once)
    assert rgb.dtype == np.float32
    assert rgb.min() >= 0
    assert rgb.max() <= 1


def test_a_pixel_does_not_depend_on_its_neighbours() -> None:
    """Runs of pixels are an inner matter: the same pixel gives the same bytes wherever it lies."""
    rng = np.random.default_rng(0)
    luminance = rng.uniform(0, 100, 40_000).astype(np.float32)
    chroma = rng.uniform(-120, 120, (40_000, 2)).astype(np.float32)
    whole = lab_to_rgb(luminance, chroma)
    pieces = [lab_to_rgb(luminance[i : i + 7001], chroma[i : i + 7001]) for i in range(0, 40_000, 7001)]
    assert np.array_equal(whole, np.concatenate(pieces))
    turned = lab_to_rgb(luminance.reshape(200, 200).T, chroma.reshape(200, 200, 2).transpose(1, 0, 2))
    assert np.array_equal(turned, whole.reshape(200, 200, 3).transpose(1, 0, 2))


@pytest.mark.parametrize(
    "call",
    [
        lambda: rgb_to_lab(np.zeros((4, 4))),
        lambda: rgb_to_lab(np.zeros((4, 3), np.int32)),
        lambda: rgb_to_lab(np.full((1, 3), 1.5)),
        lambda: rgb_to_lab(np.full((1, 3), np.nan)),
        lambda: gray_to_luminance(np.array([-0.1])),
        lambda: gray_to_luminance(np.array([True])),
        lambda: lab_to_rgb(np.zeros((2, 2)), np.zeros((2, 3, 2))),
        lambda: lab_to_rgb([np.nan], [[0.0, 0.0]]),
        lambda: gamut_chroma([0.0], [[0.0, np.inf]]),
    ],
)
def test_bad_input_is_one_clear_line(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ImageError) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(0,), (0, 5), (3, 0)])
def test_empty_pictures_pass(shape: tuple[int, ...]) -> None:
    assert lab_to_rgb(np.zeros(shape), np.zeros((*shape, 2))).shape == (*shape, 3)
    assert rgb_to_lab(np.zeros((*shape, 3), np.uint8)).shape == (*shape, 3)


def test_linear_light_as_encoded_light() -> None:
    """Inside of sRGB the same as by its curve; outside, L* follows Y alone."""
    rgb = np.random.default_rng(1).random((50, 3))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    assert np.abs(linear_to_lab(linear) - rgb_to_lab(rgb)).max() < 1e-3
    outside = np.array([[-0.2, 1.1, 0.3], [1.5, -0.1, -0.1]])
    y = outside @ [0.2126729, 0.7151522, 0.0721750]
    assert np.abs(linear_to_lab(outside)[:, 0] - (116 * np.cbrt(y) - 16)).max() < 1e-3
    assert linear_to_lab([[2.0, 2.0, 2.0]])[0, 0] == 100


def test_on_a_screen_it_looks_as_it_is_written():
    rng = np.random.default_rng(0)
    luminance = rng.uniform(0, 100, 200_000).astype(np.float32)
    chroma = rng.normal(0, 15, (200_000, 2)).astype(np.float32)
    apart = np.abs(screen_rgb(luminance, chroma).astype(int) - quantize(lab_to_rgb(luminance, chroma), 8)).max(axis=1)
    assert (apart > 1).mean() < 0.01
    assert (apart > 3).mean() < 0.001
    gray = screen_rgb(luminance, np.zeros_like(chroma))
    assert (np.abs(gray.astype(int) - quantize(luminance_to_gray(luminance), 8)[:, None]) <= 1).all()


def test_a_screen_shows_something_for_any_number():
    odd = np.float32([np.nan, np.inf, -np.inf, 1e30, -50.0, 150.0])
    assert screen_rgb(odd, np.zeros((6, 2), np.float32)).shape == (6, 3)
    for other in (odd, odd[::-1]):
        assert screen_rgb(np.full(6, 50, np.float32), np.stack([odd, other], axis=1)).shape == (6, 3)
