"""What the verbs share: options, the two consoles, checks that are made before any work, and how errors are told."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, ProgressColumn, track
from rich.text import Text

from hybridcolor.errors import HybridColorError, ImageError, ModelError

if TYPE_CHECKING:
    from hybridcolor.picture import Picture
    from hybridcolor.predict import Predictor


class Lines(Console):
    """Prints texts, each as one line: markup means nothing, and what a terminal would obey is spelled out.

    An output that is closed or full ends no work: what is printed from then on is lost.

    Attributes
    ----------
    lost : OSError or None
        Why something was lost, unless the reader had enough, as ``head`` has.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, stderr=stderr)
        self.lost: OSError | None = None

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as any console does."""
        shown = [spelled(each) if isinstance(each, str) else each for each in objects]
        texts = all(isinstance(each, str) for each in objects)
        try:
            super().print(*shown, soft_wrap=texts, **options)  # texts are not wrapped, for programs to read
        except OSError as error:
            self._lose(error)

    def render_str(self, text: str, **options: Any) -> Text:
        """Make a text as any console does, for the cells of tables too; these may have several lines."""
        return super().render_str("\n".join(map(spelled, text.split("\n"))), **options)

    def on_broken_pipe(self) -> None:
        """What rich calls when the reader has gone."""
        self._lose(None)

    def _lose(self, why: OSError | None) -> None:
        self.quiet, self.lost = True, why
        with suppress(OSError):  # or the interpreter, which tries again at its end, would complain
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def spelled(text: str) -> str:
    r"""A text in one line that does nothing to a terminal.

    Examples
    --------
    >>> print(spelled("old\x1b[31m.png"))
    old\x1b[31m.png
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


out = Lines()
err = Lines(stderr=True)

MAX_PIXELS = 200_000_000  # as in imagefiles, which is not to be loaded here


def _share(value: float | None) -> float | None:
    if value is None or 0 <= value <= 1:
        return value
    raise typer.BadParameter(f"{value} is not a number from 0 to 1")


SHARE: dict[str, Any] = {"metavar": "0..1", "callback": _share}
"""What options say that take a number from 0 to 1; a range of typer's would not know nan for what it is."""
Model = Annotated[str, typer.Option(help="A model that `hybridcolor models` lists; 'none' uses scribbles alone.")]
Frame = Annotated[int, typer.Option(min=0, help="Which page, animation step or slice of the file, from 0.")]
MaxPixels = Annotated[int, typer.Option(min=1, help="Larger pictures are refused before they take memory.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist already.")]


def print_scores(scores: dict[str, float]) -> None:
    """Names and values in a line."""
    out.print("  ".join(f"{key} {value:.4g}" for key, value in scores.items()))


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
    from hybridcolor.imagefiles import check_no_source, images_at, suffix_of

    sources = [source for item in inputs for source in images_at(item)]
    named = suffix_of(output) == ".zarr" or (output.suffix and not output.is_dir())
    if sources == list(inputs[:1]) and named:
        check_folder(output)
        jobs = [(sources[0], output)]
    else:
        check_is_folder(output)
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


def check_is_folder(path: Path | str) -> None:
    """Refuse the name of a picture, or what stands for standard output, where a folder of results is asked for."""
    from hybridcolor.imagefiles import WRITABLE_SUFFIXES
    from hybridcolor.layers import is_layered

    if str(path) == "-":
        raise ImageError("-: nothing is written to standard output; give the name of a file or folder for -o")
    if (is_layered(path) or str(path).lower().endswith(WRITABLE_SUFFIXES)) and not Path(path).is_dir():
        raise ImageError(f"{path}: is the name of a picture, and a folder of them is asked for; choose another for -o")


def make_folder(path: Path) -> None:
    """Make the folder of results."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(f"{path}: cannot be made ({error.strerror}); choose another folder for -o") from error


def check_seeds_file(path: Path, *sources: Path | None, overwrite: bool, result: Path | None = None) -> None:
    """As `check_free` and `check_no_source`, for a file of seeds that may be saved beside a result."""
    from hybridcolor.imagefiles import check_no_source

    if result is not None and os.path.realpath(path) == os.path.realpath(result):
        raise ImageError(f"{path}: is asked for as the picture and as its seeds; give two names")
    check_folder(path)
    check_no_source(path, *sources)
    if path.suffix.lower() != ".json":
        check_free(path, layers=False, overwrite=overwrite)
    else:
        _check_replaceable(path, overwrite=overwrite)


def check_folder(path: Path) -> None:
    """Refuse a file whose folder is missing."""
    if not path.parent.is_dir():
        raise ImageError(f"{path.parent}: no such folder; make it first or choose another")


def check_free(path: Path, *, layers: bool = True, overwrite: bool) -> None:
    """Refuse early what could not be written later; layers are for pictures, and not for seeds."""
    from hybridcolor.imagefiles import WRITABLE_SUFFIXES, check_library, suffix_of
    from hybridcolor.layers import SUFFIXES as LAYERED

    endings = (*WRITABLE_SUFFIXES, *LAYERED) if layers else (".json", *WRITABLE_SUFFIXES)
    if suffix_of(path) not in endings:
        raise ImageError(f"{path}: '{path.suffix}' is not one of {' '.join(endings)}")
    try:
        check_library(suffix_of(path))
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error
    if path.exists() and suffix_of(path) == ".zarr":
        raise ImageError(f"{path}: exists already, and folders are not replaced; remove it or choose another name")
    _check_replaceable(path, overwrite=overwrite)


def _check_replaceable(path: Path, *, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise ImageError(f"{path}: exists already; choose another name or pass --overwrite")
    if path.exists() and not path.is_file():
        raise ImageError(f"{path}: is not an ordinary file, and is not replaced; choose another name")


def progress(jobs: list[tuple[Path, Path]]) -> Iterator[tuple[Path, Path]]:
    """The jobs, with a bar on a terminal if there are many and a spinner if there is one."""
    if len(jobs) == 1:
        with err.status(Text(spelled(f"colorizing {jobs[0][0].name}"))):
            yield jobs[0]
    else:
        yield from track(jobs, "colorizing", console=err, disable=not err.is_terminal)


def bar(*columns: ProgressColumn) -> Progress:
    """A bar that goes on a terminal, and is nowhere else."""
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


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


_NEARLY_BLACK = 12.5  # L*; of 13 bits that lie in 16, white is 12.2


def tell_frames(source: Path, picture: Picture, *, frame: int) -> None:
    """That a file holds other pictures, to whom may not know."""
    if picture.frames > 1 and frame == 0:
        out.print(f"{source}: the first of {picture.frames} pages, steps or slices; --frame 1 takes the next")


def tell_of(source: Path, picture: Picture, *, frame: int) -> None:
    """What a person may not know of a picture: that its file holds others, and that not all its bits are in use."""
    tell_frames(source, picture, frame=frame)
    if picture.bit_depth == 16 and picture.luminance.max() < _NEARLY_BLACK:
        out.print(f"{source}: is nearly black; if it has 12 bits, say, in 16, spread them over all 16 first")


def complain(error: HybridColorError) -> None:
    """An error as one line."""
    err.print(f"hybridcolor: {error}", style="red")
