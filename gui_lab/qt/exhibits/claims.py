"""The view of `Claims`: what is claimed, and whether torch says the same.

Both numbers are written with as many digits as they share, whole ones with none and others with up to six after the
point: what is equal is equal to the
last digit shown, and what differs is seen to differ.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui_lab.core.exhibits import Claim, Claims
from gui_lab.qt.exhibits.table_columns import written
from gui_lab.qt.exhibits.view import ExhibitView
from gui_lab.qt.theme import BASE, THEME, M, colour, numbers_font

_SIGN = 22  # pixels for the tick or the cross
_AIR = 8  # above and below the words, together
_SIZES = ((1300, 17), (1000, 15), (0, BASE))
_DIGITS = (6, 5, 4)
_WRAPPED = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_MIDDLE = int(Qt.AlignmentFlag.AlignCenter)


class ClaimsView(ExhibitView):
    exhibit: Claims

    def __init__(self, name: str) -> None:
        self.lines = Lines()
        super().__init__(name, self.lines)

    def show_body(self) -> None:
        self.lines.show_claims(self.exhibit.claims)


def told(claim: Claim) -> tuple[str, str, str]:
    """Our number, the sign between them, and torch's."""
    whole = all(float(number).is_integer() for number in (claim.ours, claim.torchs))
    for digits in (0,) if whole else _DIGITS if claim.holds else reversed(_DIGITS):
        ours, torchs = written(claim.ours, digits), written(claim.torchs, digits)
        if (ours == torchs) == claim.holds:
            return ours, "=" if claim.holds else "\u2260", torchs
    return ours, "\u2248" if claim.holds else "\u2260", torchs


class Lines(QWidget):
    """A line for each claim: tick or cross, words, both numbers."""

    def __init__(self) -> None:
        super().__init__()
        self._claims: tuple[Claim, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(200)
        THEME.changed.connect(self.update)

    def show_claims(self, claims: tuple[Claim, ...]) -> None:
        """Show them in the place of those before."""
        if claims == self._claims:
            return
        self._claims = claims
        self.setAccessibleDescription("; ".join(_aloud(claim) for claim in claims))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(360, math.ceil(sum(self._heights())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.oldSize().width() != event.size().width():
            self.updateGeometry()

    def _pixels(self) -> int:
        return next(pixels for least, pixels in _SIZES if self.width() >= least)

    def _numbers(self) -> tuple[float, float, float]:
        """Pixels of the two columns of numbers and of the sign between them."""
        metrics = QFontMetricsF(numbers_font(self._pixels()))
        texts = [told(claim) for claim in self._claims]
        ours, torchs = (max((metrics.horizontalAdvance(one[k]) for one in texts), default=0) + 2 for k in (0, 2))
        return ours, metrics.horizontalAdvance("=") + 2 * M, torchs

    def _words_width(self) -> float:
        return max(self.width() - _SIGN - sum(self._numbers()) - M, 60.0)

    def _heights(self) -> list[float]:
        metrics, room = QFontMetricsF(numbers_font(self._pixels())), QRectF(0, 0, self._words_width(), 1000)
        return [metrics.boundingRect(room, _WRAPPED, claim.words).height() + _AIR for claim in self._claims]

    def paintEvent(self, event: QPaintEvent) -> None:
        ours, sign, torchs = self._numbers()
        words = self._words_width()
        left = _SIGN + min(words, self._widest()) + M
        y = 0.0
        with QPainter(self) as painter:
            painter.setFont(numbers_font(self._pixels()))
            for claim, height in zip(self._claims, self._heights(), strict=True):
                first, between, second = told(claim)
                _draw_sign(painter, QPointF(_SIGN / 2 - 3, y + height / 2), claim.holds)
                painter.setPen(colour("text"))
                painter.drawText(QRectF(_SIGN, y, words, height), _WRAPPED, claim.words)
                painter.drawText(QRectF(left, y, ours, height), _RIGHT, first)
                painter.drawText(QRectF(left + ours + sign, y, torchs, height), _RIGHT, second)
                painter.setPen(colour("best" if claim.holds else "error"))
                painter.drawText(QRectF(left + ours, y, sign, height), _MIDDLE, between)
                y += height

    def _widest(self) -> float:
        """Pixels of the longest words in one line: the numbers stand close to them on a wide screen."""
        metrics = QFontMetricsF(numbers_font(self._pixels()))
        return max((metrics.horizontalAdvance(claim.words) for claim in self._claims), default=0.0) + 2


def _draw_sign(painter: QPainter, middle: QPointF, holds: bool) -> None:
    """A tick, or a cross."""
    x, y = middle.x(), middle.y()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour("best" if holds else "error"), 2, c=Qt.PenCapStyle.RoundCap))
    if holds:
        painter.drawPolyline(QPolygonF([QPointF(x - 5, y), QPointF(x - 1.5, y + 4), QPointF(x + 5, y - 4)]))
    else:
        painter.drawLine(QPointF(x - 4, y - 4), QPointF(x + 4, y + 4))
        painter.drawLine(QPointF(x - 4, y + 4), QPointF(x + 4, y - 4))
    painter.restore()


def _aloud(claim: Claim) -> str:
    ours, sign, torchs = told(claim)
    return f"{claim.words}: {ours} {sign} {torchs}, {'holds' if claim.holds else 'does not hold'}"
