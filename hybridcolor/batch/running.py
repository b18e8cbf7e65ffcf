"""A batch from beginning to end: what is done is skipped, the rest is worked off, failures are listed."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hybridcolor.batch.journal import Journal, open_journal
from hybridcolor.batch.plan import Task
from hybridcolor.batch.recipe import Recipe
from hybridcolor.batch.workers import Pool, Record
from hybridcolor.errors import ImageError
from hybridcolor.files import write_whole

FAILURES = "failures.csv"
RECIPE = "recipe.json"
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


def run_batch(
    tasks: Iterable[Task],
    folder: Path,
    recipe: Recipe,
    *,
    workers: int = 1,
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
    workers : int, optional
        Processes.
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
            waiting = _waiting(tasks, journal, outcome, folder)
            for record in Pool(recipe, folder, workers, journal.begin).run(waiting, stopped):
                _take(record, journal, outcome, folder)
                progress(outcome)
        finally:
            _list_failures(folder / FAILURES, outcome)
        outcome.stopped = stopped()
    return outcome


def _waiting(tasks: Iterable[Task], journal: Journal, outcome: Outcome, folder: Path) -> Iterator[Task]:
    """The tasks that are not done yet; two that would become one file are told."""
    taken: set[int] = set()
    for task in tasks:
        if hash(task.target) in taken:
            outcome.failures.append((task.source, f"{task.target} is the output of another picture too; rename one"))
            continue
        taken.add(hash(task.target))
        try:
            if _same(folder / task.target, task.source):
                outcome.failures.append((task.source, f"{task.source}: would be replaced by its own colorization"))
                continue
            if journal.has(task):
                outcome.skipped += 1
                continue
            if not journal.may_write(task):
                outcome.failures.append((task.source, f"{folder / task.target}: exists already, and no batch wrote it"))
                continue
        except OSError as error:
            outcome.failures.append((task.source, f"{task.source}: cannot be read ({error.strerror})"))
            continue
        yield task


def _same(target: Path, source: str) -> bool:
    return target.exists() and target.samefile(source)


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
