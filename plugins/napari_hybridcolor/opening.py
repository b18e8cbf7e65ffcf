"""How pictures come into napari and out of it: reader, writer, samples, a layer's picture, and `hybridcolor edit`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.drawing import SUFFIX, picture_of
from hybridcolor.errors import HybridColorError
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.lab import eight_bits, luminance_to_gray
from hybridcolor.picture import Picture
from hybridcolor.session import EditSession
from napari_hybridcolor.layers import layer_picture

if TYPE_CHECKING:
    from napari.layers import Image

SOURCE = "hybridcolor_source"
"""Where a layer's metadata say which file it came from."""
LayerData = tuple[NDArray[Any], dict[str, Any], str]


def get_reader(path: str | list[str]) -> Callable[[str | list[str]], list[LayerData]] | None:
    """napari's question whether a file is ours: saved sessions are, and medical pictures. Several at once are not."""
    return None if isinstance(path, list) else read_layers


def read_layers(path: str | list[str]) -> list[LayerData]:
    """A picture as layers for napari: its luminance, and its own colours, hidden, where it has some.

    Parameters
    ----------
    path : str
        A picture, or what the editor saved beside one.

    Raises
    ------
    HybridColorError
        If it cannot be read.
    """
    file = Path(path[0] if isinstance(path, list) else path)
    source = picture_of(file) if file.name.endswith(SUFFIX) else file
    picture = read_image(source)
    layers = [_gray_layer(picture, source.name, str(source.resolve()))]
    if picture.chroma is not None:
        colours = picture.to_rgb(picture.chroma)
        layers.append((eight_bits(colours), {"name": "own colours", "rgb": True, "visible": False}, "image"))
    return layers


def picture_of_layer(layer: Image) -> Picture:
    """The picture of a layer: from its file where napari read one, with all its bits and its profile."""
    picture = layer_picture(np.asarray(layer.data))
    path = layer.metadata.get(SOURCE) or layer.source.path
    if not path:
        return picture
    try:
        read = read_image(path)
    except HybridColorError:
        return picture
    return read if read.shape == picture.shape else picture


def take_up(session: EditSession) -> str:
    """Go on with what is saved beside the picture, and save there from now on. Returns what to tell."""
    source = session.picture.source
    if source is None:
        return ""
    path = source.with_name(source.name + SUFFIX)
    if not path.exists():
        session.autosave = path
        return ""
    try:
        session.load(path)
    except HybridColorError as error:
        return f"Not saved as you go: {error}"
    session.autosave = path
    return f"Went on with {path.name}: {len(session.drawing.strokes)} strokes."


def write_layer(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Save a layer as a picture, whole or not at all, tagged as sRGB."""
    del meta
    pixels = np.asarray(data)
    write_image(Path(path), pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2), overwrite=True)
    return [path]


def sample_photo() -> list[LayerData]:
    """scikit-image's photo of a cup of coffee, without its colours."""
    return _sample("coffee", "coffee")


def sample_coins() -> list[LayerData]:
    """scikit-image's photo of Greek coins, which never had colours."""
    return _sample("coins", "coins")


def sample_medical() -> list[LayerData]:
    """scikit-image's picture of a retina, without its colours."""
    return _sample("retina", "retina")


def edit(path: Path) -> None:
    """Open a picture in a window with everything in place, and wait until it is closed.

    Raises
    ------
    HybridColorError
        If the picture cannot be read.
    """
    layers = read_layers(str(path))  # before the window: what is wrong is told in the terminal
    import napari

    from napari_hybridcolor.widget import ColorizeWidget

    viewer = napari.Viewer(title=f"{path.name} - hybridcolor")
    for data, about, _ in layers:
        viewer.add_image(data, **about)
    viewer.window.add_dock_widget(ColorizeWidget(viewer), name="hybridcolor")
    napari.run()


def _sample(name: str, title: str) -> list[LayerData]:
    from skimage import data

    return [_gray_layer(Picture.from_array(getattr(data, name)()), title, None)]


def _gray_layer(picture: Picture, name: str, source: str | None) -> LayerData:
    """The luminance as a layer that knows which file it came from."""
    gray = luminance_to_gray(picture.luminance)
    about = {"name": name, "contrast_limits": (0.0, 1.0), "metadata": {SOURCE: source}}
    return gray, about, "image"
