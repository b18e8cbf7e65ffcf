"""Tens of thousands of damaged files, read one after the other in a process that is watched: ``make fuzz``.

The kernel ends the process if a file costs it more than two seconds of computing, or it waits; whatever leaves a reader
but an error of our own, and whatever is printed, is a finding. Every case has a seed of its own and can be repeated:
``python -m tests.fuzz.campaign --only rgb.png:17``.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hybridcolor.errors import HybridColorError
from tests.fuzz.mutation import spoil

LONGEST = 2.0
"""Seconds of computing that a file may cost."""
WAITING = 30.0
"""Seconds on the clock after which a reader waits for something that never comes."""
CHILD = [sys.executable, "-m", "tests.fuzz.campaign"]
SHARES = {"scribbles.json": 5, "edited.hybridcolor.json": 5, "tiny.safetensors": 5}
"""How many times the damage of other samples these get."""


@dataclass(slots=True)
class Campaign:
    """What came of it.

    ``counts`` is by sample and outcome ("read", "refused"); ``findings`` are lines that say which case and why.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    memory: list[float] = field(default_factory=list)
    """Resident megabytes now and then."""

    @property
    def growth(self) -> float:
        """Megabytes by which the last quarter of the run was above the second: libraries are loaded in the first."""
        if len(self.memory) < 8:
            return 0.0
        quarters = np.array_split(self.memory, 4)
        return float(np.median(quarters[3]) - np.median(quarters[1]))


def cases(samples: list[Path], rounds: int) -> Iterator[tuple[Path, int]]:
    """Every sample by turns, some more often; a number for each case."""
    for number in range(rounds):
        for sample in samples:
            share = SHARES.get(sample.name, 1)
            yield from ((sample, number * share + i) for i in range(share))


def run(todo: list[tuple[Path, int]], work: Path) -> Campaign:
    """Read all damaged files in a process of its own; one that dies is a finding, and another goes on behind it."""
    campaign, begun = Campaign(), 0
    journal, noise = work / "journal", work / "noise"
    (work / "todo").write_text(json.dumps([(str(sample), number) for sample, number in todo]))
    while begun < len(todo):
        journal.unlink(missing_ok=True)
        command = [*CHILD, "--child", str(work), str(begun)]
        with noise.open("wb") as file:
            code = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=file, stderr=file).returncode
        lines = [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []
        begun += _take(campaign, lines)
        if code != 0 and (not lines or "begin" in lines[-1]):
            where = lines[-1]["begin"] if lines else "start"
            name = {-signal.SIGPROF: f"more than {LONGEST} s", -signal.SIGALRM: "hangs"}.get(code, f"exit code {code}")
            campaign.findings.append(f"{where}: {name}: {noise.read_text(errors='replace')[-500:]}")
            begun += 1 if lines else len(todo)
        elif noise.stat().st_size:
            campaign.findings.append(f"printed: {noise.read_text(errors='replace')[:500]!r}")
    return campaign


def _take(campaign: Campaign, lines: list[dict[str, Any]]) -> int:
    """The lines of a journal into the campaign; returns how many cases were finished."""
    finished = 0
    for line in lines:
        if "begin" in line:
            continue
        finished += 1
        campaign.counts[line["sample"], line["outcome"]] += 1
        case = f"{line['sample']}:{line['number']}"
        campaign.slowest = max(campaign.slowest, (line["seconds"], case))
        if "memory" in line:
            campaign.memory.append(line["memory"])
        if line["outcome"] not in ("read", "refused"):
            campaign.findings.append(f"{case}: {line['outcome']}")
    return finished


def child(work: Path, begin: int) -> None:
    """Read case after case and keep a journal."""
    from tests.fuzz.reading import reader_of

    todo = json.loads((work / "todo").read_text())
    for sample in sorted({Path(sample) for sample, _ in todo}):  # which loads libraries and compiles kernels, too
        reader_of(sample)(sample)
    warnings.simplefilter("error")
    place = work / "damaged"
    place.mkdir(exist_ok=True)
    with (work / "journal").open("w", buffering=1) as journal:
        for index, (sample, number) in enumerate(todo[begin:]):
            path = Path(sample)
            damaged = place / f"{'' if path.suffix == '.zarr' else 'x'}{path.name}"
            journal.write(json.dumps({"begin": f"{path.name}:{number}"}) + "\n")
            spoil(path, damaged, np.random.default_rng([zlib.crc32(path.name.encode()), number]))
            signal.setitimer(signal.ITIMER_PROF, LONGEST)
            signal.setitimer(signal.ITIMER_REAL, WAITING)
            started = time.process_time()
            outcome = _outcome(reader_of(path), damaged)
            seconds = time.process_time() - started
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            line = {"sample": path.name, "number": number, "outcome": outcome, "seconds": round(seconds, 4)}
            if index % 50 == 0:
                line["memory"] = _resident()
            journal.write(json.dumps(line) + "\n")


def _outcome(read: Any, damaged: Path) -> str:
    try:
        read(damaged)
    except HybridColorError as error:
        return "refused" if len(str(error).splitlines()) == 1 else f"an error of several lines: {error!r}"
    except BaseException as error:  # noqa: BLE001  # the finding
        return f"{type(error).__name__}: {error}"[:300]
    return "read"


def _resident() -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def table(campaign: Campaign) -> str:
    """Markdown: a row for each sample."""
    names = sorted({sample for sample, _ in campaign.counts})
    rows = ["| sample | damaged | refused | still read |", "|---|---|---|---|"]
    for name in names:
        refused, read = campaign.counts[name, "refused"], campaign.counts[name, "read"]
        rows.append(f"| {name} | {refused + read} | {refused} | {read} |")
    total = sum(campaign.counts.values())
    rows.append(f"| **all** | {total} | | |")
    slowest, case = campaign.slowest
    return "\n".join(rows) + (
        f"\n\n{len(campaign.findings)} findings; slowest {slowest:.2f} s ({case}); resident memory at most "
        f"{max(campaign.memory, default=0):.0f} MB, growth {campaign.growth:.1f} MB\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1500, help="damaged copies of each sample")
    parser.add_argument("--only", help="one case, SAMPLE:NUMBER, with its error shown")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(Path(arguments.child[0]), int(arguments.child[1]))
        return 0
    from tests.fuzz.samples import all_samples

    with tempfile.TemporaryDirectory() as folder:
        samples, work = all_samples(Path(folder, "samples")), Path(folder, "work")
        work.mkdir()
        if arguments.only:
            return _repeat(arguments.only, samples, work)
        campaign = run(list(cases(samples, arguments.rounds)), work)
    sys.stdout.write(table(campaign) + "".join(f"- {line}\n" for line in campaign.findings))
    return bool(campaign.findings)


def _repeat(case: str, samples: list[Path], work: Path) -> int:
    """One case again; the damaged file stays where it is named."""
    from tests.fuzz.reading import reader_of

    name, _, number = case.partition(":")
    sample = next(sample for sample in samples if sample.name == name)
    kept = Path(tempfile.gettempdir()) / f"damaged-{number}-{name}"
    spoil(sample, kept, np.random.default_rng([zlib.crc32(name.encode()), int(number)]))
    sys.stdout.write(f"{kept}\n")
    reader_of(sample)(kept)
    return 0


if __name__ == "__main__":
    sys.exit(main())
