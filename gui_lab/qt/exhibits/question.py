"""The view of `Question`: the question, a number to type or answers to choose among, and at once whether it is so."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QRegularExpression, QSize, Qt
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from gui_lab.core.exhibits import Question
from gui_lab.qt.exhibits.view import ExhibitView
from gui_lab.qt.theme import ICON, THEME, XS, S, label, numbers_font, set_role, sign
from gui_lab.qt.views.problem_lines import retire

_NUMBER = QRegularExpression(r"[-+]?[0-9][0-9, ]{0,14}")
_SIGNS = {"right": ("check-circle", "best", "Right"), "wrong": ("x-circle", "error", "Not yet")}
_NUMBER_WIDTH = 110
_IN_A_ROW = 3
_SHORT = 24  # characters: answers up to this length stand beside each other


class QuestionView(ExhibitView):
    exhibit: Question

    def __init__(self, name: str) -> None:
        self.text = label("", "body", wrap=True)
        self.number = QLineEdit()
        self.check = QPushButton("Check")
        self.verdict = _Verdict()
        self.choices: dict[str, QPushButton] = {}
        self._offered: tuple[tuple[str, str], ...] = ()
        self._asked: Question | None = None
        body = QWidget()
        super().__init__(name, body)
        self.text.setObjectName(f"{name}.text")
        self._dress_number(name)
        self._choices_room = QWidget()
        self._grid = QGridLayout(self._choices_room)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(S)
        self._line = QWidget()
        line = QHBoxLayout(self._line)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(S)
        line.addWidget(self.number)
        line.addWidget(self.check)
        line.addStretch(1)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S)
        for part in (self.text, self._line, self._choices_room, self.verdict):
            column.addWidget(part)
        column.addStretch(1)

    def _dress_number(self, name: str) -> None:
        self.number.setObjectName(f"{name}.number")
        self.number.setFont(numbers_font())
        self.number.setFixedWidth(_NUMBER_WIDTH)
        self.number.setValidator(QRegularExpressionValidator(_NUMBER, self.number))
        self.number.returnPressed.connect(self._answer)
        self.number.textChanged.connect(lambda _: self.check.setEnabled(self._typed() is not None))
        self.check.setObjectName(f"{name}.check")
        self.check.setAccessibleName("Check the answer")
        self.check.setEnabled(False)
        self.check.clicked.connect(self._answer)
        self.verdict.words.setObjectName(f"{name}.verdict")

    def show_body(self) -> None:
        before, self._asked = self._asked, self.exhibit
        question = self.exhibit
        if before == question:
            return
        self.text.setText(question.text)
        self.number.setAccessibleName(question.text)
        self._line.setVisible(not question.choices)
        self._choices_room.setVisible(bool(question.choices))
        if tuple(question.choices.items()) != self._offered:
            self._offer(question)
        answered = question.answer not in (None, "")
        if before is None or before.text != question.text or before.answer != question.answer:
            self.number.setText(f"{question.answer}" if answered else "")
        for value, button in self.choices.items():
            button.setChecked(answered and value == question.answer)
        self.verdict.show_verdict(question.verdict, question.remark)

    def _offer(self, question: Question) -> None:
        """A button for each answer; short ones beside each other."""
        for button in self.choices.values():
            self._grid.removeWidget(button)
            retire(button)
        self.choices = {}
        self._offered = tuple(question.choices.items())
        columns = _IN_A_ROW if all(len(words) <= _SHORT for words in question.choices.values()) else 1
        for place, (value, words) in enumerate(question.choices.items()):
            button = QPushButton(words)
            button.setObjectName(f"{self.objectName()}.choice.{value}")
            button.setAccessibleName(words)
            button.setCheckable(True)
            set_role(button, "choice")
            button.clicked.connect(partial(self._choose, value))
            self._grid.addWidget(button, place // columns, place % columns)
            self.choices[value] = button

    def _typed(self) -> int | None:
        """The number in the field; commas and spaces separate thousands."""
        digits = self.number.text().replace(",", "").replace(" ", "")
        return int(digits) if digits.lstrip("+-").isdecimal() else None

    def _answer(self) -> None:
        typed = self._typed()
        if typed is not None:
            self.edited.emit({self.exhibit.sets: typed})

    def _choose(self, value: str) -> None:
        self.choices[value].setChecked(value == self.exhibit.answer)  # what is chosen is told by the next exhibit
        self.edited.emit({self.exhibit.sets: value})


class _Verdict(QWidget):
    """A tick or a cross, a word, and why."""

    def __init__(self) -> None:
        super().__init__()
        self._verdict = ""
        self._sign = QLabel()
        self._sign.setFixedSize(QSize(ICON, ICON))
        self.words = label("", "body", wrap=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(XS + 2)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(False)
        self.setSizePolicy(policy)
        self.hide()
        THEME.changed.connect(self._tint)

    def show_verdict(self, verdict: str, remark: str) -> None:
        self._verdict = verdict
        self.setVisible(verdict in _SIGNS)
        if verdict in _SIGNS:
            word = _SIGNS[verdict][2]
            self.words.setText(f"{word}. {remark}" if remark else f"{word}.")
            self._tint()

    def _tint(self) -> None:
        if self._verdict in _SIGNS:
            name, role, _ = _SIGNS[self._verdict]
            self._sign.setPixmap(sign(name, role, ICON, self.devicePixelRatioF()))
