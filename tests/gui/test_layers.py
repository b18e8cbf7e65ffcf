"""What needs no window: arrays to strokes and back, colours, files."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from napari.components import ViewerModel
from napari_hybridcolor.layers import drawing_labels, layer_picture, new_strokes
from napari_hybridcolor.opening import get_reader, picture_of_layer, read_layers, write_layer
from napari_hybridcolor.samples import sample_coins, sample_drawing, sample_medical, sample_photo, sample_portrait
from PIL import Image
from skimage import data

from hybridcolor.drawing import Drawing
from hybridcolor.errors import HybridColorError, ImageError
from hybridcolor.imagefiles import read_image
from hybridcolor.lab import eight_bits
from hybridcolor.sessionfiles import save_drawing

PALETTE = ((20.0, 30.0), (-40.0, 10.0), (0.0, 0.0))
LABELS = arrays(np.int32, (5, 6), elements=st.integers(0, 3))


@given(st.lists(LABELS, min_size=1, max_size=4))
def test_any_painting_becomes_strokes_that_paint_it_again(states):
    drawing, before = Drawing(palette=PALETTE), np.zeros((5, 6), np.int32)
    for labels in states:
        changed = np.argwhere(labels != before)
        for stroke in new_strokes(changed, labels[tuple(changed.T)], PALETTE):
            drawing = drawing.with_stroke(stroke)
        before = labels
        np.testing.assert_array_equal(drawing_labels(drawing, (5, 6)), labels)
    assert drawing.palette == PALETTE


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 4), (7,)])
def test_what_is_no_picture_is_refused(shape):
    with pytest.raises(ImageError, match="choose a gray or RGB picture"):
        layer_picture(np.zeros(shape, np.uint8))


def test_a_session_is_read_as_its_picture(tmp_path):
    Image.fromarray(data.coffee()[::4, ::4]).save(tmp_path / "cup.png")
    picture = read_image(tmp_path / "cup.png")
    save_drawing(tmp_path / "cup.png.hybridcolor.json", Drawing(), picture)
    for name in ("cup.png", "cup.png.hybridcolor.json"):
        reader = get_reader(str(tmp_path / name))
        (gray, about, kind), (colours, hidden, _) = reader(str(tmp_path / name))
        assert (kind, gray.shape, hidden["visible"]) == ("image", picture.shape, False)
        assert about["metadata"]["hybridcolor_source"] == str(tmp_path / "cup.png")
        assert colours.shape == (*picture.shape, 3)
    with pytest.raises(HybridColorError):
        read_layers(str(tmp_path / "nothing.png"))
    assert get_reader(["a.hybridcolor.json", "b.hybridcolor.json"]) is None


def test_a_file_of_several_slices_is_a_stack(tmp_path):
    volume = np.arange(4 * 30 * 20, dtype=np.int16).reshape(4, 30, 20)
    nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(volume.T), np.eye(4)), tmp_path / "head.nii")
    ((gray, about, _),) = read_layers(str(tmp_path / "head.nii"))
    assert gray.shape == (4, 30, 20)
    assert (np.diff(gray.mean(axis=(1, 2))) > 0.1).all()
    assert about["metadata"]["hybridcolor_source"] == str(tmp_path / "head.nii")
    layer = ViewerModel().add_image(gray, **about)
    np.testing.assert_allclose(picture_of_layer(layer, (2,)).luminance, layer_picture(gray[2]).luminance, atol=0.01)
    frames = [Image.fromarray(np.full(size, 90, np.uint8)) for size in ((8, 9), (8, 9), (4, 5))]
    frames[0].save(tmp_path / "pages.tif", save_all=True, append_images=frames[1:])
    ((gray, _, _),) = read_layers(str(tmp_path / "pages.tif"))
    assert gray.shape == (2, 8, 9)  # the third is of another size


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.uint32, np.float64])
def test_a_layer_without_a_file_is_as_bright_as_it_is_shown(kind):
    values = np.linspace(100, 1100, 2 * 40 * 30).reshape(2, 40, 30).astype(kind)  # of 12 bits, say
    layer = ViewerModel().add_image(values, contrast_limits=(300, 800))
    if kind == np.float64:
        values[0, 0, 0] = np.nan
    gray = picture_of_layer(layer, (0,)).to_rgb()[..., 0] / 65535
    np.testing.assert_allclose(gray, ((np.nan_to_num(values[0].astype(float)) - 300) / 500).clip(0, 1), atol=1e-4)
    mask = ViewerModel().add_image(values > 500)
    assert np.ptp(picture_of_layer(mask, (0,)).luminance) == pytest.approx(100)


def test_a_layer_is_written(tmp_path):
    pixels = data.coffee()[::8, ::8]
    assert write_layer(str(tmp_path / "out.png"), pixels, {}) == [str(tmp_path / "out.png")]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), pixels)


def test_a_layer_in_several_sizes_is_read_and_written_in_its_largest(tmp_path):
    pixels = data.coffee()[::4, ::4]
    layer = ViewerModel().add_image([pixels, pixels[::2, ::2], pixels[::4, ::4]], multiscale=True, rgb=True)
    read = picture_of_layer(layer)
    np.testing.assert_array_equal(eight_bits(read.to_rgb(read.chroma)), pixels)
    written, meta, _ = layer.as_layer_data_tuple()
    write_layer(str(tmp_path / "out.png"), written, meta)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), pixels)


@pytest.mark.parametrize("sample", [sample_photo, sample_portrait, sample_coins, sample_medical, sample_drawing])
def test_samples_are_gray_pictures(sample):
    ((gray, _, kind),) = sample()
    assert kind == "image"
    assert gray.ndim == 2
    assert layer_picture(gray).shape == gray.shape
