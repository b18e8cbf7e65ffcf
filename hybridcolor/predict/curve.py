"""The plot of a training run: cross entropy and error, step by step, from its ``log.jsonl``."""

from __future__ import annotations

import json
from pathlib import Path

from hybridcolor.errors import ModelError
from hybridcolor.plots import new_figure


def read_log(run: Path) -> list[dict[str, float]]:
    """The reports of a run in the order of their steps; of a step that a kill had done twice, the last.

    Raises
    ------
    ModelError
        If there is no log, or nothing in it.
    """
    try:
        lines = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ModelError(f"{run}: has no log.jsonl ({error.strerror}); give the folder of a training run") from error
    reports: dict[float, dict[str, float]] = {}
    for line in lines:
        try:
            report = json.loads(line)
        except ValueError:
            continue  # a line that a kill cut short; the run goes on from before it
        reports[report["step"]] = report
    if not reports:
        raise ModelError(f"{run}: its log.jsonl has no report yet; train on")
    return [reports[step] for step in sorted(reports)]


def draw_curve(run: Path) -> Path:
    """Write ``curve.svg`` into a run's folder, and return its path.

    On the left the cross entropy on training images, which are augmented, and on held-out ones; on the right the
    held-out ab RMSE of the mean colour as a share of gray's. A line marks the report of lowest held-out cross entropy.

    Raises
    ------
    ModelError
        If there is nothing to plot.
    MethodError
        If matplotlib is not installed.
    """
    reports = read_log(run)
    steps = [report["step"] for report in reports]
    figure = new_figure(10, 3.6)
    left, right = figure.subplots(1, 2)
    curves = {"cross_entropy": "held out", "cross_entropy_10": "held out, with 10 hints"}
    for key, label in {"train_cross_entropy": "training", **curves}.items():
        if key in reports[-1]:
            left.plot(steps, [report[key] for report in reports], label=label)
    for key, label in {"ab_rmse": "no hints", "ab_rmse_10": "10 hints"}.items():
        if key in reports[-1]:
            right.plot(steps, [100 * report[key] / report["gray_ab_rmse"] for report in reports], label=label)
    best = min(reports, key=lambda report: sum(report.get(key, 0.0) for key in curves))
    for axes, title in ((left, "cross entropy, nats"), (right, "held-out ab RMSE, % of gray's")):
        axes.axvline(best["step"], color="0.6", linewidth=1, linestyle="--")
        axes.set(xlabel="step", title=title)
        axes.grid(alpha=0.3)
        axes.legend()
    path = run / "curve.svg"
    figure.savefig(path)
    return path
