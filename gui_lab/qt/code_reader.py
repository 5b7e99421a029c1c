"""Where a person reads code that came with an experiment, and decides about it.

It never blocks, and it decides nothing by itself: only the button that says what it does trusts, for exactly the text
that is shown. Reading takes longer than pressing, so the button that trusts is not the one that Enter presses.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from gui_lab.core.trust import NOT_CAGED, Code
from gui_lab.qt.theme import L, M, S, label

_SIZE = QSize(720, 520)


class CodeReader(QObject):
    """
    `trusted` carries the code that a person said yes to.
    """

    trusted = Signal(object)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._dialog: QDialog | None = None

    def show_code(self, code: Code) -> None:
        """Open the dialog on this code; an open one is replaced."""
        self.close()
        dialog = self._dialog = QDialog(self._window)
        dialog.setObjectName("code")
        dialog.setWindowTitle(f"Code of {code.title}")
        dialog.resize(_SIZE)
        column = QVBoxLayout(dialog)
        column.setContentsMargins(L, L, L, L)
        column.setSpacing(M)
        where = f"It lies in {code.path}" if code.path else "It stands in the experiment itself"
        column.addWidget(label(f"{code.title} brings code of its own", "section", name="code.title"))
        column.addWidget(label(f"{where}, and has not been run.", "quiet", wrap=True, name="code.place"))
        column.addWidget(_text(code), 1)
        column.addWidget(label(NOT_CAGED, "body", wrap=True, name="code.warning"))
        column.addLayout(self._buttons(dialog, code))
        dialog.finished.connect(self.close)
        dialog.open()

    def _buttons(self, dialog: QDialog, code: Code) -> QHBoxLayout:
        trusting, leaving = QPushButton("Trust and run"), QPushButton("Not now")
        trusting.setObjectName("code.trust")
        trusting.setAutoDefault(False)
        leaving.setObjectName("code.leave")
        leaving.setDefault(True)
        trusting.clicked.connect(lambda: self._say_yes(code))
        leaving.clicked.connect(dialog.reject)
        row = QHBoxLayout()
        row.setSpacing(S)
        row.addStretch(1)
        row.addWidget(trusting)
        row.addWidget(leaving)
        leaving.setFocus()
        return row

    def _say_yes(self, code: Code) -> None:
        self.close()
        self.trusted.emit(code)

    def close(self) -> None:
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.close()
            dialog.deleteLater()


def _text(code: Code) -> QPlainTextEdit:
    text = QPlainTextEdit(code.text)
    text.setObjectName("code.text")
    text.setAccessibleName(f"The code of {code.title}")
    text.setReadOnly(True)
    text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    return text
