"""One task of a lesson being written: a sentence, a fact of the page, and what it must be."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QToolButton, QVBoxLayout, QWidget

from gui_lab.core.concepts import Value
from gui_lab.core.lessons import Task
from gui_lab.errors import InvalidExperiment
from gui_lab.qt.theme import XS, S, label, set_role, with_icon
from gui_lab.schema import parse

_RELATIONS = {"is": "equals", "is at least": "at_least", "is at most": "at_most"}


class TaskEditor(QWidget):
    """
    `removed` says that the task is not wanted any more.
    """

    removed = Signal()

    def __init__(self, number: int, facts: Mapping[str, Value]) -> None:
        """
        Args:
            number: in the objectNames: `writer.task.0.text`.
            facts: of the page in front; they are offered with their values.
        """
        super().__init__()
        self._facts = facts
        self.text, self.value = QLineEdit(), QLineEdit()
        self.text.setPlaceholderText("What to do, in a sentence")
        self.fact, self.relation = QComboBox(), QComboBox()
        self.fact.setEditable(True)
        self.fact.addItems(list(facts))
        self.relation.addItems(list(_RELATIONS))
        self.remove = QToolButton()
        set_role(self.remove, "mini")
        with_icon(self.remove, "x", "quiet")
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        spoken = {"text": "What to do", "fact": "Fact", "relation": "Relation", "value": "Value", "remove": "Remove"}
        for name, words in spoken.items():
            part: QWidget = getattr(self, name)
            part.setObjectName(f"writer.task.{number}.{name}")
            part.setAccessibleName(f"{words} of task {number + 1}")
        self.fact.currentTextChanged.connect(self._offer_value)
        for line in (self.text, self.value):
            line.editingFinished.connect(self.task)
        self.remove.clicked.connect(self.removed)
        self._arrange()

    def _arrange(self) -> None:
        upper, lower = QHBoxLayout(), QHBoxLayout()
        for row in (upper, lower):
            row.setSpacing(S)
        upper.addWidget(self.text, 1)
        upper.addWidget(self.remove)
        lower.addWidget(self.fact, 3)
        lower.addWidget(self.relation, 2)
        lower.addWidget(self.value, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(XS)
        column.addLayout(upper)
        column.addLayout(lower)
        column.addWidget(self.problem)

    def offer(self) -> None:
        """Begin with the first fact, as it is now."""
        self._offer_value(self.fact.currentText())
        self.text.setFocus()

    def show_task(self, task: Task) -> None:
        relation = next(words for words, field in _RELATIONS.items() if getattr(task, field) is not None)
        self.text.setText(task.text)
        self.fact.setCurrentText(task.fact)
        self.relation.setCurrentText(relation)
        self.value.setText(_written(getattr(task, _RELATIONS[relation])))

    def task(self) -> Task | None:
        """As it is written; None, with a sentence under it, where it does not fit yet."""
        field = _RELATIONS[self.relation.currentText()]
        values = {"text": self.text.text().strip(), "fact": self.fact.currentText().strip(), field: self._value()}
        try:
            made = parse(Task, values)
        except InvalidExperiment as invalid:
            self.problem.setText(invalid.problems[0].sentence)
            self.problem.show()
            return None
        self.problem.hide()
        return made

    def _value(self) -> Value:
        words = self.value.text().strip()
        if words in ("yes", "no"):
            return words == "yes"
        try:
            return float(words.replace(",", ""))
        except ValueError:
            return words

    def _offer_value(self, fact: str) -> None:
        if fact in self._facts:
            self.value.setText(_written(self._facts[fact]))


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.6g}"
