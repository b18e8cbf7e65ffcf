"""What the verbs share: options, the two consoles, checks that are made before any work, and how errors are told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import track

from hybridcolor.errors import HybridColorError, ImageError, ModelError

if TYPE_CHECKING:
    from hybridcolor.predict import Predictor

out = Console(markup=False, emoji=False, highlight=False)  # file names are printed as they are
err = Console(markup=False, emoji=False, highlight=False, stderr=True)

MAX_PIXELS = 200_000_000  # as in imagefiles, which is not to be loaded here
LAYERED = (".ora", ".psd")  # as in layers

Model = Annotated[str, typer.Option(help="A model that `hybridcolor models` lists; 'none' uses scribbles alone.")]
Frame = Annotated[int, typer.Option(min=0, help="Which page, animation step or slice of the file, from 0.")]
MaxPixels = Annotated[int, typer.Option(min=1, help="Larger pictures are refused before they take memory.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist already.")]


def print_scores(scores: dict[str, float]) -> None:
    """Names and values in a line."""
    out.print("  ".join(f"{key} {value:.4g}" for key, value in scores.items()), soft_wrap=True)


def load(model: str) -> Predictor | None:
    """The model of this name, or None for "none"; torch is loaded now and not before."""
    from hybridcolor.groundwork import load_model

    return load_model(model)


def listed(text: str, mark: str) -> tuple[str, ...]:
    """The parts of an option that lists several."""
    return tuple(part.strip() for part in text.split(mark) if part.strip())


def plan_jobs(
    inputs: Sequence[Path], output: Path, *, overwrite: bool, kept: Sequence[Path | None] = ()
) -> list[tuple[Path, Path]]:
    """Which file becomes which, checked for clashes, also with files to be kept, before any work is done."""
    from hybridcolor.imagefiles import images_at

    sources = [source for item in inputs for source in images_at(item)]
    named = output.suffix == ".zarr" or (output.suffix and not output.is_dir())
    if sources == list(inputs[:1]) and named:
        check_folder(output)
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
        check_free(target, overwrite=overwrite)
        check_no_source(target, source, *kept)
    return jobs


def make_folder(path: Path) -> None:
    """Make the folder of results."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(f"{path}: cannot be made ({error.strerror}); choose another folder for -o") from error


def check_seeds_file(path: Path, *sources: Path | None, overwrite: bool, result: Path | None = None) -> None:
    """As `check_free` and `check_no_source`, for a file of seeds that may be saved beside a result."""
    if result is not None and path.resolve() == result.resolve():
        raise ImageError(f"{path}: is asked for as the picture and as its seeds; give two names")
    check_folder(path)
    check_no_source(path, *sources)
    if path.suffix.lower() != ".json":
        check_free(path, overwrite=overwrite)
    else:
        _check_replaceable(path, overwrite=overwrite)


def check_folder(path: Path) -> None:
    """Refuse a file whose folder is missing."""
    if not path.parent.is_dir():
        raise ImageError(f"{path.parent}: no such folder; make it first or choose another")


def check_free(path: Path, *, overwrite: bool) -> None:
    """Refuse early what could not be written later."""
    from hybridcolor.imagefiles import WRITABLE_SUFFIXES, check_library, suffix_of

    if path.suffix not in LAYERED and suffix_of(path) not in WRITABLE_SUFFIXES:
        raise ImageError(f"{path}: '{path.suffix}' is not one of {' '.join((*WRITABLE_SUFFIXES, *LAYERED))}")
    try:
        check_library(suffix_of(path))
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error
    if path.exists() and path.suffix == ".zarr":
        raise ImageError(f"{path}: exists already, and folders are not replaced; remove it or choose another name")
    _check_replaceable(path, overwrite=overwrite)


def _check_replaceable(path: Path, *, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise ImageError(f"{path}: exists already; choose another name or pass --overwrite")
    if path.exists() and not path.is_file():
        raise ImageError(f"{path}: is not an ordinary file, and is not replaced; choose another name")


def check_no_source(target: Path, *sources: Path | None) -> None:
    """Refuse to replace what the result is made from, by whatever name, even if asked to overwrite."""
    for source in sources:
        if source is not None and target.exists() and source.exists() and target.samefile(source):
            raise ImageError(f"{source}: would be replaced by what is made from it; choose another name for the result")


def progress(jobs: list[tuple[Path, Path]]) -> Iterator[tuple[Path, Path]]:
    """The jobs, with a bar on a terminal if there are many and a spinner if there is one."""
    if len(jobs) == 1:
        with err.status(f"colorizing {jobs[0][0].name}"):
            yield jobs[0]
    else:
        yield from track(jobs, "colorizing", console=err, disable=not err.is_terminal)


@contextmanager
def reporting(*, many: bool) -> Iterator[list[HybridColorError]]:
    """Among many pictures, a bad one is named and counted and the others go on; a bad model ends them all."""
    failed: list[HybridColorError] = []
    try:
        yield failed
    except HybridColorError as error:
        if not many or isinstance(error, ModelError):
            raise
        complain(error)
        failed.append(error)


def complain(error: HybridColorError) -> None:
    """An error as one line; what a terminal would obey, in the name of a file, is spelled out."""
    line = " ".join(str(error).splitlines())
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    err.print(f"hybridcolor: {shown}", style="red", soft_wrap=True)
