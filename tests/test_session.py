"""Sessions answer as `colorize` does, whatever was drawn before."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from skimage import data

from hybridcolor.bins import AB_BINS, ColorDistribution
from hybridcolor.errors import MethodError, SeedError
from hybridcolor.picture import Picture
from hybridcolor.pipeline import colorize
from hybridcolor.propagate import PROPAGATORS, levin_state
from hybridcolor.seeds import AUTO, USER, Seeds, concatenate, overlay
from hybridcolor.session import EditSession

NOT_ONE_SOLVE = {"optimization": 1.0, "hybrid": 1.0}
"""Methods whose solver stops within a tolerance, and how far apart two of its answers may be, in ab."""


class Guess:
    """A distribution that has a red and a blue half, and counts how often it is asked."""

    name = "guess"

    def __init__(self):
        self.asked = 0

    def predict(self, luminance):
        self.asked += 1
        logits = np.zeros((30, 32, len(AB_BINS)), np.float32)
        for columns, colour in ((slice(0, 16), (50, 30)), (slice(16, 32), (0, -50))):
            logits[:, columns, np.hypot(*(AB_BINS - colour).T).argmin()] = 9.0
        return ColorDistribution(logits, luminance.shape, np.full(len(AB_BINS), 1 / len(AB_BINS), np.float32))


class Heard:
    """The reading of a `Listener`: the right half takes the mean colour of what it is told."""

    def __init__(self, guess, luminance):
        self.guess, self.luminance = guess, luminance

    def predict(self, hints=None):
        belief = self.guess.predict(self.luminance)
        if hints is not None and len(hints):
            assert (hints.origin == USER).all()
            belief.logits[:, 16:] = 0
            belief.logits[:, 16:, np.hypot(*(AB_BINS - hints.ab.mean(axis=0)).T).argmin()] = 9.0
        return belief


class Listener(Guess):
    """A guess that takes hints."""

    takes_hints = True

    def read(self, luminance):
        return Heard(self, luminance)


@pytest.fixture(scope="module")
def picture():
    return Picture.from_array(data.astronaut()[:480:4, 128:512:3].mean(axis=2).astype(np.uint8))


def stroke(number, row, ab):
    return Seeds.of([(row, column) for column in range(30, 60)], ab, stroke=number)


def drawn(*strokes):
    return overlay(strokes)


def assert_same(found, expected, method):
    np.testing.assert_allclose(found.chroma, expected.chroma, atol=NOT_ONE_SOLVE.get(method, 0))
    if method == "hybrid" and (found.seeds.origin != AUTO).all():  # it has no need of automatic ones
        expected = replace(expected, seeds=expected.seeds.take(expected.seeds.origin == USER))
    np.testing.assert_array_equal(found.seeds.coords, expected.seeds.coords)
    np.testing.assert_array_equal(found.seeds.ab, expected.seeds.ab)


@pytest.mark.parametrize("method", PROPAGATORS)
@pytest.mark.parametrize("with_network", [True, False])
def test_every_answer_is_that_of_colorize(method, with_network, picture):
    guess = Guess() if with_network else None
    session = EditSession(picture, predictor=guess, method=method)
    red, green = stroke(1, 20, (60, 40)), stroke(2, 90, (-50, 40))
    for scribbles in (drawn(red), drawn(red, green), drawn(green), drawn(green, stroke(3, 20, (0, -60)))):
        session.set_scribbles(scribbles)
        preview = session.preview()
        np.testing.assert_allclose(preview.chroma[tuple(scribbles.coords.T)], scribbles.ab, atol=0.6)
        *_, last = session.refine()
        assert_same(last, colorize(picture, predictor=guess and Guess(), scribbles=scribbles, method=method), method)
    assert guess is None or guess.asked == 1


@pytest.mark.parametrize("method", PROPAGATORS)
def test_a_network_that_listens_hears_every_change(method, picture):
    listener = Listener()
    session = EditSession(picture, predictor=listener, method=method)
    *_, last = session.refine()
    red, green, own = stroke(1, 20, (60, 40)), stroke(2, 90, (-50, 40)), stroke(9, 50, (10, 10))
    edited = concatenate(Seeds.of(own.coords, own.ab, stroke=own.stroke, origin=AUTO), red)
    for scribbles in (red, drawn(red, green), edited, Seeds.empty()):
        session.set_scribbles(scribbles)
        session.preview()
        *_, last = session.refine()
        expected = colorize(picture, predictor=Listener(), scribbles=scribbles, method=method)
        np.testing.assert_array_equal(last.predicted, expected.predicted)
        assert_same(last, expected, method)
    asked = listener.asked
    *_, again = session.refine()
    assert listener.asked == asked  # nothing new to hear
    assert_same(again, last, method)


def test_without_a_stroke_it_is_the_networks_colour(picture):
    session = EditSession(picture, predictor=Guess())
    np.testing.assert_array_equal(session.preview().chroma, session.preview().predicted)
    session.set_scribbles(stroke(1, 20, (60, 40)))
    session.set_scribbles(Seeds.empty())
    *_, last = session.refine()
    np.testing.assert_array_equal(last.chroma, last.predicted)


def test_edited_automatic_seeds_are_taken_as_they_are(picture):
    edited = Seeds.of([(50, 50)], (10, 10), origin=AUTO, stroke=4)
    session = EditSession(picture, predictor=Guess(), method="optimization")
    session.set_scribbles(edited)
    *_, last = session.refine()
    assert_same(last, colorize(picture, predictor=Guess(), scribbles=edited, method="optimization"), "optimization")


def test_nothing_to_go_by_is_told(picture):
    session = EditSession(picture)
    with pytest.raises(SeedError, match="draw at least one"):
        session.preview()


def test_a_scribble_outside_leaves_the_session_as_it_was(picture):
    session = EditSession(picture, method="optimization")
    session.set_scribbles(stroke(1, 20, (60, 40)))
    *_, before = session.refine()
    with pytest.raises(SeedError, match="outside"):
        session.set_scribbles(Seeds.of([(1000, 0)], (1, 1)))
    np.testing.assert_array_equal(session.preview().chroma, before.chroma)
    with pytest.raises(MethodError, match="unknown"):
        EditSession(picture, method="nonsense")


def test_the_picture_is_read_once_whatever_is_set(picture):
    guess = Guess()
    session = EditSession(picture, predictor=guess)
    for change in ({"vividness": 0.9}, {"caution": 0.5}, {"method": "watershed"}, {"method": "hybrid"}):
        session.set(replace(session.drawing, **change))
        drawing, found = session.drawing, session.result()
        expected = colorize(
            picture,
            predictor=Guess(),
            method=drawing.method,
            vividness=drawing.vividness,
            caution=drawing.caution,
        )
        assert_same(found, expected, drawing.method)
    assert guess.asked == 1


def test_another_vividness_goes_on_with_what_is_known_of_the_picture(picture, monkeypatch):
    made = []
    monkeypatch.setattr(levin_state.Walk, "of", lambda plane, of=levin_state.Walk.of: made.append(plane) or of(plane))
    session = EditSession(picture, predictor=Guess(), method="hybrid")
    session.draw([(40, 40), (40, 41)], (60.0, 30.0))
    session.result()
    session.set(replace(session.drawing, vividness=0.9, caution=0.3))
    second = session.result()
    assert len(made) == 1
    expected = colorize(picture, predictor=Guess(), scribbles=session.drawing.scribbles, vividness=0.9, caution=0.3)
    np.testing.assert_allclose(second.chroma, expected.chroma, atol=NOT_ONE_SOLVE["hybrid"])


def test_how_colour_is_put_on_is_a_setting_that_is_saved_and_undone(tmp_path):
    page = Picture.from_array(np.full((24, 24), 255, np.uint8))
    session = EditSession(page, method="lineart")
    session.draw([[12, 12]], (50.0, 30.0))
    painted = session.result().to_rgb()
    assert np.ptp(painted[12, 12].astype(int)) > 50  # what a method for drawings fills is painted
    session.set(replace(session.drawing, finish="photo"))
    white = session.result().to_rgb()
    assert (white == 255).all()  # on blank paper there is no room for colour
    session.set(replace(session.drawing, finish="paint", tint=0.5))
    session.save(tmp_path / "page.json")
    again = EditSession(page)
    again.load(tmp_path / "page.json")
    assert (again.drawing.finish, again.drawing.tint) == ("paint", 0.5)
    assert np.array_equal(again.final().to_rgb(), painted)
    session.undo()
    assert np.array_equal(session.result().to_rgb(), white)
    with pytest.raises(MethodError, match="finish 'glitter' is unknown"):
        session.set(replace(session.drawing, finish="glitter"))


def test_what_could_not_be_opened_again_is_refused_before_it_is_saved(tmp_path):
    picture = Picture.from_array(np.full((8, 8), 120, np.uint8))
    with pytest.raises(MethodError, match=r"vividness is 1\.5"):
        EditSession(picture, vividness=1.5)
    session = EditSession(picture, vividness=np.float32(0.5), autosave=tmp_path / "a.json")
    session.draw([[1, 1]], (20, 30))
    for setting in ("vividness", "caution", "confidence", "tint"):
        with pytest.raises(MethodError, match=f"{setting} is nan"):
            session.set(replace(session.drawing, **{setting: float("nan")}))
    again = EditSession(picture)
    again.load(tmp_path / "a.json")
    assert len(again.drawing.strokes) == 1


@pytest.mark.parametrize("make", [pickle.dumps, copy.copy, copy.deepcopy])
def test_sessions_are_saved_and_not_copied(picture, make):
    with pytest.raises(TypeError, match="save it, and load that into another one"):
        make(EditSession(picture))
