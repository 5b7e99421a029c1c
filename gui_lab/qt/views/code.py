"""Python text to read and to take along: set in the system's fixed font, keywords and strings told apart, and a button
that copies all of it."""

from __future__ import annotations

import keyword
import re

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import (
    QFont,
    QFontDatabase,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextDocument,
)
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QToolButton

from gui_lab.qt.theme import BASE, THEME, S, colour, set_role, with_icon

_TOKENS = re.compile(
    rf"(?P<quiet>#.*)|(?P<best>\"[^\"]*\"|'[^']*')|(?P<accent>\b(?:{'|'.join(keyword.kwlist)})\b)"
    r"|(?P<validation>\b\d+(?:\.\d*)?(?:e[+-]?\d+)?\b)"
)
"""Each by the colour role in which it stands."""


class _Highlighter(QSyntaxHighlighter):
    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        THEME.changed.connect(self.rehighlight)

    def highlightBlock(self, text: str) -> None:
        for found in _TOKENS.finditer(text):
            assert found.lastgroup is not None
            look = QTextCharFormat()
            look.setForeground(colour(found.lastgroup))
            if found.lastgroup == "accent":
                look.setFontWeight(QFont.Weight.DemiBold)
            self.setFormat(found.start(), found.end() - found.start(), look)


class CodeView(QPlainTextEdit):
    """Python text that cannot be edited."""

    def __init__(self, name: str, spoken: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(spoken)
        set_role(self, "code")
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(BASE - 1)
        self.setFont(font)
        self._highlighter = _Highlighter(self.document())
        self.copy_button = QToolButton(self)
        self.copy_button.setObjectName(f"{name}.copy")
        self.copy_button.setAccessibleName("Copy the code")
        self.copy_button.setToolTip("Copy the code")
        with_icon(self.copy_button, "copy")
        self.copy_button.clicked.connect(lambda: QApplication.clipboard().setText(self.toPlainText()))

    def show_code(self, text: str) -> None:
        """Show it; where it is the same as before, what is selected and scrolled to stays."""
        if text != self.toPlainText():
            self.setPlainText(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room, button = self.viewport(), self.copy_button
        button.adjustSize()
        button.move(room.geometry().topRight() + QPoint(-button.width() - S, S))
