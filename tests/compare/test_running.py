"""Whole comparisons: what is scored, written, left out, refused, and not done again."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from hybridcolor.compare import Method, compare, find_cases
from hybridcolor.compare.running import _read_record, memory_peak
from hybridcolor.errors import ImageError, MethodError, ModelError
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.marked import found_seeds
from hybridcolor.metrics import ab_rmse, colourfulness, psnr
from hybridcolor.picture import Picture
from hybridcolor.pipeline import colorize
from hybridcolor.predict import load_predictor
from hybridcolor.seedfiles import write_seeds
from hybridcolor.seeds import Seeds

from .pictures import colour_photo, save

FAST = ["gray", "cnn", "watershed"]


@pytest.fixture
def photos(tmp_path):
    return save(tmp_path / "photos", **{f"photo{i}": colour_photo(i) for i in range(4)})


def run(inputs, out, methods=FAST, **options):
    keep = {key: options.pop(key) for key in ("references", "results", "seeds") if key in options}
    return compare(find_cases(inputs, **keep), [Method.parse(name) for name in methods], out, **options)


def test_scores_are_those_of_colorizing_the_luminance(photos, tmp_path):
    report = run([photos], tmp_path / "out")
    picture = read_image(photos / "photo2.png")
    truth = picture.to_rgb(picture.chroma)
    assert np.array_equal(truth, colour_photo(2))
    result = colorize(picture, predictor=load_predictor(), method="watershed").to_rgb()
    scores = report.records[2]["outcomes"]["watershed"]["scores"]
    assert scores["psnr"] == pytest.approx(psnr(result, truth))
    assert scores["ab_rmse"] == pytest.approx(
        ab_rmse(Picture.from_array(result).chroma, Picture.from_array(truth).chroma)
    )
    each = [record["outcomes"]["watershed"]["scores"]["psnr"] for record in report.records]
    assert report.rows["psnr"].means["watershed"].mean == pytest.approx(np.mean(each))


def test_everything_is_written(photos, tmp_path):
    out = tmp_path / "out"
    report = run([photos], out, blind=True)
    with (out / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["picture"], row["method"]) for row in rows[:4]] == [
        *(("photo0", name) for name in FAST),
        ("photo1", "gray"),
    ]
    assert [float(row["true_colourfulness"]) for row in rows[:3]] == pytest.approx([colourfulness(colour_photo(0))] * 3)
    saved = json.loads((out / "report.json").read_text())
    assert saved["means"]["psnr"]["methods"]["cnn"]["mean"] == report.rows["psnr"].means["cnn"].mean
    facts = saved["repeat"]["methods"]
    assert facts["gray"] == {"algorithm": "gray", "options": {}}
    assert len(facts["cnn"]["model"]["sha256"]) == 64
    assert "numpy" in saved["repeat"]["packages"]
    shares = saved["pixels_below"]["shares"]["cnn"]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    for name in ("index.html", "blind.html"):
        assert "</html>" in (out / name).read_text(encoding="utf-8")
    with Image.open(out / "pictures" / "photo1" / "_truth.jpg") as image:
        assert np.abs(np.asarray(image).astype(int) - colour_photo(1)).mean() < 3


def test_a_reference_and_a_perfect_result(photos, tmp_path):
    gray = tmp_path / "gray"
    gray.mkdir()
    for path in photos.iterdir():
        picture = read_image(path)
        Image.fromarray(picture.to_rgb()).save(gray / path.name)
    report = run([gray], tmp_path / "out", ["cnn"], references=[photos], results={"perfect": photos})
    means = report.rows["ab_rmse"].means
    assert means["perfect"].mean == 0
    assert means["perfect"].best
    assert means["cnn"].clearly
    assert "psnr" not in report.rows  # infinite for one of them on every picture: there is no mean
    assert report.records[0]["outcomes"]["perfect"]["seconds"] is None


def test_without_truth_there_are_scores_that_need_none(tmp_path):
    gray = save(tmp_path / "gray", a=np.arange(1600, dtype=np.uint32).reshape(40, 40).astype(np.uint8))
    report = run([gray], tmp_path / "out", ["gray", "cnn"])
    assert "colourfulness" in report.rows
    assert "psnr" not in report.rows
    assert "<svg" not in (tmp_path / "out" / "index.html").read_text()


def test_scribbles_are_used_where_there_are_some(photos, tmp_path):
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for path in photos.iterdir():
        scribbles = Seeds.of([[20, 20], [10, 40]], [[60.0, 20.0], [-40.0, 30.0]], stroke=[1, 2])
        write_seeds(seeds / f"{path.stem}.json", scribbles, read_image(path))
    report = run([photos], tmp_path / "out", ["watershed", "watershed:none"], seeds=seeds)
    assert report.records[0]["scribbles"] == 2
    with pytest.raises(MethodError, match="has only scribbles to go by"):
        run([photos], tmp_path / "out2", ["watershed:none"])
    assert not (tmp_path / "out2").exists()


def test_what_is_done_is_not_done_again(photos, tmp_path, monkeypatch):
    out = tmp_path / "out"
    first = run([photos], out)
    calls = []
    original = Method.colorize
    monkeypatch.setattr(
        Method, "colorize", lambda self, picture, *rest: calls.append(picture.source) or original(self, picture, *rest)
    )
    again = run([photos], out)
    assert calls == []
    assert again.to_csv() == first.to_csv()
    save(photos, photo1=colour_photo(9))
    run([photos], out)
    assert {source for source in calls if source} == {photos / "photo1.png"}
    calls.clear()
    (out / "records" / "photo0.json").write_text('{"half')
    fewer = run([photos], out, ["gray"])
    assert {source for source in calls if source} == {photos / "photo0.png"}
    assert set(fewer.records[1]["outcomes"]) == {"gray"}
    calls.clear()
    more = run([photos], out, ["cnn", "flood"])
    assert {source for source in calls if source} == set(photos.iterdir())
    assert len([source for source in calls if source]) == 5  # flood of all, cnn of the picture whose record was lost
    assert list(more.records[0]["outcomes"]) == ["cnn", "flood"]


def test_a_method_of_others_that_has_changed_is_run_again(tmp_path, monkeypatch):
    about = tmp_path / "own-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[hybridcolor.propagators]\nown = own_method:own\n")
    monkeypatch.syspath_prepend(tmp_path)
    photo = save(tmp_path / "photos", a=colour_photo(0))
    found = []
    for amount in (20, 20, -40):
        (tmp_path / "own_method.py").write_text(
            "import numpy as np\nfrom hybridcolor.propagate import Propagation\n"
            "def own(luminance, seeds):\n"
            f"    return Propagation(np.full((*luminance.shape, 2), {amount}, np.float32))\n"
        )
        monkeypatch.delitem(sys.modules, "own_method", raising=False)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        outcome = run([photo], tmp_path / "out", ["own"]).records[0]["outcomes"]["own"]
        found.append((outcome["scores"]["ab_rmse"], outcome["seconds"]))
    assert found[0] == found[1]
    assert found[1][0] != found[2][0]


def test_what_was_made_of_other_files_does_not_come_back(tmp_path):
    gray = save(tmp_path / "gray", a=np.repeat(colour_photo(0)[..., :1], 3, axis=2))
    colour = save(tmp_path / "colour", a=colour_photo(0))
    run([gray], tmp_path / "out", ["watershed", "cnn"])
    run([gray], tmp_path / "out", ["gray"], references=[colour])
    report = run([gray], tmp_path / "out", ["watershed", "cnn"])
    assert not report.records[0]["truth"]
    assert set(report.rows) <= {"colourfulness", "seconds", "megabytes"}


@pytest.mark.parametrize("method", ["optimization", "chrominance", "lineart"])
def test_nothing_is_compiled_while_a_method_is_timed(method, tmp_path):
    program = f"""
