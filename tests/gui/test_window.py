"""The virtual screen shows what is drawn: without that no other GUI test means anything."""

from __future__ import annotations

import numpy as np


def test_a_real_window_shows_its_colour(qtbot):
    from qtpy.QtCore import Qt
    from qtpy.QtGui import QColor, QGuiApplication, QPalette
    from qtpy.QtWidgets import QWidget

    window = QWidget(windowFlags=Qt.WindowType.FramelessWindowHint)
    qtbot.addWidget(window)
    palette = QPalette(QColor(10, 200, 30))
    window.setPalette(palette)
    window.resize(64, 48)
    with qtbot.waitExposed(window):
        window.show()

    def screen_has_the_colour():
        image = QGuiApplication.primaryScreen().grabWindow(window.winId()).toImage()
        assert not image.isNull()
        assert image.pixelColor(20, 20).getRgb()[:3] == (10, 200, 30)

    qtbot.waitUntil(lambda: screen_has_the_colour() is None, timeout=5000)
    assert np.all([window.width() == 64, window.height() == 48])
