from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

import hybridcolor
from hybridcolor import cli
from hybridcolor.lab import rgb_to_lab
from hybridcolor.propagate import PROPAGATORS


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command line: exit code, standard output, standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["hybridcolor", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def photo(tmp_path):
    """A small gray photo: a bright disc on a ramp."""
    rows, columns = np.mgrid[:60, :80]
    gray = np.where((rows - 30) ** 2 + (columns - 40) ** 2 < 300, 200, 40 + columns).astype(np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(gray).save(path)
    return path


def refused(result, message):
    """One line on standard error, exit code 2."""
    code, _, err = result
    lines = [line for line in err.splitlines() if line.strip()]
    assert code == 2
    assert len(lines) == 1, err
    assert message in lines[0]


def test_one_file(run, photo, tmp_path):
    code, out, _ = run("colorize", photo, "-o", tmp_path / "out.png")
    assert code == 0
    assert "out.png" in out
    with Image.open(tmp_path / "out.png") as image:
        assert (image.mode, image.size) == ("RGB", (80, 60))


@pytest.mark.parametrize("method", PROPAGATORS)
def test_every_method_with_seeds_from_a_file(run, photo, tmp_path, method):
    assert run("seeds", photo, "-o", tmp_path / "auto.json")[0] == 0
    with Image.open(photo) as image:
        marked = image.convert("RGB")
    marked.paste((200, 40, 220), (35, 25, 45, 30))
    marked.save(tmp_path / "marked.png")
    out = tmp_path / f"{method}.png"
    used = tmp_path / "used.json"
    code, _, err = run(
        "colorize", photo, "-o", out, "--method", method, "--seeds", tmp_path / "marked.png", "--save-seeds", used
    )
    assert (code, err.strip()) == (0, "")
    with Image.open(out) as image:
        lab = rgb_to_lab(np.asarray(image))
    assert lab[27, 40, 1] > 10
    again = tmp_path / "again.png"
    assert run("colorize", photo, "-o", again, "--method", method, "--seeds", used)[0] == 0
    with Image.open(out) as first, Image.open(again) as second:
        difference = np.abs(np.asarray(first, int) - np.asarray(second, int))
    assert difference.max() <= 3  # what was used, given back, gives the same picture


def test_scribbles_alone_need_no_model(run, photo, tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRIDCOLOR_MODELS", str(tmp_path / "no models here"))
    with Image.open(photo) as image:
        marked = image.convert("RGB")
    marked.paste((200, 40, 40), (35, 25, 45, 30))
    marked.save(tmp_path / "marked.png")
    options = ("--seeds", tmp_path / "marked.png", "--model", "none")
    assert run("colorize", photo, "-o", tmp_path / "out.png", *options)[0] == 0
    refused(run("colorize", photo, "-o", tmp_path / "other.png"), "no registry.json")
    refused(run("colorize", photo, "-o", tmp_path / "other.png", "--model", "none"), "draw at least one scribble")


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
    refused(run("seeds", photo, "-o", photo), "exists already")
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


def test_overwrite_replaces(run, photo, tmp_path):
    out = tmp_path / "out.png"
    out.write_bytes(b"old")
    refused(run("colorize", photo, "-o", out), "--overwrite")
    assert out.read_bytes() == b"old"
    assert run("colorize", photo, "-o", out, "--overwrite")[0] == 0
    assert out.read_bytes() != b"old"


@pytest.mark.parametrize("verb", ["", "colorize", "seeds", "models", "demo", "train", "publish"])
def test_help_teaches(run, verb):
    code, out, _ = run(*filter(None, [verb, "--help"]))
    assert code == 0
    assert "Usage: hybridcolor" in out


def test_models_and_version(run):
    code, out, _ = run("models")
    assert code == 0
    assert "lite" in out
    assert run("--version")[1].strip() == f"hybridcolor {hybridcolor.__version__}"


def test_exit_code_of_the_real_command(tmp_path):
    command = [sys.executable, "-c", "from hybridcolor.cli import main; main()"]
    found = subprocess.run(
        [*command, "colorize", "missing.png", "-o", "x.png"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert "Traceback" not in found.stderr
