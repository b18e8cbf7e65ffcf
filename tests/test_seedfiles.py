"""Seeds as JSON and as marked images: what comes back, and what is refused."""

from __future__ import annotations

import contextlib
import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage import data as photos

from hybridcolor.errors import HybridColorError, SeedError
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.lab import gamut_chroma, rgb_to_lab
from hybridcolor.picture import Picture
from hybridcolor.scribbled import draw_seeds
from hybridcolor.seedfiles import read_seeds, strokes_from_json, write_seeds
from hybridcolor.seeds import AUTO, USER, Seeds, concatenate

SHAPE = (20, 30)


@pytest.fixture
def picture():
    gray = np.random.default_rng(0).integers(0, 256, SHAPE).astype(np.uint8)
    return Picture.from_array(gray)


def same(first: Seeds, second: Seeds) -> bool:
    orders = [np.lexsort(seeds.coords.T) for seeds in (first, second)]
    return all(
        np.array_equal(getattr(first, name)[orders[0]], getattr(second, name)[orders[1]])
        for name in ("coords", "ab", "weight", "stroke", "origin")
    )


PIXELS = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 29)), max_size=60, unique=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(PIXELS, PIXELS, st.floats(1e-6, 1e6), st.integers(0, 1000))
def test_json_brings_everything_back(tmp_path, picture, mine, theirs, weight, seed):
    rng = np.random.default_rng(seed)
    user = Seeds.of(
        np.array(mine).reshape(-1, 2), rng.uniform(-90, 90, (len(mine), 2)), stroke=rng.integers(0, 4, len(mine))
    )
    auto = Seeds.of(np.array(theirs).reshape(-1, 2), [3.5, -2.25], weight=weight, origin=AUTO)
    seeds = concatenate(auto, user)
    path = tmp_path / "seeds.json"
    write_seeds(path, seeds, picture, overwrite=True)
    assert same(read_seeds(path, picture), seeds)
    assert [p.name for p in tmp_path.iterdir()] == ["seeds.json"]


def test_a_marked_image_brings_hard_colours_back(tmp_path, picture):
    seeds = Seeds.of([[2, 3], [2, 4], [10, 20], [15, 1]], [[30, 20], [30, 20], [-25, 10], [0, 0]], stroke=[0, 0, 1, 2])
    write_seeds(tmp_path / "marked.png", seeds, picture)
    found = read_seeds(tmp_path / "marked.png", picture)
    assert sorted(map(tuple, found.coords.tolist())) == sorted(map(tuple, seeds.coords.tolist()))
    order, back = np.lexsort(seeds.coords.T), np.lexsort(found.coords.T)
    np.testing.assert_allclose(found.ab[back], seeds.ab[order], atol=1.0)
    assert (found.origin == USER).all()
    assert len(np.unique(found.stroke)) == 3


def test_strokes_painted_on_the_gray_picture_are_found(tmp_path):
    picture = Picture.from_array(np.full((40, 40), 128, np.uint8))
    canvas = Image.new("RGB", (40, 40), (128, 128, 128))
    pen = ImageDraw.Draw(canvas)
    pen.line([(5, 5), (30, 5)], fill=(255, 0, 0), width=3)
    pen.line([(5, 30), (30, 30)], fill=(255, 255, 255), width=3)  # white: a neutral scribble, as Levin drew them
    canvas.save(tmp_path / "marked.png")
    seeds = read_seeds(tmp_path / "marked.png", picture)
    red = seeds.coords[:, 0] < 20
    np.testing.assert_allclose(np.unique(seeds.ab[red], axis=0), [[80.09, 67.2]], atol=0.1)  # Lindbloom's red
    np.testing.assert_allclose(seeds.ab[~red], 0, atol=1e-3)
    assert red.sum() == (~red).sum() == 26 * 3
    assert len(np.unique(seeds.stroke)) == 2


