"""Colours carried from a page to the next, with the shipped model of drawings."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from benchmarks.pages import cast, compose
from benchmarks.things import THINGS, draw
from hybridcolor.cli import app
from hybridcolor.errors import HybridColorError, ImageError, MethodError, ModelError
from hybridcolor.imagefiles import read_image
from hybridcolor.page import PageReading
from hybridcolor.picture import Picture
from hybridcolor.pipeline import write_colorization
from hybridcolor.predict import load_predictor
from hybridcolor.recognition import Palette, uncoloured
from hybridcolor.session import EditSession


@pytest.fixture(scope="module")
def model():
    return load_predictor("lineart")


@pytest.fixture(scope="module")
def pairs():
    return [draw(name) for name in THINGS]


def test_who_was_on_the_page_before_keeps_their_colours(model, pairs):
    figures, _ = cast(pairs, model, np.random.default_rng(1))
    assert figures["palette"] >= 80
    assert figures["palette"] > 3 * max(figures["by chance"], figures["network alone"])
    assert figures["strangers changed"] <= 20


def test_features_are_of_length_one_and_do_not_depend_on_the_mirror(model, pairs):
    line = pairs[0][0]
    here, there = PageReading(model.read, line), PageReading(model.read, np.ascontiguousarray(line[:, ::-1]))
    (seen, covered), (mirrored, _) = here.features(), there.features()
    np.testing.assert_allclose(np.linalg.norm(seen[covered], axis=1), 1, atol=1e-5)
    likeness = seen[covered] @ mirrored.T
    best = likeness.argmax(axis=1)
    middle = [np.argwhere(here.page.region == number).mean(axis=0) for number in np.flatnonzero(covered)]
    reflected = [np.argwhere(there.page.region == number).mean(axis=0) for number in best]
    assert np.abs(np.subtract(middle, reflected) @ np.diag([1, 0])).max() < 3  # at the same height
    assert np.abs(np.add(middle, reflected)[:, 1] - 191).max() < 3


def test_paint_is_taken_off_whatever_its_colour_and_lines_stay():
    for name in THINGS:
        line, chroma = draw(name)
        painted = Picture.from_array(Picture(line).to_rgb(chroma, paint=True))
        bare = uncoloured(painted.luminance)
        inked = line < 20
        assert (bare[inked] < 40).mean() > 0.95
        assert (bare[line > 99] > 95).mean() > 0.95


def test_a_page_without_colours_and_other_models_are_told(model, pairs):
    page = compose(pairs, np.random.default_rng(0))
    with pytest.raises(ImageError, match="no colours"):
        Palette.of(Picture(page.luminance), model)
    coloured = Picture.from_array(Picture(page.luminance).to_rgb(page.chroma, paint=True))
    with pytest.raises(MethodError, match="--model lineart"):
        Palette.of(coloured, load_predictor("lite"))
    deaf = load_predictor("lineart").read(page.luminance)
    deaf._seen = deaf._seen[0]
    with pytest.raises(ModelError, match="keeps no features"):
        deaf.features()


def test_the_command_line_carries_a_palette(pairs, tmp_path):
    line, chroma = pairs[3]
    Image.fromarray(Picture(line).to_rgb(chroma, paint=True)).save(tmp_path / "one.png")
    Image.fromarray(Picture(np.ascontiguousarray(line[:, ::-1])).to_rgb()).save(tmp_path / "two.png")
    args = ["colorize", str(tmp_path / "two.png"), "-o", str(tmp_path / "out.png")]
    with pytest.raises(HybridColorError, match="--model lineart"):
        CliRunner().invoke(app, [*args, "--palette-from", str(tmp_path / "one.png")], catch_exceptions=False)
    assert not (tmp_path / "out.png").exists()
    args += ["--model", "lineart", "--palette-from", str(tmp_path / "one.png")]
    assert CliRunner().invoke(app, args, catch_exceptions=False).exit_code == 0
    got = read_image(tmp_path / "out.png").chroma[:, ::-1]
    coloured = (line > 95) & (np.hypot(*np.moveaxis(chroma, -1, 0)) > 10)
    assert np.median(np.hypot(*(got - chroma)[coloured].T)) < 10


@pytest.mark.parametrize("method", ["hybrid", "lineart"])
@pytest.mark.parametrize("saved", ["picture", "session"])
def test_dark_paint_is_carried_as_dark(tmp_path, saved, method):
    line, _ = draw("fish")
    for name, plane in (("one", line), ("two", np.ascontiguousarray(line[:, ::-1]))):
        Image.fromarray(Picture(plane).to_rgb()).save(tmp_path / f"{name}.png")
    session = EditSession(read_image(tmp_path / "one.png"), method="lineart")
    for row, column, colour in ((96, 84, (10, -45, 35)), (96, 160, (35, 65)), (45, 92, (0, 0, 50)), (5, 5, (0, 0))):
        session.draw([[row, column], [row, column + 1]], colour)
    session.save(tmp_path / "one.png.hybridcolor.json")
    write_colorization(tmp_path / "one-colour.png", session.final())
    earlier = tmp_path / ("one-colour.png" if saved == "picture" else "one.png.hybridcolor.json")
    args = ["--palette-from", str(earlier), "--model", "lineart", "--method", method]
    args = ["colorize", str(tmp_path / "two.png"), "-o", str(tmp_path / "out.png"), *args]
    assert CliRunner().invoke(app, args, catch_exceptions=False).exit_code == 0
    got = read_image(tmp_path / "out.png")
    for row, column, expected in ((96, 84, (35, 10, -45)), (45, 92, (50, 0, 0))):
        found = got.luminance[row, 191 - column], *got.chroma[row, 191 - column]
        np.testing.assert_allclose(found, expected, atol=6)
    assert got.luminance[5, 5] > 99


def test_a_session_is_a_coloured_page_too(tmp_path):
    line, _ = draw("fish")
    for name, plane in (("one", line), ("two", np.ascontiguousarray(line[:, ::-1]))):
        Image.fromarray(Picture(plane).to_rgb()).save(tmp_path / f"{name}.png")
    session = EditSession(read_image(tmp_path / "one.png"), method="lineart")
    for row, column, ab in ((96, 84, (-5, -45)), (96, 160, (35, 65)), (45, 92, (35, 65)), (5, 5, (0, 0))):
        session.draw([[row, column], [row, column + 1]], ab)
    session.save(tmp_path / "one.png.hybridcolor.json")
    earlier = ["--palette-from", str(tmp_path / "one.png.hybridcolor.json"), "--model", "lineart"]
    args = ["colorize", str(tmp_path / "two.png"), "-o", str(tmp_path / "out.png"), *earlier]
    assert CliRunner().invoke(app, args, catch_exceptions=False).exit_code == 0
    got = read_image(tmp_path / "out.png").chroma
    np.testing.assert_allclose(got[96, 191 - 84], (-5, -45), atol=5)
    np.testing.assert_allclose(got[96, 191 - 160], (35, 65), atol=5)
    np.testing.assert_allclose(got[5, 5], 0, atol=1)
