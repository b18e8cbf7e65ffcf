"""What a person does in a real window, for tests: open a picture, draw, press keys, see what is shown."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from hybridcolor.lab import rgb_to_lab

PATIENCE_MS = 120_000
"""For an answer, at most."""


def opened(viewer, gray, qtbot, **about):
    from napari_hybridcolor.widget import ColorizeWidget

    viewer.add_image(gray, **{"name": "photo", **about})
    panel = ColorizeWidget(viewer)
    viewer.window.add_dock_widget(panel)
    wait_for_answer(panel, qtbot)
    qtbot.wait(150)  # the window comes to its size
    return panel


def wait_for_answer(panel, qtbot):
    """Until nothing is under way: strokes taken up, the last answer shown, files saved, regions and seeds found."""
    editing = panel.editing

    def rests():
        looking = (panel.tools.filling, panel.overlays.finding, panel.seeds.automatic.looking)
        busy = (editing.work, editing.saving, *looking)
        return editing.answer is not None and not (editing.timer.isActive() or any(each.busy for each in busy))

    qtbot.waitUntil(rests, timeout=PATIENCE_MS)


def choose(panel, name, qtbot):
    """Choose a picture in the list on top of the panel."""
    qtbot.waitUntil(lambda: panel.image_choice.findText(name) >= 0, timeout=5000)
    panel.image_choice.setCurrentIndex(panel.image_choice.findText(name))
    panel.image_choice.activated.emit(panel.image_choice.currentIndex())


def at(viewer, row, column):
    """Where a pixel of the picture is on the canvas."""
    canvas = viewer.window._qt_viewer.canvas
    camera = viewer.scene.camera
    zoom, (_, y, x) = camera.zoom, camera.center
    width, height = canvas.native.width(), canvas.native.height()
    return QPoint(round(width / 2 + (column - x) * zoom), round(height / 2 + (row - y) * zoom))


def drag(viewer, start, end, steps=8, button=Qt.MouseButton.LeftButton):
    """Press, move and let go the mouse on the canvas."""
    native = viewer.window._qt_viewer.canvas.native
    QTest.mousePress(native, button, pos=at(viewer, *start))
    for step in np.linspace(0, 1, steps):
        place = [round(a + (b - a) * step) for a, b in zip(start, end, strict=True)]
        QTest.mouseMove(native, at(viewer, *place))
        QTest.qWait(5)
    QTest.mouseRelease(native, button, pos=at(viewer, *end))


def press(viewer, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(viewer.window._qt_viewer.canvas.native, key, modifier)


def shown(viewer):
    """L*, a* and b* of the colours that are shown, (H, W, 3)."""
    return rgb_to_lab(viewer.layers["colorized"].data)
