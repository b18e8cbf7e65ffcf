"""From records to the report: ``report.json`` and ``report.csv`` for programs, ``index.html`` for people."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.compare.aggregation import Row, summarize
from hybridcolor.compare.running import Record
from hybridcolor.compare.scoring import COLUMNS, LEVELS, Column
from hybridcolor.errors import ImageError
from hybridcolor.files import write_whole

SCHEMA = 1
COSTS = (
    Column("seconds", "Seconds a picture", 0, "Wall time of the method, code compiled, on this machine.", False),
    Column("megabytes", "Peak memory, MB", 0, "Memory on top of what the process held before.", False),
)


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """A finished comparison.

    Attributes
    ----------
    records : list of dict
        One for each picture.
    methods : list of str
        Ours and the others', in the order of the tables.
    rows : dict of Row
        Means by the key of a column.
    facts : dict
        Versions, settings and weights: see `hybridcolor.compare.provenance`.
    left_out : list of str
        Why pictures are not among the records.
    """

    records: list[Record]
    methods: list[str]
    rows: dict[str, Row]
    facts: Mapping[str, Any]
    left_out: list[str]

    @classmethod
    def of(
        cls, records: list[Record], methods: list[str], facts: Mapping[str, Any], left_out: Sequence[str] = ()
    ) -> Report:
        """Take the means."""
        rows = {}
        for column in (*COLUMNS, *COSTS):
            values = {name: [value_of(record["outcomes"][name], column) for record in records] for name in methods}
            if column in COSTS:  # nobody knows those of the others' results
                values = {name: row for name, row in values.items() if any(value is not None for value in row)}
            row = summarize(values, better=column.better)
            if row is not None:
                rows[column.key] = row
        return cls(records, methods, rows, facts, list(left_out))

    def save(self, folder: Path) -> Path:
        """Write everything into the folder; returns the page's path.

        Raises
        ------
        ImageError
            If it cannot be written.
        """
        from hybridcolor.compare.page import render_report

        page = folder / "index.html"
        try:
            write_whole(folder / "report.csv", self.to_csv().encode())
            write_whole(folder / "report.json", (json.dumps(self.to_json(), indent=1) + "\n").encode())
            write_whole(page, render_report(self).encode())
        except OSError as error:
            raise ImageError(f"{folder}: cannot be written ({error.strerror}); choose another folder for -o") from error
        return page

    def to_json(self) -> dict[str, Any]:
        """Everything but the images."""
        means = {
            key: {"pictures": row.count, "methods": {name: mean.as_json() for name, mean in row.means.items()}}
            for key, row in self.rows.items()
        }
        hidden = ("fingerprint", "maps", "shares")
        pictures = [
            {
                **{key: value for key, value in record.items() if key != "outcomes"},
                "outcomes": {
                    name: {key: value for key, value in record["outcomes"][name].items() if key not in hidden}
                    for name in self.methods
                },
            }
            for record in self.records
        ]
        return {
            "schema": SCHEMA,
            "repeat": dict(self.facts),
            "left_out": self.left_out,
            "means": means,
            "pixels_below": {
                "levels": LEVELS.tolist(),
                "shares": {name: share.round(5).tolist() for name, share in self.shares().items()},
            },
            "pictures": pictures,
        }

    def to_csv(self) -> str:
        """A line for every picture and method."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        columns = (*COLUMNS, *COSTS)
        writer.writerow(["picture", "method", "width", "height", *(column.key for column in columns)])
        for record in self.records:
            for name in self.methods:
                outcome = record["outcomes"][name]
                values = [value_of(outcome, column) for column in columns]
                cells = ["" if value is None else f"{value:.6g}" for value in values]
                writer.writerow([record["name"], name, record["width"], record["height"], *cells])
        return text.getvalue()

    def shares(self) -> dict[str, NDArray[np.float64]]:
        """For each method the mean share of a picture's pixels below each level of error; empty without any truth."""
        with_truth = [record for record in self.records if record["truth"]]
        if not with_truth:
            return {}
        return {
            name: np.mean([record["outcomes"][name]["shares"] for record in with_truth], axis=0, dtype=np.float64)
            for name in self.methods
        }


def value_of(outcome: Mapping[str, Any], column: Column) -> float | None:
    """A column's value in one outcome."""
    if column.key == "seconds":
        seconds: float | None = outcome["seconds"]
        return seconds
    if column.key == "megabytes":
        return None if outcome["memory"] is None else outcome["memory"] / 1e6
    score: float | None = outcome["scores"].get(column.key)
    return score
