"""Room for colour on blank paper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcolor.errors import MethodError
from hybridcolor.lab import gamut_chroma, rgb_to_lab
from hybridcolor.painting import FINISHES, finished, make_room
from hybridcolor.picture import Picture

colours = st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))


@given(colours, st.integers(0, 100))
def test_a_colour_that_exists_fits_on_white_and_nothing_gets_lighter(rgb, level):
    """Each sRGB colour is in gamut at its own L*; so on white its chroma must be nearly whole, at L* not below it."""
    own, *ab = rgb_to_lab(np.array(rgb, np.uint8)).tolist()
    chroma = np.float32([[ab, ab]])
    luminance = np.float32([[100, level]])
    roomy = make_room(luminance, chroma)
    assert (roomy <= luminance).all()
    assert roomy[0, 0] >= own - 3
    kept = gamut_chroma(roomy, chroma)[0, 0]
    assert np.hypot(*(kept - ab)) <= 0.05 * np.hypot(*ab) + 2
    assert roomy[0, 1] == min(level, roomy[0, 0])


def test_paper_and_ink_without_colour_stay():
    luminance = np.linspace(0, 100, 64, dtype=np.float32).reshape(8, 8)
    np.testing.assert_array_equal(make_room(luminance, np.zeros((8, 8, 2), np.float32)), luminance)


def test_colours_beyond_srgb_take_the_strongest_place():
    roomy = make_room(np.full((1, 1), 100, np.float32), np.float32([[[200, 0]]]))
    assert 40 < roomy[0, 0] < 70


def test_a_blank_page_takes_colour_only_when_painted():
    page = Picture.from_array(np.array([[255, 0]], np.uint8))
    red = np.full((1, 2, 2), (60, 45), np.float32)
    plain, painted = page.to_rgb(red), page.to_rgb(red, paint=True)
    assert np.ptp(plain[0, 0].astype(int)) < 3
    assert rgb_to_lab(painted)[0, 0, 1:] == pytest.approx([60, 45], abs=3)
    np.testing.assert_array_equal(painted[0, 1], [0, 0, 0])


def toned():
    """A line across a page whose left half is dotted; the colours that it gets."""
    luminance = np.full((80, 120), 100, np.float32)
    for row, column in ((2, 2), (2, 3), (3, 2), (3, 3)):
        luminance[row::6, column:60:6] = 0
    luminance[40:43] = 0
    return luminance, np.full((80, 120, 2), (40, 30), np.float32)


def test_tone_becomes_a_darker_shade_of_its_colour_and_lines_stay():
    luminance, red = toned()
    paint, tone = (finished(luminance, red, finish=finish) for finish in ("paint", "tone"))
    assert (tone[41] == 0).all()
    assert np.ptp(tone[10:30, 10:50]) < 2 < np.ptp(paint[10:30, 10:50])
    assert tone[20, 30] / tone[20, 100] == pytest.approx(1 - 4 / 36, abs=0.02)  # as dark as its dots were dense
    np.testing.assert_allclose(tone[5:35, 75:], paint[5:35, 75:], atol=0.1)


@pytest.mark.parametrize("finish", FINISHES)
def test_tinted_lines_are_dark_and_gray_ones_stay_black(finish):
    luminance, red = toned()
    red[:, 100:] = 0
    tinted, plain = (finished(luminance, red, finish=finish, tint=tint) for tint in (1, 0))
    assert (plain[41] == 0).all()
    assert (tinted[41, 100:] == 0).all()
    if finish == "photo":
        np.testing.assert_array_equal(tinted, luminance)
    else:
        assert (tinted >= plain).all()
        assert 10 < tinted[41, 80] < tinted[20, 80] / 2


def test_a_finish_that_is_not_known_is_told():
    with pytest.raises(MethodError, match="'gloss' is unknown; known: photo, paint"):
        finished(*toned(), finish="gloss")
