"""How strokes spread: network, method and their settings."""

from __future__ import annotations

from threading import Thread

from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QWidget

from hybridcolor.bins import DEFAULT_VIVIDNESS
from hybridcolor.drawing import NO_MODEL
from hybridcolor.predict.weights import read_registry
from hybridcolor.propagate import propagator_names, warm_up
from napari_hybridcolor.editing import Editing
from napari_hybridcolor.panel.controls import button, slider


class Settings(QWidget):
    """Everything that can be set, and undone."""

    def __init__(self, editing: Editing) -> None:
        super().__init__()
        self.editing = editing
        self.model_choice = QComboBox()
        for name in ("default", *read_registry()[1]):
            self.model_choice.addItem("the default network" if name == "default" else name, name)
        self.model_choice.addItem("none: my strokes alone", NO_MODEL)
        self.model_choice.setToolTip("Which network proposes colours")
        self.method_choice = QComboBox()
        self.method_choice.addItems(propagator_names())
        self.method_choice.setCurrentText("hybrid")
        self.method_choice.setToolTip("How strokes spread")
        self.vividness = slider(DEFAULT_VIVIDNESS, "How far the network's rare colours are lifted")
        self.caution = slider(0.0, "Leave gray where the network is unsure: to the left nowhere, to the right all")
        self.live = QCheckBox("Update while drawing")
        self.live.setChecked(True)
        self.live.setToolTip("Off: strokes are answered when you say Propagate")
        self.propagate_button = button("Propagate", "Colorize with the strokes as they are", editing.ask)
        form = QFormLayout(self)
        form.addRow("network", self.model_choice)
        form.addRow("method", self.method_choice)
        form.addRow("vividness", self.vividness)
        form.addRow("gray if unsure", self.caution)
        form.addRow(self.live, self.propagate_button)

        self.model_choice.activated.connect(lambda _: editing.change(model=self.model_choice.currentData()))
        self.method_choice.textActivated.connect(self._change_method)
        self.vividness.valueChanged.connect(lambda value: self._slid(vividness=value / 100))
        self.caution.valueChanged.connect(lambda value: self._slid(caution=value / 100))
        for each in (self.vividness, self.caution):
            each.sliderReleased.connect(self._released)
        self.live.toggled.connect(lambda on: setattr(editing, "live", on))
        editing.drawing_changed.connect(self._show_drawing)
        self._showing = False
        self.warm_up(self.method_choice.currentText())

    def warm_up(self, method: str) -> None:
        """Have a method compiled while the person looks at the picture."""
        Thread(target=warm_up, args=(method,), daemon=True).start()

    def _change_method(self, method: str) -> None:
        self.warm_up(method)
        self.editing.change(method=method)

    def _slid(self, **setting: float) -> None:
        """A slider was moved: by keys or a click at once, by dragging when it is let go."""
        if not self._showing and not self.vividness.isSliderDown() and not self.caution.isSliderDown():
            self.editing.change(**setting)

    def _released(self) -> None:
        self.editing.change(vividness=self.vividness.value() / 100, caution=self.caution.value() / 100)

    def _show_drawing(self) -> None:
        session = self.editing.session
        if session is None:
            return
        drawing = session.drawing
        self._showing = True
        self.model_choice.setCurrentIndex(max(0, self.model_choice.findData(drawing.model)))
        self.method_choice.setCurrentText(drawing.method)
        self.vividness.setValue(round(100 * drawing.vividness))
        self.caution.setValue(round(100 * drawing.caution))
        self._showing = False
