"""Line art as training data: pairs, extracted lines, folders, and how often each source is drawn."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data as photos

from hybridcolor.errors import ImageError
from hybridcolor.lab import rgb_to_lab
from hybridcolor.predict import data
from hybridcolor.predict.data import ImageSet, augmented, is_held_out, read_shards
from hybridcolor.predict.drawings import age_drawing, extract_lines

WHITE, INK, RED = (255, 255, 255), (0, 0, 0), (220, 30, 40)


def png(rgb, size=(48, 40)):
    stream = io.BytesIO()
    Image.new("RGB", size, rgb).save(stream, "png")
    return stream.getvalue()


def write(files, folder, *, as_shard):
    for name, content in files.items():
        path = folder / "art" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if as_shard:
        with tarfile.open(folder / "art.tar", "w") as shard:
            shard.add(folder / "art", arcname=".", filter=lambda member: member)
    return folder


@pytest.mark.parametrize("as_shard", [True, False])
def test_a_drawing_and_its_colours_are_one_image(tmp_path, as_shard):
    files = {f"set/{half}/{n}.png": png(ink) for n in range(200) for half, ink in (("line", INK), ("color", RED))}
    files["set/notes.txt"] = b"not an image"
    training, held_out = read_shards(
        write({name: blob for name, blob in files.items() if as_shard is False or name.endswith("png")}, tmp_path,
              as_shard=as_shard),
        ["art.tar" if as_shard else "art"],
    )  # fmt: skip
    assert len(training) + len(held_out) == 200
    assert len(held_out) > 0
    assert all(is_held_out(name) for name in held_out.names)
    for part in (training, held_out):
        assert set(part.drawings) == set(part.names)
    seen, true = training.decode(0), training.decode(0, drawn=False)
    np.testing.assert_allclose(seen[..., 0], 0, atol=1e-3)
    np.testing.assert_allclose(true[..., 0], rgb_to_lab(np.array(RED, np.uint8))[0], atol=0.5)
    np.testing.assert_array_equal(seen[..., 1:], true[..., 1:])


def test_halves_of_two_sizes_are_refused():
    images = ImageSet(["set/color/a.png"], [png(RED)], {"set/color/a.png": png(INK, (9, 9))})
    with pytest.raises(ImageError, match="differ in size"):
        images.decode(0)


def test_shaded_art_is_sometimes_seen_in_its_own_gray(monkeypatch):
    images = ImageSet(["set/color/a.png"], [png(RED)], {"set/color/a.png": png(WHITE)})
    monkeypatch.setattr(data, "age_drawing", lambda luminance, rng: luminance)
    rng = np.random.default_rng(0)
    crops = [augmented(images, 0, 32, line_art=True, rng=rng) for _ in range(200)]
    shaded = np.mean([crop[..., 0].mean() < 90 for crop in crops])
    assert shaded == pytest.approx(data.LEFT_SHADED, abs=0.08)
    assert all(crop[..., 1].min() > 50 for crop in crops)


@given(st.lists(st.sampled_from(["a/1", "b/2", "c__3", "d_4"]), max_size=30), st.floats(0, 1))
def test_named_sources_have_their_share(more, exponent):
    names = ["a/1", "b/2", "c__3", *more]
    images = ImageSet(names, [b""] * len(names))
    weights = images.sampling_weights(exponent, {"a": 0.5, "b": 0.2})
    assert weights.sum() == pytest.approx(1)
    for source, share in (("a", 0.5), ("b", 0.2)):
        assert weights[[name[0] == source for name in names]].sum() == pytest.approx(share)
    patterned = images.sampling_weights(exponent, {"[ab]": 0.5})
    assert patterned[[name[0] in "ab" for name in names]].sum() == pytest.approx(0.5)


def test_extracted_lines_lie_on_the_edges_and_leave_paper_white():
    camera = rgb_to_lab(np.repeat(photos.camera()[::4, ::4, None], 3, axis=2))[..., 0]
    edges = np.hypot(*np.gradient(camera))
    for seed in range(10):
        lines = extract_lines(camera, np.random.default_rng(seed))
        assert lines.min() >= 0
        assert lines.max() <= 100
        bright = camera > 25  # dark parts may be filled with ink
        assert edges[bright & (lines < 50)].mean() > 2 * edges[bright & (lines > 95)].mean()
        assert (lines > 95).mean() > 0.4


def test_aged_drawings_stay_drawings():
    drawing = np.full((64, 64), 100, np.float32)
    drawing[::16] = 0
    for seed in range(60):
        aged = age_drawing(drawing.copy(), np.random.default_rng(seed))
        assert aged.shape == drawing.shape
        assert 0 <= aged.min() <= aged.max() <= 100.01
        assert aged[16:48:16].mean() < aged[24:48:16].mean() - 15
