"""The plots that are shown, as a picture or as a drawing, with fine lines and in the colours of the screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter

from gui_lab.core.files import write_atomically
from gui_lab.core.history_table import unwritten
from gui_lab.errors import StoreError
from gui_lab.qt.theme import BASE, L, S, colour, numbers_font
from gui_lab.qt.views.curve_plot import Plot

KINDS = {".png": "Picture", ".svg": "Drawing", ".csv": "Table of all values"}
"""By suffix: what curves can be written as."""
_RATIO = 2  # pixels of a picture for one of the screen
_TITLE = 28


def checked(path: Path) -> str:
    """The suffix of a path that curves can be written to.

    Raises:
        StoreError: there is no such kind of file.
    """
    suffix = path.suffix.lower()
    if suffix not in KINDS:
        raise StoreError(
            f"Curves cannot be written as {path.suffix or 'a file without an ending'}.",
            f"Give the file a name that ends in {', '.join(list(KINDS)[:-1])} or {list(KINDS)[-1]}.",
        )
    return suffix


def write(plots: Sequence[Plot], title: str, path: Path) -> None:
    """Write the plots, one below the other, as .png or .svg.

    Raises:
        StoreError: it cannot be written.
    """
    content = drawing(plots, title) if path.suffix.lower() == ".svg" else picture(plots, title)
    try:
        write_atomically(path, content)
    except OSError as error:
        raise unwritten(path, error) from error


def picture(plots: Sequence[Plot], title: str) -> bytes:
    """As PNG, two pixels for each of the screen."""
    size = _size(plots)
    image = QImage(size * _RATIO, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(_RATIO)
    image.fill(colour("surface"))
    with QPainter(image) as painter:
        _draw(painter, plots, title, size)
    buffer = _buffer()
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # a buffer is right
    return bytes(buffer.data().data())


def drawing(plots: Sequence[Plot], title: str) -> bytes:
    """As SVG."""
    from PySide6.QtSvg import QSvgGenerator

    size, buffer = _size(plots), _buffer()
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)  # the older one does not clip lines to their plot
    generator.setOutputDevice(buffer)
    generator.setSize(size)
    generator.setViewBox(QRect(0, 0, size.width(), size.height()))
    generator.setResolution(96)
    generator.setTitle(title)
    with QPainter(generator) as painter:
        painter.fillRect(QRect(0, 0, size.width(), size.height()), colour("surface"))
        _draw(painter, plots, title, size)
    return bytes(buffer.data().data())


def _buffer() -> QBuffer:
    buffer = QBuffer()
    buffer.setData(QByteArray())
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    return buffer


def _size(plots: Sequence[Plot]) -> QSize:
    width = max(plot.width() for plot in plots) + 2 * L
    return QSize(width, _TITLE + sum(plot.height() + S for plot in plots) + 2 * S)


def _draw(painter: QPainter, plots: Sequence[Plot], title: str, size: QSize) -> None:
    painter.setPen(colour("text"))
    painter.setFont(numbers_font(BASE))
    painter.drawText(QRect(L, S, size.width() - 2 * L, _TITLE - S), Qt.AlignmentFlag.AlignVCenter, title)
    top = _TITLE + S
    for plot in plots:
        painter.save()
        painter.translate(L, top)
        plot.draw(painter)
        painter.restore()
        top += plot.height() + S
