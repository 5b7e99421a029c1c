"""Lessons: what is written comes back, what is wrong is told with its path, and tasks are done by facts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui_lab.core import lessons
from gui_lab.core.concepts import CONCEPTS
from gui_lab.core.lessons import Lesson, Part, Task, from_toml, is_lesson, load
from gui_lab.errors import InvalidExperiment, UnreadableDocument

SMALL = """
version = 1
[lesson]
title = "Scores"
[[lesson.parts]]
concept = "Softmax"
"""


def lesson() -> Lesson:
    tasks = (Task(text="Make it small.", fact="loss", at_most=0.1), Task(text="Be right.", fact="right", equals=True))
    return Lesson("Scores", (Part(CONCEPTS.make("Softmax", label=1), "One.\n\nTwo.", tasks),), "From scores to loss.")


def problems(text: str) -> dict[str, str]:
    with pytest.raises(InvalidExperiment) as raised:
        from_toml(text)
    return {one.path: one.sentence for one in raised.value.problems}


def test_what_is_saved_is_loaded_again(tmp_path):
    path = tmp_path / "scores.lab"
    lesson().save(path)
    assert load(path) == lesson()
    assert is_lesson(path)


@given(st.text(max_size=60), st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_any_text_and_number_of_a_task_come_back(words, number):
    words = words.replace("\r", "")  # TOML has one kind of line end in its multiline texts
    task = Task(text=f"x{words}", fact="loss", equals=number)
    written = Lesson("t", (Part(CONCEPTS.make("Softmax"), f"a\n{words}", (task,)),))
    assert from_toml(written.to_toml()) == written


def test_an_experiment_is_no_lesson(tmp_path):
    path = tmp_path / "digits.lab"
    path.write_text('version = 1\n[dataset]\nname = "Digits"\n')
    assert not is_lesson(path)
    assert not is_lesson(tmp_path / "nowhere.lab")
    path.write_text("no toml at all")
    assert not is_lesson(path)


def test_all_problems_are_told_at_once_with_their_paths():
    found = problems(
        SMALL
        + """
text = 5
[lesson.parts.values]
label = 99
[[lesson.parts.tasks]]
text = "Do."
fact = "loss"
[[lesson.parts]]
concept = "Softmaxx"
extra = 1
[[lesson.parts]]
concept = "Softmax"
tasks = 4
"""
    )
    assert set(found) == {
        "lesson.parts.0.text",
        "lesson.parts.0.values.label",
        "lesson.parts.0.tasks.0.equals",
        "lesson.parts.1.concept",
        "lesson.parts.1.extra",
        "lesson.parts.2.tasks",
    }
    assert "Softmax" in found["lesson.parts.1.concept"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("version = 1\nlesson = 3", "lesson"),
        ("version = 1\n[lesson]\ntitle = 'x'", "lesson.parts"),
        (SMALL.replace('title = "Scores"', ""), "lesson.title"),
        (SMALL.replace("version = 1", "version = 0"), "version"),
        (SMALL.replace("version = 1", ""), "version"),
        (SMALL + "values = 3", "lesson.parts.0.values"),
        (SMALL + "tasks = [3]", "lesson.parts.0.tasks.0"),
        (SMALL.replace('concept = "Softmax"', ""), "lesson.parts.0.concept"),
        (SMALL.replace('concept = "Softmax"', "text = 'x'"), "lesson.parts.0.concept"),
        ("version = 1\n[lesson]\ntitle = 'x'\nparts = [1]", "lesson.parts.0"),
    ],
)
def test_each_thing_that_is_wrong_has_its_path(text, path):
    assert path in problems(text)


def test_a_lesson_of_a_newer_lab_is_refused():
    with pytest.raises(UnreadableDocument, match="newer"):
        from_toml(SMALL.replace("version = 1", "version = 2"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(UnreadableDocument, match="could not be saved"):
        lesson().save(tmp_path / "nowhere" / "scores.lab")


@pytest.mark.parametrize(
    ("task", "facts", "done"),
    [
        ({"equals": 469}, {"loss": 469}, True),
        ({"equals": 469}, {"loss": 469.2}, True),
        ({"equals": 469}, {"loss": 470}, False),
        ({"equals": 469}, {}, False),
        ({"equals": True}, {"loss": True}, True),
        ({"equals": True}, {"loss": 1}, False),
        ({"equals": 1}, {"loss": True}, False),
        ({"equals": "Adam"}, {"loss": "Adam"}, True),
        ({"equals": "Adam"}, {"loss": 3.0}, False),
        ({"at_least": 2}, {"loss": 2}, True),
        ({"at_least": 2}, {"loss": 1.9}, False),
        ({"at_most": 2}, {"loss": float("nan")}, False),
        ({"at_least": 1, "at_most": 2}, {"loss": 1.5}, True),
        ({"at_least": 1, "at_most": 2}, {"loss": 2.5}, False),
    ],
)
def test_a_task_is_done_by_the_fact_it_names(task, facts, done):
    assert Task(text="Do.", fact="loss", **task).done(facts) is done


def test_what_is_written_by_hand_reads_as_it_is_documented():
    written = lessons.__doc__.partition("    version = 1")
    text = "\n".join(line.strip() for line in (written[1] + written[2]).splitlines())
    if "Loaders" in CONCEPTS:
        assert from_toml(text).parts[0].tasks[0].equals == 469
