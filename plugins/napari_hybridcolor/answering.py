"""Answers of the picture being edited: asked for in threads of their own, and shown in the layer of the colours.

Of a large picture the part in view is shown first, as a glimpse, and again if it is moved before the answer is there;
so is what a stroke under way will do. `editing` says when to ask, and `answers` has what the threads do.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from threading import Event

import napari
from napari.layers import Image
from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]

from hybridcolor.drawing import Drawing
from hybridcolor.glimpse import Glimpse
from hybridcolor.picture import Picture
from hybridcolor.pipeline import Colorization
from hybridcolor.session import EditSession
from napari_hybridcolor.answers import Levels, Seen, answers, foreseen, glimpses, has_glimpses, is_large
from napari_hybridcolor.result import Result
from napari_hybridcolor.timers import timer
from napari_hybridcolor.work import Newest

QUICK = 0.06  # seconds of a glimpse that may go on beside the drawing
TURN = 0.001
"""Seconds after which a thread that waits for the interpreter gets it from another. With Python's usual five, the first
glimpse of a stroke waits while the window draws the stroke itself, and came 7% later at 1 megapixel."""
MOVED_MS = 60  # the picture has come to rest after it was moved or zoomed


class Answering(QObject):
    """What is shown of a session's answers, from the first glimpse to the best."""

    answered = Signal(object)
    glimpsed = Signal()
    failed = Signal(str)

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        sys.setswitchinterval(min(TURN, sys.getswitchinterval()))
        self.result = Result(viewer)
        self.work = Newest(self)
        self.work.answered.connect(self._show)
        self.work.rested.connect(self.result.finish)
        self.glancing = Newest(self, urgent=True)  # beside the work, which may be in a long step
        self.glancing.answered.connect(self._show_glimpse)
        for thread in (self.work, self.glancing):
            thread.failed.connect(self.failed)
        self._viewer = viewer
        self._asked: tuple[EditSession, Image] | None = None
        self.foreseeing = False  # what is shown may be of a stroke that is not done
        self.foresees_slowly = True  # so that the glimpse of a stroke that is done would have to wait
        self._foresight = 0.0  # when the last began
        self._since = 0.0  # when the drawing was asked for
        self._glimpsed = Event()  # set once the drawing that was asked for last has its first glimpse
        self._moving = timer(self, MOVED_MS, self._moved)
        camera = self.result.camera
        self._camera_events = camera.events.zoom, camera.events.center
        for event in self._camera_events:
            event.connect(self._look_around)

    def ask(self, session: EditSession, image: Image) -> None:
        """Have a session's drawing as it is now answered, and shown over its picture."""
        self._asked, self._glimpsed, self.foreseeing = (session, image), Event(), False
        self._since = time.perf_counter()
        if is_large(session):
            self._glance(session)
        self.work.ask(answers(session, self._glimpsed))

    def foresee(self, session: EditSession, drawing: Drawing) -> None:
        """Show what a stroke will do that is still being drawn, unless something is glimpsed already."""
        if not self.glancing.busy and self.result.layer is not None and has_glimpses(session):
            self.foreseeing, self._foresight = True, time.perf_counter()
            self.glancing.ask(foreseen(session, drawing, self.result.view(session.picture.shape)))

    def stop(self) -> None:
        """Show no more of what was asked for."""
        self.work.stop()
        self.glancing.stop()
        self._asked = None

    def close(self) -> None:
        """Let go of the viewer."""
        for each in (self, self.work, self.glancing):
            each.blockSignals(True)  # who listened has gone
        self._moving.stop()
        for event in self._camera_events:
            event.disconnect(self._look_around)
        self.stop()

    def _look_around(self) -> None:
        self._moving.start()

    def _moved(self) -> None:
        """Another part of the picture, or another size of it, is in view; what it shows may be old."""
        if self.work.busy and self._asked is not None and is_large(self._asked[0]):
            self._glance(self._asked[0])

    def _glance(self, session: EditSession) -> None:
        """Have what is in view glimpsed."""
        view, nothing_yet = self.result.view(session.picture.shape), self.result.layer is None
        self.glancing.ask(glimpses(session, view, self._glimpsed, first=nothing_yet))

    def _show(self, outcome: tuple[Colorization, Levels]) -> None:
        answer, levels = outcome
        image = self._image_of(answer.picture)
        if image is not None:
            self.result.show(levels, image)
            seconds = time.perf_counter() - self._since  # the picture may have been left for an hour
            self.answered.emit(replace(answer, seconds=seconds))

    def _show_glimpse(self, outcome: Seen) -> None:
        """Show a part of what comes; the answer itself, should it be there first, is better."""
        picture, seen, done = outcome
        image = self._image_of(picture)
        if image is None:
            return
        if self.work.busy or (self.foreseeing and not done):
            if isinstance(seen, Glimpse):
                self.result.draw(seen)
            elif self.result.layer is None:
                self.result.show(seen, image)
        if done:
            self.glimpsed.emit()
        else:
            self.foresees_slowly = time.perf_counter() - self._foresight > QUICK

    def _image_of(self, picture: Picture) -> Image | None:
        """The layer of a picture, if that is still the one asked for and nobody has removed it."""
        if self._asked is None:
            return None
        session, image = self._asked
        return image if session.picture is picture and image in self._viewer.layers else None
