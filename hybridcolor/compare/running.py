"""The work of a comparison, one picture at a time: colorize, score, save, and remember what is done.

A report's folder has a file of JSON in ``records`` for each picture. A comparison that was stopped goes on from there:
what was made of the same files by the same code is not made again.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.compare.inputs import Case
from hybridcolor.compare.methods import Method
from hybridcolor.compare.pictures import save_map, save_picture, slug
from hybridcolor.compare.provenance import describe
from hybridcolor.compare.scoring import score
from hybridcolor.errors import HybridColorError, ImageError, MethodError, ModelError
from hybridcolor.files import checksum, read_whole, write_whole
from hybridcolor.imagefiles import read_image
from hybridcolor.marked import read_scribbles
from hybridcolor.picture import Picture
from hybridcolor.predict import Predictor, load_predictor
from hybridcolor.seeds import USER, Seeds

RECORDS = "records"
PICTURES = "pictures"
_WARM_UP = 100  # pixels: side of what a method runs on once before it is timed; less would be solved without multigrid

Record = dict[str, Any]
"""One picture: name, slug, sha256 of its files, width, height, truth, scribbles, and ``outcomes`` by method."""
RGB = NDArray[np.uint8] | NDArray[np.uint16]


class Runner:
    """Runs methods on cases and keeps what was measured in a folder.

    Parameters
    ----------
    methods : sequence of Method
    folder : Path
        The report's.
    code : str
        Stands for everything that a result depends on besides the method and the files.

    Raises
    ------
    ModelError
        If a model is not installed.
    """

    def __init__(self, methods: Sequence[Method], folder: Path, *, code: str) -> None:
        self._methods = methods
        self._folder = folder
        self._labels = {method.name: json.dumps([code, describe(method)], default=str) for method in methods}
        self._code = code
        self._predictors: dict[str, Predictor] = {}
        self._warm: set[str] = set()

    def run(self, case: Case) -> Record:
        """One picture's record, with its images saved beside it.

        Raises
        ------
        HybridColorError
            If a file cannot be used or a method fails; the line names the method.
        """
        name = slug(case.name)
        path = self._folder / RECORDS / f"{name}.json"
        files = {kind: _checksum(getattr(case, kind)) for kind in ("picture", "reference", "seeds")}
        marks = self._fingerprints(case, files)
        record = _read_record(path)
        known = record.get("outcomes", {}) if record.get("sha256") == files else {}  # else of other files
        missing = {key for key, mark in marks.items() if known.get(key, {}).get("fingerprint") != mark}
        if missing:
            record = {"name": case.name, "slug": name, "sha256": files, **self._measure(case, missing)}
            for key, outcome in record["outcomes"].items():
                outcome["fingerprint"] = marks[key]
            record["outcomes"] = known | record["outcomes"]
            write_whole(path, json.dumps(record).encode())
        return record | {"outcomes": {key: record["outcomes"][key] for key in marks}}

    def _measure(self, case: Case, names: Set[str]) -> Record:
        """Colour, save and score a picture by the methods of these names."""
        picture = read_image(case.picture)
        truth = _truth(case, picture)
        drawn = self._drawn(case, picture)
        images = self._folder / PICTURES / slug(case.name)
        images.mkdir(parents=True, exist_ok=True)
        save_picture(images / "_gray.jpg", picture.to_rgb())
        save_picture(images / "_small.jpg", picture.to_rgb() if truth is None else truth, longest=160)
        if truth is not None:
            save_picture(images / "_truth.jpg", truth)
        outcomes = {}
        for name, rgb, cost in self._results(case, picture, drawn, names):
            scored = score(rgb, truth)
            save_picture(images / f"{slug(name)}.jpg", rgb)
            for kind, values in scored.maps.items():
                save_map(images / f"{slug(name)}.{kind}.jpg", values)
            scores = {key: value if np.isfinite(value) else None for key, value in scored.scores.items()}
            outcomes[name] = {"scores": scores, "shares": scored.shares, "maps": list(scored.maps), **cost}
        return {
            "width": picture.shape[1],
            "height": picture.shape[0],
            "truth": truth is not None,
            "scribbles": min(len(np.unique(each.stroke[each.origin == USER])) for each in drawn.values()),
            "outcomes": outcomes,
        }

    def _results(
        self, case: Case, picture: Picture, drawn: Mapping[str | None, Seeds], names: Set[str]
    ) -> Iterator[tuple[str, RGB, Record]]:
        """The others' results, whose cost nobody knows: one that does not fit is told at once. Then each method's."""
        for name, path in case.results.items():
            if name in names:
                yield name, _read_as(path, picture), {"seconds": None, "memory": None, "sha256": _checksum(path)}
        for method in self._methods:
            if method.name not in names:
                continue
            predictor = self._ready(method)
            before = memory_peak(afresh=True)
            started = time.perf_counter()
            try:
                rgb = method.colorize(picture, predictor, drawn[method.model] if case.seeds else None)
            except HybridColorError as error:
                raise type(error)(f"{case.picture}: {method.name}: {error}") from error
            seconds = time.perf_counter() - started
            after = memory_peak()
            memory = None if before is None or after is None else after - before
            yield method.name, rgb, {"seconds": seconds, "memory": memory}

    def _drawn(self, case: Case, picture: Picture) -> dict[str | None, Seeds]:
        """The scribbles for each model: what it painted itself in a marked image nobody drew."""
        models: set[str | None] = {method.model for method in self._methods} or {None}
        if case.seeds is None:
            return dict.fromkeys(models, Seeds.empty())
        return {model: read_scribbles(case.seeds, picture, self._predictor(model)) for model in models}

    def _predictor(self, model: str | None) -> Predictor | None:
        if model is not None and model not in self._predictors:
            self._predictors[model] = load_predictor(model)
        return None if model is None else self._predictors[model]

    def _ready(self, method: Method) -> Predictor | None:
        """The method's predictor; before a method's first picture it runs once, as code is compiled at first use."""
        predictor = self._predictor(method.model)
        if method.name not in self._warm:
            noise = np.random.default_rng(0).integers(0, 256, (_WARM_UP, _WARM_UP), np.uint8)
            noise[30:60, 30:60] = 255  # paper
            strokes = Seeds.of([[4, 4], [40, 40]], [[20.0, 30.0], [0.0, -30.0]], stroke=[1, 2])
            method.colorize(Picture.from_array(noise), predictor, strokes)
            self._warm.add(method.name)
        return predictor

    def _fingerprints(self, case: Case, files: Mapping[str, str | None]) -> dict[str, str]:
        """What each method's outcome depends on, as a checksum."""
        own = {name: [files, label] for name, label in self._labels.items()}
        others = {name: [files, _checksum(path), self._code] for name, path in case.results.items()}
        return {name: hashlib.sha256(json.dumps(parts).encode()).hexdigest() for name, parts in (own | others).items()}


