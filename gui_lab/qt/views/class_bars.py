"""How the pictures are divided: a bar for the split, and a list with a bar for each class that also filters.

The list is Qt's own with a delegate, so ten thousand classes cost no more than ten, and keyboard, type-ahead and screen
readers work as in any list. Parts are told apart by colour and by fill: training full, validation hatched, test hollow.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QFontMetrics, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from gui_lab.core.dice import Indices
from gui_lab.qt.theme import CAPTION, CORNER, THEME, XS, L, S, colour, numbers_font
from gui_lab.qt.words import THIN, count

PARTS = ("training", "validation", "test")
_ROW = 24
_BAR = 8
_NAME_PART = 0.6  # of a row, at most
_MEASURED = 1000
_ROLES = {"training": "training", "validation": "validation", "test": "quiet"}
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
Index = QModelIndex | QPersistentModelIndex


def paint_part(painter: QPainter, place: QRectF, part: str) -> None:
    """A piece of a bar in the colour and fill of its part."""
    tint = colour(_ROLES[part])
    if part == "training":
        painter.fillRect(place, tint)
        return
    painter.save()
    painter.setPen(QPen(tint, 1))
    painter.setBrush(QBrush(tint, Qt.BrushStyle.BDiagPattern if part == "validation" else Qt.BrushStyle.NoBrush))
    painter.drawRect(place.adjusted(0.5, 0.5, -0.5, -0.5))
    painter.restore()


class SplitBar(QWidget):
    """All pictures as one bar, cut in proportion, with the parts in words below it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dataset.split")
        self.setAccessibleName("Split")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._counts: tuple[int, ...] = (0, 0, 0)
        self._note = ""
        THEME.changed.connect(self.update)

    def show_split(self, counts: Sequence[int], note: str) -> None:
        """
        Args:
            counts: pictures for training, validation and test.
            note: how the split came about, at the right end.
        """
        self._counts, self._note = tuple(counts), note
        self.setAccessibleDescription(", ".join((*self.parts(), note)))
        self.update()

    def parts(self) -> tuple[str, ...]:
        """The parts in words: "Training 1,150 (64 %)"."""
        whole = max(sum(self._counts), 1)
        return tuple(
            f"{part.capitalize()} {count(held)} ({held / whole:.0%})".replace("%", f"{THIN}%")
            for part, held in zip(PARTS, self._counts, strict=True)
        )

    def sizeHint(self) -> QSize:
        return QSize(400, _BAR + XS + L)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            left, whole = 0.0, max(sum(self._counts), 1)
            for part, held in zip(PARTS, self._counts, strict=True):
                width = self.width() * held / whole
                if held:
                    paint_part(painter, QRectF(round(left), 0, max(round(width) - 2, 2), _BAR), part)
                left += width
            painter.setFont(numbers_font(CAPTION))
            self._paint_words(painter, QRectF(0, _BAR + XS, self.width(), L))

    def _paint_words(self, painter: QPainter, line: QRectF) -> None:
        metrics, left = painter.fontMetrics(), 0.0
        painter.setPen(colour("text"))
        for part, said in zip(PARTS, self.parts(), strict=True):
            paint_part(painter, QRectF(left, line.center().y() - 4, 8, 8), part)
            painter.setPen(colour("text"))
            painter.drawText(line.adjusted(left + 8 + XS, 0, 0, 0), _LEFT, said)
            left += 8 + XS + metrics.horizontalAdvance(said) + L
        painter.setPen(colour("quiet"))
        note = metrics.elidedText(self._note, Qt.TextElideMode.ElideRight, int(line.width() - left))
        painter.drawText(line, _RIGHT, note)


