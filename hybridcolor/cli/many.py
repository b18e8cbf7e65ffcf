"""The verb for very many pictures, and how it is stopped."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import MofNCompleteColumn, Progress

from hybridcolor.cli.common import bar, check_is_folder, err, out
from hybridcolor.errors import MethodError

if TYPE_CHECKING:
    from hybridcolor.batch import Outcome, Workers

app = typer.Typer()


@app.command()
def batch(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Images, folders, patterns, or lists (.csv, .jsonl, .parquet with a column path); or URLs of them.",
            metavar="SRC",
        ),
    ],
    output: Annotated[str, typer.Option("-o", "--output", help="Folder for the results; a batch goes on.")],
    recipe: Annotated[str | None, typer.Option(help="Method, model, vividness and name in a TOML file.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    scheduler: Annotated[str | None, typer.Option(help="Of a dask cluster, such as tcp://HOST:8786.")] = None,
    cluster: Annotated[str | None, typer.Option(help="local:N, a dask cluster of N processes made here.")] = None,
) -> None:
    """Colorize very many pictures; stop it, or lose it, at any time, and start it again with the same command.

    Folders are mirrored. What is done already, by content and recipe, is skipped. Pictures that fail are listed in
    failures.csv, and the rest goes on; the exit code is then 1. Scribbles beside a picture (old.seeds.png) are used.

    For instance:

      hybridcolor batch scans/ -o coloured/ --workers 4 --recipe recipe.toml

      hybridcolor batch scans/ -o coloured/ --scheduler tcp://node1:8786

      hybridcolor batch s3://archive/scans -o s3://archive/coloured
    """
    from hybridcolor.batch import Recipe, plan_tasks, run_batch

    settings = Recipe() if recipe is None else Recipe.read(recipe)
    if scheduler is not None and cluster is not None:
        raise MethodError("--scheduler and --cluster were given; choose one")
    count = sum(1 for _ in plan_tasks(sources, settings, output))  # a bad list is told before any work
    check_is_folder(output)
    with (
        _signals_stop() as stopped,
        _workers(workers, scheduler, cluster) as at_work,
        bar(*Progress.get_default_columns(), MofNCompleteColumn()) as shown,
    ):
        task = shown.add_task("pictures", total=count)

        def tell(so_far: Outcome) -> None:
            failed = len(so_far.failures)
            shown.update(task, completed=so_far.done + so_far.skipped + failed, description=f"{failed} failed")

        outcome = run_batch(
            plan_tasks(sources, settings, output), output, settings, workers=at_work, stopped=stopped, progress=tell
        )
    failed = f", {len(outcome.failures)} failed: see {output.rstrip('/')}/failures.csv" if outcome.failures else ""
    out.print(f"{outcome.done} done, {outcome.skipped} were done before{failed}")
    if outcome.stopped:
        err.print("stopped; the same command goes on")
    if outcome.failures or outcome.stopped:
        raise typer.Exit(1)


@contextmanager
def _workers(count: int, scheduler: str | None, cluster: str | None) -> Iterator[int | Workers]:
    """Who does the work; of dask nothing is loaded unless it is asked for."""
    if scheduler is None and cluster is None:
        yield count
        return
    if find_spec("distributed") is None:
        raise MethodError("clusters need dask.distributed; pip install 'hybridcolor[distributed]'")
    from hybridcolor.distributed import connect

    with connect(scheduler=scheduler, cluster=cluster) as connected:
        yield connected


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
