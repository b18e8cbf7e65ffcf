"""DICOM secondary capture, by pydicom: a picture of its own, that says that it is derived."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.encoding import NOTE
from hybridcolor.icc import srgb_profile
from hybridcolor.metadata import Metadata

_SOURCE = ("SOPClassUID", "SOPInstanceUID")  # of the picture that was read
_REQUIRED = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate", "StudyTime",
             "AccessionNumber", "ReferringPhysicianName")  # fmt: skip


def encode_dicom(pixels: NDArray[np.uint8], metadata: Metadata) -> bytes:
    """A Secondary Capture Image (PS3.3, A.8.1), uncompressed; patient and study as in the metadata, else empty.

    Its UIDs are new, and made of the pixels and the study: the same picture gets the same ones.
    """
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

    height, width = pixels.shape[:2]
    gray, patient = pixels.ndim == 2, metadata.patient
    dataset = pydicom.Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for name in _REQUIRED:
        setattr(dataset, name, patient.get(name, ""))
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = _uid("instance", pixels, metadata)
    dataset.SeriesInstanceUID = _uid("series", pixels, metadata)
    dataset.StudyInstanceUID = patient.get("StudyInstanceUID") or _uid("study", pixels, metadata)
    dataset.Modality, dataset.ConversionType = "OT", "WSD"
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    dataset.PatientOrientation = ""
    dataset.SeriesDescription = "hybridcolor"
    dataset.ImageType = ["DERIVED", "SECONDARY", "COLORIZED"]
    dataset.DerivationDescription = " ".join(filter(None, (NOTE, metadata.description, metadata.software)))[:1024]
    dataset.ImageComments = NOTE
    if all(patient.get(name) for name in _SOURCE):
        source = pydicom.Dataset()
        source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = (patient[name] for name in _SOURCE)
        dataset.SourceImageSequence = [source]
    dataset.Rows, dataset.Columns = height, width
    dataset.SamplesPerPixel = 1 if gray else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if gray else "RGB"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    if not gray:
        dataset.PlanarConfiguration = 0
        dataset.ICCProfile, dataset.ColorSpace = _even(srgb_profile()), "SRGB"
    dataset.PixelData = _even(pixels.tobytes())
    dataset.file_meta = _meta(dataset.SOPInstanceUID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _meta(instance: Any, syntax: Any, storage: Any) -> Any:
    from pydicom.dataset import FileMetaDataset

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = storage, instance, syntax
    return meta


def _uid(what: str, pixels: NDArray[np.uint8], metadata: Metadata) -> str:
    from pydicom.uid import generate_uid

    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    return generate_uid(entropy_srcs=[what, digest, str(pixels.shape), *map(str, sorted(metadata.patient.items()))])


def _even(data: bytes) -> bytes:
    """DICOM values are of even length."""
    return data + bytes(len(data) % 2)
