from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from hybridcolor.demo import run_demo
from hybridcolor.errors import ImageError


def test_the_demo_writes_its_pictures_and_scribbles_help(tmp_path):
    scores = {(score.photo, score.picture): score for score in run_demo(tmp_path / "demo")}
    names = {path.name for path in (tmp_path / "demo").iterdir()}
    for photo in ("astronaut", "coffee"):
        assert {f"{photo}.png", f"{photo}-corrected.png", f"{photo}-seeds.json", f"{photo}-seeds.png"} <= names
        assert scores[photo, "corrected"].ab_rmse < 0.8 * scores[photo, "hybrid"].ab_rmse
        assert scores[photo, "corrected"].psnr > scores[photo, "gray"].psnr + 3
        assert scores[photo, "truth"].psnr == np.inf
    with Image.open(tmp_path / "demo" / "comparison.png") as image:
        assert image.width == 7 * 300
    with pytest.raises(ImageError, match="overwrite"):
        run_demo(tmp_path / "demo")
