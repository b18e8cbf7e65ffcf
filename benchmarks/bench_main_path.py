"""Speed of the parts of the main path, each beside one pass over memory of the same picture (`floor`).

Seconds differ from machine to machine; the ratio to `floor` and from size to size does so much less.
"""

from __future__ import annotations

import numpy as np
import pytest

from hybridcolor.lab import rgb_to_lab
from hybridcolor.pipeline import colorize
from hybridcolor.predict import load_predictor
from hybridcolor.propagate import PROPAGATORS, propagate

SIZES = [0.25, 1.0, 4.0]
ROUNDS = {"rounds": 3, "iterations": 1, "warmup_rounds": 1}

pytestmark = pytest.mark.parametrize("megapixels", SIZES, ids="{}MP".format)


def test_floor(benchmark, photo, megapixels):
    """Reads two chroma planes and writes a third: what any method must do at least."""
    chroma = photo(megapixels).chroma
    other, result = chroma.copy(), np.empty_like(chroma)
    benchmark.pedantic(np.add, (chroma, other, result), **ROUNDS)


def test_rgb_to_lab(benchmark, photo, megapixels):
    rgb = photo(megapixels).to_rgb(photo(megapixels).chroma)
    benchmark.pedantic(rgb_to_lab, (rgb,), **ROUNDS)


def test_recombine(benchmark, photo, megapixels):
    picture = photo(megapixels)
    benchmark.pedantic(picture.to_rgb, (picture.chroma,), **ROUNDS)


@pytest.mark.parametrize("method", PROPAGATORS)
def test_propagate(benchmark, photo, strokes, megapixels, method):
    picture = photo(megapixels)
    seeds = strokes(picture)
    prior = np.zeros_like(picture.chroma)
    benchmark.pedantic(propagate, (picture.luminance, seeds), {"method": method, "prior": prior}, **ROUNDS)


def test_predict(benchmark, photo, megapixels):
    predictor = load_predictor()
    benchmark.pedantic(predictor.predict, (photo(megapixels).luminance,), **ROUNDS)


def test_colorize(benchmark, photo, strokes, megapixels):
    picture, predictor = photo(megapixels), load_predictor()
    scribbles = strokes(picture)
    benchmark.pedantic(colorize, (picture,), {"predictor": predictor, "scribbles": scribbles}, **ROUNDS)
