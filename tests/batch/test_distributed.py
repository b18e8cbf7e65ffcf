"""Batches on dask: the same bytes as one process, and workers, clusters and answers that are lost on the way."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import fsspec
import numpy as np
import pytest
from distributed import Future
from typer.testing import CliRunner

from hybridcolor.batch import plan_tasks, run_batch
from hybridcolor.batch.results import FileLines
from hybridcolor.batch.workers import Job
from hybridcolor.cli import app
from hybridcolor.distributed import colorize_lot, connect
from hybridcolor.errors import ImageError, MethodError, ModelError
from tests.batch.common import COUNT, KILLS, RECIPE, arguments, command, contents, done, lines, make, wait_until_done

LONG = COUNT > 24
POISON = Path(__file__).parent / "poison"


@pytest.fixture(scope="module")
def cluster(s3):
    """Two workers that die when they read a picture that is called poison.png."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYBRIDCOLOR_TEST_POISON", "poison.png")
        patch.setenv("PYTHONPATH", f"{POISON}:{os.environ.get('PYTHONPATH', '')}")
        with connect(cluster="local:2") as connected:
            yield connected


def kill_a_worker(cluster, rng):
    processes = cluster.client.run(os.getpid, on_error="ignore")
    if processes:
        os.kill(int(rng.choice(list(processes.values()))), signal.SIGKILL)


