"""A coloured drawing in layers, as colorists go on from it: flat colours, the shade of its tones, and its lines.

`write_layers` writes them, as OpenRaster (``openraster``) or as a Photoshop document (``photoshop``). May import
``picture``, ``painting`` and below, and ``files``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybridcolor.errors import ImageError
from hybridcolor.files import write_whole
from hybridcolor.lab import eight_bits
from hybridcolor.painting import drawn_parts, lightest_tint, on_paper
from hybridcolor.picture import Picture

SUFFIXES = (".ora", ".psd")
"""File name endings of layered files."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One picture of a stack.

    Attributes
    ----------
    name : str
    pixels : (H, W, 3) uint8
        sRGB.
    multiply : bool
        Whether it darkens what lies below it, instead of covering it.
    """

    name: str
    pixels: NDArray[np.uint8]
    multiply: bool


def is_layered(path: str | os.PathLike[str]) -> bool:
    """Whether a file of this name gets layers.

    Examples
    --------
    >>> is_layered("page.ora"), is_layered("PAGE.PSD"), is_layered("page.png")
    (True, True, False)
    """
    return os.fspath(path).lower().endswith(SUFFIXES)


def drawing_layers(
    picture: Picture,
    chroma: NDArray[np.float32],
    *,
    finish: str = "paint",
    tint: float = 0.0,
    lightness: NDArray[np.float32] | None = None,
) -> list[Layer]:
    """The layers of a coloured drawing, the lowest first.

    Parameters
    ----------
    picture : Picture
    chroma : (H, W, 2) float32
        The a* and b* of its colours.
    finish, tint, lightness
        As for `hybridcolor.painting.finished`.

    Returns
    -------
    list of Layer
        "colours", as they are on blank paper; with the finishes "tone" and "pattern" "shade"; and "lines", which is the
        whole drawing where no shade has been taken from it.

    Examples
    --------
    >>> page = Picture.from_array(np.full((4, 4), 255, np.uint8))
    >>> [layer.name for layer in drawing_layers(page, np.zeros((4, 4, 2), np.float32), finish="tone")]
    ['colours', 'shade', 'lines']
    """
    colours = Picture(on_paper(chroma, lightness)).to_rgb(chroma)
    parts = drawn_parts(picture.luminance, finish)
    grays = {"lines": picture.luminance} if parts is None else {"shade": parts.shade, "lines": parts.lines}
    grays["lines"] = np.maximum(grays["lines"], 100 * lightest_tint(chroma, tint))
    stack = [Layer("colours", eight_bits(colours), multiply=False)]
    return stack + [Layer(name, eight_bits(Picture(gray).to_rgb()), multiply=True) for name, gray in grays.items()]


def merged(layers: list[Layer]) -> NDArray[np.uint8]:
    """(H, W, 3) what is seen of a stack; its lowest layer covers.

    Examples
    --------
    >>> gray = np.full((1, 1, 3), 128, np.uint8)
    >>> merged([Layer("a", gray, False), Layer("b", gray, True)])[0, 0].tolist()
    [64, 64, 64]
    """
    seen = layers[0].pixels
    for layer in layers[1:]:
        seen = (
            ((seen.astype(np.uint16) * layer.pixels + 127) // 255).astype(np.uint8) if layer.multiply else layer.pixels
        )
    return seen


def write_layers(path: str | os.PathLike[str], layers: list[Layer], *, overwrite: bool = False) -> None:
    """Write a stack of layers, whole or not at all. The same layers give the same bytes.

    Parameters
    ----------
    path : path-like
        Ending in one of `SUFFIXES`.
    layers : list of Layer
        Of one size, the lowest first.
    overwrite : bool, optional
        Replace a file that exists.

    Raises
    ------
    ImageError
        If the file exists or cannot be written, or the library that writes it is not installed.
    """
    from hybridcolor.layers.openraster import encode_openraster
    from hybridcolor.layers.photoshop import encode_photoshop

    encode = encode_photoshop if Path(path).suffix.lower() == ".psd" else encode_openraster
    try:
        write_whole(Path(path), encode(layers), overwrite=overwrite)
    except FileExistsError as error:
        raise ImageError(f"{path}: exists already; choose another name or pass --overwrite") from error
    except OSError as error:
        raise ImageError(f"{path}: cannot be written ({error.strerror}); choose another folder") from error
