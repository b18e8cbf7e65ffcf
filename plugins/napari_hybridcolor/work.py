"""Jobs beside the window: the newest that a part asks for ends the one under way, and those between are left out.

There are as many threads as there are jobs. In Qt's own pool, which has as many as there are cores, a job would wait
for those of all other parts of the panel, and to begin with for the window to paint what it has to paint.

pandas, which napari would import at its first layer of labels, is imported before any job begins: while one compiles,
LLVM changes the locale of the whole process for moments, and pandas refuses to be imported in such a moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pandas as pd  # noqa: F401  # as said above
from napari.qt.threading import GeneratorWorker, create_worker
from qtpy.QtCore import QCoreApplication, QObject, Signal  # type: ignore[attr-defined]

from hybridcolor.errors import HybridColorError
from hybridcolor.threads import give_way

Job = Callable[[Callable[[], bool]], Iterator[Any]]
"""Yields answers; is given a function that says when it is to stop at its next step."""
MOST = 64
"""Jobs at the same time, in all panels: more than there are parts that ask for one."""
_URGENT = ThreadPoolExecutor(MOST, "urgent job")
_PATIENT = ThreadPoolExecutor(MOST, "job", initializer=give_way)
_UNDER_WAY: set[Future[None]] = set()


class Newest(QObject):
    """Runs jobs; every answer arrives in the window's thread.

    Parameters
    ----------
    parent : QObject, optional
    urgent : bool
        Whether the jobs are as urgent as the window is; else they leave the processor to it and to those that are.
    """

    answered = Signal(object)
    failed = Signal(str)
    started = Signal()
    rested = Signal()

    def __init__(self, parent: QObject | None = None, *, urgent: bool = False) -> None:
        super().__init__(parent)
        self._pool = _URGENT if urgent else _PATIENT
        self._worker: GeneratorWorker | None = None
        self._running: Future[None] = Future()
        self._next: Job | None = None
        self._stopped = False
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.stop)  # Python waits for what is under way before it ends

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return self._worker is not None

    def ask(self, job: Job) -> None:
        """Do this as soon as what is under way has stopped."""
        if self._worker is not None:
            self._next = job
            return
        self._stopped = False
        self._worker = create_worker(_with_errors_as_values, job, self._is_over, _start_thread=False)
        self._worker.yielded.connect(self._answer)
        self._worker.errored.connect(self._fail)
        self._worker.finished.connect(self._finished)
        self._running = self._pool.submit(_run, [self._worker])
        _UNDER_WAY.add(self._running)
        self._running.add_done_callback(_UNDER_WAY.discard)
        self.started.emit()

    def stop(self) -> None:
        """End the job under way at its next step; what it has answered stays."""
        self._next, self._stopped = None, True

    def _is_over(self) -> bool:
        return self._stopped or self._next is not None

    def _answer(self, outcome: Any) -> None:
        if isinstance(outcome, HybridColorError):
            self.failed.emit(str(outcome))
        else:
            self.answered.emit(outcome)

    def _fail(self, error: Exception) -> None:
        self.failed.emit(f"{type(error).__name__}: {error}")

    def _finished(self) -> None:
        wait([self._running])  # for the thread to let go of the worker, whose signals are to end in this one
        self._worker = None
        job, self._next = self._next, None
        if job is not None:
            self.ask(job)
        else:
            self.rested.emit()


class InTurn(Newest):
    """Runs all jobs, one after the other, whatever is asked for meanwhile and though the panel is closed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: deque[Job] = deque()
        self.rested.connect(self._go_on)

    def ask(self, job: Job) -> None:
        """Do this after those that were asked for before."""
        self._jobs.append(job)
        self._go_on()

    def _go_on(self) -> None:
        if self._jobs and not self.busy:
            super().ask(self._all)

    def _all(self, stop: Callable[[], bool]) -> Iterator[Any]:
        while self._jobs:
            yield from _with_errors_as_values(self._jobs.popleft(), stop)


def wait_for_all() -> None:
    """Wait until no job is under way, as Python does before it ends."""
    wait(tuple(_UNDER_WAY))


def _run(worker: list[GeneratorWorker]) -> None:
    """Run a worker, and keep no hold of it."""
    worker.pop().run()


def _with_errors_as_values(job: Job, stop: Callable[[], bool]) -> Iterator[Any]:
    """The job's answers; a known error as a value, since the panel shows it."""
    try:
        yield from job(stop)
    except HybridColorError as error:
        yield error
