"""What can be laid over the picture, and stacks of pictures."""

from __future__ import annotations

import numpy as np
import pytest
from napari_hybridcolor.samples import ink
from PIL import Image
from qtpy.QtCore import Qt
from skimage import data

from tests.gui.window import choose, drag, opened, press, shown, wait_for_answer

PURPLE = (45.0, -50.0)


def test_the_wipe_shows_what_was_before_on_the_left(panel, viewer, qtbot):
    press(viewer, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: "wipe" in viewer.layers, timeout=5000)
    wipe = viewer.layers["wipe"]
    assert wipe.data.shape == (128, 64, 3)
    assert np.ptp(wipe.data.astype(int), axis=2).max() == 0
    panel.view.line.setValue(25)
    assert wipe.data.shape[1] == 32
    panel.view.beside.setCurrentText("network alone")
    panel.view.beside.activated.emit(panel.view.beside.currentIndex())
    qtbot.waitUntil(lambda: np.ptp(wipe.data.astype(int), axis=2).max() > 0, timeout=5000)
    np.testing.assert_allclose(wipe.data, viewer.layers["colorized"].data[:, :32], atol=2)
    assert wipe not in [panel.image_choice.itemData(i) for i in range(panel.image_choice.count())]
    press(viewer, Qt.Key.Key_W)
    assert "wipe" not in viewer.layers


def test_a_wipe_that_is_put_away_before_it_is_drawn_stays_away(panel, viewer, qtbot):
    for _ in ("on", "off"):
        press(viewer, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: not panel.overlays._looking.busy, timeout=5000)
    assert "wipe" not in viewer.layers


def test_the_network_alone_is_shown_with_the_settings_in_use(panel, viewer, qtbot):
    panel.view.beside.setCurrentText("network alone")
    panel.view.wipe.setChecked(True)
    qtbot.waitUntil(lambda: "wipe" in viewer.layers, timeout=5000)
    panel.settings.vividness.setValue(100)
    wait_for_answer(panel, qtbot)
    qtbot.waitUntil(lambda: not panel.overlays._looking.busy, timeout=5000)
    np.testing.assert_allclose(viewer.layers["wipe"].data, viewer.layers["colorized"].data[:, :64], atol=2)


def test_own_colours_are_there_to_compare_with(viewer, qtbot):
    colours = data.astronaut()[::4, ::4]
    panel = opened(viewer, colours, qtbot)
    qtbot.waitUntil(lambda: "dB" in panel.view.score.text(), timeout=5000)  # a thread of its own computes it
    assert [panel.view.beside.itemText(i) for i in range(panel.view.beside.count())][-1] == "own colours"
    panel.view.beside.setCurrentText("own colours")
    panel.view.wipe.setChecked(True)
    panel.view.line.setValue(100)
    qtbot.waitUntil(lambda: "wipe" in viewer.layers, timeout=5000)
    assert np.abs(viewer.layers["wipe"].data.astype(int) - colours).mean() < 1


def test_where_the_network_is_unsure_lies_exactly_over_the_picture(panel, viewer, qtbot):
    press(viewer, Qt.Key.Key_U)
    unsure, photo = viewer.layers["unsure"], viewer.layers["photo"]
    corners = [[-0.5, -0.5], np.array(unsure.data.shape) - 0.5]
    ours = [unsure.data_to_world(corner) for corner in corners]
    np.testing.assert_allclose(ours, [[-0.5, -0.5], np.array(photo.data.shape) - 0.5])
    before = unsure.data.copy()
    panel.colour.look_at((80, 38))
    panel.colour.use(panel.colour.likely.colours[1])
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    assert np.abs(viewer.layers["unsure"].data - before).max() > 0.5  # it has heard the stroke
    viewer.layers.remove("unsure")
    panel.view.unsure.setChecked(False)


def test_regions_are_outlined(panel, viewer, qtbot):
    panel.view.regions.setChecked(True)
    wait_for_answer(panel, qtbot)
    assert viewer.layers["regions"].data.max() > 3
    panel.view.regions.setChecked(False)
    assert "regions" not in viewer.layers


