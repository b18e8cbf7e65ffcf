"""Strokes and pictures on disk: what is saved, what is not, and that it is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from napari_hybridcolor.answers import _COMPUTING
from napari_hybridcolor.opening import read_layers
from napari_hybridcolor.panel.files import file_to_write
from napari_hybridcolor.widget import ColorizeWidget
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QMessageBox

from hybridcolor.errors import ImageError
from hybridcolor.lab import gray_to_luminance
from hybridcolor.palettes import write_palette
from tests.gui.window import choose, drag, opened, press, shown, wait_for_answer

PURPLE, GREEN = (45.0, -50.0), (-40.0, 40.0)


@pytest.fixture
def old(viewer, gray, tmp_path, qtbot):
    """A panel with a picture that has a file, and that file."""
    (tmp_path / "scans").mkdir()
    file = tmp_path / "scans" / "old.png"
    Image.fromarray(gray).save(file)
    return opened(viewer, gray, qtbot, metadata={"hybridcolor_source": str(file)}), file


@pytest.fixture
def dialog(monkeypatch):
    """What a person answers in the next file dialog, and what it was asked with; nothing is ever replaced."""
    asked = {"answer": "", "questions": []}

    def ask(_parent, _title, start, kinds):
        asked.update(start=start, kinds=kinds)
        return str(asked["answer"]), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", ask)
    monkeypatch.setattr(QMessageBox, "question", lambda *about: asked["questions"].append(about[2]))
    return asked


def draw(panel, row, qtbot):
    drag(panel.viewer, (row, 30), (row, 45))
    wait_for_answer(panel, qtbot)


def choose_strokes(panel, text):
    (action,) = [each for each in panel.saving.strokes_button.menu().actions() if text in each.text()]
    action.trigger()


def test_strokes_that_could_not_be_saved_are_told_until_they_are(old, qtbot):
    panel, file = old
    panel.colour.use(PURPLE)
    draw(panel, 80, qtbot)
    assert panel.message.text() == "1 stroke, saved."
    assert not panel.saving.unsaved.isVisible()
    away = file.parent.rename(file.parent.with_name("away"))
    draw(panel, 60, qtbot)
    draw(panel, 40, qtbot)
    assert panel.message.text() == "3 strokes, not saved."
    assert panel.saving.unsaved.isVisible()
    assert "cannot be written" in panel.saving.unsaved.text()
    away.rename(file.parent)
    draw(panel, 20, qtbot)
    assert panel.message.text() == "4 strokes, saved."
    assert not panel.saving.unsaved.isVisible()
    assert len(json.loads(file.with_name("old.png.hybridcolor.json").read_text())["strokes"]) == 4


def test_pinned_seeds_that_could_not_be_saved_are_strokes_all_the_same(old, viewer, qtbot):
    panel, file = old
    press(viewer, Qt.Key.Key_A)
    wait_for_answer(panel, qtbot)
    viewer.layers["automatic seeds"].selected_data = {0}
    file.parent.rename(file.parent.with_name("away"))
    qtbot.mouseClick(panel.seeds.pin_button, Qt.MouseButton.LeftButton)
    wait_for_answer(panel, qtbot)
    assert panel.message.text() == "1 stroke, not saved."
    assert viewer.layers["scribbles"].data.any()


def test_strokes_beside_a_damaged_session_are_saved_elsewhere_and_opened_again(old, viewer, gray, dialog, qtbot):
    panel, file = old
    damaged = file.with_name("old.png.hybridcolor.json")
    damaged.write_text("{")
    about = {"hybridcolor_source": str(file)}
    viewer.add_image(gray, name="again", metadata=about)
    choose(panel, "again", qtbot)
    wait_for_answer(panel, qtbot)
    panel.colour.use(PURPLE)
    draw(panel, 80, qtbot)
    assert panel.message.text() == "1 stroke, not saved."
    assert "is not JSON" in panel.saving.unsaved.text()
    dialog["answer"] = file.with_name("old.png")  # a careless name
    choose_strokes(panel, "Save")
    assert dialog["questions"] == ["old.png.hybridcolor.json is there already. Replace it?"]
    elsewhere = file.with_name("old.png-2.hybridcolor.json")
    assert dialog["start"] == str(elsewhere)
    assert damaged.read_text() == "{"  # nobody said that it may be replaced
    dialog["answer"] = elsewhere
    choose_strokes(panel, "Save")
    assert not panel.saving.unsaved.isVisible()
    draw(panel, 60, qtbot)
    assert panel.message.text() == "2 strokes, saved."
    assert len(json.loads(elsewhere.read_text())["strokes"]) == 2

    viewer.add_image(gray, name="third", metadata={**about, "hybridcolor_strokes": str(elsewhere)})
    choose(panel, "third", qtbot)
    wait_for_answer(panel, qtbot)
    assert len(panel.editing.session.drawing.strokes) == 2
    choose(panel, "photo", qtbot)
    wait_for_answer(panel, qtbot)
    dialog["answer"] = elsewhere
    choose_strokes(panel, "Open")
    wait_for_answer(panel, qtbot)
    assert [stroke.ab for stroke in panel.editing.session.drawing.strokes] == [PURPLE, PURPLE]
    assert panel.editing.session.autosave == elsewhere
    dialog["answer"] = damaged
    choose_strokes(panel, "Open")
    assert "is not JSON" in panel.message.text()
    assert panel.editing.session.autosave == elsewhere


def test_a_picture_without_a_file_says_so_and_its_strokes_can_be_saved(panel, tmp_path, dialog, qtbot):
    assert "no file" in panel.saving.unsaved.text()
    assert panel.saving.unsaved.isVisible()
    panel.colour.use(PURPLE)
    draw(panel, 80, qtbot)
    assert panel.saving.unsaved.isVisible()
    dialog["answer"] = tmp_path / "mine"
    choose_strokes(panel, "Save")
    draw(panel, 60, qtbot)
    assert not panel.saving.unsaved.isVisible()
    assert len(json.loads((tmp_path / "mine.hybridcolor.json").read_text())["strokes"]) == 2
    dialog["answer"] = tmp_path / "none" / "mine"
    choose_strokes(panel, "Save")
    assert "cannot be written" in panel.message.text()
    assert panel.editing.session.autosave == tmp_path / "mine.hybridcolor.json"


def test_the_source_is_not_replaced_by_its_result(old, viewer, dialog, qtbot):
    panel, file = old
    before = file.read_bytes()
    dialog["answer"] = file
    press(viewer, Qt.Key.Key_S)
    wait_for_answer(panel, qtbot)
    assert "would be replaced" in panel.message.text().replace("\u200b", "")
    assert file.read_bytes() == before


def test_a_picture_without_an_ending_is_a_png_and_does_not_replace_one_unasked(old, viewer, dialog, qtbot):
    panel, file = old
    dialog["answer"] = file.with_name("new")
    press(viewer, Qt.Key.Key_S)
    assert panel.message.text() == "Saving new.png…"
    wait_for_answer(panel, qtbot)
    assert panel.message.text() == "Saved new.png."
    assert dialog["start"] == str(file.with_name("old-colour.png"))
    assert all(f"*.{kind}" in dialog["kinds"] for kind in ("dcm", "psd", "ora", "nii"))
    assert file_to_write(panel, "", file, "", ending=".png") is None
    assert "new.png is there already" in dialog["questions"][0]
    dialog["answer"] = ""
    assert file_to_write(panel, "", file, "", ending=".png") is None


def test_slices_are_offered_names_of_their_own(viewer, gray, tmp_path, dialog, qtbot):
    frames = [Image.fromarray(frame) for frame in (gray, gray[::-1].copy())]
    frames[0].save(tmp_path / "film.ome.tif", save_all=True, append_images=frames[1:])
    viewer.dims.current_step = (0, 0)
    stack = np.stack([gray, gray[::-1]])
    panel = opened(viewer, stack, qtbot, metadata={"hybridcolor_source": str(tmp_path / "film.ome.tif")})
    names = []
    for number in (0, 1):
        viewer.dims.set_current_step(0, number)
        qtbot.wait(300)
        wait_for_answer(panel, qtbot)
        press(viewer, Qt.Key.Key_S)
        names.append(dialog["start"])
    assert names == [str(tmp_path / f"film-{number}-colour.png") for number in (0, 1)]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_that_strokes_are_not_saved_can_be_read_in_every_theme(panel, viewer, theme, qtbot):
    viewer.theme = theme
    qtbot.wait(200)
    pixels = panel.saving.unsaved.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    grays = {pixels.pixelColor(x, y).red() for x in range(pixels.width()) for y in range(pixels.height())}
    assert max(grays) - min(grays) > 150


def test_palettes_have_endings_and_bring_no_twins(panel, dialog, tmp_path, qtbot):
    panel.editing.draw([[5, 5]], (40.0, 20.0))
    dialog["answer"] = tmp_path / "mine"
    qtbot.mouseClick(panel.colour.keep_button, Qt.MouseButton.LeftButton)
    assert (tmp_path / "mine.gpl").exists()
    panel.colour.open_palette(tmp_path / "mine.gpl")
    assert panel.editing.session.drawing.palette == ((40.0, 20.0),)
    write_palette(tmp_path / "theirs.gpl", [(40.0, 20.0), (-20.0, 5.0)])
    panel.colour.open_palette(tmp_path / "theirs.gpl")
    assert len(panel.editing.session.drawing.palette) == 2


@pytest.mark.parametrize("large", [False, True])
def test_with_nothing_to_go_by_the_picture_is_gray(viewer, gray, dialog, tmp_path, large, qtbot):
    panel = opened(viewer, np.tile(gray, (5, 5)) if large else gray, qtbot)
    panel.editing.change(model="none")
    wait_for_answer(panel, qtbot)
    assert np.abs(shown(viewer)[..., 1:]).max() < 1
    assert "Draw a first stroke" in panel.message.text()
    dialog["answer"] = tmp_path / "gray.png"
    press(viewer, Qt.Key.Key_S)
    wait_for_answer(panel, qtbot)
    assert panel.message.text() == "There is no colour to save yet: draw a first stroke."
    assert not (tmp_path / "gray.png").exists()
    panel.colour.use(PURPLE)
    draw(panel, 80, qtbot)
    assert np.abs(shown(viewer)[80, 38, 1:] - PURPLE).max() < 2
    press(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait_for_answer(panel, qtbot)
    assert np.abs(shown(viewer)[..., 1:]).max() < 1
    assert "Draw a first stroke" in panel.message.text()


def test_what_is_told_is_for_people_and_figures_stand_beside_it(panel, viewer, qtbot):
    assert panel.message.text().startswith("No strokes yet.")
    panel.colour.use(PURPLE)
    draw(panel, 80, qtbot)
    assert panel.message.text() == "1 stroke, not saved."
    assert "Answer" in panel.busy.text()
    assert "ms, residual 0" in panel.busy.text()
    press(viewer, Qt.Key.Key_N)
    for text in ("word " * 60, "/".join(["folder"] * 40), "x" * 300):
        panel.message.say(text)
        QTest.qWait(20)
        assert panel.message.height() >= panel.message.heightForWidth(panel.message.width()) > 40
        assert panel.message.minimumSizeHint().width() < panel.message.width()
    panel.message.say("short")
    assert panel.message.height() < 40


def test_strokes_are_told_while_the_answer_takes_long(panel, viewer, qtbot):
    panel.colour.use(PURPLE)
    with _COMPUTING[panel.editing.session]:
        for row, told in ((80, "1 stroke, not saved."), (60, "2 strokes, not saved.")):
            drag(viewer, (row, 30), (row, 45))
            panel._waiting.start()  # the second stroke's work is the first's
            qtbot.waitUntil(lambda told=told: panel.message.text() == told, timeout=10_000)
            assert panel.editing.work.busy
            assert panel.busy.text() == "Working…"
    wait_for_answer(panel, qtbot)
    assert "Answer" in panel.busy.text()


def test_what_a_second_window_saved_is_not_replaced(old, viewer, gray, qtbot):
    panel, file = old
    panel.colour.use(PURPLE)
    draw(panel, 80, qtbot)
    saved = file.with_name("old.png.hybridcolor.json")
    other = saved.read_bytes() + b" "  # as if drawn on in another window
    saved.write_bytes(other)
    draw(panel, 60, qtbot)
    assert panel.message.text() == "2 strokes, not saved."
    assert "another window" in panel.saving.unsaved.text()
    assert saved.read_bytes() == other


def test_a_series_of_files_is_a_stack_whose_strokes_are_saved_beside_each(viewer, gray, tmp_path, dialog, qtbot):
    slices = [gray, gray[::-1], 255 - gray]
    files = [str(tmp_path / f"{number}.webp") for number in range(3)]
    for file, plane in zip(files, slices, strict=True):
        Image.fromarray(np.dstack([plane] * 3)).save(file, lossless=True)
    (layer,) = viewer.open(files, stack=True, plugin="hybridcolor")
    assert layer.data.shape == (3, 128, 128)
    panel = ColorizeWidget(viewer)
    viewer.window.add_dock_widget(panel)
    wait_for_answer(panel, qtbot)
    panel.editing.change(model="none")
    viewer.dims.set_current_step(0, 2)
    qtbot.waitUntil(lambda: panel.editing.session.picture.source == Path(files[2]), timeout=5000)
    wait_for_answer(panel, qtbot)
    np.testing.assert_allclose(panel.editing.session.picture.luminance, gray_to_luminance(slices[2]), atol=0.01)
    panel.colour.use(PURPLE)
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    assert len(json.loads((tmp_path / "2.webp.hybridcolor.json").read_text())["strokes"]) == 1
    press(viewer, Qt.Key.Key_S)
    assert dialog["start"] == str(tmp_path / "2-colour.png")
    Image.fromarray(gray[:9]).save(tmp_path / "3.webp")
    with pytest.raises(ImageError, match=r"3\.webp is of another size than 0\.webp"):
        read_layers([*files, str(tmp_path / "3.webp")])
