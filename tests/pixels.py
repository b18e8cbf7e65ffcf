"""What the tests of pictures and their files share: pixels of every kind and depth, orientations, refusals."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import read_image
from hybridcolor.picture import Picture

RNG = np.random.default_rng(7)
PHOTO = np.ascontiguousarray(data.astronaut()[::8, ::9])  # (64, 57, 3)
GRAY8 = np.ascontiguousarray(PHOTO[..., 1])
GRAY16 = RNG.integers(0, 65536, (31, 45), np.uint16)
RGB16 = RNG.integers(0, 65536, (31, 45, 3), np.uint16)
ALPHA8 = RNG.integers(0, 256, (64, 57), np.uint8)
ALPHA16 = RNG.integers(0, 65536, (31, 45), np.uint16)
# By the EXIF standard: the pixels as stored, so that the picture is upright.
STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda p: p, 2: np.fliplr, 3: lambda p: np.rot90(p, 2), 4: np.flipud, 5: lambda p: p.swapaxes(0, 1),
    6: np.rot90, 7: lambda p: np.rot90(p.swapaxes(0, 1), 2), 8: lambda p: np.rot90(p, -1),
}  # fmt: skip


def refused(path: Path, **options: int) -> str:
    """The one line that says which file is not read, and why."""
    with pytest.raises(ImageError) as caught:
        read_image(path, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert path.name in line or not path.name.isprintable()
    return line


def rgb_of(picture: Picture) -> np.ndarray:
    """The pixels again, by way of L*a*b*."""
    return picture.to_rgb(picture.chroma)


def png_of(
    width: int, height: int, bits_kind: tuple[int, int], raw: bytes, *extra: tuple[bytes, bytes], level: int = 6
) -> bytes:
    """A PNG file put together by hand; ``bits_kind`` are bits a channel and the kind of colours (2 is RGB)."""
    header = struct.pack(">IIBBBBB", width, height, *bits_kind, 0, 0, 0)
    parts = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(raw, level)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def png_rows(pixels: np.ndarray) -> bytes:
    """Rows of a PNG of 16 bits, unfiltered."""
    return b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
