"""A glimpse is what the exact answer will look like, wherever it is looked for, while that is still computed too."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data

from benchmarks.drawings import page
from hybridcolor import glimpse
from hybridcolor.bins import AB_BINS, ColorDistribution
from hybridcolor.drawing import Stroke
from hybridcolor.errors import SeedError
from hybridcolor.glimpse import changed_window
from hybridcolor.picture import Picture
from hybridcolor.propagate import PROPAGATORS
from hybridcolor.propagate.kinds import FOR_DRAWINGS
from hybridcolor.session import EditSession

SIDE = 256


class Halves:
    """A network that sees a red and a blue half."""

    name = "halves"

    def predict(self, luminance):
        logits = np.zeros((32, 32, len(AB_BINS)), np.float32)
        for columns, colour in ((slice(0, 16), (50, 30)), (slice(16, 32), (0, -50))):
            logits[:, columns, np.hypot(*(AB_BINS - colour).T).argmin()] = 9.0
        return ColorDistribution(logits, luminance.shape, np.full(len(AB_BINS), 1 / len(AB_BINS), np.float32))


class Listener(Halves):
    """One that finds the right half green as soon as anybody draws."""

    name = "listener"
    takes_hints = True

    def read(self, luminance):
        belief = self.predict(luminance)
        told = belief.logits[:, ::-1].copy()
        told[:, 16:, np.hypot(*(AB_BINS - (-50, 40)).T).argmin()] = 18.0
        return SimpleNamespace(predict=lambda hints=None: replace(belief, logits=told) if hints else belief)


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setattr(glimpse, "MOST_PIXELS", SIDE * SIDE // 4)
    picture = Picture.from_array(data.astronaut()[:SIDE, 128 : 128 + SIDE].mean(axis=2).astype(np.uint8))
    return EditSession(picture, predictor=Halves())


def stroke(session, row=200, ab=(-40, 40)):
    session.draw([(row + below, column) for below in range(6) for column in range(60, 160)], ab)


def levels_apart(one, other):
    return np.abs(one.astype(int) - other).max(axis=2)


@pytest.mark.parametrize("method", PROPAGATORS)
def test_a_glimpse_is_close_to_the_exact_answer(session, method):
    if method in FOR_DRAWINGS:
        session = EditSession(Picture(page(3).luminance[:SIDE, :SIDE].copy()), predictor=Halves())
        session.set(replace(session.drawing, finish="paint"))
    session.set(replace(session.drawing, method=method))
    session.glimpse()
    before = session.result().on_screen()
    stroke(session)
    seen = session.glimpse()
    shown = before.copy()
    shown[seen.window] = seen.rgb
    after = session.result().on_screen()
    changed = levels_apart(before, after) > 8
    assert 0.01 < changed.mean() < 0.9
    assert np.mean(levels_apart(shown, after)[changed]) < 0.5 * np.mean(levels_apart(before, after)[changed])
    assert (levels_apart(shown, after)[200:206, 60:160] <= 1).all()  # what was drawn
    assert session.glimpse() is None  # it looks like that already


def test_the_first_glimpse_is_of_all(session):
    seen = session.glimpse()
    assert seen.window == (slice(0, SIDE, None), slice(0, SIDE, None))
    assert np.mean(levels_apart(seen.rgb, session.result().on_screen())) < 8


def test_only_what_is_in_view_is_looked_at(session):
    session.glimpse()
    before = session.result().on_screen()
    stroke(session)
    whole = session.glimpse()
    shown = before.copy()
    shown[whole.window] = whole.rgb
    view = (slice(150, 250, 2), slice(40, 121, 2))
    part = session.glimpse(view)
    rows, columns = part.window
    assert (rows.step, columns.step) == (2, 2)
    assert (rows.start - 150) % 2 == (columns.start - 40) % 2 == 0
    assert 150 <= rows.start < rows.stop <= 250
    assert 40 <= columns.start < columns.stop <= 121
    assert part.rgb.shape[:2] == before[part.window].shape[:2]
    assert np.mean(levels_apart(part.rgb, shown[part.window])) < 4


def test_glimpses_go_on_while_the_exact_answer_is_computed(session):
    session.glimpse()
    session.result()
    seen = []

    def look():
        for row in (40, 90, 200):
            stroke(session, row)
            seen.append(session.glimpse())

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(6):
        session.result()
    looking.join()
    assert len(seen) == 3
    last = session.result()
    np.testing.assert_allclose(last.chroma, session.final().chroma, atol=0.5)


def test_what_was_glimpsed_and_taken_back_is_glimpsed_again(session):
    session.glimpse()
    exact = session.result().on_screen()
    stroke(session)
    seen = session.glimpse()
    session.undo()
    back = session.glimpse()
    assert back.window == seen.window
    assert np.mean(levels_apart(back.rgb, exact[back.window])) < 2


def test_a_second_glimpse_hears_what_was_drawn(session):
    session = EditSession(session.picture, predictor=Listener())
    session.glimpse()
    session.result()
    session.prepare_glimpse()
    stroke(session, ab=(50, 30))
    first, second = session.glimpse(), session.glimpse(hear=True)
    assert session.glimpse(hear=True) is None  # it has heard
    exact = session.result().on_screen()
    far = slice(-20, None)
    assert first.window == second.window == (slice(0, SIDE, 1), slice(0, SIDE, 1))
    wrong, right = (np.mean(levels_apart(seen.rgb, exact)[:, far]) for seen in (first, second))
    assert right < 0.3 * wrong


def test_the_network_is_not_asked_again_for_what_it_heard_ahead(session):
    asked = []

    class Counting(Listener):
        def read(self, luminance):
            reading = super().read(luminance)
            return SimpleNamespace(predict=lambda hints=None: asked.append(hints) or reading.predict(hints))

    session = EditSession(session.picture, predictor=Counting())
    session.result()
    stroke(session)
    session.glimpse(hear=True)
    heard = len(asked)
    session.result()
    assert len(asked) == heard
    assert asked[-1] is not None


def test_a_glimpse_of_nothing_is_told(session):
    with pytest.raises(SeedError, match="draw at least one"):
        EditSession(session.picture).glimpse()


@pytest.mark.parametrize("level", [0, 255])
def test_white_and_black_pages_of_any_size_are_glimpsed(level):
    """Means of float32 may be above their largest value."""
    for shape in ((600, 777), (837, 500), (1074, 1500)):
        session = EditSession(Picture.from_array(np.full(shape, level, np.uint8)), method="lineart")
        session.draw([[300, 300]], (20, 30))
        assert session.glimpse() is not None


@given(st.data())
def test_no_change_is_left_out_of_the_window(draw):
    shape = draw.draw(st.tuples(st.integers(8, 60), st.integers(8, 60)))
    small = tuple(draw.draw(st.integers(2, side)) for side in shape)
    starts = [draw.draw(st.integers(0, side - 1)) for side in shape]
    step = draw.draw(st.sampled_from([1, 2, 4]))
    view = tuple(slice(start, side, step) for start, side in zip(starts, shape, strict=True))
    change = np.zeros(small, np.float32)
    place = tuple(draw.draw(st.integers(0, side - 1)) for side in small)
    change[place] = 10
    window = changed_window(change, shape, view)
    pixels = np.indices(shape) * np.reshape(small, (2, 1, 1)) // np.reshape(shape, (2, 1, 1))
    touched = np.zeros(shape, bool)
    touched[(pixels == np.reshape(place, (2, 1, 1))).all(axis=0)] = True
    inside = np.zeros(shape, bool)
    inside[view] = True
    if window is not None:
        kept = np.zeros(shape, bool)
        kept[window] = True
        assert not (kept & ~inside).any()
        inside &= ~kept
    assert not (inside & touched).any()


def test_a_stroke_under_way_is_glimpsed_without_being_drawn(session):
    session.prepare_glimpse()
    exact = session.result().on_screen()
    line = [(200, column) for column in range(60, 160)]
    ahead = session.glimpse(drawing=session.drawing.with_stroke(Stroke.of(line, (-40, 40))))
    assert not session.drawing.strokes
    session.draw(line, (-40, 40))
    drawn = session.glimpse()
    assert ahead.window == drawn.window
    assert np.mean(levels_apart(ahead.rgb, drawn.rgb)) < 2  # which is a step nearer to the copy's answer
    session.undo()
    back = session.glimpse()
    assert np.mean(levels_apart(back.rgb, exact[back.window])) < 2
