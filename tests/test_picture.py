"""Pictures and their files, checked with the reader that did not write: Pillow, tifffile and OpenCV in turn."""

from __future__ import annotations

import os
import struct
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import hypothesis.extra.numpy as npst
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from hybridcolor import encoding, imagefiles
from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import WRITABLE_SUFFIXES, read_image, write_image
from hybridcolor.lab import rgb_to_lab
from hybridcolor.picture import Picture
from hybridcolor.predict import NetworkPredictor
from hybridcolor.session import EditSession

RNG = np.random.default_rng(7)
PHOTO = np.ascontiguousarray(data.astronaut()[::8, ::9])  # (64, 57, 3)
GRAY8 = np.ascontiguousarray(PHOTO[..., 1])
GRAY16 = RNG.integers(0, 65536, (31, 45), np.uint16)
RGB16 = RNG.integers(0, 65536, (31, 45, 3), np.uint16)
ALPHA8 = RNG.integers(0, 256, (64, 57), np.uint8)
ALPHA16 = RNG.integers(0, 65536, (31, 45), np.uint16)


def rgb_of(picture: Picture) -> np.ndarray:
    """The pixels again, by way of L*a*b*."""
    return picture.to_rgb(picture.chroma)


def save_png(path: Path, pixels: np.ndarray) -> None:
    """With OpenCV, in RGB order."""
    order = [0] if pixels.ndim == 2 else [2, 1, 0, 3][: pixels.shape[2]]
    planes = pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., order])
    path.write_bytes(cv2.imencode(".png", planes)[1].tobytes())


# The type


@settings(max_examples=60, deadline=None)
@given(
    npst.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4)),
    )
)
def test_every_array_comes_back(array: np.ndarray) -> None:
    picture = Picture.from_array(array)
    colour = array[..., :3] if array.shape[2] >= 3 else np.repeat(array[..., :1], 3, axis=2)
    slack = 0 if array.dtype == np.uint8 or picture.chroma is None else 1
    assert np.abs(rgb_of(picture).astype(int) - colour).max() <= slack
    assert picture.dtype == rgb_of(picture).dtype == array.dtype
    if array.shape[2] in (2, 4):
        assert np.array_equal(picture.alpha, array[..., -1])
    else:
        assert picture.alpha is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_comes_back_identical(dtype: type) -> None:
    gray = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(16, -1)
    back = Picture.from_array(gray).to_rgb()
    assert all(np.array_equal(back[..., i], gray) for i in range(3))


def test_gray_in_three_channels_has_no_chroma() -> None:
    assert Picture.from_array(np.dstack([GRAY8] * 3)).chroma is None
    assert Picture.from_array(PHOTO).chroma is not None


def test_floats_count_as_16_bits() -> None:
    picture = Picture.from_array(np.linspace(0, 1, 12).reshape(3, 4))
    assert picture.bit_depth == 16
    np.testing.assert_allclose(picture.to_rgb()[..., 0].ravel(), np.linspace(0, 65535, 12), atol=0.51)


@pytest.mark.parametrize("far", [1.0, 2.5, 10.0])
def test_luminance_survives_recolouring(far: float) -> None:
    for array, bound in ((PHOTO, 0.3), (RGB16, 0.002)):
        picture = Picture.from_array(array)
        assert picture.chroma is not None
        recoloured = picture.to_rgb(picture.chroma * np.float32(far))
        assert np.abs(rgb_to_lab(recoloured)[..., 0] - picture.luminance).max() < bound


