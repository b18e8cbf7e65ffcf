"""Drawings and their history against a plain model; files that are damaged, foreign or cut off; a process killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from PIL import Image
from skimage import data
from typer.testing import CliRunner

from hybridcolor.cli import app
from hybridcolor.drawing import Drawing, Stroke, picture_of, read_drawing, save_drawing
from hybridcolor.errors import HybridColorError, SeedError
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.picture import Picture
from hybridcolor.predict import load_predictor
from hybridcolor.seeds import AUTO, Seeds
from hybridcolor.session import EditSession

SHAPE = (6, 7)
PIXELS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), min_size=1, max_size=9)
COLOURS = st.sampled_from([(20.0, 30.0), (0.0, 0.0), (-40.0, 0.125)])
PICTURE = Picture(np.arange(42, dtype=np.float32).reshape(SHAPE) * 2)


class AsIfPainted(RuleBasedStateMachine):
    """A session is a dict of pixels, with a list of former dicts; saving and opening changes nothing."""

    def __init__(self):
        super().__init__()
        self.session = EditSession(PICTURE, method="optimization")
        self.painted, self.past, self.undone = ({}, 0.45), [], []

    def become(self, pixels, vividness):
        self.past.append(self.painted)
        self.painted = (pixels, vividness)
        self.undone.clear()

    @rule(pixels=PIXELS, ab=COLOURS)
    def draw(self, pixels, ab):
        self.session.draw(pixels, ab)
        self.become({**self.painted[0], **dict.fromkeys(pixels, ab)}, self.painted[1])

    @rule(pixels=PIXELS)
    def erase(self, pixels):
        self.session.erase(pixels)
        self.become({at: ab for at, ab in self.painted[0].items() if at not in pixels}, self.painted[1])

    @rule(pixels=PIXELS, ab=COLOURS)
    def read_a_seeds_file(self, pixels, ab):
        self.session.set_scribbles(Seeds.of(pixels, ab, origin=AUTO))
        self.become(dict.fromkeys(pixels, ab), self.painted[1])

    @rule(vividness=st.sampled_from([0.0, 0.45, 1.0]))
    def change_a_setting(self, vividness):
        self.session.set(replace(self.session.drawing, vividness=vividness))
        self.become(self.painted[0], vividness)

    @rule()
    def undo(self):
        assert self.session.undo() == bool(self.past)
        if self.past:
            self.undone.append(self.painted)
            self.painted = self.past.pop()

    @rule()
    def redo(self):
        assert self.session.redo() == bool(self.undone)
        if self.undone:
            self.past.append(self.painted)
            self.painted = self.undone.pop()

    @rule(pixel=st.sampled_from([(6, 0), (0, 7), (-1, 0)]))
    def draw_outside(self, pixel):
        with pytest.raises(SeedError):
            self.session.draw([(0, 0), pixel], (1, 1))

    @invariant()
    def the_scribbles_are_what_was_painted(self):
        scribbles = self.session.drawing.scribbles
        found = {tuple(at): tuple(ab) for at, ab in zip(scribbles.coords.tolist(), scribbles.ab.tolist(), strict=True)}
        assert found == self.painted[0]
        assert self.session.drawing.vividness == self.painted[1]


def test_a_session_is_as_if_painted():
    run_state_machine_as_test(AsIfPainted, settings=settings(max_examples=60, stateful_step_count=30, deadline=None))


def assert_same(found, expected):
    for name in ("coords", "ab", "weight", "origin"):
        np.testing.assert_array_equal(getattr(found.scribbles, name), getattr(expected.scribbles, name))
    assert found.settings() == expected.settings()
    assert found.palette == expected.palette
    assert len(found.strokes) == len(expected.strokes)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(PIXELS, st.one_of(st.none(), COLOURS)), max_size=6), PIXELS)
def test_what_is_saved_comes_back(tmp_path, strokes, imported):
    drawing = Drawing(imported=Seeds.of(imported, (1.1, 2.2), origin=AUTO), model="lite", vividness=0.3)
    for pixels, ab in strokes:
        drawing = drawing.with_stroke(Stroke.of(pixels, ab))
    save_drawing(tmp_path / "a.hybridcolor.json", drawing, PICTURE)
    found = read_drawing(tmp_path / "a.hybridcolor.json", PICTURE)
    assert_same(found, replace(drawing, imported=found.imported))
    assert set(map(tuple, found.imported.coords.tolist())) == set(imported)
    assert np.array_equal(found.imported.ab, drawing.imported.ab)


def saved(folder, picture=PICTURE):
    path = folder / "a.hybridcolor.json"
    save_drawing(path, Drawing().with_stroke(Stroke.of([(1, 1), (1, 2)], (20, 30))), picture)
    return path


def test_another_picture_is_refused(tmp_path):
    path = saved(tmp_path)
    with pytest.raises(SeedError, match="another picture, or this one has changed"):
        read_drawing(path, Picture(PICTURE.luminance + np.float32(0.01)))
    with pytest.raises(SeedError, match="7 x 6 pixels, the picture has 6 x 7"):
        read_drawing(path, Picture(PICTURE.luminance.T.copy()))
    with pytest.raises(SeedError, match="names no picture"):
        picture_of(path)
    with pytest.raises(SeedError, match="cannot be read"):
        read_drawing(tmp_path / "nothing.json", PICTURE)


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2**70),
    st.floats(),
    st.text(max_size=4),
    st.lists(st.integers(), max_size=3),
    st.just([[0, 0, 10**12]]),
    st.just([[0, 0, 7]] * 20_000),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_odd_files_are_one_line(tmp_path, data):
    path = saved(tmp_path)
    content = json.loads(path.read_text())
    places = [(content, key) for key in content]
    places += [(content["picture"], key) for key in content["picture"]]
    places += [(content["strokes"][0], key) for key in ("ab", "runs")] + [(content["strokes"][0]["runs"][0], 2)]
    where, key = data.draw(st.sampled_from(places))
    where[key] = data.draw(ODD)
    path.write_text(json.dumps(content))
    with suppress(HybridColorError):
        read_drawing(path, PICTURE)


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '{"format": "hybridcolor-seeds"}', "[" * 100_000, "\0"])
def test_what_is_no_session_is_told(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content)
    for read in (lambda: read_drawing(path, PICTURE), lambda: picture_of(path)):
        with pytest.raises(SeedError, match=r"a\.json: is not"):
            read()


DRAW_FOR_EVER = """
import sys
import numpy as np
from hybridcolor.picture import Picture
from hybridcolor.session import EditSession
picture = Picture(np.arange(42, dtype=np.float32).reshape(6, 7) * 2)
session = EditSession(picture, method="optimization", autosave=sys.argv[1])
for number in range(100_000):
    session.draw([(number // 7 % 6, number % 7)], (number % 100, 1))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_a_kill_loses_at_most_the_last_stroke(tmp_path):
    path = tmp_path / "a.hybridcolor.json"
    kills = int(os.environ.get("HYBRIDCOLOR_KILLS", "4"))
    rng = np.random.default_rng(0)
    for _ in range(kills):
        path.unlink(missing_ok=True)
        child = subprocess.Popen([sys.executable, "-c", DRAW_FOR_EVER, str(path)], stdout=subprocess.PIPE)
        first = child.stdout.readline()
        time.sleep(rng.uniform(0, 0.3))
        child.send_signal(signal.SIGKILL)
        told = first + child.communicate()[0]
        drawn = len(told.splitlines()) if told.endswith(b"\n") else len(told.splitlines()) - 1
        kept = read_drawing(path, PICTURE)
        assert drawn <= len(kept.strokes) <= drawn + 1
        assert kept.strokes[-1].ab == ((len(kept.strokes) - 1) % 100, 1)
    assert [file.name for file in tmp_path.iterdir() if not file.name.startswith(".")] == [path.name]


def test_the_picture_is_sought_beside_its_session(tmp_path):
    picture = Picture(PICTURE.luminance, source=Path("/elsewhere/old.png"))
    assert picture_of(saved(tmp_path, picture)) == tmp_path / "old.png"


@pytest.fixture(scope="module")
def astronaut(tmp_path_factory):
    path = tmp_path_factory.mktemp("edited") / "gray.png"
    write_image(path, data.astronaut()[::4, ::4].mean(axis=2).astype(np.uint8))
    return read_image(path)


def test_replay_gives_the_picture_of_the_session(astronaut, tmp_path):
    session = EditSession(astronaut, predictor=load_predictor(), autosave=tmp_path / "a.hybridcolor.json")
    session.draw([(60, column) for column in range(50, 70)], (40, 35))
    session.preview()
    session.draw([(10, column) for column in range(5, 40)], (5, -30))
    session.set(replace(session.drawing, vividness=0.7))
    *_, shown = session.refine()
    final = session.final()
    np.testing.assert_allclose(shown.chroma, final.chroma, atol=0.5)

    args = ["replay", str(session.autosave), "-o", str(tmp_path / "out.png"), "--picture", str(astronaut.source)]
    assert CliRunner().invoke(app, args, catch_exceptions=False).exit_code == 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), final.to_rgb())
    with pytest.raises(HybridColorError, match="exists already"):
        CliRunner().invoke(app, args, catch_exceptions=False)
    with pytest.raises(HybridColorError, match=r"gray\.png"):  # not beside the session
        CliRunner().invoke(app, [*args[:3], str(tmp_path / "other.png")], catch_exceptions=False)


def test_settings_change_what_is_shown_and_undo_brings_it_back(astronaut):
    session = EditSession(astronaut, predictor=load_predictor())
    session.draw([(60, column) for column in range(50, 70)], (40, 35))
    first = session.result().chroma
    for change in ({"vividness": 0.0}, {"method": "watershed"}, {"model": "none"}):
        session.set(replace(session.drawing, **change))
        assert np.abs(session.result().chroma - first).max() > 2
        assert session.undo()
        np.testing.assert_allclose(session.result().chroma, first, atol=0.5)
    with pytest.raises(HybridColorError, match="nonsense"):
        session.set(replace(session.drawing, method="nonsense"))
    assert session.drawing.method == "hybrid"
