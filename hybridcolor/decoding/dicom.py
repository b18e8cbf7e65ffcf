"""DICOM, by pydicom: what the file's own window shows, as gray; its values stay readable from the description."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from hybridcolor.decoding.common import Decoded, Pixels, check_frame, check_size
from hybridcolor.errors import ImageError
from hybridcolor.metadata import Metadata, sensible_spacing

if TYPE_CHECKING:
    from pydicom import Dataset

# What is kept of the patient and the study, and written again; which elements say how values become gray.
_PERSONAL = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID", "StudyDate",
    "StudyTime", "AccessionNumber", "ReferringPhysicianName", "SOPClassUID", "SOPInstanceUID",
)  # fmt: skip
_SETTINGS = (
    "ModalityLUTSequence", "RescaleIntercept", "RescaleSlope", "RescaleType", "VOILUTSequence", "WindowCenter",
    "WindowWidth", "VOILUTFunction", "PixelRepresentation", "PixelPaddingValue", "Modality",
)  # fmt: skip
_MEASURES = ("PixelSpacing", "ImagerPixelSpacing", "SpacingBetweenSlices", "SliceThickness")
_DEFLATED = b"1.2.840.10008.1.2.1.99"  # its transfer syntax


def is_dicom(start: bytes) -> bool:
    """Whether a file that starts so is DICOM."""
    return start[128:132] == b"DICM"


def decode_dicom(file: BinaryIO, frame: int, max_pixels: int) -> Decoded:
    """A frame of a DICOM file: rescaled, windowed, white high (PS3.3, C.7.6.3, C.11.1 and C.11.2)."""
    try:
        import pydicom
        from pydicom.pixels.utils import pixel_array
    except ImportError as error:
        raise ImageError("this is DICOM, which pydicom reads; pip install 'hybridcolor[medical]'") from error
    if _DEFLATED in file.read(4096):  # pydicom would inflate it all at once
        raise ImageError("this is a deflated DICOM file; save it with another transfer syntax")
    file.seek(0)
    dataset = pydicom.dcmread(file, stop_before_pixels=True)
    if "Rows" not in dataset or "Columns" not in dataset:
        raise ImageError("this DICOM file holds no picture")
    check_size(int(dataset.Columns), int(dataset.Rows), max_pixels)
    frames = int(dataset.get("NumberOfFrames") or 1)
    check_frame(frame, frames)
    _check_plugin(dataset.file_meta.TransferSyntaxUID)
    file.seek(0)
    return _decoded(pixel_array(file, index=frame), dataset, frame)._replace(frames=frames)


def _decoded(pixels: Pixels, dataset: Dataset, frame: int) -> Decoded:
    """A frame's numbers as colours, with what is known of the patient."""
    from pydicom.pixels.processing import apply_color_lut

    settings = _settings(dataset, frame)
    patient = {name: str(dataset[name].value) for name in _PERSONAL if name in dataset}
    metadata = Metadata(patient=patient, spacing=_spacing(settings))
    kind = dataset.PhotometricInterpretation
    if kind == "PALETTE COLOR":
        return Decoded.of(apply_color_lut(pixels, dataset))._replace(metadata=metadata)
    if dataset.SamplesPerPixel == 3:
        return Decoded.of(_full_range(pixels, int(dataset.BitsStored)), metadata=metadata)
    gray, description = _shown(pixels, settings, int(dataset.get("BitsStored", 32)))
    if kind == "MONOCHROME1":
        gray = np.asarray((1 if gray.dtype.kind == "f" else 255) - gray, gray.dtype)
        description += ", then inverted"
    return Decoded.of(gray, metadata=replace(metadata, description=description))


def _check_plugin(syntax: Any) -> None:
    """Raise `ImageError` if nothing that is installed decodes this transfer syntax."""
    from pydicom.pixels.decoders.base import get_decoder

    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise ImageError(f"its transfer syntax ({syntax.name}) holds no picture that can be read") from error
    if not decoder.is_available:
        raise ImageError(
            f"its compression ({syntax.name}) needs a plugin; pip install 'hybridcolor[dicom-codecs]', which is GPL 3"
        )


