"""Pictures by tiles: the same as at once, no seams, and not more memory than a part of them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data

from hybridcolor import pipeline, tiles
from hybridcolor.drawing import weight_of
from hybridcolor.errors import ImageError, MethodError, TooLargeError
from hybridcolor.imagefiles import open_bands, read_image, write_image
from hybridcolor.lab import rgb_to_lab
from hybridcolor.predict import load_predictor
from hybridcolor.resampling import resample
from hybridcolor.seedfiles import read_seeds, write_seeds
from hybridcolor.seeds import Seeds
from hybridcolor.tiles import colorize_bands, write_tiles

STROKE = Seeds.of([[700, 610 + i] for i in range(40)], (30, -40), origin=1)


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """A gray photo of 1000 x 1300 pixels, which takes 2 x 3 tiles."""
    image = Image.fromarray(data.astronaut()).convert("L")
    return np.asarray(image.resize((1300, 1000), Image.Resampling.BICUBIC))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """As much smaller than the picture as it is of a hundred megapixels."""
    monkeypatch.setattr(tiles, "SMALL", 200_000)


def colorize_tiles(source: Path, target: Path, *, max_pixels: int = 10**8, **settings: object) -> tuple[int, int]:
    with open_bands(source, max_pixels=max_pixels) as bands:
        write_tiles(target, colorize_bands(bands, **settings))
        return bands.shape


def off(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Distance in a*b* of every pixel."""
    return np.hypot(*np.moveaxis(rgb_to_lab(found)[..., 1:] - rgb_to_lab(expected)[..., 1:], -1, 0))


def test_without_strokes_it_is_the_picture_at_once(tmp_path: Path, photo: np.ndarray) -> None:
    """Of 16 bits, so that rounding does not blur the comparison."""
    deep = photo.astype(np.uint16) * np.uint16(257)
    tifffile.imwrite(tmp_path / "scan.tif", deep, compression="zlib", rowsperstrip=7)
    predictor = load_predictor()
    assert colorize_tiles(tmp_path / "scan.tif", tmp_path / "out.tif", predictor=predictor) == (1000, 1300)
    found = tifffile.imread(tmp_path / "out.tif")
    whole = pipeline.colorize(read_image(tmp_path / "scan.tif"), predictor=predictor).to_rgb()
    distance = off(found, whole)
    sys.stdout.write(f"{distance.mean():.4f} on average, at most {distance.max():.3f}")
    assert distance.mean() < 0.05
    assert distance.max() < 1
    assert np.abs(rgb_to_lab(found)[..., 0] - rgb_to_lab(np.dstack([deep] * 3))[..., 0]).max() <= 0.01


