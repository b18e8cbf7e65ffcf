"""Kernels of `hybridcolor.propagate.geodesic`: Dijkstra over tiles, with the k nearest sources of every pixel.

A pixel is one row of 2 k + 2 whole numbers: its tile and level in one, the k distances from the farthest to the
nearest, the k sources from the nearest to the farthest, and when it was last touched. So the two numbers that refuse
most sources, level and farthest distance, lie side by side, and the row in one line of cache.

The queue is a set of lists of chunks. One *inbox* for each tile and each of the next `LAPS` windows of length takes
what other tiles or earlier windows send; `SPAN` lists, one for each length in the window, serve the tile at hand.
A tile is worked off by rising length while its rows are in the cache, again if a neighbour sends something shorter.
A row keeps the k best by (distance, tag), whatever the order of arrival: the answer is a fixed point that does not
depend on tiles or windows.

A chunk is worked off in three sweeps: which entries still hold, which neighbours may want them, which take them. The
first two have no branches that the processor could mispredict.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

FAR = 2**31 - 1
"""Distance in a slot that has no source yet; the source's number is 0 there."""
# The sizes below are powers of two, as a shift costs nothing and a division of signed numbers a lot.
LEVEL_BITS = 10
"""Bits of a level of luminance; the tile's number is kept above them."""
LEVEL = 2**LEVEL_BITS - 1
SPAN_BITS = 8
SPAN = 2**SPAN_BITS
"""Lengths in a window."""
LAPS = 8
"""Windows ahead of the present one. A step is at most 2^LEVEL_BITS quanta, at most LAPS - 2 windows."""
CHUNK_BITS = 5
CHUNK = 2**CHUNK_BITS
GROUP = 31
"""Bits of a tag below its group."""
FREE, USED, SPARE, TOUCHED, WINDOW, BEGUN, UNDER_WAY = range(7)
"""What `Queue.state` holds: the first free chunk, how many chunks were ever used, and how many of these are free; how
many rows are touched; and where `spread` is, by the start of the window, the starts begun, and the tile."""
_NUMBER, _PLACE = 2**28 - 1, 2**33 - 1  # masks of the parts of an entry, see `Queue`
_ROOM = 4 * CHUNK
"""Chunks that must be free before a chunk is worked off."""

# Kernels that own no memory. Counting references to their arrays, atomically at every call, took most of the time.
_options: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}
_kernel: Any = njit(**_options)


class Field(NamedTuple):
    """The pixels, one border pixel around the picture that takes nothing, and what is known of the sources."""

    rows: NDArray[np.int32]
    """(pixels * stride,)"""
    tags: NDArray[np.int64]
    """Group and rank of each source number; of equal distances the lower tag is nearer."""
    k: int
    stride: int
    """Whole numbers from one pixel to the next."""
    pitch: int
    """Whole numbers from one line of pixels to the next."""
    tiles: int
    now: int
    """What marks a row as touched in this run."""
    touched: NDArray[np.int32]
    """Places of the rows touched in this run, as many as `Queue.state` says."""


class Queue(NamedTuple):
    """Lists of entries. An entry is place << 30 | source number << 2 | the side that it came from."""

    tail: NDArray[np.int64]
    """Where the next entry of each list goes; 0 if the list is empty."""
    first: NDArray[np.int32]
    link: NDArray[np.int32]
    """The next chunk of the same list, or of the free ones; -1 at the end."""
    entries: NDArray[np.int64]
    state: NDArray[np.int64]
    """(7,), see `FREE` to `UNDER_WAY`."""
    scratch: NDArray[np.int64]
    """(3, 3 * CHUNK + 1)"""


@_kernel
def _room(queue):  # type: ignore[no-untyped-def]
    """How many chunks are free."""
    return len(queue.link) - queue.state[USED] + queue.state[SPARE]


@_kernel
def _push(queue, where, entry):  # type: ignore[no-untyped-def]
    """Append an entry to a list; the caller has made sure of `_room`."""
    at = queue.tail[where]
    if at & (CHUNK - 1) == 0:
        chunk = queue.state[FREE]
        if chunk >= 0:
            queue.state[FREE] = queue.link[chunk]
            queue.state[SPARE] -= 1
        else:
            chunk = queue.state[USED]
            queue.state[USED] += 1
        queue.link[chunk] = -1
        if at == 0:
            queue.first[where] = chunk
        else:
            queue.link[(at >> CHUNK_BITS) - 1] = chunk
        at = chunk << CHUNK_BITS
    queue.entries[at] = entry
    queue.tail[where] = at + 1


@_kernel
def _free(queue, chunk):  # type: ignore[no-untyped-def]
    """Put a chunk among the free ones."""
    queue.link[chunk] = queue.state[FREE]
    queue.state[FREE] = chunk
    queue.state[SPARE] += 1


