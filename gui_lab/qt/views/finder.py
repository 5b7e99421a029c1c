"""Choosing by typing: a line to search in and, below it, what fits, the likeliest first.

It lies over the page as a part of it rather than as a window of its own: no grab of mouse and keyboard, and nothing
that a window manager could put elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from gui_lab.qt.theme import XS, S, label, set_role
from gui_lab.qt.views.catalogue import Catalogue, Entry

_WIDTH = 360
_LEAST = 320  # pixels of height that a search needs


def found(entries: Sequence[Entry], text: str) -> list[Entry]:
    """The entries that have the text in their name, first those that begin with it, then those that only speak of
    it; in their order where nothing is asked for."""
    words = text.strip().casefold()
    if not words:
        return list(entries)
    ranked = [(_rank(entry, words), place, entry) for place, entry in enumerate(entries)]
    return [entry for rank, _, entry in sorted(ranked, key=lambda one: one[:2]) if rank < 3]


def _rank(entry: Entry, words: str) -> int:
    name = entry.name.casefold()
    if name.startswith(words):
        return 0
    return 1 if words in name else 2 if words in entry.summary.casefold() else 3


class Finder(QFrame):
    """
    `chosen` carries the name of the entry that was taken; the finder is closed by then.
    """

    chosen = Signal(str)

    def __init__(self, name: str, spoken: str, parent: QWidget) -> None:
        """
        Args:
            name: start of the objectNames: `name.search`, `name.list`.
            spoken: what is searched for.
            parent: what it lies over.
        """
        super().__init__(parent)
        self._page = parent
        self.setObjectName(f"{name}.finder")
        set_role(self, "panel")
        self._entries: tuple[Entry, ...] = ()
        self._shown: list[Entry] = []
        self.search = QLineEdit()
        self.search.setObjectName(f"{name}.search")
        self.search.setAccessibleName(spoken)
        self.search.setPlaceholderText("Type to search")
        self.search.installEventFilter(self)
        self.list = Catalogue(f"{name}.list", spoken)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.show_pictures({})
        self._nothing = label("Nothing of this name.", "quiet")
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setWidget(self.list)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(S, S, S, S)
        column.setSpacing(S)
        column.addWidget(self.search)
        column.addWidget(self._nothing)
        column.addWidget(self._area, 1)
        self.search.textChanged.connect(self._narrow)
        self.list.clicked.connect(self._clicked)
        self.hide()

    def open_below(self, widget: QWidget, entries: Sequence[Entry]) -> None:
        """Open under a widget, or over it where there is no room below, with nothing typed yet."""
        self._entries = tuple(entries)
        below = widget.mapTo(self._page, QPoint(0, widget.height() + XS))
        self.move(below.x(), min(below.y(), max(self._page.height() - _LEAST - S, 0)))
        self.search.clear()
        self._narrow("")
        self.show()
        self.raise_()
        self.search.setFocus()

    def show_pictures(self, pictures: dict[str, QImage]) -> None:
        """What each entry does, by its name."""
        self.list.show_pictures(pictures)

    def _narrow(self, text: str) -> None:
        self._shown = found(self._entries, text)
        if text.strip():  # the likeliest first, so headings would only be in the way
            self.list.show_entries([replace(entry, group=f"{len(self._shown)} found") for entry in self._shown])
        else:
            self.list.show_entries(self._shown)
        self._nothing.setVisible(not self._shown)
        self._area.setVisible(bool(self._shown))
        if self._shown:
            self.list.choose(self._shown[0].name)
            self._area.verticalScrollBar().setValue(0)

        tall = self.list.height() + self.search.sizeHint().height() + 3 * S + 2
        self.resize(_WIDTH, min(tall, self._page.height() - self.y() - S))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys typed into the search line that are meant for the list; leaving the line closes all of it."""
        if event.type() == QEvent.Type.FocusOut and isinstance(event, QFocusEvent):
            if event.reason() != Qt.FocusReason.ActiveWindowFocusReason:
                self.hide()
            return False
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            QApplication.sendEvent(self.list, event)
            where = self.list.visualRect(self.list.currentIndex()).center()
            self._area.ensureVisible(where.x(), where.y(), 0, 40)
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._clicked(self.list.currentIndex())
            return True
        if key == Qt.Key.Key_Escape:
            self.hide()
            return True
        return False

    def _clicked(self, index: QModelIndex) -> None:
        if index.isValid() and self._shown and index.flags() & Qt.ItemFlag.ItemIsSelectable:
            self.hide()
            self.chosen.emit(str(index.data()))
