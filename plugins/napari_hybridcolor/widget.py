"""The Colorize panel: choose a picture, pick a colour, draw, and see the answer.

A view over `hybridcolor.session.EditSession`: every stroke is answered by a preview and then by better and better
results. Work happens in one background thread at a time on copies of the data; a new stroke ends what is under way,
and only the newest of what was asked meanwhile is done. Undo in a labels layer fires no paint event, so the panel also
listens to ``set_data`` and compares the scribbles with those it last submitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import napari
import numpy as np
from napari.layers import Image, Labels
from napari.qt.threading import GeneratorWorker, create_worker
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QComboBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from hybridcolor.bins import DEFAULT_VIVIDNESS, ColorDistribution
from hybridcolor.errors import HybridColorError
from hybridcolor.lab import rgb_to_lab
from hybridcolor.picture import Picture
from hybridcolor.pipeline import Colorization
from hybridcolor.predict import NetworkPredictor, Reading, load_predictor
from hybridcolor.propagate import propagator_names, warm_up
from hybridcolor.seeds import Seeds
from hybridcolor.session import EditSession
from napari_hybridcolor.layers import Colour, layer_picture, scribble_seeds

SCRIBBLES = "scribbles"
RESULT = "colorized"
DEBOUNCE_MS = 60


class RememberingPredictor:
    """The default predictor, loaded when first asked, with its last reading, so that a picture is not read twice."""

    name = "default"

    def __init__(self) -> None:
        self._predictor: NetworkPredictor | None = None
        self._luminance: NDArray[np.float32] | None = None
        self._reading: Reading | None = None

    @property
    def takes_hints(self) -> bool:
        """Whether the network listens to a person's hints."""
        return self._loaded().takes_hints

    def predict(self, luminance: NDArray[np.float32]) -> ColorDistribution:
        """The distribution of a picture."""
        return self.read(luminance).predict()

    def read(self, luminance: NDArray[np.float32]) -> Reading:
        """A picture's reading, from memory if it was the last one asked for."""
        if self._reading is None or self._luminance is None or not np.array_equal(luminance, self._luminance):
            self._reading, self._luminance = self._loaded().read(luminance), luminance
        return self._reading

    def _loaded(self) -> NetworkPredictor:
        self._predictor = self._predictor or load_predictor(self.name)
        return self._predictor


class Desk:
    """The session that is open, kept from one run to the next while picture and settings stay the same."""

    def __init__(self) -> None:
        self._predictor = RememberingPredictor()
        self._session: EditSession | None = None
        self._settings: tuple[str, bool, float] | None = None

    def session(self, picture: Picture, *, method: str, use_network: bool, vividness: float) -> EditSession:
        """The session of a picture, opened anew only if something is other than before."""
        settings = (method, use_network, vividness)
        if (
            self._session is None
            or settings != self._settings
            or picture.bit_depth != self._session.picture.bit_depth
            or not np.array_equal(picture.luminance, self._session.picture.luminance)
        ):
            predictor = self._predictor if use_network else None
            self._session = EditSession(picture, predictor=predictor, method=method, vividness=vividness)
            self._settings = settings
        return self._session


