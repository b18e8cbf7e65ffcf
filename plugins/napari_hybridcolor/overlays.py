"""What can be laid over the picture: where the network is unsure, regions, flat colours, a wipe, where to draw next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Points
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]

from hybridcolor.lab import eight_bits
from hybridcolor.layers import drawing_layers
from hybridcolor.pipeline import Colorization
from hybridcolor.session import EditSession
from napari_hybridcolor.editing import Editing
from napari_hybridcolor.gestures import Place
from napari_hybridcolor.held import Held
from napari_hybridcolor.regions import parted_by_lines
from napari_hybridcolor.work import Job, Newest

HERE, UNSURE, REGIONS, WIPE, FLATS = "draw here", "unsure", "regions", "wipe", "flats"
GRAY, ALONE, OWN = "gray picture", "network alone", "own colours"
"""What a wipe compares with."""
_Compared = tuple[EditSession, str, tuple[Any, ...]]
"""Whose picture, which of the above, and the settings that it goes by."""
_SURE, _UNSURE = 8.0, 38.0  # ab units of expected error that are shown as black and as white


class Overlays(QObject):
    """Layers that only show; each is on or off, and follows the picture and its answers."""

    cleared = Signal()
    deleted = Signal(str)

    def __init__(self, editing: Editing) -> None:
        super().__init__()
        self.editing = editing
        self.ring: Held[Points] = Held(editing.viewer)
        self.unsure: Held[Image] = Held(editing.viewer)
        self.regions: Held[Labels] = Held(editing.viewer)
        self.wipe: Held[Image] = Held(editing.viewer)
        self.flats: Held[Image] = Held(editing.viewer)
        self._wants_unsure = self._wants_flats = self._wants_regions = False
        self._wiped: str | None = None  # what the wipe is to show
        self._beside: tuple[_Compared, NDArray[np.uint8]] | None = None  # what it shows
        self._share = 0.5  # of the width
        self._looking = Newest(self)
        self._looking.answered.connect(self._draw_wipe)
        self._flattening = Newest(self)
        self._flattening.answered.connect(self._draw_flats)
        self.finding = Newest(self)
        self.finding.answered.connect(self._draw_regions)
        for thread in (self._looking, self._flattening, self.finding):
            thread.failed.connect(editing.said)
        editing.answered.connect(self._follow)
        editing.work.rested.connect(self._renew_wipe)
        editing.opened.connect(self.clear)

    def show_ring(self, place: Place | None) -> None:
        """Mark where to draw next, or nothing."""
        self.ring.remove()
        if place is not None and self.editing.session is not None and self.editing.image is not None:
            size = max(self.editing.session.picture.shape) / 18
            about = {"face_color": "transparent", "border_color": "yellow", "border_width": 0.08}
            self.ring.or_new(lambda: Points([place], name=HERE, size=size, **about), self.editing.image)

    def show_unsure(self, on: bool) -> None:
        """Lay over how far from the truth the network expects its colour to be: the brighter the farther."""
        self._wants_unsure = on
        if on:
            self.editing.say_without_network()
        belief = None if self.editing.session is None else self.editing.session.belief
        if not on or belief is None or self.editing.image is None or self.editing.session is None:
            self.unsure.remove()
            return
        error = belief.std().astype(np.float32)
        layer = self.unsure.layer
        if layer is not None and layer.data.shape == error.shape:
            layer.data = error
            return
        self.unsure.remove()
        about = {"colormap": "inferno", "opacity": 0.6, "interpolation2d": "linear"}
        limits = (_SURE, _UNSURE)
        (height, width), (rows, columns) = self.editing.session.picture.shape, error.shape
        self.unsure.or_new(
            lambda: Image(error, name=UNSURE, contrast_limits=limits, **about),
            self.editing.image,
            after=self.editing.result.layer,
            step=(height / rows, width / columns),
        )

    def show_regions(self, on: bool, gap: float | None = None) -> None:
        """Lay over the outlines of what the fill tool fills, of a drawing with gaps closed up to a width."""
        self._wants_regions = on
        if on and self.editing.session is not None:
            self.finding.ask(self.editing.regions.finding(self.editing.session, gap))
        else:
            self.regions.remove()

    def _draw_regions(self, found: tuple[EditSession, NDArray[np.int32]]) -> None:
        session, labels = found
        self.regions.remove()
        if self._wants_regions and session is self.editing.session and self.editing.image is not None:
            layer = self.regions.or_new(lambda: Labels(labels, name=REGIONS), self.editing.image)
            layer.contour, layer.opacity = (0, 0.3) if parted_by_lines(session.drawing) else (1, 0.7)
            layer.editable = False

    def renew_regions(self) -> None:
        """Outline the regions as they are now, if they are shown."""
        if self._wants_regions:
            self.show_regions(True)

    def show_flats(self, on: bool) -> None:
        """Show a drawing's colours as they are on blank paper, without its lines."""
        self._wants_flats = on
        if on and self.editing.answer is not None:
            self._flattening.ask(_flat(self.editing.answer))
        else:
            self.flats.remove()

    def _draw_flats(self, pixels: NDArray[np.uint8]) -> None:
        session, image = self.editing.session, self.editing.image
        if not self._wants_flats or session is None or image is None or pixels.shape[:2] != session.picture.shape:
            return
        layer = self.flats.layer
        if layer is not None:
            layer.data = pixels
        else:
            self.flats.or_new(lambda: Image(pixels, name=FLATS, rgb=True), image, after=self.editing.result.layer)

    def beside(self) -> list[str]:
        """What the result can be compared with."""
        session = self.editing.session
        if session is None:
            return []
        own = [OWN] if session.picture.chroma is not None else []
        return [GRAY, *([ALONE] if session.belief is not None else []), *own]

    def show_wipe(self, kind: str | None, share: float = 0.5) -> None:
        """Show another picture on the left, up to a share of the width; nothing for None."""
        self._wiped, self._share = kind, share
        if kind is None:
            self.wipe.remove()
            self._beside = None
        else:
            self._renew_wipe()

    def _renew_wipe(self) -> None:
        """Show what is wanted; where it is the network's word, not before that has been asked with these settings."""
        wanted = self._compared()
        if wanted is None:
            return
        if self._beside is not None and self._beside[0] == wanted:
            self._draw_wipe(self._beside)
        elif self._wiped != ALONE or not self.editing.work.busy:
            self._looking.ask(_picture(wanted))

    def _compared(self) -> _Compared | None:
        session = self.editing.session
        if session is None or self._wiped is None:
            return None
        return session, self._wiped, session.drawing.settings() if self._wiped == ALONE else ()

    def _draw_wipe(self, beside: tuple[_Compared, NDArray[np.uint8]]) -> None:
        image = self.editing.image
        if beside[0] != self._compared() or image is None:
            return  # it came too late
        self._beside, pixels = beside, beside[1]
        part = pixels[:, : max(1, round(self._share * pixels.shape[1]))]
        layer = self.wipe.layer
        if layer is not None:
            layer.data = part
        else:
            below = self.flats.layer or self.editing.result.layer or image
            self.wipe.or_new(lambda: Image(part, name=WIPE, rgb=True), image, after=below)

    def pictures(self) -> list[Image]:
        """The overlays that are image layers, and so are not to be offered as pictures to colour."""
        return [held.layer for held in (self.unsure, self.wipe, self.flats) if held.layer is not None]

    def layer_removed(self, event: Any) -> None:
        """Tell of an overlay that a person deleted in napari's list; for the event of the viewer's layers."""
        for held in (self.unsure, self.regions, self.wipe, self.flats):
            if held.lost(event.value):
                self.deleted.emit(event.value.name)

    def clear(self) -> None:
        """Take all of them away."""
        for held in (self.ring, self.unsure, self.regions, self.wipe, self.flats):
            held.remove()
        self._wants_unsure = self._wants_flats = self._wants_regions = False
        self._wiped = self._beside = None
        self.cleared.emit()

    def _follow(self) -> None:
        if self._wants_unsure:
            self.show_unsure(True)
        if self._wants_flats:
            self.show_flats(True)


def _flat(answer: Colorization) -> Job:
    def job(_stop: Callable[[], bool]) -> Iterator[NDArray[np.uint8]]:
        yield drawing_layers(answer.picture, answer.chroma, lightness=answer.lightness)[0].pixels

    return job


def _picture(wanted: _Compared) -> Job:
    session, kind, _ = wanted

    def job(_stop: Callable[[], bool]) -> Iterator[tuple[_Compared, NDArray[np.uint8]]]:
        chroma = session.untouched() if kind == ALONE else session.picture.chroma if kind == OWN else None
        yield wanted, eight_bits(session.picture.to_rgb(chroma))

    return job
