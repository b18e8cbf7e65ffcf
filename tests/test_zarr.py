"""OME-Zarr folders, against zarr itself."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr

from hybridcolor.cli.common import plan_jobs
from hybridcolor.encoding import NOTE
from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import read_image, write_image
from tests.pixels import refused

PLANES = np.random.default_rng(4).integers(0, 65536, (2, 3, 4, 40, 30), np.uint16)  # t, c, z, y, x


def stored(path: Path, planes: np.ndarray, axes: str, *, version: int = 3, **omero: Any) -> Path:
    """A folder of one level, as other programs write it."""
    multiscale = {"axes": [{"name": name} for name in axes], "datasets": [{"path": "s0"}]}
    attributes: dict[str, Any] = {"multiscales": [multiscale], "omero": omero}
    group = zarr.create_group(path, zarr_format=version, attributes={"ome": attributes} if version == 3 else attributes)
    group.create_array("s0", data=planes, chunks=(1,) * (planes.ndim - 2) + (16, 16))
    return path


@pytest.mark.parametrize("version", [2, 3])
def test_frames_go_through_z_channels_and_time(tmp_path: Path, version: int) -> None:
    path = stored(tmp_path / "v.zarr", PLANES, "tczyx", version=version)
    for frame in (0, 1, 5, 23):
        found = read_image(path, frame=frame).to_rgb()[..., 0]
        assert np.array_equal(found, PLANES.reshape(24, 40, 30)[frame])
    with pytest.raises(ImageError, match="holds 24"):
        read_image(path, frame=24)


def test_display_windows(tmp_path: Path) -> None:
    channels = [{"color": "FFFFFF", "window": {"start": 1000, "end": 9000}}] * 3
    path = stored(tmp_path / "w.zarr", PLANES[0, :, 0], "cyx", channels=channels)
    picture = read_image(path, frame=1)
    expected = np.clip((PLANES[0, 1, 0].astype(float) - 1000) / 8000, 0, 1) * 65535
    assert np.abs(picture.to_rgb()[..., 0] - expected).max() <= 1
    assert "from 1000 to 9000" in picture.metadata.description


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(700, 1100), (33, 20, 3), (700, 1100, 3)])
def test_written_folders(tmp_path: Path, dtype: type, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(5).integers(0, np.iinfo(dtype).max + 1, shape, dtype)
    write_image(tmp_path / "a.ome.zarr", pixels)
    write_image(tmp_path / "b.ome.zarr", pixels)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ome.zarr", "b.ome.zarr"]
    files = [
        path.relative_to(tmp_path / "a.ome.zarr") for path in (tmp_path / "a.ome.zarr").rglob("*") if path.is_file()
    ]
    assert all((tmp_path / "a.ome.zarr" / f).read_bytes() == (tmp_path / "b.ome.zarr" / f).read_bytes() for f in files)
    group = zarr.open_group(tmp_path / "a.ome.zarr", mode="r")
    multiscale: Any = group.attrs["multiscales"]
    levels = [group[dataset["path"]] for dataset in multiscale[0]["datasets"]]
    planes = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)
    assert np.array_equal(levels[0][:], planes)
    assert len(levels) == (3 if shape[0] == 700 else 1)
    for finer, coarser in pairwise(level[:].astype(np.float64) for level in levels):
        channels, height, width = finer.shape
        blocks = finer.reshape(channels, height // 2, 2, width // 2, 2).mean(axis=(2, 4))
        assert np.abs(coarser - blocks).max() <= 0.5  # rounded
    assert NOTE in multiscale[0]["metadata"]["note"]
    picture = read_image(tmp_path / "a.ome.zarr")
    found = picture.to_rgb(picture.chroma)[..., : len(planes)]
    assert np.abs(found.astype(int) - pixels.reshape(found.shape)).max() <= (
        0 if dtype is np.uint8 or len(planes) == 1 else 1
    )


def test_folders_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stored(tmp_path / "v.zarr", PLANES, "tczyx")
    assert "limit" in refused(path, max_pixels=40 * 30 - 1)
    assert "axes" in refused(stored(tmp_path / "yx.zarr", PLANES[0, 0], "yxz"))
    zarr.create_group(tmp_path / "plain.zarr")
    assert "no multiscales" in refused(tmp_path / "plain.zarr")
    (tmp_path / "folder.zarr").mkdir()
    assert "this is a folder" in refused(tmp_path / "folder.zarr")
    for number, content in enumerate(("", "[]", "{", '{"multiscales": [{}]}', '{"multiscales": 3}')):
        (tmp_path / f"{number}.zarr").mkdir()
        (tmp_path / f"{number}.zarr" / ".zattrs").write_text(content)
        (tmp_path / f"{number}.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
        refused(tmp_path / f"{number}.zarr")
    header = json.loads((path / "s0" / "zarr.json").read_text())
    header["chunk_grid"]["configuration"]["chunk_shape"] = [1, 1, 1, 100_000, 100_000]
    (path / "s0" / "zarr.json").write_text(json.dumps(header))
    assert "chunks" in refused(path)
    monkeypatch.setitem(sys.modules, "zarr", None)
    assert "pip install 'hybridcolor[zarr]'" in refused(path)
    with pytest.raises(ImageError, match=r"hybridcolor\[zarr\]"):
        write_image(tmp_path / "out.zarr", PLANES[0, 0, 0])


def test_a_folder_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_image(tmp_path / "a.zarr", PLANES[0, 0, 0])
    for overwrite in (False, True):
        with pytest.raises(ImageError, match="remove it first"):
            write_image(tmp_path / "a.zarr", PLANES[0, 0, 1], overwrite=overwrite)
    assert np.array_equal(read_image(tmp_path / "a.zarr").to_rgb()[..., 0], PLANES[0, 0, 0])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ImageError, match="No space"):
        write_image(tmp_path / "b.zarr", PLANES[0, 0, 0])
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


def test_a_folder_of_zarr_is_one_picture_to_the_command_line(tmp_path: Path) -> None:
    path = stored(tmp_path / "v.zarr", PLANES, "tczyx")
    assert plan_jobs([path], tmp_path / "out.png", overwrite=False) == [(path, tmp_path / "out.png")]
    assert plan_jobs([tmp_path], tmp_path / "out", overwrite=False) == [(path, tmp_path / "out" / "v.png")]


@pytest.mark.parametrize("offset", [4, 12])  # of nbytes and cbytes, uint32, in the header of Blosc 1
def test_a_chunk_that_lies_about_its_size_is_refused(tmp_path: Path, offset: int) -> None:
    """Blosc would crash the process on some of them."""
    write_image(tmp_path / "a.zarr", np.random.default_rng(6).integers(0, 9, (40, 30, 3), np.uint8))
    assert json.loads((tmp_path / "a.zarr" / "0" / ".zarray").read_text())["compressor"]["id"] == "blosc"
    chunk = tmp_path / "a.zarr" / "0" / "1" / "0" / "0"
    content = bytearray(chunk.read_bytes())
    content[offset + 3] = 0x06  # the highest byte: about 100 MB
    chunk.write_bytes(content)
    assert "damaged" in refused(tmp_path / "a.zarr")


@pytest.mark.parametrize("version", [2, 3])
def test_chunks_by_blosc_are_read(tmp_path: Path, version: int) -> None:
    multiscale = {"axes": [{"name": name} for name in "zyx"], "datasets": [{"path": "0"}]}
    attributes: dict[str, Any] = {"multiscales": [multiscale]}
    group = zarr.create_group(tmp_path / "b.zarr", zarr_format=version, attributes=attributes)
    codec = numcodecs.Blosc("zstd") if version == 2 else zarr.codecs.BloscCodec(cname="zstd")
    array = group.create_array("0", shape=(4, 40, 30), chunks=(2, 16, 16), dtype=np.uint16, compressors=codec)
    array[:] = PLANES[0, 0]
    assert np.array_equal(read_image(tmp_path / "b.zarr", frame=3).to_rgb()[..., 0], PLANES[0, 0, 3])


def test_shards_are_read(tmp_path: Path) -> None:
    multiscale = {"axes": [{"name": name} for name in "zyx"], "datasets": [{"path": "0"}]}
    group = zarr.create_group(tmp_path / "s.zarr", attributes={"ome": {"multiscales": [multiscale]}})
    array = group.create_array("0", shape=(4, 40, 30), chunks=(1, 16, 16), shards=(2, 32, 32), dtype=np.uint16)
    array[:] = PLANES[0, 0]
    assert np.array_equal(read_image(tmp_path / "s.zarr", frame=2).to_rgb()[..., 0], PLANES[0, 0, 2])
