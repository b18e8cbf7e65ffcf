"""Verbs for networks: list, import, export, train, publish and evaluate them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from hybridcolor.cli.common import Overwrite, bar, load, out, print_scores
from hybridcolor.errors import ModelError

app = typer.Typer()
models_app = typer.Typer(help="List models, import weights of others, export to ONNX.", rich_markup_mode=None)
app.add_typer(models_app, name="models")


@models_app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List the models that are installed; import weights of others; export to ONNX."""
    if context.invoked_subcommand is None:
        list_models()


@models_app.command(name="list")
def list_models() -> None:
    """List the models that are installed, with their scores on held-out photos."""
    from hybridcolor.predict import read_registry

    default, entries = read_registry()
    table = Table(*(Column(name, overflow="fold") for name in ("name", "what it is", "licence", "held-out scores")))
    for name, entry in entries.items():
        scores = "\n".join(f"{key} {value:g}" for key, value in entry.scores.items())
        table.add_row(f"{name} (default)" if name == default else name, entry.summary, entry.licence, scores)
    out.print(table)


@models_app.command(name="import")
def import_(
    source: Annotated[Path, typer.Argument(help="The .pth or .caffemodel that Zhang et al. released.", metavar="FILE")],
    name: Annotated[str | None, typer.Option(help="The model's name; else the file's.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A folder of models, made if missing; else your own one.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Make a model of the released weights of Zhang et al. 2016: a PyTorch state dict or a Caffe model.

    For instance:

      hybridcolor models import colorization_release_v2.caffemodel --name zhang2016

      hybridcolor colorize old.jpg -o old-colour.png --model zhang2016
    """
    from hybridcolor.predict.importing import import_model

    entry = import_model(source, name=name, folder=output, overwrite=overwrite)
    out.print(f"{entry.folder / entry.file}  model {entry.name}, card {entry.card}")
    if output is not None:
        out.print(f"It is found when HYBRIDCOLOR_MODELS is {output}")


@models_app.command()
def export(
    name: Annotated[str, typer.Argument(help="A model that `hybridcolor models` lists.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The .onnx file.")],
    overwrite: Overwrite = False,
) -> None:
    """Write a model as ONNX: luminance (B, 1, H, W) in 0..1 in, calibrated logits over the ab bins out."""
    from hybridcolor.predict.export import export_model

    export_model(name, output, overwrite=overwrite)
    out.print(f"{output}  {output.stat().st_size / 1e6:.1f} MB")


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe such as models/train/lite.toml.")],
    data: Annotated[Path, typer.Option(help="Folder of tar shards of images.")],
    run: Annotated[Path, typer.Option(help="Folder for the checkpoint and the log; an unfinished run goes on.")],
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Train a model; stop it at any time and start it again with the same command. Look at curve.svg meanwhile."""
    from hybridcolor.plots import check_installed
    from hybridcolor.predict.curve import draw_curve
    from hybridcolor.predict.recipe import Recipe
    from hybridcolor.predict.train import train as run_training

    check_installed("matplotlib")

    def show(scores: dict[str, float]) -> None:
        print_scores(scores)
        draw_curve(run)

    run_training(Recipe.read(recipe), data=data, run=run, threads=threads, progress=show)


@app.command()
def publish(
    run: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    recipe: Annotated[Path, typer.Argument(help="The recipe it was trained with.")],
    name: Annotated[str, typer.Option(help="The model's name.")],
    data: Annotated[Path, typer.Option(help="Folder of the tar shards it was trained on, for the held-out scores.")],
    folder: Annotated[Path, typer.Option(help="The checkout's folder of models.")] = Path("models"),
) -> None:
    """Make a run's model the shipped one: calibrate, score on held-out images, write weights, card and registry."""
    from hybridcolor.predict.publish import publish_run

    scores = publish_run(run, recipe, name=name, data=data, folder=folder)
    print_scores(scores)


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="A model that `hybridcolor models` lists, or default.")],
    data: Annotated[Path, typer.Option(help="Folder of tar shards; only their held-out photos are used.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the report.")],
    shards: Annotated[str, typer.Option(help="Which shards, by pattern.")] = "photos128-*.tar",
) -> None:
    """Score a model on photos it never saw: scores, calibration, contact sheets."""
    from hybridcolor.predict.evaluate import evaluate as run_evaluation

    predictor = load(model)
    if predictor is None:
        raise ModelError("there is nothing to evaluate without a model; name one that `hybridcolor models` lists")
    with bar() as shown:
        task = shown.add_task("photos", total=None)
        scores = run_evaluation(
            predictor,
            data,
            output,
            shards=[shards],
            progress=lambda done, of: shown.update(task, completed=done, total=of),
        )
    print_scores(scores)
