"""Matplotlib, for reports only: it is an extra, and its absence is told in one line. May import ``errors``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridcolor.errors import HybridColorError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches, which needs no display.

    Raises
    ------
    HybridColorError
        If matplotlib is not installed.

    Examples
    --------
    >>> len(new_figure(4, 3).axes)
    0
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise HybridColorError("plots need matplotlib; pip install 'hybridcolor[report]'") from error
    return Figure(figsize=(width, height), layout="constrained")
