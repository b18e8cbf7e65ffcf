"""OpenRaster files by the rules of the specification, and what a reader makes of them."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from hybridcolor.cli import app
from hybridcolor.errors import ImageError
from hybridcolor.lab import rgb_to_lab
from hybridcolor.openraster import write_openraster
from hybridcolor.picture import Picture


@pytest.fixture
def drawing():
    gray = np.full((40, 60), 255, np.uint8)
    gray[:, 29:31] = 0
    chroma = np.zeros((40, 60, 2), np.float32)
    chroma[:, :30], chroma[:, 30:] = (45, 30), (-30, 40)
    return Picture.from_array(gray), chroma


def image(archive, name):
    return np.asarray(Image.open(io.BytesIO(archive.read(name))))


def test_the_archive_is_what_the_specification_asks(drawing, tmp_path):
    write_openraster(tmp_path / "page.ora", *drawing)
    raw = (tmp_path / "page.ora").read_bytes()
    assert raw[30:54] == b"mimetypeimage/openraster"  # so that `file` knows it by its first bytes
    with zipfile.ZipFile(tmp_path / "page.ora") as archive:
        assert archive.infolist()[0].compress_type == zipfile.ZIP_STORED
        assert archive.testzip() is None
        root = ET.fromstring(archive.read("stack.xml"))
        assert (root.tag, root.get("w"), root.get("h")) == ("image", "60", "40")
        layers = root.findall("stack/layer")
        assert [layer.get("name") for layer in layers] == ["lines", "colours"]
        assert max(image(archive, "Thumbnails/thumbnail.png").shape) <= 256
        below = np.full((40, 60, 3), 255.0)
        for layer in reversed(layers):
            own = image(archive, layer.get("src")).astype(float)
            below = below * own / 255 if layer.get("composite-op") == "svg:multiply" else own
        assert np.abs(below - image(archive, "mergedimage.png")).max() <= 1


def test_colours_are_flat_and_reach_under_the_lines(drawing, tmp_path):
    write_openraster(tmp_path / "page.ora", *drawing)
    with zipfile.ZipFile(tmp_path / "page.ora") as archive:
        colours, merged = rgb_to_lab(image(archive, "data/colours.png")), image(archive, "mergedimage.png")
    assert np.ptp(colours[:, :30].reshape(-1, 3), axis=0).max() < 0.01
    assert np.abs(colours[0, 29, 1:] - (45, 30)).max() < 2
    assert merged[:, 29:31].max() == 0


def test_the_command_line_writes_one_and_replaces_none(drawing, tmp_path):
    Image.fromarray(drawing[0].to_rgb()).save(tmp_path / "page.png")
    marked = np.zeros((40, 60, 4), np.uint8)
    marked[10:14, 5:20], marked[10:14, 40:55] = (220, 80, 60, 255), (90, 160, 60, 255)
    Image.fromarray(marked).save(tmp_path / "seeds.png")
    args = ["colorize", "page.png", "-o", "page.ora", "--seeds", "seeds.png", "--model", "none", "--method", "lineart"]
    args = [str(tmp_path / arg) if "." in arg else arg for arg in args]
    assert CliRunner().invoke(app, args, catch_exceptions=False).exit_code == 0
    before = (tmp_path / "page.ora").read_bytes()
    with pytest.raises(ImageError, match="exists already"):
        CliRunner().invoke(app, args, catch_exceptions=False)
    CliRunner().invoke(app, [*args, "--overwrite"], catch_exceptions=False)
    assert (tmp_path / "page.ora").read_bytes() == before
    with pytest.raises(ImageError, match="cannot be written"):
        write_openraster(tmp_path / "no" / "page.ora", *drawing)
