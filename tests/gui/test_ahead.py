"""Colours follow a stroke while it is being drawn, and the session knows of it only once it is done."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from tests.gui.window import at, wait_for_answer

START, END, BESIDE = (80, 30), (80, 60), (86, 45)


@pytest.fixture(params=[False, True], ids=["small", "large"])
def either(request, panel, qtbot, monkeypatch):
    """A picture that is previewed as a whole, and one that is large enough for glimpses."""
    if request.param:
        monkeypatch.setattr("napari_hybridcolor.answers.SMALL", 1000)
    panel.colour.use((50.0, -50.0))
    wait_for_answer(panel, qtbot)
    return panel


def shown(viewer):
    return np.array(viewer.layers["colorized"].data)


def begin(viewer):
    """Press the mouse and move it to the stroke's end, without letting it go."""
    native = viewer.window._qt_viewer.canvas.native
    QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=at(viewer, *START))
    for column in range(START[1], END[1] + 1, 3):
        QTest.mouseMove(native, at(viewer, END[0], column))
        QTest.qWait(10)


def end(viewer):
    native = viewer.window._qt_viewer.canvas.native
    QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=at(viewer, *END))


def test_colours_follow_a_stroke_under_way(either, viewer, qtbot):
    before, drawing = shown(viewer), either.editing.session.drawing
    begin(viewer)
    qtbot.waitUntil(lambda: not np.array_equal(shown(viewer)[BESIDE], before[BESIDE]), timeout=20_000)
    assert either.editing.session.drawing is drawing
    end(viewer)
    wait_for_answer(either, qtbot)
    assert len(either.editing.session.drawing.strokes) == 1
    np.testing.assert_array_equal(shown(viewer), either.editing.session.result().on_screen())


def test_a_stroke_that_napari_takes_back_leaves_no_colours(either, viewer, qtbot):
    before = shown(viewer)
    begin(viewer)
    qtbot.waitUntil(lambda: not np.array_equal(shown(viewer)[BESIDE], before[BESIDE]), timeout=20_000)
    layer = either.editing.scribbles.layer
    layer.data[...] = 0  # as napari does, without telling what
    end(viewer)
    qtbot.waitUntil(lambda: np.array_equal(shown(viewer), before), timeout=20_000)
    assert not either.editing.session.drawing.strokes


def test_nothing_follows_unless_wanted(either, viewer, qtbot):
    either.editing.live = False
    before = shown(viewer)
    begin(viewer)
    qtbot.wait(600)
    np.testing.assert_array_equal(shown(viewer), before)
    end(viewer)
