"""The Concepts page: cards, a concept with its knobs and its story, and lessons beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from gui_lab.core.concepts import CONCEPTS, Concept, Own, Preset, Scene
from gui_lab.core.exhibits import Fact, Facts
from gui_lab.core.experiment import default
from gui_lab.core.lessons import Lesson, Part, Task, load
from gui_lab.errors import LabError
from gui_lab.qt.pages.concepts import ConceptsPage
from gui_lab.qt.running import RunControl
from gui_lab.qt.session import Session
from gui_lab.qt.theme import THEME
from gui_lab.schema import knob

LEFT = Qt.MouseButton.LeftButton


class Squares(Concept):
    """Numbers and their squares."""

    number: ClassVar[int] = 99
    title: ClassVar[str] = "Squares"
    line: ClassVar[str] = "A number times itself"
    icon: ClassVar[str] = "square"
    story: ClassVar[str] = "The square of a number."
    presets: ClassVar[tuple[Preset, ...]] = (Preset("Seven", {"base": 7}),)
    mine: ClassVar[dict[str, object]] = {"base": 3}
    seconds: ClassVar[float] = 0.01

    base: int = knob(2, "The number.", ge=-5, le=50)

    def scene(self, step: int, own: Own) -> Scene:
        if self.base == -1:
            raise LabError("No squares of minus one.", "Choose another number.")
        if self.base == -2:
            return Scene((), missing="There is nothing to square", says="Bring a number.")
        step = min(step, 4)
        exhibit = Facts(facts=(Fact("square", str(self.base**2 + step)),))
        return Scene(((exhibit,),), step, 5, f"Step {step}.", {"square": self.base**2, "step": step})

    def code(self, step: int, own: Own) -> str:
        return f"square = {self.base} ** 2\n"


@pytest.fixture
def squares() -> Iterator[type[Concept]]:
    yield CONCEPTS.add(Squares)
    CONCEPTS.remove("Squares")


@pytest.fixture
def session(qtbot):
    made = Session(default())
    with qtbot.waitSignal(made.pins_changed, timeout=10_000):
        made.open_images()
    yield made
    made.close()


@pytest.fixture
def page(qtbot, session, squares, tmp_path):
    THEME.install(QApplication.instance())
    control = RunControl(session, tmp_path / "runs")
    made = ConceptsPage(session, control)
    qtbot.addWidget(made)
    made.resize(1208, 690)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.close_down()
    control.close()


@pytest.fixture
def opened(page, session, qtbot):
    session.set_ready()
    qtbot.mouseClick(page.cards["Squares"], LEFT)
    settle(qtbot, page)
    return page


def settle(qtbot, page) -> None:
    qtbot.waitUntil(lambda: page.reader.settled, timeout=20_000)


def facts(page):
    return dict(page.reader.scene.facts)


def test_every_concept_has_a_card_and_every_lesson_too(page):
    assert set(page.cards) == set(CONCEPTS.names())
    assert all(card.isVisible() for card in page.cards.values())
    assert len(page.lesson_cards) >= 1


def test_a_card_opens_its_concept_with_story_form_and_code(opened):
    reader = opened.reader
    assert reader.isVisible()
    assert reader.title.text() == "Squares"
    assert facts(opened) == {"square": 4, "step": 0}
    assert reader.says.text() == "Step 0."
    assert reader.code.toPlainText() == "square = 2 ** 2\n"
    assert not reader.code.isVisible()
    reader.code_button.click()
    assert reader.code.isVisible()
    reader.code.copy_button.click()
    assert QApplication.clipboard().text() == "square = 2 ** 2\n"


def test_before_torch_is_there_it_says_so(page, session, qtbot):
    page.open("Squares")
    assert "loading" in page.reader.notice.sentence.text()
    session.set_ready()
    settle(qtbot, page)
    assert page.reader.stack.currentWidget() is page.reader.stage


def test_a_knob_is_followed(opened, qtbot):
    opened.reader.edit({"base": 6})
    settle(qtbot, opened)
    assert facts(opened)["square"] == 36
    assert opened.reader.form.spec.base == 6


def test_a_click_that_does_not_fit_is_told_at_its_field(opened, qtbot):
    opened.reader.edit({"base": 1000})
    settle(qtbot, opened)
    assert facts(opened)["square"] == 4
    problem = opened.findChild(object, "concept.base.problem.0")
    assert problem is None or "less" in problem.text()


def test_arrow_keys_home_and_end_go_through_the_story(opened, qtbot):
    stage = opened.reader.stage
    for key, step in (("Right", 1), ("Right", 2), ("Left", 1), ("End", 4), ("Right", 4), ("Home", 0), ("Left", 0)):
        qtbot.keyClick(stage, getattr(Qt.Key, f"Key_{key}"))
        settle(qtbot, opened)
        assert opened.reader.step == step
    assert not opened.reader.back.isEnabled()


def test_left_and_right_work_on_the_step_buttons_too(opened, qtbot):
    opened.reader.play.setFocus()
    qtbot.keyClick(opened.reader.play, Qt.Key.Key_Right)
    settle(qtbot, opened)
    assert opened.reader.step == 1


def test_it_plays_to_the_end_and_from_the_beginning_again(opened, qtbot):
    qtbot.keyClick(opened.reader.stage, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: opened.reader.step == 4, timeout=10_000)
    qtbot.waitUntil(lambda: not opened.reader._player.isActive(), timeout=10_000)
    opened.reader.play.click()
    qtbot.waitUntil(lambda: opened.reader.step in (1, 2), timeout=10_000)
    opened.reader.play.click()
    assert not opened.reader._player.isActive()


def test_presets_and_the_own_network_set_the_fields(opened, qtbot):
    opened.reader.presets.setCurrentIndex(1)
    opened.reader.presets.textActivated.emit("Seven")
    settle(qtbot, opened)
    assert facts(opened)["square"] == 49
    opened.reader.mine.click()
    settle(qtbot, opened)
    assert facts(opened)["square"] == 9


def test_what_cannot_be_shown_is_a_sentence_and_a_remedy(opened, qtbot):
    opened.reader.edit({"base": -1})
    qtbot.waitUntil(lambda: "minus one" in opened.reader.notice.sentence.text(), timeout=10_000)
    assert opened.reader.stack.currentWidget() is opened.reader.notice
    opened.reader.edit({"base": -2})
    qtbot.waitUntil(lambda: "nothing" in opened.reader.notice.sentence.text(), timeout=10_000)
    opened.reader.edit({"base": 5})
    settle(qtbot, opened)
    assert opened.reader.stack.currentWidget() is opened.reader.stage


def test_what_was_set_is_there_when_one_comes_back(opened, qtbot):
    opened.reader.edit({"base": 6})
    settle(qtbot, opened)
    qtbot.keyClick(opened.reader.stage, Qt.Key.Key_Escape)
    assert opened.cards["Squares"].isVisible()
    opened.open("Squares")
    settle(qtbot, opened)
    assert facts(opened)["square"] == 36


def test_it_does_not_play_while_it_is_hidden(opened, qtbot):
    opened.reader.toggle()
    assert opened.reader._player.isActive()
    opened.hide()
    assert not opened.reader._player.isActive()


# -------------------------------------------------------------------- lessons


def lesson() -> Lesson:
    tasks = (
        Task(text="Make it 36.", fact="square", equals=36),
        Task(text="Go to the last step.", fact="step", equals=4),
    )
    return Lesson("Squaring", (Part(Squares(base=3), "Read.", tasks), Part(Squares(base=9), "", ())))


def test_a_lesson_sets_its_values_and_ticks_what_is_done(opened, qtbot):
    opened.begin(lesson())
    settle(qtbot, opened)
    panel = opened.lesson
    assert panel.isVisible()
    assert panel.text.text() == "Read."
    assert not opened.reader.story.isVisible()
    assert facts(opened)["square"] == 9
    assert panel.done() == [False, False]
    opened.reader.edit({"base": 6})
    settle(qtbot, opened)
    assert panel.done() == [True, False]
    opened.reader.edit({"base": 5})
    settle(qtbot, opened)
    assert panel.done() == [True, False]
    qtbot.keyClick(opened.reader.stage, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: panel.done() == [True, True], timeout=10_000)
    assert panel.on.property("role") == "primary"


def test_one_goes_through_the_parts_and_finishes(opened, qtbot):
    opened.begin(lesson())
    settle(qtbot, opened)
    panel = opened.lesson
    assert not panel.back.isEnabled()
    panel.on.click()
    settle(qtbot, opened)
    assert facts(opened)["square"] == 81
    assert panel.on.text() == "Finish"
    panel.back.click()
    settle(qtbot, opened)
    assert panel.number == 0
    panel.on.click()
    panel.on.click()
    assert not panel.isVisible()
    assert opened.cards["Squares"].isVisible()
    opened.open("Squares")
    assert opened.reader.story.isVisible()


def test_another_concept_opened_meanwhile_ticks_nothing(opened, qtbot):
    opened.begin(Lesson("x", (Part(CONCEPTS.make("Softmax"), "", (Task(text="a", fact="square", equals=4),)),)))
    opened.open("Squares")
    settle(qtbot, opened)
    assert facts(opened)["square"] == 4
    assert opened.lesson.done() == [False]


def test_a_lesson_is_written_from_pages_saved_opened_and_tried(opened, qtbot, tmp_path):
    opened.write_lesson()
    writer = opened._writer
    assert not writer.save_button.isEnabled()
    opened.reader.edit({"base": 6})
    settle(qtbot, opened)
    writer.add.click()
    writer.text.setPlainText("Look at the square.")
    writer.add_task.click()
    (task,) = writer._editors
    assert (task.fact.currentText(), task.value.text()) == ("square", "36")
    qtbot.keyClicks(writer.title, "Mine")
    assert writer.save_button.isEnabled()
    assert writer.lesson().parts[0].tasks == ()
    assert "at least 1" in task.problem.text()
    qtbot.keyClicks(task.text, "Make it 36.")
    opened.reader.edit({"base": 7})
    settle(qtbot, opened)
    writer.add.click()
    written = writer.lesson()
    assert [part.concept.base for part in written.parts] == [6, 7]
    assert written.parts[0].tasks == (Task(text="Make it 36.", fact="square", equals=36),)
    path = tmp_path / "mine.lab"
    written.save(path)
    writer.list.setCurrentRow(0)
    writer.remove.click()
    assert [part.concept.base for part in writer.lesson().parts] == [7]
    writer.show_lesson(load(path))
    assert writer.lesson() == written
    writer.try_button.click()
    settle(qtbot, opened)
    assert opened.lesson.title.text() == "Mine"
    writer.close()


def test_a_part_takes_the_values_of_its_page_again(opened, qtbot):
    opened.write_lesson()
    writer = opened._writer
    writer.add.click()
    opened.reader.edit({"base": 8})
    settle(qtbot, opened)
    writer.take.click()
    assert writer.lesson().parts[0].concept.base == 8
    writer.close()


def test_a_lesson_that_cannot_be_read_becomes_a_banner_and_nothing_changes(opened, qtbot, tmp_path):
    path = tmp_path / "broken.lab"
    path.write_text("version = 1\n[lesson]\n")
    with qtbot.waitSignal(opened.session.erred):
        opened._open_lesson(path)
    assert opened.lesson.lesson is None
