"""A batch from beginning to end: what is done is skipped, the rest is worked off, failures are listed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

from hybridcolor.batch.journal import Journal, open_journal
from hybridcolor.batch.plan import Task
from hybridcolor.batch.recipe import Recipe
from hybridcolor.batch.results import FAILURES, RECIPE, Results, Standing, results_at
from hybridcolor.batch.workers import Job, Pool, Record
from hybridcolor.errors import ImageError


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
    folder: Path | str,
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
    folder : path or str
        For the results; or the URL of one in an object store.
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
        If the folder cannot be written to, its disk is full, or a person's file has one of those three names.
    """
    outcome, results = Outcome(), results_at(folder)
    try:
        with open_journal(results, recipe.key()) as journal:
            results.write(RECIPE, (json.dumps(recipe.provenance(), indent=1) + "\n").encode())
            try:
                waiting = _begun(_waiting(tasks, journal, outcome, results), journal, results)
                pool = Pool(workers) if isinstance(workers, int) else workers
                for record in pool.run(waiting, Job(recipe, results.place), stopped):
                    _take(record, journal, outcome, results)
                    progress(outcome)
            finally:
                _list_failures(results, outcome)
            journal.leave()
            outcome.stopped = stopped()
    except OSError as error:
        raise _unwritable(results, error) from error
    return outcome


def _waiting(tasks: Iterable[Task], journal: Journal, outcome: Outcome, results: Results) -> Iterator[Task]:
    """The tasks that are not done yet; those that cannot be done are told."""
    for task in tasks:
        try:
            standing = journal.standing(task)
        except OSError as error:
            outcome.failures.append((task.source, f"{error.filename}: {error.strerror}"))
            continue
        except ImageError as error:
            outcome.failures.append((task.source, str(error)))
            continue
        if standing is Standing.NEW:
            yield task
        elif standing is Standing.DONE:
            outcome.skipped += 1
        else:
            outcome.failures.append((task.source, f"{results.place}/{task.target}: {standing.value}"))


def _begun(tasks: Iterator[Task], journal: Journal, results: Results) -> Iterator[Task]:
    """Tasks, after the journal has noted them, some at a time since that waits for the disk or the store.

    Workers ask for these: an `OSError` of the journal would look to them like one of their own connections.
    """
    while begun := list(islice(tasks, results.lot)):
        try:
            journal.begin(begun)
        except OSError as error:
            raise _unwritable(results, error) from error
        yield from begun


def _unwritable(results: Results, error: OSError) -> ImageError:
    why = f"cannot be written ({error.strerror or error})"
    return ImageError(f"{results.place}: {why}; mend that, and the same command goes on")


def _take(record: Record, journal: Journal, outcome: Outcome, results: Results) -> None:
    if "error" not in record:
        journal.add(record)
        outcome.done += 1
        return
    outcome.failures.append((record["source"], record["error"]))
    results.check_room()


def _list_failures(results: Results, outcome: Outcome) -> None:
    """Write what failed, or remove the list of a run before if nothing did."""
    if not outcome.failures:
        results.remove(FAILURES)
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("source", "error"))
    writer.writerows(outcome.failures)
    results.write(FAILURES, text.getvalue().encode("utf-8", "surrogateescape"))
