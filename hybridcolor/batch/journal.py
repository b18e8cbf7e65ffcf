"""What is done already: a line of JSON for every picture, beside the results.

A line is noted before a picture is begun, and another when it has been written whole, so a kill at any moment leaves
pictures that are whole and lines that are true. One batch at a time may write to a folder.
"""

from __future__ import annotations

import hashlib
import json
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from stat import S_ISDIR
from typing import Any

import numpy as np

from hybridcolor.batch.plan import Task
from hybridcolor.batch.results import FileLines, ObjectLines, Results, Standing
from hybridcolor.batch.stores import fetched, is_url
from hybridcolor.files import files_in

_Hashes = Sequence[int]


class Journal:
    """The journal of a folder of results, open for appending.

    Of each picture only four hashes are kept, in arrays: there may be millions.
    """

    def __init__(self, results: Results, lines: FileLines | ObjectLines, key: str) -> None:
        self._results = results
        self._lines = lines
        self._key = key
        self._targets, self._stamps, self._contents, self._written, under_way = _read(lines.read(), key)
        results.tidy(under_way)
        self._begun: set[str] = set()  # and not written yet
        self._seen = bytearray(len(self._targets))
        self._seen_new: set[int] = set()

    def standing(self, task: Task) -> Standing:
        """Where a task stands. To be asked once for each task: a second one with the same target is TWICE.

        Done is what was written by this recipe, from this content, and is still there. What a person has worked on
        since is CHANGED, unless it lies in a store or an earlier version wrote it.

        Raises
        ------
        OSError
            If the picture has vanished.
        ImageError
            If a store does not let it be read.
        """
        target = hash(task.target)
        place = bisect_left(self._targets, target)
        ours = place < len(self._targets) and self._targets[place] == target
        if ours:
            if self._seen[place]:
                return Standing.TWICE
            self._seen[place] = True
        else:
            if target in self._seen_new:
                return Standing.TWICE
            self._seen_new.add(target)
        source = None if is_url(task.source) else os.stat(task.source)
        standing = self._results.standing(task, source)
        if standing is not Standing.FOREIGN or not ours:
            return standing
        same = self._stamps[place] == hash(stamp(task, source)) or self._contents[place] == hash(content(task))
        if same:
            return Standing.DONE
        path = os.path.join(self._results.place, task.target)
        kept = not is_url(path) and self._written[place] not in (0, hash(checksum(path)))
        return Standing.CHANGED if kept else Standing.NEW

    def begin(self, tasks: Iterable[Task]) -> None:
        """Note pictures whose outputs may be written from now on; the note is safe before any of them is."""
        begun = [task.target for task in tasks]
        self._begun.update(begun)
        self._write({"begun": begun})
        self._lines.sync()

    def leave(self) -> None:
        """Note that what was begun and not written is as it was before; to be called when nobody works on it any more.

        Else a person's file there would be taken for ours, cut off from its line by a kill.
        """
        if self._begun:
            self._write({"left": sorted(self._begun)})
            self._lines.sync()
            self._begun.clear()

    def add(self, record: dict[str, Any]) -> None:
        """Note a picture that has been written."""
        self._begun.discard(record["target"])
        self._write({**record, "recipe": self._key})

    def _write(self, record: dict[str, Any]) -> None:
        self._lines.add(json.dumps(record).encode() + b"\n")


def _read(lines: Iterable[bytes], key: str) -> tuple[_Hashes, _Hashes, _Hashes, _Hashes, set[str]]:
    """Four columns of hashes, a row for each target: of the target, its last stamp and content, and what was written.

    Rows are sorted by target. Stamp and content are those that this recipe last wrote it from, 0 where it did not: the
    picture was only begun, or another recipe was the last. What was written is 0 if it was only begun. What was begun
    and left has no row of that. Returned with them: the targets begun and never done.
    """
    columns = targets, stamps, contents, written = array("q"), array("q"), array("q"), array("q")
    under_way: dict[object, int] = {}  # and their rows; a damaged line may hold anything
    left: list[int] = []  # rows that count for nothing
    decode = json.JSONDecoder().decode
    for line in lines:
        try:
            record = decode(line.decode())
            if begun := record.get("begun"):
                hashes = [hash(target) for target in begun]
                under_way |= {target: len(targets) + number for number, target in enumerate(begun)}
                targets.extend(hashes)
                zeros = bytes(8 * len(hashes))
                stamps.frombytes(zeros)
                contents.frombytes(zeros)
                written.frombytes(zeros)
                continue
            if "left" in record:
                left += [under_way.pop(target) for target in record["left"] if target in under_way]
                continue
            target, mine = record["target"], record["recipe"] == key
            row = hash(target), mine and hash(record["stamp"]), mine and hash(record["content"])
            result = hash(record["written"]) if "written" in record else 0
            under_way.pop(target, None)
        except (ValueError, LookupError, TypeError, AttributeError):  # damaged
            continue
        targets.append(row[0])
        stamps.append(row[1])
        contents.append(row[2])
        written.append(result)
    # Of several rows of one target the last counts, which is the first that `unique` meets from behind.
    backwards = [np.delete(np.frombuffer(column, np.int64), left)[::-1] for column in columns]
    _, last = np.unique(backwards[0], return_index=True)
    rows = [array("q", each[last].tobytes()) for each in backwards]
    return rows[0], rows[1], rows[2], rows[3], {target for target in under_way if isinstance(target, str)}


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
    parts = [file.stat() for file in files_in(task.source)] if S_ISDIR(status.st_mode) else [status]
    text = f"{sum(part.st_size for part in parts)}:{max((part.st_mtime_ns for part in parts), default=0)}"
    if not task.seeds:
        return text
    seeds = os.stat(task.seeds)
    return f"{text} {seeds.st_size}:{seeds.st_mtime_ns}"


def content(task: Task) -> str:
    """Checksum of a picture and its scribbles."""
    paths = filter(None, (task.source, task.seeds))
    with ExitStack() as stack:
        return checksum(*(stack.enter_context(fetched(path)) for path in paths))


def checksum(*paths: str) -> str:
    """Of the content of files, and of pictures that are folders."""
    digest = hashlib.sha256()
    for path in paths:
        if Path(path).is_file():
            digest.update(_checksum(Path(path)))
        for part in files_in(path):
            digest.update(part.relative_to(path).as_posix().encode(errors="surrogateescape") + _checksum(part))
    return digest.hexdigest()


def _checksum(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
