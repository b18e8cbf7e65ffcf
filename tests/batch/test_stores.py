"""Batches from and to object stores: in memory, and on an S3 server; the same bytes as from folder to folder."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import time

import fsspec
import pytest
from typer.testing import CliRunner

from hybridcolor.batch import Recipe, Task, plan_tasks, run_batch
from hybridcolor.batch.results import NAME
from hybridcolor.batch.workers import colorize_task
from hybridcolor.cli import app
from hybridcolor.errors import ImageError, MethodError
from tests.batch.common import COUNT, KILLS, RECIPE, arguments, command, contents


class Here:
    """Does the work in this process, since nobody else sees its memory; can be cut off as by a kill."""

    def __init__(self, most=1 << 30):
        self.most = most

    def run(self, tasks, job, stopped):
        for number, task in enumerate(tasks):
            if number == self.most:
                raise KeyboardInterrupt
            yield colorize_task(task, job, None)


@pytest.fixture
def memory(pictures):
    """The pictures in a store that is this process's memory."""
    store = fsspec.filesystem("memory")
    store.put(f"{pictures}/", "/in/", recursive=True)
    yield store
    store.rm("/", recursive=True)


def objects(store, place):
    """The pictures below a place."""
    start = len(store._strip_protocol(place)) + 1
    return {name[start:]: store.cat_file(name) for name in store.find(place) if name.endswith(".png")}


def journal(store, place):
    text = b"".join(store.cat_file(name) for name in sorted(store.find(f"{place}/{NAME}")))
    return [line for line in map(json.loads, text.splitlines()) if "begun" not in line]


def batch(source="memory://in", folder="memory://out", recipe=RECIPE, workers=None):
    return run_batch(plan_tasks([source], recipe, folder), folder, recipe, workers=workers or Here())


def test_the_same_bytes_as_from_folder_to_folder(memory, pictures, expected, tmp_path):
    outcome = batch()
    assert (outcome.done, outcome.skipped, outcome.failures) == (COUNT, 0, [])
    assert objects(memory, "/out") == expected
    assert {line["target"] for line in journal(memory, "/out")} == set(expected)
    assert json.loads(memory.cat_file("/out/recipe.json")) == RECIPE.provenance()
    assert batch(folder=tmp_path / "out").done == COUNT
    assert contents(tmp_path / "out") == expected
    assert batch(source=pictures, folder="memory://again").done == COUNT
    assert objects(memory, "/again") == expected
    outcome = batch()
    assert (outcome.done, outcome.skipped) == (0, COUNT)


def test_what_is_done_is_skipped_by_content_and_recipe(memory):
    def again(recipe=RECIPE):
        outcome = batch("memory://in/box0", recipe=recipe)
        return outcome.done, outcome.skipped

    every = COUNT // 3
    assert again() == (every, 0)
    picture, other = memory.cat_file("/in/box0/p0.png"), memory.cat_file("/in/box1/p1.png")
    memory.pipe_file("/in/box0/p0.png", picture)  # newer, but the same
    assert again() == (0, every)
    memory.pipe_file("/in/box0/p0.png", other)
    assert again() == (1, every - 1)
    memory.rm_file("/out/p3.png")
    assert again() == (1, every - 1)
    memory.pipe_file("/in/box0/p0.seeds.png", memory.cat_file("/in/box0/p3.seeds.png"))
    assert again() == (1, every - 1)
    assert again(Recipe(model="none", method="watershed")) == (every, 0)


@pytest.mark.parametrize(("most", "lines_kept"), [(1, False), (7, True), (COUNT - 1, False)])
def test_a_batch_that_is_cut_off_goes_on(memory, expected, most, lines_kept, monkeypatch):
    """After a kill the lines of the last half minute are missing too: nothing puts them on the way out."""
    monkeypatch.setattr("hybridcolor.batch.results._SECONDS", 0.0 if lines_kept else 1e9)
    with pytest.raises(KeyboardInterrupt):
        batch(workers=Here(most))
    there = objects(memory, "/out")
    assert len(there) == most
    outcome = batch()
    assert outcome.failures == []
    assert outcome.skipped == (most if lines_kept else 0)
    assert objects(memory, "/out") == expected
    assert {line["target"] for line in journal(memory, "/out")} == set(expected)


