"""The plot of a run's log, whole or cut short."""

from __future__ import annotations

import json

import pytest

from hybridcolor.errors import ModelError
from hybridcolor.predict.curve import draw_curve, read_log


def report(step, entropy, **more):
    return {
        "step": step,
        "train_cross_entropy": entropy,
        "cross_entropy": entropy,
        "ab_rmse": 9,
        "gray_ab_rmse": 12,
    } | more


def write(run, *reports, torn=""):
    (run / "log.jsonl").write_text("".join(json.dumps(each) + "\n" for each in reports) + torn)


def test_a_log_with_a_torn_line_and_a_step_done_twice_is_read(tmp_path):
    write(tmp_path, report(200, 3.0), report(400, 9.0), torn='{"step": 6\n' + json.dumps(report(400, 2.9)))
    assert [(each["step"], each["cross_entropy"]) for each in read_log(tmp_path)] == [(200, 3.0), (400, 2.9)]


@pytest.mark.parametrize("hinted", [{}, {"cross_entropy_10": 2.0, "ab_rmse_10": 6}])
def test_the_curves_are_drawn_with_their_names(tmp_path, hinted):
    write(tmp_path, report(200, 3.0, **hinted), report(400, 2.5, **hinted))
    svg = draw_curve(tmp_path).read_text()
    assert "<!-- training -->" in svg
    assert ("<!-- held out, with 10 hints -->" in svg) == bool(hinted)


@pytest.mark.parametrize("text", [None, "", "{"])
def test_nothing_to_plot_is_told(tmp_path, text):
    if text is not None:
        (tmp_path / "log.jsonl").write_text(text)
    with pytest.raises(ModelError, match=r"log\.jsonl"):
        draw_curve(tmp_path)
