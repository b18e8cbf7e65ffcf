"""Processes that colorize one picture at a time. One that dies is replaced; a picture that kills two is given up.

Each has one thread, so that results are the same to the bit whatever the number of processes. A process ends by itself
when the one that started it has gone.
"""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridcolor.batch.journal import checksum, content, stamp
from hybridcolor.batch.plan import Task
from hybridcolor.batch.recipe import Recipe
from hybridcolor.batch.results import results_at
from hybridcolor.batch.stores import fetched
from hybridcolor.errors import HybridColorError, ModelError, TooLargeError

if TYPE_CHECKING:
    from hybridcolor.predict import Predictor

DEATHS = 2
"""So many processes may die of one picture."""
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}

Record = dict[str, Any]
"""What is told of a finished picture: source, target, and either what was done or the ``error``."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is the same for all tasks of a batch: the recipe, and the folder of results, or its URL."""

    recipe: Recipe
    folder: Path | str


@contextmanager
def deaf_children() -> Iterator[None]:
    """Processes started meanwhile never hear Ctrl-C or a request to end, which go to all: the first one decides."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, where no process can be spared Ctrl-C in this way
        yield
        return
    resource_tracker.ensure_running()  # or its start, within theirs, would end this
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: Connection
    task: Task | None = None


@dataclass(slots=True)
class Pool:
    """Processes that work off tasks.

    Attributes
    ----------
    count : int
        How many processes.
    """

    count: int
    _workers: list[_Worker] = field(default_factory=list)
    _deaths: dict[Task, int] = field(default_factory=dict)

    def run(self, tasks: Iterator[Task], job: Job, stopped: Callable[[], bool]) -> Iterator[Record]:
        """The records of all tasks, in the order in which they are done; fewer once ``stopped`` returns True."""
        again: deque[Task] = deque()
        try:
            while True:
                exhausted = self._feed(tasks, again, job, stopped)
                busy = [worker for worker in self._workers if worker.task is not None]
                if not busy:
                    if exhausted:
                        return
                    continue
                yield from self._collect(busy, again)
        finally:
            self._close()

    def _feed(self, tasks: Iterator[Task], again: deque[Task], job: Job, stopped: Callable[[], bool]) -> bool:
        """Give every idle process a task; returns whether there was none left."""
        while not stopped():
            idle = next((worker for worker in self._workers if worker.task is None), None)
            if idle is None and len(self._workers) >= self.count:
                return False
            task = again.popleft() if again else next(tasks, None)
            if task is None:
                return True
            if idle is None:
                idle = self._start(job)
            idle.task = task
            with suppress(OSError):  # it has died: the end of its pipe is found in a moment
                idle.pipe.send(task)
        return True

    def _collect(self, busy: list[_Worker], again: deque[Task]) -> Iterator[Record]:
        """What has been done by those that are ready, or died."""
        for ready in wait([worker.pipe for worker in busy]):
            worker = next(worker for worker in busy if worker.pipe is ready)
            task, worker.task = worker.task, None
            assert task is not None  # noqa: S101  # it is busy
            try:
                record = worker.pipe.recv()
                if isinstance(record, ModelError):
                    raise record  # every picture would fail of it
                yield record
            except (EOFError, OSError):
                self._workers.remove(worker)
                worker.process.join()
                self._deaths[task] = self._deaths.get(task, 0) + 1
                if self._deaths[task] < DEATHS:
                    again.append(task)
                else:
                    code = worker.process.exitcode
                    yield failed(task, f"{DEATHS} processes died of it, the last with code {code}; is memory short?")

    def _start(self, job: Job) -> _Worker:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        before = {name: os.environ.get(name) for name in _ONE_THREAD}
        os.environ |= _ONE_THREAD  # libraries ask when they are loaded
        try:
            process = context.Process(target=_work, args=(theirs, job), daemon=True)
            with deaf_children():
                process.start()
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _close(self) -> None:
        for worker in self._workers:
            worker.pipe.close()  # at which it ends
        for worker in self._workers:
            worker.process.join(timeout=30)
            worker.process.kill()


def _work(pipe: Connection, job: Job) -> None:
    """The life of a process: tasks in, records out, until the pipe is closed."""
    from hybridcolor.groundwork import load_model

    with suppress(EOFError, OSError):
        try:
            predictor = load_model(job.recipe.model)
        except ModelError as error:
            pipe.send(error)
            return
        while True:
            task = pipe.recv()
            pipe.send(colorize_task(task, job, predictor))


def colorize_task(task: Task, job: Job, predictor: Predictor | None) -> Record:
    """Colorize one picture and write it whole; the record of it, or of why not."""
    started = time.perf_counter()
    try:
        mark = stamp(task)
        with fetched(task.source) as source, fetched(task.seeds) if task.seeds else nullcontext() as seeds:
            made_from = content(task._replace(source=source, seeds=seeds))
            written = _colorize(source, seeds, job.recipe, predictor, results_at(job.folder).output(task.target))
    except HybridColorError as error:
        return failed(task, str(error))
    except OSError as error:
        return failed(task, f"{error.filename or task.source}: {error.strerror or error}")
    except Exception as error:  # noqa: BLE001  # of one picture among millions, whatever it is
        return failed(task, f"{task.source}: {type(error).__name__}: {error}")
    return {
        "source": task.source,
        "target": task.target,
        "seeds": task.seeds,
        "stamp": mark,
        "content": made_from,
        "written": written,
        "seconds": round(time.perf_counter() - started, 4),
    }


def _colorize(
    source: str,
    seeds: str | None,
    recipe: Recipe,
    predictor: Predictor | None,
    output: AbstractContextManager[Path],
) -> str:
    """Colorize and write a picture, a large one by tiles, and return the checksum of what was written.

    The picture's size alone decides, not how much memory is free: results are the same on every machine.
    """
    from hybridcolor import tiles
    from hybridcolor.imagefiles import MAX_PIXELS, open_bands, read_image
    from hybridcolor.marked import read_scribbles
    from hybridcolor.pipeline import colorize, usual_finish, write_colorization

    wishes: dict[str, Any] = {"predictor": predictor, "method": recipe.method}
    wishes |= {"vividness": recipe.vividness, "caution": recipe.caution}
    may = seeds is None and not recipe.options
    try:
        picture = read_image(source, max_pixels=tiles.TILES_FROM if may else MAX_PIXELS)
    except TooLargeError:
        if not may:
            raise
        with open_bands(source) as bands:
            tiled = tiles.colorize_bands(bands, **wishes)
            _check_wanted()
            with output as target:
                tiles.write_tiles(target, tiled, software=recipe.note(tiles=True), overwrite=True)
                return checksum(str(target))
    scribbles = None if seeds is None else read_scribbles(seeds, picture, predictor)
    result = colorize(picture, scribbles=scribbles, **wishes, **recipe.options)
    result = replace(result, finish=usual_finish(recipe.method, predictor), provenance=recipe.note(seeds))
    _check_wanted()
    with output as target:
        write_colorization(target, result, overwrite=True)
        return checksum(str(target))


def _check_wanted() -> None:
    """Refuse to write for a batch that was killed: the next may have written there meanwhile, by another recipe."""
    batch = parent_process()
    if batch is not None and not batch.is_alive():
        raise HybridColorError("the batch that asked for this has died")


def failed(task: Task, error: str) -> Record:
    """The record of a picture that could not be coloured."""
    return {"source": task.source, "target": task.target, "error": " ".join(error.splitlines())}
