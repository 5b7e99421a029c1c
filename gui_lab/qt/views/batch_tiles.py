"""What the network gets now: the batch as tiles, each with its class, how probable the network holds it, and its loss.

One widget paints all tiles and makes their images when they are first painted, so that a batch that arrives while
nobody scrolls to it costs next to nothing. What has been normalised looks like a picture again where that can be undone
by black and white alone; else values are drawn by signed colours, as everywhere.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QScrollArea, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from gui_lab.qt import words
from gui_lab.qt.pictures import fitted, reduced, scaled
from gui_lab.qt.theme import CAPTION, THEME, XS, M, S, colour, label, numbers_font, sign
from gui_lab.qt.views.frames import as_picture, image_of
from gui_lab.qt.views.segments import Segments

if TYPE_CHECKING:
    from gui_lab.core.looks import BatchView

_SIDE = 64
_BAR = 4
_LINE = 14
_TILE = _SIDE + XS + _BAR + 2 + 2 * _LINE
_PIN = 16
_RING = 2  # of room around the tiles, for the ring of the keyboard
_SAID = 3  # of the most probable classes, in the words of a tile
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_NOTHING = "No batch has been looked at yet: press One batch, or Live to look on while it trains."


class BatchTiles(QWidget):
    """
    `pin_wanted` carries the index of a picture to pin, or to unpin where it is pinned; `watch_wanted` whether batches
    are to be looked at while it trains.
    """

    pin_wanted = Signal(int)
    watch_wanted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("batch")
        self.grid = TileGrid()
        self.grid.pin_wanted.connect(self.pin_wanted)
        self.header = label(_NOTHING, "body", wrap=True, name="batch.header")
        self.note = label("", "caption", wrap=True, name="batch.note")
        self.order = Segments("batch.order", {"given": "In order", "worst": "Worst first"})
        self.order.chosen.connect(lambda key: self.grid.show_worst_first(key == "worst"))
        self.watch = QCheckBox("Live")
        self.watch.setObjectName("batch.watch")
        self.watch.setAccessibleName("Look at batches while it trains")
        self.watch.setToolTip("Look at a batch twice a second while it trains; each look costs a forward pass of it")
        self.watch.toggled.connect(self.watch_wanted)
        tools = QHBoxLayout()
        tools.setSpacing(S)
        tools.addWidget(self.order)
        tools.addStretch(1)
        tools.addWidget(self.watch)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(XS)
        column.addWidget(self.header)
        column.addWidget(self.note)
        column.addLayout(tools)
        column.addSpacing(XS)
        column.addWidget(self.grid)
        self._show_tools(False)

    def show_batch(self, view: BatchView | None, classes: Sequence[str]) -> None:
        """
        Args:
            view: the newest look; None for none.
            classes: their names.
        """
        if view is self.grid.view:
            return
        self.header.setText(_NOTHING if view is None else _header(view))
        self.note.setText("" if view is None else "As the network judges it now: after its step, dropout off.")
        self._show_tools(view is not None)
        self.grid.show_batch(view, classes)

    def _show_tools(self, there: bool) -> None:
        self.note.setVisible(there)
        self.order.setEnabled(there)

    def set_pins(self, pins: Sequence[int]) -> None:
        """Pictures that are pinned carry a sign."""
        self.grid.set_pins(pins)


def _header(view: BatchView) -> str:
    """Batch 17 of epoch 2: 64 pictures, loss 0.412, 57 right"""
    shown, size = len(view.indices), view.size
    pictures = f"{words.count(size)} picture{'' if size == 1 else 's'}"
    which = f"{pictures}, " if shown == size else f"{pictures}, of which the first {words.count(shown)}: "
    right = int(view.right.sum())
    place = f"Batch {words.count(view.iteration)} of epoch {words.count(view.epoch)}"
    return f"{place}: {which}loss {view.loss:.3f}, {words.count(right)} right"


class TileGrid(QWidget):
    """The tiles alone. The arrow keys go from one to the next, Enter pins."""

    pin_wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("batch.tiles")
        self.setAccessibleName("Pictures of the batch")
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.view: BatchView | None = None
        self._classes: tuple[str, ...] = ()
        self._order: list[int] = []
        self._worst_first = False
        self._pins: frozenset[int] = frozenset()
        self._images: dict[int, QImage] = {}
        self._current = 0
        THEME.changed.connect(self._repaint)

    def show_batch(self, view: BatchView | None, classes: Sequence[str]) -> None:
        self.view, self._classes = view, tuple(classes)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus if view is None else Qt.FocusPolicy.StrongFocus)
        self._current = 0 if view is None else min(self._current, len(view.indices) - 1)
        self._arrange()
        self._repaint()

    def show_worst_first(self, worst: bool) -> None:
        """The highest loss first, or in the order of the batch."""
        self._worst_first = worst
        self._arrange()

    def set_pins(self, pins: Sequence[int]) -> None:
        if frozenset(pins) != self._pins:
            self._pins = frozenset(pins)
            self.update()

    def words(self, place: int) -> str:
        """All that is known of the tile at a place, in the order they are shown."""
        assert self.view is not None
        view, row = self.view, self._order[place]
        true = self._classes[view.labels[row]]
        if view.shares is not None:
            parts = np.argsort(-view.shares[row], kind="stable")[:2]
            true = " and ".join(f"{view.shares[row, one]:.0%} {self._classes[one]}" for one in parts)
        best = np.argsort(-view.probabilities[row], kind="stable")[:_SAID]
        held = ", ".join(f"{self._classes[one]} {view.probabilities[row, one]:.1%}" for one in best)
        pinned = ", pinned" if int(view.indices[row]) in self._pins else ""
        loss = words.loss(float(view.losses[row]))
        return f"Picture {words.count(int(view.indices[row]))}{pinned}: {true}. Loss {loss}. Network: {held}."

    def indices(self) -> list[int]:
        """Of the pictures in their data set, in the order they are shown."""
        return [] if self.view is None else [int(self.view.indices[row]) for row in self._order]

    # ---------------------------------------------------------------- geometry

    def rectangle_of(self, place: int) -> QRect:
        """Where the tile at a place lies."""
        row, column = divmod(place, self._columns(self.width()))
        return QRect(_RING + column * (_SIDE + M), _RING + row * (_TILE + M), _SIDE, _TILE)

    def place_at(self, point: QPoint) -> int | None:
        """The place of the tile at a point."""
        columns = self._columns(self.width())
        column, row = (point.x() - _RING) // (_SIDE + M), (point.y() - _RING) // (_TILE + M)
        place = row * columns + column
        there = 0 <= column < columns and 0 <= place < len(self._order)
        return place if there and self.rectangle_of(place).contains(point) else None

    def _columns(self, width: int) -> int:
        return max((width - 2 * _RING + M) // (_SIDE + M), 1)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        rows = -(-len(self._order) // self._columns(width))
        return rows * (_TILE + M) - M + 2 * _RING if rows else 0

    def sizeHint(self) -> QSize:
        width = 4 * (_SIDE + M) - M + 2 * _RING
        return QSize(width, self.heightForWidth(width))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.setMinimumHeight(self.heightForWidth(self.width()))

    def _arrange(self) -> None:
        view = self.view
        self._order = [] if view is None else list(range(len(view.indices)))
        if view is not None and self._worst_first:
            self._order = np.argsort(-view.losses, kind="stable").tolist()
        self.setMinimumHeight(self.heightForWidth(self.width()))
        self._tell()
        self.update()

    def _repaint(self) -> None:
        self._images.clear()
        self.update()

    # ---------------------------------------------------------------- hands

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = self.place_at(event.pos())
            text = "" if place is None else f"<qt>{html.escape(self.words(place))} Click to pin.</qt>"
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position().toPoint())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self._go(place)
            self.pin_wanted.emit(self.indices()[place])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last, columns = len(self._order) - 1, self._columns(self.width())
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -columns, Qt.Key.Key_Down: columns}
        key = Qt.Key(event.key())
        if last < 0:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pin_wanted.emit(self.indices()[self._current])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._go(0 if key == Qt.Key.Key_Home else last)
        elif key in steps and 0 <= self._current + steps[key] <= last:
            self._go(self._current + steps[key])
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: object) -> None:
        self.update()

    def focusOutEvent(self, event: object) -> None:
        self.update()

    def _go(self, place: int) -> None:
        self._current = place
        self._tell()
        self._bring_to_sight()
        self.update()

    def _tell(self) -> None:
        """The current tile in words, for who does not see it."""
        self.setAccessibleDescription(self.words(self._current) if self._order else "")

    def _bring_to_sight(self) -> None:
        above = self.parentWidget()
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        inside = above.widget() if isinstance(above, QScrollArea) else None
        if isinstance(above, QScrollArea) and inside is not None:
            tile = self.rectangle_of(self._current)
            middle = self.mapTo(inside, tile.center())
            above.ensureVisible(middle.x(), middle.y(), 0, tile.height() // 2 + S)

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setFont(numbers_font(CAPTION))
            for place in range(len(self._order)):
                tile = self.rectangle_of(place)
                if tile.intersects(event.rect()):
                    self._paint_tile(painter, self._order[place], tile)
            if self._order and self.hasFocus():
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(QPen(colour("accent"), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(self.rectangle_of(self._current).adjusted(-1, -1, 0, 0), XS, XS)

    def _paint_tile(self, painter: QPainter, row: int, tile: QRect) -> None:
        assert self.view is not None
        image = self._image(row)
        width, height = fitted(self.view.pictures.shape[3], self.view.pictures.shape[2], _SIDE)
        where = QRect(tile.left() + (_SIDE - width) // 2, tile.top() + (_SIDE - height) // 2, width, height)
        painter.drawImage(where, image)
        painter.setPen(colour("line"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(where.adjusted(0, 0, -1, -1))
        if int(self.view.indices[row]) in self._pins:
            self._paint_pin(painter, where)
        self._paint_verdict(painter, row, tile.adjusted(0, _SIDE + XS, 0, 0))

    def _paint_verdict(self, painter: QPainter, row: int, below: QRect) -> None:
        """The probability of the true class as a bar; sign, class, loss and probability in words."""
        assert self.view is not None
        held, right = float(self.view.of_true_class[row]), bool(self.view.right[row])
        role = "best" if right else "error"
        bar = QRect(below.left(), below.top(), _SIDE, _BAR)
        painter.fillRect(bar, colour("raised"))
        bar.setWidth(max(round(_SIDE * held), 1))
        painter.fillRect(bar, colour(role))
        metrics = painter.fontMetrics()
        line = QRect(below.left(), below.top() + _BAR + 2, _SIDE, _LINE)
        mark = "✓ " if right else "✗ "
        painter.setPen(colour(role))
        painter.drawText(line, _LEFT, mark)
        painter.setPen(colour("text"))
        rest = line.adjusted(metrics.horizontalAdvance(mark), 0, 0, 0)
        name = self._classes[self.view.labels[row]]
        painter.drawText(rest, _LEFT, metrics.elidedText(name, Qt.TextElideMode.ElideRight, rest.width()))
        line.translate(0, _LINE)
        painter.setPen(colour("quiet"))
        painter.drawText(line, _LEFT, f"{self.view.losses[row]:.2f}")
        painter.drawText(line, _RIGHT, f"{held:.0%}")

    def _paint_pin(self, painter: QPainter, where: QRect) -> None:
        disc = QRect(where.right() - _PIN - 1, where.top() + 2, _PIN, _PIN)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("accent"))
        painter.drawEllipse(disc)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        pin = sign("push-pin-fill", "on_accent", _PIN - 6, self.devicePixelRatioF())
        painter.drawPixmap(disc.left() + 3, disc.top() + 3, pin)

    def _image(self, row: int) -> QImage:
        """Made when it is first painted."""
        if row not in self._images:
            assert self.view is not None
            side = round(_SIDE * self.devicePixelRatioF())
            values, low, high = reduced(self.view.pictures[row], side), self.view.low, self.view.high
            if self.view.ends is not None:
                values, low, high = as_picture(values, self.view.ends), 0.0, 1.0
            self._images[row] = scaled(image_of(values, low, high, dark=THEME.dark, side=side), side)
        return self._images[row]
