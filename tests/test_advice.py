"""Places and colours against their formulas; variants differ, are plausible, and are strokes like a person's."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from skimage import data

from hybridcolor.advice import PLACES, likely_colours, next_place, variants
from hybridcolor.bins import AB_BINS, BIN_STEP, ColorDistribution
from hybridcolor.drawing import Drawing
from hybridcolor.errors import ModelError, SeedError
from hybridcolor.picture import Picture
from hybridcolor.seeds import Seeds
from hybridcolor.session import EditSession
from hybridcolor.strokes import possible_strokes

SMALL = (9, 14)  # pixels, few enough to be compared one by one


def random_belief(seed, shape=SMALL):
    """Of each pixel by itself: two or three colours, and how sure of them, at random."""
    rng = np.random.default_rng(seed)
    colours, widths = rng.uniform(-80, 80, (*shape, 3, 1, 2)), rng.uniform(3, 40, (*shape, 3, 1))
    squares = ((AB_BINS - colours) ** 2).sum(axis=-1)
    return ColorDistribution(np.logaddexp.reduce(-squares / (2 * widths**2), axis=2).astype(np.float32), shape)


def gain(belief, luminance, drawn, region, place):
    """The formula of `next_place`, written out."""
    radius, alike, variance = 0.15 * max(luminance.shape), 8.0, belief.std() ** 2
    pixels = list(np.ndindex(luminance.shape))

    def felt(i, j):
        apart, difference = np.hypot(*np.subtract(i, j)), float(luminance[i]) - float(luminance[j])
        return np.exp(-(apart**2) / (2 * radius**2) - difference**2 / (2 * alike**2))

    return sum(
        felt(place, j) * variance[j] * (1 - max((felt(j, tuple(k)) for k in drawn), default=0))
        for j in pixels
        if region is None or region[j]
    )


@pytest.mark.parametrize("drawn", [[], [(1, 2), (1, 3), (7, 12)]])
@pytest.mark.parametrize("inside", [None, (slice(2, 8), slice(3, 7))])
def test_the_next_place_gains_most_of_all_pixels(drawn, inside):
    belief = random_belief(5)
    luminance = np.random.default_rng(6).uniform(40, 60, SMALL).astype(np.float32)
    region = None
    if inside is not None:
        region = np.zeros(SMALL, bool)
        region[inside] = True
    strokes = Seeds.of(drawn, (10, 10)) if drawn else Seeds.empty()
    gains = {
        place: gain(belief, luminance, drawn, region, place)
        for place in np.ndindex(SMALL)
        if region is None or region[place]
    }
    best, second = sorted(gains.values())[:-3:-1]
    assert best > 1.001 * second  # so that rounding does not decide
    assert gains[next_place(belief, luminance, strokes, region=region)] == best


@pytest.mark.parametrize("corner", [(0, 0), (300, 300), (597, 597), (304, 12)])
@pytest.mark.parametrize("sure", [False, True])
def test_the_next_place_lies_in_the_region_however_small_it_is(corner, sure):
    region = np.zeros((600, 600), bool)
    region[corner[0] : corner[0] + 3, corner[1] : corner[1] + 3] = True
    logits = np.zeros((8, 8, len(AB_BINS)), np.float32)
    logits[..., 0] = 200 * sure  # then nothing is to be gained anywhere
    luminance = np.full(region.shape, 50, np.float32)
    place = next_place(ColorDistribution(logits, region.shape), luminance, Seeds.empty(), region=region)
    assert region[place]


def test_a_region_without_pixels_is_refused():
    with pytest.raises(SeedError, match="no pixel"):
        next_place(random_belief(0), np.full(SMALL, 50, np.float32), Seeds.empty(), region=np.zeros(SMALL, bool))


def test_what_is_of_no_picture_is_told():
    belief = random_belief(1)
    with pytest.raises(SeedError, match="make them the same"):
        next_place(belief, np.full(SMALL, 50, np.float32), Seeds.empty(), region=np.ones((3, 3), bool))
    for place in ((9, 0), (0, 14), (-1, 3)):
        with pytest.raises(SeedError, match="lies outside the picture of 9 x 14"):
            likely_colours(belief, *place)
        with pytest.raises(SeedError, match="lies outside"):
            belief.top(1, *place)


def test_a_session_that_has_asked_no_network_has_no_variants():
    picture = Picture(np.full(SMALL, 50, np.float32))
    with pytest.raises(ModelError, match="ask for a preview first"):
        variants(EditSession(picture).hear, picture.luminance, drawn=Seeds.empty())


def test_likely_colours_share_the_belief_out():
    belief = random_belief(7)
    for row, column in np.ndindex(SMALL):
        found = likely_colours(belief, row, column, count=len(AB_BINS))
        colours, chances = (np.array(each) for each in zip(*found, strict=True))
        assert (np.diff(chances) <= 0).all()
        assert chances.sum() == pytest.approx(1, abs=0.01)  # colours of less than half an even share are left out
        assert chances @ colours == pytest.approx(belief.mean()[row, column], abs=1)
        assert all(np.hypot(*(one - other)) > BIN_STEP for one, other in combinations(colours[:5], 2))
        assert likely_colours(belief, row, column, count=1)[0][1] >= belief.confidence()[row, column]


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
