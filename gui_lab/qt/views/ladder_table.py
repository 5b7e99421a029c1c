"""The table of the softmax ladder: a row for each class, from its score to its probability, and below them the sums."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from itertools import accumulate

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPolygonF

from gui_lab.qt.theme import XS, class_colour, colour
from gui_lab.qt.views.digits import shape_of, width_of
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
        pixels: the size of its font.
        width, line: of the table and of a row, in pixels.
        gap: between columns.
        names: the width of the names of the classes.
        ends: where the columns of numbers end on their right.
        part: the width of a probability.
        bar: left and width of the bars; None where they are below their numbers.
    """

    pixels: int
    width: int
    line: int
    gap: float
    names: float
    ends: tuple[float, ...]
    part: int
    bar: tuple[float, float] | None

    @classmethod
    def of(cls, words: Said, pixels: int, width: int, line: int, names_width: int) -> Plan:
        rows = [*words.rows, *([words.rest] if words.rest else [])]
        longest = (max([row.score for row in rows], key=len), max([row.minus_max for row in rows], key=len))
        columns = (words.score, *(shape_of(text) for text in (*longest, words.sums[0])))
        return _planned(columns, pixels, width, line, names_width)


@functools.lru_cache(maxsize=64)
def _planned(texts: tuple[str, str, str, str], pixels: int, width: int, line: int, names_width: int) -> Plan:
    """
    Args:
        texts: what the column of scores is headed, and the longest texts of the columns score, - max and exp: figures
            are of one width.
    """
    head, score, part, *longest = (
        math.ceil(width_of(text, pixels)) for text in (texts[0], "−00.00", "0.0000", *texts[1:])
    )
    columns = max(head, score, longest[0]), max(score, longest[1]), max(part, longest[2])
    gap = XS if width < NARROW else line * 0.4
    left = width - _MARK - sum(columns) - part - 4 * gap  # for names and bars
    names, least, bar = left, min(names_width, _NARROWEST_NAME), None
    if left >= least + gap + _NARROWEST_BAR:
        names = min(names_width, max(left * 0.5, least))
        bar = (width - part - left + names, left - names - gap)
    starts = accumulate((_MARK + names, *columns), lambda end, column: end + gap + column)
    return Plan(pixels, width, line, gap, names, (*list(starts)[1:], width), part, bar)


class Table:
    """A row for each class. What stands is painted once, the numbers and bars each time.

    Attributes:
        first: the top of its first row; `end`: below it, in pixels.
    """

    def __init__(self, words: Said, plan: Plan, top: float) -> None:
        rows = (*words.rows, *([words.rest] if words.rest is not None else []))
        self._words, self._plan, self._rows, self._top = words, plan, rows, top
        line = plan.line
        self.first = top + line + XS
        self._sums = self.first + len(rows) * line + XS
        self.end = self._sums + 2 * line + XS / 2 + 2 * XS

    def paint_what_stands(self, painter: QPainter) -> None:
        plan, words, line = self._plan, self._words, self._plan.line
        painter.setPen(colour("quiet"))
        if painter.fontMetrics().horizontalAdvance("class") <= plan.names:
            self._paint_name(painter, self._top, "class", _MARK, plan.names)
        for end, head in zip(plan.ends, (words.score, "− max", "exp", "p"), strict=True):
            painter.drawText(QRectF(0, self._top, end, line), RIGHT, head)
        for place, row in enumerate(self._rows):
            self._stand(painter, self.first + place * line, row, place == words.true)
        painter.setPen(colour("text"))
        self._paint_name(painter, self._sums, "sum", 0, plan.ends[0])
        room = plan.width - plan.part - 2 * plan.gap
        self._paint_name(painter, self._sums + line, "−log p of the true class", 0, room)
        painter.setPen(colour("line"))
        for y in (self.first, self._sums, self.end - XS):
            painter.drawLine(QPointF(0, y - XS + 1), QPointF(plan.width, y - XS + 1))

    def _stand(self, painter: QPainter, y: float, row: Row, true: bool) -> None:
        line, plan = self._plan.line, self._plan
        if true:
            painter.fillRect(QRectF(0, y, plan.width, line), colour("raised"))
            _paint_triangle(painter, y + line / 2)
        if row.label >= 0:
            painter.fillRect(QRectF(8, y + 4, 3, line - 8), class_colour(row.label))
        painter.setPen(colour("text"))
        self._paint_name(painter, y, row.name, _MARK, plan.names if row.score else plan.ends[0] - _MARK)
        if plan.bar is not None:
            left, width = plan.bar
            painter.fillRect(QRectF(left, y + 5, width, line - 10), colour("line" if true else "raised"))

    def _paint_name(self, painter: QPainter, y: float, name: str, left: float, room: float) -> None:
        painter.drawText(QRectF(left, y, room, self._plan.line), LEFT, elided(painter, name, room))

    def places(self) -> list[tuple[float, float]]:
        """Where its numbers end, and the top of their rows."""
        ends, line = self._plan.ends, self._plan.line
        rows = enumerate(self._rows)
        found = [(end, self.first + place * line) for place, row in rows for end in (ends if row.score else ends[2:])]
        return [*found, *((end, self._sums) for end in ends[2:]), (ends[-1], self._sums + line)]

    def numbers(self) -> list[str]:
        """Those in these places, in the same order."""
        rows = self._rows
        found = [text for row in rows for text in (row.score, row.minus_max, row.exp, row.probability) if text]
        return [*found, *self._words.sums, self._words.surprise]

    def bars(self) -> list[QRectF]:
        """Of the probabilities of the rows."""
        return [self._bar(self.first + place * self._plan.line, row.part) for place, row in enumerate(self._rows)]

    def _bar(self, y: float, part: float) -> QRectF:
        """Where the bar of a probability is."""
        plan, line = self._plan, self._plan.line
        if plan.bar is not None:
            left, width = plan.bar
            return QRectF(left, y + 5, max(width * part, 0.5), line - 10)
        return QRectF(plan.width - plan.part, y + line - 3, plan.part * part, 2)


def _paint_triangle(painter: QPainter, y: float) -> None:
    """A small one that points at the true class."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour("text"))
    painter.drawPolygon(QPolygonF([QPointF(0, y - 4), QPointF(6, y), QPointF(0, y + 4)]))
    painter.restore()


def elided(painter: QPainter, text: str, width: float) -> str:
    """As much of a text as there is room for, in the numbers' font."""
    if width_of(text, painter.font().pixelSize()) <= int(width):
        return text
    return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(width))
