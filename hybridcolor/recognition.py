"""Colours of an earlier page, carried to the next by what the network sees in its regions.

A chapter keeps its palette: the coat that was red is red again. `Palette.of` reads the regions of a coloured page,
`Palette.carried` finds those of another page that are like them. May import ``page`` and below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from hybridcolor.discs import disc
from hybridcolor.errors import ImageError, MethodError
from hybridcolor.page import PageReading
from hybridcolor.painting import on_paper
from hybridcolor.picture import Picture
from hybridcolor.seeds import FULL_LIGHTNESS

LIKE = 0.85
"""Cosine of the features of two regions from which on they may be one thing."""
RATIO = 0.8
"""Ratio test (D. G. Lowe, IJCV 2004, doi 10.1023/B:VISI.0000029664.99615.94): the distance of the best match is at most
this share of the distance of the next best of another colour."""
APART = 15.0
"""ab units from which on two colours count as different."""
_LIGHT = 4.0  # L* up to which paint is as light as its colour can be: scans are a little darker
_DARKEST = 30.0  # L* of paint below which only ink is
_STROKE = 0.012  # width of a line at most, as a share of the shorter side


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """The regions of coloured pages.

    Attributes
    ----------
    features : (N, C) float32
        What a network's encoder makes of each (`PageReading.features`).
    ab : (N, 2) float32
        Their colours.
    lightness : (N,) float32
        L* of those on blank paper (`hybridcolor.painting.finished`).
    """

    features: NDArray[np.float32]
    ab: NDArray[np.float32]
    lightness: NDArray[np.float32]

    @classmethod
    def of(cls, picture: Picture, predictor: Any, *, drawing: NDArray[np.float32] | None = None) -> Palette:
        """The palette of a coloured page.

        Parameters
        ----------
        picture : Picture
            In colour.
        drawing : (H, W) float32, optional
            L* of the page before it was coloured; found by `uncoloured` if not given.
        predictor : hybridcolor.predict.NetworkPredictor
            A model of drawings, the same as for the next pages.

        Raises
        ------
        ImageError
            If the page has no colours.
        MethodError
            If the model is not one of drawings.
        """
        if picture.chroma is None:
            raise ImageError("the page to take the palette from has no colours; give one that is coloured")
        if not (getattr(predictor, "paint", False) and getattr(predictor, "takes_hints", False)):
            raise MethodError("a palette is carried by a model of drawings; use --model lineart")
        drawing = uncoloured(picture.luminance) if drawing is None else drawing
        reading = PageReading(predictor.read, drawing)
        page, paper = reading.page, drawing > 80
        count = int(page.region.max()) + 1
        size = np.bincount(page.region.ravel(), paper.ravel(), minlength=count)
        painted = np.dstack([picture.chroma, picture.luminance])[paper]
        total = [np.bincount(page.region[paper], values, minlength=count) for values in painted.T]
        seen, covered = reading.features()
        kept = covered & (size > 0)
        mean = (np.stack(total, axis=1)[kept] / size[kept, None]).astype(np.float32)
        lightest = on_paper(mean[:, None, :2])[:, 0]
        return cls(seen[kept], mean[:, :2], np.where(mean[:, 2] > lightest - _LIGHT, FULL_LIGHTNESS, mean[:, 2]))

    def carried(self, reading: PageReading) -> Carried:
        """Which regions of another page are like one of these, and in which colour.

        Parameters
        ----------
        reading : PageReading
            By the same model.

        Returns
        -------
        Carried
        """
        seen, covered = reading.features()
        known, best_of = np.zeros(len(seen), bool), np.zeros(len(seen), np.intp)
        if len(self.ab) == 0:
            return Carried(known, np.zeros((len(seen), 2), np.float32), np.zeros(len(seen), np.float32))
        others = np.hypot(*(self.ab[:, None] - self.ab[None]).transpose(2, 0, 1)) > APART
        for number in np.flatnonzero(covered):
            likeness = self.features @ seen[number]
            best = int(likeness.argmax())
            next_best = likeness[others[best]].max(initial=-1.0)
            known[number] = likeness[best] >= LIKE and 1 - likeness[best] <= RATIO * (1 - next_best)
            best_of[number] = best
        return Carried(known, self.ab[best_of], self.lightness[best_of])


class Carried(NamedTuple):
    """For each region of a page, (R,), whether its colour is known, its a* and b*, (R, 2), and its lightness."""

    known: NDArray[np.bool_]
    ab: NDArray[np.float32]
    lightness: NDArray[np.float32]


def uncoloured(luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    """The drawing under a coloured page: white wherever there is paint, however dark.

    Parameters
    ----------
    luminance : (H, W) float32
        L* of the coloured page.

    Examples
    --------
    >>> page = np.full((60, 60), 45, np.float32)
    >>> page[30] = 0
    >>> uncoloured(page)[[10, 30], 20].tolist()
    [100.0, 0.0]
    """
    wide = disc(max(3, round(_STROKE * min(luminance.shape))))
    paint = cv2.morphologyEx(luminance, cv2.MORPH_CLOSE, wide, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(100 * np.minimum(luminance / np.maximum(paint, np.float32(_DARKEST)), 1), np.float32)
