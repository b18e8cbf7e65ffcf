"""The command line: ``hybridcolor VERB``.

Verbs only read their arguments, call the library and print; what they do lives in ``pipeline``, ``demo`` and
``predict``. Heavy imports stay inside the verbs, so that ``--help`` answers at once. Bad input ends with one line on
stderr and exit code 2.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, track
from rich.table import Table

import hybridcolor
from hybridcolor.errors import HybridColorError, ImageError, MethodError, ModelError

if TYPE_CHECKING:
    from hybridcolor.batch import Outcome
    from hybridcolor.compare.report import Report
    from hybridcolor.predict import Predictor
    from hybridcolor.seeds import Seeds

app = typer.Typer(
    help="Colorize gray pictures together with a person.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
out = Console(markup=False, emoji=False, highlight=False)  # file names are printed as they are
err = Console(markup=False, emoji=False, highlight=False, stderr=True)

MAX_PIXELS = 200_000_000  # as in imagefiles, which is not to be loaded here
NO_MODEL = "none"
HEADLINES = ("psnr", "ab_rmse", "ciede2000", "bleeding", "colourfulness")  # what a terminal has room for

Model = Annotated[str, typer.Option(help="A model that `hybridcolor models` lists; 'none' uses scribbles alone.")]
Frame = Annotated[int, typer.Option(min=0, help="Which page, animation step or slice of the file, from 0.")]
MaxPixels = Annotated[int, typer.Option(min=1, help="Larger pictures are refused before they take memory.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist already.")]


def main() -> None:
    """Entry point: run a verb; a known error becomes one line and exit code 2."""
    # Before torch loads: busy waiting threads bring numerical code to a crawl when another program wants a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        app(prog_name="hybridcolor")
    except HybridColorError as error:
        _complain(error)
        sys.exit(2)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        typer.echo(f"hybridcolor {hybridcolor.__version__}")
        raise typer.Exit


@app.command()
def colorize(
    inputs: Annotated[
        list[Path], typer.Argument(help="Gray or colour images, or folders of them.", metavar="INPUT...")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A file for one input, else a folder, made if missing.")
    ],
    method: Annotated[
        str, typer.Option(help="How seeds spread: hybrid, optimization, chrominance, watershed, flood or lineart.")
    ] = "hybrid",
    seeds: Annotated[
        Path | None,
        typer.Option(help="Your scribbles: seeds .json, a marked copy of the picture, or a transparent layer."),
    ] = None,
    save_seeds: Annotated[
        Path | None, typer.Option(help="Also save the seeds that were used: .json, or an image to paint on.")
    ] = None,
    model: Model = "default",
    vividness: Annotated[
        float | None, typer.Option(min=0, max=1, help="How far rare colours are lifted; 0 is the timid average.")
    ] = None,
    paint: Annotated[
        bool | None,
        typer.Option(help="Darken blank paper as far as its colour needs; else only models of drawings do."),
    ] = None,
    frame: Frame = 0,
    max_pixels: MaxPixels = MAX_PIXELS,
    keep_private: Annotated[
        bool, typer.Option("--keep-private", help="Also keep where a photo was taken, or a DICOM file's patient.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Colorize pictures. Luminance, size, bit depth and transparency stay as they are.

    For instance:

      hybridcolor colorize old.jpg -o old-colour.png

      hybridcolor colorize old.jpg -o old-colour.png --seeds scribbles.png

      hybridcolor colorize scans/ -o coloured/

      hybridcolor colorize drawing.png -o coloured.png --model lineart --seeds scribbles.png
    """
    from hybridcolor import pipeline
    from hybridcolor.bins import DEFAULT_VIVIDNESS
    from hybridcolor.imagefiles import read_image, write_image
    from hybridcolor.propagate import get_propagator
    from hybridcolor.seedfiles import read_seeds, write_seeds

    get_propagator(method)
    jobs = _plan(inputs, output, overwrite=overwrite)
    if len(jobs) > 1 and (seeds or save_seeds):
        raise MethodError(f"--seeds and --save-seeds are for one picture, {len(jobs)} were given; run them one by one")
    if save_seeds is not None:
        _check_seeds_file(save_seeds, overwrite=overwrite)
        if save_seeds == jobs[0][1]:
            raise ImageError(f"{save_seeds}: is asked for as the picture and as its seeds; give two names")
    if jobs[0][1] != output:
        _make_folder(output)
    vividness = DEFAULT_VIVIDNESS if vividness is None else vividness
    predictor: Predictor | None = None
    failures = 0
    for source, target in _progress(jobs):
        with _reporting(many=len(jobs) > 1) as failed:
            picture = read_image(source, frame=frame, max_pixels=max_pixels)
            scribbles: Seeds | None = None if seeds is None else read_seeds(seeds, picture)
            predictor = predictor or _load(model)
            result = pipeline.colorize(
                picture, predictor=predictor, scribbles=scribbles, method=method, vividness=vividness
            )
            write_image(
                target,
                result.to_rgb(paint=paint),
                alpha=picture.alpha,
                metadata=picture.metadata,
                keep_private=keep_private,
                overwrite=overwrite,
            )
            if save_seeds is not None:
                write_seeds(save_seeds, result.seeds, picture, overwrite=overwrite)
            out.print(f"{target}  {picture.shape[1]} x {picture.shape[0]}, {result.seconds:.1f} s", soft_wrap=True)
        failures += len(failed)
    if failures:
        raise ImageError(f"{failures} of {len(jobs)} pictures could not be colorized; the others are done")


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


