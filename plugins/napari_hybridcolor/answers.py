"""What the editor's threads do: answer a change, better and better, and write the result. Knows no window."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybridcolor.lab import eight_bits
from hybridcolor.pipeline import Colorization, write_colorization
from hybridcolor.session import EditSession
from napari_hybridcolor.work import Job

BETWEEN = 0.5  # seconds between pictures that are shown on the way to the best: to show one takes time too


def answers(session: EditSession) -> Job:
    """The present drawing's preview, pictures on the way, and the best, each with its 8-bit RGB."""

    def job(stop: Callable[[], bool]) -> Iterator[tuple[Colorization, NDArray[np.uint8]]]:
        yield _as_shown(session.preview())
        shown = time.perf_counter()
        waiting: Colorization | None = None
        for better in () if stop() else session.refine(stop):
            waiting = better
            if time.perf_counter() - shown > BETWEEN:
                yield _as_shown(better)
                shown, waiting = time.perf_counter(), None
        if waiting is not None:
            yield _as_shown(waiting)

    return job


def saving(session: EditSession, path: Path) -> Job:
    """The coloured picture on disk, as `hybridcolor replay` would write it."""

    def job(_stop: Callable[[], bool]) -> Iterator[str]:
        write_colorization(path, session.final(), overwrite=True)
        yield f"Saved {path.name}."

    return job


def _as_shown(answer: Colorization) -> tuple[Colorization, NDArray[np.uint8]]:
    """With the 8-bit picture, so that the window has no more to do than to show it."""
    return answer, eight_bits(answer.to_rgb())
