"""A lesson beside its page: what to read, what to do, and what is done already.

The lab looks at the facts of the page after each change. Tasks are done one after the other, since a later one often
means "and now back again"; what was once done stays ticked, so a person may play on.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from gui_lab.core.concepts import Value
from gui_lab.core.lessons import Lesson, Task
from gui_lab.qt.theme import THEME, XS, M, S, label, set_role, sign, with_icon
from gui_lab.qt.views.problem_lines import retire

_SIGN = 16


class _TaskLine(QWidget):
    """A task: an empty circle before it, or a tick."""

    def __init__(self, number: int, task: Task) -> None:
        super().__init__()
        self.task = task
        self.done = False
        self._sign = QLabel()
        self._sign.setFixedSize(QSize(_SIGN, _SIGN))
        self.words = label(task.text, "body", wrap=True, name=f"lesson.task.{number}")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(S)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)
        THEME.changed.connect(self._tint)
        self._tint()

    def tick(self) -> None:
        if not self.done:
            self.done = True
            self._tint()

    def _tint(self) -> None:
        name, role = ("check-circle", "best") if self.done else ("circle", "quiet")
        self._sign.setPixmap(sign(name, role, _SIGN, self.devicePixelRatioF()))
        self.words.setAccessibleName(f"{'Done' if self.done else 'To do'}: {self.task.text}")


class LessonPanel(QFrame):
    """
    `part_wanted` carries the number of the part that a person wants to see; `left` says that they leave the lesson.
    """

    part_wanted = Signal(int)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("lesson")
        self.setProperty("role", "lesson")
        self.lesson: Lesson | None = None
        self.number = 0
        self._done: set[tuple[int, int]] = set()
        self._lines: list[_TaskLine] = []
        self.title = label("", "strong", wrap=True, name="lesson.title")
        self.where = label("", "caption", name="lesson.where")
        self.text = label("", "body", wrap=True, name="lesson.text")
        self._tasks = QVBoxLayout()
        self._tasks.setSpacing(S)
        self.leave = QToolButton()
        self.leave.setObjectName("lesson.leave")
        self.leave.setAccessibleName("Leave the lesson")
        self.leave.setToolTip("Leave the lesson")
        set_role(self.leave, "mini")
        with_icon(self.leave, "x", "quiet")
        self.leave.clicked.connect(self.left)
        self.back, self.on = QPushButton("Back"), QPushButton("Next")
        for button, name, way in ((self.back, "back", -1), (self.on, "next", 1)):
            button.setObjectName(f"lesson.{name}")
            button.setAccessibleName(f"{button.text()} part of the lesson")
            button.clicked.connect(lambda _=False, way=way: self._step(way))
        self._arrange()
        self.hide()

    def _arrange(self) -> None:
        head, feet = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.leave, 0, Qt.AlignmentFlag.AlignTop)
        feet.setSpacing(S)
        feet.addWidget(self.where, 1)
        feet.addWidget(self.back)
        feet.addWidget(self.on)
        column = QVBoxLayout(self)
        column.setContentsMargins(M, M, M, M)
        column.setSpacing(S)
        column.addLayout(head)
        column.addWidget(self.text)
        column.addLayout(self._tasks)
        column.addSpacing(XS)
        column.addLayout(feet)

    def begin(self, lesson: Lesson) -> None:
        """Show the first part of a lesson, nothing done yet."""
        self.lesson = lesson
        self._done.clear()
        self.show_part(0)
        self.show()

    def end(self) -> None:
        self.lesson = None
        self.hide()

    def show_part(self, number: int) -> None:
        assert self.lesson is not None
        self.number = number
        part, parts = self.lesson.parts[number], self.lesson.parts
        self.title.setText(self.lesson.title)
        self.text.setText(part.text)
        self.text.setVisible(bool(part.text))
        for line in self._lines:
            self._tasks.removeWidget(line)
            retire(line)
        self._lines = [_TaskLine(place, task) for place, task in enumerate(part.tasks)]
        for place, line in enumerate(self._lines):
            self._tasks.addWidget(line)
            if (number, place) in self._done:
                line.tick()
        self.where.setText(f"Part {number + 1} of {len(parts)}")
        self.back.setVisible(len(parts) > 1)
        self.back.setEnabled(number > 0)
        self._dress_next()

    def show_facts(self, facts: Mapping[str, Value]) -> None:
        """Tick what these facts fulfil, one task after the other: a later one waits for those before it."""
        for place, line in enumerate(self._lines):
            if not line.done and not line.task.done(facts):
                break
            self._done.add((self.number, place))
            line.tick()
        self._dress_next()

    def done(self) -> list[bool]:
        """Of each task of this part, whether it is done."""
        return [line.done for line in self._lines]

    @property
    def part_done(self) -> bool:
        """Whether every task of this part is done."""
        return all(self.done())

    def _dress_next(self) -> None:
        """The way on is always open; it is offered warmly when the tasks are done."""
        assert self.lesson is not None
        last = self.number == len(self.lesson.parts) - 1
        self.on.setText("Finish" if last else "Next")
        set_role(self.on, "primary" if self.part_done else "")

    def _step(self, way: int) -> None:
        assert self.lesson is not None
        if self.number + way >= len(self.lesson.parts):
            self.left.emit()
        else:
            self.part_wanted.emit(self.number + way)
