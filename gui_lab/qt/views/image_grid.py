"""All pictures of a data set by class, as a wall that scrolls smoothly whether it holds a hundred or a million.

There is no widget for a picture: where each lies is arithmetic, only what is visible is painted, and no file is read
while painting: a quiet square holds a picture's place until the background has decoded it.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from gui_lab.core.dice import Indices
from gui_lab.core.images import ImageSet
from gui_lab.core.pipeline import Kind
from gui_lab.qt.theme import BASE, CAPTION, THEME, XS, S, colour, numbers_font, sign
from gui_lab.qt.views.class_bars import PARTS
from gui_lab.qt.views.shelves import GAP, HEADING, Shelves
from gui_lab.qt.views.tiles import Tiles
from gui_lab.qt.words import count

_ENLARGED = 64  # pixels: pictures up to this side are shown at whole multiples
_SMALLEST_TILE, _LARGEST_TILE = 24, 256
_STEP = 1.25  # from one size of tile to the next
_USUAL = 56
_REDUCED_SIDES = (48, 64, 96, 128, 192, 256)
_USUAL_REDUCED = 96
_PIN = 16
_NONE = np.zeros(0, np.int64)


class ImageGrid(QAbstractScrollArea):
    """
    `selected` carries the index of the picture that was chosen, -1 for none; `pin_wanted` that of a picture to pin, or
    to unpin where it is pinned.
    """

    selected = Signal(int)
    pin_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dataset.grid")
        self.setAccessibleName("Pictures by class")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.viewport().setBackgroundRole(QPalette.ColorRole.Window)
        self.verticalScrollBar().setSingleStep(20)
        self.verticalScrollBar().setAccessibleName("Scroll the pictures")
        self.current = -1
        self._images: ImageSet | None = None
        self._parts = np.zeros(0, np.uint8)
        self._part: str | None = None
        self.label: int | None = None
        self._order: Indices = _NONE
        self._sections: Indices = _NONE
        self._counts: Indices = _NONE
        self._side = _USUAL
        self._pins: frozenset[int] = frozenset()
        self._hovered = -1
        self._shelves = Shelves(self._counts, 0, self._side)
        self.tiles = Tiles(self)
        self.tiles.arrived.connect(self.viewport().update)
        THEME.changed.connect(self.viewport().update)

    # ---------------------------------------------------------------- what is shown

    def show_pictures(self, images: ImageSet | None) -> None:
        """Show a data set; one of the same pictures (split otherwise) keeps its place, size and filters."""
        before, self._images = self._images, images
        same = before is not None and images is not None and _alike(before, images)
        self._parts = _parts(images) if images is not None else np.zeros(0, np.uint8)
        if not same:
            self.label = None
            self.current = self._hovered = -1
            if images is not None:
                self._side = _side_for(images.kind)
        self._begin_tiles()
        self._arrange()
        if not same:
            self.verticalScrollBar().setValue(0)
            self.selected.emit(-1)

    def show_part(self, part: str | None) -> None:
        """Only "training", "validation" or "test" pictures; None for all."""
        self._part = part
        self._arrange()

    def show_class(self, label: int | None) -> None:
        """Only pictures of one class; None for all."""
        if label != self.label:
            self.label = label
            self._arrange()
            self.verticalScrollBar().setValue(0)

    def set_pins(self, pins: Sequence[int]) -> None:
        self._pins = frozenset(pins)
        self.viewport().update()

    def select(self, index: int) -> None:
        """Choose a picture by its index and bring it into view."""
        if index != self.current:
            self.current = index
            self.setAccessibleDescription(self.words(index) if index >= 0 else "")
            self.selected.emit(index)
        self._reveal()
        self.viewport().update()

    @property
    def side(self) -> int:
        """Of a tile, pixels."""
        return self._side

    def resize_tiles(self, steps: int) -> None:
        """Larger (or, negative, smaller) tiles; what is in the middle stays there."""
        if self._images is None:
            return
        sides = _sides(self._images.kind)
        place = min(max(sides.index(self._side) + steps, 0), len(sides) - 1)
        if sides[place] != self._side:
            middle = self._position_near(self.viewport().height() // 2)
            self._side = sides[place]
            self._begin_tiles()
            self._arrange()
            if middle is not None:
                self.verticalScrollBar().setValue(self._shelves.corner(middle)[1] - self.viewport().height() // 2)

    def words(self, index: int) -> str:
        """What a picture is, in one line: index, class, part, and its file where it has one."""
        assert self._images is not None
        name = f", {self._images.names[index]}" if self._images.names else ""
        kind = self._images.classes[self._images.labels[index]]
        unreadable = ", cannot be read" if index in self.tiles.broken else ""
        return f"Picture {count(index)}, class {kind}, {PARTS[self._parts[index]]}{name}{unreadable}"

    def indices(self) -> Indices:
        """The pictures that are shown, in their order on the wall, int64."""
        return self._order

    def close_down(self) -> None:
        self.tiles.close()

    # ---------------------------------------------------------------- geometry

    def index_at(self, point: QPoint) -> int | None:
        """The picture at a point of the viewport."""
        if point.y() < HEADING:  # the heading that stays at the top covers what is below it
            return None
        position = self._shelves.position_at(point.x(), point.y() + self.verticalScrollBar().value())
        return None if position is None else int(self._order[position])

    def rectangle_of(self, index: int) -> QRect:
        """Where a picture lies in the viewport; empty where it is filtered out."""
        position = self._position_of(index)
        if position is None:
            return QRect()
        x, y = self._shelves.corner(position)
        return QRect(x, y - self.verticalScrollBar().value(), self._side, self._side)

    def _position_of(self, index: int) -> int | None:
        found = np.flatnonzero(self._order == index)
        return int(found[0]) if len(found) else None

    def _position_near(self, y: int) -> int | None:
        top = y + self.verticalScrollBar().value()
        for _, positions in self._shelves.between(top, top + self._shelves.pitch):
            if len(positions):
                return positions[0]
        return None

    def _arrange(self) -> None:
        """Order the pictures that the filters let through by class, and lay the shelves out."""
        self._order, self._sections, self._counts = self._chosen()
        self._lay_out()

    def _chosen(self) -> tuple[Indices, Indices, Indices]:
        if self._images is None:
            return _NONE, _NONE, _NONE
        wanted = np.ones(len(self._parts), np.bool_)
        if self._part is not None:
            wanted &= self._parts == PARTS.index(self._part)
        if self.label is not None:
            wanted &= self._images.labels == self.label
        chosen = np.flatnonzero(wanted)
        labels = self._images.labels[chosen].astype(np.uint16 if len(self._images.classes) < 2**16 else np.int64)
        counts = np.bincount(labels, minlength=1).astype(np.int64)
        sections = np.flatnonzero(counts)
        return chosen[np.argsort(labels, kind="stable")], sections, counts[sections]

    def _lay_out(self) -> None:
        self._shelves = Shelves(self._counts, self.viewport().width(), self._side)
        bar = self.verticalScrollBar()
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(self._shelves.height - self.viewport().height(), 0))
        self.viewport().update()

    def _begin_tiles(self) -> None:
        pictures = self._images.pictures if self._images is not None else None
        self.tiles.begin(pictures, self._side, self.devicePixelRatioF())

    def _reveal(self) -> None:
        position = self._position_of(self.current)
        if position is None:
            return
        y = self._shelves.corner(position)[1]
        bar, height = self.verticalScrollBar(), self.viewport().height()
        if y - HEADING < bar.value():
            bar.setValue(y - HEADING)
        elif y + self._side + GAP > bar.value() + height:
            bar.setValue(y + self._side + GAP - height)

    # ---------------------------------------------------------------- hands

    def resizeEvent(self, event: QResizeEvent) -> None:
        first = self._position_near(HEADING)
        self._lay_out()
        if first is not None and event.oldSize().width() != event.size().width() and self.verticalScrollBar().value():
            self.verticalScrollBar().setValue(self._shelves.corner(first)[1] - HEADING)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_P and self.current >= 0:
            self.pin_wanted.emit(self.current)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus):
            self.resize_tiles(1 if key == Qt.Key.Key_Plus else -1)
        elif key in _MOVES and len(self._order):
            self.select(int(self._order[self._moved(Qt.Key(key))]))
        else:
            super().keyPressEvent(event)

    def _moved(self, key: Qt.Key) -> int:
        position = self._position_of(self.current)
        last = len(self._order) - 1
        if key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            return 0 if key == Qt.Key.Key_Home else last
        if position is None:
            return self._position_near(HEADING) or 0
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            return min(max(position + (1 if key == Qt.Key.Key_Right else -1), 0), last)
        page = max((self.viewport().height() - HEADING) // self._shelves.pitch, 1)
        rows = page if key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown) else 1
        return self._shelves.moved(position, -rows if key in (Qt.Key.Key_Up, Qt.Key.Key_PageUp) else rows)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.resize_tiles(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            super().wheelEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index is not None:
            self.select(index)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()  # belongs to the press; left alone it would go on to what is behind the wall

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index is not None:
            self.pin_wanted.emit(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.index_at(event.position().toPoint()))

    def _hover(self, index: int | None) -> None:
        hovered = -1 if index is None else index
        if hovered != self._hovered:
            self._hovered = hovered
            self.viewport().update()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self.index_at(event.pos())
            text = "" if index is None else f"<qt>{html.escape(self.words(index))}</qt>"
            QToolTip.showText(event.globalPos(), text, self.viewport())
            return True
        if event.type() == QEvent.Type.Leave:
            self._hover(None)
        return super().viewportEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._begin_tiles()
        super().changeEvent(event)

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self.viewport()) as painter:
            if not len(self._order):
                self._paint_nothing(painter)
                return
            top = self.verticalScrollBar().value()
            seen = list(self._shelves.between(top, top + self.viewport().height()))
            placed = [(x, y - top) for section, run in seen for _, x, y in self._shelves.tiles(section, run)]
            indices = [index for _, run in seen for index in self._order[run.start : run.stop].tolist()]
            self.tiles.want(indices)
            self._paint_tiles(painter, indices, placed)
            for section, _ in reversed(seen):
                self._paint_heading(painter, section, top, stays=section == seen[0][0])

    def _paint_nothing(self, painter: QPainter) -> None:
        if self._images is not None:
            painter.setPen(colour("quiet"))
            what = f"{self._part} pictures" if self._part else "pictures"
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, f"There are no {what} here.")

    def _paint_tiles(self, painter: QPainter, indices: Sequence[int], placed: Sequence[tuple[int, int]]) -> None:
        frames, marked = [], []
        marks = {*self._pins, *self.tiles.broken, self.current, self._hovered}
        empty = colour("raised")
        for index, (x, y) in zip(indices, placed, strict=True):
            tile = self.tiles.get(index)
            if tile is None:
                painter.fillRect(x, y, self._side, self._side, empty)
            else:
                size = tile.deviceIndependentSize()
                width, height = size.width(), size.height()
                left, upper = x + int(self._side - width) // 2, y + int(self._side - height) // 2
                painter.drawImage(QPointF(left, upper), tile)
                frames.append(QRectF(left - 0.5, upper - 0.5, width + 1, height + 1))
            if index in marks:
                marked.append((index, QRectF(x, y, self._side, self._side)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour("line"), 1))
        painter.drawRects(frames)
        for index, place in marked:
            self._paint_marks(painter, index, place)

    def _paint_marks(self, painter: QPainter, index: int, place: QRectF) -> None:
        if index in self.tiles.broken:
            painter.setPen(QPen(colour("quiet"), 1))
            middle = place.center()
            painter.drawLine(middle + QPointF(-6, -6), middle + QPointF(6, 6))
            painter.drawLine(middle + QPointF(-6, 6), middle + QPointF(6, -6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if index == self.current:
            painter.setPen(QPen(colour("accent"), 2))
            painter.drawRect(place)
        elif index == self._hovered:
            painter.setPen(QPen(colour("quiet"), 1))
            painter.drawRect(place.adjusted(-0.5, -0.5, 0.5, 0.5))
        if index in self._pins:
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(colour("window"), 1))
            painter.setBrush(colour("accent"))
            disc = QRectF(place.right() - _PIN + XS, place.top() - XS, _PIN, _PIN)
            painter.drawEllipse(disc)
            painter.restore()
            pin = sign("push-pin-fill", "on_accent", _PIN - 6, self.devicePixelRatioF())
            painter.drawPixmap(disc.adjusted(3, 3, -3, -3).toRect(), pin)

    def _paint_heading(self, painter: QPainter, section: int, top: int, *, stays: bool) -> None:
        """A class's name and count; that of the first visible section stays at the top until the next pushes it up."""
        assert self._images is not None
        y = int(self._shelves.tops[section]) - top
        if stays:
            y = min(max(y, 0), int(self._shelves.tops[section + 1]) - top - HEADING)
        band = QRect(0, y, self.viewport().width(), HEADING - XS)
        painter.fillRect(band, colour("window"))
        painter.setFont(_bold())
        painter.setPen(colour("text"))
        name = self._images.classes[int(self._sections[section])]
        metrics = painter.fontMetrics()
        name = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, band.width() // 2)
        painter.drawText(band, _MIDDLE, name)
        held = self._shelves.held(section)
        painter.setFont(numbers_font(CAPTION))
        painter.setPen(colour("quiet"))
        beside = band.adjusted(metrics.horizontalAdvance(name) + S, 1, 0, 1)
        painter.drawText(beside, _MIDDLE, f"{count(held)} picture{'' if held == 1 else 's'}")


