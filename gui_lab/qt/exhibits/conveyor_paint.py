"""One tile of a conveyor, an empty place, and the bar that tells of which classes a batch is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gui_lab.core.exhibits import Tile
from gui_lab.qt import words
from gui_lab.qt.exhibits.conveyor_plan import INDEX
from gui_lab.qt.exhibits.tile_images import TileImages
from gui_lab.qt.theme import CAPTION, class_colour, colour, numbers_font

_MIDDLE = int(Qt.AlignmentFlag.AlignCenter)
_LEGIBLE = 3  # characters of a name that was cut short, from which on it tells something
_BRIGHT = 140  # from this lightness on names are dark


def paint_tile(painter: QPainter, room: QRect, tile: Tile, images: TileImages, *, index: bool, grey: bool) -> None:
    """The picture with an edge in the colour of its class, and its index below it where that is wanted."""
    side = _side(room)
    where = QRect(room.left(), room.top(), side, side)
    known = tile.label >= 0 and not grey
    edge = class_colour(tile.label) if known else colour("line")
    thick = 1 if side < 16 else 2 if side < 40 else 3
    inner = where.adjusted(thick, thick, -thick, -thick)
    picture = images.get(tile, inner.width())
    if picture is None:
        _paint_blank(painter, where, inner, edge, known=known)
    else:
        painter.fillRect(where, edge)
        width, height = (round(length / picture.devicePixelRatio()) for length in (picture.width(), picture.height()))
        left, top = inner.left() + (inner.width() - width) // 2, inner.top() + (inner.height() - height) // 2
        painter.drawPixmap(left, top, picture)
    if index:
        painter.setFont(numbers_font(CAPTION - 1))
        painter.setPen(colour("quiet"))
        below = QRect(room.left() - 2, room.top() + side, side + 4, INDEX)
        painter.drawText(below, _MIDDLE, words.count(tile.index))


def paint_empty(painter: QPainter, room: QRect) -> None:
    """A place that no picture fills."""
    side = _side(room)
    painter.setPen(QPen(colour("quiet"), 1, Qt.PenStyle.DotLine))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(room.left() + 0.5, room.top() + 0.5, side - 1, side - 1))


def paint_mix(painter: QPainter, bar: QRect, mix: Counter[int], name: Callable[[int], str] | None) -> None:
    """How many of each class, as parts of a bar; nothing where classes are not known.

    Args:
        mix: how many by label.
        name: of a class, to be written where there is room; None for none.
    """
    known = {label: count for label, count in sorted(mix.items()) if label >= 0}
    total, before = sum(known.values()), 0
    if name is not None:
        painter.setFont(numbers_font(CAPTION))
    for label, count in known.items():
        left = bar.left() + bar.width() * before / total
        before += count
        right = bar.left() + bar.width() * before / total
        piece = QRectF(left, bar.top(), max(right - left - (1 if before < total else 0), 0.5), bar.height())
        tone = class_colour(label)
        painter.fillRect(piece, tone)
        if name is not None:
            _name_piece(painter, piece, name(label), count, tone)


def _name_piece(painter: QPainter, piece: QRectF, name: str, count: int, tone: QColor) -> None:
    """The name and how many; the name alone, or none, where there is less room."""
    metrics, room = painter.fontMetrics(), int(piece.width()) - 4
    written = f"{name}: {count}"
    if metrics.horizontalAdvance(written) > room:
        written = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
    if written == name or len(written) > _LEGIBLE:
        painter.setPen(_on(tone))
        painter.drawText(piece, _MIDDLE, written)


def _side(room: QRect) -> int:
    pitch = room.width()
    return pitch - (1 if pitch < 12 else 2 if pitch < 24 else 4 if pitch < 48 else 6)


def _paint_blank(painter: QPainter, where: QRect, inner: QRect, edge: QColor, *, known: bool) -> None:
    """A tile whose picture is not there: its class alone."""
    painter.fillRect(where, edge)
    painter.fillRect(inner, colour("raised"))
    if known:
        faint = QColor(edge)
        faint.setAlpha(90)
        painter.fillRect(inner, faint)


def _on(tone: QColor) -> QColor:
    """What can be read on a colour."""
    lightness = 0.3 * tone.red() + 0.59 * tone.green() + 0.11 * tone.blue()
    return QColor("#15181e" if lightness >= _BRIGHT else "#ffffff")
