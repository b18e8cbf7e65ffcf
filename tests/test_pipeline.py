"""The main path: luminance stays, a person wins, mistakes are told before the network's work."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from skimage import data

from hybridcolor.bins import AB_BINS, ColorDistribution, nearest_bin
from hybridcolor.errors import ImageError, MethodError, ModelError, SeedError
from hybridcolor.lab import gamut_chroma, rgb_to_lab
from hybridcolor.metrics import ab_rmse
from hybridcolor.picture import Picture
from hybridcolor.pipeline import colorize
from hybridcolor.predict import load_predictor
from hybridcolor.propagate import PROPAGATORS, propagate
from hybridcolor.resampling import resample
from hybridcolor.seeds import AUTO, USER, Seeds
from hybridcolor.session import EditSession


@pytest.fixture(scope="module")
def predictor():
    return load_predictor()


def gray(name, step=2):
    return Picture.from_array(Picture.from_array(getattr(data, name)()[::step, ::step]).to_rgb())


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
@pytest.mark.parametrize("method", PROPAGATORS)
def test_luminance_stays_and_a_persons_odd_colour_is_found(predictor, name, method):
    picture = gray(name)
    where = [(30 + i, 90 + j) for i in range(12) for j in range(3)]  # hair in the one, the cup in the other
    scribble = Seeds.of(where, [30.0, -35.0])
    result = colorize(picture, predictor=predictor, scribbles=scribble, method=method)
    lab = rgb_to_lab(result.to_rgb())
    assert np.abs(lab[..., 0] - picture.luminance).max() < 0.5
    assert np.array_equal(result.chroma[tuple(scribble.coords.T)], scribble.ab)
    at = tuple(scribble.coords.T)
    wanted = np.column_stack([picture.luminance[at], gamut_chroma(picture.luminance[at], scribble.ab)])
    assert np.sqrt(((lab[at] - wanted) ** 2).sum(axis=1)).max() < 1


def test_only_the_luminance_of_a_colour_picture_is_used(predictor):
    colour = Picture.from_array(data.astronaut()[::4, ::4])
    bare = Picture(colour.luminance)
    assert np.array_equal(colorize(colour, predictor=predictor).chroma, colorize(bare, predictor=predictor).chroma)


def test_scribbles_alone_colorize():
    result = colorize(
        gray("coffee", 4), scribbles=Seeds.of([[5, 5], [80, 100]], [[20, 30], [-20, 10]]), method="optimization"
    )
    assert result.predicted is None
    assert (result.seeds.origin == USER).all()
    assert np.abs(result.chroma).max() > 5


@pytest.mark.parametrize("begin", [colorize, EditSession])
@pytest.mark.parametrize("picture", [np.zeros((8, 8), np.uint8), "old.jpg"])
def test_what_is_no_picture_is_told_how_to_be_one(begin, picture):
    with pytest.raises(ImageError, match="is no Picture; give what `read_image`"):
        begin(picture, method="optimization")


def test_the_name_of_a_model_is_no_predictor():
    with pytest.raises(ModelError, match="a str is no predictor; give what `load_predictor` returns"):
        colorize(gray("coffee", 8), predictor="default")


def test_neither_predictor_nor_scribble_is_refused():
    with pytest.raises(SeedError, match="draw at least one scribble"):
        colorize(gray("coffee", 8))


def test_mistakes_are_told_before_the_networks_work():
    class Expensive:
        name = "expensive"

        def predict(self, luminance):
            raise AssertionError("the network was run for nothing")

    with pytest.raises(MethodError, match="hybrid, optimization"):
        colorize(gray("coffee", 8), predictor=Expensive(), method="magic")
    with pytest.raises(SeedError, match="outside"):
        colorize(gray("coffee", 8), predictor=Expensive(), scribbles=Seeds.of([[9999, 0]], [1, 2]))


def test_edited_automatic_seeds_are_taken_as_they_are(predictor):
    picture = gray("coffee", 4)
    automatic = colorize(picture, predictor=predictor).seeds
    kept = automatic.take(automatic.stroke < 3)
    again = colorize(picture, predictor=predictor, scribbles=kept).seeds
    assert (again.origin == AUTO).all()
    assert np.array_equal(again.coords, kept.coords)


def test_the_automatic_hybrid_is_the_networks_own_colour(predictor):
    result = colorize(gray("astronaut", 2), predictor=predictor)
    assert (result.seeds.origin == AUTO).all()
    assert len(result.seeds) > 100
    assert np.array_equal(result.chroma, result.predicted)


def test_automatic_seeds_do_not_stand_in_a_persons_way(predictor):
    picture = gray("astronaut", 2)
    scribble = Seeds.of([(60, c) for c in range(60, 90)], [40.0, -40.0], stroke=np.zeros(30))
    result = colorize(picture, predictor=predictor, scribbles=scribble)
    alone = propagate(picture.luminance, scribble, prior=result.predicted)
    assert (result.seeds.origin == AUTO).sum() > 100
    assert np.array_equal(result.chroma, alone.chroma)


def test_an_automatic_seed_that_was_given_another_colour_is_used(predictor):
    picture = gray("astronaut", 4)
    automatic = colorize(picture, predictor=predictor).seeds
    changed = automatic.ab.copy()
    changed[automatic.stroke == 0] = 40.0, -60.0
    edited = Seeds.of(automatic.coords, changed, stroke=automatic.stroke, origin=AUTO)
    result = colorize(picture, predictor=predictor, scribbles=edited)
    assert np.array_equal(result.chroma[tuple(edited.coords[edited.stroke == 0].T)], changed[edited.stroke == 0])


@pytest.mark.parametrize("method", [name for name in PROPAGATORS if name not in ("hybrid", "lineart", "levelset")])
def test_methods_without_a_prior_live_on_automatic_seeds(predictor, method):
    truth = Picture.from_array(data.astronaut()[::4, ::4])
    result = colorize(Picture(truth.luminance), predictor=predictor, method=method)
    assert ab_rmse(result.chroma, truth.chroma) < 0.9 * ab_rmse(np.zeros_like(truth.chroma), truth.chroma)


def test_more_vividness_is_more_colour(predictor):
    picture = gray("astronaut", 2)
    chroma = [np.hypot(*colorize(picture, predictor=predictor, vividness=v).predicted.T).mean() for v in (0, 0.5, 1)]
    assert chroma[0] < chroma[1] < chroma[2]


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 3)])
@pytest.mark.parametrize("method", PROPAGATORS)
def test_pictures_of_a_few_pixels_are_coloured_and_nothing_given_is_changed(predictor, shape, method):
    luminance = np.random.default_rng(0).uniform(5, 95, shape).astype(np.float32)
    scribble = Seeds.of([[0, 0]], [150.0, 0.0])  # far out of gamut
    picture, ab = Picture(luminance.copy()), scribble.ab.copy()
    result = colorize(picture, predictor=predictor, scribbles=scribble, method=method)
    chroma = result.chroma.copy()
    rgb = result.to_rgb()
    assert rgb.shape == (*shape, 3)
    assert np.array_equal(result.chroma[0, 0], ab[0])
    assert np.array_equal(result.chroma, chroma)
    assert np.array_equal(scribble.ab, ab)
    assert np.array_equal(picture.luminance, luminance)


def test_sixteen_bits_keep_their_luminance_closely(predictor):
    gray = (data.camera()[::4, ::4].astype(np.uint16) << 8) + 77
    picture = Picture.from_array(gray)
    result = colorize(picture, predictor=predictor, scribbles=Seeds.of([[5, 5]], [40.0, 40.0]))
    rgb = result.to_rgb()
    assert rgb.dtype == np.uint16
    assert np.abs(rgb_to_lab(rgb)[..., 0] - picture.luminance).max() < 0.01


def test_the_same_input_gives_the_same_colours(predictor):
    picture, scribble = gray("coffee", 4), Seeds.of([[20, 30]], [-30.0, 20.0])
    first, second = (colorize(picture, predictor=predictor, scribbles=scribble) for _ in range(2))
    assert np.array_equal(first.chroma, second.chroma)
    assert np.array_equal(first.seeds.coords, second.seeds.coords)


def test_every_scribble_is_among_the_seeds_as_it_was_drawn(predictor):
    rng = np.random.default_rng(1)
    picture = gray("astronaut", 4)
    where = np.unravel_index(rng.choice(picture.luminance.size, 50, replace=False), picture.shape)
    scribbles = Seeds.of(np.stack(where, 1), rng.uniform(-60, 60, (50, 2)))
    result = colorize(picture, predictor=predictor, scribbles=scribbles)
    drawn = result.seeds.take(result.seeds.origin == USER)
    assert np.array_equal(drawn.coords, scribbles.coords)
    assert np.array_equal(drawn.ab, scribbles.ab)
    assert np.array_equal(result.chroma[where], scribbles.ab)


def test_the_result_is_closer_to_the_truth_with_true_scribbles_than_gray_is(predictor):
    truth = Picture.from_array(data.coffee()[::4, ::4])
    picture = Picture.from_array(truth.to_rgb())
    where = np.argwhere(np.ones(truth.shape))[::37]
    result = colorize(picture, predictor=predictor, scribbles=Seeds.of(where, truth.chroma[tuple(where.T)]))
    assert ab_rmse(result.chroma, truth.chroma) < 0.4 * ab_rmse(np.zeros_like(truth.chroma), truth.chroma)


def test_caution_leaves_gray_where_the_network_is_unsure_and_strokes_as_they_are(predictor):
    picture, stroke = gray("coffee"), Seeds.of([(30, 30 + i) for i in range(20)], [40, 30], stroke=[0] * 20)
    shown = [
        np.hypot(*np.moveaxis(colorize(picture, predictor=predictor, caution=caution).chroma, -1, 0))
        for caution in (0.0, 0.4, 0.7, 1.0)
    ]
    assert all(more.mean() > less.mean() for more, less in pairwise(shown))
    assert all((more - less).min() > -2 for more, less in pairwise(shown))
    assert shown[-1].max() == 0
    unsure = resample(predictor.predict(picture.luminance).std(), picture.shape)
    gone = shown[2] < 0.1 * shown[0]
    assert 0.05 < gone.mean() < 0.99
    assert unsure[gone].mean() > unsure[~gone].mean()
    for method in ("hybrid", "optimization"):
        told = colorize(picture, predictor=predictor, scribbles=stroke, caution=1.0, method=method)
        assert np.array_equal(told.chroma[30, 30:50], np.broadcast_to(np.float32([40, 30]), (20, 2)))


@pytest.mark.parametrize(
    "wish", [{"vividness": 5}, {"caution": -1}, {"caution": 3}, {"confidence": np.nan}, {"tint": 2}]
)
def test_a_setting_beyond_its_range_is_told(predictor, wish):
    with pytest.raises(MethodError, match="expected a number from 0 to 1"):
        colorize(gray("coffee", 8), predictor=predictor, method="optimization", **wish)


@pytest.mark.parametrize("area", [np.zeros((3, 3), bool), np.zeros((50, 75), int), [[True] * 75] * 50])
def test_what_is_dismissed_is_a_mask_of_the_picture(predictor, area):
    picture = gray("coffee", 8)
    assert picture.shape == (50, 75)
    with pytest.raises(SeedError, match=r"of shape \(50, 75\)"):
        colorize(picture, predictor=predictor, method="optimization", dismissed=area)


def test_a_predictor_of_ones_own():
    class Own:
        name = "own"

        def __init__(self, answer):
            self.predict = answer

    picture = gray("coffee", 8)
    logits = np.where(np.arange(len(AB_BINS)) == nearest_bin([40, 30]), np.float32(20), np.float32(0))
    grid = np.broadcast_to(logits, (5, 6, len(AB_BINS)))
    red = colorize(picture, predictor=Own(lambda plane: ColorDistribution(grid, plane.shape)), vividness=0)
    assert red.chroma[25, 40].round().tolist() == [40, 30]
    for answer in (ColorDistribution(grid, (60, 80)), grid, None):
        with pytest.raises(ModelError, match=r"expected a ColorDistribution whose shape is \(50, 75\)"):
            colorize(picture, predictor=Own(lambda _, answer=answer: answer), vividness=0)


def test_lines_are_tinted_if_asked():
    page = np.full((24, 24), 255, np.uint8)
    page[10:13] = 0
    asked = {"scribbles": Seeds.of([[4, 4], [18, 4]], [[60.0, 40.0]] * 2), "method": "lineart", "finish": "paint"}
    black, red = (colorize(Picture.from_array(page), **asked, tint=tint).to_rgb()[11, 12] for tint in (0, 1))
    assert black.tolist() == [0, 0, 0]
    assert red[0] > 30 + red[1]
