"""The command line's options for files: frames, the pixel limit, private notes."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pydicom
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


@pytest.mark.parametrize("kind", ["tif", "gif", "webp", "dcm", "nii", "tiles"])
def test_that_there_are_more_pages_is_told(run, tmp_path: Path, kind: str) -> None:
    pages = np.stack([np.full((32, 36), level, np.uint8) for level in (50, 120, 200)])
    source = tmp_path / f"pages.{kind.replace('tiles', 'tif')}"
    if kind == "dcm":
        write_image(source, pages[0])
        dataset = pydicom.dcmread(source)
        dataset.NumberOfFrames, dataset.PixelData = 3, pages.tobytes()
        dataset.save_as(source)
    elif kind == "nii":
        nibabel.Nifti1Image(pages.T, np.eye(4)).to_filename(source)
    elif kind in ("tif", "tiles"):
        tifffile.imwrite(source, pages, photometric="minisblack")
    else:
        first, *others = map(Image.fromarray, pages)
        first.save(source, save_all=True, append_images=others)
    options = ["-o", tmp_path / "out.png", "--overwrite", *(["--tiles"] if kind == "tiles" else [])]
    line = f"{source}: the first of 3 pages, steps or slices; --frame 1 takes the next\n"
    code, out, _ = run("colorize", source, *options)
    assert code == 0
    assert out.startswith(line)
    code, out, _ = run("colorize", source, *options, "--frame", 1)
    assert code == 0
    assert line not in out
    if kind == "tif":
        code, out, _ = run("seeds", source, "-o", tmp_path / "seeds.json", "--overwrite")
        assert code == 0
        assert out.startswith(line)


def test_a_picture_of_few_of_its_bits_is_told(run, tmp_path: Path) -> None:
    values = np.random.default_rng(2).integers(0, 4096, (32, 36)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "12.tif", values)
    code, out, _ = run("colorize", tmp_path / "12.tif", "-o", tmp_path / "out.png")
    assert code == 0
    assert "12.tif: is nearly black; if it has 12 bits, say, in 16, spread them over" in out


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
