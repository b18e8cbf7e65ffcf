"""The command line: what is written, what is said, and that bad input ends with one line and exit code 2."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

import hybridcolor
from hybridcolor.cli import common
from hybridcolor.compare.blind import COLUMNS
from hybridcolor.imagefiles import read_image
from hybridcolor.lab import rgb_to_lab
from hybridcolor.propagate import PROPAGATORS
from hybridcolor.seedfiles import write_seeds
from hybridcolor.seeds import Seeds


@pytest.fixture
def photo(tmp_path):
    """A small gray photo: a bright disc on a ramp."""
    rows, columns = np.mgrid[:60, :80]
    gray = np.where((rows - 30) ** 2 + (columns - 40) ** 2 < 300, 200, 40 + columns).astype(np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(gray).save(path)
    return path


def mark(photo, colour=(200, 40, 220)):
    """A copy of a photo with a rectangle painted on it, in rows 25 to 29 and columns 35 to 44."""
    with Image.open(photo) as image:
        marked = image.convert("RGB")
    marked.paste(colour, (35, 25, 45, 30))
    marked.save(photo.with_name("marked.png"))
    return photo.with_name("marked.png")


def refused(result, message):
    """One line on standard error, exit code 2."""
    code, _, err = result
    lines = [line for line in err.splitlines() if line.strip()]
    assert code == 2
    assert len(lines) == 1, err
    assert message in lines[0]


def command(*words):
    """The real command, to be run in a process of its own."""
    return [sys.executable, "-c", "from hybridcolor.cli import main; main()", *map(str, words)]


def test_one_file(run, photo, tmp_path):
    code, out, _ = run("colorize", photo, "-o", tmp_path / "out.png")
    assert code == 0
    assert "out.png" in out
    with Image.open(tmp_path / "out.png") as image:
        assert (image.mode, image.size) == ("RGB", (80, 60))


@pytest.mark.parametrize(("drawn", "kind"), [(False, "photo: "), (True, "line art: ")])
def test_auto_says_what_kind_of_picture_it_is_and_which_method_it_takes(run, photo, tmp_path, drawn, kind):
    if drawn:
        cv2.imwrite(str(photo), cv2.rectangle(np.full((90, 90), 255, np.uint8), (20, 20), (70, 70), 0, 2))
    seeds = "--seeds", mark(photo)
    code, out, _ = run("colorize", photo, "-o", tmp_path / "a.png", "--method", "auto", "--model", "none", *seeds)
    assert code == 0
    assert kind in out
    assert "method lineart" in out if drawn else "method hybrid" in out


@pytest.mark.parametrize("method", PROPAGATORS)
def test_every_method_with_seeds_from_a_file(run, photo, tmp_path, method):
    out, used = tmp_path / f"{method}.png", tmp_path / "used.json"
    code, _, err = run("colorize", photo, "-o", out, "--method", method, "--seeds", mark(photo), "--save-seeds", used)
    assert (code, err.strip()) == (0, "")
    with Image.open(out) as image:
        lab = rgb_to_lab(np.asarray(image))
    assert lab[27, 40, 1] > 10
    again = tmp_path / "again.png"
    assert run("colorize", photo, "-o", again, "--method", method, "--seeds", used)[0] == 0
    with Image.open(out) as first, Image.open(again) as second:
        difference = np.abs(np.asarray(first, int) - np.asarray(second, int))
    assert difference.max() <= 3  # what was used, given back, gives the same picture


@pytest.mark.parametrize(
    ("paper", "options", "told"),
    [
        (255, [], "--method lineart"),
        (255, ["--finish", "paint"], ""),
        (255, ["--method", "lineart"], ""),
        (128, [], ""),
        (0, ["--method", "lineart"], "invert"),
    ],
)
def test_strokes_that_cannot_be_seen_are_told(run, tmp_path, paper, options, told):
    page = np.full((40, 60, 3), paper, np.uint8)
    page[5:35, 29:31] = 255 - paper
    marked = page.copy()
    marked[10:14, 5:20], marked[20:24, 40:55] = (220, 80, 60), (90, 160, 60)
    for name, pixels in (("page.png", page), ("marked.png", marked)):
        Image.fromarray(pixels).save(tmp_path / name)
    where = [str(tmp_path / name) for name in ("page.png", "out.png", "marked.png")]
    code, out, _ = run("colorize", where[0], "-o", where[1], "--seeds", where[2], "--model", "none", *options)
    assert code == 0
    assert told in out
    assert ("most strokes lie" in out) is bool(told)


def test_a_copy_without_strokes_is_told(run, photo, tmp_path):
    code, out, _ = run("colorize", photo, "-o", tmp_path / "out.png", "--seeds", photo)
    assert code == 0
    assert f"{photo}: has no strokes" in out


def test_scribbles_alone_need_no_model(run, photo, tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRIDCOLOR_MODELS", str(tmp_path / "no models here"))
    options = ("--seeds", mark(photo), "--model", "none")
    assert run("colorize", photo, "-o", tmp_path / "out.png", *options)[0] == 0
    refused(run("colorize", photo, "-o", tmp_path / "other.png"), "no registry.json")
    refused(run("colorize", photo, "-o", tmp_path / "other.png", "--model", "none"), "draw at least one scribble")


@pytest.mark.parametrize("tiles", [False, True])
def test_a_result_says_how_it_was_made(run, photo, tmp_path, tiles):
    seeds, out = tmp_path / "seeds.json", tmp_path / "out.tif"
    write_seeds(seeds, Seeds.of([[4, 4]], [[30.0, 20.0]]), read_image(photo))
    asked = ("--model", "none", "--method", "chrominance", "--caution", "0.25", "--seeds", seeds)
    assert run("colorize", photo, "-o", out, *asked, *(["--tiles"] if tiles else ["--tint", "0.5"]))[0] == 0
    with Image.open(out) as image:
        name, version, told = image.getexif()[ExifTags.Base.Software].split(" ", 2)
    assert (name, version) == ("hybridcolor", hybridcolor.__version__)
    assert json.loads(told) == {
        "method": "chrominance",
        "model": "none",
        "options": {},
        "vividness": 0.45,
        "caution": 0.25,
        "seeds_sha256": hashlib.sha256(seeds.read_bytes()).hexdigest(),
    } | ({"tiles": True} if tiles else {"tint": 0.5})


def test_sixteen_bits_and_alpha_survive(run, tmp_path):
    rng = np.random.default_rng(0)
    gray = np.sort(rng.integers(0, 65536, (30, 40)), axis=1).astype(np.uint16)
    tifffile.imwrite(tmp_path / "scan.tif", gray)
    assert run("colorize", tmp_path / "scan.tif", "-o", tmp_path / "scan-colour.tif")[0] == 0
    result = tifffile.imread(tmp_path / "scan-colour.tif")
    assert (result.dtype, result.shape) == (np.uint16, (30, 40, 3))
    before = rgb_to_lab(np.dstack([gray] * 3))[..., 0]
    assert np.abs(rgb_to_lab(result)[..., 0] - before).max() < 0.01

    alpha = rng.integers(0, 256, (30, 40)).astype(np.uint8)
    Image.fromarray(np.dstack([(gray >> 8).astype(np.uint8), alpha]), "LA").save(tmp_path / "alpha.png")
    assert run("colorize", tmp_path / "alpha.png", "-o", tmp_path / "alpha-colour.png")[0] == 0
    with Image.open(tmp_path / "alpha-colour.png") as image:
        assert np.array_equal(np.asarray(image)[..., 3], alpha)


def test_a_folder_goes_on_past_a_bad_file(run, photo, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "c.png"):
        (folder / name).write_bytes(photo.read_bytes())
    (folder / "b.png").write_text("not a picture")
    (folder / "notes.txt").write_text("not for us")
    (folder / "._a.png").write_bytes(b"\0\5\x16\7")  # as macOS leaves beside pictures
    code, _, err = run("colorize", folder, "-o", tmp_path / "out")
    assert code == 2
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]
    assert "b.png" in err
    assert "1 of 3 pictures" in err


def test_bad_input_is_one_line_and_leaves_nothing(run, photo, tmp_path):
    out = tmp_path / "out.png"
    (tmp_path / "text.png").write_text("hello")
    refused(run("colorize", tmp_path / "text.png", "-o", out), "text.png")
    whole = tmp_path / "whole.jpg"
    Image.open(photo).save(whole)
    (tmp_path / "cut.jpg").write_bytes(whole.read_bytes()[:-400])
    refused(run("colorize", tmp_path / "cut.jpg", "-o", out), "cut.jpg")
    refused(run("colorize", tmp_path / "missing.png", "-o", out), "no such file")
    refused(run("colorize", photo, "-o", out, "--method", "magic"), "known methods are")
    refused(run("colorize", photo, "-o", out, "--model", "magic"), "known: default")
    (tmp_path / "bad.json").write_text(
        '{"format": "hybridcolor-seeds", "schema": 1, "shape": [60, 80], "strokes": '
        '[{"stroke": 0, "origin": "user", "ab": [1, 2], "weight": null, "runs": [[59, 79, 2]]}]}'
    )
    refused(run("colorize", photo, "-o", out, "--seeds", tmp_path / "bad.json"), "outside the picture")
    refused(run("colorize", photo, "-o", out, "--seeds", tmp_path / "missing.json"), "missing.json")
    refused(run("colorize", photo, "-o", photo / "below-a-file.png"), "no such folder")
    refused(run("colorize", photo, "-o", tmp_path / "no-folder" / "out.png"), "no such folder")
    refused(run("colorize", photo, "-o", tmp_path / "out.xyz"), ".xyz")
    refused(run("colorize", photo, "-o", photo), "exists already")
    refused(run("seeds", photo, "-o", photo), "would be replaced")
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(run("colorize", empty, "-o", tmp_path / "x"), "no image in this folder")
    refused(run("colorize", photo, whole, "-o", tmp_path / "x", "--seeds", "s.json"), "one by one")
    kept = {"text.png", "whole.jpg", "cut.jpg", "bad.json", "photo.png", "empty", "x"}
    assert {path.name for path in tmp_path.iterdir()} <= kept


def test_two_inputs_never_share_an_output(run, photo, tmp_path):
    other = tmp_path / "photo.bmp"
    Image.open(photo).save(other)
    refused(run("colorize", photo, other, "-o", tmp_path / "out"), "would both become")


def test_an_original_is_never_replaced_by_its_own_result(run, photo, tmp_path):
    before = photo.read_bytes()
    for output in (photo, tmp_path):
        refused(run("colorize", photo, "-o", output, "--overwrite"), "would be replaced by what is made from it")
    assert photo.read_bytes() == before


def test_overwrite_replaces(run, photo, tmp_path):
    out = tmp_path / "out.png"
    out.write_bytes(b"old")
    refused(run("colorize", photo, "-o", out), "--overwrite")
    assert out.read_bytes() == b"old"
    assert run("colorize", photo, "-o", out, "--overwrite")[0] == 0
    assert out.read_bytes() != b"old"


@pytest.mark.parametrize(
    "verb",
    [
        "",
        "colorize",
        "batch",
        "compare",
        "tally",
        "seeds",
        "models",
        "models import",
        "models export",
        "demo",
        "train",
        "publish",
    ],
)
def test_help_teaches(run, verb):
    code, out, _ = run(*verb.split(), "--help")
    assert code == 0
    assert "Usage: hybridcolor" in out
    assert "..]..." not in out
    assert "..}..." not in out


def test_models_and_version(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run("models")
    assert code == 0
    assert "lite" in out
    assert "…" not in out  # no name is cut short
    assert run("--version")[1].strip() == f"hybridcolor {hybridcolor.__version__}"


def test_python_runs_it_too():
    words = [sys.executable, "-m", "hybridcolor", "--version"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True)
    assert shown.stdout == f"hybridcolor {hybridcolor.__version__}\n"


def test_a_shell_completes_verbs_and_options():
    asks = os.environ | {"_HYBRIDCOLOR_COMPLETE": "complete_bash"}
    for typed, completed in (("hybridcolor col", "colorize"), ("hybridcolor colorize --palette", "--palette-from")):
        where = {"COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
        shown = subprocess.run(command(), env=asks | where, capture_output=True, text=True, check=True)
        assert shown.stdout.split() == [completed]


def test_exit_code_of_the_real_command(tmp_path):
    words = command("colorize", "missing.png", "-o", "x.png")
    found = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert "Traceback" not in found.stderr


def test_wrong_words_are_one_line(run, photo, tmp_path):
    nan = run("colorize", photo, "-o", tmp_path / "x.png", "--caution", "nan")
    refused(nan, "'--caution': nan is not a number from 0 to 1 (`hybridcolor colorize --help` tells more)")
    refused(run("colorize"), "Missing argument")
    refused(run("paint"), "No such command 'paint'")
    refused(run("models", "import", "x.pth", "--colour"), "`hybridcolor models import --help`")
    code, _, err = run()
    assert code == 2
    assert "Usage: hybridcolor" in err


@pytest.fixture
def folder(photo, tmp_path):
    """Three pictures in a folder."""
    (tmp_path / "in").mkdir()
    for name in "abc":
        (tmp_path / "in" / f"{name}.png").write_bytes(photo.read_bytes())
    return tmp_path / "in"


def test_a_reader_that_has_had_enough_stops_no_work(folder, tmp_path):
    process = subprocess.Popen(
        command("colorize", folder, "-o", tmp_path / "out"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert (process.stderr.read(), process.wait()) == (b"", 0)
    process.stderr.close()
    assert len(list((tmp_path / "out").iterdir())) == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that Linux has")
def test_what_cannot_be_told_stops_no_work(folder, tmp_path):
    with Path("/dev/full").open("w") as full:
        words = command("colorize", folder, "-o", tmp_path / "out")
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    refused((done.returncode, "", done.stderr), "standard output: No space left on device")
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_a_request_to_end_leaves_nothing_half_written(tmp_path):
    """It comes while a picture is being written, which takes a while at this size."""
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    slow = (
        "import os, time; fsync = os.fsync\n"
        "os.fsync = lambda file: (time.sleep(60), fsync(file))\n"
        "from hybridcolor.cli import main; main()"
    )
    write_seeds(tmp_path / "s.json", Seeds.of([[4, 4]], [[30.0, 20.0]]), read_image(tmp_path / "noise.png"))
    words = ["colorize", "noise.png", "-o", "out.png", "--model", "none", "--method", "watershed", "--seeds", "s.json"]
    process = subprocess.Popen([sys.executable, "-c", slow, *words], cwd=tmp_path, stderr=subprocess.PIPE)
    while not list(tmp_path.glob(".*.part")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert (process.stderr.read(), process.wait()) == (b"", 143)
    process.stderr.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["noise.png", "s.json"]


def test_what_a_terminal_would_obey_is_spelled_out(run, photo, tmp_path, monkeypatch):
    odd = tmp_path / "x\x1b[31mred\n.png"
    code, told, _ = run("colorize", photo, "-o", odd)
    assert (code, told.count("\n")) == (0, 1)
    assert "x\\x1b[31mred\\n.png" in told
    with monkeypatch.context() as patch:  # what turns on a terminal meanwhile
        shown = []
        patch.setattr(common.err, "status", lambda text: shown.append(text) or nullcontext())
        assert run("colorize", odd, "-o", tmp_path / "again.png")[0] == 0
    assert [str(text) for text in shown] == [r"colorizing x\x1b[31mred\n.png"]
    answers = tmp_path / "answers.csv"
    answers.write_text(f"{','.join(COLUMNS)}\nann,7,1,real,cat,truth,\x1b[31mred,\x1b[31mred,1.0,800\n")
    code, told, _ = run("tally", answers)
    assert (code, "\x1b" in told) == (0, False)
    assert "31mred" in told


@pytest.mark.parametrize("verb", ["colorize", "batch"])
def test_standard_output_is_no_folder(run, photo, tmp_path, monkeypatch, verb):
    monkeypatch.chdir(tmp_path)
    refused(run(verb, photo, "-o", "-"), "nothing is written to standard output; give the name of a file")
    assert not (tmp_path / "-").exists()


def test_pictures_that_all_fail_leave_no_others(run, folder, tmp_path):
    for picture in folder.iterdir():
        picture.write_bytes(b"no picture")
    code, _, told = run("colorize", folder, "-o", tmp_path / "out")
    assert code == 2
    assert told.splitlines()[-1].endswith("pictures could not be colorized; the lines above say why")


@pytest.mark.parametrize("name", ["single.png", "single.OME.TIF", "single.ora"])
def test_a_folder_of_results_is_not_called_as_a_picture(run, folder, tmp_path, name):
    for picture in ("b.png", "c.png"):
        (folder / picture).unlink()
    refused(run("colorize", folder, "-o", tmp_path / name), "is the name of a picture")
    refused(run("batch", folder / "a.png", "-o", tmp_path / name), "is the name of a picture")
    for verb in ("compare", "study"):
        refused(run(verb, folder, "-o", tmp_path / name), "is the name of a picture")
    refused(run("demo", "-o", tmp_path / name), "is the name of a picture")
    assert not (tmp_path / name).exists()
    (tmp_path / name).mkdir()
    assert run("colorize", folder, "-o", tmp_path / name)[0] == 0  # the person's own wish


def test_layers_are_no_seeds(run, photo, tmp_path):
    out = tmp_path / "out.png"
    for name in ("s.ora", "S.PSD"):
        for words in (("colorize", photo, "-o", out, "--save-seeds"), ("seeds", photo, "-o")):
            code, _, err = run(*words, tmp_path / name)
            refused((code, "", err), "is not one of .json .png")
            assert ".ora" not in err.split("is not one of")[1]
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


@pytest.mark.parametrize("method", ["watershed", "flood", "lineart", "levelset", "optimization"])
@pytest.mark.parametrize("change", [{"weight": 1e38}, {"ab": [1e30, 0]}])
def test_absurd_seeds_are_told_in_one_line(run, photo, tmp_path, method, change):
    stroke = {"stroke": 0, "origin": "user", "ab": [9, 9], "weight": None, "runs": [[5, 5, 9]]} | change
    content = {"format": "hybridcolor-seeds", "schema": 1, "shape": [60, 80], "strokes": [stroke]}
    (tmp_path / "s.json").write_text(json.dumps(content))
    words = ("--model", "none", "--method", method, "--seeds", tmp_path / "s.json")
    refused(
        run("colorize", photo, "-o", tmp_path / "out.png", *words),
        "a weight is" if "weight" in change else "a colour is",
    )


def test_names_are_printed_as_they_are(run, photo, tmp_path):
    """Square brackets and colons mean something to the library that prints."""
    odd = tmp_path / "old [red] :car: [" / "x].png"
    odd.parent.mkdir()
    code, out, _ = run("colorize", photo, "-o", odd)
    assert code == 0
    assert str(odd) in out
    (tmp_path / "[bold]:car:.png").write_text("no picture")
    refused(run("colorize", tmp_path / "[bold]:car:.png", "-o", tmp_path / "y.png"), "[bold]:car:.png")
    (tmp_path / "two\nlines.png").write_text("no picture")
    refused(run("colorize", tmp_path / "two\nlines.png", "-o", tmp_path / "y.png"), "lines.png")
    refused(run("colorize", tmp_path / "not\nthere.png", "-o", tmp_path / "y.png"), "no such file")


def test_many_files_go_into_a_folder_that_is_made(run, photo, tmp_path):
    second = tmp_path / "second.jpg"
    Image.open(photo).save(second)
    code, out, err = run("colorize", photo, second, "-o", tmp_path / "new" / "folder")
    assert (code, err) == (0, "")
    assert sorted(p.name for p in (tmp_path / "new" / "folder").iterdir()) == ["photo.png", "second.png"]
    assert out.count("80 x 60") == 2


def test_a_file_into_a_folder(run, photo, tmp_path):
    (tmp_path / "there.d").mkdir()
    assert run("colorize", photo, "-o", tmp_path / "there.d")[0] == 0
    assert run("colorize", photo, "-o", tmp_path / "made")[0] == 0
    assert (tmp_path / "there.d" / "photo.png").is_file()
    assert (tmp_path / "made" / "photo.png").is_file()


def test_an_unknown_model_is_told_once(run, photo, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.png").write_bytes(photo.read_bytes())
    refused(run("colorize", folder, "-o", tmp_path / "out", "--model", "magic"), "known: default")
    refused(run("seeds", photo, "-o", tmp_path / "s.json", "--model", "magic"), "known: default")
    assert not (tmp_path / "s.json").exists()
    assert not (tmp_path / "out").exists()


def test_refused_commands_make_no_folder_and_no_half_of_the_work(run, photo, tmp_path):
    other, unlike = tmp_path / "photo.bmp", tmp_path / "unlike.bmp"
    for path in (other, unlike):
        Image.open(photo).save(path)
    (tmp_path / "empty").mkdir()
    before = sorted(path.name for path in tmp_path.iterdir())
    out, seeds = tmp_path / "out.png", tmp_path / "s.json"
    refused(run("colorize", photo, other, "-o", tmp_path / "new"), "would both become")
    refused(run("colorize", photo, photo, "-o", tmp_path / "new"), "would both become")
    refused(run("colorize", tmp_path / "empty", "-o", tmp_path / "new"), "no image in this folder")
    refused(run("colorize", photo, tmp_path / "missing.png", "-o", tmp_path / "new"), "no such file")
    refused(run("colorize", photo, unlike, "-o", tmp_path / "new", "--save-seeds", seeds), "one by one")
    refused(run("colorize", photo, "-o", tmp_path / "out.xyz", "--save-seeds", seeds), ".xyz")
    refused(run("colorize", photo, "-o", out, "--save-seeds", tmp_path / "s.xyz"), ".xyz")
    refused(run("colorize", photo, "-o", out, "--save-seeds", out), "two names")
    refused(run("colorize", photo, "-o", out, "--save-seeds", photo), "would be replaced")
    refused(run("colorize", photo, "-o", out, "--save-seeds", photo / "s.json"), "no such folder")
    refused(run("colorize", photo, "-o", photo / "folder"), "cannot be made")
    refused(run("colorize", photo, "-o", photo, "--seeds", photo), "exists already")
    refused(run("colorize", photo, "-o", out, "--seeds", other / "s.json"), "s.json")
    refused(run("seeds", photo, "-o", tmp_path / "s.xyz"), ".xyz")
    refused(run("seeds", photo, "-o", photo / "s.json"), "no such folder")
    refused(run("seeds", tmp_path / "missing.png", "-o", seeds), "missing.png")
    refused(run("demo", "-o", photo / "demo"), "cannot be made")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_transparency_that_the_output_cannot_hold_leaves_nothing(run, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 2)).astype(np.uint8)
    Image.fromarray(pixels, "LA").save(tmp_path / "in.png")
    options = ("-o", tmp_path / "out.jpg", "--save-seeds", tmp_path / "s.json")
    refused(run("colorize", tmp_path / "in.png", *options), "transparency")
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_with_alpha(run, tmp_path, suffix):
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 65536, (24, 32, 2)).astype(np.uint16)
    source = tmp_path / "in.tif"
    tifffile.imwrite(source, pixels, photometric="minisblack", planarconfig="contig", extrasamples=["unassalpha"])
    assert run("colorize", source, "-o", tmp_path / f"out.{suffix}")[0] == 0
    result = (
        cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
        if suffix == "png"
        else tifffile.imread(tmp_path / "out.tif")
    )
    assert (result.dtype, result.shape) == (np.uint16, (24, 32, 4))
    assert np.array_equal(result[..., 3], pixels[..., 1])


def test_vividness_makes_a_difference_and_is_bounded(run, photo, tmp_path):
    for value in (0, 1):
        assert run("colorize", photo, "-o", tmp_path / f"{value}.png", "--vividness", value)[0] == 0
    assert (tmp_path / "0.png").read_bytes() != (tmp_path / "1.png").read_bytes()
    for value in ("-0.1", "1.1", "nan", "inf", "much"):
        refused(run("colorize", photo, "-o", tmp_path / "x.png", "--vividness", value), "--vividness")
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize("suffix", ["json", "png"])
def test_automatic_seeds_are_saved_edited_and_given_back(run, photo, tmp_path, suffix):
    seeds = tmp_path / f"seeds.{suffix}"
    code, out, _ = run("seeds", photo, "-o", seeds)
    assert code == 0
    assert "patches" in out
    if suffix == "png":
        with Image.open(seeds) as image:
            edited = image.convert("RGB")
        edited.paste((40, 60, 230), (35, 25, 45, 30))
        edited.save(seeds)
    result = run("colorize", photo, "-o", tmp_path / "out.png", "--seeds", seeds, "--save-seeds", tmp_path / "used.png")
    assert result[0] == 0
    with Image.open(tmp_path / "out.png") as image:
        lab = rgb_to_lab(np.asarray(image))
    if suffix == "png":
        assert lab[27, 40, 2] < -10
    with Image.open(tmp_path / "used.png") as image:
        assert image.size == (80, 60)


def test_the_seeds_of_a_run_give_the_same_picture_again(run, photo, tmp_path):
    assert run("colorize", photo, "-o", tmp_path / "one.png", "--save-seeds", tmp_path / "s.json")[0] == 0
    assert json.loads((tmp_path / "s.json").read_text())["strokes"]
    assert run("colorize", photo, "-o", tmp_path / "two.png", "--seeds", tmp_path / "s.json")[0] == 0
    one, two = (Image.open(tmp_path / name) for name in ("one.png", "two.png"))
    assert one.tobytes() == two.tobytes()
    assert "seeds_sha256" in two.getexif()[ExifTags.Base.Software]


def test_training_verbs_refuse_bad_input_in_one_line(run, tmp_path):
    recipe, run_folder = tmp_path / "r.toml", tmp_path / "run"
    refused(run("train", recipe, "--data", tmp_path, "--run", run_folder), "not a training recipe")
    recipe.write_text("= nonsense\nand more")
    refused(run("train", recipe, "--data", tmp_path, "--run", run_folder), "not a training recipe")
    refused(run("publish", run_folder, recipe, "--name", "x", "--data", tmp_path), "not a training recipe")
    assert not run_folder.exists()


def test_the_installed_command(tmp_path, photo):
    command = [Path(sys.executable).with_name("hybridcolor"), "colorize", "photo.png", "-o", "out.png"]
    first, second = (subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False) for _ in "12")
    assert (first.returncode, first.stderr) == (0, "")
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr.count("\n") == 1
    assert "--overwrite" in second.stderr
