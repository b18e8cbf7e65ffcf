"""Run by a test in a process without a display: the editor's logic over napari's model of a viewer, with no window."""

from __future__ import annotations

import sys
import time

import numpy as np
from napari.components import ViewerModel
from napari_hybridcolor.automatic import Automatic
from napari_hybridcolor.editing import Editing
from napari_hybridcolor.overlays import Overlays
from qtpy.QtCore import QCoreApplication
from skimage import data

from hybridcolor.lab import rgb_to_lab

PALE = (18.0, -22.0)


def main() -> None:
    application = QCoreApplication([])
    viewer = ViewerModel()
    editing = Editing(viewer)
    automatic, overlays = Automatic(editing), Overlays(editing)

    def settle() -> None:
        end = time.monotonic() + 120
        threads = (editing.work, automatic.looking, overlays.finding)
        while editing.timer.isActive() or editing.answer is None or any(thread.busy for thread in threads):
            assert time.monotonic() < end
            application.processEvents()
            time.sleep(0.002)

    def shown() -> np.ndarray:
        return rgb_to_lab(editing.result.layer.data)

    editing.open(viewer.add_image(data.camera()[::4, ::4], name="photo"))
    settle()
    before = shown()
    editing.use_colour(PALE)
    editing.draw_line((20, 90), (20, 110))
    settle()
    assert np.abs(shown()[20, 100, 1:] - PALE).max() < 2
    layer = editing.scribbles.layer
    layer.paint((90, 90), layer.selected_label)
    settle()
    assert len(editing.session.drawing.strokes) == 2
    overlays.show_unsure(True)
    overlays.show_regions(True)
    overlays.show_ring(editing.next_place())
    editing.change(method="optimization")
    automatic.show(True)
    settle()
    assert automatic.count()
    assert {"photo", "colorized", "scribbles", "unsure", "regions", "draw here", "automatic seeds"} == {
        each.name for each in viewer.layers
    }
    for _ in range(3):
        editing.undo()
    settle()
    np.testing.assert_allclose(shown(), before, atol=2)
    sys.stdout.write("done")


if __name__ == "__main__":
    main()
