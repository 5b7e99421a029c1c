"""Pictures side by side under one lens: they zoom and move together, and one cross-hair reads the value in all of them.

Places are told in parts of a picture, 0..1, not in pixels: so a picture and what Resize made of it stay aligned. Where
pixels are large enough their values are written into them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from gui_lab.qt.theme import BASE, CAPTION, CORNER, THEME, XS, M, S, colour, numbers_font
from gui_lab.qt.views.cell import LEFT
from gui_lab.qt.views.facts import number

_TITLE, _LINE = 20, 16
_LARGEST = 64.0  # times the fitted size
_STEP = 1.25
_WRITTEN = 4_000  # pixels whose values are written at most
_KEYS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Pane:
    """
    Attributes:
        title: what it is.
        image: as it is drawn, a pixel for each pixel of the values; None where there is nothing to show.
        values: (C, H, W).
        note: a line below the title; where there is no image, what stands in its place.
    """

    title: str
    image: QImage | None = None
    values: npt.NDArray[Any] | None = None
    note: str = ""


class Panes(QWidget):
    """
    `pointed` says that the cross-hair is elsewhere.
    """

    pointed = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName("The picture before and after, and the difference")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(300, 150)
        self.panes: tuple[Pane, ...] = ()
        self.zoom = 1.0
        self.centre = QPointF(0.5, 0.5)
        self.point: QPointF | None = None
        self._grip: QPointF | None = None
        THEME.changed.connect(self.update)

    def show_panes(self, panes: Sequence[Pane]) -> None:
        """Lens and cross-hair stay where they are."""
        self.panes = tuple(panes)
        self._tell()
        self.update()

    def fit(self) -> None:
        """All of each picture."""
        self.zoom, self.centre = 1.0, QPointF(0.5, 0.5)
        self.update()

    def zoom_by(self, factor: float, around: QPointF | None = None) -> None:
        """
        Args:
            around: the place that stays where it is, in parts of the picture; None for the cross-hair or the middle.
        """
        fixed = around or self.point or self.centre
        zoom = min(max(self.zoom * factor, 1.0), _LARGEST)
        self.centre = fixed + (self.centre - fixed) * (self.zoom / zoom)
        self.zoom = zoom
        self._keep_inside()
        self.update()

    def values_at(self, pane: Pane) -> str:
        """What the cross-hair reads in a pane; empty where there is none."""
        if self.point is None or pane.values is None:
            return ""
        x, y = pixel_at(self.point, pane.values)
        return ", ".join(number(float(value)) for value in pane.values[:, y, x])

    def place_words(self) -> str:
        """Where the cross-hair is in the picture that is looked at, the second one where there is one before it."""
        shown = [pane.values for pane in self.panes[:2] if pane.values is not None]
        if self.point is None or not shown:
            return ""
        x, y = pixel_at(self.point, shown[-1])
        return f"row {y}, column {x}"

    # ---------------------------------------------------------------- where things are

    def rooms(self) -> list[QRect]:
        """The place of each pane, title included: the arrangement in which their pictures are largest."""
        count = max(len(self.panes), 1)
        best = max(range(1, count + 1), key=lambda across: (min(self._side(across, count)), across))
        wide, high = self._side(best, count)
        return [
            QRect(
                place % best * (wide + M),
                place // best * (high + _TITLE + 2 * _LINE + M),
                wide,
                high + _TITLE + 2 * _LINE,
            )
            for place in range(count)
        ]

    def _side(self, across: int, count: int) -> tuple[int, int]:
        down = -(-count // across)
        wide = (self.width() - (across - 1) * M) // across
        return wide, (self.height() - (down - 1) * M) // down - _TITLE - 2 * _LINE

    def _lens(self, room: QRect) -> QRect:
        return room.adjusted(0, _TITLE + _LINE, 0, -_LINE)

    def scale(self, pane: Pane, room: QRect) -> float:
        """Screen pixels of a pixel; whole ones where they are larger than one."""
        assert pane.values is not None
        height, width = pane.values.shape[1:]
        lens = self._lens(room)
        fitting: float = min(lens.width() / width, lens.height() / height)
        if fitting >= 1:
            fitting = math.floor(fitting)
        scale = fitting * self.zoom
        return max(math.floor(scale), 1) if scale >= 1 else scale

    def placed(self, pane: Pane, room: QRect) -> QRectF:
        """Where all of a pane's picture would lie on the screen."""
        assert pane.values is not None
        lens, scale = self._lens(room), self.scale(pane, room)
        height, width = (side * scale for side in pane.values.shape[1:])
        if self.zoom <= 1:
            return QRectF(lens.left(), lens.top(), width, height)
        left = lens.left() + lens.width() / 2 - self.centre.x() * width
        top = lens.top() + lens.height() / 2 - self.centre.y() * height
        return QRectF(round(left), round(top), width, height)

    def _keep_inside(self) -> None:
        half = 0.5 / self.zoom
        x, y = (min(max(at, half), 1 - half) for at in (self.centre.x(), self.centre.y()))
        self.centre = QPointF(x, y)

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            for pane, room in zip(self.panes, self.rooms(), strict=False):
                self._paint_words(painter, pane, room)
                if pane.image is not None and pane.values is not None:
                    painter.save()
                    painter.setClipRect(self._lens(room).adjusted(-1, -1, 1, 1))
                    self._paint_picture(painter, pane, room)
                    painter.restore()
            if self.hasFocus():
                painter.setPen(QPen(colour("accent"), 1))
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), CORNER, CORNER)

    def _paint_words(self, painter: QPainter, pane: Pane, room: QRect) -> None:
        lens = self._lens(room)
        painter.setPen(colour("text"))
        painter.setFont(numbers_font(BASE))
        title = QRect(room.left() + S, room.top(), room.width() - S, _TITLE)
        elide = Qt.TextElideMode.ElideRight
        painter.drawText(title, LEFT, painter.fontMetrics().elidedText(pane.title, elide, title.width()))
        painter.setFont(numbers_font(CAPTION))
        painter.setPen(colour("quiet"))
        if pane.image is None:
            wrap = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            painter.drawText(lens.adjusted(S, 0, 0, 0), wrap, pane.note)
            return
        below = title.translated(0, _TITLE - 2)
        painter.drawText(below, LEFT, painter.fontMetrics().elidedText(pane.note, elide, below.width()))
        under = min(int(self.placed(pane, room).bottom()), lens.bottom()) + 2
        read = QRect(title.left(), under, title.width(), _LINE)
        painter.setPen(colour("text"))
        painter.drawText(read, LEFT, painter.fontMetrics().elidedText(self.values_at(pane), elide, read.width()))

    def _paint_picture(self, painter: QPainter, pane: Pane, room: QRect) -> None:
        assert pane.image is not None
        assert pane.values is not None
        whole, scale = self.placed(pane, room).translated(S, 0), self.scale(pane, room)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < 1)
        painter.drawImage(whole, pane.image)
        painter.setPen(colour("line"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(whole.adjusted(-1, -1, 0, 0))
        self._write_values(painter, pane, whole, scale, self._lens(room))
        if self.point is not None:
            self._paint_cross(painter, pane.values, whole, scale)

    def _paint_cross(self, painter: QPainter, values: npt.NDArray[Any], whole: QRectF, scale: float) -> None:
        assert self.point is not None
        x, y = pixel_at(self.point, values)
        box = QRectF(whole.left() + x * scale, whole.top() + y * scale, max(scale, 3), max(scale, 3))
        painter.setPen(QPen(colour("accent"), 1))
        middle = box.center()
        for start, end in (
            (QPointF(whole.left(), middle.y()), QPointF(box.left(), middle.y())),
            (QPointF(box.right(), middle.y()), QPointF(whole.right(), middle.y())),
            (QPointF(middle.x(), whole.top()), QPointF(middle.x(), box.top())),
            (QPointF(middle.x(), box.bottom()), QPointF(middle.x(), whole.bottom())),
        ):
            painter.drawLine(start, end)
        painter.drawRect(box)

    def _write_values(self, painter: QPainter, pane: Pane, whole: QRectF, scale: float, lens: QRect) -> None:
        """The values of each pixel, a line for each channel, where they fit into it."""
        assert pane.values is not None
        assert pane.image is not None
        font = numbers_font(CAPTION - 1)
        metrics = QFontMetrics(font)
        channels, height, width = pane.values.shape
        widest = metrics.horizontalAdvance("255" if pane.values.dtype == np.uint8 else "\u22120.88")
        if scale < widest + XS or scale < channels * (metrics.height() - 2) + 2:
            return
        left, right = _seen(lens.left(), lens.right(), whole.left(), scale, width)
        top, bottom = _seen(lens.top(), lens.bottom(), whole.top(), scale, height)
        if (right - left) * (bottom - top) > _WRITTEN:
            return
        painter.setFont(font)
        for y in range(top, bottom):
            for x in range(left, right):
                box = QRectF(whole.left() + x * scale, whole.top() + y * scale, scale, scale)
                painter.setPen(_readable(pane.image.pixelColor(x, y)))
                words = "\n".join(_short(value) for value in pane.values[:, y, x].tolist())
                painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), words)

    # ---------------------------------------------------------------- mouse and keys

    def _part(self, at: QPoint | QPointF) -> tuple[QPointF, QRectF] | None:
        """Where in a picture a point of the widget is, in parts of it, and where that picture lies."""
        spot = QPointF(at)
        for pane, room in zip(self.panes, self.rooms(), strict=False):
            if pane.values is None:
                continue
            whole = self.placed(pane, room).translated(S, 0)
            if room.contains(spot.toPoint()) and whole.contains(spot):
                return QPointF(
                    (spot.x() - whole.left()) / whole.width(), (spot.y() - whole.top()) / whole.height()
                ), whole
        return None

    def wheelEvent(self, event: QWheelEvent) -> None:
        found = self._part(event.position())
        self.zoom_by(_STEP ** (event.angleDelta().y() / 120), found[0] if found else None)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None
        self.unsetCursor()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self._part(event.position())
        if self._grip is not None and found is not None:
            moved = event.position() - self._grip
            whole = found[1]
            self.centre -= QPointF(moved.x() / whole.width(), moved.y() / whole.height())
            self._grip = event.position()
            self._keep_inside()
        self._point_at(found[0] if found else None)

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _KEYS and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            self._walk(*_KEYS[key])
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(_STEP)
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore):
            self.zoom_by(1 / _STEP)
        elif key == Qt.Key.Key_0:
            self.fit()
        else:
            super().keyPressEvent(event)

    def _walk(self, across: int, down: int) -> None:
        """The cross-hair to the next pixel of the finest picture."""
        shapes = [pane.values.shape[1:] for pane in self.panes if pane.values is not None]
        if not shapes:
            return
        height, width = max(shapes, key=math.prod)
        x, y = (min(int(self.centre.x() * width), width - 1), min(int(self.centre.y() * height), height - 1))
        if self.point is not None:
            x, y = int(self.point.x() * width) + across, int(self.point.y() * height) + down
        x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
        point = QPointF((x + 0.5) / width, (y + 0.5) / height)
        half = 0.5 / self.zoom
        self.centre = QPointF(
            min(max(self.centre.x(), point.x() - half), point.x() + half),
            min(max(self.centre.y(), point.y() - half), point.y() + half),
        )
        self._keep_inside()
        self._point_at(point)

    def _point_at(self, point: QPointF | None) -> None:
        self.point = point
        self._tell()
        self.update()

    def _tell(self) -> None:
        said = [f"{pane.title}: {self.values_at(pane)}" for pane in self.panes if self.values_at(pane)]
        self.setAccessibleDescription("; ".join([self.place_words(), *said] if said else []))
        self.pointed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(700, 400)


def pixel_at(point: QPointF, values: npt.NDArray[Any]) -> tuple[int, int]:
    """(x, y) of the pixel at a place told in parts of the picture."""
    height, width = values.shape[1:]
    return min(int(point.x() * width), width - 1), min(int(point.y() * height), height - 1)


def _seen(near: int, far: int, start: float, scale: float, count: int) -> tuple[int, int]:
    """The range of pixels between two edges of the screen."""
    first = max(math.floor((near - start) / scale), 0)
    return first, min(math.ceil((far + 1 - start) / scale), count)


def _readable(ground: QColor) -> QColor:
    bright = 0.299 * ground.red() + 0.587 * ground.green() + 0.114 * ground.blue()
    return QColor("#10141c" if bright > 140 else "#ffffff")


def _short(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.2f}".replace("-", "\u2212")
