"""A few alternatives side by side, of which one is in force; the arrow keys go from one to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

from gui_lab.qt.theme import XS, set_role


class Segments(QWidget):
    """
    `chosen` carries the key of the alternative that a person chose.
    """

    chosen = Signal(str)

    def __init__(self, name: str, alternatives: Mapping[str, str], parent: QWidget | None = None) -> None:
        """
        Args:
            name: start of the objectNames: `name.key`.
            alternatives: words by key; the first is in force.
        """
        super().__init__(parent)
        self.setObjectName(name)
        self._keys = tuple(alternatives)
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(XS)
        for place, (key, word) in enumerate(alternatives.items()):
            button = QToolButton()
            button.setObjectName(f"{name}.{key}")
            button.setAccessibleName(word)
            button.setText(word)
            button.setCheckable(True)
            button.setChecked(place == 0)
            set_role(button, "segment")
            self._group.addButton(button, place)
            row.addWidget(button)
        self._group.idClicked.connect(lambda place: self.chosen.emit(self._keys[place]))

    @property
    def key(self) -> str:
        """Of the alternative in force."""
        return self._keys[self._group.checkedId()]

    def choose(self, key: str) -> None:
        """Put an alternative in force, silently."""
        self._group.button(self._keys.index(key)).setChecked(True)

    def offer(self, keys: Sequence[str]) -> None:
        """Only these can be chosen now."""
        for key, button in zip(self._keys, self._group.buttons(), strict=True):
            button.setEnabled(key in keys)