def test_flat_colours_of_a_drawing_have_no_lines(viewer, qtbot):
    panel = opened(viewer, ink(240, 320), qtbot)
    panel.editing.change(model="none", method="lineart", finish="paint")
    panel.editing.draw_line((200, 30), (210, 200), (-30.0, 30.0))
    panel.editing.draw_line((20, 20), (20, 300), (0.0, -20.0))
    wait_for_answer(panel, qtbot)
    panel.view.flats.setChecked(True)
    qtbot.waitUntil(lambda: "flats" in viewer.layers, timeout=5000)
    assert viewer.layers["colorized"].data.min() == 0
    assert viewer.layers["flats"].data.min() > 100
    assert {panel.image_choice.itemData(i) for i in range(panel.image_choice.count())} == {panel.editing.image}
    panel.view.flats.setChecked(False)
    assert "flats" not in viewer.layers


def test_a_drawing_is_known_and_its_gaps_are_closed_up_to_a_width(viewer, qtbot):
    panel = opened(viewer, ink(240, 320), qtbot)
    assert panel.editing.session.drawing.method == "lineart"
    inside, outside = (203, 50), (230, 150)  # of the ball, whose line does not close
    panel.view.regions.setChecked(True)
    panel.view.gap.setValue(0)
    wait_for_answer(panel, qtbot)
    regions = viewer.layers["regions"].data
    assert regions[inside] == regions[outside] > 0
    panel.view.gap.setValue(16)
    wait_for_answer(panel, qtbot)
    regions = viewer.layers["regions"].data
    assert regions[inside] != regions[outside]
    panel.colour.use(PURPLE)
    panel.tools.fill(inside)
    wait_for_answer(panel, qtbot)
    (stroke,) = panel.editing.session.drawing.strokes
    assert np.abs(stroke.coords - inside).max() < 25
    ball, paper = shown(viewer)[inside][1:], shown(viewer)[outside][1:]
    assert np.hypot(*(ball - PURPLE)) < 5
    assert np.hypot(*(paper - PURPLE)) > 30
    for _ in ("the region", "the gap"):
        panel.editing.undo()
    assert panel.view.gap.value() == 0


def test_photos_are_no_drawings(panel):
    assert panel.editing.session.drawing.method == "hybrid"
    assert panel.view.gap.isHidden()


def test_a_stack_is_edited_slice_by_slice(viewer, gray, tmp_path, qtbot):
    stack = np.stack([gray, gray[::-1], 255 - gray])
    frames = [Image.fromarray(frame) for frame in stack]
    frames[0].save(tmp_path / "film.tif", save_all=True, append_images=frames[1:])
    viewer.add_image(gray, name="another")
    viewer.dims.current_step = (0, 0)
    panel = opened(viewer, gray, qtbot)
    viewer.add_image(stack, name="film", metadata={"hybridcolor_source": str(tmp_path / "film.tif")})
    choose(panel, "film", qtbot)
    viewer.dims.set_current_step(0, 0)
    wait_for_answer(panel, qtbot)
    panel.colour.use(PURPLE)
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    first, session = shown(viewer), panel.editing.session

    viewer.dims.set_current_step(0, 2)
    qtbot.waitUntil(lambda: panel.editing.session is not session, timeout=5000)
    wait_for_answer(panel, qtbot)
    assert not panel.editing.session.drawing.strokes
    assert not viewer.layers["scribbles"].data.any()
    np.testing.assert_allclose(shown(viewer)[..., 0], 100 - first[..., 0], atol=20)
    drag(viewer, (60, 30), (60, 45))
    wait_for_answer(panel, qtbot)
    assert (tmp_path / "film.tif.2.hybridcolor.json").exists()
    assert (tmp_path / "film.tif.0.hybridcolor.json").exists()

    viewer.dims.set_current_step(0, 0)
    qtbot.waitUntil(lambda: panel.editing.session is session, timeout=5000)
    wait_for_answer(panel, qtbot)
    assert len(session.drawing.strokes) == 1
    np.testing.assert_allclose(shown(viewer), first, atol=2)

    qtbot.mouseClick(panel.carry_button, Qt.MouseButton.LeftButton)
    wait_for_answer(panel, qtbot)
    assert viewer.dims.current_step[0] == 1
    assert [stroke.ab for stroke in panel.editing.session.drawing.strokes] == [PURPLE]
    assert np.abs(shown(viewer)[80, 38, 1:] - PURPLE).max() < 3


@pytest.mark.parametrize("shape", [(2, 3, 40, 50), (3, 40, 50, 3)])
def test_deeper_stacks_and_films_in_colour(viewer, shape, qtbot):
    rng = np.random.default_rng(1)
    panel = opened(viewer, rng.integers(0, 255, shape, np.uint8), qtbot)
    assert panel.editing.session.picture.shape == (40, 50)
    first = panel.editing.session
    viewer.dims.set_current_step(0, (viewer.dims.current_step[0] + 1) % shape[0])
    qtbot.waitUntil(lambda: panel.editing.session is not first, timeout=5000)
    wait_for_answer(panel, qtbot)


