"""Strokes on drawings are as light as they were drawn: from every way to draw them to every way to show them."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from hybridcolor import tiles
from hybridcolor.cli import app
from hybridcolor.compare import Method
from hybridcolor.errors import SeedError
from hybridcolor.imagefiles import open_bands
from hybridcolor.lab import rgb_to_lab
from hybridcolor.layers import drawing_layers
from hybridcolor.picture import Picture
from hybridcolor.pipeline import colorize, write_colorization
from hybridcolor.propagate import propagate, propagator_names
from hybridcolor.scribbled import draw_seeds, strokes_on
from hybridcolor.seedfiles import read_seeds, write_seeds
from hybridcolor.seeds import Seeds
from hybridcolor.session import EditSession

BROWN, NAVY, GRAY, PEACH = (96, 56, 33), (25, 30, 90), (110, 110, 110), (237, 203, 176)
"""Colours of which a* and b* say little: a navy's are those of a bright blue, a gray's those of white."""


def rooms(height: int = 120) -> np.ndarray:
    """A page of four rooms, each with walls all around."""
    page = np.full((height, 4 * height), 255, np.uint8)
    for room in range(4):
        cv2.rectangle(page, (room * height + 4, 4), ((room + 1) * height - 4, height - 4), 0, 3)
    return page


def marked(page: np.ndarray, *colours: tuple[int, int, int]) -> np.ndarray:
    """The page with a hard stroke of a colour in each room."""
    copy, side = np.dstack([page] * 3), page.shape[0]
    for room, colour in enumerate(colours):
        cv2.line(copy, (room * side + 30, side // 2), (room * side + side - 30, side // 2), colour, 5)
    return copy


def strokes(page: np.ndarray, *colours: tuple[int, int, int]) -> Seeds:
    return strokes_on(Picture.from_array(marked(page, *colours)), Picture.from_array(page), lossy=False)


def in_room(shown: np.ndarray, room: int) -> list[int]:
    side = shown.shape[0]
    return shown[side // 4, room * side + side // 2].tolist()


def merged_image(layered: Path) -> BytesIO:
    """What is seen of all layers of an OpenRaster file."""
    with ZipFile(layered) as file:
        return BytesIO(file.read("mergedimage.png"))


@pytest.mark.parametrize("method", ["lineart", "levelset"])
@pytest.mark.parametrize("suffix", [".png", ".ora"])
def test_what_is_painted_on_a_copy_is_the_colour_of_the_room(tmp_path: Path, method: str, suffix: str) -> None:
    """The authority is the paint program: the very colours of the marked copy."""
    page, colours = rooms(), (BROWN, NAVY, GRAY, PEACH)
    Image.fromarray(page).save(tmp_path / "page.png")
    Image.fromarray(marked(page, *colours)).save(tmp_path / "marked.png")
    target = tmp_path / f"out{suffix}"
    asked = ["--seeds", tmp_path / "marked.png", "--model", "none", "--method", method]
    told = CliRunner().invoke(app, [str(each) for each in ("colorize", tmp_path / "page.png", "-o", target, *asked)])
    assert told.exit_code == 0, told.output
    shown = np.asarray(Image.open(target if suffix == ".png" else merged_image(target)))
    for room, colour in enumerate(colours):
        assert in_room(shown[..., :3], room) == pytest.approx(colour, abs=2)


@pytest.mark.parametrize("brush", ["smooth", "soft", "half transparent", "multiplying"])
def test_ink_that_shows_through_a_brush_is_no_stroke(brush: str) -> None:
    """Each stroke crosses the dots of a tone, and is one stroke of the brush's colour on paper."""
    page = rooms()
    page[::6, ::6] = page[::6, 1::6] = page[1::6, ::6] = 0
    page[1::6, 1::6] = 120
    cover = cv2.line(np.zeros((480, 1920), np.uint8), (150, 190), (360, 260), 255, 24)
    cover = cv2.resize(cover, (480, 120), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    if brush == "soft":
        cover = cv2.GaussianBlur(cover, (0, 0), 2)
        cover /= cover.max()
    cover = np.where(brush == "half transparent", 0.6, 1) * cover[..., None]
    below = np.dstack([page] * 3).astype(np.float32)
    above = below * np.float32(BROWN) / 255 if brush == "multiplying" else np.float32(BROWN)
    copy = Picture.from_array((below * (1 - cover) + above * cover + 0.5).astype(np.uint8))
    found = strokes_on(copy, Picture.from_array(page), lossy=False)
    assert len(np.unique(found.stroke)) == 1
    on_paper = 255 * (1 - cover.max()) + np.float32(BROWN) * cover.max()
    assert found.lightness[0] == pytest.approx(rgb_to_lab(np.uint8([[on_paper]]))[0, 0, 0], abs=4)


def _brushed(page: np.ndarray, brush: str, *strokes: tuple[tuple[int, int], tuple[int, int], tuple[int, int, int]]):
    """The page with strokes 7 pixels wide, and each stroke's colour on paper; all in RGB."""
    copy, colours = np.dstack([page] * 3).astype(np.float32), []
    for start, end, colour in strokes:
        cover = np.zeros(np.multiply(page.shape, 4), np.uint8)
        cv2.line(cover, (4 * start[0], 4 * start[1]), (4 * end[0], 4 * end[1]), 255, 28)
        cover = cv2.resize(cover, page.shape[::-1], interpolation=cv2.INTER_AREA)[..., None] / np.float32(255)
        cover = (cover > 0.5) * np.float32(1) if brush == "hard" else cover
        if brush == "soft":
            cover = cv2.GaussianBlur(cover, (0, 0), 2)[..., None]
            cover /= cover.max()
        share = 0.6 if brush == "half transparent" else 1
        above = copy * np.float32(colour) / 255 if brush == "multiplying" else np.float32(colour)
        copy = copy * (1 - share * cover) + above * share * cover
        colours.append(255 * (1 - share) + share * np.float32(colour))
    return (copy + 0.5).astype(np.uint8), colours


@pytest.mark.parametrize("brush", ["hard", "smooth", "half transparent", "multiplying"])
@pytest.mark.parametrize("crossing", [False, True])
@pytest.mark.parametrize(
    ("left", "right"), [(NAVY, (150, 160, 230)), ((20, 20, 20), GRAY), (GRAY, (190, 190, 190)), (BROWN, PEACH)]
)
def test_strokes_that_touch_are_two_if_only_their_lightness_differs(left, right, brush: str, crossing: bool) -> None:
    page = np.full((120, 240), 255, np.uint8)
    cv2.rectangle(page, (4, 4), (120, 115), 0, 3)
    cv2.rectangle(page, (120, 4), (235, 115), 0, 3)
    ends = (
        (((30, 60), (135, 60)), ((133, 30), (133, 90))) if crossing else (((30, 60), (121, 60)), ((124, 60), (200, 60)))
    )
    copy, colours = _brushed(page, brush, (*ends[0], left), (*ends[1], right))
    found = strokes_on(Picture.from_array(copy), Picture.from_array(page), lossy=False)
    shown = colorize(Picture.from_array(page), scribbles=found, method="lineart", finish="paint").to_rgb()
    for column, colour in zip((60, 180), colours, strict=True):
        assert shown[20, column] == pytest.approx(colour, abs=4)


@pytest.mark.parametrize("brush", ["hard", "smooth", "soft", "half transparent"])
def test_a_stroke_over_letters_is_as_light_as_beside_them(brush: str) -> None:
    page = np.full((120, 240), 255, np.uint8)
    cv2.putText(page, "HHHHH", (30, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 0, 4, cv2.LINE_AA)
    copy, _ = _brushed(page, brush, ((76, 30), (76, 75), (236, 236, 236)))
    found = strokes_on(Picture.from_array(copy), Picture.from_array(page), lossy=False)
    shown = colorize(Picture.from_array(page), scribbles=found, method="lineart", finish="paint").to_rgb()
    assert np.mean(shown[page == 255] == 255) > 0.98


@pytest.mark.parametrize("width", [5, 9])
def test_a_jpeg_copy_keeps_thin_strokes_and_nearly_white_ones(tmp_path: Path, width: int) -> None:
    page, colours = rooms(), ((236, 236, 236), GRAY, (40, 40, 45), BROWN)
    copy = np.dstack([page] * 3)
    for room, colour in enumerate(colours):
        cv2.line(copy, (room * 120 + 30, 45), (room * 120 + 90, 70), colour, width)
    Image.fromarray(copy).save(tmp_path / "marked.jpg", quality=92)
    found = read_seeds(tmp_path / "marked.jpg", Picture.from_array(page))
    shown = colorize(Picture.from_array(page), scribbles=found, method="lineart", finish="paint").to_rgb()
    for room, colour in enumerate(((255, 255, 255), *colours[1:])):
        assert in_room(shown, room) == pytest.approx(colour, abs=8)


def test_the_rings_that_compression_leaves_around_a_stroke_are_none(tmp_path: Path) -> None:
    page = np.full((200, 300), 255, np.uint8)
    cv2.rectangle(page, (4, 4), (295, 195), 0, 3)
    for shift in range(8):  # of the stroke over the blocks of compression
        copy = np.dstack([page] * 3)
        cv2.line(copy, (60 + shift, 40), (90 + shift, 140), (150, 200, 245), 6, cv2.LINE_AA)
        cv2.line(copy, (160, 40 + shift), (160, 140), (90, 50, 30), 6, cv2.LINE_AA)
        Image.fromarray(copy).save(tmp_path / "marked.jpg", quality=75)
        found = read_seeds(tmp_path / "marked.jpg", Picture.from_array(page))
        assert len(np.unique(found.stroke)) == 2


def test_strokes_on_a_photo_that_keep_its_shading_are_one_each() -> None:
    """As with a brush that changes the hue alone, or is half transparent, over a texture."""
    rng = np.random.default_rng(2)
    photo = (
        cv2.GaussianBlur(rng.normal(128, 220, (90, 160)).astype(np.float32), (0, 0), 2).clip(40, 215).astype(np.uint8)
    )
    copy = np.dstack([photo] * 3)
    copy[20:30, 20:140] = (0.5 * copy[20:30, 20:140] + 0.5 * np.float32([60, 60, 60])).astype(np.uint8)
    found = strokes_on(Picture.from_array(copy), Picture.from_array(photo), lossy=False)
    assert np.bincount(found.stroke).max() > 0.9 * len(found)


def test_a_dot_beside_a_stroke_is_a_stroke() -> None:
    """Such as the light in an eye."""
    page = rooms()
    copy = marked(page, (40, 40, 40))
    copy[66:69, 60:63] = 225
    found = strokes_on(Picture.from_array(copy), Picture.from_array(page), lossy=False)
    assert len(np.unique(found.stroke)) == 2


@pytest.mark.parametrize("method", propagator_names())
def test_every_method_spreads_lightness_as_it_spreads_colour(method: str) -> None:
    """What it does to a plane of a*, where nothing but the strokes' values differs."""
    page = rooms(60)
    picture, scribbles = Picture.from_array(page), strokes(page, BROWN, NAVY, GRAY, PEACH)
    found = colorize(picture, scribbles=scribbles, method=method, finish="paint").lightness
    assert found is not None
    same = replace(scribbles, ab=np.column_stack([scribbles.lightness, scribbles.lightness]))
    expected = propagate(picture.luminance, same, method=method).chroma[..., 0]
    assert np.abs(found - expected).max() < 0.1


@pytest.mark.parametrize(("row", "white", "gray"), [(30, 30, 18), (90, 50, 30)])
@pytest.mark.parametrize("method", ["lineart", "optimization"])
def test_shading_stays(method: str, row: int, white: float, gray: float) -> None:
    """Where it was drawn, a stroke is as light as it was drawn; what is lighter or darker there stays so."""
    luminance = np.full((120, 120), 100, np.float32)
    luminance[60:] = 60
    scribbles = Seeds.of([(row, column) for column in range(40, 80)], (0, 0), stroke=0, lightness=30)
    result = colorize(Picture(luminance), scribbles=scribbles, method=method, finish="paint")
    shown = rgb_to_lab(result.to_rgb())[..., 0]
    assert shown[30, 10] == pytest.approx(white, abs=1)
    assert shown[90, 10] == pytest.approx(gray, abs=1)
    assert result.lightness is not None
    assert result.lightness[90, 10] == pytest.approx(white, abs=1)  # on blank paper


def test_photos_keep_their_luminance() -> None:
    photo = Picture.from_array(np.tile(np.linspace(40, 220, 80).astype(np.uint8), (60, 1)))
    scribbles = Seeds.of([[30, 20], [30, 60]], [[20, 30], [-20, -10]], lightness=[10, 90])
    light, plain = (
        colorize(photo, scribbles=each, method="optimization")
        for each in (scribbles, replace(scribbles, lightness=np.full(2, 100, np.float32)))
    )
    assert light.lightness is None
    np.testing.assert_array_equal(light.to_rgb(), plain.to_rgb())


def test_a_stroke_of_nearly_white_leaves_paper_white() -> None:
    found = strokes(rooms(), (238, 238, 238), GRAY)
    levels = [float(found.lightness[found.stroke == number].max()) for number in np.unique(found.stroke)]
    assert levels == [100.0, pytest.approx(rgb_to_lab(np.uint8([[GRAY]]))[0, 0, 0], abs=0.1)]


@pytest.mark.parametrize("method", ["lineart", "hybrid"])
def test_a_session_shows_saves_and_takes_it_back(tmp_path: Path, method: str) -> None:
    picture = Picture.from_array(rooms())
    session = EditSession(picture, method=method, autosave=tmp_path / "s.json")
    session.set(replace(session.drawing, finish="paint"))
    session.draw([(60, 60)], (20, 30))
    before = session.result().to_rgb()
    session.recolour((60, 60), (20, 30, 25))
    assert session.drawing.palette == ((20.0, 30.0), (20.0, 30.0, 25.0))
    dark = session.result()
    assert rgb_to_lab(dark.to_rgb())[60, 60, 0] == pytest.approx(25, abs=0.5)
    np.testing.assert_allclose(dark.to_rgb(), session.final().to_rgb(), atol=1)
    again = EditSession(picture)
    again.load(tmp_path / "s.json")
    np.testing.assert_array_equal(again.final().to_rgb(), session.final().to_rgb())
    session.undo()
    np.testing.assert_array_equal(session.result().to_rgb(), before)


def test_a_glimpse_is_as_light_as_the_answer() -> None:
    session = EditSession(Picture.from_array(rooms(400)), method="lineart")
    session.set(replace(session.drawing, finish="paint"))
    session.draw([(200, 200)], (0, 0))
    session.prepare_glimpse()
    session.result()
    session.draw([(200, 600 + i) for i in range(9)], (0, 0, 30))  # a* and b* stay 0 everywhere
    seen = session.glimpse()
    assert seen is not None
    whole = session.result().on_screen()[seen.window]
    assert np.mean(np.abs(seen.rgb.astype(int) - whole).max(axis=2) > 8) < 0.02
    assert whole.max() == pytest.approx(71, abs=1)  # L* 30
    assert session.glimpse() is None


def test_a_comparison_shows_drawings_painted() -> None:
    page = rooms()
    shown = Method.parse("lineart:none").colorize(
        Picture.from_array(page), None, strokes(page, BROWN, NAVY, GRAY, PEACH)
    )
    for room, colour in enumerate((BROWN, NAVY, GRAY, PEACH)):
        assert in_room(shown, room) == pytest.approx(colour, abs=2)


def test_tiles_are_as_light_as_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "SMALL", 100_000)
    page = rooms(600)
    Image.fromarray(page).save(tmp_path / "page.png")
    scribbles = strokes(page, BROWN, NAVY, GRAY, PEACH)
    with open_bands(tmp_path / "page.png") as bands:
        tiles.write_tiles(tmp_path / "out.png", tiles.colorize_bands(bands, scribbles=scribbles, method="lineart"))
    shown = np.asarray(Image.open(tmp_path / "out.png"))
    for room, colour in enumerate((BROWN, NAVY, GRAY, PEACH)):
        assert in_room(shown, room) == pytest.approx(colour, abs=3)


def test_flat_colours_of_layers_have_it() -> None:
    page = rooms()
    result = colorize(Picture.from_array(page), scribbles=strokes(page, BROWN, NAVY), method="lineart", finish="paint")
    flat = drawing_layers(result.picture, result.chroma, lightness=result.lightness)[0].pixels
    assert in_room(flat, 0) == pytest.approx(BROWN, abs=2)
    assert in_room(flat, 1) == pytest.approx(NAVY, abs=2)


def test_what_is_transparent_is_white_paper_in_layers(tmp_path: Path) -> None:
    page = rooms()
    alpha = np.where(np.arange(page.shape[1]) < 120, 0, 255).astype(np.uint8) * np.ones_like(page)
    picture = Picture.from_array(np.dstack([page, page, page, alpha]))
    result = colorize(picture, scribbles=strokes(page, GRAY, GRAY), method="lineart", finish="paint")
    write_colorization(tmp_path / "page.ora", result)
    with ZipFile(tmp_path / "page.ora") as file:
        flat = next(name for name in file.namelist() if name.startswith("data/"))
        colours = np.asarray(Image.open(BytesIO(file.read(flat))))
    assert in_room(colours, 0)[:3] == [255, 255, 255]
    assert in_room(colours, 1)[:3] == pytest.approx(GRAY, abs=2)


@pytest.mark.parametrize("suffix", [".json", ".png"])
def test_files_keep_it(tmp_path: Path, suffix: str) -> None:
    page = Picture.from_array(rooms())
    seeds = Seeds.of(
        [[20, 20], [20, 21], [40, 200]], [[20, 30], [20, 30], [0, 0]], stroke=[0, 0, 1], lightness=[25, 25, 50]
    )
    write_seeds(tmp_path / f"s{suffix}", seeds, page)
    read = read_seeds(tmp_path / f"s{suffix}", page)
    np.testing.assert_array_equal(read.coords, seeds.coords)
    np.testing.assert_allclose(read.lightness, seeds.lightness, atol=0 if suffix == ".json" else 0.5)


def test_a_painted_copy_gives_back_what_was_seen(tmp_path: Path) -> None:
    """Also of strokes that ask for no lightness of their own: white, pale, and as light as their colour can be."""
    page = rooms()
    coords = [(60, 60 + 120 * room + column) for room in range(4) for column in range(9)]
    ab, stroke = np.repeat([[0, 0], [4, 5], [60, 40], [20, -60]], 9, axis=0), np.repeat(range(4), 9)
    scribbles = Seeds.of(coords, ab, stroke=stroke)
    picture = Picture.from_array(page)
    write_seeds(tmp_path / "s.png", scribbles, picture)
    seen, again = (
        colorize(picture, scribbles=each, method="lineart", finish="paint").to_rgb().astype(int)
        for each in (scribbles, read_seeds(tmp_path / "s.png", picture))
    )
    assert np.abs(seen - again).max() <= 4


def test_a_painted_copy_of_a_photo_shows_every_seed() -> None:
    """A seed whose own lightness would hide it there is painted at another."""
    gray = Picture.from_array(np.full((20, 20), 119, np.uint8))  # L* 50
    painted = draw_seeds(Seeds.of([[5, 5]], [[0, 0]], lightness=50), gray)
    assert np.abs(painted[5, 5].astype(int) - 119).min() > 20


@pytest.mark.parametrize("lightness", [-1, 101, np.nan])
def test_lightness_beyond_black_and_white_is_refused(lightness: float) -> None:
    with pytest.raises(SeedError, match="from 0, black, to 100, white"):
        Seeds.of([[0, 0]], [[1, 1]], lightness=lightness)
