"""Pictures for the benchmarks, and the machine's own speed to hold the figures against."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from skimage import data

from hybridcolor.picture import Picture
from hybridcolor.seeds import Seeds


@pytest.fixture(scope="session")
def photo() -> Callable[[float], Picture]:
    """A colour photo of about so many megapixels."""

    def of_size(megapixels: float) -> Picture:
        side = round((megapixels * 1e6) ** 0.5)
        return Picture.from_array(cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_CUBIC))

    return of_size


@pytest.fixture(scope="session")
def strokes() -> Callable[[Picture], Seeds]:
    """Two hundred short scribbles in the photo's true colours, the same at every size."""

    def on(picture: Picture) -> Seeds:
        assert picture.chroma is not None
        rows, columns = picture.shape
        rng = np.random.default_rng(0)
        starts = (rng.random((200, 2)) * (rows - 1, columns * 0.97 - 1)).astype(np.int32)
        length = max(1, columns // 40)
        coords = np.repeat(starts, length, axis=0)
        coords[:, 1] += np.tile(np.arange(length, dtype=np.int32), len(starts))
        ab = picture.chroma[starts[:, 0], starts[:, 1]]
        return Seeds.of(coords, np.repeat(ab, length, axis=0), stroke=np.repeat(np.arange(len(starts)), length))

    return on
