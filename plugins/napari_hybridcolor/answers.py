"""What the editor's threads do: answer a change, better and better, and write the result. Knows no window."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybridcolor.glimpse import Glimpse, Window
from hybridcolor.pipeline import Colorization, write_colorization
from hybridcolor.session import EditSession
from napari_hybridcolor.work import Job

BETWEEN = 0.5  # seconds a megapixel between pictures shown on the way to the best: to show one takes time too
SMALL = 300_000  # pixels up to which the whole picture has a preview at once


def glimpses(session: EditSession, view: Window) -> Job:
    """What of the view will look otherwise, at once."""

    def job(_stop: Callable[[], bool]) -> Iterator[Glimpse]:
        seen = session.glimpse(view)
        if seen is not None:
            yield seen

    return job


def answers(session: EditSession, glimpsing: Callable[[], bool]) -> Job:
    """Pictures on the way to the present drawing's best one, and that, each with its 8-bit RGB.

    The first of a small picture is its preview; a large one has `glimpses`, and they have the processor first.
    """

    def job(stop: Callable[[], bool]) -> Iterator[tuple[Colorization, NDArray[np.uint8]]]:
        if not is_large(session):
            yield _as_shown(session.preview())
        while glimpsing() and not stop():
            time.sleep(0.002)
        drawing, shown = session.drawing, time.perf_counter()
        waiting: Colorization | None = None
        for better in () if stop() else session.refine(stop):
            waiting = better
            if time.perf_counter() - shown > BETWEEN * max(1.0, better.picture.luminance.size / 1e6):
                yield _as_shown(better)
                shown, waiting = time.perf_counter(), None
        if waiting is not None and session.drawing is drawing:  # else a glimpse of what came since is shown
            yield _as_shown(waiting)

    return job


def is_large(session: EditSession) -> bool:
    """Whether the whole picture takes so long that a part of it is shown first; regions of drawings fill at once."""
    return session.picture.luminance.size > SMALL and session.drawing.method != "lineart"


def saving(session: EditSession, path: Path) -> Job:
    """The coloured picture on disk, as `hybridcolor replay` would write it."""

    def job(_stop: Callable[[], bool]) -> Iterator[str]:
        write_colorization(path, session.final(), overwrite=True)
        yield f"Saved {path.name}."

    return job


def _as_shown(answer: Colorization) -> tuple[Colorization, NDArray[np.uint8]]:
    """With the 8-bit picture, so that the window has no more to do than to show it."""
    return answer, answer.on_screen()
