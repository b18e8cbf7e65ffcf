"""Simulated users on photos whose colours are known: which method, after how many strokes, how good.

`run_study` colours every photo by every method after the same strokes, one process a core, and keeps a row of scores
for each; a study that was stopped goes on. `summarize` makes tables and curves of the rows. The methods, with what they
are made of switched off one by one, are in `METHODS`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage import data

from hybridcolor.errors import HybridColorError, ImageError, MethodError
from hybridcolor.extract import confidence_peaks
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.lab import lab_to_rgb, quantize
from hybridcolor.metrics import ab_rmse, colourfulness, psnr
from hybridcolor.picture import Picture
from hybridcolor.pipeline import colorize
from hybridcolor.plots import new_figure
from hybridcolor.predict import NetworkPredictor, Reading, load_predictor
from hybridcolor.resampling import resample
from hybridcolor.seeds import Seeds, concatenate, overlay
from hybridcolor.users import USERS

Chroma = NDArray[np.float32]
STROKES = (0, 1, 2, 5, 10, 20, 50, 100)
BUNDLED = ("astronaut", "chelsea", "coffee", "rocket")
GOALS = (26.0, 28.0, 30.0)
"""PSNR, in dB, that strokes are counted to."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a study does; rows of another plan are not mixed in.

    Attributes
    ----------
    methods, users : tuple of str
        Names in `METHODS` and in `hybridcolor.users.USERS`.
    strokes : tuple of int
        After how many strokes there are scores.
    size : int
        Shorter side, in pixels, to which larger photos are brought.
    model : str
        For `hybridcolor.predict.load_predictor`.
    """

    methods: tuple[str, ...]
    users: tuple[str, ...] = tuple(USERS)
    strokes: tuple[int, ...] = STROKES
    size: int = 256
    model: str = "default"

    def __post_init__(self) -> None:
        for kind, names, known in (("method", self.methods, METHODS), ("user", self.users, USERS)):
            for name in names:
                if name not in known:
                    raise MethodError(f"{kind} {name!r} is unknown; known: {', '.join(known)}")
        if not self.methods or not self.users or not self.strokes or min(self.strokes) < 0:
            raise MethodError("a study needs a method, a user and numbers of strokes from 0 on")


@dataclass(frozen=True, slots=True)
class Scene:
    """A photo as a study sees it, read by the CNN once."""

    picture: Picture
    reading: Reading

    @property
    def name(self) -> str:
        """As a predictor."""
        return "study"

    @property
    def takes_hints(self) -> bool:
        """As a predictor."""
        return True

    def predict(self, _luminance: Chroma) -> Any:
        """As a predictor that does not listen."""
        return self.reading.predict()

    def read(self, _luminance: Chroma) -> Reading:
        """As a predictor that listens."""
        return self.reading


class Deaf:
    """A scene whose network does not listen."""

    name = "deaf"

    def __init__(self, scene: Scene) -> None:
        self.predict = scene.predict


def _scribbles_alone(scene: Scene, strokes: Seeds, *, method: str) -> Chroma:
    if len(strokes) == 0:
        return np.zeros((*scene.picture.shape, 2), np.float32)
    return colorize(scene.picture, scribbles=strokes, method=method).chroma


def _with_network(scene: Scene, strokes: Seeds, *, method: str, deaf: bool = False) -> Chroma:
    predictor = Deaf(scene) if deaf else scene
    return colorize(scene.picture, predictor=predictor, scribbles=strokes, method=method).chroma


def _confidence_peaks(scene: Scene, strokes: Seeds, *, method: str) -> Chroma:
    peaks = confidence_peaks(scene.reading.predict())
    return colorize(scene.picture, scribbles=concatenate(peaks, strokes), method=method).chroma


def _network_alone(scene: Scene, strokes: Seeds) -> Chroma:
    found = colorize(scene.picture, predictor=scene, scribbles=strokes).predicted
    assert found is not None  # noqa: S101  # there is a predictor
    return found


METHODS: dict[str, Callable[[Scene, Seeds], Chroma]] = {
    "hybrid": partial(_with_network, method="hybrid"),
    "hybrid, network deaf": partial(_with_network, method="hybrid", deaf=True),
    "network alone": _network_alone,
    "optimization": partial(_scribbles_alone, method="optimization"),
    "optimization, automatic seeds": partial(_with_network, method="optimization"),
    "chrominance": partial(_scribbles_alone, method="chrominance"),
    "chrominance, automatic seeds": partial(_with_network, method="chrominance"),
    "optimization, confidence peaks": partial(_confidence_peaks, method="optimization"),
    "chrominance, confidence peaks": partial(_confidence_peaks, method="chrominance"),
    "watershed": partial(_scribbles_alone, method="watershed"),
    "watershed, automatic seeds": partial(_with_network, method="watershed"),
}
"""The main path, and what is left of it without one part or another: without the hint decoder (the network is *deaf*),
without propagation (*network alone*), without the network (*optimization* is the rest of the hybrid). *Confidence
peaks* are the plain idea of automatic seeds."""
DEFAULT_METHODS = ("hybrid", "hybrid, network deaf", "network alone", "optimization", "chrominance")


@dataclass(slots=True)
class Table:
    """Rows of scores, as `run_study` wrote them."""

    plan: Plan
    rows: list[dict[str, Any]] = field(default_factory=list)

    def values(self, score: str, *, user: str, method: str) -> NDArray[np.float64]:
        """(photos, numbers of strokes) of one score."""
        mine = [row for row in self.rows if row["user"] == user and row["method"] == method]
        photos = sorted({row["photo"] for row in mine})
        place = {photo: i for i, photo in enumerate(photos)}
        found = np.full((len(photos), len(self.plan.strokes)), np.nan)
        for row in mine:
            found[place[row["photo"]], self.plan.strokes.index(row["strokes"])] = row[score]
        return found


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
        Folder for the results, made if missing. Photos whose rows are there already are not scored again.
    plan : Plan
    workers : int, optional
        Processes.
    progress : callable, optional
        Is told how many photos are done, of how many.

    Raises
    ------
    ImageError
        If a photo cannot be read or has no colour.
    HybridColorError
        If ``out`` holds a study of another plan.
    """
    out.mkdir(parents=True, exist_ok=True)
    log = out / "rows.jsonl"
    table = _resumed(out, plan)
    done = {row["photo"] for row in table.rows}
    waiting = [photo for photo in photos if photo.name not in done]
    progress(len(photos) - len(waiting), len(photos))
    for rows in _scored(waiting, plan, workers):
        with log.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        table.rows += rows
        done.add(rows[0]["photo"])
        progress(len(done), len(photos))
    summarize(table, out)
    return table


