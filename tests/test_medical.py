"""DICOM and NIfTI: what the window shows, against the standard's formulas and pydicom; and what is written."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
import tifffile
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_windowing
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from hybridcolor.encoding import NOTE
from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import open_bands, read_image, write_image
from tests.pixels import refused

HU = np.random.default_rng(9).integers(-1024, 3000, (20, 30)).astype(np.int16)
PATIENT = {"PatientName": "Nobody^Ann", "PatientID": "X-17", "StudyInstanceUID": "1.2.3.4", "StudyDate": "20010203"}


def dicom(path: Path, stored: np.ndarray, **values: Any) -> Path:
    """A file of 16-bit gray pixels, one or many frames."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3.5"
    dataset.Modality = "CT"
    dataset.Rows, dataset.Columns = stored.shape[-2:]
    if stored.ndim == 3:
        dataset.NumberOfFrames = len(stored)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = stored.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    syntax = values.pop("syntax", ExplicitVRLittleEndian)
    for name, value in {**PATIENT, **values}.items():
        setattr(dataset, name, value)
    dataset.PixelData = stored.tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if syntax == RLELossless:
        dataset.compress(syntax, generate_instance_uid=False)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    return path


def gray_of(path: Path, frame: int = 0) -> np.ndarray:
    """The gray that a file shows, 0..65535."""
    picture = read_image(path, frame=frame)
    assert picture.bit_depth == 16
    assert picture.chroma is None
    return picture.to_rgb()[..., 0].astype(int)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (2, -1024), (0.5, 10)])
def test_rescale_and_window_as_pydicom(tmp_path: Path, function: str, slope: float, intercept: float) -> None:
    values = {"WindowCenter": 40, "WindowWidth": 400, "VOILUTFunction": function}
    rescale = {"RescaleSlope": slope, "RescaleIntercept": intercept}
    path = dicom(tmp_path / "ct.dcm", HU, **values, **rescale)
    dataset = pydicom.dcmread(path)
    shown = apply_windowing(HU * slope + intercept, dataset).astype(float)
    least, most = -32768 * slope + intercept, 32767 * slope + intercept  # what pydicom takes for black and white
    assert np.abs(gray_of(path) - (shown - least) / (most - least) * 65535).max() <= 1
    assert "window centre 40, width 400" in read_image(path).metadata.description


def test_spacing_is_read_where_a_file_says_it(tmp_path: Path) -> None:
    spacing = {"PixelSpacing": [0.8, 0.4], "SliceThickness": 3}
    measures = Dataset()
    for name, value in {**spacing, "SpacingBetweenSlices": 5}.items():
        setattr(measures, name, value)
    group = Dataset()
    group.PixelMeasuresSequence = [measures]
    for values, wanted in (
        (spacing, (3, 0.8, 0.4)),
        ({"SharedFunctionalGroupsSequence": [group], "PixelSpacing": [1, 1]}, (5, 0.8, 0.4)),
        ({"ImagerPixelSpacing": [0.2, 0.1]}, (0.1, 0.2, 0.1)),
        ({"PixelSpacing": [0, 1]}, None),
        ({"SliceThickness": 3}, None),
    ):
        assert read_image(dicom(tmp_path / "ct.dcm", HU, **values)).metadata.spacing == wanted


def test_the_values_can_be_read_from_the_luminance(tmp_path: Path) -> None:
    """Where the window does not clip, to a thousandth of it."""
    path = dicom(tmp_path / "ct.dcm", HU, WindowCenter=988, WindowWidth=4096, VOILUTFunction="LINEAR_EXACT")
    back = gray_of(path) / 65535 * 4096 + 988 - 2048
    assert np.abs(back - HU).max() < 0.04


