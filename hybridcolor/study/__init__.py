"""Simulated users on photos whose colours are known: which method, after how many strokes, how good.

`run_study` colours every photo by every method after the same strokes, one process a core, and keeps a row of scores
for each; a study that was stopped goes on. ``methods`` says what is compared, ``scoring`` does one photo, ``tables``
makes tables and curves of the rows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from skimage import data

from hybridcolor.errors import ConvergenceError, HybridColorError, ImageError
from hybridcolor.files import checksum, write_whole
from hybridcolor.imagefiles import write_image
from hybridcolor.plots import check_installed
from hybridcolor.predict.weights import find_model
from hybridcolor.study.methods import DEFAULT_METHODS, METHODS
from hybridcolor.study.scoring import Plan, read_photo, score_photo
from hybridcolor.study.tables import Table, summarize

__all__ = ["DEFAULT_METHODS", "METHODS", "Plan", "Table", "bundled_photos", "prepare", "run_study"]

SCHEMA = 2
"""Version of a study's folder; the first scored ab RMSE before colours were brought into gamut."""
BUNDLED = ("astronaut", "chelsea", "coffee", "rocket")


def bundled_photos(folder: Path) -> list[Path]:
    """scikit-image's own colour photos, written into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in BUNDLED:
        paths.append(folder / f"{name}.png")
        if not paths[-1].exists():
            write_image(paths[-1], getattr(data, name)())
    return paths


def run_study(
    photos: Sequence[Path],
    out: Path,
    plan: Plan,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Table:
    """Score every photo, and write ``rows.jsonl``, ``study.json``, ``table.md``, ``table.csv`` and ``curves.svg``.

    Parameters
    ----------
    photos : sequence of Path
        Colour images; their luminance is coloured, their colours are the truth.
    out : Path
        Folder for the results, as for `prepare`. Photos whose rows are there already are not scored again; rows of
        photos that are not among these, or have changed, stay in ``rows.jsonl`` and out of the tables.
    plan : Plan
    workers : int, optional
        Processes.
    progress : callable, optional
        Is told how many photos are done, of how many.

    Raises
    ------
    ImageError
        If no photo can be read and has colour, or two have one name; the lines of single ones are in the table's
        ``refused``.
    HybridColorError
        As `prepare`.
    """
    _check_photos(photos)
    table = prepare(out, plan)
    log = out / "rows.jsonl"
    marks = {photo.name: checksum(photo) for photo in photos}
    table.rows = [row for row in table.rows if row["sha256"] == marks.get(row["photo"])]
    done = {row["photo"] for row in table.rows}
    waiting = [photo for photo in photos if photo.name not in done]
    progress(len(photos) - len(waiting), len(photos))
    for count, outcome in enumerate(_scored(waiting, plan, workers), len(done) + 1):
        if isinstance(outcome, str):
            table.refused.append(outcome)
        else:
            with log.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in outcome)
            table.rows += outcome
        progress(count, len(photos))
    if not table.rows:
        raise ImageError(table.refused[0])
    summarize(table, out)
    return table


def _scored(photos: Sequence[Path], plan: Plan, workers: int) -> Iterable[list[dict[str, Any]] | str]:
    score = partial(_rows_or_error, plan=plan)
    if workers == 1:
        yield from map(score, photos)
        return
    # Spawned, not forked: a fork of a process whose libraries hold threads and locks can hang.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            yield from pool.map(score, photos)
        except BrokenProcessPool as error:
            raise HybridColorError("a process of the study died; is memory short? The same command goes on") from error


def _rows_or_error(photo: Path, plan: Plan) -> list[dict[str, Any]] | str:
    """The rows of a photo, or the line that says why it has none; the study goes on without it."""
    try:
        return score_photo(photo, plan)
    except (ImageError, ConvergenceError) as error:
        return str(error)


def _check_photos(photos: Sequence[Path]) -> None:
    """Raise `ImageError` if none can be studied, or two share a name: before there is a folder of results."""
    name, count = Counter(photo.name for photo in photos).most_common(1)[0] if photos else ("", 0)
    if count > 1:
        raise ImageError(f"two photos are called {name!r}, and rows go by names; rename one")
    refused = ImageError("there is no photo to study")
    for photo in photos:
        try:
            read_photo(photo)
        except ImageError as error:
            refused = error
        else:
            return
    raise refused


def prepare(out: Path, plan: Plan) -> Table:
    """Make a study's folder, or see that it is empty or has a study of the same plan; returns the rows that are there.

    Raises
    ------
    ImageError
        If it has anything else, or cannot be made.
    ModelError
        If the plan's model is not installed.
    HybridColorError
        If it holds a study of another plan, or a damaged one, or matplotlib is missing.
    """
    check_installed("matplotlib")
    described = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(plan).items()}
    described |= {"weights_sha256": find_model(plan.model).sha256, "schema": SCHEMA}
    place, log = out / "study.json", out / "rows.jsonl"
    if not place.exists():
        try:
            if out.is_dir() and any(out.iterdir()):
                raise ImageError(f"{out}: is not empty and no earlier study; choose another folder for -o")
            out.mkdir(parents=True, exist_ok=True)
            write_whole(place, (json.dumps(described, indent=1) + "\n").encode())
        except OSError as error:
            raise ImageError(f"{out}: cannot be made ({error.strerror}); choose another folder for -o") from error
        return Table(plan)
    try:
        known = json.loads(place.read_text(encoding="utf-8"))
        text = log.read_text(encoding="utf-8") if log.exists() else ""
        rows = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]  # a kill may cut the last line
        count = Counter((row["photo"], row["sha256"]) for row in rows)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise HybridColorError(f"{out}: its study is damaged ({error}); choose another folder") from error
    if known != described:
        raise HybridColorError(f"{out}: holds a study of other methods, strokes or weights; choose another folder")
    each = len(plan.users) * len(plan.methods) * len(plan.strokes)
    whole = [row for row in rows if count[row["photo"], row["sha256"]] == each]
    write_whole(log, "".join(json.dumps(row) + "\n" for row in whole).encode())
    return Table(plan, whole)
