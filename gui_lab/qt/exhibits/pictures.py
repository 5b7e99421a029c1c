"""To be written: the view of `Pictures`."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from gui_lab.core.exhibits import Pictures
from gui_lab.qt.exhibits.view import ExhibitView


class PicturesView(ExhibitView):
    exhibit: Pictures

    def __init__(self, name: str) -> None:
        self.words = QLabel()
        self.words.setWordWrap(True)
        super().__init__(name, self.words)

    def show_body(self) -> None:
        self.words.setText(str(self.exhibit)[:600])
