"""Pictures too large to be coloured at once: whole slides and scans of a hundred megapixels, in bounded memory.

The picture is read twice, by bands of rows. First it is averaged to a small one, which is coloured as any other: so its
colours are those of one picture. From these each pixel gets its own along the edges of the large one, by a function of
its luminance that varies smoothly over the small picture. That function knows nothing of tiles, so there are no seams.
May import ``pipeline`` and below.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hybridcolor.encoding import TILE, suffix_of, write_tiff_tiles
from hybridcolor.errors import MethodError
from hybridcolor.files import writing_whole
from hybridcolor.groundwork import Groundwork, takes_prior
from hybridcolor.imagefiles import Bands, write_image, writing
from hybridcolor.memory import free_memory
from hybridcolor.painting import finished
from hybridcolor.picture import Picture
from hybridcolor.pipeline import colorize, usual_finish
from hybridcolor.resampling import GuidedFit, guided_fit, guided_plane_fit
from hybridcolor.seeds import Seeds

if TYPE_CHECKING:
    from hybridcolor.predict import Predictor

SMALL = 2_000_000
"""Pixels of the small picture."""
STREAMED = (".tif", ".tiff", ".ome.tif", ".ome.tiff")
"""Formats that are written tile by tile; of the others the result is first put together in memory."""
FINISHES = ("photo", "paint")
"""Ways of putting colour on that look at each pixel alone."""

TILES_FROM = 25_000_000
"""Pixels from which `hybridcolor colorize` goes by tiles where the result is nearly the same (`as_at_once`)."""
_AT_ONCE = {False: 100, True: 270}  # bytes a pixel that `colorize` takes at its peak, without and with scribbles

Told = Callable[[int, int], None]
"""Is told how many bands are done, and of how many."""


@dataclass(frozen=True, slots=True, eq=False)
class TiledColorization:
    """A picture's colours, to be brought to size tile by tile.

    Attributes
    ----------
    bands : Bands
        The picture.
    small : Picture
        It again, at about `SMALL` pixels.
    fit : GuidedFit
        a* and b* as a function of L* and place.
    lightness : GuidedFit or None
        The same, in its first channel, for the lightness of a `hybridcolor.Colorization`.
    scribbles : Seeds
        A person's, in the large picture.
    finish : str
        One of `FINISHES`.
    """

    bands: Bands
    small: Picture
    fit: GuidedFit
    lightness: GuidedFit | None
    scribbles: Seeds
    finish: str

    def tiles(self, progress: Told) -> Iterator[NDArray[Any]]:
        """The coloured picture in squares of `TILE`, by rows: (h, w, 3 or 4) RGB and alpha."""
        height, width = self.bands.shape
        for top in range(0, height, TILE):
            band = self.bands.read(top, min(top + TILE, height))
            for left in range(0, width, TILE):
                yield self._tile(band, top, left)
            progress(top // TILE + 1, -(-height // TILE))

    def _tile(self, band: Picture, top: int, left: int) -> NDArray[Any]:
        luminance = np.ascontiguousarray(band.luminance[:, left : left + TILE])
        window = slice(top, top + luminance.shape[0]), slice(left, left + luminance.shape[1])
        chroma = self.fit.at(luminance, window, self.bands.shape)
        row, column = (self.scribbles.coords - (top, left)).T
        here = (row >= 0) & (row < luminance.shape[0]) & (column >= 0) & (column < luminance.shape[1])
        here &= np.isinf(self.scribbles.weight)
        chroma[row[here], column[here]] = self.scribbles.ab[here]
        lightness = None
        if self.lightness is not None:
            lightness = self.lightness.at(luminance, window, self.bands.shape)[..., 0]
            lightness[row[here], column[here]] = self.scribbles.lightness[here]
        luminance = finished(luminance, chroma, finish=self.finish, lightness=lightness)
        rgb = Picture(luminance, bit_depth=band.bit_depth).to_rgb(chroma)
        return rgb if band.alpha is None else np.dstack([rgb, band.alpha[:, left : left + TILE]])


def as_at_once(predictor: Predictor | None, method: str) -> bool:
    """Whether by tiles, and without scribbles, a picture is coloured nearly as it is at once.

    It is where the network's colours are taken as they are: not where each region of a drawing is given one colour, nor
    where a method spreads seeds, which stops at edges that the small picture does not have.
    """
    return predictor is not None and not getattr(predictor, "paint", False) and takes_prior(method)


def pixels_in_memory(*, scribbles: bool) -> int:
    """How many pixels a picture may have to be coloured at once in free memory; a huge number if unknown."""
    free = free_memory()
    return 1 << 62 if free is None else free // _AT_ONCE[scribbles]


def colorize_bands(
    bands: Bands,
    *,
    predictor: Predictor | None = None,
    scribbles: Seeds | None = None,
    method: str = "hybrid",
    finish: str | None = None,
    progress: Told = lambda _done, _of: None,
    **wishes: float,
) -> TiledColorization:
    """As `hybridcolor.colorize`, for a picture that does not fit into memory in floating point.

    Without scribbles the colours are nearly those of `hybridcolor.colorize` where `as_at_once` says so. Scribbles are
    propagated in the small picture: their own pixels keep their colour exactly, but lines thinner than a pixel of the
    small picture do not stop them.

    Parameters
    ----------
    bands : Bands
        From `hybridcolor.imagefiles.open_bands`.
    predictor : Predictor, optional
        From `load_predictor`.
    scribbles : Seeds, optional
        What a person drew.
    method : str, optional
        A name in `hybridcolor.propagate.PROPAGATORS`.
    finish : str, optional
        One of `FINISHES`; the model's own if not given.
    progress : callable, optional
        See `Told`.
    **wishes
        ``vividness`` and ``caution``, as for `hybridcolor.colorize`.

    Raises
    ------
    ImageError
        If a band cannot be read.
    MethodError
        If the method is unknown, or the finish is none of `FINISHES`.
    SeedError
        As for `hybridcolor.colorize`.

    Examples
    --------
    >>> import tempfile
    >>> from hybridcolor.imagefiles import open_bands
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_image(Path(folder, "scan.tif"), np.full((600, 700), 120, np.uint8))
    ...     with open_bands(Path(folder, "scan.tif")) as bands:
    ...         result = colorize_bands(bands, scribbles=Seeds.of([[4, 4]], [[30.0, 20.0]]))
    ...         write_tiles(Path(folder, "out.tif"), result)
    """
    finish = finish or usual_finish(method, predictor)
    if finish not in FINISHES:
        raise MethodError(f"finish {finish!r} looks at more than a tile; by tiles there are {' and '.join(FINISHES)}")
    drawn = Seeds.empty() if scribbles is None else scribbles
    drawn.check_inside(bands.shape)
    small = _shrunk(bands, _small_shape(bands.shape, predictor), progress)
    moved = drawn.resized(bands.shape, small.shape)
    fit = _network_fit(small, predictor, method=method, wishes=wishes) if len(drawn) == 0 else None
    lightness = None
    if fit is None:
        settings: dict[str, Any] = {"predictor": predictor, "scribbles": moved, "method": method, **wishes}
        answer = colorize(small, finish=finish, **settings)
        fit = guided_fit(answer.chroma, small.luminance, cell=1)
        lightness = None if answer.lightness is None else guided_plane_fit(answer.lightness, small.luminance)
    return TiledColorization(bands, small, fit, lightness, drawn, finish)


def write_tiles(
    path: str | os.PathLike[str],
    result: TiledColorization,
    *,
    software: str = "",
    keep_private: bool = False,
    overwrite: bool = False,
    progress: Told = lambda _done, _of: None,
) -> None:
    """As `hybridcolor.pipeline.write_colorization`: `STREAMED` formats tile by tile, others as a whole.

    Raises
    ------
    ImageError
        If the file exists or cannot be written, or the picture cannot be read to its end; nothing is left then.
    """
    target = Path(path)
    small = result.small
    notes = replace(small.metadata if keep_private else small.metadata.public(), software=software)
    with writing(target, overwrite=overwrite):
        tiles = result.tiles(progress)
        first = next(tiles)
        height, width, channels = *result.bands.shape, first.shape[2]
        if suffix_of(target) in STREAMED:
            mark = b""
            if suffix_of(target).startswith(".ome"):
                mark = hashlib.sha256(b"".join(map(np.ndarray.tobytes, (small.luminance, *result.fit)))).digest()
            with writing_whole(target, overwrite=overwrite) as file:
                shape = (height, width, channels)
                write_tiff_tiles(file, chain([first], tiles), shape=shape, metadata=notes, mark=mark)
            return
        whole = np.empty((height, width, channels), first.dtype)
        places = ((top, left) for top in range(0, height, TILE) for left in range(0, width, TILE))
        for (top, left), tile in zip(places, chain([first], tiles), strict=True):
            whole[top : top + TILE, left : left + TILE] = tile
        alpha = np.ascontiguousarray(whole[..., 3]) if channels == 4 else None
        write_image(target, whole[..., :3], alpha=alpha, metadata=notes, keep_private=True, overwrite=overwrite)


def _small_shape(shape: tuple[int, int], predictor: Predictor | None) -> tuple[int, int]:
    """About `SMALL` pixels; whole multiples of the network's input, so that it sees what it would see of the whole."""
    scale = math.sqrt(SMALL / math.prod(shape))
    if scale >= 1:
        return shape
    units = getattr(predictor, "input_size", lambda _: (1, 1))(shape)
    times = [max(1, round(side * scale / unit)) * unit for side, unit in zip(shape, units, strict=True)]
    rows, columns = (min(side, many) for side, many in zip(shape, times, strict=True))
    return rows, columns


