"""Each lesson that comes with the lab is done with the keyboard alone, as a first-time visitor would."""

from __future__ import annotations

import re

import pytest
from PySide6.QtWidgets import QCheckBox, QComboBox

from gui_lab.core.exhibits import Question
from gui_lab.qt.pages.concepts import ready_lessons

LESSONS = {file.stem: lesson for file, lesson in ready_lessons()}


class Keys:
    """A visitor without a mouse, in a lesson."""

    def __init__(self, lab, lesson: str) -> None:
        self.lab, self.hands, self.place = lab, lab.hands, lab.concepts
        self.hands.press(lab.lab.window, "Ctrl+5")
        self.hands.wait(lambda: self.hands.sees(f"lessons.{lesson}"), "the lessons are there")
        self.hands.press(f"lessons.{lesson}", "Space")
        self.place.wait_shown()

    def put(self, field: str, value: object) -> None:
        editor = self.hands.find(f"concept.{field}")
        if isinstance(editor, QComboBox):
            self.hands.choose(editor, str(value))
        elif isinstance(editor, QCheckBox):
            if editor.isChecked() != value:
                self.hands.press(editor, "Space")
        else:
            self.hands.press(editor, "Ctrl+A")
            self.hands.type_keys(editor, str(value))
            self.hands.press(editor, "Tab")
        self.place.wait_shown()

    def press(self, keys: str, times: int = 1) -> None:
        for _ in range(times):
            self.place.press(keys)

    def on_until(self, task: int) -> None:
        """Go on in the story until a task is done."""
        for _ in range(self.place.scene.steps):
            if self.place.tasks()[task]:
                return
            self.press("Right")

    def answer(self) -> None:
        """Type the answer to the question on screen."""
        (question,) = [one for row in self.place.scene.rows for one in row if isinstance(one, Question)]
        samples, size = (int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", question.text)[:2])
        field = self.hands.find(self.name_of(question) + ".number")
        self.hands.type_keys(field, str(-(-samples // size)))
        self.hands.press(field, "Return")
        self.place.wait_shown()

    def find_the_bug(self) -> None:
        """Choose what the curves give away; a visitor who is wrong would try another round."""
        (question,) = [one for row in self.place.scene.rows for one in row if isinstance(one, Question)]
        bug = self.place.reader.concept._bug().name
        (value,) = [value for value, words in question.choices.items() if words == bug]
        choice = f"{self.name_of(question)}.choice.{value}"
        self.hands.wait(lambda: self.hands.sees(choice), "the choices are there")
        self.hands.press(choice, "Space")
        self.place.wait_shown()

    def name_of(self, exhibit) -> str:
        rows = enumerate(self.place.scene.rows)
        return next(f"stage.{i}.{k}" for i, row in rows for k, one in enumerate(row) if type(one) is type(exhibit))

    def next(self) -> None:
        """All is done here; on to the next part."""
        assert self.place.tasks(), "a part without a task"
        assert all(self.place.tasks()), self.place.tasks()
        self.hands.press("lesson.next", "Space")
        if self.hands.sees("lesson.next"):
            self.place.wait_shown()


def autograd(keys: Keys) -> None:
    keys.on_until(0)
    keys.on_until(1)
    keys.next()
    keys.put("values", "x = (-1, -1)")
    keys.press("End")
    keys.put("values", "x = (3, 0)")
    keys.next()
    keys.put("retain_graph", True)
    keys.put("backward_twice", True)
    keys.press("End")
    keys.put("zero_grad", True)
    keys.press("End")
    keys.next()


def backpropagation(keys: Keys) -> None:
    keys.on_until(0)
    keys.on_until(1)
    keys.next()
    keys.put("lr", 0.5)
    keys.press("End")
    keys.put("lr", 1.1)
    keys.press("End")
    keys.next()
    keys.put("network", "mine")
    keys.press("End")
    keys.next()


def convolution(keys: Keys) -> None:
    keys.put("padding", 1)
    keys.put("stride", 2)
    keys.next()
    keys.put("stride", 2)
    keys.put("stride", 1)
    keys.put("padding", 1)
    keys.next()
    keys.put("pool_size", 3)
    keys.press("End")
    keys.next()


def loaders(keys: Keys) -> None:
    keys.answer()
    keys.press("End")
    keys.put("drop_last", True)
    keys.next()
    keys.put("batch_size", 128)
    keys.next()
    keys.put("sorted_by_class", True)
    keys.put("shuffle", False)
    keys.put("shuffle", True)
    keys.next()


def softmax(keys: Keys) -> None:
    keys.put("scores", "6, 0, 0")
    keys.put("label", 1)
    keys.put("scores", ", ".join(["1"] * 10))
    keys.next()
    keys.put("temperature", 0.2)
    keys.next()
    keys.on_until(0)
    keys.next()


def descent(keys: Keys) -> None:
    keys.on_until(0)
    keys.put("lr", 0.3)
    keys.press("End")
    keys.next()
    keys.press("End")
    keys.next()
    keys.press("End")
    keys.find_the_bug()
    keys.next()


WAYS = {
    "1-autograd": autograd,
    "2-backpropagation": backpropagation,
    "3-convolution": convolution,
    "4-loaders": loaders,
    "5-softmax": softmax,
    "6-descent": descent,
}


def test_there_are_six_lessons_and_a_way_through_each():
    assert set(LESSONS) == set(WAYS)


@pytest.mark.parametrize("name", WAYS)
def test_a_visitor_does_the_lesson_with_the_keyboard_alone(lab, name):
    keys = Keys(lab, name)
    assert lab.concepts._page.lesson.lesson == LESSONS[name]
    WAYS[name](keys)
    assert lab.concepts._page.lesson.lesson is None
