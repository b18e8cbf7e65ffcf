"""Packages that only reports need: they are an extra, and a missing one is told in one line. May import ``errors``."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from hybridcolor.errors import MethodError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def check_installed(*packages: str) -> None:
    """See that what a report needs is installed; to be called before the work and not after it.

    Raises
    ------
    MethodError
        If one is missing.

    Examples
    --------
    >>> check_installed("numpy")
    """
    for package in packages:
        if find_spec(package) is None:
            raise MethodError(f"a report needs the package {package}; pip install 'hybridcolor[report]'")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches, which needs no display.

    Raises
    ------
    MethodError
        If matplotlib is not installed.

    Examples
    --------
    >>> len(new_figure(4, 3).axes)
    0
    """
    check_installed("matplotlib")
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")
