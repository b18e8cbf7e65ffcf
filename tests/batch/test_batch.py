"""Batches: which file becomes which, what is skipped, what fails; and kills, after which nothing is lost or torn."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from PIL import ExifTags, Image
from typer.testing import CliRunner

import hybridcolor
from hybridcolor import colorize, read_image, tiles
from hybridcolor.batch import Recipe, Task, plan_tasks, run_batch
from hybridcolor.batch.results import NAME, FileLines
from hybridcolor.batch.workers import Job, colorize_task
from hybridcolor.cli import app
from hybridcolor.errors import HybridColorError, ImageError, MethodError, ModelError
from hybridcolor.imagefiles import open_bands, write_image
from hybridcolor.predict import load_predictor
from hybridcolor.predict.weights import find_model
from hybridcolor.seedfiles import read_seeds
from tests.batch.common import (
    COUNT,
    KILLS,
    RECIPE,
    arguments,
    command,
    contents,
    lines,
    make,
    run_here,
    wait_until_done,
)


def test_folders_are_mirrored_and_any_number_of_processes_gives_the_same(pictures, expected, tmp_path):
    outcome = run_batch(plan_tasks([pictures], RECIPE, tmp_path), tmp_path, RECIPE, workers=3)
    assert outcome.done == COUNT
    assert contents(tmp_path) == expected
    assert set(expected) == {f"box{number % 3}/p{number}.png" for number in range(COUNT)}
    assert {line["target"] for line in lines(tmp_path)} == set(expected)


def test_what_is_done_is_skipped_by_content_and_recipe(tmp_path):
    source, folder = make(tmp_path / "in", 4), tmp_path / "out"

    def again(recipe=RECIPE):
        outcome = run_here(plan_tasks([source], recipe, folder), folder, recipe)
        return outcome.done, outcome.skipped

    assert again() == (4, 0)
    assert again() == (0, 4)
    os.utime(source / "box0" / "p0.png", ns=(1, 1))  # newer or older, but the same
    assert again() == (0, 4)
    Image.fromarray(np.full((24, 24), 90, np.uint8)).save(source / "box0" / "p0.png")
    assert again() == (1, 3)
    (source / "box1" / "p1.seeds.png").unlink()
    assert again() == (0, 3)  # without scribbles and without a network it fails
    (folder / "box2" / "p2.png").unlink()
    assert again()[0] == 1
    other = Recipe(model="none", method="watershed")
    assert again(other) == (3, 0)
    assert again() == (3, 0)  # what lies there is by the other recipe


def test_a_picture_that_is_a_folder_is_done_anew_when_something_deep_in_it_changes(tmp_path):
    rng, folder = np.random.default_rng(0), tmp_path / "out"
    source, other = tmp_path / "p.zarr", tmp_path / "other.zarr"
    for path in (source, other):
        write_image(path, rng.integers(0, 255, (24, 24), np.uint8))
    make(tmp_path, 1)
    task = Task(str(source), "p.png", str(tmp_path / "box0" / "p0.seeds.png"))

    def again():
        outcome = run_here([task], folder, RECIPE)
        assert outcome.failures == []
        return outcome.done, (folder / "p.png").read_bytes()

    (_, first), (done, same) = again(), again()
    assert (done, same) == (0, first)
    for path in (path for path in other.rglob("*") if path.is_file()):
        (source / path.relative_to(other)).write_bytes(path.read_bytes())
    done, changed = again()
    assert done == 1
    assert changed != first


def test_what_is_hidden_is_passed_over_and_what_cannot_be_listed_is_a_failure(tmp_path, monkeypatch):
    source, folder = make(tmp_path / "in", 3), tmp_path / "out"
    (source / "box1").rename(source / ".Trash-1000")
    Image.new("L", (9, 9)).save(source / "box0" / "._p0.png")
    closed, scandir = str(source / "box2"), os.scandir

    def forbidding(path):
        if str(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidding)
    tasks = list(plan_tasks([source], RECIPE, folder))
    assert [(task.source, task.target) for task in tasks] == [
        (str(source / "box0" / "p0.png"), "box0/p0.png"),
        (closed, "box2/box2.png"),
    ]
    outcome = run_here(tasks, folder, RECIPE)
    assert (outcome.done, [name for name, _ in outcome.failures]) == (1, [closed])


def test_ome_zarr_in_folders_is_a_picture_and_told_from_another(tmp_path):
    source, folder, recipe = tmp_path / "in" / "box", tmp_path / "out", Recipe()
    source.mkdir(parents=True)
    gray = np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)

    def again(pixels):
        write_image(tmp_path / "new.zarr", pixels)
        shutil.rmtree(source / "slide.zarr", ignore_errors=True)
        (tmp_path / "new.zarr").rename(source / "slide.zarr")
        outcome = run_here(plan_tasks([source.parent], recipe, folder), folder, recipe)
        assert not outcome.failures
        return outcome.done, outcome.skipped

    assert again(gray) == (1, 0)
    assert again(gray) == (0, 1)
    assert again(255 - gray) == (1, 0)
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*.png")] == ["box/slide.png"]


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp", ".tif", ".ome.tif"])
def test_an_output_says_how_it_was_made(pictures, ending, tmp_path):
    recipe = Recipe(model="none", method="chrominance", options={"k": 2}, name="{stem}" + ending)
    source, seeds = pictures / "box0" / "p0.png", pictures / "box0" / "p0.seeds.png"
    run_here([Task(str(source), "out" + ending, str(seeds))], tmp_path, recipe)
    with Image.open(tmp_path / ("out" + ending)) as image:
        name, version, details = image.getexif()[ExifTags.Base.Software].split(" ", 2)
    assert (name, version) == ("hybridcolor", hybridcolor.__version__)
    expected = {
        "method": "chrominance",
        "model": "none",
        "options": {"k": 2},
        "vividness": recipe.vividness,
        "caution": 0,
    }
    assert json.loads(details) == expected | {"seeds_sha256": hashlib.sha256(seeds.read_bytes()).hexdigest()}


def test_the_network_is_named_by_its_checksum():
    assert f'"weights_sha256": "{find_model("default").sha256}"' in Recipe().note()


def test_a_large_picture_goes_by_tiles(tmp_path, monkeypatch):
    """By its size alone; scribbles and options of the method have it done at once."""
    monkeypatch.setattr(tiles, "TILES_FROM", 24 * 24)
    monkeypatch.setattr(tiles, "SMALL", 10_000)
    source, predictor, recipe = make(tmp_path, 1, side=25) / "box0" / "p0.png", load_predictor(), Recipe()

    def made(task, recipe, predictor):
        assert "error" not in colorize_task(task, Job(recipe, tmp_path / "out"), predictor)
        with Image.open(tmp_path / "out" / task.target) as image:
            return np.asarray(image), json.loads(image.getexif()[ExifTags.Base.Software].split(" ", 2)[2])

    found, told = made(Task(str(source), "tiles.png"), recipe, predictor)
    assert told["tiles"]
    with open_bands(source) as bands:
        tiles.write_tiles(tmp_path / "expected.png", tiles.colorize_bands(bands, predictor=predictor))
    np.testing.assert_array_equal(found, np.asarray(Image.open(tmp_path / "expected.png")))
    scribbled = Task(str(source), "scribbled.png", str(source.with_name("p0.seeds.png")))
    assert "tiles" not in made(scribbled, RECIPE, None)[1]
    assert "tiles" not in made(Task(str(source), "options.png"), Recipe(options={"reach": 2.0}), predictor)[1]


def test_options_of_a_recipe_are_the_methods(pictures, expected, tmp_path):
    narrow = Recipe(model="none", method="chrominance", options={"k": 1})
    assert narrow.key() != RECIPE.key()
    run_here(plan_tasks([pictures / "box0" / "p0.png"], narrow, tmp_path), tmp_path, narrow)
    direct = colorize(
        read_image(pictures / "box0" / "p0.png"),
        scribbles=read_seeds(pictures / "box0" / "p0.seeds.png", read_image(pictures / "box0" / "p0.png")),
        method="chrominance",
        k=1,
    )
    with Image.open(tmp_path / "p0.png") as image:
        np.testing.assert_array_equal(np.asarray(image), direct.to_rgb())


def test_failures_are_listed_and_the_rest_goes_on(tmp_path):
    source, folder = make(tmp_path / "in", 3), tmp_path / "out"
    (source / "box0" / "bad.png").write_bytes(b"no picture")
    (source / "box1" / "p1.tif").write_bytes((source / "box1" / "p1.png").read_bytes())  # would become p1.png too
    outcome = run_batch(plan_tasks([source], RECIPE, folder), folder, RECIPE, workers=2)
    assert outcome.done == 3
    with (folder / "failures.csv").open(newline="") as file:
        rows = {Path(row["source"]).name: row["error"] for row in csv.DictReader(file)}
    assert set(rows) == {"bad.png", "p1.tif"}
    assert "another picture" in rows["p1.tif"]
    (source / "box0" / "bad.png").unlink()
    (source / "box1" / "p1.tif").unlink()
    run_here(plan_tasks([source], RECIPE, folder), folder, RECIPE)
    assert not (folder / "failures.csv").exists()


@pytest.fixture
def listed(tmp_path):
    """Makes a list beside three pictures, and gives the tasks that it stands for."""
    source = make(tmp_path / "in", 3)

    def tasks(name, content):
        (source / name).write_text(content)
        return list(plan_tasks([source / name], RECIPE, tmp_path / "out"))

    return tasks


def test_a_list_names_pictures_and_may_name_outputs(listed, tmp_path):
    found = listed("list.csv", "path,output\nbox0/p0.png,deep/first.png\nbox1/p1.png,\n")
    assert [(task.target, Path(task.seeds).name) for task in found] == [
        ("deep/first.png", "p0.seeds.png"),
        ("p1.png", "p1.seeds.png"),
    ]
    found = listed("list.jsonl", '{"path": "box0/p0.png"}\n{"path": "box2/p2.png"}\n')
    assert [task.target for task in found] == ["p0.png", "p2.png"]
    table = pyarrow.table({"path": ["box0/p0.png", "box2/p2.png"], "output": ["a.png", None]})
    pyarrow.parquet.write_table(table, tmp_path / "in" / "list.parquet")
    found = plan_tasks([tmp_path / "in" / "list.parquet"], RECIPE, tmp_path / "out")
    assert [task.target for task in found] == ["a.png", "p2.png"]


def test_blank_lines_of_a_list_count_for_nothing_and_one_output_has_one_name(listed):
    (task,) = listed("spaced.csv", "path,output\n\nbox0/p0.png,./a//b.png\n\n")
    assert task.target == "a/b.png"


def test_a_pattern_stands_for_the_files_that_fit_it(pictures, tmp_path):
    found = [task.source for task in plan_tasks([f"{pictures}/**/p1*.png"], RECIPE, tmp_path)]
    assert f"{pictures}/box1/p1.png" in found
    assert all(Path(source).name.startswith("p1") for source in found)


def test_the_folders_of_a_pattern_are_mirrored(pictures, tmp_path):
    (inner,) = {task.target for task in plan_tasks([f"{pictures}/b*1/p1.png"], RECIPE, tmp_path)}
    assert inner.startswith("box1/p1")
    (flat,) = {task.target for task in plan_tasks([f"{pictures}/box1/p1.p?g"], RECIPE, tmp_path)}
    assert "/" not in flat


def test_results_are_no_sources_of_a_pattern(tmp_path):
    source = make(tmp_path / "in", 1)
    for done in (1, 0):
        tasks = plan_tasks([f"{source}/**/p*.png"], RECIPE, source / "out")
        assert run_here(tasks, source / "out", RECIPE).done == done
    assert len(list(source.rglob("p0.png"))) == 2
    (tmp_path / "a.csv").write_text("path\nin/box0/p0.png\n")
    with pytest.raises(ImageError, match="stands for no picture"):
        list(plan_tasks([f"{tmp_path}/*.csv"], RECIPE, tmp_path / "out"))


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", "name\nx.png\n", "first line is to name the columns, path among them, .*; it is 'name'"),
        ("k.csv", "path;output\nx.png;y.png\n", "with commas between; it is 'path;output'"),
        ("m.csv", "path,output\n,y.png\n", "row 1 has no path"),
        ("b.jsonl", "{}\n[", "no path"),
        ("c.jsonl", "[", "cannot be read as a list"),
        ("d.csv", "path,output\nx.png,../x.png\n", "outside"),
        ("e.csv", "path\n\udcff", "cannot be read as a list"),
        ("f.parquet", "PAR1", "cannot be read as a list"),
        ("g.jsonl", '{"path": "x.png", "output": 3}', "no text"),
        ("h.csv", "path\nx\0.png\n", "row 1 has characters that no file's name can have"),
        ("i.jsonl", '\n{"path": "x.png", "output": "\\u0000.png"}', "row 1 has characters"),
        ("j.jsonl", '{"path": "x.png", "seeds": "\\ud800.png"}', "row 1 has characters"),
        ("l.csv", "path,output\nx.png,x.png\ny.png,y.txt\n", "row 2: output 'y.txt' is to end in one of .png"),
    ],
)
def test_a_malformed_list_is_told(tmp_path, name, content, complaint):
    (tmp_path / name).write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ImageError, match=complaint):
        list(plan_tasks([tmp_path / name], RECIPE, tmp_path / "out"))


def test_parquet_is_checked_too_and_asks_for_its_library(tmp_path, monkeypatch):
    pyarrow.parquet.write_table(pyarrow.table({"path": [1, 2]}), tmp_path / "a.parquet")
    with pytest.raises(ImageError, match="no path"):
        list(plan_tasks([tmp_path / "a.parquet"], RECIPE, tmp_path / "out"))
    monkeypatch.setattr("hybridcolor.batch.plan.find_spec", lambda _: None)
    with pytest.raises(ImageError, match=r"pip install 'hybridcolor\[parquet\]'"):
        list(plan_tasks([tmp_path / "a.parquet"], RECIPE, tmp_path / "out"))


def test_a_source_that_stands_for_nothing_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    for source, complaint in (
        (tmp_path / "nothing", "no such file"),
        ("no*thing.png", "no such file"),
        (tmp_path / "empty", "no image in this folder"),
    ):
        with pytest.raises(ImageError, match=complaint):
            list(plan_tasks([source], RECIPE, tmp_path / "out"))


def test_a_pipe_is_no_list(tmp_path):
    """Or reading it would wait for ever."""
    os.mkfifo(tmp_path / "a.csv")
    (task,) = plan_tasks([tmp_path / "a.csv"], RECIPE, tmp_path / "out")
    assert task.target == "a.png"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("model = 3", MethodError),
        ("model = 'nobody'", ModelError),
        ("method = 'magic'", MethodError),
        ("vividness = 2", MethodError),
        ("vividness = true", MethodError),
        ("name = 'x.png'", MethodError),
        ("options = 3", MethodError),
        ("[options]\nmagic = 1", MethodError),
        ("[options]\nprior = 1", MethodError),
        ("[options]\nreach = 'far'", MethodError),
        ("name = '../{stem}.png'", MethodError),
        ("name = '{stem}.doc'", MethodError),
        ('name = "{stem}\\u0000.png"', MethodError),
        ("colour = 1", MethodError),
        ("= 1", MethodError),
    ],
)
def test_bad_recipes_are_told(text, error, tmp_path):
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(error):
        Recipe.read(tmp_path / "recipe.toml")
    with pytest.raises(MethodError, match="cannot be read"):
        Recipe.read(tmp_path / "nothing.toml")


def test_no_picture_is_replaced_by_its_own_colorization(tmp_path):
    source = make(tmp_path / "in", 1)
    picture = source / "box0" / "p0.png"
    before = picture.read_bytes()
    with pytest.raises(ImageError, match="folder of results"):
        list(plan_tasks([source], RECIPE, source))
    outcome = run_here([Task(str(picture), "p0.png")], picture.parent, RECIPE)
    assert "its own colorization" in outcome.failures[0][1]
    assert picture.read_bytes() == before
    inside = list(plan_tasks([source], RECIPE, source / "out"))
    run_here(inside, source / "out", RECIPE)
    assert list(plan_tasks([source], RECIPE, source / "out")) == inside


def test_a_file_that_no_batch_wrote_is_not_replaced(tmp_path):
    source, folder = make(tmp_path / "in", 2), tmp_path / "out"
    (folder / "box0").mkdir(parents=True)
    (folder / "box0" / "p0.png").write_bytes(b"mine")
    outcome = run_here(plan_tasks([source], RECIPE, folder), folder, RECIPE)
    assert outcome.done == 1
    assert "no batch wrote it" in outcome.failures[0][1]
    assert (folder / "box0" / "p0.png").read_bytes() == b"mine"
    other = Recipe(model="none", method="watershed")
    assert run_here(plan_tasks([source], other, folder), folder, other).done == 1  # its own it replaces


def test_a_result_that_a_person_has_worked_on_stays(tmp_path):
    source, folder = make(tmp_path / "in", 3), tmp_path / "out"
    run_here(plan_tasks([source], RECIPE, folder), folder, RECIPE)
    retouched = folder / "box0" / "p0.png"
    write_image(retouched, np.full((24, 24), 99, np.uint8), overwrite=True)
    before = retouched.read_bytes()
    assert run_here(plan_tasks([source], RECIPE, folder), folder, RECIPE).skipped == 3
    other = Recipe(model="none", method="watershed")
    for _ in range(2):
        outcome = run_here(plan_tasks([source], other, folder), folder, other)
        assert len(outcome.failures) == 1
        assert "p0.png: was changed since a batch wrote it, and stays; move it elsewhere" in outcome.failures[0][1]
        assert outcome.done + outcome.skipped == 2
        assert retouched.read_bytes() == before
    retouched.unlink()
    assert run_here(plan_tasks([source], other, folder), folder, other).done == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recipe.json", b'{"flour": 500}'),
        ("failures.csv", b"who,when\nme,often\n"),
        (NAME, b"my own log\nwhose last line is being wri"),
        (NAME, b"{}\n"),
    ],
)
def test_a_persons_files_are_neither_replaced_nor_cut(run, tmp_path, name, content):
    source, folder = make(tmp_path / "in", 1), tmp_path / "out"
    folder.mkdir()
    (folder / name).write_bytes(content)
    code, _, err = run("batch", source, "-o", folder)
    assert (code, err.count("\n")) == (2, 1)
    assert f"{name}: exists already, and no batch wrote it" in err
    assert [path.name for path in folder.iterdir()] == [name]
    assert (folder / name).read_bytes() == content


def test_its_own_files_that_a_kill_cut_short_are_no_persons(tmp_path):
    source, folder = make(tmp_path / "in", 1), tmp_path / "out"
    folder.mkdir()
    (folder / NAME).write_bytes(b'{"beg')
    (folder / "recipe.json").touch()
    assert run_here(plan_tasks([source], RECIPE, folder), folder, RECIPE).done == 1


def test_what_a_person_puts_where_a_stopped_batch_had_not_come_stays(tmp_path):
    source, folder = make(tmp_path / "in", 5), tmp_path / "out"
    stops = iter([False, True, True])
    first = run_here(plan_tasks([source], RECIPE, folder), folder, RECIPE, stopped=lambda: next(stops))
    assert (first.done, first.stopped) == (1, True)
    theirs = folder / "box2" / "p2.png"
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_bytes(b"a person's")
    second = run_here(plan_tasks([source], RECIPE, folder), folder, RECIPE)
    assert (second.done, second.skipped) == (3, 1)
    assert second.failures == [
        (f"{source}/box2/p2.png", f"{theirs}: exists already, and no batch wrote it"),
    ]
    assert theirs.read_bytes() == b"a person's"


def test_what_a_person_did_to_a_result_stays_though_a_batch_failed_at_it_meanwhile(tmp_path):
    source, folder = make(tmp_path / "in", 3), tmp_path / "out"
    other = Recipe(model="none", method="watershed")
    run_here(plan_tasks([source], RECIPE, folder), folder, RECIPE)
    scribbles = source / "box1" / "p1.seeds.png"
    kept = scribbles.read_bytes()
    scribbles.write_bytes(b"broken")
    assert len(run_here(plan_tasks([source], other, folder), folder, other).failures) == 1
    theirs = folder / "box1" / "p1.png"
    theirs.write_bytes(theirs.read_bytes() + b"retouched")
    scribbles.write_bytes(kept)
    ((_, why),) = run_here(plan_tasks([source], other, folder), folder, other).failures
    assert "was changed since a batch wrote it" in why
    assert theirs.read_bytes().endswith(b"retouched")


def test_who_works_for_a_batch_that_was_killed_writes_nothing(tmp_path, monkeypatch):
    source = make(tmp_path / "in", 1)
    (task,) = plan_tasks([source], RECIPE, tmp_path / "out")
    killed = type("Killed", (), {"is_alive": lambda _self: False})()
    monkeypatch.setattr("hybridcolor.batch.workers.parent_process", lambda: killed)
    assert "has died" in colorize_task(task, Job(RECIPE, str(tmp_path / "out")), None)["error"]
    assert not list(tmp_path.glob("out/**/*.png"))


def test_two_batches_do_not_write_to_one_folder(tmp_path):
    def nested(_):
        with pytest.raises(HybridColorError, match="another batch"):
            run_here([], tmp_path / "out", RECIPE)

    source = make(tmp_path / "in", 1)
    run_here(plan_tasks([source], RECIPE, tmp_path / "out"), tmp_path / "out", RECIPE, progress=nested)


def test_after_kills_nothing_is_lost_torn_or_different(pictures, expected, recipe, tmp_path):
    folder, rng = tmp_path / "out", np.random.default_rng(0)
    for number in range(KILLS):
        process = subprocess.Popen(
            command(pictures, folder, recipe),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until_done(folder, (number + rng.uniform()) * COUNT / (KILLS + 1), process)
        time.sleep(rng.uniform(0, 0.01))
        with suppress(ProcessLookupError):  # it was quick, and is done
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for name, found in contents(folder).items() if folder.exists() else ():
            assert found == expected[name]
    finished = subprocess.run(command(pictures, folder, recipe), capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert contents(folder) == expected
    assert not [path for path in folder.rglob(".*") if path.is_file()]
    assert {line["target"] for line in lines(folder)} == set(expected)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", [b'"begun"', b'"target"'])
def test_a_request_to_end_finishes_what_is_under_way(run, pictures, expected, recipe, moment, number, tmp_path):
    """To all processes, as a terminal does it; those of the workers may be in the midst of starting."""
    folder = tmp_path / "out"
    process = subprocess.Popen(
        command(pictures, folder, recipe), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    journal = folder / NAME
    while not journal.exists() or moment not in journal.read_bytes():
        time.sleep(0.002)
    time.sleep(0.2)
    os.killpg(process.pid, number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert told == "stopped; the same command goes on\n"
    assert {line["target"] for line in lines(folder)} == set(contents(folder))
    assert run(*arguments(pictures, folder, recipe, ()))[0] == 0
    assert contents(folder) == expected


def test_a_journal_that_cannot_be_written_ends_a_batch_in_one_line(pictures, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileLines, "sync", full)
    with pytest.raises(ImageError, match=r"out: cannot be written \(No space left.*the same command goes on"):
        run_batch(plan_tasks([pictures], RECIPE, tmp_path / "out"), tmp_path / "out", RECIPE)


def test_a_full_disk_is_one_line(run, pictures, recipe, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileLines, "sync", full)
    code, _, err = run("batch", pictures, "-o", tmp_path / "out", "--recipe", recipe)
    assert code == 2
    assert [line[:12] for line in err.split("\n")] == ["hybridcolor:", ""]


def test_where_signals_cannot_be_held_back_a_batch_works_all_the_same(tmp_path, monkeypatch):
    """As on Windows, which has neither these nor fcntl."""
    monkeypatch.delattr(signal, "pthread_sigmask")
    source, folder = make(tmp_path / "in", 1), tmp_path / "out"
    assert run_batch(plan_tasks([source], RECIPE, folder), folder, RECIPE).done == 1
    without = "import sys; sys.modules['fcntl'] = None; import hybridcolor.batch"
    assert subprocess.run([sys.executable, "-c", without], check=False).returncode == 0


def test_a_damaged_journal_costs_work_at_most(pictures, expected, tmp_path):
    run_here(plan_tasks([pictures], RECIPE, tmp_path), tmp_path, RECIPE)
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'\0\xff\n[]\nnull\n{"begun": [1, null, "x\\u0000"]}\n{"begun": {}}\n{"begun": 3}\n')
        file.write(b'{"target": 3, "recipe": []}\n{')
    assert run_here(plan_tasks([pictures], RECIPE, tmp_path), tmp_path, RECIPE).skipped == COUNT
    assert contents(tmp_path) == expected


@pytest.mark.parametrize("make_odd", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/full")])
def test_a_journal_that_is_no_file_is_told(pictures, make_odd, tmp_path):
    make_odd(tmp_path / NAME)  # the last is full to write to, and never ends to read
    with pytest.raises(ImageError, match="is not an ordinary file"):
        run_batch(plan_tasks([pictures], RECIPE, tmp_path), tmp_path, RECIPE)


def test_a_failure_names_the_file_that_is_at_fault(tmp_path):
    source, folder = make(tmp_path / "in", 1) / "box0" / "p0.png", tmp_path / "out"
    tasks = [
        Task(str(source), "a.png", str(tmp_path / "nothing.json")),
        Task(str(source), "a" * 300 + ".png"),
        Task(str(tmp_path / "nothing.png"), "b.png"),
    ]
    outcome = run_here(tasks, folder, RECIPE)
    assert sorted(why.replace(str(tmp_path), "") for _, why in outcome.failures) == [
        "/nothing.json: No such file or directory",
        "/nothing.png: No such file or directory",
        f"/out/{'a' * 300}.png: File name too long",
    ]


def test_a_process_that_dies_is_replaced_and_a_picture_that_kills_is_given_up(tmp_path, monkeypatch):
    source = make(tmp_path / "in", 4)
    monkeypatch.setenv("HYBRIDCOLOR_TEST_POISON", "p2.png")
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "poison"))
    monkeypatch.setenv("PYTHONPATH", f"{Path(__file__).parent / 'poison'}:{os.environ.get('PYTHONPATH', '')}")
    outcome = run_batch(plan_tasks([source], RECIPE, tmp_path / "out"), tmp_path / "out", RECIPE, workers=2)
    assert outcome.done == 3
    ((name, why),) = outcome.failures
    assert name.endswith("p2.png")
    assert "2 processes died of it" in why


def test_the_command_line(tmp_path, recipe):
    source, runner = make(tmp_path / "in", 3), CliRunner()
    args = arguments(source, tmp_path / "out", recipe, ())
    done = runner.invoke(app, args, catch_exceptions=False)
    assert done.exit_code == 0
    assert "3 done, 0 were done before" in done.output
    assert "0 done, 3 were done before" in runner.invoke(app, args, catch_exceptions=False).output
    (source / "broken.png").write_bytes(b"")
    failed = runner.invoke(app, args, catch_exceptions=False)
    assert failed.exit_code == 1
    assert "1 failed: see" in failed.output
