"""How pictures come into napari and out of it: reader, writer, the picture of a layer, and `hybridcolor edit`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hybridcolor.errors import HybridColorError, ImageError
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.lab import eight_bits, luminance_to_gray
from hybridcolor.memory import free_memory
from hybridcolor.picture import Picture
from hybridcolor.sessionfiles import SUFFIX, picture_of
from napari_hybridcolor.layers import as_shown, layer_picture

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

SOURCE = "hybridcolor_source"
"""Where a layer's metadata say which file it came from, or which each of its slices."""
STROKES = "hybridcolor_strokes"
"""Where they say that a saved session was opened, and which."""
_BYTES = 16  # that a pixel of a stack takes while it is read
_SAME = 0.5  # L* that a pixel of a layer may be off its file
_PROFILED = 5.0  # L* that colours may be off on average where napari has not read a profile that the file has
_LAID_OUT_MS = 200  # until a new window has its layout
_LOOK_AT = 500_000  # pixels of a layer that are compared with its file
_DIM = 30.0  # L* of the brightest pixel where 10 to 14 bits lie in 16
LayerData = tuple[NDArray[Any], dict[str, Any], str]


def get_reader(path: str | list[str]) -> Callable[[str | list[str]], list[LayerData]] | None:
    """The reader of the endings that ``napari.yaml`` names; of several files, which are slices, not for sessions."""
    return None if isinstance(path, list) and any(file.endswith(SUFFIX) for file in path) else read_layers


def read_layers(path: str | list[str]) -> list[LayerData]:
    """A picture as layers for napari: its luminance, and its own colours, hidden, where it has some.

    A file of several slices or pages of one size is a stack of their luminances, and so are several files.

    Parameters
    ----------
    path : str or list of str
        A picture, or what the editor saved beside one; or the slices of a series.

    Raises
    ------
    HybridColorError
        If it cannot be read.
    """
    if isinstance(path, list) and len(path) > 1:
        return [_series([Path(file).resolve() for file in path])]
    file = Path(path[0] if isinstance(path, list) else path)
    source = _picture_file(file)
    first, *rest = _frames(source)
    if rest:
        return [gray_layer([first, *rest], source.name, str(source.resolve()))]
    picture = first
    layers = [gray_layer([picture], source.name, str(source.resolve()))]
    if file != source:
        layers[0][1]["metadata"][STROKES] = str(file.resolve())
    if picture.chroma is not None:
        colours = picture.to_rgb(picture.chroma)
        about = {"name": "own colours", "rgb": True, "visible": False, "scale": _proportions(picture)[1:]}
        layers.append((eight_bits(colours), about, "image"))
    return layers


def slice_of(layer: Image, viewer: ViewerModel) -> tuple[int, ...]:
    """Which picture of a layer is in view: where it is along the axes before the last two; () for a single picture."""
    leading = layer.ndim - 2
    if leading <= 0:
        return ()
    place = layer.world_to_data(viewer.dims.point)[-layer.ndim :][:leading]
    return tuple(
        int(min(max(round(float(at)), 0), size - 1)) for at, size in zip(place, layer.data.shape, strict=False)
    )


def picture_of_layer(layer: Image, index: tuple[int, ...] = ()) -> Picture:
    """The picture of a layer, or a slice of it: from its file where napari read one, with all its bits and its profile.

    Where there is none, or one that has something else (the layer was made of another, or was changed), gray values are
    what napari shows: the layer's contrast limits are black and white. So they are where the file is all but black, as
    12 bits in 16 are, and the layer is not.

    Raises
    ------
    ImageError
        If it is none that can be coloured.
    """
    data = layer.data[0] if layer.multiscale else layer.data
    pixels = np.asarray(data[index])
    picture = layer_picture(pixels if layer.rgb or pixels.ndim != 2 else as_shown(pixels, layer.contrast_limits))
    path, frame = file_of(layer, index)
    if path is None:
        return picture
    try:
        read = read_image(path, frame=frame[0] if frame else 0)
    except HybridColorError:
        return picture
    return read if read.shape == picture.shape and _is_of(layer, read, picture, pixels) else picture


def _is_of(layer: Image, read: Picture, shown: Picture, pixels: NDArray[Any]) -> bool:
    """Whether a layer has the picture read from its file: napari copies metadata to what it makes of a layer."""
    if layer.metadata.get(SOURCE):
        own = layer_picture(pixels if pixels.dtype in (np.uint8, np.uint16) else as_shown(pixels, (0.0, 1.0)))
        return bool(np.abs(own.luminance - read.luminance).max() <= _SAME)
    if float(read.luminance.max()) < _DIM < float(shown.luminance.max()):
        return False
    if pixels.ndim > 2:
        inks = shown.alpha is not None and read.alpha is None  # the fourth of which napari takes for opacity
        return inks or bool(np.abs(shown.luminance - read.luminance).mean() <= _PROFILED)
    step = max(1, round((pixels.size / _LOOK_AT) ** 0.5))
    file, gray = (np.asarray(plane[::step, ::step], np.float64).ravel() for plane in (read.luminance, pixels))
    numbers = gray[np.isfinite(gray)]
    least, most = numbers.min(initial=np.inf), numbers.max(initial=-np.inf)
    if not least < most:  # flat
        return bool(np.ptp(file) <= _SAME)
    gray = (np.nan_to_num(gray, nan=least, neginf=least, posinf=most) - least) / (most - least) * 100
    return _rises(file, by=gray) and _rises(gray, by=file)


