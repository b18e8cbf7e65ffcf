"""Drives the editor's real window over three pictures: python -m benchmarks.tour (or `make tour`).

Writes numbered screenshots into build/tour, those of the tutorial into docs/tutorial, and docs/tutorial/timing.md: how
long after the mouse is let go a preview and the exact answer are shown. Needs a display; `.ci/window` makes one.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import napari
import numpy as np
from napari_hybridcolor import kept
from napari_hybridcolor.opening import SOURCE
from napari_hybridcolor.samples import ink
from napari_hybridcolor.widget import ColorizeWidget
from numpy.typing import NDArray
from PIL import Image
from qtpy.QtCore import QEventLoop, QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget
from skimage import data

from hybridcolor.palettes import Colour
from hybridcolor.picture import Picture

OUT, PAGES = Path("build/tour"), Path("docs/tutorial")
SIZE = (1440, 900)
PATIENCE = 120.0  # seconds
POLL_MS = 5
TIMED = {"0.26": 1, "1.0": 2, "4.2": 4, "12": 7}
"""Megapixels, and how many times over the astronaut is laid in both directions for them."""

GOOD = 0.001
"""A picture is as good as the last to the eye once fewer of its pixels than this are off by more than 1 ab."""


class Tour:
    """A window with one picture from a file, and hands to draw in it."""

    def __init__(self, gray: NDArray[np.uint8], name: str) -> None:
        self.kept = TemporaryDirectory()
        kept.folder = lambda: Path(self.kept.name)  # not the colours of whoever runs this
        self.viewer = napari.Viewer()
        self.viewer.window._qt_window.resize(*SIZE)  # noqa: SLF001  # napari has no public way
        self.canvas = self.viewer.window._qt_viewer.canvas.native  # noqa: SLF001  # napari has no public way
        picture = Path(self.kept.name) / f"{name}.png"
        Image.fromarray(gray).save(picture)
        self.viewer.add_image(gray, name=name, metadata={SOURCE: str(picture)})
        self.panel = ColorizeWidget(self.viewer)
        self.viewer.window.add_dock_widget(self.panel, name="hybridcolor")
        self.settle()
        self.viewer.reset_view()
        self.settle()

    def wait(self, until: Callable[[], bool]) -> None:
        """Let the window live until something is so."""
        end, loop, look = time.monotonic() + PATIENCE, QEventLoop(), QTimer()
        look.timeout.connect(lambda: loop.quit() if until() or time.monotonic() > end else None)
        look.start(POLL_MS)
        loop.exec()
        if not until():
            raise TimeoutError(self.panel.message.text())

    def settle(self) -> None:
        """Let the window live until the last answer is there."""
        editing = self.panel.editing
        self.wait(lambda: not editing.timer.isActive() and not editing.work.busy and editing.answer is not None)
        QTest.qWait(150)

    def place(self, row: int, column: int) -> QPoint:
        """Where a pixel of the picture is on the canvas."""
        native, camera = self.canvas, self.viewer.scene.camera
        _, y, x = camera.center
        return QPoint(
            round(native.width() / 2 + (column - x) * camera.zoom), round(native.height() / 2 + (row - y) * camera.zoom)
        )

    def drag(self, *corners: tuple[int, int]) -> float:
        """One stroke by mouse through these pixels; the moment at which the mouse is let go."""
        native = self.canvas
        QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=self.place(*corners[0]))
        for start, end in pairwise(corners):
            for step in np.linspace(0, 1, 12):
                place = [round(a + (b - a) * step) for a, b in zip(start, end, strict=True)]
                QTest.mouseMove(native, self.place(place[0], place[1]))
                QTest.qWait(3)
        released = time.perf_counter()
        QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=self.place(*corners[-1]))
        return released

    def stroke(self, colour: Colour, *corners: tuple[int, int]) -> None:
        """A stroke of a colour, and its answer."""
        self.panel.colour.use(colour)
        self.drag(*corners)
        self.settle()

    def choose(self, **settings: str) -> None:
        """Choose other settings than the default ones."""
        self.panel.editing.change(**settings)

    def show(self, part: QWidget) -> None:
        """Bring one of the panel's tabs to the front."""
        self.panel.tabs.setCurrentWidget(part)

    def shoot(self, name: str) -> None:
        """The window as a picture."""
        QTest.qWait(300)
        path = OUT / f"{name}.png"
        self.viewer.window.screenshot(path=str(path), canvas_only=False, flash=False)
        Image.open(path).convert("RGB").resize((960, 600), Image.Resampling.LANCZOS).save(
            PAGES / f"{name}.jpg", quality=82
        )

    def close(self) -> None:
        """Close the window."""
        self.viewer.close()
        QTest.qWait(100)
        self.kept.cleanup()


