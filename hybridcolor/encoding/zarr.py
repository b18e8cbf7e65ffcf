"""OME-Zarr 0.4, by zarr: a pyramid of the picture in chunks."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hybridcolor.encoding import NOTE
from hybridcolor.metadata import Metadata

_CHUNK = 512
_COLOURS = {1: ("FFFFFF",), 3: ("FF0000", "00FF00", "0000FF")}


def encode_zarr(pixels: NDArray[Any], metadata: Metadata) -> dict[str, bytes]:
    """The files of the folder, by their paths in it; channels are axis c."""
    import zarr

    files: dict[str, Any] = {}
    planes = pixels.reshape(*pixels.shape[:2], -1)
    levels = [planes]
    while max(levels[-1].shape[:2]) > _CHUNK:
        height, width = levels[-1].shape[:2]
        half = cv2.resize(levels[-1], (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
        levels.append(half.reshape(*half.shape[:2], -1))
    group = zarr.create_group(zarr.storage.MemoryStore(files), zarr_format=2, attributes=_attributes(levels, metadata))
    for name, level in enumerate(levels):
        array = group.create_array(
            str(name),
            shape=(level.shape[2], *level.shape[:2]),
            chunks=(1, _CHUNK, _CHUNK),
            dtype=level.dtype,
            chunk_key_encoding={"name": "v2", "separator": "/"},
        )
        array[:] = np.moveaxis(level, 2, 0)
    return {name: content.to_bytes() for name, content in sorted(files.items())}


def _attributes(levels: list[NDArray[Any]], metadata: Metadata) -> dict[str, Any]:
    """The metadata that make Zarr OME-Zarr (ngff.openmicroscopy.org/0.4)."""
    full = levels[0]
    top = int(np.iinfo(full.dtype).max)
    datasets = []
    for name, level in enumerate(levels):
        scale = [1.0, full.shape[0] / level.shape[0], full.shape[1] / level.shape[1]]
        datasets.append({"path": str(name), "coordinateTransformations": [{"type": "scale", "scale": scale}]})
    axes = [{"name": "c", "type": "channel"}, {"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    words = f"{NOTE} {metadata.description}".strip()
    notes = {"note": words} | ({"software": metadata.software} if metadata.software else {})
    multiscale = {"version": "0.4", "name": "picture", "axes": axes, "datasets": datasets, "metadata": notes}
    window = {"start": 0, "end": top, "min": 0, "max": top}
    channels = [{"color": colour, "window": window, "active": True} for colour in _COLOURS[full.shape[2]]]
    return {"multiscales": [multiscale], "omero": {"channels": channels}}
