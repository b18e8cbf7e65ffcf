"""Colour profiles, put together by hand here, against littleCMS and against the formulas that define them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from hybridcolor.icc import srgb_profile, to_lab
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.lab import rgb_to_lab

D50 = (0.9642, 1.0, 0.8249)
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))


def numbers(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def gamma(exponent: float) -> bytes:
    return b"curv" + struct.pack(">IIHxx", 0, 1, round(exponent * 256))


def samples(values: np.ndarray) -> bytes:
    table = np.round(np.asarray(values) * 65535).astype(">u2").tobytes()
    return b"curv" + struct.pack(">II", 0, len(values)) + table + bytes(len(table) % 4)


def parametric(kind: int, *values: float) -> bytes:
    return b"para" + struct.pack(">IHH", 0, kind, 0) + numbers(*values)


SRGB_CURVE = parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def profile(space: bytes, tags: dict[bytes, bytes], *, pcs: bytes = b"XYZ ") -> bytes:
    text = b"desc" + struct.pack(">II", 0, 5) + b"test\0" + bytes(78 + 1)
    tags = {b"desc": text, b"cprt": b"text" + bytes(4) + b"none\0\0\0\0", b"wtpt": xyz(*D50), **tags}
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    kind = b"scnr" if b"A2B0" in tags else b"mntr"
    head = struct.pack(">I4sI4s4s4s", 128 + len(table) + len(body), b"", 0x02400000, kind, space, pcs)
    head += struct.pack(">6H", 2001, 2, 3, 4, 5, 6) + b"acsp" + bytes(28) + numbers(*D50)
    return head.ljust(128, b"\0") + table + body


def xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + numbers(*values)


def rgb_profile(primaries: Any, curve: bytes) -> bytes:
    colours = {name + b"XYZ": xyz(*column) for name, column in zip((b"r", b"g", b"b"), primaries, strict=True)}
    return profile(b"RGB ", {**colours, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)})


def gray_profile(curve: bytes, pcs: bytes = b"XYZ ") -> bytes:
    return profile(b"GRAY", {b"kTRC": curve}, pcs=pcs)


def table_profile(space: bytes, channels: int, nodes: int, to_lab_: Callable[[np.ndarray], np.ndarray]) -> bytes:
    """Of a table of 16 bits (mft2) from channels in 0..1 to L*a*b*."""
    axes = np.stack(np.meshgrid(*[np.linspace(0, 1, nodes)] * channels, indexing="ij"), axis=-1)
    lab = to_lab_(axes.reshape(-1, channels))
    encoded = np.stack([lab[:, 0] * 652.8, (lab[:, 1] + 128) * 256, (lab[:, 2] + 128) * 256], axis=1)
    line = np.array([0, 65535], ">u2").tobytes()
    tag = b"mft2" + struct.pack(">I4B", 0, channels, 3, nodes, 0) + numbers(1, 0, 0, 0, 1, 0, 0, 0, 1)
    tag += struct.pack(">HH", 2, 2) + line * channels
    tag += np.clip(np.round(encoded), 0, 65535).astype(">u2").tobytes() + line * 3
    return profile(space, {b"A2B0": tag}, pcs=b"Lab ")


def faded(rgb: np.ndarray) -> np.ndarray:
    """What a scanner might see: softer and warmer, well inside of sRGB."""
    return np.stack(
        [20 + 60 * rgb.mean(axis=1), 25 * (rgb[:, 0] - rgb[:, 1]), 20 * (rgb[:, 1] - rgb[:, 2]) + 5], axis=1
    )


def printed(cmyk: np.ndarray) -> np.ndarray:
    light = (1 - cmyk[:, :3]) * (1 - cmyk[:, 3:])
    return np.stack(
        [15 + 75 * light.mean(axis=1), 20 * (light[:, 0] - light[:, 1]), 20 * (light[:, 1] - light[:, 2])], axis=1
    )


def by_littlecms(pixels: np.ndarray, given: bytes, mode: str, *, black_point: bool = False) -> np.ndarray:
    image = Image.frombytes(mode, pixels.shape[1::-1], np.ascontiguousarray(pixels).tobytes())
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(given)), ImageCms.createProfile("sRGB")
    intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.NOWHITEONWHITEFIXUP
    if black_point:
        flags |= ImageCms.Flags.BLACKPOINTCOMPENSATION
    transform = ImageCms.buildTransform(source, target, mode, "RGB", intent, flags)
    return np.asarray(ImageCms.applyTransform(image, transform))


MATRIX = {
    "sRGB by a curve": rgb_profile(SRGB, samples(np.linspace(0, 1, 1024) ** 2.2)),
    "Adobe RGB": rgb_profile(ADOBE, gamma(563 / 256)),
    "Display P3": rgb_profile(P3, SRGB_CURVE),
    "linear": rgb_profile(SRGB, b"curv" + bytes(8)),
    "parametric 0": rgb_profile(SRGB, parametric(0, 1.8)),
    "parametric 1": rgb_profile(SRGB, parametric(1, 2.2, 0.95, 0.05)),
    "parametric 2": rgb_profile(SRGB, parametric(2, 2.2, 0.9, 0.05, 0.05)),
    "parametric 4": rgb_profile(P3, parametric(4, 2.4, 0.94, 0.055, 0.07, 0.04, 0.0, 0.0)),
}


@pytest.mark.parametrize("name", MATRIX)
def test_matrix_profiles_as_littlecms(tmp_path: Path, name: str) -> None:
    """Colours inside of sRGB, to a level of 255."""
    pixels = np.random.default_rng(5).integers(0, 256, (60, 60, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "p.png", icc_profile=MATRIX[name])
    picture = read_image(tmp_path / "p.png")
    expected = by_littlecms(pixels, MATRIX[name], "RGB")
    inside = ((expected > 0) & (expected < 255)).all(axis=2)
    assert inside.sum() > 1000
    off = np.abs(picture.to_rgb(picture.chroma).astype(int) - expected)[inside]
    assert off.max() <= 1
    assert off.mean() < 0.1
    deep = pixels.astype(np.uint16) * np.uint16(257)
    tifffile.imwrite(tmp_path / "p.tif", deep, photometric="rgb", iccprofile=MATRIX[name])
    again = read_image(tmp_path / "p.tif")
    assert again.bit_depth == 16
    assert np.abs(again.luminance - picture.luminance).max() < 1e-4


def test_luminance_of_colours_that_srgb_lacks() -> None:
    """By the formulas: the green of Adobe RGB is outside of sRGB, and keeps its luminance."""
    lab = to_lab(np.array([[[0, 255, 0]]], np.uint8), MATRIX["Adobe RGB"], space="rgb")
    assert lab is not None
    linear = np.linalg.inv(np.transpose(SRGB)) @ np.array(ADOBE[1])
    assert linear.min() < -0.1
    y = linear @ [0.2126729, 0.7151522, 0.0721750]
    assert abs(lab[0, 0, 0] - (116 * np.cbrt(y) - 16)) < 0.05


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("exponent", [1.0, 1.8, 2.2])
def test_gray_gamma(tmp_path: Path, exponent: float, dtype: type) -> None:
    values = np.linspace(0, 1, 256)[None]
    stored = values.astype(dtype) if dtype is np.float32 else np.round(values * np.iinfo(dtype).max).astype(dtype)
    tifffile.imwrite(tmp_path / "p.tif", stored, photometric="minisblack", iccprofile=gray_profile(gamma(exponent)))
    picture = read_image(tmp_path / "p.tif")
    y = values ** (round(exponent * 256) / 256)
    lightness = np.where(y > (6 / 29) ** 3, 116 * np.cbrt(y) - 16, y * (29 / 3) ** 3)
    assert np.abs(picture.luminance - lightness).max() < 1e-3
    assert picture.chroma is None


@pytest.mark.parametrize("pcs", [b"XYZ ", b"Lab "])
def test_gray_dot_gain(tmp_path: Path, pcs: bytes) -> None:
    """A table, as Photoshop's 'Dot Gain 20%' is: ink covers more than it was asked to."""
    ask = np.linspace(0, 1, 256)
    light = 1 - np.clip((1 - ask) + 4 * 0.2 * (1 - ask) * ask, 0, 1)
    Image.fromarray(np.round(ask * 255).astype(np.uint8)[None]).save(
        tmp_path / "p.jpg", quality=100, icc_profile=gray_profile(samples(light), pcs)
    )
    with Image.open(tmp_path / "p.jpg") as image:
        stored = np.asarray(image)
    lightness = np.where(light > (6 / 29) ** 3, 116 * np.cbrt(light) - 16, light * (29 / 3) ** 3)
    expected = (lightness if pcs == b"XYZ " else 100 * light)[stored]
    assert np.abs(read_image(tmp_path / "p.jpg").luminance - expected).max() < 0.01


