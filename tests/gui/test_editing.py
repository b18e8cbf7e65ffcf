"""What a person does, as commands of `Editing` over napari's model of a viewer: no window is opened."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Image
from napari_hybridcolor.automatic import Automatic
from napari_hybridcolor.editing import Editing
from napari_hybridcolor.opening import picture_of_layer, read_layers
from napari_hybridcolor.tools import Tools
from napari_hybridcolor.work import wait_for_all
from PIL import Image as PillowImage
from skimage import data

from hybridcolor.imagefiles import write_image
from hybridcolor.seeds import AUTO, USER, Seeds, concatenate
from hybridcolor.sessionfiles import read_drawing
from tests.gui.window import PATIENCE_MS

ORANGE, BLUE = (30.0, 40.0), (5.0, -40.0)


def waves(rows, columns):
    """Gray values of a picture in which no two places are alike."""
    y, x = np.mgrid[:rows, :columns]
    return ((np.sin(y / 37) + np.cos(x / 23) + 2) / 4 * 200 + 20).astype(np.uint8)


@pytest.fixture
def editing(qtbot):
    editing = Editing(ViewerModel())
    yield editing
    editing.close()
    wait_for_all()


@pytest.fixture
def said(editing):
    told = []
    editing.said.connect(told.append)
    return told


def opened(editing, layer):
    """Open a layer for strokes alone."""
    editing.viewer.add_layer(layer)
    editing.open(layer)
    editing.change(model="none", method="optimization")
    return layer


def settle(editing, qtbot):
    jobs = editing.work, editing.glancing, editing.saving
    qtbot.waitUntil(lambda: not any(each.busy for each in jobs), timeout=PATIENCE_MS)


def file_of(gray, path):
    write_image(path, np.repeat(gray[..., None], 3, axis=2))
    return Image(gray, metadata={"hybridcolor_source": str(path)})


def test_pictures_saved_one_right_after_another_are_all_saved_as_they_were(editing, said, tmp_path, qtbot):
    opened(editing, Image(waves(300, 400)))
    names = [f"{number}.png" for number in range(4)]
    for number, name in enumerate(names):
        editing.draw([(10 * number, column) for column in range(20)], (20.0 * number, 0.0))
        editing.save_picture(tmp_path / name)
    editing.save_picture(tmp_path / "none" / "x.png")
    editing.save_picture(tmp_path / "last.png")
    settle(editing, qtbot)
    assert sorted(each.name for each in tmp_path.iterdir()) == [*names, "last.png"]
    assert [each for each in said if each.startswith("Saved")] == [f"Saved {name}." for name in (*names, "last.png")]
    assert sum("cannot" in each for each in said) == 1
    first, last = (np.asarray(PillowImage.open(tmp_path / name)) for name in (names[0], "last.png"))
    assert (first == first[..., :1]).all()  # its stroke was gray
    assert not (last == last[..., :1]).all()


def test_undo_goes_no_further_back_than_what_was_saved(editing, said, tmp_path):
    gray = waves(60, 80)
    opened(editing, file_of(gray, tmp_path / "a.png"))
    editing.draw([(5, 5)], ORANGE)
    saved = editing.session.autosave
    other = Editing(ViewerModel())
    layer = Image(gray, metadata={"hybridcolor_source": str(tmp_path / "a.png")})
    other.viewer.add_layer(layer)
    other.open(layer)
    other.undo()
    assert len(other.drawing.strokes) == len(read_drawing(saved, other.session.picture).strokes) == 1
    other.close()


def test_undo_after_strokes_were_opened_leaves_their_file_as_it_was(editing, said, tmp_path):
    opened(editing, file_of(waves(60, 80), tmp_path / "a.png"))
    picture, beside = editing.session.picture, editing.session.autosave
    editing.draw([(5, 5)], ORANGE)
    editing.session.save(tmp_path / "earlier.hybridcolor.json")
    editing.draw([(6, 6)], BLUE)
    strokes = lambda path: len(read_drawing(path, picture).strokes)  # noqa: E731
    editing.go_on_with(tmp_path / "earlier.hybridcolor.json")
    assert said[-1] == "Strokes are saved in earlier.hybridcolor.json from now on."
    assert (len(editing.drawing.strokes), strokes(beside)) == (1, 2)
    editing.draw([(7, 7)], BLUE)
    assert strokes(tmp_path / "earlier.hybridcolor.json") == 2
    for left in (1, 2):  # of the opened strokes, and then those before them
        editing.undo()
        assert len(editing.drawing.strokes) == left
    assert strokes(tmp_path / "earlier.hybridcolor.json") == 1
    assert editing.session.autosave == beside
    editing.redo()
    editing.redo()
    assert len(editing.drawing.strokes) == strokes(tmp_path / "earlier.hybridcolor.json") == 2
    editing.undo()
    editing.undo()
    editing.draw([(8, 8)], BLUE)
    assert (strokes(beside), strokes(tmp_path / "earlier.hybridcolor.json")) == (3, 1)
    assert not editing.session.redo()


def test_a_stroke_under_way_is_not_lost_to_a_region_that_is_found_meanwhile(editing, qtbot):
    opened(editing, Image(np.repeat(np.array([[60, 200]], np.uint8), 40, axis=1).repeat(60, axis=0)))
    tools = Tools(editing)
    tools.use("brush")
    tools.fill((30, 60))
    editing.dragging = True
    layer = editing.scribbles.layer
    layer.data[10:20, 5:15] = layer.selected_label
    qtbot.waitUntil(lambda: not tools.filling.busy, timeout=PATIENCE_MS)
    assert (layer.data[10:20, 5:15] > 0).all()
    press = tools.press(editing.viewer, type("Event", (), {"type": "mouse_release", "button": 1, "position": (0, 0)}))
    for _ in press:
        layer.data[10:20, 5:15] = layer.selected_label
    strokes = editing.drawing.strokes
    assert len(strokes) == 2
    assert 100 in [len(each.coords) for each in strokes]


@pytest.mark.parametrize("live", [True, False])
def test_an_answer_is_shown_though_something_was_changed_that_asks_for_none(editing, live, qtbot):
    opened(editing, Image(waves(900, 900)))
    settle(editing, qtbot)
    answered = []
    editing.answered.connect(answered.append)
    editing.live = live
    editing.draw([(500, column) for column in range(500, 540)], ORANGE)
    if live:
        editing.change(palette=(*editing.drawing.palette, (1.0, 2.0)))
    else:
        editing.ask()
        qtbot.wait(20)
        editing.draw([(100, column) for column in range(500, 540)], BLUE)
    settle(editing, qtbot)
    assert answered
    assert answered[-1].residual is not None


def test_the_first_glimpse_after_the_colours_were_deleted_is_no_error(editing, said, qtbot):
    opened(editing, Image(np.repeat(np.array([[30], [220]], np.uint8), 450, axis=0).repeat(900, axis=1)))
    editing.draw([(5, 5), (895, 895)], ORANGE)
    settle(editing, qtbot)
    editing.viewer.layers.remove(editing.result.layer)
    said.clear()
    editing.draw(np.argwhere(np.ones((20, 20))) + 700, BLUE)
    settle(editing, qtbot)
    assert not said
    assert editing.result.layer is not None


def test_automatic_seeds_of_a_file_are_no_strokes_and_scribbles_stay(editing):
    opened(editing, Image(waves(60, 80)))
    editing.session.set_scribbles(Seeds.of([(30, 40)], ORANGE))
    automatic = Seeds.of([(10, 10), (10, 11)], BLUE, stroke=0, origin=AUTO)
    editing.take(concatenate(automatic, Seeds.of([(20, 20)], BLUE, origin=USER)))
    drawing = editing.drawing
    assert (drawing.automatic.coords == automatic.coords).all()
    assert set(map(tuple, drawing.scribbles.coords.tolist())) == {(30, 40), (20, 20), (10, 10), (10, 11)}
    labels = editing.scribbles.layer.data
    assert np.argwhere(labels).tolist() == [[20, 20], [30, 40]]
    palette = editing.scribbles.palette
    assert [palette[label - 1] for label in labels[labels > 0]] == [BLUE, ORANGE]


def test_automatic_seeds_alone_can_be_opened(editing):
    opened(editing, Image(waves(60, 80)))
    editing.take(Seeds.of([(10, 10)], BLUE, origin=AUTO))
    assert not editing.scribbles.layer.data.any()
    assert len(editing.drawing.automatic) == 1


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float", "rgb"])
@pytest.mark.parametrize("change", ["as it was", "inverted", "turned", "flat"])
def test_a_layer_that_was_changed_is_not_taken_for_its_file(tmp_path, kind, change):
    gray, path = waves(90, 120), tmp_path / ("a.tif" if kind == "float" else "a.png")
    if kind == "uint16":
        gray = gray * np.uint16(257)
    elif kind == "rgb":
        gray = np.dstack([gray, gray // 2 + 20, 255 - gray])
    elif kind == "float":
        gray = (gray / 255).astype(np.float32)
    if path.suffix == ".png":
        write_image(path, gray if gray.ndim == 3 else np.repeat(gray[..., None], 3, axis=2))
    else:
        tifffile.imwrite(path, gray)
    shown = {
        "as it was": gray,
        "inverted": gray.max() - gray,
        "turned": gray[::-1, ::-1],
        "flat": np.full_like(gray, gray.mean()),
    }[change]
    white = 1.0 if kind == "float" else np.iinfo(gray.dtype).max
    layer = Image(shown, rgb=kind == "rgb", contrast_limits=(0, white))
    layer._source = layer.source.model_copy(update={"path": str(path)})
    assert (picture_of_layer(layer).source is not None) == (change == "as it was")


def test_inks_that_napari_shows_as_transparency_are_read_from_the_file(tmp_path):
    with PillowImage.fromarray(data.astronaut()[::4, ::4]).convert("CMYK") as image:
        image.save(tmp_path / "a.jpg")
        layer = Image(np.asarray(image), rgb=True)
    layer._source = layer.source.model_copy(update={"path": str(tmp_path / "a.jpg")})
    assert picture_of_layer(layer).source == tmp_path / "a.jpg"


def test_strokes_are_taken_up_once_though_the_palette_has_outgrown_a_byte(editing):
    stack = opened(editing, Image(np.stack([waves(60, 80)] * 2)))
    editing.viewer.dims.set_point(0, 0)
    editing.open(stack)
    editing.change(
        palette=tuple((float(a), 0.0) for a in range(-60, 68)) + tuple((0.0, float(b)) for b in range(1, 130))
    )
    editing.draw([(5, 5)], (-60.0, 0.0))
    editing.viewer.dims.set_point(0, 1)
    editing.open(stack)
    editing.draw([(6, 6)], ORANGE)
    editing.undo()
    layer = editing.scribbles.layer
    layer.data[7, 7] = 256
    for _ in range(3):
        editing.take_up()
    assert len(editing.drawing.strokes) == 1


def test_strokes_are_carried_to_the_next_slice_beside_a_finer_stack(editing, said):
    stack = Image(np.stack([waves(30, 40)] * 3), scale=(3, 1, 1))
    editing.viewer.add_layer(Image(np.stack([waves(30, 40)] * 9)))
    opened(editing, stack)
    editing.viewer.dims.set_point(0, 0)
    editing.open(stack)
    first = editing.session
    editing.draw([(5, 5)], ORANGE)
    editing.carry_on()
    assert editing.session is not first
    assert len(editing.drawing.strokes) == 1
    editing.carry_on()
    assert said[-1] != "This is the last slice."
    editing.carry_on()
    assert said[-1] == "This is the last slice."


def test_a_press_is_on_the_slice_that_is_in_view(editing):
    stack = opened(editing, Image(np.stack([waves(30, 40)] * 3)))
    editing.viewer.dims.set_point(0, 0)
    editing.open(stack)
    first = editing.session
    editing.viewer.dims.set_point(0, 2)  # the slider has not rested yet
    tools = Tools(editing)
    tools.use("line")
    event = type("Event", (), {"type": "mouse_press", "button": 1, "position": (2, 5, 5), "pos": (0, 0)})
    press = tools.press(editing.viewer, event)
    next(press)
    event.type = "mouse_release"
    next(press, None)
    assert not first.drawing.strokes
    assert len(editing.drawing.strokes) == 1
    assert editing.session is not first


def test_a_stack_with_a_damaged_slice_or_too_many_is_refused_and_not_cut_off(tmp_path, monkeypatch):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.stack([waves(30, 40)] * 5), photometric="minisblack")
    assert read_layers(str(path))[0][0].shape == (5, 30, 40)
    monkeypatch.setattr("napari_hybridcolor.opening.free_memory", lambda: 50_000)
    with pytest.raises(Exception, match=r"stack\.tif: its 5 slices take 0\.0 GB of memory"):
        read_layers(str(path))


def test_a_picture_of_a_long_name_can_be_opened_and_says_that_it_is_not_saved(editing, said, tmp_path):
    layer = opened(editing, file_of(waves(30, 40), tmp_path / f"{'長' * 82}.png"))
    editing.draw([(5, 5)], ORANGE)
    assert layer is editing.image
    assert "too long" in editing.session.unsaved


def test_an_automatic_seed_that_was_moved_by_mistake_is_put_back(editing, qtbot):
    editing.open(editing.viewer.add_image(data.camera()[::4, ::4]))
    automatic = Automatic(editing)
    automatic.show(True)
    qtbot.waitUntil(lambda: automatic.count() > 0 and not automatic.looking.busy, timeout=PATIENCE_MS)
    points = next(each for each in editing.viewer.layers if each.name == "automatic seeds")
    number, places = automatic.count(), points.data.copy()
    points.data = np.vstack([places[:1] + 0.5, places[1:]])  # as a click that slides a little does
    qtbot.waitUntil(lambda: not automatic.looking.busy, timeout=PATIENCE_MS)
    assert automatic.count() == number
    np.testing.assert_array_equal(points.data, places)
    assert not editing.drawing.dismissed
