"""Damaged colour profiles: colours within reason or none at all, and not a word on any stream."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageCms

from hybridcolor.icc import srgb_profile, to_lab
from hybridcolor.picture import Picture

ROUNDS = 600  # 6,000 were run by hand, of tables too
PIXELS = np.random.default_rng(3).integers(0, 256, (4, 5, 3), np.uint8)


@pytest.mark.parametrize("gray", [False, True])
def test_damaged_profiles(gray: bool, capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(gray)
    whole = srgb_profile(gray=gray).replace(b"para\0\0\0\0\0\3", b"para\0\0\0\0\0\0")  # a plain gamma, so not sRGB
    applied = 0
    for _ in range(ROUNDS):
        spoiled = bytearray(whole)
        for _ in range(rng.integers(1, 5)):
            at = int(rng.integers(len(spoiled)))
            spoiled[at : at + 2] = rng.choice([b"\0\0", b"\xff\xff", b"\x80\0", rng.bytes(2)])
        colours = PIXELS[..., :1] if gray else PIXELS
        lab = to_lab(colours, bytes(spoiled), space="gray" if gray else "rgb")
        if lab is not None:
            Picture.from_lab(lab)  # which checks the range
            applied += 1
    assert applied > 50
    assert capfd.readouterr() == ("", "")


def test_profiles_of_littlecms_cut_anywhere() -> None:
    whole = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for length in range(len(whole)):
        assert to_lab(PIXELS, whole[:length], space="rgb") is None
