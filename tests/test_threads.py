"""Work shared out among cores, and done beside other work."""

from __future__ import annotations

import subprocess
import sys
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


@pytest.mark.parametrize("again", [0, 64])
@pytest.mark.parametrize(("rows", "step"), [(1, 1), (70, 32), (1000, 1), (1000, 32), (1023, 7)])
def test_every_row_is_shared_out_once(monkeypatch, rows, step, again):
    monkeypatch.setattr(threads, "thread_count", lambda: 3)
    runs = threads.share_rows(lambda first, last: (first, last), rows, width=1 << 16, step=step, again=again)
    assert [row for first, last in runs for row in range(first, last)] == list(range(rows))
    assert all(first % step == 0 for first, _ in runs)


def test_what_every_run_goes_through_again_is_shared_out_evenly_too(monkeypatch):
    monkeypatch.setattr(threads, "thread_count", lambda: 2)
    (_, middle), _ = threads.share_rows(lambda first, last: (first, last), 1024, width=1 << 16, step=32, again=64)
    assert middle == (1024 - middle) + 64


def test_a_thread_does_not_wait_for_what_another_shares_out(monkeypatch):
    monkeypatch.setattr(threads, "thread_count", lambda: 2)
    monkeypatch.setattr(threads, "_helpers", threads._Helpers())  # as many as that
    done, in_time = threading.Event(), []

    def share_waiting():
        in_time.extend(threads.share_rows(lambda _first, _last: done.wait(10), 2, width=1 << 16))

    other = threading.Thread(target=share_waiting)
    other.start()
    threads.share_rows(lambda first, last: None, 2, width=1 << 16)
    done.set()
    other.join()
    assert in_time == [True, True]


def test_what_python_ends_over_is_done_without_helpers(tmp_path):
    script = tmp_path / "ends.py"
    script.write_text(
        "import threading, time\n"
        "from hybridcolor import threads\n"
        "threads.thread_count = lambda: 2\n"
        "def job():\n"
        "    threading.main_thread().join()\n"  # from here on Python starts no thread of a pool
        "    runs = threads.share_rows(lambda first, last: (first, last), 2, width=1 << 16)\n"
        "    print(runs, threads.beside(lambda: 42)())\n"
        "threading.Thread(target=job).start()\n"
    )
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout.strip(), ended.stderr, ended.returncode) == ("[(0, 1), (1, 2)] 42", "", 0)
