"""To be written: the view of `Question`."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from gui_lab.core.exhibits import Question
from gui_lab.qt.exhibits.view import ExhibitView


class QuestionView(ExhibitView):
    exhibit: Question

    def __init__(self, name: str) -> None:
        self.words = QLabel()
        self.words.setWordWrap(True)
        super().__init__(name, self.words)

    def show_body(self) -> None:
        self.words.setText(str(self.exhibit)[:600])
