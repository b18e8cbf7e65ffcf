"""Figures as Markdown tables: docs/benchmarks.md.

A row is what was measured of one case on one scene. `Bench.measure` says which (table, case, scene, megapixels,
strokes), and `benchmarks.measure` adds the figures: CPU and wall seconds, seconds of a pass, bytes a pixel, and so on.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import DISSECTED
from hybridcolor import __version__

Row = dict[str, Any]

INTRO = """# Benchmarks

Written by `make bench`, with the same figures in `benchmarks.json`. Took {minutes:.0f} minutes on {processor},
{cores} cores, {system}, Python {python}, {packages}.
A core copies {gigabytes:.1f} GB/s through the pass described below at 12 MP. Load before the start: {load:.1f}.

- Every case runs in a process of its own, on one core unless said otherwise. Seconds are CPU seconds, the least of
  up to seven runs, with all code compiled: what a clock shows on an idle machine. Ratios and multiples carry over to
  other machines; seconds do not.
- A **pass** reads two (H, W, 2) float32 fields and writes a third, in the same process and at the same size. At
  0.25 MP the fields fit into the processor's cache: a pass is cheap there, and multiples of it are large.
- **B/pixel** is the peak memory of the process above what it held before the first call, which is Python, compiled
  code, photo and seeds.
- The photos are scikit-image's bundled ones. None is larger than 2 MP, so large scenes are *galleries*: rows of 512
  pixels of whole photos, at most 1.7 times enlarged. A table of one photo enlarged stands beside them.
- Strokes are lines 3 pixels thick, 1 to 4% of the width long, in the median of the true colours below; 100 of them
  unless said otherwise. `hybrid` has a prior: the true colours, blurred and at half their strength.
- **Off** is the distance in ab from SuperLU's solution of the same system: mean / 99.9% of pixels / worst pixel. For
  `hybrid` it is from its own direct solver.