def test_gray_gamma_as_littlecms() -> None:
    """Pillow offers gray to L*a*b* only by way of RGB."""
    gray = np.arange(256, dtype=np.uint8)[None]
    given = gray_profile(gamma(1.8))
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(given)), ImageCms.createProfile("sRGB")
    found = np.asarray(ImageCms.profileToProfile(Image.fromarray(gray), source, target, outputMode="RGB"))
    lab = to_lab(gray[..., None], given, space="gray")
    assert lab is not None
    assert np.abs(lab[..., 0] - rgb_to_lab(found)[..., 0])[gray > 10].max() < 0.4


@pytest.mark.parametrize(("mode", "model"), [("RGB", faded), ("CMYK", printed)])
def test_profiles_of_tables(tmp_path: Path, mode: str, model: Callable[[np.ndarray], np.ndarray]) -> None:
    channels = len(mode)
    given = table_profile(mode.encode().ljust(4), channels, 9, model)
    pixels = np.random.default_rng(5).integers(0, 256, (40, 40, channels), np.uint8)
    Image.frombytes(mode, (40, 40), pixels.tobytes()).save(tmp_path / "p.tif", icc_profile=given)
    picture = read_image(tmp_path / "p.tif")
    assert picture.bit_depth == 8
    assert (
        np.abs(picture.to_rgb(picture.chroma).astype(int) - by_littlecms(pixels, given, mode, black_point=True)).max()
        <= 1
    )
    photometric = "rgb" if mode == "RGB" else "separated"
    deep = pixels.astype(np.uint16) * np.uint16(257)
    tifffile.imwrite(tmp_path / "deep.tif", deep, photometric=photometric, iccprofile=given)
    again = read_image(tmp_path / "deep.tif")
    assert again.bit_depth == 16
    assert np.abs(again.luminance - picture.luminance).max() < (0.6 if mode == "RGB" else 1)
    ramp = np.repeat(np.arange(0, 65536, 16, dtype=np.uint16)[None, :, None], channels, axis=2)
    tifffile.imwrite(tmp_path / "ramp.tif", ramp, photometric=photometric, iccprofile=given)
    steps = np.abs(np.diff(read_image(tmp_path / "ramp.tif").luminance))
    assert steps.max() < 0.1  # no bands, as 256 levels would make


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_every_format_brings_its_profile(tmp_path: Path, suffix: str) -> None:
    pixels = np.full((16, 16, 3), (100, 150, 60), np.uint8)
    Image.fromarray(pixels).save(tmp_path / f"p{suffix}", icc_profile=MATRIX["Adobe RGB"], quality=100)
    with Image.open(tmp_path / f"p{suffix}") as image:
        stored = np.asarray(image.convert("RGB"))
    picture = read_image(tmp_path / f"p{suffix}")
    expected = by_littlecms(stored, MATRIX["Adobe RGB"], "RGB")
    assert np.abs(picture.to_rgb(picture.chroma).astype(int) - expected).max() <= 1
    assert np.abs(expected.astype(int) - stored).max() > 20


