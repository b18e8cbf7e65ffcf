"""How each kind of file is read, by its name, as far as it goes: what is taken for good is used too.

Libraries are loaded by the readers that need them, so that a process for pictures alone starts fast.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from hybridcolor.errors import ImageError
from tests.fuzz.samples import NETWORK, PICTURE, SHAPE

MAX_PIXELS = 10_000_000


def read_picture(path: Path) -> None:
    from hybridcolor.imagefiles import open_bands, read_image

    with suppress(ImageError), open_bands(path, max_pixels=MAX_PIXELS) as bands:
        bands.read(bands.shape[0] // 2, bands.shape[0])
    picture = read_image(path, max_pixels=MAX_PIXELS)
    assert np.isfinite(picture.luminance).all()


def read_scribbles(path: Path) -> None:
    from hybridcolor.pipeline import colorize
    from hybridcolor.seedfiles import read_seeds

    seeds = read_seeds(path, PICTURE)
    if len(seeds):
        colorize(PICTURE, scribbles=seeds, method="watershed")


def read_session(path: Path) -> None:
    from hybridcolor.session import EditSession
    from hybridcolor.sessionfiles import picture_of

    session = EditSession(PICTURE)
    session.load(path)
    picture_of(path)
    if session.drawing.model == "none":
        session.final()


def read_recipe(path: Path) -> None:
    from hybridcolor.batch import Recipe

    Recipe.read(path).key()


def read_list(path: Path) -> None:
    from hybridcolor.batch import Recipe, plan_tasks

    for task in plan_tasks([path], Recipe(model="none"), path.parent / "results"):
        assert not Path(task.target).is_absolute()


def read_answers(path: Path) -> None:
    from hybridcolor.compare.blind import tally

    tally([path])


def read_weights(path: Path) -> None:
    """As if the registry had been made for them, which is the worst case."""
    from torch import nn

    from hybridcolor.predict import load_predictor
    from hybridcolor.predict.networks import NETWORKS

    NETWORKS[NETWORK] = lambda: nn.Sequential(nn.Conv2d(1, 313, 4, stride=4))
    entry = {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "card": "", "network": NETWORK}
    entry |= {"temperature": 1.0, "size": 16, "licence": "", "data": "", "summary": "", "scores": {}}
    registry = {"schema": 1, "default": "it", "models": {"it": entry}}
    (path.parent / "registry.json").write_text(json.dumps(registry))
    os.environ["HYBRIDCOLOR_MODELS"] = str(path.parent)
    belief = load_predictor().predict(np.full(SHAPE, 50, np.float32))
    assert belief.rebalanced(0.45).annealed_mean().shape[-1] == 2


READERS: dict[str, Callable[[Path], None]] = {
    "scribbles.json": read_scribbles,
    "marked.png": read_scribbles,
    "layer.webp": read_scribbles,
    "edited.hybridcolor.json": read_session,
    "recipe.toml": read_recipe,
    "list.csv": read_list,
    "list.jsonl": read_list,
    "answers.csv": read_answers,
    "tiny.safetensors": read_weights,
}
"""By the name of the sample; all others are pictures."""


def reader_of(sample: Path) -> Callable[[Path], None]:
    """What reads this sample, and what comes of it."""
    return READERS.get(sample.name, read_picture)
