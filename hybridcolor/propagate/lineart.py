"""Line-art propagation: each pixel goes to the stroke from which the largest ball can roll to it.

Gaps in the lines need no closing and no size given: where two strokes could both flow in, the narrowest passage parts
them, as in trapped-ball segmentation, here for all ball sizes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from hybridcolor.errors import SeedError
from hybridcolor.propagate.held_flood import HeldFlood
from hybridcolor.propagate.propagation import Propagation
from hybridcolor.propagate.relief import SILL, relief, rooms
from hybridcolor.propagate.rolling import Rolling
from hybridcolor.propagate.strokes import typical
from hybridcolor.seeds import Seeds
from hybridcolor.tones import TONE


def lineart(luminance: NDArray[np.float32], seeds: Seeds, *, tone: int = TONE) -> Propagation:
    r"""Fill drawings region by region, over gaps in their lines and under the lines to their middle.

    With :math:`d` the distance to the nearest line, the relief :math:`-d` is flooded from the strokes (Meyer): a pixel
    goes to the stroke from which a path leads to it whose narrowest place is widest. Lines are flooded last, from both
    sides, so no white fringe is left.

    Parameters
    ----------
    luminance : (H, W) float32
        L* in 0..100.
    seeds : Seeds
        Hard ones keep their own colour. The tail of a stroke that slips over a line into another's region fills
        nothing there. A region without a stroke is filled through its widest gap: give paper a stroke of gray.
    tone : int, optional
        Dots of at most this size, and dots and strokes of hatching of at most this distance, in pixels, are tone and no
        lines; less in pictures whose shorter side is not 40 times as long, 0 for none.

    Returns
    -------
    Propagation
        With ``label``, the stroke each pixel belongs to.

    Raises
    ------
    SeedError
        If there are no seeds.

    Notes
    -----
    docs/manga.md has the figures.

    References
    ----------
    .. [1] S.-H. Zhang et al., "Vectorizing cartoon animations", IEEE TVCG 15(4), 2009 (trapped-ball segmentation).
       https://doi.org/10.1109/TVCG.2009.9
    .. [2] F. Meyer, "Color image segmentation", Int. Conf. on Image Processing and its Applications, 1992.

    Examples
    --------
    >>> luminance = np.full((9, 21), 100, np.float32)
    >>> luminance[:, 10] = 0
    >>> luminance[4, 10] = 100  # a gap
    >>> seeds = Seeds.of([[4, 2], [4, 18]], [[40.0, 0.0], [0.0, 40.0]])
    >>> lineart(luminance, seeds).label[4].tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    state = LineartState(luminance, tone=tone)
    state.set_seeds(seeds)
    return state.preview()


