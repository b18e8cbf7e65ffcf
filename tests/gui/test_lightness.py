"""A drawing is painted as light or dark as the slider says, which photos do not have."""

from __future__ import annotations

import numpy as np
import pytest
from napari_hybridcolor.tools import PICK
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from hybridcolor.lab import rgb_to_lab
from tests.gui.window import at, choose, drag, opened, press, shown, wait_for_answer
from tests.test_lightness import rooms


def test_strokes_are_as_dark_as_the_slider_says(viewer, gray, qtbot):
    panel = opened(viewer, gray, qtbot)
    colour, slider = panel.colour, panel.colour.lightness
    assert not colour.lightness_row.isVisible()
    viewer.add_image(rooms(80), name="drawing")
    choose(panel, "drawing", qtbot)
    wait_for_answer(panel, qtbot)
    panel.editing.change(model="none", method="lineart", finish="paint")
    wait_for_answer(panel, qtbot)
    viewer.reset_view()
    assert colour.lightness_row.isVisible()

    colour.use((20.0, 30.0))
    for _ in range(7):
        qtbot.keyClick(slider, Qt.Key.Key_PageDown)
    assert panel.editing.colour == (20.0, 30.0, 30.0)
    qtbot.waitUntil(lambda: panel.editing.colour in colour.kept.recent)
    assert [each for each in colour.kept.recent if each[0] == 20] == [(20, 30, 30), (20, 30)]
    now = colour.now.grab().toImage().pixelColor(20, 12).getRgb()[:3]
    assert rgb_to_lab(np.uint8([[now]]))[0, 0] == pytest.approx((30, 20, 30), abs=1)

    drag(viewer, (40, 30), (40, 50))
    wait_for_answer(panel, qtbot)
    assert shown(viewer)[20, 60] == pytest.approx((30, 20, 30), abs=1)
    assert shown(viewer)[40, 40] == pytest.approx((30, 20, 30), abs=1)

    press(viewer, Qt.Key.Key_G)
    assert slider.value() == 100
    panel.tools.use(PICK)
    QTest.mouseClick(viewer.window._qt_viewer.canvas.native, Qt.MouseButton.LeftButton, pos=at(viewer, 20, 60))
    assert panel.editing.colour == pytest.approx((20, 30, 30), abs=1)
    assert slider.value() == pytest.approx(30, abs=1)

    press(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait_for_answer(panel, qtbot)
    assert shown(viewer)[20, 60, 0] == pytest.approx(100, abs=1)

    choose(panel, "photo", qtbot)
    wait_for_answer(panel, qtbot)
    assert not colour.lightness_row.isVisible()
    assert all(len(each) == 2 for each in colour.used.colours)