def test_a_persons_objects_are_not_replaced(memory):
    memory.pipe_file("/out/recipe.json", b'{"flour": 500}')
    with pytest.raises(ImageError, match=r"out/recipe\.json: exists already, and no batch wrote it"):
        batch()
    assert memory.cat_file("/out/recipe.json") == b'{"flour": 500}'
    assert memory.find("/out") == ["/out/recipe.json"]


def test_lists_patterns_and_recipes_lie_in_a_store_too(memory, expected):
    memory.pipe_file("/in/recipe.toml", b'model = "none"\nmethod = "chrominance"\n')
    assert Recipe.read("memory://in/recipe.toml") == RECIPE
    memory.pipe_file("/in/list.csv", b"path,output\nbox0/p0.png,deep/first.png\nmemory://in/box1/p1.png,\nno.png,\n")
    listed = list(plan_tasks(["memory://in/list.csv"], RECIPE, "memory://out"))
    assert [(task.source, task.target, task.seeds) for task in listed] == [
        ("memory:///in/box0/p0.png", "deep/first.png", "memory:///in/box0/p0.seeds.png"),
        ("memory://in/box1/p1.png", "p1.png", "memory://in/box1/p1.seeds.png"),
        ("memory:///in/no.png", "no.png", None),
    ]
    outcome = batch("memory://in/list.csv")
    assert outcome.done == 2
    ((name, why),) = outcome.failures
    assert name == "memory:///in/no.png"
    assert "no such bucket or object" in why
    assert memory.cat_file("/out/deep/first.png") == expected["box0/p0.png"]
    (row,) = csv.DictReader(io.StringIO(memory.cat_file("/out/failures.csv").decode()))
    assert row["error"] == why
    found = [task.source for task in plan_tasks(["memory://in/**/p1*.png"], RECIPE, "memory://out")]
    assert found == sorted(f"memory:///in/{name}" for name in expected if name.split("/")[1].startswith("p1"))
    single = list(plan_tasks(["memory://in/box2/p2.png"], RECIPE, "memory://out"))
    assert [task.target for task in single] == ["p2.png"]


def test_results_are_no_sources_and_foreign_objects_stay(memory):
    memory.pipe_file("/in/box0/p9.png", b"no picture")
    inside = list(plan_tasks(["memory://in"], RECIPE, "memory://in/out"))
    outcome = batch(folder="memory://in/out")
    ((name, why),) = outcome.failures
    assert name == "memory:///in/box0/p9.png"
    assert why.startswith("cannot read memory:///in/box0/p9.png: ")
    assert [task._replace(stamp=None) for task in plan_tasks(["memory://in"], RECIPE, "memory://in/out")] == [
        task._replace(stamp=None) for task in inside
    ]
    for source in ("memory://in/out", "memory://in/out/box0"):
        with pytest.raises(ImageError, match="lies in the folder of results"):
            list(plan_tasks([source], RECIPE, "memory://in/out/"))
    memory.pipe_file("/other/p0.png", b"mine")
    assert "no batch wrote it" in batch("memory://in/box0/p0.png", "memory://other").failures[0][1]
    assert memory.cat_file("/other/p0.png") == b"mine"
    own = run_batch([Task("memory:///in/box0/p0.png", "p0.png")], "memory://in/box0", RECIPE, workers=Here())
    assert "its own colorization" in own.failures[0][1]


