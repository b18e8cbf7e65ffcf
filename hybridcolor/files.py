"""Writing files whole: there is the old file or the new one, whatever dies in between. May import nothing."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_whole(path: Path, content: bytes, *, overwrite: bool = True) -> None:
    """Put the bytes in a temporary file beside the target, down to the disk, and only then give it the name.

    Raises
    ------
    OSError
        If it cannot be written; `FileExistsError` if there is a file already and ``overwrite`` is not set. Nothing is
        left then but what was there before.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "a.txt", b"all of it")
    ...     [file.name for file in Path(folder).iterdir()]
    ['a.txt']
    """
    final = Path(os.path.realpath(path))  # through a link, its target is replaced and not the link
    part = final.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
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
