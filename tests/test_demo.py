"""The demonstration: its files, its scores, and that scribbles help."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage import data

from hybridcolor.demo import run_demo
from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import read_image
from hybridcolor.picture import Picture
from hybridcolor.seedfiles import read_seeds
from hybridcolor.seeds import AUTO


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Folder and scores of one demonstration."""
    folder = tmp_path_factory.mktemp("parent") / "demo"
    return folder, run_demo(folder)


def test_the_demo_writes_its_pictures_and_scribbles_help(demo):
    folder, found = demo
    scores = {(score.photo, score.picture): score for score in found}
    assert {score.picture for score in found} == {"gray", "CNN", "hybrid", "corrected", "truth"}
    names = {path.name for path in folder.iterdir()}
    for photo in ("astronaut", "coffee"):
        assert {f"{photo}.png", f"{photo}-corrected.png", f"{photo}-seeds.json", f"{photo}-seeds.png"} <= names
        assert scores[photo, "corrected"].ab_rmse < 0.85 * scores[photo, "hybrid"].ab_rmse
        assert scores[photo, "corrected"].psnr > scores[photo, "gray"].psnr + 3
        assert scores[photo, "truth"].psnr == np.inf
    with Image.open(folder / "comparison.png") as image:
        assert image.width == 7 * 300
    with pytest.raises(ImageError, match="overwrite"):
        run_demo(folder)


def test_every_picture_of_the_demo_is_whole(demo):
    folder, scores = demo
    for path in folder.glob("*.png"):
        with Image.open(path) as image:
            image.load()
            assert image.mode == "RGB"
    for photo, size in (("astronaut", (512, 512)), ("coffee", (600, 400))):
        for name in (photo, f"{photo}-corrected", f"{photo}-seeds"):
            with Image.open(folder / f"{name}.png") as image:
                assert image.size == size
        gray = Picture.from_array(Picture.from_array(getattr(data, photo)()).to_rgb())
        seeds = read_seeds(folder / f"{photo}-seeds.json", gray)
        assert (seeds.origin == AUTO).all()
        assert np.abs(read_image(folder / f"{photo}.png").luminance - gray.luminance).max() < 0.5
    for score in scores:
        assert np.isfinite(score.ab_rmse)
        assert np.isfinite(score.colourfulness)
        assert score.psnr > 10
    by_name = {(score.photo, score.picture): score for score in scores}
    for photo in ("astronaut", "coffee"):
        assert by_name[photo, "corrected"].psnr > by_name[photo, "hybrid"].psnr
        assert by_name[photo, "gray"].colourfulness == 0


def test_the_demo_gives_the_same_scores_again(demo):
    folder, scores = demo
    assert run_demo(folder, overwrite=True) == scores


def test_a_demo_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ImageError, match="cannot be made"):
        run_demo(tmp_path / "file" / "demo")
