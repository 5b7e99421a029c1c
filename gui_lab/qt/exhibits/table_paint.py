"""How a table is painted: rows, bars, arrows, and the handles of what can be pulled.

Bars to the left and to the right of a middle line are blue and red, as all values around zero are; an arrow at the tip
says the same without colour. A row in hand has a triangle before it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gui_lab.core.exhibits import Cell, Column, Table
from gui_lab.qt.exhibits.table_columns import END, Layout, Place, written
from gui_lab.qt.theme import class_colour, colour, numbers_font

RULE = 5
"""Pixels that a hairline takes with the air below it."""

_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_FAINT = 110  # of 255, what is not reached yet
_LARGEST_BAR = 18


@dataclass(frozen=True)
class Look:
    """What of a table is pointed at: rows under the mouse and the keyboard, -1 for none; and what the full bar of each
    column stands for."""

    hovered: int
    focused: int
    highs: tuple[float, ...]


class Painting:
    """One painting of a table."""

    def __init__(self, painter: QPainter, table: Table, layout: Layout, look: Look, width: float, line: float) -> None:
        self._painter, self._table, self._look = painter, table, look
        self._places, self._width, self._line = layout.places, width, line
        self._pixels = min(layout.pixels, max(int(line) - 5, 9))
        self._end = min(width, layout.places[-1].right + END) if layout.places else width
        painter.setFont(numbers_font(self._pixels))

    def paint(self) -> None:
        table, line = self._table, self._line
        self._columns_in_hand()
        self._head()
        y = self._rule(line)
        for number, row in enumerate(table.rows):
            self._row(y, number, row)
            y += line
        if table.foot:
            y = self._rule(y)
            for row in table.foot:
                self._cells(y, row, bars=False)
                y += line

    # ---------------------------------------------------------------- lines

    def _columns_in_hand(self) -> None:
        rows = len(self._table.rows) + len(self._table.foot)
        height = self._line * (1 + rows) + RULE * (2 if self._table.foot else 1)
        tint = colour("accent", 20)
        for column, place in zip(self._table.columns, self._places, strict=True):
            if column.state == "now":
                self._painter.fillRect(QRectF(place.left - 5, 0, place.right - place.left + 10, height), tint)

    def _head(self) -> None:
        painter = self._painter
        for column, place in zip(self._table.columns, self._places, strict=True):
            painter.setPen(_tone(column, "quiet"))
            align = _LEFT if column.kind == "text" else _RIGHT
            room = QRectF(place.left, 0, place.right - place.left, self._line)
            painter.drawText(room, align, self._elided(column.title, room.width()))
            if column.state == "now":
                painter.fillRect(QRectF(place.left - 5, self._line - 1, room.width() + 10, 2), colour("accent"))

    def _rule(self, y: float) -> float:
        self._painter.setPen(colour("line"))
        self._painter.drawLine(QPointF(0, y + 1), QPointF(self._end, y + 1))
        return y + RULE

    def _row(self, y: float, number: int, row: Sequence[Cell]) -> None:
        table, line, painter = self._table, self._line, self._painter
        whole = QRectF(0, y, self._end, line)
        marked = number in table.marked
        if marked or number == self._look.hovered:
            painter.fillRect(whole, colour("hover" if number == self._look.hovered else "raised", 160))
        if marked:
            self._triangle(y + line / 2)
        if number < len(table.classes):
            painter.fillRect(QRectF(13, y + 3, 3, line - 6), class_colour(table.classes[number]))
        self._cells(y, row, marked=marked)
        if number == self._look.focused:
            self._ring(whole)

    def _triangle(self, y: float) -> None:
        self._painter.save()
        self._painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(colour("text"))
        self._painter.drawPolygon(QPolygonF([QPointF(4, y - 4), QPointF(10, y), QPointF(4, y + 4)]))
        self._painter.restore()

    def _ring(self, whole: QRectF) -> None:
        self._painter.save()
        self._painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._painter.setPen(QPen(colour("accent"), 1.5))
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        self._painter.drawRoundedRect(whole.adjusted(1, 1, -1, -1), 4, 4)
        self._painter.restore()

    # ---------------------------------------------------------------- cells

    def _cells(self, y: float, row: Sequence[Cell], *, marked: bool = False, bars: bool = True) -> None:
        painter, line = self._painter, self._line
        for column, place, high, cell in zip(self._table.columns, self._places, self._look.highs, row, strict=True):
            if bars and place.bar is not None and isinstance(cell, (int, float)) and not math.isnan(cell):
                painter.setOpacity(_FAINT / 255 if column.state == "waiting" else 1.0)
                self._bar(y, column, place, float(cell), high, marked)
                painter.setOpacity(1.0)
            text = written(cell, column.digits)
            broken = isinstance(cell, float) and not math.isfinite(cell)
            painter.setPen(colour("error") if broken else _tone(column, "text"))
            room = QRectF(place.left, y, place.right - place.left, line)
            align = _LEFT if column.kind == "text" else _RIGHT
            painter.drawText(room, align, self._elided(text, room.width()) if column.kind == "text" else text)

    def _bar(self, y: float, column: Column, place: Place, value: float, high: float, marked: bool) -> None:
        assert place.bar is not None
        left, width = place.bar
        part = min(max(value / high, -1.0), 1.0)
        height = min(self._line - 8, _LARGEST_BAR)
        bar = QRectF(left, y + (self._line - height) / 2, width, height)
        if column.kind == "bar":
            track, tone = colour("raised" if not marked else "line"), colour("best" if marked else "training")
            self._painter.fillRect(bar, track)
            self._painter.fillRect(QRectF(left, bar.top(), max(width * max(part, 0.0), 0.5), height), tone)
        elif column.sets:
            self._handle(bar, part)
        else:
            self._arrow(bar, part)

    def _handle(self, bar: QRectF, part: float) -> None:
        """A slider whose groove is filled from its middle."""
        painter, y = self._painter, bar.center().y()
        middle, tip = bar.center().x(), bar.center().x() + part * bar.width() / 2
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour("line"), 4, c=Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(bar.left(), y), QPointF(bar.right(), y))
        painter.setPen(QPen(colour("accent"), 4, c=Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(middle, y), QPointF(tip, y))
        painter.setPen(QPen(colour("quiet"), 1))
        painter.drawLine(QPointF(middle, y - 5), QPointF(middle, y + 5))
        painter.setPen(QPen(colour("accent"), 2))
        painter.setBrush(colour("surface"))
        radius = min(bar.height() / 2, 7.0)
        painter.drawEllipse(QPointF(tip, y), radius, radius)
        painter.restore()

    def _arrow(self, bar: QRectF, part: float) -> None:
        """From the middle line to the value, with a head where there is room for one."""
        painter, middle, half = self._painter, bar.center().x(), bar.width() / 2
        painter.setPen(QPen(colour("quiet"), 1))
        painter.drawLine(QPointF(middle, bar.top() - 2), QPointF(middle, bar.bottom() + 2))
        if not part:
            return
        tone = colour("error" if part > 0 else "training")
        tip, sign, height = middle + part * half, math.copysign(1.0, part), bar.height()
        head = min(height * 0.7, abs(part) * half)
        shaft = QRectF(
            QPointF(middle, bar.top() + height * 0.28), QPointF(tip - sign * head, bar.bottom() - height * 0.28)
        )
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(shaft.normalized(), tone)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone)
        base, y = tip - sign * head, bar.center().y()
        painter.drawPolygon(QPolygonF([QPointF(tip, y), QPointF(base, bar.top()), QPointF(base, bar.bottom())]))
        painter.restore()

    def _elided(self, text: str, width: float) -> str:
        return self._painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, math.ceil(width))


def _tone(column: Column, role: str) -> QColor:
    shown = "accent" if column.state == "now" and role == "quiet" else role
    return colour(shown, _FAINT if column.state == "waiting" else 255)
