"""Automatic seeds and other colourings, by mouse and keys."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from hybridcolor.seeds import Seeds
from tests.gui.window import at, choose, drag, press, shown, wait_for_answer


@pytest.fixture
def spread(panel, qtbot):
    """A panel whose method spreads automatic seeds, and shows them."""
    panel.editing.change(method="optimization")
    wait_for_answer(panel, qtbot)
    panel.seeds.shown.setChecked(True)
    wait_for_answer(panel, qtbot)
    return panel


def lasso(viewer, corners):
    native = viewer.window._qt_viewer.canvas.native
    QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=at(viewer, *corners[0]))
    for start, end in pairwise(corners):
        for step in np.linspace(0, 1, 6):
            place = [round(a + (b - a) * step) for a, b in zip(start, end, strict=True)]
            QTest.mouseMove(native, at(viewer, *place))
            QTest.qWait(4)
    QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=at(viewer, *corners[-1]))


def test_automatic_seeds_lie_where_they_are(spread, viewer):
    points, automatic = viewer.layers["automatic seeds"].data, spread.editing.session.automatic
    assert len(points) == len(np.unique(automatic.stroke))
    assert spread.seeds.count.text() == f"{len(points)} seeds"
    first = automatic.coords[automatic.stroke == automatic.stroke.min()]
    np.testing.assert_allclose(points[0], first.mean(axis=0))
    spread.seeds.shown.setChecked(False)
    assert "automatic seeds" not in viewer.layers


def test_a_lasso_selects_seeds_that_are_deleted_and_come_back(spread, viewer, qtbot):
    before, answer = viewer.layers["automatic seeds"].data.copy(), shown(viewer)
    press(viewer, Qt.Key.Key_J)
    lasso(viewer, [(2, 2), (2, 125), (70, 125), (70, 2), (2, 2)])
    inside = (before[:, 0] > 4) & (before[:, 0] < 68) & (before[:, 1] > 4) & (before[:, 1] < 123)
    assert inside.any()
    selected = set(viewer.layers["automatic seeds"].selected_data)
    assert set(np.flatnonzero(inside)) <= set(selected)
    qtbot.mouseClick(spread.seeds.delete_button, Qt.MouseButton.LeftButton)
    wait_for_answer(spread, qtbot)
    assert len(viewer.layers["automatic seeds"].data) == len(before) - len(selected)
    assert np.abs(shown(viewer) - answer).max() > 3
    spread.editing.undo()
    wait_for_answer(spread, qtbot)
    np.testing.assert_allclose(viewer.layers["automatic seeds"].data, before)
    np.testing.assert_allclose(shown(viewer), answer, atol=2)


def test_seeds_are_deleted_by_naparis_own_key(spread, viewer, qtbot):
    layer = viewer.layers["automatic seeds"]
    count = len(layer.data)
    viewer.layers.selection.active = layer
    layer.selected_data = {1}
    press(viewer, Qt.Key.Key_Delete)
    wait_for_answer(spread, qtbot)
    assert len(viewer.layers["automatic seeds"].data) == count - 1
    assert len(np.unique(spread.editing.session.automatic.stroke)) == count - 1


def test_pinned_seeds_are_the_persons(spread, viewer, qtbot):
    layer = viewer.layers["automatic seeds"]
    layer.selected_data = {0, 2}
    qtbot.mouseClick(spread.seeds.pin_button, Qt.MouseButton.LeftButton)
    wait_for_answer(spread, qtbot)
    assert len(spread.editing.session.drawing.strokes) == 2
    assert viewer.layers["scribbles"].data.any()
    qtbot.mouseClick(spread.seeds.pin_button, Qt.MouseButton.LeftButton)
    assert "Select automatic seeds first" in spread.message.text()


def test_fewer_seeds_at_more_sureness(spread, viewer, qtbot):
    count = len(viewer.layers["automatic seeds"].data)
    spread.seeds.confidence.setValue(95)
    wait_for_answer(spread, qtbot)
    assert 0 < len(viewer.layers["automatic seeds"].data) < count
    spread.editing.undo()
    wait_for_answer(spread, qtbot)
    assert len(viewer.layers["automatic seeds"].data) == count
    assert spread.seeds.confidence.value() == 50


def test_sureness_is_not_asked_where_every_region_has_a_seed(panel, qtbot):
    panel.tabs.setCurrentWidget(panel.seeds)
    wait_for_answer(panel, qtbot)
    assert panel.seeds.confidence.isVisible()
    panel.editing.change(model="lineart", method="lineart")
    wait_for_answer(panel, qtbot)
    assert not panel.seeds.confidence.isVisible()


def test_it_is_told_where_seeds_take_no_part(panel, qtbot):
    panel.tabs.setCurrentWidget(panel.seeds)
    wait_for_answer(panel, qtbot)
    assert "takes the network's colour everywhere" in panel.seeds.about.text()
    panel.editing.change(method="optimization")
    wait_for_answer(panel, qtbot)
    assert "take part" in panel.seeds.about.text()
    panel.editing.draw([[20, 20]], (20.0, 20.0))
    panel.editing.change(model="none")
    wait_for_answer(panel, qtbot)
    assert "No network" in panel.seeds.about.text()


def test_variants_differ_and_one_is_taken_by_a_click_and_undone(panel, viewer, qtbot):
    before = shown(viewer)
    qtbot.mouseClick(panel.variants.whole_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(panel.variants.found), timeout=20_000)
    seen = []
    for thumbnail in panel.variants.thumbnails:
        assert not thumbnail.icon().isNull()
        qtbot.mouseClick(thumbnail, Qt.MouseButton.LeftButton)
        wait_for_answer(panel, qtbot)
        seen.append(shown(viewer))
        panel.editing.undo()
        wait_for_answer(panel, qtbot)
        assert not panel.editing.session.drawing.strokes
    np.testing.assert_allclose(shown(viewer), before, atol=2)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(seen[one] - seen[other])[..., 1:].mean() > 1


def test_variants_of_a_picture_that_was_left_are_not_offered_for_the_next(panel, viewer, gray, qtbot):
    found = []
    panel.variants._work.answered.connect(found.append)
    panel.variants.look()
    qtbot.waitUntil(lambda: bool(found), timeout=60_000)
    viewer.add_image(gray[:100], name="next")
    choose(panel, "next", qtbot)
    wait_for_answer(panel, qtbot)
    panel.variants.look()
    panel.variants._work.answered.emit(found[0])  # as if they had been on their way
    assert not panel.variants.found
    qtbot.waitUntil(lambda: bool(panel.variants.found), timeout=60_000)


def test_variants_of_a_region_draw_inside_it(panel, viewer, qtbot):
    qtbot.mouseClick(panel.variants.region_button, Qt.MouseButton.LeftButton)
    lasso(viewer, [(10, 80), (10, 120), (50, 120), (50, 80), (10, 80)])
    qtbot.waitUntil(lambda: bool(panel.variants.found), timeout=20_000)
    for variant in panel.variants.found:
        coords = np.concatenate([stroke.coords for stroke in variant.strokes])
        assert (coords.mean(axis=0) > (5, 75)).all()
        assert (coords.mean(axis=0) < (55, 125)).all()


def test_strokes_have_a_strength_and_can_be_recoloured_and_taken_away(panel, viewer, qtbot):
    panel.colour.strength.setValue(40)
    panel.colour.use((45.0, -50.0))
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(panel, qtbot)
    (stroke,) = panel.editing.session.drawing.strokes
    assert np.isfinite(stroke.weight)
    panel.colour.use((-40.0, 40.0))
    press(viewer, Qt.Key.Key_H)
    drag(viewer, (80, 38), (80, 38))
    wait_for_answer(panel, qtbot)
    (again,) = panel.editing.session.drawing.strokes
    assert (again.ab, again.weight) == ((-40.0, 40.0), stroke.weight)
    press(viewer, Qt.Key.Key_T)
    drag(viewer, (80, 38), (80, 38))
    wait_for_answer(panel, qtbot)
    assert not panel.editing.session.drawing.strokes
    assert not viewer.layers["scribbles"].data.any()


def test_strokes_of_a_seeds_file_are_taken_up(panel, viewer, gray, tmp_path, qtbot):
    seeds = Seeds.of([[30, 40], [30, 41], [70, 90]], [[40, 20], [40, 20], [0, 0]], stroke=[0, 0, 1])
    panel.editing.take(seeds)
    wait_for_answer(panel, qtbot)
    assert len(panel.editing.session.drawing.strokes) == 2
    assert (viewer.layers["scribbles"].data > 0).sum() == 3


def test_seeds_are_clicked_on_as_soon_as_they_are_shown_and_then_drawing_goes_on(spread, viewer, qtbot):
    spread.seeds.shown.setChecked(False)
    press(viewer, Qt.Key.Key_D)
    press(viewer, Qt.Key.Key_A)
    wait_for_answer(spread, qtbot)
    layer = viewer.layers["automatic seeds"]
    assert "Click on a seed" in spread.message.text()
    count = len(layer.data)
    one, other = layer.data[[0, -1]]
    drag(viewer, one, one)
    assert layer.selected_data == {0}
    native = viewer.window._qt_viewer.canvas.native
    QTest.mouseClick(native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, at(viewer, *other))
    assert layer.selected_data == {0, count - 1}
    press(viewer, Qt.Key.Key_Delete)
    wait_for_answer(spread, qtbot)
    assert len(viewer.layers["automatic seeds"].data) == count - 2
    assert not spread.editing.session.drawing.strokes
    press(viewer, Qt.Key.Key_A)
    assert "automatic seeds" not in viewer.layers
    assert spread.colour.tool_buttons["brush"].isChecked()
    drag(viewer, (80, 30), (80, 45))
    wait_for_answer(spread, qtbot)
    assert len(spread.editing.session.drawing.strokes) == 1


def test_lassoed_seeds_are_deleted_by_a_key(spread, viewer, qtbot):
    count = len(viewer.layers["automatic seeds"].data)
    press(viewer, Qt.Key.Key_J)
    lasso(viewer, [(2, 2), (2, 125), (70, 125), (70, 2), (2, 2)])
    selected = len(viewer.layers["automatic seeds"].selected_data)
    press(viewer, Qt.Key.Key_Delete)
    wait_for_answer(spread, qtbot)
    assert 0 < len(viewer.layers["automatic seeds"].data) == count - selected < count


def test_a_lasso_around_nothing_says_so(spread, viewer, qtbot):
    press(viewer, Qt.Key.Key_J)
    lasso(viewer, [(0, 0), (0, 2), (1, 1)])
    assert "No automatic seed lies inside" in spread.message.text()
    press(viewer, Qt.Key.Key_A)
    wait_for_answer(spread, qtbot)
    press(viewer, Qt.Key.Key_J)
    lasso(viewer, [(2, 2), (2, 125), (70, 125), (70, 2), (2, 2)])
    assert "A shows them" in spread.message.text()


def test_variants_that_are_found_come_into_view_in_a_low_window(panel, viewer, qtbot):
    viewer.window._qt_window.resize(1000, 700)
    panel.tabs.setCurrentWidget(panel.variants)
    qtbot.wait(200)
    assert panel.variants.thumbnails[0].visibleRegion().boundingRect().height() < 80
    panel.variants.look()
    qtbot.waitUntil(lambda: bool(panel.variants.found), timeout=60_000)
    qtbot.wait(200)
    assert panel.variants.thumbnails[0].visibleRegion().boundingRect().height() >= 80
