"""The panel in a real window."""

from __future__ import annotations

from pathlib import Path

import napari_hybridcolor
import numpy as np
import pytest
from npe2 import PluginManifest
from skimage import data

from hybridcolor.lab import rgb_to_lab
from hybridcolor.picture import Picture

PURPLE = (150, 60, 190)


@pytest.fixture
def panel(qtbot):
    import napari
    from napari_hybridcolor.widget import ColorizeWidget

    viewer = napari.Viewer()
    gray = Picture.from_array(data.astronaut()[::4, ::4]).to_rgb()[..., 0]
    viewer.add_image(gray, name="photo")
    panel = ColorizeWidget(viewer)
    viewer.window.add_dock_widget(panel)
    panel.use_network.setChecked(False)
    panel.method_choice.setCurrentText("optimization")
    yield panel
    wait_for_result(panel, qtbot)
    viewer.close()


def wait_for_result(panel, qtbot):
    qtbot.waitUntil(lambda: panel._worker is None and not panel._timer.isActive() and not panel._again, timeout=60000)


def test_the_manifest_is_valid_and_names_the_panel():
    manifest = PluginManifest.from_file(Path(napari_hybridcolor.__file__).with_name("napari.yaml"))
    assert manifest.name == "hybridcolor"
    assert [widget.display_name for widget in manifest.contributions.widgets] == ["Colorize"]


def draw(panel, row, column):
    layer = panel.viewer.layers["scribbles"]
    with layer.block_history():  # as napari does between pressing and releasing the mouse button
        layer.paint((row, column), layer.selected_label)


def test_a_stroke_gives_its_colour_at_once_and_undo_takes_it_back(panel, qtbot):
    panel.add_colour(PURPLE)
    draw(panel, 20, 40)
    wait_for_result(panel, qtbot)
    first = panel.viewer.layers["colorized"].data.copy()
    lab = rgb_to_lab(first)
    np.testing.assert_allclose(lab[20, 40, 1:], rgb_to_lab(np.array(PURPLE, np.uint8))[1:], atol=1)

    panel.add_colour((60, 160, 60))
    draw(panel, 100, 60)
    wait_for_result(panel, qtbot)
    assert not np.array_equal(panel.viewer.layers["colorized"].data, first)
    panel.viewer.layers["scribbles"].undo()
    wait_for_result(panel, qtbot)
    assert np.array_equal(panel.viewer.layers["colorized"].data, first)


def test_the_network_colours_without_a_stroke(panel, qtbot):
    panel.use_network.setChecked(True)
    panel.method_choice.setCurrentText("hybrid")
    panel.run()
    wait_for_result(panel, qtbot)
    result = rgb_to_lab(panel.viewer.layers["colorized"].data)
    assert np.hypot(result[..., 1], result[..., 2]).mean() > 2
    assert "hybrid" in panel.message.text()


def test_mistakes_are_one_line(panel, qtbot):
    panel.run()
    wait_for_result(panel, qtbot)
    assert "draw at least one scribble" in panel.message.text()
    panel.viewer.add_image(np.zeros((4, 30, 30), np.uint8), name="stack")
    panel.image_choice.setCurrentText("stack")
    panel.run()
    assert "not a stack" in panel.message.text()
    assert "\n" not in panel.message.text()


def test_many_strokes_end_with_the_newest(panel, qtbot):
    panel.add_colour(PURPLE)
    for column in range(10, 100, 8):
        draw(panel, 20, column)
        panel.run()
    wait_for_result(panel, qtbot)
    assert np.array_equal(panel._submitted, panel.viewer.layers["scribbles"].data)