_MOVES = frozenset(
    {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End,
     Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}
)  # fmt: skip
_MIDDLE = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


def _alike(one: ImageSet, other: ImageSet) -> bool:
    """True where an index means the same picture in both, as far as can be told without comparing pixels."""
    return one.kind == other.kind and one.classes == other.classes and np.array_equal(one.labels, other.labels)


def _parts(images: ImageSet) -> npt.NDArray[np.uint8]:
    """For each picture the place of its part in PARTS."""
    parts = np.zeros(len(images.labels), np.uint8)
    for place, members in enumerate((images.train, images.validation, images.test)):
        parts[members] = place
    return parts


def _sides(kind: Kind) -> tuple[int, ...]:
    """The sizes of tile that suit pictures of this kind, in pixels."""
    if kind.size is None or max(kind.size) > _ENLARGED:
        return _REDUCED_SIDES
    longest = max(kind.size)
    sides: list[int] = []
    for side in range(longest, _LARGEST_TILE + 1, longest):
        if side >= (_STEP * sides[-1] if sides else _SMALLEST_TILE):
            sides.append(side)
    return tuple(sides)


def _side_for(kind: Kind) -> int:
    sides = _sides(kind)
    usual = _USUAL_REDUCED if sides is _REDUCED_SIDES else _USUAL
    return min(sides, key=lambda side: abs(side - usual))


def _bold() -> QFont:
    font = numbers_font(BASE)
    font.setWeight(QFont.Weight.DemiBold)
    return font
