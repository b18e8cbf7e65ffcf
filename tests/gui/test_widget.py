"""The panel in a real window, by mouse and keyboard."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path

import napari_hybridcolor
import numpy as np
import pytest
from napari_hybridcolor.band import Band
from napari_hybridcolor.canvas import DrawnFirst, EveryMove, EveryPress
from npe2 import PluginManifest
from PIL import Image
from qtpy.QtCore import QCoreApplication, QEvent, QPointF, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget
from skimage import data
from typer.testing import CliRunner

from hybridcolor.cli import app
from hybridcolor.errors import SeedError
from hybridcolor.lab import rgb_to_lab
from hybridcolor.picture import Picture
from hybridcolor.seedfiles import write_seeds
from hybridcolor.seeds import Seeds
from tests.gui.window import at, choose, drag, opened, press, shown, wait_for_answer

CYCLES = int(os.environ.get("HYBRIDCOLOR_CYCLES", "4"))
PURPLE, GREEN = (45.0, -50.0), (-40.0, 40.0)


def test_the_manifest_is_valid_and_names_the_panel():
    manifest = PluginManifest.from_file(Path(napari_hybridcolor.__file__).with_name("napari.yaml"))
    assert manifest.name == "hybridcolor"
    assert [widget.display_name for widget in manifest.contributions.widgets] == ["Colorize"]


def test_the_network_colours_a_picture_as_soon_as_it_is_open(panel, viewer):
    assert np.hypot(*np.moveaxis(shown(viewer)[..., 1:], -1, 0)).mean() > 4
    assert "No strokes yet" in panel.message.text()
    assert "residual 0" in panel.busy.text()
    assert "residual" in panel.busy.toolTip()


def test_a_stroke_by_mouse_colours_where_it_is_and_not_far_away_and_undo_takes_it_back(panel, viewer, qtbot):
    before = shown(viewer)
    panel.colour.use(PURPLE)
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    assert len(panel.editing.session.drawing.strokes) == 1
    after = shown(viewer)
    assert np.abs(after[80, 38, 1:] - PURPLE).max() < 2
    assert np.abs(after[5:20, 100:] - before[5:20, 100:]).max() < 6
    press(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait_for_answer(panel, qtbot)
    assert not viewer.layers["scribbles"].data.any()
    np.testing.assert_allclose(shown(viewer), before, atol=2)
    press(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    wait_for_answer(panel, qtbot)
    np.testing.assert_allclose(shown(viewer), after, atol=2)


def test_drawing_before_a_colour_is_picked_and_with_a_label_of_naparis_own(panel, viewer, qtbot):
    layer = panel.editing.scribbles_layer()
    viewer.layers.selection.active = layer
    layer.mode = "paint"
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    first = panel.editing.session.drawing.strokes[0].ab
    assert np.hypot(*first) > 20
    layer.selected_label = 7
    drag(viewer, (60, 30), (60, 45))
    wait_for_answer(panel, qtbot)
    assert [stroke.ab for stroke in panel.editing.session.drawing.strokes] == [first, first]
    assert set(np.unique(layer.data)) == {0, 1}


def test_rubbing_out_by_mouse(panel, viewer, qtbot):
    panel.colour.use(PURPLE)
    drag(viewer, (80, 30), (80, 45))
    qtbot.mouseClick(panel.colour.tool_buttons["rub out"], Qt.MouseButton.LeftButton)
    drag(viewer, (80, 24), (80, 50), steps=20)
    wait_for_answer(panel, qtbot)
    assert not len(panel.editing.session.drawing.scribbles)
    assert [stroke.ab for stroke in panel.editing.session.drawing.strokes] == [PURPLE, None]


def test_colours_are_picked_from_the_plane_the_guesses_and_the_picture(panel, viewer, qtbot):
    plane = panel.colour.plane
    target = plane.position_of((25.0, 30.0)).toPoint()
    qtbot.mouseClick(plane, Qt.MouseButton.LeftButton, pos=target)
    assert np.hypot(*np.subtract(panel.editing.colour, (25.0, 30.0))) < 3
    native = viewer.window._qt_viewer.canvas.native
    QTest.mouseMove(native, at(viewer, 80, 38))
    qtbot.waitUntil(lambda: panel.colour.place is not None, timeout=5000)
    assert (
        np.abs(np.subtract(panel.colour.place, (80, 38))).max() <= 2
    )  # a pixel of the picture is several of the screen
    qtbot.mouseClick(panel.colour.likely.buttons[0], Qt.MouseButton.LeftButton)
    assert panel.editing.colour == panel.colour.likely.colours[0]
    press(viewer, Qt.Key.Key_K)
    assert panel.colour.tool_buttons["pick"].isChecked()
    drag(viewer, (90, 60), (90, 60))
    assert not panel.colour.tool_buttons["pick"].isChecked()
    picked, there = panel.colour.plane.colour, shown(viewer)[88:93, 58:63, 1:].reshape(-1, 2)
    assert np.hypot(*(there - picked).T).min() < 1
    assert not len(panel.editing.session.drawing.strokes)
    qtbot.mouseClick(panel.colour.gray_button, Qt.MouseButton.LeftButton)
    drag(viewer, (90, 55), (90, 65))
    wait_for_answer(panel, qtbot)
    assert np.abs(shown(viewer)[90, 60, 1:]).max() < 1


def test_guesses_are_tried_out_where_a_stroke_helps_most(panel, viewer, qtbot):
    press(viewer, Qt.Key.Key_N)
    place, guesses = panel.colour.place, panel.colour.likely.colours[:3]
    seen = []
    for guess, button in zip(guesses, panel.colour.likely.buttons, strict=False):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier)
        wait_for_answer(panel, qtbot)
        assert panel.editing.session.drawing.strokes[-1].ab == pytest.approx(guess)
        assert viewer.layers["scribbles"].data[place] > 0
        seen.append(shown(viewer))
        panel.editing.undo()
        wait_for_answer(panel, qtbot)
        panel.colour.look_at(place)
    assert np.abs(seen[0] - seen[1])[..., 1:].max() > 5
    assert not panel.editing.session.drawing.strokes


def test_to_choose_a_colour_is_no_step_to_be_undone_and_leaves_the_ring(panel, viewer, qtbot):
    panel.colour.use(PURPLE)
    for row in (80, 60):
        drag(viewer, (row, 30), (row, 45))
        wait_for_answer(panel, qtbot)
    panel.editing.undo()
    panel.show_next()
    panel.colour.use((-40.0, 40.0))
    panel.colour.use((0.0, 60.0))
    assert panel.colour.used.colours[0] == (0.0, 60.0)
    assert "draw here" in viewer.layers
    panel.editing.redo()
    assert len(panel.editing.session.drawing.strokes) == 2
    panel.editing.undo()
    panel.editing.undo()
    assert not panel.editing.session.drawing.strokes
    drag(viewer, (40, 30), (40, 45))
    wait_for_answer(panel, qtbot)
    assert panel.editing.session.drawing.strokes[-1].ab == (0.0, 60.0)
    assert panel.editing.session.drawing.palette == ((0.0, 60.0),)
    assert set(np.unique(viewer.layers["scribbles"].data)) == {0, 1}


def test_settings_can_be_undone(panel, viewer, qtbot):
    before = shown(viewer)
    panel.settings.vividness.setValue(100)
    wait_for_answer(panel, qtbot)
    assert np.hypot(*np.moveaxis(shown(viewer)[..., 1:], -1, 0)).mean() > 5
    assert np.abs(shown(viewer) - before).max() > 5
    qtbot.mouseClick(panel.undo_button, Qt.MouseButton.LeftButton)
    wait_for_answer(panel, qtbot)
    assert panel.settings.vividness.value() == 45
    np.testing.assert_allclose(shown(viewer), before, atol=2)


def test_more_colours_than_eight_bits_hold(panel, viewer, qtbot):
    colours = tuple((float(a), float(b)) for a in range(-40, 40, 5) for b in range(-40, 50, 5))
    panel.colour.use(PURPLE)
    drag(viewer, (60, 30), (60, 45))
    panel.editing.change(palette=(PURPLE, *colours))
    panel.colour.use(colours[-1])
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    assert [stroke.ab for stroke in panel.editing.session.drawing.strokes] == [PURPLE, colours[-1]]
    assert set(np.unique(viewer.layers["scribbles"].data)) == {0, 1, len(colours) + 1}


def test_caution_leaves_gray(panel, viewer, qtbot):
    panel.settings.caution.setValue(100)
    wait_for_answer(panel, qtbot)
    assert np.abs(shown(viewer)[..., 1:]).max() < 1


def test_the_next_place_is_marked_and_gray_can_be_seen(panel, viewer):
    press(viewer, Qt.Key.Key_N)
    assert np.allclose(viewer.layers["draw here"].data[0], panel.colour.place)
    assert panel.colour.likely.colours
    press(viewer, Qt.Key.Key_Q)
    assert not viewer.layers["colorized"].visible
    press(viewer, Qt.Key.Key_Q)
    assert viewer.layers["colorized"].visible


def test_the_next_place_comes_into_view(panel, viewer, qtbot):
    camera = viewer.scene.camera
    press(viewer, Qt.Key.Key_N)
    row, column = panel.colour.place
    before = camera.center
    press(viewer, Qt.Key.Key_N)
    assert camera.center == before  # it is in view already
    camera.zoom *= 8
    camera.center = (0, 127 - row, 127 - column)
    inside = viewer.window._qt_viewer.canvas.native.rect()
    qtbot.waitUntil(lambda: panel.editing.result.view((128, 128))[0].stop < 128 or row > 64, timeout=5000)
    assert not inside.contains(at(viewer, row, column))
    press(viewer, Qt.Key.Key_N)
    assert inside.contains(at(viewer, row, column))


def test_the_brush_is_narrow_on_a_strip(viewer, gray, qtbot):
    panel = opened(viewer, np.tile(gray[:, :40], (16, 1)), qtbot)
    assert panel.editing.scribbles_layer().brush_size <= 4


def test_strokes_are_saved_as_they_are_drawn_and_the_saved_picture_is_that_of_replay(viewer, gray, tmp_path, qtbot):
    Image.fromarray(gray).save(tmp_path / "old.png")
    panel = opened(viewer, gray, qtbot, metadata={"hybridcolor_source": str(tmp_path / "old.png")})
    panel.colour.use(PURPLE)
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    saved = tmp_path / "old.png.hybridcolor.json"
    assert saved.exists()
    panel.editing.save_picture(tmp_path / "window.png")
    wait_for_answer(panel, qtbot)
    done = CliRunner().invoke(app, ["replay", str(saved), "-o", str(tmp_path / "replay.png")], catch_exceptions=False)
    assert done.exit_code == 0
    assert (tmp_path / "window.png").read_bytes() == (tmp_path / "replay.png").read_bytes()

    again = opened(viewer, gray, qtbot, name="again", metadata={"hybridcolor_source": str(tmp_path / "old.png")})
    choose(again, "again", qtbot)
    wait_for_answer(again, qtbot)
    assert len(again.editing.session.drawing.strokes) == 1


def test_a_stroke_does_not_end_a_saving(panel, viewer, tmp_path, qtbot):
    panel.colour.use(PURPLE)
    panel.editing.ask()
    panel.editing.save_picture(tmp_path / "saved.png")
    for row in (80, 60, 40):
        drag(viewer, (row, 30), (row, 45))
    wait_for_answer(panel, qtbot)
    assert (tmp_path / "saved.png").exists()
    assert len(panel.editing.session.drawing.strokes) == 3


def test_layers_may_be_renamed_and_deleted_and_another_picture_opened(panel, viewer, gray, qtbot):
    panel.colour.use(GREEN)
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    viewer.layers["colorized"].name = "mine"
    viewer.layers["photo"].name = "old"
    viewer.layers.remove("scribbles")
    panel.colour.use(PURPLE)
    drag(viewer, (60, 30), (60, 45))
    wait_for_answer(panel, qtbot)
    assert len(panel.editing.session.drawing.strokes) == 2
    viewer.layers.remove("mine")
    panel.editing.ask()
    wait_for_answer(panel, qtbot)
    first = shown(viewer)

    viewer.add_image(gray[:100, :90].copy(), name="second")
    qtbot.waitUntil(lambda: "second is here too" in panel.message.text(), timeout=5000)
    choose(panel, "second", qtbot)
    wait_for_answer(panel, qtbot)
    assert viewer.layers["scribbles"].data.shape == (100, 90)
    assert not len(panel.editing.session.drawing.strokes)
    viewer.layers.remove("second")
    qtbot.waitUntil(lambda: viewer.layers["scribbles"].data.shape == gray.shape, timeout=5000)
    wait_for_answer(panel, qtbot)
    assert len(panel.editing.session.drawing.strokes) == 2
    np.testing.assert_allclose(shown(viewer), first, atol=2)
    viewer.layers.clear()


def test_a_panel_may_be_closed_while_it_works_and_another_opened(panel, viewer, gray, qtbot):
    panel.colour.use(PURPLE)
    drag(viewer, (80, 30), (80, 45))
    viewer.window.remove_dock_widget(panel)
    panel.deleteLater()
    QTest.qWait(100)
    press(viewer, Qt.Key.Key_Q)
    other = opened(viewer, gray, qtbot, name="other")
    assert other.editing.answer is not None


def test_a_closed_panel_hears_no_more_and_the_next_sees_events_of_the_mouse_once(panel, viewer, gray, qtbot):
    tools = panel.tools
    viewer.window.remove_dock_widget(panel)
    panel.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    tools.changed.emit("line")  # buttons that have gone would raise
    opened(viewer, gray, qtbot, name="other")
    for kind in (DrawnFirst, EveryMove, EveryPress, Band):
        assert len(viewer.window._qt_window.findChildren(kind)) == 1


def test_a_press_right_after_a_frame_and_a_change_of_layers_has_the_canvas_drawn(panel, viewer):
    """vispy fails to find what is under the mouse where a layer came or went since the canvas was drawn."""
    native = viewer.window._qt_viewer.canvas.native
    drawn = []
    native._vispy_canvas.events.draw.connect(drawn.append)
    for _ in range(10):
        viewer.window._qt_window.repaint()
        native.findChild(DrawnFirst).stale = True
        drawn.clear()
        QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=at(viewer, 60, 60))
        assert drawn
        QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=at(viewer, 60, 60))


@pytest.mark.parametrize("kind", ["uint16", "float", "rgb"])
def test_kinds_of_pictures(viewer, gray, kind, qtbot):
    pictures = {
        "uint16": gray.astype(np.uint16) * 257,
        "float": (gray / 255).astype(np.float32),
        "rgb": data.astronaut()[::4, ::4],
    }
    opened(viewer, pictures[kind], qtbot)
    np.testing.assert_allclose(shown(viewer)[..., 0], rgb_to_lab(np.repeat(gray[..., None], 3, axis=2))[..., 0], atol=1)


def test_edit_opens_a_window_with_everything_in_place(gray, tmp_path, monkeypatch, qtbot):
    import napari

    Image.fromarray(gray).save(tmp_path / "old.png")
    seeds = Seeds.of([[30, 40], [30, 41], [70, 90]], [[40, 20], [40, 20], [0, 0]], stroke=[0, 0, 1])
    picture = Picture.from_array(gray)
    write_seeds(tmp_path / "marks.png", seeds, picture)
    monkeypatch.setattr(napari, "run", lambda: None)  # the tests' own event loop runs
    done = CliRunner().invoke(app, ["edit", str(tmp_path / "old.png"), "--seeds", str(tmp_path / "marks.png")])
    assert done.exit_code == 0, done.output
    viewer = napari.current_viewer()
    (panel,) = [dock.widget() for dock in viewer.window._dock_widgets.values() if "hybridcolor" in dock.objectName()]
    panel = panel if hasattr(panel, "editing") else panel.findChild(QWidget)
    wait_for_answer(panel, qtbot)
    assert [layer.name for layer in viewer.layers] == ["old.png", "colorized", "scribbles"]
    assert len(panel.editing.session.drawing.strokes) == 2
    assert (viewer.layers["scribbles"].data > 0).sum() == 3
    viewer.close()
    with pytest.raises(SeedError, match=r"none\.png: "):
        CliRunner().invoke(
            app,
            ["edit", str(tmp_path / "old.png"), "--seeds", str(tmp_path / "none.png")],
            catch_exceptions=False,
        )


def test_a_stroke_is_read_as_the_mouse_is_let_go_and_napari_need_not_paint_its_list_of_layers(panel, viewer):
    panel.colour.use(PURPLE)
    told = []
    model = viewer.window._qt_viewer.layers.model().sourceModel()
    model.dataChanged.connect(lambda first, _last, _roles: told.append(first.row()))
    drag(viewer, (80, 30), (80, 45))
    assert len(panel.editing.session.drawing.strokes) == 1
    assert told == []
    viewer.layers["scribbles"].name = "mine"
    assert len(told) > 0


def test_windows_leave_no_thread_and_no_memory(qtbot, gray):
    import napari
    import psutil

    def cycle():
        viewer = napari.Viewer()
        panel = opened(viewer, gray, qtbot)
        wait_for_answer(panel, qtbot)
        viewer.close()
        QTest.qWait(30)
        gc.collect()

    for _ in range(5):  # fills the pools of threads, and each thread's memory: 23 MB
        cycle()
    threads, memory = threading.active_count(), psutil.Process().memory_info().rss
    for _ in range(CYCLES):
        cycle()
    assert threading.active_count() <= threads
    assert psutil.Process().memory_info().rss - memory < 50e6


def test_the_plane_shows_what_the_screen_has():
    from napari_hybridcolor.panel.plane import ColourPlane

    plane = ColourPlane()
    for luminance in (5.0, 50.0, 99.0):
        plane.set_luminance(luminance)
        for place in (QPointF(0, 0), QPointF(75, 75), QPointF(149, 20)):
            a, b = plane._colour_at(place)
            rgb = Picture(np.full((1, 1), plane.luminance, np.float32)).to_rgb(np.array([[[a, b]]], np.float32))
            assert np.hypot(*(rgb_to_lab(rgb)[0, 0, 1:] - (a, b))) < 1.5
