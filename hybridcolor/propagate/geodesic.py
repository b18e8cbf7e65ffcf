"""The k nearest sources of every pixel by luminance-gradient geodesic distance, kept up to date as sources change.

A step between 4-neighbours p and q costs |Y_p - Y_q| + 1 in whole quanta of luminance, so a path's length is the
luminance change met along it plus a little for every step. Sources of one group compete: of each group only the
nearest counts, and the k nearest groups are kept, ties going to the lower tag. The answer is the one fixed point of
these rules. It depends only on the current sources, not on the order of earlier changes.

The search itself is compiled, in `spreading`; `chrominance` uses this class.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hybridcolor.propagate import spreading
from hybridcolor.propagate.spreading import CHUNK, FAR, LAPS, LEVEL_BITS, SPAN, SPAN_BITS, TOUCHED, Field, Queue

TILE = 64
"""Side of a tile, in pixels; its rows fit the L2 cache. Twice that is about as fast."""
CHUNKS = 4096
"""Chunks of the queue to begin with; it doubles when they are used up."""


class NearestSources:
    """Distance to, and number of, the nearest source of each of the k nearest groups, for every pixel.

    Sources are numbered from 1. A source is any set of pixels, each with a starting distance of its own.

    Parameters
    ----------
    levels : (H, W) int32
        Luminance in quanta, 0..1023.
    k : int
        Groups to keep.

    Attributes
    ----------
    tags : (S + 1,) int64
        Of each source number ``group << GROUP | rank``, and -1 for number 0, which is no source. To be set before `lay`
        is given a new number.
    distance, source : (H, W, k) int32
        In quanta, and numbers; nearest first. Where there are fewer groups than k, the source is 0 and the distance
        `FAR`. Views, not to be written to.

    Examples
    --------
    >>> from hybridcolor.propagate.spreading import GROUP
    >>> nearest = NearestSources(np.array([[0, 0, 5, 5]], np.int32), 2)
    >>> nearest.tags = np.array([-1, 0 << GROUP, 1 << GROUP])  # two sources, each a group of its own
    >>> nearest.lay(np.array([0, 3]), np.array([1, 2]), np.array([0, 0]))
    >>> nearest.distance[0].tolist(), nearest.source[0, :, 0].tolist()
    ([[0, 8], [1, 7], [1, 7], [0, 8]], [1, 1, 2, 2])
    """

    def __init__(self, levels: NDArray[np.int32], k: int) -> None:
        height, width = levels.shape
        self.shape = height, width
        self.tags = np.array([-1], np.int64)
        self._k = k
        down, across = -(-height // TILE), -(-width // TILE)
        self._tiles = down * across
        tile = np.arange(height)[:, None] // TILE * across + np.arange(width) // TILE
        rows = np.zeros((height + 2, width + 2, 2 * k + 2), np.int32)  # laid out as `spreading` says
        rows[..., 1] = -1  # so near that the border takes nothing
        self._inside = rows[1:-1, 1:-1]
        self._inside[..., 0] = (tile << LEVEL_BITS) + levels
        self._inside[..., 1 : k + 1] = FAR
        self._rows = rows
        self.distance = self._inside[..., k:0:-1]
        self.source = self._inside[..., k + 1 : 2 * k + 1]
        self._now = 0  # how often `lay` was called

    def lay(
        self,
        pixels: NDArray[np.int64],
        numbers: NDArray[np.int64],
        lengths: NDArray[np.int64],
        *,
        gone: tuple[NDArray[np.bool_], NDArray[np.int64]] | None = None,
    ) -> NDArray[np.int64] | None:
        """Take away the sources that are ``gone``, lay others, and spread them.

        Parameters
        ----------
        pixels, numbers, lengths : (N,) int64
            Flat pixel, source number and starting distance of every seed that is new; if sources are gone, also of
            those that stay.
        gone : ((S + 1,) bool, (M,) int64), optional
            Whether each source number is to be taken away, and the flat pixels where those sources were laid.

        Returns
        -------
        (T,) int64 or None
            Flat pixels whose sources or distances may have changed, in no order; None the first time: all.
        """
        first = self._now == 0
        self._now += 1
        touched = np.empty(0 if first else self.shape[0] * self.shape[1], np.int32)
        if first:
            self._inside[..., -1] = self._now  # all rows count as touched already, so the kernels list none
        field = Field(
            rows=self._rows.reshape(-1),
            tags=self.tags,
            k=self._k,
            stride=self._rows.shape[2],
            pitch=self._rows[0].size,
            tiles=self._tiles,
            now=self._now,
            touched=touched,
        )
        queue = _queue(SPAN + LAPS * self._tiles, CHUNKS)
        parts = []
        if gone is not None:
            away, where = gone
            spreading.withdraw(field, queue, self._places(where), away)
            parts += _refilled(field, queue)
        starts = np.empty((len(pixels), 3), np.int64)
        parts.append(starts[: spreading.enter(field, queue, self._places(pixels), numbers, lengths, starts)])
        starts = np.concatenate(parts)
        starts = starts[np.argsort(starts[:, 2] >> SPAN_BITS, kind="stable")]
        while not spreading.spread(field, queue, starts):
            queue = _larger(queue)
        return None if first else self._pixels(touched[: queue.state[TOUCHED]])

    def _places(self, pixels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the rows of flat pixels begin in the kernels' array."""
        row, column = np.divmod(pixels, self.shape[1])
        places: NDArray[np.int64] = ((row + 1) * self._rows.shape[1] + column + 1) * self._rows.shape[2]
        return places

    def _pixels(self, places: NDArray[np.int32]) -> NDArray[np.int64]:
        """The flat pixels of rows that begin there."""
        row, column = np.divmod(places // self._rows.shape[2], self._rows.shape[1])
        pixels: NDArray[np.int64] = (row.astype(np.int64) - 1) * self.shape[1] + column - 1
        return pixels


def _refilled(field: Field, queue: Queue) -> list[NDArray[np.int64]]:
    """Fill the rows that lost sources from their neighbours; what was entered, as `spreading.spread` takes it."""
    parts = []
    begin, end = 0, int(queue.state[TOUCHED])
    while begin < end:
        starts = np.empty((1 << 16, 3), np.int64)
        begin, taken = spreading.refill(field, begin, end, starts)
        parts.append(starts[:taken])
    return parts


def _queue(lists: int, chunks: int) -> Queue:
    """An empty queue. Chunk 0 stays unused, as a tail of 0 means an empty list."""
    return Queue(
        tail=np.zeros(lists, np.int64),
        first=np.full(lists, -1, np.int32),
        link=np.empty(chunks, np.int32),
        entries=np.empty(chunks * CHUNK, np.int64),
        state=np.array([-1, 1, 0, 0, 0, 0, -1]),  # no free chunk, chunk 0 used, no tile under way
        scratch=np.empty((3, 3 * CHUNK + 1), np.int64),
    )


def _larger(queue: Queue) -> Queue:
    """A queue with the same entries, and room for twice as many chunks."""
    chunks = len(queue.link)
    link, entries = np.empty(2 * chunks, np.int32), np.empty(2 * chunks * CHUNK, np.int64)
    link[:chunks], entries[: chunks * CHUNK] = queue.link, queue.entries
    return queue._replace(link=link, entries=entries)
