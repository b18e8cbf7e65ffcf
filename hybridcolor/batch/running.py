"""A batch from beginning to end: what is done is skipped, the rest is worked off, failures are listed."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

from hybridcolor.batch.journal import Journal, Standing, open_journal
from hybridcolor.batch.plan import Task
from hybridcolor.batch.recipe import Recipe
from hybridcolor.batch.workers import Job, Pool, Record
from hybridcolor.errors import ImageError
from hybridcolor.files import write_whole

FAILURES = "failures.csv"
RECIPE = "recipe.json"
_LOT = 16
_FULL = 1 << 20  # bytes free below which a failure is that of the disk, and all others would follow


@dataclass(slots=True)
class Outcome:
    """What a batch did.

    Attributes
    ----------
    done, skipped : int
        Pictures coloured now, and those that were already.
    failures : list of (source, line)
        What could not be coloured, and why.
    stopped : bool
        Whether it was asked to stop before the end.
    """

    done: int = 0
    skipped: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    stopped: bool = False


class Workers(Protocol):
    """Who colorizes: processes (`hybridcolor.batch.workers.Pool`) or machines (`hybridcolor.distributed.Cluster`)."""

    def run(self, tasks: Iterator[Task], job: Job, stopped: Callable[[], bool]) -> Iterator[Record]:
        """The records of all tasks, as they are done; fewer once ``stopped`` returns True."""


def run_batch(
    tasks: Iterable[Task],
    folder: Path,
    recipe: Recipe,
    *,
    workers: int | Workers = 1,
    stopped: Callable[[], bool] = lambda: False,
    progress: Callable[[Outcome], None] = lambda _: None,
) -> Outcome:
    """Colorize pictures into a folder; call it again to go on.

    A picture is skipped if its output is there and was made by the same recipe, weights and version from the same
    content. The journal ``hybridcolor-batch.jsonl`` has a line for each picture, ``recipe.json`` what all of them
    depend on, and ``failures.csv`` what failed, which the next run tries again.

    Parameters
    ----------
    tasks : iterable of Task
        From `plan_tasks`; may be longer than memory.
    folder : Path
        For the results.
    recipe : Recipe
    workers : int or Workers, optional
        Processes, or who else does it.
    stopped : callable, optional
        Asked before each picture; when it returns True those under way are finished and no other is begun.
    progress : callable, optional
        Is told the outcome so far after every picture.

    Raises
    ------
    HybridColorError
        If another batch is writing there.
    ImageError
        If the folder cannot be written to, or its disk is full.
    """
    outcome = Outcome()
    with open_journal(folder, recipe.key()) as journal:
        write_whole(folder / RECIPE, (json.dumps(recipe.provenance(), indent=1) + "\n").encode())
        try:
            waiting = _begun(_waiting(tasks, journal, outcome, folder), journal)
            pool = Pool(workers) if isinstance(workers, int) else workers
            for record in pool.run(waiting, Job(recipe, folder), stopped):
                _take(record, journal, outcome, folder)
                progress(outcome)
        finally:
            _list_failures(folder / FAILURES, outcome)
        outcome.stopped = stopped()
    return outcome


def _waiting(tasks: Iterable[Task], journal: Journal, outcome: Outcome, folder: Path) -> Iterator[Task]:
    """The tasks that are not done yet; those that cannot be done are told."""
    for task in tasks:
        try:
            standing = journal.standing(task)
        except OSError as error:
            outcome.failures.append((task.source, f"{task.source}: cannot be read ({error.strerror})"))
            continue
        if standing is Standing.NEW:
            yield task
        elif standing is Standing.DONE:
            outcome.skipped += 1
        else:
            outcome.failures.append((task.source, f"{folder / task.target}: {standing.value}"))


def _begun(tasks: Iterator[Task], journal: Journal) -> Iterator[Task]:
    """The same, after the journal has noted them, some at a time since that waits for the disk."""
    while lot := list(islice(tasks, _LOT)):
        journal.begin(lot)
        yield from lot


def _take(record: Record, journal: Journal, outcome: Outcome, folder: Path) -> None:
    if "error" not in record:
        journal.add(record)
        outcome.done += 1
        return
    outcome.failures.append((record["source"], record["error"]))
    if shutil.disk_usage(folder).free < _FULL:
        raise ImageError(f"{folder}: the disk is full; make room and start the batch again, it goes on")


def _list_failures(path: Path, outcome: Outcome) -> None:
    """Write what failed, or remove the list of a run before if nothing did."""
    if not outcome.failures:
        path.unlink(missing_ok=True)
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("source", "error"))
    writer.writerows(outcome.failures)
    write_whole(path, text.getvalue().encode("utf-8", "surrogateescape"))
