"""The Concepts page: all ideas of the course and the lessons as cards, and behind each card the page to play with.

What a person has set on a page stays until the window is closed, so one can look something up and come back. A lesson
leads through the same pages: its panel stands above the story, and its values are set when a part begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui_lab import resources
from gui_lab.core import lessons
from gui_lab.core.concepts import CONCEPTS, Concept
from gui_lab.core.lessons import Lesson
from gui_lab.errors import LabError
from gui_lab.qt.concept_reader import ConceptReader
from gui_lab.qt.lesson_panel import LessonPanel
from gui_lab.qt.lesson_writer import LessonWriter
from gui_lab.qt.pages.page import Page
from gui_lab.qt.running import RunControl
from gui_lab.qt.session import Session
from gui_lab.qt.theme import THEME, XL, L, M, S, label, set_role, sign, with_icon

_SIGN = 28
_COLUMNS = 2
_WIDEST = 1080
LESSON_FILTER = "Lessons (*.lab);;All files (*)"


class _Card(QPushButton):
    """A sign, a name, and what one learns there."""

    def __init__(self, name: str, icon: str, title: str, line: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setAccessibleDescription(line)
        set_role(self, "card")
        self._icon = icon
        self._sign = QLabel()
        self._sign.setFixedSize(QSize(_SIGN, _SIGN))
        words = QGridLayout(self)
        words.setContentsMargins(L, M, L, M)
        words.setHorizontalSpacing(M)
        words.setVerticalSpacing(S // 2)
        words.addWidget(self._sign, 0, 0, 2, 1, Qt.AlignmentFlag.AlignTop)
        words.addWidget(label(title, "strong"), 0, 1)
        words.addWidget(label(line, "quiet", wrap=True), 1, 1, Qt.AlignmentFlag.AlignTop)
        words.setColumnStretch(1, 1)
        words.setRowStretch(1, 1)
        for part in self.findChildren(QLabel):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        THEME.changed.connect(self._tint)
        self._tint()

    def sizeHint(self) -> QSize:
        return QSize(320, 76)

    def _tint(self) -> None:
        self._sign.setPixmap(sign(self._icon, "accent", _SIGN, self.devicePixelRatioF()))


def ready_lessons() -> list[tuple[Path, Lesson]]:
    """Those that come with the lab, in the order of their file names."""
    return [(file, lessons.load(file)) for file in sorted(resources.path("lessons").glob(f"*{lessons.SUFFIX}"))]


class ConceptsPage(Page):
    """All concepts and lessons, or one of them."""

    name: ClassVar[str] = "Concepts"
    line: ClassVar[str] = "Every idea behind it, to open and play with"
    go = Signal(str)

    def __init__(self, session: Session, control: RunControl) -> None:
        super().__init__(session)
        self._values: dict[str, Concept] = {}
        self._writer: LessonWriter | None = None
        self.lesson = LessonPanel()
        self.lesson.part_wanted.connect(self._show_part)
        self.lesson.left.connect(self._leave_lesson)
        self.reader = ConceptReader(session, control)
        self.reader.put_above(self.lesson)
        self.reader.closed.connect(self.show_all)
        self.reader.shown.connect(self._check_tasks)
        self.reader.place_wanted.connect(self.go)
        self.stack = QStackedWidget()
        self.stack.addWidget(self._all())
        self.stack.addWidget(self.reader)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)

    # ---------------------------------------------------------------- the cards

    def _all(self) -> QScrollArea:
        chosen = sorted(CONCEPTS, key=lambda one: one.number)
        self.cards = {
            one.name_of(): _Card(f"concepts.{one.name_of()}", one.icon, one.title, one.line) for one in chosen
        }
        for name, card in self.cards.items():
            card.clicked.connect(lambda _=False, name=name: self.open(name))
        self.lesson_cards = []
        for file, lesson in ready_lessons():
            card = _Card(f"lessons.{file.stem}", "graduation-cap", lesson.title, lesson.about)
            card.clicked.connect(lambda _=False, lesson=lesson: self.begin(lesson))
            self.lesson_cards.append(card)
        head = QHBoxLayout()
        head.setSpacing(S)
        head.addWidget(label("Lessons", "section"), 1)
        head.addWidget(self._button("lessons.open", "Open a lesson", "folder-open", self._ask_open))
        head.addWidget(self._button("lessons.write", "Write a lesson", "pencil-simple", self.write_lesson))
        inside = QWidget()
        inside.setMaximumWidth(_WIDEST)
        index = QVBoxLayout(inside)
        index.setContentsMargins(XL, L, XL, XL)
        index.setSpacing(M)
        index.addWidget(label("Concepts", "section"))
        index.addLayout(_grid(list(self.cards.values())))
        index.addSpacing(M)
        index.addLayout(head)
        index.addLayout(_grid(self.lesson_cards))
        index.addStretch(1)
        around = QWidget()
        row = QHBoxLayout(around)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(inside, 100)
        row.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("concepts.all")
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(around)
        return scroll

    def _button(self, name: str, words: str, icon: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(words)
        button.setObjectName(name)
        button.setAccessibleName(words)
        with_icon(button, icon)
        button.clicked.connect(lambda: act())
        return button

    # ---------------------------------------------------------------- concepts

    def open(self, name: str) -> None:
        """Show a concept as it was left."""
        self._show(self._values.get(name) or CONCEPTS.make(name))

    def show_all(self) -> None:
        """Back to the cards; a lesson waits where it is."""
        self._keep()
        self.reader.pause()
        self.stack.setCurrentIndex(0)
        if self.reader.concept is not None:
            self.cards[self.reader.concept.name_of()].setFocus()

    def _show(self, concept: Concept) -> None:
        self._keep()
        self.stack.setCurrentWidget(self.reader)
        self.reader.open(concept)
        self.reader.stage.setFocus()

    def _keep(self) -> None:
        if self.reader.concept is not None:
            self._values[self.reader.concept.name_of()] = self.reader.concept

    # ---------------------------------------------------------------- lessons

    def begin(self, lesson: Lesson) -> None:
        """Begin a lesson with its first part."""
        self.lesson.begin(lesson)
        self.reader.tell_story(False)
        self._show_part(0)

    def _show_part(self, number: int) -> None:
        assert self.lesson.lesson is not None
        self.lesson.show_part(number)
        self._show(self.lesson.lesson.parts[number].concept)

    def _check_tasks(self) -> None:
        if self.lesson.lesson is not None and self.reader.scene is not None:
            part = self.lesson.lesson.parts[self.lesson.number]
            if type(self.reader.concept) is type(part.concept):
                self.lesson.show_facts(self.reader.scene.facts)

    def _leave_lesson(self) -> None:
        self.lesson.end()
        self.reader.tell_story(True)
        self.show_all()

    def _ask_open(self) -> None:
        dialog = QFileDialog(self, "Open a lesson", str(Path.home()), LESSON_FILTER)
        dialog.setObjectName("lessons.open_dialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self._open_lesson(Path(name)))
        dialog.open()

    def _open_lesson(self, path: Path) -> None:
        try:
            self.begin(lessons.load(path))
        except LabError as error:
            self.session.erred.emit(error)

    def write_lesson(self) -> None:
        """Open the sheet on which a lesson is put together from pages as they are."""
        if self._writer is None:
            self._writer = LessonWriter(self.reader, self.window())
            self._writer.try_wanted.connect(self.begin)
            self._writer.erred.connect(self.session.erred)
        self._writer.show()
        self._writer.raise_()

    def close_down(self) -> None:
        self.reader.close_down()
        if self._writer is not None:
            self._writer.close()


def _grid(cards: Sequence[QWidget]) -> QGridLayout:
    grid = QGridLayout()
    grid.setSpacing(M)
    for number, card in enumerate(cards):
        grid.addWidget(card, number // _COLUMNS, number % _COLUMNS)
    for column in range(_COLUMNS):
        grid.setColumnStretch(column, 1)
    return grid
