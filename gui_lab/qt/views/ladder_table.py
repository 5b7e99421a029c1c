"""The table of the softmax ladder: a row for each class, from its score to its probability, and below them the sums."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPolygonF

from gui_lab.qt.theme import XS, class_colour, colour
from gui_lab.qt.views.cells import Cells
from gui_lab.qt.views.ladder_words import Row, Said

_MARK = 14  # the triangle of the true class and the colour of each
_NARROWEST_BAR, _NARROWEST_NAME = 28, 48
NARROW, WIDE = 230, 380  # pixels: below, all is closer; from the other on the table is as large as other text
LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True)
class Plan:
    """How wide the columns of the table are. The bar of a class stands before its number, or where there is no room
    below it.

    Attributes:
        width, line: of the table and of a row, in pixels.
        gap: between columns.
        names: the width of the names of the classes.
        ends: where the columns of numbers end on their right.
        part: the width of a probability.
        bar: left and width of the bars; None where they are below their numbers.
    """

    width: int
    line: int
    gap: float
    names: float
    ends: tuple[float, ...]
    part: int
    bar: tuple[float, float] | None

    @classmethod
    def of(cls, metrics: QFontMetrics, words: Said, width: int, line: int, names_width: int) -> Plan:
        rows = [*words.rows, *([words.rest] if words.rest else [])]
        score, part = metrics.horizontalAdvance("−00.00"), metrics.horizontalAdvance("0.0000")

        def widest(*texts: str) -> int:  # figures are of one width: of many the longest is measured
            return metrics.horizontalAdvance(max(texts, key=len))

        columns = (
            max(metrics.horizontalAdvance(words.score), score, widest(*(row.score for row in rows))),
            max(score, widest(*(row.minus_max for row in rows))),
            max(part, widest(words.sums[0])),
        )
        gap = XS if width < NARROW else line * 0.4
        left = width - _MARK - sum(columns) - part - 4 * gap  # for names and bars
        names, least, bar = left, min(names_width, _NARROWEST_NAME), None
        if left >= least + gap + _NARROWEST_BAR:
            names = min(names_width, max(left * 0.5, least))
            bar = (width - part - left + names, left - names - gap)
        starts = accumulate((_MARK + names, *columns), lambda end, column: end + gap + column)
        return cls(width, line, gap, names, (*list(starts)[1:], width), part, bar)


class Table:
    """A row for each class. What stands is painted once, the numbers each time."""

    def __init__(self, painter: QPainter, words: Said, plan: Plan, top: float) -> None:
        rows = (*words.rows, *([words.rest] if words.rest is not None else []))
        self._painter, self._words, self._plan, self._rows, self._top = painter, words, plan, rows, top
        line = plan.line
        self._first = top + line + XS
        self._sums = self._first + len(rows) * line + XS
        self.end = self._sums + 2 * line + XS / 2 + 2 * XS

    def paint_what_stands(self) -> None:
        painter, plan, words, line = self._painter, self._plan, self._words, self._plan.line
        head = "class" if painter.fontMetrics().horizontalAdvance("class") <= plan.names else ""
        painter.setPen(colour("quiet"))
        self._name(self._top, head, _MARK, plan.names)
        self._numbers(self._top, (words.score, "− max", "exp", "p"))
        for place, row in enumerate(self._rows):
            self._stand(self._first + place * line, row, place == words.true)
        painter.setPen(colour("text"))
        self._name(self._sums, "sum", 0, plan.ends[0])
        self._name(self._sums + line, "−log p of the true class", 0, plan.width - plan.part - 2 * plan.gap)
        painter.setPen(colour("line"))
        for y in (self._first, self._sums, self.end - XS):
            painter.drawLine(QPointF(0, y - XS + 1), QPointF(plan.width, y - XS + 1))

    def _stand(self, y: float, row: Row, true: bool) -> None:
        painter, line, plan = self._painter, self._plan.line, self._plan
        if true:
            painter.fillRect(QRectF(0, y, plan.width, line), colour("raised"))
            self._triangle(y + line / 2)
        if row.label >= 0:
            painter.fillRect(QRectF(8, y + 4, 3, line - 8), class_colour(row.label))
        painter.setPen(colour("text"))
        self._name(y, row.name, _MARK, plan.names if row.score else plan.ends[0] - _MARK)
        if plan.bar is not None:
            left, width = plan.bar
            painter.fillRect(QRectF(left, y + 5, width, line - 10), colour("line" if true else "raised"))

    def paint_numbers(self, cells: Cells) -> None:
        painter, words, width, line = self._painter, self._words, self._plan.width, self._plan.line
        ratio = painter.device().devicePixelRatioF()
        painter.setPen(colour("text"))
        for place, row in enumerate(self._rows):
            y = self._first + place * line
            numbers, bar = (row.score, row.minus_max, row.exp, row.probability), self._bar(y, row.part)
            looks = (numbers, math.floor(bar.right() * ratio + 0.5))  # as Qt rounds it
            if cells.cleared(painter, place, QRectF(0, y, width, line), looks):
                self._numbers(y, numbers)
                painter.fillRect(bar, colour("best" if place == words.true else "training"))
        if cells.cleared(painter, "sums", QRectF(0, self._sums, width, line), words.sums):
            self._numbers(self._sums, ("", "", *words.sums))
        last = QRectF(0, self._sums + line, width, line)
        if cells.cleared(painter, "surprise", last, words.surprise):
            painter.drawText(last, RIGHT, words.surprise)

    def _bar(self, y: float, part: float) -> QRectF:
        """Where the bar of a probability is."""
        plan, line = self._plan, self._plan.line
        if plan.bar is not None:
            left, width = plan.bar
            return QRectF(left, y + 5, max(width * part, 0.5), line - 10)
        return QRectF(plan.width - plan.part, y + line - 3, plan.part * part, 2)

    def _name(self, y: float, name: str, left: float, room: float) -> None:
        where = QRectF(left, y, room, self._plan.line)
        self._painter.drawText(where, LEFT, elided(self._painter, name, room))

    def _numbers(self, y: float, numbers: Sequence[str]) -> None:
        for end, text in zip(self._plan.ends, numbers, strict=True):
            if text:
                self._painter.drawText(QRectF(0, y, end, self._plan.line), RIGHT, text)

    def _triangle(self, y: float) -> None:
        """A small triangle that points at the true class."""
        painter = self._painter
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("text"))
        painter.drawPolygon(QPolygonF([QPointF(0, y - 4), QPointF(6, y), QPointF(0, y + 4)]))
        painter.restore()


def elided(painter: QPainter, text: str, width: float) -> str:
    return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(width))
