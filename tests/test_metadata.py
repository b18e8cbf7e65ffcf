"""What is kept of a file beside its pixels, as Pillow and tifffile read it back; a photo's place only if asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, PngImagePlugin

from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.metadata import Metadata

GRAY = np.arange(12 * 20, dtype=np.uint8).reshape(12, 20)
WORDS = {
    ExifTags.Base.ImageDescription: "Bridge at Köln, Südseite",
    ExifTags.Base.Artist: "A. Nobody",
    ExifTags.Base.Copyright: "© 1911 Archive",
    ExifTags.Base.DateTime: "1999:01:02 03:04:05",
}
GPS = {1: "N", 2: (50.0, 56.0, 28.0), 3: "E", 4: (6.0, 57.0, 57.0)}


def exif(*, gps: bool = True, orientation: int = 1) -> Image.Exif:
    block = Image.Exif()
    for tag, text in WORDS.items():
        block[tag] = text.encode()
    block[ExifTags.Base.Orientation] = orientation
    block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "1911:05:06 07:08:09"
    if gps:
        block.get_ifd(ExifTags.IFD.GPSInfo).update(GPS)
    return block


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("target", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize(("orientation", "dpi"), [(1, (300, 600)), (6, (600, 300))])  # 6 exchanges the sides
def test_from_file_to_file(
    tmp_path: Path, suffix: str, target: str, keep: bool, orientation: int, dpi: tuple[int, int]
) -> None:
    source, copy = tmp_path / f"in{suffix}", tmp_path / f"out{target}"
    Image.fromarray(GRAY).save(source, exif=exif(orientation=orientation), dpi=(300, 600))
    picture = read_image(source)
    metadata = picture.metadata
    assert metadata.description == "Bridge at Köln, Südseite"
    assert metadata.author == "A. Nobody"
    assert metadata.copyright == "© 1911 Archive"
    assert metadata.date == ("1999:01:02 03:04:05" if suffix == ".tif" else "1911:05:06 07:08:09")
    if suffix != ".webp":
        assert metadata.dpi == pytest.approx(dpi, abs=0.1)
    assert metadata.location.get(2) == (None if suffix == ".tif" else (50, 56, 28))  # Pillow writes none into TIFF
    write_image(copy, picture.to_rgb(), metadata=metadata, keep_private=keep)
    again = read_image(copy).metadata
    assert (again.description, again.author, again.copyright, again.date) == (
        *(metadata.description, metadata.author, metadata.copyright, metadata.date),
    )
    assert again.dpi == (None if metadata.dpi is None else pytest.approx(metadata.dpi, abs=0.1))
    with Image.open(copy) as image:
        place = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        assert bool(place) == (keep and ".tif" not in (suffix, target))
        if place:
            assert place[2] == (50, 56, 28)
        if metadata.dpi is not None and target != ".webp":
            assert image.info["dpi"] == pytest.approx(dpi, abs=0.1)
        assert image.size == picture.shape[::-1]
        assert ExifTags.Base.Orientation not in image.getexif() or image.getexif()[ExifTags.Base.Orientation] == 1


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_turned_pictures_exchange_their_resolutions(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(GRAY).save(tmp_path / f"in{suffix}", exif=exif(orientation=6), dpi=(300, 600))
    picture = read_image(tmp_path / f"in{suffix}")
    assert picture.shape == (20, 12)
    assert picture.metadata.dpi == pytest.approx((600, 300), abs=0.1)


def test_text_chunks_of_png(tmp_path: Path) -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", "A. Nobody")
    notes.add_itxt("Description", "Brücke", zip=True)
    Image.fromarray(GRAY).save(tmp_path / "in.png", pnginfo=notes)
    metadata = read_image(tmp_path / "in.png").metadata
    assert (metadata.author, metadata.description) == ("A. Nobody", "Brücke")


def test_notes_of_programs_are_not_descriptions(tmp_path: Path) -> None:
    for number, options in enumerate(({"imagej": True}, {"ome": True}, {})):  # the last: tifffile's own JSON
        tifffile.imwrite(tmp_path / f"{number}.tif", GRAY, photometric="minisblack", **options)
        assert read_image(tmp_path / f"{number}.tif").metadata.description == ""


def test_a_file_that_says_nothing(tmp_path: Path) -> None:
    for suffix in (".png", ".tif", ".jpg", ".webp"):
        write_image(tmp_path / f"out{suffix}", GRAY)
        assert read_image(tmp_path / f"out{suffix}").metadata == Metadata()


def test_odd_notes_are_made_one_line_and_bounded(tmp_path: Path) -> None:
    block = Image.Exif()
    block[ExifTags.Base.Artist] = "a\nb\x07c" + "x" * 10_000
    block[ExifTags.Base.XResolution], block[ExifTags.Base.YResolution] = 0, 1e9
    Image.fromarray(GRAY).save(tmp_path / "in.png", exif=block)
    metadata = read_image(tmp_path / "in.png").metadata
    assert metadata.author.startswith("a b cx")
    assert len(metadata.author) == 4096
    assert metadata.dpi is None


def test_a_resolution_beyond_what_jpeg_counts_is_in_its_exif(tmp_path: Path) -> None:
    Image.fromarray(GRAY).save(tmp_path / "in.tif", dpi=(84667, 84667))
    picture = read_image(tmp_path / "in.tif")
    write_image(tmp_path / "out.jpg", picture.to_rgb(), metadata=picture.metadata)
    assert read_image(tmp_path / "out.jpg").metadata.dpi == pytest.approx((84667, 84667), rel=1e-3)
