"""A question: what is typed or chosen becomes an edit, and the verdict is told by sign, colour and word."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from gui_lab.core.exhibits import Question
from gui_lab.qt.exhibits.question import QuestionView
from gui_lab.qt.theme import THEME

NUMBER = Question(text="How many iterations has an epoch?", sets="answer")
CHOICE = Question(text="Which one is it?", sets="bug", choices={"a": "no zero_grad", "b": "shuffled labels"})


@pytest.fixture
def view(qtbot):
    made = QuestionView("stage.0.1")
    qtbot.addWidget(made)
    made.resize(420, 160)
    with qtbot.waitExposed(made):
        made.show()
    return made


@pytest.mark.parametrize(("typed", "wanted"), [("23", 23), ("1,438", 1438), ("60 000", 60000), ("-3", -3)])
def test_enter_hands_in_the_number_that_was_typed(view, qtbot, typed, wanted):
    view.show_exhibit(NUMBER)
    qtbot.keyClicks(view.number, typed)
    with qtbot.waitSignal(view.edited) as edited:
        qtbot.keyClick(view.number, Qt.Key.Key_Return)
    assert edited.args == [{"answer": wanted}]


def test_the_button_hands_it_in_too_and_only_a_number_can_be_handed_in(view, qtbot):
    view.show_exhibit(NUMBER)
    assert not view.check.isEnabled()
    qtbot.keyClicks(view.number, "abc7x")
    assert view.number.text() == "7"
    with qtbot.waitSignal(view.edited) as edited:
        qtbot.mouseClick(view.check, Qt.MouseButton.LeftButton)
    assert edited.args == [{"answer": 7}]


def test_the_verdict_is_a_sign_and_a_word_with_the_reason(view):
    view.show_exhibit(NUMBER)
    assert not view.verdict.isVisible()
    view.show_exhibit(replace(NUMBER, answer=23, verdict="right", remark="22 whole batches and one of 30."))
    assert view.verdict.isVisible()
    assert view.verdict.words.text() == "Right. 22 whole batches and one of 30."
    view.show_exhibit(replace(NUMBER, answer=22, verdict="wrong", remark="The last one counts too."))
    assert view.verdict.words.text().startswith("Not yet.")
    assert view.number.text() == "22"


def test_what_is_being_typed_stays_while_the_same_question_is_shown_anew(view, qtbot):
    view.show_exhibit(NUMBER)
    qtbot.keyClicks(view.number, "4")
    view.show_exhibit(replace(NUMBER, caption="another line"))
    assert view.number.text() == "4"
    view.show_exhibit(replace(NUMBER, text="And now?"))
    assert view.number.text() == ""


def test_answers_are_buttons_that_the_keyboard_presses(view, qtbot):
    view.show_exhibit(CHOICE)
    assert not view.number.isVisible()
    assert [button.text() for button in view.choices.values()] == ["no zero_grad", "shuffled labels"]
    with qtbot.waitSignal(view.edited) as edited:
        qtbot.keyClick(view.choices["b"], Qt.Key.Key_Space)
    assert edited.args == [{"bug": "b"}]
    view.show_exhibit(replace(CHOICE, answer="b", verdict="wrong"))
    assert view.choices["b"].isChecked()
    assert not view.choices["a"].isChecked()


def test_buttons_are_made_anew_only_for_other_answers(view):
    view.show_exhibit(CHOICE)
    first = view.choices["a"]
    view.show_exhibit(replace(CHOICE, answer="a", verdict="right"))
    assert view.choices["a"] is first
    view.show_exhibit(replace(CHOICE, choices={"c": "a frozen layer"}))
    assert list(view.choices) == ["c"]


def test_it_is_drawn_at_any_size_in_both_schemes(view):
    try:
        for scheme in ("light", "dark"):
            THEME.choose(scheme)
            for width in (200, 900):
                view.resize(width, 200)
                view.show_exhibit(replace(CHOICE, answer="a", verdict="right", remark="Because."))
                assert not view.grab().toImage().isNull()
    finally:
        THEME.choose("light")
