"""The learning rate over the run as a small curve, painted here: too small for axes, so that its numbers are words.

The rate is drawn from zero upwards. A dot shows where the run is; only what it covers is painted anew when it moves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPaintEvent, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui_lab.qt.theme import CAPTION, THEME, XS, S, colour, numbers_font
from gui_lab.qt.views.facts import number

Floats = npt.NDArray[np.float64]
_HEIGHT = 88
_WORDS = 16
_DOT = 4
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_WRAPPED = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap


class SchedulePlot(QWidget):
    """A curve, or words in place of it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName("Learning rate over the run")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._epochs: Floats = np.empty(0)
        self._rates: Floats = np.empty(0)
        self._words = ""
        self._place: tuple[float, float] | None = None
        self._line = QPolygonF()
        THEME.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(120, _HEIGHT)

    def show_curve(self, epochs: Floats, rates: Floats) -> None:
        """
        Args:
            epochs: how far the run is, float64 (n,), rising from 0.
            rates: the learning rate there, float64 (n,); what is not finite is left out.
        """
        known = np.isfinite(rates)
        self._draw(epochs[known], rates[known], "")

    def show_words(self, words: str) -> None:
        """Why there is no curve."""
        self._draw(np.empty(0), np.empty(0), words)

    def show_place(self, place: tuple[float, float] | None) -> None:
        """Where the run is: epochs done and the learning rate there; None takes the dot away."""
        before, self._place = self._dot(), place
        after = self._dot()
        for dot in (before, after) if before != after else ():
            if dot is not None:
                self.update(_around(dot))

    @property
    def place(self) -> tuple[float, float] | None:
        return self._place

    def curve(self) -> tuple[Floats, Floats]:
        """What is drawn: epochs and rates."""
        return self._epochs, self._rates

    def in_words(self) -> str:
        """From 0.001 to 1e−05 over 20 epochs, at most 0.01."""
        if not len(self._rates):
            return self._words
        first, last, most = self._rates[0], self._rates[-1], self._rates.max()
        said = f"From {number(first)} to {number(last)} over {number(self._epochs[-1])} epochs"
        return f"{said}, at most {number(most)}" if most > max(first, last) else said

    # ---------------------------------------------------------------- where things are

    def _draw(self, epochs: Floats, rates: Floats, words: str) -> None:
        self._epochs, self._rates, self._words = epochs, rates, words
        self._line = line_of(epochs, rates, self._room())
        self.setAccessibleDescription(self.in_words())
        self.update()

    def _room(self) -> QRect:
        """Of the curve: words stand above and below it."""
        return self.rect().adjusted(_DOT + 1, _WORDS + 1, -_DOT - 1, -_WORDS - 3)

    def _dot(self) -> QPoint | None:
        if self._place is None or not len(self._rates):
            return None
        x, y = _scaled(*self._place, self._epochs, self._rates, self._room())
        return QPoint(round(x), round(y))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._line = line_of(self._epochs, self._rates, self._room())

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setFont(numbers_font(CAPTION))
            if not len(self._rates):
                painter.setPen(colour("quiet"))
                painter.drawText(self.rect(), _WRAPPED, self._words)
                return
            room = self._room()
            painter.setPen(colour("line"))
            painter.drawLine(room.left(), room.bottom() + 1, room.right(), room.bottom() + 1)
            painter.setPen(colour("training"))
            painter.drawPolyline(self._line)
            self._paint_words(painter, room)
            self._paint_dot(painter)

    def _paint_words(self, painter: QPainter, room: QRect) -> None:
        first, last, highest = self._rates[0], self._rates[-1], int(self._rates.argmax())
        below = QRect(room.left(), room.bottom() + 3, room.width(), _WORDS)
        painter.setPen(colour("quiet"))
        painter.drawText(below, _LEFT, f"first {number(first)}")
        painter.drawText(below, _RIGHT, f"last {number(last)}")
        if self._rates[highest] == first:
            return
        said = f"highest {number(self._rates[highest])}"
        width = QFontMetrics(painter.font()).horizontalAdvance(said)
        middle = round(self._line.at(highest).x())
        left = min(max(middle - width // 2, room.left()), room.right() - width)
        painter.drawText(QRect(left, 0, width + XS, _WORDS), _LEFT, said)

    def _paint_dot(self, painter: QPainter) -> None:
        dot = self._dot()
        if dot is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(colour("surface"))
        painter.setBrush(colour("training"))
        painter.drawEllipse(dot, _DOT, _DOT)


def line_of(epochs: Floats, rates: Floats, room: QRect) -> QPolygonF:
    """The curve in a rectangle, from a rate of zero at its bottom to the highest at its top."""
    if not len(rates):
        return QPolygonF()
    x, y = _scaled(epochs, rates, epochs, rates, room)
    return QPolygonF([QPointF(*point) for point in zip(x.tolist(), y.tolist(), strict=True)])


def _scaled(epoch: Any, rate: Any, epochs: Floats, rates: Floats, room: QRect) -> tuple[Any, Any]:
    """Where points lie in the rectangle of a curve; what is beyond its ends lies at the edge."""
    x = np.clip(epoch / max(epochs[-1], 1e-9), 0, 1)
    y = np.clip(rate / max(rates.max(), 1e-300), 0, 1)
    return room.left() + x * (room.width() - 1), room.bottom() - y * (room.height() - 1)


def _around(dot: QPoint) -> QRect:
    return QRect(dot.x() - _DOT - 1, dot.y() - _DOT - 1, 2 * _DOT + 3, 2 * _DOT + 3)


def picture_of(epochs: Floats, rates: Floats, side: int, tint: str) -> QImage:
    """A curve as a square picture of so many pixels, in a colour; may be made on any thread."""
    picture = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    picture.fill(Qt.GlobalColor.transparent)
    with QPainter(picture) as painter:
        painter.setPen(tint)
        painter.drawPolyline(line_of(epochs, rates, picture.rect().adjusted(S, S, -S, -S)))
    return picture
