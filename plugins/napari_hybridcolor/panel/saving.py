"""Saving: the coloured picture or stack, where strokes are saved, and, as long as they are not, that they are not."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from hybridcolor.errors import HybridColorError
from hybridcolor.imagefiles import suffix_of
from hybridcolor.sessionfiles import SUFFIX
from hybridcolor.stacks import SUFFIXES
from napari_hybridcolor.editing import Editing
from napari_hybridcolor.opening import file_of, slice_of
from napari_hybridcolor.panel.controls import Text, button
from napari_hybridcolor.panel.files import file_to_write

_PICTURES = "Pictures (*.png *.tif *.tiff *.jpg *.webp *.bmp *.dcm *.nii *.nii.gz);;Layers (*.ora *.psd)"
_STACKS = "Stacks (*.tif *.tiff *.nii *.nii.gz)"
_STROKES = f"Strokes (*{SUFFIX})"


class SaveBox(QWidget):
    """What goes to disk by a click, and whether strokes go there by themselves."""

    def __init__(self, editing: Editing) -> None:
        super().__init__()
        self.editing = editing
        self.picture_button = button("Save picture…", "Write the coloured picture (S)", self.save_picture)
        self.stack_button = button(
            "Save all slices…",
            "Write the whole stack coloured, in one file: slices that you drew on as you did,\n"
            "others by the settings of the nearest of those, and by its strokes if no network is asked",
            self.save_stack,
        )
        self.strokes_button = button("Strokes", "")
        menu = QMenu(self.strokes_button)
        menu.addAction("Save strokes…", self.save_strokes)
        menu.addAction("Open strokes…", self.open_strokes)
        self.strokes_button.setMenu(menu)
        self.unsaved = Text()
        self.unsaved.setStyleSheet("background: #ffb347; color: black; padding: 2px; border-radius: 3px;")
        self.progress = Text()
        self.stop_button = button("Stop", "Leave the stack unsaved", editing.saving_all.stop)
        buttons = QHBoxLayout()
        buttons.addWidget(self.picture_button, 1)
        buttons.addWidget(self.stack_button, 1)
        buttons.addWidget(self.strokes_button)
        self._working = QWidget()
        working = QHBoxLayout(self._working)
        working.setContentsMargins(0, 0, 0, 0)
        working.addWidget(self.progress, 1)
        working.addWidget(self.stop_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self._working)
        layout.addWidget(self.unsaved)
        self._show()
        editing.opened.connect(self._show)
        editing.drawing_changed.connect(self._show)
        editing.saving_all.answered.connect(self._tell)
        editing.saving_all.started.connect(self._show)
        editing.saving_all.rested.connect(self._show)

    def save_picture(self) -> None:
        """Ask where to, and write the coloured picture."""
        if not self._is_open():
            return
        source, number = self._source()
        words = [source.name.partition(".")[0]] if source else []
        start = source.parent if source else Path()
        name = "-".join([*words, *number, "colour"]) + ".png"
        path = file_to_write(self, "Save the coloured picture", start / name, _PICTURES, ending=".png")
        if path:
            self.editing.save_picture(path)

    def save_stack(self) -> None:
        """Ask where to, and write all slices of the stack."""
        if not self._is_open():
            return
        source, _ = self._source()
        stem = "-".join([*([source.name.partition(".")[0]] if source else []), "colour"])
        ending = suffix_of(source) if source else ""
        start = (source.parent if source else Path()) / f"{stem}{ending if ending in SUFFIXES else '.tif'}"
        path = file_to_write(self, "Save all slices", start, _STACKS, ending=".tif")
        if path:
            self.editing.save_stack(path)

    def save_strokes(self) -> None:
        """Ask where strokes are to be saved, now and from now on."""
        if not self._is_open():
            return
        source, number = self._source()
        start = source or Path("strokes")
        name = ".".join([start.name, *number])
        path = file_to_write(self, "Save strokes", start.with_name(f"{name}-2{SUFFIX}"), _STROKES, ending=SUFFIX)
        if path:
            self.save_strokes_to(path)

    def open_strokes(self) -> None:
        """Ask for saved strokes of this picture, and go on with them."""
        if not self._is_open():
            return
        source, _ = self._source()
        chosen, _ = QFileDialog.getOpenFileName(self, "Open strokes", str(source.parent if source else ""), _STROKES)
        if chosen:
            self.editing.go_on_with(Path(chosen))

    def save_strokes_to(self, path: Path) -> None:
        """Write the strokes, and save them there from now on as they are drawn."""
        self.editing.take_up()
        session, said = self.editing.session, f"Strokes are saved in {path.name} from now on."
        try:
            if session is not None:
                session.save_always(path)
        except HybridColorError as error:
            said = str(error)
        self.editing.said.emit(said)
        self._show()

    def _is_open(self) -> bool:
        if self.editing.session is None:
            self.editing.said.emit(self.editing.without)
        return self.editing.session is not None

    def _source(self) -> tuple[Path | None, list[str]]:
        """The picture's file, and which of its slices is in view."""
        image = self.editing.image
        assert image is not None  # noqa: S101  # it came with the session
        file, frame = file_of(image, slice_of(image, self.editing.viewer))
        return file, [str(at) for at in frame]

    def _tell(self, news: tuple[int, int] | str) -> None:
        """Which slice of how many is under way, or what came of them."""
        if isinstance(news, str):
            self.editing.said.emit(news)
        else:
            self.progress.say(f"Saving slice {news[0]} of {news[1]}…")

    def _show(self) -> None:
        session = self.editing.session
        unsaved = session.unsaved if session is not None else ""
        self.unsaved.setVisible(unsaved != "")
        if unsaved:
            self.unsaved.say(f"Strokes are not saved: {unsaved}")
        image, busy = self.editing.image, self.editing.saving_all.busy
        self.stack_button.setVisible(image is not None and image.ndim > 2)
        self.stack_button.setEnabled(not busy)
        self._working.setVisible(busy)
        saved = session.autosave if session is not None else None
        where = f"They are saved as you draw, in {saved}" if saved and not unsaved else "They are not saved yet"
        self.strokes_button.setToolTip(f"Save what you drew, or go on with what was saved. {where}.")