@pytest.mark.parametrize("width", [2, 3, 7])
def test_brushes_with_a_smooth_rim_make_one_stroke_of_each(tmp_path, width):
    page = Image.new("L", (90, 60), 255)
    ImageDraw.Draw(page).line([(45, 0), (45, 60)], fill=0, width=3)
    marked = page.convert("RGB")
    for ends, colour in (([(8, 10), (80, 22)], (200, 40, 40)), ([(20, 40), (70, 55)], (40, 80, 200))):  # over the line
        rim = Image.new("L", (360, 240))
        ImageDraw.Draw(rim).line([(4 * x + 1, 4 * y) for x, y in ends], fill=255, width=4 * width)
        marked.paste(colour, (0, 0), rim.resize(page.size, Image.Resampling.BOX))
    marked.save(tmp_path / "marked.png")
    seeds = read_seeds(tmp_path / "marked.png", Picture.from_array(np.asarray(page)))
    wanted = rgb_to_lab(np.uint8([[(200, 40, 40), (40, 80, 200)]]))[0, :, 1:]
    assert np.hypot(*(seeds.ab[:, None] - wanted).transpose(2, 0, 1)).min(axis=1).max() < 4
    assert len(np.unique(seeds.stroke)) <= 4  # thin ones may be in pieces
    assert len(seeds) > 100 * (width - 1)


def test_where_smooth_brushes_cross_there_is_no_third_colour(tmp_path):
    marked = Image.new("RGB", (60, 60), (255, 255, 255))
    for ends, colour in (([(5, 30), (55, 33)], (200, 40, 40)), ([(28, 5), (33, 55)], (40, 80, 200))):
        rim = Image.new("L", (240, 240))
        ImageDraw.Draw(rim).line([(4 * x + 1, 4 * y) for x, y in ends], fill=255, width=28)
        marked.paste(colour, (0, 0), rim.resize(marked.size, Image.Resampling.BOX))
    marked.save(tmp_path / "marked.png")
    seeds = read_seeds(tmp_path / "marked.png", Picture.from_array(np.full((60, 60), 255, np.uint8)))
    assert len(np.unique(seeds.stroke)) == 3  # the lower one is parted
    assert len(np.unique(seeds.ab.round(), axis=0)) == 2


@pytest.mark.parametrize("gray", [False, True])
def test_a_copy_of_a_picture_with_colours_of_its_own_may_keep_them_or_not(tmp_path, gray):
    paper = np.full((40, 60, 3), (190, 205, 230), np.uint8)
    paper[:, 29:31] = 20
    picture = Picture.from_array(paper)
    marked = picture.to_rgb(None if gray else picture.chroma)
    marked[10:14, 5:20] = (200, 40, 40)
    Image.fromarray(marked).save(tmp_path / "marked.png")
    seeds = read_seeds(tmp_path / "marked.png", picture)
    assert len(seeds) == 60
    assert len(np.unique(seeds.stroke)) == 1


def test_a_transparent_layer_is_read_where_it_is_opaque(tmp_path, picture):
    layer = np.zeros((*SHAPE, 4), np.uint8)
    layer[5, 5:10] = 0, 0, 255, 255
    layer[6, 5:10] = 0, 0, 255, 60  # a soft brush's edge is not a scribble
    Image.fromarray(layer).save(tmp_path / "layer.png")
    seeds = read_seeds(tmp_path / "layer.png", picture)
    assert seeds.coords.tolist() == [[5, c] for c in range(5, 10)]


@pytest.mark.parametrize("with_ink", [False, True])
def test_scribbles_for_ink_on_nothing_are_a_layer_or_lie_on_the_ink(tmp_path, with_ink):
    ink = np.zeros((*SHAPE, 4), np.uint8)
    ink[:, 14:16, 3] = 255
    ink[:, 13, 3] = 150  # its soft rim
    Image.fromarray(ink).save(tmp_path / "ink.png")
    marked = ink.copy() if with_ink else np.zeros_like(ink)
    marked[5, 2:9], marked[12, 18:28] = (200, 40, 40, 255), (128, 128, 128, 255)
    Image.fromarray(marked).save(tmp_path / "marked.png")
    seeds = read_seeds(tmp_path / "marked.png", read_image(tmp_path / "ink.png"))
    assert sorted(map(tuple, seeds.coords.tolist())) == [(5, c) for c in range(2, 9)] + [(12, c) for c in range(18, 28)]


