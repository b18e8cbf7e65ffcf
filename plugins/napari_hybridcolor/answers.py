"""What the editor's threads do: answer a change, better and better, and write the result. Knows no window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Lock
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from hybridcolor.drawing import Drawing
from hybridcolor.errors import SeedError
from hybridcolor.glimpse import Glimpse
from hybridcolor.imagefiles import check_no_source
from hybridcolor.picture import Picture
from hybridcolor.pipeline import Colorization, write_colorization
from hybridcolor.resampling import Window
from hybridcolor.seeds import Seeds
from hybridcolor.session import EditSession
from hybridcolor.stacks import Slice, write_stack
from napari_hybridcolor.layers import enlarged, sizes
from napari_hybridcolor.work import Job

SMALL = 300_000  # pixels up to which the whole picture has a preview at once
SLOW = 2_000_000  # pixels above which the exact answer takes so long that a second glimpse is worth its time

_COMPUTING: WeakKeyDictionary[EditSession, Lock] = WeakKeyDictionary()
"""One thread at a time for a session: that of a panel that was closed may still be in a step."""

Levels = list[NDArray[np.uint8]]
"""A whole picture as it is shown: (H, W, 3), and smaller ones if it is large."""
Seen = tuple[Picture, Glimpse | Levels, bool]
"""What to show of a picture, and whether it is of the session's drawing: else of a stroke that is not done yet."""


def glimpses(session: EditSession, view: Window, done: Event, *, first: bool) -> Job:
    """The part of the view that will change, at once; of a very large picture again, once the network heard the stroke.

    Parameters
    ----------
    session : EditSession
    view : (rows, columns)
    done : Event
        Set as soon as the first glimpse is there.
    first : bool
        Nothing is shown yet: the glimpse is to be the whole picture.
    """

    def job(stop: Callable[[], bool]) -> Iterator[Seen]:
        picture = session.picture
        try:
            seen = session.glimpse(view)
        except SeedError:
            return  # there is nothing to go by, as the answer will be
        finally:
            done.set()
        if seen is not None and not first:
            yield picture, seen, True
        elif seen is not None and seen.window == view:  # else it is a part that differs from what has gone
            yield picture, sizes(enlarged(seen.rgb, view[0].step or 1, picture.shape)), True
        if picture.luminance.size > SLOW and not stop():
            heard = session.glimpse(view, hear=True)
            if heard is not None:
                yield picture, heard, True

    return job


def foreseen(session: EditSession, drawing: Drawing, view: Window) -> Job:
    """What of the view would look otherwise with a drawing that is not the session's yet."""

    def job(_stop: Callable[[], bool]) -> Iterator[Seen]:
        with suppress(SeedError):  # nothing to go by: a stroke is being rubbed out
            seen = session.glimpse(view, drawing=drawing)
            if seen is not None:
                yield session.picture, seen, False

    return job


def answers(session: EditSession, glimpsed: Event) -> Job:
    """Answers to the present drawing, each better than the one before, with what the window shows of them.

    A small picture's first answer is its preview. Of a large one there are `glimpses`, in another thread: meanwhile
    this job has the network hear what was drawn and sets up the equations, but solves them only once the first glimpse
    is there. On two cores that makes the glimpse some 8 ms later and the answers at 1 megapixel 20 ms sooner than if
    the whole job waited for it.

    Without a seed to go by the answer is the gray picture.
    """

    def job(stop: Callable[[], bool]) -> Iterator[tuple[Colorization, Levels]]:
        with _COMPUTING.setdefault(session, Lock()):
            try:
                yield from steps(stop)
            except SeedError:  # strokes were checked when they were drawn
                yield _as_shown(_gray(session))

    def steps(stop: Callable[[], bool]) -> Iterator[tuple[Colorization, Levels]]:
        large = is_large(session)

        def over() -> bool:  # asked before solving, which has to wait for the first glimpse
            while large and not glimpsed.wait(0.02) and not stop():
                pass
            return stop()

        if not large:
            if has_glimpses(session):
                session.prepare_glimpse()
            yield _as_shown(session.preview())
        for better in session.refine(over):
            if not stop():  # else a glimpse of what came since is shown
                yield _as_shown(better)
        if has_glimpses(session) and not stop():
            session.prepare_glimpse()

    return job


def is_large(session: EditSession) -> bool:
    """Whether the whole picture takes so long that a part of it is shown first."""
    return session.picture.luminance.size > SMALL and has_glimpses(session)


def has_glimpses(session: EditSession) -> bool:
    """Whether a small copy can foretell the answer: not that of `lineart`, as lines may be lost in it."""
    return session.drawing.method != "lineart"


def saving(session: EditSession, path: Path, *sources: Path | None) -> Job:
    """The picture as it is now, on disk as `hybridcolor replay` would write it, and never over its source."""
    drawing = session.drawing

    def job(_stop: Callable[[], bool]) -> Iterator[str]:
        check_no_source(path, *sources)
        try:
            result = session.final(drawing)
        except SeedError as error:
            raise SeedError("There is no colour to save yet: draw a first stroke.") from error
        write_colorization(path, result, overwrite=True)
        yield f"Saved {path.name}."

    return job


def saving_all(slices: Sequence[Slice], path: Path) -> Job:
    """A whole stack on disk, as `hybridcolor replay` would write it. Tells which slice of how many is under way."""

    def job(stop: Callable[[], bool]) -> Iterator[tuple[int, int] | str]:
        yield 1, len(slices)
        with closing(write_stack(path, slices, overwrite=True)) as written:
            for number in written:
                if stop():
                    yield f"Stopped: nothing was saved as {path.name}."
                    return
                yield min(number + 1, len(slices)), len(slices)
        yield f"Saved {path.name}: {len(slices)} slices."

    return job


def is_blank(answer: Colorization) -> bool:
    """Whether it is the gray picture since there is nothing to go by."""
    return answer.predicted is None and not len(answer.seeds)


def _gray(session: EditSession) -> Colorization:
    picture = session.picture
    blank = np.zeros((*picture.shape, 2), np.float32)
    return Colorization(picture, blank, Seeds.empty(), None, session.drawing.method, 0.0)


def _as_shown(answer: Colorization) -> tuple[Colorization, Levels]:
    """An answer with the pixels that the window shows of it, made here so that the window need not compute them."""
    return answer, sizes(answer.on_screen())
