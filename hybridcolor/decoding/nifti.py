"""NIfTI, by nibabel: an axial slice of a volume, as radiologists look at it."""

from __future__ import annotations

import gzip
import math
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np

from hybridcolor.decoding.common import Decoded, Pixels, check_frame, check_size
from hybridcolor.errors import ImageError
from hybridcolor.metadata import Metadata, sensible_spacing

GZIP = b"\x1f\x8b"
MOST_OF_VOLUME = 200_000_000
"""Numbers of a volume of which one slice is read, unless a slice may have as many."""


def is_nifti(start: bytes) -> bool:
    """Whether a file that starts so is one NIfTI file of version 1 or 2."""
    return start[344:348] == b"n+1\0" or start[4:8] == b"n+2\0"


def decode_nifti(file: BinaryIO, frame: int, max_pixels: int) -> Decoded:
    """A slice across the axis nearest to foot-head, anterior up and the right-hand side left; then the next volume's.

    The file's display range (``cal_min``, ``cal_max``) is black to white, else 0 to 255 if its numbers are bytes, else
    the least and the most of all its numbers.
    """
    stream: Any = file
    if file.read(2) == GZIP:
        file.seek(0)
        stream = gzip.GzipFile(fileobj=file)
        start = stream.read(352)
        stream.seek(0)
        if not is_nifti(start):
            raise ImageError("this is a gzip file; only NIfTI is read packed like that, unpack it first")
    try:
        import nibabel
        from nibabel.imageglobals import LoggingOutputSuppressor
    except ImportError as error:
        raise ImageError("this is NIfTI, which nibabel reads; pip install 'hybridcolor[medical]'") from error
    with LoggingOutputSuppressor():
        return _slice(nibabel, stream, frame, max_pixels)


def _slice(nibabel: Any, stream: Any, frame: int, max_pixels: int) -> Decoded:
    """`decode_nifti` of an unpacked stream: finds the axis to cut across, the place on it and the volume."""
    stream.seek(0)
    version = stream.read(8)[4:]
    stream.seek(0)
    image = (nibabel.Nifti2Image if version == b"n+2\0" else nibabel.Nifti1Image).from_stream(stream)
    shape = (*image.shape, 1, 1, 1)[: max(3, len(image.shape))]
    if len(image.shape) < 2:
        raise ImageError(f"the NIfTI file has shape {image.shape}; expected a picture, a volume or a series of them")
    check_size(math.prod(shape[:-1]), shape[-1], max(max_pixels, MOST_OF_VOLUME))
    _check_whole(stream, image)
    order = nibabel.orientations.io_orientation(image.affine)
    if np.isnan(order).any():
        order = np.array([[0, 1], [1, 1], [2, 1]])
    across = int(np.flatnonzero(order[:, 0] == 2)[0])
    slices = shape[across]
    rows, columns = np.delete(shape[:3], across).tolist()
    check_size(columns, rows, max_pixels)
    frames = math.prod(shape[3:]) * slices
    check_frame(frame, frames)
    place, series = frame % slices, np.unravel_index(frame // slices, shape[3:], order="F") if shape[3:] else ()
    at: list[Any] = [slice(None)] * 3 + [int(i) for i in series]
    at[across] = place if order[across, 1] > 0 else slices - 1 - place
    plane = _plane(np.asanyarray(image.dataobj[tuple(at[: len(image.shape)])]).reshape(_flat(shape, across)))
    low, high = (0.0, 255.0) if plane.dtype == np.uint8 else (0.0, 0.0)
    low, high = _range(image, low, high) if plane.ndim == 2 else (low, high)
    decoded = _decoded(_radiological(plane, np.delete(order, across, axis=0)), low, high)
    spacing = _spacing(image, order[:, 0].tolist())
    return decoded._replace(metadata=replace(decoded.metadata, spacing=spacing), frames=frames)


def _spacing(image: Any, order: list[float]) -> tuple[float, float, float] | None:
    """Millimetres between slices, rows and columns, of a file whose axes run along these of the body."""
    sides = [*map(float, image.header.get_zooms()[:3]), 1.0][:3]
    unit = {"meter": 1000.0, "micron": 0.001}.get(image.header.get_xyzt_units()[0], 1.0)
    slices, rows, columns = (unit * sides[order.index(axis)] for axis in (2, 1, 0))
    return sensible_spacing(slices, rows, columns)


def _check_whole(stream: Any, image: Any) -> None:
    """Raise unless the file goes on to its last number, and a packed one to its check sum."""
    stream.seek(image.dataobj.offset + math.prod(image.shape) * image.get_data_dtype().itemsize - 1)
    if not stream.read(2):
        raise ImageError("the NIfTI file is cut short")


def _flat(shape: tuple[int, ...], across: int) -> tuple[int, ...]:
    return tuple(size for axis, size in enumerate(shape[:3]) if axis != across)


def _plane(values: Pixels) -> Pixels:
    """Numbers, of a picture of colours in a last axis."""
    if values.dtype.fields is None:
        return values
    return np.stack([values[name] for name in values.dtype.fields], axis=-1)


def _radiological(plane: Pixels, order: Pixels) -> Pixels:
    """A slice with rows from anterior to posterior and columns from the right-hand side to the left-hand side."""
    if order[0, 0] > order[1, 0]:  # its first axis runs front to back
        plane, order = plane.swapaxes(0, 1), order[::-1]
    if order[0, 1] > 0:
        plane = plane[::-1]
    if order[1, 1] > 0:
        plane = plane[:, ::-1]
    return np.ascontiguousarray(plane.swapaxes(0, 1))


def _range(image: Any, low: float, high: float) -> tuple[float, float]:
    """Black and white: the file's display range, else the given one, else least and most of all its numbers."""
    if image.header["cal_max"] > image.header["cal_min"]:
        return float(image.header["cal_min"]), float(image.header["cal_max"])
    if high > low:
        return low, high
    low, high = math.inf, -math.inf
    for i in range(image.shape[-1]):  # slice by slice, so that only one is held as floats
        values = np.asanyarray(image.dataobj[..., i])
        values = values[np.isfinite(values)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    if low > high:
        raise ImageError("the NIfTI file holds no finite number")
    return low, high


def _decoded(plane: Pixels, low: float, high: float) -> Decoded:
    if plane.dtype == np.uint8 and (plane.ndim == 3 or (low, high) == (0, 255)):
        return Decoded.of(plane)
    if plane.dtype.kind not in "iuf":
        raise ImageError(f"its numbers are {plane.dtype}; expected whole numbers or floats")
    gray = (np.nan_to_num(plane.astype(np.float64), nan=low) - low) / max(high - low, 1e-9)
    description = f"Gray: values from {low:g} to {high:g}"
    return Decoded.of(np.clip(gray, 0, 1).astype(np.float32), metadata=Metadata(description=description))
