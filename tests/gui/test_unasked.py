"""What a window does unasked, and must not: settings that change by the wheel, layers that are torn off the picture."""

from __future__ import annotations

import numpy as np
import pytest
from napari_hybridcolor.opening import edit
from qtpy.QtCore import QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QCheckBox, QComboBox, QSlider

from hybridcolor.imagefiles import write_image
from hybridcolor.palettes import painted, swatch
from tests.gui.window import at, drag, opened, press, shown, wait_for_answer

PURPLE = (45.0, -50.0)


def turn(widget, lines=-1):
    """Turn the wheel with the mouse over a widget."""
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(middle.toPoint())),
        QPoint(),
        QPoint(0, 120 * lines),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    return event


def test_the_wheel_over_the_panel_changes_nothing(panel, qtbot):
    before = panel.editing.session.drawing
    widgets = [*panel.findChildren(QComboBox), *panel.findChildren(QSlider)]
    assert len(widgets) > 8
    for widget in widgets:
        assert not turn(widget).isAccepted()
    qtbot.wait(50)
    assert panel.editing.session.drawing is before


def test_a_click_on_the_panel_leaves_the_keys_to_the_canvas(panel, viewer):
    viewer.window._qt_viewer.canvas.native.setFocus()
    for widget in (*panel.findChildren(QComboBox), *panel.findChildren(QCheckBox)):
        assert not widget.focusPolicy() & Qt.FocusPolicy.ClickFocus


def test_edit_shows_the_whole_picture(tmp_path, monkeypatch, qtbot):
    import napari

    write_image(tmp_path / "wide.png", np.tile(np.arange(0, 250, dtype=np.uint8), (100, 2)))
    seen = []

    def look():
        viewer = napari.current_viewer()
        corners = viewer.layers["wide.png"].corner_pixels
        seen.append(corners[:, -2:].tolist())
        viewer.close()

    def run():
        QTimer.singleShot(1500, look)
        qtbot.waitUntil(lambda: bool(seen), timeout=60_000)

    monkeypatch.setattr(napari, "run", run)
    edit(tmp_path / "wide.png")
    (((top, left), (bottom, right)),) = seen
    assert (top, left) == (0, 0)
    assert bottom >= 98
    assert right >= 498


def test_strokes_keep_their_colours_and_place_whatever_napari_does_to_their_layer(panel, viewer, qtbot):
    panel.colour.use(PURPLE)
    drag(viewer, (60, 30), (60, 90))
    wait_for_answer(panel, qtbot)
    layer = panel.editing.scribbles.layer
    colour = layer.get_color(1)
    layer.new_colormap(seed=3)  # napari's "shuffle colors"
    np.testing.assert_allclose(layer.get_color(1), colour)
    for each in (layer, viewer.layers["colorized"]):
        place = each.data_to_world((10, 20))
        each.translate = (30, 40)
        each.scale = (2, 3)
        each.affine = np.diag([1, 2, 1])
        np.testing.assert_allclose(each.data_to_world((10, 20)), place)


def test_strokes_on_a_drawing_look_as_they_paint(viewer, qtbot):
    page = np.full((128, 128), 255, np.uint8)
    page[30:33], page[90:93] = 0, 0
    panel = opened(viewer, page, qtbot)
    assert panel.editing.paints
    panel.colour.use(PURPLE)
    drag(viewer, (60, 30), (60, 90))
    wait_for_answer(panel, qtbot)
    look = panel.editing.scribbles.layer.get_color(1)[:3] * 255
    np.testing.assert_allclose(look, swatch(painted(PURPLE)), atol=1)
    np.testing.assert_allclose(panel.editing.result.layer.data[60, 60], look, atol=3)


def test_strokes_that_waited_are_answered_when_update_is_switched_on(panel, viewer, qtbot):
    panel.settings.live.setChecked(False)
    before = shown(viewer)
    panel.colour.use(PURPLE)
    drag(viewer, (60, 30), (60, 90))
    wait_for_answer(panel, qtbot)
    np.testing.assert_array_equal(shown(viewer), before)
    assert panel.message.text() == "1 stroke, not saved. Propagate shows what is new."
    panel.settings.propagate_button.click()
    wait_for_answer(panel, qtbot)
    assert panel.message.text() == "1 stroke, not saved."
    drag(viewer, (90, 30), (90, 90))
    before = shown(viewer)
    panel.settings.live.setChecked(True)
    wait_for_answer(panel, qtbot)
    assert np.abs(shown(viewer) - before).max() > 20


def test_the_picture_does_not_move_under_a_stroke(panel, viewer, qtbot):
    wait_for_answer(panel, qtbot)
    native, centre = viewer.window._qt_viewer.canvas.native, viewer.scene.camera.center
    panel.tools.use("brush")
    QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=at(viewer, 60, 30))
    press(viewer, Qt.Key.Key_N)
    assert viewer.scene.camera.center == centre
    assert panel.message.text() == "Let the mouse go first."
    QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=at(viewer, 60, 30))


def test_colours_that_were_deleted_come_back_by_q(panel, viewer, qtbot):
    viewer.layers.remove("colorized")
    press(viewer, Qt.Key.Key_Q)
    wait_for_answer(panel, qtbot)
    assert "colorized" in viewer.layers
    assert viewer.layers["colorized"].visible


@pytest.mark.parametrize("tool", ["remove", "recolour"])
def test_a_click_beside_all_strokes_is_told(panel, viewer, qtbot, tool):
    panel.tools.use(tool)
    drag(viewer, (90, 30), (90, 30))
    assert panel.message.text() == "There is no stroke here."
    assert not panel.editing.session.drawing.strokes


def test_what_only_a_network_knows_is_told_without_one(panel, viewer, qtbot):
    panel.editing.change(model="none")
    wait_for_answer(panel, qtbot)
    for key in (Qt.Key.Key_U, Qt.Key.Key_A):
        panel.message.say("")
        press(viewer, key)
        assert "there is none" in panel.message.text()
