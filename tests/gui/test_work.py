"""Jobs in threads of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from threading import Event

import pytest
from napari_hybridcolor.work import Newest
from qtpy.QtCore import QCoreApplication

MANY = min(3 * (os.cpu_count() or 1), 32)


def answer_of(job, qtbot, **kind):
    newest = Newest(**kind)
    with qtbot.waitSignal(newest.answered, timeout=10_000) as signal:
        newest.ask(job)
    qtbot.waitUntil(lambda: not newest.busy)
    return signal.args[0]


def test_a_job_waits_for_no_other(qtbot):
    done = Event()

    def waiting(_stop):
        done.wait(30)
        yield

    others = [Newest() for _ in range(MANY)]
    for other in others:
        other.ask(waiting)
    assert answer_of(lambda _stop: iter(["at once"]), qtbot) == "at once"
    done.set()
    qtbot.waitUntil(lambda: not any(other.busy for other in others))


def test_the_newest_job_ends_the_one_before_and_those_between_are_left_out(qtbot):
    newest, began, said = Newest(), Event(), []
    newest.answered.connect(said.append)

    def until_stopped(stop):
        began.set()
        while not stop():
            yield from ()
        yield "stopped"

    newest.ask(until_stopped)
    assert began.wait(10)
    for number in range(5):
        newest.ask(lambda _stop, number=number: iter([number]))
    qtbot.waitUntil(lambda: not newest.busy)
    assert said == ["stopped", 4]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has an urgency for each thread")
@pytest.mark.parametrize("urgent", [False, True])
def test_jobs_leave_the_processor_to_the_window_unless_they_are_urgent(qtbot, urgent):
    def urgency(_stop):
        yield os.getpriority(os.PRIO_PROCESS, 0)

    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert (answer_of(urgency, qtbot, urgent=urgent) > own) is (not urgent and own < 19)
    assert os.getpriority(os.PRIO_PROCESS, 0) == own


def test_who_quits_waits_for_one_step_at_most(qtbot):
    newest, began = Newest(), Event()

    def until_stopped(stop):
        began.set()
        while not stop():
            yield from ()

    newest.ask(until_stopped)
    assert began.wait(10)
    QCoreApplication.instance().aboutToQuit.emit()
    qtbot.waitUntil(lambda: not newest.busy)


def test_no_job_can_begin_before_pandas_is_imported():
    """Beside a job that compiles, one import in many fails: "locale changed during initialization"."""
    code = "import sys, napari_hybridcolor.work; assert 'pandas' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
