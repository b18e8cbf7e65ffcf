"""Reading what Pillow, tifffile, OpenCV and bytes put together by hand hold."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import read_image, write_image
from tests.pixels import ALPHA8, ALPHA16, GRAY8, GRAY16, PHOTO, RGB16, STORED, png_of, png_rows, rgb_of


def save_png(path: Path, pixels: np.ndarray) -> None:
    """With OpenCV, in RGB order."""
    order = [0] if pixels.ndim == 2 else [2, 1, 0, 3][: pixels.shape[2]]
    planes = pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., order])
    path.write_bytes(cv2.imencode(".png", planes)[1].tobytes())


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
def test_16_bits_of_a_png_are_kept(tmp_path: Path, pixels: np.ndarray) -> None:
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


def test_16_bit_png_with_gray_and_alpha_or_a_transparent_colour(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    path.write_bytes(png_of(45, 31, (16, 4), png_rows(np.dstack([GRAY16, ALPHA16]))))
    picture = read_image(path)
    assert np.array_equal(rgb_of(picture)[..., 0], GRAY16)
    assert np.array_equal(picture.alpha, ALPHA16)
    key = RGB16[3, 4]
    path.write_bytes(png_of(45, 31, (16, 2), png_rows(RGB16), (b"tRNS", key.astype(">u2").tobytes())))
    picture = read_image(path)
    assert picture.alpha is not None
    assert np.argwhere(picture.alpha == 0).tolist() == [[3, 4]]


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
def test_tiff_of_either_byte_order_packed_or_not(
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
def test_floats_of_a_tiff_are_0_to_1_and_nothing_else(tmp_path: Path, dtype: type) -> None:
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
def test_jpeg_is_read_as_pillow_reads_it(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "picture.jpg"
    Image.fromarray(PHOTO).convert(mode).save(path, quality=95)
    expected = np.asarray(Image.open(path).convert("RGB"))
    assert np.array_equal(rgb_of(read_image(path)), expected)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", "lzw.tif", "16.png", "16.tif"])
def test_pictures_are_turned_upright_as_exif_says(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = tmp_path / f"turned{suffix}"
    upright = RGB16 if suffix.startswith("16") else PHOTO
    stored = np.ascontiguousarray(STORED[orientation](upright))
    exif = Image.Exif()
    exif[274] = orientation
    if suffix == "16.png":
        block = exif.tobytes().removeprefix(b"Exif\0\0")
        path.write_bytes(png_of(stored.shape[1], stored.shape[0], (16, 2), png_rows(stored), (b"eXIf", block)))
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


@pytest.mark.parametrize("bits", [8, 16])
def test_ink_on_nothing_is_a_drawing_on_white_paper(tmp_path: Path, bits: int) -> None:
    gray = np.full((20, 30), 255, np.uint8)
    gray[:, 9:12], gray[:, 8] = 0, 100
    alpha = 255 - gray
    if bits == 16:
        gray, alpha = gray * np.uint16(257), alpha * np.uint16(257)
    write_image(tmp_path / "ink.png", np.zeros_like(gray), alpha=alpha)
    picture = read_image(tmp_path / "ink.png")
    assert picture.alpha is None
    assert picture.bit_depth == bits
    np.testing.assert_array_equal(picture.to_rgb()[..., 0], gray)
    layer = read_image(tmp_path / "ink.png", layer=True)
    assert layer.alpha is not None
    assert layer.luminance.max() < 0.01


def test_other_transparent_pictures_stay_so(tmp_path: Path) -> None:
    figure = np.zeros((20, 30), np.uint8)
    figure[5:15, 10:20] = 255  # white within black lines, on nothing
    alpha = np.zeros((20, 30), np.uint8)
    alpha[4:16, 9:21] = 255
    write_image(tmp_path / "figure.png", figure, alpha=alpha)
    found = read_image(tmp_path / "figure.png").alpha
    assert found is not None
    np.testing.assert_array_equal(found, alpha)


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
