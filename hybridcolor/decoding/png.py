"""PNG. Pillow checks neither the sums of the pixel data nor that there is enough of it, and OpenCV prints to stderr."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from hybridcolor.decoding.common import (
    Decoded,
    Pixels,
    check_frame,
    check_size,
    from_opencv,
    from_pillow,
    orientation_of,
)
from hybridcolor.errors import ImageError
from hybridcolor.metadata import Metadata

START = b"\x89PNG\r\n\x1a\n"
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))  # Adam7
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_NOTES = (b"iCCP", b"pHYs", b"tEXt", b"zTXt", b"iTXt", b"eXIf")
_MOST_NOTES = 64

Chunk = tuple[bytes, bytes]


class _Header(NamedTuple):
    width: int
    height: int
    bits: int
    kind: int  # 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA
    compression: int
    filtering: int
    interlace: int


def decode_png(file: BinaryIO, frame: int, max_pixels: int) -> Decoded:
    """A PNG picture, checked to be whole; of an animated one, the still picture."""
    check_frame(frame, 1)
    chunks = list(_chunks(file.read()))
    if not chunks or chunks[0][0] != b"IHDR":
        raise ImageError("the PNG header is missing")
    header = _Header(*struct.unpack(">IIBBBBB", chunks[0][1]))
    check_size(header.width, header.height, max_pixels)
    _check_data(header, b"".join(data for name, data in chunks if name == b"IDAT"))
    info, exif = _notes(chunks)
    if header.bits < 16:
        # Pillow does not scale the transparent gray of 2 and 4 bits as it does the pixels
        kept = [c for c in chunks if c[0] in _PIXELS and not (c[0] == b"tRNS" and header.kind == 0)]
        decoded = from_pillow(PngImageFile(io.BytesIO(_png(kept))), max_pixels)
        if header.kind == 0:
            decoded = Decoded.of(_with_hidden(decoded.colours, header, chunks))
    else:
        decoded = Decoded.of(_deep(header, chunks))
    profile, metadata = info.get("icc_profile") or b"", Metadata.of(exif, info)
    return decoded._replace(profile=profile, metadata=metadata).upright(orientation_of(lambda: exif))


def _deep(header: _Header, chunks: list[Chunk]) -> Pixels:
    """The pixels of a picture of 16 bits a channel."""
    pixels = from_opencv(_png([chunk for chunk in chunks if chunk[0] in (b"IHDR", b"IDAT", b"IEND")]))
    pixels = pixels.reshape(header.height, header.width, -1)
    if header.kind == 4:
        pixels = pixels[..., [0, 3]]  # OpenCV gives gray and alpha as RGBA
    return _with_hidden(pixels, header, chunks)


def _with_hidden(pixels: Pixels, header: _Header, chunks: list[Chunk]) -> Pixels:
    """(H, W, C) with alpha, if a colour of this gray or RGB picture is to be transparent."""
    transparent = dict(chunks).get(b"tRNS")
    if transparent is None or header.kind not in (0, 2):
        return pixels
    top = int(np.iinfo(pixels.dtype).max)
    colour = np.frombuffer(transparent, ">u2").astype(np.int64) * (top // ((1 << header.bits) - 1))
    hidden = (pixels == colour).all(axis=2, keepdims=True)
    return np.concatenate([pixels, np.where(hidden, 0, top).astype(pixels.dtype)], axis=2)


def _notes(chunks: list[Chunk]) -> tuple[dict[Any, Any], Image.Exif]:
    """What the chunks beside the pixels say, by Pillow, each alone: one that is damaged costs no other."""
    info: dict[Any, Any] = {}
    for note in [chunk for chunk in chunks if chunk[0] in _NOTES][:_MOST_NOTES]:
        with suppress(Exception):
            info.update(PngImageFile(io.BytesIO(_png([chunks[0], note, (b"IDAT", b""), (b"IEND", b"")]))).info)
    exif = Image.Exif()
    with suppress(Exception):
        exif.load(info.get("exif", b""))
    return info, exif


def _chunks(data: bytes) -> Iterator[Chunk]:
    """Name and content of the chunks that matter, their sums checked; damaged notes are left out."""
    position, name = len(START), b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, position)
        body = data[position + 8 : position + 8 + length]
        good = data[position + 8 + length : position + 12 + length] == struct.pack(">I", zlib.crc32(name + body))
        if name in _PIXELS and not good:
            raise ImageError(f"the PNG is cut short or damaged in its {name.decode()} part")
        if name in _PIXELS or (name in _NOTES and good):
            yield name, body
        position += 12 + length


def _png(chunks: list[Chunk]) -> bytes:
    """A PNG file of these chunks."""
    parts = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return START + b"".join(parts)


def _check_data(header: _Header, data: bytes) -> None:
    """Raise unless the compressed data holds every row of the picture."""
    bits = header.bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[header.kind]
    missing = 0
    for top, left, down, right in _PASSES if header.interlace else ((0, 0, 1, 1),):
        rows, columns = -(-(header.height - top) // down), -(-(header.width - left) // right)
        if rows > 0 and columns > 0:
            missing += rows * (1 + -(-columns * bits // 8))
    inflater = zlib.decompressobj()
    for start in range(0, len(data), 1 << 16):  # in pieces: a bomb never inflates by more than one of them
        missing -= len(inflater.decompress(data[start : start + (1 << 16)]))
        if missing <= 0:
            return
    raise ImageError("the PNG is cut short: its last rows are missing")