def gray_of(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The luminance as a gray picture."""
    return np.ascontiguousarray(Picture.from_array(rgb).to_rgb()[..., 0], np.uint8)


def photo() -> None:
    """A cup: the network's guess, where to draw next, three strokes, before and after."""
    tour = Tour(gray_of(data.coffee()), "coffee")
    tour.shoot("1-photo-guess")
    tour.panel.show_next()
    tour.shoot("2-photo-where-next")
    tour.stroke((42.0, 38.0), (140, 115), (230, 100), (300, 140))
    tour.stroke((22.0, 50.0), (160, 240), (178, 300), (165, 340))
    tour.stroke((42.0, 38.0), (165, 430), (240, 450), (305, 415))
    tour.panel.colour.look_at((90, 60))
    tour.shoot("3-photo-strokes")
    tour.show(tour.panel.view)
    tour.panel.view.wipe.setChecked(True)
    tour.wait(lambda: "wipe" in tour.viewer.layers)
    tour.shoot("4-photo-wipe")
    tour.close()


def portrait() -> None:
    """An astronaut: other colourings, and what the network is sure of."""
    tour = Tour(gray_of(data.astronaut()), "portrait")
    tour.show(tour.panel.variants)
    tour.panel.variants.look()
    tour.wait(lambda: bool(tour.panel.variants.found))
    tour.shoot("5-portrait-variants")
    tour.choose(method="optimization")
    tour.settle()
    tour.show(tour.panel.seeds)
    tour.panel.seeds.shown.setChecked(True)
    tour.shoot("6-portrait-seeds")
    tour.close()


def page() -> None:
    """A drawing with gaps in its lines: strokes alone, each fills its region."""
    tour = Tour(ink(), "drawing")
    tour.choose(model="none", method="lineart", finish="paint")
    tour.stroke((-8.0, -28.0), (40, 60), (60, 260), (30, 360))
    tour.stroke((-36.0, 40.0, 52.0), (430, 200), (440, 420))
    tour.stroke((8.0, 18.0, 84.0), (230, 260), (250, 330))
    tour.stroke((5.0, 65.0), (80, 500), (110, 540))
    tour.stroke((-30.0, 28.0, 38.0), (210, 460), (250, 500))
    tour.stroke((15.0, 22.0, 28.0), (320, 484), (370, 484))
    tour.stroke((30.0, -35.0, 40.0), (400, 80), (425, 110))
    tour.stroke((18.0, 30.0, 32.0), (290, 275), (340, 275))
    tour.stroke((-5.0, -20.0), (240, 225), (245, 235))
    tour.stroke((0.0, 0.0), (100, 130), (110, 210))
    tour.stroke((48.0, 38.0, 42.0), (150, 270), (190, 330))
    tour.shoot("7-drawing")
    tour.close()


def medical() -> None:
    """A retina: colours of one's own choice by strokes alone."""
    tour = Tour(gray_of(data.retina()[::2, ::2]), "retina")
    tour.choose(model="none")
    tour.stroke((44.0, 34.0), (160, 300), (240, 500), (520, 520), (600, 350), (500, 200), (260, 230))
    tour.stroke((10.0, 40.0), (310, 110), (340, 135))
    tour.stroke((50.0, 42.0), (335, 340), (360, 365))
    tour.shoot("8-retina")
    tour.close()


def timing() -> None:
    """Milliseconds from the mouse's release to the picture on the screen, the median of five strokes."""
    lines = [
        "| megapixels | preview, ms | good to the eye, ms | then off by over 1 ab | exact, ms | longest pause, ms |",
        "|---|---|---|---|---|---|",
    ]
    for size, times in TIMED.items():
        tour = Tour(np.tile(gray_of(data.astronaut()), (times, times)), "astronaut")
        clock = Clock(tour)
        rows = []
        side = 512 * times
        for number in range(6):
            tour.panel.colour.use(((-1) ** number * 40.0, 30.0))
            row = round(side * (0.2 + 0.1 * number))
            tour.settle()
            clock.clear()
            released = tour.drag((row, side // 3), (row, side // 2))
            tour.settle()
            if number:  # the first has things to compile and to allocate
                rows.append(clock.read(released))
        first, good, off, last, pause = zip(*rows, strict=True)
        middle = [f"{1000 * statistics.median(times):.0f}" for times in (first, good, last)]
        lines.append(f"| {size} | {middle[0]} | {middle[1]} | {max(off):.2%} | {middle[2]} | {1000 * max(pause):.0f} |")
        tour.close()
    (PAGES / "timing.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


class Clock:
    """When answers were handed to the window, when it had drawn, and when it was free to do something else."""

    def __init__(self, tour: Tour) -> None:
        self.answers: list[tuple[float, NDArray[np.float32] | None]] = []
        self.drawn: list[float] = []
        self.free: list[float] = []
        self._timer = QTimer()
        self._timer.timeout.connect(lambda: self.free.append(time.perf_counter()))
        self._timer.start(POLL_MS)
        tour.panel.editing.glimpsed.connect(lambda: self.answers.append((time.perf_counter(), None)))
        tour.panel.editing.answered.connect(lambda answer: self.answers.append((time.perf_counter(), answer.chroma)))
        canvas = tour.viewer.window._qt_viewer.canvas._scene_canvas  # noqa: SLF001  # napari has no public way
        canvas.events.draw.connect(lambda _: self.drawn.append(time.perf_counter()), position="last")

    def clear(self) -> None:
        """Forget all."""
        self.answers.clear()
        self.drawn.clear()
        self.free.clear()

    def read(self, released: float) -> tuple[float, float, float, float, float]:
        """Seconds to the first picture and to the first whole one that is `GOOD`, that one's share of pixels that are
        off, seconds to the last, and the most that the window was busy with one thing.
        """
        final = self.answers[-1][1]
        known = [
            (at, np.mean(np.abs(chroma - final).max(axis=2) > 1)) for at, chroma in self.answers if chroma is not None
        ]
        given, off = next((at, off) for at, off in known if off < GOOD)
        handed = self.answers[0][0], given, self.answers[-1][0]
        seen = [min(at for at in self.drawn if at > moment) for moment in handed]
        first, good, last = (at - released for at in seen)
        pause = max(then - now for now, then in pairwise(self.free))
        return first, good, float(off), last, pause


def main() -> None:
    """Everything, or what is named."""
    OUT.mkdir(parents=True, exist_ok=True)
    PAGES.mkdir(parents=True, exist_ok=True)
    parts = {"photo": photo, "portrait": portrait, "page": page, "medical": medical, "timing": timing}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
