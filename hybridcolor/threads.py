"""One job shared out among the processor's cores, by runs of rows; the answer does not depend on how many there are.

What is called must release the interpreter's lock, as numba's nogil kernels and most of NumPy do. Threads are as many
as the cores that this process may use, or fewer where OMP_NUM_THREADS says so, as it does in the workers of a batch.
Every thread has helpers of its own: what it shares out never waits for what another thread does, and is as urgent as
the thread itself (`give_way`).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property, partial
from typing import TypeVar

Answer = TypeVar("Answer")
LEAST_PIXELS = 1 << 16
"""Pixels that a thread must have to do: below that, to wake it takes longer."""
COMPILED = threading.Event()
"""Not set while a process of its own compiles kernels: who needs them waits, and need not compile them once more."""
COMPILED.set()
PATIENCE = 5
"""How much nicer a thread that gives way is. With 10, answers take three times as long beside a busy program."""


@cache
def thread_count() -> int:
    """How many threads share a job.

    Examples
    --------
    >>> thread_count() >= 1
    True
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(cores, int(wanted))) if wanted.isdecimal() else cores


def share_rows(
    work: Callable[[int, int], Answer], rows: int, *, width: int, step: int = 1, again: int = 0
) -> list[Answer]:
    """Have ``work(first, last)`` done for runs of rows that together are all of them, at the same time.

    Parameters
    ----------
    work : callable
        Must not call this function itself.
    rows, width : int
        The size of the job, in pixels.
    step : int, optional
        Every run but the last is a multiple of so many rows.
    again : int, optional
        Rows before its own that every run but the first has to go through too: the first has so many more of its own.

    Returns
    -------
    list
        What each run returned, from the first to the last.

    Examples
    --------
    >>> sum(share_rows(lambda first, last: last - first, 1000, width=1000, step=16))
    1000
    """
    runs = max(1, min(thread_count(), rows * width // LEAST_PIXELS))
    length = -(-(rows + (runs - 1) * again) // (runs * step)) * step
    starts = [0, *range(length, rows, max((length - again) // step, 1) * step)]
    first, *others = zip(starts, [*starts[1:], rows], strict=True)
    waiting = [_begun(_helpers.rows, partial(work, *run)) for run in others]
    return [work(*first), *(answer() for answer in waiting)]


def beside(work: Callable[[], Answer]) -> Callable[[], Answer]:
    """Have something done while the caller does something else, if there is a second core for it.

    Returns
    -------
    callable
        Waits for the answer, and returns or raises it.

    Examples
    --------
    >>> answer = beside(lambda: 6 * 7)
    >>> answer()
    42
    """
    return work if thread_count() == 1 else _begun(_helpers.other, work)


def give_way() -> None:
    """Have this thread, and those it will start, leave the cores to more urgent ones; for good.

    Where the system has an urgency for each thread, as Linux has; elsewhere nothing happens.
    """
    if sys.platform == "linux":
        wanted = min(os.getpriority(os.PRIO_PROCESS, os.getpid()) + PATIENCE, 19)  # the first thread has this number
        if os.getpriority(os.PRIO_PROCESS, 0) < wanted:
            os.setpriority(os.PRIO_PROCESS, 0, wanted)


def _begun(helper: ThreadPoolExecutor, work: Callable[[], Answer]) -> Callable[[], Answer]:
    try:
        return helper.submit(work).result
    except RuntimeError:  # Python is ending, and starts no thread any more: what is under way goes on without
        return work


class _Helpers(threading.local):
    """The threads that a thread has do a part of its work; they end with it."""

    @cached_property
    def rows(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(thread_count() - 1, thread_name_prefix="rows")

    @cached_property
    def other(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, thread_name_prefix="beside")  # not one that shares rows, which would wait for it


_helpers = _Helpers()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: vars(_helpers).clear())  # a child has none of its parent's threads
