"""Matrices in brackets with the signs between them, as one would write them on a board.

It is painted as large as the width allows and goes on in a next line before a sign, as text does. Of a matrix of more
than eight rows or columns the first and the last are written, dots between them, and its shape is told below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui_lab.core.exhibits import Equation, Matrix
from gui_lab.core.figures import figure
from gui_lab.qt.exhibits.view import ExhibitView
from gui_lab.qt.theme import BASE, CAPTION, CORNER, THEME, XS, M, S, colour, numbers_font

_SMALLEST, _LARGEST = 0.8, 1.5  # scales
_CELL = 20  # pixels of a row
_LINE = 14  # of the words above, below and beside a matrix
_BRACKET = 5
_WHOLE, _FIRST, _LAST = 8, 4, 2
"""Up to so many rows or columns all are written; of more the first and the last so many."""
_DOTS = -1
_FAINT = 0.45
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class EquationView(ExhibitView):
    exhibit: Equation

    def __init__(self, name: str) -> None:
        self.board = _Board()
        super().__init__(name, self.board)

    def show_body(self) -> None:
        self.board.show_equation(self.exhibit)


@dataclass(frozen=True, eq=False)
class _Term:
    """A matrix or a sign with the room that it needs, unscaled; its brackets lie `above` and `below` the middle."""

    term: Matrix | str
    width: float
    above: float
    below: float
    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()
    cell: float = 0.0
    names: float = 0.0


@dataclass(eq=False)
class _Line:
    terms: list[_Term] = field(default_factory=list)

    @property
    def width(self) -> float:
        return sum(term.width for term in self.terms) + S * (len(self.terms) - 1)

    @property
    def above(self) -> float:
        return max(term.above for term in self.terms)

    @property
    def height(self) -> float:
        return self.above + max(term.below for term in self.terms)


def _bold() -> QFont:
    font = numbers_font(CAPTION)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def _kept(count: int) -> tuple[int, ...]:
    """The places that are written, with one for dots."""
    if count <= _WHOLE:
        return tuple(range(count))
    return (*range(_FIRST), _DOTS, *range(count - _LAST, count))


def _title_of(matrix: Matrix) -> str:
    high, wide = matrix.values.shape
    elided = max(high, wide) > _WHOLE
    return f"{matrix.title} ({high}×{wide})".strip() if elided else matrix.title


def _measured(term: Matrix | str) -> _Term:
    numbers, small = QFontMetricsF(numbers_font(BASE)), QFontMetricsF(numbers_font(CAPTION))
    if isinstance(term, str):
        return _Term(term, max(numbers.horizontalAdvance(term) + XS, 14.0), _CELL / 2, _CELL / 2)
    rows, columns = (_kept(count) for count in term.values.shape)
    words = [
        figure(float(term.values[row, column])) for row in rows for column in columns if _DOTS not in (row, column)
    ]
    heads = [term.columns[column] for column in columns if column != _DOTS] if term.columns else []
    cell = max(
        *(numbers.horizontalAdvance(word) for word in (*words, "0")),
        *(small.horizontalAdvance(head) for head in (*heads, "")),
    )
    sides = [term.rows[row] for row in rows if row != _DOTS] if term.rows else []
    names = max((small.horizontalAdvance(side) for side in sides), default=-XS) + XS
    cell += M
    inside = cell * len(columns) + 2 * _BRACKET + 2
    title = QFontMetricsF(_bold()).horizontalAdvance(_title_of(term))
    half = _CELL * len(rows) / 2 + 2
    head = _LINE if term.columns else 0
    foot = _LINE + 2 if _title_of(term) else 0
    return _Term(term, max(names + inside, title), half + head, half + foot, rows, columns, cell, names)


def _wrapped(terms: Sequence[_Term], width: float) -> list[_Line]:
    """Lines that are no wider, begun at a sign where that is possible."""
    pieces: list[list[_Term]] = []
    for term in terms:
        if isinstance(term.term, str) or not pieces or not isinstance(pieces[-1][-1].term, str):
            pieces.append([term])
        else:
            pieces[-1].append(term)
    lines = [_Line()]
    for piece in pieces:
        if lines[-1].terms and _Line([*lines[-1].terms, *piece]).width > width:
            lines.append(_Line())
        lines[-1].terms += piece
    return lines


class _Board(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.laid_out = 0
        self.scale = 1.0
        self.lines: list[_Line] = []
        self._equation: Equation | None = None
        self._terms: list[_Term] = []
        THEME.changed.connect(self.update)

    def show_equation(self, equation: Equation) -> None:
        if equation == self._equation:
            return
        self._equation = equation
        self._terms = [_measured(term) for term in equation.terms]
        self.laid_out += 1
        self.setAccessibleDescription(_aloud(equation))
        self._fit()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """As large as the width allows; in lines where the smallest scale does not fit in one."""
        room = max(self.width() - 2, 40)
        whole = _Line(self._terms).width if self._terms else 0.0
        self.scale = min(max(room / whole if whole else 1.0, _SMALLEST), _LARGEST)
        self.lines = _wrapped(self._terms, room / self.scale) if self._terms else []
        widest = max((line.width for line in self.lines), default=0.0)
        if widest * self.scale > room:  # one matrix alone is too wide
            self.scale = room / widest
        height = round(self.scale * (sum(line.height for line in self.lines) + M * max(len(self.lines) - 1, 0))) + 4
        if height != self.height() or self.minimumHeight() != height:
            self.setFixedHeight(height)

    def sizeHint(self) -> QSize:
        return QSize(320, self.minimumHeight())

    # ---------------------------------------------------------------- painting

    def _placed(self) -> list[tuple[_Term, QPointF]]:
        """Each term with its left end on the middle line, unscaled."""
        found, top = [], 0.0
        for line in self.lines:
            x, middle = 0.0, top + line.above
            for term in line.terms:
                found.append((term, QPointF(x, middle)))
                x += term.width + S
            top += line.height + M
        return found

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.translate(1, 2)
            painter.scale(self.scale, self.scale)
            for term, where in self._placed():
                if isinstance(term.term, Matrix):
                    _paint_matrix(painter, term, term.term, where)
                else:
                    painter.setOpacity(1)
                    painter.setFont(numbers_font(BASE))
                    painter.setPen(colour("text"))
                    painter.drawText(QRectF(where.x(), where.y() - 10, term.width, 20), _CENTRE, term.term)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.words_at(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def words_at(self, spot: QPointF) -> str:
        """The whole number of the cell there, with its names; empty where there is none."""
        where = (spot - QPointF(1, 2)) / self.scale
        for term, start in self._placed():
            inside = where - start - QPointF(_left_of(term), -_CELL * len(term.rows) / 2)
            if not isinstance(term.term, Matrix) or min(inside.x(), inside.y()) < 0:
                continue
            column, row = int(inside.x() // term.cell), int(inside.y() // _CELL)
            if column < len(term.columns) and row < len(term.rows):
                return _cell_words(term.term, term.rows[row], term.columns[column])
        return ""


def _left_of(term: _Term) -> float:
    """Where the first column begins, from the left end of the term."""
    inside = term.cell * len(term.columns) + 2 * _BRACKET + 2
    return (term.width - term.names - inside) / 2 + term.names + _BRACKET + 1


def _cell_words(matrix: Matrix, row: int, column: int) -> str:
    if _DOTS in (row, column):
        high, wide = matrix.values.shape
        return f"{high} rows, {wide} columns"
    names = [names[place] for names, place in ((matrix.rows, row), (matrix.columns, column)) if names]
    number = repr(float(matrix.values[row, column]))
    return f"{', '.join(names)}: {number}" if any(names) else number


def _paint_matrix(painter: QPainter, term: _Term, matrix: Matrix, where: QPointF) -> None:
    painter.setOpacity(_FAINT if matrix.state == "waiting" else 1)
    now = matrix.state == "now"
    left, wide, high = where.x() + _left_of(term), term.cell * len(term.columns), _CELL * len(term.rows)
    inside = QRectF(left, where.y() - high / 2, wide, high)
    for i, row in enumerate(term.rows):
        for j, column in enumerate(term.columns):
            cell = QRectF(inside.left() + j * term.cell, inside.top() + i * _CELL, term.cell, _CELL)
            if (row, column) in matrix.marked:
                painter.setPen(QPen(colour("accent"), 1))
                painter.setBrush(colour("raised"))
                painter.drawRoundedRect(cell.adjusted(2, 1, -2, -1), CORNER / 2, CORNER / 2)
            painter.setFont(numbers_font(BASE))
            painter.setPen(colour("text"))
            painter.drawText(cell, _CENTRE, _word(matrix, row, column))
    painter.setFont(numbers_font(CAPTION))
    painter.setPen(colour("quiet"))
    for i, row in enumerate(term.rows if matrix.rows else ()):
        beside = QRectF(where.x(), inside.top() + i * _CELL, left - where.x() - _BRACKET - XS, _CELL)
        painter.drawText(beside, _RIGHT, matrix.rows[row] if row != _DOTS else "")
    for j, column in enumerate(term.columns if matrix.columns else ()):
        above = QRectF(inside.left() + j * term.cell, inside.top() - _LINE - 2, term.cell, _LINE)
        painter.drawText(above, _CENTRE, matrix.columns[column] if column != _DOTS else "")
    painter.setPen(QPen(colour("accent" if now else "quiet"), 2.0 if now else 1.4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for edge, inwards in ((inside.left() - 1, 1), (inside.right() + 1, -1)):
        outer, tip = edge - inwards * _BRACKET / 2, edge + inwards * _BRACKET / 2
        top, bottom = inside.top() - 1, inside.bottom() + 1
        corners = [QPointF(tip, top), QPointF(outer, top), QPointF(outer, bottom), QPointF(tip, bottom)]
        painter.drawPolyline(QPolygonF(corners))
    painter.setFont(_bold())
    painter.setPen(colour("accent" if now else "text"))
    below = QRectF(inside.center().x() - term.width, inside.bottom() + 3, 2 * term.width, _LINE)
    painter.drawText(below, _CENTRE, _title_of(matrix))


def _word(matrix: Matrix, row: int, column: int) -> str:
    if row == _DOTS:
        return "⋱" if column == _DOTS else "⋮"
    return "…" if column == _DOTS else figure(float(matrix.values[row, column]))


def _aloud(equation: Equation) -> str:
    """For a screen reader; a large matrix by its shape only."""
    words = []
    for term in equation.terms:
        if isinstance(term, str):
            words.append(term)
            continue
        high, wide = term.values.shape
        rows = "; ".join(" ".join(figure(float(value)) for value in row) for row in term.values)
        words.append(f"{term.title} [{rows}]" if max(high, wide) <= _WHOLE else f"{term.title} {high} by {wide}")
    return " ".join(words)