def _rises(values: NDArray[Any], *, by: NDArray[Any]) -> bool:
    """Whether brighter pixels of another plane are brighter in this, in L* or in hundredths of its range."""
    rising = values[np.lexsort((values, by))]
    return bool(np.diff(rising).min(initial=0) > -_SAME)


def file_of(layer: Image, index: tuple[int, ...] = ()) -> tuple[Path | None, tuple[int, ...]]:
    """The file that a picture of a layer came from, if any, and the number of the picture in it if it has several.

    Of several axes the last goes fastest, as it does in files.
    """
    source = layer.metadata.get(SOURCE) or layer.source.path
    shape = layer.data.shape[: len(index)]
    if isinstance(source, list):  # a file for each slice, or for each volume
        if not index or index[0] >= len(source):
            return None, index
        source, index, shape = source[index[0]], index[1:], shape[1:]
    number = (int(np.ravel_multi_index(index, shape)),) if index else ()
    return Path(source) if source else None, number


def write_layer(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Save a layer as a picture, whole or not at all, tagged as sRGB; of one in several sizes the largest."""
    pixels = np.asarray(data[0] if meta.get("multiscale") else data)
    write_image(Path(path), pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2), overwrite=True)
    return [path]


def edit(path: Path, seeds: Path | None = None) -> None:
    """Open a picture in a window with everything in place, and wait until it is closed.

    Parameters
    ----------
    path : Path
        A picture, or what the editor saved beside one.
    seeds : Path, optional
        Strokes to begin with; see `hybridcolor.marked.read_scribbles`.

    Raises
    ------
    HybridColorError
        If the picture or the strokes cannot be read.
    """
    from napari_hybridcolor.sessions import first_strokes

    layers = read_layers(str(path))  # before the window: what is wrong is told in the terminal
    scribbles = None if seeds is None else first_strokes(seeds, read_image(_picture_file(path)))
    import napari
    from qtpy.QtCore import QTimer

    from napari_hybridcolor.widget import ColorizeWidget

    viewer = napari.Viewer(title=f"{path.name} - hybridcolor")
    for data, about, _ in layers:
        viewer.add_image(data, **about)
    panel = ColorizeWidget(viewer)
    viewer.window.add_dock_widget(panel, name="hybridcolor")
    QTimer.singleShot(_LAID_OUT_MS, viewer.reset_view)  # the panel has taken a part of the canvas
    if scribbles is not None:
        panel.editing.take(scribbles)
    napari.run()


def _picture_file(file: Path) -> Path:
    """The picture that is meant by a file: itself, or what a saved session was drawn on."""
    return picture_of(file) if file.name.endswith(SUFFIX) else file


def _frames(source: Path) -> Iterator[Picture]:
    """The first frame of a file and those after it, as long as they are of its size."""
    first = read_image(source)
    yield first
    needed, free = first.frames * first.luminance.size * _BYTES, free_memory()
    if first.frames > 1 and free is not None and needed > free:
        raise ImageError(
            f"{source}: its {first.frames} slices take {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} are free; "
            "divide the stack, or colour it with `hybridcolor replay`, which reads one slice at a time"
        )
    for number in range(1, first.frames):
        try:
            frame = read_image(source, frame=number)
        except HybridColorError:
            if number == 1:
                return  # a picture, and beside it something else
            raise
        if frame.shape != first.shape:
            return
        yield frame


def _series(files: list[Path]) -> LayerData:
    """Files of a slice each, in the order in which they come."""
    pictures: list[Picture] = []
    for file in files:
        picture = read_image(file)
        if pictures and picture.shape != pictures[0].shape:
            raise ImageError(f"{file.name} is of another size than {files[0].name}; open it by itself")
        pictures.append(picture)
    return gray_layer(pictures, f"{files[0].name} to {files[-1].name}", list(map(str, files)))


def gray_layer(pictures: Sequence[Picture], name: str, source: str | list[str] | None) -> LayerData:
    """The luminance, or a stack of them, as a layer that knows which file, or files, it came from."""
    planes = [luminance_to_gray(picture.luminance) for picture in pictures]
    gray = planes[0] if len(planes) == 1 else np.stack(planes)
    scale = _proportions(pictures[0])[-gray.ndim :]
    return gray, {"name": name, "contrast_limits": (0.0, 1.0), "scale": scale, "metadata": {SOURCE: source}}, "image"


def _proportions(picture: Picture) -> tuple[float, float, float]:
    """How far apart slices and rows are, as columns are 1 apart: square pixels need no scale."""
    slices, rows, columns = picture.metadata.spacing or (1.0, 1.0, 1.0)
    return slices / columns, rows / columns, 1.0