def test_what_a_store_cannot_hold_or_does_not_have_is_one_line(memory, monkeypatch):
    folders = Recipe(model="none", method="chrominance", name="{stem}.zarr")
    outcome = batch("memory://in/box0/p0.png", recipe=folders)
    assert "memory:///out/p0.zarr: is a folder of files" in outcome.failures[0][1]
    with pytest.raises(ImageError, match=r"no such file, folder or pattern"):
        list(plan_tasks(["memory://nothing"], RECIPE, "memory://out"))
    memory.pipe_file("/texts/a.txt", b"text")
    with pytest.raises(ImageError, match="no image in this folder"):
        list(plan_tasks(["memory://texts"], RECIPE, "memory://out"))
    with pytest.raises(ImageError, match="no driver for nowhere:// is installed"):
        list(plan_tasks(["nowhere://scans"], RECIPE, "memory://out"))
    fsspec.register_implementation("far", "far_fs.Far", errtxt="Install far_fs")
    with pytest.raises(ImageError, match=r"no driver for far:// is installed \(Install far_fs\)"):
        list(plan_tasks(["far://scans"], RECIPE, "memory://out"))
    with pytest.raises(ImageError, match="no such bucket or object"):
        Recipe.read("memory://nothing.toml")
    monkeypatch.setattr("hybridcolor.batch.stores.find_spec", lambda _: None)
    with pytest.raises(ImageError, match=r"pip install 'hybridcolor\[remote\]'"):
        list(plan_tasks(["memory://in"], RECIPE, "memory://out"))


def on_s3(bucket):
    """Source, results and recipe."""
    return f"{bucket}/in", f"{bucket}/out", f"{bucket}/recipe.toml"


@pytest.fixture
def scans(bucket, pictures):
    """A bucket of pictures and a recipe."""
    store = fsspec.filesystem("s3")
    store.put(f"{pictures}/", f"{bucket}/in/", recursive=True)
    store.pipe_file(f"{bucket}/recipe.toml", b'model = "none"\nmethod = "chrominance"\n')
    return bucket


def test_a_batch_on_s3_whose_processes_are_killed_goes_on(scans, expected):
    store = fsspec.filesystem("s3", use_listings_cache=False, skip_instance_cache=True)
    kills = max(KILLS // 20, 1)
    for number in range(1, kills + 1):
        process = subprocess.Popen(command(*on_s3(scans)), start_new_session=True, stderr=subprocess.PIPE, text=True)
        while len(store.find(f"{scans}/out")) < number * COUNT // (kills + 1) and process.poll() is None:
            time.sleep(COUNT / 1200)  # asking costs as much as there are
        os.killpg(process.pid, signal.SIGKILL)
        _, told = process.communicate()
        assert process.returncode == -signal.SIGKILL, told
        for name, found in objects(store, f"{scans}/out").items():
            assert found == expected[name]
    finished = CliRunner().invoke(app, arguments(*on_s3(scans), ("--workers", "1")))
    assert finished.exit_code == 0, finished.exception
    assert objects(store, f"{scans}/out") == expected
    assert {line["target"] for line in journal(store, f"{scans}/out")} == set(expected)
    again = CliRunner().invoke(app, arguments(*on_s3(scans)), catch_exceptions=False)
    assert f"0 done, {COUNT} were done before" in again.output
    assert {name.rpartition("/")[2] for name in store.ls(f"{scans}/out")} == {
        "box0", "box1", "box2", NAME, "recipe.json"
    }  # fmt: skip


def test_what_s3_refuses_is_one_line(scans, monkeypatch):
    def told(*args):
        result = CliRunner().invoke(app, ["batch", *args])
        assert isinstance(result.exception, (ImageError, MethodError))
        assert "\n" not in str(result.exception)
        return str(result.exception)

    recipe = ("--recipe", f"{scans}/recipe.toml")
    assert "no such" in told("s3://no-such-bucket/in", "-o", f"{scans}/out", *recipe)
    assert "no such bucket" in told(f"{scans}/in/box0/p0.png", "-o", "s3://no-such-bucket/out", *recipe)
    assert "no such bucket or object" in told(f"{scans}/in", "-o", f"{scans}/out", "--recipe", f"{scans}/no.toml")

    monkeypatch.setattr("moto.settings.INITIAL_NO_AUTH_ACTION_COUNT", 0.0)  # from now on credentials are looked at
    assert "no permission" in told(f"{scans}/in/box0/p0.png", "-o", f"{scans}/out")


def test_an_object_that_vanishes_is_a_failure_and_the_rest_goes_on(memory):
    tasks = list(plan_tasks(["memory://in"], RECIPE, "memory://out"))
    memory.rm_file("/in/box0/p0.png")
    outcome = run_batch(tasks, "memory://out", RECIPE, workers=Here())
    assert outcome.done == COUNT - 1
    assert [name for name, _ in outcome.failures] == ["memory:///in/box0/p0.png"]