def score_photo(path: Path, plan: Plan) -> list[dict[str, Any]]:
    """All rows of one photo."""
    picture, truth = _scene_of(path, plan.size)
    predictor = _predictor(plan.model)
    scene = Scene(picture, predictor.read(picture.luminance))
    rows = []
    for user in plan.users:
        for method in plan.methods:
            for count, chroma, seconds in _session(scene, truth, user=user, method=method, counts=plan.strokes):
                rgb, true = (quantize(lab_to_rgb(picture.luminance, ab), 8) for ab in (chroma, truth))
                scores = {
                    "psnr": min(psnr(rgb, true), 99.0),
                    "ab_rmse": ab_rmse(chroma, truth),
                    "colourfulness": colourfulness(rgb) / max(colourfulness(true), 1e-6),
                    "seconds": seconds,
                }
                rows.append({"photo": path.name, "user": user, "method": method, "strokes": count, **scores})
    return rows


def _session(
    scene: Scene, truth: Chroma, *, user: str, method: str, counts: Sequence[int]
) -> Iterator[tuple[int, Chroma, float]]:
    """Chroma and seconds of computing after so many strokes of one user, who is shown each result that is scored."""
    drawing = USERS[user](truth, np.random.default_rng(0))
    layers: list[Seeds] = []
    chroma: Chroma | None = None
    for count in sorted(counts):
        while len(layers) < count:
            layers.append(next(drawing) if not layers else drawing.send(chroma))
            chroma = None  # what was shown is out of date
        begun = time.perf_counter()
        chroma = METHODS[method](scene, overlay(layers))
        yield count, chroma, time.perf_counter() - begun


def _scene_of(path: Path, size: int) -> tuple[Picture, Chroma]:
    """A photo of at most ``size`` pixels along its shorter side, and its colours."""
    picture = read_image(path)
    if picture.chroma is None:
        raise ImageError(f"{path}: has no colours to compare with; give colour photos")
    rows, columns = picture.shape
    scale = min(1.0, size / min(rows, columns))
    shape = (max(1, round(rows * scale)), max(1, round(columns * scale)))
    luminance, truth = resample(picture.luminance, shape), resample(picture.chroma, shape)
    return Picture(luminance.clip(0, 100)), truth


_loaded: dict[str, NetworkPredictor] = {}  # one a process


def _predictor(model: str) -> NetworkPredictor:
    if model not in _loaded:
        _loaded[model] = load_predictor(model)
    return _loaded[model]


def _scored(photos: Sequence[Path], plan: Plan, workers: int) -> Iterable[list[dict[str, Any]]]:
    score = partial(score_photo, plan=plan)
    if workers == 1:
        yield from map(score, photos)
        return
    # Spawned, not forked: a fork of a process whose libraries hold threads and locks can hang.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(score, photos)