def test_a_jpeg_copy_has_its_stroke_and_not_its_noise(tmp_path):
    gray = np.random.default_rng(1).integers(60, 190, (8, 8)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    canvas = Image.fromarray(np.dstack([gray] * 3))
    ImageDraw.Draw(canvas).rectangle([16, 16, 31, 31], fill=(255, 0, 0))
    canvas.save(tmp_path / "marked.jpg", quality=95, subsampling=0)
    seeds = read_seeds(tmp_path / "marked.jpg", Picture.from_array(gray))
    inside = ((seeds.coords >= 15) & (seeds.coords <= 32)).all(axis=1)
    assert inside.mean() > 0.95
    assert inside.sum() > 140  # without the rim, which compression blurs


def _worn(how, page, marked, cover):
    """A marked copy as programs leave it: packed, airbrushed, or on a layer that multiplies."""
    ground, paint = page.astype(np.float32)[..., None], marked.astype(np.float32)
    if how == "multiplied":
        paint = paint * ground / 255
    if how == "airbrushed":
        cover = ndimage.gaussian_filter(cover, 3)
    return (ground + (paint - ground) * cover[..., None]).round().astype(np.uint8)


@pytest.mark.parametrize("how", ["packed", "airbrushed", "multiplied"])
def test_strokes_that_programs_have_worn_are_one_each(tmp_path, how):
    """A page with grain, and strokes that go over its lines and cross its dots."""
    rng, (row, column) = np.random.default_rng(3), np.mgrid[:160, :200]
    page = np.full((160, 200), 235.0)
    page[(row % 7 < 3) & (column % 7 < 3) & (row > 100)] = 40
    page[:, 99:102] = page[78:81] = 20
    page = (ndimage.gaussian_filter(page, 0.7) + rng.normal(0, 3, page.shape)).clip(0, 255).astype(np.uint8)
    strokes = {(40, 30): (200, 40, 40), (40, 140): (40, 80, 200), (125, 80): (60, 150, 60)}  # the last over the line
    marked, cover = np.zeros((*page.shape, 3), np.uint8), np.zeros(page.shape)
    for (top, left), colour in strokes.items():
        marked[top - 10 : top + 22, left - 10 : left + 50] = colour
        cover[top : top + 12, left : left + 40] = 1
    name = tmp_path / ("marked.jpg" if how == "packed" else "marked.png")
    Image.fromarray(_worn(how, page, marked, cover)).save(name, **({"quality": 85} if how == "packed" else {}))
    seeds = read_seeds(name, Picture.from_array(page))
    wanted = rgb_to_lab(np.uint8([list(strokes.values())]))[0, :, 1:]
    angle = np.arctan2(wanted[:, 1], wanted[:, 0])
    sizes = np.bincount(seeds.stroke)
    for (top, left), hue in zip(strokes, angle, strict=True):
        near = (np.abs(seeds.coords - (top + 6, left + 20)) < (16, 30)).all(axis=1)
        largest = np.bincount(seeds.stroke[near]).max()
        assert largest > 0.45 * near.sum() > 80  # one that multiplies is parted by the line
        of_it = seeds.ab[near & (sizes[seeds.stroke] == largest)]
        turned = np.arctan2(of_it[:, 1], of_it[:, 0]) - hue
        assert np.median(np.abs(np.angle(np.exp(1j * turned)))) < 0.15
    assert len(np.unique(seeds.stroke)) < 13


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_layer_that_lost_its_transparency_has_its_strokes(tmp_path, level, suffix):
    page = np.full((80, 90), 255, np.uint8)
    page[20:22], page[:, 30:33] = 0, 0
    sheet = np.full((80, 90, 3), level, np.uint8)
    sheet[40:52, 40:80] = 200, 40, 40
    Image.fromarray(sheet).save(tmp_path / f"sheet{suffix}", quality=95)
    seeds = read_seeds(tmp_path / f"sheet{suffix}", Picture.from_array(page))
    inside = ((seeds.coords >= (40, 40)) & (seeds.coords < (52, 80))).all(axis=1)
    assert inside.all()
    assert inside.sum() > 250
    assert len(np.unique(seeds.stroke)) == 1


def test_a_layer_is_read_however_thin_its_strokes(tmp_path, picture):
    layer = np.zeros((*SHAPE, 4), np.uint8)
    layer[5, 5:10] = 0, 0, 255, 255
    layer[12, 5:10] = 255, 0, 0, 80
    layer[13, 5:10] = 255, 0, 0, 30  # its soft edge
    layer[16, 5:10] = 255, 0, 0, 10  # nearly nothing
    Image.fromarray(layer).save(tmp_path / "layer.png")
    seeds = read_seeds(tmp_path / "layer.png", picture)
    assert sorted(set(seeds.coords[:, 0].tolist())) == [5, 12]


def refuse(path, picture, content, message="seeds|is not|made for|schema|JSON"):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SeedError, match=message) as caught:
        read_seeds(path, picture)
    assert "\n" not in str(caught.value)


