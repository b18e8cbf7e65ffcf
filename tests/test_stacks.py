"""Stacks: all slices in one file, as they were drawn on, whole or not at all."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import nibabel
import numpy as np
import pytest
import tifffile
from skimage import data
from typer.testing import CliRunner

from hybridcolor import EditSession, grounds, read_image, write_image
from hybridcolor.cli import app
from hybridcolor.errors import HybridColorError, ImageError, MethodError, SeedError
from hybridcolor.files import checksum
from hybridcolor.stacks import Slice, saved_slices, session_beside, write_stack

GRAY = data.astronaut()[::8, ::8].mean(axis=2).astype(np.uint8)
SLICES = np.stack([np.roll(GRAY, 5 * number, axis=1) for number in range(6)])
PURPLE, GREEN = (45.0, -50.0), (-40.0, 40.0)
STROKE = [(30, column) for column in range(20, 30)]


@pytest.fixture
def film(tmp_path):
    tifffile.imwrite(tmp_path / "film.tif", SLICES, photometric="minisblack")
    return tmp_path / "film.tif"


def draw(path, number, colour, **settings):
    """What a person draws on a slice, and what that alone looks like."""
    settings = {"predictor": "none", "method": "optimization", **settings}
    saved = session_beside(path, (number,))
    session = EditSession(read_image(path, frame=number), autosave=saved, **settings)
    if colour is None:
        session.set(replace(session.drawing, tint=0.1))
    else:
        session.draw(STROKE, colour)
    return session


def written(path, slices, **options):
    assert list(write_stack(path, slices, **options)) == list(range(1, len(slices) + 1))
    return path


def test_slices_are_as_drawn_and_without_a_network_others_by_the_nearest_strokes(film, tmp_path):
    first, second = draw(film, 1, PURPLE), draw(film, 4, GREEN)
    pages = tifffile.imread(written(tmp_path / "out.tif", saved_slices(film)))
    assert pages.shape == (*SLICES.shape, 3)
    for number, lender in enumerate([first, first, first, second, second, second]):
        alone = EditSession(read_image(film, frame=number))
        alone.set(lender.drawing)
        assert np.array_equal(pages[number], alone.final().to_rgb())
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        told = [json.loads(page.tags["Software"].value.split(" ", 2)[2]) for page in file.pages]
        assert all(page.iccprofile for page in file.pages)
    for number in (1, 4):
        assert told[number]["session_sha256"] == checksum(session_beside(film, (number,)))


def test_with_a_network_others_have_the_nearest_settings_and_no_strokes(film, tmp_path):
    session = draw(film, 1, PURPLE, predictor="default", method="hybrid", vividness=0.9)
    session.dismiss([(0, 0)])
    pages = tifffile.imread(written(tmp_path / "out.tif", saved_slices(film)[:4]))
    for number in (0, 2, 3):
        alone = EditSession(read_image(film, frame=number), predictor="default", vividness=0.9)
        assert np.array_equal(pages[number], alone.final().to_rgb())
    assert np.array_equal(pages[1], session.final().to_rgb())


def test_the_network_is_loaded_once_for_all_slices(film, tmp_path, monkeypatch):
    loaded, load = [], grounds.load_model
    monkeypatch.setattr(grounds, "load_model", lambda name: loaded.append(name) or load(name))
    grounds._loaded.cache_clear()
    draw(film, 1, PURPLE, predictor="default", method="hybrid")
    written(tmp_path / "out.tif", saved_slices(film)[:3])
    assert loaded == ["default"]


def test_a_slice_with_settings_alone_is_its_own_and_gray_without_anything_to_go_by(film, tmp_path):
    draw(film, 0, PURPLE)
    draw(film, 1, None)
    pages = tifffile.imread(written(tmp_path / "out.tif", saved_slices(film)[:2]))
    assert np.ptp(pages[0].astype(int), axis=2).max() > 50
    assert np.ptp(pages[1].astype(int), axis=2).max() == 0
    np.testing.assert_allclose(pages[1][..., 0].astype(int), SLICES[1], atol=1)


def test_sixteen_bits_stay_and_alpha_too(tmp_path):
    deep = SLICES.astype(np.uint16) * 257 - (SLICES > 10) * np.uint16(5)
    with tifffile.TiffWriter(tmp_path / "deep.tif") as writer:
        for page in deep:
            writer.write(np.dstack([page, page]), photometric="minisblack", extrasamples=["unassalpha"])
    draw(tmp_path / "deep.tif", 0, PURPLE)
    slices = saved_slices(tmp_path / "deep.tif")
    pages = tifffile.imread(written(tmp_path / "out.tif", slices))
    assert pages.dtype == np.uint16
    assert np.array_equal(pages[..., 3], deep)
    with pytest.raises(ImageError, match="cannot hold transparency"):
        list(write_stack(tmp_path / "out.nii", slices))


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_volume_has_its_slices_where_they_were(tmp_path, suffix):
    axes = np.diag([-0.5, -0.5, 3.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(SLICES.T, axes), tmp_path / "head.nii")
    session = draw(tmp_path / "head.nii", 2, PURPLE)
    target = written(tmp_path / f"out{suffix}", saved_slices(tmp_path / "head.nii"))
    volume = nibabel.load(target)
    assert volume.shape == SLICES.T.shape
    np.testing.assert_allclose(volume.affine, axes)
    assert b"not measurements" in volume.header["descrip"].tobytes()
    for number in range(len(SLICES)):
        back = read_image(target, frame=number)
        np.testing.assert_allclose(back.luminance, read_image(tmp_path / "head.nii", frame=number).luminance, atol=0.5)
    values = np.asarray(volume.dataobj)[..., 2].T
    assert np.array_equal(np.stack([values[name] for name in "RGB"], axis=2), session.final().to_rgb())


def test_who_stops_has_nothing_left(film, tmp_path):
    draw(film, 1, PURPLE)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    (tmp_path / "old.tif").write_bytes(b"old")
    for name in ("out.tif", "out.nii", "old.tif"):
        with closing(write_stack(tmp_path / name, saved_slices(film), overwrite=True)) as steps:
            assert [next(steps), next(steps)] == [1, 2]
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {**before, "old.tif": b"old"}


def test_what_cannot_be_is_told_in_a_line_and_nothing_is_written(film, tmp_path):
    def refuse(kind, match, name="out.tif", slices=None):
        before = sorted(file.name for file in tmp_path.iterdir())
        with pytest.raises(kind, match=match):
            list(write_stack(tmp_path / name, saved_slices(film) if slices is None else slices, overwrite=True))
        assert sorted(file.name for file in tmp_path.iterdir()) == before

    refuse(SeedError, "nothing is saved of any slice")
    draw(film, 0, None)
    refuse(SeedError, "no colour to save yet")
    draw(film, 0, PURPLE)
    refuse(ImageError, r"'\.png' holds no stack", name="out.png")
    refuse(ImageError, "would be replaced", name="film.tif")
    refuse(ImageError, "there is no folder", name="none/out.tif")
    small = Slice(lambda: replace(read_image(film), luminance=read_image(film).luminance[:9]))
    refuse(ImageError, "slices 0 and 6 have 64 x 64 and 64 x 9 pixels", slices=[*saved_slices(film), small])
    write_image(tmp_path / "there.tif", GRAY)
    with pytest.raises(ImageError, match="exists"):
        list(write_stack(tmp_path / "there.tif", saved_slices(film)))
    session_beside(film, (3,)).write_text("{")
    refuse(SeedError, r"film\.tif\.3\.hybridcolor\.json: is not")


def run(*args):
    return CliRunner().invoke(app, ["replay", *map(str, args)], catch_exceptions=False)


def test_replay_of_a_stack_and_of_a_folder_of_its_slices_is_the_same(film, tmp_path):
    draw(film, 2, PURPLE)
    (tmp_path / "files").mkdir()
    for number, page in enumerate(SLICES):
        write_image(tmp_path / "files" / f"{number}.png", page)
    single = tmp_path / "files" / "2.png"
    session = EditSession(read_image(single), autosave=session_beside(single), method="optimization")
    session.draw(STROKE, PURPLE)
    for source in (film, single.parent):
        done = run(source, "-o", tmp_path / f"{source.stem}-colour.tif")
        assert done.exit_code == 0
        assert "6 slices, 1 as drawn" in done.output
    one, other = (tifffile.imread(tmp_path / f"{name}-colour.tif") for name in ("film", "files"))
    assert np.array_equal(one, other)
    run(session_beside(film, (2,)), "-o", tmp_path / "2.tif")  # the name says which
    assert np.array_equal(tifffile.imread(tmp_path / "2.tif"), one[2])


def test_replay_refuses_what_is_no_stack_and_what_a_stack_has_no_use_for(film, tmp_path):
    write_image(tmp_path / "one.png", GRAY)
    with pytest.raises(ImageError, match=r"holds one picture; .* one\.png\.hybridcolor\.json"):
        run(tmp_path / "one.png", "-o", tmp_path / "out.tif")
    with pytest.raises(MethodError, match="for the session of one slice"):
        run(film, "-o", tmp_path / "out.tif", "--frame", "1")
    with pytest.raises(SeedError, match="is not JSON"):
        run(film, "-o", tmp_path / "out.tif", "--picture", film)
    with pytest.raises(HybridColorError, match="no such folder"):
        run(film, "-o", tmp_path / "none" / "out.tif")
    assert not list(tmp_path.glob("out*"))
