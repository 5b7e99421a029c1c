"""A lesson: concept pages with their values, a text and tasks that the lab checks, as a file.

A teacher writes it by hand or from the pages in front of them; a class opens it. A task asks for a fact of the page
("iterations" must be 469), so it can be checked wherever the page can be computed, and without a window too. The file
is TOML with a table `lesson`, which is how it is told from an experiment; it is data and never runs anything.

    version = 1
    [lesson]
    title = "Batches"
    [[lesson.parts]]
    concept = "Loaders"
    text = "An epoch is one pass over all pictures."
    values = { samples = 60000 }
    [[lesson.parts.tasks]]
    text = "Choose a batch size with which an epoch has 469 iterations."
    fact = "iterations"
    equals = 469
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import model_validator

from gui_lab.core.concepts import CONCEPTS, Concept, Value
from gui_lab.core.documents import parsed, text_of, version_problems
from gui_lab.core.files import write_atomically
from gui_lab.errors import InvalidExperiment, UnreadableDocument
from gui_lab.schema import FieldError, Problem, Spec, knob, parse, shown

VERSION = 1
SUFFIX = ".lab"


class Task(Spec):
    """What a person is to bring about: a fact of the page that equals a value, or reaches it."""

    text: str = knob(help="What to do, one sentence.", min_length=1, max_length=400)
    fact: str = knob(help="The fact of the page that tells whether it is done.", min_length=1, max_length=80)
    equals: float | bool | str | None = knob(None, "It is done when the fact is this.")
    at_least: float | None = knob(None, "It is done when the fact is this or more.")
    at_most: float | None = knob(None, "It is done when the fact is this or less.")
    within: float = knob(1e-3, "How far from `equals` a number may be, relative to it or absolutely.", ge=0, le=1)

    @model_validator(mode="after")
    def _asks_for_something(self) -> Task:
        if self.equals is None and self.at_least is None and self.at_most is None:
            raise FieldError("equals", "A task needs equals, at_least or at_most.")
        return self

    def done(self, facts: Mapping[str, Value]) -> bool:
        """Whether these facts fulfil it."""
        if self.fact not in facts:
            return False
        value = facts[self.fact]
        if isinstance(value, (bool, str)) or isinstance(self.equals, (bool, str)):
            return type(value) is type(self.equals) and value == self.equals
        near = self.equals is None or abs(value - self.equals) <= self.within * max(1.0, abs(self.equals))
        low, high = self.at_least, self.at_most
        return near and (low is None or value >= low) and (high is None or value <= high)


@dataclass(frozen=True)
class Part:
    """A page of a lesson: the concept with its values, what to read, and what to do."""

    concept: Concept
    text: str = ""
    tasks: tuple[Task, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """
    Attributes:
        title: of the whole.
        about: what one learns, one or two sentences.
        parts: one after the other; at least one.
    """

    title: str
    parts: tuple[Part, ...]
    about: str = ""

    def to_toml(self) -> str:
        """As the text of its file."""
        parts = [
            {
                "concept": part.concept.name_of(),
                **({"text": tomlkit.string(part.text, multiline="\n" in part.text)} if part.text else {}),
                **({"values": values} if (values := _values(part.concept)) else {}),
                **({"tasks": [_table(task) for task in part.tasks]} if part.tasks else {}),
            }
            for part in self.parts
        ]
        about = {"about": self.about} if self.about else {}
        return tomlkit.dumps({"version": VERSION, "lesson": {"title": self.title, **about, "parts": parts}})

    def save(self, path: Path) -> None:
        """Write it, whole or not at all.

        Raises:
            UnreadableDocument: the file cannot be written.
        """
        try:
            write_atomically(path, self.to_toml().encode())
        except OSError as error:
            raise UnreadableDocument(
                f"{path.name} could not be saved: {error.strerror or error}.", "Choose another folder."
            ) from error


def _values(concept: Concept) -> dict[str, Any]:
    return {key: value for key, value in concept.table().items() if key != "name"}


def _table(task: Task) -> dict[str, Any]:
    return {key: value for key, value in task.table().items() if key != "name"}


def is_lesson(path: Path) -> bool:
    """Whether a file is a lesson rather than an experiment; one that cannot be read is neither, and False."""
    try:
        return "lesson" in parsed(text_of(path))
    except UnreadableDocument:
        return False


def load(path: Path) -> Lesson:
    """Read a lesson.

    Raises:
        InvalidExperiment: with all problems at once, each with its path.
        UnreadableDocument: it cannot be read, or its version is not one that this program reads.
    """
    return from_toml(text_of(path))


def from_toml(text: str) -> Lesson:
    """
    Raises:
        InvalidExperiment, UnreadableDocument: as `load`.
    """
    document = parsed(text)
    problems = version_problems(document, "lesson", VERSION)
    lesson = _read(document.get("lesson"), problems)
    if problems or lesson is None:
        raise InvalidExperiment(problems, "This lesson")
    return lesson


def _read(table: Any, problems: list[Problem]) -> Lesson | None:
    if not isinstance(table, Mapping):
        problems.append(Problem("lesson", "Must be a table: [lesson]."))
        return None
    for key in table.keys() - {"title", "about", "parts"}:
        problems.append(Problem(f"lesson.{key}", "A lesson has title, about and parts."))
    title, about = (_text(table, key, f"lesson.{key}", problems) for key in ("title", "about"))
    if not title:
        problems.append(Problem("lesson.title", "A lesson needs a title."))
    parts = table.get("parts")
    if not isinstance(parts, list) or not parts:
        problems.append(Problem("lesson.parts", "A lesson needs at least one part: [[lesson.parts]]."))
        return None
    read = [_part(part, f"lesson.parts.{number}", problems) for number, part in enumerate(parts)]
    return Lesson(title, tuple(part for part in read if part is not None), about)


def _part(table: Any, path: str, problems: list[Problem]) -> Part | None:
    if not isinstance(table, Mapping):
        problems.append(Problem(path, "Must be a table with a concept."))
        return None
    for key in table.keys() - {"concept", "text", "values", "tasks"}:
        problems.append(Problem(f"{path}.{key}", "A part has concept, text, values and tasks."))
    text = _text(table, "text", f"{path}.text", problems)
    values, tasks = table.get("values", {}), table.get("tasks", [])
    if not isinstance(values, Mapping):
        problems.append(Problem(f"{path}.values", "Must be a table of the concept's fields."))
        return None
    if not isinstance(tasks, list):
        problems.append(Problem(f"{path}.tasks", "Must be a list of tables: [[lesson.parts.tasks]]."))
        return None
    concept: Concept | None = None
    try:
        concept = CONCEPTS.parse({**values, "name": table.get("concept")}, f"{path}.values")
    except InvalidExperiment as invalid:
        renamed = (f"{path}.concept" if one.path.endswith(".values.name") else one.path for one in invalid.problems)
        problems += [Problem(where, one.sentence) for where, one in zip(renamed, invalid.problems, strict=True)]
    read = tuple(_task(task, f"{path}.tasks.{number}", problems) for number, task in enumerate(tasks))
    return Part(concept, text, tuple(task for task in read if task is not None)) if concept is not None else None


def _task(table: Any, path: str, problems: list[Problem]) -> Task | None:
    if not isinstance(table, Mapping):
        problems.append(Problem(path, "Must be a table with text, fact, and equals, at_least or at_most."))
        return None
    try:
        return parse(Task, table)
    except InvalidExperiment as invalid:
        problems += [problem.under(path) for problem in invalid.problems]
        return None


def _text(table: Mapping[str, Any], key: str, path: str, problems: list[Problem]) -> str:
    text = table.get(key, "")
    if not isinstance(text, str) or len(text) > 4000:
        problems.append(Problem(path, f"Must be a text of at most 4,000 characters, not {shown(text)}."))
        return ""
    return text
