"""Loss over learning rate while the rate grows: losses as they were, the smoothed curve, and numbered dots to take.

It is painted here: a hundred points need no plotting library, and dots with numbers that can be clicked no scene. The
rate's axis is logarithmic and always whole, so that the curve grows into it; the loss's axis shows where it began and
how far it fell, and lets the end, where it explodes, leave at the top.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui_lab.qt.theme import CAPTION, THEME, XS, L, S, colour, numbers_font

Floats = npt.NDArray[np.float64]

_RADIUS = 9.0  # of a dot, which holds its number
_LEFT, _TOP, _BOTTOM = 44, 12, 34  # room for numbers and words beside the axes
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)


@dataclass(frozen=True)
class Dot:
    """A rate to take, on the curve; dots are numbered from 1 in their order. `words` name it where one points at it."""

    lr: float
    loss: float
    words: str


class RatePlot(QWidget):
    """
    `chosen` carries the place of a dot that was clicked.
    """

    chosen = Signal(int)

    def __init__(self, low: float, high: float) -> None:
        """
        Args:
            low, high: rates at the ends of the axis.
        """
        super().__init__()
        self.setObjectName("rate_finder.plot")
        self.setAccessibleName("Loss over learning rate")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 180)
        self.setMouseTracking(True)
        self._decades = math.log10(low), math.log10(high)
        self._rates, self._losses, self._curve = np.empty(0), np.empty(0), np.empty(0)
        self._dots: tuple[Dot, ...] = ()
        self._now = 0.0
        self._words = ""
        THEME.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(600, 280)

    def show_words(self, words: str) -> None:
        """What stands there as long as there is no curve."""
        self._words = words
        self.update()

    def show_curve(self, rates: Floats, losses: Floats, curve: Floats) -> None:
        """
        Args:
            rates, losses, curve: each rate with its loss and the smoothed loss, float64 (n,).
        """
        self._rates, self._losses, self._curve = rates, losses, curve
        self.update()

    def show_dots(self, dots: Sequence[Dot]) -> None:
        self._dots = tuple(dots)
        self.setAccessibleDescription("; ".join(f"{number}: {dot.words}" for number, dot in enumerate(dots, 1)))
        self.update()

    def show_now(self, lr: float) -> None:
        """The rate that is set, as a dashed line."""
        self._now = lr
        self.update()

    def dot_places(self) -> list[QPointF]:
        """The middles of the dots; those that would cover each other stand above each other."""
        places: list[QPointF] = []
        for dot in self._dots:
            place = self._place(dot.lr, dot.loss)
            while any(math.dist(place.toTuple(), other.toTuple()) < 2 * _RADIUS + 2 for other in places):
                place -= QPointF(0, 2)
            places.append(place)
        return places

    # ---------------------------------------------------------------- where things are

    def _room(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_LEFT, _TOP, -L, -_BOTTOM)

    def _span(self) -> tuple[float, float]:
        """The loss at the bottom and at the top: all of the curve, unless it exploded, and most single losses."""
        if not len(self._curve):
            return 0.0, 1.0
        first, low, high = float(self._curve[0]), float(self._losses.min()), float(self._losses.max())
        noise = float(np.abs(self._losses - self._curve)[: max(len(self._losses) // 2, 1)].max())
        high = min(high, first + max(0.5 * (first - low), 3 * noise))
        missing = max(0.25 * abs(first), 1e-9) - (high - low)  # less would blow the first steps' noise up
        margin = 0.05 * (high - low) + max(missing, 0.0) / 2
        return low - margin, high + margin

    def _place(self, lr: float, loss: float) -> QPointF:
        room, (first, last), (low, high) = self._room(), self._decades, self._span()
        x = room.left() + (math.log10(lr) - first) / (last - first) * room.width()
        return QPointF(x, room.bottom() - (loss - low) / (high - low) * room.height())

    def _places(self, losses: Floats) -> QPolygonF:
        return QPolygonF([self._place(*point) for point in zip(self._rates.tolist(), losses.tolist(), strict=True)])

    def _dot_at(self, position: QPointF) -> int | None:
        for place, middle in enumerate(self.dot_places()):
            if math.dist(position.toTuple(), middle.toTuple()) <= _RADIUS + 2:
                return place
        return None

    # ---------------------------------------------------------------- the mouse

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self._dot_at(event.position()) is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        place = self._dot_at(event.position())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(place)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self._dot_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self._dots[place].words if place is not None else "", self)
            return True
        return super().event(event)

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour("surface"))
            painter.setFont(numbers_font(CAPTION))
            self._paint_axes(painter)
            if len(self._rates):
                painter.save()
                painter.setClipRect(self._room().adjusted(0, -1, 1, 1))
                painter.setPen(colour("training", 90))
                painter.drawPolyline(self._places(self._losses))
                painter.setPen(colour("training"))
                painter.drawPolyline(self._places(self._curve))
                painter.restore()
            elif self._words:
                self._paint_words(painter)
            self._paint_dots(painter)

    def _paint_words(self, painter: QPainter) -> None:
        """In the middle, on a ground of their own, for the grid goes on below them."""
        wrapped = _CENTRE | int(Qt.TextFlag.TextWordWrap)
        ground = painter.boundingRect(self._room(), wrapped, self._words).adjusted(-S, -XS, S, XS)
        painter.fillRect(ground, colour("surface"))
        painter.setPen(colour("quiet"))
        painter.drawText(self._room(), wrapped, self._words)

    def _paint_axes(self, painter: QPainter) -> None:
        room, (first, last), (low, high) = self._room(), self._decades, self._span()
        grid, words = colour("quiet", 40), colour("quiet")
        for decade in range(math.ceil(first), math.floor(last) + 1):
            x = round(self._place(10.0**decade, low).x())
            painter.setPen(grid)
            painter.drawLine(QPointF(x, room.top()), QPointF(x, room.bottom()))
            painter.setPen(words)
            painter.drawText(QRectF(x - 24, room.bottom() + 2, 48, 14), _CENTRE, power_of_ten(decade))
        losses = ticks(low, high) if len(self._curve) else []
        digits = max(-math.floor(math.log10(losses[1] - losses[0]) + 1e-9), 0) if losses else 0
        for loss in losses:
            y = round(self._place(10.0**first, loss).y())
            painter.setPen(grid)
            painter.drawLine(QPointF(room.left(), y), QPointF(room.right(), y))
            if y > room.bottom() - XS:
                continue  # its number would touch those below
            painter.setPen(words)
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(QRectF(0, y - 8, room.left() - XS, 16), right, f"{loss:,.{digits}f}")
        painter.setPen(words)
        painter.drawText(QRectF(room.left(), room.bottom() + 16, room.width(), 16), _CENTRE, "learning rate")
        painter.drawText(QRectF(XS, 0, _LEFT, 16), int(Qt.AlignmentFlag.AlignVCenter), "loss")
        if self._now and first <= math.log10(self._now) <= last:
            self._paint_now(painter, room)

    def _paint_now(self, painter: QPainter, room: QRectF) -> None:
        """The rate that is set: a dashed line with a word at its foot."""
        x = round(self._place(self._now, 0.0).x())
        painter.setPen(QPen(colour("quiet"), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, room.top()), QPointF(x, room.bottom()))
        width = painter.fontMetrics().horizontalAdvance("now") + S
        left = x + 1 if x + width < room.right() else x - width
        painter.drawText(QRectF(left, room.bottom() - 18, width, 16), _CENTRE, "now")

    def _paint_dots(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number, (dot, place) in enumerate(zip(self._dots, self.dot_places(), strict=True), 1):
            on_curve = self._place(dot.lr, dot.loss)
            painter.setPen(colour("accent"))
            painter.drawLine(on_curve, place)
            paint_dot(painter, place, number)


def paint_dot(painter: QPainter, middle: QPointF, number: int) -> None:
    """A numbered dot, as it stands on the curve and beside its words."""
    painter.setPen(colour("surface"))
    painter.setBrush(colour("accent"))
    painter.drawEllipse(middle, _RADIUS, _RADIUS)
    painter.setPen(colour("on_accent"))
    side = 2 * _RADIUS
    painter.drawText(QRectF(middle.x() - _RADIUS, middle.y() - _RADIUS, side, side), _CENTRE, str(number))


def power_of_ten(decade: int) -> str:
    """10⁻³; 1 and 10 as they are."""
    if decade in (0, 1):
        return str(10**decade)
    digits = "".join(_RAISED[int(digit)] for digit in str(abs(decade)))
    return f"10{'⁻' if decade < 0 else ''}{digits}"


def ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers between two others."""
    decade = 10.0 ** math.floor(math.log10((high - low) / 3))
    step = next(step * decade for step in (5, 2, 1) if (high - low) / (step * decade) >= 3)
    return [round(place * step, 12) for place in range(math.ceil(low / step), math.floor(high / step) + 1)]
