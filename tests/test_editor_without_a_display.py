"""The editor's logic needs no window and no display."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

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
