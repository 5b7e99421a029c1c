"""A list to choose one entry of a family from: headings, names, and for each a sentence that says what it is.

It is as tall as its entries, so that the column it stands in scrolls as one; headings cannot be chosen and the keyboard
passes over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QImage, QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from gui_lab.qt.pictures import scaled
from gui_lab.qt.theme import BASE, CAPTION, CORNER, THEME, XS, L, M, S, colour, numbers_font

_HEADING = 28
_NAME = 18
_MOST_LINES = 2
_PICTURE = 48
_WRAPPED = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Entry:
    """What can be chosen. `note` is a word or two at the right of its name."""

    name: str
    summary: str
    group: str
    note: str = ""


class _Entries(QAbstractListModel):
    """Rows are headings (str) and entries."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: list[str | Entry] = []

    def show(self, entries: Sequence[Entry]) -> None:
        self.beginResetModel()
        self.rows = []
        for group in dict.fromkeys(entry.group for entry in entries):
            self.rows += [group, *(entry for entry in entries if entry.group == group)]
        self.endResetModel()

    def row_of(self, name: str) -> int:
        return next(i for i, row in enumerate(self.rows) if isinstance(row, Entry) and row.name == name)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if index.isValid() and isinstance(self.rows[index.row()], Entry):
            return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return Qt.ItemFlag.NoItemFlags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name if isinstance(row, Entry) else row
        if role == Qt.ItemDataRole.AccessibleDescriptionRole and isinstance(row, Entry):
            return row.summary
        return None


class _Row(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        view = self.parent()
        assert isinstance(view, QListView)
        row = index.model().rows[index.row()]  # type: ignore[attr-defined]  # the model above
        width = view.viewport().width()
        if isinstance(row, str):
            return QSize(width, _HEADING)
        beside = _PICTURE + M if view.pictures is not None else 0  # type: ignore[attr-defined]  # the list below
        words = _NAME + _summary_height(row.summary, width - 2 * M - beside)
        return QSize(width, S + max(words, _PICTURE if beside else 0) + S)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.model().rows[index.row()]  # type: ignore[attr-defined]  # our own model
        painter.save()
        if isinstance(row, str):
            painter.setFont(_caption(QFont.Weight.DemiBold))
            painter.setPen(colour("quiet"))
            painter.drawText(option.rect.adjusted(M, 0, -M, -XS), int(Qt.AlignmentFlag.AlignBottom), row)
        else:
            self._paint_ground(painter, option)
            self._paint_entry(painter, row, self._paint_picture(painter, row, option.rect.adjusted(M, S, -M, -S)))
        painter.restore()

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        chosen = option.state & QStyle.StateFlag.State_Selected
        if not chosen and not option.state & QStyle.StateFlag.State_MouseOver:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focused = chosen and option.state & QStyle.StateFlag.State_HasFocus
        painter.setPen(QPen(colour("accent"), 1) if focused else Qt.PenStyle.NoPen)
        painter.setBrush(colour("raised" if chosen else "hover"))
        place = option.rect.toRectF().adjusted(0.5, 1.5, -0.5, -1.5)
        painter.drawRoundedRect(place, CORNER, CORNER)
        if chosen:  # a mark beside the tint: no state by colour alone
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour("accent"))
            painter.drawRoundedRect(QRectF(place.left() + XS - 1, place.center().y() - L / 2, 3, L), 1.5, 1.5)

    def _paint_picture(self, painter: QPainter, entry: Entry, inside: QRect) -> QRect:
        """The picture at the left, where the list has pictures; returns the room beside it."""
        view = self.parent()
        pictures = view.pictures if isinstance(view, Catalogue) else None
        if pictures is None:
            return inside
        if entry.name in pictures:
            image = scaled(pictures[entry.name], _PICTURE)
            painter.drawImage(inside.left(), inside.top() + (_PICTURE - image.height()) // 2, image)
        return inside.adjusted(_PICTURE + M, 0, 0, 0)

    def _paint_entry(self, painter: QPainter, entry: Entry, inside: QRect) -> None:
        name = QFont(numbers_font(BASE))
        name.setWeight(QFont.Weight.DemiBold)
        painter.setFont(name)
        painter.setPen(colour("text"))
        line = QRect(inside.left(), inside.top(), inside.width(), _NAME)
        painter.drawText(line, _LEFT, entry.name)
        painter.setFont(_caption())
        painter.setPen(colour("quiet"))
        painter.drawText(line, _RIGHT, entry.note)
        painter.drawText(inside.adjusted(0, _NAME, 0, 0), _WRAPPED, _shortened(entry.summary, inside.width()))


class Catalogue(QListView):
    """
    `chosen` carries the name of the entry that a person went to.
    """

    chosen = Signal(str)

    def __init__(self, name: str, spoken: str, parent: QWidget | None = None) -> None:
        """
        Args:
            name: objectName.
            spoken: accessible name.
        """
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(spoken)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self.pictures: dict[str, QImage] | None = None
        self._silent = False
        self._model = _Entries(self)
        self._row = _Row(self)
        self.setModel(self._model)
        self.setItemDelegate(self._row)
        self.selectionModel().currentChanged.connect(self._moved)
        THEME.changed.connect(self.viewport().update)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Entries in their order, each group under its heading."""
        self._silent = True
        self._model.show(entries)
        self._silent = False
        self._fit()

    def show_pictures(self, pictures: dict[str, QImage]) -> None:
        """Pictures by the names of entries, at their left; the room is kept as soon as there is a dictionary."""
        fits = self.pictures is not None
        self.pictures = pictures
        if fits:
            self.viewport().update()
        else:
            self._fit()

    def choose(self, name: str) -> None:
        """Mark an entry as the chosen one, silently."""
        self._silent = True
        self.setCurrentIndex(self._model.index(self._model.row_of(name)))
        self._silent = False

    def rectangle_of(self, name: str) -> QRect:
        """Where an entry lies in the viewport."""
        return self.visualRect(self._model.index(self._model.row_of(name)))

    def _moved(self, current: QModelIndex) -> None:
        if current.isValid() and not self._silent:
            self.chosen.emit(str(current.data()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down pass over headings."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if steps is None:
            super().keyPressEvent(event)
            return
        row = self.currentIndex().row() + steps
        while 0 <= row < len(self._model.rows) and isinstance(self._model.rows[row], str):
            row += steps
        if 0 <= row < len(self._model.rows):
            self.setCurrentIndex(self._model.index(row))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._fit()

    def _fit(self) -> None:
        """As tall as the entries at the present width."""
        self.scheduleDelayedItemsLayout()
        height = sum(self.sizeHintForIndex(self._model.index(row)).height() for row in range(len(self._model.rows)))
        self.setFixedHeight(height)


def _caption(weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    font = QFont(numbers_font(CAPTION))
    font.setWeight(weight)
    return font


def _summary_height(summary: str, width: int) -> int:
    metrics = QFontMetrics(_caption())
    return metrics.boundingRect(QRect(0, 0, width, 1000), _WRAPPED, _shortened(summary, width)).height()


def _shortened(summary: str, width: int) -> str:
    """The summary, cut after a word where it needs more than two lines."""
    metrics = QFontMetrics(_caption())
    most = _MOST_LINES * metrics.lineSpacing()
    spoken, words = summary, summary.split()
    while len(words) > 1 and metrics.boundingRect(QRect(0, 0, width, 1000), _WRAPPED, spoken).height() > most:
        words.pop()
        spoken = " ".join(words) + " …"
    return spoken