"""


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line.split(":")[1].strip() for line in information.read_text().splitlines() if "model name" in line]
        processor = names[0] if names else processor
    names = ["numpy", "scipy", "numba", "scikit-image", "opencv-python"]
    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": ", ".join(["hybridcolor " + __version__, *(f"{name} {version(name)}" for name in names)]),
        "load": os.getloadavg()[0],
    }


def write_report(path: Path, facts: dict[str, Any], rows: list[Row]) -> None:
    """All tables that there are figures for."""
    good = [row for row in rows if "error" not in row]
    largest = max(_of(good, "size"), key=lambda row: float(row["megapixels"]))
    gigabytes = 24e-3 * largest["megapixels"] / largest["pass"]  # a second; 3 fields of 2 float32 are 24 bytes a pixel
    parts = [INTRO.format(gigabytes=gigabytes, **facts)]
    parts += [_sizes(good), _summary(good), _strokes(good), _enlarged(good), _photos(good), _peers(good), _ratios(good)]
    if any(row["table"] == "edits" for row in good):
        parts.append(_plain("Stroke edits", "edits", good))
    parts += [_plain("The rest of the path", "path", good), _start(good)]
    warned = [[r["case"], r["scene"], r["megapixels"], "; ".join(r["warned"])] for r in good if r.get("warned")]
    if warned:
        parts.append("## Warnings\n\n" + _table(["case", "scene", "MP", "what"], warned))
    failed = [row for row in rows if "error" in row]
    if failed:
        lines = [[row["case"], row["scene"], row["megapixels"], row["error"]] for row in failed]
        parts.append("## Failed\n\n" + _table(["case", "scene", "MP", "why"], lines))
    path.write_text("\n".join(parts))


def _sizes(rows: list[Row]) -> str:
    lines = [
        [row["case"], row["megapixels"], *_speed(row), row["iterations"] or "", _small(row["residual"]), _off(row)]
        for row in _of(rows, "size")
    ]
    head = ["method", "MP", "s", "passes", "B/pixel", "iterations", "residual, ab", "off, ab"]
    return "## Methods by size\n\n" + _table(head, lines)


def _summary(rows: list[Row]) -> str:
    """Growth and cores."""
    lines = []
    for case, sizes in _by_case(_of(rows, "size")).items():
        logs = np.log([[row["megapixels"], row["cpu"]] for row in sizes])
        growth = np.polyfit(*logs.T, 1)[0] if len(logs) > 1 else np.nan
        one = next((row for row in sizes if row["megapixels"] == 4), None)
        two = next((row for row in _of(rows, "cores") if row["case"] == case), None)
        both = (
            [f"{one['wall'] / two['wall']:.2f}", "yes" if one["digest"] == two["digest"] else "NO"]
            if one and two
            else ["", ""]
        )
        lines.append([case, f"{growth:.2f}", *both])
    text = (
        "The exponent of seconds over pixels, fitted to all sizes; at 4 MP, how many times sooner two cores are done, "
        "by the clock (a fair figure on an idle machine only), and whether they give the same bytes.\n\n"
    )
    return "## Growth and cores\n\n" + text + _table(["method", "exponent", "1 -> 2 cores", "same bytes"], lines)


def _strokes(rows: list[Row]) -> str:
    """Stroke counts at 1 MP, the usual count from the table of sizes."""
    at_one = [row for row in rows if row["table"] in ("strokes", "size") and row["megapixels"] == 1]
    order = list(_by_case(at_one))
    at_one.sort(key=lambda row: (order.index(row["case"]), row["strokes"]))
    lines = [[row["case"], row["strokes"], *_speed(row), row["iterations"] or ""] for row in at_one]
    return "## Number of strokes, 1 MP\n\n" + _table(
        ["method", "strokes", "s", "passes", "B/pixel", "iterations"], lines
    )


def _enlarged(rows: list[Row]) -> str:
    lines = []
    for row in _of(rows, "enlarged"):
        gallery = [r for r in _of(rows, "size") if (r["case"], r["megapixels"]) == (row["case"], 4)]
        times = f"{row['cpu'] / gallery[0]['cpu']:.2f}" if gallery else ""
        lines.append([row["case"], *_speed(row), row["iterations"] or "", times])
    head = ["method", "s", "passes", "B/pixel", "iterations", "seconds over the gallery's"]
    return "## One photo enlarged to 4 MP\n\n" + _table(head, lines)


def _photos(rows: list[Row]) -> str:
    """Exactness and speed on single photos of 1 MP."""
    ours = [row for row in _of(rows, "photos") if row["case"] == "optimization"]
    lines = []
    for row in ours:
        theirs = [r for r in _of(rows, "photos") if r["scene"] == row["scene"] and r["case"] == DISSECTED]
        times = f"{theirs[0]['cpu'] / row['cpu']:.0f}" if theirs else ""
        lines.append([row["scene"], *_speed(row), row["iterations"], times, _off(row)])
    text = (
        "One photo each, brought to 1 MP (the retina is larger, Hubble's field nearly so, the others are enlarged), "
        "against SuperLU in nested dissection order.\n\n"
    )
    head = ["photo", "s", "passes", "B/pixel", "iterations", "SuperLU's seconds over ours", "off, ab"]
    return "## Five photos of 1 MP against SuperLU\n\n" + text + _table(head, lines)


def _peers(rows: list[Row]) -> str:
    lines = [[row["case"], row["megapixels"], row["strokes"], *_speed(row)] for row in _of(rows, "peers")]
    text = (
        "SuperLU in scipy's own order is what public ports of Levin's code do; in nested dissection order, without "
        "pivots, it is as fast as we could make it. random_walker solves one system a label, so it has few. OpenCV's "
        "joint filters (guided, fast global smoother) are in its contrib package, which opencv-python leaves out.\n\n"
    )
    return "## Peers\n\n" + text + _table(["peer", "MP", "strokes", "s", "passes", "B/pixel"], lines)


def _ratios(rows: list[Row]) -> str:
    pairs = [
        ("optimization", "SuperLU, scipy's order"),
        ("optimization", DISSECTED),
        ("optimization", "skimage random_walker"),
        ("chrominance", "skimage MCP_Geometric, one label"),
        ("watershed", "cv2.watershed"),
        ("watershed", "skimage watershed"),
    ]
    lines = []
    for case, peer in pairs:
        for theirs in _of(rows, "peers"):
            for ours in _of(rows, "size"):
                if (ours["case"], theirs["case"], ours["megapixels"]) == (case, peer, theirs["megapixels"]):
                    memory = theirs["memory"] / ours["memory"] if ours["memory"] else np.nan
                    lines.append(
                        [case, peer, ours["megapixels"], f"{theirs['cpu'] / ours['cpu']:.1f}", f"{memory:.1f}"]
                    )
    return "## Peers over ours\n\n" + _table(["method", "peer", "MP", "seconds", "memory"], lines)


def _start(rows: list[Row]) -> str:
    lines = [[row["case"], f"{row['cold']:.1f}", f"{row['cached']:.2f}"] for row in _of(rows, "start")]
    text = (
        "CPU seconds of a whole Python process that colorizes 128 x 128 pixels: the first ever, which compiles, and "
        "the next, from the cache.\n\n"
    )
    return "## First call\n\n" + text + _table(["method", "nothing compiled", "compiled before"], lines)


def _plain(title: str, table: str, rows: list[Row]) -> str:
    lines = [[row["case"], row["megapixels"], *_speed(row)] for row in _of(rows, table)]
    return f"## {title}\n\n" + _table(["case", "MP", "s", "passes", "B/pixel"], lines)


def _of(rows: Iterable[Row], table: str) -> list[Row]:
    return [row for row in rows if row["table"] == table]


def _by_case(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["case"], []).append(row)
    return groups


def _speed(row: Row) -> list[str]:
    """Seconds, passes, B/pixel."""
    return [f"{row['cpu']:.3g}", f"{row['cpu'] / row['pass']:,.0f}", f"{row['memory']:,.0f}"]


def _small(value: float) -> str:
    return f"{value:.1g}" if value else ""


def _off(row: Row) -> str:
    return f"{row['mean']:.1g} / {row['p999']:.1g} / {row['max']:.1g}" if "mean" in row else ""


def _table(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    numbers = ["---" if column == 0 else "---:" for column in range(len(head))]
    rows = [head, numbers, *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows) + "\n"
