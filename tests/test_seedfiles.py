from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from hybridcolor.errors import HybridColorError, SeedError
from hybridcolor.picture import Picture
from hybridcolor.seedfiles import read_seeds, write_seeds
from hybridcolor.seeds import AUTO, USER, Seeds, concatenate

SHAPE = (20, 30)


@pytest.fixture
def picture():
    gray = np.random.default_rng(0).integers(0, 256, SHAPE).astype(np.uint8)
    return Picture.from_array(gray)


def same(first: Seeds, second: Seeds) -> bool:
    orders = [np.lexsort(seeds.coords.T) for seeds in (first, second)]
    return all(
        np.allclose(getattr(first, name)[orders[0]], getattr(second, name)[orders[1]], atol=1e-4)
        for name in ("coords", "ab", "weight", "stroke", "origin")
    )


PIXELS = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 29)), max_size=60, unique=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(PIXELS, PIXELS, st.floats(0.001, 10), st.integers(0, 1000))
def test_json_brings_everything_back(tmp_path, picture, mine, theirs, weight, seed):
    rng = np.random.default_rng(seed)
    user = Seeds.of(
        np.array(mine).reshape(-1, 2), rng.uniform(-90, 90, (len(mine), 2)), stroke=rng.integers(0, 4, len(mine))
    )
    auto = Seeds.of(np.array(theirs).reshape(-1, 2), [3.5, -2.25], weight=weight, origin=AUTO)
    seeds = concatenate(auto, user)
    path = tmp_path / "seeds.json"
    write_seeds(path, seeds, picture, overwrite=True)
    assert same(read_seeds(path, picture), seeds)
    assert [p.name for p in tmp_path.iterdir()] == ["seeds.json"]


def test_a_marked_image_brings_hard_colours_back(tmp_path, picture):
    seeds = Seeds.of([[2, 3], [2, 4], [10, 20], [15, 1]], [[30, 20], [30, 20], [-25, 10], [0, 0]], stroke=[0, 0, 1, 2])
    write_seeds(tmp_path / "marked.png", seeds, picture)
    found = read_seeds(tmp_path / "marked.png", picture)
    assert sorted(map(tuple, found.coords.tolist())) == sorted(map(tuple, seeds.coords.tolist()))
    order, back = np.lexsort(seeds.coords.T), np.lexsort(found.coords.T)
    np.testing.assert_allclose(found.ab[back], seeds.ab[order], atol=1.0)
    assert (found.origin == USER).all()
    assert len(np.unique(found.stroke)) == 3


def test_strokes_painted_on_the_gray_picture_are_found(tmp_path):
    picture = Picture.from_array(np.full((40, 40), 128, np.uint8))
    canvas = Image.new("RGB", (40, 40), (128, 128, 128))
    pen = ImageDraw.Draw(canvas)
    pen.line([(5, 5), (30, 5)], fill=(255, 0, 0), width=3)
    pen.line([(5, 30), (30, 30)], fill=(255, 255, 255), width=3)  # white: a neutral scribble, as Levin drew them
    canvas.save(tmp_path / "marked.png")
    seeds = read_seeds(tmp_path / "marked.png", picture)
    red = seeds.coords[:, 0] < 20
    np.testing.assert_allclose(np.unique(seeds.ab[red], axis=0), [[80.09, 67.2]], atol=0.1)  # Lindbloom's red
    np.testing.assert_allclose(seeds.ab[~red], 0, atol=1e-3)
    assert red.sum() == (~red).sum() == 26 * 3
    assert len(np.unique(seeds.stroke)) == 2


def test_a_transparent_layer_is_read_where_it_is_opaque(tmp_path, picture):
    layer = np.zeros((*SHAPE, 4), np.uint8)
    layer[5, 5:10] = 0, 0, 255, 255
    layer[6, 5:10] = 0, 0, 255, 60  # a soft brush's edge is not a scribble
    Image.fromarray(layer).save(tmp_path / "layer.png")
    seeds = read_seeds(tmp_path / "layer.png", picture)
    assert seeds.coords.tolist() == [[5, c] for c in range(5, 10)]


