"""Damaged files of every format: an `ImageError` or a picture, and not a word on any stream."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data

from hybridcolor.errors import ImageError
from hybridcolor.icc import srgb_profile
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.metadata import Metadata

RNG = np.random.default_rng(11)
ROUNDS = 65  # of every file, 2,000 in all; 50,000 were run by hand


def sources(folder: Path) -> list[Path]:
    """A small file of every format and main kind."""
    small, deep = (
        np.ascontiguousarray(data.astronaut()[160:288:8, 180:333:9]),
        RNG.integers(0, 65536, (9, 10, 4), np.uint16),
    )
    image, gray = Image.fromarray(small), Image.fromarray(small[..., 0])
    image.save(folder / "rgb.png")
    image.quantize(9).save(folder / "palette.png")
    gray.convert("1").save(folder / "bilevel.png")
    (folder / "deep.png").write_bytes(cv2.imencode(".png", deep)[1].tobytes())
    image.save(folder / "rgb.jpg")
    image.save(folder / "progressive.jpg", progressive=True)
    image.convert("CMYK").save(folder / "cmyk.jpg")
    image.save(folder / "rgb.bmp")
    image.quantize(9).save(folder / "palette.bmp")
    image.save(folder / "lossy.webp")
    image.save(folder / "lossless.webp", lossless=True)
    tifffile.imwrite(folder / "plain.tif", deep, photometric="rgb", extrasamples=["unassalpha"], metadata=None)
    tifffile.imwrite(folder / "deflate.tif", small, photometric="rgb", compression="zlib", tile=(16, 16))
    tifffile.imwrite(folder / "strips.tif", small[..., 0], compression="zlib", rowsperstrip=3)
    image.save(folder / "lzw.tif", compression="tiff_lzw")
    image.save(folder / "jpeg.tif", compression="jpeg")
    image.quantize(9).save(folder / "palette.tif")
    image.save(folder / "packbits.tif", compression="packbits")
    gray.convert("1").save(folder / "fax.tif", compression="group4")
    lzw = cv2.imencode(".tiff", deep[..., :3], [cv2.IMWRITE_TIFF_COMPRESSION, 5])[1]
    (folder / "lzw16.tif").write_bytes(lzw.tobytes())
    tifffile.imwrite(
        folder / "big.tif", deep[..., 0], bigtiff=True, photometric="minisblack", iccprofile=srgb_profile()
    )
    tifffile.imwrite(folder / "lab.tif", small, photometric="cielab")
    tifffile.imwrite(folder / "inks.tif", deep, photometric="separated", compression="zlib")
    image.quantize(9).save(folder / "palette.gif", transparency=2)
    gray.save(folder / "steps.gif", save_all=True, append_images=[gray.rotate(90)])
    image.save(folder / "rgb.avif", exif=Metadata(dpi=(300, 300), author="Nobody", location={1: "N"}).to_exif())
    write_image(folder / "notes.png", small, metadata=Metadata(dpi=(300, 300), author="Nobody", location={1: "N"}))
    write_image(folder / "colour.dcm", small, metadata=Metadata(description="A note."))
    write_image(folder / "gray.dcm", small[..., 0])
    write_image(folder / "slice.nii", small)
    write_image(folder / "slice.nii.gz", small[..., 0])
    return sorted(folder.iterdir())


def damage(content: bytes, rng: np.random.Generator) -> bytes:
    """Change, drop, double or cut a few bytes, rather near the start, where the headers are."""
    spoiled = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        at = int(len(spoiled) * rng.random() ** rng.integers(1, 4))
        length = int(rng.integers(1, 5))
        match rng.integers(5):
            case 0:
                spoiled[at : at + length] = rng.bytes(length)
            case 1:
                spoiled[at : at + length] = rng.choice([b"\0", b"\xff", b"\x7f"]) * length
            case 2:
                del spoiled[at : at + length]
            case 3:
                spoiled[at:at] = spoiled[at : at + length]
            case _:
                if rng.random() < 0.2:
                    del spoiled[at:]
                elif at < len(spoiled):
                    spoiled[at] ^= 1 << int(rng.integers(8))
    return bytes(spoiled)


def test_only_image_errors_leave(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Warnings are errors here, so one that gets out fails the test too."""
    (tmp_path / "whole").mkdir()
    damaged = tmp_path / "damaged"
    lines, pictures = [], 0
    for path in sources(tmp_path / "whole"):
        content = path.read_bytes()
        rng = np.random.default_rng(len(content))
        for _ in range(ROUNDS):
            damaged.write_bytes(damage(content, rng))
            try:
                read_image(damaged, max_pixels=10_000_000)
                pictures += 1
            except ImageError as error:
                lines.append(str(error))
    assert pictures > 20
    assert len(lines) > 200
    assert not [line for line in lines if "\n" in line]
    assert capfd.readouterr() == ("", "")


def test_a_torn_file_is_never_half_a_picture(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Cut every kind of file at many places: it is refused, or not a pixel is missing."""
    torn = tmp_path / "torn"
    (tmp_path / "whole").mkdir()
    refusals = 0
    for path in sources(tmp_path / "whole"):
        picture, content = read_image(path), path.read_bytes()
        whole = picture.to_rgb(picture.chroma)
        for length in {*range(0, len(content), max(1, len(content) // 25)), *range(len(content) - 12, len(content))}:
            torn.write_bytes(content[:length])
            try:
                picture = read_image(torn)
            except ImageError:
                refusals += 1
            else:
                assert np.array_equal(picture.to_rgb(picture.chroma), whole), (path.name, length, len(content))
    assert refusals > 300
    assert capfd.readouterr() == ("", "")


def test_nothing_is_printed_where_no_test_listens(tmp_path: Path) -> None:
    """Logging, which pytest takes for itself, included."""
    (tmp_path / "whole").mkdir()
    rng = np.random.default_rng(5)
    for path in sources(tmp_path / "whole"):
        content = path.read_bytes()
        for i in range(10 if path.suffix == ".tif" else 2):
            (tmp_path / f"{i}{path.name}").write_bytes(damage(content, rng))
    script = """
import pathlib, sys
from hybridcolor.errors import ImageError
from hybridcolor.icc import srgb_profile
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.metadata import Metadata
for path in pathlib.Path(sys.argv[1]).glob("*.*"):
    try:
        read_image(path, max_pixels=10_000_000)
    except ImageError:
        pass
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
