"""OME-Zarr 0.4 and 0.5, by zarr: a plane in full size."""

from __future__ import annotations

import itertools
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

from hybridcolor.decoding.common import Decoded, Pixels, check_frame, check_size
from hybridcolor.errors import ImageError
from hybridcolor.metadata import Metadata


def is_zarr(path: Path) -> bool:
    """Whether a folder is a group of Zarr arrays, of either version."""
    return (path / ".zattrs").is_file() or (path / "zarr.json").is_file()


def decode_zarr(path: Path, frame: int, max_pixels: int) -> Decoded:
    """A plane of an OME-Zarr folder; frames go through z first, then channels, then time.

    Three channels of one integer type that are shown as red, green and blue are one picture in colour. Others are gray,
    from the start to the end of their channel's display window, else over their type's range.
    """
    try:
        import zarr
    except ImportError as error:
        raise ImageError("this is OME-Zarr, which zarr reads; pip install 'hybridcolor[zarr]'") from error
    group = zarr.open_group(zarr.storage.LocalStore(path, read_only=True), mode="r")
    attributes: Any = dict(group.attrs)
    attributes = attributes.get("ome", attributes)
    if not attributes.get("multiscales"):
        raise ImageError("this Zarr folder is not OME-Zarr: it has no multiscales")
    multiscale = attributes["multiscales"][0]
    array: Any = group[multiscale["datasets"][0]["path"]]
    names = [axis["name"] if isinstance(axis, dict) else axis for axis in multiscale.get("axes", "tczyx")]
    if names[-2:] != ["y", "x"] or len(names) != array.ndim:
        raise ImageError(f"its axes are {' '.join(map(str, names))}; expected planes of y and x at the end")
    check_size(array.shape[-1], array.shape[-2], max_pixels)
    if math.prod(array.chunks) > max_pixels:
        raise ImageError(f"its chunks hold {math.prod(array.chunks)} numbers, more than the limit of {max_pixels}")
    channels = attributes.get("omero", {}).get("channels", [])
    sizes = dict(zip(names, array.shape, strict=True))
    colour = [str(channel.get("color")).upper() for channel in channels] == ["FF0000", "00FF00", "0000FF"]
    colour = colour and sizes.get("c") == 3 and array.dtype in (np.uint8, np.uint16)
    order = [name for name in ("t", "c", "z") if name in sizes and not (colour and name == "c")]
    frames = math.prod(sizes[name] for name in order)
    check_frame(frame, frames)
    place = dict(zip(order, np.unravel_index(frame, [sizes[name] for name in order]) if order else (), strict=True))
    at = tuple(int(place[name]) if name in place else slice(None) for name in names)
    _check_chunks(path / multiscale["datasets"][0]["path"], array, at)
    plane = np.asarray(array[at])
    if colour:
        return Decoded.of(np.moveaxis(plane, 0, -1))._replace(frames=frames)
    number = int(place.get("c", 0))
    window = channels[number].get("window", {}) if number < len(channels) else {}
    return _gray(plane, window)._replace(frames=frames)


def _check_chunks(folder: Path, array: Any, at: tuple[Any, ...]) -> None:
    """Raise if a chunk that was packed by Blosc lies about its size: Blosc trusts it, and the process would crash."""
    if not any("blosc" in type(codec).__name__.lower() for codec in array.compressors) or array.shards:
        return
    unpacked = math.prod(array.chunks) * array.dtype.itemsize
    grid = [
        range(-(-size // chunk)) if isinstance(where, slice) else (where // chunk,)
        for size, chunk, where in zip(array.shape, array.chunks, at, strict=True)
    ]
    for place in itertools.product(*grid):
        file = folder / array.metadata.encode_chunk_key(place)
        if file.is_file():
            with file.open("rb") as stream:
                sizes = struct.unpack("<4x3I", stream.read(16))
            if sizes[0] != unpacked or sizes[2] != file.stat().st_size:
                raise ImageError("a chunk of it is damaged or cut short")


def _gray(plane: Pixels, window: dict[str, Any]) -> Decoded:
    if plane.dtype.kind not in "iuf":
        raise ImageError(f"its numbers are {plane.dtype}; expected whole numbers or floats")
    whole = (0, int(np.iinfo(plane.dtype).max)) if plane.dtype.kind == "u" else (float(plane.min()), float(plane.max()))
    low, high = float(window.get("start", whole[0])), float(window.get("end", whole[1]))
    if plane.dtype in (np.uint8, np.uint16) and (low, high) == whole:
        return Decoded.of(plane)
    gray = np.clip((plane.astype(np.float64) - low) / max(high - low, 1e-9), 0, 1)
    return Decoded.of(gray.astype(np.float32), metadata=Metadata(description=f"Gray: values from {low:g} to {high:g}"))
