"""Layered files, as other programs' libraries read them, and by the rules of the OpenRaster specification."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import BlendMode
from pyora import Project
from typer.testing import CliRunner

from hybridcolor.cli import app
from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import write_image
from hybridcolor.lab import rgb_to_lab
from hybridcolor.layers import drawing_layers, merged, write_layers
from hybridcolor.picture import Picture


@pytest.fixture
def drawing():
    gray = np.full((40, 60), 255, np.uint8)
    gray[:, 29:31] = 0
    chroma = np.zeros((40, 60, 2), np.float32)
    chroma[:, :30], chroma[:, 30:] = (45, 30), (-30, 40)
    return Picture.from_array(gray), chroma


def rgb(image):
    return np.asarray(image.convert("RGB")).astype(int)


def test_the_archive_is_what_the_specification_asks(drawing, tmp_path):
    write_layers(tmp_path / "page.ora", drawing_layers(*drawing))
    assert (tmp_path / "page.ora").read_bytes()[30:54] == b"mimetypeimage/openraster"  # `file` knows it by these
    with zipfile.ZipFile(tmp_path / "page.ora") as archive:
        assert archive.infolist()[0].compress_type == zipfile.ZIP_STORED
        assert archive.testzip() is None
        assert max(Image.open(io.BytesIO(archive.read("Thumbnails/thumbnail.png"))).size) <= 256
        assert Image.open(io.BytesIO(archive.read("mergedimage.png"))).size == (60, 40)


@pytest.mark.parametrize("finish", ["paint", "tone"])
def test_another_reader_of_openraster_finds_the_layers_and_composes_them(drawing, tmp_path, finish):
    layers = drawing_layers(*drawing, finish=finish, tint=0.5)
    write_layers(tmp_path / "page.ora", layers)
    project = Project.load(str(tmp_path / "page.ora"))
    assert project.dimensions == (60, 40)
    found = list(project.children)[::-1]  # the topmost comes first
    for layer, expected in zip(found, layers, strict=True):
        assert (layer.name, layer.composite_op == "svg:multiply") == (expected.name, expected.multiply)
        np.testing.assert_array_equal(rgb(layer.get_image_data()), expected.pixels)
    assert np.abs(rgb(project.get_image_data(use_original=True)) - merged(layers)).max() == 0
    assert np.abs(rgb(project.get_image_data(use_original=False)) - merged(layers)).max() <= len(layers)


def test_photoshop_documents_keep_their_layers(drawing, tmp_path):
    layers = drawing_layers(*drawing, finish="tone")
    write_layers(tmp_path / "page.psd", layers)
    document = PSDImage.open(tmp_path / "page.psd")
    modes = {True: BlendMode.MULTIPLY, False: BlendMode.NORMAL}
    for layer, expected in zip(document, layers, strict=True):
        assert (layer.name, layer.blend_mode) == (expected.name, modes[expected.multiply])
        np.testing.assert_array_equal(rgb(layer.topil()), expected.pixels)
    with Image.open(tmp_path / "page.psd") as seen:  # the merged picture, for programs that know no layers
        assert np.abs(rgb(seen) - merged(layers)).max() <= 2


def test_colours_are_flat_and_reach_under_the_lines(drawing):
    layers = drawing_layers(*drawing)
    colours = rgb_to_lab(layers[0].pixels)
    assert np.ptp(colours[:, :30].reshape(-1, 3), axis=0).max() < 0.01
    assert np.abs(colours[0, 29, 1:] - (45, 30)).max() < 2
    assert merged(layers)[:, 29:31].max() == 0
    tinted = rgb_to_lab(merged(drawing_layers(*drawing, tint=1)))[0, 29]
    assert 0 < tinted[0] < colours[0, 29, 0] / 2
    assert tinted[1] / tinted[2] == pytest.approx(45 / 30, rel=0.2)


@pytest.mark.parametrize("suffix", [".ora", ".psd"])
def test_the_command_line_writes_one_and_replaces_none(drawing, tmp_path, suffix):
    Image.fromarray(drawing[0].to_rgb()).save(tmp_path / "page.png")
    marked = np.zeros((40, 60, 4), np.uint8)
    marked[10:14, 5:20], marked[10:14, 40:55] = (220, 80, 60, 255), (90, 160, 60, 255)
    Image.fromarray(marked).save(tmp_path / "seeds.png")
    args = ["page.png", "-o", f"page{suffix}", "--seeds", "seeds.png", "--model", "none", "--method", "lineart"]
    args = ["colorize", *(str(tmp_path / arg) if "." in arg else arg for arg in args)]
    assert CliRunner().invoke(app, args, catch_exceptions=False).exit_code == 0
    before = (tmp_path / f"page{suffix}").read_bytes()
    with pytest.raises(ImageError, match="exists already"):
        CliRunner().invoke(app, args, catch_exceptions=False)
    CliRunner().invoke(app, [*args, "--overwrite"], catch_exceptions=False)
    assert (tmp_path / f"page{suffix}").read_bytes() == before
    with pytest.raises(ImageError, match="cannot be written"):
        write_layers(tmp_path / "no" / f"page{suffix}", drawing_layers(*drawing))


@pytest.mark.parametrize("name", ["PAGE.ORA", "Page.Psd"])
def test_endings_may_be_in_capitals(run, drawing, tmp_path, name):
    write_image(tmp_path / "page.png", drawing[0].to_rgb())
    marked = np.repeat(drawing[0].to_rgb()[..., :1], 3, axis=2)
    marked[5:9, 5:15] = (220, 60, 60)
    write_image(tmp_path / "marked.png", marked)
    words = ("--model", "none", "--method", "lineart", "--seeds", tmp_path / "marked.png", "-o", tmp_path / name)
    code, _, err = run("colorize", tmp_path / "page.png", *words)
    assert (code, err) == (0, "")
    assert (tmp_path / name).read_bytes()[:4] == (b"8BPS" if "P" in name[-3:] else b"PK\x03\x04")


def test_what_is_transparent_is_white_paper(tmp_path):
    from hybridcolor.pipeline import colorize, write_colorization
    from hybridcolor.seeds import Seeds

    figure = np.zeros((40, 60, 4), np.uint8)
    figure[5:35, 10:50] = (0, 0, 0, 255)
    figure[8:32, 13:47] = (255, 255, 255, 255)
    result = colorize(Picture.from_array(figure), scribbles=Seeds.of([[20, 30]], (45, 30)), method="lineart")
    write_colorization(tmp_path / "figure.ora", result)
    colours, lines = (
        rgb(layer.get_image_data()) for layer in list(Project.load(str(tmp_path / "figure.ora")).children)[::-1]
    )
    outside = figure[..., 3] == 0
    assert (colours[outside] == 255).all()
    assert (lines[outside] == 255).all()
    assert (colours[20, 20] != 255).any()
