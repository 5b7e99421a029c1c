"""The red card of a film strip: what stands in the place of the column that cannot be, with the repairs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from gui_lab.qt.theme import M, S, label, set_role
from gui_lab.qt.views.problem_lines import ProblemLines
from gui_lab.schema import Problem


class ProblemCard(QFrame):
    """
    `grew` says that it needs another height.
    """

    grew = Signal()

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.wanted = False
        set_role(self, "wrong")
        self._title = label("", "section", wrap=True, name=f"{name}.title")
        self.lines = ProblemLines(name)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(M, M, M, M)
        self._column.setSpacing(S)
        self._column.addWidget(self._title)
        self._column.addWidget(self.lines)
        self.hide()

    def show_problems(self, title: str, problems: Sequence[Problem]) -> None:
        self.wanted = bool(problems)
        self._title.setText(title)
        self._title.setVisible(bool(title))
        self.lines.show_problems(problems)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._column.activate()
            self.grew.emit()
        return super().event(event)
