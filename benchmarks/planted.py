"""Pictures in which one failure form was planted at a known strength, and what the detectors make of them.

`python -m benchmarks.planted` writes the table of docs/metrics.md. The drawing is made here, the photos are
scikit-image's. Every planting takes the true L*a*b* planes and a strength in 0..1, and returns chroma; what leaves the
gamut is then reduced, as in every result of hybridcolor.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label
from skimage import data

from hybridcolor.lab import gamut_chroma, lab_to_rgb, quantize, rgb_to_lab
from hybridcolor.metrics.fading import fade, fading_sensitivity
from hybridcolor.metrics.pair import Pair
from hybridcolor.metrics.registry import FAILURES
from hybridcolor.metrics.surfaces import CONTRAST

Plane = NDArray[np.float32]

STRENGTHS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
SCENES = ("drawing", "astronaut", "coffee", "chelsea", "rocket")


def scene(name: str, width: int = 320) -> NDArray[np.uint8]:
    """A picture of SCENES, ``width`` pixels wide."""
    if name == "drawing":
        return drawing(width)
    rgb = getattr(data, name)()
    size = (width, round(width * rgb.shape[0] / rgb.shape[1]))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def drawing(width: int = 320) -> NDArray[np.uint8]:
    """A sky, a hill, a house, a sun and a ball, evenly coloured, shaded and outlined."""
    scale = 4 * width / 320  # drawn at four times the size, so that outlines are smooth when it is made small
    canvas = np.full((round(240 * scale), round(320 * scale), 3), (150, 190, 235), np.uint8)

    def at(*points: tuple[float, float]) -> NDArray[np.int32]:
        return np.round(np.array(points) * scale).astype(np.int32)

    shapes = [
        (cv2.ellipse2Poly((160, 260), (260, 110), 0, 180, 360, 2), (110, 160, 70)),
        (np.array([(60, 110), (150, 110), (150, 200), (60, 200)]), (215, 120, 95)),
        (np.array([(45, 112), (105, 60), (165, 112)]), (125, 60, 70)),
        (np.array([(92, 150), (118, 150), (118, 200), (92, 200)]), (90, 85, 150)),
        (cv2.ellipse2Poly((265, 50), (26, 26), 0, 0, 360, 4), (245, 215, 95)),
        (cv2.ellipse2Poly((225, 190), (30, 30), 0, 0, 360, 4), (175, 90, 170)),
        (cv2.ellipse2Poly((285, 205), (22, 22), 0, 0, 360, 4), (150, 150, 150)),
    ]
    for outline, colour in shapes:
        corners = at(*map(tuple, outline.tolist()))
        cv2.fillPoly(canvas, [corners], colour)
        cv2.polylines(canvas, [corners], isClosed=True, color=(35, 35, 35), thickness=round(1.5 * scale))
    height = round(240 * width / 320)
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    shade = np.linspace(1.0, 0.8, width, dtype=np.float32)[None, :, None]
    return np.clip(small * shade, 0, 255).astype(np.uint8)


def plant(failure: str, truth: NDArray[np.uint8], strength: float) -> Pair:
    """The pair that a detector is shown: the picture with the failure, and the truth (for "fading" the unfaded one)."""
    lab = rgb_to_lab(truth)
    if failure == "fading":
        return Pair(_rgb(*_fading(lab, strength)), truth)
    return Pair(_rgb(lab[..., 0], PLANTINGS[failure](lab, strength)), truth)


def _deficiency(lab: Plane, strength: float) -> Plane:
    """Chroma fades to gray."""
    return lab[..., 1:] * np.float32(1 - strength)


def _bleeding(lab: Plane, strength: float) -> Plane:
    """The most colourful thing's colour runs over its edge, up to a twelfth of the width, ever thinner."""
    thing = most_colourful(lab)
    away, nearest = distance_transform_edt(~thing, return_indices=True)
    colour = lab[nearest[0], nearest[1], 1:]
    weight = strength * np.clip(1 - away / (lab.shape[1] / 12), 0, 1) ** 0.5
    return (lab[..., 1:] + weight[..., None] * (colour - lab[..., 1:])).astype(np.float32)


def _pollution(lab: Plane, strength: float) -> Plane:
    """A rim of 2 pixels around the most colourful thing takes the opposite of its colour."""
    thing = most_colourful(lab)
    rim = np.minimum(distance_transform_edt(thing), distance_transform_edt(~thing) + 1)
    on_rim = (np.maximum(distance_transform_edt(thing), distance_transform_edt(~thing)) <= 2) & (rim <= 2)
    chroma = lab[..., 1:].copy()
    wrong = -lab[thing][:, 1:].mean(axis=0)
    chroma[on_rim] += np.float32(strength) * (wrong - chroma[on_rim])
    return chroma


def _inconsistency(lab: Plane, strength: float) -> Plane:
    """Soft patches inside things turn to another hue, as vivid as before, up to a right angle."""
    rng = np.random.default_rng(5)
    noise = cv2.GaussianBlur(rng.normal(size=lab.shape[:2]).astype(np.float32), (0, 0), lab.shape[1] / 32)
    patches = cv2.GaussianBlur((noise > 0).astype(np.float32), (0, 0), 2)
    angle = strength * patches * np.pi / 2
    cos, sin = np.cos(angle), np.sin(angle)
    a, b = lab[..., 1], lab[..., 2]
    return np.stack([cos * a - sin * b, sin * a + cos * b], axis=-1).astype(np.float32)


def _fading(lab: Plane, strength: float) -> tuple[Plane, Plane]:
    """In half the light colours lose up to all of their saturation."""
    luminance = fade(lab[..., 0], 0.5)
    kept = (luminance + 16) / (lab[..., 0] + 16) * np.float32(1 - strength)
    return luminance, lab[..., 1:] * kept[..., None]


PLANTINGS: dict[str, Callable[[Plane, float], Plane]] = {
    "inconsistency": _inconsistency,
    "pollution": _pollution,
    "bleeding": _bleeding,
    "deficiency": _deficiency,
}


def most_colourful(lab: Plane) -> NDArray[np.bool_]:
    """The mask of the largest thing in the hue of the picture's most vivid colours."""
    ab = cv2.GaussianBlur(np.ascontiguousarray(lab[..., 1:]), (0, 0), 1.0)
    chroma = np.hypot(ab[..., 0], ab[..., 1])
    hue = ab[chroma >= np.quantile(chroma, 0.97)].mean(axis=0)
    near = np.hypot(*np.moveaxis(ab - hue, -1, 0)) < CONTRAST
    parts, count = label(near)
    if count == 0:
        return near
    sizes = np.bincount(parts.ravel())[1:]
    return np.asarray(parts == 1 + sizes.argmax())


def _rgb(luminance: Plane, chroma: Plane) -> NDArray[np.uint8]:
    rgb = quantize(lab_to_rgb(luminance, gamut_chroma(luminance, chroma)), 8)
    return rgb.astype(np.uint8)


def detect(form: str, pair: Pair) -> float:
    """What a failure form's detector says."""
    return (fading_sensitivity(pair) if form == "fading" else FAILURES[form].function(pair))[0]


def main() -> None:
    """Means over the scenes of what each detector says of each planting, at full strength."""
    lines = ["| planted | " + " | ".join(FAILURES) + " |", "|---" * (len(FAILURES) + 1) + "|"]
    for planted in PLANTINGS:
        pairs = [plant(planted, scene(name), 1.0) for name in SCENES]
        means = (np.mean([detect(form, pair) for pair in pairs]) for form in FAILURES)
        lines.append(f"| {planted} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
