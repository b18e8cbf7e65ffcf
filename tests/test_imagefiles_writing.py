"""Writing, checked with the reader that did not write, Pillow, tifffile or OpenCV; and what a failure leaves."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from hybridcolor import encoding, imagefiles
from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import WRITABLE_SUFFIXES, check_holds, read_image, write_image
from hybridcolor.predict import NetworkPredictor
from hybridcolor.session import EditSession
from tests.pixels import ALPHA8, ALPHA16, GRAY8, GRAY16, PHOTO, RGB16


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".PNG", ".tif", ".tiff", ".webp", ".bmp", ".jpg", ".jpeg"])
def test_written_files_by_an_independent_reader(tmp_path: Path, suffix: str, channels: int, bits: int) -> None:
    path = tmp_path / f"out{suffix}"
    pixels, alpha = (RGB16, ALPHA16) if bits == 16 else (PHOTO, ALPHA8)
    pixels = pixels if channels >= 3 else np.ascontiguousarray(pixels[..., 0])
    with_alpha = alpha if channels in (2, 4) else None
    lower = suffix.lower()
    if with_alpha is not None and lower in (".bmp", ".jpg", ".jpeg"):
        with pytest.raises(ImageError, match="transparency"):
            write_image(path, pixels, alpha=with_alpha)
        assert not path.exists()
        return
    write_image(path, pixels, alpha=with_alpha)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    expected = pixels if with_alpha is None else np.dstack([pixels, with_alpha])
    if lower in (".tif", ".tiff"):  # written by tifffile
        if bits == 8:
            with Image.open(path) as image:
                found = np.asarray(image)
        elif channels == 2:
            found = tifffile.imread(path)  # no other reader knows these
        else:
            found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            found = found if channels == 1 else found[..., [2, 1, 0, 3][:channels]]
        assert np.array_equal(found, expected)
    elif lower == ".png" and bits == 8:  # written by OpenCV
        with Image.open(path) as image:
            wanted = {1: "L", 2: "RGBA", 3: "RGB", 4: "RGBA"}[channels]
            assert image.mode == wanted
            assert np.array_equal(np.asarray(image.convert({2: "LA"}.get(channels, wanted))), expected)
    elif lower == ".png":
        found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        order = {1: [0], 2: [0, 3], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
        assert np.array_equal(found.reshape(*found.shape[:2], -1)[..., order].squeeze(), expected)
    else:  # written by Pillow
        rounded = np.round(expected / 257).astype(np.uint8) if bits == 16 else expected
        found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        found = found[..., None] if found.ndim == 2 else found[..., [2, 1, 0, 3][: found.shape[2]]]
        keep = {1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
        off = np.abs(found[..., keep].squeeze().astype(int) - rounded)
        assert off.max() == 0 if lower in (".webp", ".bmp") else off.mean() < 6
        if lower in (".jpg", ".jpeg") and channels == 3:
            with Image.open(path) as image:
                assert [component[1:3] for component in image.layer] == [(1, 1)] * 3  # 4:4:4


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_gray_files_go_through_unchanged(tmp_path: Path, suffix: str, bits: int) -> None:
    gray, alpha = (GRAY16, ALPHA16) if bits == 16 else (GRAY8, ALPHA8)
    write_image(tmp_path / f"in{suffix}", gray, alpha=alpha)
    picture = read_image(tmp_path / f"in{suffix}")
    write_image(tmp_path / f"out{suffix}", picture.to_rgb(), alpha=picture.alpha)
    again = read_image(tmp_path / f"out{suffix}")
    assert np.array_equal(again.to_rgb()[..., 0], gray)
    assert np.array_equal(again.alpha, alpha)
    assert again.bit_depth == bits


def test_same_picture_same_bytes(tmp_path: Path) -> None:
    for suffix in [suffix for suffix in WRITABLE_SUFFIXES if suffix != ".zarr"]:  # a folder, tested beside others
        write_image(tmp_path / f"a{suffix}", PHOTO)
        write_image(tmp_path / f"b{suffix}", PHOTO)
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_an_existing_file_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"precious")
    with pytest.raises(ImageError, match="--overwrite"):
        write_image(path, GRAY8)
    assert path.read_bytes() == b"precious"
    write_image(path, GRAY8, overwrite=True)
    assert np.array_equal(np.asarray(Image.open(path)), GRAY8)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("links", [True, False], ids=["with links", "without links"])
def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    path = tmp_path / "out.png"
    encode = imagefiles.encode

    def slow_encode(*arguments: object) -> bytes:
        path.write_bytes(b"precious")
        return encode(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(imagefiles, "encode", slow_encode)
    if not links:
        monkeypatch.setattr(os, "link", failing(PermissionError(1, "no links here")))
    with pytest.raises(ImageError, match="--overwrite"):
        write_image(path, GRAY8)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", failing(PermissionError(1, "no links here")))
    write_image(tmp_path / "out.png", GRAY8)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), GRAY8)
    monkeypatch.setattr(os, "replace", failing(OSError(28, "No space left on device")))
    with pytest.raises(ImageError, match="No space"):
        write_image(tmp_path / "other.png", GRAY8)
    assert [p.name for p in tmp_path.iterdir()] == ["out.png"]


def test_one_of_many_writers_wins(tmp_path: Path) -> None:
    path, lost = tmp_path / "out.png", []

    def write(level: int) -> None:
        try:
            write_image(path, np.full((50, 50), level, np.uint8))
        except ImageError:
            lost.append(level)

    threads = [threading.Thread(target=write, args=(level,)) for level in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lost) == 7
    assert np.asarray(Image.open(path))[0, 0] not in lost
    assert list(tmp_path.iterdir()) == [path]


def failing(error: BaseException) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "Ctrl-C"])
def test_a_failure_in_the_middle_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"precious")
    monkeypatch.setattr(os, step, failing(error))
    with pytest.raises(ImageError if isinstance(error, OSError) else KeyboardInterrupt):
        write_image(path, GRAY8, overwrite=True)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.png").touch()
    (tmp_path / "link.png").symlink_to("real.png")
    write_image(tmp_path / "link.png", GRAY8, overwrite=True)
    assert (tmp_path / "link.png").is_symlink()
    assert np.array_equal(np.asarray(Image.open(tmp_path / "real.png")), GRAY8)


@pytest.mark.skipif(sys.platform == "win32", reason="file modes")
def test_files_are_as_readable_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_image(tmp_path / "out.png", GRAY8)
    assert (tmp_path / "out.png").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("name", "pixels", "alpha", "line"),
    [
        ("out.gif", GRAY8, None, "'.gif' is not one of .png"),
        ("out", GRAY8, None, "'' is not one of .png"),
        ("missing/out.png", GRAY8, None, "make it first"),
        ("folder.png", GRAY8, None, "folder"),
        ("out.png", GRAY8.astype(float), None, "uint8 or uint16"),
        ("out.png", np.zeros((0, 3), np.uint8), None, "uint8 or uint16"),
        ("out.png", np.zeros((4, 4, 4), np.uint8), None, r"\(H, W, 3\)"),
        ("out.png", GRAY8, ALPHA8[1:], "alpha"),
        ("out.png", GRAY8, ALPHA8.astype(np.uint16), "alpha"),
        ("out.webp", np.zeros((2, 20_000), np.uint8), None, "cannot write"),
        ("out.jpg", np.zeros((2, 70_000), np.uint8), None, "cannot write"),
        ("x" * 300 + ".png", GRAY8, None, "cannot write"),
    ],
)
def test_what_cannot_be_written(
    tmp_path: Path, name: str, pixels: np.ndarray, alpha: np.ndarray | None, line: str
) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ImageError, match=line) as caught:
        write_image(tmp_path / name, pixels, alpha=alpha)
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.png"]


def test_an_unwritable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made to fail by hand, for the superuser may write anywhere."""
    monkeypatch.setattr(Path, "open", failing(PermissionError(13, "Permission denied")))
    with pytest.raises(ImageError, match="Permission denied"):
        write_image(tmp_path / "out.png", GRAY8)


