"""Cumulative histograms as SVG that takes the page's text colour, so that it is readable on light and dark."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.compare.scoring import LEVELS
from hybridcolor.plots import new_figure

COLOURS = ("#3b7dd8", "#e4572e", "#2f9e44", "#b8860b", "#a64ac9", "#0c9ba3", "#d6457f", "#7a7f87")
"""Colours of the methods, in their order; each is readable on white and on near black."""
_DASHES = ("-", "--", "-.", ":")
_TEXT = "#010203"  # stands for the page's text colour until the end


def cumulative_plot(shares: Mapping[str, NDArray[np.float64]], errors: Mapping[str, Sequence[float]]) -> str:
    """Two cumulative histograms side by side.

    Parameters
    ----------
    shares : mapping of (L,) float64
        For each method the share of pixels with an error of at most each of `LEVELS`.
    errors : mapping of sequence of float
        For each method the root mean square error of each picture, over both channels, as `ab_rmse` has it.

    Returns
    -------
    str
        An ``<svg>`` element.
    """
    from matplotlib import rc_context

    style: dict[Any, Any] = {
        **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _TEXT),
        "svg.fonttype": "none",
        "svg.hashsalt": "hybridcolor",
        "font.family": "sans-serif",
        "font.size": 10,
    }
    with rc_context(style):
        figure = new_figure(10, 4)
        left, right = figure.subplots(1, 2, sharey=True)
        top = 5.0
        for number, name in enumerate(shares):
            look: dict[str, Any] = {
                "color": COLOURS[number % len(COLOURS)],
                "linestyle": _DASHES[number // 2 % len(_DASHES)],
                "linewidth": 1.8,
            }
            share = shares[name]
            left.plot(LEVELS, share, label=name, **look)
            steps = np.sort(np.asarray(errors[name], np.float64))
            right.ecdf(steps, **look)
            top = max(top, float(LEVELS[np.searchsorted(share, 0.99).clip(max=len(LEVELS) - 1)]), *steps.tolist())
        left.set(xlabel="RMS error of a pixel's a* and b*", ylabel="share with at most this error", xlim=(0, top))
        right.set(xlabel="RMS error of a picture's a* and b*", xlim=(0, top), ylim=(0, 1.02))
        for axes in (left, right):
            axes.grid(visible=True, color=_TEXT, alpha=0.15)
            axes.patch.set_alpha(0)
            axes.spines[["top", "right"]].set_visible(False)
        if len(shares):
            figure.legend(loc="outside lower center", ncols=4, frameon=False)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :].replace(_TEXT, "currentColor")
