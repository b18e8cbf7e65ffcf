"""Short trainings of equal CPU time, by which a recipe is decided: python -m benchmarks.gates DATA RUNS.

Every variant is the base recipe with a few fields changed, trained with each seed for the same CPU seconds of one
thread, and scored on the held-out photos. Writes RUNS/gates.jsonl, one line a training, and goes on after a kill; then
docs/gates.md. Takes about one CPU hour.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from hybridcolor.predict import train
from hybridcolor.predict.recipe import Recipe, Stage

BOTH, PHOTOS = ["photos128-*.tar", "tiny64-*.tar"], ["photos128-*.tar"]
BASE = Recipe(
    summary="", licence="", data="", network="lite1", imagenet=True, seed=1, learning_rate=1.5e-3, encoder_rate=0.35,
    weight_decay=0.02, rebalancing=1.0, average=0.98, exponent=0.7, held_out=PHOTOS, stage=[Stage(BOTH, 64, 64, 0)],
)  # fmt: skip
GATES: dict[str, dict[str, Any]] = {
    "base: Lite1 from ImageNet, 64 px, both sets": {},
    "from scratch": {"imagenet": False},
    "Lite0": {"network": "lite"},
    "Lite2": {"network": "lite2"},
    "rebalancing 0.5": {"rebalancing": 0.5},
    "encoder frozen": {"encoder_rate": 0.0},
    "encoder at the full rate": {"encoder_rate": 1.0},
    "twice the learning rate": {"learning_rate": 3e-3},
    "128 px from the start": {"stage": [Stage(PHOTOS, 128, 16, 0)]},
    "without the small photos": {"stage": [Stage(PHOTOS, 64, 64, 0)]},
}
SMALL_BATCH = [Stage(BOTH, 64, 16, 0)]
NETWORKS: dict[str, dict[str, Any]] = {
    "lite1": {},
    "lite1, from scratch": {"imagenet": False},
    "plain": {"network": "plain", "imagenet": False, "stage": SMALL_BATCH, "learning_rate": 3e-4},
    "residual": {"network": "residual", "imagenet": False, "stage": SMALL_BATCH, "learning_rate": 3e-4},
    "plain, one colour (L2)": {"network": "plain-ab", "imagenet": False, "stage": SMALL_BATCH, "learning_rate": 3e-4},
    "residual, one colour (L2)": {
        "network": "residual-ab", "imagenet": False, "stage": SMALL_BATCH, "learning_rate": 3e-4,
    },
}  # fmt: skip
TABLES = {"gates": (GATES, 60, (1, 2)), "networks": (NETWORKS, 120, (1,))}
"""Variants, CPU seconds of each training, seeds."""
TRIAL = 6
PAGE = """# Gates: how the recipe was decided

Short trainings of equal CPU time, one thread, by `python -m benchmarks.gates DATA RUNS`; scored on the held-out photos
at 160 pixels, with the running average of the weights. ± is half the range of the seeds. Lower is better.

## One change at a time

{gates}

## The networks side by side

{networks}

Each network has twice the time here. The large ones see few images in it: this says which one to choose with little
time, not which one is best after weeks.
"""


def with_steps(recipe: Recipe, steps: int) -> Recipe:
    """The recipe with so many steps in its only stage."""
    return replace(recipe, stage=[replace(recipe.stage[0], steps=steps)])


def trained(recipe: Recipe, data: Path, run: Path) -> tuple[dict[str, float], float]:
    """The last report of a training, and the CPU seconds until it: the clock is read as each scoring begins."""
    reports: list[dict[str, float]] = []
    seconds: list[float] = []
    scores_so_far = train.scores_so_far
    begun = time.process_time()

    def timed(*what: Any) -> dict[str, float]:
        seconds.append(time.process_time() - begun)
        return scores_so_far(*what)

    train.scores_so_far = timed
    try:
        train.train(recipe, data=data, run=run, progress=reports.append)
    finally:
        train.scores_so_far = scores_so_far
    return reports[-1], seconds[-1]


def measure(name: str, change: dict[str, Any], seed: int, *, budget: float, data: Path, runs: Path) -> dict[str, Any]:
    """Train one variant for about ``budget`` CPU seconds."""
    recipe = replace(BASE, seed=seed, **change)
    place = runs / f"{name.replace(' ', '-')}-{seed}"
    shutil.rmtree(place, ignore_errors=True)  # what a kill left
    short, long = (
        min(trained(with_steps(recipe, n), data, place / f"trial{n}-{again}")[1] for again in range(2))
        for n in (1, 1 + TRIAL)
    )
    steps = max(10, round(budget / ((long - short) / TRIAL)))
    report, seconds = trained(with_steps(recipe, steps), data, place / "run")
    return {"variant": name, "seed": seed, "cpu_seconds": seconds, "images": steps * recipe.stage[0].batch, **report}


def table(rows: list[dict[str, Any]], variants: dict[str, dict[str, Any]]) -> str:
    """Markdown of the means over seeds, with half the range where there are several."""
    lines = ["| variant | images seen | held-out cross entropy | ab RMSE (gray's) |", "|---|---|---|---|"]
    for name in variants:
        mine = [row for row in rows if row["variant"] == name]
        if not mine:
            continue
        images = round(statistics.mean(row["images"] for row in mine))
        gray = mine[0]["gray_ab_rmse"]
        cells = [_mean(mine, "cross_entropy"), f"{_mean(mine, 'ab_rmse')} ({gray:.2f})"]
        lines.append(f"| {name} | {images:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _mean(rows: list[dict[str, Any]], key: str) -> str:
    values = [row[key] for row in rows]
    spread = f" ± {(max(values) - min(values)) / 2:.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


def page(rows: list[dict[str, Any]]) -> str:
    """The page of both tables."""
    tables = {name: table([row for row in rows if row["table"] == name], TABLES[name][0]) for name in TABLES}
    return PAGE.format(**tables)


def main(data: Path, runs: Path) -> None:
    """Train what is not trained yet, and write the tables."""
    log = runs / "gates.jsonl"
    runs.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
    known = {(row["table"], row["variant"], row["seed"]) for row in rows}
    for name, (variants, budget, seeds) in TABLES.items():
        for seed in seeds:
            for variant, change in variants.items():
                if (name, variant, seed) in known:
                    continue
                row = measure(variant, change, seed, budget=budget, data=data, runs=runs / name)
                rows.append({"table": name, **row})
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    Path("docs/gates.md").write_text(page(rows), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
