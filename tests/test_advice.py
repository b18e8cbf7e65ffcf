"""Variants differ from each other, are plausible to the network, and are strokes like a person's."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from skimage import data

from hybridcolor.advice import PLACES, variants
from hybridcolor.drawing import Drawing
from hybridcolor.picture import Picture
from hybridcolor.seeds import Seeds
from hybridcolor.session import EditSession
from hybridcolor.strokes import possible_strokes


@pytest.fixture(scope="module")
def cup():
    session = EditSession(
        Picture.from_array(data.coffee()[::2, ::2].mean(axis=2).astype(np.uint8)), predictor="default"
    )
    session.preview()
    return session


@pytest.mark.parametrize("inside", [None, (slice(20, 100), slice(100, 200))])
def test_variants_are_plausible_strokes_and_clearly_different(cup, inside):
    luminance = cup.picture.luminance
    region = None
    if inside is not None:
        region = np.zeros(luminance.shape, bool)
        region[inside] = True
    found = variants(cup.hear, luminance, drawn=Seeds.empty(), region=region)
    assert [len(variant.strokes) for variant in found] == [PLACES] * 3
    for variant in found:
        seeds = Drawing(strokes=variant.strokes).scribbles
        heard = cup.hear(seeds)
        np.testing.assert_array_equal(heard.logits, variant.belief.logits)
        assert len(possible_strokes(seeds.take(seeds.stroke == 0), cup.belief)) == (seeds.stroke == 0).sum()
        if region is not None:
            middles = [stroke.coords.mean(axis=0).astype(int) for stroke in variant.strokes]
            assert region[tuple(np.transpose(middles))].all()
    for one, other in combinations(found, 2):
        apart = np.hypot(*(one.belief.annealed_mean() - other.belief.annealed_mean()).transpose(2, 0, 1))
        assert apart.max() > 20


def test_a_variant_is_undone_like_a_stroke(cup):
    before = cup.drawing
    variant = variants(cup.hear, cup.picture.luminance, drawn=Seeds.empty(), count=1)[0]
    cup.draw_all(variant.strokes)
    assert cup.drawing.strokes == variant.strokes
    assert cup.undo()
    assert cup.drawing is before
