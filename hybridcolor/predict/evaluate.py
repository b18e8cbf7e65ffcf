"""How good a model is on photos it never saw: scores, calibration, and pictures to look at.

``hybridcolor evaluate MODEL --data FOLDER -o FOLDER`` ends here. It writes ``scores.json`` with everything that was
measured, ``calibration.png`` (is what the model says of itself true?), and two contact sheets of gray, prediction and
truth: ``contact.jpg`` of photos chosen evenly, ``failures.jpg`` of those with the largest errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hybridcolor.bins import DEFAULT_VIVIDNESS, ColorDistribution, nearest_bin
from hybridcolor.errors import ImageError
from hybridcolor.extract import extract_seeds
from hybridcolor.files import write_whole
from hybridcolor.metrics import ab_rmse, colourfulness, psnr
from hybridcolor.picture import Picture
from hybridcolor.plots import check_installed, new_figure
from hybridcolor.predict import NetworkPredictor, Predictor, Reading
from hybridcolor.predict.data import ImageSet, read_shards
from hybridcolor.resampling import guided_resample, resample
from hybridcolor.seeds import Seeds, overlay
from hybridcolor.users import random_patches

HINTS = (1, 10, 50)
"""How many a network that takes them is scored with."""
AVERAGED = 500
"""Training images by which the mean colour is known well enough."""
CLASSES = 10
ON_SHEET = 32
SHEET_COLUMNS = 4
THUMBNAIL = 160


def evaluate(
    predictor: Predictor,
    data: Path,
    out: Path,
    *,
    shards: Sequence[str] = ("photos128-*.tar",),
    progress: Callable[[int, int], None] = lambda *_: None,
) -> dict[str, float]:
    """Score a model on every held-out photo and write the report; returns the mean scores.

    Parameters
    ----------
    predictor : Predictor
    data : Path
        Folder of the tar shards.
    out : Path
        Folder for the report, made if missing; else it is empty, or has an earlier report, which is replaced.
    shards : sequence of str, optional
        Patterns of the shards whose held-out photos are used.
    progress : callable, optional
        Is told how many photos are done, of how many.

    Raises
    ------
    ImageError
        If there is no held-out photo, or the folder has anything but an earlier report.
    MethodError
        If matplotlib is missing.
    """
    check_installed("matplotlib")
    training, held_out = read_shards(data, shards)
    if not len(held_out):
        raise ImageError(f"no image in {data} is held out to score on; add more, about 3% of all are")
    _prepare(out)
    calibration = Calibration()
    rows = []
    photos = list(range(len(held_out)))
    for done, row in enumerate(score_photos(predictor, held_out, photos, mean_colour(training), calibration)):
        rows.append(row)
        progress(done + 1, len(held_out))
    scores = mean_scores(rows) | calibration.best_twentieth()
    report = {"model": predictor.name, "photos": len(rows), "scores": scores, "calibration": calibration.summary()}
    known = [{key: value if np.isfinite(value) else None for key, value in row.items()} for row in rows]
    each = [{"name": held_out.names[i], **row} for i, row in zip(photos, known, strict=True)]
    write_whole(out / "scores.json", (json.dumps({**report, "each": each}, indent=1) + "\n").encode())
    calibration.draw(out / "calibration.png")
    errors = np.array([row["ab_rmse"] for row in rows])
    evenly = np.linspace(0, len(rows) - 1, min(ON_SHEET, len(rows))).astype(int)
    draw_sheet(out / "contact.jpg", predictor, held_out, evenly.tolist())
    draw_sheet(out / "failures.jpg", predictor, held_out, np.argsort(-errors)[:ON_SHEET].tolist())
    return scores


def _prepare(out: Path) -> None:
    """Make the folder, or see that nothing in it is a person's."""
    try:
        if out.is_dir() and any(out.iterdir()) and not _is_report(out / "scores.json"):
            raise ImageError(f"{out}: is not empty and no earlier report; choose another folder for -o")
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(f"{out}: cannot be made ({error.strerror}); choose another folder for -o") from error


