"""The view of a `Table`: rows of figures and bars, some of which can be clicked or pulled.

One widget paints it all and answers for all of it: a table that is pulled is painted anew many times a second, and
sixty labels and sliders would be laid out each time. What is pulled is shown at once, before the numbers that follow
from it arrive; while it is pulled its scale stands still.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui_lab.core.exhibits import Column, Table
from gui_lab.qt.exhibits.table_columns import Layout, high_of, in_full, set_out, written
from gui_lab.qt.exhibits.table_paint import RULE, Look, Painting
from gui_lab.qt.exhibits.view import ExhibitView
from gui_lab.qt.theme import THEME

_LEAST_ROW, _LEAST_HEIGHT = 17, 230  # pixels: rows are closer only where there are many
_AIR = 11  # pixels of a row above and below its type
_FAST = 10  # steps at once


class TableView(ExhibitView):
    exhibit: Table

    def __init__(self, name: str) -> None:
        self.rows = Rows()
        super().__init__(name, self.rows)
        self.rows.edited.connect(self.edited)

    def show_body(self) -> None:
        self.rows.show_table(self.exhibit)


class Rows(QWidget):
    """
    Attributes:
        current: the row that the keyboard acts on.

    `edited` carries the edit of a row that was clicked, or a tuple field with one element changed.
    """

    edited = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.current = 0
        self._table = Table(columns=(), rows=())
        self._layout: Layout | None = None
        self._hovered = -1
        self._pulled: tuple[int, int, float] | None = None  # row, column, and what its full bar stands for
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(200)
        THEME.changed.connect(self.update)

    def show_table(self, table: Table) -> None:
        """Show it in the place of the one before; what is the same is not laid out anew."""
        if table is self._table:
            return
        before, self._table = self._table, table
        if self._pulled is not None and not self._can_pull(*self._pulled[:2]):
            self._pulled = None
        if self._pulled is not None:
            self._table = self._with_high(table, self._pulled)
        self._layout = None
        acts = bool(table.edits) or any(column.sets for column in table.columns)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if acts else Qt.FocusPolicy.NoFocus)
        if not before.columns and table.marked:
            self.current = table.marked[0]
        self.current = min(self.current, max(len(table.rows) - 1, 0))
        self.setAccessibleDescription(aloud(table))
        if (len(before.rows), len(before.foot)) != (len(table.rows), len(table.foot)):
            self.updateGeometry()
        self.update()

    # ---------------------------------------------------------------- geometry

    def layout_now(self) -> Layout:
        """The columns for the width there is."""
        if self._layout is None:
            self._layout = set_out(self._table, self.width())
        return self._layout

    def row_height(self) -> float:
        """As the type asks for, or less where there is less room."""
        lines = self._lines()
        return max(min(self.layout_now().pixels + _AIR, (self.height() - self._rules()) / lines), 1.0)

    def _lines(self) -> int:
        return 1 + len(self._table.rows) + len(self._table.foot)

    def _rules(self) -> int:
        return RULE * (2 if self._table.foot else 1)

    def sizeHint(self) -> QSize:
        return QSize(400, self._rules() + self._lines() * (self.layout_now().pixels + _AIR))

    def minimumSizeHint(self) -> QSize:
        hint = self.sizeHint().height()
        return QSize(200, max(min(hint, _LEAST_HEIGHT), self._rules() + self._lines() * _LEAST_ROW))

    def resizeEvent(self, event: QResizeEvent) -> None:
        before = self._layout
        self._layout = None
        if before is None or before.pixels != self.layout_now().pixels:
            self.updateGeometry()

    def row_at(self, y: float) -> int:
        """The row at a height; -1 above the first and below the last."""
        row = int((y - self.row_height() - RULE) // self.row_height())
        return row if 0 <= row < len(self._table.rows) else -1

    def column_at(self, x: float) -> int:
        """The column at a place, with the gap before it; -1 behind the last."""
        places = self.layout_now().places
        return next((number for number, place in enumerate(places) if x <= place.right), -1)

    def row_middle(self, row: int) -> float:
        return self.row_height() * (row + 1.5) + RULE

    # ---------------------------------------------------------------- pulling

    def _pullable_at(self, position: QPointF) -> tuple[int, int] | None:
        row, column = self.row_at(position.y()), self.column_at(position.x())
        if row < 0 or column < 0 or not self._can_pull(row, column):
            return None
        bar = self.layout_now().places[column].bar
        return (row, column) if bar is not None and position.x() <= bar[0] + bar[1] + 6 else None

    def _can_pull(self, row: int, column: int) -> bool:
        table = self._table
        if row >= len(table.rows) or column >= len(table.columns) or not table.columns[column].sets:
            return False
        return all(isinstance(one[column], (int, float)) for one in table.rows)

    def _pull_to(self, x: float) -> None:
        assert self._pulled is not None
        row, number, high = self._pulled
        bar = self.layout_now().places[number].bar
        assert bar is not None
        left, width = bar
        self._set(row, number, high * (2 * (x - left) / max(width, 1) - 1), high)

    def _set(self, row: int, number: int, value: float, high: float) -> None:
        """Give a number the nearest value that it can have, show it at once, and ask for the rest to follow."""
        column, rows = self._table.columns[number], self._table.rows
        value = round(min(max(value, -high), high) / column.step) * column.step
        value = round(value, 6) + 0.0  # no -0.0, and no 0.30000000000000004
        if value == rows[row][number]:
            return
        cells = list(rows[row])
        cells[number] = value
        changed = (*rows[:row], tuple(cells), *rows[row + 1 :])
        self._table = replace(self._table, rows=changed)
        self.update()
        self.edited.emit({column.sets: tuple(one[number] for one in changed)})

    def _with_high(self, table: Table, pulled: tuple[int, int, float]) -> Table:
        _, number, high = pulled
        columns = list(table.columns)
        columns[number] = replace(columns[number], high=high)
        return replace(table, columns=tuple(columns))

    def _click(self, row: int) -> None:
        if 0 <= row < len(self._table.edits):
            self.edited.emit(self._table.edits[row])

    # ---------------------------------------------------------------- mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        position = event.position()
        place = self._pullable_at(position)
        if place is not None:
            self.current = place[0]
            self._pulled = (*place, high_of(self._table, place[1]))
            self._pull_to(position.x())
        elif (row := self.row_at(position.y())) >= 0:
            self.current = row
            self._click(row)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pulled is not None:
            self._pull_to(event.position().x())
            return
        pulls = self._pullable_at(event.position()) is not None
        row = self.row_at(event.position().y())
        hovered = row if pulls or row < len(self._table.edits) else -1
        if pulls:
            self.setCursor(Qt.CursorShape.SizeHorCursor)
        else:
            self.setCursor(Qt.CursorShape.PointingHandCursor if hovered >= 0 else Qt.CursorShape.ArrowCursor)
        if hovered != self._hovered:
            self._hovered = hovered
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pulled = None
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = -1
        self.update()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip_at(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def tip_at(self, position: QPointF) -> str:
        """What a tool tip says there: the cell in full, and what can be done with it."""
        row, column = self.row_at(position.y()), self.column_at(position.x())
        if row < 0 or column < 0:
            return ""
        words = [in_full(self._table.rows[row][column])]
        if self._pullable_at(position):
            words.append("Pull it, or use the arrow keys.")
        return "\n".join(word for word in words if word)

    # ---------------------------------------------------------------- keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, last = event.key(), len(self._table.rows) - 1
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageDown: -_FAST, Qt.Key.Key_PageUp: _FAST}
        acts: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Up: lambda: self._go(max(self.current - 1, 0)),
            Qt.Key.Key_Down: lambda: self._go(min(self.current + 1, last)),
        }
        pulled = next((one for one in range(len(self._table.columns)) if self._can_pull(self.current, one)), None)
        if pulled is not None:
            acts |= {one: lambda count=count: self._step(pulled, count) for one, count in steps.items()}  # type: ignore[misc]  # bound early
        if self._table.edits:
            acts |= dict.fromkeys(
                (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space), lambda: self._click(self.current)
            )
        act = acts.get(key)
        if act is None:
            super().keyPressEvent(event)
        else:
            act()

    def _go(self, row: int) -> None:
        self.current = row
        self.update()

    def _step(self, number: int, steps: int) -> None:
        column, value = self._table.columns[number], self._table.rows[self.current][number]
        assert isinstance(value, (int, float))
        self._set(self.current, number, value + steps * column.step, high_of(self._table, number))

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        look = Look(
            self._hovered,
            self.current if self.hasFocus() else -1,
            tuple(high_of(self._table, number) for number in range(len(self._table.columns))),
        )
        with QPainter(self) as painter:
            Painting(painter, self._table, self.layout_now(), look, self.width(), self.row_height()).paint()


def aloud(table: Table) -> str:
    """The table for a screen reader: each row with the names of its columns."""
    return "; ".join(_row_aloud(table.columns, row) for row in (*table.rows, *table.foot))


def _row_aloud(columns: tuple[Column, ...], row: tuple[object, ...]) -> str:
    said = []
    for column, cell in zip(columns, row, strict=True):
        if cell is not None and cell != "":
            assert isinstance(cell, (str, int, float))
            said.append(f"{column.title} {written(cell, column.digits)}".strip())
    return ", ".join(said)
