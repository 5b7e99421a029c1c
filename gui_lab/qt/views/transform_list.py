"""The chain as a list: number, switch, name, main values, and signs for chance and for trouble.

Rows are dragged by hand rather than by Qt's drag and drop: that would run an event loop of its own and hand rows to
other programs, and all that is needed is to put one row between two others. The list changes nothing itself; it says
what a person did and is fed the new rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from gui_lab.qt.theme import BASE, CAPTION, CORNER, THEME, XS, M, S, colour, numbers_font, sign

_HEIGHT = 44
_NUMBER, _BOX, _SIGN = 18, 16, 16
_INDENT = 24
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_ROLE = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Row:
    """A transform in the list.

    Attributes:
        number: its place in words: "3", or "3.1" inside of the third.
        name, values: what it is.
        random: it draws.
        enabled: it acts.
        problem: what is wrong with it, a sentence or empty.
        warning: what is odd about it, a sentence or empty.
        depth: how many transforms it stands inside of.
    """

    number: str
    name: str
    values: str
    random: bool
    enabled: bool
    problem: str = ""
    warning: str = ""
    depth: int = 0

    def spoken(self) -> str:
        words = [f"{self.number} {self.name}", self.values, "random" if self.random else ""]
        words += ["" if self.enabled else "switched off", f"error: {self.problem}" if self.problem else ""]
        words += [f"warning: {self.warning}" if self.warning else ""]
        return ", ".join(word for word in words if word)


class TransformList(QListWidget):
    """
    `went` carries the row that a person went to (-1: none), `nudged` a row and -1 or 1 for up or down, `dropped` a row
    and the one that it was let go before (their number for the end), `switched` a row and whether it acts, `removed`
    and `duplicated` a row.
    """

    went = Signal(int)
    nudged = Signal(int, int)
    dropped = Signal(int, int)
    switched = Signal(int, bool)
    removed = Signal(int)
    duplicated = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName("Transforms, in the order in which they act")
        self.setToolTip("Drag, or Alt+Up and Alt+Down, to move. Delete to remove. Space to switch off.")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setItemDelegate(_Painter(self))
        self._silent = False
        self._pressed: tuple[int, QPoint] | None = None
        self._gap = -1
        self.currentRowChanged.connect(self._say_went)
        THEME.changed.connect(self.viewport().update)

    def show_rows(self, rows: Sequence[Row], current: int) -> None:
        """Show the chain, with the row `current` chosen (-1: none); silently."""
        self._silent = True
        while self.count() > len(rows):
            self.takeItem(self.count() - 1)
        while self.count() < len(rows):
            self.addItem(QListWidgetItem())
        for place, row in enumerate(rows):
            item = self.item(place)
            if item.data(_ROLE) == row:
                continue  # a knob that is turned repaints its own row
            item.setData(_ROLE, row)
            item.setText(row.name)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, row.spoken())
        self.setCurrentRow(current)
        if current < 0:
            self.clearSelection()
        self._silent = False
        self.updateGeometry()

    def row_at(self, place: int) -> Row:
        row = self.item(place).data(_ROLE)
        assert isinstance(row, Row)
        return row

    def sizeHint(self) -> QSize:
        """As tall as its rows, at least one and at most seven."""
        return QSize(200, min(max(self.count(), 1), 7) * _HEIGHT + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, min(max(self.count(), 1), 3) * _HEIGHT + 2)

    def box_of(self, place: int) -> QRect:
        """Where the switch of a row is, in the viewport."""
        return _box(self.visualItemRect(self.item(place)), self.row_at(place).depth)

    # ---------------------------------------------------------------- what a person does

    def _say_went(self, row: int) -> None:
        if not self._silent:
            self.went.emit(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row, key = self.currentRow(), Qt.Key(event.key())
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if row >= 0 and alt and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.nudged.emit(row, 1 if key == Qt.Key.Key_Down else -1)
        elif row >= 0 and key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit(row)
        elif row >= 0 and key == Qt.Key.Key_Space:
            self.switched.emit(row, not self.row_at(row).enabled)
        elif row >= 0 and key == Qt.Key.Key_D and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.duplicated.emit(row)
        elif key == Qt.Key.Key_Escape:
            self.setCurrentRow(-1)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        item = self.itemAt(point)
        if item is None:
            self.setCurrentRow(-1)
            return
        row = self.row(item)
        if self.box_of(row).adjusted(-XS, -M, XS, M).contains(point):
            self.switched.emit(row, not self.row_at(row).enabled)
            return
        self.setCurrentRow(row)
        self._pressed = (row, point)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        point = event.position().toPoint()
        if self._pressed is None:
            return
        far = (point - self._pressed[1]).manhattanLength() >= QApplication.startDragDistance()
        if far or self._gap >= 0:
            self._show_gap(self._gap_at(point.y()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, gap = self._pressed, self._gap
        self._pressed = None
        self._show_gap(-1)
        if pressed is None or gap < 0:
            return
        if gap not in (pressed[0], pressed[0] + 1):
            self.dropped.emit(pressed[0], gap)

    def _gap_at(self, y: int) -> int:
        """Before which row something let go at this height would come."""
        return sum(1 for row in range(self.count()) if self.visualItemRect(self.item(row)).center().y() < y)

    def _show_gap(self, gap: int) -> None:
        if gap != self._gap:
            self._gap = gap
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor if gap >= 0 else Qt.CursorShape.ArrowCursor)
            self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.count():
            self._paint_emptiness()
        if self._gap < 0:
            return
        last = self._gap == self.count()
        where = self.visualItemRect(self.item(self._gap - 1 if last else self._gap))
        y = where.bottom() if last else max(where.top(), 1)
        with QPainter(self.viewport()) as painter:
            painter.setPen(QPen(colour("accent"), 2))
            painter.drawLine(where.left() + XS, y, where.right() - XS, y)

    def _paint_emptiness(self) -> None:
        with QPainter(self.viewport()) as painter:
            painter.setPen(colour("quiet"))
            painter.drawText(self.viewport().rect(), _LEFT, "No transforms yet")


def _box(row: QRect, depth: int) -> QRect:
    return QRect(row.left() + S + _NUMBER + S + depth * _INDENT, row.center().y() - _BOX // 2, _BOX, _BOX)


class _Painter(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, _HEIGHT)

    def editorEvent(self, event: QEvent, model: object, option: QStyleOptionViewItem, index: Index) -> bool:
        return False

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(_ROLE)
        painter.save()
        self._paint_ground(painter, option)
        tone = colour("text" if row.enabled else "quiet")
        painter.setFont(numbers_font(CAPTION))
        painter.setPen(colour("quiet"))
        where = option.rect
        box = _box(where, row.depth)
        before = QRect(where.left(), where.top(), box.left() - S - where.left(), where.height())
        painter.drawText(before, _RIGHT, row.number)
        self._paint_box(painter, row, box)
        left = box.right() + M
        right = self._paint_signs(painter, row, where)
        name = QFont(numbers_font(BASE))
        name.setWeight(QFont.Weight.DemiBold)
        name.setStrikeOut(not row.enabled)
        painter.setFont(name)
        painter.setPen(tone)
        upper = 24 if row.values else where.height() - 8
        self._paint_line(painter, QRect(left, where.top() + 4, right - left, upper - 4), row.name)
        painter.setFont(numbers_font(CAPTION))
        painter.setPen(colour("quiet"))
        self._paint_line(painter, QRect(left, where.top() + 22, right - left, 16), row.values)
        painter.restore()

    def _paint_line(self, painter: QPainter, room: QRect, words: str) -> None:
        metrics: QFontMetrics = painter.fontMetrics()
        painter.drawText(room, _LEFT, metrics.elidedText(words, Qt.TextElideMode.ElideRight, room.width()))

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        chosen = option.state & QStyle.StateFlag.State_Selected
        if not chosen and not option.state & QStyle.StateFlag.State_MouseOver:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focused = chosen and option.state & QStyle.StateFlag.State_HasFocus
        painter.setPen(QPen(colour("accent"), 1) if focused else Qt.PenStyle.NoPen)
        painter.setBrush(colour("raised" if chosen else "hover"))
        place = option.rect.toRectF().adjusted(0.5, 1.5, -0.5, -1.5)
        painter.drawRoundedRect(place, CORNER, CORNER)
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour("accent"))
            painter.drawRoundedRect(QRectF(place.left() + XS - 1, place.center().y() - 8, 3, 16), 1.5, 1.5)

    def _paint_box(self, painter: QPainter, row: Row, where: QRect) -> None:
        """A check box as the sheet draws it."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour("accent" if row.enabled else "quiet"), 1))
        painter.setBrush(colour("accent" if row.enabled else "surface"))
        box = QRectF(where).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, XS, XS)
        if row.enabled:
            painter.setPen(QPen(colour("on_accent"), 1.8, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
            corners = [(0.22, 0.53), (0.42, 0.74), (0.79, 0.30)]
            points = [QPointF(box.left() + x * box.width(), box.top() + y * box.height()) for x, y in corners]
            painter.drawPolyline(points)
        painter.restore()

    def _paint_signs(self, painter: QPainter, row: Row, where: QRect) -> int:
        """Signs at the right end; returns where the room before them ends."""
        right = where.right() - S
        signs = [("warning-circle", "error")] * bool(row.problem)
        signs += [("warning", "warning")] * bool(row.warning and not row.problem)
        signs += [("dice-five-fill", "quiet")] * row.random
        for name, role in signs:
            right -= _SIGN
            place = QRect(right, where.center().y() - _SIGN // 2, _SIGN, _SIGN)
            painter.drawPixmap(place, sign(name, role, _SIGN, painter.device().devicePixelRatioF()))
            right -= S
        return right
