"""Files as they should be: read only if ordinary, written whole or not at all, whatever dies in between.

May import nothing.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # or opening a pipe waits until somebody writes to it


def open_ordinary(path: str | os.PathLike[str]) -> BinaryIO:
    """Open an ordinary file to read its bytes; a device or a pipe, which may never come to an end, is refused.

    Raises
    ------
    OSError
        If it cannot be opened, or is of another kind.

    Examples
    --------
    >>> open_ordinary("/dev/zero")
    Traceback (most recent call last):
    OSError: [Errno 22] not an ordinary file: '/dev/zero'
    """
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | _AT_ONCE))  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not an ordinary file", os.fspath(path))
    return file


def read_whole(path: str | os.PathLike[str]) -> bytes:
    """All bytes of an ordinary file.

    Raises
    ------
    OSError
        As `open_ordinary`.
    """
    with open_ordinary(path) as file:
        return file.read()


def exists(path: Path) -> bool:
    """Whether there is such a file: none has a name that is too long, of which Python 3.11 raises an error."""
    try:
        return path.exists()
    except OSError:
        return False


def checksum(path: str | os.PathLike[str] | None) -> str | None:
    """SHA-256 of a file, as ``sha256sum`` has it, or of the files of a picture that is a folder, such as OME-Zarr.

    None without one, or where it cannot be read: its reader says so.
    """
    if path is None:
        return None
    with suppress(OSError):
        if not Path(path).is_dir():
            return hashlib.sha256(read_whole(path)).hexdigest()
        parts = [f"{part.relative_to(path).as_posix()} {checksum(part)}" for part in files_in(path)]
        return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()
    return None


def files_in(folder: str | os.PathLike[str]) -> list[Path]:
    """The files of a folder and those in it, in a steady order; none of what is no folder."""
    return sorted(path for path in Path(folder).rglob("*") if path.is_file())


def write_whole(path: Path, content: bytes, *, overwrite: bool = True) -> None:
    """Put the bytes in a temporary file beside the target, down to the disk, and only then give it the name.

    Raises
    ------
    OSError
        If it cannot be written; `FileExistsError` if there is a file already and ``overwrite`` is not set. Nothing is
        left then but what was there before. A device, a pipe or a folder is never replaced.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "a.txt", b"all of it")
    ...     [file.name for file in Path(folder).iterdir()]
    ['a.txt']
    """
    with writing_whole(path, overwrite=overwrite) as file:
        file.write(content)


@contextmanager
def writing_whole(path: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """As `write_whole`, for content that comes piece by piece: the file gets its name when the block ends well.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, writing_whole(Path(folder) / "a.txt") as file:
    ...     file.write(b"all of it")
    9
    """
    final = Path(os.path.realpath(path))  # through a link, its target is replaced and not the link
    if final.exists() and not final.is_file():
        raise OSError(errno.EINVAL, "not an ordinary file", str(final))
    part = final.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            part.replace(final)
        else:
            _rename_new(part, final)
    finally:
        part.unlink(missing_ok=True)


def _rename_new(part: Path, final: Path) -> None:
    """Rename, but never over a file that has come into being meanwhile."""
    try:
        os.link(part, final)  # fails if the name is taken, in one step
    except FileExistsError:
        raise
    except OSError:  # a file system without links: take the name first, then replace our own empty file
        final.open("xb").close()
        try:
            part.replace(final)
        except OSError:
            final.unlink()
            raise
