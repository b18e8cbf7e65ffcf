"""Other colourings that the network holds plausible, to be taken with one click."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from skimage.draw import polygon2mask

from hybridcolor.advice import Variant, variants
from hybridcolor.bins import ColorDistribution
from hybridcolor.picture import Picture
from hybridcolor.resampling import resample
from hybridcolor.seeds import Seeds
from hybridcolor.session import EditSession
from napari_hybridcolor.editing import Editing
from napari_hybridcolor.gestures import Place
from napari_hybridcolor.panel.controls import bring_into_view, button
from napari_hybridcolor.tools import REGION, Tools
from napari_hybridcolor.work import Job, Newest

COUNT = 3
_Shown = tuple[Variant, NDArray[np.uint8]]
"""A colouring, and its thumbnail."""
_SIDE = 80  # pixels of a thumbnail's longer side
_ABOUT = "Other colourings that the network holds plausible. Each is a few strokes: take one, and undo it, freely."


class VariantsTab(QWidget):
    """Thumbnails of whole colourings."""

    def __init__(self, editing: Editing, tools: Tools) -> None:
        super().__init__()
        self.editing, self.tools = editing, tools
        self.found: list[Variant] = []
        self._work = Newest(self)
        about = QLabel(_ABOUT)
        about.setWordWrap(True)
        self.whole_button = button("Of the picture", "Look for other colourings of the whole picture", self.look)
        self.region_button = button(
            "Of a region…", "Draw around a part of the picture to colour it otherwise", lambda: tools.use(REGION)
        )
        self.region_button.setCheckable(True)
        self.thumbnails = [QPushButton() for _ in range(COUNT)]
        asks, shown = QHBoxLayout(), QHBoxLayout()
        for each in (self.whole_button, self.region_button):
            asks.addWidget(each)
        for number, thumbnail in enumerate(self.thumbnails):
            thumbnail.setIconSize(QSize(_SIDE, _SIDE))
            thumbnail.setMinimumSize(_SIDE + 4, _SIDE + 4)
            thumbnail.setStyleSheet("padding: 0px;")
            thumbnail.setToolTip("Take this colouring")
            thumbnail.clicked.connect(lambda _checked=False, number=number: self._take(number))
            shown.addWidget(thumbnail)
        layout = QVBoxLayout(self)
        layout.addWidget(about)
        layout.addLayout(asks)
        layout.addLayout(shown)
        layout.addStretch()

        self._work.answered.connect(self._show)
        self._work.failed.connect(editing.said)
        tools.changed.connect(lambda tool: self.region_button.setChecked(tool == REGION))
        tools.enclosed.connect(self.look)
        editing.opened.connect(self._clear)
        self._clear()

    def look(self, path: list[Place] | None = None) -> None:
        """Look for colourings, of what lies inside a path or of the whole picture."""
        session = self.editing.session
        if session is None or session.belief is None:
            self.editing.said.emit("Other colourings are the network's: choose a model, and wait for its answer.")
            return
        region = None
        if path is not None:
            region = polygon2mask(session.picture.shape, np.array(path))  # type: ignore[no-untyped-call]
        self.editing.said.emit("Looking for other colourings…")
        self._work.ask(_looking(session, region))

    def _show(self, outcome: tuple[EditSession, list[_Shown]]) -> None:
        session, shown = outcome
        if session is not self.editing.session:
            return
        self.found = [variant for variant, _ in shown]
        self.editing.said.emit("Click a thumbnail to take its colours.")
        for thumbnail, (_, rgb) in zip(self.thumbnails, shown, strict=True):
            height, width = rgb.shape[:2]
            image = QImage(rgb.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
            thumbnail.setIcon(QIcon(QPixmap.fromImage(image)))
            thumbnail.setEnabled(True)
            bring_into_view(thumbnail)

    def _take(self, number: int) -> None:
        session = self.editing.session
        if session is None or number >= len(self.found):
            return
        self.editing.become(self.editing.drawing.with_strokes(self.found[number].strokes))

    def _clear(self) -> None:
        self.found = []
        for thumbnail in self.thumbnails:
            thumbnail.setIcon(QIcon())
            thumbnail.setEnabled(False)


def _looking(session: EditSession, region: NDArray[np.bool_] | None) -> Job:
    def job(_stop: Callable[[], bool]) -> Iterator[tuple[EditSession, list[_Shown]]]:
        luminance, drawn = session.picture.luminance, session.drawing.scribbles

        def hear(strokes: Seeds) -> ColorDistribution:
            belief = session.hear(strokes)
            assert belief is not None  # noqa: S101  # it was asked before
            return belief

        found = variants(hear, luminance, drawn=drawn, region=region, count=COUNT)
        scale = min(1.0, _SIDE / max(luminance.shape))
        rows, columns = (max(1, round(side * scale)) for side in luminance.shape)
        small = Picture(resample(luminance, (rows, columns)))
        colours = (each.belief.rebalanced(session.drawing.vividness).annealed_mean() for each in found)
        chroma = (np.dstack([resample(plane, (rows, columns)) for plane in np.moveaxis(ab, -1, 0)]) for ab in colours)
        thumbnails = [np.asarray(small.to_rgb(ab), np.uint8) for ab in chroma]
        yield session, list(zip(found, thumbnails, strict=True))

    return job
