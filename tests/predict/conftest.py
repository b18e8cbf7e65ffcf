"""A few made-up photos to train on, and a recipe that is done in seconds."""

from __future__ import annotations

import numpy as np
import pytest

from hybridcolor.predict import train
from tests.predict.made_up import RECIPE, picture_file, write_shard


@pytest.fixture
def data(tmp_path):
    """A shard of 80 little pictures, about 3% of them held out."""
    rng = np.random.default_rng(0)
    write_shard(tmp_path / "data" / "shard.tar", {f"source{n % 3}__{n:05d}.png": picture_file(rng) for n in range(80)})
    return tmp_path / "data"


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "REPORT_EVERY", 2)
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path