import gc, pathlib
import numpy as np
from numba.core.dispatcher import Dispatcher
from hybridcolor.compare.methods import Method
from hybridcolor.compare.running import Runner
from hybridcolor.picture import Picture
from hybridcolor.seeds import Seeds
def compiled():
    return sum(len(each.overloads) for each in gc.get_objects() if isinstance(each, Dispatcher))
method = Method.parse("{method}:none")
Runner([method], pathlib.Path(), code="")._ready(method)
before = compiled()
picture = Picture.from_array(np.random.default_rng(1).integers(0, 256, (150, 260), np.uint8))
method.colorize(picture, None, Seeds.of([[10, 10], [90, 200]], [[20, 30], [0, -30]]))
assert 0 < before == compiled(), (before, compiled())
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, cwd=tmp_path)


def test_a_bad_picture_is_left_out_of_everything_and_named(photos, tmp_path):
    (photos / "photo2.png").write_bytes(b"no picture")
    told = []
    report = run([photos], tmp_path / "out", complain=told.append)
    assert [record["name"] for record in report.records] == ["photo0", "photo1", "photo3"]
    assert len(told) == 1
    assert "photo2" in report.left_out[0]
    assert "photo2.png" in (tmp_path / "out" / "index.html").read_text()


def test_a_result_of_another_size_is_refused_before_anything_is_coloured(photos, tmp_path, monkeypatch):
    made = save(tmp_path / "made", **{f"photo{i}": colour_photo(i, (20, 28)) for i in range(4)})
    monkeypatch.delattr(Method, "colorize")
    with pytest.raises(ImageError, match="none of the 4 pictures"):
        run([photos], tmp_path / "out", ["cnn"], results={"made": made})


