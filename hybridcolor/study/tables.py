"""What the rows of a study say: means, strokes to a goal, curves with bands."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.plots import new_figure
from hybridcolor.study.scoring import Plan

COLUMNS = ("photo", "user", "method", "strokes", "psnr", "ab_rmse", "colourfulness", "seconds")
GOALS = (26.0, 28.0, 30.0)
"""PSNR, in dB, that strokes are counted to."""


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
    with (out / "table.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table.rows)
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
