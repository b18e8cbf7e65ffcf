"""Pixels of every kind and depth that the tests of pictures and their files share."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from skimage import data

from hybridcolor.picture import Picture

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
