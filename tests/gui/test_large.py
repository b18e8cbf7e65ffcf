"""Large pictures: what is in view is shown first, in the size that it is looked at in, and then all of it."""

from __future__ import annotations

import numpy as np
import pytest
from napari_hybridcolor.layers import sizes

from tests.gui.window import drag, opened, shown, wait_for_answer

SIDE = 128


@pytest.fixture
def large(viewer, gray, qtbot, monkeypatch):
    monkeypatch.setattr("napari_hybridcolor.answers.SMALL", 1000)
    monkeypatch.setattr("napari_hybridcolor.layers.LARGE", 5000)
    monkeypatch.setattr("napari_hybridcolor.layers.SMALLEST", 500)
    monkeypatch.setattr("hybridcolor.glimpse.MOST_PIXELS", 4000)
    return opened(viewer, gray, qtbot)


def test_a_stroke_is_glimpsed_and_then_shown_in_every_size(large, viewer, qtbot):
    layer = viewer.layers["colorized"]
    assert [level.shape[0] for level in layer.data] == [SIDE, SIDE // 2, SIDE // 4]
    before = [np.array(level) for level in layer.data]
    seen = []
    large.editing.glimpsed.connect(lambda: seen.append([np.array(level) for level in layer.data]))
    large.colour.use((50.0, -50.0))
    drag(viewer, (80, 30), (80, 60))
    wait_for_answer(large, qtbot)
    qtbot.waitUntil(lambda: not large.editing.glancing.busy, timeout=5000)
    level = layer.data_level
    at = (80 >> level, 45 >> level)
    assert not np.array_equal(seen[0][level][at], before[level][at])
    whole = large.editing.session.result().on_screen()
    for number, now in enumerate(layer.data):
        np.testing.assert_array_equal(now, whole[:: 2**number, :: 2**number])


@pytest.mark.parametrize(("soon", "shown_before"), [(1e9, False), (-1.0, True)])
def test_a_picture_on_the_way_is_shown_only_where_the_best_takes_long(
    large, viewer, qtbot, monkeypatch, soon, shown_before
):
    monkeypatch.setattr("hybridcolor.propagate.levin_state.SOON", soon)
    large.colour.use((50.0, -50.0))
    wait_for_answer(large, qtbot)
    answers = []
    large.editing.answered.connect(answers.append)
    drag(viewer, (80, 30), (80, 60))
    wait_for_answer(large, qtbot)
    assert (len(answers) > 1) == shown_before


def test_only_what_is_in_view_is_asked_for(large, viewer, qtbot):
    camera = viewer.scene.camera
    camera.zoom = 0.4
    qtbot.waitUntil(lambda: large.editing.result.view((SIDE, SIDE))[0].step > 1, timeout=10_000)
    for side in large.editing.result.view((SIDE, SIDE)):
        assert (side.start, side.stop) == (0, SIDE)
    camera.center, camera.zoom = (0, 40, 40), 20
    qtbot.waitUntil(lambda: large.editing.result.view((SIDE, SIDE))[0].step == 1, timeout=10_000)
    rows, columns = large.editing.result.view((SIDE, SIDE))
    assert columns.step == 1
    assert 0 < rows.start < 40 < rows.stop < SIDE


def test_a_small_picture_after_a_large_one(large, viewer, gray, qtbot, monkeypatch):
    monkeypatch.setattr("napari_hybridcolor.layers.LARGE", 10**6)
    large.colour.use((50.0, -50.0))
    drag(viewer, (80, 30), (80, 60))
    wait_for_answer(large, qtbot)
    assert shown(viewer).shape == (SIDE, SIDE, 3)


def test_what_was_answered_for_another_picture_is_not_shown_over_the_next(large, viewer, gray, qtbot):
    editing, answer = large.editing, large.editing.answer
    levels = sizes(answer.on_screen())
    editing.open(viewer.add_image(gray[::-1], name="next"))
    editing.work.answered.emit((answer, levels))  # as if they had been on their way
    editing.glancing.answered.emit((answer.picture, levels, True))
    assert editing.result.layer is None
    assert editing.answer is None
    wait_for_answer(large, qtbot)
    assert editing.answer.picture is editing.session.picture
