"""One background thread: the newest job asked for ends the one under way, and those between are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from napari.qt.threading import GeneratorWorker, create_worker
from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]

from hybridcolor.errors import HybridColorError

Job = Callable[[Callable[[], bool]], Iterator[Any]]
"""Yields answers; is given a function that says when it is to stop at its next step."""


class Newest(QObject):
    """Runs jobs; every answer arrives in the window's thread."""

    answered = Signal(object)
    failed = Signal(str)
    started = Signal()
    rested = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker: GeneratorWorker | None = None
        self._next: Job | None = None
        self._stopped = False

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
        self._worker.start()
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
        self._worker = None
        job, self._next = self._next, None
        if job is not None:
            self.ask(job)
        else:
            self.rested.emit()


def _with_errors_as_values(job: Job, stop: Callable[[], bool]) -> Iterator[Any]:
    """The job's answers; a known error as a value, since the panel shows it."""
    try:
        yield from job(stop)
    except HybridColorError as error:
        yield error
