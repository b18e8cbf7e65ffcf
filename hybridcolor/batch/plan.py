"""Which file becomes which: folders mirrored, files, patterns, and lists; one task at a time.

Paths and URLs are strings here and not `Path`: there may be millions of them.
"""

from __future__ import annotations

import csv
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from glob import glob, has_magic
from importlib.util import find_spec
from itertools import repeat, takewhile
from pathlib import Path
from typing import Any, NamedTuple

from hybridcolor.batch import stores
from hybridcolor.batch.recipe import Recipe
from hybridcolor.batch.stores import is_url
from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import READABLE_SUFFIXES, WRITABLE_SUFFIXES

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
        Path or URL of the picture.
    target : str
        Path of the output within the folder of results, with ``/``.
    seeds : str or None
        Path or URL of its scribbles.
    stamp : str or None
        What changes when one of them does, as listed by an object store; None if both are local.
    """

    source: str
    target: str
    seeds: str | None = None
    stamp: str | None = None


def plan_tasks(sources: Sequence[Path | str], recipe: Recipe, folder: Path | str) -> Iterator[Task]:
    """The tasks that sources stand for, in a steady order, without holding them all.

    Parameters
    ----------
    sources : sequence of path or URL
        Images; folders, whose folders are mirrored; patterns such as ``scans/**/*.tif``, of which the folders below
        the part without wildcards (``scans``) are; lists: CSV with a head, JSON lines or Parquet, of ``path`` and, if
        wanted, ``seeds`` and ``output``; their paths are seen from the list's folder. URLs lead into object stores,
        such as ``s3://scans/1920``.
    recipe : Recipe
        Names the outputs.
    folder : path or URL
        Of the results, which are no sources.

    Raises
    ------
    ImageError
        If a source stands for nothing, lies in the folder of results, or a list is malformed.
    """
    beside = _Beside()

    def task(source: str, inner: str = "") -> Task:
        name = recipe.target_name(_stem(source))
        return beside.task(source, f"{inner}/{name}" if inner else name)

    results = _place(str(folder))
    for source in map(str, sources):
        place = _place(source)
        if _lies_in(place, results):
            raise ImageError(f"{source}: lies in the folder of results, {folder}; choose another folder for -o")
        remote, source = is_url(source), place if is_url(source) else source  # noqa: PLW2901
        there = stores.is_object(source) if remote else _is_file(source)
        if there and source.lower().endswith(LISTS) and (remote or os.path.isfile(source)):
            yield from _listed(source, recipe, beside)
        elif there:
            yield task(source)
        elif there is None:
            found = stores.matching(source) if remote else sorted(glob(source, recursive=True))
            if not found:
                raise ImageError(f"{source}: no such file, folder or pattern; check the name")
            pictures = [each for each in found if _is_picture(each) and not _lies_in(_place(each), results)]
            if not pictures:
                raise ImageError(f"{source}: stands for no picture; lists are to be named one by one")
            yield from (task(each, _below_pattern(each, source)) for each in pictures)
        else:
            mirrored = _in_store(source, results, beside) if remote else _in_folder(source, results)
            empty = True
            for each in mirrored:
                empty = False
                yield task(*each)
            if empty:
                raise ImageError(f"{source}: no image in this folder; expected {', '.join(READABLE_SUFFIXES)}")


def _place(name: str) -> str:
    """Where a file, folder or object is, by whatever name."""
    return stores.normal(name) if is_url(name) else os.path.realpath(name)


def _lies_in(place: str, folder: str) -> bool:
    return is_url(place) == is_url(folder) and f"{place}/".startswith(f"{folder.rstrip('/')}/")


def _is_file(path: str) -> bool | None:
    """Whether this is one picture or list; False for a folder of them and None for nothing."""
    if os.path.isdir(path):
        return path.rstrip("/").endswith(".zarr")
    return True if os.path.exists(path) else None


def _below_pattern(path: str, pattern: str) -> str:
    """The folder of what a pattern stands for, seen from the last that the pattern names without wildcards."""
    named = list(takewhile(lambda part: not has_magic(part), pattern.split("/")[:-1]))
    folders = path.split("/")[:-1]
    return "/".join(folders[len(named) :])


def _is_picture(path: str) -> bool:
    """Whether its name is that of a picture, and not of scribbles."""
    return path.lower().endswith(READABLE_SUFFIXES) and not path.endswith(SEEDS)


def _in_folder(folder: str, results: str) -> Iterator[tuple[str, str]]:
    """All images under a folder, with their own folders in it, but for hidden ones and the folder of results.

    A folder that cannot be listed comes as if it were an image, last, and fails as such.
    """
    closed: list[OSError] = []

    def inner(place: str) -> str:
        path = Path(place).relative_to(folder).as_posix()
        return "" if path == "." else path

    for place, folders, names in os.walk(folder, onerror=closed.append):
        names += [each for each in folders if each.endswith(".zarr")]
        folders[:] = sorted(
            each
            for each in folders
            if not each.startswith(".")
            and not each.endswith(".zarr")
            and os.path.realpath(os.path.join(place, each)) != results
        )
        for name in sorted(names):
            if _is_picture(name) and not name.startswith("."):
                yield os.path.join(place, name), inner(place)
    for error in closed:
        yield error.filename, inner(error.filename)


def _in_store(url: str, results: str, beside: _Beside) -> Iterator[tuple[str, str]]:
    """All images under a folder of an object store, as `_in_folder`."""
    for place in stores.places_under(url, but=results):
        beside.note(place)
        inner = place.url[len(url) + 1 :]
        for name in sorted(place.objects):
            if _is_picture(name) and "/." not in f"/{inner}/{name}":
                yield f"{place.url}/{name}", inner


def _listed(path: str, recipe: Recipe, beside: _Beside) -> Iterator[Task]:
    """The rows of a list."""
    folder = path.rpartition("/")[0] or ("/" if path.startswith("/") else ".")
    try:
        with stores.fetched(path) as copy:
            for number, (name, output, seeds) in enumerate(_rows(Path(copy)), 1):
                output, seeds = output or "", seeds or ""  # noqa: PLW2901
                if not (name and isinstance(name, str) and isinstance(output, str) and isinstance(seeds, str)):
                    raise ImageError(f"{path}: row {number} has no path, or one that is no text")
                if not _can_be_names(name + output + seeds):
                    raise ImageError(f"{path}: row {number} has characters that no file's name can have")
                source = name if name.startswith("/") or "://" in name else f"{folder}/{name}"
                target = os.path.normpath(output) if output else recipe.target_name(_stem(source))
                if target.startswith("/") or (".." in target and ".." in target.split("/")):
                    raise ImageError(f"{path}: row {number}: output {target!r} is outside of the folder of results")
                if not target.lower().endswith(WRITABLE_SUFFIXES):
                    endings = " ".join(WRITABLE_SUFFIXES)
                    raise ImageError(f"{path}: row {number}: output {target!r} is to end in one of {endings}")
                if seeds and not (seeds.startswith("/") or "://" in seeds):
                    seeds = f"{folder}/{seeds}"  # noqa: PLW2901
                yield beside.task(source, target, seeds or None)
    except (OSError, ValueError, NotImplementedError, csv.Error) as error:
        raise ImageError(f"{path}: cannot be read as a list of pictures ({error})") from error


def _rows(path: Path) -> Iterator[tuple[Any, Any, Any]]:
    """Path, output and seeds of each row of a list, as they are; never all rows at once."""
    if path.suffix.lower() == ".parquet":
        if find_spec("pyarrow") is None:
            raise ImageError(f"{path.name}: Parquet is read by pyarrow; pip install 'hybridcolor[parquet]'")
        from pyarrow.parquet import ParquetFile

        with ParquetFile(path, memory_map=True) as table:
            for batch in table.iter_batches(_ROWS, columns=[name for name in _FIELDS if name in table.schema.names]):
                there = dict(zip(batch.schema.names, batch.columns, strict=True))
                columns = [there[name].to_pylist() if name in there else repeat(None) for name in _FIELDS]
                yield from zip(*columns, strict=False)
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix.lower() == ".csv":
            rows = filter(None, csv.reader(file))  # but for blank lines
            head = next(rows, [])
            if head and "path" not in head:
                raise ImageError(
                    f"{path}: its first line is to name the columns, path among them, with commas between; it is "
                    f"{','.join(head)!r}"
                )
            order = [head.index(name) if name in head else len(head) for name in _FIELDS]
            for row in rows:
                padded = row + [""] * (len(head) + 1 - len(row))
                yield padded[order[0]], padded[order[1]], padded[order[2]]
        else:
            for row in map(json.loads, filter(str.strip, file)):
                fields = row if isinstance(row, dict) else {}
                yield fields.get("path"), fields.get("output"), fields.get("seeds")


def _can_be_names(text: str) -> bool:
    """Whether the system can spell a text as a file's name; JSON can spell more."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _stem(source: str) -> str:
    """A file's name without folder and ending, as `os.path` has it, in a third of the time."""
    name = source[source.rfind("/") + 1 :]
    dot = name.rfind(".")
    return name[:dot].removesuffix(".nii") if name[: max(dot, 0)].strip(".") else name


