"""TIFF as scanners, cameras and older programs write it: odd depths, predictors, colours after the first page."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import open_bands, read_image


def raw_tiff(rows: bytes, size: tuple[int, int], bits: int, **tags: int) -> bytes:
    """One strip of gray, put together by hand."""
    values = {256: size[0], 257: size[1], 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: size[1], 279: len(rows)}
    values |= {int(tag[1:]): value for tag, value in tags.items()}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(values.items()))
    start = 8 + len(rows) + len(rows) % 2
    directory = struct.pack("<H", len(values)) + entries + bytes(4)
    return struct.pack("<2sHI", b"II", 42, start) + rows + bytes(len(rows) % 2) + directory


def packed(values: np.ndarray, bits: int) -> bytes:
    """Rows of numbers of so many bits, high bit first."""
    shifts = np.arange(bits - 1, -1, -1)
    return np.packbits((values[..., None] >> shifts & 1).astype(np.uint8).reshape(len(values), -1), axis=1).tobytes()


@pytest.mark.parametrize(("bits", "negative"), [(2, False), (2, True), (4, False), (4, True), (12, False)])
def test_odd_depths_fill_the_range(tmp_path: Path, bits: int, negative: bool) -> None:
    values = np.random.default_rng(2).integers(0, 1 << bits, (10, 16))
    values[0, :2] = 0, (1 << bits) - 1
    (tmp_path / "odd.tif").write_bytes(raw_tiff(packed(values, bits), (16, 10), bits, t262=0 if negative else 1))
    shown = (1 << bits) - 1 - values if negative else values
    picture = read_image(tmp_path / "odd.tif")
    top = 65535 if picture.bit_depth == 16 else 255
    assert picture.bit_depth == (16 if bits == 12 else 8)
    assert np.abs(picture.to_rgb()[..., 0] - shown / ((1 << bits) - 1) * top).max() <= 1


@pytest.mark.parametrize("bits", [6, 10, 14])
def test_other_depths_are_refused(tmp_path: Path, bits: int) -> None:
    values = np.random.default_rng(2).integers(0, 1 << bits, (10, 16))
    (tmp_path / "odd.tif").write_bytes(raw_tiff(packed(values, bits), (16, 10), bits))
    with pytest.raises(ImageError, match=f"{bits}-bit pixels cannot be read; save it with 8 or 16 bits"):
        read_image(tmp_path / "odd.tif")


OME = '<OME><Image><Pixels SignificantBits="{}"/></Image></OME>'


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite", "rgb"])
@pytest.mark.parametrize(
    "said",
    [
        {"extratags": [(281, "H", 1, 4095, True)]},  # MaxSampleValue
        {"extratags": [(341, "f", 1, 4095.0, True)]},  # SMaxSampleValue
        {"description": OME.format(12)},
        {"description": "ImageJ=1.54f\nimages=1\nmin=0.0\nmax=4095.0\n"},
    ],
    ids=["tag", "float tag", "OME", "ImageJ"],
)
def test_bits_that_a_file_says_are_in_use_fill_the_range(
    tmp_path: Path, photometric: str, said: dict[str, Any]
) -> None:
    """As scanners and cameras of 12 bits write them: in 16."""
    values = np.random.default_rng(2).integers(0, 4000, (40, 30, 3) if photometric == "rgb" else (40, 30, 1))
    path = tmp_path / "12.tif"
    tifffile.imwrite(path, values.astype(np.uint16).squeeze(), photometric=photometric, metadata=None, **said)
    shown = 4095 - values if photometric == "miniswhite" else values
    picture = read_image(path)
    assert picture.bit_depth == 16
    assert np.abs(picture.to_rgb(picture.chroma) - shown / 4095 * 65535).max() <= 1
    with open_bands(path) as bands:
        assert np.abs(bands.read(10, 30).luminance - picture.luminance[10:30]).max() < 1e-4


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"extratags": [(281, "H", 1, 2047, True)]},  # which is not true
        {"extratags": [(281, "H", 1, 3999, True)]},  # what happens to be there
        {"description": OME.format(16)},
        {"description": "ImageJ=1.54f\nimages=1\nmin=100.0\nmax=4095.0\n"},  # how it was looked at
    ],
)
def test_numbers_of_which_nothing_is_said_stay(tmp_path: Path, said: dict[str, Any]) -> None:
    values = np.random.default_rng(2).integers(0, 4000, (40, 30)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "12.tif", values, metadata=None, **said)
    assert np.abs(read_image(tmp_path / "12.tif").to_rgb()[..., 0] - values.astype(int)).max() <= 1


def test_the_thumbnail_of_a_raw_file_is_not_the_picture(tmp_path: Path) -> None:
    """DNG and others begin with a small copy; what the camera saw lies in another directory."""
    gray = np.full((40, 60), 90, np.uint8)
    with tifffile.TiffWriter(tmp_path / "raw.dng") as file:
        file.write(gray[::4, ::4], subfiletype=1, subifds=1, metadata=None)
        file.write(gray, metadata=None)
    with pytest.raises(ImageError, match=r"only the thumbnail .* as in camera raw; convert it to TIFF or PNG first"):
        read_image(tmp_path / "raw.dng")
    with tifffile.TiffWriter(tmp_path / "pyramid.tif") as file:
        file.write(gray, subifds=1, metadata=None)
        file.write(gray[::2, ::2], subfiletype=1, metadata=None)
    assert read_image(tmp_path / "pyramid.tif").shape == gray.shape


@pytest.mark.parametrize("predictor", [True, 3])
@pytest.mark.parametrize("channels", [1, 3])
def test_floats_by_other_programs(tmp_path: Path, predictor: int, channels: int) -> None:
    """libtiff, by OpenCV, packs floats by LZW with a predictor."""
    values = np.random.default_rng(2).random((20, 30, channels)).astype(np.float32)
    flags = [cv2.IMWRITE_TIFF_COMPRESSION, 5, cv2.IMWRITE_TIFF_PREDICTOR, 3 if predictor == 3 else 1]
    assert cv2.imwrite(str(tmp_path / "float.tif"), values[..., ::-1], flags)
    picture = read_image(tmp_path / "float.tif")
    found = picture.to_rgb(picture.chroma)[..., :channels]
    assert np.abs(found - values * 65535.0).max() < 1.1


def test_frames_of_gif_and_webp(tmp_path: Path) -> None:
    steps = [Image.fromarray(np.full((8, 9, 3), level, np.uint8)) for level in (10, 100, 200)]
    for suffix, options in ((".gif", {}), (".webp", {"lossless": True})):
        path = tmp_path / f"steps{suffix}"
        steps[0].save(path, save_all=True, append_images=steps[1:], duration=100, **options)
        for number, level in enumerate((10, 100, 200)):
            assert (read_image(path, frame=number).to_rgb() == level).all()
        for frame in (3, -1):
            with pytest.raises(ImageError, match="holds 3"):
                read_image(path, frame=frame)


def test_pages_differ_in_all(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    gray, colour = (
        np.random.default_rng(2).integers(0, 65536, (7, 9), np.uint16),
        np.random.default_rng(2).integers(0, 256, (12, 5, 3), np.uint8),
    )
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        writer.write(gray, photometric="minisblack", description="first", metadata=None)
        writer.write(colour, photometric="rgb", description="second", metadata=None, resolution=(300, 300))
    first, second = read_image(path), read_image(path, frame=1)
    assert (first.bit_depth, second.bit_depth) == (16, 8)
    assert np.array_equal(first.to_rgb()[..., 0], gray)
    assert np.array_equal(second.to_rgb(second.chroma), colour)
    assert (first.metadata.description, second.metadata.description) == ("first", "second")
    assert second.metadata.dpi is not None


def test_what_would_lose_depth_is_refused(tmp_path: Path) -> None:
    """Deep pixels that only Pillow reads, which has 8 bits for them."""
    path = tmp_path / "inks.tif"
    tifffile.imwrite(
        path, np.random.default_rng(2).integers(0, 65536, (8, 8, 4), np.uint16), photometric="separated", metadata=None
    )
    Image.new("CMYK", (8, 8)).save(tmp_path / "lzw.tif", compression="tiff_lzw")
    assert read_image(path).bit_depth == 16
    assert read_image(tmp_path / "lzw.tif").bit_depth == 8
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages[0].tags["Compression"].overwrite(5)
    with pytest.raises(ImageError):
        read_image(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e38])
def test_floats_that_are_no_lab_colours(tmp_path: Path, value: float) -> None:
    lab = np.full((8, 8, 3), 30, np.float32)
    tifffile.imwrite(tmp_path / "lab.tif", lab, photometric="cielab", metadata=None)
    assert np.abs(read_image(tmp_path / "lab.tif").luminance - 30).max() < 2  # D65 for D50 moves it a little
    lab[3, 4, 1] = value
    tifffile.imwrite(tmp_path / "lab.tif", lab, photometric="cielab", metadata=None)
    with pytest.raises(ImageError, match="finite"):
        read_image(tmp_path / "lab.tif")


@pytest.mark.parametrize("compression", ["tiff_lzw", "zstd"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_white_is_zero_under_compressions_of_libtiff(tmp_path: Path, compression: str, dtype: type) -> None:
    path = tmp_path / "negative.tif"
    stored = np.random.default_rng(2).random((20, 30))
    stored = stored.astype(dtype) if dtype is np.float32 else np.round(stored * np.iinfo(dtype).max).astype(dtype)
    Image.fromarray(stored).save(path, compression=compression)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages[0].tags["PhotometricInterpretation"].overwrite(0)
    top = 1.0 if dtype is np.float32 else float(np.iinfo(dtype).max)
    picture = read_image(path)
    white = 255 if dtype is np.uint8 else 65535
    assert np.abs(picture.to_rgb()[..., 0] - (1 - stored / top) * white).max() < 1


def lzw(data: bytes) -> bytes:
    """Packed as TIFF's LZW, without saving anything: the table is cleared before its codes grow beyond 9 bits."""
    codes = [code for start in range(0, len(data), 250) for code in (256, *data[start : start + 250])]
    return packed(np.array([[*codes, 257]]), 9)


