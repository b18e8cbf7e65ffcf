"""What to see: before and after, and overlays."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from qtpy.QtWidgets import QFormLayout, QLabel, QWidget

from hybridcolor.metrics.fidelity import ab_rmse, psnr
from hybridcolor.pipeline import Colorization
from napari_hybridcolor.overlays import FLATS, REGIONS, UNSURE, WIPE, Overlays
from napari_hybridcolor.panel.controls import Choice, Slider, slider, tick
from napari_hybridcolor.regions import gap_of, parted_by_lines
from napari_hybridcolor.work import Job, Newest

MOST_GAP = 40
"""Pixels up to which the slider goes."""


class View(QWidget):
    """What is laid over the picture. Only the width of the gaps that are closed changes the drawing."""

    def __init__(self, overlays: Overlays) -> None:
        super().__init__()
        self.overlays = overlays
        self.wipe = tick("Wipe (W)", "Show another picture on the left of the line, the colours on its right")
        self.beside = Choice()
        self.beside.setToolTip("What to compare the colours with")
        self.line = slider(0.5, "Where the line is")
        self.unsure = tick(
            "Where the network is unsure (U)",
            "The brighter, the further from the truth the network expects its colour to be",
        )
        self.regions = tick("Regions", "Outlines of what the tool Region draws at a click")
        self.flats = tick(
            "Flat colours", "A drawing's colours without its lines, as they are saved in the layers of .ora and .psd"
        )
        self._boxes = {WIPE: self.wipe, UNSURE: self.unsure, REGIONS: self.regions, FLATS: self.flats}
        self.score = QLabel()
        self.score.setWordWrap(True)
        self.score.setToolTip("How near the colours are to those that the picture came with")
        self.gap = Slider()
        self.gap.setRange(0, MOST_GAP)
        self.gap.setToolTip("Of a drawing: gaps in its lines up to this width, in pixels, part two regions")
        self.gap_label = QLabel()
        form = QFormLayout(self)
        form.addRow(self.wipe, self.beside)
        form.addRow("line", self.line)
        form.addRow(self.unsure)
        form.addRow(self.regions)
        form.addRow(self.gap_label, self.gap)
        form.addRow(self.flats)
        form.addRow(self.score)

        self.wipe.toggled.connect(lambda _: self._wipe())
        self.beside.activated.connect(lambda _: self._wipe())
        self.line.valueChanged.connect(lambda _: self._wipe())
        self.unsure.toggled.connect(overlays.show_unsure)
        self.regions.toggled.connect(overlays.show_regions)
        self.flats.toggled.connect(overlays.show_flats)
        self.gap.valueChanged.connect(self._slid)
        self.gap.sliderReleased.connect(self._released)
        overlays.editing.drawing_changed.connect(self._show_drawing)
        self._showing = False
        self._drawn: tuple[bool, int] | None = None
        overlays.editing.answered.connect(lambda _: self._list())
        overlays.cleared.connect(self._cleared)
        overlays.deleted.connect(lambda name: self._boxes[name].setChecked(False))
        self._scoring = Newest(self)
        self._scoring.answered.connect(self.score.setText)
        overlays.editing.work.rested.connect(self._score)

    def _wipe(self) -> None:
        if self.beside.count() == 0:
            self._list()
        self.overlays.show_wipe(self.beside.currentText() if self.wipe.isChecked() else None, self.line.value() / 100)

    def _list(self) -> None:
        """The pictures that there are to compare with."""
        names, chosen = self.overlays.beside(), self.beside.currentText()
        if [self.beside.itemText(i) for i in range(self.beside.count())] != names:
            self.beside.clear()
            self.beside.addItems(names)
            self.beside.setCurrentText(chosen)

    def _slid(self, gap: int) -> None:
        """Show what is closed while the slider is dragged; it counts when it is let go."""
        self.gap_label.setText(f"close gaps to {gap} px")
        if self._showing:
            return
        if self.gap.isSliderDown():
            self.regions.setChecked(True)
            self.overlays.show_regions(True, gap)
        else:
            self._released()

    def _released(self) -> None:
        session, gap = self.overlays.editing.session, float(self.gap.value())
        if session is not None and gap != gap_of(session.drawing):
            options = session.drawing.options
            levelset = {**options.get("levelset", {}), "gap": gap}
            self.overlays.editing.change(options={**options, "levelset": levelset})

    def _show_drawing(self) -> None:
        session = self.overlays.editing.session
        if session is None:
            return
        drawn = parted_by_lines(session.drawing), round(gap_of(session.drawing))
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self._showing = True
        self.gap.setValue(drawn[1])
        self._slid(drawn[1])
        self._showing = False
        for each in (self.gap, self.gap_label):
            each.setVisible(drawn[0])
        self.overlays.renew_regions()

    def _score(self) -> None:
        answer = self.overlays.editing.answer
        if answer is not None and answer.picture.chroma is not None:
            self._scoring.ask(_scored(answer))
        else:
            self.score.clear()

    def _cleared(self) -> None:
        for box in self._boxes.values():
            box.setChecked(False)


def _scored(answer: Colorization) -> Job:
    def job(_stop: Callable[[], bool]) -> Iterator[str]:
        own = answer.picture.chroma
        assert own is not None  # noqa: S101  # the caller's own check
        decibel = psnr(answer.to_rgb(), answer.picture.to_rgb(own))
        yield f"Against its own colours: {decibel:.1f} dB, {ab_rmse(answer.chroma, own):.1f} ab"

    return job
