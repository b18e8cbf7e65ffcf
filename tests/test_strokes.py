"""What strokes say about a belief: against least squares, by properties, and in the main path."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcolor.bins import AB_BINS, ColorDistribution
from hybridcolor.picture import Picture
from hybridcolor.pipeline import colorize
from hybridcolor.seeds import Seeds, concatenate
from hybridcolor.strokes import LEAST_SATURATION, OWN_SAY, possible_strokes, told_saturation

PLACES = ([1, 1], [1, 14], [14, 1], [14, 14])
COLOURS = st.tuples(st.floats(-80, 80), st.floats(-80, 80))


def belief_of(colours):
    """A grid of 2 x 2 cells over 16 x 16 pixels, each sure of one colour."""
    return ColorDistribution(
        np.stack([-np.hypot(*(AB_BINS - ab).T) for ab in colours]).astype(np.float32).reshape(2, 2, -1), (16, 16)
    )


def stroke(number, ab):
    row, column = PLACES[number]
    return Seeds.of([[row, column], [row, column + 1]], [ab, ab], stroke=[number, number])


def together(strokes):
    return reduce(concatenate, strokes, Seeds.empty())


class Sure:
    """A predictor that believes in one colour everywhere."""

    name = "sure"

    def __init__(self, ab):
        self.ab = ab

    def predict(self, luminance):
        return ColorDistribution(belief_of([self.ab] * 4).logits, luminance.shape)


@given(st.lists(COLOURS, min_size=4, max_size=4), st.lists(COLOURS, min_size=0, max_size=4))
def test_strokes_calm_within_bounds_and_in_any_order(believed, drawn):
    belief = belief_of(believed)
    strokes = [stroke(i, ab) for i, ab in enumerate(drawn)]
    gains = [told_saturation(together(each), belief) for each in (strokes, strokes[::-1])]
    assert LEAST_SATURATION <= gains[0] <= 1
    assert gains[0] == pytest.approx(gains[1])


def test_the_gain_is_that_of_least_squares():
    belief = belief_of([(40, 40), (-30, 20), (10, -50), (60, 0)])
    proposed = belief.annealed_mean().reshape(4, 2).astype(np.float64)
    drawn = 0.8 * proposed + [[3, -2], [1, 4], [-2, 2], [2, 0]]
    gain = told_saturation(together(stroke(i, ab) for i, ab in enumerate(drawn)), belief)
    pull = np.sqrt(OWN_SAY)  # one more equation: pull * gain = pull
    design, wanted = np.append(proposed.ravel(), pull)[:, None], np.append(drawn.ravel(), pull)
    assert gain == pytest.approx(np.linalg.lstsq(design, wanted)[0].item(), abs=1e-5)


def test_a_stroke_counts_once_however_long_it_is():
    belief = belief_of([(40, 40)] * 4)
    long = Seeds.of([[1, c] for c in range(16)], [(20, 20)] * 16, stroke=[0] * 16)
    assert told_saturation(long, belief) == pytest.approx(told_saturation(stroke(0, (20, 20)), belief))


def test_a_stroke_of_an_impossible_colour_is_left_out():
    belief = belief_of([(40, 40)] * 4)
    strokes = concatenate(stroke(0, (38, 42)), stroke(1, (-60, 60)))
    assert np.unique(possible_strokes(strokes, belief).stroke).tolist() == [0]


def test_colours_far_from_a_duller_stroke_are_calmed_and_the_strokes_own_stays():
    picture = Picture(np.tile(np.linspace(30, 70, 32, dtype=np.float32), (32, 1)))
    told = [
        colorize(picture, predictor=Sure((25, 20)), scribbles=given, vividness=0)
        for given in (None, stroke(0, (12, 10)))
    ]
    before, after = (result.chroma for result in told)
    assert after[1, 1].tolist() == [12, 10]
    assert np.hypot(*after[-1, -1]) < 0.95 * np.hypot(*before[-1, -1])
    assert np.hypot(*after[-1, -1]) >= LEAST_SATURATION * np.hypot(*before[-1, -1]) - 1e-3
