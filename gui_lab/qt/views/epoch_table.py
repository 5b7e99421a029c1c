"""The newest epochs in figures, below the readouts of the run: as many as there is room for, the newest on top.

It is the table twin of the curves, and is painted when an epoch has ended, not ten times a second.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui_lab.core.history import History
from gui_lab.qt import words
from gui_lab.qt.theme import CAPTION, THEME, L, S, colour, numbers_font

_ROW = 18
_HEADS = ("epoch", "loss", "val. loss", "val. accuracy")
_ENDS = (0.16, 0.42, 0.68, 1.0)  # of the columns, as parts of the width
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class EpochTable(QWidget):
    """Fed by `show_history`; takes what height is left."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("train.epoch_table")
        self.setAccessibleName("The newest epochs")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._history = History()
        self._shown = (id(self._history), 0)
        THEME.changed.connect(self.update)

    def show_history(self, history: History) -> None:
        """Show a history as it is now; costs nothing unless an epoch has ended."""
        shown = (id(history), history.epochs)
        if shown != self._shown:
            self._history, self._shown = history, shown
            self.setAccessibleDescription("; ".join(" ".join(row) for row in self.rows(1)))
            self.update()

    def rows(self, most: int) -> list[tuple[str, ...]]:
        """Epoch, training loss, validation loss and accuracy as they are written, the newest epoch first."""
        history, found = self._history, []
        for place in range(history.epochs - 1, max(history.epochs - 1 - most, -1), -1):
            losses = (float(column.values[place]) for column in (history.epoch_loss, history.validation_loss))
            accuracy = words.percent(float(history.validation_accuracy.values[place]))
            found.append((words.count(place + 1), *map(words.loss, losses), accuracy))
        return found

    def sizeHint(self) -> QSize:
        return QSize(200, 0)

    def room(self) -> int:
        """How many epochs can be seen."""
        return max((self.height() - L) // _ROW - 1, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour("surface"))
            rows = self.rows(self.room())
            if not rows:
                return
            painter.fillRect(QRect(0, S, self.width(), 1), colour("line"))
            painter.setFont(numbers_font(CAPTION))
            painter.setPen(colour("quiet"))
            self._paint_row(painter, 0, _HEADS)
            for number, row in enumerate(rows, 1):
                best = self._history.epochs + 1 - number == self._history.best_epoch
                painter.setPen(colour("best" if best else "text"))
                self._paint_row(painter, number, row, "best" if best else "")

    def _paint_row(self, painter: QPainter, number: int, texts: tuple[str, ...], mark: str = "") -> None:
        width, top = self.width(), L + number * _ROW
        for text, end, how in zip(texts, _ENDS, (_LEFT, _RIGHT, _RIGHT, _RIGHT), strict=True):
            painter.drawText(QRect(0, top, round(end * width), _ROW), how, text)
        if mark:
            painter.drawText(QRect(round(_ENDS[2] * width) + S, top, width, _ROW), _LEFT, mark)
