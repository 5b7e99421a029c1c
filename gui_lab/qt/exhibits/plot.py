"""To be written: the view of `Plot`."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from gui_lab.core.exhibits import Plot
from gui_lab.qt.exhibits.view import ExhibitView


class PlotView(ExhibitView):
    exhibit: Plot

    def __init__(self, name: str) -> None:
        self.words = QLabel()
        self.words.setWordWrap(True)
        super().__init__(name, self.words)

    def show_body(self) -> None:
        self.words.setText(str(self.exhibit)[:600])