def _shrunk(bands: Bands, shape: tuple[int, int], progress: Told) -> Picture:
    """The picture at another size: every small pixel the mean L* of its area, summed up band by band."""
    height, (rows, columns) = bands.shape[0], shape
    share = rows / height
    total = np.zeros((rows + 1, columns))
    first = bands.read(0, 1)
    for top in range(0, height, TILE):
        band = bands.read(top, min(top + TILE, height)).luminance
        narrow = cv2.resize(band, (columns, len(band)), interpolation=cv2.INTER_AREA)
        start = np.arange(top, top + len(band)) * share
        index = start.astype(np.int64)
        below = np.clip(start + share - (index + 1), 0, None)[:, None]  # what of a row lies in the next small one
        np.add.at(total, index, narrow * (share - below))
        np.add.at(total, index + 1, narrow * below)
        progress(top // TILE + 1, -(-height // TILE))
    luminance = np.clip(total[:rows], 0, 100).astype(np.float32)
    return Picture(luminance, bit_depth=first.bit_depth, source=bands.source, metadata=first.metadata)


def _network_fit(
    small: Picture, predictor: Predictor | None, *, method: str, wishes: dict[str, float]
) -> GuidedFit | None:
    """The fit of the network's own grid, by which `colorize` brings it to size; None if there is more to it."""
    if not as_at_once(predictor, method):
        return None
    groundwork = Groundwork.of(small, predictor=predictor, method=method, scribbles=Seeds.empty(), **wishes)
    return guided_fit(groundwork.colours, small.luminance)
