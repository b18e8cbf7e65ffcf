"""Answers of the blind test are counted right, and what is none is refused."""

from __future__ import annotations

import csv

import pytest

from hybridcolor.compare.blind import COLUMNS, tally
from hybridcolor.errors import HybridColorError


def write(path, answers, participant="p1", question="real"):
    """Answers as (left, right, chosen)."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, (left, right, chosen) in enumerate(answers, start=1):
            writer.writerow([participant, "s", number, question, f"photo{number}", left, right, chosen, 1, 700])
    return path


def test_shares_and_intervals(tmp_path):
    # Wilson's interval for 8 of 20 at 95%: 0.2188 to 0.6134 (Agresti and Coull's formula (2), by hand).
    first = write(tmp_path / "1.csv", [("truth", "cnn", "cnn")] * 5 + [("cnn", "truth", "truth")] * 5)
    second = write(tmp_path / "2.csv", [("cnn", "truth", "cnn")] * 3 + [("truth", "cnn", "truth")] * 7, "p2")
    (line,) = tally([first, second])
    assert (line.question, line.method, line.against) == ("real", "cnn", "truth")
    assert (line.wins, line.trials, line.people) == (8, 20, 2)
    assert (line.low, line.high) == (pytest.approx(0.2188, abs=1e-4), pytest.approx(0.6134, abs=1e-4))


def test_each_pair_and_question_has_its_line(tmp_path):
    answers = [("b", "a", "a"), ("a", "b", "a"), ("c", "a", "c"), ("b", "c", "b")]
    better = write(tmp_path / "1.csv", answers, question="better")
    real = write(tmp_path / "2.csv", [("truth", "zebra", "zebra")])
    lines = [(line.question, line.method, line.against, line.wins, line.trials) for line in tally([real, better])]
    assert lines == [
        ("better", "a", "b", 2, 2),
        ("better", "a", "c", 0, 1),
        ("better", "b", "c", 1, 1),
        ("real", "zebra", "truth", 1, 1),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no answer"),
        ("a,b\n1,2\n", "its columns should be"),
        (",".join(COLUMNS) + "\n1,2\n", "its columns should be"),
        (",".join(COLUMNS) + "\np,s,1,real,x,truth,cnn,other,1,5\n", "line 2 is no answer"),
        (",".join(COLUMNS) + "\np,s,1,real,x,cnn,cnn,cnn,1,5\n", "line 2 is no answer"),
        (",".join(COLUMNS) + "\np,s,1,nicer,x,truth,cnn,cnn,1,5\n", "line 2 is no answer"),
        ('"' + ",".join(COLUMNS), "not a CSV"),
    ],
)
def test_files_that_are_no_answers(tmp_path, text, message):
    path = tmp_path / "answers.csv"
    path.write_text(text)
    with pytest.raises(HybridColorError, match=message):
        tally([path])


def test_answers_count_once(tmp_path):
    path = write(tmp_path / "1.csv", [("truth", "cnn", "cnn")])
    with pytest.raises(HybridColorError, match="has answered already"):
        tally([path, path])
    with pytest.raises(HybridColorError, match="cannot be read"):
        tally([tmp_path / "none.csv"])
    (tmp_path / "raw.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(HybridColorError, match="not a CSV"):
        tally([tmp_path / "raw.csv"])
