"""What the rows of a study say: means, strokes to a goal, curves with bands."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.files import write_whole
from hybridcolor.intervals import mean_intervals
from hybridcolor.plots import new_figure
from hybridcolor.study.scoring import Plan

COLUMNS = ("photo", "user", "method", "strokes", "psnr", "ab_rmse", "colourfulness", "seconds")
GOALS = (26.0, 28.0, 30.0)
"""PSNR, in dB, that strokes are counted to."""


@dataclass(slots=True)
class Table:
    """Rows of scores, as `run_study` wrote them, and a line for each photo that could not be scored."""

    plan: Plan
    rows: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

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
    """Write the tables and the curves of a study: ``table.md``, ``table.csv`` and ``curves.svg`` in a folder."""
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
    rows = io.StringIO()
    writer = csv.DictWriter(rows, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(table.rows)
    write_whole(out / "table.md", "\n".join(lines).encode())
    write_whole(out / "table.csv", rows.getvalue().encode())
    draw_curves(table, out / "curves.svg")


def _strokes_to(goal: float, psnrs: NDArray[np.float64], strokes: Sequence[int]) -> str:
    """Median over photos of the first number of strokes that reaches the goal."""
    reached = psnrs >= goal
    first = np.where(reached.any(axis=1), np.asarray(strokes, float)[reached.argmax(axis=1)], np.inf)
    median = float(np.median(first))
    return f"{median:g}" if np.isfinite(median) else f"> {max(strokes)}"


def draw_curves(table: Table, path: Path) -> None:
    """PSNR and ab RMSE over the number of strokes, with 95% bands, a row of plots a user."""
    from matplotlib import rc_context

    plan = table.plan
    figure = new_figure(11, 3.8 * len(plan.users))
    places = np.log1p(plan.strokes)
    for number, user in enumerate(plan.users):
        for column, (score, label) in enumerate((("psnr", "PSNR, dB"), ("ab_rmse", "ab RMSE"))):
            axes = figure.add_subplot(len(plan.users), 2, 2 * number + column + 1)
            for method in plan.methods:
                values = table.values(score, user=user, method=method)
                (line,) = axes.plot(places, values.mean(axis=0), marker=".", label=method)
                axes.fill_between(places, *mean_intervals(values.T), color=line.get_color(), alpha=0.15, linewidth=0)
            axes.set(title=f"user: {user}", xlabel="strokes", ylabel=label)
            axes.set_xticks(places, [str(count) for count in plan.strokes])
            axes.grid(visible=True, linewidth=0.3)
    figure.axes[0].legend(fontsize=8)
    with rc_context({"svg.hashsalt": "hybridcolor"}):  # the same scores, the same bytes
        figure.savefig(path, metadata={"Date": None})
