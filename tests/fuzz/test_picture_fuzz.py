"""Pictures cut short: an `ImageError` or the whole picture, and not a word on any stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import read_image
from tests.fuzz.samples import pictures


def test_a_torn_file_is_never_half_a_picture(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Cut every kind of file at many places: it is refused, or not a pixel is missing."""
    torn = tmp_path / "torn"
    (tmp_path / "whole").mkdir()
    refusals = 0
    for path in filter(Path.is_file, pictures(tmp_path / "whole")):
        picture, content = read_image(path), path.read_bytes()
        whole = picture.to_rgb(picture.chroma)
        for length in {*range(0, len(content), max(1, len(content) // 25)), *range(len(content) - 12, len(content))}:
            torn.write_bytes(content[:length])
            try:
                picture = read_image(torn)
            except ImageError:
                refusals += 1
            else:
                assert np.array_equal(picture.to_rgb(picture.chroma), whole), (path.name, length, len(content))
    assert refusals > 300
    assert capfd.readouterr() == ("", "")
