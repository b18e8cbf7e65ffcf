"""The panel: its parts put together, the keys, and where the mouse is. What is drawn and answered is in `editing`."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

import napari
from qtpy.QtCore import QEvent
from qtpy.QtGui import QShowEvent
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from hybridcolor.pipeline import Colorization
from napari_hybridcolor.answers import is_blank
from napari_hybridcolor.automatic import Automatic
from napari_hybridcolor.band import Band
from napari_hybridcolor.canvas import DrawnFirst, EveryMove, EveryPress
from napari_hybridcolor.editing import Editing
from napari_hybridcolor.gestures import Place
from napari_hybridcolor.overlays import Overlays
from napari_hybridcolor.panel.colour import ColourBox
from napari_hybridcolor.panel.controls import Scrolled, Text, bring_into_view, button
from napari_hybridcolor.panel.keys import Keys
from napari_hybridcolor.panel.pictures import Pictures
from napari_hybridcolor.panel.saving import SaveBox
from napari_hybridcolor.panel.seeds import SeedsTab
from napari_hybridcolor.panel.settings import Settings
from napari_hybridcolor.panel.variants import VariantsTab
from napari_hybridcolor.panel.view import View
from napari_hybridcolor.timers import timer
from napari_hybridcolor.tools import BRUSH, FILL, LASSO, LINE, PICK, RECOLOUR, REMOVE, RUB_OUT, Tools

REST_MS = 250  # the mouse has come to rest on a place
BUSY_MS = 1000  # work that takes longer is told; to tell has the whole window painted
_ANSWER = (
    "The answer's number, and the time since your last change, or since this picture was chosen.\n"
    "The residual is the most by which any pixel still misses the colour that its neighbours and your strokes\n"
    "ask for, in steps of a* and b*: below about 1 no eye tells it from 0. A first look is not measured."
)


_BLANK = "Draw a first stroke: no network is asked, or it is sure of nothing, so nothing is coloured yet."


Part = TypeVar("Part", DrawnFirst, EveryMove, Band)


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
        self.saving = SaveBox(self.editing)
        self._answers = 0
        self._figures = ""  # of the last answer that was told
        self._canvases: list[DrawnFirst] = []
        self._hovered: Place | None = None
        self._untold: Colorization | None = None
        self._counted = False  # whether what is said is how many strokes there are
        self._rest = timer(self, REST_MS, self._mouse_rested)
        self._waiting = timer(self, BUSY_MS, self._work_lasts)
        self._build()
        self._tab = timer(self, 0, lambda: bring_into_view(self.tabs))
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
            "Where next?", "Show where one more stroke is expected to gain most (N)", self.show_next
        )
        self.undo_button = button("Undo", "Take back the last stroke or setting (Ctrl+Z)", self.editing.undo)
        self.redo_button = button("Redo", "Bring back what was undone (Ctrl+Shift+Z)", self.editing.redo)
        self.compare_button = button("Show gray", "Hide the colours as long as this is lit (Q)", self.editing.compare)
        self.compare_button.setCheckable(True)
        self.message = Text("Open a picture to begin.", lines=2)
        self.busy = Text()  # no moving bar: each of its frames would draw the whole window anew
        self.busy.setEnabled(False)  # quieter than what is told
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
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.image_choice)
        layout.addWidget(self.carry_button)
        layout.addWidget(Scrolled(inner))
        layout.addWidget(self.saving)
        working = _row(self.busy, self.stop_button)
        working.setStretch(0, 1)
        layout.addLayout(working)
        layout.addWidget(self.message)
        self.carry_button.hide()
        self._show_busy(False)

    def _connect(self) -> None:
        editing, tools, viewer = self.editing, self.tools, self.viewer
        self.tabs.tabBarClicked.connect(lambda _: self._tab.start())
        editing.said.connect(self._say)
        editing.opened.connect(self._show_opened)
        editing.answered.connect(self._answered)
        editing.result.hidden = self.compare_button.setChecked
        editing.drawing_changed.connect(self._drawing_changed)
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
            "Q": editing.compare,
            "W": self.view.wipe.toggle,
            "U": self.view.unsure.toggle,
            "S": self.saving.save_picture,
            "Control-Z": editing.undo,
            "Control-Shift-Z": editing.redo,
        }
        for key, action in self._keys.items():
            viewer.bind_key(key, lambda _viewer, action=action: action(), overwrite=True)
        self.seeds.automatic.keys = self._keys
        viewer.bind_key("Space", tools.hold_off, overwrite=True)
        self._events: tuple[tuple[Any, Callable[..., None]], ...] = (
            (viewer.layers.events.inserted, self._layers_changed),
            (viewer.layers.events.removed, self._layers_changed),
            (viewer.layers.events.removed, self.overlays.layer_removed),
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
        hover, tools, keys, editing, events, pictures = (
            self._hover,
            self.tools,
            (*self._keys, "Space"),
            self.editing,
            self._events,
            self.image_choice,
        )

        def let_go() -> None:
            for callbacks, ours in ((viewer.mouse_move_callbacks, hover), (viewer.mouse_drag_callbacks, tools.press)):
                if ours in callbacks:
                    callbacks.remove(ours)
            for event, action in (*events, *pictures.events):
                event.disconnect(action)
            for key in keys:
                viewer.bind_key(key, None, overwrite=True)
            with suppress(RuntimeError):  # when Python ends, Qt's half of it may have gone first
                tools.blockSignals(True)  # who listened has gone
                editing.close()

        return let_go

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  # Qt's name
        """The panel has come into a window, whose canvas is known from here on."""
        super().showEvent(event)
        window = self.window()
        if not self._canvases and window is not None:
            canvases = window.findChildren(QOpenGLWidget)
            self._canvases = [_only(DrawnFirst, canvas) for canvas in canvases]
            for canvas in canvases:
                _only(EveryMove, canvas)
                EveryPress(canvas, self, lambda: bool(self.tools.in_hand()))
            self.tools.band = _only(Band, canvases[0]) if canvases else None

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
        if self.editing.dragging:  # the picture would move under the mouse
            self._say("Let the mouse go first.")
            return
        place = self.editing.next_place()
        if place is None:
            return
        self.overlays.show_ring(place)
        self.editing.result.bring_into_view(place)
        self.colour.look_at(place)
        self._say("A stroke in the ring helps most, it is expected. Shift+click a guess to put it there.")

    def _answered(self, answer: Colorization) -> None:
        self._answers += 1
        self._untold = answer
        _spare_what_is_loaded()
        if not self._waiting.isActive():  # else a better one comes soon, and a new text has the whole window painted
            self._tell()

    def _tell(self) -> None:
        """Say what was answered, and in figures how well, unless that was said, or something else since."""
        answer = self._untold
        if answer is None or self.editing.session is None:
            return
        if is_blank(answer):
            self._say(_BLANK)
        else:
            self._say_strokes()
        self._counted = True
        exactness = "a first look" if answer.residual is None else f"residual {answer.residual:.2g} ab"
        self._figures = f"Answer {self._answers}: {answer.seconds * 1000:.0f} ms, {exactness}"
        self._show_busy(self.stop_button.isEnabled())

    def _say(self, text: str) -> None:
        self._untold, self._counted = None, False
        self.message.say(text)

    def _drawing_changed(self) -> None:
        self.overlays.show_ring(None)
        if not self.editing.live:  # no answer will tell
            self._say_strokes(" Propagate shows what is new.")

    def _say_strokes(self, waiting: str = "") -> None:
        """Say how many strokes there are, and whether they are saved."""
        session = self.editing.session
        strokes = 0 if session is None else sum(stroke.ab is not None for stroke in session.drawing.strokes)
        if session is None or not strokes:
            self._say(f"No strokes yet. {self.editing.advice}")
        else:
            saved = "saved" if session.autosave and not session.unsaved else "not saved"
            self._say(f"{strokes} stroke{'' if strokes == 1 else 's'}, {saved}.{waiting}")

    def _show_busy(self, busy: bool = True) -> None:
        self.busy.say("Working…" if busy else self._figures, _ANSWER)
        self.stop_button.setEnabled(busy)

    def _work_lasts(self) -> None:
        """Tell that there is work, and how many strokes there are by now if it was told how many there were."""
        self._show_busy()
        session = self.editing.session
        if self._untold is not None:
            self._tell()
        elif self._counted and session is not None and (session.drawing.strokes or self.message.text() != _BLANK):
            self._say_strokes()
            self._counted = True

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


def _only(kind: type[Part], canvas: QOpenGLWidget) -> Part:
    """What a canvas has one of: that of the panel before, or a new one."""
    return (canvas.findChildren(kind) or [kind(canvas)])[0]


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row
