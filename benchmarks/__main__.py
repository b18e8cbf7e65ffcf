"""Measures the propagation methods and writes docs/benchmarks.md and docs/benchmarks.json: python -m benchmarks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.cases import DISSECTED, EDITS, METHODS, PATH, PEERS, has_direct_solver
from benchmarks.report import machine, write_report
from benchmarks.scenes import PHOTOS, Scene

SIZES = [0.25, 1, 4, 12]
STROKES = [10, 100, 1000]
USUAL = 100
LIMIT_SECONDS = 300
# A direct factorisation needs many GB above 1 MP; random_walker solves one system a label, so it gets few.
PEER_SIZES: dict[str, list[float]] = {
    "SuperLU, scipy's order": [0.25, 1],
    DISSECTED: [0.25, 1],
    "skimage MCP_Geometric, one label": [0.25, 1],
}
FEW_STROKES = {"skimage random_walker": ([0.25], 10)}
ONE_PHOTO = [name for name in PHOTOS if name not in ("rocket", "immunohistochemistry", "chelsea")]


class Bench:
    """Runs cases one after another, each in a process of its own, and keeps their figures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[dict[str, Any]] = []

    def measure(
        self, table: str, case: str, megapixels: float, *, scene: str = "gallery", strokes: int = USUAL, **request: Any
    ) -> None:
        place = self.folder / f"{scene}-{megapixels}-{strokes}.npz"
        if not place.exists():
            Scene.of(scene, megapixels, strokes).save(place)
        request = {"cores": 1, "case": case, "scene": str(place)} | request
        row = {"table": table, "case": case, "megapixels": megapixels, "scene": scene, "strokes": strokes}
        start = time.perf_counter()
        row |= {"cores": request["cores"], "solver": request.get("solver")} | _child(request)
        self.rows.append(row)
        say = row.get("error") or f"{row['cpu']:.3f} s CPU, {row['wall']:.3f} s"
        took = time.perf_counter() - start
        _say(f"{took:6.1f} s  {table}: {case}, {scene}, {megapixels} MP, {strokes} strokes: {say}")

    def truth(self, scene: str, megapixels: float, case: str) -> Path:
        """Where the exact answer of a scene is, or will be."""
        return self.folder / f"{scene}-{megapixels}-{case}.npy"


def main() -> None:
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        _measure_peers(bench)
        _measure_methods(bench)
        _measure_one_photo(bench)
        for case in EDITS:
            bench.measure("edits", case, 1)
        for case in PATH:
            for size in (1, 4):
                bench.measure("path", case, size)
        for case in METHODS:
            bench.rows.append({"table": "start", "case": case} | _first_call(case, folder))
    facts = machine() | {"minutes": (time.perf_counter() - start) / 60}
    docs = Path(__file__).parent.parent / "docs"
    (docs / "benchmarks.json").write_text(json.dumps({"machine": facts, "rows": bench.rows}, indent=1) + "\n")
    write_report(docs / "benchmarks.md", facts, bench.rows)


def _measure_peers(bench: Bench) -> None:
    for case in PEERS:
        sizes, strokes = FEW_STROKES.get(case, (PEER_SIZES.get(case, SIZES), USUAL))
        for size in sizes:
            keep = str(bench.truth("gallery", size, "optimization")) if case == DISSECTED else None
            bench.measure("peers", case, size, strokes=strokes, keep=keep)


def _measure_methods(bench: Bench) -> None:
    smallest = SIZES[0]
    for case in METHODS:
        if case != "optimization" and has_direct_solver(case):
            keep = str(bench.truth("gallery", smallest, case))
            bench.measure("direct", case, smallest, solver="direct", keep=keep)
        for size in SIZES:
            truth = bench.truth("gallery", size, case)
            bench.measure("size", case, size, truth=str(truth) if truth.exists() else None)
        bench.measure("cores", case, 4, cores=2)
        bench.measure("enlarged", case, 4, scene="astronaut")
        for strokes in STROKES:
            if strokes != USUAL:
                bench.measure("strokes", case, 1, strokes=strokes)


def _measure_one_photo(bench: Bench) -> None:
    for scene in ONE_PHOTO:
        truth = str(bench.truth(scene, 1, "optimization"))
        bench.measure("photos", DISSECTED, 1, scene=scene, keep=truth)
        bench.measure("photos", "optimization", 1, scene=scene, truth=truth)


def _child(request: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.measure", json.dumps(request)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"more than {LIMIT_SECONDS} s"}
    if ended.returncode:
        return {"error": (ended.stderr.strip().splitlines() or ["killed"])[-1]}
    figures: dict[str, Any] = json.loads(ended.stdout)
    return figures


def _first_call(method: str, folder: str) -> dict[str, float]:
    """CPU seconds of a whole process that colorizes 128 x 128 pixels: with nothing compiled, and again."""
    code = (
        "import numpy as np; from hybridcolor.propagate import propagate; from hybridcolor.seeds import Seeds; "
        "luminance = np.random.default_rng(0).uniform(0, 100, (128, 128)); zero = np.zeros((128, 128, 2)); "
        f"propagate(luminance, Seeds.of([[5, 5], [90, 90]], [[40, 0], [0, 40]]), method={method!r}, prior=zero)"
    )
    took = []
    for _ in range(2):
        before = os.times()
        environment = os.environ | {"NUMBA_CACHE_DIR": str(Path(folder) / "numba" / method)}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        after = os.times()
        took.append(after.children_user - before.children_user + after.children_system - before.children_system)
    return {"cold": took[0], "cached": took[1]}


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    main()
