"""The report as one page of HTML with its style and script inside; images are files beside it.

The page asks nothing of any network and opens from a folder.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hybridcolor.compare.pictures import slug
from hybridcolor.compare.plots import COLOURS, cumulative_plot
from hybridcolor.compare.scoring import COLUMNS, ERROR, FULL_SCALE

if TYPE_CHECKING:
    from jinja2 import Environment

    from hybridcolor.compare.report import Report


def environment() -> Environment:
    """The templates, with everything from outside escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("hybridcolor.compare"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["number"] = number
    return found


def number(value: float) -> str:
    """Digits enough to compare by, as the script writes them.

    Examples
    --------
    >>> number(123.456), number(23.456), number(0.23456)
    ('123.5', '23.46', '0.235')
    """
    size = abs(value)
    return f"{value:.{1 if size >= 100 else 2 if size >= 1 else 3}f}"


def render_report(report: Report) -> str:
    """The page."""
    from hybridcolor.compare.report import COSTS

    errors = {
        name: [
            value
            for record in report.records
            if record["truth"] and (value := record["outcomes"][name]["scores"].get("ab_rmse")) is not None
        ]
        for name in report.methods
    }
    shares = report.shares()
    page: str = (
        environment()
        .get_template("report.html")
        .render(
            report=report,
            columns=[column for column in (*COLUMNS, *COSTS) if column.key in report.rows],
            colours=COLOURS,
            plot=cumulative_plot(shares, errors) if shares else "",
            data=page_data(report),
            facts=json.dumps(report.facts, indent=1),
        )
    )
    return page


def page_data(report: Report) -> dict[str, Any]:
    """What the script works on; numbers have four digits to keep the page small."""
    columns = [column for column in COLUMNS if column.key in report.rows]
    kinds: list[str] = []
    for record in report.records:
        for outcome in record["outcomes"].values():
            kinds += [kind for kind in outcome["maps"] if kind not in kinds]
    return {
        "methods": [{"name": name, "file": slug(name)} for name in report.methods],
        "columns": [{"key": c.key, "label": c.label, "better": c.better} for c in columns],
        "views": [{"key": kind, "label": _view(kind), "truth": True, "end": _end(kind)} for kind in kinds],
        "pictures": [
            {
                "name": record["name"],
                "file": record["slug"],
                "size": [record["width"], record["height"]],
                "truth": record["truth"],
                "scores": [
                    [_short(record["outcomes"][name]["scores"].get(c.key)) for c in columns] for name in report.methods
                ],
            }
            for record in report.records
        ],
    }


def _view(kind: str) -> str:
    return "error" if kind == ERROR else kind.replace("_", " ")


def _end(kind: str) -> str:
    """What a map's full brightness means."""
    return f"a distance of {FULL_SCALE:g} in ab, and more" if kind == ERROR else "1"


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
