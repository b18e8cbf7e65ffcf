"""Which file becomes which: folders mirrored, files, patterns, and lists; one task at a time.

Paths are strings here and not `Path`: there may be millions of them.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from glob import glob
from importlib.util import find_spec
from itertools import repeat, starmap
from pathlib import Path
from typing import Any, NamedTuple

from hybridcolor.batch.recipe import Recipe
from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import READABLE_SUFFIXES

LISTS = (".csv", ".jsonl", ".parquet")
_FIELDS = ("path", "output", "seeds")
_ROWS = 8192  # of Parquet at a time
SEEDS = (".seeds.json", ".seeds.png")
"""Endings of scribbles that lie beside a picture: ``old.seeds.png`` is for ``old.jpg``."""


class Task(NamedTuple):
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
        for number, (name, output, seeds) in enumerate(_rows(path), 1):
            if not (name and isinstance(name, str) and isinstance(output or "", str) and isinstance(seeds or "", str)):
                raise ImageError(f"{path}: row {number} has no path, or one that is no text")
            source = name if name.startswith("/") else f"{folder}/{name}"
            target = output or recipe.target_name(_stem(source))
            if target.startswith("/") or (".." in target and ".." in target.split("/")):
                raise ImageError(f"{path}: row {number}: output {target!r} is outside of the folder of results")
            yield Task(source, target, os.path.join(folder, seeds) if seeds else scribbles.of(source))
    except (OSError, ValueError, NotImplementedError, csv.Error) as error:
        raise ImageError(f"{path}: cannot be read as a list of pictures ({error})") from error


def _rows(path: Path) -> Iterator[tuple[Any, Any, Any]]:
    """Path, output and seeds of each row of a list, as they are; never all rows at once."""
    if path.suffix.lower() == ".parquet":
        from pyarrow.parquet import ParquetFile

        with ParquetFile(path, memory_map=True) as table:
            for batch in table.iter_batches(_ROWS, columns=[name for name in _FIELDS if name in table.schema.names]):
                there = dict(zip(batch.schema.names, batch.columns, strict=True))
                columns = [there[name].to_pylist() if name in there else repeat(None) for name in _FIELDS]
                yield from zip(*columns, strict=False)
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix.lower() == ".csv":
            rows = csv.reader(file)
            head = next(rows, [])
            order = [head.index(name) if name in head else len(head) for name in _FIELDS]
            for row in rows:
                padded = row + [""] * (len(head) + 1 - len(row))
                yield padded[order[0]], padded[order[1]], padded[order[2]]
        else:
            for row in map(json.loads, file):
                fields = row if isinstance(row, dict) else {}
                yield fields.get("path"), fields.get("output"), fields.get("seeds")


def _stem(source: str) -> str:
    return os.path.splitext(os.path.basename(source))[0].removesuffix(".nii")


class _Scribbles:
    """Which scribbles lie beside pictures; a folder is looked through once, since asking for each picture is slow."""

    def __init__(self) -> None:
        self._found: dict[str, set[str]] = {}

    def of(self, source: str) -> str | None:
        folder = source[: source.rfind("/") + 1]
        found = self._found.get(folder)
        if found is None:
            found = self._found[folder] = set()
            with suppress(OSError):
                found.update(name for name in os.listdir(folder or ".") if name.endswith(SEEDS))
        if found:
            for ending in SEEDS:
                if (name := _stem(source) + ending) in found:
                    return folder + name
        return None