def test_a_seed_outside_the_picture_is_refused(tmp_path, picture):
    write_seeds(tmp_path / "a.json", Seeds.of([[19, 29]], [1, 2]), picture)
    content = json.loads((tmp_path / "a.json").read_text())
    content["strokes"][0]["runs"] = [[19, 29, 2]]
    refuse(tmp_path / "b.json", picture, json.dumps(content), "outside")
    content["strokes"][0]["runs"] = [[0, 0, 10**12]]
    refuse(tmp_path / "b.json", picture, json.dumps(content), "outside")
    content["strokes"][0]["runs"] = [[0, 0, 1]]
    content["shape"] = [7, 7]
    refuse(tmp_path / "b.json", picture, json.dumps(content), "made for")
    refuse(tmp_path / "b.json", picture, json.dumps(content | {"format": "geojson"}), "its format is 'geojson'")
    session = {"format": "hybridcolor-session", "schema": 2}
    refuse(tmp_path / "b.json", picture, json.dumps(session), "is a session .* and no seeds; `hybridcolor replay`")
    content["schema"] = 99
    refuse(tmp_path / "b.json", picture, json.dumps(content), "schema")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(data=st.data())
def test_damaged_json_only_ever_raises_seed_error(tmp_path, picture, data):
    stroke = {"stroke": 0, "origin": "user", "ab": [1, 2], "weight": None, "runs": [[0, 0, 2]]}
    content = {"format": "hybridcolor-seeds", "schema": 1, "shape": list(SHAPE), "strokes": [stroke]}
    junk = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just([]) | st.just([[1]])
    where = data.draw(st.sampled_from([content, stroke]))
    where[data.draw(st.sampled_from(sorted(where)))] = data.draw(junk)
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps(content))
    with contextlib.suppress(SeedError):  # some junk is still a seeds file
        read_seeds(path, picture)


NESTED = "[" * 100_000
HUGE_NUMBER = '{"format": "hybridcolor-seeds", "schema": ' + "9" * 5000 + "}"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "3",
        '"x"',
        "null",
        "{}",
        '{"format": 1}',
        NESTED,
        HUGE_NUMBER,
        b"\xff\xfe\0",
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_other_json_is_refused(tmp_path, picture, content):
    refuse(tmp_path / "other.json", picture, content)


def test_pictures_that_are_no_marked_copies_are_refused(tmp_path, picture):
    Image.new("RGB", (5, 5)).save(tmp_path / "small.png")
    with pytest.raises(SeedError, match="make them the same"):
        read_seeds(tmp_path / "small.png", picture)
    Image.new("RGB", SHAPE[::-1], (255, 0, 255)).save(tmp_path / "other.png")
    with pytest.raises(SeedError, match="everywhere"):
        read_seeds(tmp_path / "other.png", picture)
    with pytest.raises(SeedError, match="missing"):
        read_seeds(tmp_path / "missing.png", picture)


