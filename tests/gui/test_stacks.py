"""Stacks, volumes and what napari makes of them: which picture is coloured, and when none can be."""

from __future__ import annotations

import json
from threading import Event

import nibabel
import numpy as np
import pytest
import tifffile
from napari_hybridcolor import sessions
from napari_hybridcolor.opening import picture_of_layer, read_layers
from napari_hybridcolor.widget import ColorizeWidget
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog
from typer.testing import CliRunner

from hybridcolor import EditSession, read_image
from hybridcolor.cli import app
from hybridcolor.lab import gray_to_luminance
from hybridcolor.stacks import session_beside
from tests.gui.window import PATIENCE_MS, at, choose, drag, opened, press, wait_for_answer

PURPLE, GREEN = (45.0, -50.0), (-40.0, 40.0)


@pytest.fixture
def film(viewer, gray, tmp_path, qtbot):
    """A panel with a film of four pictures, and its file."""
    planes = np.stack([np.roll(gray, 9 * number, axis=1) for number in range(4)])
    tifffile.imwrite(tmp_path / "film.tif", planes, photometric="minisblack")
    ((stack, about, _),) = read_layers(str(tmp_path / "film.tif"))
    panel = opened(viewer, stack, qtbot, **about)
    move(panel, (0,), qtbot)
    return panel, tmp_path / "film.tif"


def move(panel, steps, qtbot):
    """Move napari's sliders, and wait for the answer."""
    before = panel.editing.session
    if tuple(panel.viewer.dims.current_step[: len(steps)]) != steps:
        panel.viewer.dims.set_current_step(range(len(steps)), steps)
        qtbot.waitUntil(lambda: panel.editing.session is not before, timeout=5000)
    wait_for_answer(panel, qtbot)


def save_all(panel, path, monkeypatch, qtbot):
    """Click on the button, and answer the dialog. Returns what it offered."""
    offered = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *asked: (offered.append(asked[2]) or str(path), ""))
    qtbot.mouseClick(panel.saving.stack_button, Qt.MouseButton.LeftButton)
    return offered


def replay(*args):
    return CliRunner().invoke(app, ["replay", *map(str, args)], catch_exceptions=False)


@pytest.mark.parametrize("network", ["default", "none"])
def test_all_slices_are_saved_as_replay_would(film, network, tmp_path, monkeypatch, qtbot):
    panel, file = film
    for number, colour in ((3, PURPLE), (1, GREEN)):
        move(panel, (number,), qtbot)
        panel.editing.change(model=network, vividness=0.2 * number)
        panel.colour.use(colour)
        drag(panel.viewer, (80, 30), (80, 45))
        wait_for_answer(panel, qtbot)
    move(panel, (2,), qtbot)  # which has the settings of the first, and nothing of its own
    told = []
    panel.editing.saving_all.answered.connect(told.append)
    offered = save_all(panel, tmp_path / "window.tif", monkeypatch, qtbot)
    assert panel.saving.progress.isVisible()
    assert not panel.saving.stack_button.isEnabled()
    qtbot.waitUntil(lambda: not panel.editing.saving_all.busy, timeout=PATIENCE_MS)
    assert told[:-1] == [(1, 4), (2, 4), (3, 4), (4, 4), (4, 4)]
    assert panel.message.text() == "Saved window.tif: 4 slices."
    assert not panel.saving.progress.isVisible()
    assert panel.saving.stack_button.isEnabled()
    assert offered == [str(tmp_path / "film-colour.tif")]
    replay(file, "-o", tmp_path / "replay.tif")
    assert (tmp_path / "window.tif").read_bytes() == (tmp_path / "replay.tif").read_bytes()
    assert tifffile.imread(tmp_path / "window.tif").shape == (4, 128, 128, 3)