def test_nothing_is_made_of_what_cannot_be_compared(photos, tmp_path):
    out = tmp_path / "out"
    for methods, complaint in ((["cnn", "cnn"], "'cnn' is named twice"), ([], "nothing to compare")):
        with pytest.raises(MethodError, match=complaint):
            run([photos], out, methods)
    with pytest.raises(ModelError, match="unknown model"):
        run([photos], out, ["cnn:nobody"])
    with pytest.raises(MethodError, match="two methods that colour"):
        run([photos], out, ["gray"], blind=True)
    assert not out.exists()
    with pytest.raises(ImageError, match="not empty"):
        run([photos], photos, ["gray"])


def test_peak_memory_is_seen():
    if memory_peak() is None:
        pytest.skip("this system does not tell")
    before = memory_peak(afresh=True)
    block = np.ones(20_000_000, np.uint8)
    assert block.sum() == 20_000_000
    assert memory_peak() - before > 15_000_000


def test_a_missing_package_is_named(photos, tmp_path, monkeypatch):
    monkeypatch.setattr("hybridcolor.plots.find_spec", lambda name: None)
    with pytest.raises(MethodError, match=r"pip install 'hybridcolor\[report\]'"):
        run([photos], tmp_path / "out", ["gray"])
    assert not (tmp_path / "out").exists()


def test_no_warning_with_one_picture(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = run([save(tmp_path / "one", only=colour_photo(0))], tmp_path / "out", ["gray"])
    assert report.rows["psnr"].means["gray"].low is None


def test_models_of_drawings_get_room_for_colour(tmp_path, monkeypatch):
    predictor = load_predictor()
    predictor.paint = True
    monkeypatch.setattr("hybridcolor.compare.running.load_predictor", lambda name: predictor)
    drawing = np.full((40, 48, 3), 250, np.uint8)
    drawing[10:20, 10:30] = [240, 200, 210]
    report = run([save(tmp_path / "drawings", a=drawing)], tmp_path / "out", ["cnn"])
    picture = Picture.from_array(drawing)
    painted = colorize(picture, predictor=predictor).predicted
    scores = report.records[0]["outcomes"]["cnn"]["scores"]
    assert scores["psnr"] == pytest.approx(psnr(picture.to_rgb(painted, paint=True), drawing))
    assert scores["psnr"] != pytest.approx(psnr(picture.to_rgb(painted), drawing))


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text there")
def test_a_file_name_that_is_no_text(tmp_path):
    folder = save(tmp_path / "odd", a=colour_photo(0))
    os.rename(folder / "a.png", os.fsencode(folder) + b"/caf\xe9.png")  # noqa: PTH104
    report = run([folder], tmp_path / "out", ["gray", "cnn"], blind=True)
    assert report.records[0]["name"] == "caf\\xe9"
    assert "caf" in (tmp_path / "out" / "report.csv").read_text()


@pytest.mark.parametrize(
    "damage", ['{"half', "[]", "null", '{"outcomes": [1]}', '{"outcomes": {"gray": 1}}', '{"outcomes": {"gray": {}}}']
)
def test_a_damaged_record_counts_for_nothing(damage, tmp_path):
    (tmp_path / "record.json").write_text(damage)
    assert _read_record(tmp_path / "record.json") == {}


def test_a_marked_image_is_read_as_colorize_reads_it(tmp_path):
    photos = save(tmp_path / "photos", a=colour_photo(0))
    picture, model = read_image(photos / "a.png"), load_predictor()
    (tmp_path / "seeds").mkdir()
    write_seeds(tmp_path / "seeds" / "a.png", found_seeds(picture.luminance, model), picture)
    bare, marked = (
        run([photos], tmp_path / name, ["hybrid"], **options).records[0]
        for name, options in (("bare", {}), ("marked", {"seeds": tmp_path / "seeds"}))
    )
    assert marked["scribbles"] == 0
    assert marked["outcomes"]["hybrid"]["scores"] == pytest.approx(bare["outcomes"]["hybrid"]["scores"])


def test_pictures_that_are_folders_are_compared_and_told_from_others(tmp_path):
    write_image(tmp_path / "a.zarr", colour_photo(0))
    first = run([tmp_path / "a.zarr"], tmp_path / "out", ["gray"]).records[0]
    write_image(tmp_path / "b.zarr", colour_photo(1))
    (tmp_path / "a.zarr").rename(tmp_path / "old")
    (tmp_path / "b.zarr").rename(tmp_path / "a.zarr")
    second = run([tmp_path / "a.zarr"], tmp_path / "out", ["gray"]).records[0]
    assert first["sha256"] != second["sha256"]
    assert first["outcomes"]["gray"]["scores"] != second["outcomes"]["gray"]["scores"]