@pytest.mark.parametrize("name", ["a.json", "a.png"])
def test_nothing_is_overwritten_or_left_behind(tmp_path, picture, name):
    path = tmp_path / name
    path.write_bytes(b"precious")
    with pytest.raises(HybridColorError, match="overwrite"):
        write_seeds(path, Seeds.of([[0, 0]], [9, 9]), picture)
    assert path.read_bytes() == b"precious"
    with pytest.raises(SeedError, match="outside"):
        write_seeds(path, Seeds.of([[99, 0]], [9, 9]), picture, overwrite=True)
    assert path.read_bytes() == b"precious"
    with pytest.raises(HybridColorError):
        write_seeds(path / "below-a-file.json", Seeds.empty(), picture)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def stroke_file(**changes):
    stroke = {"stroke": 0, "origin": "user", "ab": [1, 2], "weight": None, "runs": [[0, 0, 2]]} | changes
    return json.dumps({"format": "hybridcolor-seeds", "schema": 1, "shape": list(SHAPE), "strokes": [stroke]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"runs": [[0.5, 0, 2]]}, "whole numbers"),
        ({"runs": [[0, 0, True]]}, "whole numbers"),
        ({"stroke": 1.5}, "whole numbers"),
        ({"stroke": "1"}, "whole numbers"),
        ({"stroke": -1}, "negative"),
        ({"stroke": 2**40}, "not a seeds file"),
        ({"runs": [[0, 0, 0]]}, "outside"),
        ({"runs": [[0, -1, 2]]}, "outside"),
        ({"runs": [[20, 0, 1]]}, "outside"),
        ({"runs": [[0, 0, 2], [0, 1, 2]]}, "twice"),
        ({"runs": [[0, 0, 30]] * 21}, "some come twice"),
        ({"weight": 0}, "weight"),
        ({"weight": -1}, "weight"),
        ({"ab": [1]}, "not a seeds file"),
        ({"weight": 1e38}, "weight"),
        ({"weight": 1e300}, "weight"),
        ({"ab": [1, 1e39]}, "at most 200"),
        ({"ab": [1e30, 0]}, "at most 200"),
        ({"origin": "nobody"}, "not a seeds file"),
    ],
)
def test_bad_strokes_are_refused(tmp_path, picture, changes, message):
    refuse(tmp_path / "bad.json", picture, stroke_file(**changes), message)


def test_runs_that_would_fill_the_memory_are_refused(tmp_path):
    """A million short runs that each name a whole row of a wide picture: 40 GB if they were believed."""
    wide = Picture(np.zeros((1, 20_000), np.float32))
    text = stroke_file(runs=[]).replace("[20, 30]", "[1, 20000]")
    (tmp_path / "bomb.json").write_text(
        text.replace('"runs": []', '"runs": [' + ",".join(["[0,0,20000]"] * 100_000) + "]")
    )
    tracemalloc.start()
    with pytest.raises(SeedError, match="some come twice"):
        read_seeds(tmp_path / "bomb.json", wide)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(data=st.data())
def test_damaged_bytes_only_ever_raise_seed_error(tmp_path, picture, data):
    """Cut short, or with bytes flipped: JSON and marked images."""
    seeds = Seeds.of([[2, 3], [2, 4], [10, 20]], [[30, 20], [30, 20], [-25, 10]])
    name = data.draw(st.sampled_from(["a.json", "a.png", "a.jpg", "a.tif"]))
    path = tmp_path / name
    write_seeds(path, seeds, picture, overwrite=True)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(SeedError):
        read_seeds(path, picture).check_inside(SHAPE)