def _full_range(pixels: Pixels, bits: int) -> Pixels:
    """Integers of so many bits over the whole range of 8 or 16."""
    if bits in (8, 16):
        return pixels
    top = 255 if bits < 8 else 65535
    return np.round(pixels * (top / ((1 << bits) - 1))).astype(np.uint8 if bits < 8 else np.uint16)


def _settings(dataset: Dataset, frame: int) -> Dataset:
    """How to show a frame: what the file says for all frames, and in functional groups for this one."""
    from pydicom import Dataset as NewDataset

    settings = NewDataset()
    settings.file_meta = dataset.file_meta  # tables are read in its byte order
    sources = [dataset]
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    for group in (*(dataset.get("SharedFunctionalGroupsSequence") or []), *per_frame[frame : frame + 1]):
        for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence", "PixelMeasuresSequence"):
            sources += list(group.get(name) or [])
    for source in sources:
        for name in _SETTINGS:
            if name in source:
                settings[name] = source[name]
        for name in _MEASURES:
            with suppress(ValueError, TypeError):  # a picture can be seen without them
                if name in source:
                    settings[name] = source[name]
    return settings


def _spacing(settings: Dataset) -> tuple[float, float, float] | None:
    """Millimetres between slices, rows and columns, where the file says (PS3.3, 10.7.1.3)."""
    plane = settings.get("PixelSpacing") or settings.get("ImagerPixelSpacing")
    if not isinstance(plane, Sequence) or len(plane) != 2:
        return None
    return sensible_spacing(settings.get("SpacingBetweenSlices") or settings.get("SliceThickness"), *plane)


def _shown(stored: Pixels, settings: Dataset, bits: int) -> tuple[Pixels, str]:
    """Gray as float32 in 0..1, and in words what its black and white stand for.

    The file's table decides, or else its window, or else the least and largest value. Of 8 bits that are neither
    rescaled nor windowed, uint8 as they are.
    """
    from pydicom.pixels.processing import apply_modality_lut, apply_voi

    values = apply_modality_lut(stored, settings)
    unit = settings.get("RescaleType") or ("HU" if settings.get("Modality") == "CT" else "")
    what = f"{settings.get('Modality', '')} values{f' in {unit}' if unit else ''}".strip()
    if "VOILUTSequence" in settings and settings.VOILUTSequence:
        depth = int(settings.VOILUTSequence[0].LUTDescriptor[2])
        return _unit(apply_voi(np.asarray(values), settings) / ((1 << depth) - 1)), f"Gray: {what} by the file's table"
    if settings.get("WindowWidth") is not None and settings.get("WindowCenter") is not None:
        center, width = _first(settings.WindowCenter), _first(settings.WindowWidth)
        function = str(settings.get("VOILUTFunction") or "LINEAR").upper()
        words = f"Gray: {what}, window centre {center:g}, width {width:g}, {function}"
        return _windowed(values, center, width, function), words
    if bits == 8 and stored.dtype == np.uint8 and values is stored:
        return stored, f"Gray: {what} from 0 to 255"
    values = np.asarray(values, np.float64)
    seen = values[stored != settings.PixelPaddingValue] if "PixelPaddingValue" in settings else values
    seen = values if seen.size == 0 else seen
    low, high = float(seen.min()), float(seen.max())
    return _unit((values - low) / max(high - low, 1e-9)), f"Gray: {what} from {low:g} to {high:g}, the least and most"


def _windowed(values: Pixels, center: float, width: float, function: str) -> Pixels:
    """A window (PS3.3, C.11.2.1.2 and C.11.2.1.3) as gray in 0..1."""
    values = np.asarray(values, np.float64)
    if (width < 1 and function == "LINEAR") or width <= 0:
        raise ImageError(f"its window is {width:g} wide, which DICOM does not allow")
    if function == "SIGMOID":
        return _unit(1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -50, 50))))
    if function == "LINEAR_EXACT":
        return _unit((values - center) / width + 0.5)
    if width == 1:
        return _unit((values > center - 0.5).astype(np.float32))
    return _unit((values - (center - 0.5)) / (width - 1) + 0.5)


def _unit(values: Pixels) -> Pixels:
    return np.clip(values, 0, 1).astype(np.float32)


def _first(value: Any) -> float:
    """A number, or the first of several: files may offer more than one window."""
    return float(value[0] if hasattr(value, "__getitem__") and not isinstance(value, str) else value)
