"""Things that are no files, and odd names, wherever a verb takes a path: one line, exit code 2, no trace.

And what can be used all the same: names of any characters, links, the same file twice.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hybridcolor.errors import ImageError
from hybridcolor.files import read_whole, write_whole
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.session import EditSession

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="devices and pipes as Linux has them")

Run = Callable[..., tuple[int, str, str]]


def pipe(path: Path) -> None:
    os.mkfifo(path)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


# What may stand where a file is expected, by a name that ends as a file's would.
THINGS: dict[str, Callable[[Path], Any]] = {
    "pipe": pipe,
    "socket": listening,
    "device": lambda path: path.symlink_to("/dev/zero"),  # which goes on for ever
    "full device": lambda path: path.symlink_to("/dev/full"),
    "folder": Path.mkdir,
    "loop": lambda path: path.symlink_to(path),
    "dangling link": lambda path: path.symlink_to("nowhere"),
    "nothing": lambda path: None,
    "empty file": Path.touch,
}
NAMES = {
    "newline": "a\nb",
    "emoji": "🎨 très long",
    "escape": "\x1b[31mred",
    "bytes": os.fsdecode(b"\xff\xfe"),
    "dash": "--overwrite",
    "markup": "[red] {stem} %s",
}
READERS = {
    "picture": ("colorize {odd} -o {out}.png --model none", ".png"),
    "scribbles": ("colorize {photo} -o {out}.png --model none --seeds {odd}", ".json"),
    "marked": ("colorize {photo} -o {out}.png --model none --seeds {odd}", ".png"),
    "seeds": ("seeds {odd} -o {out}.json", ".png"),
    "recipe": ("batch {photo} -o {out} --recipe {odd}", ".toml"),
    "session": ("replay {odd} -o {out}.png", ".json"),
    "replayed": ("replay {photo} -o {out}.png --picture {odd}", ".png"),
    "answers": ("tally {odd}", ".csv"),
    "weights": ("models import {odd} -o {out} --name theirs", ".pth"),
    "training recipe": ("train {odd} --data {photo} --run {out}", ".toml"),
}
WRITERS = {
    "picture": ("colorize {photo} -o {odd} --overwrite --model none --seeds {marked}", ".png"),
    "used seeds": (
        "colorize {photo} -o {out}.png --model none --seeds {marked} --save-seeds {odd} --overwrite",
        ".json",
    ),
    "seeds": ("seeds {photo} -o {odd} --overwrite", ".json"),
    "network": ("models export default -o {odd} --overwrite", ".onnx"),
}
HARMLESS = {  # a folder takes a file of the input's name, a link that leads nowhere or an empty file is replaced
    ("picture", "folder"), *((writer, thing) for writer in WRITERS for thing in ("empty file", "nothing")),
    *((writer, thing) for writer in WRITERS for thing in ("loop", "dangling link")),
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    """A photo, a marked copy of it, and a name for results."""
    gray = Image.fromarray((np.mgrid[:20, :30].sum(0) * 4).astype(np.uint8))
    gray.save(tmp_path / "photo.png")
    marked = gray.convert("RGB")
    marked.paste((200, 40, 220), (5, 5, 15, 10))
    marked.save(tmp_path / "marked.png")
    return {name: str(tmp_path / f"{name}.png") for name in ("photo", "marked")} | {"out": str(tmp_path / "out")}


def words(command: str, names: dict[str, str]) -> list[str]:
    return [word.format(**names) for word in command.split()]


def left(folder: Path) -> set[str]:
    return {str(Path(place, name)) for place, folders, files in os.walk(folder) for name in folders + files}


@contextmanager
def waking(seconds: int) -> Iterator[None]:
    """An alarm, for what would wait for ever."""

    def ring(*_: object) -> None:
        raise TimeoutError("it waits for ever")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(("what", "thing"), sorted({*product(READERS, THINGS)} - {("recipe", "empty file")}))
def test_what_cannot_be_read(run: Run, tmp_path: Path, place: dict[str, str], what: str, thing: str) -> None:
    """Of a recipe an empty file is one."""
    command, ending = READERS[what]
    odd = tmp_path / f"odd{ending}"
    THINGS[thing](odd)
    before = left(tmp_path)
    with waking(60):
        code, _, err = run(*words(command, {**place, "odd": str(odd)}))
    assert (code, len(err.strip().splitlines())) == (2, 1), err
    assert "odd" in err or "no image in this folder" in err
    assert left(tmp_path) == before


@pytest.mark.parametrize(("what", "thing"), sorted({*product(WRITERS, THINGS)} - HARMLESS))
def test_what_cannot_be_written_over(run: Run, tmp_path: Path, place: dict[str, str], what: str, thing: str) -> None:
    """Even with --overwrite: a device is not replaced, nor is anything written beside it."""
    command, ending = WRITERS[what]
    odd = tmp_path / f"odd{ending}"
    THINGS[thing](odd)
    before, kind = left(tmp_path), odd.lstat().st_mode
    with waking(60):
        code, _, err = run(*words(command, {**place, "odd": str(odd)}))
    assert (code, len(err.strip().splitlines())) == (2, 1), err
    assert "ordinary file" in err or "folder" in err
    assert left(tmp_path) == before
    assert odd.lstat().st_mode == kind


@pytest.mark.parametrize("name", NAMES)
def test_names_of_any_characters(run: Run, tmp_path: Path, place: dict[str, str], name: str) -> None:
    """As input and output; in an error line they stay one line that a terminal does not obey."""
    source, target = tmp_path / f"{NAMES[name]}.png", tmp_path / f"{NAMES[name]}-colour.png"
    write_image(source, np.asarray(Image.open(place["photo"])))
    assert run("colorize", source, "-o", target, "--model", "none", "--seeds", place["marked"])[0] == 0
    assert read_image(target).chroma is not None
    source.write_bytes(b"no picture")
    code, _, err = run("colorize", source, "-o", tmp_path / "x.png", "--model", "none")
    assert (code, len(err.strip().splitlines())) == (2, 1)
    assert "\x1b[31m" not in err


@pytest.mark.parametrize("length", [251, 300, 5000])
def test_names_that_are_too_long(run: Run, tmp_path: Path, place: dict[str, str], length: int) -> None:
    long = tmp_path / ("x" * length + ".png")
    if length > 251:
        code, _, err = run("colorize", long, "-o", tmp_path / "x.png")
        assert (code, len(err.strip().splitlines())) == (2, 1)
    before = left(tmp_path)
    code, _, err = run("colorize", place["photo"], "-o", long, "--model", "none", "--seeds", place["marked"])
    assert (code, len(err.strip().splitlines())) == ((2, 1) if length > 251 else (0, 0)), err
    assert left(tmp_path) == before | ({str(long)} if length == 251 else set())


@pytest.mark.parametrize("command", ["colorize {photo} --model none", "seeds {photo}", "replay {session}"])
def test_input_and_output_are_the_same(run: Run, tmp_path: Path, place: dict[str, str], command: str) -> None:
    photo, session = Path(place["photo"]), tmp_path / "photo.hybridcolor.json"
    before = photo.read_bytes()
    EditSession(read_image(photo), autosave=session).draw([(3, 3)], (20, 10))
    (tmp_path / "link.png").symlink_to(photo)
    (tmp_path / "hard.png").hardlink_to(photo)
    for target in (photo, tmp_path / "link.png", tmp_path / "hard.png", tmp_path / "." / "photo.png"):
        code, _, err = run(*words(command, {**place, "session": str(session)}), "-o", target, "--overwrite")
        assert (code, len(err.strip().splitlines())) == (2, 1)
        assert "would be replaced by what is made from it" in err
    assert photo.read_bytes() == before


def test_a_session_is_not_replaced_by_what_it_makes(run: Run, tmp_path: Path, place: dict[str, str]) -> None:
    session = tmp_path / "photo.hybridcolor.json"
    EditSession(read_image(place["photo"]), autosave=session).draw([(3, 3)], (20, 10))
    before = session.read_bytes()
    (tmp_path / "link.png").symlink_to(session)
    code, _, err = run("replay", session, "-o", tmp_path / "link.png", "--overwrite")
    assert (code, len(err.strip().splitlines())) == (2, 1)
    assert "would be replaced by what is made from it" in err
    assert session.read_bytes() == before


def test_a_session_without_its_picture_says_how_to_name_it(run: Run, tmp_path: Path, place: dict[str, str]) -> None:
    session = tmp_path / "away" / "photo.png.hybridcolor.json"
    session.parent.mkdir()
    EditSession(read_image(place["photo"]), autosave=session).draw([(3, 3)], (20, 10))
    code, _, err = run("replay", session, "-o", tmp_path / "out.png")
    assert (code, len(err.strip().splitlines())) == (2, 1)
    assert "the picture of this session is not there; say where it is with --picture" in err


@pytest.mark.parametrize("target", ["out.png", "loop.png"])
def test_a_picture_and_its_seeds_have_two_names(run: Run, tmp_path: Path, place: dict[str, str], target: str) -> None:
    """Also where one is a link to the other, which is not there yet, or leads nowhere at all."""
    (tmp_path / "loop.png").symlink_to(target)
    before = left(tmp_path)
    command = words("colorize {photo} --model none --seeds {marked} --overwrite", place)
    code, _, err = run(*command, "-o", tmp_path / target, "--save-seeds", tmp_path / "loop.png")
    assert (code, len(err.strip().splitlines())) == (2, 1)
    assert "two names" in err
    assert left(tmp_path) == before


def test_scribbles_are_not_replaced_by_their_picture(run: Run, tmp_path: Path, place: dict[str, str]) -> None:
    before = {name: Path(place[name]).read_bytes() for name in ("photo", "marked")}
    command = words("colorize {photo} --overwrite --model none --seeds {marked} -o", place)
    for options in ((place["marked"],), (place["out"] + ".png", "--save-seeds", place["photo"])):
        code, _, err = run(*command, *options)
        assert (code, len(err.strip().splitlines())) == (2, 1)
        assert "would be replaced by what is made from it" in err
    assert {name: Path(place[name]).read_bytes() for name in before} == before


def test_an_input_vanishes_and_one_is_a_folder(run: Run, tmp_path: Path, place: dict[str, str]) -> None:
    """In a folder the rest goes on."""
    folder = tmp_path / "in"
    folder.mkdir()
    Path(place["photo"]).rename(folder / "a.png")
    (folder / "b.png").mkdir()
    (folder / "c.png").symlink_to("gone.png")
    os.mkfifo(folder / "d.png")
    code, _, err = run("batch", folder, "-o", tmp_path / "out")
    assert code == 1, err
    listed = (tmp_path / "out" / "failures.csv").read_text().splitlines()[1:]
    assert [Path(line.split(",")[0]).name for line in listed] == ["c.png", "d.png"]
    assert (tmp_path / "out" / "a.png").is_file()
    code, _, err = run("colorize", folder, "-o", tmp_path / "again", "--model", "none", "--vividness", "0")
    assert code == 2
    assert "Traceback" not in err


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Here a limit on the size of files, which the system tells in the same way: the old file stays, nothing else."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    target = tmp_path / "out.png"
    write_image(target, noise[:8, :8])
    before = target.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(ImageError, match=r"out\.png: File too large"):
            write_image(target, noise, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert target.read_bytes() == before
    assert left(tmp_path) == {str(target)}


def test_devices_are_neither_read_nor_replaced() -> None:
    with pytest.raises(OSError, match="not an ordinary file"):
        read_whole("/dev/zero")
    with pytest.raises(OSError, match="not an ordinary file"):
        write_whole(Path("/dev/full"), b"x")
    assert Path("/dev/full").is_char_device()
