"""Every kind of pixel in every format, in all orientations: what comes out, against what an other library put in.

`python -m tests.test_formats` writes the table of docs/formats.md; the tests check that it is up to date.
"""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import nibabel
import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image, ImageCms
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import WRITABLE_SUFFIXES, read_image, write_image
from hybridcolor.picture import Picture
from tests.pixels import STORED

SHAPE = (24, 18)
DOCS = Path(__file__).parents[1] / "docs" / "formats.md"


class Kind(NamedTuple):
    """Pixels as they are stored, and the picture that they are."""

    stored: np.ndarray
    rgb: np.ndarray
    alpha: np.ndarray | None = None
    palette: np.ndarray | None = None


def smooth(channels: int) -> np.ndarray:
    """A picture that JPEG and AVIF can hold well, in 0..1."""
    y, x = np.mgrid[0 : 1 : SHAPE[0] * 1j, 0 : 1 : SHAPE[1] * 1j]
    planes = [x, y, (x + y) / 2, 1 - x]
    return np.stack(planes[:channels], axis=-1) if channels > 1 else (x + 2 * y) / 3


def three(gray: np.ndarray) -> np.ndarray:
    return np.dstack([gray] * 3)


def of_depth(values: np.ndarray, bits: int) -> np.ndarray:
    return np.round(values * ((1 << bits) - 1)).astype(f"u{bits // 8}")


def kinds() -> dict[str, Kind]:
    made: dict[str, Kind] = {}
    bilevel = smooth(1) > 0.5
    made["1 bit"] = Kind(bilevel, three(bilevel.astype(np.uint8) * np.uint8(255)))
    for bits in (8, 16):
        gray, rgb, alpha = of_depth(smooth(1), bits), of_depth(smooth(3), bits), of_depth(smooth(4)[..., 3], bits)
        made[f"gray {bits}"] = Kind(gray, three(gray))
        made[f"gray+alpha {bits}"] = Kind(np.dstack([gray, alpha]), three(gray), alpha)
        made[f"RGB {bits}"] = Kind(rgb, rgb)
        made[f"RGBA {bits}"] = Kind(np.dstack([rgb, alpha]), rgb, alpha)
        inks = of_depth(smooth(4) * 0.8, bits)
        light = (1 - inks[..., :3] / ((1 << bits) - 1)) * (1 - inks[..., 3:] / ((1 << bits) - 1))
        made[f"CMYK {bits}"] = Kind(inks, of_depth(light, bits))
        lab = np.dstack([of_depth(0.3 + 0.4 * smooth(1), bits), *(np.int32([[8], [-9]]) * (1 << (bits - 8)))[..., None]
                         * np.ones((2, *SHAPE), np.int32)])  # fmt: skip
        made[f"Lab {bits}"] = Kind(lab.astype(f"i{bits // 8}").view(f"u{bits // 8}"), lab_rgb(lab, bits))
    colours = np.random.default_rng(3).integers(0, 256, (7, 3), np.uint8)
    index = np.random.default_rng(3).integers(0, 7, SHAPE, np.uint8)
    made["palette"] = Kind(index, colours[index], palette=colours)
    made["palette+alpha"] = Kind(index, colours[index], np.where(index == 3, 0, 255).astype(np.uint8), colours)
    made["signed 16"] = Kind(of_depth(smooth(1), 16).astype(np.int16), three(of_depth(smooth(1), 16)))
    made["32 bits"] = Kind((smooth(1) * (2**32 - 1)).astype(np.uint32), three(of_depth(smooth(1), 16)))
    made["float"] = Kind(smooth(1).astype(np.float32), three(of_depth(smooth(1), 16)))
    made["float RGB"] = Kind(smooth(3).astype(np.float32), of_depth(smooth(3), 16))
    return made


def lab_rgb(lab: np.ndarray, bits: int) -> np.ndarray:
    """By littleCMS, of 8 bits."""
    eight = np.dstack([np.round(lab[..., 0] / (1 if bits == 8 else 257)), lab[..., 1:] / (1 << (bits - 8))])
    image = Image.frombytes("LAB", SHAPE[::-1], eight.astype(np.int16).astype(np.uint8).tobytes())
    profiles = ImageCms.createProfile("LAB", 5000), ImageCms.createProfile("sRGB")
    rgb = np.asarray(ImageCms.profileToProfile(image, *profiles, outputMode="RGB"))
    return rgb if bits == 8 else rgb.astype(np.uint16) * np.uint16(257)


