"""What is done already: a line of JSON for every picture, beside the results.

A line is noted before a picture is begun, and another when it has been written whole, so a kill at any moment leaves
pictures that are whole and lines that are true. One batch at a time may write to a folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hybridcolor.batch.plan import Task
from hybridcolor.batch.results import FileLines, ObjectLines, Results, Standing
from hybridcolor.batch.stores import fetched, is_url


class Journal:
    """The journal of a folder of results, open for appending.

    Of each picture only three checksums are kept, in arrays: there may be millions.
    """

    def __init__(self, results: Results, lines: FileLines | ObjectLines, key: str) -> None:
        self._results = results
        self._lines = lines
        self._key = key
        self._targets, self._stamps, self._contents, under_way = _read(lines.read(), key)
        results.tidy(under_way)
        self._seen = bytearray(len(self._targets))
        self._seen_new: set[int] = set()

    def standing(self, task: Task) -> Standing:
        """Where a task stands; ask once for each, since two that would become one file are told by it.

        Done is what was written by this recipe, from this content, and is still there.

        Raises
        ------
        OSError
            If the picture has vanished.
        ImageError
            If a store does not let it be read.
        """
        name = hash(task.target)
        place = bisect_left(self._targets, name)
        ours = place < len(self._targets) and self._targets[place] == name
        if self._seen[place] if ours else name in self._seen_new:
            return Standing.TWICE
        if ours:
            self._seen[place] = True
        else:
            self._seen_new.add(name)
        source = None if is_url(task.source) else os.stat(task.source)
        standing = self._results.standing(task, source)
        if standing is not Standing.FOREIGN or not ours:
            return standing
        same = self._stamps[place] == hash(stamp(task, source)) or self._contents[place] == hash(content(task))
        return Standing.DONE if same else Standing.NEW

    def begin(self, tasks: Iterable[Task]) -> None:
        """Note pictures whose outputs may be written from now on; it is kept before any of them is."""
        self._write({"begun": [task.target for task in tasks]})
        self._lines.sync()

    def add(self, record: dict[str, Any]) -> None:
        """Note a picture that has been written."""
        self._write({**record, "recipe": self._key})

    def _write(self, record: dict[str, Any]) -> None:
        self._lines.add(json.dumps(record).encode() + b"\n")


def _read(lines: Iterable[bytes], key: str) -> tuple[Sequence[int], Sequence[int], Sequence[int], set[str]]:
    """Checksums of targets, in order, and of the stamp and content that each was last written from by this recipe.

    They are 0 where it was not: begun only, or by another recipe. Then, the targets that were begun and never done.
    """
    targets, stamps, contents = array("q"), array("q"), array("q")
    under_way: set[object] = set()  # a damaged line may hold anything
    decode = json.JSONDecoder().decode
    for line in lines:
        try:
            record = decode(line.decode())
            if begun := record.get("begun"):
                row = [hash(target) for target in begun]
                under_way.update(begun)
                targets.extend(row)
                stamps.frombytes(bytes(8 * len(row)))
                contents.frombytes(bytes(8 * len(row)))
                continue
            target, mine = record["target"], record["recipe"] == key
            done = hash(target), mine and hash(record["stamp"]), mine and hash(record["content"])
            under_way.discard(target)
        except (ValueError, LookupError, TypeError, AttributeError):  # damaged
            continue
        targets.append(done[0])
        stamps.append(done[1])
        contents.append(done[2])
    backwards = [np.frombuffer(column, np.int64)[::-1] for column in (targets, stamps, contents)]
    _, last = np.unique(backwards[0], return_index=True)
    columns = [array("q", each[last].tobytes()) for each in backwards]
    return columns[0], columns[1], columns[2], {target for target in under_way if isinstance(target, str)}


@contextmanager
def open_journal(results: Results, key: str) -> Iterator[Journal]:
    """The journal of a folder of results, whose leftovers of a kill are removed first; errors as `Folder.journal`."""
    with results.journal() as lines:
        yield Journal(results, lines, key)


def stamp(task: Task, source: os.stat_result | None = None) -> str:
    """Size and time of a picture and its scribbles: cheap to ask, and changes when they do."""
    if task.stamp is not None:
        return task.stamp
    status = source or os.stat(task.source)
    every = [os.stat(file) for file in _files(task.source)] if stat.S_ISDIR(status.st_mode) else [status]
    text = f"{sum(each.st_size for each in every)}:{max((each.st_mtime_ns for each in every), default=0)}"
    return f"{text} {stamp(Task(task.seeds, ''))}" if task.seeds else text


def content(task: Task) -> str:
    """Checksum of a picture and its scribbles."""
    digest = hashlib.sha256()
    for path in (task.source, task.seeds):
        if path is not None:
            with fetched(path) as copy:
                for name in _files(copy):
                    with Path(name).open("rb") as file:
                        digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _files(path: str) -> list[str]:
    """An ordinary file, or those of a folder, as an OME-Zarr picture is one."""
    if not Path(path).is_dir():
        return [path] if Path(path).is_file() else []
    return sorted(os.path.join(place, name) for place, _, names in os.walk(path) for name in names)