def test_a_jpeg_copy_has_its_stroke_and_not_its_noise(tmp_path):
    gray = np.random.default_rng(1).integers(60, 190, (8, 8)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    canvas = Image.fromarray(np.dstack([gray] * 3))
    ImageDraw.Draw(canvas).rectangle([16, 16, 31, 31], fill=(255, 0, 0))
    canvas.save(tmp_path / "marked.jpg", quality=95, subsampling=0)
    seeds = read_seeds(tmp_path / "marked.jpg", Picture.from_array(gray))
    inside = ((seeds.coords >= 15) & (seeds.coords <= 32)).all(axis=1)
    assert inside.mean() > 0.95
    assert inside.sum() > 200


def refuse(path, picture, content, message="seeds|is not|made for|schema|JSON"):
    path.write_text(content)
    with pytest.raises(SeedError, match=message) as caught:
        read_seeds(path, picture)
    assert "\n" not in str(caught.value)


def test_a_seed_outside_the_picture_is_refused(tmp_path, picture):
    write_seeds(tmp_path / "a.json", Seeds.of([[19, 29]], [1, 2]), picture)
    content = json.loads((tmp_path / "a.json").read_text())
    content["strokes"][0]["runs"] = [[19, 29, 2]]
    refuse(tmp_path / "b.json", picture, json.dumps(content), "outside")
    content["strokes"][0]["runs"] = [[0, 0, 10**12]]
    refuse(tmp_path / "b.json", picture, json.dumps(content), "outside")
    content["strokes"][0]["runs"] = [[0, 0, 1]]
    content["shape"] = [7, 7]
    refuse(tmp_path / "b.json", picture, json.dumps(content), "made for")
    content["schema"] = 99
    refuse(tmp_path / "b.json", picture, json.dumps(content), "schema")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(data=st.data())
def test_damaged_json_only_ever_raises_seed_error(tmp_path, picture, data):
    stroke = {"stroke": 0, "origin": "user", "ab": [1, 2], "weight": None, "runs": [[0, 0, 2]]}
    content = {"format": "hybridcolor-seeds", "schema": 1, "shape": list(SHAPE), "strokes": [stroke]}
    junk = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just([]) | st.just([[1]])
    where = data.draw(st.sampled_from([content, stroke]))
    where[data.draw(st.sampled_from(sorted(where)))] = data.draw(junk)
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps(content))
    with contextlib.suppress(SeedError):  # some junk is still a seeds file
        read_seeds(path, picture)


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '"x"', "null", "{}", '{"format": 1}'])
def test_other_json_is_refused(tmp_path, picture, content):
    refuse(tmp_path / "other.json", picture, content)


def test_pictures_that_are_no_marked_copies_are_refused(tmp_path, picture):
    Image.new("RGB", (5, 5)).save(tmp_path / "small.png")
    with pytest.raises(SeedError, match="make them the same"):
        read_seeds(tmp_path / "small.png", picture)
    Image.new("RGB", SHAPE[::-1], (255, 0, 255)).save(tmp_path / "other.png")
    with pytest.raises(SeedError, match="everywhere"):
        read_seeds(tmp_path / "other.png", picture)
    with pytest.raises(SeedError, match="missing"):
        read_seeds(tmp_path / "missing.png", picture)


@pytest.mark.parametrize("name", ["a.json", "a.png"])
def test_nothing_is_overwritten_or_left_behind(tmp_path, picture, name):
    path = tmp_path / name
    path.write_bytes(b"precious")
    with pytest.raises(HybridColorError, match="overwrite"):
        write_seeds(path, Seeds.of([[0, 0]], [9, 9]), picture)
    assert path.read_bytes() == b"precious"
    with pytest.raises(SeedError, match="outside"):
        write_seeds(path, Seeds.of([[99, 0]], [9, 9]), picture, overwrite=True)
    assert path.read_bytes() == b"precious"
    with pytest.raises(HybridColorError):
        write_seeds(path / "below-a-file.json", Seeds.empty(), picture)
    assert [p.name for p in tmp_path.iterdir()] == [name]