class CannotError(Exception):
    """The format has no such pixels, or nothing here writes them."""


def pillow(kind: str, pixels: Kind) -> Image.Image:
    """As one of Pillow's images."""
    stored = pixels.stored
    if kind == "1 bit":
        return Image.fromarray(stored.astype(np.uint8) * np.uint8(255)).convert("1")
    if pixels.palette is not None:
        image = Image.frombytes("P", stored.shape[::-1], stored.tobytes())
        image.putpalette(pixels.palette.tobytes())
        return image
    mode = {"gray 8": "L", "gray 16": "I;16", "gray+alpha 8": "LA", "RGB 8": "RGB", "RGBA 8": "RGBA", "CMYK 8": "CMYK",
            "Lab 8": "LAB", "float": "F"}.get(kind)  # fmt: skip
    if mode is None:
        raise CannotError
    return Image.frombytes(mode, stored.shape[1::-1], np.ascontiguousarray(stored).tobytes())


def save(path: Path, kind: str, pixels: Kind, orientation: int, allowed: str, **options: Any) -> None:
    """By Pillow."""
    image = pillow(kind, pixels)
    if image.mode not in allowed.split():
        raise CannotError
    if kind == "palette+alpha":
        options["transparency"] = 3
    if orientation > 1:
        options["exif"] = Image.Exif()
        options["exif"][274] = orientation
    image.save(path, **options)


def save_png(path: Path, kind: str, pixels: Kind, orientation: int) -> None:
    if kind not in ("gray 16", "RGB 16", "gray+alpha 16", "RGBA 16"):
        save(path, kind, pixels, orientation, "1 L LA P RGB RGBA", format="PNG")
        return
    colour = {"gray 16": 0, "RGB 16": 2, "gray+alpha 16": 4, "RGBA 16": 6}[kind]
    exif = Image.Exif()
    exif[274] = orientation
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", *pixels.stored.shape[1::-1], 16, colour, 0, 0, 0),
        b"eXIf": exif.tobytes().removeprefix(b"Exif\0\0"),
        b"IDAT": zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels.stored)),
        b"IEND": b"",
    }
    chunks = (struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in parts.items())
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def save_tiff(path: Path, kind: str, pixels: Kind, orientation: int, *, pages: int = 1, **options: Any) -> None:
    """By tifffile."""
    photometric = {"RGB": "rgb", "RGBA": "rgb", "CMYK": "separated", "Lab": "cielab", "palette": "palette"}.get(
        kind.removesuffix("+alpha").removeprefix("float ").split(" ")[0], "minisblack"
    )
    if kind == "palette+alpha" or (kind == "1 bit" and "tile" in options):
        raise CannotError
    if photometric == "palette":
        table = np.zeros((3, 256), np.uint16)
        table[:, :7] = pixels.palette.T.astype(np.uint16) * 257
        options["colormap"] = table
    if pixels.alpha is not None:
        options["extrasamples"] = ["unassalpha"]
    if pixels.stored.ndim == 3:
        options["planarconfig"] = "contig"
    with tifffile.TiffWriter(path, bigtiff=options.pop("bigtiff", False)) as writer:
        for page in range(pages):
            writer.write(
                pixels.stored if page == pages - 1 else np.zeros_like(pixels.stored),
                photometric=photometric,
                extratags=[(274, "H", 1, orientation, True)],
                metadata=None,
                **options,
            )


def save_lzw(path: Path, kind: str, pixels: Kind, orientation: int) -> None:
    if kind in ("RGB 16", "float RGB") and orientation == 1:
        order = [2, 1, 0, 3][: pixels.stored.shape[2]]
        options = [cv2.IMWRITE_TIFF_COMPRESSION, 5]
        path.write_bytes(cv2.imencode(".tiff", np.ascontiguousarray(pixels.stored[..., order]), options)[1].tobytes())
    else:
        allowed = "1 L I;16 LA P RGB RGBA CMYK LAB F" if kind != "palette+alpha" else ""
        save(path, kind, pixels, orientation, allowed, format="TIFF", compression="tiff_lzw")