@_kernel
def _touch(field, queue, place):  # type: ignore[no-untyped-def]
    """List a row as touched, unless it is already."""
    mark = place + 2 * field.k + 1
    if field.rows[mark] != field.now:
        field.rows[mark] = field.now
        field.touched[queue.state[TOUCHED]] = place
        queue.state[TOUCHED] += 1


@_kernel
def _insert(field, place, number, length):  # type: ignore[no-untyped-def]
    """Enter a source into a row if it is among the k best by (distance, tag), one of each group. True if it was."""
    rows, tags, k = field.rows, field.tags, field.k
    tag = tags[number]
    group = tag >> GROUP
    far, near = place + k, place + k + 1
    slot = 0
    while slot < k:
        held = tags[rows[near + slot]]
        distance = rows[far - slot]
        if length < distance or (length == distance and tag < held):
            break
        if held >> GROUP == group:
            return False  # its group is there already, nearer or with a lower tag
        slot += 1
    if slot == k:
        return False
    while slot < k:  # what is farther moves on, up to the end or to where its own group was
        distance, held = rows[far - slot], rows[near + slot]
        rows[far - slot], rows[near + slot] = length, number
        if tags[held] >> GROUP == group:
            break
        length, number = distance, held
        slot += 1
    return True


@_kernel
def _sort_inbox(field, queue, inbox, start):  # type: ignore[no-untyped-def]
    """Deal a tile's inbox out by length, dropping what has been bettered. False if there is no room to."""
    rows, k = field.rows, field.k
    chunk = np.int64(queue.first[inbox]) if queue.tail[inbox] > 0 else -1
    while chunk >= 0:
        if _room(queue) < _ROOM:
            queue.first[inbox] = chunk
            return False
        after = np.int64(queue.link[chunk])
        end = (chunk + 1) << CHUNK_BITS if after >= 0 else queue.tail[inbox]
        for at in range(chunk << CHUNK_BITS, end):
            entry = queue.entries[at]
            place, number = entry >> 30, (entry >> 2) & _NUMBER
            for slot in range(k):
                length = rows[place + k - slot]
                if rows[place + k + 1 + slot] == number and length >= start:
                    _push(queue, length - start, entry)
        _free(queue, chunk)
        chunk = after
    queue.tail[inbox] = 0
    return True


@_kernel
def _work_off(field, queue, chunk, count, length, tile, start):  # type: ignore[no-untyped-def]
    """Spread the entries of one chunk, all of one length, to their neighbours."""
    rows, k, stride, pitch = field.rows, field.k, field.stride, field.pitch
    holding, candidates, lengths = queue.scratch[0], queue.scratch[1], queue.scratch[2]
    held = 0
    for at in range(chunk << CHUNK_BITS, (chunk << CHUNK_BITS) + count):
        entry = queue.entries[at]
        place, number = (entry >> 30) & _PLACE, (entry >> 2) & _NUMBER
        holds = False
        for slot in range(k):
            holds |= (rows[place + k - slot] == length) & (rows[place + k + 1 + slot] == number)
        holding[held] = entry
        held += holds
    wanted = 0
    for at in range(held):
        entry = holding[at]
        place = (entry >> 30) & _PLACE
        level = rows[place] & LEVEL
        for turn in range(1, 4):  # not back to where it came from
            side = (entry + turn) & 3
            beside = place + (((side & 1) * (pitch - stride)) + stride) * ((side & 2) - 1)
            reach = length + abs((rows[beside] & LEVEL) - level) + 1
            candidates[wanted] = beside << 30 | (entry & (_NUMBER << 2)) | (side ^ 2)
            lengths[wanted] = reach
            wanted += reach <= rows[beside + 1]
    for at in range(wanted):
        entry, reach = candidates[at], lengths[at]
        place = (entry >> 30) & _PLACE
        if _insert(field, place, (entry >> 2) & _NUMBER, reach):
            _touch(field, queue, place)
            where = reach - start
            owner = rows[place] >> LEVEL_BITS
            if owner != tile or where >= SPAN:
                where = SPAN + ((reach >> SPAN_BITS) & (LAPS - 1)) * field.tiles + owner
            _push(queue, where, entry)


@_kernel
def _visit(field, queue, tile, start):  # type: ignore[no-untyped-def]
    """Work off a tile in the window of length that begins at ``start``. False if there is no room to go on."""
    if not _sort_inbox(field, queue, SPAN + ((start >> SPAN_BITS) & (LAPS - 1)) * field.tiles + tile, start):
        return False
    for where in range(SPAN):
        if queue.tail[where] == 0:
            continue
        chunk = np.int64(queue.first[where])
        while chunk >= 0:
            if _room(queue) < _ROOM:
                queue.first[where] = chunk
                return False
            after = np.int64(queue.link[chunk])
            count = CHUNK if after >= 0 else queue.tail[where] - (chunk << CHUNK_BITS)
            _work_off(field, queue, chunk, count, start + where, tile, start)
            _free(queue, chunk)
            chunk = after
        queue.tail[where] = 0
    return True


