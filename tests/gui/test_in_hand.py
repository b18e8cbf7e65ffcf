"""Tool and colour in hand: what is lit and shown is what a drag does, whatever came in between."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from tests.gui.window import choose, drag, press, shown, wait_for_answer

PURPLE, GREEN, BLUE = (45.0, -50.0), (-40.0, 40.0), (0.0, -40.0)


@pytest.fixture
def two(panel, viewer, gray, qtbot):
    """A panel with a second picture, B, of another size."""
    viewer.add_image(gray[:100], name="B")
    qtbot.waitUntil(lambda: panel.image_choice.findText("B") > 0, timeout=5000)
    return panel


def lit(panel):
    return [tool for tool, button in panel.colour.tool_buttons.items() if button.isChecked()]


@pytest.mark.parametrize(("key", "tool"), [("I", "line"), ("R", "fill"), ("H", "recolour"), ("D", "brush")])
def test_a_colour_leaves_the_tool_in_hand(panel, viewer, qtbot, key, tool):
    press(viewer, getattr(Qt.Key, f"Key_{key}"))
    qtbot.mouseClick(
        panel.colour.plane, Qt.MouseButton.LeftButton, pos=panel.colour.plane.position_of(PURPLE).toPoint()
    )
    assert (panel.tools.tool, lit(panel)) == (tool, [tool])
    panel.colour.use(GREEN)
    qtbot.mouseClick(panel.colour.used.buttons[1], Qt.MouseButton.LeftButton)  # of the picture's colours
    assert (panel.tools.tool, lit(panel)) == (tool, [tool])
    press(viewer, Qt.Key.Key_K)
    drag(viewer, (90, 60), (90, 60))
    assert (panel.tools.tool, lit(panel)) == (tool, [tool])


def test_region_after_region_each_in_its_colour(panel, viewer, qtbot):
    press(viewer, Qt.Key.Key_R)
    for colour, place in ((PURPLE, (60, 110)), (GREEN, (10, 10))):
        panel.colour.use(colour)
        drag(viewer, place, place)
        wait_for_answer(panel, qtbot)
    strokes = panel.editing.session.drawing.strokes
    assert [stroke.ab for stroke in strokes] == [PURPLE, GREEN]
    assert min(len(stroke.coords) for stroke in strokes) > 9  # those of a dab


@pytest.mark.parametrize(("key", "tool"), [("D", "brush"), ("I", "line"), ("E", "rub out")])
def test_the_tool_in_hand_works_on_the_next_picture(two, viewer, qtbot, key, tool):
    press(viewer, getattr(Qt.Key, f"Key_{key}"))
    choose(two, "B", qtbot)
    wait_for_answer(two, qtbot)
    assert lit(two) == [tool]
    assert not viewer.layers["scribbles"].mouse_pan
    centre = viewer.scene.camera.center
    if tool == "rub out":
        two.editing.draw_line((60, 20), (60, 60))
    drag(viewer, (60, 20), (60, 60), steps=20)
    wait_for_answer(two, qtbot)
    assert viewer.scene.camera.center == centre
    (*_, stroke) = two.editing.session.drawing.strokes
    assert (stroke.ab is None) == (tool == "rub out")


def test_no_tool_is_lit_while_another_layer_is_the_active_one(panel, viewer):
    press(viewer, Qt.Key.Key_I)
    viewer.layers.selection.active = viewer.layers["photo"]
    assert lit(panel) == []
    press(viewer, Qt.Key.Key_I)  # takes it up again
    assert lit(panel) == ["line"]
    assert viewer.layers.selection.active is viewer.layers["scribbles"]


def test_the_colour_that_is_shown_is_drawn_with_on_every_picture_and_after_undo(two, viewer, qtbot):
    def draws(row, colour):
        assert two.colour.plane.colour == colour
        drag(viewer, (row, 30), (row, 45))
        wait_for_answer(two, qtbot)
        assert two.editing.session.drawing.strokes[-1].ab == colour

    two.colour.use(PURPLE)
    draws(80, PURPLE)
    choose(two, "B", qtbot)
    wait_for_answer(two, qtbot)
    two.colour.use(GREEN)
    draws(80, GREEN)
    choose(two, "photo", qtbot)
    wait_for_answer(two, qtbot)
    draws(60, GREEN)
    two.colour.use(BLUE)
    press(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert BLUE not in two.editing.session.drawing.palette
    draws(40, BLUE)
    viewer.layers["scribbles"].selected_label = 1  # by napari's own controls
    draws(20, PURPLE)


def test_a_tool_shows_strokes_that_were_hidden(panel, viewer, qtbot):
    for key in (Qt.Key.Key_D, Qt.Key.Key_V):
        press(viewer, key)
    assert not viewer.layers["scribbles"].visible
    assert lit(panel) == []
    for key in (Qt.Key.Key_D, Qt.Key.Key_V, Qt.Key.Key_V):
        press(viewer, key)
        assert viewer.layers["scribbles"].visible == (lit(panel) == ["brush"])
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    assert len(panel.editing.session.drawing.strokes) == 1


def test_nothing_is_answered_before_it_is_asked_for(panel, viewer, qtbot):
    answers = []
    panel.editing.answered.connect(answers.append)
    panel.settings.live.setChecked(False)
    panel.colour.use(PURPLE)
    for key, end in (("I", (80, 45)), ("R", (60, 110)), ("H", (80, 38))):
        press(viewer, getattr(Qt.Key, f"Key_{key}"))
        drag(viewer, (80, 30) if key == "I" else end, end)
        wait_for_answer(panel, qtbot)
    assert len(panel.editing.session.drawing.strokes) == 2
    press(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait_for_answer(panel, qtbot)
    assert not answers
    qtbot.mouseClick(panel.settings.propagate_button, Qt.MouseButton.LeftButton)
    wait_for_answer(panel, qtbot)
    assert answers
    assert np.abs(shown(viewer)[80, 38, 1:] - PURPLE).max() < 2
