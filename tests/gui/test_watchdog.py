"""The window stays alive while a large picture is solved: its thread is never long at work, nor kept from it by others.

A machine that is busy with other things keeps every thread waiting, and one that draws in software waits for threads of
the driver. So what is bounded is not the clock, but how long the window's thread itself works between two ticks of a
timer, and how long any thread waits for the interpreter though the machine would let it run.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt, QTimer
from skimage import data

import hybridcolor.propagate
from hybridcolor.picture import Picture
from tests.gui.window import drag, opened, press, wait_for_answer

LONGEST = 0.1
"""Seconds that a person does not take for a freeze."""
HELD = 0.5
"""Seconds: a busy machine may also take the processor from whoever has the interpreter."""
TICK_MS = 5
NAP = 0.002


class Watchdog:
    """A timer of the window, and seconds that the window's thread worked between its ticks."""

    def __init__(self):
        self.work: list[float] = []
        self._last = time.thread_time()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def stop(self):
        self._timer.stop()

    def _tick(self):
        now = time.thread_time()
        self.work.append(now - self._last)
        self._last = now


class Napper(threading.Thread):
    """A thread that only naps, and how many seconds late the interpreter let it wake up."""

    def __init__(self):
        super().__init__(daemon=True)
        self.late: list[float] = []
        self._over = threading.Event()

    def run(self):
        scheduler = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")

        def queued():
            """Seconds that it could have run but was given no processor."""
            return float(scheduler.read_text().split()[1]) / 1e9

        while scheduler.exists() and not self._over.is_set():
            begun, waited = time.perf_counter(), queued()
            time.sleep(NAP)
            self.late.append(time.perf_counter() - begun - NAP - (queued() - waited))

    def stop(self):
        self._over.set()
        self.join()


@pytest.fixture
def panel(viewer, qtbot):
    """The editor with four megapixels."""
    tile = np.ascontiguousarray(Picture.from_array(data.astronaut()).to_rgb()[..., 0], np.uint8)
    panel = opened(viewer, np.tile(tile, (4, 4)), qtbot)
    panel.colour.use((45.0, -50.0))
    return panel


def test_the_window_stays_alive_while_four_megapixels_are_solved(panel, viewer, qtbot):
    drag(viewer, (700, 300), (700, 500))
    watchdog, napper = Watchdog(), Napper()
    napper.start()
    wait_for_answer(panel, qtbot)
    watchdog.stop()
    napper.stop()
    assert len(watchdog.work) > 100  # a window that is frozen does not tick at all
    assert max(watchdog.work) <= LONGEST
    assert max(napper.late, default=0) <= HELD


def test_lines_regions_and_undo_do_not_hold_the_window_up(panel, viewer, qtbot):
    """Layers of shapes that go and come, and the garbage collections that napari then makes, take 0.4 s."""
    watchdog = Watchdog()
    for tool, end in (("line", 900), ("fill", 305)):
        panel.tools.use(tool)
        drag(viewer, (700, 300), (700, end))
        wait_for_answer(panel, qtbot)
    press(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait_for_answer(panel, qtbot)
    watchdog.stop()
    assert len(panel.editing.session.drawing.strokes) == 1
    assert max(watchdog.work) <= 2 * LONGEST  # some 0.05 s, and more where cores are shared


@pytest.mark.parametrize("name", [name for _, name, _ in pkgutil.iter_modules(hybridcolor.propagate.__path__)])
def test_kernels_let_the_window_work(name):
    module = importlib.import_module(f"hybridcolor.propagate.{name}")
    kernels = {key: value.targetoptions for key, value in vars(module).items() if hasattr(value, "targetoptions")}
    assert [key for key, options in kernels.items() if not options.get("nogil")] == []
