"""Batches on many machines, by dask.distributed: pictures go out in small batches ("lots"), their records come back.

`connect` makes a `Cluster`, which `hybridcolor.batch.run_batch` takes as its workers; `colorize_lot` is what runs on
them. Nothing that matters is kept in dask alone: what is done stands in the journal and the files of results. A lot
whose answer is lost goes out again, which is harmless since results are the same to the bit and files are replaced
whole. A lot that kills its worker is halved until the one picture is alone. dask is imported here and nowhere else.
"""

from __future__ import annotations

import functools
import logging
import os
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from distributed import Client, Future, KilledWorker, LocalCluster

from hybridcolor.batch.plan import Task
from hybridcolor.batch.results import results_at
from hybridcolor.batch.stores import is_url
from hybridcolor.batch.workers import DEATHS, Job, Record, colorize_task, deaf_children, failed
from hybridcolor.errors import HybridColorError, ImageError, MethodError, ModelError

if TYPE_CHECKING:
    from hybridcolor.predict import Predictor

_LARGEST = 32  # pictures in a lot
_SECONDS = (2.0, 8.0)  # that a lot is to take: shorter ones cost, longer ones leave workers idle at the end
_TICK = 0.2  # seconds to wait for an answer before the rest is looked after
_PATIENCE = 600.0
_LACKING = 30.0  # seconds with too few workers before more are asked for; dask's nannies restart most in less


@dataclass(slots=True)
class _Lot:
    """Pictures that go out together.

    Attributes
    ----------
    tasks : tuple of Task
    deaths : int
        How many workers died of it, once it is down to one picture.
    patience : float
        Seconds after which its answer is held lost; doubled each time, since it may have been slow only.
    since : float
        When it went out, by `time.monotonic`.
    """

    tasks: tuple[Task, ...]
    deaths: int = 0
    patience: float = _PATIENCE
    since: float = 0.0


