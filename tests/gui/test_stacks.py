"""Stacks, volumes and what napari makes of them: which picture is coloured, and when none can be."""

from __future__ import annotations

import json

import nibabel
import numpy as np
import pytest
from napari_hybridcolor.opening import read_layers
from napari_hybridcolor.widget import ColorizeWidget
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from hybridcolor.lab import gray_to_luminance
from tests.gui.window import at, choose, drag, opened, press, wait_for_answer

PURPLE = (45.0, -50.0)


def test_what_napari_makes_of_a_layer_is_not_taken_for_its_file(viewer, gray, tmp_path, qtbot):
    stack = np.stack([gray, gray[::-1], 255 - gray])
    frames = [Image.fromarray(frame) for frame in stack]
    frames[0].save(tmp_path / "film.tif", save_all=True, append_images=frames[1:])
    about = {"hybridcolor_source": str(tmp_path / "film.tif")}
    panel = opened(viewer, stack, qtbot, name="film", metadata=about)
    panel.editing.change(model="none")
    for name, pixels in (("most", stack.max(axis=0)), ("copy", stack)):
        viewer.add_image(pixels, name=name, metadata=about)
        choose(panel, name, qtbot)
        wait_for_answer(panel, qtbot)
        luminance = gray_to_luminance(pixels if name == "most" else stack[viewer.dims.current_step[0]])
        np.testing.assert_allclose(panel.editing.session.picture.luminance, luminance, atol=0.01)
        panel.colour.use(PURPLE)
        drag(viewer, (80, 30), (80, 45))
        wait_for_answer(panel, qtbot)
        assert len(panel.editing.session.drawing.strokes) == 1
        assert "not saved" in panel.message.text()
        assert {"most": "not as a picture of the file", "copy": "another layer"}[name] in panel.saving.unsaved.text()
    (saved,) = tmp_path.glob("*.json")  # of the first
    assert not json.loads(saved.read_text())["strokes"]


def test_a_few_bits_in_sixteen_are_as_bright_as_they_are_shown(viewer, gray, tmp_path, qtbot):
    Image.fromarray(gray.astype(np.uint16) * 16).save(tmp_path / "twelve.tif")
    Image.fromarray(gray.astype(np.uint16) * 256).save(tmp_path / "sixteen.tif")
    for name in ("twelve", "sixteen"):
        viewer.open(str(tmp_path / f"{name}.tif"))
    panel = ColorizeWidget(viewer)
    viewer.window.add_dock_widget(panel)
    for name, saved in (("twelve", False), ("sixteen", True)):
        choose(panel, name, qtbot)
        wait_for_answer(panel, qtbot)
        assert panel.editing.session.picture.luminance.max() > 95
        assert (panel.editing.session.autosave is not None) == saved
        assert panel.saving.unsaved.isHidden() == saved


def test_a_flat_picture_is_chosen_among_stacks(viewer, gray, qtbot):
    panel = opened(viewer, np.stack([gray, gray]), qtbot)
    viewer.add_image(gray[:100], name="flat")
    choose(panel, "flat", qtbot)
    wait_for_answer(panel, qtbot)
    assert viewer.layers.selection.active is viewer.layers["scribbles"]
    assert panel.editing.image.name == "flat"


@pytest.mark.parametrize("how", ["3D", "rolled"])
def test_colours_are_put_away_where_other_axes_are_in_view_and_come_back(viewer, gray, how, qtbot):
    def turn(there):
        if how == "3D":
            viewer.dims.ndisplay = 3 if there else 2
        else:
            viewer.dims.order = (2, 0, 1) if there else (0, 1, 2)

    panel = opened(viewer, np.stack([gray, gray[::-1], gray]), qtbot)
    panel.editing.change(model="none")
    panel.colour.use(PURPLE)
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    for _ in range(2):
        turn(True)
        qtbot.waitUntil(lambda: len(viewer.layers) == 1, timeout=5000)
        assert "2D view of the last two axes" in panel.message.text()
        assert panel.carry_button.isHidden()
        for key in "NDIRQWUAGSJ":
            press(viewer, getattr(Qt.Key, f"Key_{key}"))
            if key in "DIJ":
                drag(viewer, (80, 30), (80, 45), steps=3)
        assert "2D view of the last two axes" in panel.message.text()
        turn(False)
        qtbot.waitUntil(lambda: "scribbles" in viewer.layers, timeout=5000)
        wait_for_answer(panel, qtbot)
        assert len(panel.editing.session.drawing.strokes) == 1
    viewer.dims.order = (0, 2, 1)  # turned, but a slice
    qtbot.wait(200)
    assert panel.editing.session is not None


def test_a_stroke_belongs_to_the_slice_that_it_was_begun_on(viewer, gray, qtbot):
    panel = opened(viewer, np.stack([gray, gray[::-1], gray]), qtbot)
    panel.editing.change(model="none")
    panel.colour.use(PURPLE)
    first, canvas = panel.editing.session, viewer.window._qt_viewer.canvas.native
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=at(viewer, 80, 30))
    for column in (35, 40, 45):
        QTest.mouseMove(canvas, at(viewer, 80, column))
        QTest.qWait(20)
    viewer.dims.set_current_step(0, 2)
    QTest.qWait(400)
    QTest.mouseMove(canvas, at(viewer, 80, 50))
    QTest.qWait(20)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=at(viewer, 80, 50))
    qtbot.waitUntil(lambda: panel.editing.session is not first, timeout=5000)
    wait_for_answer(panel, qtbot)
    assert [len(each.drawing.strokes) for each in (first, panel.editing.session)] == [1, 0]


def test_pixels_and_slices_have_their_physical_proportion(viewer, gray, tmp_path, qtbot):
    axes = np.array([[0, 0, 0.5, 0], [0, 4, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1]])  # rows run from foot to head
    turned = nibabel.Nifti1Image(np.stack([gray[:60]] * 3, axis=1), axes)
    nibabel.save(turned, tmp_path / "head.nii")
    ((volume, about, _),) = read_layers(str(tmp_path / "head.nii"))
    assert volume.shape == (60, 3, 128)
    assert about["scale"] == (4, 8, 1)
    panel = opened(viewer, volume, qtbot, **about)
    panel.editing.change(model="none")
    places = [layer.data_to_world((*[0] * (layer.ndim - 2), 2, 100))[-2:] for layer in viewer.layers]
    assert places == [(16, 100)] * 3
    assert panel.editing.session.autosave is not None
    result = tmp_path / "slice.nii"
    panel.colour.use(PURPLE)
    drag(viewer, (8, 30), (8, 45))
    wait_for_answer(panel, qtbot)
    panel.editing.save_picture(result)
    wait_for_answer(panel, qtbot)
    np.testing.assert_allclose(nibabel.load(result).header.get_zooms(), (0.5, 4, 2))
