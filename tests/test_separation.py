"""Lines and tones apart, on drawings whose lines and tones are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from benchmarks.drawings import TONES, page
from hybridcolor.separation import separate

DOTS = [(tone, scale) for tone in TONES if tone != "hatching" for scale in (5, 8, 12)]


def parted(drawing, **how):
    """Share of a tone's ink left among the lines, share of the lines' that is lost, error of the shade in L*."""
    parts = separate(drawing.luminance, **how)
    toned = (drawing.region % 2 == 0) & (cv2.dilate(drawing.line.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0)
    left = (parts.lines < 50)[toned & (drawing.luminance < 50)].mean()
    regions = [toned & (drawing.region == number) for number in range(0, 14, 2)]
    errors = [parts.shade[own].astype(float) - drawing.luminance[own].mean() for own in regions]
    return left, (parts.lines > 60)[drawing.line].mean(), np.sqrt(np.mean([np.square(each).mean() for each in errors]))


@pytest.mark.parametrize(("tone", "scale"), DOTS)
def test_screentone_becomes_even_shade_and_lines_stay(tone, scale):
    left, lost, error = parted(page(0, gap=4, tone=tone, scale=scale))
    assert left < 0.1
    assert lost < 0.04
    assert error < 9


def test_hatching_is_tone_only_when_asked_for():
    hatched = page(0, gap=4, tone="hatching", scale=8)
    assert parted(hatched)[0] > 0.95
    left, lost, error = parted(hatched, hatching=True)
    assert left < 0.05
    assert lost < 0.04
    assert error < 4


def test_a_drawing_on_its_side_is_parted_the_same():
    luminance = page(0, gap=4, tone="dots").luminance
    upright, sideways = separate(luminance), separate(np.ascontiguousarray(luminance.T))
    assert (np.abs(upright.lines - sideways.lines.T) > 1).mean() < 0.003  # some have two nearest pixels of shade
    assert (np.abs(upright.shade - sideways.shade.T) > 1).mean() < 0.006


def test_without_tone_the_planes_make_the_drawing_again():
    drawing = page(1)
    parts = separate(drawing.luminance, hatching=True)
    again = parts.lines * parts.shade / 100
    assert np.abs(again - drawing.luminance).max() < 0.5
    assert (parts.shade > 95).mean() > 0.99


@pytest.mark.parametrize("size", [9, 11, 14, 18, 24])
def test_lettering_is_no_tone(size):
    sheet = Image.new("L", (420, 90), 255)
    words = "WHAT? You can't go there... it is, by all\nmeans, THE END OF THE WORLD! i:i:i;;;... OoOoOo\n...... -----"
    ImageDraw.Draw(sheet).multiline_text((5, 5), words, font=ImageFont.load_default(size), fill=0)
    luminance = np.asarray(sheet, np.float32) / np.float32(2.55)
    assert (separate(luminance).lines[luminance < 50] < 60).all()