def _resumed(out: Path, plan: Plan) -> Table:
    """The rows that are there, if they are of the same plan; else a new table."""
    described = {**{key: list(v) if isinstance(v, tuple) else v for key, v in asdict(plan).items()}}
    place, log = out / "study.json", out / "rows.jsonl"
    if not place.exists() or not log.exists():
        place.write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
        log.write_text("", encoding="utf-8")
        return Table(plan)
    try:
        known = json.loads(place.read_text(encoding="utf-8"))
        text = log.read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]  # a kill may cut the last line
    except (OSError, ValueError) as error:
        raise HybridColorError(f"{out}: its study is damaged ({error}); choose another folder") from error
    if known != described:
        raise HybridColorError(f"{out}: holds a study of other methods or strokes; choose another folder")
    each = len(plan.users) * len(plan.methods) * len(plan.strokes)
    whole = [row for row in rows if sum(other["photo"] == row["photo"] for other in rows) == each]
    log.write_text("".join(json.dumps(row) + "\n" for row in whole), encoding="utf-8")
    return Table(plan, whole)


def summarize(table: Table, out: Path) -> None:
    """Write the tables and the curves of a study."""
    plan = table.plan
    lines = []
    for user in plan.users:
        photos = len(table.values("psnr", user=user, method=plan.methods[0]))
        lines += [f"### {user}, {photos} photos", ""]
        lines += ["| PSNR, dB (ab RMSE) after strokes | " + " | ".join(map(str, plan.strokes)) + " | mean | "]
        lines[-1] += " | ".join(f"strokes to {goal:g} dB" for goal in GOALS) + " | s |"
        lines += ["|---" * (len(plan.strokes) + 3 + len(GOALS)) + "|"]
        for method in plan.methods:
            psnrs, errors, seconds = (
                table.values(score, user=user, method=method) for score in ("psnr", "ab_rmse", "seconds")
            )
            cells = [f"{p:.2f} ({e:.2f})" for p, e in zip(psnrs.mean(axis=0), errors.mean(axis=0), strict=True)]
            cells += [f"{psnrs.mean():.2f}", *(_strokes_to(goal, psnrs, plan.strokes) for goal in GOALS)]
            lines += [f"| {method} | " + " | ".join(cells) + f" | {seconds.mean():.2f} |"]
        lines += [""]
    (out / "table.md").write_text("\n".join(lines), encoding="utf-8")
    columns = ("photo", "user", "method", "strokes", "psnr", "ab_rmse", "colourfulness", "seconds")
    csv = [",".join(columns), *(",".join(f'"{row[c]}"' if c in columns[:3] else str(row[c]) for c in columns)
                                for row in table.rows)]  # fmt: skip
    (out / "table.csv").write_text("\n".join(csv) + "\n", encoding="utf-8")
    draw_curves(table, out / "curves.svg")


def _strokes_to(goal: float, psnrs: NDArray[np.float64], strokes: Sequence[int]) -> str:
    """Median over photos of the first number of strokes that reaches the goal."""
    reached = psnrs >= goal
    first = np.where(reached.any(axis=1), np.asarray(strokes, float)[reached.argmax(axis=1)], np.inf)
    median = float(np.median(first))
    return f"{median:g}" if np.isfinite(median) else f"> {max(strokes)}"


def band(values: NDArray[np.float64], *, rounds: int = 1000) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds of a 95% bootstrap interval of the mean over rows, for each column.

    Examples
    --------
    >>> low, high = band(np.arange(100.0)[:, None])
    >>> bool(low[0] < 49.5 < high[0]), bool(high[0] - low[0] < 14)
    (True, True)
    """
    rng = np.random.default_rng(0)
    means = values[rng.integers(len(values), size=(rounds, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return low, high


def draw_curves(table: Table, path: Path) -> None:
    """PSNR and ab RMSE over the number of strokes, with 95% bands, a row of plots a user."""
    plan = table.plan
    figure = new_figure(11, 3.8 * len(plan.users))
    places = np.log1p(plan.strokes)
    for number, user in enumerate(plan.users):
        for column, (score, label) in enumerate((("psnr", "PSNR, dB"), ("ab_rmse", "ab RMSE"))):
            axes = figure.add_subplot(len(plan.users), 2, 2 * number + column + 1)
            for method in plan.methods:
                values = table.values(score, user=user, method=method)
                (line,) = axes.plot(places, values.mean(axis=0), marker=".", label=method)
                axes.fill_between(places, *band(values), color=line.get_color(), alpha=0.15, linewidth=0)
            axes.set(title=f"user: {user}", xlabel="strokes", ylabel=label)
            axes.set_xticks(places, [str(count) for count in plan.strokes])
            axes.grid(visible=True, linewidth=0.3)
    figure.axes[0].legend(fontsize=8)
    figure.savefig(path)