class _Classes(QAbstractListModel):
    """The row of all classes, then one for each class."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.classes: tuple[str, ...] = ()
        self.counts: npt.NDArray[np.int64] = np.zeros((3, 0), np.int64)
        self._longest = 0

    def show(self, classes: Sequence[str], counts: npt.NDArray[np.int64]) -> None:
        self.beginResetModel()
        self.classes, self.counts, self._longest = tuple(classes), counts, 0
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() or not self.classes else len(self.classes) + 1

    def held(self, row: int) -> Indices:
        """Pictures of a row in each part, int64 (3,)."""
        held: Indices = self.counts.sum(axis=1) if row == 0 else self.counts[:, row - 1]
        return held

    def longest_name(self, metrics: QFontMetrics) -> int:
        """Pixels that the names take (of the first classes, where there are very many)."""
        if not self._longest:
            self._longest = 2 + max(metrics.horizontalAdvance(name) for name in self.classes[:_MEASURED])
        return self._longest

    def name(self, row: int) -> str:
        return "All classes" if row == 0 else self.classes[row - 1]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.name(index.row())
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            held = zip(self.held(index.row()), PARTS, strict=True)
            return f"{self.name(index.row())}: " + ", ".join(f"{count(int(number))} {part}" for number, part in held)
        return None


class _Row(QStyledItemDelegate):
    """A class's name, its bar to the scale of the largest class, its count."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(80, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, _Classes)
        painter.save()
        row = QRectF(option.rect)
        self._paint_ground(painter, option, row)
        held = model.held(index.row())
        inside = row.adjusted(S, 0, -S, 0)
        painter.setFont(numbers_font())
        metrics = painter.fontMetrics()
        number = metrics.horizontalAdvance(count(int(model.counts.sum())))
        painter.setPen(colour("quiet"))
        painter.drawText(inside, _RIGHT, count(int(held.sum())))
        painter.setPen(colour("text"))
        room = inside.width() - number - S
        name_width = min(model.longest_name(metrics), room * _NAME_PART) if index.row() else room
        name = metrics.elidedText(model.name(index.row()), Qt.TextElideMode.ElideRight, int(name_width))
        painter.drawText(inside, _LEFT, name)
        if index.row():
            bar = QRectF(inside.left() + name_width + S, row.center().y() - _BAR / 2, 0, _BAR)
            bar.setRight(inside.right() - number - S)
            self._paint_bar(painter, bar, held, max(int(model.counts.sum(axis=0).max()), 1))
        painter.restore()

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, row: QRectF) -> None:
        state = option.state
        chosen, hovered = state & QStyle.StateFlag.State_Selected, state & QStyle.StateFlag.State_MouseOver
        if chosen or hovered:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            if chosen and state & QStyle.StateFlag.State_HasFocus:
                painter.setPen(QPen(colour("accent"), 1))
            painter.setBrush(colour("raised" if chosen else "hover"))
            painter.drawRoundedRect(row.adjusted(0.5, 0.5, -0.5, -0.5), CORNER, CORNER)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_bar(self, painter: QPainter, bar: QRectF, held: Indices, most: int) -> None:
        left = bar.left()
        for part, number in zip(PARTS, held, strict=True):
            width = bar.width() * int(number) / most
            if number:
                paint_part(painter, QRectF(round(left), round(bar.top()), max(round(width) - 1, 1), bar.height()), part)
            left += width


class ClassBars(QListView):
    """
    `chosen` carries the label of the class that was clicked or moved to, None for all classes.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dataset.classes")
        self.setAccessibleName("Classes")
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self._silent = False
        self._model = _Classes(self)
        self._row = _Row(self)
        self.setModel(self._model)
        self.setItemDelegate(self._row)
        self.selectionModel().currentChanged.connect(self._moved)
        THEME.changed.connect(self.viewport().update)

    def show_counts(self, classes: Sequence[str], counts: npt.NDArray[np.int64]) -> None:
        """
        Args:
            classes: their names.
            counts: pictures of each class for training, validation and test, int64 (3, classes). The chosen class
                stays chosen where the names are the same.
        """
        kept = self.currentIndex().row() if tuple(classes) == self._model.classes else 0
        self._silent = True
        self._model.show(classes, counts)
        self.setCurrentIndex(self._model.index(max(kept, 0)))
        self._silent = False

    def choose(self, label: int | None) -> None:
        """Choose a class, or all of them."""
        self.setCurrentIndex(self._model.index(0 if label is None else label + 1))

    def _moved(self, current: QModelIndex) -> None:
        if current.isValid() and not self._silent:
            self.chosen.emit(current.row() - 1 if current.row() else None)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            said = self.indexAt(event.pos()).data(Qt.ItemDataRole.ToolTipRole)
            QToolTip.showText(event.globalPos(), f"<qt>{html.escape(said)}</qt>" if said else "", self.viewport())
            return True
        return super().viewportEvent(event)