@_kernel
def spread(field, queue, starts):  # type: ignore[no-untyped-def]
    """Spread what was entered until nothing changes. False if there is no room to go on: enlarge, call again.

    ``starts`` are (place, number, length) as rows, sorted by the window of their length.
    """
    start, begun, tile = queue.state[WINDOW], queue.state[BEGUN], queue.state[UNDER_WAY]
    while tile >= 0 or begun < len(starts) or queue.state[USED] - queue.state[SPARE] > 1:
        if tile < 0 and queue.state[USED] - queue.state[SPARE] == 1:
            start = starts[begun, 2] >> SPAN_BITS << SPAN_BITS
        while begun < len(starts) and starts[begun, 2] < start + SPAN:
            if _room(queue) < _ROOM:
                queue.state[WINDOW], queue.state[BEGUN], queue.state[UNDER_WAY] = start, begun, tile
                return False
            place, number = starts[begun, 0], starts[begun, 1]
            inbox = SPAN + ((start >> SPAN_BITS) & (LAPS - 1)) * field.tiles + (field.rows[place] >> LEVEL_BITS)
            for side in range(2):  # an entry does not go back to its side; two go to all
                _push(queue, inbox, place << 30 | number << 2 | side)
            begun += 1
        inboxes = SPAN + ((start >> SPAN_BITS) & (LAPS - 1)) * field.tiles
        worked = True
        while worked:
            worked = False
            for each in range(field.tiles):
                if tile >= 0:
                    each = tile  # the one that was under way  # noqa: PLW2901
                elif queue.tail[inboxes + each] == 0:
                    continue
                tile = -1
                worked = True
                if not _visit(field, queue, each, start):
                    queue.state[WINDOW], queue.state[BEGUN], queue.state[UNDER_WAY] = start, begun, each
                    return False
        start += SPAN
    return True


@_kernel
def enter(field, queue, places, numbers, lengths, starts):  # type: ignore[no-untyped-def]
    """Enter sources into rows; returns how many were taken, listed in ``starts``."""
    taken = 0
    for at in range(len(places)):
        if _insert(field, places[at], numbers[at], lengths[at]):
            _touch(field, queue, places[at])
            starts[taken, 0], starts[taken, 1], starts[taken, 2] = places[at], numbers[at], lengths[at]
            taken += 1
    return taken


@_kernel
def _strike(field, place, gone):  # type: ignore[no-untyped-def]
    """Take the sources that are gone out of a row. True if there were any."""
    rows, k = field.rows, field.k
    kept = 0
    for slot in range(k):
        number = rows[place + k + 1 + slot]
        if gone[number]:
            continue
        rows[place + k - kept], rows[place + k + 1 + kept] = rows[place + k - slot], number
        kept += 1
    for slot in range(kept, k):
        rows[place + k - slot], rows[place + k + 1 + slot] = FAR, 0
    return kept < k


@_kernel
def withdraw(field, queue, places, gone):  # type: ignore[no-untyped-def]
    """Take sources out of all rows. What a source holds hangs together, so it is found from its seeds' ``places``."""
    for place in places:
        if _strike(field, place, gone):
            _touch(field, queue, place)
    done = 0
    while done < queue.state[TOUCHED]:
        place = np.int64(field.touched[done])
        for beside in (place - field.stride, place + field.stride, place - field.pitch, place + field.pitch):
            if _strike(field, beside, gone):
                _touch(field, queue, beside)
        done += 1


@_kernel
def refill(field, begin, end, starts):  # type: ignore[no-untyped-def]
    """Enter into touched rows what their neighbours hold, as long as ``starts`` has room to list it.

    Returns the row to go on with and how many are listed.
    """
    rows, k = field.rows, field.k
    taken = 0
    for done in range(begin, end):
        if taken + 4 * k > len(starts):
            return done, taken
        place = np.int64(field.touched[done])
        for beside in (place - field.stride, place + field.stride, place - field.pitch, place + field.pitch):
            step = abs((rows[beside] & LEVEL) - (rows[place] & LEVEL)) + 1
            for slot in range(k):
                number, reach = rows[beside + k + 1 + slot], rows[beside + k - slot] + step
                if number == 0:
                    break
                if _insert(field, place, number, reach):
                    starts[taken, 0], starts[taken, 1], starts[taken, 2] = place, number, reach
                    taken += 1
    return end, taken