RGB = st.tuples(*[st.integers(0, 255)] * 3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.dictionaries(st.tuples(st.integers(0, 6), st.integers(0, 9)), RGB, min_size=1, max_size=40))
def test_every_colour_of_srgb_survives_a_marked_image(tmp_path, picture, painted):
    """Primaries fit at one luminance only, which must be found. Pixels that touch may be each other's rims."""
    painted = {(3 * row, 3 * column): colour for (row, column), colour in painted.items()}
    ab = rgb_to_lab(np.array(list(painted.values()), np.uint8))[:, 1:]
    seeds = Seeds.of(list(painted), ab)
    write_seeds(tmp_path / "marked.png", seeds, picture, overwrite=True)
    found = read_seeds(tmp_path / "marked.png", picture)
    order, back = np.lexsort(seeds.coords.T), np.lexsort(found.coords.T)
    assert np.array_equal(found.coords[back], seeds.coords[order])
    assert np.hypot(*(found.ab[back] - seeds.ab[order]).T).max() < 3  # 8 bits are coarse where a colour is dark


def test_colours_beyond_srgb_keep_their_hue_in_a_marked_image(tmp_path, picture):
    seeds = Seeds.of([[0, 0], [5, 5], [9, 9]], [[150, 0], [-120, 120], [0, -140]])
    write_seeds(tmp_path / "marked.png", seeds, picture)
    found = read_seeds(tmp_path / "marked.png", picture)
    assert found.coords.tolist() == seeds.coords.tolist()
    cosine = (found.ab * seeds.ab).sum(1) / np.hypot(*found.ab.T) / np.hypot(*seeds.ab.T)
    assert cosine.min() > 0.999
    at_best = np.max([np.hypot(*gamut_chroma(np.full(3, level, np.float32), seeds.ab).T) for level in range(5, 96)], 0)
    assert (np.hypot(*found.ab.T) > at_best - 2).all()


@pytest.mark.parametrize("bits", [8, 16])
def test_every_level_of_gray_can_be_marked_neutral(tmp_path, bits):
    """A neutral scribble has no colour to tell it by, only its brightness."""
    kind = np.uint16 if bits == 16 else np.uint8
    picture = Picture.from_array(np.linspace(0, np.iinfo(kind).max, 256).astype(kind)[None].repeat(2, 0))
    seeds = Seeds.of([[0, n] for n in range(256)], [0, 0], stroke=0)
    write_seeds(tmp_path / "marked.png", seeds, picture)
    found = read_seeds(tmp_path / "marked.png", picture)
    assert np.array_equal(found.coords, seeds.coords)
    assert np.abs(found.ab).max() < 0.1


def test_no_seeds_make_an_unmarked_picture(tmp_path, picture):
    for name in ("none.json", "none.png"):
        write_seeds(tmp_path / name, Seeds.empty(), picture)
        assert len(read_seeds(tmp_path / name, picture)) == 0
    assert np.array_equal(draw_seeds(Seeds.empty(), picture), picture.to_rgb())


def test_strokes_are_the_touching_areas_of_one_colour(tmp_path):
    """Against labelling every painted colour by itself."""
    picture = Picture.from_array(np.full((40, 60), 90, np.uint8))
    palette = np.array([[90, 90, 90], [220, 30, 30], [30, 200, 60], [30, 60, 220], [250, 250, 250]], np.uint8)
    index = np.random.default_rng(0).choice(5, (20, 30), p=[0.6, 0.1, 0.1, 0.1, 0.1]).repeat(2, 0).repeat(2, 1)
    Image.fromarray(palette[index]).save(tmp_path / "marked.png")
    found = read_seeds(tmp_path / "marked.png", picture)
    stroke = np.full(picture.shape, -1)
    stroke[tuple(found.coords.T)] = found.stroke
    assert np.array_equal(stroke >= 0, index > 0)
    pairs = set()
    for colour in range(1, 5):
        labels, _ = ndimage.label(index == colour, np.ones((3, 3)))
        pairs |= {(colour, label, mine) for label, mine in zip(labels[labels > 0], stroke[labels > 0], strict=True)}
    assert len(pairs) == len({pair[:2] for pair in pairs}) == len({pair[2] for pair in pairs})


