"""What the panel shows: its size, colours, and states that are to be seen."""

from __future__ import annotations

import numpy as np
import pytest
from napari_hybridcolor.panel.controls import Scrolled
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton

from hybridcolor.lab import rgb_to_lab
from tests.gui.window import at, drag, opened, press, shown, wait_for_answer

PURPLE = (45.0, -50.0)


@pytest.mark.parametrize(("width", "height"), [(900, 600), (1200, 800), (1440, 900)])
def test_the_panel_leaves_room_for_the_picture_and_can_be_scrolled(viewer, gray, qtbot, width, height):
    window = viewer.window._qt_window
    window.resize(width, height)
    panel = opened(viewer, gray, qtbot)
    assert (window.width(), window.height()) == (width, height)
    assert panel.width() < 350
    assert viewer.window._qt_viewer.canvas.native.width() > 200
    for shown_button in panel.findChildren(QPushButton):
        if shown_button.isVisible():
            assert shown_button.width() >= shown_button.fontMetrics().horizontalAdvance(shown_button.text())
    (scrolled,) = [each for each in panel.children() if isinstance(each, Scrolled)]
    panel.tabs.setCurrentWidget(panel.settings)
    scrolled.ensureWidgetVisible(panel.settings.live)
    QTest.qWait(50)
    assert not panel.settings.live.visibleRegion().isEmpty()


def test_strong_colours_can_be_chosen_over_white(viewer, gray, qtbot):
    gray[60:100, 40:80], gray[:30, 40:80] = 255, 120
    panel = opened(viewer, gray, qtbot)
    native, plane = viewer.window._qt_viewer.canvas.native, panel.colour.plane
    panel.colour.use((60.0, 40.0))

    def is_over(row, column):
        QTest.mouseMove(native, at(viewer, row, column))  # again and again: vispy drops a move right after another
        return panel.colour.place is not None and abs(panel.colour.place[0] - row) < 4

    for place, luminance in (((15, 60), 50), ((80, 60), 62)):
        qtbot.waitUntil(lambda place=place: is_over(*place))
        assert plane.luminance == pytest.approx(luminance, abs=1.5)
        swatch = panel.colour.now.grab().toImage().pixelColor(20, 12).getRgb()[:3]
        assert np.hypot(*rgb_to_lab(np.array([[swatch]], np.uint8))[0, 0, 1:]) > 55
    qtbot.mouseClick(plane, Qt.MouseButton.LeftButton, pos=plane.position_of((60.0, 40.0)).toPoint())
    assert np.hypot(*np.subtract(panel.colour.plane.colour, (60.0, 40.0))) < 3


def test_the_answer_is_seen_through_strokes_and_strokes_on_their_own_colour(panel, viewer, qtbot):
    panel.colour.use(PURPLE)
    viewer.layers["scribbles"].brush_size = 12
    drag(viewer, (80, 30), (80, 60))
    wait_for_answer(panel, qtbot)
    QTest.mouseMove(viewer.window._qt_viewer.canvas.native, at(viewer, 10, 10))

    def canvas(visible):
        viewer.layers["scribbles"].visible = visible
        qtbot.wait(100)
        seen = rgb_to_lab(viewer.screenshot(canvas_only=True, flash=False)[..., :3])
        here = at(viewer, 80, 45)
        return seen[here.y() - 8 : here.y() + 8, here.x() - 40 : here.x() + 40]

    answer, stroke = canvas(visible=False), canvas(visible=True)
    assert np.abs(stroke - answer)[..., 0].mean() > 2  # it is there
    assert np.corrcoef(stroke[..., 0].ravel(), answer[..., 0].ravel())[0, 1] > 0.9  # and so is what lies below it


def test_hidden_colours_show_in_the_button(panel, viewer, gray, qtbot):
    button = panel.compare_button
    press(viewer, Qt.Key.Key_Q)
    assert button.isChecked()
    assert not viewer.layers["colorized"].visible
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not button.isChecked()
    assert viewer.layers["colorized"].visible
    viewer.layers["colorized"].visible = False  # by napari's own eye
    assert button.isChecked()
    viewer.layers.remove("colorized")
    panel.editing.ask()
    wait_for_answer(panel, qtbot)
    assert not button.isChecked()
    viewer.layers.remove("colorized")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not button.isChecked()  # there are no colours to hide


def test_variants_say_when_they_are_there(panel, viewer, qtbot):
    panel.tools.use("region")
    assert "Drag around" in panel.message.text()
    native = viewer.window._qt_viewer.canvas.native
    corners = ((60, 20), (60, 70), (110, 70), (110, 20))
    QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=at(viewer, *corners[0]))
    for corner in corners[1:]:
        QTest.mouseMove(native, at(viewer, *corner))
        QTest.qWait(5)
    QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=at(viewer, *corners[-1]))
    qtbot.waitUntil(panel.variants.thumbnails[0].isEnabled, timeout=60_000)
    assert "Click a thumbnail" in panel.message.text()
    panel.tabs.setCurrentWidget(panel.variants)
    QTest.qWait(50)
    assert all(each.visibleRegion().boundingRect().width() == each.width() for each in panel.variants.thumbnails)


@pytest.mark.parametrize("name", ["wipe", "unsure", "regions"])
def test_an_overlay_that_is_deleted_is_no_longer_ticked(panel, viewer, qtbot, name):
    box = getattr(panel.view, name)
    box.setChecked(True)
    qtbot.waitUntil(lambda: name in viewer.layers, timeout=60_000)
    viewer.layers.remove(name)
    assert not box.isChecked()
    wait_for_answer(panel, qtbot)
    box.setChecked(True)
    qtbot.waitUntil(lambda: name in viewer.layers, timeout=60_000)
    assert box.isChecked()


def test_guesses_that_are_hardly_likely_are_left_out(panel, qtbot):
    seen = set()
    for place in ((10, 10), (40, 60), (80, 38), (100, 100), (60, 110)):
        panel.colour.look_at(place)
        shares = [int(button.text()[:-1]) for button in panel.colour.likely.buttons if button.text()]
        assert min(shares) >= 2
        seen.add(len(shares))
    assert shown(panel.viewer).any()
    assert min(seen) < 5
