"""The two questions that closing may ask. They never block: a button says what is wanted by a signal."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMessageBox, QWidget


class Questions(QObject):
    """
    `stop_and_quit` answers the first, `save_and_quit` and `quit_unsaved` the second; anything else means to stay.
    """

    stop_and_quit = Signal()
    save_and_quit = Signal()
    quit_unsaved = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._box: QMessageBox | None = None

    def about_the_run(self) -> None:
        """Closing while a network trains."""
        box = self._ask("A network is training.", "It can be stopped now; the weights so far are kept in its folder.")
        self._button(box, "Stop and quit", "stop_and_quit", QMessageBox.ButtonRole.AcceptRole, self.stop_and_quit)
        self._stay(box, "Keep training", "keep_training")
        box.open()

    def about_edits(self, name: str) -> None:
        """Closing while the file has changes."""
        box = self._ask(f"{name} has changes that are not saved.", "Save them before quitting?")
        self._button(box, "Save", "save", QMessageBox.ButtonRole.AcceptRole, self.save_and_quit)
        leave = QMessageBox.ButtonRole.DestructiveRole
        self._button(box, "Quit without saving", "quit", leave, self.quit_unsaved)
        self._stay(box, "Cancel", "cancel")
        box.open()

    def _button(self, box: QMessageBox, text: str, name: str, role: QMessageBox.ButtonRole, answer: object) -> None:
        button = box.addButton(text, role)
        button.setObjectName(f"question.{name}")
        button.clicked.connect(answer)

    def _stay(self, box: QMessageBox, text: str, name: str) -> None:
        button = box.addButton(text, QMessageBox.ButtonRole.RejectRole)
        button.setObjectName(f"question.{name}")
        box.setDefaultButton(button)
        box.setEscapeButton(button)

    def _ask(self, text: str, more: str) -> QMessageBox:
        if self._box is not None:
            self._box.deleteLater()
        box = self._box = QMessageBox(self._window)
        box.setObjectName("question")
        box.setWindowTitle("GUI Lab")
        box.setText(text)
        box.setInformativeText(more)
        return box
