"""Whether Qt's libraries load and paint here; no display is needed for it."""

from __future__ import annotations

from PySide6.QtCore import qVersion
from PySide6.QtGui import QColor, QImage, QPainter


def painted() -> str:
    """Paint a point and read it back; returns what was tried, in words.

    Raises:
        RuntimeError: it is not there.
    """
    image = QImage(4, 4, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    with QPainter(image) as painter:
        painter.fillRect(1, 1, 2, 2, QColor("#2f5fd0"))
    if image.pixelColor(1, 1) != QColor("#2f5fd0") or image.pixelColor(0, 0) != QColor("white"):
        raise RuntimeError("Qt does not paint what it is told to")
    return f"Qt {qVersion()} paints"
