"""Stacks: the slices of a volume, the steps of a film or a series of files, each as it was drawn on, in one file.

The editor and `hybridcolor replay` make the same of the same sessions. A slice that nobody drew on is coloured with the
settings of the nearest one that has a session and, where no network is asked, with its strokes too. May import
``session`` and below.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain
from pathlib import Path

import numpy as np

from hybridcolor.drawing import NO_MODEL, Drawing
from hybridcolor.encoding import Pixels, check_size, in_eight_bits, suffix_of, tiff_of_pages
from hybridcolor.errors import ImageError, SeedError
from hybridcolor.files import exists, write_whole, writing_whole
from hybridcolor.imagefiles import MAX_PIXELS, check_no_source, images_at, read_image, writing
from hybridcolor.metadata import Metadata
from hybridcolor.picture import Picture
from hybridcolor.pipeline import Colorization
from hybridcolor.seeds import Seeds
from hybridcolor.session import EditSession
from hybridcolor.sessionfiles import SUFFIX, read_drawing

SUFFIXES = (".tif", ".tiff", ".nii", ".nii.gz")
"""File name endings of what a stack can be written as: pages in the slices' own bit depth, or a volume of 8 bits."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One picture of a stack.

    Attributes
    ----------
    read : callable
        Gives the picture.
    drawn : callable or None
        Gives what was drawn on that picture; None where nobody drew.
    files : tuple of Path
        What it is made from, and is never replaced.
    """

    read: Callable[[], Picture]
    drawn: Callable[[Picture], Drawing] | None = None
    files: tuple[Path, ...] = ()


def session_beside(source: Path, frame: Sequence[int] = ()) -> Path:
    """Where the strokes on a picture are saved; of a file with several pictures ``frame`` says which.

    Examples
    --------
    >>> session_beside(Path("old.png")).name, session_beside(Path("scan.nii"), (3,)).name
    ('old.png.hybridcolor.json', 'scan.nii.3.hybridcolor.json')
    """
    return source.with_name(".".join([source.name, *map(str, frame)]) + SUFFIX)


def frame_beside(session: Path, source: Path) -> int:
    """Which picture of a file a saved session beside it is of; 0 if its name does not say.

    Examples
    --------
    >>> frame_beside(Path("scan.nii.3.hybridcolor.json"), Path("scan.nii"))
    3
    """
    number = session.name.removeprefix(f"{source.name}.").removesuffix(SUFFIX)
    return int(number) if number.isdecimal() else 0


def saved_slices(path: Path, *, max_pixels: int = MAX_PIXELS) -> list[Slice]:
    """The slices of a file, or of the files of a folder in the order of their names, with the sessions beside them.

    Raises
    ------
    ImageError
        If there is no picture, or one that cannot be read.
    """
    slices = []
    for file in images_at(path):
        count = read_image(file, max_pixels=max_pixels).frames
        for number in range(count):
            saved = session_beside(file, (number,) if count > 1 else ())
            read = partial(read_image, file, frame=number, max_pixels=max_pixels)
            slices.append(Slice(read, partial(read_drawing, saved) if exists(saved) else None, (file, saved)))
    return slices


def colorized(slices: Sequence[Slice]) -> Iterator[Colorization]:
    """Every slice in colour; one that has nothing to go by stays gray.

    Raises
    ------
    ImageError
        If a slice cannot be read, or is of another size than the first.
    SeedError
        If nobody drew on any, a session cannot be read, or there is nothing to go by anywhere.
    """
    drawn = {number: each.drawn for number, each in enumerate(slices) if each.drawn is not None}
    if not drawn:
        raise SeedError("nothing is saved of any slice; draw on one first, in `hybridcolor edit`")

    @cache
    def lent(number: int) -> Drawing:
        drawing = drawn[number](slices[number].read())
        alone = drawing.model == NO_MODEL
        return drawing if alone else replace(drawing, strokes=(), imported=Seeds.empty(), dismissed=())

    shape, gray = None, True
    for number, each in enumerate(slices):
        picture = each.read()
        shape = shape or picture.shape
        if picture.shape != shape:
            sizes = " and ".join(f"{columns} x {rows}" for rows, columns in (shape, picture.shape))
            raise ImageError(f"slices 0 and {number} have {sizes} pixels; a stack has slices of one size")
        _, nearest = min((abs(other - number), other) for other in drawn)
        session = EditSession(picture)
        session.set(drawn[number](picture) if number in drawn else lent(nearest))
        try:
            result = session.final()
            gray = False
        except SeedError:
            blank = np.zeros((*shape, 2), np.float32)
            result = Colorization(picture, blank, Seeds.empty(), None, session.drawing.method, 0.0)
        yield result
    if gray:
        raise SeedError("there is no colour to save yet, on any slice: draw a first stroke")


def write_stack(
    path: str | os.PathLike[str], slices: Sequence[Slice], *, overwrite: bool = False
) -> Generator[int, None, None]:
    """Write a stack in colour slice by slice, and tell after each how many are done.

    The file is there, whole, when that has come to its end; who stops before has nothing of it left.

    Parameters
    ----------
    path : path-like
        Ends in one of `SUFFIXES`.
    slices : sequence of Slice
    overwrite : bool, optional
        Whether an existing file may be replaced; but for those that the stack is made from.

    Raises
    ------
    ImageError, SeedError
        As `colorized`, and if the file exists or cannot be written.

    Examples
    --------
    >>> next(write_stack("a.png", []))
    Traceback (most recent call last):
    hybridcolor.errors.ImageError: a.png: '.png' holds no stack; expected one of .tif .tiff .nii .nii.gz
    """
    target = Path(path)
    suffix = suffix_of(target)
    if suffix not in SUFFIXES:
        raise ImageError(f"{target}: '{suffix}' holds no stack; expected one of {' '.join(SUFFIXES)}")
    for each in slices:
        check_no_source(target, *each.files)
    with writing(target, overwrite=overwrite):
        others = map(_page, colorized(slices))
        first, notes = next(others)
        check_size(suffix, first.shape)
        pages = enumerate(chain([(first, notes)], others), 1)
        if suffix in (".tif", ".tiff"):
            size = first.nbytes * len(slices)
            with writing_whole(target, overwrite=overwrite) as file, tiff_of_pages(file, size=size) as write:
                for number, page in pages:
                    write(*page)
                    yield number
            return
        from hybridcolor.encoding.nifti import encode_nifti

        volume = np.empty((len(slices), *first.shape[:2], 3), np.uint8)
        for number, (pixels, _) in pages:
            if pixels.shape[2] == 4:
                raise ImageError(f"{suffix} cannot hold transparency; use .tif")
            volume[number - 1] = in_eight_bits(pixels)
            yield number
        write_whole(target, encode_nifti(volume, notes, packed=suffix == ".nii.gz"), overwrite=overwrite)


def _page(result: Colorization) -> tuple[Pixels, Metadata]:
    """The pixels of a slice, alpha last, and what its file is to say of it."""
    rgb, alpha = result.to_rgb(), result.picture.alpha
    notes = replace(result.picture.metadata.public(), software=result.provenance)
    return rgb if alpha is None else np.dstack([rgb, alpha]), notes