def test_workers_that_are_killed_leave_no_trace(cluster, pictures, expected, tmp_path):
    kills, rng, killed = max(KILLS // 8, 1), np.random.default_rng(0), 0

    def disturb(outcome):
        nonlocal killed
        if killed < kills and outcome.done > (killed + 1) * COUNT // (kills + 2):
            kill_a_worker(cluster, rng)
            killed += 1

    tasks = plan_tasks([pictures], RECIPE, tmp_path)
    outcome = run_batch(tasks, tmp_path, RECIPE, workers=cluster, progress=disturb)
    assert (outcome.done, outcome.failures, killed) == (COUNT, [], kills)
    assert contents(tmp_path) == expected
    assert {line["target"] for line in lines(tmp_path)} == set(expected)


def test_a_picture_that_kills_its_worker_is_found_among_the_others(cluster, tmp_path):
    source = make(tmp_path / "in", 12)
    (source / "box1" / "p4.png").rename(source / "box1" / "poison.png")
    (source / "box1" / "p4.seeds.png").rename(source / "box1" / "poison.seeds.png")
    tasks = sorted(
        plan_tasks([source], RECIPE, tmp_path / "out"), key=lambda task: not task.source.endswith("poison.png")
    )
    outcome = run_batch(tasks, tmp_path / "out", RECIPE, workers=replace(cluster, _size=8 if LONG else 2))
    ((name, why),) = outcome.failures
    assert name.endswith("poison.png")
    assert "2 workers died of it" in why
    assert outcome.done == 11


def test_a_lot_whose_answer_is_lost_goes_out_again(cluster, pictures, tmp_path, monkeypatch):
    lost, listen = [], Future.add_done_callback

    def deaf(future, tell):
        if len(lost) < 2:
            lost.append(future)
        else:
            listen(future, tell)

    monkeypatch.setattr(Future, "add_done_callback", deaf)
    patient = replace(cluster, patience=1.0)
    outcome = run_batch(plan_tasks([pictures / "box0"], RECIPE, tmp_path), tmp_path, RECIPE, workers=patient)
    assert (outcome.done, outcome.failures, len(lost)) == (COUNT // 3, [], 2)


def test_a_stopped_batch_finishes_the_pictures_under_way_and_goes_on(cluster, pictures, expected, tmp_path):
    so_far = []
    outcome = run_batch(
        plan_tasks([pictures], RECIPE, tmp_path),
        tmp_path,
        RECIPE,
        workers=replace(cluster, _size=4),
        stopped=lambda: bool(so_far),
        progress=lambda outcome: so_far.append(outcome.done),
    )
    assert outcome.stopped
    assert 0 < outcome.done < COUNT
    assert {line["target"] for line in lines(tmp_path)} == set(contents(tmp_path))
    run_batch(plan_tasks([pictures], RECIPE, tmp_path), tmp_path, RECIPE, workers=cluster)
    assert contents(tmp_path) == expected


def test_a_cluster_serves_the_next_batch_after_one_that_broke_off(cluster, pictures, tmp_path):
    """What was at work then is neither waited for nor sent again with the next batch's job."""

    def break_off(_):
        raise RuntimeError("no more")

    again = replace(cluster, patience=1.0)
    with pytest.raises(RuntimeError, match="no more"):
        run_batch(
            plan_tasks([pictures / "box0"], RECIPE, tmp_path / "first"),
            tmp_path / "first",
            RECIPE,
            workers=again,
            progress=break_off,
        )
    folder = tmp_path / "second"
    outcome = run_batch(plan_tasks([pictures / "box1"], RECIPE, folder), folder, RECIPE, workers=again)
    assert (outcome.done, outcome.failures) == (COUNT // 3, [])
    assert len(lines(folder)) == len(contents(folder)) == COUNT // 3


def test_a_journal_that_cannot_be_written_is_not_taken_for_a_lost_scheduler(cluster, pictures, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(FileLines, "add", full)
    with pytest.raises(ImageError, match=r"cannot be written \(No space left on device\)"):
        run_batch(plan_tasks([pictures], RECIPE, tmp_path), tmp_path, RECIPE, workers=cluster)


def test_from_store_to_store(cluster, bucket, pictures, expected):
    store = fsspec.filesystem("s3")
    store.put(f"{pictures}/box0/", f"{bucket}/in/box0/", recursive=True)
    folder = f"{bucket}/out"
    assert run_batch(plan_tasks([f"{bucket}/in"], RECIPE, folder), folder, RECIPE, workers=cluster).done == COUNT // 3
    for name in expected:
        if name.startswith("box0/"):
            assert store.cat_file(f"{folder}/{name}") == expected[name]


def test_what_a_worker_must_have_is_told(cluster, tmp_path):
    job = Job(RECIPE, tmp_path)
    with pytest.raises(ImageError, match="is not the folder of results; share it"):
        colorize_lot((), job, RECIPE.key(), "batch")
    (tmp_path / "hybridcolor-batch.jsonl").touch()
    with pytest.raises(ModelError, match="another version"):
        colorize_lot((), job, "0123", "batch")
    for wrong, complaint in (
        ({"cluster": "local:0"}, "is unknown; say local:N"),
        ({"cluster": "remote:3"}, "is unknown; say local:N"),
        ({"scheduler": "nonsense://x"}, "no dask scheduler answers"),
    ):
        with pytest.raises(MethodError, match=complaint), connect(**wrong):
            pass


def test_the_command_line_tells_what_is_missing(pictures, recipe, tmp_path, monkeypatch):
    args = arguments(pictures, tmp_path / "out", recipe, ("--cluster", "local:2"))
    both = CliRunner().invoke(app, [*args, "--scheduler", "tcp://x:1"])
    assert "choose one" in str(both.exception)
    monkeypatch.setattr("hybridcolor.cli.many.find_spec", lambda _: None)
    assert "hybridcolor[distributed]" in str(CliRunner().invoke(app, args).exception)
    assert not (tmp_path / "out").exists()


def test_scheduler_and_workers_on_tcp_of_which_one_is_killed(pictures, expected, recipe, tmp_path):
    """Three processes of their own, as on three machines; the batch goes on with the worker that is left."""
    folder, dask, started = tmp_path / "out", [sys.executable, "-m", "dask"], []

    def start(*words):
        started.append(subprocess.Popen([*dask, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True))
        return started[-1]

    try:
        place = tmp_path / "scheduler.json"
        start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(place))
        while not place.exists() or not place.read_text():
            time.sleep(0.05)
        address = json.loads(place.read_text())["address"]
        assert re.fullmatch(r"tcp://127\.0\.0\.1:\d+", address)
        workers = [start("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard") for _ in range(2)]

        def kill_one():
            wait_until_done(folder, COUNT // 3, workers[0])
            workers[0].kill()
            at.append(done(folder))

        at, killer = [], threading.Thread(target=kill_one)
        killer.start()
        told = CliRunner().invoke(app, arguments(pictures, folder, recipe, ("--scheduler", address)))
        killer.join()
        assert told.exit_code == 0, told.exception
        assert f"{COUNT} done, 0 were done before" in told.output
        assert at[0] < COUNT
        assert contents(folder) == expected
    finally:
        for process in started:
            process.kill()
            process.communicate()


def test_after_kills_of_the_whole_cluster_nothing_is_lost_torn_or_different(pictures, expected, recipe, tmp_path):
    folder, kills = tmp_path / "out", 5 if LONG else 1
    words = command(pictures, folder, recipe, ("--cluster", f"local:{2 if LONG else 1}"))
    for number in range(1, kills + 1):
        process = subprocess.Popen(words, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until_done(folder, number * COUNT // (kills + 2), process)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for name, found in contents(folder).items():
            assert found == expected[name]
    finished = CliRunner().invoke(app, words[3:])
    assert finished.exit_code == 0, finished.exception
    assert contents(folder) == expected
    assert not [path for path in folder.rglob(".*") if path.is_file()]
    assert {line["target"] for line in lines(folder)} == set(expected)
