"""What the tests of batches share: pictures, the recipe they are coloured by, and how results are looked at."""

from __future__ import annotations

import json
import os
import sys
import time

import numpy as np
from PIL import Image

from hybridcolor.batch import Recipe, run_batch
from hybridcolor.batch.results import NAME
from hybridcolor.batch.workers import colorize_task
from hybridcolor.groundwork import load_model

RECIPE = Recipe(model="none", method="chrominance")
COUNT = int(os.environ.get("HYBRIDCOLOR_BATCH", "24"))
KILLS = int(os.environ.get("HYBRIDCOLOR_KILLS", "4"))


class Here:
    """Who colorizes in this process, for tests that are not of processes: each takes a second or more to start."""

    def run(self, tasks, job, stopped):
        predictor = load_model(job.recipe.model)
        for task in tasks:
            if stopped():
                return
            yield colorize_task(task, job, predictor)


def run_here(tasks, folder, recipe, **options):
    """A batch without processes of its own; parameters as of `run_batch`."""
    return run_batch(tasks, folder, recipe, workers=Here(), **options)


def make(folder, count, *, side=24):
    """Gray pictures with a scribble beside each."""
    rng = np.random.default_rng(0)
    for number in range(count):
        place = folder / f"box{number % 3}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (side, side), np.uint8)).save(place / f"p{number}.png")
        scribbles = np.zeros((side, side, 4), np.uint8)
        scribbles[3:6, 3:9] = (200, 60, number % 200, 255)
        Image.fromarray(scribbles).save(place / f"p{number}.seeds.png")
    return folder


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.png")}


def lines(folder):
    every = [json.loads(line) for line in (folder / NAME).read_text().splitlines()]
    return [line for line in every if "begun" not in line and "left" not in line]


def done(folder):
    """How many pictures the journal says are done, whatever else it holds by now."""
    path = folder / NAME
    return path.read_bytes().count(b'"stamp"') if path.exists() else 0


def wait_until_done(folder, count, process):
    while done(folder) < count and process.poll() is None:
        time.sleep(0.01)


def arguments(source, folder, recipe, options=("--workers", "2")):
    """A batch as it is written on the command line, after the program's name."""
    return ["batch", str(source), "-o", str(folder), "--recipe", str(recipe), *options]


def command(*args):
    """The same in a process of its own; parameters as `arguments`."""
    return [sys.executable, "-c", "from hybridcolor.cli import main; main()", *arguments(*args)]
