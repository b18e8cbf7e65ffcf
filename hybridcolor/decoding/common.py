"""What all formats share: the result's type, the size limit, turning upright, and decoding by Pillow or OpenCV."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from hybridcolor.errors import ImageError, TooLargeError
from hybridcolor.metadata import NO_METADATA, Metadata

Pixels = NDArray[Any]
Space = Literal["gray", "rgb", "cmyk", "lab"]

ORIENTATION = 0x0112  # the tag, in EXIF as in TIFF
_ON_ITS_SIDE = (5, 6, 7, 8)  # the orientations that swap width and height

_MODES: dict[str, tuple[str, Space]] = {  # of Pillow, and what to make of them
    "1": ("L", "gray"), "L": ("L", "gray"), "LA": ("LA", "gray"), "La": ("LA", "gray"), "P": ("RGB", "rgb"),
    "PA": ("RGBA", "rgb"), "RGB": ("RGB", "rgb"), "RGBA": ("RGBA", "rgb"), "RGBa": ("RGBA", "rgb"),
    "RGBX": ("RGB", "rgb"), "CMYK": ("CMYK", "cmyk"), "YCbCr": ("RGB", "rgb"), "F": ("F", "gray"),
    "LAB": ("LAB", "lab"),
}  # fmt: skip


class Decoded(NamedTuple):
    """A picture as its file holds it, upright.

    ``colours`` is (H, W, 1, 3 or 4) of uint8, uint16, or float in 0..1; in the space "lab", float CIE L*a*b* as
    profiles define it (D50), stored with ``bits`` bits, which is 0 in other spaces. ``alpha`` is (H, W) of the same
    type. ``frames`` is how many pages, animation steps or slices the file holds.
    """

    colours: Pixels
    space: Space
    alpha: Pixels | None = None
    profile: bytes = b""
    metadata: Metadata = NO_METADATA
    bits: int = 0
    frames: int = 1

    @property
    def bit_depth(self) -> int:
        """8, or 16 for all that is deeper."""
        return 8 if self.bits == 8 or self.colours.dtype == np.uint8 else 16

    @classmethod
    def of(cls, pixels: Pixels, profile: bytes = b"", metadata: Metadata = NO_METADATA) -> Decoded:
        """Gray or RGB, with or without alpha, by the number of channels."""
        pixels = pixels.reshape(*pixels.shape[:2], -1)
        channels = pixels.shape[2]
        alpha = np.ascontiguousarray(pixels[..., -1]) if channels in (2, 4) else None
        colours = pixels[..., : channels - (alpha is not None)]
        return cls(colours, "gray" if channels < 3 else "rgb", alpha, profile, metadata)

    def upright(self, orientation: object) -> Decoded:
        """Turned and mirrored as an EXIF orientation (1 to 8) says; anything else leaves it alone."""
        alpha = None if self.alpha is None else _upright(self.alpha, orientation)
        metadata = self.metadata.turned() if orientation in _ON_ITS_SIDE else self.metadata
        return self._replace(colours=_upright(self.colours, orientation), alpha=alpha, metadata=metadata)


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse a picture before anything is allocated for it.

    Raises
    ------
    TooLargeError
        If it has more than ``max_pixels``.
    ImageError
        If it has none.
    """
    if width < 1 or height < 1:
        raise ImageError(f"the picture has no pixels ({width} x {height})")
    if width * height > max_pixels:
        raise TooLargeError(
            f"{width} x {height} pixels is over the limit of {max_pixels}; raise max_pixels (--max-pixels) to read it"
        )


def check_frame(frame: int, count: int) -> None:
    """Raise `ImageError` unless the file has that frame."""
    if not 0 <= frame < count:
        raise ImageError(f"there is no frame {frame}; the file holds {count}, counted from 0")


def orientation_of(exif: Callable[[], Image.Exif]) -> object:
    """The orientation that an EXIF block gives; damaged EXIF does not make the picture unreadable."""
    try:
        return exif().get(ORIENTATION)
    except Exception:  # noqa: BLE001  # Pillow's EXIF parser raises whatever it trips over
        return None


def from_pillow(image: ImageFile.ImageFile, max_pixels: int, *, frame: int = 0) -> Decoded:
    """Decode a frame of a picture that Pillow has opened; incomplete data raises."""
    check_size(*image.size, max_pixels)
    if frame != 0:
        check_frame(frame, getattr(image, "n_frames", 1))
        image.seek(frame)
        check_size(*image.size, max_pixels)  # a GIF grows with its frames
    profile, orientation = image.info.get("icc_profile") or b"", orientation_of(image.getexif)
    metadata = Metadata.of_image(image)
    image.load()  # of a TIFF, this turns the pixels upright and forgets the orientation: only the metadata is left
    if orientation_of(image.getexif) != orientation:
        metadata = metadata.turned() if orientation in _ON_ITS_SIDE else metadata
        orientation = 1
    decoded = _from_mode(image)._replace(profile=profile, metadata=metadata).upright(orientation)
    return decoded._replace(frames=_frames_of(image))


def _frames_of(image: ImageFile.ImageFile) -> int:
    """How many frames there are, of which one is read by now: damage in those behind it costs it nothing."""
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # noqa: BLE001  # Pillow walks through all of them, and raises whatever it trips over
        return 1


def _from_mode(image: Image.Image) -> Decoded:
    """The pixels of one of Pillow's modes."""
    if image.mode.startswith("I;16"):
        return Decoded.of(np.asarray(image).astype(np.uint16))
    if image.mode not in _MODES:
        raise ImageError(f"pixels of kind {image.mode} cannot be read; save it with 8 or 16 bits, gray or RGB")
    mode, space = _MODES[image.mode]
    if "transparency" in image.info and mode in ("L", "RGB"):
        mode = "LA" if mode == "L" else "RGBA"
    pixels = np.asarray(image.convert(mode))
    if space == "lab":
        signed = pixels[..., 1:].view(np.int8)
        return Decoded(
            lab_of(np.concatenate([pixels[..., :1].astype(np.int16), signed], axis=2), 255, 1), "lab", bits=8
        )
    return Decoded(pixels, "cmyk") if space == "cmyk" else Decoded.of(pixels)


def lab_of(values: Pixels, white: float, step: float) -> Pixels:
    """L*a*b* of stored values: L* from 0 to ``white``, a* and b* in units of ``step``."""
    return np.asarray(values * np.array([100 / white, 1 / step, 1 / step]), np.float32)


def from_opencv(data: bytes, frame: int = 0) -> Pixels:
    """A frame of a PNG or TIFF of 16 bits or floats, in full depth: (H, W), or (H, W, C) in RGB's order."""
    with silence():
        found, frames = cv2.imdecodemulti(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED, range=(frame, frame + 1))
    if not found or frames[0].dtype not in (np.uint16, np.float32):
        raise ImageError("the picture data is damaged or of a kind that cannot be read")
    pixels = frames[0]
    return pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]  # it has blue first


_SILENCE = threading.Lock()


@contextmanager
def silence() -> Iterator[None]:
    """Keep what libpng and libtiff print straight to the standard error stream from the person's terminal.

    They know no other way to report damage, and an `ImageError` follows anyhow. One thread at a time.
    """
    with _SILENCE:
        try:
            stderr = os.dup(2)
        except OSError:  # no standard error stream at all
            yield
            return
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _upright(pixels: Pixels, orientation: object) -> Pixels:
    if orientation in _ON_ITS_SIDE:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
