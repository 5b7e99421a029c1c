"""The numbers of a picture beside its histogram, laid out by the room there is: below each other or side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui_lab.qt.theme import CAPTION, THEME, M, S, colour, numbers_font
from gui_lab.qt.views.cell import LEFT
from gui_lab.qt.views.facts import Histogram, bars_of, counted_words, number, paint_histogram

WIDE = 208
_BARS, _LINE, _NAME, _FACT = 56, 17, 42, 168
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True)
class Fact:
    """A value by its name, and what it was before where that is another one."""

    name: str
    value: str
    was: str = ""

    def words(self) -> str:
        return f"{self.name} {self.value}" + (f", before {self.was}" if self.was else "")


class FactSheet(QWidget):
    """It is read, never acted on."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName("What the picture is in numbers")
        self.facts: tuple[Fact, ...] = ()
        self.histogram: Histogram | None = None
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        THEME.changed.connect(self.update)

    def show_facts(self, facts: Sequence[Fact], histogram: Histogram | None) -> None:
        self.facts, self.histogram = tuple(facts), histogram
        self.setAccessibleDescription("; ".join(fact.words() for fact in facts))
        self.update()

    def lay_out(self, beside: bool) -> None:
        """Below each other in a column of its own, or side by side below the pictures."""
        if beside:
            self.setFixedSize(WIDE, _BARS + 2 * _LINE + M + 8 * 2 * _LINE)
        else:
            self.setMinimumWidth(0)
            self.setMaximumWidth(16_777_215)
            self.setFixedHeight(_BARS + 2 * _LINE)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setFont(numbers_font(CAPTION))
            self._paint_histogram(painter)
            tall = self.width() <= WIDE + 1
            left, top = (0, _BARS + 2 * _LINE + M) if tall else (WIDE + 2 * M, 0)
            for fact in self.facts:
                lines = 1 + (tall and bool(fact.was))
                if not tall and top + lines * _LINE > self.height():
                    left, top = left + _FACT, 0
                self._paint_fact(painter, fact, QRect(left, top, min(_FACT, self.width() - left), _LINE), tall)
                top += lines * _LINE

    def _paint_fact(self, painter: QPainter, fact: Fact, room: QRect, tall: bool) -> None:
        painter.setPen(colour("quiet"))
        painter.drawText(room, LEFT, fact.name)
        value = room.adjusted(_NAME, 0, 0, 0)
        painter.setPen(colour("text"))
        painter.drawText(value, LEFT, fact.value)
        if fact.was:
            advance = painter.fontMetrics().horizontalAdvance(fact.value)
            painter.setPen(colour("quiet"))
            after = value.translated(0, _LINE) if tall else value.adjusted(advance + S, 0, 0, 0)
            was = f"before {fact.was}" if tall else f"({fact.was})"
            painter.drawText(
                after, LEFT, painter.fontMetrics().elidedText(was, Qt.TextElideMode.ElideRight, after.width())
            )

    def _paint_histogram(self, painter: QPainter) -> None:
        if self.histogram is None:
            return
        room = QRect(0, 0, WIDE, _BARS)
        paint_histogram(painter, room, self.histogram, bars_of(self.histogram, _BARS - 1, THEME.colours.quiet))
        painter.setPen(colour("quiet"))
        below = QRect(0, _BARS + 2, WIDE, _LINE)
        low, high = self.histogram.low, self.histogram.high
        painter.drawText(below, LEFT, number(low))
        painter.drawText(below, _RIGHT, number(high))
        if self.histogram.signed:
            zero = int(-low / (high - low) * WIDE)
            painter.drawText(QRect(zero - 20, below.top(), 40, _LINE), int(Qt.AlignmentFlag.AlignCenter), "0")
        if self.histogram.every > 1:
            painter.drawText(below.translated(0, _LINE - 2), LEFT, counted_words(self.histogram))
