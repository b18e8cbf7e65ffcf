"""The verb for very many pictures, and how it is stopped."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import MofNCompleteColumn, Progress

from hybridcolor.cli.common import err, out

if TYPE_CHECKING:
    from hybridcolor.batch import Outcome

app = typer.Typer()


@app.command()
def batch(
    sources: Annotated[
        list[str],
        typer.Argument(help="Images, folders, patterns, or lists (.csv, .jsonl with a column path).", metavar="SRC..."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the results; a batch goes on.")],
    recipe: Annotated[Path | None, typer.Option(help="Method, model, vividness and name in a TOML file.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """Colorize very many pictures; stop it, or lose it, at any time, and start it again with the same command.

    Folders are mirrored. What is done already, by content and recipe, is skipped. Pictures that fail are listed in
    failures.csv, and the rest goes on; the exit code is then 1. Scribbles beside a picture (old.seeds.png) are used.

    For instance:

      hybridcolor batch scans/ -o coloured/ --workers 4 --recipe recipe.toml
    """
    from hybridcolor.batch import Recipe, plan_tasks, run_batch

    settings = Recipe() if recipe is None else Recipe.read(recipe)
    count = sum(1 for _ in plan_tasks(sources, settings, output))  # a bad list is told before any work
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with _signals_stop() as stopped, Progress(*columns, console=err, transient=True) as bar:
        shown = bar.add_task("pictures", total=count)

        def tell(so_far: Outcome) -> None:
            failed = len(so_far.failures)
            bar.update(shown, completed=so_far.done + so_far.skipped + failed, description=f"{failed} failed")

        outcome = run_batch(
            plan_tasks(sources, settings, output), output, settings, workers=workers, stopped=stopped, progress=tell
        )
    failed = f", {len(outcome.failures)} failed: see {output / 'failures.csv'}" if outcome.failures else ""
    out.print(f"{outcome.done} done, {outcome.skipped} were done before{failed}", soft_wrap=True)
    if outcome.stopped:
        err.print("stopped; the same command goes on", soft_wrap=True)
    if outcome.failures or outcome.stopped:
        raise typer.Exit(1)


@contextmanager
def _signals_stop() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and a request to end are noted, for the work to stop where nothing is lost; a second one ends at once."""
    asked: list[int] = []

    def note(number: int, _frame: object) -> None:
        asked.append(number)
        signal.signal(number, before[number])

    before = {int(number): signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