class LineartState:
    """The method `lineart` held open: lines and tones are found once, and a stroke refills only what it changes.

    Parameters
    ----------
    luminance, tone
        As for `lineart`.

    Examples
    --------
    >>> state = LineartState(np.full((1, 8), 100, np.float32))
    >>> for seeds in (Seeds.of([[0, 0]], [9, 0], stroke=1), Seeds.of([[0, 0], [0, 7]], [9, 0], stroke=[1, 2])):
    ...     state.set_seeds(seeds)
    ...     print(state.preview().label[0])
    [1 1 1 1 1 1 1 1]
    [1 1 1 1 2 2 2 2]
    """

    def __init__(self, luminance: NDArray[np.float32], *, tone: int = TONE) -> None:
        self._hold(relief(luminance, tone), SILL)

    def _hold(self, levels: NDArray[np.uint16], gap: float) -> None:
        self._rooms = rooms(levels, gap)
        self._flood, self._rolling = HeldFlood(levels), Rolling(levels)
        self._seeds = Seeds.empty()
        self._known = np.zeros(0, np.int32)
        self._colour = np.zeros((1, 2), np.float32)
        self._hard = np.zeros(0, np.int64)
        self._answer: Propagation | None = None
        self._is_current = False

    def set_seeds(self, seeds: Seeds) -> None:
        """Take a new set of seeds."""
        self._seeds, self._is_current = seeds, False

    def set_prior(self, prior: NDArray[np.float32]) -> None:
        """Ignore it: the method has no use for a prior."""

    def preview(self) -> Propagation:
        """The answer: the same as if all were filled anew.

        Raises
        ------
        SeedError
            If there are no seeds.
        """
        if len(self._seeds) == 0:
            raise SeedError("there is no seed to go by; draw at least one scribble")
        if self._answer is None or not self._is_current:
            self._answer, self._is_current = self._filled(self._seeds), True
        return self._answer

    def refine(self, _cancel: Callable[[], bool], /) -> Iterator[Propagation]:
        """The answer, once."""
        yield self.preview()

    def _filled(self, seeds: Seeds) -> Propagation:
        """Fill from the strokes that are in their own rooms (see `at_home`), wherever in them they were drawn."""
        kept = seeds.take(at_home(seeds, self._rooms))
        number = self._numbered(kept.stroke)
        before, self._colour = self._colour, self._coloured(kept, number)
        count = min(len(before), len(self._colour))
        recoloured = np.flatnonzero((before[:count] != self._colour[:count]).any(axis=1))
        marks = self._marks(self._flat(kept.coords), number)
        return self._painted(self._flood.update(*marks, recoloured), seeds)

    def _marks(
        self, place: NDArray[np.int64], number: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self._rolling.reached(place, number)

    def _flat(self, coords: NDArray[np.int32]) -> NDArray[np.int64]:
        flat: NDArray[np.int64] = coords[:, 0].astype(np.int64) * self._rooms.shape[1] + coords[:, 1]
        return flat

    def _numbered(self, stroke: NDArray[np.int32]) -> NDArray[np.int64]:
        """The marker of each seed.

        Markers are in the order of the strokes' ids, which settles ties. They keep their numbers until a new stroke's
        id comes before a known one.
        """
        new = np.setdiff1d(stroke, self._known)
        if len(new) and len(self._known) and new[0] < self._known[-1]:
            self._known = np.unique(stroke)
            self._flood.forget()
        else:
            self._known = np.concatenate([self._known, new])
        return np.asarray(np.searchsorted(self._known, stroke) + 1, np.int64)

    def _coloured(self, seeds: Seeds, number: NDArray[np.int64]) -> NDArray[np.float32]:
        """The colour of each marker."""
        markers, group = np.unique(number, return_inverse=True)
        colour = np.zeros((len(self._known) + 1, 2), np.float32)
        colour[markers] = seeds.ab[typical(seeds.ab, seeds.weight, group.reshape(-1))]
        return colour

    def _painted(self, changed: NDArray[np.int64] | None, seeds: Seeds) -> Propagation:
        """Each pixel in its marker's colour; hard seeds keep their own colour and stroke."""
        shape = self._rooms.shape
        stroke = np.concatenate([np.zeros(1, np.int32), self._known])  # there is no marker 0
        colour = self._colour.view(np.complex64).ravel()
        if changed is None or self._answer is None or self._answer.label is None:
            label, chroma = self._flood.look_up(stroke), self._flood.look_up(colour)
        else:
            changed = np.concatenate([changed, self._hard])
            owner = self._flood.at(changed)
            label, chroma = self._answer.label.flatten(), self._answer.chroma.view(np.complex64).flatten()
            label[changed], chroma[changed] = stroke[owner], colour[owner]
        hard = np.isinf(seeds.weight)
        self._hard = self._flat(seeds.coords[hard])
        label[self._hard] = seeds.stroke[hard]
        chroma[self._hard] = np.ascontiguousarray(seeds.ab[hard]).view(np.complex64).ravel()
        return Propagation(chroma.view(np.float32).reshape(*shape, 2), label=label.reshape(shape))


def at_home(seeds: Seeds, room: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which seeds count: not the tail of a stroke that slipped into a room where another stroke is at home.

    A stroke is at home in the room where most of it is, and in those where it is at least half as much.

    Parameters
    ----------
    seeds : Seeds
    room : (H, W) int32
        As `rooms` numbers them.

    Returns
    -------
    (N,) bool

    Examples
    --------
    >>> room = np.array([[1, 1, 1, 0, 2, 2]], np.int32)
    >>> seeds = Seeds.of([[0, j] for j in range(6)], [1, 1], stroke=[1, 1, 1, 1, 1, 2])
    >>> at_home(seeds, room).tolist()
    [True, True, True, True, False, True]
    """
    where = room[tuple(seeds.coords.T)].astype(np.int64)
    pairs, pair, count = np.unique(seeds.stroke.astype(np.int64) << 32 | where, return_inverse=True, return_counts=True)
    stroke, place = pairs >> 32, pairs & 0xFFFFFFFF
    count[place == 0] = 0
    first = np.flatnonzero(np.diff(stroke, prepend=-1))
    most = np.repeat(np.maximum.reduceat(count, first), np.diff(first, append=len(stroke))) if len(first) else count
    home = 2 * count >= most
    claimed = np.isin(place, place[home & (count > 0)])
    return np.asarray((home | ~claimed)[pair.reshape(-1)])
