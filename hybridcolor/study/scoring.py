"""One photo of a study: every user draws for every method, and each result is scored."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hybridcolor.errors import ImageError, MethodError
from hybridcolor.files import checksum
from hybridcolor.imagefiles import read_image
from hybridcolor.lab import rgb_to_lab
from hybridcolor.metrics import ab_rmse, colourfulness, psnr
from hybridcolor.picture import Picture
from hybridcolor.predict import load_predictor
from hybridcolor.resampling import resample
from hybridcolor.seeds import Seeds, overlay
from hybridcolor.study.methods import METHODS, Chroma, Scene
from hybridcolor.users import USERS

STROKES = (0, 1, 2, 5, 10, 20, 50, 100)
"""After so many strokes there are scores, if nothing else is asked for."""
MOST_STROKES = 10_000
_PERFECT = 99.0  # dB, for a result that is equal to the truth: its infinite PSNR would spoil means, and is no JSON
_WARM_UP = 100  # pixels: side of what methods run on once before they are timed; less would be solved without multigrid

_predictor = cache(load_predictor)  # once a process


@dataclass(frozen=True, slots=True)
class Plan:
    """What a study does; rows of another plan are not mixed in.

    Attributes
    ----------
    methods, users : tuple of str
        Names in `METHODS` and in `hybridcolor.users.USERS`.
    strokes : tuple of int
        After how many strokes there are scores; they go up.
    size : int
        Shorter side, in pixels, to which larger photos are brought.
    model : str
        For `hybridcolor.predict.load_predictor`.
    """

    methods: tuple[str, ...]
    users: tuple[str, ...] = tuple(USERS)
    strokes: tuple[int, ...] = STROKES
    size: int = 256
    model: str = "default"

    def __post_init__(self) -> None:
        for kind, names, known in (("method", self.methods, METHODS), ("user", self.users, USERS)):
            for name in names:
                if name not in known:  # names of methods have commas
                    raise MethodError(f"{kind} {name!r} is unknown; known: {'; '.join(known)}")
                if names.count(name) > 1:
                    raise MethodError(f"{kind} {name!r} is named twice; name it once")
        if not self.methods or not self.users or not self.strokes:
            raise MethodError("a study needs a method, a user and a number of strokes")
        for count in self.strokes:
            if not 0 <= count <= MOST_STROKES:
                raise MethodError(f"numbers of strokes are from 0 to {MOST_STROKES}, not {count}")
        if list(self.strokes) != sorted(set(self.strokes)):
            raise MethodError(f"numbers of strokes go up, each once; {self.strokes} do not")


def score_photo(path: Path, plan: Plan) -> list[dict[str, Any]]:
    """All rows of one photo: a dict for each user, method and number of strokes.

    Its keys are `hybridcolor.study.tables.COLUMNS`, and ``sha256`` of the file.

    Raises
    ------
    ImageError
        If it cannot be read, or is gray.
    ModelError
        If the plan's model is not installed.
    """
    _warm_up(tuple(plan.methods), plan.model)
    picture, truth = _scene_of(path, plan.size)
    scene = Scene(picture, _predictor(plan.model).read(picture.luminance))
    true = picture.to_rgb(truth)
    true_ab = rgb_to_lab(true)[..., 1:]
    true_colourfulness = max(colourfulness(true), 1e-6)
    photo = {"photo": path.name, "sha256": checksum(path)}
    rows = []
    for user in plan.users:
        for method in plan.methods:
            for count, chroma, seconds in _session(scene, truth, user=user, method=method, counts=plan.strokes):
                rgb = picture.to_rgb(chroma)
                scores = {
                    "psnr": min(psnr(rgb, true), _PERFECT),
                    "ab_rmse": ab_rmse(rgb_to_lab(rgb)[..., 1:], true_ab),
                    "colourfulness": colourfulness(rgb) / true_colourfulness,
                    "seconds": seconds,
                }
                rows.append({**photo, "user": user, "method": method, "strokes": count, **scores})
    return rows


@cache
def _warm_up(methods: tuple[str, ...], model: str) -> None:
    """Run every method once in this process: code is compiled at first use, which is not to be counted."""
    rng = np.random.default_rng(0)
    picture = Picture.from_array(rng.integers(0, 256, (_WARM_UP, _WARM_UP), np.uint8))
    scene = Scene(picture, _predictor(model).read(picture.luminance))
    stroke = next(USERS["random"](np.full((*picture.shape, 2), 20, np.float32), rng))
    for method in methods:
        METHODS[method](scene, stroke)


def _session(
    scene: Scene, truth: Chroma, *, user: str, method: str, counts: Sequence[int]
) -> Iterator[tuple[int, Chroma, float]]:
    """Chroma and seconds of computing after so many strokes of one user, who is shown each result that is scored."""
    drawing = USERS[user](truth, np.random.default_rng(0))
    layers: list[Seeds] = []
    chroma: Chroma | None = None
    for count in sorted(counts):
        while len(layers) < count:
            layers.append(next(drawing) if not layers else drawing.send(chroma))
            chroma = None  # what was shown is out of date
        begun = time.perf_counter()
        chroma = METHODS[method](scene, overlay(layers))
        yield count, chroma, time.perf_counter() - begun


def _scene_of(path: Path, size: int) -> tuple[Picture, Chroma]:
    """A photo of at most ``size`` pixels along its shorter side, and its colours."""
    picture, chroma = read_photo(path)
    rows, columns = picture.shape
    scale = min(1.0, size / min(rows, columns))
    shape = (max(1, round(rows * scale)), max(1, round(columns * scale)))
    luminance, truth = resample(picture.luminance, shape), resample(chroma, shape)
    return Picture(luminance.clip(0, 100)), truth


def read_photo(path: Path) -> tuple[Picture, Chroma]:
    """A photo and its colours.

    Raises
    ------
    ImageError
        If it cannot be read, or is gray.
    """
    picture = read_image(path)
    if picture.chroma is None:
        raise ImageError(f"{path}: has no colours to compare with; give colour photos")
    return picture, picture.chroma
