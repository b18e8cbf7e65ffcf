"""How much memory may still be taken.

May import nothing of the package.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_OF_GROUPS = {  # where a version of control groups has its tree, its limit and what is used of it
    "": ("sys/fs/cgroup", "memory.max", "memory.current"),
    "memory": ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
}


def free_memory(root: Path = Path("/")) -> int | None:
    """Bytes that are free on this machine, and in the container or the job of a cluster that this process is in.

    Parameters
    ----------
    root : Path, optional
        Where ``proc`` and ``sys`` are.

    Returns
    -------
    int or None
        None where no system says so.
    """
    free = []
    with suppress(OSError, ValueError, IndexError):
        text = (root / "proc/meminfo").read_text(encoding="ascii")
        free.append(1024 * int(text.partition("MemAvailable:")[2].split()[0]))
    with suppress(OSError, ValueError):
        for line in (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, kinds, path = line.split(":", 2)
            for kind in _OF_GROUPS.keys() & kinds.split(","):
                tree, limit, used = _OF_GROUPS[kind]
                group = root / tree / path.lstrip("/")
                for each in (group, *group.parents):  # a limit of a parent holds too; a container sees the end only
                    with suppress(OSError, ValueError):  # without a limit it is a word
                        room = int((each / limit).read_text(encoding="ascii"))
                        free.append(room - int((each / used).read_text(encoding="ascii")) + _reclaimable(each))
    return max(0, min(free)) if free else None


def _reclaimable(group: Path) -> int:
    """Bytes of files that are held because nobody else wants the memory."""
    lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
    told = dict(line.split(" ", 1) for line in lines)
    return int(told.get("total_inactive_file", told.get("inactive_file", "0")))
