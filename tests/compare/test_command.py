"""`hybridcolor compare` and `hybridcolor tally`: what a person sees."""

from __future__ import annotations

import numpy as np
import pytest

from .pictures import colour_photo, save
from .test_blind import write


@pytest.fixture
def photos(tmp_path):
    return save(tmp_path / "photos", a=colour_photo(0), b=colour_photo(1), c=colour_photo(2))


def test_a_comparison(run, photos, tmp_path):
    made = save(tmp_path / "made", a=colour_photo(0), b=colour_photo(1), c=colour_photo(3))
    out = tmp_path / "out"
    code, shown, err = run(
        *("compare", photos, "--method", "gray", "--method", "cnn", "--result", f"theirs={made}", "-o", out, "--blind")
    )
    assert (code, err) == (0, "")
    assert "theirs" in shown
    assert "Means over 3 pictures" in shown
    assert {path.name for path in out.iterdir()} == {
        *("index.html", "blind.html", "report.csv", "report.json", "records", "pictures")
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "magic"], "method 'magic' is unknown"),
        (["--method", "cnn:nobody"], "unknown model 'nobody'"),
        (["--method", "hybrid:none"], "give --seeds"),
        (["--method", "gray", "--method", "gray"], "named twice"),
        (["--result", "theirs"], "is not NAME=FOLDER"),
        (["--result", "=photos"], "is not NAME=FOLDER"),
        (["--result", "theirs=nowhere"], "no folder nowhere"),
        (["--result", "a={photos}", "--result", "a={photos}"], "named twice"),
        (["--result", "gray={photos}"], "named twice"),
        (["--reference", "nowhere"], "no such file"),
        (["--seeds", "nowhere"], "no such folder"),
        (["--method", "gray", "--blind"], "two methods that colour"),
        (["--result", "truth={photos}", "--blind"], "cannot be called 'truth'"),
    ],
)
def test_mistakes_end_in_one_line_and_nothing_is_made(run, photos, tmp_path, arguments, message):
    arguments = [text.replace("{photos}", str(photos)) for text in arguments]
    code, _, err = run("compare", photos, *arguments, "-o", tmp_path / "out")
    lines = [line for line in err.splitlines() if line.strip()]
    assert (code, len(lines)) == (2, 1), err
    assert message in lines[0]
    assert not (tmp_path / "out").exists()


def test_a_bad_picture_is_named_and_the_others_are_compared(run, photos, tmp_path):
    (photos / "b.png").write_bytes(b"none")
    code, shown, err = run("compare", photos, "--method", "gray", "-o", tmp_path / "out")
    assert code == 2
    assert "b.png" in err
    assert "1 of 3 pictures" in err
    assert "Means over 2 pictures" in shown


def test_a_folder_that_is_something_else_is_left_alone(run, photos, tmp_path):
    before = sorted(photos.iterdir())
    code, _, err = run("compare", photos, "--method", "gray", "-o", photos)
    assert code == 2
    assert "not empty" in err
    code, _, err = run("compare", photos, "--method", "gray", "-o", photos / "a.png")
    assert code == 2
    assert sorted(photos.iterdir()) == before


def test_a_tally(run, tmp_path):
    answers = write(tmp_path / "answers.csv", [("truth", "cnn", "cnn"), ("cnn", "truth", "truth")])
    code, shown, _ = run("tally", answers)
    assert code == 0
    assert "1 of 2" in shown
    assert "50.0%" in shown
    code, _, err = run("tally", tmp_path / "none.csv")
    assert code == 2
    assert err.count("\n") == 1


def test_without_pictures_it_takes_the_bundled_ones(run, tmp_path):
    code, shown, _ = run("compare", "--method", "gray", "-o", tmp_path / "out")
    assert code == 0
    assert "Means over 4 pictures" in shown
    assert run("compare", "--method", "gray", "-o", tmp_path / "out")[0] == 0
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    assert run("compare", "--method", "gray", "-o", tmp_path / "other")[0] == 2
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["letter.txt"]


def test_a_gray_scan_needs_no_truth(run, tmp_path):
    scans = save(tmp_path / "scans", scan=np.tile(np.arange(48, dtype=np.uint8) * 5, (40, 1)))
    assert run("compare", scans, "--method", "cnn", "-o", tmp_path / "out")[0] == 0
