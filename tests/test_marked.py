"""Strokes of a person on a marked image: the CNN's own patches, which are painted there too, do not count as theirs."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from benchmarks.pages import compose
from benchmarks.things import THINGS, draw
from hybridcolor import colorize, load_predictor
from hybridcolor.imagefiles import write_image
from hybridcolor.lab import lab_to_rgb
from hybridcolor.marked import found_seeds, read_scribbles, write_used_seeds
from hybridcolor.picture import Picture
from hybridcolor.scribbled import draw_seeds
from hybridcolor.seedfiles import read_seeds, write_seeds
from hybridcolor.seeds import AUTO, USER

RED = (45.0, 35.0)


@pytest.fixture(scope="module")
def predictor():
    return load_predictor()


@pytest.fixture(scope="module")
def picture():
    return Picture.from_array(Picture.from_array(data.coffee()[::3, ::3]).to_rgb())


@pytest.fixture(scope="module")
def automatic(picture, predictor):
    return found_seeds(picture.luminance, predictor)


def drawn_on(image, path):
    """A stroke across the picture, over whatever is painted there."""
    marked = image.copy()
    marked[60:63, 10:150] = (lab_to_rgb(np.float32([[60]]), np.float32([[RED]]))[0, 0] * 255).round()
    write_image(path, marked)
    return path


def test_the_networks_own_patches_are_automatic_again(picture, predictor, automatic, tmp_path):
    write_seeds(tmp_path / "marked.png", automatic, picture)
    back = read_scribbles(tmp_path / "marked.png", picture, predictor)
    assert len(back) == len(automatic) > 100
    assert (back.origin == AUTO).all()
    np.testing.assert_array_equal(back.coords, automatic.coords[np.lexsort(automatic.coords.T[::-1])])


def test_strokes_over_patches_are_a_persons(picture, predictor, automatic, tmp_path):
    path = drawn_on(draw_seeds(automatic, picture), tmp_path / "marked.png")
    back = read_scribbles(path, picture, predictor)
    drawn = back.take(back.origin == USER)
    assert set(map(tuple, drawn.coords.tolist())) == {
        (row, column) for row in (60, 61, 62) for column in range(10, 150)
    }
    np.testing.assert_allclose(drawn.ab, [RED] * len(drawn), atol=2)
    assert len(drawn) == len(back)  # so that the network hears them


def test_patches_stay_as_they_are_where_one_was_taken_away(picture, predictor, automatic, tmp_path):
    rgb = draw_seeds(automatic, picture)
    gone = automatic.take(automatic.stroke == automatic.stroke[0])
    rgb[tuple(gone.coords.T)] = picture.to_rgb()[tuple(gone.coords.T)]
    back = read_scribbles(drawn_on(rgb, tmp_path / "marked.png"), picture, predictor)
    left = back.take(back.origin == AUTO)
    assert 100 < len(left) < len(automatic)
    assert not {*map(tuple, gone.coords.tolist())} & {*map(tuple, left.coords.tolist())}


@pytest.mark.parametrize("method", ["hybrid", "optimization"])
def test_an_image_of_the_used_seeds_makes_the_same_picture_again(picture, predictor, method, tmp_path):
    path = drawn_on(picture.to_rgb(), tmp_path / "marked.png")
    made = colorize(picture, predictor=predictor, scribbles=read_scribbles(path, picture, predictor), method=method)
    write_used_seeds(tmp_path / "used.png", made.seeds, picture, predictor)
    again = read_scribbles(tmp_path / "used.png", picture, predictor)
    result = colorize(picture, predictor=predictor, scribbles=again, method=method)
    np.testing.assert_allclose(result.chroma, made.chroma, atol=0.5)


def test_strokes_on_a_marked_image_do_what_they_do_on_a_plain_copy(picture, predictor, automatic, tmp_path):
    paths = (
        drawn_on(draw_seeds(automatic, picture), tmp_path / "marked.png"),
        drawn_on(picture.to_rgb(), tmp_path / "plain.png"),
    )
    marked, plain = (
        colorize(picture, predictor=predictor, scribbles=read_scribbles(path, picture, predictor)).chroma
        for path in paths
    )
    assert np.mean(np.hypot(*(marked - plain).transpose(2, 0, 1))) < 1
    held = colorize(picture, predictor=predictor, scribbles=read_seeds(paths[0], picture)).chroma
    assert np.mean(np.hypot(*(held - plain).transpose(2, 0, 1))) > 5  # were the patches the person's


def test_the_seeds_of_a_page_are_those_of_its_regions_and_give_its_colours_back(tmp_path):
    page = compose([draw(name) for name in THINGS], np.random.default_rng(0))
    picture = Picture.from_array(Picture(page.luminance).to_rgb())
    model = load_predictor("lineart")
    alone = colorize(picture, predictor=model, method="lineart")
    write_seeds(tmp_path / "marked.png", found_seeds(picture.luminance, model), picture)
    back = read_scribbles(tmp_path / "marked.png", picture, model)
    assert (back.origin == AUTO).mean() > 0.99
    again = colorize(picture, predictor=model, scribbles=back, method="lineart")
    assert np.mean(np.hypot(*(again.chroma - alone.chroma).transpose(2, 0, 1)) > 3) < 0.01


def test_without_a_network_all_is_a_persons(picture, automatic, tmp_path):
    write_seeds(tmp_path / "marked.png", automatic, picture)
    assert (read_scribbles(tmp_path / "marked.png", picture, None).origin == USER).all()
