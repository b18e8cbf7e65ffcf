"""Chrominance blending (Yatziv and Sapiro 2006): each pixel mixes the colours that are geodesically nearest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from hybridcolor.errors import MethodError, SeedError
from hybridcolor.propagate.blending import blend, differences
from hybridcolor.propagate.geodesic import NearestSources
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.spreading import GROUP
from hybridcolor.seeds import Seeds

QUANTA = 10.0
"""Quanta of geodesic length in one L*. A step on a plain picture costs one quantum, 0.1 L*."""
LONGEST_START = 10**6
"""Largest distance of a soft seed behind its pixel, in quanta."""
FINEST = 0.01
"""Smallest side of the squares of colour, in ab: 2^16 of them reach beyond any colour there is."""


def chrominance(
    luminance: NDArray[np.float32], seeds: Seeds, *, k: int = 3, power: float = 4.0, coarseness: float = 4.0
) -> Propagation:
    """Blend the k nearest chrominances, each with weight distance^-power.

    Distance is the luminance change along the best path, so colour runs freely within a surface and pays for
    crossing an edge.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    seeds : Seeds
        Hard seeds keep their colour. A soft seed of weight T lies behind its pixel at a distance of 1 / T steps on a
        plain picture.
    k : int, optional
        How many chrominances to blend, 1..16.
    power : float, optional
        Fall of the weight with distance, above 0. Larger is crisper.
    coarseness : float, optional
        Seed colours count as one chrominance where they fall into the same square of this side, in ab units, 0.01
        or more: the nearest stroke of them stands for it.

    Returns
    -------
    Propagation
        With ``label``, the stroke that is nearest.

    Raises
    ------
    MethodError
        If an option is out of range.

    References
    ----------
    .. [1] L. Yatziv, G. Sapiro, "Fast image and video colorization using chrominance blending", IEEE Transactions
       on Image Processing 15(5), 2006. https://doi.org/10.1109/TIP.2005.864231

    Examples
    --------
    >>> from hybridcolor.seeds import Seeds
    >>> luminance = np.array([[20, 20, 80, 80]], np.float32)
    >>> result = chrominance(luminance, Seeds.of([[0, 0], [0, 3]], [[40.0, 0.0], [0.0, 40.0]]))
    >>> result.chroma[0, 1].round(3).tolist(), result.label.tolist()
    ([40.0, 0.0], [[0, 0, 1, 1]])
    """
    state = ChrominanceState(luminance, k=k, power=power, coarseness=coarseness)
    state.set_seeds(seeds)
    return Propagation(state.chroma, label=state.label)


class ChrominanceState:
    """Chrominance blending that is kept up to date as seeds come and go.

    After any sequence of `set_seeds` the planes hold, byte for byte, what `chrominance` gives for the last seeds.
    The time goes by the pixels whose nearest chrominances change.

    Parameters
    ----------
    luminance, k, power, coarseness
        As for `chrominance`.

    Attributes
    ----------
    chroma : (H, W, 2) float32
        a* and b* of every pixel, for the last seeds. The next `set_seeds` writes into it.
    label : (H, W) int32
        Stroke that is nearest; -1 without seeds. The next `set_seeds` writes into it.
    changed : tuple of two slices
        Rows and columns outside of which the last `set_seeds` changed nothing.

    Examples
    --------
    >>> state = ChrominanceState(np.full((1, 5), 50, np.float32), k=1)
    >>> state.set_seeds(Seeds.of([[0, 0]], [[40.0, 0.0]]))
    >>> state.set_seeds(Seeds.of([[0, 0], [0, 4]], [[40.0, 0.0], [0.0, 40.0]]))
    >>> state.changed, state.label.tolist()
    ((slice(0, 1, None), slice(2, 5, None)), [[0, 0, 1, 1, 1]])
    """

    _seed_at: NDArray[np.int32]
    _ab: NDArray[np.float32]
    _stroke: NDArray[np.int32]

    def __init__(
        self, luminance: NDArray[np.float32], *, k: int = 3, power: float = 4.0, coarseness: float = 4.0
    ) -> None:
        if k not in range(1, 17):
            raise MethodError(f"k is {k}, expected a whole number of chrominances from 1 to 16")
        if not (np.isfinite(power) and power > 0):
            raise MethodError(f"power is {power}, expected a finite number above 0")
        if not (np.isfinite(coarseness) and coarseness >= FINEST):
            raise MethodError(f"coarseness is {coarseness}, expected a distance in ab of at least {FINEST}")
        self._levels = np.round(luminance * np.float32(QUANTA)).astype(np.int32)
        self._k, self._power, self._coarseness = k, float(power), float(coarseness)
        self._shape = int(luminance.shape[0]), int(luminance.shape[1])
        self.chroma: NDArray[np.float32] = np.empty((*self._shape, 2), np.float32)
        self.label: NDArray[np.int32] = np.empty(self._shape, np.int32)
        self._clear()

    def set_seeds(self, seeds: Seeds) -> None:
        """Bring chroma and label up to date with these seeds, working out what they change.

        Raises
        ------
        SeedError
            If a seed lies outside the picture.
        """
        height, width = self._shape
        seeds.check_inside((height, width))
        if len(seeds) == 0:
            self._clear()
            return
        pixels = seeds.coords[:, 0].astype(np.int64) * width + seeds.coords[:, 1]
        lengths = np.minimum(np.ceil(1.0 / seeds.weight.astype(np.float64)), LONGEST_START).astype(np.int64)
        ab = seeds.ab + np.float32(0)  # no negative zero: it would count as the same colour but not be the same bytes
        now = lengths, seeds.stroke, ab
        new, gone = differences(self._seed_at, pixels, now, (self._lengths, self._stroke, self._ab))
        numbers = np.zeros(len(seeds), np.int64)
        numbers[~new] = self._numbers[self._seed_at[pixels[~new]]]
        numbers[new] = self._numbered(ab[new], seeds.stroke[new])
        before, pixels_before = self._numbers, self._pixels
        recoloured = self._recolour(ab, pixels, numbers, np.concatenate([numbers[new], before[gone]]))
        away = np.zeros(len(self._nearest.tags), bool)
        away[recoloured] = True
        away[before[gone]] = True
        leaving = away[before]
        fresh = new | away[numbers]
        if leaving.any():
            touched = self._nearest.lay(pixels, numbers, lengths, gone=(away, pixels_before[leaving]))
        else:
            touched = self._nearest.lay(pixels[fresh], numbers[fresh], lengths[fresh])
        self._remember(pixels, lengths, numbers)
        self._ab, self._stroke = ab, seeds.stroke.copy()
        if touched is None:
            touched = np.arange(height * width)
        elif len(touched) < height * width:  # a seed that only changed its shade touches no row
            touched = np.concatenate([touched, pixels[new], pixels_before[gone]])
        self._paint(touched)

    def result(self) -> Propagation:
        """The propagation of the last seeds, in arrays of its own.

        Raises
        ------
        SeedError
            If there are no seeds.
        """
        if not len(self._pixels):
            raise SeedError("there is no seed to go by; draw at least one scribble")
        return Propagation(self.chroma.copy(), label=self.label.copy())

    def preview(self) -> Propagation:
        """The same as `result`: with this method the whole answer comes at once."""
        return self.result()

    def refine(self, _cancel: Callable[[], bool], /) -> Iterator[Propagation]:
        """The same as `result`, once."""
        yield self.result()

    def _clear(self) -> None:
        self._nearest = NearestSources(self._levels, self._k)
        self._number_of: dict[int, int] = {}
        self._unused: list[int] = []
        self._colours = np.zeros((1, 2), np.float32)
        self._pixels = self._lengths = self._numbers = np.empty(0, np.int64)
        self._ab = np.empty((0, 2), np.float32)
        self._stroke = np.empty(0, np.int32)
        self._seed_at = np.full(self.label.size, -1, np.int32)
        self.chroma[:] = 0
        self.label[:] = -1
        self.changed = slice(0, self._shape[0]), slice(0, self._shape[1])

    def _numbered(self, ab: NDArray[np.float32], stroke: NDArray[np.int32]) -> NDArray[np.int64]:
        """Source numbers: a source is one stroke's share of one square. Its tag does not depend on other sources."""
        squares = np.round(ab.astype(np.float64) / self._coarseness).clip(-(2**15), 2**15 - 1).astype(np.int64) + 2**15
        tags = (squares[:, 0] << 16 | squares[:, 1]) << GROUP | stroke
        distinct, which = np.unique(tags, return_inverse=True)
        numbers = np.empty(len(distinct), np.int64)
        for at, tag in enumerate(distinct.tolist()):
            if tag not in self._number_of:
                self._number_of[tag] = self._unused.pop() if self._unused else len(self._number_of) + 1
            numbers[at] = self._number_of[tag]
        more = len(self._number_of) + len(self._unused) + 1 - len(self._nearest.tags)
        if more > 0:
            self._nearest.tags = np.concatenate([self._nearest.tags, np.zeros(more, np.int64)])
            self._colours = np.concatenate([self._colours, np.full((more, 2), np.nan, np.float32)])
        self._nearest.tags[numbers] = distinct
        numbered: NDArray[np.int64] = numbers[which.reshape(-1)]
        return numbered

    def _recolour(
        self,
        ab: NDArray[np.float32],
        pixels: NDArray[np.int64],
        numbers: NDArray[np.int64],
        changed: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Give changed sources the mean colour of their seeds; returns those whose colour this changes."""
        chosen = np.zeros(len(self._colours), bool)
        chosen[changed] = True
        (of_chosen,) = np.nonzero(chosen[numbers])
        of_chosen = of_chosen[np.argsort(pixels[of_chosen])]  # a sum in one order, whatever the order of the seeds
        mine = numbers[of_chosen]
        count = np.bincount(mine, minlength=len(chosen))
        chosen &= count > 0
        means = [np.bincount(mine, ab[of_chosen, c], len(chosen))[chosen] / count[chosen] for c in (0, 1)]
        colours = np.stack(means, axis=1).astype(np.float32)
        other = (colours != self._colours[chosen]).any(axis=1)
        self._colours[chosen] = colours
        recoloured: NDArray[np.int64] = np.nonzero(chosen)[0][other]
        return recoloured

    def _remember(self, pixels: NDArray[np.int64], lengths: NDArray[np.int64], numbers: NDArray[np.int64]) -> None:
        """Keep the seeds to compare the next ones with, and free the numbers that no seed has any more."""
        self._seed_at[self._pixels] = -1
        self._seed_at[pixels] = np.arange(len(pixels))
        used = [np.bincount(each, minlength=len(self._colours)) > 0 for each in (self._numbers, numbers)]
        (left,) = np.nonzero(used[0] & ~used[1])
        for number in left.tolist():
            del self._number_of[int(self._nearest.tags[number])]
        self._unused += left.tolist()
        self._colours[left] = np.nan
        self._pixels, self._lengths, self._numbers = pixels, lengths, numbers

    def _paint(self, pixels: NDArray[np.int64]) -> None:
        """Colour and label of some pixels, or of all."""
        top, bottom, left, right = blend(
            (self._nearest.distance, self._nearest.source),
            (self._colours, (self._nearest.tags & (2**GROUP - 1)).astype(np.int32)),
            self._power, (self._seed_at, self._ab), pixels, (self.chroma, self.label),
        )  # fmt: skip
        # Where nothing changed the first row and column are beyond the last ones: then both slices are empty.
        self.changed = slice(min(top, bottom + 1), bottom + 1), slice(min(left, right + 1), right + 1)
