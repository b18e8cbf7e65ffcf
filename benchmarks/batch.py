"""What a batch costs beside the work itself: python -m benchmarks.batch prints the table of docs/batch.md."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from hybridcolor.batch import Recipe, Task, plan_tasks, run_batch
from hybridcolor.batch.journal import open_journal
from hybridcolor.batch.workers import Job, Record, colorize_task
from hybridcolor.imagefiles import write_image
from hybridcolor.picture import Picture

PHOTOS, SIDE = 60, 512
ROWS = 1_000_000


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def photos(folder: Path) -> list[Task]:
    """Gray photos, no two alike."""
    gray = Picture.from_array(cv2.resize(data.astronaut(), (SIDE, SIDE))).to_rgb()[..., 0]
    for number in range(PHOTOS):
        write_image(folder / f"{number}.png", np.roll(gray, number, axis=1)[..., None].repeat(3, axis=2))
    return [Task(str(folder / f"{number}.png"), f"{number}.png") for number in range(PHOTOS)]


def timed(tasks: list[Task], folder: Path, *, workers: int) -> float:
    """Seconds a picture once all processes are at work: from the tenth picture to the last."""
    moments: list[float] = []
    run_batch(tasks, folder, Recipe(), workers=workers, progress=lambda _: moments.append(time.perf_counter()))
    return (moments[-1] - moments[9]) / (len(moments) - 10)


def alone(tasks: list[Task], folder: Path) -> float:
    """Seconds a picture of the same work without a batch, in this process."""
    job = Job(Recipe(), folder)
    predictor = job.load()
    records: list[Record] = [colorize_task(task, job, predictor) for task in tasks[:10]]
    return seconds(lambda: records.extend(colorize_task(task, job, predictor) for task in tasks[10:])) / (
        len(tasks) - 10
    )


def million(folder: Path) -> Iterator[str]:
    """A list of a million rows, read, and checked against a journal that has them all."""
    recipe, listing = Recipe(), folder / "list.csv"
    listing.write_text("path\n" + "".join(f"{number % 1000}/{number}.png\n" for number in range(ROWS)))
    read = seconds(lambda: sum(1 for _ in plan_tasks([listing], recipe, folder / "out")))
    out = folder / "out"
    out.mkdir()
    with (out / "hybridcolor-batch.jsonl").open("w") as file:
        for number in range(ROWS):
            line = {"source": "", "target": f"{number}.png", "stamp": f"33544:{number}", "content": f"{number:064x}"}
            file.write(json.dumps({"begun": line["target"]}) + "\n")
            file.write(json.dumps({**line, "seconds": 0.1, "recipe": recipe.key()}) + "\n")

    def resume() -> None:
        with open_journal(out, recipe.key()):
            pass

    yield f"| a list of {ROWS:,} rows read | {read:.1f} s |"
    yield f"| a journal of {ROWS:,} pictures read | {seconds(resume):.1f} s |"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield f"| peak memory of this process meanwhile | {peak:.0f} MB |"


def main() -> None:
    """Measure and print."""
    lines = ["| what | measured |", "|---|---|"]
    with tempfile.TemporaryDirectory() as name:
        lines += million(Path(name))
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for part in ("in", "one", "two", "alone"):
            (root / part).mkdir()
        tasks = photos(root / "in")
        one, two = timed(tasks, root / "one", workers=1), timed(tasks, root / "two", workers=2)
        bare = alone(tasks, root / "alone")
    lines.append(f"| a photo of {SIDE} x {SIDE} pixels, one process, without a batch | {1000 * bare:.0f} ms |")
    lines.append(f"| in a batch of one process | {1000 * one:.0f} ms |")
    lines.append(f"| in a batch of two processes | {1000 * two:.0f} ms: {one / two:.2f} times as many |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
