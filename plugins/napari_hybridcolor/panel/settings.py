"""How strokes spread: network, method and their settings."""

from __future__ import annotations

from functools import cache
from threading import Thread

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QSlider, QWidget

from hybridcolor.bins import DEFAULT_VIVIDNESS
from hybridcolor.drawing import NO_MODEL
from hybridcolor.predict.weights import read_registry
from hybridcolor.propagate import propagator_names, warm_up
from hybridcolor.propagate.kinds import FOR_DRAWINGS
from napari_hybridcolor.editing import Editing
from napari_hybridcolor.panel.controls import Choice, button, slider, tick

_FINISHES = {
    None: ("as the network asks", "Photos keep their luminance, drawings are painted"),
    "photo": ("as on a photo", "The luminance stays as it is"),
    "paint": ("as paint", "Blank paper takes the colours of strokes, as light or dark as they are"),
    "tone": ("screentone as shade", "Screentone goes, and shades the colour"),
    "pattern": ("patterns as shade", "Screentone and hatching go, and shade the colour"),
}


class Settings(QWidget):
    """Everything that can be set, and undone."""

    def __init__(self, editing: Editing) -> None:
        super().__init__()
        self.editing = editing
        self.model_choice = Choice()
        for name in ("default", *read_registry()[1]):
            self.model_choice.addItem("the default network" if name == "default" else name, name)
        self.model_choice.addItem("none: strokes alone", NO_MODEL)
        self.model_choice.setToolTip("Which network proposes colours")
        self.method_choice = Choice()
        self.method_choice.addItems(propagator_names())
        self.method_choice.setCurrentText("hybrid")
        self.method_choice.setToolTip("How strokes spread")
        self.vividness = slider(DEFAULT_VIVIDNESS, "How far the network's rare colours are lifted")
        self.caution = slider(0.0, "Leave gray where the network is unsure: to the left nowhere, to the right all")
        self.finish_choice = Choice()
        for finish, (text, about) in _FINISHES.items():
            self.finish_choice.addItem(text, finish)
            self.finish_choice.setItemData(self.finish_choice.count() - 1, about, Qt.ItemDataRole.ToolTipRole)
        self.finish_choice.setToolTip("How colour is put on: drawings have to be darkened where their paper is blank")
        self.tint = slider(
            0.0, "Lines of a drawing: to the left black, to the right a dark shade of the colour beside them"
        )
        self.live = tick("Update while drawing", "Off: strokes are answered when you say Propagate")
        self.live.setChecked(True)
        self.propagate_button = button("Propagate", "Colorize with the strokes as they are", editing.ask)
        for choice in (self.model_choice, self.method_choice, self.finish_choice):
            choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            choice.setMinimumContentsLength(8)  # the list that opens shows the names in full
        form = QFormLayout(self)
        form.addRow("network", self.model_choice)
        form.addRow("method", self.method_choice)
        form.addRow("vividness", self.vividness)
        form.addRow("gray if unsure", self.caution)
        form.addRow("put on", self.finish_choice)
        form.addRow("tinted lines", self.tint)
        live = QHBoxLayout()
        live.addWidget(self.live)
        live.addWidget(self.propagate_button)
        form.addRow(live)

        self.model_choice.activated.connect(lambda _: editing.change(model=self.model_choice.currentData()))
        self.method_choice.textActivated.connect(self._change_method)
        self.finish_choice.activated.connect(lambda _: editing.change(finish=self.finish_choice.currentData()))
        for each in self._sliders():
            each.valueChanged.connect(self._slid)
            each.sliderReleased.connect(self._released)
        self.live.toggled.connect(editing.go_live)
        editing.drawing_changed.connect(self._show_drawing)
        self._showing = False
        _warm_up(self.method_choice.currentText())

    def _change_method(self, method: str) -> None:
        _warm_up(method)
        session = self.editing.session
        painted = method in FOR_DRAWINGS and session is not None and session.drawing.finish is None
        self.editing.change(method=method, **({"finish": "paint"} if painted else {}))

    def _sliders(self) -> tuple[QSlider, ...]:
        return self.vividness, self.caution, self.tint

    def _slid(self) -> None:
        """A slider was moved: by keys or a click at once, by dragging when it is let go."""
        if not self._showing and not any(each.isSliderDown() for each in self._sliders()):
            self._released()

    def _released(self) -> None:
        vividness, caution, tint = (each.value() / 100 for each in self._sliders())
        self.editing.change(vividness=vividness, caution=caution, tint=tint)

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
        self.finish_choice.setCurrentIndex(self.finish_choice.findData(drawing.finish))
        self.tint.setValue(round(100 * drawing.tint))
        self._showing = False


@cache  # once in a process, whatever panels there are
def _warm_up(method: str) -> None:
    """Have a method compiled while the person looks at the picture."""
    Thread(target=warm_up, args=(method,), kwargs={"aside": True}, daemon=True).start()