def test_gray_pictures_with_a_profile_of_colour(tmp_path: Path) -> None:
    gray = np.arange(256, dtype=np.uint8)[None]
    Image.fromarray(gray).save(tmp_path / "g.png", icc_profile=MATRIX["Adobe RGB"])
    Image.fromarray(np.dstack([gray] * 3)).save(tmp_path / "c.png", icc_profile=MATRIX["Adobe RGB"])
    one, three = read_image(tmp_path / "g.png"), read_image(tmp_path / "c.png")
    assert np.array_equal(one.luminance, three.luminance)
    assert one.chroma is None
    assert three.chroma is None


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"rubbish" * 40,
        MATRIX["Adobe RGB"][:200],
        MATRIX["Adobe RGB"].replace(b"curv", b"cave"),
        rgb_profile(SRGB, samples(np.zeros(0))[:8] + b"\xff\xff\xff\xff"),
        rgb_profile(((0, 0, 0),) * 3, gamma(2.2)),
        gray_profile(gamma(2.2)),
        profile(b"RGB ", {b"A2B0": b"mft2 rubbish"}, pcs=b"Lab "),
    ],
)
def test_damaged_and_foreign_profiles_count_as_srgb(tmp_path: Path, bad: bytes) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (6, 7, 3), np.uint8)
    tifffile.imwrite(tmp_path / "p.tif", pixels, photometric="rgb", iccprofile=bad or None)
    picture = read_image(tmp_path / "p.tif")
    assert np.array_equal(picture.to_rgb(picture.chroma), pixels)


def test_srgb_profiles_of_others_leave_the_values_alone(tmp_path: Path) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (20, 20, 3), np.uint8)
    for number, given in enumerate(
        (ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), rgb_profile(SRGB, SRGB_CURVE))
    ):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png", icc_profile=given)
        picture = read_image(tmp_path / f"{number}.png")
        assert np.array_equal(picture.to_rgb(picture.chroma), pixels)


@pytest.mark.parametrize("gray", [False, True])
def test_our_profile_is_srgb_to_littlecms(gray: bool) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (50, 50, 3), np.uint8)
    if gray:
        image = Image.fromarray(pixels[..., 0])
        source = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile(gray=True)))
        found = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        assert np.abs(np.asarray(found).astype(int) - pixels[..., :1]).max() <= 1
    else:
        assert np.abs(by_littlecms(pixels, srgb_profile(), "RGB").astype(int) - pixels).max() <= 1
    description = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile(gray=gray))))
    assert description.strip() == ("sRGB gray" if gray else "sRGB")


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".webp", ".jpg", ".jpeg", ".ome.tif"])
def test_outputs_are_tagged(tmp_path: Path, suffix: str, gray: bool) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (20, 20) if gray else (20, 20, 3), np.uint8)
    write_image(tmp_path / f"p{suffix}", pixels)
    with Image.open(tmp_path / f"p{suffix}") as image:
        assert image.info["icc_profile"] == srgb_profile(gray=gray and image.mode == "L")
