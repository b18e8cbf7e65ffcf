"""The type: what goes in comes back, and what is no picture is refused."""

from __future__ import annotations

from collections.abc import Callable

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridcolor.errors import ImageError
from hybridcolor.lab import rgb_to_lab
from hybridcolor.picture import Picture
from tests.pixels import GRAY8, PHOTO, RGB16, rgb_of


@settings(max_examples=60, deadline=None)
@given(
    npst.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4)),
    )
)
def test_every_array_comes_back(array: np.ndarray) -> None:
    picture = Picture.from_array(array)
    colour = array[..., :3] if array.shape[2] >= 3 else np.repeat(array[..., :1], 3, axis=2)
    slack = 0 if array.dtype == np.uint8 or picture.chroma is None else 1
    assert np.abs(rgb_of(picture).astype(int) - colour).max() <= slack
    assert picture.dtype == rgb_of(picture).dtype == array.dtype
    if array.shape[2] in (2, 4):
        assert np.array_equal(picture.alpha, array[..., -1])
    else:
        assert picture.alpha is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_comes_back_identical(dtype: type) -> None:
    gray = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(16, -1)
    back = Picture.from_array(gray).to_rgb()
    assert all(np.array_equal(back[..., i], gray) for i in range(3))


def test_gray_in_three_channels_has_no_chroma() -> None:
    assert Picture.from_array(np.dstack([GRAY8] * 3)).chroma is None
    assert Picture.from_array(PHOTO).chroma is not None


def test_floats_count_as_16_bits() -> None:
    picture = Picture.from_array(np.linspace(0, 1, 12).reshape(3, 4))
    assert picture.bit_depth == 16
    np.testing.assert_allclose(picture.to_rgb()[..., 0].ravel(), np.linspace(0, 65535, 12), atol=0.51)


@pytest.mark.parametrize("far", [1.0, 2.5, 10.0])
def test_luminance_survives_recolouring(far: float) -> None:
    for array, bound in ((PHOTO, 0.3), (RGB16, 0.002)):
        picture = Picture.from_array(array)
        assert picture.chroma is not None
        recoloured = picture.to_rgb(picture.chroma * np.float32(far))
        assert np.abs(rgb_to_lab(recoloured)[..., 0] - picture.luminance).max() < bound


@pytest.mark.parametrize(
    "make",
    [
        lambda: Picture(np.zeros((2, 2))),
        lambda: Picture(np.zeros((0, 2), np.float32)),
        lambda: Picture(np.zeros(4, np.float32)),
        lambda: Picture(np.full((2, 2), 101, np.float32)),
        lambda: Picture(np.full((2, 2), np.nan, np.float32)),
        lambda: Picture(np.zeros((2, 2), np.float32), bit_depth=12),
        lambda: Picture(np.zeros((2, 2), np.float32), chroma=np.zeros((2, 2), np.float32)),
        lambda: Picture(np.zeros((2, 2), np.float32), chroma=np.full((2, 2, 2), np.inf, np.float32)),
        lambda: Picture(np.zeros((2, 2), np.float32), alpha=np.zeros((2, 2), np.uint16)),
        lambda: Picture(np.zeros((2, 2), np.float32), alpha=np.zeros((2, 3), np.uint8)),
        lambda: Picture.from_array(np.zeros((2, 2, 5))),
        lambda: Picture.from_array(np.zeros((0, 2))),
        lambda: Picture.from_array(np.zeros((2, 2), np.int64)),
        lambda: Picture.from_array(np.full((2, 2), 255.0)),
        lambda: Picture.from_array(np.full((2, 2, 2), np.nan)),
        lambda: Picture.from_array(GRAY8).to_rgb(np.zeros((2, 2, 2))),
    ],
)
def test_what_is_no_picture_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ImageError) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [">u2", "<u2", ">f4", "<f8"])
def test_either_byte_order_is_taken(kind):
    values = np.linspace(0, 1, 24).reshape(2, 3, 4)
    array = (values * 65535 if kind.endswith("2") else values).astype(kind)
    native = Picture.from_array(array.astype(array.dtype.newbyteorder("=")))
    picture = Picture.from_array(array)
    assert np.array_equal(picture.luminance, native.luminance)
    assert np.array_equal(picture.alpha, native.alpha)


@pytest.mark.parametrize("paint", [False, True])
def test_chroma_that_does_not_fit_is_told(paint):
    with pytest.raises(ImageError, match="to go with this luminance"):
        Picture.from_array(np.zeros((2, 2), np.uint8)).to_rgb(np.zeros((3, 3, 2)), paint=paint)
