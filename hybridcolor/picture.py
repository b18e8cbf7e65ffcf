"""Picture: the luminance that must survive, with the alpha and the bit depth of where it came from.

A picture is read once and never changed; colour is laid over it as a chroma plane and brought back to RGB by
`Picture.to_rgb`. Files are the business of ``imagefiles``. May import ``painting``, ``lab``,
``metadata`` and ``errors``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridcolor.errors import ImageError
from hybridcolor.lab import checked_planes, gray_to_luminance, lab_to_rgb, quantize, rgb_to_lab
from hybridcolor.metadata import NO_METADATA, Metadata
from hybridcolor.painting import make_room

DARK = 40.0
"""L* up to which what is drawn is ink."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Picture:
    """A gray or colour picture as L*, with what is needed to give it back. Build one with `from_array` or `read_image`.

    Attributes
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    chroma : (H, W, 2) float32 or None
        a* and b* that a colour input came with, kept for comparison only; None where every pixel is gray.
    alpha : (H, W) uint8 or uint16 or None
        Transparency as the file had it, in the picture's bit depth.
    bit_depth : {8, 16}
        Bits of one channel, in the source and in what `to_rgb` returns.
    source : Path or None
        The file it was read from.
    metadata : Metadata
        What else that file said.
    frames : int
        How many pages, animation steps or slices that file holds, of which this is one.

    Raises
    ------
    ImageError
        If shapes or types disagree or a value is out of range.

    Examples
    --------
    >>> picture = Picture.from_array(np.full((2, 3), 119, np.uint8))
    >>> picture.shape, picture.bit_depth, round(float(picture.luminance[0, 0]))
    ((2, 3), 8, 50)
    """

    luminance: NDArray[np.float32]
    chroma: NDArray[np.float32] | None = None
    alpha: NDArray[np.uint8] | NDArray[np.uint16] | None = None
    bit_depth: int = 8
    source: Path | None = None
    metadata: Metadata = NO_METADATA
    frames: int = 1

    def __post_init__(self) -> None:
        if self.bit_depth not in (8, 16):
            raise ImageError(f"picture: bit_depth is {self.bit_depth}, expected 8 or 16")
        if self.luminance.ndim != 2 or self.luminance.size == 0:
            raise ImageError(
                f"picture: luminance has shape {self.luminance.shape}, expected (H, W) with at least a pixel"
            )
        if self.luminance.dtype != np.float32:
            raise ImageError(f"picture: luminance is {self.luminance.dtype}, expected float32")
        if not (self.luminance.min() >= -0.01 and self.luminance.max() <= 100.01):
            raise ImageError("picture: luminance leaves 0..100 or is not finite; give L*, not gray values")
        if self.chroma is not None:
            if self.chroma.shape != (*self.shape, 2) or self.chroma.dtype != np.float32:
                raise ImageError(f"picture: chroma is {_kind(self.chroma)}, expected float32 {(*self.shape, 2)}")
            if not np.isfinite(self.chroma).all():
                raise ImageError("picture: a chroma value is not finite")
        if self.alpha is not None and (self.alpha.shape != self.shape or self.alpha.dtype != self.dtype):
            raise ImageError(f"picture: alpha is {_kind(self.alpha)}, expected {self.dtype} {self.shape}")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        height, width = self.luminance.shape
        return height, width

    @property
    def dtype(self) -> np.dtype[Any]:
        """The numpy type of one channel: uint8 or uint16."""
        return np.dtype(np.uint16 if self.bit_depth == 16 else np.uint8)

    @classmethod
    def from_array(cls, array: ArrayLike, *, source: Path | None = None, metadata: Metadata = NO_METADATA) -> Picture:
        """A picture of gray or sRGB pixels, with or without alpha.

        Parameters
        ----------
        array : (H, W) or (H, W, 1..4) uint8, uint16 or float
            Gray, gray and alpha, RGB, or RGB and alpha; the full range of an integer type, or floats in 0..1,
            which count as 16 bits deep.
        source : Path, optional
            Where the pixels came from.
        metadata : Metadata, optional
            What is known of them.

        Raises
        ------
        ImageError
            If the shape or type is another, a float lies outside 0..1, or there is no pixel.

        Examples
        --------
        >>> Picture.from_array(np.zeros((4, 4, 4))).alpha.dtype
        dtype('uint16')
        """
        pixels = np.asarray(array)
        pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)  # some readers leave the file's byte order
        if pixels.ndim == 2:
            pixels = pixels[..., np.newaxis]
        if pixels.ndim != 3 or pixels.shape[2] not in (1, 2, 3, 4) or pixels.size == 0:
            raise ImageError(
                f"an array of shape {np.shape(array)} is not a picture; give (H, W) or (H, W, 1 to 4 channels)"
            )
        alpha = None
        if pixels.shape[2] in (2, 4):
            pixels, alpha = pixels[..., :-1], _alpha(pixels[..., -1])
        bit_depth = 8 if pixels.dtype == np.uint8 else 16
        if pixels.shape[2] == 1 or _is_gray(pixels):
            return cls(gray_to_luminance(pixels[..., 0]), None, alpha, bit_depth, source, metadata)
        lab = rgb_to_lab(pixels)
        luminance, chroma = np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:])
        return cls(luminance, chroma, alpha, bit_depth, source, metadata)

    @classmethod
    def from_lab(
        cls,
        lab: NDArray[np.float32],
        *,
        alpha: NDArray[Any] | None = None,
        bit_depth: int = 8,
        source: Path | None = None,
        metadata: Metadata = NO_METADATA,
    ) -> Picture:
        """A picture of L*a*b* colours, also of ones that sRGB cannot show.

        Parameters
        ----------
        lab : (H, W, 3) float32
            L* in 0..100, a*, b*, relative to D65.
        alpha : (H, W) array, optional
            Transparency: integers of ``bit_depth`` bits, or floats in 0..1 with 16.
        bit_depth, source, metadata
            As in the attributes.

        Raises
        ------
        ImageError
            As the type itself.

        Examples
        --------
        >>> Picture.from_lab(np.full((1, 1, 3), 50, np.float32)).chroma.tolist()
        [[[50.0, 50.0]]]
        """
        chroma = np.ascontiguousarray(lab[..., 1:])
        return cls(
            np.ascontiguousarray(lab[..., 0]),
            chroma if chroma.any() else None,
            None if alpha is None else _alpha(alpha),
            bit_depth,
            source,
            metadata,
        )

    def on_paper(self) -> Picture:
        """What is seen of it on white paper, without transparency.

        Examples
        --------
        >>> ink = Picture.from_array(np.uint8([[[0, 255], [0, 51], [0, 0]]]))
        >>> ink.on_paper().to_rgb()[0, :, 0].tolist()
        [0, 204, 255]
        """
        if self.alpha is None:
            return self
        top = np.float32(np.iinfo(self.dtype).max)
        seen = top - (top - self.to_rgb(self.chroma)) * (self.alpha[..., np.newaxis] / top)
        paper = Picture.from_array((seen + 0.5).astype(self.dtype), source=self.source, metadata=self.metadata)
        return replace(paper, frames=self.frames)

    @property
    def is_ink(self) -> bool:
        """Whether transparency alone says what is drawn, as in an ink layer of a paint program: all of it is dark."""
        return are_ink(self.ink_pixels, self.luminance.size)

    @property
    def ink_pixels(self) -> int | None:
        """How many pixels are not transparent, if all of them are dark; None if one is not, or nothing can be."""
        if self.alpha is None:
            return None
        seen = self.alpha >= 0.05 * np.iinfo(self.dtype).max
        return int(np.count_nonzero(seen)) if (self.luminance[seen] < DARK).all() else None

    def to_rgb(self, chroma: ArrayLike | None = None, *, paint: bool = False) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """The picture in colour, at its own luminance and bit depth; see `lab_to_rgb` for colours out of gamut.

        Parameters
        ----------
        chroma : (H, W, 2) array-like, optional
            a* and b*; without it the picture comes back gray.
        paint : bool, optional
            For drawings: darken blank paper as far as its colour needs (`hybridcolor.painting.make_room`).

        Returns
        -------
        (H, W, 3) uint8 or uint16
            sRGB. Where chroma is 0 and the source was gray, its very values.

        Raises
        ------
        ImageError
            If chroma does not fit the picture or is not finite.

        Examples
        --------
        >>> Picture.from_array(np.full((1, 1), 77, np.uint8)).to_rgb().tolist()
        [[[77, 77, 77]]]
        """
        colours = np.zeros((*self.shape, 2), np.float32) if chroma is None else chroma
        luminance = make_room(*checked_planes(self.luminance, colours)) if paint else self.luminance
        return quantize(lab_to_rgb(luminance, colours), self.bit_depth)


