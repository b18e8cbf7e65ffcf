"""GUI tests open real windows. Where none can be opened they are skipped and say why; with CI set they fail."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from skimage import data

HERE = Path(__file__).parent


def missing_for_a_window() -> str | None:
    """What keeps this machine from opening a window, in a line, or None."""
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "no display to open a window on; run `make test`, which starts a virtual one"
    for package in ("napari", "PyQt6", "pytestqt"):
        if find_spec(package) is None:
            return f"{package} is not installed; run `make test`, or pip install -e '.[dev,gui]'"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = missing_for_a_window()
    ours = [item for item in items if HERE in item.path.parents]
    if reason is None or not ours:
        return
    if os.environ.get("CI"):
        raise pytest.UsageError(f"GUI tests cannot run: {reason}")
    for item in ours:
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def nobodys_colours(tmp_path, monkeypatch):
    """Tests neither see nor touch what is kept of the person who runs them."""
    monkeypatch.setattr("napari_hybridcolor.kept.folder", lambda: tmp_path / "kept")


@pytest.fixture
def viewer(qtbot):
    import napari
    from napari_hybridcolor.work import wait_for_all

    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1200, 900)  # napari would take the size that the last window had
    qtbot.waitExposed(viewer.window._qt_window)
    yield viewer
    viewer.close()
    wait_for_all()  # as Python does when a person quits


@pytest.fixture
def gray():
    from hybridcolor.picture import Picture

    return Picture.from_array(data.astronaut()[::4, ::4]).to_rgb()[..., 0]


@pytest.fixture
def panel(viewer, gray, qtbot):
    from tests.gui.window import opened

    return opened(viewer, gray, qtbot)
