"""What is compared: which files belong to one picture. They are matched by name without ending, and checked at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridcolor.errors import ImageError, SeedError
from hybridcolor.imagefiles import READABLE_SUFFIXES, images_at


@dataclass(frozen=True, slots=True)
class Case:
    """The files of one picture.

    Attributes
    ----------
    name : str
        The picture's file name without its ending.
    picture : Path
        What is colorized: its luminance.
    reference : Path or None
        The true colours; None where they are the picture's own, if it has any.
    results : dict of Path
        The picture as others colorized it, by the others' name.
    seeds : Path or None
        A person's scribbles.
    """

    name: str
    picture: Path
    reference: Path | None
    results: dict[str, Path]
    seeds: Path | None


def find_cases(
    inputs: Sequence[Path],
    *,
    references: Sequence[Path] = (),
    results: Mapping[str, Path] | None = None,
    seeds: Path | None = None,
) -> list[Case]:
    """Sort files into pictures.

    Parameters
    ----------
    inputs, references : sequence of Path
        Images, and folders of them.
    results : mapping of Path, optional
        Folders of images that others made, by the others' name.
    seeds : Path, optional
        Folder of scribbles in any form that `read_seeds` knows; not every picture needs some.

    Returns
    -------
    list of Case
        In the order of their names.

    Raises
    ------
    ImageError
        If a file is missing, two have the same name, or a picture is without its reference or one of its results: means
        over different pictures cannot be compared.
    SeedError
        If no file of scribbles belongs to any picture.
    """
    pictures = _by_stem(inputs)
    true = _by_stem(references)
    if len(pictures) == len(true) == 1:
        true = dict(zip(pictures, true.values(), strict=True))
    if references:
        _check_complete(pictures, true, "reference")
    made = {name: _by_stem([folder]) for name, folder in (results or {}).items()}
    for name, files in made.items():
        _check_complete(pictures, files, f"result of {name}")
    scribbles = {} if seeds is None else _scribbles(seeds)
    if seeds is not None and not scribbles.keys() & pictures.keys():
        raise SeedError(f"{seeds}: no scribbles for any of the pictures; name them as the pictures, such as cat.json")
    return [
        Case(
            _shown(name),
            path,
            true.get(name),
            {other: files[name] for other, files in made.items()},
            scribbles.get(name),
        )
        for name, path in sorted(pictures.items())
    ]


def _shown(name: str) -> str:
    """A file name that any file or page can hold: bytes that are not UTF-8 are spelled out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _by_stem(paths: Sequence[Path]) -> dict[str, Path]:
    """Files, and those in folders, by name without ending."""
    found: dict[str, Path] = {}
    for path in (file for item in paths for file in images_at(item)):
        if path.stem in found:
            raise ImageError(f"{found[path.stem]} and {path} have the same name without ending; rename one")
        found[path.stem] = path
    return found


def _scribbles(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise SeedError(f"{folder}: no such folder; give a folder with a file of scribbles for each picture")
    files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in (".json", *READABLE_SUFFIXES)]
    found: dict[str, Path] = {}
    for path in files:
        if path.stem in found:
            raise SeedError(f"{found[path.stem]} and {path} have the same name without ending; take one away")
        found[path.stem] = path
    return found


def _check_complete(pictures: Mapping[str, Path], files: Mapping[str, Path], what: str) -> None:
    missing = sorted(pictures.keys() - files.keys())
    if missing:
        raise ImageError(
            f"{len(missing)} of {len(pictures)} pictures have no {what}, {missing[0]!r} is one; "
            "files belong together that have the same name without ending"
        )
