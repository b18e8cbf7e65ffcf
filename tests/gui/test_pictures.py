"""Several pictures, pictures that come and go, and a panel that is closed and added again."""

from __future__ import annotations

import numpy as np
from napari._qt.widgets.qt_viewer_dock_widget import QtViewerDockWidget
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from tests.gui.window import choose, drag, opened, press, shown, wait_for_answer

PURPLE = (45.0, -50.0)


def names(viewer):
    return [layer.name for layer in viewer.layers]


def listed(panel):
    return [panel.image_choice.itemText(i) for i in range(panel.image_choice.count())]


def seen(viewer):
    """The middle of the canvas, as a person sees it."""
    QTest.qWait(100)
    pixels = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    height, width = pixels.shape[:2]
    return pixels[height // 3 : -height // 3, width // 3 : -width // 3]


def close_by_its_x(panel, viewer):
    (dock,) = (d for d in viewer.window._qt_window.findChildren(QtViewerDockWidget) if d.isAncestorOf(panel))
    QTest.mouseClick(dock.title.close_button, Qt.MouseButton.LeftButton)
    QTest.qWait(100)


def test_the_chosen_picture_is_on_top_and_in_view(panel, viewer, gray, qtbot):
    viewer.layers["scribbles"].visible = False
    viewer.reset_view()
    coloured = seen(viewer)
    viewer.add_image(gray[::-1, :90].copy(), name="B", scale=(3, 3))
    assert np.ptp(seen(viewer), axis=2).max() == 0  # B is gray, and covers the first
    choose(panel, "photo", qtbot)  # though it is open already
    assert np.abs(seen(viewer) - coloured).mean() < 2
    choose(panel, "B", qtbot)
    wait_for_answer(panel, qtbot)
    assert names(viewer) == ["photo", "B", "colorized", "scribbles"]
    assert np.ptp(seen(viewer), axis=2).mean() > 3
    choose(panel, "photo", qtbot)
    wait_for_answer(panel, qtbot)
    assert names(viewer) == ["B", "photo", "colorized", "scribbles"]
    viewer.layers["scribbles"].visible = False
    assert np.abs(seen(viewer) - coloured).mean() < 2


def test_a_removed_picture_takes_its_layers_along(panel, viewer, gray, qtbot):
    panel.colour.use(PURPLE)
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    press(viewer, Qt.Key.Key_A)
    wait_for_answer(panel, qtbot)
    picture = viewer.layers["photo"]
    viewer.layers.remove(picture)
    qtbot.waitUntil(lambda: not viewer.layers, timeout=5000)
    assert not listed(panel)
    assert "There is no picture" in panel.message.text()
    for key in "NDIQWUAGSJ":
        press(viewer, getattr(Qt.Key, f"Key_{key}"))
        assert "There is no picture" in panel.message.text() or key in "QWUA"
    press(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not viewer.layers
    viewer.add_layer(picture)
    qtbot.waitUntil(lambda: panel.editing.session is not None, timeout=5000)
    wait_for_answer(panel, qtbot)
    assert len(panel.editing.session.drawing.strokes) == 1


def test_a_picture_is_listed_by_the_name_it_has_now(panel, viewer, qtbot):
    viewer.layers["photo"].name = "grandmother"
    qtbot.waitUntil(lambda: listed(panel) == ["grandmother"], timeout=5000)
    assert panel.editing.session is not None


def test_a_closed_panel_leaves_nothing_but_the_strokes_for_the_next(panel, viewer, gray, qtbot):
    panel.colour.use(PURPLE)
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    before = shown(viewer)
    press(viewer, Qt.Key.Key_A)
    wait_for_answer(panel, qtbot)
    press(viewer, Qt.Key.Key_N)
    assert len(viewer.layers) == 5
    drag(viewer, (60, 30), (60, 45))  # on the seeds' layer, which draws nothing
    panel.editing.ask()  # is under way
    close_by_its_x(panel, viewer)
    assert names(viewer) == ["photo"]
    press(viewer, Qt.Key.Key_N)
    drag(viewer, (60, 30), (60, 45))
    assert names(viewer) == ["photo"]

    from napari_hybridcolor.widget import ColorizeWidget

    again = ColorizeWidget(viewer)
    viewer.window.add_dock_widget(again)
    wait_for_answer(again, qtbot)
    assert names(viewer) == ["photo", "colorized", "scribbles"]
    assert listed(again) == ["photo"]
    assert len(again.editing.session.drawing.strokes) == 1
    np.testing.assert_allclose(shown(viewer), before, atol=2)
    press(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait_for_answer(again, qtbot)
    assert not again.editing.session.drawing.strokes
    press(viewer, Qt.Key.Key_D)
    drag(viewer, (60, 30), (60, 45))
    wait_for_answer(again, qtbot)
    assert len(again.editing.session.drawing.strokes) == 1


def test_a_panel_closed_right_after_a_stroke_has_it(viewer, gray, qtbot):
    panel = opened(viewer, gray, qtbot)
    panel.colour.use(PURPLE)
    drag(viewer, (80, 30), (80, 45))
    viewer.window.remove_dock_widget(panel)
    other = opened(viewer, gray[:100], qtbot, name="other")
    choose(other, "photo", qtbot)
    wait_for_answer(other, qtbot)
    assert len(other.editing.session.drawing.strokes) == 1


def test_a_panel_begins_with_the_selected_picture_and_goes_on_with_the_one_it_had(viewer, gray, qtbot):
    for name in "AB":
        viewer.add_image(gray, name=name)
    panel = opened(viewer, gray, qtbot, name="C")
    assert panel.editing.image.name == "C"
    choose(panel, "B", qtbot)
    wait_for_answer(panel, qtbot)
    close_by_its_x(panel, viewer)

    from napari_hybridcolor.widget import ColorizeWidget

    again = ColorizeWidget(viewer)
    viewer.window.add_dock_widget(again)
    wait_for_answer(again, qtbot)
    assert again.editing.image.name == "B"
    viewer.layers["C"].visible = False
    viewer.layers.selection.active = viewer.layers["C"]
    viewer.layers.remove("B")
    qtbot.waitUntil(lambda: again.editing.image.name == "A", timeout=5000)


def test_what_is_told_of_one_picture_is_not_told_of_the_next(panel, viewer, gray, qtbot):
    panel.colour.look_at((80, 38))
    assert panel.colour.likely.colours
    viewer.add_image(gray[:100], name="B")
    panel.editing.session._changed -= 1000  # it was left so many seconds ago
    choose(panel, "B", qtbot)
    assert not panel.colour.likely.colours
    assert "rest the mouse" in panel.colour.likely_label.text()
    wait_for_answer(panel, qtbot)
    assert panel.colour.place is None
    choose(panel, "photo", qtbot)
    wait_for_answer(panel, qtbot)
    assert panel.editing.answer.seconds < 500
