"""Studies: the same rows whether stopped or not, and summaries that say what the rows say."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from skimage import data
from typer.testing import CliRunner

from hybridcolor.cli import app
from hybridcolor.errors import HybridColorError, ImageError, MethodError, ModelError
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.metrics import ab_rmse
from hybridcolor.picture import Picture
from hybridcolor.seeds import Seeds
from hybridcolor.study import METHODS, Plan, Table, run_study
from hybridcolor.study.scoring import score_photo
from hybridcolor.study.tables import _strokes_to, summarize
from hybridcolor.users import USERS

PLAN = Plan(("hybrid", "optimization"), users=("random",), strokes=(0, 2, 5), size=48)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "coffee", "chelsea"):
        write_image(folder / f"{name}.png", np.ascontiguousarray(getattr(data, name)()[:400:4, :400:4]))
    return sorted(folder.iterdir())


def without_seconds(rows):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


class StoppedError(Exception):
    pass


def test_a_stopped_study_goes_on(photos, tmp_path):
    def stop(done, _):
        if done == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        run_study(photos, tmp_path / "stopped", PLAN, progress=stop)
    log = tmp_path / "stopped" / "rows.jsonl"
    log.write_text(log.read_text() + '{"photo": "cut off by a k')
    seen = []
    resumed = run_study(photos, tmp_path / "stopped", PLAN, progress=lambda done, of: seen.append((done, of)))
    whole = run_study(photos, tmp_path / "whole", PLAN)
    assert seen == [(2, 3), (3, 3)]
    assert without_seconds(resumed.rows) == without_seconds(whole.rows)
    assert len(whole.rows) == 3 * 2 * 3
    kept = [json.loads(line) for line in log.read_text().splitlines()]
    assert without_seconds(kept) == without_seconds(whole.rows)


def test_two_processes_give_the_rows_of_one(photos, tmp_path):
    one = run_study(photos[:2], tmp_path / "one", PLAN)
    two = run_study(photos[:2], tmp_path / "two", PLAN, workers=2)
    assert len(one.rows) == len(two.rows)
    for row, other in zip(one.rows, two.rows, strict=True):  # the network's sums may round otherwise in another process
        for key, value in without_seconds([row])[0].items():
            assert other[key] == (pytest.approx(value, abs=0.01) if isinstance(value, float) else value)


def test_the_same_scores_draw_the_same_curves(photos, tmp_path):
    curves = []
    for name in ("one", "two"):
        run_study(photos[:1], tmp_path / name, Plan(("optimization",), users=("random",), strokes=(0, 1), size=24))
        curves.append((tmp_path / name / "curves.svg").read_bytes())
    assert curves[0] == curves[1]


def test_the_tables_are_of_the_photos_that_are_there_now(photos, tmp_path):
    plan = Plan(("optimization",), users=("random",), strokes=(0,), size=24)
    run_study(photos, tmp_path, plan)
    fewer = run_study(photos[1:], tmp_path, plan)
    assert [row["photo"] for row in fewer.rows] == [photo.name for photo in photos[1:]]
    assert len(run_study(photos, tmp_path, plan).rows) == len((tmp_path / "rows.jsonl").read_text().splitlines()) == 3


def test_a_photo_that_has_changed_is_scored_again(photos, tmp_path):
    plan = Plan(("optimization",), users=("random",), strokes=(0,), size=24)
    mine = Path(shutil.copy(photos[0], tmp_path / "mine.png"))
    psnrs = []
    for content in (photos[0], photos[1], photos[1], photos[0]):
        shutil.copy(content, mine)
        (row,) = run_study([mine], tmp_path / "out", plan).rows
        psnrs.append(row["psnr"])
    assert psnrs[0] == psnrs[3] != psnrs[1] == psnrs[2]
    assert len((tmp_path / "out" / "rows.jsonl").read_text().splitlines()) == 2


def test_all_scores_are_of_colours_as_shown(photos, monkeypatch):
    monkeypatch.setitem(METHODS, "garish", lambda scene, _: np.full((*scene.picture.shape, 2), [90, -90], np.float32))
    (row,) = score_photo(photos[0], Plan(("garish",), users=("random",), strokes=(0,), size=400))
    picture = read_image(photos[0])
    shown = Picture.from_array(picture.to_rgb(np.full((*picture.shape, 2), [90, -90])))
    assert row["ab_rmse"] == pytest.approx(ab_rmse(shown.chroma, picture.chroma), abs=0.01)


def test_what_a_method_does_only_once_is_not_timed(photos, monkeypatch):
    seen = []
    monkeypatch.setitem(
        METHODS, "noting", lambda scene, _: seen.append(scene.picture.shape) or np.zeros((*scene.picture.shape, 2))
    )
    for photo in photos[:2]:
        score_photo(photo, Plan(("noting",), users=("random",), strokes=(0,), size=24))
    assert seen == [(100, 100), (24, 24), (24, 32)]


def test_rows_of_another_plan_are_not_mixed_in(photos, tmp_path):
    run_study(photos[:1], tmp_path, PLAN)
    before = (tmp_path / "rows.jsonl").read_text()
    with pytest.raises(HybridColorError, match="another folder"):
        run_study(photos, tmp_path, Plan(("hybrid",), users=("random",), strokes=(0,), size=48))
    plan = tmp_path / "study.json"
    for kind, other in (("weights_sha256", "0"), ("schema", 1)):  # other weights, and a former version of this package
        whole = plan.read_text()
        plan.write_text(json.dumps(json.loads(whole) | {kind: other}))
        with pytest.raises(HybridColorError, match="another folder"):
            run_study(photos, tmp_path, PLAN)
        plan.write_text(whole)
    assert (tmp_path / "rows.jsonl").read_text() == before
    (tmp_path / "rows.jsonl").write_text("{}\n")
    with pytest.raises(HybridColorError, match="damaged"):
        run_study(photos, tmp_path, PLAN)
    plan.write_text("junk")
    with pytest.raises(HybridColorError, match="damaged"):
        run_study(photos, tmp_path, PLAN)


def test_everything_is_written_and_agrees(photos, tmp_path):
    table = run_study(photos, tmp_path, PLAN)
    with (tmp_path / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["photo"], int(row["strokes"]), float(row["psnr"])) for row in rows] == [
        (row["photo"], row["strokes"], row["psnr"]) for row in table.rows
    ]
    text = (tmp_path / "table.md").read_text()
    mean = np.mean([row["psnr"] for row in table.rows if row["method"] == "hybrid" and row["strokes"] == 5])
    assert f"{mean:.2f} (" in next(line for line in text.splitlines() if line.startswith("| hybrid |"))
    assert ET.parse(tmp_path / "curves.svg").getroot().tag.endswith("svg")


def test_strokes_bring_the_result_nearer_to_the_truth(photos, tmp_path):
    table = run_study(photos, tmp_path, Plan(("optimization",), users=("scribbles",), strokes=(0, 3, 30), size=64))
    errors = table.values("ab_rmse", user="scribbles", method="optimization").mean(axis=0)
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_answers_with_and_without_strokes(method, photos):
    rows = score_photo(photos[0], Plan((method,), users=("random",), strokes=(0, 3), size=40))
    assert [row["strokes"] for row in rows] == [0, 3]
    assert all(np.isfinite(row["psnr"]) and row["seconds"] > 0 for row in rows)


def test_an_attentive_person_is_shown_what_is_scored(photos, monkeypatch):
    shown = []

    def watching(truth, _rng):
        number = 0
        while True:
            shown.append((yield Seeds.of([[number, 0]], truth[number, 0], stroke=number)))
            number += 1

    monkeypatch.setitem(USERS, "watching", watching)
    answers = iter(range(9))  # the first is nobody's: every method runs once before it is timed
    monkeypatch.setitem(METHODS, "counting", lambda scene, _: np.full((*scene.picture.shape, 2), next(answers)))
    score_photo(photos[0], Plan(("counting",), users=("watching",), strokes=(0, 1, 2, 4), size=48))
    assert [None if result is None else int(result[0, 0, 0]) for result in shown] == [2, 3, None]


def test_strokes_to_a_goal_are_the_median_photos():
    psnrs = np.array([[20, 27, 31], [20, 25, 29], [20, 21, 30.0]])
    assert _strokes_to(26.0, psnrs, (0, 5, 10)) == "10"
    assert _strokes_to(40.0, psnrs, (0, 5, 10)) == "> 10"


def test_values_are_placed_by_photo_and_strokes():
    rows = [
        {"photo": photo, "user": "random", "method": "hybrid", "strokes": count, "psnr": float(count + len(photo))}
        for count in (5, 0)
        for photo in ("b", "aaa")
    ]
    table = Table(Plan(("hybrid",), users=("random",), strokes=(0, 5)), rows)
    np.testing.assert_array_equal(table.values("psnr", user="random", method="hybrid"), [[3, 8], [1, 6]])


def test_differences_that_may_be_chance_are_marked(tmp_path):
    methods = {"hybrid": lambda _: 0, "optimization": lambda i: i % 2 - 2, "chrominance": lambda i: (-1) ** i}
    common = {"user": "random", "strokes": 0, "ab_rmse": 5.0, "seconds": 1.0}
    rows = [
        {"photo": f"{i}", "method": method, "psnr": 20.0 + i + off(i), **common}
        for i in range(8)
        for method, off in methods.items()
    ]
    summarize(Table(Plan(tuple(methods), users=("random",), strokes=(0,)), rows), tmp_path)
    lines = (tmp_path / "table.md").read_text(encoding="utf-8").splitlines()
    first = {line.split(" | ")[0]: line.split(" | ")[1] for line in lines if line.endswith("| 1.00 |")}
    assert first == {"| hybrid": "23.50 (5.00)", "| optimization": "22.00 (5.00)", "| chrominance": "23.50 ≈ (5.00)"}


def test_a_folder_of_something_else_is_left_alone(run, photos, tmp_path):
    place = tmp_path / "mine"
    place.mkdir()
    (place / "table.md").write_text("mine")
    with pytest.raises(ImageError, match="no earlier study"):
        run_study(photos, place, PLAN)
    code, _, err = run("study", "-o", place)
    assert (code, err.count("\n")) == (2, 1)
    assert "no earlier study" in run("study", photos[0].parent, "-o", photos[0].parent)[2]
    assert (place / "table.md").read_text() == "mine"
    assert [path.name for path in place.iterdir()] == ["table.md"]
    assert sorted(photos[0].parent.iterdir()) == photos


def test_bad_plans_and_photos_are_told(photos, tmp_path):
    for change, complaint in (
        ({"methods": ("magic",)}, "method 'magic' is unknown"),
        ({"users": ("nobody",)}, "user 'nobody' is unknown"),
        ({"strokes": ()}, "a study needs"),
        ({"methods": ("hybrid", "hybrid")}, "method 'hybrid' is named twice"),
        ({"users": ("random", "random")}, "user 'random' is named twice"),
        ({"methods": ("magic",)}, "hybrid; hybrid, network deaf; "),
        ({"strokes": (-1, 2)}, "from 0 to 10000, not -1"),
        ({"strokes": (5, 1)}, r"go up, each once; \(5, 1\) do not"),
        ({"strokes": (1, 1)}, "go up, each once"),
        ({"strokes": (10**20,)}, "from 0 to 10000, not 1000"),
    ):
        with pytest.raises(MethodError, match=complaint):
            Plan(**{"methods": ("hybrid",), **change})
    gray = tmp_path / "gray.png"
    write_image(gray, np.full((20, 20, 3), 90, np.uint8))
    with pytest.raises(ImageError, match="no colours"):
        run_study([gray], tmp_path / "out", PLAN)
    (tmp_path / "other").mkdir()
    twin = Path(shutil.copy(photos[0], tmp_path / "other"))
    with pytest.raises(ImageError, match=f"two photos are called '{twin.name}'"):
        run_study([photos[0], twin], tmp_path / "out", PLAN)
    with pytest.raises(ModelError, match="unknown model"):
        run_study(photos, tmp_path / "out", replace(PLAN, model="magic"))
    assert not (tmp_path / "out").exists()
    table = run_study([photos[0], gray], tmp_path / "out", PLAN)
    assert {row["photo"] for row in table.rows} == {photos[0].name}
    assert [line.split(":")[0] for line in table.refused] == [str(gray)]


def test_the_command_line(photos, tmp_path):
    runner = CliRunner()
    common = ["study", str(photos[0].parent), "-o", str(tmp_path / "study"), "--size", "40", "--users", "random"]
    done = runner.invoke(
        app, [*common, "--methods", "optimization; hybrid", "--strokes", "0,2"], catch_exceptions=False
    )
    assert done.exit_code == 0
    assert "| optimization |" in done.output
    for wrong in (["--strokes", "one"], ["--methods", "magic"]):
        with pytest.raises(MethodError, match=wrong[1]):
            runner.invoke(app, [*common, *wrong], catch_exceptions=False)
