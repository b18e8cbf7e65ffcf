"""Object stores, by fsspec: s3://, gs://, abfs:// and whatever else has a driver.

In a store there are no folders to make, nothing is appended to and nothing renamed, but an object is put whole or not
at all. Pictures are worked on as files: fetched into a temporary folder, and put back from it. A local path is its own
copy. fsspec is imported here and nowhere else; URLs are strings, since there may be millions.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hybridcolor.errors import HybridColorError, ImageError

_MARKS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "created")
_LONGEST = 60  # characters of a local name: objects may have more than file systems allow
_AT_ONCE = 256  # objects that are fetched into memory together


def is_url(path: Path | str) -> bool:
    """Whether a path leads to a store.

    Examples
    --------
    >>> is_url("s3://scans/old.png"), is_url("scans/old.png")
    (True, False)
    """
    return "://" in str(path)


class Place(NamedTuple):
    """A folder in a store: its URL, the folders in it, and the objects by name, each with a mark of its content."""

    url: str
    folders: list[str]
    objects: dict[str, str]


def normal(url: str) -> str:
    """The URL as it is compared with others.

    Raises
    ------
    ImageError
        If fsspec, or a driver for such URLs, is not installed.
    """
    with _telling(url):
        store, path = _store(url)
        return str(store.unstrip_protocol(path))


def is_object(url: str) -> bool | None:
    """Whether there is an object under this URL; False for a folder and None for nothing.

    Raises
    ------
    ImageError
        If the store does not answer, or may not be read.
    """
    with _telling(url):
        store, path = _store(url)
        try:
            return bool(store.info(path)["type"] == "file")
        except FileNotFoundError:
            return None


def place_at(url: str) -> Place:
    """What a folder has in it.

    Raises
    ------
    ImageError
        If there is no such folder, or it may not be read.
    """
    folders, objects = [], {}
    with _telling(url):
        store, path = _store(url)
        for info in store.ls(path, detail=True):
            inner = info["name"].rstrip("/")
            if inner == path:
                continue  # the folder itself, of which some programs make an object
            name = inner.rpartition("/")[2]
            if info["type"] == "directory":
                folders.append(name)
            else:
                objects[name] = _mark(info)
        store.invalidate_cache()  # it would hold all of this, and not see what other processes put
    return Place(url, sorted(folders), objects)


def places_under(url: str, *, but: str = "") -> Iterator[Place]:
    """A folder and all folders in it, except for one, without holding them all; errors as `place_at`."""
    place = place_at(url)
    yield place
    for folder in place.folders:
        if f"{url}/{folder}" != but:
            yield from places_under(f"{url}/{folder}", but=but)


def matching(pattern: str) -> list[str]:
    """The URLs of the objects that a pattern stands for, in order; errors as `place_at`."""
    with _telling(pattern):
        store, path = _store(pattern)
        found = [
            store.unstrip_protocol(name)
            for name, info in store.glob(path, detail=True).items()
            if info["type"] == "file"
        ]
        store.invalidate_cache()
        return sorted(found)


def mark_of(url: str) -> str:
    """What changes when an object does; errors as `place_at`."""
    with _telling(url):
        store, path = _store(url)
        return _mark(store.info(path))


def read_all(urls: Sequence[str]) -> Iterator[bytes]:
    """The content of objects, many being fetched at once; errors as `place_at`."""
    for start in range(0, len(urls), _AT_ONCE):
        lot = urls[start : start + _AT_ONCE]
        with _telling(lot[0]):
            store, _ = _store(lot[0])
            paths = [_store(url)[1] for url in lot]
            contents = store.cat(paths)
        yield from (contents[path] for path in paths)


def put(url: str, content: bytes) -> None:
    """Write an object, whole or not at all; errors as `place_at`."""
    with _telling(url):
        store, path = _store(url)
        store.pipe_file(path, content)


def remove(url: str) -> None:
    """Remove an object if it is there; errors as `place_at`."""
    with _telling(url):
        store, path = _store(url)
        if store.exists(path):
            store.rm_file(path)


@contextmanager
def fetched(path: str) -> Iterator[str]:
    """A local copy of an object, under its own name, for as long as the block goes on.

    Raises
    ------
    ImageError
        If it cannot be fetched.
    """
    if not is_url(path):
        yield path
        return
    with _copy(path) as copy:
        with _telling(path):
            store, inner = _store(path)
            store.get_file(inner, copy)
        yield copy


@contextmanager
def delivered(url: str) -> Iterator[Path]:
    """A file to be written in the block, which becomes the object when that ends well.

    Raises
    ------
    ImageError
        If it is a folder, or cannot be put.
    """
    with _copy(url) as copy:
        yield Path(copy)
        if os.path.isdir(copy):
            raise ImageError(f"{url}: is a folder of files, which no store puts as a whole; choose another ending")
        with _telling(url):
            store, inner = _store(url)
            store.put_file(copy, inner)


@contextmanager
def _copy(url: str) -> Iterator[str]:
    """A name for a local copy; errors in the block tell of the object and not of it."""
    with TemporaryDirectory(prefix="hybridcolor-") as folder:
        copy = os.path.join(folder, url.rpartition("/")[2][-_LONGEST:])
        try:
            yield copy
        except HybridColorError as error:
            raise type(error)(str(error).replace(copy, url)) from error


def _store(url: str) -> tuple[Any, str]:
    """The driver, which fsspec keeps, and the path as it sees it."""
    if find_spec("fsspec") is None:
        raise ImageError(f"{url}: object stores are reached by fsspec; pip install 'hybridcolor[remote]'")
    from fsspec.core import url_to_fs

    try:
        store, path = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise ImageError(f"{url}: no driver for {url.partition('://')[0]}:// is installed ({error})") from error
    return store, path.rstrip("/")


def _mark(info: dict[str, Any]) -> str:
    return f"{info.get('size')}:{next((info[name] for name in _MARKS if name in info), '')}"


@contextmanager
def _telling(url: str) -> Iterator[None]:
    """Whatever a driver raises becomes an `ImageError` in one line."""
    try:
        yield
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise ImageError(f"{url}: there is no such bucket or object; check the name") from error
    except PermissionError as error:
        raise ImageError(f"{url}: the store gives no permission ({_line(error)}); check the credentials") from error
    except Exception as error:  # each driver has its own
        raise ImageError(f"{url}: the store does not do it ({type(error).__name__}: {_line(error)})") from error


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0]
