"""Training images: tar shards or folders in, augmented batches of (luminance, soft-encoded colour) out.

Shards are plain tar files of compressed images. They are held in memory as they are (a few hundred MB) and
decoded on the fly by a background thread, which costs about 3% of a training step. Where a shard has both
``A/line/NAME`` and ``A/color/NAME``, the two are one: the drawing is what the network sees, the colours are the truth.
"""

from __future__ import annotations

import queue
import tarfile
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybridcolor.bins import AB_BINS, soft_encode
from hybridcolor.errors import ImageError
from hybridcolor.predict.drawings import age_drawing, extract_lines
from hybridcolor.resampling import resample

Batch = tuple[Tensor, Tensor, Tensor]
"""Luminance (B, 1, S, S) in 0..1; the bins and weights of its soft-encoded colours, each (B, S / 4, S / 4, 5)."""
HELD_OUT_PERCENT = 3
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
"""Endings of the files that a folder of training images is searched for: what OpenCV decodes."""
LEFT_SHADED = 0.15
"""Share of coloured drawings that are seen in their own gray, as shaded art and comics are, not as lines."""
_TABLE_RANGE = 128  # ab in -128..128, tabulated at whole units: a tenth of a bin


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Compressed images in memory, with their names and, by name, the drawings of those that have one.

    The name up to ``/``, else ``__``, else the first ``_``, is the source.
    """

    names: list[str]
    blobs: list[bytes]
    drawings: dict[str, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def decode(self, index: int, *, drawn: bool = True) -> NDArray[np.float32]:
        """(H, W, 3) float32 L*a*b* of one image; if ``drawn``, L* is that of its drawing where it has one.

        Raises
        ------
        ImageError
            If the image is damaged, or its drawing is of another size.
        """
        name = self.names[index]
        lab = _decode(self.blobs[index], name)
        if drawn and name in self.drawings:
            drawing = _decode(self.drawings[name], f"drawing of {name}")
            if drawing.shape != lab.shape:
                raise ImageError(f"training image {name} and its drawing differ in size; make them the same")
            lab[..., 0] = drawing[..., 0]
        return lab

    def sampling_weights(self, exponent: float, shares: Mapping[str, float] | None = None) -> NDArray[np.float64]:
        """Probability of each image, so that a source of n images is drawn in proportion to ``n ** exponent``.

        Sources that ``shares`` names, or that match its patterns, are drawn with the probability it gives, the others
        in the rest of the time.
        """
        names, source, count = np.unique([_source(n) for n in self.names], return_inverse=True, return_counts=True)
        weight = np.asarray(count, np.float64) ** exponent
        groups = [
            (np.array([fnmatchcase(n, pattern) for n in names]), share) for pattern, share in (shares or {}).items()
        ]
        groups = [(group, share) for group, share in groups if group.any()]
        rest = ~np.any([np.zeros(len(names), bool), *(group for group, _ in groups)], axis=0)
        for group, share in [*groups, (rest, 1 - sum(share for _, share in groups))]:
            weight[group] *= share / max(weight[group].sum(), 1e-9)
        return cast(NDArray[np.float64], (weight / count)[source] / weight.sum())


def _decode(blob: bytes, name: str) -> NDArray[np.float32]:
    bgr = cv2.imdecode(np.frombuffer(blob, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ImageError(f"training image {name} cannot be decoded; remove it")
    return cast(NDArray[np.float32], cv2.cvtColor(bgr.astype(np.float32) / 255, cv2.COLOR_BGR2LAB))


def _source(name: str) -> str:
    mark = next((mark for mark in ("/", "__") if mark in name), "_")
    return name.split(mark, maxsplit=1)[0]


def is_held_out(name: str) -> bool:
    """Whether an image belongs to the fixed validation share, by a hash of its name that never changes."""
    return zlib.crc32(name.encode()) % 100 < HELD_OUT_PERCENT


def read_shards(folder: Path, patterns: Sequence[str]) -> tuple[ImageSet, ImageSet]:
    """Training and held-out images of every tar file, or folder of images, in ``folder`` that matches a pattern.

    Raises
    ------
    ImageError
        If nothing matches, a pattern is none, or a shard is damaged.
    """
    try:
        found = sorted({path for pattern in patterns for path in folder.glob(pattern)})
    except (ValueError, NotImplementedError) as error:
        shown = ", ".join(map(repr, patterns))
        raise ImageError(
            f"{shown}: no pattern of names in {folder} ({error}); give one such as 'photos-*.tar'"
        ) from error
    training, held_out, drawings = ImageSet([], []), ImageSet([], []), {}
    for path in found:
        for name, blob in _members(path):
            if "/line/" in name:
                drawings[name.replace("/line/", "/color/")] = blob
                continue
            chosen = held_out if is_held_out(name) else training
            chosen.names.append(name)
            chosen.blobs.append(blob)
    if not training.names:
        raise ImageError(f"no training image in {folder} matches {', '.join(patterns)}; give --data the shards' folder")
    for part in (training, held_out):
        part.drawings.update({name: drawings[name] for name in part.names if name in drawings})
    return training, held_out


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file in a shard or folder."""
    try:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.suffix.lower() in SUFFIXES:
                    yield file.relative_to(path).as_posix(), file.read_bytes()
            return
        with tarfile.open(path) as shard:
            for member in shard:
                stream = shard.extractfile(member)
                if stream is not None:
                    yield member.name, stream.read()
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise ImageError(f"{path}: cannot be read as a shard ({error}); make it again") from error


