"""Filling drawings: over gaps, through tone, under lines; on drawings whose regions are known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.manga import TONES, filled, page, share_right, strokes
from hybridcolor.propagate import propagate
from hybridcolor.propagate.lineart import relief, without_tone
from hybridcolor.seeds import Seeds


@pytest.mark.parametrize("gap", [0, 2, 6, 12])
@pytest.mark.parametrize("jpeg", [False, True])
def test_gaps_do_not_leak(gap, jpeg):
    drawing = page(3, gap=gap, jpeg=jpeg)
    assert share_right(drawing, filled(drawing, strokes(drawing), "lineart")) == 1


def test_a_bucket_leaks_where_it_does_not():
    drawing = page(3, gap=4)
    assert share_right(drawing, filled(drawing, strokes(drawing), "bucket")) < 0.7


@pytest.mark.parametrize("tone", [tone for tone in TONES if tone != "hatching"])
def test_a_stroke_fills_a_screentone(tone):
    drawing = page(4, gap=2, tone=tone, scale=8)
    share = share_right(drawing, filled(drawing, strokes(drawing), "lineart"))
    assert share >= (0.7 if tone == "dense dots" else 0.9)  # those touch each other, and the lines


def test_colours_meet_under_the_middle_of_a_line():
    luminance = np.full((40, 61), 100, np.float32)
    luminance[:, 26:35] = 0
    seeds = Seeds.of([[20, 5], [20, 55]], [[50, 0], [-50, 0]], stroke=[1, 2])
    owner = propagate(luminance, seeds, method="lineart").label
    assert (owner[:, :26] == 1).all()
    assert (owner[:, 35:] == 2).all()
    assert abs(int((owner[20] == 1).sum()) - 30) <= 1


def test_the_narrowest_place_parts_two_strokes_without_any_line_between():
    luminance = np.full((60, 120), 100, np.float32)
    luminance[:24, 60] = luminance[36:, 60] = 0
    seeds = Seeds.of([[30, 20], [30, 110]], [[50, 0], [-50, 0]], stroke=[1, 2])
    owner = propagate(luminance, seeds, method="lineart").label
    assert (owner[:, :59] == 1).mean() > 0.97
    assert (owner[:, 62:] == 2).mean() > 0.97


def test_tone_is_removed_and_lines_and_their_crossings_stay():
    drawing = page(5, tone="dots", scale=8)
    clean = without_tone(drawing.luminance, 12)
    inside = (drawing.region % 2 == 0) & ~drawing.line
    assert np.percentile(clean[inside], 3) > 60 > np.percentile(drawing.luminance[inside], 10)
    assert np.abs(clean - drawing.luminance)[drawing.line].max() < 30
    np.testing.assert_array_equal(without_tone(page(5).luminance, 12), page(5).luminance)


def test_the_relief_is_lowest_in_the_middle_of_a_region():
    luminance = np.full((41, 41), 100, np.float32)
    luminance[[0, -1]] = luminance[:, [0, -1]] = 0
    levels = relief(luminance, 0)
    assert levels.argmin() == 20 * 41 + 20
    assert levels[0].min() > levels[2:-2, 2:-2].max()
