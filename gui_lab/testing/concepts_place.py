"""The Concepts place in the user's words: open an idea, turn its knobs, go through its story, follow a lesson."""

from __future__ import annotations

from collections.abc import Mapping
from operator import methodcaller
from pathlib import Path
from typing import Any

from gui_lab.core.concepts import Scene, Value
from gui_lab.qt.concept_reader import ConceptReader
from gui_lab.qt.pages.concepts import ConceptsPage
from gui_lab.testing.hands import RobotError
from gui_lab.testing.places import Place

__tracebackhide__ = methodcaller("errisinstance", RobotError)


class ConceptsPlace(Place):
    """Cards, the concept that is open, and the lesson beside it."""

    name = "Concepts"

    def open(self, name: str, **values: Any) -> ConceptsPlace:
        """Click a concept's card, and edit its fields."""
        self.show()
        if self._page.stack.currentWidget() is self.reader:
            self.hands.click("concept.all")
        self.hands.click(f"concepts.{name}")
        self.wait_shown()
        self.set(**values)
        return self

    def set(self, **values: Any) -> ConceptsPlace:
        """Edit fields of the open concept in its form."""
        self.set_fields("concept", values)
        self.wait_shown()
        return self

    def start_from(self, preset: str) -> None:
        self.hands.choose("concept.presets", preset)
        self.wait_shown()

    def step(self, count: int = 1) -> None:
        """Go on in the story by so many steps, with the Right key."""
        for _ in range(count):
            self.press("Right")

    def press(self, keys: str) -> None:
        """A key of the story: Left, Right, Home, End. The keyboard goes to the play button for it, since a field among
        the exhibits may have it."""
        self.hands.press("concept.play", keys)
        self.wait_shown()

    def try_on_my_network(self) -> None:
        self.hands.click("concept.mine")
        self.wait_shown()

    def code(self) -> str:
        """The lines of PyTorch, unfolded where they are not."""
        if not self.hands.sees("concept.code"):
            self.hands.click("concept.show_code")
        return self.reader.code.toPlainText()

    def wait_shown(self) -> None:
        """Until what is on screen belongs to the values and the step in force."""
        self.hands.wait(lambda: self.reader.settled, "the page shows what is set", 60)

    @property
    def scene(self) -> Scene:
        """What is on screen."""
        self.wait_shown()
        assert self.reader.scene is not None
        return self.reader.scene

    @property
    def facts(self) -> Mapping[str, Value]:
        """The quantities on screen by name."""
        return self.scene.facts

    def says(self) -> str:
        return self.hands.text("concept.says")

    # ---------------------------------------------------------------- lessons

    def begin(self, lesson: str | Path) -> None:
        """Begin a lesson: by the name of its card ("1-autograd"), or from a file through the dialog."""
        self.show()
        if self._page.stack.currentWidget() is self.reader:
            self.hands.click("concept.all")
        if isinstance(lesson, Path):
            self.hands.click("lessons.open")
            self.robot.in_dialog(lesson)
        else:
            self.hands.click(f"lessons.{lesson}")
        self.wait_shown()

    def tasks(self) -> list[bool]:
        """Of each task of the part on screen, whether it is done."""
        self.wait_shown()
        return self._page.lesson.done()

    def next_part(self) -> None:
        self.hands.click("lesson.next")
        if self._page.lesson.lesson is not None:
            self.wait_shown()

    @property
    def part(self) -> int:
        """The part of the lesson on screen, from 0."""
        return self._page.lesson.number

    @property
    def reader(self) -> ConceptReader:
        return self._page.reader

    @property
    def _page(self) -> ConceptsPage:
        page = self.robot.lab.window.page(self.name)
        assert isinstance(page, ConceptsPage)
        return page
