"""To be written: the view of `Conveyor`."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from gui_lab.core.exhibits import Conveyor
from gui_lab.qt.exhibits.view import ExhibitView


class ConveyorView(ExhibitView):
    exhibit: Conveyor

    def __init__(self, name: str) -> None:
        self.words = QLabel()
        self.words.setWordWrap(True)
        super().__init__(name, self.words)

    def show_body(self) -> None:
        self.words.setText(str(self.exhibit)[:600])
