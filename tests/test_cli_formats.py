"""The command line's options for files: frames, the pixel limit, private notes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from hybridcolor import imagefiles
from hybridcolor.cli import common
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.metadata import Metadata
from hybridcolor.picture import Picture
from hybridcolor.seedfiles import write_seeds
from hybridcolor.seeds import Seeds


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    path = tmp_path / "seeds.json"
    picture = Picture.from_array(np.full((8, 9), 100, np.uint8))
    write_seeds(path, Seeds.of([[2, 2]], [[20.0, 30.0]]), picture)
    return path


def test_a_page_of_many(run, tmp_path: Path, seeds: Path) -> None:
    pages = np.stack([np.full((8, 9), level, np.uint8) for level in (50, 120, 200)])
    tifffile.imwrite(tmp_path / "pages.tif", pages, photometric="minisblack")
    options = ("-o", tmp_path / "out.png", "--seeds", seeds, "--model", "none", "--method", "optimization")
    assert run("colorize", tmp_path / "pages.tif", *options, "--frame", 2)[0] == 0
    expected = Picture.from_array(pages[2]).luminance
    assert np.abs(read_image(tmp_path / "out.png").luminance - expected).max() < 0.5


def test_the_limit_and_how_to_raise_it(run, tmp_path: Path, seeds: Path) -> None:
    assert common.MAX_PIXELS == imagefiles.MAX_PIXELS
    write_image(tmp_path / "in.png", np.full((8, 9), 100, np.uint8))
    options = ("-o", tmp_path / "out.png", "--seeds", seeds, "--model", "none", "--method", "optimization")
    code, _, line = run("colorize", tmp_path / "in.png", *options, "--max-pixels", 71)
    assert code == 2
    assert line.count("\n") == 1
    assert "--max-pixels" in line
    assert not (tmp_path / "out.png").exists()
    assert run("colorize", tmp_path / "in.png", *options, "--max-pixels", 72)[0] == 0


@pytest.mark.parametrize("keep", [False, True])
def test_a_place_is_kept_only_if_asked(run, tmp_path: Path, seeds: Path, keep: bool) -> None:
    notes = Metadata(dpi=(300, 300), author="A. Nobody", location={1: "N", 2: (50.0, 56.0, 28.0)})
    write_image(tmp_path / "in.jpg", np.full((8, 9), 100, np.uint8), metadata=notes, keep_private=True)
    options = ["-o", tmp_path / "out.jpg", "--seeds", seeds, "--model", "none", "--method", "optimization"]
    assert run("colorize", tmp_path / "in.jpg", *options, *(["--keep-private"] if keep else []))[0] == 0
    with Image.open(tmp_path / "out.jpg") as image:
        assert bool(image.getexif().get_ifd(0x8825)) == keep
        assert image.getexif()[315] == "A. Nobody"
        assert image.info["dpi"] == (300, 300)


def test_folders_are_searched_for_the_new_kinds(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.dcm", "b.nii.gz", "c.png"):
        write_image(tmp_path / "in" / name, np.full((8, 9), 100, np.uint8))
    Image.fromarray(np.full((8, 9), 100, np.uint8)).save(tmp_path / "in" / "d.gif")
    (tmp_path / "in" / "notes.txt").touch()
    jobs = common.plan_jobs([tmp_path / "in"], tmp_path / "out", overwrite=False)
    assert [target.name for _, target in jobs] == ["a.png", "b.png", "c.png", "d.png"]
