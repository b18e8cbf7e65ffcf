"""The automatic seeds: how many, which, and whether they take part."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QWidget

from hybridcolor.bins import DEFAULT_CONFIDENCE
from hybridcolor.drawing import NO_MODEL
from hybridcolor.session import EditSession
from napari_hybridcolor.automatic import Automatic
from napari_hybridcolor.panel.controls import button, slider, tick
from napari_hybridcolor.tools import LASSO, Tools
from napari_hybridcolor.work import Job, Newest

_USED = "They take part in the answer, beside your strokes."
_NONE = "No network is asked, so there are none: choose one in the settings."
_UNUSED = "This method takes the network's colour everywhere: seeds show what it is sure of. Pin one to hold it."


class SeedsTab(QWidget):
    """What the network is sure of, to be seen and corrected."""

    def __init__(self, automatic: Automatic, tools: Tools) -> None:
        super().__init__()
        self.automatic, self.tools = automatic, tools
        self.shown = tick("Show them (A)", "Each dot is a patch of seeds, in its colour")
        self.confidence = slider(DEFAULT_CONFIDENCE, "How sure the network must be: to the right fewer and surer seeds")
        self.count = QLabel()
        self.about = QLabel(_USED)
        self.about.setWordWrap(True)
        self.lasso_button = button("Lasso (J)", "Select seeds by drawing around them", lambda: tools.use(LASSO))
        self.lasso_button.setCheckable(True)
        self.delete_button = button("Delete", "Do without the selected seeds (Delete)", automatic.delete)
        self.pin_button = button("Pin", "Make strokes of the selected seeds: they stay as they are", automatic.pin)
        row = QHBoxLayout()
        for each in (self.lasso_button, self.delete_button, self.pin_button):
            row.addWidget(each)
        self._form = form = QFormLayout(self)
        form.addRow(self.shown, self.count)
        form.addRow("sureness", self.confidence)
        form.addRow(row)
        form.addRow(self.about)

        self.shown.toggled.connect(automatic.show)
        self.confidence.valueChanged.connect(self._slid)
        self.confidence.sliderReleased.connect(self._released)
        tools.changed.connect(lambda tool: self.lasso_button.setChecked(tool == LASSO))
        tools.lassoed.connect(automatic.lasso)
        automatic.changed.connect(self._show)
        automatic.editing.drawing_changed.connect(self._show_drawing)
        self._showing = False
        self._counting = Newest(self)
        self._counting.answered.connect(self.count.setText)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  # Qt's name
        """Count them as long as the count is seen."""
        super().showEvent(event)
        self.automatic.counted = True
        self.automatic.refresh()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802  # Qt's name
        """Nobody sees the count."""
        super().hideEvent(event)
        self.automatic.counted = False

    def _slid(self, value: int) -> None:
        session = self.automatic.editing.session
        if self._showing or session is None:
            return
        if self.confidence.isSliderDown():
            self._counting.ask(_count(session, value / 100))
        else:
            self._released()

    def _released(self) -> None:
        self.automatic.editing.change(confidence=self.confidence.value() / 100)

    def _show(self) -> None:
        session = self.automatic.editing.session
        self.count.setText(f"{self.automatic.count()} seeds")
        self._form.setRowVisible(self.confidence, session is None or not session.seeds_regions)
        if session is None or session.drawing.model == NO_MODEL:
            self.about.setText(_NONE)
        else:
            self.about.setText(_USED if session.uses_automatic else _UNUSED)

    def _show_drawing(self) -> None:
        session = self.automatic.editing.session
        if session is not None:
            self._showing = True
            self.confidence.setValue(round(100 * session.drawing.confidence))
            self._showing = False


def _count(session: EditSession, confidence: float) -> Job:
    def job(_stop: Callable[[], bool]) -> Iterator[str]:
        yield f"{session.count_automatic(confidence)} seeds"

    return job
