"""A drawing on a picture as a person changes it: commands that check, can be undone, and are saved at once.

It computes no colours, so every command is done at once: `hybridcolor.session.EditSession` is a document that does. May
import ``drawing``, ``files`` and ``sessionfiles``, and asks ``propagate`` and ``painting`` what names they know.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hybridcolor.bins import check_shares
from hybridcolor.drawing import Drawing, Stroke, check_savable, weight_of
from hybridcolor.errors import SeedError
from hybridcolor.files import checksum
from hybridcolor.history import History
from hybridcolor.painting import check_finish
from hybridcolor.palettes import MOST, lit, unlike
from hybridcolor.picture import Picture
from hybridcolor.propagate import check_options
from hybridcolor.seeds import USER, Seeds
from hybridcolor.sessionfiles import read_drawing, save_drawing


class _Chapter(NamedTuple):
    """What was drawn as long as it was saved in one file."""

    history: History
    autosave: Path | None
    there: str | None
    unsaved: str


class Document:
    """A picture and the drawing on it.

    Parameters
    ----------
    picture : Picture
    drawing : Drawing
        What to begin with.
    autosave : path-like or None
        Where every change is saved at once: over what is there now, but not over what others save there later.

    Attributes
    ----------
    unsaved : str
        Why what was drawn is not on disk: ``autosave`` failed at the last change. "" if it is there, or need not be.

    Raises
    ------
    MethodError
        If the method or an option is unknown.

    Examples
    --------
    >>> document = Document(Picture.from_array(np.full((8, 8), 120, np.uint8)), Drawing(), autosave=None)
    >>> document.draw([[4, 4]], (30.0, 20.0))
    >>> document.recolour((4, 4), (0.0, 0.0)), document.recolour((5, 5), (0.0, 0.0)), document.undo()
    (True, False, True)
    >>> document.drawing.scribbles.ab.tolist()
    [[30.0, 20.0]]
    """

    def __init__(self, picture: Picture, drawing: Drawing, *, autosave: str | os.PathLike[str] | None) -> None:
        self.picture = picture
        self.autosave = None if autosave is None else Path(autosave)
        self.unsaved = ""
        _check_method(drawing)
        self._history = History(drawing)
        self._chapters_before: list[_Chapter] = []
        self._chapters_undone: list[_Chapter] = []
        self._changed = time.perf_counter()

    @property
    def autosave(self) -> Path | None:
        """Where every change is saved at once; what is there when this is set is replaced."""
        return self._autosave

    @autosave.setter
    def autosave(self, path: Path | None) -> None:
        self._autosave, self._there = path, checksum(path)

    @property
    def automatic(self) -> Seeds:
        """The automatic seeds of a seeds file; those of a CNN are known to a session."""
        return self.drawing.automatic

    @property
    def drawing(self) -> Drawing:
        """Strokes and settings as they are now."""
        return self._history.present

    def draw(self, coords: ArrayLike, colour: ArrayLike, *, strength: float = 1.0) -> None:
        """Add a stroke.

        Parameters
        ----------
        coords : (N, 2) array-like of int
            Rows and columns.
        colour : (2,) or (3,) array-like
            Its a* and b*; (0, 0) is gray. In a drawing a third number is the L* that it has there.
        strength : float, optional
            1 gives its pixels exactly this colour; less gives way to what is around (`hybridcolor.drawing.weight_of`).

        Raises
        ------
        SeedError
            If it lies outside the picture, or the colour or strength is not a valid one; the drawing is then as before.
        """
        stroke = Stroke.of(coords, colour, weight=weight_of(strength, self.picture.shape))
        self.set(self.drawing.with_stroke(stroke))

    def draw_all(self, strokes: Iterable[Stroke]) -> None:
        """Add several strokes as one change, such as those of a `hybridcolor.advice.Variant`.

        Raises
        ------
        SeedError
            If one lies outside the picture; the drawing is then as before.
        """
        self.set(self.drawing.with_strokes(strokes))

    def erase(self, coords: ArrayLike) -> None:
        """Rub out what was drawn at these pixels.

        Raises
        ------
        SeedError
            If they lie outside the picture.
        """
        self.set(self.drawing.with_stroke(Stroke.of(coords, None)))

    def recolour(self, pixel: tuple[int, int], colour: ArrayLike) -> bool:
        """Give the stroke that shows at a pixel another colour; False if none shows there.

        Raises
        ------
        SeedError
            If the colour is not an a* and a b*, and perhaps an L*, within bounds.
        """
        return self._become(self.drawing.recoloured(pixel, colour))

    def remove(self, pixel: tuple[int, int]) -> bool:
        """Take away the stroke that shows at a pixel: what it covered shows again. False if none shows there."""
        return self._become(self.drawing.removed(pixel))

    def dismiss(self, coords: ArrayLike) -> int:
        """Remove the automatic seeds that touch these pixels, and let none come there later. Returns how many went.

        Raises
        ------
        SeedError
            If the pixels lie outside the picture.
        """
        return self._dismiss(coords, self._touched(coords), self.drawing)

    def pin(self, coords: ArrayLike) -> int:
        """Make the automatic seeds that touch these pixels strokes of the person, in their colours. Returns how many.

        They stay as they are whatever the CNN hears or the settings become, and a method with a prior keeps to them.

        Raises
        ------
        SeedError
            If the pixels lie outside the picture.
        """
        touched, drawn = self._touched(coords), self.drawing.scribbles
        free = touched.without(drawn.take(drawn.origin == USER).coords)
        patches = (free.take(free.stroke == number) for number in np.unique(free.stroke))
        strokes = [Stroke.of(patch.coords, patch.ab[0]) for patch in patches]
        return self._dismiss(coords, touched, self.drawing.with_strokes(strokes))

    def set(self, drawing: Drawing) -> None:
        """Make this the present drawing, with all its strokes and settings.

        Raises
        ------
        SeedError
            If a stroke lies outside the picture.
        MethodError
            If the method or an option is unknown. The drawing is then as before.
        """
        self._check(drawing)
        self._do(drawing)

    def begin(self, drawing: Drawing) -> None:
        """Make this what the document begins with: whatever was before cannot be brought back.

        Raises
        ------
        SeedError, MethodError
            As for `set`.
        """
        self._check(drawing)
        self._history = History(drawing)
        self._chapters_before.clear()
        self._chapters_undone.clear()

    def undo(self) -> bool:
        """Take the last change back, of strokes, settings or the file they are saved in; False if there is none."""
        return (self._history.undo() and self._note()) or self._turn(self._chapters_before, self._chapters_undone)

    def redo(self) -> bool:
        """Make the change that was taken back; False if there is none."""
        return (self._history.redo() and self._note()) or self._turn(self._chapters_undone, self._chapters_before)

    def set_scribbles(self, scribbles: Seeds) -> None:
        """Replace all that was drawn by scribbles, and edited automatic seeds, of a file; colours join the palette.

        Raises
        ------
        SeedError
            If a scribble lies outside the picture; the drawing is then as before.
        """
        drawn = scribbles.take(scribbles.origin == USER)
        colours = np.unique(np.column_stack([drawn.ab, drawn.lightness]), axis=0)[:MOST].tolist()
        known = self.drawing.palette
        palette = (*known, *unlike((lit((a, b), level) for a, b, level in colours), known))
        self.set(replace(self.drawing, imported=scribbles, strokes=(), palette=palette))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save strokes and settings.

        Raises
        ------
        SeedError
            If the file cannot be written.
        """
        save_drawing(path, self.drawing, self.picture)
        if Path(path) == self.autosave:
            self.autosave = Path(path)

    def save_always(self, path: str | os.PathLike[str]) -> None:
        """Save strokes and settings there, now and at every change from now on.

        Raises
        ------
        SeedError
            If the file cannot be written; ``autosave`` is then as before.
        """
        save_drawing(path, self.drawing, self.picture)
        self.autosave, self.unsaved = Path(path), ""

    def load(self, path: str | os.PathLike[str]) -> None:
        """Take up what was saved, as a change that can be undone.

        Raises
        ------
        SeedError
            If the file is no session, or one of another picture.
        MethodError
            If its method is unknown.
        """
        self.set(read_drawing(path, self.picture))

    def go_on_with(self, path: str | os.PathLike[str]) -> None:
        """Take up what was saved, and save there from now on. Undo goes back to the file before it, too.

        Raises
        ------
        SeedError, MethodError
            As for `load`; all is then as before.
        """
        drawing = read_drawing(path, self.picture)
        self._check(drawing)
        self._chapters_before.append(_Chapter(self._history, self._autosave, self._there, self.unsaved))
        self._chapters_undone.clear()
        self._history, self.autosave, self.unsaved = History(drawing), Path(path), ""

    def _turn(self, chapters: list[_Chapter], others: list[_Chapter]) -> bool:
        """Go on with the last of some chapters, which is as it was saved; False if there is none."""
        if not chapters:
            return False
        others.append(_Chapter(self._history, self._autosave, self._there, self.unsaved))
        self._history, self._autosave, self._there, self.unsaved = chapters.pop()
        self._changed = time.perf_counter()
        return True

    def _check(self, drawing: Drawing) -> None:
        """Refuse a drawing that is not one of this picture; what is in the present one has been checked."""
        _check_method(drawing)
        shape, known = self.picture.shape, self.drawing
        drawing.imported.check_inside(shape)
        for stroke in {*drawing.strokes, *drawing.dismissed} - {*known.strokes, *known.dismissed}:
            if (stroke.coords.max(axis=0, initial=0) >= shape).any():
                Seeds.of(stroke.coords, (0, 0)).check_inside(shape)  # says where

    def _become(self, drawing: Drawing) -> bool:
        """Make this the present drawing; False if it is already."""
        return drawing is not self.drawing and self._do(drawing)

    def _do(self, drawing: Drawing) -> bool:
        self._history.do(drawing)
        self._chapters_undone.clear()
        return self._note()

    def _touched(self, coords: ArrayLike) -> Seeds:
        """The automatic seeds, whole, that touch some pixels."""
        area = Seeds.of(coords, (0, 0))
        area.check_inside(self.picture.shape)
        automatic = self.automatic
        return automatic.take(automatic.of_strokes_in(area.mask(self.picture.shape)))

    def _dismiss(self, coords: ArrayLike, touched: Seeds, drawing: Drawing) -> int:
        """Go on to a drawing without the automatic seeds that touch some pixels, if any do."""
        if len(touched):
            area = Stroke.of(np.concatenate([touched.coords, np.reshape(coords, (-1, 2))]), None)
            self._become(drawing.dismissing(area, self.picture.shape))
        return len(np.unique(touched.stroke))

    def _note(self) -> bool:
        self._changed = time.perf_counter()
        if self.autosave is not None:
            try:
                self._check_nobody_saved(self.autosave)
                self.save_always(self.autosave)
            except SeedError as error:
                self.unsaved = str(error)
                raise
        return True

    def _check_nobody_saved(self, path: Path) -> None:
        """Refuse to replace what is not what was there before, nor saved by us."""
        there = checksum(path)
        if there not in (None, self._there):
            raise SeedError(f"{path}: another window or program has saved there since; save these strokes elsewhere")


def _check_method(drawing: Drawing) -> None:
    """Refuse a method, an option or a finish that nobody knows, and what could be saved and not be read again."""
    check_options(drawing.method, drawing.method_options)
    if drawing.finish is not None:
        check_finish(drawing.finish)
    check_shares(vividness=drawing.vividness, caution=drawing.caution, confidence=drawing.confidence, tint=drawing.tint)
    for method, options in drawing.options.items():
        check_savable(method, options)
