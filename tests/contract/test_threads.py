"""The same input gives the same bytes, from however many threads and with however many."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from hybridcolor.propagate import PROPAGATORS, propagate
from tests.propagate.pictures import photo_luminance, random_seeds

ALL_ANSWERS = """
import hashlib
import numpy as np
from hybridcolor.propagate import PROPAGATORS, propagate
from hybridcolor.propagate.volume import propagate_volume
from tests.propagate.pictures import photo_luminance, random_seeds

luminance = photo_luminance("chelsea", 130, 140)
answers = [propagate(luminance, random_seeds(130, 140, 20), method=method) for method in sorted(PROPAGATORS)]
large = photo_luminance("coffee", 399, 600)  # large enough that threads share the work
answers.append(propagate(large, random_seeds(399, 600, 20), method="optimization"))
answers.append(propagate_volume(np.repeat(luminance[None], 4, 0), [[0, 5, 5], [3, 99, 99]], [[9, 20], [40, 3]]))
for answer in answers:
    print(hashlib.sha256(answer.chroma.tobytes()).hexdigest())
"""
LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def test_same_bytes_whatever_the_number_of_threads():
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", ALL_ANSWERS],
            env=os.environ | dict.fromkeys(LIMITS, count),
            stdout=subprocess.PIPE,
            text=True,
        )
        for count in ("1", "2")
    ]
    first, second = (run.communicate(timeout=280)[0].split() for run in runs)
    assert first == second
    assert len(first) == len(PROPAGATORS) + 2
    assert [run.returncode for run in runs] == [0, 0]


@pytest.mark.parametrize("method", sorted(PROPAGATORS))
def test_same_bytes_from_many_threads_at_once(method):
    luminance, seeds = photo_luminance("chelsea", 72, 83), random_seeds(72, 83, 20)
    expected = propagate(luminance, seeds, method=method).chroma.tobytes()
    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(propagate, luminance, seeds, method=method) for _ in range(8)]
        assert {task.result().chroma.tobytes() for task in tasks} == {expected}
