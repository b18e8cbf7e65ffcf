"""The demonstration behind ``make demo``: two photos as gray pictures, through the whole path, against the truth.

The photos are scikit-image's own. Besides the automatic result it shows what a person adds: nine to fifteen short
scribbles whose colours are read from the true photo, as somebody would choose who knows the scene. The command
line's verb ``demo`` calls `run_demo`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from hybridcolor.errors import ImageError
from hybridcolor.imagefiles import write_image
from hybridcolor.lab import rgb_to_lab
from hybridcolor.metrics import ab_rmse, colourfulness, psnr
from hybridcolor.picture import Picture
from hybridcolor.pipeline import Colorization, colorize
from hybridcolor.predict import Predictor, load_predictor
from hybridcolor.scribbled import draw_seeds
from hybridcolor.seedfiles import write_seeds
from hybridcolor.seeds import Seeds

# Short strokes (column, row) -> (column, row), each inside one thing of the photo.
_STROKES = {
    "astronaut": [
        ((60, 330), (70, 420)),  # suit
        ((150, 250), (140, 330)),
        ((215, 360), (225, 420)),
        ((330, 270), (345, 320)),
        ((190, 55), (205, 40)),  # hair
        ((215, 115), (225, 130)),  # face
        ((110, 40), (120, 110)),  # wall
        ((330, 40), (345, 110)),
        ((340, 190), (355, 220)),
        ((482, 50), (482, 110)),
        ((422, 45), (422, 100)),  # the shuttle's tank
        ((408, 170), (408, 210)),  # the shuttle
        ((340, 430), (360, 450)),  # helmet
        ((15, 40), (20, 90)),  # flag
        ((30, 190), (40, 240)),
    ],
    "coffee": [
        ((130, 240), (160, 300)),  # saucer
        ((400, 230), (440, 250)),
        ((230, 135), (290, 140)),  # coffee
        ((180, 80), (185, 120)),  # inside of the cup
        ((250, 240), (300, 245)),  # outside of the cup
        ((360, 280), (372, 295)),  # spoon
        ((40, 140), (80, 110)),  # table
        ((500, 120), (560, 180)),
        ((480, 340), (560, 370)),
    ],
}
_THICKNESS = 5  # of a stroke, in pixels
_COLUMN_WIDTH = 300  # of the comparison, in pixels
_CAPTION_HEIGHT = 26
_SHOWN_ONLY = {"seeds", "seeds with scribbles"}  # marks on a gray picture: no colorization to be scored


@dataclass(frozen=True, slots=True)
class PictureScores:
    """How one picture of the comparison does against the truth (`hybridcolor.metrics`).

    Attributes
    ----------
    photo : str
        "astronaut" or "coffee".
    picture : str
        Its caption: "gray", "CNN", "hybrid", "corrected" or "truth".
    psnr : float
        Of RGB, in dB; inf for the truth.
    ab_rmse : float
        In ab units.
    colourfulness : float
        Hasler and Suesstrunk's M; 0 for gray.
    """

    photo: str
    picture: str
    psnr: float
    ab_rmse: float
    colourfulness: float


def run_demo(folder: Path, *, overwrite: bool = False) -> list[PictureScores]:
    """Colorize the two photos into ``folder`` and score every picture of the comparison.

    Parameters
    ----------
    folder : Path
        Made if missing. Gets ``NAME.png``, ``NAME-corrected.png``, ``NAME-seeds.json`` and ``NAME-seeds.png`` for
        each photo, and ``comparison.png``.
    overwrite : bool, optional
        Whether files that are there already may be replaced.

    Returns
    -------
    list of PictureScores
        In the order of the comparison.

    Raises
    ------
    ImageError
        If the folder or a picture cannot be written, or a picture is there already.
    SeedError
        The same for seeds.
    ModelError
        If the default model is missing or damaged.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(f"{folder}: cannot be made ({error.strerror}); choose a folder you may write to") from error
    predictor = load_predictor()
    scores, rows = [], []
    for name in _STROKES:
        automatic, pictures = _colorize_photo(name, predictor)
        scores += [_score(name, caption, pictures) for caption in pictures if caption not in _SHOWN_ONLY]
        write_image(folder / f"{name}.png", pictures["hybrid"], overwrite=overwrite)
        write_image(folder / f"{name}-corrected.png", pictures["corrected"], overwrite=overwrite)
        for suffix in ("json", "png"):
            write_seeds(folder / f"{name}-seeds.{suffix}", automatic.seeds, automatic.picture, overwrite=overwrite)
        rows.append(_row(pictures))
    write_image(folder / "comparison.png", np.vstack(rows), overwrite=overwrite)
    return scores


def _colorize_photo(name: str, predictor: Predictor) -> tuple[Colorization, dict[str, NDArray[np.uint8]]]:
    """The automatic result, and the pictures of one row of the comparison by caption."""
    truth = getattr(data, name)()
    gray = Picture.from_array(Picture.from_array(truth).to_rgb())  # what a gray file would hold
    scribbles = _scribbles(name, rgb_to_lab(truth)[..., 1:])
    automatic = colorize(gray, predictor=predictor)
    corrected = colorize(gray, predictor=predictor, scribbles=scribbles)
    pictures = {
        "gray": gray.to_rgb(),
        "CNN": gray.to_rgb(automatic.predicted),
        "seeds": draw_seeds(automatic.seeds, gray),
        "hybrid": automatic.to_rgb(),
        "seeds with scribbles": draw_seeds(corrected.seeds, gray),
        "corrected": corrected.to_rgb(),
        "truth": truth,
    }
    return automatic, pictures


def _scribbles(name: str, chroma: NDArray[np.float32]) -> Seeds:
    """The strokes of a photo, each in the median colour of the truth under it."""
    coords, ab, stroke = [], [], []
    for number, (start, end) in enumerate(_STROKES[name]):
        mask = cv2.line(np.zeros(chroma.shape[:2], np.uint8), start, end, 1, _THICKNESS)
        pixels = np.argwhere(mask)
        coords.append(pixels)
        ab.append(np.tile(np.median(chroma[mask > 0], axis=0), (len(pixels), 1)))
        stroke.append(np.full(len(pixels), number))
    return Seeds.of(np.concatenate(coords), np.concatenate(ab), stroke=np.concatenate(stroke))


def _score(name: str, caption: str, pictures: dict[str, NDArray[np.uint8]]) -> PictureScores:
    rgb, truth = pictures[caption], pictures["truth"]
    error = ab_rmse(rgb_to_lab(rgb)[..., 1:], rgb_to_lab(truth)[..., 1:])
    return PictureScores(name, caption, psnr(rgb, truth), error, colourfulness(rgb))


def _row(pictures: dict[str, NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The pictures side by side under their captions."""
    height, width = pictures["gray"].shape[:2]
    size = (_COLUMN_WIDTH, round(_COLUMN_WIDTH * height / width))
    sheet = Image.new("RGB", (_COLUMN_WIDTH * len(pictures), size[1] + _CAPTION_HEIGHT), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for column, (caption, rgb) in enumerate(pictures.items()):
        pen.text((column * _COLUMN_WIDTH + 4, 3), caption, fill="black", font=font)
        small = Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS)
        sheet.paste(small, (column * _COLUMN_WIDTH, _CAPTION_HEIGHT))
    return np.asarray(sheet)