@dataclass(slots=True)
class Cluster:
    """Workers of a dask cluster, for `hybridcolor.batch.run_batch`.

    They need this version of hybridcolor with the same weights, and must see the folders of sources and results under
    the same paths or URLs; nothing else is shared. Each works on one picture at a time: give them one thread.

    Attributes
    ----------
    client : distributed.Client
    patience : float, optional
        Seconds after which the answer to a lot is held lost and it goes out again.
    refill : callable, optional
        Is called when there have been fewer workers than before for a while: dask's nannies (the processes that restart
        workers) give some up for good.
    """

    client: Client
    patience: float = _PATIENCE
    refill: Callable[[], None] = lambda: None
    _most: int = 0  # workers at once so far
    _filled: float = 0.0  # when there were last so many, by time.monotonic
    _size: int = 1  # pictures in the next lot, by how long the last ones took
    _away: dict[str, tuple[Future, _Lot]] = field(default_factory=dict)  # lots at the workers, by their future's key
    _again: deque[_Lot] = field(default_factory=deque)  # lots that were lost, or halved: they go out before new ones
    _answers: SimpleQueue[Future] = field(default_factory=SimpleQueue)  # futures that are done, from dask's thread

    def run(self, tasks: Iterator[Task], job: Job, stopped: Callable[[], bool]) -> Iterator[Record]:
        """The records of all tasks, as they are done; fewer once ``stopped`` returns True.

        Raises
        ------
        HybridColorError
            If the scheduler has gone, or a worker cannot do this batch at all.
        """
        away = self._away = {}  # afresh: a batch that broke off has left some
        self._again = deque()
        batch = uuid.uuid4().hex
        everywhere = Job(job.recipe, _everywhere(str(job.folder)))
        send = functools.partial(self._send, job=everywhere, key=job.recipe.key(), batch=batch)
        told = False
        try:
            while True:
                exhausted = stopped() or self._fill(tasks, send)
                if stopped() and not told:
                    self.client.run(_stop, batch, on_error="ignore")
                    told = True
                if exhausted and not self._away:
                    return
                yield from self._collect(send)
        except (OSError, TimeoutError) as error:
            raise HybridColorError(
                f"the scheduler has gone ({error}); start one, and the same command goes on"
            ) from error
        finally:
            if self.client.status == "running":
                self.client.cancel([future for future, _ in away.values()])

    def _fill(self, tasks: Iterator[Task], send: Callable[[_Lot], None]) -> bool:
        """Give every idle worker a lot; returns whether there is none left to give.

        None waits at a worker in advance: if the worker dies of another, dask would count that against it too.
        """
        here = sum(self.client.nthreads().values())
        self._most = max(self._most, here)
        if here == self._most:
            self._filled = time.monotonic()
        elif time.monotonic() - self._filled > _LACKING:
            self.refill()
            self._filled = time.monotonic()
        for _ in range(here - len(self._away)):
            if any(lot.deaths for _, lot in self._away.values()):
                return False
            if self._again:
                if self._again[0].deaths and self._away:  # on its own, so that it is not blamed for another
                    return False
                send(self._again.popleft())
            elif lot := tuple(map(_absolute, islice(tasks, self._size))):
                send(_Lot(lot, patience=self.patience))
            else:
                return True
        return False

    def _send(self, lot: _Lot, *, job: Job, key: str, batch: str) -> None:
        lot.since = time.monotonic()
        name = f"hybridcolor-{uuid.uuid4().hex}"
        future = self.client.submit(colorize_lot, lot.tasks, job, key, batch, key=name, pure=False)
        self._away[name] = future, lot
        future.add_done_callback(self._answers.put)

    def _collect(self, send: Callable[[_Lot], None]) -> Iterator[Record]:
        """What comes back within a moment; what is overdue goes out again."""
        try:
            future = self._answers.get(timeout=_TICK)
        except Empty:
            for name, (overdue, lot) in list(self._away.items()):
                if time.monotonic() - lot.since > lot.patience:
                    del self._away[name]
                    overdue.cancel()
                    send(replace(lot, patience=2 * lot.patience))
            return
        if future.key in self._away:
            _, lot = self._away.pop(future.key)
            yield from self._taken(future, lot)

    def _taken(self, future: Future, lot: _Lot) -> Iterator[Record]:
        """The records of a lot that has come back; the next lots are made larger or smaller by the time it took."""
        if future.status == "error":
            yield from self._blamed(future.exception(), lot)
            return
        try:
            records: list[Record] = future.result(timeout=30)
        except Exception:  # noqa: BLE001  # cancelled, or its worker died after the work: dask has many names for lost
            self._again.append(lot)
            return
        taken = sum(record.get("seconds", 0.0) for record in records)
        self._size = min(2 * self._size, _LARGEST) if taken < _SECONDS[0] else self._size
        self._size = max(self._size // 2, 1) if taken > _SECONDS[1] else self._size
        yield from records

    def _blamed(self, error: BaseException, lot: _Lot) -> Iterator[Record]:
        """A lot that killed its worker is halved; a picture that killed two, once with no other about, is given up."""
        if isinstance(error, HybridColorError):
            raise error
        if not isinstance(error, KilledWorker):
            raise HybridColorError(
                f"a worker cannot work ({error!r}); it needs the same hybridcolor as here"
            ) from error
        half = len(lot.tasks) // 2
        if half:
            self._again.extend(replace(lot, tasks=part) for part in (lot.tasks[:half], lot.tasks[half:]))
        elif lot.deaths + 1 < DEATHS:
            self._again.append(replace(lot, deaths=lot.deaths + 1))
        else:
            yield failed(lot.tasks[0], f"{DEATHS} workers died of it; is memory short?")


def _absolute(task: Task) -> Task:
    """Workers have another working folder."""
    return task._replace(source=_everywhere(task.source), seeds=task.seeds and _everywhere(task.seeds))


def _everywhere(path: str) -> str:
    return path if is_url(path) else os.path.abspath(path)


@contextmanager
def connect(*, scheduler: str | None = None, cluster: str | None = None) -> Iterator[Cluster]:
    """Workers at a scheduler that is there, or of a cluster that is made here and ends with the block.

    Parameters
    ----------
    scheduler : str, optional
        Its address, such as ``tcp://host:8786``.
    cluster : str, optional
        ``local:N`` is N processes on this machine. Give this or ``scheduler``.

    Raises
    ------
    MethodError
        If neither or both are given, the address leads nowhere, or the cluster is none that can be made.
    """
    if (scheduler is None) == (cluster is None):
        raise MethodError("a batch on dask needs either a scheduler's address or a cluster, local:N; give one of them")
    with ExitStack() as stack:
        if cluster is not None:
            kind, _, number = cluster.partition(":")
            if kind != "local" or not number.isdecimal() or int(number) < 1:
                raise MethodError(f"cluster {cluster!r} is unknown; say local:N, N processes on this machine")
            with deaf_children():
                workers = LocalCluster(
                    n_workers=int(number),
                    threads_per_worker=1,
                    memory_limit=None,
                    dashboard_address=None,
                    silence_logs=logging.ERROR,
                    # Without an address its dashboard wants a port of its own.
                    scheduler_kwargs={"allowed_failures": 0, "dashboard_address": ":0"},
                )
            stack.callback(_close, workers)
            client = stack.enter_context(Client(workers))
            yield Cluster(client, refill=functools.partial(workers.scale, int(number)))
        else:
            try:
                client = stack.enter_context(Client(scheduler, timeout=10, set_as_default=False))
            except (OSError, TimeoutError, ValueError) as error:
                raise MethodError(f"no dask scheduler answers at {scheduler}; is it tcp://HOST:8786?") from error
            yield Cluster(client)


def _close(workers: LocalCluster) -> None:
    """A worker that is slow to go, on a busy machine, is no reason to call a batch failed that is done."""
    with suppress(TimeoutError):
        workers.close()


_one_at_a_time = threading.Lock()
_stopped: set[str] = set()


def _stop(batch: str) -> None:
    """Runs on every worker: the picture under way is the last one of this batch."""
    _stopped.add(batch)


def colorize_lot(tasks: tuple[Task, ...], job: Job, key: str, batch: str) -> list[Record]:
    """Runs on a worker: colorize pictures one after the other; fewer if the batch is stopped meanwhile.

    Raises
    ------
    ImageError
        If the folder of results is not seen here.
    ModelError
        If another version, or other weights, are installed here: results would differ.
    """
    if not results_at(job.folder).is_seen():
        raise ImageError(
            f"{socket.gethostname()}: {job.folder} is not the folder of results; share it, under this path"
        )
    if job.recipe.key() != key:
        raise ModelError(f"{socket.gethostname()}: another version of hybridcolor or its weights; install the same")
    records = []
    with _one_at_a_time:
        predictor = _predictor(job.recipe.model, job.recipe.weights_sha256())
        for task in tasks:
            if batch in _stopped:
                break
            records.append(colorize_task(task, job, predictor))
    return records


@functools.lru_cache(maxsize=1)
def _predictor(model: str, _sha256: str | None) -> Predictor | None:
    """The model, kept from lot to lot; ``_sha256`` is there for the cache alone: other weights are loaded anew."""
    from hybridcolor.groundwork import load_model

    return load_model(model)
