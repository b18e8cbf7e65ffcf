"""Filling drawings: over gaps, through tone, under lines; on drawings whose regions are known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from benchmarks.drawings import TONES, WORN, page, strokes
from benchmarks.manga import filled, fringe, share_right
from hybridcolor.errors import SeedError
from hybridcolor.propagate import PropagationState, propagate
from hybridcolor.propagate.levelset import LevelsetState
from hybridcolor.propagate.lineart import LineartState
from hybridcolor.propagate.paper import ink
from hybridcolor.propagate.relief import relief, rooms, without_dots
from hybridcolor.seeds import Seeds
from hybridcolor.tones import find_tones


@pytest.mark.parametrize("gap", [0, 2, 6, 12])
def test_gaps_do_not_leak(gap):
    drawing = page(3, gap=gap)
    assert share_right(drawing, filled(drawing, strokes(drawing), "lineart")) == 1


@pytest.mark.parametrize("worn", WORN)
def test_age_does_no_harm(worn):
    drawing = page(3, gap=6, worn=worn)
    owner = filled(drawing, strokes(drawing), "lineart")
    assert share_right(drawing, owner) == 1
    assert fringe(drawing, owner) < 0.015
    toned = page(3, gap=4, tone="dots", worn=worn)
    assert share_right(toned, filled(toned, strokes(toned), "lineart")) >= 0.9


def test_a_stroke_goes_through_a_neck_before_it_leaks_through_a_gap():
    drawing = page(3, gap=6, walls=True)
    assert share_right(drawing, filled(drawing, strokes(drawing), "lineart")) == 1


def test_a_stroke_near_a_line_holds_its_region_against_a_wide_gap():
    luminance = np.full((120, 240), 100, np.float32)
    luminance[:45, 120] = luminance[75:, 120] = 0
    seeds = Seeds.of([[60, 30], [3, 236]], [[50, 0], [-50, 0]], stroke=[1, 2])
    owner = propagate(luminance, seeds, method="lineart").label
    assert (owner[:, :115] == 1).all()
    assert (owner[:, 125:] == 2).mean() > 0.98


def test_a_bucket_leaks_where_it_does_not():
    drawing = page(3, gap=4)
    assert share_right(drawing, filled(drawing, strokes(drawing), "bucket")) < 0.7


@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize("scale", [5, 8, 12])
def test_a_stroke_fills_a_screentone(tone, scale):
    drawing = page(4, gap=4, tone=tone, scale=scale)
    assert share_right(drawing, filled(drawing, strokes(drawing), "lineart")) >= 0.9


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
    clean = without_dots(drawing.luminance, ink(drawing.luminance), 12)
    inside = (drawing.region % 2 == 0) & ~drawing.line
    assert np.percentile(clean[inside], 3) > 60 > np.percentile(drawing.luminance[inside], 10)
    assert np.abs(clean - drawing.luminance)[drawing.line].max() < 30
    bare = page(5).luminance
    np.testing.assert_array_equal(without_dots(bare, ink(bare), 12), bare)


def test_the_relief_is_lowest_in_the_middle_of_a_region():
    luminance = np.full((41, 41), 100, np.float32)
    luminance[[0, -1]] = luminance[:, [0, -1]] = 0
    levels = relief(luminance, 0)
    assert levels.argmin() == 20 * 41 + 20
    assert levels[0].min() > levels[2:-2, 2:-2].max()


@pytest.mark.parametrize(("gap", "count"), [(6.0, 1), (14.0, 2)])
def test_rooms_are_what_is_left_apart_when_gaps_are_closed(gap, count):
    luminance = np.full((60, 120), 100, np.float32)
    luminance[:25, 60] = luminance[35:, 60] = 0  # a gap of 10 pixels
    assert rooms(relief(luminance, 0), gap).max() == count


@pytest.mark.parametrize("tone", ["hatching", "dense dots", "dots"])
def test_a_toned_region_needs_no_outline_to_end_where_its_tone_does(tone):
    drawing = page(6, tone=tone, scale=8)
    toned = drawing.region % 2 == 0
    row, column = np.indices(toned.shape)
    luminance = np.where(toned & TONES[tone](row, column, 8), np.float32(0), np.float32(100))
    inside = [np.argwhere(cv2.erode(part.astype(np.uint8), np.ones((41, 41))) > 0)[::50] for part in (toned, ~toned)]
    seeds = Seeds.of(np.concatenate(inside), [9, 9], stroke=np.repeat([1, 2], [len(part) for part in inside]))
    owner = propagate(luminance, seeds, method="lineart").label
    assert (owner == np.where(toned, 1, 2)).mean() > 0.97


def test_lines_are_found_where_tone_crosses_them():
    drawing = page(5, tone="hatching", scale=8)
    tones = find_tones(ink(drawing.luminance), 12)
    assert (tones.inside == (drawing.region % 2 == 0))[~drawing.line].mean() > 0.97
    line = drawing.line & cv2.erode(tones.inside.astype(np.uint8), np.ones((9, 9))).astype(bool)
    assert tones.lines[line].mean() > 0.8
    away = cv2.distanceTransform((~drawing.line).astype(np.uint8), cv2.DIST_L2, 5) > 10
    assert tones.lines[away].mean() < 0.01


@pytest.mark.parametrize("blur", [0.6, 1.3])
def test_strokes_by_hand_are_one_tone_and_an_outline_across_parts_them(blur):
    rng = np.random.default_rng(0)
    hair = np.full((480, 480), 255, np.uint8)
    for at in np.arange(60, 180, 7) + rng.normal(0, 1, 18):
        cv2.line(hair, (round(at), 40), (round(at + rng.normal(0, 3)), 260), 0, int(rng.integers(1, 3)))
    hair[148:152, 56:184] = 0
    cv2.rectangle(hair, (55, 40), (185, 260), 0, 2)
    luminance = cv2.GaussianBlur(hair, (0, 0), blur).astype(np.float32) / np.float32(2.55)
    seeds = Seeds.of([[90, 120], [210, 120], [20, 120]], [9, 9], stroke=[1, 2, 3])
    owner = propagate(luminance, seeds, method="lineart").label
    assert (owner[50:140, 70:170] == 1).mean() > 0.9
    assert (owner[160:250, 70:170] == 2).mean() > 0.9
    assert (owner[:, :40] == 3).mean() > 0.95


def test_a_stroke_on_a_pupil_fills_the_eye():
    eye = np.full((200, 200), 255, np.uint8)
    cv2.ellipse(eye, (100, 100), (16, 10), 0, 0, 360, 0, 2, cv2.LINE_AA)
    cv2.circle(eye, (100, 100), 5, 0, -1, cv2.LINE_AA)
    luminance = cv2.GaussianBlur(eye, (0, 0), 1.4).astype(np.float32) / np.float32(2.55)
    seeds = Seeds.of([[100, 98], [100, 99], [100, 100], [100, 101], [40, 40]], [9, 9], stroke=[1, 1, 1, 1, 2])
    owner = propagate(luminance, seeds, method="lineart").label
    inside = cv2.ellipse(np.zeros_like(eye), (100, 100), (15, 9), 0, 0, 360, 1, -1) > 0
    assert (owner[inside] == 1).mean() > 0.95
    assert (owner[~inside] == 2).mean() > 0.97


def test_a_drawing_of_a_few_lines_has_no_tone():
    assert find_tones(ink(page(5, gap=4).luminance), 12) is None


def test_the_tail_of_a_stroke_that_slips_over_a_line_fills_nothing_there():
    luminance = np.full((60, 120), 100, np.float32)
    luminance[:, 60] = 0
    path = [[30, column] for column in range(20, 80)]
    other = [[10, column] for column in range(70, 110)]
    seeds = Seeds.of(path + other, [9, 9], weight=1.0, stroke=[1] * len(path) + [2] * len(other))
    owner = propagate(luminance, seeds, method="lineart").label
    assert (owner[:, :60] == 1).all()
    assert (owner[:, 61:] == 2).mean() > 0.99
    alone = propagate(luminance, seeds.take(seeds.stroke == 1), method="lineart").label
    assert (alone == 1).all()


@pytest.mark.parametrize("method", ["lineart", "levelset"])
def test_a_stroke_held_open_is_at_once_what_a_fresh_run_makes_of_it(method):
    drawing = page(3, gap=4, tone="dots")
    seeds = strokes(drawing)
    state = PropagationState(drawing.luminance, method=method)
    red = replace(seeds, ab=np.where(seeds.stroke[:, None] == 2, np.float32(60), seeds.ab))
    for drawn in (seeds.take(seeds.stroke != 13), seeds, seeds.take(seeds.stroke != 8), seeds, red, seeds.take([0])):
        state.set_seeds(drawn)
        preview, whole = state.preview(), propagate(drawing.luminance, drawn, method=method)
        np.testing.assert_array_equal(preview.label, whole.label)
        np.testing.assert_array_equal(preview.chroma, whole.chroma)
        (answer,) = state.refine()
        assert answer is preview


@pytest.mark.parametrize("state", [LineartState, LevelsetState])
def test_without_a_stroke_there_is_nothing_to_fill_from(state):
    """Also where the last one was taken back."""
    held = state(np.random.default_rng(0).uniform(0, 100, (40, 50)).astype(np.float32))
    with pytest.raises(SeedError, match="no seed"):
        held.preview()
    held.set_seeds(Seeds.of([[3, 3]], [9, 9], stroke=1))
    assert (held.preview().label == 1).all()
    held.set_seeds(Seeds.empty())
    with pytest.raises(SeedError, match="no seed"):
        held.preview()
