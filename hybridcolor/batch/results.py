"""Where results and the journal of a batch lie: in a folder, or in an object store.

`Folder` and `Bucket` are the two kinds of place, `FileLines` and `ObjectLines` their journals. `Standing` is what is
found where a task's output is to be.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from hybridcolor.batch import stores
from hybridcolor.batch.plan import Task
from hybridcolor.errors import HybridColorError, ImageError
from hybridcolor.files import open_ordinary, write_whole

NAME = "hybridcolor-batch.jsonl"
"""Name of the journal: a file, or in a store a folder of parts."""
RECIPE = "recipe.json"
"""Name of the file that says by what recipe the results were made."""
FAILURES = "failures.csv"
"""Name of the list of pictures that failed, and why."""
_BEGINNINGS = {NAME: b'{"begun": [', RECIPE: b'{\n "hybridcolor": ', FAILURES: b"source,error\n"}
"""How the files begin that a batch writes beside its pictures; one that begins otherwise is a person's own."""
_LOCK = "hybridcolor-batch.lock"
_PART = re.compile(r"\.[0-9a-f]{16}\.part")  # files and folders under way, see `files.writing_whole`
_FULL = 1 << 20  # bytes free below which a failure is that of the disk, and all others would follow
_SECONDS = 30.0  # of work that a kill may cost in a store, where an object for every line would cost more
_sync = getattr(os, "fdatasync", os.fsync)


class Standing(Enum):
    """Where a task stands before any work; of those that cannot be done the value says why."""

    NEW = ""
    DONE = "done already"
    TWICE = "would be the output of another picture, or row, too; rename one or leave it out"
    OWN = "would be replaced by its own colorization"
    FOREIGN = "exists already, and no batch wrote it"
    CHANGED = "was changed since a batch wrote it, and stays; move it elsewhere to have it made again"


@dataclass(slots=True)
class Folder:
    """Results in a folder of this machine.

    Attributes
    ----------
    place : str
        Its path.
    lot : int
        How many pictures are noted together as begun.
    """

    place: str
    lot: int = 16

    @contextmanager
    def journal(self) -> Iterator[FileLines]:
        """The journal's lines; no other batch can have them for as long as the block goes on.

        Raises
        ------
        HybridColorError
            If another batch is writing there.
        ImageError
            If the folder cannot be written to, or has a person's file where one of a batch's is to be.
        """
        folder = Path(self.place)
        lock = FileLock(folder / _LOCK, timeout=0)  # which the system takes back from a process that dies
        with ExitStack() as stack:
            try:
                for name in _BEGINNINGS:
                    _check_own(folder / name, self._beginning(name), name)
                folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(lock)
                file = stack.enter_context((folder / NAME).open("ab+"))
            except Timeout as error:
                raise HybridColorError(f"{folder}: another batch is writing there; wait for it or stop it") from error
            except OSError as error:
                why = f"cannot be written ({error.strerror or error})"
                raise ImageError(f"{folder}: {why}; choose another folder for -o") from error
            yield FileLines(file)

    def _beginning(self, name: str) -> bytes:
        path = Path(self.place, name)
        if not path.exists():
            return b""
        if not path.is_file():
            raise ImageError(f"{path}: is not an ordinary file; choose another folder for -o")
        with open_ordinary(path) as file:
            return file.read(64)

    def tidy(self, targets: Iterable[str]) -> None:
        """Remove the unfinished files that killed writers of these targets have left."""
        for folder in {Path(self.place), *(Path(self.place, target).parent for target in targets)}:
            for part in folder.glob(".*.part"):
                if _PART.fullmatch(part.name):
                    shutil.rmtree(part) if part.is_dir() else part.unlink()

    def standing(self, task: Task, source: os.stat_result | None) -> Standing:
        """NEW if the output is not there, OWN if it is the source itself, else FOREIGN: no journal is looked into."""
        try:
            there = os.stat(os.path.join(self.place, task.target))
        except FileNotFoundError:
            return Standing.NEW
        return Standing.OWN if source is not None and os.path.samestat(there, source) else Standing.FOREIGN

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole."""
        write_whole(Path(self.place, name), content)

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        Path(self.place, name).unlink(missing_ok=True)

    @contextmanager
    def output(self, target: str) -> Iterator[Path]:
        """Where to write an output, whole."""
        path = Path(self.place, target)
        path.parent.mkdir(parents=True, exist_ok=True)
        yield path

    def check_room(self) -> None:
        """Raise `ImageError` if the disk is full."""
        if shutil.disk_usage(self.place).free < _FULL:
            raise ImageError(f"{self.place}: the disk is full; make room and start the batch again, it goes on")

    def is_seen(self) -> bool:
        """Whether this machine sees the folder in which a batch has been begun."""
        return Path(self.place, NAME).is_file()


@dataclass(slots=True)
class Bucket:
    """Results in an object store; attributes and methods as those of `Folder`.

    Nothing there can be locked, and a put is whole, so that nothing is left to tidy up.
    """

    place: str
    lot: int = 256
    _there: set[int] = field(default_factory=set)  # hashes of the names that were there when the journal was opened

    @contextmanager
    def journal(self) -> Iterator[ObjectLines]:
        """The journal's lines."""
        for name in (RECIPE, FAILURES):
            url = f"{self.place}/{name}"
            there = stores.is_object(url)
            _check_own(url, next(stores.read_all([url])) if there else b"", name)
        start = len(self.place) + 1
        if stores.is_object(self.place) is not None:
            for place in stores.places_under(self.place):
                self._there.update(hash(f"{place.url}/{name}"[start:]) for name in place.objects)
        lines = ObjectLines(f"{self.place}/{NAME}")
        yield lines
        lines.sync()

    def tidy(self, targets: Iterable[str]) -> None:
        """Nothing to do: a put is whole."""

    def standing(self, task: Task, _source: os.stat_result | None) -> Standing:
        """As `Folder.standing`, by what was there when the journal was opened."""
        if hash(task.target) not in self._there:
            return Standing.NEW
        return Standing.OWN if task.source == f"{self.place}/{task.target}" else Standing.FOREIGN

    def write(self, name: str, content: bytes) -> None:
        """Put an object."""
        stores.put(f"{self.place}/{name}", content)

    def remove(self, name: str) -> None:
        """Remove an object if it is there."""
        stores.remove(f"{self.place}/{name}")

    @contextmanager
    def output(self, target: str) -> Iterator[Path]:
        """Where to write an output, which is put when the block ends well."""
        with stores.delivered(f"{self.place}/{target}") as path:
            yield path

    def check_room(self) -> None:
        """Nothing to do: a store has no end."""

    def is_seen(self) -> bool:
        """True: a machine that does not reach the store is told by it."""
        return True


