"""Words that change ten times a second and stay where they are.

A label of Qt's has its window laid out anew whenever its words change, which takes longer than to paint them. These ask
for another place only when they need more room than they ever had; else they paint themselves, and nothing moves.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QProgressBar, QSizePolicy

from gui_lab.qt.theme import BASE, numbers_font
from gui_lab.qt.views.digits import width_of

_WRAPPED = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_ALL = 10_000  # pixels of height, where it is asked how high words are


class _Words(QLabel):
    """A label, so that the sheet dresses it as one, that keeps its words to itself."""

    def __init__(self, name: str, role: str) -> None:
        super().__init__()
        self._words = ""
        self.setObjectName(name)
        self.setProperty("role", role)

    def text(self) -> str:
        return self._words

    def setText(self, text: str) -> None:
        if text != self._words:
            self._words = text
            self.setAccessibleName(text)
            self._make_room()
            self.update()

    def _make_room(self) -> None:
        raise NotImplementedError

    def _paint(self, where: QRect, how: int) -> None:
        with QPainter(self) as painter:
            painter.setPen(self.palette().color(self.foregroundRole()))
            painter.drawText(where, how, self._words)


class Figures(_Words):
    """A line of figures, as wide as the widest it has shown."""

    def __init__(self, name: str, width: int) -> None:
        """
        Args:
            width: pixels that it has at least.
        """
        super().__init__(name, "quiet")
        self._room = width
        self.setFont(numbers_font(BASE))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def _make_room(self) -> None:
        needed = math.ceil(width_of(self._words, BASE)) + 1
        if needed > self._room:
            self._room = needed
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(self._room, self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        self._paint(self.rect(), _LEFT)


class Sentence(_Words):
    """Words over as many lines as they need, and as the highest since it got its width."""

    def __init__(self, name: str, role: str) -> None:
        super().__init__(name, role)
        self._height = 0
        self.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def _make_room(self) -> None:
        if self._needed(self.width()) > self.height():
            self.updateGeometry()

    def _needed(self, width: int) -> int:
        words = self._words or " "
        return self.fontMetrics().boundingRect(QRect(0, 0, width, _ALL), _WRAPPED, words).height()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        needed = self._needed(width)
        return max(needed, self._height) if width == self.width() else needed

    def sizeHint(self) -> QSize:
        return QSize(0, self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._height = self.height() if event.oldSize().width() == self.width() else 0

    def paintEvent(self, event: QPaintEvent) -> None:
        self._paint(self.rect(), _WRAPPED)


class Progress(QProgressBar):
    """A bar that is painted with what else is new. Qt's own paints itself, and all that lies below it, at once whenever
    its value changes, and waits until the display has it."""

    def setValue(self, value: int) -> None:
        if value != self.value():
            self.setUpdatesEnabled(False)
            super().setValue(value)
            self.setUpdatesEnabled(True)
