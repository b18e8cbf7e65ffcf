"""How pictures come into napari and out of it: reader, writer, a layer's session, and `hybridcolor edit`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from hybridcolor.drawing import Drawing
from hybridcolor.errors import HybridColorError, ImageError
from hybridcolor.groundwork import load_model
from hybridcolor.imagefiles import read_image, write_image
from hybridcolor.lab import eight_bits, luminance_to_gray
from hybridcolor.marked import read_scribbles
from hybridcolor.picture import Picture
from hybridcolor.propagate.kinds import METHOD_OF, kind_of
from hybridcolor.session import EditSession
from hybridcolor.sessionfiles import SUFFIX, picture_of
from napari_hybridcolor.layers import as_shown, layer_picture

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from hybridcolor.seeds import Seeds

SOURCE = "hybridcolor_source"
"""Where a layer's metadata say which file it came from, or which each of its slices."""
STROKES = "hybridcolor_strokes"
"""Where they say that a saved session was opened, and which."""
DRAWINGS = "lineart"
"""The model that proposes colours for drawings."""
_LOOK_AT = 1_000_000  # pixels by which the kind of a picture is told
_MOST_PIXELS = 200_000_000  # of all slices of a stack that are read
_SAME = 0.5  # L* that a pixel of a layer may be off its file
_DIM = 30.0  # L* of the brightest pixel where 10 to 14 bits lie in 16
LayerData = tuple[NDArray[Any], dict[str, Any], str]


def get_reader(path: str | list[str]) -> Callable[[str | list[str]], list[LayerData]] | None:
    """napari's question whether a file is ours: saved sessions are, and medical pictures, also several as a stack."""
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
    if path is None or len(frame) > 1:
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
    return not float(read.luminance.max()) < _DIM < float(shown.luminance.max())


def file_of(layer: Image, index: tuple[int, ...] = ()) -> tuple[Path | None, tuple[int, ...]]:
    """The file that a picture of a layer came from, if any, and which of the file's pictures it is."""
    source = layer.metadata.get(SOURCE) or layer.source.path
    if isinstance(source, list):  # a file for each slice
        one = len(index) == 1 and index[0] < len(source)
        return (Path(source[index[0]]), ()) if one else (None, index)
    return Path(source) if source else None, index


def new_session(picture: Picture) -> tuple[EditSession, str]:
    """A session with the settings that suit the kind of picture, and what to tell of it."""
    model, method, told = _suited(picture)
    return EditSession(picture, predictor=model, method=method), told


def _suited(picture: Picture) -> tuple[str, str, str]:
    """The model and the method that suit the kind of picture, and what to tell of it."""
    step = max(1, round((picture.shape[0] * picture.shape[1] / _LOOK_AT) ** 0.5))
    kind = kind_of(picture.luminance[::step, ::step])
    method = METHOD_OF[kind.name]
    if kind.name == "photo":
        return "default", method, ""
    told = f"This is {kind.name} ({kind.reason}): the method {method} fills it, and a stroke rules its region."
    return DRAWINGS, method, told


def _as_set(picture: Picture, drawing: Drawing) -> EditSession:
    """A session that begins with the settings of a drawing, so that to undo is not to go back behind them."""
    session = EditSession(
        picture,
        predictor=drawing.model,
        method=drawing.method,
        vividness=drawing.vividness,
        caution=drawing.caution,
        **drawing.method_options,
    )
    if _changed(session.drawing, drawing):  # in what it cannot begin with
        session.set(drawing)
    return session


def _changed(then: Drawing, now: Drawing) -> dict[str, Any]:
    """The settings that are others now."""
    return {name: getattr(now, name) for name in _SETTINGS if getattr(now, name) != getattr(then, name)}