def are_ink(pixels: int | None, of: int) -> bool:
    """Whether so many `Picture.ink_pixels`, of all that there are, are a drawing on nothing."""
    return pixels is not None and 0 < 2 * pixels < of


def check_picture(picture: object) -> None:
    """Refuse what is no `Picture`, such as its array or the name of its file.

    Raises
    ------
    ImageError

    Examples
    --------
    >>> check_picture(Picture.from_array(np.zeros((2, 2), np.uint8)))
    """
    if not isinstance(picture, Picture):
        kind = type(picture).__name__
        raise ImageError(f"a {kind} is no Picture; give what `read_image` or `Picture.from_array` returns")


def _is_gray(rgb: NDArray[Any]) -> bool:
    """Whether every pixel has R = G = B."""
    return np.array_equal(rgb[..., 0], rgb[..., 1]) and np.array_equal(rgb[..., 1], rgb[..., 2])


def _alpha(values: NDArray[Any]) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Alpha as an integer plane; floats count as 16 bits."""
    if values.dtype.kind != "f":
        return np.ascontiguousarray(values)
    if not (values.min() >= 0 and values.max() <= 1):
        raise ImageError("an alpha value lies outside 0..1 or is not a number; scale it to 0..1")
    return quantize(values, 16)


def _kind(array: NDArray[Any]) -> str:
    """An array's type and shape, for an error line."""
    return f"{array.dtype} {array.shape}"