@pytest.mark.parametrize(
    ("suffix", "most"),
    [(".jpg", 65500), (".webp", 16383), (".dcm", 65535), (".nii", 32767), (".png", 1_000_000)],
)
def test_a_side_that_is_too_long_is_told_with_what_holds_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], suffix: str, most: int
) -> None:
    """As much as each format's own library writes, and no more."""
    path = tmp_path / f"wide{suffix}"
    write_image(path, np.zeros((1, most), np.uint8))
    with pytest.raises(ImageError, match=rf"holds at most {most} pixels a side.*{most + 1} x 1; use one of .*\.tif"):
        write_image(path, np.zeros((1, most + 1), np.uint8), overwrite=True)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("verb", ["colorize", "colorize --tiles", "seeds", "replay"])
def test_it_is_told_before_any_work(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setitem(encoding._SIDES, ".jpg", 20)
    write_image(tmp_path / "photo.png", np.zeros((10, 21), np.uint8))
    source = tmp_path / "photo.png"
    if verb == "replay":
        source = tmp_path / "photo.png.hybridcolor.json"
        EditSession(read_image(tmp_path / "photo.png"), autosave=source).draw([(3, 3)], (20, 10))
    monkeypatch.setattr(NetworkPredictor, "read", lambda *_: pytest.fail("the network was asked"))
    code, _, err = run(*verb.split(), source, "-o", tmp_path / "out.jpg")
    assert (code, err.count("\n")) == (2, 1)
    assert ".jpg holds at most 20 pixels a side, this picture has 21 x 10; use one of .png" in err
    assert not (tmp_path / "out.jpg").exists()


@pytest.mark.parametrize("pixels", [np.full((4, 5), 90, np.uint8), np.full((4, 5, 3), 90, np.uint16)])
def test_alpha_that_is_opaque_all_over_is_held_by_every_format(tmp_path: Path, pixels: np.ndarray) -> None:
    alpha = np.full((4, 5), np.iinfo(pixels.dtype).max, pixels.dtype)
    write_image(tmp_path / "a.jpg", pixels, alpha=alpha)
    assert read_image(tmp_path / "a.jpg").alpha is None
    check_holds(tmp_path / "b.jpg", (4, 5), alpha)
    alpha[0, 0] = 0
    with pytest.raises(ImageError, match="cannot hold transparency"):
        check_holds(tmp_path / "b.jpg", (4, 5), alpha)
