"""Drawings and their history against a plain model; files that are damaged, foreign or cut off; a process killed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from PIL import ExifTags, Image
from skimage import data
from typer.testing import CliRunner

from hybridcolor.bins import AB_BINS, ColorDistribution
from hybridcolor.cli import app
from hybridcolor.drawing import NO_MODEL, Drawing, Stroke, weight_of
from hybridcolor.errors import HybridColorError, MethodError, SeedError
from hybridcolor.extract import demands, extract_seeds
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.palettes import lightness_of, lit
from hybridcolor.picture import Picture
from hybridcolor.predict import load_predictor
from hybridcolor.predict.weights import find_model
from hybridcolor.seeds import AUTO, Seeds, concatenate
from hybridcolor.session import EditSession
from hybridcolor.sessionfiles import picture_of, read_drawing, save_drawing

SHAPE = (6, 7)
PIXEL = st.tuples(st.integers(0, 5), st.integers(0, 6))
PIXELS = st.lists(PIXEL, min_size=1, max_size=9)
COLOURS = st.sampled_from([(20.0, 30.0), (0.0, 0.0), (-40.0, 0.125), (20.0, 30.0, 25.0)])
PICTURE = Picture(np.arange(42, dtype=np.float32).reshape(SHAPE) * 2)


STRENGTHS = st.sampled_from([1.0, 0.5, 0.125])


class Sure:
    """A network that is sure of two colours and of gray, whatever it is told."""

    name = "sure"

    def predict(self, luminance):
        logits = np.zeros((3, 3, len(AB_BINS)), np.float32)
        for row, colour in enumerate(((50, 30), (0, 0), (0, -50))):
            logits[row, :, np.hypot(*(AB_BINS - colour).T).argmin()] = 9.0 + row
        return ColorDistribution(logits, luminance.shape, np.full(len(AB_BINS), 1 / len(AB_BINS), np.float32))


@dataclass(frozen=True)
class Painted:
    """What a session should be: strokes as sets of pixels, and settings."""

    imported: dict = field(default_factory=dict)
    strokes: tuple = ()
    settings: tuple = (0.45, 0.5, 4.0)
    dismissed: frozenset = frozenset()

    def with_stroke(self, pixels, ab, weight=np.inf):
        return replace(self, strokes=(*self.strokes, (frozenset(pixels), ab, weight)))

    def shown(self):
        """Pixel to colour, weight and number of the stroke that shows there; imported pixels are their own strokes."""
        shown = {pixel: (ab, np.inf, pixel) for pixel, ab in self.imported.items()}
        for number, (pixels, ab, weight) in enumerate(self.strokes):
            shown |= dict.fromkeys(pixels, (ab, weight, number))
        return {pixel: seed for pixel, seed in shown.items() if seed[0] is not None}

    def changed_at(self, pixel, ab):
        if pixel not in self.shown():
            return self
        number = self.shown()[pixel][2]
        if isinstance(number, tuple):
            others = {at: colour for at, colour in self.imported.items() if at != number}
            return replace(self, imported=others if ab is None else {**self.imported, number: ab})
        pixels, _, weight = self.strokes[number]
        new = () if ab is None else ((pixels, ab, weight),)
        return replace(self, strokes=(*self.strokes[:number], *new, *self.strokes[number + 1 :]))


class AsIfPainted(RuleBasedStateMachine):
    """A session is strokes of pixels, with a list of former ones; saving, opening and playing again change nothing."""

    def __init__(self):
        super().__init__()
        self.session = EditSession(PICTURE, predictor=Sure(), method="chrominance", power=4.0)
        self.painted, self.past, self.undone = Painted(), [], []
        self.session.preview()

    def become(self, painted):
        if painted is not self.painted:
            self.past.append(self.painted)
            self.undone.clear()
        self.painted = painted

    def patches(self):
        """The pixels of every automatic seed that should be there."""
        vividness, confidence, _ = self.painted.settings
        belief = Sure().predict(PICTURE.luminance)
        seeds = extract_seeds(belief, PICTURE.luminance, vividness=vividness, **demands(confidence))
        patches = [seeds.coords[seeds.stroke == number].tolist() for number in np.unique(seeds.stroke)]
        found = [set(map(tuple, patch)) for patch in patches]
        return [pixels for pixels in found if not pixels & self.painted.dismissed]

    @rule(pixels=PIXELS, ab=COLOURS, strength=STRENGTHS)
    def draw(self, pixels, ab, strength):
        self.session.draw(pixels, ab, strength=strength)
        self.become(self.painted.with_stroke(pixels, ab, np.float32(weight_of(strength, SHAPE))))

    @rule(pixels=PIXELS)
    def erase(self, pixels):
        self.session.erase(pixels)
        self.become(self.painted.with_stroke(pixels, None))

    @rule(pixel=PIXEL, ab=COLOURS)
    def recolour(self, pixel, ab):
        assert self.session.recolour(pixel, ab) == (pixel in self.painted.shown())
        self.become(self.painted.changed_at(pixel, ab))

    @rule(pixel=PIXEL)
    def remove(self, pixel):
        assert self.session.remove(pixel) == (pixel in self.painted.shown())
        self.become(self.painted.changed_at(pixel, None))

    @rule(pixels=PIXELS, pinned=st.booleans())
    def dismiss_or_pin(self, pixels, pinned):
        with suppress(SeedError):  # nothing is left to go by
            self.session.preview()
        seeds, painted = self.session.automatic, self.painted
        gone = [patch for patch in self.patches() if patch & set(pixels)]
        assert (self.session.pin if pinned else self.session.dismiss)(pixels) == len(gone)
        for patch in gone if pinned else ():
            if free := patch - set(self.painted.shown()):
                ab = seeds.ab[seeds.coords.tolist().index(list(min(patch)))].tolist()  # as vivid as the strokes say
                painted = painted.with_stroke(free, tuple(ab))
        if gone:
            self.become(replace(painted, dismissed=painted.dismissed.union(pixels, *gone)))

    @rule(pixels=PIXELS, ab=COLOURS)
    def read_a_seeds_file(self, pixels, ab):
        self.session.set_scribbles(Seeds.of(pixels, ab[:2], lightness=lightness_of(ab)))
        self.become(replace(self.painted, imported=dict.fromkeys(pixels, ab), strokes=()))

    @rule(
        vividness=st.sampled_from([0.0, 0.45, 1.0]),
        confidence=st.sampled_from([0.0, 0.5, 1.0]),
        power=st.sampled_from([1.0, 4.0]),
    )
    def change_a_setting(self, vividness, confidence, power):
        options = {"chrominance": {"power": power}}
        wanted = {"vividness": vividness, "confidence": confidence, "options": options}
        self.session.set(replace(self.session.drawing, **wanted))
        self.become(replace(self.painted, settings=(vividness, confidence, power)))

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
        for act in (partial(self.session.draw, colour=(1, 1)), self.session.dismiss, self.session.pin):
            with pytest.raises(SeedError, match=r"outside the picture|is negative"):
                act([(0, 0), pixel])

    @rule()
    def play_again(self):
        with TemporaryDirectory() as folder:
            self.session.save(Path(folder) / "a.hybridcolor.json")
            again = EditSession(PICTURE)
            again._grounds._predictors["sure"] = Sure()
            again.load(Path(folder) / "a.hybridcolor.json")
        if not (self.painted.shown() or self.patches()):
            for answer in (again.final, self.session.result, self.session.final):
                with pytest.raises(SeedError, match="no seed to go by"):
                    answer()
            return
        expected = self.session.final()
        np.testing.assert_array_equal(again.final().chroma, expected.chroma)
        np.testing.assert_array_equal(self.session.result().chroma, expected.chroma)

    @invariant()
    def the_scribbles_are_what_was_painted(self):
        drawing = self.session.drawing
        seeds = drawing.scribbles
        columns = (seeds.coords.tolist(), seeds.ab.tolist(), seeds.lightness.tolist(), seeds.weight.tolist())
        found = {tuple(at): (lit(tuple(ab), light), weight) for at, ab, light, weight in zip(*columns, strict=True)}
        expected = {
            at: (tuple(np.float32(ab).tolist()), weight) for at, (ab, weight, _) in self.painted.shown().items()
        }
        assert found == expected
        assert (drawing.vividness, drawing.confidence, drawing.method_options["power"]) == self.painted.settings

    @invariant()
    def the_automatic_seeds_are_those_left(self):
        expected = self.patches()
        assert set(map(tuple, self.session.automatic.coords.tolist())) == set().union(*expected)
        assert self.session.count_automatic(self.painted.settings[1]) == len(expected)


def test_a_session_is_as_if_painted():
    run_state_machine_as_test(
        AsIfPainted, settings=settings(max_examples=int(os.environ.get("HYBRIDCOLOR_SESSIONS", "15")), deadline=None)
    )


def assert_same(found, expected):
    for name in ("coords", "ab", "weight", "origin"):
        np.testing.assert_array_equal(getattr(found.scribbles, name), getattr(expected.scribbles, name))
    assert found.settings() == expected.settings()
    assert found.confidence == expected.confidence
    assert np.array_equal(found.without_seeds(SHAPE), expected.without_seeds(SHAPE))
    assert found.palette == expected.palette
    assert len(found.strokes) == len(expected.strokes)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(PIXELS, st.one_of(st.none(), COLOURS), STRENGTHS), max_size=6), PIXELS)
def test_what_is_saved_comes_back(tmp_path, strokes, imported):
    drawing = Drawing(imported=Seeds.of(imported, (1.1, 2.2), origin=AUTO), model="lite", vividness=0.3)
    for pixels, ab, strength in strokes:
        drawing = drawing.with_stroke(Stroke.of(pixels, ab, weight=weight_of(strength, SHAPE)))
    drawing = replace(drawing, confidence=0.25, options={"hybrid": {"reach": np.inf, "solver": "direct"}})
    drawing = drawing.dismissing(Stroke.of([(0, 0)], None), SHAPE)
    save_drawing(tmp_path / "a.hybridcolor.json", drawing, PICTURE)
    found = read_drawing(tmp_path / "a.hybridcolor.json", PICTURE)
    assert_same(found, replace(drawing, imported=found.imported))
    assert set(map(tuple, found.imported.coords.tolist())) == set(imported) - {(0, 0)}
    assert np.array_equal(found.imported.ab, drawing.imported.ab)


def test_sessions_of_the_first_schema_still_open(tmp_path):
    path = saved(tmp_path)
    content = json.loads(path.read_text())
    for key in ("confidence", "options", "dismissed"):
        del content[key]
    path.write_text(json.dumps(content | {"schema": 1}))
    found = read_drawing(path, PICTURE)
    assert found.settings() == Drawing().settings()
    assert (found.confidence, found.dismissed, len(found.strokes)) == (0.5, (), 1)


@pytest.mark.parametrize(
    ("options", "told"),
    [({"powre": 1.0}, "its options are k, power"), ({"power": "big"}, "something like 4.0"), ({"k": True}, "like 3")],
)
def test_an_unknown_option_is_refused_when_the_session_is_made(options, told):
    with pytest.raises(MethodError, match=told):
        EditSession(PICTURE, method="chrominance", **options)
    session = EditSession(PICTURE, method="chrominance")
    with pytest.raises(MethodError, match=told):
        session.set(replace(session.drawing, options={"chrominance": options}))
    with pytest.raises(MethodError, match="numbers, words"):
        session.set(replace(session.drawing, options={"hybrid": {"trust": np.ones(SHAPE)}}))


def saved(folder, picture=PICTURE):
    path = folder / "a.hybridcolor.json"
    drawing = Drawing(options={"hybrid": {"reach": 2.0}}, dismissed=(Stroke.of([(0, 3)], None),))
    save_drawing(path, drawing.with_stroke(Stroke.of([(1, 1), (1, 2)], (20, 30), weight=0.5)), picture)
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


ODD_DOCUMENTS = int(os.environ.get("HYBRIDCOLOR_ODD_SESSIONS", "300"))
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


@settings(max_examples=ODD_DOCUMENTS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_odd_files_are_one_line(tmp_path, data):
    path = saved(tmp_path)
    content = json.loads(path.read_text())
    places = [(content, key) for key in content]
    places += [(content["picture"], key) for key in content["picture"]]
    places += [
        (stroke, key) for key in ("ab", "runs", "weight") for stroke in (content["strokes"] + content["dismissed"])
    ]
    places += [
        (content["strokes"][0]["runs"][0], 2),
        (content["options"], "hybrid"),
        (content["options"]["hybrid"], "reach"),
    ]
    where, key = data.draw(st.sampled_from(places))
    where[key] = data.draw(ODD)
    path.write_text(json.dumps(content))
    told = ""
    try:
        session = EditSession(PICTURE)
        session.load(path)
        session.set(replace(session.drawing, model=NO_MODEL))
        session.final()
    except HybridColorError as error:  # nothing else may come out of this
        told = str(error)
    assert "\n" not in told


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '{"format": "hybridcolor-seeds"}', "[" * 100_000, "\0"])
def test_what_is_no_session_is_told(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content)
    for read in (lambda: read_drawing(path, PICTURE), lambda: picture_of(path)):
        with pytest.raises(SeedError, match=r"a\.json: is not"):
            read()


def draw_for_ever(path, told):
    """In a process that is killed; it tells each stroke after it was drawn."""
    session = EditSession(PICTURE, method="optimization", autosave=path)
    for number in count():
        session.draw([(number // 7 % 6, number % 7)], (number % 100, 1), strength=0.5)
        told.send_bytes(b"drawn")


def heard(ours):
    """How many strokes were told before the end."""
    drawn = 0
    with suppress(EOFError, OSError):
        while ours.recv_bytes():
            drawn += 1
    return drawn


def test_a_kill_loses_at_most_the_last_stroke(tmp_path):
    path, rng = tmp_path / "a.hybridcolor.json", np.random.default_rng(0)
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])  # modules are loaded once, and not for every kill
    for _ in range(int(os.environ.get("HYBRIDCOLOR_KILLS", "4"))):
        path.unlink(missing_ok=True)
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=draw_for_ever, args=(path, theirs))
        child.start()
        theirs.close()
        ours.poll(60)  # the first stroke
        time.sleep(rng.uniform(0, 0.3))
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        drawn, kept = heard(ours), read_drawing(path, PICTURE)
        assert 0 < drawn <= len(kept.strokes) <= drawn + 1
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


@pytest.mark.parametrize("method", ["hybrid", "chrominance"])
def test_replay_gives_the_picture_of_the_session(method, astronaut, tmp_path):
    options = {"method": method} if method == "hybrid" else {"method": method, "power": 2.0}
    session = EditSession(astronaut, predictor=load_predictor(), autosave=tmp_path / "a.hybridcolor.json", **options)
    session.draw([(60, column) for column in range(50, 70)], (40, 35))
    session.preview()
    session.draw([(10, column) for column in range(5, 40)], (5, -30), strength=0.5)
    assert session.recolour((60, 55), (45, 30))
    assert session.pin(session.automatic.coords[:1]) == 1
    assert session.dismiss(session.automatic.coords[-1:]) == 1
    session.set(replace(session.drawing, vividness=0.7, confidence=0.4))
    assert session.uses_automatic == (method != "hybrid")
    *_, shown = session.refine()
    final = session.final()
    np.testing.assert_allclose(shown.chroma, final.chroma, atol=0.5)

    args = ["replay", str(session.autosave), "-o", str(tmp_path / "out.png"), "--picture", str(astronaut.source)]
    assert CliRunner().invoke(app, args, catch_exceptions=False).exit_code == 0
    with Image.open(tmp_path / "out.png") as image:
        assert np.array_equal(np.asarray(image), final.to_rgb())
        assert image.getexif()[ExifTags.Base.Software] == final.provenance
    told = json.loads(final.provenance.split(" ", 2)[2])
    assert told["session_sha256"] == hashlib.sha256(session.autosave.read_bytes()).hexdigest()
    assert told["weights_sha256"] == find_model("default").sha256
    assert (told["method"], told["vividness"]) == (method, 0.7)
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


def test_a_session_says_why_it_is_not_saved_until_it_is(tmp_path):
    session = EditSession(PICTURE, method="optimization", autosave=tmp_path / "none" / "a.hybridcolor.json")
    with pytest.raises(SeedError, match="cannot be written"):
        session.draw([[1, 1]], (20.0, 20.0))
    assert "cannot be written" in session.unsaved
    assert len(session.drawing.strokes) == 1
    with pytest.raises(SeedError, match="cannot be written"):
        session.save_always(tmp_path)
    assert "cannot be written" in session.unsaved
    session.save_always(tmp_path / "b.hybridcolor.json")
    assert session.unsaved == ""
    session.draw([[2, 2]], (20.0, 20.0))
    assert len(read_drawing(tmp_path / "b.hybridcolor.json", PICTURE).strokes) == 2


def test_what_others_saved_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "a.hybridcolor.json"
    first = EditSession(PICTURE, method="optimization", autosave=path)
    second = EditSession(PICTURE, method="optimization", autosave=path)
    second.draw([[1, 1]], (20.0, 20.0))
    second.draw([[2, 2]], (20.0, 20.0))
    with pytest.raises(SeedError, match="another window or program"):
        first.draw([[3, 3]], (20.0, 20.0))
    assert "another window or program" in first.unsaved
    assert len(read_drawing(path, PICTURE).strokes) == 2
    second.save(path)  # by hand, in the same place
    second.undo()
    path.unlink()
    first.draw([[4, 4]], (20.0, 20.0))
    assert first.unsaved == ""
    assert len(read_drawing(path, PICTURE).strokes) == 2


def test_undo_crosses_from_file_to_file_and_leaves_each_as_it_was(tmp_path):
    one, two = (tmp_path / f"{name}.hybridcolor.json" for name in "ab")
    session = EditSession(PICTURE, autosave=one)
    session.draw([[1, 1]], (20.0, 20.0))
    session.save(two)
    session.draw([[2, 2]], (20.0, 20.0))
    session.go_on_with(two)
    session.draw([[3, 3]], (20.0, 20.0))
    assert [len(read_drawing(path, PICTURE).strokes) for path in (one, two)] == [2, 2]
    states = [(len(session.drawing.strokes), session.autosave)]
    while session.undo():
        states.append((len(session.drawing.strokes), session.autosave))
    assert states == [(2, two), (1, two), (2, one), (1, one), (0, one)]
    while session.redo():
        pass
    assert (len(session.drawing.strokes), session.autosave) == states[0]
    assert [len(read_drawing(path, PICTURE).strokes) for path in (one, two)] == [2, 2]


def test_what_a_session_begins_with_is_not_undone():
    session = EditSession(PICTURE)
    session.draw([[1, 1]], (20.0, 20.0))
    session.begin(Drawing(method="watershed"))
    assert not session.undo()
    assert session.drawing.method == "watershed"
    with pytest.raises(SeedError, match="outside"):
        session.begin(Drawing().with_stroke(Stroke.of([[99, 0]], (5, 5))))
    assert session.drawing.method == "watershed"


@pytest.mark.parametrize("where", ["strokes", "dismissed"])
def test_erasers_and_dismissals_lie_inside_the_picture_too(where):
    session = EditSession(PICTURE)
    with pytest.raises(SeedError, match="row 3, column 99"):
        session.set(replace(session.drawing, **{where: (Stroke.of([[3, 99]], None),)}))
    assert not session.undo()


def test_an_automatic_seed_is_not_dismissed_with_a_scribble_of_its_number():
    both = concatenate(Seeds.of([[0, 0]], (5, 5)), Seeds.of([[3, 3]], (9, 9), origin=AUTO))
    drawing = Drawing(imported=replace(both, stroke=np.full(2, 7, np.int32))).dismissing(
        Stroke.of([[0, 0]], None), SHAPE
    )
    assert len(drawing.automatic) == 1
    assert len(drawing.dismissing(Stroke.of([[3, 3]], None), SHAPE).automatic) == 0


def test_the_colours_of_a_files_scribbles_join_the_palette():
    session = EditSession(PICTURE)
    session.draw([[1, 1]], (20.0, 20.0))
    session.set_scribbles(Seeds.of([[0, 0], [1, 0], [2, 0]], [(5, 5), (20.2, 20), (5, 5)]))
    assert session.drawing.palette == ((20.0, 20.0), (5.0, 5.0))
