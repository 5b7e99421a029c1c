"""What is wrong, where it is wrong: an icon, a sentence in its colour, and one button for each repair."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui_lab.qt.theme import ICON, THEME, XS, S, label, sign, with_icon
from gui_lab.schema import Problem


class ProblemLines(QWidget):
    """Lines for the problems of one place; takes no space while there are none."""

    repair_chosen = Signal(object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """
        Args:
            name: dotted path that objectNames start with: `name.problem`, `name.repair.0`.
        """
        super().__init__(parent)
        self._name = name
        self._shown: tuple[Problem, ...] = ()
        self._lines: list[_Line] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(XS)
        self.hide()

    def show_problems(self, problems: Sequence[Problem]) -> bool:
        """Show these; True if that took new widgets. A sentence whose numbers follow a slider keeps its own."""
        before, self._shown = self._shown, tuple(problems)
        if self._shown == before:
            return False
        if [_build(problem) for problem in before] == [_build(problem) for problem in self._shown]:
            for line, problem in zip(self._lines, self._shown, strict=True):
                line.say(problem)
            return False
        for line in self._lines:
            retire(line)
            self._layout.removeWidget(line)
        self._lines = [_Line(self._name, problem) for problem in self._shown]
        for line in self._lines:
            line.repair_chosen.connect(self.repair_chosen)
            self._layout.addWidget(line)
            line.show()
        self.setVisible(bool(self._lines))
        return bool(self._lines)

    def rename(self, name: str) -> None:
        """Stand at another place of the experiment; what was shown is gone."""
        self.show_problems(())
        self._name = name


def _build(problem: Problem) -> tuple[str, int]:
    return problem.severity, len(problem.repairs)


class _Line(QWidget):
    """One problem."""

    repair_chosen = Signal(object)

    def __init__(self, name: str, problem: Problem) -> None:
        super().__init__()
        self._sentence = label("", problem.severity, wrap=True, name=f"{name}.problem")
        self._buttons = [QPushButton() for _ in problem.repairs]
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(XS)
        top = QHBoxLayout()
        top.setSpacing(S)
        top.addWidget(_Sign(problem.severity), 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(self._sentence, 1)
        rows.addLayout(top)
        for number, button in enumerate(self._buttons):
            button.setObjectName(f"{name}.repair.{number}")
            with_icon(button, "wrench")
            button.clicked.connect(partial(self._choose, number))
            indented = QHBoxLayout()
            indented.setContentsMargins(ICON + S, 0, 0, 0)
            indented.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
            rows.addLayout(indented)
        self.say(problem)

    def say(self, problem: Problem) -> None:
        """Words of the same build."""
        self._problem = problem
        self._sentence.setText(problem.sentence)
        self._sentence.setAccessibleName(f"{problem.severity.capitalize()}: {problem.sentence}")
        for button, repair in zip(self._buttons, problem.repairs, strict=True):
            button.setText(repair.label)
            button.setAccessibleName(f"Repair: {repair.label}")

    def _choose(self, number: int) -> None:
        self.repair_chosen.emit(self._problem.repairs[number])


class _Sign(QLabel):
    """The icon of a severity; goes with the scheme."""

    def __init__(self, severity: str) -> None:
        super().__init__()
        self._severity = severity
        self._tint()
        THEME.changed.connect(self._tint)

    def _tint(self) -> None:
        names = {"error": "warning-circle", "warning": "warning"}
        self.setPixmap(sign(names[self._severity], self._severity, ICON, self.devicePixelRatioF()))


def retire(widget: QWidget) -> None:
    """Take a widget out of sight and out of reach by name; Qt deletes it once no event of it is under way."""
    widget.hide()
    for one in (widget, *widget.findChildren(QWidget)):
        one.setObjectName("")
    widget.deleteLater()
