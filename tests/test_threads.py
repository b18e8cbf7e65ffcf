"""Work shared out among cores, and done beside other work."""

from __future__ import annotations

import threading

import pytest

from hybridcolor import threads


@pytest.mark.parametrize("cores", [1, 2])
def test_what_is_done_beside_has_a_thread_of_its_own_where_there_is_a_core(monkeypatch, cores):
    monkeypatch.setattr(threads, "thread_count", lambda: cores)
    answer = threads.beside(lambda: threading.current_thread().name)
    assert answer().startswith("beside") == (cores > 1)


@pytest.mark.parametrize("cores", [1, 2])
def test_what_fails_beside_fails_where_its_answer_is_asked_for(monkeypatch, cores):
    monkeypatch.setattr(threads, "thread_count", lambda: cores)
    answer = threads.beside(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        answer()


@pytest.mark.parametrize(("rows", "step"), [(1, 1), (1000, 1), (1000, 32), (1023, 7)])
def test_every_row_is_shared_out_once(monkeypatch, rows, step):
    monkeypatch.setattr(threads, "thread_count", lambda: 3)
    runs = threads.share_rows(lambda first, last: (first, last), rows, width=1 << 16, step=step)
    assert [row for first, last in runs for row in range(first, last)] == list(range(rows))
    assert all(first % step == 0 for first, _ in runs)
