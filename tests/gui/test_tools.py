"""Tools by mouse and keys: straight lines, regions, gray, palettes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from napari_hybridcolor.gestures import inside_lasso, line, region
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from skimage.draw import disk, polygon2mask
from skimage.draw import line as bresenham

from hybridcolor.palettes import read_colours, read_palette, write_palette
from tests.gui.window import at, choose, drag, opened, press, shown, wait_for_answer

PURPLE, GREEN = (45.0, -50.0), (-40.0, 40.0)


def test_a_line_of_one_pixel_is_bresenhams_but_for_corners():
    for end in ((0, 9), (9, 9), (3, 9), (9, 2)):
        ours = {tuple(place) for place in line((0, 0), end, 1, (12, 12)).tolist()}
        theirs = set(zip(*(axis.tolist() for axis in bresenham(0, 0, *end)), strict=True))
        assert len(ours ^ theirs) <= 4


def test_a_line_over_a_large_picture_has_just_the_pixels_near_it():
    start, end, width, shape = (3, 5), (700, 900), 7.0, (720, 880)
    pixels = np.indices(shape).reshape(2, -1).T
    along = np.subtract(end, start)
    share = ((pixels - start) @ along / (along @ along)).clip(0, 1)
    near = np.hypot(*(pixels - start - share[:, None] * along).T) <= width / 2
    np.testing.assert_array_equal(line(start, end, width, shape), pixels[near])


def test_a_dab_is_a_disk_and_stays_inside():
    ours = {tuple(place) for place in line((4, 5), (4, 5), 7, (20, 20)).tolist()}
    assert ours == set(zip(*(axis.tolist() for axis in disk((4, 5), 3.5001)), strict=True))
    assert (line((0, 0), (30, 30), 9, (12, 10)) < (12, 10)).all()
    assert len(line((40, 40), (50, 50), 3, (12, 10))) == 0


def test_a_region_leaves_its_rim_to_its_neighbours():
    labels = np.zeros((9, 9), int)
    labels[2:7, 2:7] = 1
    assert set(map(tuple, region(labels, (4, 4)).tolist())) == {(r, c) for r in range(3, 6) for c in range(3, 6)}
    labels[:] = np.arange(81).reshape(9, 9)
    assert region(labels, (4, 4)).tolist() == [[4, 4]]


def test_a_lasso_holds_what_a_polygon_holds():
    corners = [(2, 3), (15, 1), (18, 17), (6, 12)]
    coords = np.argwhere(np.ones((20, 20), bool))
    inside = polygon2mask((20, 20), np.array(corners))
    apart = inside_lasso(corners, coords) != inside.ravel()
    assert apart.sum() <= 4  # on the rim


def test_a_stroke_goes_where_the_mouse_went_while_the_window_was_busy(panel, viewer, qtbot):
    panel.colour.use(PURPLE)
    press(viewer, Qt.Key.Key_D)
    native, corners = viewer.window._qt_viewer.canvas.native, [(40, 30), (40, 90), (80, 90)]
    QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=at(viewer, *corners[0]))
    for corner in corners[1:]:  # all at once, as moves come that had to wait
        QTest.mouseMove(native, at(viewer, *corner))
    QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=at(viewer, *corners[-1]))
    wait_for_answer(panel, qtbot)
    (stroke,) = panel.editing.session.drawing.strokes
    drawn = np.zeros(panel.editing.session.picture.shape, bool)
    drawn[tuple(stroke.coords.T)] = True
    assert drawn[40, 30:91].all()
    assert drawn[40:81, 90].all()
    assert not drawn[60, 30:80].any()


@pytest.mark.parametrize("key", [Qt.Key.Key_D, Qt.Key.Key_I])
def test_two_quick_presses_draw_twice_and_do_not_zoom(panel, viewer, qtbot, key):
    panel.colour.use(PURPLE)
    panel.tools.hold("")
    press(viewer, key)
    native, zoom = viewer.window._qt_viewer.canvas.native, viewer.scene.camera.zoom
    start, end = at(viewer, 40, 30), at(viewer, 40, 90)
    QTest.mouseClick(native, Qt.MouseButton.LeftButton, pos=start)
    left, free = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    for kind, place, held in (
        (QEvent.Type.MouseButtonDblClick, start, left),  # as Qt calls the second of two quick presses
        (QEvent.Type.MouseMove, end, left),
        (QEvent.Type.MouseButtonRelease, end, free),
    ):
        button = free if kind == QEvent.Type.MouseMove else left
        places = QPointF(place), QPointF(native.mapToGlobal(place))
        QApplication.sendEvent(native, QMouseEvent(kind, *places, button, held, Qt.KeyboardModifier.NoModifier))
    wait_for_answer(panel, qtbot)
    assert panel.editing.session.drawing.scribbles.coords[:, 1].max() >= 90
    assert viewer.scene.camera.zoom == zoom
    panel.tools.hold("")
    QTest.mouseDClick(native, left, pos=start)
    assert viewer.scene.camera.zoom > zoom  # as in napari, without a tool


def test_undo_while_a_stroke_is_being_drawn_leaves_both_strokes_whole(panel, viewer, qtbot):
    panel.colour.use(PURPLE)
    drag(viewer, (80, 30), (80, 45))
    native = viewer.window._qt_viewer.canvas.native
    QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=at(viewer, 40, 30))
    QTest.mouseMove(native, at(viewer, 40, 60))
    press(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert "mouse" in panel.message.text()
    QTest.mouseMove(native, at(viewer, 40, 90))
    QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=at(viewer, 40, 90))
    wait_for_answer(panel, qtbot)
    first, second = panel.editing.session.drawing.strokes
    assert set(first.coords[:, 0]) > {80}
    assert {30, 60, 90} <= set(second.coords[:, 1].tolist())


def test_what_is_told_is_of_the_tool_in_hand(panel, viewer, qtbot):
    for key, told in ((Qt.Key.Key_I, "line"), (Qt.Key.Key_D, "brush"), (Qt.Key.Key_R, "region"), (Qt.Key.Key_E, "rub")):
        press(viewer, key)
        assert told in panel.message.text()
    for _ in range(2):
        press(viewer, Qt.Key.Key_I)
    assert "moves the picture" in panel.message.text()
    press(viewer, Qt.Key.Key_K)
    drag(viewer, (40, 40), (40, 40))
    assert "picked" in panel.message.text()
    press(viewer, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: "Click on a seed" in panel.message.text(), timeout=5000)
    press(viewer, Qt.Key.Key_A)
    assert "hidden" in panel.message.text()


def test_a_straight_line_by_mouse(panel, viewer, qtbot):
    panel.colour.use(PURPLE)
    press(viewer, Qt.Key.Key_I)
    assert panel.colour.tool_buttons["line"].isChecked()
    before = viewer.scene.camera.center
    native, band = viewer.window._qt_viewer.canvas.native, panel.tools.band
    QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=at(viewer, 80, 20))
    QTest.mouseMove(native, at(viewer, 100, 60))
    qtbot.waitUntil(band.isVisible, timeout=5000)
    middle = (at(viewer, 80, 20) + at(viewer, 100, 60)) / 2
    drawn = band.grab().toImage()
    assert max(drawn.pixelColor(middle.x(), middle.y() + away).yellow() for away in range(-2, 3)) > 200
    QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=at(viewer, 100, 60))
    wait_for_answer(panel, qtbot)
    assert not band.isVisible()
    assert viewer.scene.camera.center == before  # a drag draws, and does not move the picture
    (stroke,) = panel.editing.session.drawing.strokes
    assert stroke.ab == PURPLE
    rows, columns = stroke.coords.T
    straight = np.abs((columns - 20) * 0.5 + 80 - rows)
    assert straight.max() < 5
    assert columns.min() < 24
    assert columns.max() > 56
    assert np.abs(shown(viewer)[90, 40, 1:] - PURPLE).max() < 2
    press(viewer, Qt.Key.Key_I)
    assert panel.tools.tool == ""


def test_a_region_by_a_click(panel, viewer, qtbot):
    panel.colour.use(PURPLE)
    qtbot.mouseClick(panel.colour.tool_buttons["fill"], Qt.MouseButton.LeftButton)
    place = (60, 110)
    drag(viewer, place, place)
    wait_for_answer(panel, qtbot)
    (stroke,) = panel.editing.session.drawing.strokes
    ((_, regions),) = panel.editing.regions.finding(panel.editing.session)(lambda: False)
    (number,) = np.unique(regions[tuple(stroke.coords.T)])
    assert number == regions[place]
    press(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait_for_answer(panel, qtbot)
    assert not panel.editing.session.drawing.strokes


def test_a_click_at_a_picture_that_was_left_does_not_take_the_next_ones(panel, viewer, gray, qtbot):
    viewer.add_image(gray[:100], name="next")
    qtbot.waitUntil(lambda: panel.image_choice.findText("next") > 0, timeout=5000)
    panel.tools.fill((60, 110))
    choose(panel, "next", qtbot)
    panel.tools.fill((60, 60))
    wait_for_answer(panel, qtbot)
    (stroke,) = panel.editing.session.drawing.strokes
    assert (np.abs(stroke.coords - (60, 60)).sum(axis=1) == 0).any()


def test_the_right_button_draws_nothing(panel, viewer, qtbot):
    for tool in ("line", "fill"):
        panel.tools.use(tool)
        drag(viewer, (80, 30), (80, 45), button=Qt.MouseButton.RightButton)
    wait_for_answer(panel, qtbot)
    assert not panel.editing.session.drawing.strokes


def test_naparis_own_buttons_lay_a_tool_down(panel, viewer):
    press(viewer, Qt.Key.Key_I)
    layer = viewer.layers["scribbles"]
    layer.mode = "erase"
    assert panel.tools.tool == "rub out"
    assert panel.colour.tool_buttons["rub out"].isChecked()
    layer.mode = "polygon"
    assert panel.tools.tool == ""
    press(viewer, Qt.Key.Key_D)
    assert layer.mode == "paint"


@pytest.mark.parametrize("active", ["photo", "colorized", "scribbles"])
def test_tools_are_taken_up_by_their_keys_whichever_layer_is_selected(panel, viewer, active):
    for tool, button in panel.colour.tool_buttons.items():
        panel.tools.use("")
        viewer.layers.selection.active = viewer.layers[active]
        key = re.search(r"\((\w)\)", button.toolTip())[1]
        press(viewer, getattr(Qt.Key, f"Key_{key}"))
        assert (panel.tools.tool, viewer.layers.selection.active.name) == (tool, "scribbles")


@pytest.mark.parametrize("tool", ["brush", "line", "fill", ""])
def test_space_lets_the_mouse_move_the_picture(panel, viewer, qtbot, tool):
    panel.tools.use(tool)
    native, before = viewer.window._qt_viewer.canvas.native, viewer.scene.camera.center
    QTest.keyPress(native, Qt.Key.Key_Space)
    drag(viewer, (60, 60), (80, 80))
    QTest.keyRelease(native, Qt.Key.Key_Space)
    wait_for_answer(panel, qtbot)
    assert viewer.scene.camera.center != before
    assert not panel.editing.session.drawing.strokes
    assert panel.tools.tool == tool


def test_gray_by_a_key(panel, viewer, qtbot):
    press(viewer, Qt.Key.Key_G)
    drag(viewer, (90, 55), (90, 65))
    wait_for_answer(panel, qtbot)
    assert panel.editing.session.drawing.strokes[-1].ab == (0.0, 0.0)
    assert np.abs(shown(viewer)[90, 60, 1:]).max() < 1


def test_colours_are_kept_for_other_pictures_and_other_days(panel, viewer, gray, tmp_path, qtbot):
    panel.colour.use((0.0, 0.0))
    panel.colour.use(GREEN)
    panel.colour.use(PURPLE)
    assert panel.colour.used.colours == [PURPLE, GREEN]
    viewer.add_image(gray[:100], name="second")
    choose(panel, "second", qtbot)
    wait_for_answer(panel, qtbot)
    assert panel.colour.used.colours == [PURPLE, GREEN]
    assert panel.editing.session.drawing.palette == ()
    qtbot.mouseClick(panel.colour.used.buttons[1], Qt.MouseButton.LeftButton)
    assert panel.editing.colour == GREEN
    assert panel.colour.used.colours == [GREEN, PURPLE]
    viewer.window.remove_dock_widget(panel)
    another_day = opened(viewer, gray[:90], qtbot, name="third")
    choose(another_day, "third", qtbot)
    wait_for_answer(another_day, qtbot)
    assert another_day.colour.used.colours == [GREEN, PURPLE]
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(another_day, qtbot)


def test_colours_that_cannot_be_kept_are_told_and_can_be_used(panel, viewer):
    file = panel.colour.kept._file
    file.parent.mkdir()
    file.write_text("something else")
    panel.colour.use(PURPLE)
    assert "Colours are not kept" in panel.message.text()
    panel.colour.use(GREEN)
    assert panel.colour.used.colours == [GREEN, PURPLE]
    assert file.read_text() == "something else"
    file.unlink()  # as it was told
    panel.colour.use(PURPLE)
    assert read_colours(file) == (PURPLE, GREEN)


def test_saved_palettes_are_offered(panel):
    panel.colour.use(PURPLE)
    panel.colour.kept.palettes.mkdir(parents=True)
    panel.colour.save_palette(panel.colour.kept.palettes / "uniforms.gpl")
    panel.colour.open_menu.aboutToShow.emit()
    uniforms, _, _ = panel.colour.open_menu.actions()
    assert uniforms.text() == "uniforms"
    uniforms.trigger()
    ((a, b),) = panel.editing.session.drawing.palette
    assert np.hypot(a - PURPLE[0], b - PURPLE[1]) < 1


def test_a_large_palette_comes_in_the_order_of_its_file_and_what_is_not_at_hand_is_told(panel, tmp_path):
    colours = [(a, b) for a in range(-20, 21, 4) for b in range(-20, 21, 4)]
    write_palette(tmp_path / "large.gpl", colours[:40])
    panel.colour.open_palette(tmp_path / "large.gpl")
    known = [colour[:2] for colour in read_palette(tmp_path / "large.gpl")]  # a photo knows no lightness
    assert panel.message.text() == f"{len(known)} colours from large.gpl."
    np.testing.assert_allclose(panel.colour.used.colours, known)
    write_palette(tmp_path / "larger.gpl", colours[40:])
    panel.colour.open_palette(tmp_path / "larger.gpl")
    assert "The first 64" in panel.message.text()
    larger = [colour[:2] for colour in read_palette(tmp_path / "larger.gpl")]
    np.testing.assert_allclose(panel.colour.used.colours, larger[:64])


def test_palettes_come_in_and_go_out_and_can_be_undone(panel, viewer, tmp_path):
    write_palette(tmp_path / "theirs.gpl", [(30.0, 30.0), (-20.0, 5.0)])
    panel.colour.open_palette(tmp_path / "theirs.gpl")
    assert "2 colours" in panel.message.text()
    assert len(panel.colour.used.colours) == 2
    panel.colour.save_palette(tmp_path / "ours.pal")
    assert (tmp_path / "ours.pal").read_text().startswith("JASC-PAL")
    press(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not panel.colour.used.colours
    panel.colour.open_palette(tmp_path / "none.gpl")
    assert "cannot be read" in panel.message.text()
