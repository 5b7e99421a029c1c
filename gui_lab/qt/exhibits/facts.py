"""The view of `Facts`: how a quantity comes about, one below the other, its formula with the numbers in force.

Where there is room each is a line in four columns that stand below each other; in a narrow place the formula goes below
the name. One widget paints them, since the numbers change with every pull at a knob.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui_lab.core.exhibits import Fact, Facts
from gui_lab.qt.exhibits.view import ExhibitView
from gui_lab.qt.theme import BASE, CORNER, THEME, XL, XS, M, S, colour, numbers_font

_INSET = M  # of the words from the edge, where the mark of the present one is
_MARK = 3
_SIZES = ((1300, 17), (1000, 15), (0, BASE))  # the largest type from so many pixels of width on
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


@dataclass(frozen=True)
class _Plan:
    """How a width is used, in pixels: the type, the columns of names, formulas, filled in ones and values, and what is
    between them; not `broad` where they do not fit beside each other."""

    pixels: int
    columns: tuple[int, int, int, int]
    gap: int
    broad: bool

    @property
    def needed(self) -> int:
        return sum(column + self.gap for column in self.columns if column) - self.gap + 2 * _INSET


def _strong(pixels: int) -> QFont:
    font = numbers_font(pixels)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def _planned(facts: Sequence[Fact], width: int) -> _Plan:
    """The largest type, and the widest gaps, with which each fact is one line."""
    for least, pixels in _SIZES:
        columns = _columns(facts, pixels)
        for gap in (XL, M):
            plan = _Plan(pixels, columns, gap, True)
            if width >= least and plan.needed <= width:
                return plan
    return _Plan(BASE, columns, M, False)


def _columns(facts: Sequence[Fact], pixels: int) -> tuple[int, int, int, int]:
    plain, strong = QFontMetrics(numbers_font(pixels)), QFontMetrics(_strong(pixels))

    def widest(metrics: QFontMetrics, texts: list[str]) -> int:
        return max((metrics.horizontalAdvance(text) + 2 for text in texts if text), default=0)

    return (
        widest(plain, [fact.name for fact in facts]),
        widest(plain, [fact.formula for fact in facts]),
        widest(plain, [_equals(fact.filled_in) for fact in facts]),
        widest(strong, [fact.value for fact in facts]),
    )


class Sheet(QWidget):
    """Rows of name, formula, the same filled in, value."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.facts: tuple[Fact, ...] = ()
        self.rows: list[QRect] = []
        self._plan = _planned((), 0)
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
    def broad(self) -> bool:
        """Whether all of a fact stands in one line."""
        return self._plan.broad

    def _height_of(self, fact: Fact) -> int:
        metrics = QFontMetrics(numbers_font(self._plan.pixels))
        if self._plan.broad or not _below(fact):
            return metrics.height() + S
        room = QRect(0, 0, max(self.width() - 2 * _INSET, 1), 10_000)
        return metrics.height() + metrics.boundingRect(room, _WRAPPED, _below(fact)).height() + S + 2

    def _lay_out(self) -> None:
        plan = self._plan = _planned(self.facts, self.width())
        width, top = plan.needed if plan.broad else self.width(), 0
        self.rows = []
        for fact in self.facts:
            height = self._height_of(fact)
            self.rows.append(QRect(0, top, width, height))
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
        paint = _paint_broad if self._plan.broad else _paint_narrow
        with QPainter(self) as painter:
            for number, (fact, row) in enumerate(zip(self.facts, self.rows, strict=True)):
                if row.intersects(event.rect()):
                    if number and fact.state != "now" and self.facts[number - 1].state != "now":
                        painter.setPen(colour("line"))
                        painter.drawLine(row.topLeft(), row.topRight())
                    _paint_ground(painter, fact, row)
                    painter.setOpacity(_FAINT if fact.state == "waiting" else 1.0)
                    paint(painter, fact, row, self._plan)
                    painter.setOpacity(1.0)


def words(fact: Fact) -> str:
    """A fact in one line: output size = floor(...) = floor(...) = 26"""
    return " = ".join(part for part in (fact.name, fact.formula, fact.filled_in, fact.value) if part)


def _equals(text: str) -> str:
    return f"= {text}" if text else ""


def _below(fact: Fact) -> str:
    return f"{fact.formula} {_equals(fact.filled_in)}".strip()


def _paint_ground(painter: QPainter, fact: Fact, row: QRect) -> None:
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


def _paint_broad(painter: QPainter, fact: Fact, row: QRect, plan: _Plan) -> None:
    left = row.left() + _INSET
    value = (fact.value, "accent" if fact.state == "now" else "text")
    parts = ((fact.name, "text"), (fact.formula, "quiet"), (_equals(fact.filled_in), "quiet"), value)
    for place, ((text, role), width) in enumerate(zip(parts, plan.columns, strict=True)):
        last = place == len(parts) - 1
        painter.setFont(_strong(plan.pixels) if last else numbers_font(plan.pixels))
        painter.setPen(colour(role))
        painter.drawText(QRect(left, row.top(), width, row.height()), _RIGHT if last else _LEFT, text)
        left += width + plan.gap if width else 0


def _paint_narrow(painter: QPainter, fact: Fact, row: QRect, plan: _Plan) -> None:
    inside = row.adjusted(_INSET, XS, -_INSET, 0)
    painter.setFont(_strong(plan.pixels))
    painter.setPen(colour("accent" if fact.state == "now" else "text"))
    value = painter.fontMetrics().horizontalAdvance(fact.value) + S
    line = QRect(inside.left(), inside.top(), inside.width(), painter.fontMetrics().height())
    painter.drawText(line, _RIGHT, fact.value)
    painter.setFont(numbers_font(plan.pixels))
    painter.setPen(colour("text"))
    name = painter.fontMetrics().elidedText(fact.name, Qt.TextElideMode.ElideRight, line.width() - value)
    painter.drawText(line, _LEFT, name)
    painter.setPen(colour("quiet"))
    painter.drawText(inside.adjusted(0, line.height(), 0, 0), _WRAPPED, _below(fact))