@app.command(name="seeds")
def seeds_(
    source: Annotated[Path, typer.Argument(help="The picture.", metavar="INPUT")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A .json file, or an image to paint on.")],
    model: Annotated[str, typer.Option(help="A model that `hybridcolor models` lists.")] = "default",
    frame: Frame = 0,
    max_pixels: MaxPixels = MAX_PIXELS,
    overwrite: Overwrite = False,
) -> None:
    """Find automatic seeds and save them, to be edited and given back with `colorize --seeds`.

    A .json file keeps everything. An image is the gray picture with the seeds painted on it: open it in a paint
    program, add or repaint strokes with a hard brush, save it without JPEG.
    """
    from hybridcolor.bins import DEFAULT_VIVIDNESS
    from hybridcolor.extract import extract_seeds
    from hybridcolor.imagefiles import read_image
    from hybridcolor.predict import load_predictor
    from hybridcolor.seedfiles import write_seeds

    _check_seeds_file(output, overwrite=overwrite)
    picture = read_image(source, frame=frame, max_pixels=max_pixels)
    belief = load_predictor(model).predict(picture.luminance)
    found = extract_seeds(belief, picture.luminance, vividness=DEFAULT_VIVIDNESS)
    write_seeds(output, found, picture, overwrite=overwrite)
    patches = len(set(found.stroke.tolist()))
    out.print(f"{output}  {patches} patches, {len(found)} pixels", soft_wrap=True)


@app.command()
def edit(
    source: Annotated[Path, typer.Argument(help="A picture, or what the editor saved beside one.", metavar="INPUT")],
) -> None:
    """Open a picture in a napari window, to correct its colours by hand. Strokes are saved as you go.

    For instance:

      hybridcolor edit old.jpg
    """
    from importlib import import_module
    from importlib.util import find_spec

    if find_spec("napari") is None:
        raise MethodError("the editor needs napari; pip install 'hybridcolor[gui]'")
    import_module("napari_hybridcolor.opening").edit(source)  # a plugin: nothing here depends on it


@app.command()
def replay(
    session: Annotated[Path, typer.Argument(help="What the editor saved: NAME.hybridcolor.json.", metavar="SESSION")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The coloured picture.")],
    picture: Annotated[
        Path | None, typer.Option(help="The picture it was drawn on, if it is not beside the session.")
    ] = None,
    frame: Frame = 0,
    max_pixels: MaxPixels = MAX_PIXELS,
    overwrite: Overwrite = False,
) -> None:
    """Colorize a picture as it was edited: the same strokes and settings, the same picture to the bit.

    For instance:

      hybridcolor replay old.png.hybridcolor.json -o old-colour.png
    """
    from hybridcolor.drawing import picture_of
    from hybridcolor.imagefiles import read_image, write_image
    from hybridcolor.session import EditSession

    _check_folder(output)
    _check_free(output, overwrite=overwrite)
    source = read_image(picture_of(session) if picture is None else picture, frame=frame, max_pixels=max_pixels)
    editing = EditSession(source, method="optimization")
    editing.load(session)
    result = editing.final()
    write_image(
        output,
        result.to_rgb(),
        alpha=source.alpha,
        metadata=source.metadata,
        overwrite=overwrite,
    )
    out.print(f"{output}  {len(editing.drawing.strokes)} strokes, {result.seconds:.1f} s", soft_wrap=True)


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
    table = Table("name", "what it is", "licence", "held-out scores")
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
    out.print(f"{entry.folder / entry.file}  model {entry.name}, card {entry.card}", soft_wrap=True)
    if output is not None:
        out.print(f"It is found when HYBRIDCOLOR_MODELS is {output}", soft_wrap=True)


@models_app.command()
def export(
    name: Annotated[str, typer.Argument(help="A model that `hybridcolor models` lists.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The .onnx file.")],
    overwrite: Overwrite = False,
) -> None:
    """Write a model as ONNX: luminance (B, 1, H, W) in 0..1 in, calibrated logits over the ab bins out."""
    from hybridcolor.predict.export import export_model

    export_model(name, output, overwrite=overwrite)
    out.print(f"{output}  {output.stat().st_size / 1e6:.1f} MB", soft_wrap=True)


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the pictures.")] = Path("demo"),
    overwrite: Overwrite = False,
) -> None:
    """Colorize two photos whose colours are known, and compare."""
    from hybridcolor.demo import run_demo

    table = Table("photo", "picture", "PSNR, dB", "ab RMSE", "colourfulness")
    for score in run_demo(output, overwrite=overwrite):
        table.add_row(
            score.photo, score.picture, f"{score.psnr:.2f}", f"{score.ab_rmse:.2f}", f"{score.colourfulness:.1f}"
        )
    out.print(table)
    out.print("'corrected' adds a few scribbles in the true colours to the automatic seeds.")
    out.print(f"Look at {output / 'comparison.png'}", soft_wrap=True)


@app.command()
def study(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables and curves; a study goes on.")],
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of colour photos; without it, scikit-image's own.", metavar="[FOLDER]")
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
    from hybridcolor.study import DEFAULT_METHODS, Plan, bundled_photos, run_study
    from hybridcolor.users import USERS

    try:
        counts = tuple(sorted({int(count) for count in strokes.split(",")}))
    except ValueError as error:
        raise MethodError(f"--strokes {strokes!r} is not a list of whole numbers such as 0,1,10") from error
    plan = Plan(
        methods=_listed(methods, ";") or DEFAULT_METHODS,
        users=_listed(users, ",") or tuple(USERS),
        strokes=counts,
        size=size,
        model=model,
    )
    _make_folder(output)
    photos = bundled_photos(output / "photos") if folder is None else images_at(folder)
    with Progress(console=err, transient=True) as bar:
        task = bar.add_task("photos", total=len(photos))
        table = run_study(
            photos, output, plan, workers=workers, progress=lambda done, _: bar.update(task, completed=done)
        )
    for line in table.refused:
        err.print(f"left out: {line}", style="yellow", soft_wrap=True)
    out.print((output / "table.md").read_text(encoding="utf-8"), soft_wrap=True)
    out.print(f"Look at {output / 'curves.svg'}", soft_wrap=True)


@app.command()
def compare(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the report; an unfinished one goes on.")],
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Gray or colour images, or folders of them; without, scikit-image's own photos.", metavar="INPUT..."
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

    methods = [Method.parse(name) for name in method or DEFAULT_METHODS]
    others = dict(_named_folders(result or []))
    if not inputs:
        prepare(output)
        inputs = bundled_photos(output / "photos")
    cases = find_cases(inputs, references=reference or [], results=others, seeds=seeds)
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("comparing", total=len(cases))
        report = run_comparison(
            cases,
            methods,
            output,
            blind=blind,
            progress=lambda done, of: bar.update(task, completed=done, total=of),
            complain=_complain,
        )
    _print_means(report)
    out.print(f"Look at {output / 'index.html'}", soft_wrap=True)
    if blind:
        out.print(f"The test with people is {output / 'blind.html'}", soft_wrap=True)
    if report.left_out:
        raise ImageError(f"{len(report.left_out)} of {len(cases)} pictures are left out; the others are compared")


@app.command()
def tally(
    answers: Annotated[list[Path], typer.Argument(help="What blind.html saved.", metavar="CSV...")],
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
        _print_scores(scores)
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
    _print_scores(scores)


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="A model that `hybridcolor models` lists, or default.")],
    data: Annotated[Path, typer.Option(help="Folder of tar shards; only their held-out photos are used.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the report.")],
    shards: Annotated[str, typer.Option(help="Which shards, by pattern.")] = "photos128-*.tar",
) -> None:
    """Score a model on photos it never saw: scores, calibration, contact sheets."""
    from hybridcolor.predict.evaluate import evaluate as run_evaluation

    predictor = _load(model)
    if predictor is None:
        raise ModelError("there is nothing to evaluate without a model; name one that `hybridcolor models` lists")
    with Progress(console=err, transient=True) as bar:
        task = bar.add_task("photos", total=None)
        scores = run_evaluation(
            predictor,
            data,
            output,
            shards=[shards],
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    _print_scores(scores)


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


def _print_scores(scores: dict[str, float]) -> None:
    out.print("  ".join(f"{key} {value:.4g}" for key, value in scores.items()), soft_wrap=True)


def _load(model: str) -> Predictor | None:
    from hybridcolor.predict import load_predictor

    return None if model == NO_MODEL else load_predictor(model)


def _listed(text: str, mark: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(mark) if part.strip())


def _plan(inputs: Sequence[Path], output: Path, *, overwrite: bool) -> list[tuple[Path, Path]]:
    """Which file becomes which, checked for clashes before any work is done."""
    from hybridcolor.imagefiles import images_at

    sources = [source for item in inputs for source in images_at(item)]
    named = output.suffix == ".zarr" or (output.suffix and not output.is_dir())
    if sources == list(inputs[:1]) and named:
        _check_folder(output)
        jobs = [(sources[0], output)]
    else:
        jobs = [(source, output / f"{source.stem.removesuffix('.nii')}.png") for source in sources]
    targets: dict[Path, Path] = {}
    for source, target in jobs:
        if target in targets:
            raise ImageError(
                f"{targets[target]} and {source} would both become {target}; rename one, or run them apart"
            )
        targets[target] = source
        _check_free(target, overwrite=overwrite)
        if target.exists() and target.samefile(source):
            raise ImageError(
                f"{source}: would be replaced by its own colorization; choose another name or folder for -o"
            )
    return jobs


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(f"{path}: cannot be made ({error.strerror}); choose another folder for -o") from error


def _check_seeds_file(path: Path, *, overwrite: bool) -> None:
    """As `_check_free`, for a file of seeds."""
    _check_folder(path)
    if path.suffix.lower() != ".json":
        _check_free(path, overwrite=overwrite)
    elif path.exists() and not overwrite:
        raise ImageError(f"{path}: exists already; choose another name or pass --overwrite")


def _check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise ImageError(f"{path.parent}: no such folder; make it first or choose another")


def _check_free(path: Path, *, overwrite: bool) -> None:
    """Refuse early what could not be written later."""
    from hybridcolor.imagefiles import WRITABLE_SUFFIXES, check_library, suffix_of

    if suffix_of(path) not in WRITABLE_SUFFIXES:
        raise ImageError(f"{path}: '{path.suffix}' is not one of {' '.join(WRITABLE_SUFFIXES)}")
    try:
        check_library(suffix_of(path))
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error
    if path.exists() and path.suffix == ".zarr":
        raise ImageError(f"{path}: exists already, and folders are not replaced; remove it or choose another name")
    if path.exists() and not overwrite:
        raise ImageError(f"{path}: exists already; choose another name or pass --overwrite")


def _progress(jobs: list[tuple[Path, Path]]) -> Iterator[tuple[Path, Path]]:
    """The jobs, with a bar on a terminal if there are many and a spinner if there is one."""
    if len(jobs) == 1:
        with err.status(f"colorizing {jobs[0][0].name}"):
            yield jobs[0]
    else:
        yield from track(jobs, "colorizing", console=err, disable=not err.is_terminal)


@contextmanager
def _reporting(*, many: bool) -> Iterator[list[HybridColorError]]:
    """Among many pictures, a bad one is named and counted and the others go on; a bad model ends them all."""
    failed: list[HybridColorError] = []
    try:
        yield failed
    except HybridColorError as error:
        if not many or isinstance(error, ModelError):
            raise
        _complain(error)
        failed.append(error)


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


def _complain(error: HybridColorError) -> None:
    err.print(f"hybridcolor: {' '.join(str(error).splitlines())}", style="red", soft_wrap=True)