@pytest.mark.parametrize(
    "make",
    [
        lambda: Picture(np.zeros((2, 2))),
        lambda: Picture(np.zeros((0, 2), np.float32)),
        lambda: Picture(np.zeros(4, np.float32)),
        lambda: Picture(np.full((2, 2), 101, np.float32)),
        lambda: Picture(np.full((2, 2), np.nan, np.float32)),
        lambda: Picture(np.zeros((2, 2), np.float32), bit_depth=12),
        lambda: Picture(np.zeros((2, 2), np.float32), chroma=np.zeros((2, 2), np.float32)),
        lambda: Picture(np.zeros((2, 2), np.float32), chroma=np.full((2, 2, 2), np.inf, np.float32)),
        lambda: Picture(np.zeros((2, 2), np.float32), alpha=np.zeros((2, 2), np.uint16)),
        lambda: Picture(np.zeros((2, 2), np.float32), alpha=np.zeros((2, 3), np.uint8)),
        lambda: Picture.from_array(np.zeros((2, 2, 5))),
        lambda: Picture.from_array(np.zeros((0, 2))),
        lambda: Picture.from_array(np.zeros((2, 2), np.int64)),
        lambda: Picture.from_array(np.full((2, 2), 255.0)),
        lambda: Picture.from_array(np.full((2, 2, 2), np.nan)),
        lambda: Picture.from_array(GRAY8).to_rgb(np.zeros((2, 2, 2))),
    ],
)
def test_what_is_no_picture_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ImageError) as caught:
        make()
    assert "\n" not in str(caught.value)


# Reading what others wrote


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [
        (suffix, mode)
        for suffix in (".png", ".tif", ".bmp", ".webp")
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA")
        if suffix != ".bmp" or "A" not in mode
    ],
)
def test_lossless_files_of_pillow(tmp_path: Path, suffix: str, mode: str) -> None:
    image = Image.fromarray(np.dstack([PHOTO, ALPHA8]) if "A" in mode else PHOTO).convert(mode)
    path = tmp_path / f"picture{suffix}"
    image.save(path, **({"lossless": True, "exact": True} if suffix == ".webp" else {}))
    picture = read_image(path)
    assert picture.bit_depth == 8
    assert picture.source == path
    expected = np.asarray(image.convert("RGBA" if "A" in mode else "RGB"))
    assert np.array_equal(rgb_of(picture), expected[..., :3])
    if "A" in mode:
        assert np.array_equal(picture.alpha, expected[..., 3])
    else:
        assert picture.alpha is None


def test_transparent_palettes_and_colours(tmp_path: Path) -> None:
    palette = Image.fromarray(PHOTO).quantize(16)
    palette.save(tmp_path / "p.png", transparency=3)
    assert np.array_equal(read_image(tmp_path / "p.png").alpha, np.where(np.asarray(palette) == 3, 0, 255))
    Image.fromarray(GRAY8).save(tmp_path / "g.png", transparency=int(GRAY8[0, 0]))
    assert np.array_equal(read_image(tmp_path / "g.png").alpha, np.where(np.equal(GRAY8, GRAY8[0, 0]), 0, 255))


@pytest.mark.parametrize("pixels", [GRAY16, RGB16, np.dstack([RGB16, ALPHA16])], ids=["gray", "rgb", "rgba"])
def test_16_bit_png(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "deep.png"
    save_png(path, pixels)
    picture = read_image(path)
    assert picture.bit_depth == 16
    if pixels.ndim == 2:
        assert np.array_equal(rgb_of(picture)[..., 0], pixels)
    else:
        assert np.abs(rgb_of(picture).astype(int) - pixels[..., :3]).max() <= 1
    if pixels.shape[2:] == (4,):
        assert np.array_equal(picture.alpha, ALPHA16)


def png_of(
    width: int, height: int, bits_kind: tuple[int, int], raw: bytes, *extra: tuple[bytes, bytes], level: int = 6
) -> bytes:
    """A PNG file put together by hand."""
    header = struct.pack(">IIBBBBB", width, height, *bits_kind, 0, 0, 0)
    parts = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(raw, level)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def rows(pixels: np.ndarray) -> bytes:
    """Unfiltered PNG rows."""
    return b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)


