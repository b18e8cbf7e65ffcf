"""Files that claim to be huge: refused before memory or time is spent on them. Each reader has a process of its own."""

from __future__ import annotations

import gzip
import io
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian

SIDE = 100_000
SMALL = np.zeros((8, 8, 3), np.uint8)


def saved(format_: str, **options: object) -> bytearray:
    buffer = io.BytesIO()
    Image.fromarray(SMALL).save(buffer, format_, **options)
    return bytearray(buffer.getvalue())


def png() -> bytes:
    content = saved("PNG")
    content[16:24] = struct.pack(">II", SIDE, SIDE)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


def jpeg() -> bytes:
    content = saved("JPEG")
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = b"\xff\xff\xff\xff"
    return bytes(content)


def bmp() -> bytes:
    content = saved("BMP")
    content[18:26] = struct.pack("<ii", SIDE, SIDE)
    return bytes(content)


def gif() -> bytes:
    content = saved("GIF")
    content[6:10] = b"\xff\xff\xff\xff"
    return bytes(content)


def gif_frame() -> bytes:
    """A small screen with a large frame on it."""
    content = saved("GIF")
    at = content.index(b"\x2c\0\0\0\0") + 5
    content[at : at + 4] = b"\xff\xff\xff\xff"
    return bytes(content)


def webp() -> bytes:
    content = saved("WEBP", lossless=True, exif=b"Exif\0\0MM\0*")
    at = content.index(b"VP8X") + 12
    content[at : at + 6] = (SIDE - 1).to_bytes(3, "little") * 2
    return bytes(content)


def avif() -> bytes:
    content = saved("AVIF")
    at = content.index(b"ispe") + 8
    content[at : at + 8] = struct.pack(">II", SIDE, SIDE)
    return bytes(content)


def tiff(**options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, SMALL, photometric="rgb", compression="zlib", **options)
    buffer.seek(0)
    with tifffile.TiffFile(buffer, mode="r+") as file:
        for name in ("ImageLength", "ImageWidth"):
            file.pages[0].tags[name].overwrite(SIDE)
    return buffer.getvalue()


def dicom() -> bytes:
    dataset = pydicom.Dataset()
    dataset.Rows = dataset.Columns = 65535
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation, dataset.PixelData = 15, 0, b"\0\0"
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2"
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def nifti(*, two: bool = False) -> bytes:
    kind = nibabel.Nifti2Image if two else nibabel.Nifti1Image
    content = bytearray(kind(np.zeros((4, 4, 4), np.int16), np.eye(4)).to_bytes())
    if two:
        content[16:40] = struct.pack("<3q", 3, SIDE, SIDE)
    else:
        content[40:46] = struct.pack("<3h", 3, 32767, 32767)
    return bytes(content)


def png_of_zeros() -> bytes:
    """Of 8 x 8 pixels, but its data swells to a gigabyte."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1 << 10)) + packer.flush()
    content = bytes(saved("PNG"))
    body = b"IDAT" + data
    chunk = struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    return content[: content.index(b"IDAT") - 4] + chunk + content[content.index(b"IEND") - 4 :]


BOMBS = {
    "png": png,
    "png of zeros": png_of_zeros,
    "jpeg": jpeg,
    "bmp": bmp,
    "gif": gif,
    "gif frame": gif_frame,
    "webp": webp,
    "avif": avif,
    "tiff": tiff,
    "bigtiff": lambda: tiff(bigtiff=True),
    "tiles": lambda: tiff(tile=(16, 16)),
    "dicom": dicom,
    "nifti": nifti,
    "nifti 2": lambda: nifti(two=True),
    "nifti, packed": lambda: gzip.compress(nifti()),
}

SCRIPT = """
import json, re, sys, time
from pathlib import Path
from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import read_image
for module in ("pydicom", "nibabel", "PIL.AvifImagePlugin"):  # loading them is not what is measured
    __import__(module)
import pydicom.pixels
def peak():  # in kB; ru_maxrss would be that of the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
started = time.process_time()
try:
    read_image(sys.argv[1])
    line = ""
except ImageError as error:
    line = str(error)
seconds = time.process_time() - started
most = peak()
print(json.dumps([line, seconds, most / 1024, before / 1024]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_at_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(BOMBS[name]())
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(path)], capture_output=True, check=True)
    line, seconds, most, before = json.loads(done.stdout)
    sys.stdout.write(f"{name}: {line.partition(': ')[2]}  {seconds:.3f} s, {most:.0f} MB ({before:.0f} MB before)")
    assert line or name == "png of zeros"  # which has pixels enough
    assert "\n" not in line
    assert seconds < 0.5  # of the processor; a refusal takes about 1 ms, the gigabyte of zeros 0.2 s
    assert most < 300  # MB; a process that has loaded the readers has 116
    assert done.stderr == b""