def _is_report(path: Path) -> bool:
    try:
        return {"model", "photos", "scores", "calibration"} <= set(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return False


def score_photos(
    predictor: Predictor,
    images: ImageSet,
    indices: Sequence[int],
    average: NDArray[np.float32],
    calibration: Calibration,
) -> Iterator[dict[str, float]]:
    """Scores of some photos: of the prediction, of gray, of one ``average`` colour, and of the automatic seeds.

    The result scored is the one `colorize` starts from: annealed mean at the default vividness. Its PSNR and
    colourfulness are of what is shown, its ab RMSE is of the colours that the network gives, as in training: they may
    lie out of gamut. A network that takes hints is scored with some random ones too, by itself: nothing is propagated.
    Each belief joins the calibration.
    """
    for i in indices:
        luminance, truth = _planes(images, i)
        if isinstance(predictor, NetworkPredictor) and predictor.takes_hints:
            reading: Reading | None = predictor.read(luminance)
        else:
            reading = None
        belief = predictor.predict(luminance) if reading is None else reading.predict()
        colour = _shown(belief, luminance)
        picture, paint = Picture(luminance), getattr(predictor, "paint", False)
        rgb, gray, true = (picture.to_rgb(c, paint=paint) for c in (colour, np.zeros_like(truth), truth))
        calibration.add(belief, truth)
        yield {
            "ab_rmse": ab_rmse(colour, truth),
            "ab_rmse_of_mean": ab_rmse(belief.upsample(belief.mean()), truth),
            "gray_ab_rmse": ab_rmse(np.zeros_like(truth), truth),
            "mean_colour_ab_rmse": ab_rmse(np.broadcast_to(average, truth.shape), truth),
            "psnr": psnr(rgb, true),
            "gray_psnr": psnr(gray, true),
            "colourfulness": colourfulness(rgb),
            "true_colourfulness": colourfulness(true),
            **_seed_scores(belief, luminance, truth),
            **(_hinted_scores(reading, picture, truth, paint=paint, seed=i) if reading else {}),
        }


def mean_scores(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of every score over the photos that have it."""
    known = {key: [row[key] for row in rows if np.isfinite(row[key])] for key in rows[0]}
    return {key: float(np.mean(values)) for key, values in known.items() if values}


def mean_colour(images: ImageSet) -> NDArray[np.float32]:
    """The mean ab of a set of images, by at most `AVERAGED` of them."""
    chosen = np.linspace(0, len(images) - 1, min(AVERAGED, len(images))).astype(int)
    mean: NDArray[np.float32] = np.mean([images.decode(int(i))[..., 1:].mean(axis=(0, 1)) for i in chosen], axis=0)
    return mean


class Calibration:
    """Whether a model's confidence and its spread are what they say, cell by cell over many photos."""

    def __init__(self) -> None:
        self._confidence: list[NDArray[np.float32]] = []
        self._right: list[NDArray[np.bool_]] = []
        self._std: list[NDArray[np.float32]] = []
        self._squared: list[NDArray[np.float32]] = []
        self._ratio: list[NDArray[np.float32]] = []
        self._shown: list[NDArray[np.float32]] = []
        self._true: list[NDArray[np.float32]] = []

    def add(self, belief: ColorDistribution, truth: NDArray[np.float32]) -> None:
        """Take a photo's belief and its (H, W, 2) true colours into account."""
        mean = belief.mean()
        cells = resample(truth, (mean.shape[0], mean.shape[1]))
        self._confidence.append(belief.confidence().ravel())
        self._right.append((nearest_bin(belief.mode()) == nearest_bin(cells)).ravel())
        self._std.append(belief.std().ravel())
        self._squared.append(((mean - cells) ** 2).sum(axis=2).ravel())
        chroma = np.hypot(*np.moveaxis(mean, 2, 0))
        self._ratio.append(np.where(chroma >= 8, chroma / np.maximum(belief.std(), 1e-3), 0).ravel())
        self._shown.append(belief.annealed_mean().reshape(-1, 2))
        self._true.append(cells.reshape(-1, 2))

    def best_twentieth(self) -> dict[str, float]:
        """How good the twentieth of all cells is that has the largest |mean| / std, and a chroma of at least 8.

        Shares of those nearer to the truth than gray is, and of those whose hue is right within 30 degrees, where the
        truth has one: what seeds taken there would be worth. What no cell tells is left out.
        """
        ratio = np.concatenate(self._ratio)
        best = np.argsort(-ratio, kind="stable")[: max(1, len(ratio) // 20)]
        best = best[ratio[best] > 0]
        if len(best) == 0:
            return {}
        better, hue = _seed_quality(np.concatenate(self._shown)[best], np.concatenate(self._true)[best])
        scores = {"best_20th_better_than_gray": better, "best_20th_hue_within_30": hue}
        return {key: value for key, value in scores.items() if np.isfinite(value)}

    def summary(self) -> dict[str, list[float]]:
        """What was said and what was true, by tenths of all cells from low to high.

        ``confidence`` is the probability of the most probable bin, ``accuracy`` how often the truth is in that bin;
        ``std`` the predicted spread, ``error`` the root mean square distance in ab of mean and truth.
        """
        confidence, right, std, squared = (
            np.concatenate(parts) for parts in (self._confidence, self._right, self._std, self._squared)
        )
        by_confidence = np.array_split(np.argsort(confidence, kind="stable"), CLASSES)
        by_std = np.array_split(np.argsort(std, kind="stable"), CLASSES)
        return {
            "confidence": [float(confidence[part].mean()) for part in by_confidence],
            "accuracy": [float(right[part].mean()) for part in by_confidence],
            "std": [float(np.sqrt((std[part] ** 2).mean())) for part in by_std],
            "error": [float(np.sqrt(squared[part].mean())) for part in by_std],
        }

    def draw(self, path: Path) -> None:
        """Plot the `summary` of confidence and of spread: a perfect model's points lie on the diagonals."""
        tenths = self.summary()
        figure = new_figure(9, 4.2)
        for axes, said, true, unit in zip(
            figure.subplots(1, 2), ("confidence", "std"), ("accuracy", "error"), ("", ", ab units"), strict=True
        ):
            most = 1.05 * max(*tenths[said], *tenths[true])
            axes.plot([0, most], [0, most], color="0.7", linewidth=1)
            axes.plot(tenths[said], tenths[true], marker="o", color="tab:blue")
            axes.set(xlabel=f"predicted {said}{unit}", ylabel=f"true {true}{unit}", xlim=(0, most), ylim=(0, most))
        figure.suptitle("What the model says of itself, by tenths of all cells")
        figure.savefig(path, dpi=120)


def draw_sheet(path: Path, predictor: Predictor, images: ImageSet, indices: Sequence[int]) -> None:
    """A contact sheet: gray, prediction and truth of each photo side by side."""
    side = THUMBNAIL
    lines = -(-len(indices) // SHEET_COLUMNS)
    sheet = Image.new("RGB", (SHEET_COLUMNS * (3 * side + 12), lines * (side + 12)), "white")
    for number, i in enumerate(indices):
        luminance, truth = _planes(images, i)
        colour = _shown(predictor.predict(luminance), luminance)
        row, column = divmod(number, SHEET_COLUMNS)
        for at, chroma in enumerate((np.zeros_like(truth), colour, truth)):
            small = Image.fromarray(Picture(luminance).to_rgb(chroma, paint=getattr(predictor, "paint", False)))
            small.thumbnail((side, side))
            sheet.paste(small, (column * (3 * side + 12) + at * side, row * (side + 12)))
    sheet.save(path, quality=88)


def _planes(images: ImageSet, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    lab = images.decode(index)
    return np.ascontiguousarray(lab[..., 0].clip(0, 100)), np.ascontiguousarray(lab[..., 1:])


def _shown(belief: ColorDistribution, luminance: NDArray[np.float32]) -> NDArray[Any]:
    """The colour that `colorize` starts from."""
    return guided_resample(belief.rebalanced(DEFAULT_VIVIDNESS).annealed_mean(), luminance)


def _hinted_scores(
    reading: Reading, picture: Picture, truth: NDArray[np.float32], *, paint: bool, seed: int
) -> dict[str, float]:
    user = random_patches(truth, np.random.default_rng(seed))
    true = picture.to_rgb(truth, paint=paint)
    scores, given = {}, Seeds.empty()
    for before, count in pairwise((0, *HINTS)):
        given = overlay([given, *islice(user, count - before)])
        colour = _shown(reading.predict(given), picture.luminance)
        scores[f"ab_rmse_{count}_hints"] = ab_rmse(colour, truth)
        scores[f"psnr_{count}_hints"] = psnr(picture.to_rgb(colour, paint=paint), true)
    return scores


def _seed_scores(
    belief: ColorDistribution, luminance: NDArray[np.float32], truth: NDArray[np.float32]
) -> dict[str, float]:
    """How many coloured seed pixels a photo gets, and how many of them beat gray and have about the right hue."""
    seeds = extract_seeds(belief, luminance, vividness=DEFAULT_VIVIDNESS)
    coloured = seeds.take(np.hypot(*seeds.ab.T) > 0)
    if len(coloured) == 0:
        return {"coloured_seeds": 0.0, "seeds_better_than_gray": np.nan, "seeds_hue_within_30": np.nan}
    better, hue = _seed_quality(coloured.ab, truth[tuple(coloured.coords.T)])
    return {
        "coloured_seeds": float(len(np.unique(coloured.stroke))),
        "seeds_better_than_gray": better,
        "seeds_hue_within_30": hue,
    }


def _seed_quality(shown: NDArray[np.float32], true: NDArray[np.float32]) -> tuple[float, float]:
    """The share of (N, 2) colours nearer to the truth than gray is, and that of right hue where the truth has one."""
    better = np.hypot(*(shown - true).T) < np.hypot(*true.T)
    cosine = (shown * true).sum(1) / np.maximum(np.hypot(*shown.T) * np.hypot(*true.T), 1e-6)
    vivid = np.hypot(*true.T) > 10
    hue = float((cosine[vivid] > np.cos(np.pi / 6)).mean()) if vivid.any() else float("nan")
    return float(better.mean()), hue
