"""Whatever a person does, in whatever order, nothing breaks, and the layer shows what the session holds."""

from __future__ import annotations

import os

import numpy as np
import pytest
from napari_hybridcolor.layers import drawing_labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from tests.gui.window import press, wait_for_answer

ACTIONS = int(os.environ.get("HYBRIDCOLOR_ACTIONS", "40"))
KEYS = "DIREHTKGNQWUAJ126VX"


class Person:
    """Somebody at the window, who does anything."""

    def __init__(self, panel, viewer, gray, rng):
        self.panel, self.viewer, self.gray, self.rng = panel, viewer, gray, rng

    def draws(self, moves=4):
        native = self.viewer.window._qt_viewer.canvas.native
        spots = [
            QPoint(*(self.rng.random(2) * (native.width(), native.height())).astype(int)) for _ in range(moves + 1)
        ]
        QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=spots[0])
        for spot in spots[1:]:
            QTest.mouseMove(native, spot)
        QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=spots[-1])

    def clicks(self):
        self.draws(moves=0)

    def presses_a_key(self):
        press(self.viewer, getattr(Qt.Key, f"Key_{self.rng.choice(list(KEYS))}"))

    def undoes(self):
        press(self.viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    def redoes(self):
        press(self.viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)

    def picks_a_colour(self):
        self.panel.colour.use(tuple(self.rng.uniform(-60, 60, 2).tolist()))

    def changes_a_setting(self):
        slider = self.rng.choice(
            [self.panel.settings.vividness, self.panel.settings.caution, self.panel.seeds.confidence]
        )
        slider.setValue(int(self.rng.integers(0, 101)))

    def changes_the_method(self):
        self.panel.editing.change(method=str(self.rng.choice(["hybrid", "watershed", "lineart", "flood"])))

    def deletes_a_layer(self):
        layers = [layer for layer in self.viewer.layers if layer is not self.panel.editing.image]
        if layers:
            self.viewer.layers.remove(layers[int(self.rng.integers(len(layers)))])

    def chooses_a_layer(self):
        self.viewer.layers.selection.active = self.viewer.layers[int(self.rng.integers(len(self.viewer.layers)))]

    def asks_for_variants(self):
        self.panel.variants.look()

    def takes_a_variant(self):
        self.panel.variants.thumbnails[1].click()

    def deletes_seeds(self):
        layer = self.panel.seeds.automatic._held.layer
        if layer is not None:
            layer.selected_data = {0}
            (self.panel.seeds.delete_button if self.rng.random() < 0.5 else self.panel.seeds.pin_button).click()

    def opens_another_picture(self):
        self.viewer.add_image(self.gray[: self.rng.integers(60, 128), :90].copy(), name="another")
        QTest.qWait(20)
        self.panel.image_choice.setCurrentIndex(int(self.rng.integers(self.panel.image_choice.count())))
        self.panel.image_choice.open_chosen()

    def waits(self):
        QTest.qWait(100)


@pytest.mark.parametrize(("seed", "pause"), [(0, 30), (30, 0)])  # the second once crashed in vispy
def test_anything_in_any_order(panel, viewer, gray, qtbot, seed, pause):
    rng = np.random.default_rng(seed)
    person = Person(panel, viewer, gray, rng)
    actions = sorted(name for name in vars(Person) if not name.startswith("_"))
    for action in rng.choice(actions, ACTIONS):
        getattr(person, action)()
        if pause:
            QTest.qWait(pause)
    panel.editing.take_up()
    panel.editing.ask()
    wait_for_answer(panel, qtbot)
    session = panel.editing.session
    labels = drawing_labels(session.drawing, session.picture.shape)
    assert np.array_equal(panel.editing.scribbles_layer().data, labels)
    assert panel.editing.result.layer.data.shape == (*session.picture.shape, 3)


def test_layers_that_came_or_went_are_drawn_before_a_press_is_looked_into(panel, viewer, gray, qtbot):
    canvas = viewer.window._qt_viewer.canvas
    events = []
    canvas._scene_canvas.events.draw.connect(lambda _: events.append("draw"))
    canvas._scene_canvas.events.mouse_press.connect(lambda _: events.append("press"), position="first")
    for change in (lambda: viewer.add_image(gray, name="new"), lambda: viewer.layers.remove("new")):
        qtbot.wait(200)
        change()
        events.clear()
        QTest.mouseClick(canvas.native, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
        assert events == ["draw", "press"]
    qtbot.wait(200)
    events.clear()
    QTest.mouseClick(canvas.native, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    assert events == ["press"]
