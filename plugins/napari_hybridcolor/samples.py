"""Pictures to try the editor on: photos of scikit-image without their colours, and a drawing made here."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hybridcolor.picture import Picture
from napari_hybridcolor.opening import LayerData, gray_layer

_LARGE = 4  # the drawing is inked at so many times its size, so that its lines are smooth


def sample_photo() -> list[LayerData]:
    """scikit-image's photo of a cup of coffee, without its colours."""
    return _photo("coffee")


def sample_portrait() -> list[LayerData]:
    """scikit-image's photo of an astronaut, without its colours."""
    return _photo("astronaut")


def sample_coins() -> list[LayerData]:
    """scikit-image's photo of Greek coins, which never had colours."""
    return _photo("coins")


def sample_medical() -> list[LayerData]:
    """scikit-image's picture of a retina, without its colours."""
    return _photo("retina")


def sample_drawing() -> list[LayerData]:
    """A house on a hill in ink, with gaps in its lines and a screentone."""
    return [gray_layer([Picture.from_array(ink())], "drawing", None)]


def ink(height: int = 480, width: int = 640) -> NDArray[np.uint8]:
    """The drawing of `sample_drawing`: lines with gaps, and a roof of dots.

    Examples
    --------
    >>> ink().shape
    (480, 640)
    """
    page = np.full((height * _LARGE, width * _LARGE), 255, np.uint8)
    scale = _LARGE * height / 240  # points below are x and y on a page of 240 rows

    def draw(points: list[tuple[float, float]], *, closed: bool = True) -> None:
        """Ink a line; a closed one hides what is behind it."""
        corners = [np.round(np.array(points) * scale).astype(np.int32)]
        if closed:
            cv2.fillPoly(page, corners, 255)
        cv2.polylines(page, corners, isClosed=closed, color=0, thickness=round(1.6 * scale), lineType=cv2.LINE_AA)

    def arc(x: float, y: float, radius: float, start: float, end: float) -> list[tuple[float, float]]:
        angles = np.radians(np.arange(start, end + 1, 4))
        return list(zip((x + radius * np.cos(angles)).tolist(), (y + radius * np.sin(angles)).tolist(), strict=True))

    draw(arc(262, 48, 24, 0, 350))
    for angle in range(0, 360, 30):
        (inner,), (outer,) = arc(262, 48, 30, angle, angle), arc(262, 48, 38, angle, angle)
        draw([inner, outer], closed=False)
    draw(arc(60, 60, 14, 160, 300) + arc(84, 50, 18, 200, 340) + arc(108, 60, 14, 240, 380) + [(48, 66)], closed=False)
    draw([(-9, 176), (60, 158), (140, 152), (230, 160), (330, 182), (330, 250), (-9, 250)])
    draw([(98, 100), (178, 100), (178, 178), (98, 178)])
    draw([(86, 102), (138, 58), (190, 102)])
    for row in range(64, 101, 6):
        for column in range(92 + row % 4, 188, 6):
            if abs(column - 138) < (row - 60) * 1.15:
                cv2.circle(page, (round(column * scale), round(row * scale)), round(1.3 * scale), 0, -1, cv2.LINE_AA)
    draw([(126, 136), (150, 136), (150, 178), (126, 178)])
    draw([(106, 114), (122, 114), (122, 128), (106, 128)])
    draw([(236, 190), (236, 140), (248, 140), (248, 192)], closed=False)
    draw(arc(242, 118, 30, -85, 255))
    draw(arc(50, 206, 20, 10, 350), closed=False)  # a ball that does not close
    for start, end in (((126, 56), (131, 62)), ((176, 130), (180, 134)), ((262, 22), (266, 26))):  # gaps
        first, last = (tuple(round(value * scale) for value in corner) for corner in (start, end))
        cv2.rectangle(page, first, last, 255, -1)
    return np.asarray(cv2.resize(page, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _photo(name: str) -> list[LayerData]:
    from skimage import data

    return [gray_layer([Picture.from_array(getattr(data, name)())], name, None)]
