"""What is needed to repeat a comparison: versions, weights, settings, and the very code."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import hybridcolor
from hybridcolor.compare.methods import CNN, GRAY, Method
from hybridcolor.predict.weights import find_model
from hybridcolor.propagate.registry import ENTRY_POINTS, PROPAGATORS

PACKAGES = ("numpy", "scipy", "scikit-image", "opencv-python", "torch", "numba", "Pillow", "matplotlib")
"""Packages whose version can change a result."""


def provenance(methods: Iterable[Method]) -> dict[str, Any]:
    """Everything that the results depend on besides the pictures, ready for JSON.

    Raises
    ------
    ModelError
        If a method's model is not installed.
    """
    return {
        "hybridcolor": hybridcolor.__version__,
        "code_sha256": code_sha256(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "methods": {method.name: describe(method) for method in methods},
    }


def describe(method: Method) -> dict[str, Any]:
    """A method with its settings and its model's weights."""
    facts: dict[str, Any] = {"algorithm": method.algorithm, "options": method.options()}
    if method.algorithm not in (GRAY, CNN, *PROPAGATORS):
        facts["code_sha256"] = _code_of_others(method.algorithm)
    if method.model is not None:
        entry = find_model(method.model)
        facts["model"] = {
            "name": entry.name,
            "sha256": entry.sha256,
            "network": entry.network,
            "size": entry.size,
            "temperature": entry.temperature,
            "paint": entry.paint,
        }
    return facts


def code_sha256() -> str:
    """Checksum over the package's Python files: between two releases the version alone says too little."""
    return _python_sha256(Path(hybridcolor.__file__).parent)


def _code_of_others(algorithm: str) -> str:
    """The same of the package, or the one module, that added a method: its author changes it between two runs."""
    (entry, *_) = entry_points(group=ENTRY_POINTS, name=algorithm)
    spec = find_spec(entry.module.partition(".")[0])
    assert spec is not None  # noqa: S101  # the method was loaded from it
    return _python_sha256(*map(Path, spec.submodule_search_locations or [str(spec.origin)]))


def _python_sha256(*roots: Path) -> str:
    """Checksum over the Python files of folders, or over files."""
    digest = hashlib.sha256()
    for root in roots:
        for path in [root] if root.is_file() else sorted(root.rglob("*.py")):
            digest.update(f"{path.relative_to(root).as_posix()}\n".encode())
            digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