def test_monochrome1_is_inverted(tmp_path: Path) -> None:
    window = {"WindowCenter": 900, "WindowWidth": 3000}
    two = gray_of(dicom(tmp_path / "2.dcm", HU, **window))
    one = gray_of(dicom(tmp_path / "1.dcm", HU, PhotometricInterpretation="MONOCHROME1", **window))
    assert np.abs(one - (65535 - two)).max() <= 1
    eight = (HU % 256).astype(np.uint8)
    picture = read_image(dicom(tmp_path / "8.dcm", eight, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(picture.to_rgb()[..., 0], 255 - eight)


def test_without_a_window_least_is_black_and_most_is_white(tmp_path: Path) -> None:
    padded = HU.copy()
    padded[0, 0] = -2000
    found = gray_of(dicom(tmp_path / "ct.dcm", padded, PixelPaddingValue=-2000))
    low, high = HU.ravel()[1:].min(), HU.max()
    assert np.abs(found - np.clip((padded - low) / (high - low), 0, 1) * 65535).max() <= 1


def test_the_first_of_several_windows_and_12_bits(tmp_path: Path) -> None:
    stored = (HU % 4096).astype(np.uint16)
    options = {"WindowCenter": [2047.5, 1], "WindowWidth": [4095, 2], "VOILUTFunction": "LINEAR_EXACT"}
    path = dicom(tmp_path / "12.dcm", stored, BitsStored=12, HighBit=11, **options)
    assert np.abs(gray_of(path) - stored / 4095 * 65535).max() <= 1


def test_a_table_instead_of_a_window(tmp_path: Path) -> None:
    stored = np.random.default_rng(9).integers(0, 256, (9, 8), np.uint16)
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [256, 0, 16], (np.arange(256) ** 2).astype(np.uint16).tobytes()
    path = dicom(tmp_path / "lut.dcm", stored, VOILUTSequence=[item])
    assert np.abs(gray_of(path) - stored.astype(int) ** 2).max() <= 1


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_every_frame_of_a_dicom_file_is_read(tmp_path: Path, syntax: str) -> None:
    frames = np.random.default_rng(9).integers(0, 65536, (4, 9, 11), np.uint16)
    window = {"WindowCenter": 32767.5, "WindowWidth": 65535, "VOILUTFunction": "LINEAR_EXACT"}
    path = dicom(tmp_path / "frames.dcm", frames, syntax=syntax, **window)
    for number, frame in enumerate(frames):
        assert np.abs(gray_of(path, number) - frame).max() <= 1
    with pytest.raises(ImageError, match="holds 4"):
        read_image(path, frame=4)


def test_windows_in_functional_groups(tmp_path: Path) -> None:
    """As enhanced CT and MR have them: one for all frames, another for each."""
    frames = np.random.default_rng(9).integers(0, 1000, (2, 9, 11), np.uint16)
    shared, groups = Dataset(), []
    rescale = Dataset()
    rescale.RescaleSlope, rescale.RescaleIntercept = 2, 0
    shared.PixelValueTransformationSequence = [rescale]
    for width in (500, 4000):
        window, group = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth, window.VOILUTFunction = width / 2, width, "LINEAR_EXACT"
        group.FrameVOILUTSequence = [window]
        groups.append(group)
    sequences = {"SharedFunctionalGroupsSequence": [shared], "PerFrameFunctionalGroupsSequence": groups}
    path = dicom(tmp_path / "enhanced.dcm", frames, **sequences)
    for number, width in enumerate((500, 4000)):
        expected = np.clip(frames[number].astype(float) * 2 / width, 0, 1) * 65535
        assert np.abs(gray_of(path, number) - expected).max() <= 1


def test_dicom_that_cannot_be_read(tmp_path: Path) -> None:
    assert "deflated" in refused(dicom(tmp_path / "d.dcm", HU, syntax=DeflatedExplicitVRLittleEndian))
    assert "does not allow" in refused(dicom(tmp_path / "w.dcm", HU, WindowCenter=1, WindowWidth=0))
    assert "limit" in refused(dicom(tmp_path / "big.dcm", HU), max_pixels=HU.size - 1)
    dataset = pydicom.dcmread(tmp_path / "big.dcm")
    del dataset.PixelData, dataset.Rows
    dataset.save_as(tmp_path / "empty.dcm")
    assert "holds no picture" in refused(tmp_path / "empty.dcm")


def test_a_compression_without_its_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = pydicom.dcmread(dicom(tmp_path / "ls.dcm", HU))
    dataset.PixelData = pydicom.encaps.encapsulate([b"not looked at"])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    dataset.save_as(tmp_path / "ls.dcm")
    monkeypatch.setattr(pydicom.pixels.decoders.base.Decoder, "is_available", property(lambda self: False))
    line = refused(tmp_path / "ls.dcm")
    assert "JPEG-LS Lossless" in line
    assert "pip install" in line


@pytest.mark.parametrize("name", ["RLE", "jp2klossless", "jpeg_ls_lossless", "bigendian", "implicit", "padded"])
def test_one_picture_in_many_transfer_syntaxes(name: str) -> None:
    """pydicom's own files of one scan, which begin as TIFF does."""
    if name == "jpeg_ls_lossless":
        pytest.importorskip("libjpeg", reason="JPEG-LS is read by the extra dicom-codecs")
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    plain = read_image(folder / "MR_small.dcm")
    assert plain.shape == (64, 64)
    assert np.array_equal(read_image(folder / f"MR_small_{name}.dcm").luminance, plain.luminance)
    with open_bands(folder / f"MR_small_{name}.dcm") as bands:
        assert np.array_equal(bands.read(10, 20).luminance, plain.luminance[10:20])


def test_jpeg_2000_by_pillow(tmp_path: Path) -> None:
    from PIL import Image

    stored = np.random.default_rng(9).integers(0, 65536, (32, 32), np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(stored).save(buffer, "JPEG2000", irreversible=False, no_jp2=True)
    dataset = pydicom.dcmread(dicom(tmp_path / "j.dcm", stored, WindowCenter=32768, WindowWidth=65536))
    dataset.PixelData = pydicom.encaps.encapsulate([buffer.getvalue()])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.save_as(tmp_path / "j.dcm")
    assert np.abs(gray_of(tmp_path / "j.dcm") - stored).max() <= 1


# NIfTI


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz"])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (2, 1, 0)])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, -1), (-1, -1, 1)])
def test_slices_are_axial_whatever_the_file_order(
    tmp_path: Path, name: str, order: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    """A volume in patient's axes (right to left, back to front, foot to head), stored in another order."""
    body = np.random.default_rng(9).normal(size=(6, 7, 5)).astype(np.float32)
    stored = nibabel.orientations.apply_orientation(body, np.array(list(zip(order, flips, strict=True))))
    affine = np.eye(4) @ nibabel.orientations.inv_ornt_aff(np.array(list(zip(order, flips, strict=True))), body.shape)
    nibabel.save(nibabel.Nifti1Image(stored, affine), tmp_path / name)
    canonical = nibabel.as_closest_canonical(nibabel.load(tmp_path / name)).get_fdata()
    assert np.array_equal(canonical, body)
    low, high = body.min(), body.max()
    for number in range(5):
        expected = (body[:, :, number].T[::-1, ::-1] - low) / (high - low)  # nose up, the right-hand side left
        found = gray_of(tmp_path / name, number)
        assert found.shape == (7, 6)
        assert np.abs(found - expected * 65535).max() <= 1
    assert "holds 5" in refused(tmp_path / name, frame=5)


def test_nifti_scaling_display_range_and_series(tmp_path: Path) -> None:
    series = np.random.default_rng(9).integers(-500, 500, (6, 5, 3, 2)).astype(np.int16)
    image = nibabel.Nifti1Image(series, np.diag([-1.0, -1.0, 1.0, 1.0]))
    image.header.set_slope_inter(2, 100)
    image.header["cal_min"], image.header["cal_max"] = -200, 300
    nibabel.save(image, tmp_path / "series.nii")
    loaded = nibabel.load(tmp_path / "series.nii")
    assert loaded.dataobj.slope == 2
    for number in range(6):
        values = loaded.get_fdata()[:, :, number % 3, number // 3].T
        expected = np.clip((values + 200) / 500, 0, 1) * 65535
        assert np.abs(gray_of(tmp_path / "series.nii", number) - expected).max() <= 1


def test_a_packed_volume_is_read_as_the_plain_one(tmp_path: Path) -> None:
    """Noise, as every scanner has it, does not fit into what is read ahead to know the format."""
    noise = np.random.default_rng(9).integers(0, 4096, (60, 50, 8)).astype(np.int16)
    for name in ("v.nii", "v.nii.gz"):
        nibabel.save(nibabel.Nifti1Image(noise, np.eye(4)), tmp_path / name)
    for number in (0, 7):
        assert np.array_equal(gray_of(tmp_path / "v.nii.gz", number), gray_of(tmp_path / "v.nii", number))


def test_nifti_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nibabel.save(nibabel.Nifti1Image(np.full((3, 3, 3), np.nan, np.float32), np.eye(4)), tmp_path / "nan.nii")
    assert "no finite" in refused(tmp_path / "nan.nii")
    nibabel.save(nibabel.Nifti1Image(np.zeros((3, 3, 3), np.complex64), np.eye(4)), tmp_path / "complex.nii")
    assert "complex" in refused(tmp_path / "complex.nii")
    assert "limit" in refused(tmp_path / "complex.nii", max_pixels=8)
    monkeypatch.setattr("hybridcolor.decoding.nifti.MOST_OF_VOLUME", 20)
    assert "limit" in refused(tmp_path / "complex.nii", max_pixels=26)
    import gzip

    (tmp_path / "text.gz").write_bytes(gzip.compress(b"I am a text. " * 50))
    assert "gzip" in refused(tmp_path / "text.gz")


# Written


@pytest.mark.parametrize("keep", [False, True])
def test_secondary_capture(tmp_path: Path, keep: bool) -> None:
    picture = read_image(dicom(tmp_path / "in.dcm", HU, WindowCenter=40, WindowWidth=400))
    assert picture.metadata.patient["PatientName"] == "Nobody^Ann"
    colours = picture.to_rgb(np.full((*picture.shape, 2), 10, np.float32))
    write_image(tmp_path / "out.dcm", colours, metadata=picture.metadata, keep_private=keep)
    dataset = pydicom.dcmread(tmp_path / "out.dcm")
    assert dataset.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7"
    assert list(dataset.ImageType)[:2] == ["DERIVED", "SECONDARY"]
    assert dataset.ImageComments == NOTE
    assert "not measurements" in dataset.DerivationDescription
    assert "window centre 40, width 400" in dataset.DerivationDescription
    uids = {dataset.SOPInstanceUID, dataset.SeriesInstanceUID, dataset.StudyInstanceUID}
    assert len(uids) == 3
    assert all(uid.is_valid for uid in uids)
    assert "1.2.3.5" not in uids
    assert np.array_equal(dataset.pixel_array, np.round(colours / 257).astype(np.uint8))
    content = (tmp_path / "out.dcm").read_bytes()
    if keep:
        assert dataset.PatientName == "Nobody^Ann"
        assert dataset.StudyInstanceUID == "1.2.3.4"
        assert dataset.SourceImageSequence[0].ReferencedSOPInstanceUID == "1.2.3.5"
    else:
        assert not [value for value in (*PATIENT.values(), "1.2.3.5") if value.encode() in content]
    again = read_image(tmp_path / "out.dcm")
    assert np.array_equal(again.to_rgb(again.chroma), dataset.pixel_array)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp", ".ome.tif", ".nii"])
def test_no_patient_in_other_files(tmp_path: Path, suffix: str) -> None:
    picture = read_image(dicom(tmp_path / "in.dcm", HU, WindowCenter=40, WindowWidth=400))
    path = tmp_path / f"out{suffix}"
    write_image(path, picture.to_rgb(), metadata=picture.metadata, keep_private=True)
    content = path.read_bytes()
    assert not [value for value in PATIENT.values() if value.encode() in content]
    if suffix != ".nii":
        assert b"window centre 40, width 400" in content


def test_notes_of_ome_tiff_and_nifti(tmp_path: Path) -> None:
    colours = np.random.default_rng(9).integers(0, 65536, (9, 8, 3), np.uint16)
    write_image(tmp_path / "out.ome.tif", colours)
    with tifffile.TiffFile(tmp_path / "out.ome.tif") as tiff:
        assert NOTE in tiff.ome_metadata
        assert np.array_equal(tiff.series[0].asarray(), colours)
    write_image(tmp_path / "out.nii.gz", colours)
    image = nibabel.load(tmp_path / "out.nii.gz")
    assert b"colours are not measurements" in image.header["descrip"].tobytes()
    assert image.shape == (8, 9, 1)
    assert image.get_data_dtype() == np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")
    assert np.array_equal(image.dataobj[..., 0]["G"].T, np.round(colours[..., 1] / 257).astype(np.uint8))


@pytest.mark.parametrize(("module", "name"), [("pydicom", "a.dcm"), ("nibabel", "a.nii")])
def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, name: str) -> None:
    write_image(tmp_path / name, np.zeros((4, 4), np.uint8))
    monkeypatch.setitem(sys.modules, module, None)
    assert "pip install 'hybridcolor[medical]'" in refused(tmp_path / name)
    with pytest.raises(ImageError, match=r"pip install 'hybridcolor\[medical\]'"):
        write_image(tmp_path / f"b{name}", np.zeros((4, 4), np.uint8))


def test_a_slice_is_as_large_as_itself_whatever_the_volume(tmp_path: Path) -> None:
    nibabel.save(
        nibabel.Nifti1Image(np.arange(4000, dtype=np.int16).reshape(20, 20, 10), np.eye(4)), tmp_path / "a.nii"
    )
    assert read_image(tmp_path / "a.nii", frame=3, max_pixels=400).shape == (20, 20)
    assert "limit" in refused(tmp_path / "a.nii", max_pixels=399)