def _check_own(place: Path | str, content: bytes, name: str) -> None:
    """Refuse what begins as nothing that a batch writes under this name; it may have been cut short."""
    start = _BEGINNINGS[name]
    if not start.startswith(content[: len(start)]):
        raise ImageError(f"{place}: exists already, and no batch wrote it; choose another folder for -o")


Results = Folder | Bucket


def results_at(place: Path | str) -> Results:
    """The results at a path or a URL.

    Raises
    ------
    ImageError
        If no such store can be reached from here.
    """
    return Bucket(stores.normal(str(place))) if stores.is_url(place) else Folder(str(place))


@dataclass(slots=True)
class FileLines:
    """Lines of JSON in a file that is appended to."""

    _file: BinaryIO

    def read(self) -> Iterator[bytes]:
        """All lines; a torn last one is cut off."""
        end = 0
        self._file.seek(0)
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            end += len(line)
            yield line
        self._file.seek(end)
        self._file.truncate()

    def add(self, line: bytes) -> None:
        """Append a line, which outlives this process, but not yet the machine."""
        self._file.write(line)
        self._file.flush()

    def sync(self) -> None:
        """Have all lines on the disk."""
        _sync(self._file.fileno())


@dataclass(slots=True)
class ObjectLines:
    """Lines of JSON where nothing can be appended to: several together become an object; their names sort by time."""

    _url: str
    _fresh: list[bytes] = field(default_factory=list)
    _kept: float = field(default_factory=time.monotonic)

    def read(self) -> Iterator[bytes]:
        """All lines."""
        if stores.is_object(self._url) is not None:
            names = sorted(stores.place_at(self._url).objects)
            for content in stores.read_all([f"{self._url}/{name}" for name in names]):
                yield from content.splitlines(keepends=True)

    def add(self, line: bytes) -> None:
        """Append a line; it is put by `sync`, or with a line that comes half a minute after the last put."""
        self._fresh.append(line)
        if time.monotonic() - self._kept > _SECONDS:
            self.sync()

    def sync(self) -> None:
        """Have all lines in the store."""
        if self._fresh:
            stores.put(f"{self._url}/{time.time_ns():020}-{uuid.uuid4().hex[:8]}.jsonl", b"".join(self._fresh))
            self._fresh = []
        self._kept = time.monotonic()
