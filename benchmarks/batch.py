"""What a batch costs beside the work itself: python -m benchmarks.batch prints the table of docs/batch.md."""

from __future__ import annotations

import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path

import cv2
import numpy as np
import psutil
from skimage import data

from hybridcolor.batch import Outcome, Recipe, Task, Workers, plan_tasks, run_batch
from hybridcolor.batch.journal import open_journal, stamp
from hybridcolor.batch.results import results_at
from hybridcolor.batch.workers import Job, Record, colorize_task
from hybridcolor.distributed import connect
from hybridcolor.imagefiles import write_image
from hybridcolor.picture import Picture
from hybridcolor.seedfiles import write_seeds
from hybridcolor.seeds import Seeds

PHOTOS, SIDE = 60, 512
ROWS, FILES, SMALL = 1_000_000, 100_000, 500
PHOTO = Recipe()


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def cpu(work: Callable[[], object]) -> float:
    """How long something takes this process, whatever else the machine does."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def photos(folder: Path) -> list[Task]:
    """Gray photos, no two alike."""
    gray = Picture.from_array(cv2.resize(data.astronaut(), (SIDE, SIDE))).to_rgb()[..., 0]
    for number in range(PHOTOS):
        write_image(folder / f"{number}.png", np.roll(gray, number, axis=1)[..., None].repeat(3, axis=2))
    return [Task(str(folder / f"{number}.png"), f"{number}.png") for number in range(PHOTOS)]


def timed(tasks: list[Task], folder: Path, *, workers: int) -> float:
    """Seconds a picture once all processes are at work: from the tenth picture to the last."""
    moments: list[float] = []
    run_batch(tasks, folder, PHOTO, workers=workers, progress=lambda _: moments.append(time.perf_counter()))
    return (moments[-1] - moments[9]) / (len(moments) - 10)


def alone(tasks: list[Task], folder: Path) -> float:
    """Seconds a picture of the same work without a batch, in this process."""
    job = Job(PHOTO, folder)
    predictor = job.load()
    records: list[Record] = [colorize_task(task, job, predictor) for task in tasks[:10]]
    return seconds(lambda: records.extend(colorize_task(task, job, predictor) for task in tasks[10:])) / (
        len(tasks) - 10
    )


def million(folder: Path) -> Iterator[str]:
    """A list of a million rows, and a journal that has them all."""
    listing, out = folder / "list.csv", folder / "out"
    listing.write_text("path\n" + "".join(f"{number % 1000}/{number}.png\n" for number in range(ROWS)))
    read = cpu(lambda: sum(1 for _ in plan_tasks([listing], PHOTO, out)))
    key = PHOTO.key()
    write_journal(
        out, ({"source": "", "target": f"{n}.png", "stamp": f"33544:{n}", "recipe": key} for n in range(ROWS))
    )

    def resume() -> None:
        with open_journal(results_at(out), key):
            pass

    yield f"| a list of {ROWS:,} rows read (the command reads it twice: to count, and to work) | {read:.1f} s of CPU |"
    yield f"| a journal of {ROWS:,} pictures read, to go on | {cpu(resume):.1f} s of CPU |"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield f"| peak memory of this process meanwhile | {peak:.0f} MB |"


def write_journal(out: Path, records: Iterator[Record]) -> None:
    """As a batch writes it."""
    out.mkdir()
    with (out / "hybridcolor-batch.jsonl").open("w") as file:
        while lot := list(islice(records, 16)):
            file.write(json.dumps({"begun": [record["target"] for record in lot]}) + "\n")
            file.writelines(json.dumps({**each, "content": f"{0:064x}", "seconds": 0.1}) + "\n" for each in lot)


def looked_over(folder: Path) -> Iterator[str]:
    """A batch that is all done, of files that are there."""
    (folder / "in").mkdir()
    for number in range(FILES):
        (folder / "in" / f"{number}.png").touch()
    tasks, key = list(plan_tasks([folder / "in"], PHOTO, folder / "out")), PHOTO.key()
    write_journal(folder / "out", ({**task._asdict(), "stamp": stamp(task), "recipe": key} for task in tasks))
    for task in tasks:
        (folder / "out" / task.target).touch()
    took = cpu(lambda: run_batch(plan_tasks([folder / "in"], PHOTO, folder / "out"), folder / "out", PHOTO))
    yield f"| {FILES:,} files on the disk, all done, gone over | {took:.1f} s of CPU |"


def dask(folder: Path) -> Iterator[str]:
    """Small pictures by two processes and by two dask workers, in CPU time: waiting costs nothing."""
    gray, recipe = data.camera(), Recipe(model="none", method="chrominance")
    for number in range(SMALL):
        write_image(folder / f"{number}.png", gray[number % 400 : number % 400 + 24, :24])
    write_seeds(folder / "seeds.json", Seeds.of([[4, 4]], [[30.0, 20.0]]), Picture.from_array(gray[:24, :24]))
    tasks = [Task(str(folder / f"{n}.png"), f"{n}.png", str(folder / "seeds.json")) for n in range(SMALL)]

    def spent(out: Path, workers: int | Workers) -> float:
        spent: list[float] = []

        def note(outcome: Outcome) -> None:
            if outcome.done in (SMALL // 5, SMALL):
                spent.append(cpu_seconds())

        run_batch(tasks, out, recipe, workers=workers, progress=note)
        return (spent[1] - spent[0]) / (SMALL - SMALL // 5)

    plain = spent(folder / "plain", 2)
    with connect(cluster="local:2") as cluster:
        tasked = spent(folder / "dask", cluster)
    yield f"| CPU for a picture of 24 x 24 pixels, all processes of a batch of two | {1000 * plain:.1f} ms |"
    yield f"| of a batch of two dask workers | {1000 * tasked:.1f} ms: {1000 * (tasked - plain):+.1f} ms |"


def cpu_seconds() -> float:
    """Of this process and those that it has started and that live."""
    total = 0.0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with suppress(psutil.Error):
            total += sum(process.cpu_times()[:2])
    return total


def large(folder: Path) -> Iterator[str]:
    """A picture of 12 megapixels, enlarged from a photo, as JPEG to JPEG."""
    gray = Picture.from_array(cv2.resize(data.rocket(), (4000, 3000), interpolation=cv2.INTER_CUBIC)).to_rgb()[..., 0]
    for name, size in (("small", 200), ("large", 4000)):
        write_image(folder / f"{name}.jpg", cv2.resize(gray, (size, size * 3 // 4)))
    job = Job(PHOTO, folder)
    predictor = job.load()
    colorize_task(Task(str(folder / "small.jpg"), "warm.jpg"), job, predictor)
    took = cpu(lambda: colorize_task(Task(str(folder / "large.jpg"), "done.jpg"), job, predictor))
    yield f"| a photo of 12 megapixels, one process | {took:.1f} s of CPU |"


def measured() -> Iterator[str]:
    """The lines of the table, each as soon as it is known."""
    for several in (million, looked_over, dask, large, small):
        with tempfile.TemporaryDirectory() as name:
            yield from several(Path(name))


def small(root: Path) -> Iterator[str]:
    """What a batch costs beside the work itself, and what a second process brings."""
    for part in ("in", "one", "two", "alone"):
        (root / part).mkdir()
    tasks = photos(root / "in")
    one, two = timed(tasks, root / "one", workers=1), timed(tasks, root / "two", workers=2)
    bare = alone(tasks, root / "alone")
    yield f"| a photo of {SIDE} x {SIDE} pixels, one process, without a batch | {1000 * bare:.0f} ms |"
    yield f"| in a batch of one process | {1000 * one:.0f} ms |"
    yield f"| in a batch of two processes | {1000 * two:.0f} ms: {one / two:.2f} times as many |"


def main() -> None:
    """Measure and print."""
    for line in chain(["| what | measured |", "|---|---|"], measured()):
        print(line, flush=True)  # noqa: T201  # a table for people


if __name__ == "__main__":
    main()
