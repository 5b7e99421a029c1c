"""The view of `Conveyor`: the batch in use with its tiles as large as fits, and below it the batches before and after.

Only what is in sight is asked for, laid out and painted, so an epoch of many thousand batches costs no more than one of
ten. Looking around is the view's own affair: a click or the arrow keys look into another batch until the story goes on.
"""

from __future__ import annotations

import html
from collections import Counter

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui_lab.core.exhibits import Conveyor, Tile
from gui_lab.qt import words
from gui_lab.qt.exhibits.conveyor_paint import paint_empty, paint_mix, paint_tile
from gui_lab.qt.exhibits.conveyor_plan import HEAD, LARGE_MIX, LINE, MIX, PAD, Plan, Tiling, plan
from gui_lab.qt.exhibits.tile_images import TileImages
from gui_lab.qt.exhibits.view import ExhibitView
from gui_lab.qt.theme import BASE, CAPTION, CORNER, THEME, XS, colour, numbers_font

_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_USED, _DROPPED = 0.5, 0.35  # how opaque tiles are drawn
_RING = 2  # of room around the boxes, for the ring of the keyboard
_NOTCH = 120  # of a mouse wheel


class ConveyorView(ExhibitView):
    exhibit: Conveyor

    def __init__(self, name: str) -> None:
        self.belt = Belt()
        super().__init__(name, self.belt)

    def show_body(self) -> None:
        self.belt.show_conveyor(self.exhibit)


