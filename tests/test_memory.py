"""Free memory, of a machine, of a container and of jobs within groups, as the files of Linux tell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridcolor.memory import free_memory

GB = 1 << 30


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Of 16 GB, half of them free."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text(f"MemTotal: {16 << 20} kB\nMemAvailable:   {8 << 20} kB\nBuffers: 1 kB\n")
    return tmp_path


def limit(group: Path, most: str, used: int, cache: int, names: tuple[str, str, str]) -> None:
    group.mkdir(parents=True, exist_ok=True)
    for name, text in zip(names, (most, str(used), f"anon 1\n{names[2]} {cache}\n"), strict=True):
        (group / ("memory.stat" if name == names[2] else name)).write_text(text)


NEW = ("memory.max", "memory.current", "inactive_file")
OLD = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def test_a_machine_without_groups(machine: Path, tmp_path: Path) -> None:
    assert free_memory(machine) == 8 * GB
    assert free_memory(tmp_path / "elsewhere") is None
    found = free_memory()
    assert found is None or found > 0


@pytest.mark.parametrize(("names", "line", "tree"), [(NEW, "0::", "cgroup"), (OLD, "4:cpu,memory:", "cgroup/memory")])
def test_the_least_of_machine_group_and_the_groups_around_it(machine: Path, names, line, tree) -> None:
    base = machine / "sys/fs" / tree
    (machine / "proc/self/cgroup").write_text(f"3:cpuset:/\n{line}/job/step\n")
    limit(base / "job/step", "max" if names is NEW else str(2**63 - 4096), 7 * GB, 0, names)
    assert free_memory(machine) == 8 * GB
    limit(base / "job", str(4 * GB), 3 * GB, GB // 2, names)
    assert free_memory(machine) == 3 * GB // 2
    limit(base / "job/step", str(GB), GB + 5, 0, names)
    assert free_memory(machine) == 0


def test_a_container_that_sees_its_own_group_as_the_root(machine: Path) -> None:
    (machine / "proc/self/cgroup").write_text("0::/\n")
    limit(machine / "sys/fs/cgroup", str(2 * GB), GB, 0, NEW)
    assert free_memory(machine) == GB
    (machine / "proc/self/cgroup").write_text("4:memory:/docker/0123\n")  # its name outside
    limit(machine / "sys/fs/cgroup/memory", str(3 * GB), GB, 0, OLD)
    assert free_memory(machine) == 2 * GB
