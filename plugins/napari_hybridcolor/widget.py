"""The panel: its parts put together, the keys, and where the mouse is. What is drawn and answered is in `editing`."""

from __future__ import annotations

import gc
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import napari
from qtpy.QtCore import QEvent
from qtpy.QtGui import QShowEvent
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QTabWidget, QVBoxLayout, QWidget

from hybridcolor.pipeline import Colorization
from napari_hybridcolor.automatic import Automatic
from napari_hybridcolor.band import Band
from napari_hybridcolor.canvas import DrawnFirst
from napari_hybridcolor.editing import Editing
from napari_hybridcolor.gestures import Place
from napari_hybridcolor.overlays import Overlays
from napari_hybridcolor.panel.colour import ColourBox
from napari_hybridcolor.panel.controls import Scrolled, button, timer
from napari_hybridcolor.panel.keys import Keys
from napari_hybridcolor.panel.pictures import Pictures
from napari_hybridcolor.panel.seeds import SeedsTab
from napari_hybridcolor.panel.settings import Settings
from napari_hybridcolor.panel.variants import VariantsTab
from napari_hybridcolor.panel.view import View
from napari_hybridcolor.tools import BRUSH, FILL, LASSO, LINE, PICK, RECOLOUR, REMOVE, RUB_OUT, Tools

REST_MS = 250  # the mouse has come to rest on a place
BUSY_MS = 1000  # work that takes longer is told; to tell has the whole window painted
_ANSWER = (
    "The answer's number, and the time since your last change.\n"
    "The residual is the most by which any pixel still misses the colour that its neighbours and your strokes\n"
    "ask for, in steps of a* and b*: below about 1 no eye tells it from 0. A first look is not measured."
)
_FILES = "Images (*.png *.tif *.jpg);;Layers (*.ora)"


