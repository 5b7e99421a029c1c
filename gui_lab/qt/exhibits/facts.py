"""The view of `Facts`: how a quantity comes about, one below the other, its formula with the numbers in force.

Where there is room each is a line in four columns that stand below each other; in a narrow place the formula goes below
the name. One widget paints them, since the numbers change with every pull at a knob.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui_lab.core.exhibits import Fact, Facts
from gui_lab.qt.exhibits.view import ExhibitView
from gui_lab.qt.theme import BASE, CORNER, THEME, XL, XS, M, S, colour, numbers_font

_INSET = M  # of the words from the edge, where the mark of the present one is
_MARK = 3
_FAINT = 0.45
_WRAPPED = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class FactsView(ExhibitView):
    exhibit: Facts

    def __init__(self, name: str) -> None:
        self.sheet = Sheet()
        super().__init__(name, self.sheet)

    def show_body(self) -> None:
        self.sheet.show_facts(self.exhibit.facts)


def _strong() -> QFont:
    font = numbers_font(BASE)
    font.setWeight(QFont.Weight.DemiBold)
    return font


class Sheet(QWidget):
    """Rows of name, formula, the same filled in, value."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.facts: tuple[Fact, ...] = ()
        self.rows: list[QRect] = []
        THEME.changed.connect(self.update)

    def show_facts(self, facts: tuple[Fact, ...]) -> None:
        if facts == self.facts:
            return
        self.facts = facts
        self.setAccessibleDescription("; ".join(map(words, facts)))
        self._lay_out()
        self.update()

    # ---------------------------------------------------------------- geometry

    @property
    def _columns(self) -> tuple[int, int, int, int]:
        """The pixels that names, formulas, filled in ones and values need."""
        plain, strong = QFontMetrics(numbers_font(BASE)), QFontMetrics(_strong())

        def widest(metrics: QFontMetrics, texts: list[str]) -> int:
            return max((metrics.horizontalAdvance(text) + 2 for text in texts if text), default=0)

        return (
            widest(plain, [fact.name for fact in self.facts]),
            widest(plain, [fact.formula for fact in self.facts]),
            widest(plain, [_equals(fact.filled_in) for fact in self.facts]),
            widest(strong, [fact.value for fact in self.facts]),
        )

    @property
    def broad(self) -> bool:
        """Whether all of a fact stands in one line."""
        return self._needed(M) <= self.width()

    @property
    def _gap(self) -> int:
        """Between columns."""
        return XL if self._needed(XL) <= self.width() else M

    def _needed(self, gap: int) -> int:
        """The pixels of all four beside each other."""
        return sum(column + gap for column in self._columns if column) - gap + 2 * _INSET

    def _height_of(self, fact: Fact, broad: bool) -> int:
        line = QFontMetrics(numbers_font(BASE)).height()
        if broad or not _below(fact):
            return line + S
        room = QRect(0, 0, max(self.width() - 2 * _INSET, 1), 10_000)
        return line + QFontMetrics(numbers_font(BASE)).boundingRect(room, _WRAPPED, _below(fact)).height() + S + 2

    def _lay_out(self) -> None:
        broad, top = self.broad, 0
        width = self._needed(self._gap) if broad else self.width()
        self.rows = []
        for fact in self.facts:
            height = self._height_of(fact, broad)
            self.rows.append(QRect(0, top, min(width, self.width()), height))
            top += height
        self.setFixedHeight(max(top, 1))
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(280, self.rows[-1].bottom() + 1 if self.rows else 1)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.size().width() != event.oldSize().width():
            self._lay_out()

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        broad, columns, gap = self.broad, self._columns, self._gap
        with QPainter(self) as painter:
            for number, (fact, row) in enumerate(zip(self.facts, self.rows, strict=True)):
                if row.intersects(event.rect()):
                    if number and fact.state != "now" and self.facts[number - 1].state != "now":
                        painter.setPen(colour("line"))
                        painter.drawLine(row.topLeft(), row.topRight())
                    self._paint_ground(painter, fact, row)
                    painter.setOpacity(_FAINT if fact.state == "waiting" else 1.0)
                    (_paint_broad(painter, fact, row, columns, gap) if broad else _paint_narrow(painter, fact, row))
                    painter.setOpacity(1.0)

    def _paint_ground(self, painter: QPainter, fact: Fact, row: QRect) -> None:
        """Of the one in hand: a tint, and a mark beside it, for no state is told by colour alone."""
        if fact.state != "now":
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("raised"))
        painter.drawRoundedRect(row, CORNER, CORNER)
        painter.setBrush(colour("accent"))
        painter.drawRoundedRect(QRect(row.left(), row.top() + XS, _MARK, row.height() - S), 1.5, 1.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def words(fact: Fact) -> str:
    """A fact in one line: output size = floor(...) = floor(...) = 26"""
    return " = ".join(part for part in (fact.name, fact.formula, fact.filled_in, fact.value) if part)


def _equals(text: str) -> str:
    return f"= {text}" if text else ""


def _below(fact: Fact) -> str:
    return f"{fact.formula} {_equals(fact.filled_in)}".strip()


def _paint_broad(painter: QPainter, fact: Fact, row: QRect, columns: tuple[int, int, int, int], gap: int) -> None:
    names, formulas, filled, values = columns
    painter.setFont(numbers_font(BASE))
    painter.setPen(colour("text"))
    left = row.left() + _INSET
    painter.drawText(QRect(left, row.top(), names, row.height()), _LEFT, fact.name)
    left += names + gap
    painter.setPen(colour("quiet"))
    painter.drawText(QRect(left, row.top(), formulas, row.height()), _LEFT, fact.formula)
    left += formulas + (gap if formulas else 0)
    painter.drawText(QRect(left, row.top(), filled, row.height()), _LEFT, _equals(fact.filled_in))
    left += filled + (gap if filled else 0)
    painter.setFont(_strong())
    painter.setPen(colour("accent" if fact.state == "now" else "text"))
    painter.drawText(QRect(left, row.top(), values, row.height()), _RIGHT, fact.value)


def _paint_narrow(painter: QPainter, fact: Fact, row: QRect) -> None:
    inside = row.adjusted(_INSET, XS, -_INSET, 0)
    line = QFontMetrics(numbers_font(BASE)).height()
    painter.setFont(_strong())
    painter.setPen(colour("accent" if fact.state == "now" else "text"))
    value = painter.fontMetrics().horizontalAdvance(fact.value) + S
    painter.drawText(QRect(inside.left(), inside.top(), inside.width(), line), _RIGHT, fact.value)
    painter.setFont(numbers_font(BASE))
    painter.setPen(colour("text"))
    name = painter.fontMetrics().elidedText(fact.name, Qt.TextElideMode.ElideRight, inside.width() - value)
    painter.drawText(QRect(inside.left(), inside.top(), inside.width() - value, line), _LEFT, name)
    painter.setPen(colour("quiet"))
    painter.drawText(inside.adjusted(0, line, 0, 0), _WRAPPED, _below(fact))
