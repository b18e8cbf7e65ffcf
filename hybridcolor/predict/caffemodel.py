"""Weights out of a ``.caffemodel``, without Caffe.

Such a file is a ``NetParameter`` of caffe.proto in the wire format of protocol buffers
(https://protobuf.dev/programming-guides/encoding): fields follow one another, each a key of field number and wire type,
then a varint, 4 or 8 bytes, or a length and as many bytes. Only layers, their names and their blobs are looked into;
anything else is skipped by its length. Files are not trusted: every length is checked against what is there, messages
nest no deeper than this code does, and the number of fields is limited, so a broken file ends with an error soon.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hybridcolor.errors import ModelError

Blob = NDArray[np.float32 | np.float64]
MAX_FIELDS = 100_000
"""More fields in one file are refused; a real one has a few thousand."""

# Field numbers in caffe.proto.
_LAYERS = {100: (1, 7), 2: (4, 6)}  # of NetParameter: `layer` and the older `layers`; in each the name and the blobs
_SHAPE, _FLOATS, _DOUBLES = 7, 5, 8  # of BlobProto
_LEGACY = (1, 2, 3, 4)  # of BlobProto: num, channels, height, width, in files older than `shape`
_DIMENSIONS = 1  # of BlobShape
_MOST_DIMENSIONS = 32  # Caffe's own limit, kMaxBlobAxes
# Wire types.
_VARINT, _BYTES = 0, 2
_FIXED = {1: 8, 5: 4}  # bytes of those of fixed size


def read_caffemodel(content: bytes) -> dict[str, list[Blob]]:
    r"""The blobs of every layer that has any, by the layer's name.

    Parameters
    ----------
    content : bytes
        Of a binary ``.caffemodel``, with `layer` or with the older `layers`.

    Returns
    -------
    dict of list of array
        Views of the content, float32 or float64, in the shapes that the file gives.

    Raises
    ------
    ModelError
        If it is not such a file, or not whole.

    Examples
    --------
    >>> blob = b"\x3a\x03\x0a\x01\x02" + b"\x2a\x08" + np.float32([1, 2]).tobytes()  # shape: [2], then two floats
    >>> layer = b"\x0a\x01c" + b"\x3a\x0f" + blob  # its name, its blob
    >>> read_caffemodel(b"\xa2\x06\x14" + layer)
    {'c': [array([1., 2.], dtype=float32)]}
    """
    try:
        return _net(memoryview(content), _Walk())
    except ValueError as error:
        raise ModelError(f"not a whole .caffemodel ({error}); download it again") from error


class _Walk:
    """Walks messages with one budget of fields for the whole file."""

    def __init__(self) -> None:
        self.left = MAX_FIELDS

    def fields(self, message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
        """Field numbers with their values: integers for varints, bytes for all other wire types."""
        at = 0
        while at < len(message):
            self.left -= 1
            if self.left < 0:
                raise ValueError(f"more than {MAX_FIELDS} fields")
            key, at = _varint(message, at)
            number, wire = key >> 3, key & 7
            if number == 0:
                raise ValueError("a field of number 0")
            if wire == _VARINT:
                value, at = _varint(message, at)
                yield number, value
                continue
            if wire == _BYTES:
                length, at = _varint(message, at)
            elif wire in _FIXED:
                length = _FIXED[wire]
            else:
                raise ValueError(f"a field of wire type {wire}")
            if length > len(message) - at:
                raise ValueError("a field that ends behind its message")
            yield number, message[at : at + length]
            at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The unsigned integer at a place, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError("a number that is cut off")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number of more than 10 bytes")


def _net(message: memoryview, walk: _Walk) -> dict[str, list[Blob]]:
    """The blobs of each layer that has any, by the layer's name; layers of both kinds, see `_LAYERS`."""
    layers: dict[str, list[Blob]] = {}
    for number, value in walk.fields(message):
        if number not in _LAYERS:
            continue
        name, blobs = "", []
        name_field, blobs_field = _LAYERS[number]
        for part, content in walk.fields(_message(value)):
            if part == name_field:
                name = str(_message(content), "utf-8")  # what is not UTF-8 is a ValueError
            elif part == blobs_field:
                blobs.append(_blob(_message(content), walk))
        if blobs and name in layers:
            raise ValueError(f"two layers {name[:40]!r}")
        if blobs:
            layers[name] = blobs
    return layers


def _blob(message: memoryview, walk: _Walk) -> Blob:
    """The numbers of a BlobProto, in the shape that it says, or in the four dimensions that older ones have."""
    shape: list[int] | None = None
    legacy = dict.fromkeys(_LEGACY, 0)
    chunks: list[Blob] = []
    for number, value in walk.fields(message):
        if number == _SHAPE:
            shape = _shape(_message(value), walk)
        elif number in _LEGACY and isinstance(value, int):
            legacy[number] = value
        elif number in (_FLOATS, _DOUBLES):
            chunks.append(_numbers(_message(value), "<f4" if number == _FLOATS else "<f8"))
    dimensions = list(legacy.values()) if shape is None else shape
    data = chunks[0] if len(chunks) == 1 else np.concatenate(chunks or [np.zeros(0, np.float32)])
    if len(dimensions) > _MOST_DIMENSIONS or math.prod(dimensions) != data.size:
        raise ValueError(f"a blob of shape {dimensions[:8]} with {data.size} numbers")
    return data.reshape(dimensions)


def _shape(message: memoryview, walk: _Walk) -> list[int]:
    """The dimensions in a BlobShape, packed or one by one."""
    dimensions: list[int] = []
    for number, value in walk.fields(message):
        if number != _DIMENSIONS:
            continue
        if isinstance(value, int):
            dimensions.append(value)
            continue
        at = 0
        while at < len(value) and len(dimensions) <= _MOST_DIMENSIONS:
            size, at = _varint(value, at)
            dimensions.append(size)
    return dimensions


def _numbers(packed: memoryview, dtype: str) -> Blob:
    """Numbers packed into one field; each in a field of its own is read too, but not by the million (`MAX_FIELDS`)."""
    width = np.dtype(dtype).itemsize
    if len(packed) % width:
        raise ValueError(f"{len(packed)} bytes of numbers of {width} bytes")
    return np.frombuffer(packed, dtype)


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number in place of a message")  # noqa: TRY004 - damage of the file, not of the code
    return value
