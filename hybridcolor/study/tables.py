"""What the rows of a study say: means, how sure their differences are, strokes to a goal, curves."""

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
    """Write the tables and the curves of a study: ``table.md``, ``table.csv`` and ``curves.svg`` in a folder.

    In ``table.md`` a PSNR has the sign ≈ where the 95% interval of its difference from the first method's, photo by
    photo, holds 0.
    """
    plan = table.plan
    lines = []
    for user in plan.users:
        photos = len(table.values("psnr", user=user, method=plan.methods[0]))
        lines += [f"### {user}, {photos} photos", ""]
        lines += ["| PSNR, dB (ab RMSE) after strokes | " + " | ".join(map(str, plan.strokes)) + " | mean | "]
        lines[-1] += " | ".join(f"strokes to {goal:g} dB" for goal in GOALS) + " | s |"
        lines += ["|---" * (len(plan.strokes) + 3 + len(GOALS)) + "|"]
        first = table.values("psnr", user=user, method=plan.methods[0])
        for method in plan.methods:
            psnrs, errors, seconds = (
                table.values(score, user=user, method=method) for score in ("psnr", "ab_rmse", "seconds")
            )
            low, high = mean_intervals((psnrs - first).T)
            marks = np.where((low <= 0) & (high >= 0) & (method != plan.methods[0]), " ≈", "")
            means = zip(psnrs.mean(axis=0), marks, errors.mean(axis=0), strict=True)
            cells = [f"{psnr:.2f}{mark} ({error:.2f})" for psnr, mark, error in means]
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
    """Means over the number of strokes, a row of plots a user: PSNR, how far it is from the first method's, ab RMSE.

    The differences have 95% bands: they are taken photo by photo, and say more than those of the means would, since
    every method finds the same photos hard.
    """
    from matplotlib import rc_context

    plan = table.plan
    figure = new_figure(13, 3.6 * len(plan.users))
    plots = figure.subplots(len(plan.users), 3, squeeze=False)
    places = np.log1p(plan.strokes)
    for user, (level, lead, error) in zip(plan.users, plots, strict=True):
        first = table.values("psnr", user=user, method=plan.methods[0])
        for number, method in enumerate(plan.methods):
            psnrs, errors = (table.values(score, user=user, method=method) for score in ("psnr", "ab_rmse"))
            for axes, values in ((level, psnrs), (lead, psnrs - first), (error, errors)):
                axes.plot(places, values.mean(axis=0), marker=".", label=method, color=f"C{number}")
            band = mean_intervals((psnrs - first).T)
            lead.fill_between(places, *band, color=f"C{number}", alpha=0.15, linewidth=0)
        lead_label = f"PSNR minus that of {plan.methods[0]}, dB"
        for axes, label in ((level, "PSNR, dB"), (lead, lead_label), (error, "ab RMSE")):
            axes.set(title=f"user: {user}", xlabel="strokes", ylabel=label)
            axes.set_xticks(places, [str(count) for count in plan.strokes])
            axes.grid(visible=True, linewidth=0.3)
    figure.legend(*plots[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=9)
    with rc_context({"svg.hashsalt": "hybridcolor"}):  # the same scores, the same bytes
        figure.savefig(path, metadata={"Date": None})