@pytest.mark.parametrize(
    ("dtype", "photometric", "channels", "is_read"),
    [
        (np.uint8, "rgb", 3, True),
        (np.uint8, "separated", 4, True),
        (np.uint8, "cielab", 3, False),
        (np.uint8, "minisblack", 2, False),
        (np.uint16, "rgb", 3, False),
        (np.float32, "rgb", 3, False),
    ],
)
def test_separate_planes_under_compressions_of_libtiff(
    tmp_path: Path, dtype: type, photometric: str, channels: int, is_read: bool
) -> None:
    """What OpenCV and Pillow would mix up is refused, and what is read is what ZIP gives."""
    planes = (np.random.default_rng(2).random((channels, 20, 30)) * (1 if dtype is np.float32 else 200)).astype(dtype)
    kind = {
        "photometric": photometric,
        "planarconfig": "separate",
        "rowsperstrip": 20,
        "metadata": None,
        "extrasamples": ["unassalpha"] if channels == 2 else None,
    }
    tifffile.imwrite(tmp_path / "zip.tif", planes, compression="zlib", **kind)
    strips = iter([lzw(plane.tobytes()) for plane in planes])
    path = tmp_path / "lzw.tif"
    tifffile.imwrite(path, strips, shape=planes.shape, dtype=dtype, compression="zlib", **kind)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages[0].tags["Compression"].overwrite(5)
    if is_read:
        found, expected = read_image(path), read_image(tmp_path / "zip.tif")
        assert np.array_equal(found.to_rgb(found.chroma), expected.to_rgb(expected.chroma))
        return
    with pytest.raises(ImageError, match="separate planes, which are not read with this compression; save it"):
        read_image(path)
