"""What is done already: a line of JSON for every picture, in the folder of results.

A line is appended before a picture is begun, and another when it has been written whole, so a kill at any moment
leaves pictures that are whole and lines that are true; a torn last line is cut off. One batch at a time may write to a
folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from hybridcolor.batch.plan import Task
from hybridcolor.errors import HybridColorError, ImageError

NAME = "hybridcolor-batch.jsonl"
_PART = re.compile(r"\.[0-9a-f]{16}\.part")
_sync = getattr(os, "fdatasync", os.fsync)


class Standing(Enum):
    """Where a task stands before any work; of those that cannot be done the value says why."""

    NEW = ""
    DONE = "done already"
    TWICE = "is the output of another picture too; rename one"
    OWN = "would be replaced by its own colorization"
    FOREIGN = "exists already, and no batch wrote it"


class Journal:
    """The journal of a folder of results, open for appending.

    Of each picture only three checksums are kept, in arrays: there may be millions.
    """

    def __init__(self, folder: Path, file: BinaryIO, key: str) -> None:
        self._folder = str(folder)
        self._file = file
        self._key = key
        self._targets, self._stamps, self._contents, under_way = _read(file, key)
        _remove_parts({folder, *((folder / target).parent for target in under_way)})
        self._seen = bytearray(len(self._targets))
        self._seen_new: set[int] = set()

    def standing(self, task: Task) -> Standing:
        """Where a task stands; ask once for each, since two that would become one file are told by it.

        Done is what was written by this recipe, from this content, and is still there.

        Raises
        ------
        OSError
            If the picture has vanished.
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
        try:
            there = os.stat(os.path.join(self._folder, task.target))
        except FileNotFoundError:
            there = None
        source = os.stat(task.source)
        if there is None:
            return Standing.NEW
        if os.path.samestat(there, source):
            return Standing.OWN
        if not ours:
            return Standing.FOREIGN
        same = self._stamps[place] == hash(stamp(task, source)) or self._contents[place] == hash(content(task))
        return Standing.DONE if same else Standing.NEW

    def begin(self, tasks: Iterable[Task]) -> None:
        """Note pictures whose outputs may be written from now on; it is on the disk before any of them."""
        self._write({"begun": [task.target for task in tasks]})
        _sync(self._file.fileno())

    def add(self, record: dict[str, Any]) -> None:
        """Note a picture that has been written."""
        self._write({**record, "recipe": self._key})

    def _write(self, record: dict[str, Any]) -> None:
        self._file.write(json.dumps(record).encode() + b"\n")
        self._file.flush()


def _read(file: BinaryIO, key: str) -> tuple[Sequence[int], Sequence[int], Sequence[int], set[str]]:
    """Checksums of targets, in order, and of the stamp and content that each was last written from by this recipe.

    They are 0 where it was not: begun only, or by another recipe. Then, the targets that were begun and never done. A
    torn last line is cut off.
    """
    columns = array("q"), array("q"), array("q")
    under_way: set[str] = set()
    end = 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        end += len(line)
        with suppress(ValueError, LookupError, TypeError):
            record = json.loads(line)
            if "begun" in record:
                under_way.update(record["begun"])
                rows = [(hash(target), 0, 0) for target in record["begun"]]
            else:
                under_way.discard(record["target"])
                mine = record["recipe"] == key
                rows = [(hash(record["target"]), mine and hash(record["stamp"]), mine and hash(record["content"]))]
            for target, stamped, contained in rows:
                columns[0].append(target)
                columns[1].append(stamped)
                columns[2].append(contained)
    file.seek(end)
    file.truncate()
    backwards = [np.frombuffer(column, np.int64)[::-1] for column in columns]
    _, last = np.unique(backwards[0], return_index=True)
    targets, stamps, contents = (array("q", each[last].tobytes()) for each in backwards)
    return targets, stamps, contents, under_way


def _remove_parts(folders: Iterable[Path]) -> None:
    """Remove what writers that were killed have left."""
    for folder in folders:
        for part in folder.glob(".*.part"):
            if _PART.fullmatch(part.name):
                shutil.rmtree(part) if part.is_dir() else part.unlink()


@contextmanager
def open_journal(folder: Path, key: str) -> Iterator[Journal]:
    """The journal of a folder, whose leftovers of a kill are removed first.

    Raises
    ------
    HybridColorError
        If another batch is writing there.
    ImageError
        If the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / NAME).open("ab+")
    except OSError as error:
        raise ImageError(f"{folder}: cannot be written ({error.strerror}); choose another folder for -o") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HybridColorError(f"{folder}: another batch is writing there; wait for it or stop it") from error
        file.seek(0)
        yield Journal(folder, file, key)


def stamp(task: Task, source: os.stat_result | None = None) -> str:
    """Size and time of a picture and its scribbles: cheap to ask, and changes when they do."""
    status = source or os.stat(task.source)
    text = f"{status.st_size}:{status.st_mtime_ns}"
    return f"{text} {stamp(Task(task.seeds, ''))}" if task.seeds else text


def content(task: Task) -> str:
    """Checksum of a picture and its scribbles."""
    digest = hashlib.sha256()
    for path in (task.source, task.seeds):
        if path is not None and Path(path).is_file():
            with Path(path).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
