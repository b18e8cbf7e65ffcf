"""The test with people: two pictures for a moment, which one is real, or which one looks better.

The field's own test (Zhang, Isola and Efros 2016: a second for each pair) as a page that needs no service:
`write_blind_test` makes it of a report, each person saves a CSV of answers, `tally` takes them together.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scipy.stats import binomtest

from hybridcolor.compare.methods import GRAY
from hybridcolor.compare.pictures import slug
from hybridcolor.errors import HybridColorError, ImageError, MethodError
from hybridcolor.files import open_ordinary, write_whole

if TYPE_CHECKING:
    from hybridcolor.compare.report import Report

TRUTH = "truth"
REAL = "real"
BETTER = "better"
COLUMNS = (
    *("participant", "seed", "trial", "question", "picture", "left", "right", "chosen"),
    *("seconds_shown", "answer_ms"),
)
"""The columns of a CSV of answers, as the page saves it."""


def write_blind_test(report: Report, folder: Path) -> Path:
    """Write the page of the test, ``blind.html``, into the folder of a report; it shows the report's pictures.

    Parameters
    ----------
    report : Report
        `GRAY` among its methods is left out: everybody knows which one is gray.
    folder : Path
        The report's own, where its pictures are.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    MethodError
        If there is nothing to choose between: neither two methods that colour, nor one and the truth of a picture. Or
        if a result is called "truth".
    ImageError
        If it cannot be written.
    """
    from hybridcolor.compare.page import environment

    check_choice(report.methods, truth=any(record["truth"] for record in report.records))
    methods = [name for name in report.methods if name != GRAY]
    pictures = []
    for record in report.records:
        shown = [*([TRUTH] if record["truth"] else []), *methods]
        place = f"pictures/{record['slug']}"
        pictures.append({"name": record["name"], "files": {name: f"{place}/{_file(name)}.jpg" for name in shown}})
    data = {"columns": COLUMNS, "methods": methods, "pictures": pictures}
    page = folder / "blind.html"
    try:
        write_whole(page, environment().get_template("blind.html").render(data=data).encode())
    except OSError as error:
        raise ImageError(f"{page}: cannot be written ({error.strerror}); choose another folder for -o") from error
    return page


def _file(name: str) -> str:
    return "_truth" if name == TRUTH else slug(name)


def check_choice(methods: Sequence[str], *, truth: bool) -> None:
    """See that there is a pair to choose from, before the work.

    Raises
    ------
    MethodError
        If there is none, or a result has the name that stands for the truth.
    """
    if TRUTH in methods:
        raise MethodError(f"a result cannot be called {TRUTH!r} in a blind test; give it another name")
    coloured = [name for name in methods if name != GRAY]
    if not coloured or (len(coloured) < 2 and not truth):
        raise MethodError("a blind test needs two methods that colour, or one and the truth; name more")


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a method was chosen.

    Attributes
    ----------
    question : str
        ``real``: taken for the real photo. ``better``: preferred.
    method, against : str
        What was shown together.
    wins, trials : int
        How often ``method`` was chosen, of how many times.
    low, high : float
        95% Wilson interval of the share. It counts answers as independent, which those of one person are not quite.
    people : int
    """

    question: str
    method: str
    against: str
    wins: int
    trials: int
    low: float
    high: float
    people: int


def tally(paths: Iterable[Path]) -> list[Tally]:
    r"""Take the answers of many people together.

    Parameters
    ----------
    paths : iterable of Path
        CSV files that the page saved.

    Returns
    -------
    list of Tally
        One for each question and pair of methods, in the order of their names; the truth always counts as ``against``.

    Raises
    ------
    HybridColorError
        If a file is none of answers, or a participant's answer to a trial is there twice.

    Examples
    --------
    >>> import tempfile
    >>> rows = [",".join(COLUMNS), "ann,7,1,real,cat,truth,hybrid,hybrid,1.0,800"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "ann.csv").write_text("\n".join(rows))
    ...     (line,) = tally([Path(folder) / "ann.csv"])
    >>> line.question, line.method, line.against, line.wins, line.trials
    ('real', 'hybrid', 'truth', 1, 1)
    """
    seen: set[tuple[str, ...]] = set()
    answers: dict[tuple[str, str, str], list[tuple[bool, str]]] = {}
    for path in paths:
        for row in _read_answers(path):
            mark = (row["participant"], row["question"], row["trial"])
            if mark in seen:
                raise HybridColorError(
                    f"{path}: participant {row['participant']!r} has answered already in this file or another; "
                    "give each file once and each person another code"
                )
            seen.add(mark)
            first, second = sorted((row["left"], row["right"]), key=lambda name: (name == TRUTH, name))
            answers.setdefault((row["question"], first, second), []).append(
                (row["chosen"] == first, row["participant"])
            )
    return [_count(key, given) for key, given in sorted(answers.items())]


def _count(key: tuple[str, str, str], given: Sequence[tuple[bool, str]]) -> Tally:
    wins = sum(chosen for chosen, _ in given)
    interval = binomtest(wins, len(given)).proportion_ci(0.95, method="wilson")
    people = len({person for _, person in given})
    return Tally(*key, wins, len(given), float(interval.low), float(interval.high), people)


def _read_answers(path: Path) -> list[dict[str, str]]:
    try:
        with io.TextIOWrapper(open_ordinary(path), encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except OSError as error:
        raise HybridColorError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise HybridColorError(f"{path}: not a CSV of answers ({error})") from error
    for line, row in enumerate(rows, start=2):
        if set(row) != set(COLUMNS) or None in row.values():
            raise HybridColorError(f"{path}: not a CSV of answers, its columns should be {', '.join(COLUMNS)}")
        pair = (row["left"], row["right"])
        if row["question"] not in (REAL, BETTER) or row["chosen"] not in pair or pair[0] == pair[1]:
            raise HybridColorError(f"{path}: line {line} is no answer that the test can give; was it edited?")
    if not rows:
        raise HybridColorError(f"{path}: holds no answer")
    return rows
