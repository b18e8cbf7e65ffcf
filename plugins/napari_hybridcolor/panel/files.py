"""Asking for a file."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget


def file_to_write(parent: QWidget, title: str, start: Path, kinds: str, *, ending: str) -> Path | None:
    """Ask for a file to write, or None; a name without an ending is given one.

    One of two parts, such as ".hybridcolor.json", is given to any other name: strokes are not to replace a picture.
    """
    chosen, _ = QFileDialog.getSaveFileName(parent, title, str(start), kinds)
    path = Path(chosen)
    if not chosen or path.name.endswith(ending) or (path.suffix and ending.count(".") == 1):
        return path if chosen else None
    whole = path.with_name(path.name + ending)
    asked = f"{whole.name} is there already. Replace it?"  # the dialog knew the shorter name only
    if whole.exists() and QMessageBox.question(parent, title, asked) != QMessageBox.StandardButton.Yes:
        return None
    return whole