def test_saving_all_is_told_and_stopped_while_one_draws_and_leaves_nothing(film, tmp_path, monkeypatch, qtbot):
    panel, _ = film
    gate = Event()
    monkeypatch.setattr(sessions, "picture_of_layer", lambda *of: gate.wait(60) and picture_of_layer(*of))
    panel.colour.use(PURPLE)
    drag(panel.viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    save_all(panel, tmp_path / "out", monkeypatch, qtbot)
    qtbot.waitUntil(lambda: panel.saving.progress.text() == "Saving slice 2 of 4…", timeout=PATIENCE_MS)
    drag(panel.viewer, (60, 30), (60, 45))
    wait_for_answer(panel, qtbot)
    panel.editing.save_picture(tmp_path / "slice.png")
    wait_for_answer(panel, qtbot)
    assert panel.message.text() == "Saved slice.png."
    assert panel.editing.saving_all.busy
    qtbot.mouseClick(panel.saving.stop_button, Qt.MouseButton.LeftButton)
    gate.set()
    qtbot.waitUntil(lambda: not panel.editing.saving_all.busy, timeout=PATIENCE_MS)
    assert panel.message.text() == "Stopped: nothing was saved as out.tif."
    assert {each.name for each in tmp_path.iterdir()} - {"kept"} == {
        "film.tif", "film.tif.0.hybridcolor.json", "slice.png"
    }  # fmt: skip


def test_a_stack_is_never_saved_over_its_file_and_one_without_a_file_is_saved(film, tmp_path, monkeypatch, qtbot):
    panel, file = film
    before = file.read_bytes()
    save_all(panel, file, monkeypatch, qtbot)
    qtbot.waitUntil(lambda: not panel.editing.saving_all.busy, timeout=PATIENCE_MS)
    assert "would be replaced" in panel.message.text().replace("\u200b", "")
    assert file.read_bytes() == before
    panel.viewer.add_image(panel.editing.image.data[:2], name="no file")
    choose(panel, "no file", qtbot)
    wait_for_answer(panel, qtbot)
    panel.editing.change(vividness=1.0)
    save_all(panel, tmp_path / "out.nii", monkeypatch, qtbot)
    qtbot.waitUntil(lambda: not panel.editing.saving_all.busy, timeout=PATIENCE_MS)
    assert nibabel.load(tmp_path / "out.nii").shape == (128, 128, 2)
    panel.viewer.add_image(panel.editing.image.data[0], name="flat")
    choose(panel, "flat", qtbot)
    wait_for_answer(panel, qtbot)
    assert panel.saving.stack_button.isHidden()


def test_a_film_of_volumes_is_saved_by_the_numbers_of_its_pictures(viewer, gray, tmp_path, monkeypatch, qtbot):
    planes = np.stack([np.roll(gray, 9 * number, axis=1) for number in range(6)]).reshape(2, 3, *gray.shape)
    file = tmp_path / "film.ome.tif"
    tifffile.imwrite(file, planes, ome=True, metadata={"axes": "TZYX"})
    earlier = EditSession(read_image(file), autosave=session_beside(file, (0,)), method="optimization")
    earlier.draw([(80, 38)], GREEN)
    viewer.open(str(file))
    panel = ColorizeWidget(viewer)
    viewer.window.add_dock_widget(panel)
    wait_for_answer(panel, qtbot)
    move(panel, (1, 2), qtbot)
    assert panel.saving.unsaved.isHidden()
    panel.editing.change(model="none")
    panel.colour.use(PURPLE)
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    assert panel.message.text() == "1 stroke, saved."
    saved = tmp_path / "film.ome.tif.5.hybridcolor.json"
    assert len(json.loads(saved.read_text())["strokes"]) == 1
    panel.editing.save_picture(tmp_path / "window.png")
    wait_for_answer(panel, qtbot)
    replay(saved, "--frame", 5, "-o", tmp_path / "replay.png")
    assert (tmp_path / "window.png").read_bytes() == (tmp_path / "replay.png").read_bytes()
    save_all(panel, tmp_path / "window.tif", monkeypatch, qtbot)
    qtbot.waitUntil(lambda: not panel.editing.saving_all.busy, timeout=PATIENCE_MS)
    replay(file, "-o", tmp_path / "replay.tif")
    assert (tmp_path / "window.tif").read_bytes() == (tmp_path / "replay.tif").read_bytes()
    pages = tifffile.imread(tmp_path / "window.tif")
    assert len(pages) == 6
    assert np.array_equal(pages[0], earlier.final().to_rgb())


def test_pictures_in_another_order_than_the_axes_are_not_taken_for_others(viewer, gray, tmp_path, qtbot):
    planes = np.stack([np.roll(gray, 9 * number, axis=1) for number in range(4)])
    order = "".join(f'<TiffData FirstT="{n % 2}" FirstZ="{n // 2}" IFD="{n}" PlaneCount="1"/>' for n in range(4))
    sizes = 'SizeX="128" SizeY="128" SizeC="1" SizeZ="2" SizeT="2"'
    pixels = f'<Pixels ID="Pixels:0" DimensionOrder="XYZTC" Type="uint8" {sizes}><Channel ID="Channel:0:0"/>'
    schema = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    about = f'<OME xmlns="{schema}"><Image ID="Image:0">{pixels}{order}</Pixels></Image></OME>'
    tifffile.imwrite(tmp_path / "a.ome.tif", planes, photometric="minisblack", description=about, metadata=None)
    (layer,) = viewer.open(str(tmp_path / "a.ome.tif"))
    assert np.array_equal(layer.data[1, 0], planes[1])
    panel = ColorizeWidget(viewer)
    viewer.window.add_dock_widget(panel)
    wait_for_answer(panel, qtbot)
    for steps, saved in (((0, 0), True), ((1, 0), False)):
        move(panel, steps, qtbot)
        assert (panel.editing.session.autosave is not None) == saved
        np.testing.assert_allclose(
            panel.editing.session.picture.luminance, gray_to_luminance(layer.data[steps]), atol=0.01
        )
    assert "not as a picture of the file" in panel.saving.unsaved.text()


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
