"""The editor's logic needs no window and no display."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from hybridcolor import load_predictor
from hybridcolor.marked import found_seeds
from hybridcolor.picture import Picture
from hybridcolor.seedfiles import write_seeds
from hybridcolor.seeds import AUTO

SCRIPT = Path(__file__).parent / "gui" / "without_a_display.py"


@pytest.mark.skipif(find_spec("napari") is None, reason="napari is not installed; pip install -e '.[dev,gui]'")
def test_strokes_settings_and_overlays_over_napari_s_model():
    hidden = ("DISPLAY", "WAYLAND_DISPLAY")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["QT_QPA_PLATFORM"] = "minimal"
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "done"


@pytest.mark.skipif(find_spec("napari") is None, reason="napari is not installed")
def test_the_patches_of_a_drawings_own_model_are_no_strokes_in_the_editor(tmp_path):
    from napari_hybridcolor.sessions import first_strokes

    gray = np.full((120, 160), 255, np.uint8)
    gray[20:100, 30:130] = 0
    gray[23:97, 33:127] = 255
    picture = Picture.from_array(gray)
    write_seeds(tmp_path / "marked.png", found_seeds(picture.luminance, load_predictor("lineart")), picture)
    strokes = first_strokes(tmp_path / "marked.png", picture)
    assert len(strokes) > 0
    assert (strokes.origin == AUTO).all()
