"""NIfTI of a slice in colour, or of several, by nibabel."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.metadata import Metadata

_NOTE = "hybridcolor: derived, colours are not measurements"  # `encoding.NOTE` in the 80 bytes that the field has
_COLOUR = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])


def encode_nifti(pixels: NDArray[np.uint8], metadata: Metadata, *, packed: bool) -> bytes:
    """A volume of a slice (H, W) or (H, W, 3), or of slices (N, H, W, 3), placed so that it is read as it was written.

    Its pixels are as large as those of a medical source, else by dpi, else of 1 mm.
    """
    import nibabel

    values: Any = pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels).view(_COLOUR)[..., 0]
    x, y = (25.4 / side for side in metadata.dpi or (25.4, 25.4))
    z, y, x = metadata.spacing or (1.0, y, x)
    # NIfTI's axes point to a person's right, front and top; a picture's columns go left and its rows back.
    image = nibabel.Nifti1Image(values.reshape(-1, *values.shape[-2:]).T, np.diag([-x, -y, z, 1.0]))
    image.header["descrip"] = _NOTE
    image.header.set_xyzt_units("mm")
    if pixels.ndim == 2:
        image.header["cal_max"] = 255
    data = image.to_bytes()
    return gzip.compress(data, mtime=0) if packed else data