def test_16_bit_png_with_gray_and_alpha_or_a_transparent_colour(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    path.write_bytes(png_of(45, 31, (16, 4), rows(np.dstack([GRAY16, ALPHA16]))))
    picture = read_image(path)
    assert np.array_equal(rgb_of(picture)[..., 0], GRAY16)
    assert np.array_equal(picture.alpha, ALPHA16)
    key = RGB16[3, 4]
    path.write_bytes(png_of(45, 31, (16, 2), rows(RGB16), (b"tRNS", key.astype(">u2").tobytes())))
    picture = read_image(path)
    assert picture.alpha is not None
    assert np.argwhere(picture.alpha == 0).tolist() == [[3, 4]]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_transparent_gray_of_few_bits(tmp_path: Path, bits: int) -> None:
    """The specification counts it in the file's own bits (PNG, third edition, 11.3.1.1)."""
    path = tmp_path / "key.png"
    values = np.arange(16).reshape(2, 8) % (1 << bits)
    places = np.arange(bits - 1, -1, -1)
    data = b"".join(b"\0" + np.packbits(row[:, None] >> places & 1).tobytes() for row in values)
    for key in range(min(1 << bits, 5)):
        path.write_bytes(png_of(8, 2, (bits, 0), data, (b"tRNS", struct.pack(">H", key))))
        picture = read_image(path)
        assert np.array_equal(picture.alpha, np.where(values == key, 0, 255))
        assert np.array_equal(rgb_of(picture)[..., 0], values * (255 // ((1 << bits) - 1)))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib", "lzma"])
@pytest.mark.parametrize(
    ("pixels", "options"),
    [
        (GRAY8, {}),
        (GRAY16, {"photometric": "minisblack"}),
        (PHOTO, {"photometric": "rgb"}),
        (RGB16, {"photometric": "rgb", "tile": (16, 16)}),
        (np.dstack([RGB16, ALPHA16]), {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
        (np.dstack([GRAY8, ALPHA8]), {"photometric": "minisblack", "extrasamples": ["unassalpha"]}),
        (np.dstack([PHOTO, ALPHA8, ALPHA8]), {"photometric": "rgb", "extrasamples": ["unspecified"] * 2}),
    ],
    ids=["gray8", "gray16", "rgb8", "rgb16", "rgba16", "la8", "rgb8+2"],
)
def test_tiff(
    tmp_path: Path, order: str, compression: str | None, pixels: np.ndarray, options: dict[str, object]
) -> None:
    path = tmp_path / "picture.tif"
    planar = {"planarconfig": "contig"} if pixels.ndim == 3 else {}
    tifffile.imwrite(path, pixels, byteorder=order, compression=compression, metadata=None, **planar, **options)
    picture = read_image(path)
    assert picture.bit_depth == pixels.itemsize * 8
    colours = 1 if pixels.ndim == 2 or pixels.shape[2] == 2 else 3
    expected = pixels.reshape(*pixels.shape[:2], -1)[..., :colours]
    found = rgb_of(picture)[..., :colours].astype(int)
    assert np.abs(found - expected).max() <= (1 if colours == 3 and pixels.itemsize == 2 else 0)
    alpha = options.get("extrasamples") == ["unassalpha"]
    assert np.array_equal(picture.alpha, pixels[..., -1]) if alpha else picture.alpha is None


def test_tiff_with_separate_planes(tmp_path: Path) -> None:
    path = tmp_path / "planes.tif"
    tifffile.imwrite(path, np.moveaxis(PHOTO, 2, 0), photometric="rgb", planarconfig="separate", compression="zlib")
    assert np.array_equal(rgb_of(read_image(path)), PHOTO)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.float32])
def test_tiff_where_white_is_zero(tmp_path: Path, dtype: type) -> None:
    path = tmp_path / "negative.tif"
    stored = GRAY8 > 100 if dtype is bool else GRAY8.astype(dtype)
    stored = stored / np.float32(255) if dtype is np.float32 else stored
    tifffile.imwrite(path, stored, photometric="miniswhite")
    top = {bool: 1, np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    scale = {bool: 255, np.uint8: 1, np.uint16: 1, np.float32: 65535}[dtype]
    expected = np.round((top - stored.astype(np.float64)) * scale)
    assert np.array_equal(read_image(path).to_rgb()[..., 0], expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_tiff(tmp_path: Path, dtype: type) -> None:
    path = tmp_path / "float.tif"
    values = (GRAY8 / 255).astype(dtype)
    tifffile.imwrite(path, values)
    assert np.abs(read_image(path).to_rgb()[..., 0] - values.astype(np.float64) * 65535).max() < 0.6
    tifffile.imwrite(path, values * dtype(2))
    with pytest.raises(ImageError, match=r"outside 0\.\.1"):
        read_image(path)


def test_tiff_with_premultiplied_alpha(tmp_path: Path) -> None:
    path = tmp_path / "premultiplied.tif"
    alpha = np.maximum(ALPHA16, 20_000)
    stored = np.round(RGB16 * (alpha[..., None] / 65535)).astype(np.uint16)
    tifffile.imwrite(path, np.dstack([stored, alpha]), photometric="rgb", extrasamples=["assocalpha"])
    picture = read_image(path)
    assert np.array_equal(picture.alpha, alpha)
    assert np.abs(rgb_of(picture).astype(int) - RGB16).max() <= 3


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate", "zstd", "lzma"])
@pytest.mark.parametrize("pixels", [GRAY8, GRAY16, PHOTO], ids=["gray8", "gray16", "rgb8"])
def test_tiff_compressions_of_pillow(tmp_path: Path, compression: str, pixels: np.ndarray) -> None:
    path = tmp_path / "packed.tif"
    Image.fromarray(pixels).save(path, compression=compression)
    picture = read_image(path)
    assert picture.bit_depth == pixels.itemsize * 8
    assert np.array_equal(rgb_of(picture)[..., : 1 if pixels.ndim == 2 else 3].squeeze(), pixels)


def test_tiff_with_jpeg_and_fax_data(tmp_path: Path) -> None:
    Image.fromarray(PHOTO).save(tmp_path / "jpeg.tif", compression="jpeg", quality=95)
    assert np.abs(rgb_of(read_image(tmp_path / "jpeg.tif")).astype(int) - PHOTO).mean() < 8
    bilevel = Image.fromarray(GRAY8).convert("1")
    bilevel.save(tmp_path / "fax.tif", compression="group4")
    assert np.array_equal(read_image(tmp_path / "fax.tif").to_rgb()[..., 0], np.asarray(bilevel) * 255)


def lzw_16_bit(orientation: int = 1) -> bytes:
    """Only OpenCV writes these; the directory is written anew at the end, with an orientation."""
    content = cv2.imencode(".tiff", RGB16[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])[1].tobytes()
    (start,) = struct.unpack("<I", content[4:8])
    (count,) = struct.unpack("<H", content[start : start + 2])
    entries = [content[start + 2 + 12 * i : start + 14 + 12 * i] for i in range(count)]
    entries.append(struct.pack("<HHIHH", 274, 3, 1, orientation, 0))
    entries.sort(key=lambda entry: struct.unpack("<H", entry[:2]))
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return content[:4] + struct.pack("<I", len(content)) + content[8:] + directory


def test_16_bit_colour_lzw_tiff(tmp_path: Path) -> None:
    path = tmp_path / "lzw.tif"
    path.write_bytes(lzw_16_bit())
    assert np.abs(rgb_of(read_image(path)).astype(int) - RGB16).max() <= 1


def test_frames_of_a_tiff(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    pages = np.random.default_rng(7).integers(0, 65536, (3, 8, 9), np.uint16)
    tifffile.imwrite(path, pages, photometric="minisblack")
    for frame, page in enumerate(pages):
        assert np.array_equal(read_image(path, frame=frame).to_rgb()[..., 0], page)
    for frame in (3, -1):
        with pytest.raises(ImageError, match="no frame"):
            read_image(path, frame=frame)
    images = [Image.fromarray(page) for page in pages]
    images[0].save(path, save_all=True, append_images=images[1:], compression="tiff_lzw")
    assert np.array_equal(read_image(path, frame=2).to_rgb()[..., 0], pages[2])
    save_png(tmp_path / "one.png", GRAY8)
    with pytest.raises(ImageError, match="no frame 1"):
        read_image(tmp_path / "one.png", frame=1)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "picture.jpg"
    Image.fromarray(PHOTO).convert(mode).save(path, quality=95)
    expected = np.asarray(Image.open(path).convert("RGB"))
    assert np.array_equal(rgb_of(read_image(path)), expected)


# The pixels as stored, for each orientation, so that the picture is upright: by numpy, from the EXIF standard.
STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda p: p,
    2: np.fliplr,
    3: lambda p: np.rot90(p, 2),
    4: np.flipud,
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: np.rot90(p, 1),
    7: lambda p: np.rot90(p.swapaxes(0, 1), 2),
    8: lambda p: np.rot90(p, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", "lzw.tif", "16.png", "16.tif"])
def test_orientation(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = tmp_path / f"turned{suffix}"
    upright = RGB16 if suffix.startswith("16") else PHOTO
    stored = np.ascontiguousarray(STORED[orientation](upright))
    exif = Image.Exif()
    exif[274] = orientation
    if suffix == "16.png":
        block = exif.tobytes().removeprefix(b"Exif\0\0")
        path.write_bytes(png_of(stored.shape[1], stored.shape[0], (16, 2), rows(stored), (b"eXIf", block)))
    elif suffix.endswith("tif") and suffix != "lzw.tif":
        tags = [(274, "H", 1, orientation, True)]
        tifffile.imwrite(path, stored, photometric="rgb", extratags=tags, metadata=None)
    else:
        options = {".webp": {"lossless": True}, ".jpg": {"quality": 98, "subsampling": 0}}.get(suffix, {})
        if suffix == "lzw.tif":
            options = {"compression": "tiff_lzw"}
        Image.fromarray(stored).save(path, exif=exif, **options)
    found = rgb_of(read_image(path))
    assert found.shape == upright.shape
    off = np.abs(found.astype(int) - upright)
    assert off.max() <= 1 if suffix != ".jpg" else off.mean() < 3


@pytest.mark.parametrize(("orientation", "turned"), [(1, RGB16), (6, np.rot90(RGB16, -1)), (3, np.rot90(RGB16, 2))])
def test_orientation_of_16_bit_lzw_tiff(tmp_path: Path, orientation: int, turned: np.ndarray) -> None:
    path = tmp_path / "lzw.tif"
    path.write_bytes(lzw_16_bit(orientation))
    assert np.abs(rgb_of(read_image(path)).astype(int) - turned).max() <= 1


# What cannot be read


def refused(path: Path, **options: int) -> str:
    with pytest.raises(ImageError) as caught:
        read_image(path, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert path.name in line or not path.name.isprintable()
    return line


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
def test_size_limit(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"large{suffix}"
    Image.fromarray(GRAY8).save(path)
    assert read_image(path, max_pixels=GRAY8.size).shape == GRAY8.shape
    assert "limit" in refused(path, max_pixels=GRAY8.size - 1)


def test_bombs(tmp_path: Path) -> None:
    """Files that say little and hold a lot, or the other way round."""
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
    path.write_bytes(png_of(45, 31, (16, 2), rows(RGB16), *notes))
    assert np.abs(rgb_of(read_image(path)).astype(int) - RGB16).max() <= 1
    Image.fromarray(PHOTO).save(tmp_path / "notes.jpg", exif=b"Exif\0\0II*\0rubbish")
    assert read_image(tmp_path / "notes.jpg").shape == PHOTO.shape[:2]
    assert capfd.readouterr() == ("", "")


# Writing


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".PNG", ".tif", ".tiff", ".webp", ".bmp", ".jpg", ".jpeg"])
def test_written_files_by_an_independent_reader(tmp_path: Path, suffix: str, channels: int, bits: int) -> None:
    path = tmp_path / f"out{suffix}"
    pixels, alpha = (RGB16, ALPHA16) if bits == 16 else (PHOTO, ALPHA8)
    pixels = pixels if channels >= 3 else np.ascontiguousarray(pixels[..., 0])
    with_alpha = alpha if channels in (2, 4) else None
    lower = suffix.lower()
    if with_alpha is not None and lower in (".bmp", ".jpg", ".jpeg"):
        with pytest.raises(ImageError, match="transparency"):
            write_image(path, pixels, alpha=with_alpha)
        assert not path.exists()
        return
    write_image(path, pixels, alpha=with_alpha)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    expected = pixels if with_alpha is None else np.dstack([pixels, with_alpha])
    if lower in (".tif", ".tiff"):  # written by tifffile
        if bits == 8:
            with Image.open(path) as image:
                found = np.asarray(image)
        elif channels == 2:
            found = tifffile.imread(path)  # no other reader knows these
        else:
            found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            found = found if channels == 1 else found[..., [2, 1, 0, 3][:channels]]
        assert np.array_equal(found, expected)
    elif lower == ".png" and bits == 8:  # written by OpenCV
        with Image.open(path) as image:
            wanted = {1: "L", 2: "RGBA", 3: "RGB", 4: "RGBA"}[channels]
            assert image.mode == wanted
            assert np.array_equal(np.asarray(image.convert({2: "LA"}.get(channels, wanted))), expected)
    elif lower == ".png":
        found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        order = {1: [0], 2: [0, 3], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
        assert np.array_equal(found.reshape(*found.shape[:2], -1)[..., order].squeeze(), expected)
    else:  # written by Pillow
        rounded = np.round(expected / 257).astype(np.uint8) if bits == 16 else expected
        found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        found = found[..., None] if found.ndim == 2 else found[..., [2, 1, 0, 3][: found.shape[2]]]
        keep = {1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
        off = np.abs(found[..., keep].squeeze().astype(int) - rounded)
        assert off.max() == 0 if lower in (".webp", ".bmp") else off.mean() < 6
        if lower in (".jpg", ".jpeg") and channels == 3:
            with Image.open(path) as image:
                assert [component[1:3] for component in image.layer] == [(1, 1)] * 3  # 4:4:4


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_gray_files_go_through_unchanged(tmp_path: Path, suffix: str, bits: int) -> None:
    gray, alpha = (GRAY16, ALPHA16) if bits == 16 else (GRAY8, ALPHA8)
    write_image(tmp_path / f"in{suffix}", gray, alpha=alpha)
    picture = read_image(tmp_path / f"in{suffix}")
    write_image(tmp_path / f"out{suffix}", picture.to_rgb(), alpha=picture.alpha)
    again = read_image(tmp_path / f"out{suffix}")
    assert np.array_equal(again.to_rgb()[..., 0], gray)
    assert np.array_equal(again.alpha, alpha)
    assert again.bit_depth == bits


def test_same_picture_same_bytes(tmp_path: Path) -> None:
    for suffix in [suffix for suffix in WRITABLE_SUFFIXES if suffix != ".zarr"]:  # a folder, tested beside others
        write_image(tmp_path / f"a{suffix}", PHOTO)
        write_image(tmp_path / f"b{suffix}", PHOTO)
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_an_existing_file_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"precious")
    with pytest.raises(ImageError, match="--overwrite"):
        write_image(path, GRAY8)
    assert path.read_bytes() == b"precious"
    write_image(path, GRAY8, overwrite=True)
    assert np.array_equal(np.asarray(Image.open(path)), GRAY8)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("links", [True, False], ids=["with links", "without links"])
def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    path = tmp_path / "out.png"
    encode = imagefiles.encode

    def slow_encode(*arguments: object) -> bytes:
        path.write_bytes(b"precious")
        return encode(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(imagefiles, "encode", slow_encode)
    if not links:
        monkeypatch.setattr(os, "link", failing(PermissionError(1, "no links here")))
    with pytest.raises(ImageError, match="--overwrite"):
        write_image(path, GRAY8)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", failing(PermissionError(1, "no links here")))
    write_image(tmp_path / "out.png", GRAY8)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), GRAY8)
    monkeypatch.setattr(os, "replace", failing(OSError(28, "No space left on device")))
    with pytest.raises(ImageError, match="No space"):
        write_image(tmp_path / "other.png", GRAY8)
    assert [p.name for p in tmp_path.iterdir()] == ["out.png"]


def test_one_of_many_writers_wins(tmp_path: Path) -> None:
    path, lost = tmp_path / "out.png", []

    def write(level: int) -> None:
        try:
            write_image(path, np.full((50, 50), level, np.uint8))
        except ImageError:
            lost.append(level)

    threads = [threading.Thread(target=write, args=(level,)) for level in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lost) == 7
    assert np.asarray(Image.open(path))[0, 0] not in lost
    assert list(tmp_path.iterdir()) == [path]


def failing(error: BaseException) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "Ctrl-C"])
def test_a_failure_in_the_middle_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"precious")
    monkeypatch.setattr(os, step, failing(error))
    with pytest.raises(ImageError if isinstance(error, OSError) else KeyboardInterrupt):
        write_image(path, GRAY8, overwrite=True)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.png").touch()
    (tmp_path / "link.png").symlink_to("real.png")
    write_image(tmp_path / "link.png", GRAY8, overwrite=True)
    assert (tmp_path / "link.png").is_symlink()
    assert np.array_equal(np.asarray(Image.open(tmp_path / "real.png")), GRAY8)


@pytest.mark.skipif(sys.platform == "win32", reason="file modes")
def test_files_are_as_readable_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_image(tmp_path / "out.png", GRAY8)
    assert (tmp_path / "out.png").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("name", "pixels", "alpha", "line"),
    [
        ("out.gif", GRAY8, None, "'.gif' is not one of .png"),
        ("out", GRAY8, None, "'' is not one of .png"),
        ("missing/out.png", GRAY8, None, "make it first"),
        ("folder.png", GRAY8, None, "folder"),
        ("out.png", GRAY8.astype(float), None, "uint8 or uint16"),
        ("out.png", np.zeros((0, 3), np.uint8), None, "uint8 or uint16"),
        ("out.png", np.zeros((4, 4, 4), np.uint8), None, r"\(H, W, 3\)"),
        ("out.png", GRAY8, ALPHA8[1:], "alpha"),
        ("out.png", GRAY8, ALPHA8.astype(np.uint16), "alpha"),
        ("out.webp", np.zeros((2, 20_000), np.uint8), None, "cannot write"),
        ("out.jpg", np.zeros((2, 70_000), np.uint8), None, "cannot write"),
        ("x" * 300 + ".png", GRAY8, None, "cannot write"),
    ],
)
def test_what_cannot_be_written(
    tmp_path: Path, name: str, pixels: np.ndarray, alpha: np.ndarray | None, line: str
) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ImageError, match=line) as caught:
        write_image(tmp_path / name, pixels, alpha=alpha)
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.png"]


def test_an_unwritable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made to fail by hand, for the superuser may write anywhere."""
    monkeypatch.setattr(Path, "open", failing(PermissionError(13, "Permission denied")))
    with pytest.raises(ImageError, match="Permission denied"):
        write_image(tmp_path / "out.png", GRAY8)


@pytest.mark.parametrize(
    ("suffix", "most"),
    [(".jpg", 65500), (".webp", 16383), (".dcm", 65535), (".nii", 32767), (".png", 1_000_000)],
)
def test_a_side_that_is_too_long_is_told_with_what_holds_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], suffix: str, most: int
) -> None:
    """As much as each format's own library writes, and no more."""
    path = tmp_path / f"wide{suffix}"
    write_image(path, np.zeros((1, most), np.uint8))
    with pytest.raises(ImageError, match=rf"holds at most {most} pixels a side.*{most + 1} x 1; use one of .*\.tif"):
        write_image(path, np.zeros((1, most + 1), np.uint8), overwrite=True)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("verb", ["colorize", "colorize --tiles", "seeds", "replay"])
def test_it_is_told_before_any_work(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setitem(encoding._SIDES, ".jpg", 20)
    write_image(tmp_path / "photo.png", np.zeros((10, 21), np.uint8))
    source = tmp_path / "photo.png"
    if verb == "replay":
        source = tmp_path / "photo.png.hybridcolor.json"
        EditSession(read_image(tmp_path / "photo.png"), autosave=source).draw([(3, 3)], (20, 10))
    monkeypatch.setattr(NetworkPredictor, "read", lambda *_: pytest.fail("the network was asked"))
    code, _, err = run(*verb.split(), source, "-o", tmp_path / "out.jpg")
    assert (code, err.count("\n")) == (2, 1)
    assert ".jpg holds at most 20 pixels a side, this picture has 21 x 10; use one of .png" in err
    assert not (tmp_path / "out.jpg").exists()