class _Beside:
    """What lies beside pictures; a folder is looked through once, since asking for each picture is slow."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, str]] = {}

    def note(self, place: stores.Place) -> None:
        """Remember what a folder of a store holds, which has been looked through already."""
        self._found[f"{place.url}/"] = place.objects

    def task(self, source: str, target: str, seeds: str | None = None) -> Task:
        """A task, with the scribbles beside the picture if none are named, and with a stamp if either is in a store."""
        found = self._in(source)
        if found and seeds is None:
            start = source[: source.rfind("/") + 1] + _stem(source)
            seeds = next((start + each for each in SEEDS if os.path.basename(start) + each in found), None)
        if "://" in source or (seeds and "://" in seeds):
            return Task(source, target, seeds, " ".join(self._stamp(each) for each in (source, seeds) if each))
        return Task(source, target, seeds)

    def _in(self, path: str) -> dict[str, str]:
        """The scribbles in a path's folder; of a store, all objects with their marks."""
        folder = path[: path.rfind("/") + 1]
        found = self._found.get(folder)
        if found is None:
            found = self._found[folder] = {}
            with suppress(OSError, ImageError):
                if is_url(folder):
                    found.update(stores.place_at(folder[:-1]).objects)
                else:
                    found.update((name, "") for name in os.listdir(folder or ".") if name.endswith(SEEDS))
        return found

    def _stamp(self, path: str) -> str:
        with suppress(OSError, ImageError):
            if is_url(path):
                return self._in(path).get(os.path.basename(path)) or stores.mark_of(path)
            return str(os.stat(path).st_mtime_ns)
        return uuid.uuid4().hex  # as nothing before, so the content decides