def run_all(
    cases: Sequence[Case],
    runner: Runner,
    *,
    progress: Callable[[int, int], None],
    complain: Callable[[HybridColorError], None],
) -> list[Record]:
    """The records of all pictures that every method could colour; what is left out is told to ``complain``."""
    records = []
    for done, case in enumerate(cases):
        try:
            records.append(runner.run(case))
        except (MethodError, ModelError):
            raise  # no picture would fare better
        except HybridColorError as error:
            complain(error)
        progress(done + 1, len(cases))
    return records


def memory_peak(*, afresh: bool = False) -> int | None:
    """The most memory this process had, in bytes; None where the system does not tell (it is Linux that does).

    With ``afresh`` it is counted from now on, and memory that was freed is first given back to the system.
    """
    try:
        if afresh:
            ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError, TypeError, AttributeError):  # another system, or another C library
        return None


def _truth(case: Case, picture: Picture) -> RGB | None:
    """The true colours: the reference's, else the picture's own if it has any."""
    if case.reference is not None:
        return _read_as(case.reference, picture)
    return None if picture.chroma is None else picture.to_rgb(picture.chroma)


def _read_as(path: Path, picture: Picture) -> RGB:
    """A file's colours, which must be of the picture's size, in its bit depth."""
    other = read_image(path)
    if other.shape != picture.shape:
        raise ImageError(
            f"{path}: is {other.shape[1]} x {other.shape[0]}, the picture {picture.shape[1]} x {picture.shape[0]}; "
            "make them the same"
        )
    return Picture(other.luminance, bit_depth=picture.bit_depth).to_rgb(other.chroma)


def _read_record(path: Path) -> Record:
    """What is known of a picture; nothing if it is not there or was damaged."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        sound = all(isinstance(outcome["fingerprint"], str) for outcome in record["outcomes"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return record if sound else {}


def _checksum(path: Path | None) -> str | None:
    if path is None or path.is_dir():
        return checksum(path)
    try:
        return hashlib.sha256(read_whole(path)).hexdigest()
    except OSError as error:
        raise ImageError(f"cannot read {path}: {error.strerror}") from error
