"""The sessions of the pictures in napari's layers: with what they begin, and that they go on with what is saved.

`Sessions` keeps one for each picture and slice that was opened. A new one has the settings that suit the kind of
picture, and the strokes that are saved beside its file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from hybridcolor.drawing import Drawing
from hybridcolor.errors import HybridColorError
from hybridcolor.files import exists
from hybridcolor.groundwork import load_model
from hybridcolor.marked import read_scribbles
from hybridcolor.picture import Picture
from hybridcolor.propagate.kinds import METHOD_OF, kind_of
from hybridcolor.session import EditSession
from hybridcolor.sessionfiles import read_drawing
from hybridcolor.stacks import Slice, session_beside
from napari_hybridcolor.opening import STROKES, file_of, picture_of_layer, slice_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from hybridcolor.seeds import Seeds

DRAWINGS = "lineart"
"""The model that proposes colours for drawings."""
_LOOK_AT = 1_000_000  # pixels by which the kind of a picture is told
_SETTINGS = ("model", "method", "vividness", "caution", "confidence", "finish", "tint", "options")
_Known = WeakKeyDictionary["Image", dict[tuple[int, ...], EditSession]]
_LEFT: _Known = WeakKeyDictionary()
"""The sessions of a panel that was closed, for the next one."""
_BEGUN: WeakKeyDictionary[EditSession, Drawing] = WeakKeyDictionary()
"""What each session began with: the settings that suit its kind of picture."""
_OPENED: WeakKeyDictionary[EditSession, Drawing] = WeakKeyDictionary()
"""And with those that were taken over from the slice before."""


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
        picture = picture_of_layer(layer, index)
        model, method, told = _suited(picture)
        session = EditSession(picture, predictor=model, method=method)
        begun = _BEGUN[session] = session.drawing
        if left is not None:
            changed = _changed(_BEGUN[left], left.drawing)
            if changed:
                session, told = _as_set(picture, replace(begun, **changed)), ""
                _BEGUN[session] = begun
        _OPENED[session] = session.drawing
        others = (known for other, known in self._known.items() if other in viewer.layers)
        taken = {each.autosave for known in others for each in known.values()}
        file, frame = file_of(layer, index)
        told = _go_on(session, frame, None if index else layer.metadata.get(STROKES), taken) or told
        if session.picture.source is None and file is not None:
            session.unsaved = "what is shown here is not as a picture of the file"
        sessions[index] = session
        return session, told

    def slices(self, layer: Image, here: EditSession) -> list[Slice]:
        """All slices of a layer, with what was drawn on each, now or before; ``here`` is the session of one of them."""
        known = self._known[layer]
        changed = {index: each.drawing for index, each in known.items() if each.drawing is not _OPENED[each]}
        slices = []
        for index in np.ndindex(layer.data.shape[: layer.ndim - 2]):
            file, frame = file_of(layer, index)
            saved = None if file is None else session_beside(file, frame)
            read: Callable[[], Picture] = partial(picture_of_layer, layer, index)
            drawn: Callable[[Picture], Drawing] | None = None
            if index in known:
                read = partial(getattr, known[index], "picture")
            if index in changed:
                drawn = partial(_drawn_already, changed[index])
            elif saved is not None and exists(saved) and here.picture.source is not None:
                drawn = partial(read_drawing, saved)
            slices.append(Slice(read, drawn, tuple(each for each in (file, saved) if each is not None)))
        if not any(each.drawn for each in slices):  # all as the one that is shown
            slices[0] = replace(slices[0], drawn=partial(_drawn_already, here.drawing))
        return slices

    def leave(self) -> None:
        """Leave them to whoever opens these pictures next."""
        _LEFT.update(self._known)


def first_strokes(seeds: Path, picture: Picture) -> Seeds:
    """What a file of seeds has for a picture; patches of the model that the picture opens with are no strokes."""
    return read_scribbles(seeds, picture, load_model(_suited(picture)[0]))


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
    session.begin(drawing)
    return session


def _drawn_already(drawing: Drawing, _picture: Picture) -> Drawing:
    return drawing


def _changed(then: Drawing, now: Drawing) -> dict[str, Any]:
    """The settings that are others now."""
    return {name: getattr(now, name) for name in _SETTINGS if getattr(now, name) != getattr(then, name)}


def _go_on(
    session: EditSession, index: tuple[int, ...] = (), opened: str | None = None, taken: Collection[Path | None] = ()
) -> str:
    """Go on with what is saved beside the picture, or was opened, and save there from now on. Returns what to tell.

    Nothing is saved to those that are ``taken``: a copy of a layer begins with its strokes, and does not replace them.
    """
    source = session.picture.source
    if source is None:
        session.unsaved = "this picture has no file"
        return ""
    path = Path(opened) if opened else session_beside(source, index)
    told = ""
    if exists(path):
        try:
            session.begin(read_drawing(path, session.picture))
        except HybridColorError as error:
            session.unsaved = str(error)
            return ""
        told = f"Went on with {path.name}: {len(session.drawing.strokes)} strokes."
    if path in taken:
        session.unsaved = f"{path.name} has those of another layer of this file"
    else:
        session.autosave = path
    return told