def go_on(
    session: EditSession, index: tuple[int, ...] = (), opened: str | None = None, taken: Collection[Path | None] = ()
) -> str:
    """Go on with what is saved beside the picture, or was opened, and save there from now on. Returns what to tell.

    Nothing is saved to those that are ``taken``: a copy of a layer begins with its strokes, and does not replace them.
    """
    source = session.picture.source
    if source is None:
        session.unsaved = "this picture has no file"
        return ""
    path = Path(opened) if opened else source.with_name(".".join([source.name, *map(str, index)]) + SUFFIX)
    told = ""
    if path.exists():
        try:
            session.load(path)
        except HybridColorError as error:
            session.unsaved = str(error)
            return ""
        told = f"Went on with {path.name}: {len(session.drawing.strokes)} strokes."
    if path in taken:
        session.unsaved = f"{path.name} has those of another layer of this file"
    else:
        session.autosave = path
    return told


_Known = WeakKeyDictionary["Image", dict[tuple[int, ...], EditSession]]
_LEFT: _Known = WeakKeyDictionary()
"""The sessions of a panel that was closed, for the next one."""
_BEGUN: WeakKeyDictionary[EditSession, Drawing] = WeakKeyDictionary()
"""What each session began with: the settings that suit its kind of picture."""
_SETTINGS = ("model", "method", "vividness", "caution", "confidence", "finish", "tint", "options")


class Sessions:
    """The sessions of all pictures and slices that were opened, each kept as long as its layer lives."""

    def __init__(self) -> None:
        self._known: _Known = WeakKeyDictionary()

    def in_view(self, layer: Image, viewer: ViewerModel, *, left: EditSession | None = None) -> tuple[EditSession, str]:
        """The session of what is in view of a layer, and what to tell of it where it is new.

        A new one takes over the settings that the person changed in the session of the slice that is left for it.

        Raises
        ------
        ImageError
            If the layer is no picture that can be coloured.
        """
        if layer not in self._known:
            self._known[layer] = _LEFT.pop(layer, {})
        sessions, index = self._known[layer], slice_of(layer, viewer)
        if index in sessions:
            return sessions[index], ""
        session, told = new_session(picture_of_layer(layer, index))
        begun = _BEGUN[session] = session.drawing
        if left is not None:
            changed = _changed(_BEGUN[left], left.drawing)
            if changed:
                session, told = _as_set(session.picture, replace(begun, **changed)), ""
                _BEGUN[session] = begun
        others = (known for other, known in self._known.items() if other in viewer.layers)
        taken = {each.autosave for known in others for each in known.values()}
        file, frame = file_of(layer, index)
        told = go_on(session, frame, None if index else layer.metadata.get(STROKES), taken) or told
        if session.picture.source is None and file is not None:
            session.unsaved = "what is shown here is not as a picture of the file"
        sessions[index] = session
        return session, told

    def leave(self) -> None:
        """Leave them to whoever opens these pictures next."""
        _LEFT.update(self._known)


def write_layer(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Save a layer as a picture, whole or not at all, tagged as sRGB; of one in several sizes the largest."""
    pixels = np.asarray(data[0] if meta.get("multiscale") else data)
    write_image(Path(path), pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2), overwrite=True)
    return [path]


def first_strokes(seeds: Path, picture: Picture) -> Seeds:
    """What a file of seeds has for a picture; patches of the model that the picture opens with are no strokes."""
    return read_scribbles(seeds, picture, load_model(_suited(picture)[0]))


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
    layers = read_layers(str(path))  # before the window: what is wrong is told in the terminal
    scribbles = None
    if seeds is not None:
        scribbles = first_strokes(seeds, read_image(_picture_file(path)))
    import napari

    from napari_hybridcolor.widget import ColorizeWidget

    viewer = napari.Viewer(title=f"{path.name} - hybridcolor")
    for data, about, _ in layers:
        viewer.add_image(data, **about)
    panel = ColorizeWidget(viewer)
    viewer.window.add_dock_widget(panel, name="hybridcolor")
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
    for number in range(1, _MOST_PIXELS // (first.shape[0] * first.shape[1])):
        try:
            frame = read_image(source, frame=number)
        except HybridColorError:
            return  # there are no more
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