class ColorizeWidget(QWidget):
    """The panel that napari opens as Plugins > hybridcolor > Colorize."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.palette_ab: dict[int, Colour] = {}
        self._shown: dict[int | None, Any] = {None: "transparent"}
        self._desk = Desk()
        self._worker: GeneratorWorker | None = None
        self._again = False
        self._submitted: NDArray[np.int64] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self.run)
        self._build()
        for event in (self.viewer.layers.events.inserted, self.viewer.layers.events.removed):
            event.connect(self._list_images)
        self._list_images()
        self._warm_up()

    def _build(self) -> None:
        self.image_choice = QComboBox()
        self.method_choice = QComboBox()
        self.method_choice.addItems(propagator_names())
        self.method_choice.currentTextChanged.connect(self._warm_up)
        self.use_network = QCheckBox("use the CNN")
        self.live = QCheckBox("update while drawing")
        for box in (self.use_network, self.live):
            box.setChecked(True)
        self.vividness = QSlider(Qt.Orientation.Horizontal)
        self.vividness.setRange(0, 100)
        self.vividness.setValue(round(100 * DEFAULT_VIVIDNESS))
        self.new_colour = QPushButton("New colour…")
        self.new_colour.clicked.connect(self._pick_colour)
        self.colorize_button = QPushButton("Colorize")
        self.colorize_button.clicked.connect(self.run)
        self.message = QLabel("Choose a picture and press Colorize.")
        self.message.setWordWrap(True)
        form = QFormLayout()
        for caption, field in (
            ("picture", self.image_choice),
            ("method", self.method_choice),
            ("vividness", self.vividness),
            ("", self.use_network),
            ("", self.live),
            ("scribble", self.new_colour),
        ):
            form.addRow(caption, field)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.colorize_button)
        layout.addWidget(self.message)
        layout.addStretch()

    def _warm_up(self) -> None:
        """Have the method compiled by the time somebody draws."""
        Thread(target=warm_up, args=(self.method_choice.currentText(),), daemon=True).start()

    def add_colour(self, rgb: tuple[int, int, int]) -> int:
        """Make a new scribble colour the one to draw with, and return its label."""
        _, a, b = rgb_to_lab(np.array(rgb, np.uint8)).tolist()
        layer = self._scribbles()
        if layer is None:
            raise HybridColorError("there is no picture to draw on; open one first")
        label = max(self.palette_ab, default=0) + 1
        self.palette_ab[label] = (a, b)
        self._shown[label] = np.array([*rgb, 255]) / 255
        layer.colormap = DirectLabelColormap(color_dict=self._shown)
        layer.selected_label = label
        layer.mode = "paint"
        self.viewer.layers.selection.active = layer
        return label

    def run(self) -> None:
        """Colorize with the scribbles as they are now; a worker that is busy stops at its next step for it."""
        if self._worker is not None:
            self._again = True
            return
        image = self._image()
        if image is None:
            self.message.setText("There is no picture; open one first.")
            return
        try:
            picture = layer_picture(np.array(image.data))
            labels = self._labels()
            scribbles = None if labels is None else scribble_seeds(labels, self.palette_ab)
            if labels is not None and labels.shape != picture.shape:
                self.message.setText("The scribbles are of another size; remove their layer.")
                return
        except HybridColorError as error:
            self.message.setText(str(error))
            return
        self._submitted = labels
        self.message.setText("working…")
        self._worker = create_worker(
            _answers,
            self._desk,
            picture,
            Seeds.empty() if scribbles is None else scribbles,
            cancel=lambda: self._again,
            method=self.method_choice.currentText(),
            use_network=self.use_network.isChecked(),
            vividness=self.vividness.value() / 100,
            _start_thread=False,
        )
        self._worker.yielded.connect(self._show)
        self._worker.finished.connect(self._finished)
        self._worker.start()

    def _show(self, outcome: Colorization | str) -> None:
        if isinstance(outcome, str):
            self.message.setText(outcome)
            return
        rgb = outcome.to_rgb()
        shown = rgb if rgb.dtype == np.uint8 else (rgb >> 8).astype(np.uint8)
        if RESULT in self.viewer.layers:
            self.viewer.layers[RESULT].data = shown
        else:
            active = self.viewer.layers.selection.active
            layer = Image(shown, name=RESULT, rgb=True)
            above = self.viewer.layers.index(self._image()) + 1
            self.viewer.layers.insert(above, layer)
            self.viewer.layers.selection.active = active
        self.message.setText(f"{outcome.method}: {outcome.seconds:.2f} s, {len(outcome.seeds)} seed pixels")

    def _finished(self) -> None:
        self._worker = None
        if self._again:
            self._again = False
            self.run()

    def _edited(self) -> None:
        """Ask for an update, but only where the scribbles really changed."""
        if not self.live.isChecked():
            return
        labels = self._labels()
        if labels is not None and (self._submitted is None or not np.array_equal(labels, self._submitted)):
            self._timer.start()

    def _pick_colour(self) -> None:
        colour = QColorDialog.getColor(QColor(200, 60, 50), self, "Colour of the next scribbles")
        if colour.isValid():
            try:
                self.add_colour((colour.red(), colour.green(), colour.blue()))
            except HybridColorError as error:
                self.message.setText(str(error))

    def _list_images(self) -> None:
        chosen = self.image_choice.currentText()
        names = [layer.name for layer in self.viewer.layers if isinstance(layer, Image) and layer.name != RESULT]
        self.image_choice.clear()
        self.image_choice.addItems(names)
        if chosen in names:
            self.image_choice.setCurrentText(chosen)

    def _image(self) -> Image | None:
        name = self.image_choice.currentText()
        return next((layer for layer in self.viewer.layers if layer.name == name), None)

    def _labels(self) -> NDArray[np.int64] | None:
        """A copy of the scribbles, None where there is no layer for them."""
        return np.array(self.viewer.layers[SCRIBBLES].data) if SCRIBBLES in self.viewer.layers else None

    def _scribbles(self) -> Labels | None:
        """The layer to draw in, made on top of all others if there is none yet."""
        image = self._image()
        if image is None:
            return None
        if SCRIBBLES not in self.viewer.layers:
            layer = self.viewer.add_labels(np.zeros(image.data.shape[:2], np.int64), name=SCRIBBLES, opacity=1.0)
            layer.brush_size = max(3, round(max(image.data.shape[:2]) / 100))
            layer.events.paint.connect(self._edited)
            layer.events.set_data.connect(self._edited)
        return self.viewer.layers[SCRIBBLES]


def _answers(
    desk: Desk, picture: Picture, scribbles: Seeds, *, cancel: Callable[[], bool], **settings: Any
) -> Iterator[Colorization | str]:
    """Preview and refinements; the line of a known error as a value, since the panel shows it."""
    try:
        session = desk.session(picture, **settings)
        session.set_scribbles(scribbles)
        yield session.preview()
        if not cancel():
            yield from session.refine(cancel)
    except HybridColorError as error:
        yield str(error)