class SoftTargets:
    """Soft encoding by table lookup: ab rounded to whole units, then the nearest bins and their weights."""

    def __init__(self) -> None:
        axis = np.arange(-_TABLE_RANGE, _TABLE_RANGE + 1)
        index, weight = soft_encode(np.stack(np.meshgrid(axis, axis, indexing="ij"), -1))
        self.index, self.weight = index.astype(np.int64), weight

    def __call__(self, ab: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
        """Bin indices and weights, each (..., 5), of an (..., 2) array of colours."""
        cell = np.clip(np.rint(ab).astype(np.int64), -_TABLE_RANGE, _TABLE_RANGE) + _TABLE_RANGE
        at = (cell[..., 0], cell[..., 1])
        return torch.from_numpy(self.index[at]), torch.from_numpy(self.weight[at])


def cropped(lab: NDArray[np.float32], size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A random crop of ``size`` x ``size``, perhaps mirrored."""
    height, width = lab.shape[:2]
    short = min(height, width)
    rows = int(min(height, short * rng.uniform(0.65, 1.0)))
    columns = int(min(width, max(16, rows * rng.uniform(0.85, 1.18))))
    top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
    crop = resample(lab[top : top + rows, left : left + columns], (size, size))
    return crop[:, ::-1].copy() if rng.random() < 0.5 else crop


def age_photo(luminance: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """L* (H, W) faded, blurred or grainy like that of old prints; colours stay the truth."""
    if rng.random() < 0.5:
        luminance = 100 * (luminance / 100).clip(0, 1) ** np.float32(rng.uniform(0.7, 1.4))
    if rng.random() < 0.3:
        luminance = luminance * np.float32(rng.uniform(0.6, 1.0)) + np.float32(rng.uniform(0, 20))
    if rng.random() < 0.15:
        luminance = np.asarray(cv2.GaussianBlur(luminance, (0, 0), rng.uniform(0.4, 1.2)), np.float32)
    if rng.random() < 0.25:
        luminance = luminance + rng.normal(0, rng.uniform(0.5, 5), luminance.shape).astype(np.float32)
    return luminance.clip(0, 100)


def augmented(
    images: ImageSet, index: int, size: int, *, line_art: bool, rng: np.random.Generator
) -> NDArray[np.float32]:
    """(size, size, 3) L*a*b* of a part of one image, as an old photo or, for ``line_art``, as a scanned drawing."""
    if not line_art:
        crop = cropped(images.decode(index), size, rng)
        crop[..., 0] = age_photo(crop[..., 0], rng)
        return crop
    is_pair = images.names[index] in images.drawings
    lab = images.decode(index, drawn=rng.random() >= LEFT_SHADED)
    if not is_pair:
        lab[..., 0] = extract_lines(lab[..., 0], rng)
    crop = cropped(lab, size, rng)
    crop[..., 0] = age_drawing(crop[..., 0], rng)
    return crop


def central_square(lab: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """The middle of an image, resized to ``size`` x ``size``: how held-out images are judged."""
    height, width = lab.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    return resample(lab[top : top + short, left : left + short], (size, size))


def to_tensors(lab: NDArray[np.float32], targets: SoftTargets) -> Batch:
    """Network input (B, 1, S, S) and the soft targets at a quarter of its size, of a (B, S, S, 3) batch."""
    quarter = lab.shape[1] // 4
    luminance = torch.from_numpy(np.ascontiguousarray(lab[..., 0] / 100))[:, None]
    ab = np.stack([resample(one[..., 1:], (quarter, quarter)) for one in lab])
    return (luminance.contiguous(memory_format=torch.channels_last), *targets(ab))


def true_colours(index: Tensor, weight: Tensor) -> Tensor:
    """(B, 2, h, w) mean a* and b* of every cell from its soft encoding."""
    return torch.einsum("bhwn,bhwnc->bchw", weight, torch.from_numpy(AB_BINS.copy())[index])


def batches(
    images: ImageSet,
    *,
    size: int,
    batch: int,
    probability: NDArray[np.float64],
    line_art: bool = False,
    seed: int,
    first: int = 0,
) -> Iterator[Batch]:
    """Endless augmented batches from number ``first`` on, prepared by a background thread.

    A batch depends on the seed and its number only. What goes wrong in the thread is raised here. Fewer images than a
    batch needs come more than once in it.
    """
    ready: queue.Queue[Batch | Exception] = queue.Queue(4)
    closed = threading.Event()
    targets, numbers = SoftTargets(), count(first)

    def next_batch() -> Batch:
        rng = np.random.default_rng((seed, next(numbers)))
        chosen = rng.choice(len(images), batch, replace=len(images) < batch, p=probability)
        crops = [augmented(images, int(i), size, line_art=line_art, rng=rng) for i in chosen]
        return to_tensors(np.stack(crops), targets)

    def produce() -> None:
        item: Batch | Exception
        while not closed.is_set():
            try:
                item = next_batch()
            except Exception as error:  # noqa: BLE001  # raised again where the batch is waited for
                item = error
            while not closed.is_set():
                try:
                    ready.put(item, timeout=1)
                    break
                except queue.Full:
                    continue

    threading.Thread(target=produce, daemon=True).start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        closed.set()
