"""Verbs that compare methods: on pictures, by people, and by simulated users."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from hybridcolor.cli.common import bar, check_is_folder, complain, err, listed, out
from hybridcolor.errors import ImageError, MethodError

if TYPE_CHECKING:
    from hybridcolor.compare.report import Report

HEADLINES = ("psnr", "ab_rmse", "ciede2000", "bleeding", "colourfulness")  # what a terminal has room for

app = typer.Typer()


@app.command()
def compare(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the report; an unfinished one goes on.")],
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Gray or colour images, or folders of them; without, scikit-image's own photos.", metavar="INPUT"
        ),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(help="A method, cnn or gray, as METHOD or METHOD:MODEL; give it again for more. Else all."),
    ] = None,
    reference: Annotated[
        list[Path] | None,
        typer.Option(help="True colours, images or folders of them. A colour input is its own truth without."),
    ] = None,
    result: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FOLDER of pictures that something else coloured, named as the inputs."),
    ] = None,
    seeds: Annotated[
        Path | None, typer.Option(help="Folder of scribbles, named as the inputs: as for `colorize --seeds`.")
    ] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Also write blind.html, a test with people.")] = False,
) -> None:
    """Compare methods, and results of other tools, on many pictures: a page of HTML, CSV and JSON.

    For instance:

      hybridcolor compare -o report/

      hybridcolor compare photos/ -o report/

      hybridcolor compare gray/ --reference colour/ --result theirs=their-results/ --method cnn -o report/

      hybridcolor compare gray/ --seeds scribbles/ --method hybrid --method optimization:none -o report/
    """
    from hybridcolor.compare import DEFAULT_METHODS, Method, find_cases, prepare
    from hybridcolor.compare import compare as run_comparison
    from hybridcolor.study import bundled_photos

    check_is_folder(output)
    methods = [Method.parse(name) for name in method or DEFAULT_METHODS]
    others = dict(_named_folders(result or []))
    if not inputs:
        prepare(output)
        inputs = bundled_photos(output / "photos")
    cases = find_cases(inputs, references=reference or [], results=others, seeds=seeds)
    with bar() as shown:
        task = shown.add_task("comparing", total=len(cases))
        report = run_comparison(
            cases,
            methods,
            output,
            blind=blind,
            progress=lambda done, of: shown.update(task, completed=done, total=of),
            complain=complain,
        )
    _print_means(report)
    out.print(f"Look at {output / 'index.html'}")
    if blind:
        out.print(f"The test with people is {output / 'blind.html'}")
    if report.left_out:
        raise ImageError(f"{len(report.left_out)} of {len(cases)} pictures are left out; the others are compared")


@app.command()
def tally(
    answers: Annotated[list[Path], typer.Argument(help="What blind.html saved.", metavar="CSV")],
) -> None:
    """Count the answers of a blind test: how often each method was chosen, with 95% intervals."""
    from hybridcolor.compare.blind import tally as count

    table = Table("question", "chosen", "against", "times", "share", "95% interval", "people")
    for line in count(answers):
        table.add_row(
            {"real": "taken for real", "better": "looks better"}[line.question],
            *(line.method, line.against, f"{line.wins} of {line.trials}", f"{line.wins / line.trials:.1%}"),
            *(f"{line.low:.1%} to {line.high:.1%}", str(line.people)),
        )
    out.print(table)


@app.command()
def study(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables and curves; a study goes on.")],
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of colour photos; without it, scikit-image's own.", metavar="FOLDER")
    ] = None,
    methods: Annotated[str, typer.Option(help="Which methods, separated by semicolons.")] = "",
    users: Annotated[str, typer.Option(help="Which simulated users: random, attentive, scribbles.")] = "",
    strokes: Annotated[str, typer.Option(help="Scores after so many strokes.")] = "0,1,2,5,10,20,50,100",
    size: Annotated[int, typer.Option(min=16, help="Larger photos get this shorter side, in pixels.")] = 256,
    model: Annotated[str, typer.Option(help="A model that `hybridcolor models` lists.")] = "default",
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """Let simulated users draw on photos, and tell which method is how good after how many strokes.

    For instance:

      hybridcolor study photos/ -o study/ --users random --methods "hybrid; optimization"
    """
    from hybridcolor.imagefiles import images_at
    from hybridcolor.study import DEFAULT_METHODS, Plan, bundled_photos, prepare, run_study
    from hybridcolor.users import USERS

    check_is_folder(output)
    try:
        counts = tuple(sorted({int(count) for count in strokes.split(",")}))
    except ValueError as error:
        raise MethodError(f"--strokes {strokes!r} is not a list of whole numbers such as 0,1,10") from error
    plan = Plan(
        methods=listed(methods, ";") or DEFAULT_METHODS,
        users=listed(users, ",") or tuple(USERS),
        strokes=counts,
        size=size,
        model=model,
    )
    if folder is None:
        prepare(output, plan)
        photos = bundled_photos(output / "photos")
    else:
        photos = images_at(folder)
    with bar() as shown:
        task = shown.add_task("photos", total=len(photos))
        table = run_study(
            photos, output, plan, workers=workers, progress=lambda done, _: shown.update(task, completed=done)
        )
    for line in table.refused:
        err.print(f"left out: {line}", style="yellow")
    out.print(*(output / "table.md").read_text(encoding="utf-8").splitlines(), sep="\n")
    out.print(f"Look at {output / 'curves.svg'}")


def _named_folders(results: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """NAME=FOLDER, split."""
    names = set()
    for text in results:
        name, _, folder = text.partition("=")
        if not name or not folder:
            raise MethodError(f"--result {text!r} is not NAME=FOLDER, such as theirs=their-results/")
        if name in names:
            raise MethodError(f"{name!r} is named twice; give every method and result a name of its own")
        if not Path(folder).is_dir():
            raise ImageError(f"--result {text!r}: there is no folder {folder}; check the name")
        names.add(name)
        yield name, Path(folder)


def _print_means(report: Report) -> None:
    """Means and intervals; the best is marked."""
    from hybridcolor.compare.scoring import COLUMNS

    shown = [column for column in COLUMNS if column.key in HEADLINES and column.key in report.rows]
    table = Table("method", *(column.label for column in shown))
    for name in report.methods:
        means = [report.rows[column.key].means[name] for column in shown]
        table.add_row(name, *(f"{mean.mean:.3g}{' *' if mean.best else ''}" for mean in means))
    out.print(table)
    out.print(f"Means over {len(report.records)} pictures; * marks the best. The page has all scores.")
