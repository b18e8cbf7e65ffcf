"""Methods side by side on many pictures, and the report of it.

`find_cases` sorts files into pictures, `Method.parse` reads what shall colour them, `compare` does the work and writes
the report. ``inputs``, ``methods`` and ``scoring`` say what is measured, ``running`` measures, ``aggregation`` takes
the means, ``report`` and ``page`` write; ``provenance`` keeps what one needs to repeat it, ``blind`` is the test with
people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridcolor.compare.inputs import Case, find_cases
from hybridcolor.compare.methods import DEFAULT_METHODS, Method
from hybridcolor.errors import HybridColorError, ImageError, MethodError
from hybridcolor.plots import check_installed

if TYPE_CHECKING:
    from hybridcolor.compare.report import Report

__all__ = ["DEFAULT_METHODS", "Case", "Method", "compare", "find_cases", "prepare"]


def compare(
    cases: Sequence[Case],
    methods: Sequence[Method],
    folder: Path,
    *,
    blind: bool = False,
    progress: Callable[[int, int], None] = lambda *_: None,
    complain: Callable[[HybridColorError], None] = lambda _: None,
) -> Report:
    """Colour every picture by every method, score the results, and write the report.

    Parameters
    ----------
    cases : sequence of Case
        From `find_cases`.
    methods : sequence of Method
        Ours; the others' results are in the cases.
    folder : Path
        For the report; it is made, or empty, or holds an earlier report, whose results are used where files, code and
        settings are the same.
    blind : bool, optional
        Also write ``blind.html``, the test with people.
    progress : callable, optional
        Is told how many pictures are done, of how many.
    complain : callable, optional
        Is told why a picture is left out.

    Returns
    -------
    Report
        As it was written to ``folder``.

    Raises
    ------
    ImageError
        If the folder cannot be used, or no picture is left.
    MethodError
        If the methods do not go with the pictures, or a package is missing.
    ModelError
        If a model is not installed.
    """
    from hybridcolor.compare.blind import check_choice, write_blind_test
    from hybridcolor.compare.provenance import provenance
    from hybridcolor.compare.report import Report
    from hybridcolor.compare.running import Runner, run_all

    names = _names(cases, methods)
    check_installed("jinja2", "matplotlib")
    if blind:
        check_choice(names, truth=True)
    facts = provenance(methods)
    prepare(folder)
    left_out: list[str] = []

    def leave_out(error: HybridColorError) -> None:
        left_out.append(str(error))
        complain(error)

    runner = Runner(methods, folder, code=_code(facts))
    records = run_all(cases, runner, progress=progress, complain=leave_out)
    if not records:
        raise ImageError(f"none of the {len(cases)} pictures could be compared; the lines above say why")
    report = Report.of(records, names, facts, left_out)
    report.save(folder)
    if blind:
        write_blind_test(report, folder)
    return report


def _names(cases: Sequence[Case], methods: Sequence[Method]) -> list[str]:
    """Names of all that is compared, ours first; checked before any work."""
    names = [method.name for method in methods] + list(cases[0].results if cases else ())
    for name in names:
        if names.count(name) > 1:
            raise MethodError(f"{name!r} is named twice; give every method and result a name of its own")
    if not names:
        raise MethodError("there is nothing to compare; name a method or a folder of results")
    bare = [case.name for case in cases if case.seeds is None]
    for method in methods:
        if method.needs_scribbles and bare:
            raise MethodError(f"{method.name!r} has only scribbles to go by, and {bare[0]!r} has none; give --seeds")
    return names


def prepare(folder: Path) -> None:
    """Make a report's folder, or see that it is empty or has an earlier report.

    Raises
    ------
    ImageError
        If it has anything else, or cannot be made.
    """
    try:
        if folder.is_dir() and any(folder.iterdir()) and not (folder / "records").is_dir():
            raise ImageError(f"{folder}: is not empty and no earlier report; choose another folder for -o")
        for part in ("records", "pictures"):
            (folder / part).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(f"{folder}: cannot be made ({error.strerror}); choose another folder for -o") from error


def _code(facts: dict[str, Any]) -> str:
    return f"{facts['code_sha256']} {facts['packages']} {facts['python']}"