class ColorizeWidget(QWidget):
    """The panel that napari opens as Plugins > hybridcolor > Colorize."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.editing = Editing(napari_viewer)
        self.tools = Tools(self.editing)
        self.overlays = Overlays(self.editing)
        self.colour = ColourBox(self.editing, self.tools)
        self.settings = Settings(self.editing)
        self.seeds = SeedsTab(Automatic(self.editing), self.tools)
        self.variants = VariantsTab(self.editing, self.tools)
        self.view = View(self.overlays)
        self._answers = 0
        self._canvases: list[DrawnFirst] = []
        self._hovered: Place | None = None
        self._untold: Colorization | None = None
        self._rest = timer(self, REST_MS, self._mouse_rested)
        self._waiting = timer(self, BUSY_MS, self._show_busy)
        self._build()
        self._connect()
        self.image_choice.follow()

    def _build(self) -> None:
        self.image_choice = Pictures(self.editing, self.overlays)
        self.carry_button = button(
            "Strokes to the next slice",
            "Go on to the next slice, with what you drew here",
            self.editing.carry_on,
        )
        self.next_button = button(
            "Where next? (N)", "Show where one more stroke is expected to gain most", self.show_next
        )
        self.undo_button = button("Undo", "Take back the last stroke or setting (Ctrl+Z)", self.editing.undo)
        self.redo_button = button("Redo", "Bring back what was undone (Ctrl+Shift+Z)", self.editing.redo)
        self.compare_button = button(
            "Gray (Q)", "Show the gray picture, or the colours again", self.editing.result.compare
        )
        self.save_button = button(
            "Save picture… (S)",
            "Write the coloured picture; strokes are saved as you go, beside the picture",
            self.save,
        )
        self.message = QLabel("Open a picture to begin.")
        self.message.setWordWrap(True)
        self.message.setFixedHeight(44)
        self.busy = QLabel()  # no moving bar: each of its frames would draw the whole window anew
        self.stop_button = button("Stop", "Leave it at what is shown", self.editing.work.stop)
        self.tabs = QTabWidget()
        self.tabs.addTab(self.settings, "Settings")
        self.tabs.addTab(self.variants, "Variants")
        self.tabs.addTab(self.seeds, "Seeds")
        self.tabs.addTab(self.view, "View")
        self.tabs.addTab(Scrolled(Keys()), "Help")

        inner = QWidget()
        parts = QVBoxLayout(inner)
        parts.setContentsMargins(0, 0, 4, 0)
        parts.addWidget(self.colour)
        parts.addLayout(_row(self.next_button, self.undo_button, self.redo_button, self.compare_button))
        parts.addWidget(self.tabs)
        parts.addStretch()
        layout = QVBoxLayout(self)
        layout.addWidget(self.image_choice)
        layout.addWidget(self.carry_button)
        layout.addWidget(Scrolled(inner))
        layout.addWidget(self.save_button)
        layout.addLayout(_row(self.busy, self.stop_button))
        layout.addWidget(self.message)
        self.carry_button.hide()
        self._show_busy(False)

    def _connect(self) -> None:
        editing, tools, viewer = self.editing, self.tools, self.viewer
        editing.said.connect(self._say)
        editing.opened.connect(self._show_opened)
        editing.answered.connect(self._answered)
        editing.drawing_changed.connect(lambda: self.overlays.show_ring(None))
        editing.work.started.connect(self._waiting.start)
        editing.work.rested.connect(self._work_ended)
        self._keys = {
            "D": lambda: tools.use(BRUSH),
            "I": lambda: tools.use(LINE),
            "R": lambda: tools.use(FILL),
            "E": lambda: tools.use(RUB_OUT),
            "H": lambda: tools.use(RECOLOUR),
            "T": lambda: tools.use(REMOVE),
            "K": lambda: tools.use(PICK),
            "J": lambda: tools.use(LASSO),
            "A": self.seeds.shown.toggle,
            "G": self.colour.use_gray,
            "N": self.show_next,
            "Q": editing.result.compare,
            "W": self.view.wipe.toggle,
            "U": self.view.unsure.toggle,
            "S": self.save,
            "Control-Z": editing.undo,
            "Control-Shift-Z": editing.redo,
        }
        for key, action in self._keys.items():
            viewer.bind_key(key, lambda _viewer, action=action: action(), overwrite=True)
        self.seeds.automatic.keys = self._keys
        viewer.bind_key("Space", tools.hold_off, overwrite=True)
        self._events = (
            (viewer.layers.events.inserted, self._layers_changed),
            (viewer.layers.events.removed, self._layers_changed),
            (viewer.layers.selection.events.active, tools.active_changed),
        )
        for event, action in self._events:
            event.connect(action)
        viewer.mouse_move_callbacks.append(self._hover)
        viewer.mouse_drag_callbacks.append(tools.press)
        self._let_go = self._let_go_of(viewer)
        self.destroyed.connect(self._let_go)

    def _let_go_of(self, viewer: napari.Viewer) -> Any:
        """What to do when the panel has gone: its own methods cannot be called any more."""
        hover, press, keys, editing, events, pictures = (
            self._hover,
            self.tools.press,
            (*self._keys, "Space"),
            self.editing,
            self._events,
            self.image_choice,
        )

        def let_go() -> None:
            for callbacks, ours in ((viewer.mouse_move_callbacks, hover), (viewer.mouse_drag_callbacks, press)):
                if ours in callbacks:
                    callbacks.remove(ours)
            for event, action in (*events, *pictures.events):
                event.disconnect(action)
            for key in keys:
                viewer.bind_key(key, None, overwrite=True)
            with suppress(RuntimeError):  # when Python ends, Qt's half of it may have gone first
                editing.close()

        return let_go

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  # Qt's name
        """The panel has come into a window, whose canvas is known from here on."""
        super().showEvent(event)
        window = self.window()
        if not self._canvases and window is not None:
            canvases = window.findChildren(QOpenGLWidget)
            self._canvases = [DrawnFirst(canvas) for canvas in canvases]
            self.tools.band = Band(canvases[0]) if canvases else None

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  # Qt's name
        """Taken out of its dock, which was closed, the panel will not come back: its layers go too."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.destroyed.disconnect(self._let_go)
            self.editing.leave()
            self._let_go()
            self.image_choice.stop()

    def show_next(self) -> None:
        """Mark where one more stroke is expected to gain most, and offer colours for it."""
        place = self.editing.next_place()
        if place is None:
            return
        self.overlays.show_ring(place)
        self.colour.look_at(place)
        self._say("A stroke in the ring helps most, it is expected. Shift+click a guess to put it there.")

    def save(self) -> None:
        """Ask where to, and write the coloured picture."""
        session = self.editing.session
        if session is None:
            self._say("There is no picture yet; open one first.")
            return
        source = session.picture.source
        start = str(source.with_name(f"{source.stem}-colour.png")) if source else "colour.png"
        path, _ = QFileDialog.getSaveFileName(self, "Save the coloured picture", start, _FILES)
        if path:
            self.editing.save_picture(Path(path))

    def _answered(self, answer: Colorization) -> None:
        self._answers += 1
        self._untold = answer
        _spare_what_is_loaded()
        if not self._waiting.isActive():  # else a better one comes soon, and a new text has the whole window painted
            self._tell()

    def _tell(self) -> None:
        """Say how good the last answer is, unless that was said, or something else since."""
        answer, session = self._untold, self.editing.session
        if answer is None or session is None:
            return
        strokes = len(session.drawing.strokes)
        saved = f", saved in {session.autosave.name}" if session.autosave and strokes else ""
        todo = "" if strokes else f". {self.editing.advice}"
        counted = f"{strokes} stroke{'' if strokes == 1 else 's'}"
        exactness = "a first look" if answer.residual is None else f"residual {answer.residual:.2g} ab"
        self._say(
            f"Answer {self._answers}: {counted}, {answer.seconds * 1000:.0f} ms by {answer.method}, {exactness}"
            f"{saved}{todo}",
            _ANSWER,
        )

    def _say(self, text: str, about: str = "") -> None:
        self._untold = None
        self.message.setText(text)
        self.message.setToolTip(about)

    def _show_busy(self, busy: bool = True) -> None:
        self.busy.setText("Working…" if busy else "")
        self.stop_button.setEnabled(busy)

    def _work_ended(self) -> None:
        self._waiting.stop()
        self._show_busy(False)
        self._tell()

    def _layers_changed(self) -> None:
        for canvas in self._canvases:
            canvas.stale = True

    def _show_opened(self) -> None:
        image = self.editing.image
        self.carry_button.setVisible(image is not None and image.ndim > 2)

    def _hover(self, _viewer: Any, event: Any) -> None:
        self._hovered = self.tools.pixel(event.position)
        self._rest.start()

    def _mouse_rested(self) -> None:
        if self._hovered is not None:
            self.colour.look_at(self._hovered)


@cache
def _spare_what_is_loaded() -> None:
    """Have garbage collections leave out all there is at the first answer, such as PyTorch.

    napari makes a collection whenever a layer goes; each would take 0.3 s, in which the window stands still.
    """
    gc.freeze()


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row
