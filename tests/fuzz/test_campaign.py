"""The short form of ``make fuzz``: 2,000 damaged files of all kinds, read in a watched process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.fuzz import campaign
from tests.fuzz.samples import all_samples

ROUNDS = 38


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_damaged_files_of_every_kind(tmp_path: Path) -> None:
    samples, work = all_samples(tmp_path / "samples"), tmp_path / "work"
    work.mkdir()
    todo = list(campaign.cases(samples, ROUNDS))
    found = campaign.run(todo, work)
    sys.stdout.write(campaign.table(found))
    assert found.findings == []
    assert sum(found.counts.values()) == len(todo) > 1900
    refused = sum(count for (_, outcome), count in found.counts.items() if outcome == "refused")
    assert 0.5 * len(todo) < refused < 0.98 * len(todo)  # neither harmless nor all unreadable at first sight
    assert found.growth < 50


SICK = """
import os, sys, time
from pathlib import Path
from tests.fuzz import campaign, reading
def read(path):
    if path.parent.name == "damaged":
        ills = Path(__file__).with_name("ills")
        now, *later = ills.read_text().split()
        ills.write_text(" ".join(later))
        if now == "dies": os.abort()
        if now == "runs": [0 for _ in iter(int, 1)]
        if now == "raises": raise KeyError("x")
        if now == "prints": print("noise")
reading.READERS["rgb.gif"] = read
campaign.LONGEST = 0.3
campaign.main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_the_watch_sees_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that dies, runs for ever, raises or prints is found, and what comes after it is read all the same."""
    for name in ("rgb.gif", "rgb.bmp"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    script, work = tmp_path / "sick.py", tmp_path / "work"
    work.mkdir()
    script.write_text(SICK)
    (tmp_path / "ills").write_text("dies runs raises prints")
    monkeypatch.setattr(campaign, "CHILD", [sys.executable, str(script)])
    found = campaign.run(list(campaign.cases([tmp_path / "rgb.gif", tmp_path / "rgb.bmp"], 4)), work)
    told = ["rgb.gif:0: exit code -6", "rgb.gif:1: more than 2.0 s", "rgb.gif:2: KeyError: 'x'", "printed: 'noise"]
    assert [line[: len(start)] for line, start in zip(found.findings, told, strict=True)] == told
    assert sum(count for (name, _), count in found.counts.items() if name == "rgb.bmp") == 4
