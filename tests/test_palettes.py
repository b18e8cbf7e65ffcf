"""Palettes of other programs: what they hold comes in, and what we write they can read."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL.GimpPaletteFile import GimpPaletteFile

from hybridcolor.errors import SeedError
from hybridcolor.lab import rgb_to_lab
from hybridcolor.palettes import SHOWN_AT, keep_colours, read_colours, read_palette, swatch, write_palette

COLOURS = [(40.0, 20.0), (-35.0, 30.0), (0.0, 0.0), (10.0, -45.0)]


@given(st.tuples(st.floats(-60, 60), st.floats(-60, 60)), st.floats(20, 90))
def test_a_swatch_has_its_hue(ab, luminance):
    shown = rgb_to_lab(np.array(swatch(ab, luminance), np.uint8)[None, None])[0, 0]
    assert abs(shown[0] - luminance) < 1
    if np.hypot(*shown[1:]) > 8:
        assert np.dot(shown[1:], ab) > 0.95 * np.hypot(*shown[1:]) * np.hypot(*ab)


@pytest.mark.parametrize("suffix", [".gpl", ".pal"])
def test_what_is_written_is_read_again(tmp_path, suffix):
    write_palette(tmp_path / f"mine{suffix}", [*COLOURS, (8.0, 12.0, 20.0), (0.0, 0.0, 100.0)])
    *found, dark, white = read_palette(tmp_path / f"mine{suffix}")
    assert np.abs(np.subtract(found, [(*colour, SHOWN_AT) for colour in COLOURS])).max() < 0.7
    assert dark == pytest.approx((8, 12, 20), abs=0.7)
    assert white == pytest.approx((0, 0), abs=0.1)  # as light as can be


def test_pillow_reads_our_gimp_palette(tmp_path):
    write_palette(tmp_path / "mine.gpl", COLOURS, name="two\nlines")
    with (tmp_path / "mine.gpl").open("rb") as file:
        palette, mode = GimpPaletteFile(file).getpalette()
    assert mode == "RGB"
    assert [tuple(palette[3 * i : 3 * i + 3]) for i in range(4)] == [swatch(colour) for colour in COLOURS]


def test_palettes_as_gimp_and_paint_shop_write_them(tmp_path):
    head = "GIMP Palette\nName: Plasma: hot\nColumns: 4\n#\n# a comment\n"
    (tmp_path / "a.gpl").write_text(head + "255   0   0\tred: pure\n  0   0 255\n\n255 0 0 again\n")
    assert np.abs(np.subtract(read_palette(tmp_path / "a.gpl"), [(80.1, 67.2, 53.2), (79.2, -107.9, 32.3)])).max() < 0.1
    aseprites = "\ufeffGIMP Palette\nChannels: RGBA\n#\n255 0 0 255 red\n"
    (tmp_path / "b.gpl").write_text(aseprites, encoding="utf-8")
    assert read_palette(tmp_path / "b.gpl") == read_palette(tmp_path / "a.gpl")[:1]
    (tmp_path / "a.pal").write_bytes(b"JASC-PAL\r\n0100\r\n2\r\n0 255 0\r\n255 255 255\r\n")
    green, white = read_palette(tmp_path / "a.pal")
    assert green == pytest.approx((-86.2, 83.2, 87.7), abs=0.1)
    assert white == pytest.approx((0, 0), abs=0.1)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is no palette"),
        (b"\x89PNG\r\n", "is no palette"),
        (b"GIMP Palette\n", "holds no colour"),
        (b"GIMP Palette\n1 2\n", "three numbers"),
        (b"GIMP Palette\n1 2 300\n", "three numbers"),
        (b"JASC-PAL\n0100\n1\n-1 2 3\n", "three numbers"),
        (b"JASC-PAL\n0100\n1\n" + b"\xff" * 99, "three numbers"),
    ],
)
def test_what_is_no_palette_is_told_in_a_line(tmp_path, content, complaint):
    (tmp_path / "bad.gpl").write_bytes(content)
    with pytest.raises(SeedError, match=complaint) as told:
        read_palette(tmp_path / "bad.gpl")
    assert "\n" not in str(told.value)


def test_files_that_are_not_to_be_had(tmp_path):
    with pytest.raises(SeedError, match="cannot be read"):
        read_palette(tmp_path / "none.gpl")
    with pytest.raises(SeedError, match=r"ends in \.gpl or \.pal"):
        write_palette(tmp_path / "mine.txt", COLOURS)
    with pytest.raises(SeedError, match="cannot be written"):
        write_palette(tmp_path / "no folder" / "mine.gpl", COLOURS)


CHROMA = st.floats(-90, 90)


@given(st.lists(st.tuples(CHROMA, CHROMA) | st.tuples(CHROMA, CHROMA, st.floats(0, 100)), max_size=30))
def test_kept_colours_come_back_to_the_last_digit(tmp_path_factory, colours):
    file = tmp_path_factory.mktemp("kept") / "new" / "recent.json"
    keep_colours(file, colours)
    assert read_colours(file) == tuple(colours)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"colours": 3}',
        '{"colours": [[1]]}',
        '{"colours": [["a", 1]]}',
        '{"colours": [[1e9, 1]]}',
        '{"colours": [[1, 1, 101]]}',
    ],
)
def test_files_that_hold_no_colours(tmp_path, text):
    (tmp_path / "recent.json").write_text(text)
    with pytest.raises(SeedError, match="delete it to begin anew"):
        read_colours(tmp_path / "recent.json")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
@pytest.mark.parametrize("read", [read_palette, read_colours])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path, read):
    os.mkfifo(tmp_path / "pipe.gpl")
    with pytest.raises(SeedError, match="cannot be read"):
        read(tmp_path / "pipe.gpl")
