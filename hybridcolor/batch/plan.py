"""Which file becomes which: folders mirrored, files, patterns, and lists in CSV or JSON lines; one task at a time.

Paths are strings here and not `Path`: there may be millions of them.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

from hybridcolor.batch.recipe import Recipe
from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import READABLE_SUFFIXES

LISTS = (".csv", ".jsonl")
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
        Images; folders, whose folders are mirrored; patterns such as ``scans/**/*.tif``; lists: CSV with a head, or
        JSON lines, of ``path`` and, if wanted, ``seeds`` and ``output``; their paths are seen from the list's folder.
    recipe : Recipe
        Names the outputs.
    folder : Path
        Of the results, which are no sources.

    Raises
    ------
    ImageError
        If a source stands for nothing, lies in the folder of results, or a list is malformed.
    """
    for source in sources:
        path = Path(source)
        results = folder.resolve()
        if results in (path.resolve(), *path.resolve().parents):
            raise ImageError(f"{source}: lies in the folder of results, {folder}; choose another folder for -o")
        if path.suffix.lower() in LISTS and path.is_file():
            yield from _listed(path, recipe)
        elif path.is_dir() and path.suffix != ".zarr":
            yield from _mirrored(path, recipe, results)
        elif path.exists():
            yield _task(str(path), "", recipe)
        else:
            found = sorted(glob(str(source), recursive=True))
            if not found:
                raise ImageError(f"{source}: no such file, folder or pattern; check the name")
            yield from (_task(each, "", recipe) for each in found if each.lower().endswith(READABLE_SUFFIXES))


def _mirrored(folder: Path, recipe: Recipe, results: Path) -> Iterator[Task]:
    """All images under a folder, their own folders kept, but for those in the folder of results."""
    found = False
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if Path(place, each).resolve() != results)
        inner = Path(place).relative_to(folder).as_posix()
        for name in sorted(names):
            if name.lower().endswith(READABLE_SUFFIXES) and not name.startswith(".") and not name.endswith(SEEDS):
                found = True
                yield _task(os.path.join(place, name), "" if inner == "." else inner, recipe)
    if not found:
        raise ImageError(f"{folder}: no image in this folder; expected {', '.join(READABLE_SUFFIXES)}")


def _listed(path: Path, recipe: Recipe) -> Iterator[Task]:
    """The rows of a list."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            folder = str(path.parent)
            rows: Iterable[Any]
            rows = csv.DictReader(file) if path.suffix.lower() == ".csv" else map(json.loads, file)
            for number, row in enumerate(rows, 1):
                name = row.get("path") if isinstance(row, dict) else None
                if not isinstance(name, str) or not name:
                    raise ImageError(f"{path}: row {number} has no path")
                source = os.path.join(folder, name)
                target = row.get("output") or recipe.target_name(_stem(source))
                if os.path.isabs(target) or ".." in target.split("/"):
                    raise ImageError(f"{path}: row {number}: output {target!r} is outside of the folder of results")
                seeds = row.get("seeds")
                yield Task(source, target, os.path.join(folder, seeds) if seeds else _seeds_of(source))
    except (OSError, ValueError, csv.Error) as error:
        raise ImageError(f"{path}: cannot be read as a list of pictures ({error})") from error


def _task(source: str, inner: str, recipe: Recipe) -> Task:
    name = recipe.target_name(_stem(source))
    return Task(source, f"{inner}/{name}" if inner else name, _seeds_of(source))


def _stem(source: str) -> str:
    return os.path.splitext(os.path.basename(source))[0].removesuffix(".nii")


def _seeds_of(source: str) -> str | None:
    for ending in SEEDS:
        beside = os.path.join(os.path.dirname(source), _stem(source) + ending)
        if os.path.exists(beside):
            return beside
    return None