def save_dicom(path: Path, kind: str, pixels: Kind, orientation: int) -> None:
    if kind not in ("gray 8", "gray 16", "RGB 8", "RGB 16", "palette") or orientation > 1:
        raise CannotError
    dataset = pydicom.Dataset()
    dataset.Rows, dataset.Columns = SHAPE
    bits = pixels.stored.itemsize * 8
    dataset.SamplesPerPixel = pixels.stored.shape[2] if pixels.stored.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if pixels.stored.ndim == 3 else "MONOCHROME2"
    if pixels.palette is not None:
        dataset.PhotometricInterpretation = "PALETTE COLOR"
        for name, levels in zip(("Red", "Green", "Blue"), pixels.palette.T, strict=True):
            setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 8])
            setattr(dataset, f"{name}PaletteColorLookupTableData", bytes([*levels, *[0] * 249]))
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit, dataset.PixelRepresentation, dataset.PlanarConfiguration = bits - 1, 0, 0
    if kind == "gray 16":
        dataset.WindowCenter, dataset.WindowWidth, dataset.VOILUTFunction = 32767.5, 65535, "LINEAR_EXACT"
    dataset.PixelData = pixels.stored.tobytes()
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)


def save_nifti(path: Path, kind: str, pixels: Kind, orientation: int) -> None:
    if kind not in ("gray 8", "gray 16", "RGB 8", "float") or orientation > 1:
        raise CannotError
    values = pixels.stored
    if kind == "RGB 8":
        values = values.view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    image = nibabel.Nifti1Image(values.T[::-1, ::-1, np.newaxis], np.eye(4))
    top = {"gray 8": 255, "gray 16": 65535, "float": 1}.get(kind, 0)
    image.header["cal_max"] = top
    nibabel.save(image, path)


def by(allowed: str, **options: Any) -> Callable[..., None]:
    return lambda path, kind, pixels, orientation: save(path, kind, pixels, orientation, allowed, **options)


def tiff(**options: Any) -> Callable[..., None]:
    return lambda path, kind, pixels, orientation: save_tiff(path, kind, pixels, orientation, **options)


def unturned(write: Callable[..., None]) -> Callable[..., None]:
    def writer(path: Path, kind: str, pixels: Kind, orientation: int) -> None:
        if orientation > 1:
            raise CannotError
        write(path, kind, pixels, orientation)

    return writer


def without(unwritable: str, write: Callable[..., None]) -> Callable[..., None]:
    def writer(path: Path, kind: str, pixels: Kind, orientation: int) -> None:
        if kind == unwritable:
            raise CannotError
        write(path, kind, pixels, orientation)

    return writer


FORMATS: dict[str, tuple[str, Callable[..., None]]] = {
    "PNG": (".png", save_png),
    "JPEG": (".jpg", by("L RGB CMYK", quality=95, subsampling=0)),
    "TIFF": (".tif", tiff()),
    "TIFF, ZIP": (".tif", tiff(compression="zlib")),
    "TIFF, LZW": (".tif", save_lzw),
    "TIFF, tiled": (".tif", tiff(tile=(16, 16))),
    "TIFF, page 3": (".tif", tiff(pages=3)),
    "BigTIFF": (".tif", tiff(bigtiff=True)),
    "WebP, lossless": (".webp", by("RGB RGBA", lossless=True, exact=True)),
    "BMP": (".bmp", unturned(without("palette+alpha", by("1 L P RGB")))),
    "GIF": (".gif", unturned(by("1 L P"))),
    "AVIF": (".avif", by("L RGB RGBA", quality=95, subsampling="4:4:4")),
    "DICOM": (".dcm", save_dicom),
    "NIfTI": (".nii", save_nifti),
}
KINDS = kinds()
LOSSY = {  # and by how much, of 255
    ("JPEG", "gray 8"): 3, ("JPEG", "RGB 8"): 6, ("JPEG", "CMYK 8"): 8,
    ("AVIF", "gray 8"): 4, ("AVIF", "RGB 8"): 8, ("AVIF", "RGBA 8"): 8,
}  # fmt: skip
WRITTEN = ("gray 8", "gray 16", "gray+alpha 8", "gray+alpha 16", "RGB 8", "RGB 16", "RGBA 8", "RGBA 16")
LAB_SLACK = {"Lab 8": 1, "Lab 16": 386}  # littleCMS is asked and answers in 8 bits


def read_back(format_: str, kind: str, orientation: int, folder: Path) -> Picture | None:
    """None if nobody can write such a file."""
    suffix, write = FORMATS[format_]
    pixels, turn = KINDS[kind], STORED[orientation]
    stored = pixels._replace(stored=np.ascontiguousarray(turn(pixels.stored)))
    path = folder / f"picture{suffix}"
    try:
        write(path, kind, stored, orientation)
    except CannotError:
        return None
    return read_image(path, frame=2 if format_ == "TIFF, page 3" else 0)


