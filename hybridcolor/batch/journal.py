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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from hybridcolor.batch.plan import Task
from hybridcolor.errors import HybridColorError, ImageError

NAME = "hybridcolor-batch.jsonl"
_SIZE = 8  # bytes of a checksum
_PART = re.compile(r"\.[0-9a-f]{16}\.part")


class Journal:
    """The journal of a folder of results, open for appending.

    Of each picture only checksums are kept, some hundred bytes: there may be millions.
    """

    def __init__(self, folder: Path, file: BinaryIO, key: str) -> None:
        self._folder = folder
        self._file = file
        self._key = key
        self._done: dict[int, bytes] = {}
        self._ours: set[int] = set()
        end = 0
        for line in file:
            if not line.endswith(b"\n"):
                break
            end += len(line)
            with suppress(ValueError, LookupError, TypeError):
                self._note(json.loads(line))
        file.seek(end)
        file.truncate()

    def has(self, task: Task) -> bool:
        """Whether a picture is done: by this recipe, from this content, and the output is there.

        Raises
        ------
        OSError
            If the picture has vanished.
        """
        known = self._done.get(hash((task.target, self._key)))
        if known is None:
            return False
        if known[:_SIZE] != _digest(stamp(task)) and known[_SIZE:] != _digest(content(task)):
            return False
        return (self._folder / task.target).exists()

    def may_write(self, task: Task) -> bool:
        """Whether there is no file where the output belongs, but what a batch put there."""
        return hash(task.target) in self._ours or not (self._folder / task.target).exists()

    def begin(self, task: Task) -> None:
        """Note a picture whose output may be written from now on."""
        self._write({"begun": task.target})

    def add(self, record: dict[str, Any]) -> None:
        """Note a picture that has been written."""
        self._write({**record, "recipe": self._key})

    def _write(self, record: dict[str, Any]) -> None:
        self._file.write(json.dumps(record).encode() + b"\n")
        self._file.flush()
        self._note(record)

    def _note(self, record: dict[str, Any]) -> None:
        if "begun" in record:
            self._ours.add(hash(record["begun"]))
            return
        name = hash((record["target"], record["recipe"]))
        self._done[name] = _digest(record["stamp"]) + _digest(record["content"])


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
        for place, _, names in os.walk(folder):
            for name in names:
                if _PART.fullmatch(name):
                    Path(place, name).unlink(missing_ok=True)
        file.seek(0)
        yield Journal(folder, file, key)


def stamp(task: Task) -> str:
    """Size and time of a picture and its scribbles: cheap to ask, and changes when they do."""
    files = (task.source, task.seeds) if task.seeds else (task.source,)
    return " ".join(f"{status.st_size}:{status.st_mtime_ns}" for status in map(os.stat, files))


def content(task: Task) -> str:
    """Checksum of a picture and its scribbles."""
    digest = hashlib.sha256()
    for path in (task.source, task.seeds):
        if path is not None and Path(path).is_file():
            with Path(path).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_SIZE).digest()
