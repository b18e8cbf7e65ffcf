"""Who fills drawings right, and how fast: `python -m benchmarks.manga [lineart192.tar]` for docs/manga.md.

Peers: our photo methods, scikit-image's flood fill as a paint program's bucket, and G'MIC's colorize line-art if
`gmic` is installed. With a tar file of drawings and their colours it also scores colours on the held-out pairs.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.segmentation import flood_fill

from benchmarks.drawings import REGIONS, SIDE, TONES, Drawing, page, strokes
from hybridcolor.lab import rgb_to_lab
from hybridcolor.picture import Picture
from hybridcolor.pipeline import colorize
from hybridcolor.propagate import PropagationState, propagate, warm_up
from hybridcolor.propagate.marker_flooding import flood_markers
from hybridcolor.propagate.relief import relief, rooms
from hybridcolor.seeds import Seeds, overlay
from hybridcolor.users import USERS

PEERS = ("bucket", *(["gmic"] if shutil.which("gmic") else []))
RIGHT = 0.95  # share of a region's pixels that are to have its stroke
PAIRS, STROKES = 24, 10


def share_right(drawing: Drawing, owner: NDArray[Any]) -> float:
    """The share of regions that have their own stroke nearly everywhere."""
    parts = [(drawing.region == number) & ~drawing.line for number in range(REGIONS)]
    return float(np.mean([(owner[part] == number).mean() >= RIGHT for number, part in enumerate(parts)]))


def leaked(drawing: Drawing, owner: NDArray[Any]) -> float:
    """The share of paper that another region's stroke has."""
    return float((owner != drawing.region)[~drawing.line].mean())


