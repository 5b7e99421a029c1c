"""Some pictures on their way through the chain: a row for each picture, a column for each transform that acts.

Pictures are scaled by nearest neighbour at whole multiples, so that every pixel that is seen is one that the network
gets. Where the chain cannot go on a red card stands in the place of the next column, with what is wrong and the
repairs. The view is fed with finished frames and paints; it decides nothing. It takes the keyboard: arrow keys go from
cell to cell, Enter opens one, P locks the dice of its column, Shift+P pins the picture of its row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QScrollArea, QToolTip, QWidget

from gui_lab.qt.theme import BASE, CAPTION, THEME, M, S, colour, numbers_font, sign
from gui_lab.qt.views.cell import LEFT, cell_words, paint_cell, paint_ring, paint_tint, pixel_words
from gui_lab.qt.views.frames import KEPT, Column, Frame
from gui_lab.qt.views.seen_words import pin_words
from gui_lab.qt.views.strip_card import ProblemCard
from gui_lab.qt.views.strip_grid import (
    CARD,
    FEWEST,
    LINE,
    NAME_LINE,
    NARROWEST,
    SIGN,
    Grid,
    bold,
    broken,
    grid,
    rows_in,
)
from gui_lab.schema import Problem

__all__ = ["FEWEST", "FilmStrip"]

_SIDES = (96, 128, 192)  # of a cell for which pictures are reduced
_FAINT = 0.45
_STEPS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
}  # fmt: skip


class FilmStrip(QScrollArea):
    """
    `resized` says that another number of rows has room, or that pictures have another size; `column_chosen` carries a
    position in the list; `opened` carries the place of a column and a row; `pinned` carries the position of a random
    transform whose lock was pressed; `pin_wanted` carries a row whose picture is to be pinned, or unpinned where it is.
    """

    resized = Signal()
    column_chosen = Signal(int)
    opened = Signal(int, int)
    pinned = Signal(int)
    pin_wanted = Signal(int)
    repair_chosen = Signal(object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Pictures on their way through the chain")
        self.setToolTip("")
        self.canvas = _Canvas(self)
        self.card = ProblemCard(f"{name}.card", self.canvas)
        self.card.lines.repair_chosen.connect(self.repair_chosen)
        self.card.grew.connect(self._arrange)
        self.canvas.pressed.connect(self._pressed)
        self.setWidget(self.canvas)
        self._held = (0, 0)
        THEME.changed.connect(self.canvas.update)

    @property
    def rows(self) -> int:
        """How many pictures have room."""
        return rows_in(self.viewport().height())

    @property
    def side(self) -> int:
        """Device pixels for which pictures are made: at least those of a cell."""
        cell = self.canvas.grid.cell
        return round(next((side for side in _SIDES if side >= cell), _SIDES[-1]) * self.devicePixelRatioF())

    @property
    def cell(self) -> tuple[int, int]:
        """Where the keyboard is: the place of a column and a row."""
        return self.canvas.cell

    def show_columns(self, columns: Sequence[Column], waiting: str = "") -> None:
        """
        Args:
            columns: those without frames are drawn as places that wait.
            waiting: what they wait for.
        """
        before = self.canvas.grid, self.canvas.waiting
        changed = _changed(self.canvas.columns, columns)
        self.canvas.columns, self.canvas.waiting = list(columns), waiting
        self.setAccessibleDescription("; ".join(f"{column.name}: {column.kind}" for column in columns))
        self._arrange()
        self.canvas.repaint_from(changed if before == (self.canvas.grid, waiting) else 0)

    def show_problems(self, title: str, problems: Sequence[Problem]) -> None:
        """A card after the last column, scrolled to as it appears; none where nothing is wrong."""
        appears = not self.card.wanted
        if not problems and appears:
            return
        self.card.show_problems(title, problems)
        self._arrange()
        if appears:
            self._scroll_to_end()
        self.canvas.update()

    def show_pins(self, positions: Collection[int]) -> None:
        """The columns whose dice are locked."""
        if self.canvas.pins != frozenset(positions):
            self.canvas.pins = frozenset(positions)
            self.canvas.update()

    def show_pinned(self, rows: Collection[int]) -> None:
        """The rows whose pictures are pinned."""
        if self.canvas.pinned != frozenset(rows):
            self.canvas.pinned = frozenset(rows)
            self.canvas.update()

    def show_stale(self, stale: bool) -> None:
        """Whether what is shown is not what was asked for last, and that for longer than a moment."""
        if self.canvas.stale != stale:
            self.canvas.stale = stale
            self.canvas.update()

    def select(self, position: int) -> None:
        """Mark the column of a transform; -2 for none."""
        if self.canvas.selected != position:
            self.canvas.selected = position
            self.canvas.update()

    def go(self, place: int, row: int) -> None:
        """Put the keyboard on a cell, as far as there is one, and scroll to it."""
        columns = self.canvas.columns
        place = min(max(place, 0), max(len(columns) - 1, 0))
        rows = len(columns[place].frames) if columns else 0
        self.canvas.cell = (place, min(max(row, 0), max(min(rows, self.canvas.grid.rows) - 1, 0)))
        where = self.canvas.grid.column(place), self.canvas.grid.row(self.canvas.cell[1])
        half = self.canvas.grid.cell // 2
        self.ensureVisible(where[0] + half, where[1] + half, half + M, half + M)
        self.canvas.update()
        frame = self.canvas.frame_at(*self.canvas.cell)
        if frame is not None:
            pinned = "\npinned" if self.canvas.cell[1] in self.canvas.pinned else ""
            self.setAccessibleDescription(cell_words(columns[place], frame) + pinned)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
        self.canvas.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.canvas.focused = event.reason() != Qt.FocusReason.MouseFocusReason
        self.canvas.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.canvas.focused = False
        self.canvas.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, (place, row) = Qt.Key(event.key()), self.canvas.cell
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if plain and key in _STEPS:
            self.canvas.focused = True
            self.go(place + _STEPS[key][0], row + _STEPS[key][1])
            self._choose(self.canvas.cell[0])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.go(0 if key == Qt.Key.Key_Home else len(self.canvas.columns) - 1, row)
            self._choose(self.canvas.cell[0])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            if self.canvas.frame_at(place, row) is not None:
                self.opened.emit(place, row)
        elif plain and key == Qt.Key.Key_P:
            self._pin(place)
        elif key == Qt.Key.Key_P and event.modifiers() == Qt.KeyboardModifier.ShiftModifier:
            self.pin_wanted.emit(row)
        else:
            super().keyPressEvent(event)

    def _pressed(self, spot: _Spot) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if spot.lock:
            self._pin(spot.place)
            return
        if spot.pin >= 0:
            self.pin_wanted.emit(spot.pin)
            return
        self._choose(spot.place)
        if spot.row >= 0:
            self.go(spot.place, spot.row)
            self.opened.emit(spot.place, spot.row)

    def _choose(self, place: int) -> None:
        if place < len(self.canvas.columns) and self.canvas.columns[place].position >= 0:
            self.column_chosen.emit(self.canvas.columns[place].position)

    def _pin(self, place: int) -> None:
        if place < len(self.canvas.columns) and self.canvas.columns[place].random:
            self.pinned.emit(self.canvas.columns[place].position)

    def _arrange(self) -> None:
        card, bar = self.card.wanted, self.horizontalScrollBar()
        at_end = card and self.card.isVisible() and bar.value() == bar.maximum()
        arranged = grid(self.canvas.columns, self.viewport().size(), self.rows, card)
        self.canvas.grid = arranged
        self.canvas.resize(arranged.size(card).expandedTo(self.viewport().size()))
        if card:
            self.card.setGeometry(arranged.column(arranged.columns), S, CARD, self.card.heightForWidth(CARD))
        self.card.setVisible(card)
        if at_end:
            self._scroll_to_end()
        if self._held != (self.rows, self.side):
            self._held = (self.rows, self.side)
            self.resized.emit()

    def _scroll_to_end(self) -> None:
        self.horizontalScrollBar().setValue(self.horizontalScrollBar().maximum())


def _changed(before: Sequence[Column], after: Sequence[Column]) -> int:
    """The place of the first column that looks another way."""
    for place, (one, other) in enumerate(zip(before, after, strict=False)):
        same = (one.position, one.name, one.random, one.kind, one.span, one.off, len(one.frames)) == (
            other.position, other.name, other.random, other.kind, other.span, other.off, len(other.frames)
        )  # fmt: skip
        if not same or any(a is not b for a, b in zip(one.frames, other.frames, strict=True)):
            return place
    return min(len(before), len(after))


@dataclass(frozen=True)
class _Spot:
    """What is under the mouse: a column, the row of a picture (-1: none), whether it is the column's lock, and the row
    of a pin (-1: none)."""

    place: int
    row: int = -1
    lock: bool = False
    pin: int = -1


class _Canvas(QWidget):
    pressed = Signal(object)
    """The spot that was hit."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.columns: list[Column] = []
        self.waiting = ""
        self.selected = -2
        self.pins: frozenset[int] = frozenset()
        self.pinned: frozenset[int] = frozenset()
        self.cell = (0, 0)
        self.focused = False
        self.stale = False
        self.grid: Grid = grid((), QSize(400, 400), FEWEST, False)
        self.setMouseTracking(True)

    def repaint_from(self, place: int) -> None:
        """Paint a column and all to the right of it anew."""
        left = self.grid.column(place) - S if place else 0
        self.update(QRect(left, 0, self.width() - left, self.height()))

    def frame_at(self, place: int, row: int) -> Frame | None:
        if not 0 <= place < len(self.columns) or not 0 <= row < min(len(self.columns[place].frames), self.grid.rows):
            return None
        return self.columns[place].frames[row]

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            for place, column in enumerate(self.columns):
                left = self.grid.column(place)
                if left > event.rect().right() or left + self.grid.width + M < event.rect().left():
                    continue
                if column.position == self.selected:
                    paint_tint(painter, left, self.grid.width, self.height())
                if column.position == KEPT:
                    painter.fillRect(QRect(left - S, S, 1, self.height() - M), colour("quiet"))
                self._paint_header(painter, column, place)
                for row, frame in enumerate(column.frames[: self.grid.rows]):
                    painter.setOpacity(_FAINT if column.off or self.stale else 1.0)
                    paint_cell(painter, self.grid, frame, place, row)
                    painter.setOpacity(1.0)
            self._paint_pins(painter, event.rect())
            frame_here = self.frame_at(*self.cell)
            if self.focused and frame_here is not None:
                paint_ring(painter, self.grid.picture(frame_here, *self.cell))
            self._paint_waiting(painter)

    def _paint_header(self, painter: QPainter, column: Column, place: int) -> None:
        y, width, left = S, self.grid.width, self.grid.column(place)
        painter.setFont(bold())
        painter.setPen(colour("quiet" if column.off else "text"))
        for line in broken(column, width):
            painter.drawText(QRect(left, y, width + M, NAME_LINE), LEFT, line)
            y += NAME_LINE
        if column.random:
            name, role = ("lock-simple-fill", "accent") if column.position in self.pins else ("dice-five-fill", "quiet")
            painter.drawPixmap(self.grid.sign(column, place), sign(name, role, SIGN, self.devicePixelRatioF()))
        painter.setFont(numbers_font(CAPTION))
        painter.setPen(colour("quiet"))
        y = self.grid.header - M - 2 * LINE  # one height for all columns, however many lines their names take
        for line in (column.kind, column.span):
            painter.drawText(QRect(left, y, width + M, LINE), LEFT, line)
            y += LINE

    def _pin(self, row: int) -> QRect:
        return self.grid.pin(self.grid.picture(self.columns[0].frames[row], 0, row), row)

    def _paint_pins(self, painter: QPainter, room: QRect) -> None:
        for row in range(min(len(self.columns[0].frames), self.grid.rows) if self.columns else 0):
            where = self._pin(row)
            if where.intersects(room):
                name, role = ("push-pin-fill", "accent") if row in self.pinned else ("push-pin", "quiet")
                painter.drawPixmap(where, sign(name, role, SIGN, self.devicePixelRatioF()))

    def _paint_waiting(self, painter: QPainter) -> None:
        first = next((place for place, column in enumerate(self.columns) if not column.frames), None)
        if first is None or not self.waiting:
            return
        left = self.grid.column(first)
        painter.setFont(numbers_font(BASE))
        painter.setPen(colour("quiet"))
        room = QRect(left, self.grid.row(0), max(self.width() - left - M, NARROWEST), self.grid.cell)
        painter.drawText(room, LEFT | int(Qt.TextFlag.TextWordWrap), self.waiting)

    def _under(self, point: QPoint) -> _Spot | None:
        place = self.grid.column_at(point)
        if place is None or place >= len(self.columns):
            return None
        column = self.columns[place]
        if column.random and self.grid.sign(column, place).adjusted(-5, -5, 5, 5).contains(point):
            return _Spot(place, lock=True)
        for row, frame in enumerate(column.frames[: self.grid.rows]):
            if self.grid.picture(frame, place, row).contains(point):
                return _Spot(place, row)
            if place == 0 and self._pin(row).adjusted(-5, -5, 5, 5).contains(point):
                return _Spot(place, pin=row)
        return _Spot(place)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self._under(event.position().toPoint())
        if found and event.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit(found)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self._under(event.position().toPoint())
        hot = found is not None and (found.row >= 0 or found.lock or found.pin >= 0)
        self.setCursor(Qt.CursorShape.PointingHandCursor if hot else Qt.CursorShape.ArrowCursor)

    def event(self, event: QEvent) -> bool:
        """What a cell is and the value of the pixel under the mouse, as a tool tip."""
        if isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._tip(event.pos()), self)
            return True
        return super().event(event)

    def _tip(self, point: QPoint) -> str:
        found = self._under(point)
        if found is None:
            return ""
        place, row = found.place, found.row
        column, frame = self.columns[place], self.frame_at(place, row)
        if found.pin >= 0:
            return pin_words(found.pin in self.pinned)
        if found.lock:
            locked = column.position in self.pins
            return "Let its numbers follow the epoch again (P)" if locked else "Keep its numbers in every epoch (P)"
        if frame is None:
            return ""
        pixel = pixel_words(frame, self.grid.picture(frame, place, row), point)
        return cell_words(column, frame) + (f"\n{pixel}" if pixel else "")
