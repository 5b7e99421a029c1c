"""The column at the left of a page: what can be chosen, and below it the settings of what is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from gui_lab.qt.theme import XS, L, M

_WIDTH = 300


class Column(QFrame):
    """A list from edge to edge, the rest below it with margins; all of it scrolls together."""

    def __init__(self, name: str, chooser: QWidget, rest: Sequence[QWidget]) -> None:
        super().__init__()
        self.setProperty("role", "column")
        self.setFixedWidth(_WIDTH)
        below = QVBoxLayout()
        below.setContentsMargins(M, 0, M, 0)
        below.setSpacing(M)
        for widget in rest:
            below.addWidget(widget)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(XS, XS, XS, L)
        column.setSpacing(M)
        column.addWidget(chooser)
        column.addLayout(below)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName(name)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 1, 0)
        around.addWidget(scroll)


def hairline() -> QFrame:
    line = QFrame()
    line.setProperty("role", "line")
    return line


def tab_after(before: QWidget, form: QWidget) -> QWidget:
    """Have Tab go from `before` through the editors of a form, and say which is the last; to be called whenever they
    were made anew, for Qt puts what is made late behind everything else."""
    for widget in form.findChildren(QWidget):
        own = not widget.objectName().startswith("qt_") and widget.window() is form.window()  # no parts, no pop-ups
        if own and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            QWidget.setTabOrder(before, widget)
            before = widget
    return before