def error_of(picture: Picture, kind: Kind) -> int:
    """The most that a value is off, in units of the picture's own depth."""
    found = picture.to_rgb(picture.chroma)
    assert found.dtype == kind.rgb.dtype, f"{found.dtype} for {kind.rgb.dtype}"
    return int(np.abs(found.astype(int) - kind.rgb).max())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_gives_every_kind_of_pixel_back_upright(tmp_path: Path, format_: str, kind: str) -> None:
    expected = KINDS[kind]
    for orientation in STORED:
        try:
            picture = read_back(format_, kind, orientation, tmp_path)
        except ImageError as error:
            assert kind == "signed 16", error  # noqa: PT017
            continue
        if picture is None:
            continue
        slack = LOSSY.get((format_, kind), LAB_SLACK.get(kind, 0 if expected.rgb.dtype == np.uint8 else 1))
        assert picture.shape == SHAPE
        assert error_of(picture, expected) <= slack, (format_, kind, orientation)
        if expected.alpha is None:
            assert picture.alpha is None
        else:
            off = np.abs(picture.alpha.astype(int) - expected.alpha).max()
            assert off <= (2 if format_ == "AVIF" else 0)


@pytest.mark.parametrize("suffix", WRITABLE_SUFFIXES)
@pytest.mark.parametrize("kind", WRITTEN)
def test_written_and_read_again(tmp_path: Path, suffix: str, kind: str) -> None:
    pixels = KINDS[kind]
    path = tmp_path / f"picture{suffix}"
    verdict = written(path, kind)
    if verdict == "refused":
        assert pixels.alpha is not None
        assert not path.exists()
        return
    picture = read_image(path)
    if picture.bit_depth == 8 and "16" in kind:
        expected = pixels._replace(rgb=np.round(pixels.rgb / 257).astype(np.uint8))
        alpha = None if pixels.alpha is None else np.round(pixels.alpha / 257).astype(np.uint8)
    else:
        expected, alpha = pixels, pixels.alpha
    lossy = suffix in (".jpg", ".jpeg")
    assert error_of(picture, expected) <= (6 if lossy else 0 if picture.bit_depth == 8 else 1)
    assert np.array_equal(picture.alpha, alpha) if alpha is not None else picture.alpha is None


def written(path: Path, kind: str) -> str:
    """Write by ours, and the word for the table."""
    pixels = KINDS[kind]
    colours = pixels.rgb if "RGB" in kind else np.ascontiguousarray(pixels.rgb[..., 0])
    try:
        write_image(path, colours, alpha=pixels.alpha)
    except ImageError:
        return "refused"
    deep = path.name.endswith((".png", ".tif", ".tiff", ".zarr"))
    lossy = path.suffix in (".jpg", ".jpeg")
    return "lossy" if lossy else "as 8 bits" if "16" in kind and not deep else "exact"


# The table


def verdicts(format_: str) -> Iterator[str]:
    """One word for each kind of pixel."""
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                picture = read_back(format_, kind, 1, Path(folder))
            except ImageError:
                yield "refused"
                continue
        yield "" if picture is None else "lossy" if (format_, kind) in LOSSY else "exact"


def table() -> str:
    lines = [f"| read | {' | '.join(FORMATS)} |", "|---" * (len(FORMATS) + 1) + "|"]
    words_by_kind = zip(*(list(verdicts(format_)) for format_ in FORMATS), strict=True)
    lines += [f"| {kind} | {' | '.join(words)} |" for kind, words in zip(KINDS, words_by_kind, strict=True)]
    lines += ["", f"| write | {' | '.join(WRITTEN)} |", "|---" * (len(WRITTEN) + 1) + "|"]
    for suffix in WRITABLE_SUFFIXES:
        with tempfile.TemporaryDirectory() as folder:
            words = [written(Path(folder, f"{i}{suffix}"), kind) for i, kind in enumerate(WRITTEN)]
        lines.append(f"| {suffix} | {' | '.join(words)} |")
    return "\n".join(lines) + "\n"


BEGIN, END = "<!-- the table -->\n", "<!-- end of the table -->\n"


def test_the_table_in_the_docs_is_up_to_date() -> None:
    assert DOCS.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0] == table()


if __name__ == "__main__":
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    DOCS.write_text(before + BEGIN + table() + END + rest.partition(END)[2], encoding="utf-8")
