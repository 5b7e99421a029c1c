"""Words inside a plot: at marks, at spots and under the pointer, placed where they cover none placed before.

What finds no room is left out: its ring or dashed line is still there, and the pointer tells its numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from gui_lab.core.exhibits import Mark, Spot
from gui_lab.qt.exhibits.plane import Floats, Plane
from gui_lab.qt.exhibits.plot_paint import ground, mixed, pen, tint
from gui_lab.qt.theme import XS, S, colour

RING = 6.0
"""Radius of the ring around a spot."""
_CENTRE = Qt.AlignmentFlag.AlignCenter
_MIDDLE = Qt.AlignmentFlag.AlignVCenter


class Placed:
    """Where words may still stand.

    Args:
        area: none stand outside of it.
        points: pixels of lines, float64 (n, 2); words cover them only where there is no other room.
    """

    def __init__(self, area: QRectF, font: QFont, points: Floats) -> None:
        self._area, self._points, self._taken = area, points, list[QRectF]()
        self.font = font
        self._metrics = QFontMetricsF(font)

    def take(self, where: QRectF) -> None:
        self._taken.append(where)

    def size(self, words: str) -> tuple[float, float]:
        return self._metrics.horizontalAdvance(words) + 2 * XS, self._metrics.height()

    def find(self, corners: Iterator[QPointF], words: str) -> QRectF | None:
        """The first of the corners from which the words have room, as their rectangle."""
        width, height = self.size(words)
        free = [QRectF(corner.x(), corner.y(), width, height) for corner in corners]
        free = [one for one in free if self._area.contains(one) and not any(map(one.intersects, self._taken))]
        found = next((one for one in free if not self._covers(one)), free[0] if free else None)
        if found is not None:
            self.take(found)
        return found

    def _covers(self, where: QRectF) -> bool:
        x, y = self._points.T
        return bool(((x > where.left()) & (x < where.right()) & (y > where.top()) & (y < where.bottom())).any())


def draw_marks(painter: QPainter, marks: Sequence[Mark], plane: Plane, placed: Placed) -> None:
    """Dashed lines across the plane; the words of one stand at its end."""
    area = plane.area
    for mark in marks:
        at = plane.place(mark.at, mark.at)
        x, y = round(at.x()) + 0.5, round(at.y()) + 0.5
        along = mark.axis == "y"
        if not (area.top() - 1 <= y <= area.bottom() + 1 if along else area.left() - 1 <= x <= area.right() + 1):
            continue
        painter.setPen(pen(tint(mark.role), 1.4, Qt.PenStyle.DashLine))
        painter.drawLine(QLineF(area.left(), y, area.right(), y) if along else QLineF(x, area.top(), x, area.bottom()))
        where = placed.find(_beside_mark(mark, at, area, placed), mark.words) if mark.words else None
        if where is not None:
            _write(painter, where, mark.words, mark.role, placed.font)


def _beside_mark(mark: Mark, at: QPointF, area: QRectF, placed: Placed) -> Iterator[QPointF]:
    width, height = placed.size(mark.words)
    if mark.axis == "y":
        for left in (area.right() - width - 1, area.left() + 1, area.center().x() - width / 2):
            for top in (at.y() - height - 2, at.y() + 3):
                yield QPointF(left, top)
        return
    for row in range(max(int(area.height() // height), 1)):
        for left in (at.x() + 3, at.x() - width - 3):
            yield QPointF(left, area.top() + 1 + row * height)


def draw_spots(painter: QPainter, spots: Sequence[Spot], plane: Plane, placed: Placed) -> None:
    """Rings and their words; the rings first, so that no words cover one."""
    inside = [(spot, plane.place(spot.x, spot.y)) for spot in spots if np.isfinite([spot.x, spot.y]).all()]
    inside = [(spot, at) for spot, at in inside if plane.area.adjusted(-1, -1, 1, 1).contains(at)]
    for spot, at in inside:
        draw_ring(painter, at, tint(spot.role))
        placed.take(QRectF(at.x() - RING, at.y() - RING, 2 * RING, 2 * RING))
    for spot, at in inside:
        where = placed.find(_around(at, *placed.size(spot.words)), spot.words) if spot.words else None
        if where is not None:
            _write(painter, where, spot.words, spot.role, placed.font)


def draw_ring(painter: QPainter, at: QPointF, tone: QColor) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for ring, width in ((ground(), 4.5), (tone, 2.2)):
        painter.setPen(pen(ring, width))
        painter.drawEllipse(at, RING - 1, RING - 1)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tone)
    painter.drawEllipse(at, 1.6, 1.6)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _around(at: QPointF, width: float, height: float) -> Iterator[QPointF]:
    """Corners of words beside a point, near ones first."""
    for away in (RING + 3, RING + 14, RING + 28):
        yield at + QPointF(away, -height / 2)
        yield at + QPointF(-away - width, -height / 2)
        yield at + QPointF(-width / 2, -away - height)
        yield at + QPointF(-width / 2, away)
        for left in (away * 0.7, -away * 0.7 - width):
            for top in (-away * 0.7 - height, away * 0.7):
                yield at + QPointF(left, top)


def _write(painter: QPainter, where: QRectF, words: str, role: str, font: QFont) -> None:
    """On a ground that lets what is below fade."""
    plate = QColor(ground())
    plate.setAlpha(215)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(plate)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.drawRoundedRect(where, 3, 3)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setFont(font)
    painter.setPen(tint(role))
    painter.drawText(where, _CENTRE, words)


Row = tuple[str, str, str]
"""Name, value, and role of a line of the readout; without a role no square stands before it."""


def draw_readout(painter: QPainter, rows: Sequence[Row], at: QPointF, bounds: QRectF, font: QFont) -> None:
    """A box beside the pointer, within the bounds: names on the left, values on the right."""
    metrics = QFontMetricsF(font)
    square = S + XS if any(role for _, _, role in rows) else 0
    names = max(metrics.horizontalAdvance(name) for name, _, _ in rows)
    values = max(metrics.horizontalAdvance(value) for _, value, _ in rows)
    row = metrics.height() + 1
    width, height = square + names + S + XS + values + 2 * S, len(rows) * row + XS
    left = at.x() + 12 if at.x() + 12 + width <= bounds.right() else max(at.x() - 12 - width, bounds.left())
    top = min(max(at.y() - height - 8, bounds.top()), bounds.bottom() - height)
    box = QRectF(round(left) + 0.5, round(top) + 0.5, round(width), round(height))
    painter.setPen(pen(mixed("line", 1.0)))
    painter.setBrush(colour("raised"))
    painter.drawRoundedRect(box, 3, 3)
    painter.setFont(font)
    for number, (name, value, role) in enumerate(rows):
        line = QRectF(box.left() + S, box.top() + XS / 2 + number * row, box.width() - 2 * S, row)
        if role:
            painter.fillRect(QRectF(line.left(), line.center().y() - 4, 8, 8), tint(role))
        painter.setPen(colour("quiet"))
        painter.drawText(line.adjusted(square, 0, 0, 0), _MIDDLE, name)
        painter.setPen(colour("text"))
        painter.drawText(line, _MIDDLE | Qt.AlignmentFlag.AlignRight, value)
