"""Which file becomes which: folders mirrored, files, patterns, and lists; one task at a time.

Paths are strings here and not `Path`: there may be millions of them.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import glob
from importlib.util import find_spec
from itertools import starmap
from pathlib import Path
from typing import Any

from hybridcolor.batch.recipe import Recipe
from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import READABLE_SUFFIXES

LISTS = (".csv", ".jsonl", ".parquet")
_ROWS = 8192  # of Parquet at a time
SEEDS = (".seeds.json", ".seeds.png")
"""Endings of scribbles that lie beside a picture: ``old.seeds.png`` is for ``old.jpg``."""


@dataclass(frozen=True, slots=True)
class Task:
    """One picture to be coloured.

    Attributes
    ----------
    source : str
        Path of the picture.
    target : str
        Path of the output within the folder of results, with ``/``.
    seeds : str or None
        Path of its scribbles.
    """

    source: str
    target: str
    seeds: str | None = None


def plan_tasks(sources: Sequence[Path | str], recipe: Recipe, folder: Path) -> Iterator[Task]:
    """The tasks that sources stand for, in a steady order, without holding them all.

    Parameters
    ----------
    sources : sequence of path
        Images; folders, whose folders are mirrored; patterns such as ``scans/**/*.tif``; lists: CSV with a head,
        JSON lines or Parquet, of ``path`` and, if wanted, ``seeds`` and ``output``; their paths are seen from the
        list's folder.
    recipe : Recipe
        Names the outputs.
    folder : Path
        Of the results, which are no sources.

    Raises
    ------
    ImageError
        If a source stands for nothing, lies in the folder of results, or a list is malformed.
    """
    scribbles = _Scribbles()

    def task(source: str, inner: str = "") -> Task:
        name = recipe.target_name(_stem(source))
        return Task(source, f"{inner}/{name}" if inner else name, scribbles.of(source))

    for source in sources:
        path = Path(source)
        results = Path(os.path.realpath(folder))
        if results in (Path(os.path.realpath(path)), *Path(os.path.realpath(path)).parents):
            raise ImageError(f"{source}: lies in the folder of results, {folder}; choose another folder for -o")
        if path.suffix.lower() in LISTS and path.is_file():
            if path.suffix.lower() == ".parquet" and find_spec("pyarrow") is None:
                raise ImageError(f"{path}: Parquet is read by pyarrow; pip install 'hybridcolor[parquet]'")
            yield from _listed(path, recipe, scribbles)
        elif path.is_dir() and path.suffix != ".zarr":
            yield from starmap(task, _mirrored(path, results))
        elif path.exists():
            yield task(str(path))
        else:
            found = sorted(glob(str(source), recursive=True))
            if not found:
                raise ImageError(f"{source}: no such file, folder or pattern; check the name")
            yield from (task(each) for each in found if each.lower().endswith(READABLE_SUFFIXES))


def _mirrored(folder: Path, results: Path) -> Iterator[tuple[str, str]]:
    """All images under a folder, with their own folders in it, but for those in the folder of results."""
    found = False
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if os.path.realpath(os.path.join(place, each)) != str(results))
        inner = Path(place).relative_to(folder).as_posix()
        for name in sorted(names):
            if name.lower().endswith(READABLE_SUFFIXES) and not name.startswith(".") and not name.endswith(SEEDS):
                found = True
                yield os.path.join(place, name), "" if inner == "." else inner
    if not found:
        raise ImageError(f"{folder}: no image in this folder; expected {', '.join(READABLE_SUFFIXES)}")


def _listed(path: Path, recipe: Recipe, scribbles: _Scribbles) -> Iterator[Task]:
    """The rows of a list."""
    folder = str(path.parent)
    try:
        for number, row in enumerate(_rows(path), 1):
            fields = [row.get(key) or "" for key in ("path", "output", "seeds")] if isinstance(row, dict) else [""]
            if not fields[0] or not all(isinstance(field, str) for field in fields):
                raise ImageError(f"{path}: row {number} has no path, or one that is no text")
            name, target, seeds = fields
            source = os.path.join(folder, name)
            target = target or recipe.target_name(_stem(source))
            if os.path.isabs(target) or ".." in target.split("/"):
                raise ImageError(f"{path}: row {number}: output {target!r} is outside of the folder of results")
            yield Task(source, target, os.path.join(folder, seeds) if seeds else scribbles.of(source))
    except (OSError, ValueError, NotImplementedError, csv.Error) as error:
        raise ImageError(f"{path}: cannot be read as a list of pictures ({error})") from error


def _rows(path: Path) -> Iterator[Any]:
    """What a list holds, in dicts, never all of it at once."""
    if path.suffix.lower() == ".parquet":
        from pyarrow.parquet import ParquetFile

        with ParquetFile(path, memory_map=True) as table:
            names = [name for name in ("path", "output", "seeds") if name in table.schema_arrow.names]
            for batch in table.iter_batches(_ROWS, columns=names):
                yield from batch.to_pylist()
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file) if path.suffix.lower() == ".csv" else map(json.loads, file)


def _stem(source: str) -> str:
    return os.path.splitext(os.path.basename(source))[0].removesuffix(".nii")


class _Scribbles:
    """Which scribbles lie beside pictures; a folder is looked through once, since asking for each picture is slow."""

    def __init__(self) -> None:
        self._found: dict[str, set[str]] = {}

    def of(self, source: str) -> str | None:
        folder = os.path.dirname(source)
        if folder not in self._found:
            try:
                self._found[folder] = {name for name in os.listdir(folder or ".") if name.endswith(SEEDS)}
            except OSError:
                self._found[folder] = set()
        if self._found[folder]:
            for ending in SEEDS:
                if (name := _stem(source) + ending) in self._found[folder]:
                    return os.path.join(folder, name)
        return None