def fringe(drawing: Drawing, owner: NDArray[Any]) -> float:
    """Of the paper within 2 pixels of an outline, in regions that are right, the share without its region's stroke."""
    near = cv2.dilate(drawing.line.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    wrong = owner != drawing.region
    fine = [np.mean(wrong[(drawing.region == number) & ~drawing.line]) <= 1 - RIGHT for number in range(REGIONS)]
    near &= ~drawing.line & np.array(fine)[drawing.region]
    return float(wrong[near].mean()) if near.any() else 0.0


def filled(drawing: Drawing, seeds: Seeds, method: str, **options: Any) -> NDArray[Any]:
    """Which stroke each pixel goes to."""
    if method == "bucket":  # a paint program's: what touches, and is about as bright
        picture = drawing.luminance.copy()
        for number in range(REGIONS):
            row, column = seeds.coords[seeds.stroke == number][0]
            picture = flood_fill(picture, (row, column), 1000.0 + number, tolerance=30, connectivity=1)
        return picture - 1000
    if method == "gmic":
        return filled_by_gmic(drawing.luminance, seeds)
    result = propagate(drawing.luminance, seeds, method=method, **options)
    if result.label is not None:
        return result.label
    turn = 2 * np.pi * np.arange(REGIONS) / REGIONS
    hues = 60 * np.stack([np.cos(turn), np.sin(turn)], axis=1).astype(np.float32)
    return np.asarray(np.square(result.chroma[:, :, None] - hues).sum(axis=-1).argmin(axis=-1))


def filled_by_gmic(luminance: NDArray[np.float32], seeds: Seeds) -> NDArray[Any]:
    """G'MIC's "Colorize lineart": spots of colour on a transparent layer and the drawing in, flat colours out."""
    spots = np.zeros((*luminance.shape, 4), np.uint8)
    number = seeds.stroke
    spots[tuple(seeds.coords.T)] = np.stack([10 + 16 * number, 0 * number, 240 - 16 * number, 255 + 0 * number], axis=1)
    with tempfile.TemporaryDirectory() as folder:
        cv2.imwrite(f"{folder}/spots.png", spots)
        cv2.imwrite(f"{folder}/lines.png", (luminance * 2.55).astype(np.uint8))
        names = [f"{folder}/spots.png", f"{folder}/lines.png"]
        command = ["gmic", "-v", "-1", *names, "fx_colorize_lineart", "0,1,0,0.05", "o", f"{folder}/out.png"]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        found = cv2.imread(f"{folder}/out_000000.png")
    return np.round((found[..., 0].astype(float) - 10) / 16).astype(int)


def table(title: str, columns: tuple[str, ...], rows: Iterator[tuple[str, list[str]]]) -> Iterator[str]:
    """Lines of Markdown, each as soon as it is known."""
    yield f"| {title} | " + " | ".join(columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for name, cells in rows:
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""


def compared(
    kinds: dict[str, dict[str, Any]],
    methods: tuple[str, ...],
    scores: tuple[Callable[[Drawing, NDArray[Any]], float], ...] = (share_right,),
    **options: Any,
) -> Iterator[tuple[str, list[str]]]:
    """Mean scores of methods on two drawings of each kind."""
    for name, kind in kinds.items():
        cells = []
        for method in methods:
            drawings = [page(seed, **kind) for seed in (0, 1)]
            owners = [filled(drawing, strokes(drawing), method, **options) for drawing in drawings]
            means = [np.mean([score(*case) for case in zip(drawings, owners, strict=True)]) for score in scores]
            cells.append(" · ".join(f"{mean:.{0 if number == 0 else 1}%}" for number, mean in enumerate(means)))
        yield name, cells


def speed() -> Iterator[tuple[str, list[str]]]:
    """CPU seconds for pages of many regions, half of them toned."""
    small = page(0, gap=4, tone="dots")
    seeds = strokes(small)
    methods = ("lineart", "levelset", "watershed")
    for method in methods:
        warm_up(method)
        propagate(small.luminance, seeds, method=method)
    for times in (2, 4, 7):
        luminance = np.tile(small.luminance, (times, times))
        shifts = np.argwhere(np.ones((times, times), bool))
        coords = (seeds.coords[None] + SIDE * shifts[:, None]).reshape(-1, 2)
        stroke = (seeds.stroke[None] + REGIONS * np.arange(len(shifts))[:, None]).ravel()
        stroke[stroke == 3] = stroke.max() + 1  # the one that is drawn last
        tiled = Seeds.of(coords, np.tile(seeds.ab, (len(shifts), 1)), stroke=stroke)
        cells = [f"{_cpu(propagate, luminance, tiled, method=method):.2f}" for method in methods]
        for method in methods[:2]:
            state = PropagationState(luminance, method=method)
            without = tiled.take(stroke < stroke.max())
            _answered(state, without)
            costs = [_cpu(_answered, state, drawn) for drawn in (tiled, without) * 3]
            cells.append(f"{np.median(costs):.3f}")
        yield f"{luminance.size / 1e6:.1f}", cells


def _answered(state: PropagationState, drawn: Seeds) -> None:
    state.set_seeds(drawn)
    for _ in state.refine():
        pass


def _cpu(call: Callable[..., Any], *args: Any, **options: Any) -> float:
    begun = time.process_time()
    call(*args, **options)
    return time.process_time() - begun


def pairs(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Mean ab RMSE on held-out pairs of a drawing and its colours, and what any fill up to the lines must miss."""
    from hybridcolor.predict import load_predictor
    from hybridcolor.predict.data import read_shards

    _, held_out = read_shards(path.parent, [path.name])
    names = islice(held_out.names[1::2], PAIRS)  # the others were for calibration
    cases = [(_gray(held_out.drawings[name]), _ab(held_out.blobs[held_out.names.index(name)])) for name in names]
    model = load_predictor("lineart")
    for user in ("random", "scribbles"):
        errors = []
        for gray, truth in cases:
            picture = Picture.from_array(gray)
            seeds = overlay(list(islice(USERS[user](truth, np.random.default_rng(0)), STROKES)))
            found = [propagate(picture.luminance, seeds, method=m).chroma for m in ("optimization", "lineart")]
            found.append(colorize(picture, predictor=model, scribbles=seeds).chroma)
            found.append(_best_fill(picture.luminance, truth))
            errors.append([np.sqrt(np.square(chroma - truth).mean()) for chroma in found])
        yield f"{STROKES} {user}", [f"{error:.1f}" for error in np.mean(errors, axis=0)]


def _best_fill(luminance: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each region between lines in its true mean colour."""
    levels = relief(luminance, 12)
    room = rooms(levels, 2.0)
    region = flood_markers(levels, room) if room.any() else room
    size = np.bincount(region.ravel()).clip(1)
    return np.stack([np.bincount(region.ravel(), plane.ravel()) / size for plane in np.moveaxis(truth, -1, 0)], -1)[
        region
    ]


def _gray(blob: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(blob)).convert("L"))


def _ab(blob: bytes) -> NDArray[np.float32]:
    return rgb_to_lab(np.asarray(Image.open(io.BytesIO(blob)).convert("RGB")))[..., 1:].astype(np.float32)


def main() -> None:
    """All tables, or the pairs' alone if a tar file is given."""
    for line in _pairs_table(Path(sys.argv[1])) if len(sys.argv) > 1 else _tables():
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _pairs_table(path: Path) -> Iterator[str]:
    columns = ("Levin", "`lineart`", "model `lineart` with `hybrid`", "true mean colour of each region")
    yield from table("strokes", columns, pairs(path))


def _tables() -> Iterator[str]:
    if not PEERS[1:]:
        yield "G'MIC is left out: gmic is not installed."
    gaps: dict[str, dict[str, Any]] = {f"gaps of {gap} pixels": {"gap": gap} for gap in (1, 2, 4, 6, 9, 12)}
    gaps = (
        {"closed lines": {}}
        | gaps
        | {
            "4 pixels, JPEG of quality 60": {"gap": 4, "worn": "jpeg"},
            "4 pixels, lines of 1 pixel": {"gap": 4, "width": 1},
            "4 pixels, a scan": {"gap": 4, "worn": "scan"},
            "4 pixels, necks of 12 pixels": {"gap": 4, "walls": True},
            "4 pixels, dark ink on gray paper": {"gap": 4, "worn": "gray"},
            "4 pixels, faded ink": {"gap": 4, "worn": "faded"},
            "4 pixels, pale and blurred": {"gap": 4, "worn": "pale"},
            "4 pixels, lit from one side": {"gap": 4, "worn": "uneven"},
            "4 pixels, white on black": {"gap": 4, "worn": "negative"},
            "4 pixels, chalk": {"gap": 4, "worn": "chalk"},
        }
    )
    methods = ("lineart", "levelset", *PEERS, "watershed", "chrominance", "flood")
    yield from table("regions right · leaked · fringe", methods, compared(gaps, methods, (share_right, leaked, fringe)))
    tones = {f"{tone}, {scale} px": {"gap": 4, "tone": tone, "scale": scale} for tone in TONES for scale in (5, 8, 12)}
    tones |= {f"{tone}, 8 px, a scan": {"gap": 4, "tone": tone, "worn": "scan"} for tone in TONES}
    quick = methods[:-2]
    yield from table("tone", quick, compared(tones, quick))
    bare = {f"{tone}, 8 px": {"gap": 4, "tone": tone, "bare": True} for tone in TONES}
    yield from table("tone without outlines", quick, compared(bare, quick))
    photo = ("watershed", "chrominance", "flood")
    closed = {f"{tone}, 8 px": {"tone": tone} for tone in TONES}
    yield from table("luminance", photo, compared(closed, photo))
    yield from table("pattern", photo, compared(closed, photo, affinity="pattern"))
    slow = {name: gaps[name] for name in ("closed lines", "gaps of 2 pixels", "gaps of 6 pixels", "gaps of 12 pixels")}
    slow["dots, 8 px"], levin = {"gap": 4, "tone": "dots"}, ("optimization",)
    yield from table("Levin's", levin, compared(slow, levin, (share_right, leaked, fringe)))
    yield from table("megapixels", ("lineart", "levelset", "watershed", "a stroke more, lineart", "levelset"), speed())


if __name__ == "__main__":
    main()
