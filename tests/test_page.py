"""Pages whose panels, balloons and regions are known, and what a network is shown of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.drawings import page as wavy_page
from benchmarks.pages import compose
from benchmarks.things import THINGS, draw
from hybridcolor.bins import AB_BINS, ColorDistribution, nearest_bin
from hybridcolor.page import PageReading, read_page
from hybridcolor.picture import Picture
from hybridcolor.pipeline import colorize
from hybridcolor.predict import load_predictor
from hybridcolor.seeds import AUTO, USER, Seeds
from hybridcolor.session import EditSession


def belief_in(ab, shape):
    """A network's firm belief that everything has one colour."""
    logits = np.zeros((max(1, shape[0] // 16), max(1, shape[1] // 16), len(AB_BINS)), np.float32)
    logits[..., int(nearest_bin(ab))] = 20
    return ColorDistribution(logits, shape, np.full(len(AB_BINS), 1 / len(AB_BINS), np.float32))


class OneColour:
    """A model of drawings that finds everything red, and remembers what it was shown and told."""

    name, paint, takes_hints = "red", True, True

    def __init__(self):
        self.shown, self.told = [], []

    def read(self, luminance):
        self.shown.append(luminance)
        return Telling(self, luminance.shape)


class Telling:
    def __init__(self, model, shape):
        self.model, self.shape = model, shape

    def predict(self, hints=None):
        self.model.told.append(hints)
        return belief_in((60, 40), self.shape)


@pytest.fixture(params=range(4))
def page(request):
    return compose([draw(name) for name in THINGS], np.random.default_rng(request.param))


def test_panels_gutters_balloons_and_things_are_found(page):
    layout = read_page(page.luminance)
    assert len(layout.panels) == len(page.panels)
    for found, true in zip(sorted(layout.panels, key=str), sorted(page.panels, key=str), strict=True):
        assert max(abs(a.start - b.start) + abs(a.stop - b.stop) for a, b in zip(found, true, strict=True)) <= 8
    assert layout.white[page.paper].all()
    interior = cv2.erode(page.balloon.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert layout.white[interior].mean() > 0.99  # but for the tip of a tail
    assert layout.white[~page.paper & ~page.balloon & (page.luminance > 50)].mean() < 0.001
    assert len(layout.things) == len(page.things)


def test_a_first_colouring_has_white_paper_and_one_colour_a_region(page):
    model = OneColour()
    result = colorize(Picture(page.luminance), predictor=model)
    layout = read_page(page.luminance)
    assert len(model.shown) == len(page.things)
    assert not result.chroma[layout.white].any()
    for number, (_, box) in enumerate(page.things):
        middle = tuple((side.start + side.stop) // 2 for side in box)
        inside = (layout.region == layout.region[middle]) & (page.luminance > 90)
        assert np.ptp(result.chroma[inside], axis=0).max() < 0.1, number
        np.testing.assert_allclose(result.chroma[middle], (60, 40), atol=1)
    background = layout.region == layout.region[page.panels[0][0].start + 2, page.panels[0][1].start + 2]
    assert np.abs(result.chroma[background]).max() < 1  # no thing covers it


def test_a_thing_hears_the_strokes_on_it_and_no_others(page):
    model = OneColour()
    reading = PageReading(model.read, page.luminance)
    box = reading.page.things[0]
    at = (box[0].start + 5, box[1].start + 7)
    reading.predict(Seeds.of([at], [[10, 20]]))
    assert [hints.coords.tolist() for hints in model.told] == [[[5, 7]]] + [[]] * (len(reading.page.things) - 1)


def test_a_picture_without_frames_is_shown_as_it_is():
    drawing = wavy_page(0).luminance
    model = OneColour()
    reading = PageReading(model.read, drawing)
    np.testing.assert_array_equal(model.shown[0], drawing)
    assert reading.predict().shape == drawing.shape
    assert not reading.page.white.any()


@pytest.mark.parametrize("gap", [0, 3])
def test_regions_and_their_seeds_are_those_that_were_drawn(gap):
    drawing = wavy_page(2, gap=gap)
    layout = read_page(drawing.luminance)
    chroma = np.stack([layout.region * 3.0, layout.region * 2.0], axis=-1).astype(np.float32)
    seeds = layout.seeds(chroma)
    assert len(np.unique(seeds.stroke)) == layout.region.max() + 1
    np.testing.assert_array_equal(seeds.ab[:, 0], layout.region[tuple(seeds.coords.T)] * 3)
    for number in np.unique(drawing.region):
        own = layout.region[(drawing.region == number) & ~drawing.line]
        assert (own == np.bincount(own).argmax()).mean() > 0.95


def test_a_stroke_takes_its_region_but_not_what_lies_behind_a_gap():
    """A disk of radius 30 whose line has an opening of 14 pixels, on paper: both are one region."""
    rows, columns = np.indices((200, 300))
    apart = np.hypot(rows - 100, columns - 80)
    line = (np.abs(apart - 30) < 2) & ~((np.abs(rows - 100) < 7) & (columns > 80))
    layout = read_page(np.where(line, 0, 100).astype(np.float32))
    assert layout.region[100, 80] == layout.region[100, 250]
    automatic = layout.seeds(np.zeros((200, 300, 2), np.float32))
    assert layout.region[100, 80] in layout.region[tuple(automatic.coords.T)]
    for place, stays in (((100, 80), True), ((110, 70), True), ((20, 20), False), ((180, 280), False)):
        stroke = Seeds.of([place, (place[0], place[1] + 1)], (40, 20))
        merged = layout.merged(automatic, stroke)
        assert bool((merged.origin == AUTO).any()) is stays
        assert (merged.origin == USER).sum() == 2
    assert (layout.merged(automatic, Seeds.empty()).origin == AUTO).sum() == len(automatic)


def test_a_stroke_has_its_own_side_of_a_narrow_place_to_itself():
    """A ground that a figure nearly parts in two like halves."""
    page = np.full((200, 300), 100, np.float32)
    page[12:188, 145:155] = 0
    layout = read_page(page)
    assert layout.region[100, 60] == layout.region[100, 240]
    automatic = layout.seeds(np.zeros((200, 300, 2), np.float32))
    sides = [automatic.coords[:, 1] < 145, automatic.coords[:, 1] > 155]
    assert all(side.any() for side in sides)  # or nothing is tested
    for column, own in ((60, 0), (240, 1)):
        merged = layout.merged(automatic, Seeds.of([[100, column], [100, column + 1]], (40, 20)))
        left = merged.coords[merged.origin == AUTO, 1]
        assert not (left < 145 if own == 0 else left > 155).any()


def test_pictures_of_nothing_have_one_region():
    for blank in (np.full((5, 7), 100, np.float32), np.zeros((5, 7), np.float32), np.full((1, 1), 50, np.float32)):
        layout = read_page(blank)
        assert layout.region.max() == 0
        assert layout.flatten(np.ones((1, 1, 2), np.float32), belief_in((1, 1), blank.shape)).shape == (*blank.shape, 2)


def test_a_correction_carries_less_far_in_a_drawing_unless_it_is_told_to():
    line, _ = draw("fish")
    picture, model = Picture(line), load_predictor("lineart")
    stroke = Seeds.of([[96, column] for column in range(80, 90)], [40, -40], stroke=1)
    usual, near, far = (
        colorize(picture, predictor=model, scribbles=stroke, **options).chroma
        for options in ({}, {"reach": 3.0}, {"reach": 8.0})
    )
    np.testing.assert_array_equal(usual, near)
    assert np.abs(far - usual).max() > 1
    session = EditSession(picture, predictor=model)
    session.draw(stroke.coords, (40, -40))
    np.testing.assert_allclose(session.result().chroma, usual, atol=1)


@pytest.mark.parametrize("shape", [(1, 200), (200, 1), (2, 90), (1, 1)])
def test_strips_are_pages(shape):
    rng = np.random.default_rng(0)
    for dark in (0.0, 0.3, 1.0):
        strip = np.where(rng.random(shape) < dark, 0, 100).astype(np.float32)
        assert read_page(strip).region.shape == shape


def test_the_tail_of_a_stroke_leaves_a_region_its_automatic_one():
    luminance = np.full((240, 240), 100, np.float32)
    luminance[:, 119:122] = luminance[80:83, 30:90] = luminance[158:161, 30:90] = 0
    luminance[80:160, 30:33] = luminance[80:160, 88:91] = 0
    page = read_page(luminance)
    automatic = page.seeds(np.full((240, 240, 2), 30, np.float32))
    drawn = Seeds.of([[row, 60] for row in range(20, 86)], [0, -50], stroke=0)  # and over the line of the frame
    left = page.merged(automatic, drawn)
    inside = page.region[tuple(left.coords[left.origin == AUTO].T)]
    assert set(inside.tolist()) == set(np.unique(page.region).tolist()) - {page.region[20, 60]}
