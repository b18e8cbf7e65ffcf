"""The virtual screen shows what is drawn: without that no other GUI test means anything."""

from __future__ import annotations


def test_a_real_window_shows_its_colour(qtbot):
    from qtpy.QtCore import Qt
    from qtpy.QtGui import QColor, QGuiApplication, QPalette
    from qtpy.QtWidgets import QWidget

    window = QWidget(None, Qt.WindowType.FramelessWindowHint)
    qtbot.addWidget(window)
    window.setPalette(QPalette(QColor(10, 200, 30)))
    window.resize(64, 48)
    with qtbot.waitExposed(window):
        window.show()

    def screen_has_the_colour():
        image = QGuiApplication.primaryScreen().grabWindow(window.winId()).toImage()
        assert not image.isNull()
        assert image.pixelColor(20, 20).getRgb()[:3] == (10, 200, 30)

    qtbot.waitUntil(screen_has_the_colour, timeout=5000)
