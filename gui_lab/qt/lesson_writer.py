"""The sheet on which a teacher puts a lesson together: pages as they stand in the lab, with a text and tasks.

It stays open beside the lab. *Add this page* takes the concept in front with the values it has; a task is a sentence
and a fact of that page, offered with the number it has just now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gui_lab.core import lessons
from gui_lab.core.lessons import Lesson, Part
from gui_lab.errors import LabError
from gui_lab.qt.concept_reader import ConceptReader
from gui_lab.qt.task_editor import TaskEditor
from gui_lab.qt.theme import L, M, S, label, set_role, with_icon
from gui_lab.qt.views.problem_lines import retire

_SIZE = QSize(760, 560)
_FILTER = "Lessons (*.lab)"


class LessonWriter(QDialog):
    """
    Attributes:
        parts: of the lesson as far as it is written.

    `try_wanted` carries the lesson that is to begin, `erred` an expected error.
    """

    try_wanted = Signal(object)
    erred = Signal(object)

    def __init__(self, reader: ConceptReader, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("writer")
        self.setWindowTitle("Write a lesson")
        self.resize(_SIZE)
        self.setModal(False)
        self._reader = reader
        self.parts: list[Part] = []
        self._editors: list[TaskEditor] = []
        self._row = -1
        columns = QHBoxLayout()
        columns.setSpacing(L)
        columns.addLayout(self._left(), 2)
        columns.addLayout(self._right(), 3)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(L, L, L, L)
        whole.setSpacing(M)
        whole.addLayout(columns, 1)
        whole.addLayout(self._foot())
        reader.shown.connect(self._page_changed)
        self._page_changed()
        self._show_part()

    # ---------------------------------------------------------------- building

    def _left(self) -> QVBoxLayout:
        self.title, self.about = self._line("title", "Title"), self._line("about", "What one learns")
        self.title.textEdited.connect(self._dress)
        self.list = QListWidget()
        self.list.setObjectName("writer.parts")
        self.list.setAccessibleName("Parts of the lesson")
        self.list.currentRowChanged.connect(self._choose)
        self.add = self._button("add", "Add this page", "plus", self._add)
        self.take = self._button("take", "Take its values again", "arrows-clockwise", self._take_again)
        self.remove = self._button("remove", "Remove", "trash", self._remove)
        fields = QFormLayout()
        fields.addRow("Title", self.title)
        fields.addRow("About", self.about)
        column = QVBoxLayout()
        column.setSpacing(S)
        column.addLayout(fields)
        column.addWidget(self.list, 1)
        for button in (self.add, self.take, self.remove):
            column.addWidget(button)
        return column

    def _right(self) -> QVBoxLayout:
        self.text = QPlainTextEdit()
        self.text.setObjectName("writer.text")
        self.text.setAccessibleName("What to read in this part")
        self.text.setPlaceholderText("What to read beside the page")
        self.text.setTabChangesFocus(True)
        self._tasks = QVBoxLayout()
        self._tasks.setSpacing(S)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, S, 0)
        column.addLayout(self._tasks)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("writer.tasks")
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        self.add_task = self._button("add_task", "Add a task", "check-circle", self._add_task)
        right = QVBoxLayout()
        right.setSpacing(S)
        right.addWidget(label("Text", "strong"))
        right.addWidget(self.text, 2)
        right.addWidget(label("Tasks", "strong"))
        right.addWidget(scroll, 3)
        right.addWidget(self.add_task)
        return right

    def _foot(self) -> QHBoxLayout:
        self.hint = label("", "quiet", wrap=True, name="writer.hint")
        self.open_button = self._button("open", "Open", "folder-open", self._ask_open)
        self.save_button = self._button("save", "Save", "floppy-disk", self._ask_save)
        self.try_button = self._button("try", "Try it", "play", self._try)
        set_role(self.try_button, "primary")
        with_icon(self.try_button, "play", "on_accent")
        row = QHBoxLayout()
        row.setSpacing(S)
        row.addWidget(self.hint, 1)
        for button in (self.open_button, self.save_button, self.try_button):
            row.addWidget(button)
        return row

    def _line(self, name: str, spoken: str) -> QLineEdit:
        line = QLineEdit()
        line.setObjectName(f"writer.{name}")
        line.setAccessibleName(spoken)
        return line

    def _button(self, name: str, words: str, icon: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(words)
        button.setObjectName(f"writer.{name}")
        button.setAccessibleName(words)
        button.setAutoDefault(False)
        with_icon(button, icon)
        button.clicked.connect(lambda: act())
        return button

    # ---------------------------------------------------------------- parts

    def _page_changed(self) -> None:
        self.add.setEnabled(self._reader.concept is not None)
        self._dress()

    def _dress(self) -> None:
        ready = bool(self.parts) and bool(self.title.text().strip())
        for button in (self.save_button, self.try_button):
            button.setEnabled(ready)
        chosen = self._row >= 0
        for part in (self.text, self.add_task, self.remove):
            part.setEnabled(chosen)
        concept = self._reader.concept
        self.take.setEnabled(chosen and type(concept) is type(self.parts[self._row].concept))
        if not self.parts:
            self.hint.setText("Open a concept, set it up, and add it.")
        else:
            self.hint.setText("" if self.title.text().strip() else "Give it a title.")

    def _add(self) -> None:
        assert self._reader.concept is not None
        self._keep()
        self.parts.append(Part(self._reader.concept))
        self._list_parts(len(self.parts) - 1)

    def _take_again(self) -> None:
        assert self._reader.concept is not None
        self._keep()
        self.parts[self._row] = replace(self.parts[self._row], concept=self._reader.concept)
        self._list_parts(self._row)

    def _remove(self) -> None:
        row, self._row = self._row, -1
        del self.parts[row]
        self._list_parts(min(row, len(self.parts) - 1))

    def _list_parts(self, row: int) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        self.list.addItems([f"{number}  {part.concept.title}" for number, part in enumerate(self.parts, 1)])
        self.list.setCurrentRow(row)
        self.list.blockSignals(False)
        self._row = row
        self._show_part()

    def _choose(self, row: int) -> None:
        self._keep()
        self._row = row
        self._show_part()

    def _show_part(self) -> None:
        part = self.parts[self._row] if self._row >= 0 else None
        self.text.setPlainText(part.text if part else "")
        for editor in self._editors:
            self._tasks.removeWidget(editor)
            retire(editor)
        self._editors = []
        for task in part.tasks if part else ():
            self._put_editor().show_task(task)
        self._dress()

    def _add_task(self) -> None:
        self._put_editor().offer()

    def _put_editor(self) -> TaskEditor:
        facts = self._reader.scene.facts if self._reader.scene else {}
        editor = TaskEditor(len(self._editors), facts)
        editor.removed.connect(lambda: self._drop(editor))
        self._editors.append(editor)
        self._tasks.addWidget(editor)
        return editor

    def _drop(self, editor: TaskEditor) -> None:
        self._editors.remove(editor)
        self._tasks.removeWidget(editor)
        retire(editor)

    def _keep(self) -> None:
        """Put what stands on the right into the part that it belongs to."""
        if 0 <= self._row < len(self.parts):
            tasks = tuple(task for editor in self._editors if (task := editor.task()) is not None)
            self.parts[self._row] = replace(self.parts[self._row], text=self.text.toPlainText().strip(), tasks=tasks)

    # ---------------------------------------------------------------- the lesson

    def lesson(self) -> Lesson:
        """As it is written now."""
        self._keep()
        return Lesson(self.title.text().strip(), tuple(self.parts), self.about.text().strip())

    def _try(self) -> None:
        self.try_wanted.emit(self.lesson())

    def _ask_save(self) -> None:
        dialog = QFileDialog(self, "Save the lesson", str(Path.home()), _FILTER)
        dialog.setObjectName("writer.save_dialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(lessons.SUFFIX.lstrip("."))
        dialog.fileSelected.connect(lambda name: self._guarded(lambda: self.lesson().save(Path(name))))
        dialog.open()

    def _ask_open(self) -> None:
        dialog = QFileDialog(self, "Open a lesson", str(Path.home()), _FILTER)
        dialog.setObjectName("writer.open_dialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self._guarded(lambda: self.show_lesson(lessons.load(Path(name)))))
        dialog.open()

    def show_lesson(self, lesson: Lesson) -> None:
        """Go on writing this one."""
        self._row = -1
        self.parts = list(lesson.parts)
        self.title.setText(lesson.title)
        self.about.setText(lesson.about)
        self._list_parts(0)

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except LabError as error:
            self.hint.setText(str(error))
            self.erred.emit(error)