def test_our_layers_lie_over_a_turned_picture_and_go_with_it(viewer, gray, qtbot):
    stack = np.stack([gray, gray[::-1]])
    panel = opened(viewer, stack, qtbot, scale=(5, 0.7, 0.5), translate=(0, 20, 3), units=("mm", "mm", "mm"))
    photo = viewer.layers["photo"]
    for key in (Qt.Key.Key_U, Qt.Key.Key_W, Qt.Key.Key_N):
        press(viewer, key)
    qtbot.waitUntil(lambda: "wipe" in viewer.layers, timeout=5000)

    def is_laid_over():
        for place in ((0, 0), (100, 7), (30, 120)):
            world = photo.data_to_world((0, *place))[-2:]
            for layer in viewer.layers[1:]:
                if layer.name != "unsure":  # has pixels of its own
                    np.testing.assert_allclose(layer.world_to_data(world), place, atol=1e-6)
        corners = np.array(viewer.layers["unsure"].data.shape) - 0.5
        wanted = photo.data_to_world((0, *(np.array(gray.shape) - 0.5)))[-2:]
        np.testing.assert_allclose(viewer.layers["unsure"].data_to_world(corners), wanted, atol=1e-6)
        return True

    assert {"colorized", "scribbles", "wipe", "unsure", "draw here"} < {layer.name for layer in viewer.layers}
    assert is_laid_over()
    turned = np.eye(4)
    turned[1:3, 1:3] = [[0.8, -0.6], [0.6, 0.8]]
    photo.affine = turned
    photo.scale = (5, 1, 0.5)
    assert is_laid_over()
    assert all(layer.units == photo.units[-2:] for layer in viewer.layers[1:])
    panel.colour.use(PURPLE)
    start, end = (photo.data_to_world((0, *place))[-2:] for place in ((40, 40), (40, 80)))
    drag(viewer, start, end)
    wait_for_answer(panel, qtbot)
    ((stroke,), answer) = panel.editing.session.drawing.strokes, shown(viewer)
    assert {(40, 40), (40, 80)} < set(map(tuple, stroke.coords.tolist()))
    level, a, b = answer[40, 70].tolist()
    assert panel.tools._colour_at((40, 70)) == (a, b, level)


def test_the_wipe_lies_over_flat_colours_whichever_came_first(panel, viewer, qtbot):
    for first, then in ((panel.view.flats, panel.view.wipe), (panel.view.wipe, panel.view.flats)):
        for box in (first, then):
            box.setChecked(True)
            name = "wipe" if box is panel.view.wipe else "flats"
            qtbot.waitUntil(lambda name=name: name in viewer.layers, timeout=10_000)
        assert viewer.layers.index("wipe") > viewer.layers.index("flats")
        for box in (first, then):
            box.setChecked(False)


def test_what_is_set_on_one_slice_holds_for_the_next_but_not_what_suits_its_kind(viewer, gray, qtbot):
    photo = np.tile(gray, (2, 3))[:240, :320]
    panel = opened(viewer, np.stack([photo, ink(240, 320), photo, photo]), qtbot)
    assert panel.editing.session.drawing.method == "lineart"
    viewer.dims.set_current_step(0, 2)
    qtbot.waitUntil(lambda: panel.editing.session.drawing.method == "hybrid", timeout=5000)
    wait_for_answer(panel, qtbot)
    panel.editing.change(model="none", vividness=0.2)
    panel.editing.carry_on()
    wait_for_answer(panel, qtbot)
    viewer.dims.set_current_step(0, 0)
    qtbot.waitUntil(lambda: len(panel.editing._sessions._known[panel.editing.image]) == 4, timeout=5000)
    wait_for_answer(panel, qtbot)
    drawing = panel.editing.session.drawing
    assert (drawing.model, drawing.method, drawing.vividness) == ("none", "hybrid", 0.2)
    assert panel.settings.model_choice.currentData() == "none"
    panel.editing.undo()
    assert panel.message.text() == "There is nothing to undo."
    viewer.dims.set_current_step(0, 1)
    qtbot.waitUntil(lambda: panel.editing.session.drawing.method == "lineart", timeout=5000)
    wait_for_answer(panel, qtbot)