def test_a_marked_copy_of_a_transparent_picture_is_no_layer(tmp_path):
    rng = np.random.default_rng(0)
    gray, alpha = rng.integers(0, 256, (2, *SHAPE)).astype(np.uint8)
    picture = Picture.from_array(np.dstack([gray, alpha]))
    marked = np.dstack([gray, gray, gray, alpha])
    marked[3, 4:9, :3] = 255, 0, 0
    Image.fromarray(marked).save(tmp_path / "marked.png")
    assert read_seeds(tmp_path / "marked.png", picture).coords.tolist() == [[3, c] for c in range(4, 9)]
    layer = np.zeros_like(marked)
    layer[3, 4:9] = 255, 0, 0, 255
    Image.fromarray(layer).save(tmp_path / "layer.png")
    assert read_seeds(tmp_path / "layer.png", picture).coords.tolist() == [[3, c] for c in range(4, 9)]


def test_a_layer_with_nothing_on_it_has_no_seeds(tmp_path, picture):
    Image.new("RGBA", SHAPE[::-1]).save(tmp_path / "layer.png")
    assert len(read_seeds(tmp_path / "layer.png", picture)) == 0


def test_a_layer_may_be_as_gray_as_the_picture(tmp_path, picture):
    """On a transparent layer the same gray is a neutral scribble; on a copy it would be no mark at all."""
    layer = np.dstack([picture.to_rgb(), np.zeros(SHAPE, np.uint8)])
    layer[7, 2:6, 3] = 255
    Image.fromarray(layer).save(tmp_path / "layer.png")
    seeds = read_seeds(tmp_path / "layer.png", picture)
    assert seeds.coords.tolist() == [[7, c] for c in range(2, 6)]
    assert not seeds.ab.any()


@pytest.mark.parametrize("name", ["a.json", "a.png"])
def test_folders_and_unwritable_places_are_refused(tmp_path, picture, name):
    (tmp_path / name).mkdir()
    with pytest.raises(SeedError):
        read_seeds(tmp_path / name, picture)
    with pytest.raises(HybridColorError):
        write_seeds(tmp_path / name, Seeds.empty(), picture, overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(HybridColorError):
        write_seeds(tmp_path / "file" / name, Seeds.empty(), picture)
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted([name, "file"])


def test_strokes_that_each_fit_and_together_do_not_are_refused_before_they_take_memory():
    everywhere = [[row, 0, 1000] for row in range(1000)]
    strokes = [{"stroke": i, "origin": "user", "ab": [1, 1], "weight": None, "runs": everywhere} for i in range(100)]
    tracemalloc.start()
    with pytest.raises(SeedError, match="100000000 pixels are given, the picture has 1000000; some come twice"):
        strokes_from_json(strokes, (1000, 1000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.parametrize("darker", [0.9, 0.7])
def test_a_copy_in_other_tones_has_its_strokes_and_no_others(tmp_path, darker):
    gray = photos.camera()[::4, ::4]
    marked = np.repeat((gray * darker).astype(np.uint8)[..., None], 3, axis=2)
    marked[20:24, 30:80], marked[90:94, 30:80] = (200, 60, 30), (40, 90, 200)
    write_image(tmp_path / "marked.png", marked)
    found = read_seeds(tmp_path / "marked.png", Picture.from_array(gray))
    assert sorted(np.unique(found.stroke, return_counts=True)[1].tolist()) == [200, 200]


def test_a_copy_of_another_picture_is_refused_and_a_picture_painted_all_over_is_not(tmp_path):
    gray = photos.camera()[::4, ::4]
    write_image(tmp_path / "other.png", np.repeat(photos.astronaut()[::4, ::4, :1], 3, axis=2))
    with pytest.raises(SeedError, match="other grays"):
        read_seeds(tmp_path / "other.png", Picture.from_array(gray))
    painted = np.repeat(gray[..., None], 3, axis=2)
    painted[2:60], painted[60:126] = (200, 60, 30), (40, 90, 200)
    write_image(tmp_path / "painted.png", painted)
    assert len(np.unique(read_seeds(tmp_path / "painted.png", Picture.from_array(gray)).stroke)) == 2