@pytest.mark.parametrize("strokes", [False, True])
def test_there_are_no_seams(tmp_path: Path, photo: np.ndarray, strokes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tiles, the same picture: to the bit, so no border shows."""
    write_image(tmp_path / "scan.png", photo)
    given = {"scribbles": STROKE} if strokes else {"predictor": load_predictor()}
    colorize_tiles(tmp_path / "scan.png", tmp_path / "a.png", method="hybrid", **given)
    monkeypatch.setattr(tiles, "TILE", 176)
    colorize_tiles(tmp_path / "scan.png", tmp_path / "b.png", method="hybrid", **given)
    a, b = (np.asarray(Image.open(tmp_path / name)) for name in ("a.png", "b.png"))
    assert np.abs(a.astype(int) - b).max() <= 1
    assert off(a, b).max() < 1


def test_strokes_keep_their_colour_and_spread_as_at_once(tmp_path: Path, photo: np.ndarray) -> None:
    write_image(tmp_path / "scan.png", photo)
    colorize_tiles(tmp_path / "scan.png", tmp_path / "out.png", scribbles=STROKE, method="optimization")
    found = np.asarray(Image.open(tmp_path / "out.png"))
    result = pipeline.colorize(read_image(tmp_path / "scan.png"), scribbles=STROKE, method="optimization")
    whole = result.to_rgb()
    assert off(found, whole)[tuple(STROKE.coords.T)].max() < 1
    assert off(found, whole).mean() < 3  # one colour everywhere: of about 40


def test_a_soft_stroke_holds_as_firmly_as_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between hard strokes of other colours; its weight has to go by the small picture's size."""
    monkeypatch.setattr(tiles, "SMALL", 10_000)
    gray = data.camera()
    write_image(tmp_path / "scan.png", gray)
    square = np.argwhere(np.ones((12, 12)))
    soft = (100, 230)
    places = {soft: (0, -60), (60, 60): (60, 40), (60, 400): (-40, 40), (400, 300): (30, -30)}
    scribbles = Seeds.of(
        np.concatenate([square + place for place in places]),
        np.repeat(list(places.values()), len(square), axis=0),
        weight=np.repeat([weight_of(0.5, gray.shape), *[np.inf] * 3], len(square)),
        stroke=np.repeat(range(4), len(square)),
    )
    whole = pipeline.colorize(read_image(tmp_path / "scan.png"), scribbles=scribbles, method="optimization").chroma
    with open_bands(tmp_path / "scan.png") as bands:
        fit = colorize_bands(bands, scribbles=scribbles, method="optimization").fit
    found = fit.at(read_image(tmp_path / "scan.png").luminance, np.s_[0:512, 0:512], gray.shape)
    inside = np.s_[soft[0] : soft[0] + 12, soft[1] : soft[1] + 12]
    assert np.hypot(*(found[inside] - whole[inside]).mean(axis=(0, 1))) < 15  # 43 with the large picture's weight


@pytest.mark.parametrize("kind", ["strips", "tiles", "plain", "big-endian", "rgb", "rgba 16", "lzw", "turned", "jpeg"])
def test_bands_are_the_picture(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    gray, path = rng.integers(0, 256, (300, 210), np.uint8), tmp_path / "a.tif"
    deep = rng.integers(0, 65536, (300, 210, 4), np.uint16)
    match kind:
        case "strips":
            tifffile.imwrite(path, gray, compression="zlib", rowsperstrip=11)
        case "tiles":
            tifffile.imwrite(path, gray.astype(np.uint16) * 257, compression="zlib", tile=(64, 48))
        case "plain":
            tifffile.imwrite(path, gray)
        case "big-endian":
            tifffile.imwrite(path, deep[..., 0], byteorder=">")
        case "rgb":
            tifffile.imwrite(path, deep[..., :3].astype(np.uint8), photometric="rgb", tile=(32, 32), compression="zlib")
        case "rgba 16":
            tifffile.imwrite(path, deep, photometric="rgb", extrasamples=["unassalpha"], compression="zlib",
                             rowsperstrip=16, predictor=2)  # fmt: skip
        case "lzw":
            Image.fromarray(gray).save(path, compression="tiff_lzw")
        case "turned":
            tifffile.imwrite(path, gray, extratags=[(274, "H", 1, 6, True)])
        case _:
            Image.fromarray(gray).save(path, "JPEG")
    whole = read_image(path)
    with open_bands(path) as bands:
        assert bands.shape == whole.shape
        for top, bottom in ((0, 40), (33, 170), (whole.shape[0] - 1, whole.shape[0])):
            band = bands.read(top, bottom)
            assert band.bit_depth == whole.bit_depth
            np.testing.assert_allclose(band.luminance, whole.luminance[top:bottom], atol=1e-4)
            if whole.alpha is not None:
                assert np.array_equal(band.alpha, whole.alpha[top:bottom])


def test_the_small_picture_is_the_average(tmp_path: Path, photo: np.ndarray) -> None:
    write_image(tmp_path / "scan.png", photo)
    with open_bands(tmp_path / "scan.png") as bands:
        small = tiles._shrunk(bands, tiles._small_shape(bands.shape, None), lambda done, of: None)
    expected = resample(read_image(tmp_path / "scan.png").luminance, small.shape)
    assert small.shape == (392, 510)
    np.testing.assert_allclose(small.luminance, expected, atol=0.01)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif", ".png", ".jpg", ".zarr"])
@pytest.mark.parametrize("bits", [8, 16])
def test_formats_alpha_and_notes(tmp_path: Path, suffix: str, bits: int) -> None:
    rng = np.random.default_rng(1)
    top = (1 << bits) - 1
    pixels = rng.integers(0, top, (40, 600, 2)).astype(f"u{bits // 8}")
    alpha = suffix in (".tif", ".ome.tif", ".png")
    write_image(tmp_path / "in.png", pixels[..., 0], alpha=pixels[..., 1] if alpha else None)
    target = tmp_path / f"out{suffix}"
    stroke = Seeds.of([[5, 550]], (20, 30))
    colorize_tiles(tmp_path / "in.png", target, scribbles=stroke, method="optimization")
    found = read_image(target)
    assert found.chroma is not None
    assert found.bit_depth == (8 if suffix == ".jpg" else bits)
    assert np.array_equal(found.alpha, pixels[..., 1]) if alpha else found.alpha is None
    assert ["in.png", target.name] == sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(ImageError, match="exists"):
        colorize_tiles(tmp_path / "in.png", target, scribbles=stroke)


def test_what_cannot_be_done_is_told_and_leaves_nothing(tmp_path: Path, photo: np.ndarray) -> None:
    write_image(tmp_path / "scan.png", photo)
    tifffile.imwrite(tmp_path / "cut.tif", photo, compression="zlib", rowsperstrip=10)
    content = bytearray((tmp_path / "cut.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "cut.tif") as file:
        at = file.pages[0].dataoffsets[-1]
    content[at : at + 200] = bytes(200)
    (tmp_path / "cut.tif").write_bytes(content)
    out = tmp_path / "out.tif"
    with pytest.raises(MethodError, match="more than a tile"):
        colorize_tiles(tmp_path / "scan.png", out, scribbles=STROKE, finish="tone")
    with pytest.raises(TooLargeError, match="over the limit"):
        colorize_tiles(tmp_path / "scan.png", out, scribbles=STROKE, max_pixels=1000)
    with pytest.raises(ImageError, match=r"cut\.tif: it is damaged"):
        colorize_tiles(tmp_path / "cut.tif", out, scribbles=STROKE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.tif", "scan.png"]


def test_the_command_line(run, tmp_path: Path, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself for large pictures, else if asked; what can be done neither way is told before memory runs out."""
    scan, out = tmp_path / "scan.png", tmp_path / "out.tif"
    write_image(scan, photo)
    write_seeds(tmp_path / "s.json", STROKE, read_image(scan))
    assert "by tiles" not in run("colorize", scan, "-o", out)[1]
    assert "by tiles" in run("colorize", scan, "-o", out, "--tiles", "--overwrite")[1]
    seeded = ("--seeds", tmp_path / "s.json", "--model", "none", "--overwrite")
    assert "by tiles" in run("colorize", scan, "-o", out, "--tiles", *seeded)[1]
    monkeypatch.setattr(tiles, "TILES_FROM", 1_000_000)
    assert "by tiles" in run("colorize", scan, "-o", out, "--overwrite")[1]
    for other in (("--method", "optimization"), ("--model", "lineart")):  # would be coloured otherwise
        assert "by tiles" not in run("colorize", scan, "-o", out, "--overwrite", *other)[1]
    assert "by tiles" not in run("colorize", scan, "-o", out, *seeded)[1]
    code, _, err = run("colorize", scan, "-o", tmp_path / "new.tif", "--tiles", "--finish", "tone")
    assert (code, "--tiles does not go with --finish tone" in err) == (2, True)
    code, _, err = run("colorize", scan, "-o", tmp_path / "new.tif", "--max-pixels", "5000")
    assert (code, "over the limit of 5000" in err) == (2, True)
    monkeypatch.setattr(tiles, "pixels_in_memory", lambda scribbles: 100_000)
    assert "by tiles" in run("colorize", scan, "-o", out, *seeded)[1]
    for options in (("--no-tiles",), ("--finish", "tone"), ("--save-seeds", tmp_path / "used.json"), ("--tint", "0.5")):
        code, _, err = run("colorize", scan, "-o", tmp_path / "new.tif", *options)
        assert (code, "free memory" in err, len(err.strip().splitlines())) == (2, True, 1)
    assert not (tmp_path / "new.tif").exists()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_ink_on_nothing_is_a_drawing_on_paper_by_tiles_too(tmp_path: Path, suffix: str) -> None:
    ink = np.zeros((1200, 1300, 4), np.uint8)
    ink[100:110, :, 3] = ink[:, 300:310, 3] = ink[1100:1110, :, 3] = 255
    Image.fromarray(ink).save(tmp_path / f"ink{suffix}")
    settings = {"scribbles": STROKE, "method": "optimization", "finish": "paint"}
    colorize_tiles(tmp_path / f"ink{suffix}", tmp_path / "out.png", **settings)
    found = np.asarray(Image.open(tmp_path / "out.png"))
    assert found.shape == (1200, 1300, 3)
    assert (found[105, 600] == 0).all()
    assert found[50].mean() > 150
    with open_bands(tmp_path / f"ink{suffix}") as bands:
        np.testing.assert_array_equal(
            bands.read(90, 120).luminance, read_image(tmp_path / f"ink{suffix}").luminance[90:120]
        )


def test_painted_pixels_of_a_drawing_keep_their_very_colour_by_tiles(tmp_path: Path) -> None:
    page = np.full((1100, 1200), 255, np.uint8)
    page[500:503] = 0
    Image.fromarray(page).save(tmp_path / "page.png")
    marked = np.repeat(page[..., None], 3, axis=2)
    marked[100:104, 100:500], marked[90:130, 600:900] = (60, 10, 10), (250, 200, 200)
    marked[110, 650:850] = (20, 90, 30)
    Image.fromarray(marked).save(tmp_path / "marked.png")
    drawn = read_seeds(tmp_path / "marked.png", read_image(tmp_path / "page.png"))
    colorize_tiles(tmp_path / "page.png", tmp_path / "out.png", scribbles=drawn, method="lineart", finish="paint")
    place = tuple(drawn.coords.T)
    found = np.asarray(Image.open(tmp_path / "out.png"))[place].astype(int)
    assert np.abs(found - marked[place]).max() <= 3
