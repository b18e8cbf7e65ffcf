"""What is compared: files by name, and methods by name with the settings they tell."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hybridcolor import pipeline
from hybridcolor.compare import Method, find_cases
from hybridcolor.compare.pictures import save_map, slug
from hybridcolor.errors import ImageError, MethodError, SeedError
from hybridcolor.picture import Picture
from hybridcolor.predict import load_predictor
from hybridcolor.propagate.hybrid import REACH
from hybridcolor.seeds import Seeds

from .pictures import colour_photo, save

GRAY = np.full((4, 4), 90, np.uint8)


def test_files_with_the_same_name_belong_together(tmp_path):
    gray = save(tmp_path / "gray", cat=GRAY, dog=GRAY)
    true = save(tmp_path / "true", cat=colour_photo(0), dog=colour_photo(1), other=colour_photo(2))
    made = save(tmp_path / "made", dog=colour_photo(1), cat=colour_photo(0))
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "dog.json").write_text("{}")
    cat, dog = find_cases([gray], references=[true], results={"made": made}, seeds=seeds)
    assert (cat.name, cat.picture, cat.reference) == ("cat", gray / "cat.png", true / "cat.png")
    assert (cat.results, cat.seeds, dog.seeds) == ({"made": made / "cat.png"}, None, seeds / "dog.json")


def test_one_picture_goes_with_one_reference_of_any_name(tmp_path):
    folder = save(tmp_path / "any", scan=GRAY, original=colour_photo(0))
    (case,) = find_cases([folder / "scan.png"], references=[folder / "original.png"])
    assert case.reference == folder / "original.png"


def test_what_does_not_go_together_is_said(tmp_path):
    gray = save(tmp_path / "gray", cat=GRAY, dog=GRAY)
    part = save(tmp_path / "part", dog=colour_photo(1))
    with pytest.raises(ImageError, match="1 of 2 pictures have no result of theirs, 'cat' is one"):
        find_cases([gray], results={"theirs": part})
    with pytest.raises(ImageError, match="1 of 2 pictures have no reference"):
        find_cases([gray], references=[part])
    with pytest.raises(ImageError, match="no such file"):
        find_cases([tmp_path / "nothing"])
    with pytest.raises(ImageError, match="same name without ending"):
        find_cases([gray, part])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="no image in this folder"):
        find_cases([tmp_path / "empty"])
    with pytest.raises(SeedError, match="no scribbles for any"):
        find_cases([gray], seeds=tmp_path / "empty")
    with pytest.raises(SeedError, match="no such folder"):
        find_cases([gray], seeds=tmp_path / "nothing")


def test_methods_by_name():
    assert Method.parse("hybrid") == Method("hybrid", "hybrid", "default")
    assert Method.parse("cnn:lite") == Method("cnn:lite", "cnn", "lite")
    assert Method.parse("gray").model is None
    assert Method.parse("flood:none").needs_scribbles
    assert not Method.parse("gray").needs_scribbles


@pytest.mark.parametrize("text", ["", "levin", "hybrid:", "gray:lite", "cnn:none", "none", ":lite"])
def test_methods_that_make_no_sense(text):
    with pytest.raises(MethodError, match=f"method '{text}' (is unknown|makes no sense)"):
        Method.parse(text)


def test_a_method_tells_what_it_runs_with():
    options = Method.parse("optimization").options()
    assert options.keys() >= {"vividness", "caution", "confidence"}
    assert "prior" not in options
    assert "vividness" not in Method.parse("optimization:none").options()
    assert Method.parse("cnn").options().keys() == {"vividness", "caution"}
    assert Method.parse("gray").options() == {}


@pytest.mark.parametrize(("name", "model"), [("hybrid", "default"), ("hybrid:lineart", "lineart")])
def test_the_reach_it_tells_is_what_colorize_hands_to_the_method(name, model, monkeypatch):
    """In drawings it is shorter than what `hybrid` has by itself."""
    handed = {}
    real = pipeline.propagate

    def listen(*args, **options):
        handed.update(options)
        return real(*args, **options)

    monkeypatch.setattr(pipeline, "propagate", listen)
    page = np.full((40, 40), 255, np.uint8)
    page[10:30, 10], page[10:30, 29], page[10, 10:30], page[29, 10:30] = 0, 0, 0, 0
    method, strokes = Method.parse(name), Seeds.of([[20, 20]], [[20.0, 30.0]])
    method.colorize(Picture.from_array(page), load_predictor(model), strokes)
    assert method.options()["reach"] == handed.get("reach", REACH) == (3.0 if model == "lineart" else 8.0)


def test_a_map_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    save_map(tmp_path / "map.jpg", np.zeros((4, 6), np.float32))
    before = (tmp_path / "map.jpg").read_bytes()
    with Image.open(tmp_path / "map.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (6, 4))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ImageError, match="No space left"):
        save_map(tmp_path / "map.jpg", np.ones((4, 6), np.float32))
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == {tmp_path / "map.jpg": before}


def test_file_names_are_safe_and_never_the_same():
    names = [
        "cat",
        "Cat",
        "c/at",
        "c:at",
        "c at",
        "c.at",
        "_truth",
        "-",
        "",
        "\u6f22\u5b57",
        "x" * 300,
        "../x",
        "a#?%&<b>",
    ]
    files = [slug(name) for name in names]
    assert files[0] == "cat"
    assert len({file.lower() for file in files}) == len(names)
    for file in files:
        assert len(file) < 64
        assert set(file) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
        assert not file.startswith("_")