class Belt(QWidget):
    """The batches.

    Attributes:
        looked: the batch whose tiles are shown large, from 0.
        first_row: of the shelf, the first row in sight.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(140)
        self.looked = 0
        self.first_row = 0
        self._conveyor: Conveyor | None = None
        self._plan: Plan | None = None
        self._images = TileImages()
        self._mixes: dict[int, Counter[int]] = {}
        self._turned = 0
        THEME.changed.connect(self.update)

    def show_conveyor(self, conveyor: Conveyor) -> None:
        before, self._conveyor = self._conveyor, conveyor
        if before == conveyor:
            return
        if before is None or before.batches != conveyor.batches:
            self._images.clear()
            self._mixes.clear()
        if before is None or (before.size, len(before.batches)) != (conveyor.size, len(conveyor.batches)):
            self._plan = None
        self._look(max(conveyor.current, 0))

    def sizeHint(self) -> QSize:
        return QSize(560, 250)

    # ---------------------------------------------------------------- what lies where

    @property
    def plan(self) -> Plan:
        """As the room is now."""
        assert self._conveyor is not None
        if self._plan is None:
            width, height = self.width() - 2 * _RING, self.height() - 2 * _RING
            self._plan = plan(width, height, self._conveyor.size, len(self._conveyor.batches))
        return self._plan

    def box_of(self, batch: int) -> QRect:
        """Where the box of a batch lies on the shelf, whether in sight or not."""
        return self.plan.shelf.box(batch - self.first_row * self.plan.shelf.across).translated(_RING, _RING)

    def in_sight(self) -> range:
        """The batches on the shelf now."""
        assert self._conveyor is not None
        shelf = self.plan.shelf
        first = self.first_row * shelf.across
        return range(first, min(first + shelf.across * shelf.down, len(self._conveyor.batches)))

    def batch_at(self, point: QPoint) -> int | None:
        """The batch whose box is at a point."""
        return next((batch for batch in self.in_sight() if self.box_of(batch).contains(point)), None)

    def tile_at(self, point: QPoint) -> tuple[int, int] | None:
        """The batch of the tile at a point and its place in it; None where there is none."""
        large = self.plan.large
        if large is not None:
            corner = QPoint(_RING + PAD, _RING + self.plan.large_top)
            found = self._tile_in(self.looked, large, corner, point)
            if found is not None:
                return found
        batch = self.batch_at(point)
        if batch is None:
            return None
        return self._tile_in(batch, self.plan.shelf.tiling, _inside(self.box_of(batch)), point)

    def _tile_in(self, batch: int, tiling: Tiling, corner: QPoint, point: QPoint) -> tuple[int, int] | None:
        assert self._conveyor is not None
        column, row = (point.x() - corner.x()) // tiling.pitch, (point.y() - corner.y()) // tiling.step
        place = row * tiling.columns + column
        there = 0 <= column < tiling.columns and 0 <= place < min(len(self._conveyor.batches[batch]), tiling.shown)
        return (batch, place) if there else None

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._plan = None
        if self._conveyor is not None:
            self._bring_to_sight()

    # ---------------------------------------------------------------- looking around

    def _look(self, batch: int) -> None:
        """Show the tiles of another batch large, and bring its box in sight."""
        assert self._conveyor is not None
        self.looked = min(max(batch, 0), max(len(self._conveyor.batches) - 1, 0))
        self._bring_to_sight()
        self.setAccessibleDescription(self.words(self.looked) if len(self._conveyor.batches) else "")
        self.update()

    def _bring_to_sight(self) -> None:
        """With a row before it where there are several, so that one sees where it comes from."""
        shelf = self.plan.shelf
        row = self.looked // shelf.across
        if not self.first_row <= row < self.first_row + shelf.down:
            self.first_row = row - 1 if shelf.down > 1 else row
        self._scroll(0)

    def _scroll(self, rows: int) -> bool:
        """Whether there was anything to scroll to."""
        assert self._conveyor is not None
        shelf, before = self.plan.shelf, self.first_row
        last = -(-len(self._conveyor.batches) // shelf.across) - shelf.down
        self.first_row = max(min(before + rows, last), 0)
        if self.first_row != before:
            self.update()
        return self.first_row != before

    def words(self, batch: int) -> str:
        """A batch in words, with its classes."""
        assert self._conveyor is not None
        mix = self._mix(batch)
        classes = ", ".join(f"{mix[label]} of {self._name(label)}" for label in sorted(mix) if label >= 0)
        return f"{self._heading(batch)}{': ' if classes else ''}{classes}"

    def tile_words(self, batch: int, place: int) -> str:
        """Picture 1,203: class 7, number 12 of batch 3"""
        assert self._conveyor is not None
        tile = self._conveyor.batches[batch][place]
        named = f": class {self._name(tile.label)}" if tile.label >= 0 else ""
        return f"Picture {words.count(tile.index)}{named}, number {place + 1} of batch {words.count(batch + 1)}"

    def _name(self, label: int) -> str:
        assert self._conveyor is not None
        names = self._conveyor.names
        return names[label] if label < len(names) else str(label)

    def _heading(self, batch: int) -> str:
        assert self._conveyor is not None
        size, count = len(self._conveyor.batches[batch]), len(self._conveyor.batches)
        pictures = f"{words.count(size)} picture{'' if size == 1 else 's'}"
        return f"Batch {words.count(batch + 1)} of {words.count(count)}, {pictures}, {self._state(batch)}"

    def _state(self, batch: int) -> str:
        assert self._conveyor is not None
        if self._is_dropped(batch):
            return "dropped"
        if batch == self._conveyor.current:
            return "in use now"
        return "used" if batch < self._conveyor.current else "not used yet"

    def _is_dropped(self, batch: int) -> bool:
        assert self._conveyor is not None
        short = len(self._conveyor.batches[batch]) < self._conveyor.size
        return self._conveyor.dropped and short and batch == len(self._conveyor.batches) - 1

    def _mix(self, batch: int) -> Counter[int]:
        assert self._conveyor is not None
        if batch not in self._mixes:
            self._mixes[batch] = Counter(tile.label for tile in self._conveyor.batches[batch])
        return self._mixes[batch]

    # ---------------------------------------------------------------- hands

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self._conveyor is not None:
            tile, batch = self.tile_at(event.pos()), self.batch_at(event.pos())
            text = self.tile_words(*tile) if tile else self.words(batch) if batch is not None else ""
            QToolTip.showText(event.globalPos(), f"<qt>{html.escape(text)}</qt>" if text else "", self)
            return True
        return super().event(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        batch = self.batch_at(event.position().toPoint()) if self._conveyor is not None else None
        if batch is not None and event.button() == Qt.MouseButton.LeftButton:
            self._look(batch)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._turned += event.angleDelta().y()
        rows = int(self._turned / _NOTCH)
        self._turned -= rows * _NOTCH
        if self._conveyor is None or not (rows and self._scroll(-rows)):
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._conveyor is None or not len(self._conveyor.batches):
            super().keyPressEvent(event)
            return
        shelf, keys = self.plan.shelf, Qt.Key
        page = shelf.across * max(shelf.down, 1)
        steps = {
            keys.Key_Left: -1, keys.Key_Right: 1, keys.Key_Up: -shelf.across, keys.Key_Down: shelf.across,
            keys.Key_PageUp: -page, keys.Key_PageDown: page,
        }  # fmt: skip
        places = {
            keys.Key_Home: 0,
            keys.Key_End: len(self._conveyor.batches) - 1,
            keys.Key_Return: max(self._conveyor.current, 0),
            keys.Key_Enter: max(self._conveyor.current, 0),
        }
        key = keys(event.key())
        if key in steps:
            self._look(self.looked + steps[key])
        elif key in places:
            self._look(places[key])
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._conveyor is None or not len(self._conveyor.batches):
            return
        self._images.begin(self.devicePixelRatioF())
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.plan.large is not None:
                self._paint_large(painter, self.plan.large)
            self._paint_line(painter)
            for batch in self.in_sight():
                self._paint_box(painter, batch, self.box_of(batch))

    def _paint_large(self, painter: QPainter, tiling: Tiling) -> None:
        """The batch that is looked at."""
        whole = QRect(_RING, _RING, self.width() - 2 * _RING, self.plan.large_height)
        self._paint_frame(painter, whole, self.looked)
        head = QRect(whole.left() + PAD + 2, whole.top() + PAD, whole.width() - 2 * PAD - 4, HEAD)
        painter.setFont(_strong(BASE))
        painter.setPen(colour("accent" if self._is_now(self.looked) else "text"))
        heading = painter.fontMetrics().elidedText(
            self._heading(self.looked), Qt.TextElideMode.ElideRight, head.width()
        )
        painter.drawText(head, _LEFT, heading)
        corner = QPoint(whole.left() + PAD, whole.top() + self.plan.large_top)
        self._paint_tiles(painter, self.looked, tiling, corner)
        bottom = corner.y() + tiling.rows * tiling.step + PAD
        bar = QRect(corner.x() + 1, bottom, whole.width() - 2 * PAD - 2, LARGE_MIX)
        self._paint_mix(painter, self.looked, bar, named=True)

    def _paint_line(self, painter: QPainter) -> None:
        """Which of all batches are in sight."""
        assert self._conveyor is not None
        seen, count = self.in_sight(), len(self._conveyor.batches)
        said = f"Batches {words.count(seen.start + 1)} to {words.count(seen.stop)} of {words.count(count)}"
        more = "  ·  arrow keys or wheel for more" if len(seen) < count else ""
        place = QRect(_RING, _RING + self.plan.shelf.top - LINE, self.width() - 2 * _RING, LINE)
        painter.setFont(numbers_font(CAPTION))
        painter.setPen(colour("quiet"))
        painter.drawText(place, _LEFT, said + more)

    def _paint_box(self, painter: QPainter, batch: int, box: QRect) -> None:
        assert self._conveyor is not None
        self._paint_frame(painter, box, batch)
        now, dropped = self._is_now(batch), self._is_dropped(batch)
        head = QRect(box.left() + PAD + 1, box.top() + 2, box.width() - 2 * PAD - 2, HEAD)
        number = words.count(batch + 1)
        painter.setFont(_strong(CAPTION) if now else numbers_font(CAPTION))
        painter.setPen(colour("accent" if now else "text" if batch == self.looked else "quiet"))
        used = self._state(batch) == "used"
        painter.drawText(head, _LEFT, f"✓ {number}" if used else number)
        size = len(self._conveyor.batches[batch])
        note = "dropped" if dropped else f"{size} of {self._conveyor.size}" if size < self._conveyor.size else ""
        if painter.fontMetrics().horizontalAdvance(f"✓ {number}  {note}") <= head.width():
            painter.setPen(colour("quiet"))
            painter.drawText(head, _RIGHT, note)
        tiling, corner = self.plan.shelf.tiling, _inside(box)
        self._paint_tiles(painter, batch, tiling, corner)
        bottom = corner.y() + tiling.rows * tiling.step + PAD
        self._paint_mix(painter, batch, QRect(corner.x(), bottom, box.width() - 2 * PAD, MIX), named=False)
        if dropped:
            painter.setPen(QPen(colour("quiet"), 1.5))
            painter.drawLine(box.topLeft() + QPoint(2, HEAD), box.bottomRight() - QPoint(2, 2))

    def _paint_tiles(self, painter: QPainter, batch: int, tiling: Tiling, corner: QPoint) -> None:
        assert self._conveyor is not None
        tiles, size = self._conveyor.batches[batch], self._conveyor.size
        dropped, state = self._is_dropped(batch), self._state(batch)
        painter.setOpacity(_DROPPED if dropped else _USED if state == "used" else 1.0)
        last = tiling.shown if tiling.shown == size else tiling.shown - 1  # the last place tells how many are left
        for place in range(last):
            room = tiling.tile(place, corner.x(), corner.y())
            if place >= len(tiles):
                paint_empty(painter, room)
                continue
            tile: Tile = tiles[place]
            paint_tile(painter, room, tile, self._images, index=tiling.indexed, grey=dropped)
        painter.setOpacity(1.0)
        if last < tiling.shown and len(tiles) > last:
            room = tiling.tile(last, corner.x(), corner.y())
            painter.setFont(numbers_font(CAPTION))
            painter.setPen(colour("quiet"))
            more = QRect(room.right() - 60, room.top(), 61, room.height())
            painter.fillRect(more, colour("surface"))
            painter.drawText(more, _RIGHT, f"+ {words.count(len(tiles) - last)}")

    def _paint_mix(self, painter: QPainter, batch: int, bar: QRect, *, named: bool) -> None:
        painter.setOpacity(_DROPPED if self._is_dropped(batch) else 1.0)
        names = self._name if named else None
        paint_mix(painter, bar, self._mix(batch), names)
        painter.setOpacity(1.0)

    def _paint_frame(self, painter: QPainter, box: QRect, batch: int) -> None:
        """The batch in use has the accent, the one that is looked at a firm line, and the keyboard a ring."""
        now, looked = self._is_now(batch), batch == self.looked
        painter.setBrush(colour("surface"))
        pen = QPen(colour("accent"), 2) if now else QPen(colour("quiet" if looked else "line"), 1)
        painter.setPen(pen)
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), CORNER, CORNER)
        if looked and self.hasFocus() and box.top() >= self.plan.shelf.top:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour("accent"), 2))
            painter.drawRoundedRect(box.adjusted(-1, -1, 1, 1), CORNER + XS // 2, CORNER + XS // 2)

    def _is_now(self, batch: int) -> bool:
        assert self._conveyor is not None
        return batch == self._conveyor.current


def _inside(box: QRect) -> QPoint:
    """Where the first tile of a box lies."""
    return QPoint(box.left() + PAD, box.top() + HEAD + PAD)


def _strong(pixels: int) -> QFont:
    font = numbers_font(pixels)
    font.setWeight(QFont.Weight.DemiBold)
    return font
