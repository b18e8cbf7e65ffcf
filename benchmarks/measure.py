"""Measures one case in this process and prints the figures as JSON: python -m benchmarks.measure REQUEST.

A process of its own for every case, so that its peak memory is its own. It is held to the cores asked for, which
needs no say of the code measured. Seconds are CPU seconds where there is one core: what the clock would show if nothing
else ran.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

ENOUGH_SECONDS = 1.5
MOST_RUNS = 7


def main(request: dict[str, Any]) -> dict[str, Any]:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-request["cores"] :])  # before a thread pool is made

    from benchmarks.cases import CASES, method
    from benchmarks.scenes import Scene
    from hybridcolor.propagate import Propagation

    case = CASES[request["case"]]
    if request.get("solver"):
        case = method(request["case"], solver=request["solver"])
    case(Scene.of("astronaut", 0.02, 5))()  # compiles, or loads what is compiled
    scene = Scene.load(Path(request["scene"]))
    call = case(scene)
    with warnings.catch_warnings(record=True) as told:  # such as that the safe, slow solver had to take over
        warnings.simplefilter("always")
        figures = run(call, scene.luminance.size)
    figures["warned"] = sorted({str(warning.message) for warning in told})
    figures["pass"] = memory_pass(scene.luminance.shape)
    answer = figures.pop("answer")
    chroma = getattr(answer, "chroma", answer)
    if request.get("keep"):
        np.save(request["keep"], chroma)
    if request.get("truth"):
        error = np.linalg.norm(chroma - np.load(request["truth"]), axis=2)
        figures |= {"mean": float(error.mean()), "p999": float(np.quantile(error, 0.999)), "max": float(error.max())}
    if isinstance(answer, Propagation):
        digest = hashlib.sha256(np.ascontiguousarray(chroma)).hexdigest()
        figures |= {"iterations": answer.iterations, "residual": answer.residual, "digest": digest}
    return figures


def run(call: Any, pixels: int) -> dict[str, Any]:
    """The least of several runs; the peak memory of the first, above what was there before."""
    before = memory_peak(afresh=True)
    cpu, wall = [], []
    answer = None
    while not cpu or (sum(wall) < ENOUGH_SECONDS and len(cpu) < MOST_RUNS):
        answer = None
        cpu_start, wall_start = time.process_time(), time.perf_counter()
        answer = call()
        cpu.append(time.process_time() - cpu_start)
        wall.append(time.perf_counter() - wall_start)
        if len(cpu) == 1:
            memory = (memory_peak() - before) / pixels
    return {"cpu": min(cpu), "wall": min(wall), "runs": len(cpu), "memory": memory, "answer": answer}


def memory_peak(*, afresh: bool = False) -> int:
    """The most memory this process had, in bytes; on Linux it can be counted afresh from now."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if afresh:
        Path("/proc/self/clear_refs").write_text("5")
    return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024


def memory_pass(shape: tuple[int, int]) -> float:
    """Seconds to read two (H, W, 2) float32 fields and write a third: the least that any method must do."""
    first = np.ones((*shape, 2), np.float32)
    second, third = first.copy(), np.zeros_like(first)
    took = []
    for _ in range(9):
        start = time.process_time()
        np.add(first, second, out=third)
        took.append(time.process_time() - start)
    return min(took)


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))  # noqa: T201
