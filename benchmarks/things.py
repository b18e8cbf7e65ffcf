"""A few things drawn in outline, with their colours: for tests, and for pictures in the documentation."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hybridcolor.lab import gray_to_luminance, rgb_to_lab

SIDE, SCALE = 192, 4  # drawn larger, so that outlines are smooth
Shape = tuple[list[tuple[int, int]], tuple[int, int, int]]
"""Corners, and a colour."""


def _oval(x: int, y: int, width: int, height: int) -> list[tuple[int, int]]:
    return [(int(u), int(v)) for u, v in cv2.ellipse2Poly((x, y), (width, height), 0, 0, 360, 6)]


THINGS: dict[str, list[Shape]] = {
    "house": [
        ([(40, 90), (150, 90), (150, 170), (40, 170)], (240, 200, 140)),
        ([(28, 92), (95, 30), (162, 92)], (200, 60, 50)),
        ([(82, 120), (110, 120), (110, 170), (82, 170)], (120, 80, 50)),
        ([(122, 108), (142, 108), (142, 132), (122, 132)], (150, 210, 250)),
    ],
    "flower": [
        ([(90, 110), (98, 110), (100, 182), (92, 182)], (60, 150, 60)),
        *((_oval(95 + dx, 78 + dy, 22, 22), (240, 110, 170)) for dx, dy in ((-30, 0), (30, 0), (0, -32), (0, 32))),
        (_oval(95, 78, 17, 17), (250, 215, 60)),
    ],
    "fish": [
        ([(130, 96), (176, 60), (170, 96), (176, 132)], (250, 150, 50)),
        (_oval(84, 96, 64, 40), (90, 160, 230)),
        ([(74, 62), (100, 30), (112, 64)], (250, 150, 50)),
        (_oval(48, 86, 8, 8), (255, 255, 255)),
    ],
    "face": [
        (_oval(96, 100, 62, 70), (250, 170, 60)),
        (_oval(96, 112, 48, 54), (255, 220, 190)),
        (_oval(76, 104, 6, 8), (60, 60, 60)),
        (_oval(116, 104, 6, 8), (60, 60, 60)),
        ([(78, 136), (96, 142), (114, 136), (96, 150)], (220, 70, 80)),
    ],
    "balloon": [
        (_oval(96, 70, 48, 56), (220, 50, 60)),
        ([(88, 124), (104, 124), (96, 140)], (220, 50, 60)),
        ([(76, 160), (116, 160), (110, 184), (82, 184)], (190, 140, 80)),
    ],
    "mushroom": [
        ([(78, 96), (114, 96), (120, 172), (72, 172)], (245, 230, 200)),
        ([(24, 100), (40, 60), (96, 34), (152, 60), (168, 100)], (210, 40, 40)),
        (_oval(70, 76, 13, 11), (255, 255, 255)),
        (_oval(118, 74, 14, 12), (255, 255, 255)),
    ],
}


def draw(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The L* of a thing's outlines, and the a* and b* of its colours."""
    ink = np.full((SIDE * SCALE, SIDE * SCALE), 255, np.uint8)
    paint = np.full((SIDE, SIDE, 3), 255, np.uint8)
    for corners, colour in THINGS[name]:
        outline = np.array(corners)
        cv2.fillPoly(ink, [outline * SCALE], 255)
        cv2.polylines(ink, [outline * SCALE], isClosed=True, color=0, thickness=3 * SCALE)
        cv2.fillPoly(paint, [outline], colour)
    line = cv2.resize(ink, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return gray_to_luminance(line), np.ascontiguousarray(rgb_to_lab(paint)[..., 1:])
