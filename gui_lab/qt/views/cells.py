"""A picture of cells that stand still, of which each is painted only when it looks different.

Bars and numbers of a softmax change ten times a second, but seldom all of them: a class that is out of the question
stays at 0 %. To find that out takes a tenth of the time that its number would take, and what is not painted need not
go to the screen either.
"""

from __future__ import annotations

from collections.abc import Hashable

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QPainter, QPixmap, QRegion


class Cells:
    """
    Attributes:
        picture: all of it as it was painted last.
    """

    def __init__(self, ground: QPixmap) -> None:
        """
        Args:
            ground: what stands behind the cells.
        """
        self.picture = QPixmap(ground)
        self._ground = ground
        self._looks: dict[Hashable, object] = {}
        self._changed = QRegion()

    def cleared(self, painter: QPainter, cell: Hashable, where: QRectF, looks: object) -> bool:
        """Whether a cell is to look different; it is empty by then, and has to be painted.

        Args:
            painter: of `picture`.
            cell: which one; it is always in the same place.
            looks: what decides how it looks.
        """
        if self._looks.get(cell) == looks:
            return False
        self._looks[cell] = looks
        room = where.toAlignedRect()
        painter.drawPixmap(QRectF(room), self._ground, self._source(room))
        self._changed += room
        return True

    def changed(self) -> QRegion:
        """What was cleared since this was asked last."""
        changed, self._changed = self._changed, QRegion()
        return changed

    def show(self, painter: QPainter, where: QRect) -> None:
        """Copy this part of the picture to where it belongs."""
        painter.drawPixmap(QRectF(where), self.picture, self._source(where))

    def _source(self, where: QRect) -> QRectF:
        ratio = self.picture.devicePixelRatioF()
        return QRectF(where.x() * ratio, where.y() * ratio, where.width() * ratio, where.height() * ratio)
