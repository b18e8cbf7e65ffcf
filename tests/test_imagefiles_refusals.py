"""Files that cannot be read, or hold other than they say: one line, and no memory taken."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from hybridcolor.imagefiles import read_image
from tests.pixels import GRAY8, PHOTO, RGB16, png_of, png_rows, refused, rgb_of


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "missing.png")
    assert "no such file" in refused(tmp_path / "no" / "folder.png")
    assert "folder" in refused(tmp_path)
    (tmp_path / "empty.png").touch()
    assert "empty" in refused(tmp_path / "empty.png")
    (tmp_path / "text.png").write_text("I am a text.\n" * 30)
    assert "not a picture" in refused(tmp_path / "text.png")
    Image.fromarray(GRAY8).save(tmp_path / "picture.ppm")
    assert "not a picture" in refused(tmp_path / "picture.ppm")
    refused(tmp_path / "line\nbreak.png")
    assert "no such file" in refused(tmp_path / "zero\0byte.png")
    os.mkfifo(tmp_path / "pipe.png")
    assert "ordinary file" in refused(tmp_path / "pipe.png")


def test_the_name_does_not_matter(tmp_path: Path) -> None:
    Image.fromarray(GRAY8).save(tmp_path / "really.jpg", format="PNG")
    assert np.array_equal(read_image(tmp_path / "really.jpg").to_rgb()[..., 0], GRAY8)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".webp", ".jpg"])
def test_the_size_limit_is_kept_to_the_pixel(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"large{suffix}"
    Image.fromarray(GRAY8).save(path)
    assert read_image(path, max_pixels=GRAY8.size).shape == GRAY8.shape
    assert "limit" in refused(path, max_pixels=GRAY8.size - 1)


def test_files_that_say_little_and_hold_a_lot_are_refused_and_the_other_way_round(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of(2**31 - 1, 2**31 - 1, (8, 0), b""))
    assert "limit" in refused(path)
    path.write_bytes(png_of(14_000, 14_000, (8, 0), b""))
    assert "cut short" in refused(path)
    path.write_bytes(png_of(0, 5, (8, 0), b"\0"))
    assert "no pixels" in refused(path)
    path = tmp_path / "bomb.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8), compression="zlib")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages[0].tags["ImageLength"].overwrite(60_000)
        tiff.pages[0].tags["ImageWidth"].overwrite(60_000)
    assert "limit" in refused(path)
    tifffile.imwrite(path, np.zeros((5000, 5000), np.uint8), compression="zlib", rowsperstrip=5000)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for name in ("ImageLength", "ImageWidth", "RowsPerStrip"):
            tiff.pages[0].tags[name].overwrite(16)
    assert "far more data" in refused(path)


@pytest.mark.parametrize(
    ("pixels", "options", "line"),
    [
        (GRAY8.astype(np.int16), {}, "int16"),
        (GRAY8.astype(np.uint64), {}, "uint64"),
        (GRAY8.astype(np.complex64), {}, "complex64"),
        (np.full((4, 4), np.nan, np.float32), {}, "outside 0..1"),
        (np.zeros((16, 16, 16), np.uint8), {"volumetric": True, "tile": (16, 16, 16)}, "axes"),
    ],
    ids=["int16", "uint64", "complex", "nan", "volume"],
)
def test_tiff_of_another_kind(tmp_path: Path, pixels: np.ndarray, options: dict[str, object], line: str) -> None:
    tifffile.imwrite(tmp_path / "other.tif", pixels, metadata=None, **options)
    assert line in refused(tmp_path / "other.tif")


def test_tiff_of_an_unknown_compression(tmp_path: Path) -> None:
    path = tmp_path / "unknown.tif"
    tifffile.imwrite(path, PHOTO, photometric="rgb", compression="zlib")
    for number, name in ((50002, "JPEGXL"), (31000, "31000")):
        with tifffile.TiffFile(path, mode="r+") as tiff:
            tiff.pages[0].tags["Compression"].overwrite(number)
        assert f"compression ({name})" in refused(path)


def test_pillows_own_limit_does_not_apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our max_pixels is the only limit, and no warning comes from the other."""
    Image.fromarray(GRAY8).save(tmp_path / "picture.jpg")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert read_image(tmp_path / "picture.jpg").shape == GRAY8.shape


def test_a_png_that_closes_well_but_lacks_rows_is_refused(tmp_path: Path) -> None:
    """Pillow paints the missing rows black."""
    path = tmp_path / "short.png"
    full = b"".join(b"\0" + row.tobytes() for row in GRAY8)
    path.write_bytes(png_of(57, 64, (8, 0), full))
    assert np.array_equal(read_image(path).to_rgb()[..., 0], GRAY8)
    path.write_bytes(png_of(57, 64, (8, 0), full[:-1]))
    assert "rows are missing" in refused(path)


def test_a_flipped_bit_in_png_data_is_noticed(tmp_path: Path) -> None:
    """In stored, not compressed, data, where only the sums tell."""
    path = tmp_path / "flipped.png"
    content = bytearray(png_of(57, 64, (8, 0), b"".join(b"\0" + row.tobytes() for row in GRAY8), level=0))
    path.write_bytes(content)
    assert np.array_equal(read_image(path).to_rgb()[..., 0], GRAY8)
    content[len(content) // 2] ^= 16
    path.write_bytes(content)
    assert "damaged in its IDAT part" in refused(path)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("size", [0, 60_000], ids=["strip of nothing", "strip beyond the end"])
def test_a_tiff_with_a_bad_strip_is_refused(tmp_path: Path, compression: str | None, size: int) -> None:
    """Decoders paint a strip of nothing black."""
    path = tmp_path / "lacking.tif"
    tifffile.imwrite(path, GRAY8, rowsperstrip=16, compression=compression, metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        counts = list(tiff.pages[0].databytecounts)
        counts[1] = size
        tiff.pages[0].tags["StripByteCounts"].overwrite(counts)
    assert "pixels are missing" in refused(path)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_tiff_with_too_few_strips_is_refused(tmp_path: Path, compression: str | None) -> None:
    path = tmp_path / "lacking.tif"
    tifffile.imwrite(path, GRAY8, rowsperstrip=16, compression=compression, metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages[0].tags["ImageLength"].overwrite(640)
    assert "pixels are missing" in refused(path)


def test_a_tiff_whose_one_strip_is_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.tif"
    tifffile.imwrite(path, GRAY8, rowsperstrip=64, metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages[0].tags["StripByteCounts"].overwrite(57 * 40)
    with path.open("ab") as file:
        file.write(bytes(10_000))
    assert "fewer pixels" in refused(path)


def test_damaged_side_notes_do_not_cost_the_picture(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A broken colour profile, text and EXIF block, on which libpng and Pillow warn."""
    path = tmp_path / "notes.png"
    notes = [(b"iCCP", b"x\0\0" + zlib.compress(b"rubbish")), (b"eXIf", b"rubbish"), (b"zTXt", b"\0" * 9)]
    path.write_bytes(png_of(45, 31, (16, 2), png_rows(RGB16), *notes))
    assert np.abs(rgb_of(read_image(path)).astype(int) - RGB16).max() <= 1
    Image.fromarray(PHOTO).save(tmp_path / "notes.jpg", exif=b"Exif\0\0II*\0rubbish")
    assert read_image(tmp_path / "notes.jpg").shape == PHOTO.shape[:2]
    assert capfd.readouterr() == ("", "")
