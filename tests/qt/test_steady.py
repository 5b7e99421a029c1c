"""Words and bars that change ten times a second: nothing is laid out for them, and nothing painted before its time."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from gui_lab.qt.theme import THEME, Elided
from gui_lab.qt.views.steady import Figures, Progress, Sentence


class Seen(QObject):
    """Events of one type that a widget had."""

    def __init__(self, widget: QWidget, kind: QEvent.Type) -> None:
        super().__init__(widget)
        self.kind, self.count = kind, 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == self.kind
        return False


@pytest.fixture
def place(qtbot):
    THEME.install(QApplication.instance())
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(300, 200)
    return made


def shown(qtbot, place: QWidget, kind: QEvent.Type = QEvent.Type.LayoutRequest) -> Seen:
    with qtbot.waitExposed(place):
        place.show()
    QApplication.processEvents()
    return Seen(place, kind)


def test_figures_ask_for_another_place_only_when_they_need_more_room_than_ever(place, qtbot):
    figures = Figures("figures", 20)
    QHBoxLayout(place).addWidget(figures)
    figures.setText("iteration 100/938")
    asked = shown(qtbot, place)
    for number in (101, 999, 5, 417):
        figures.setText(f"iteration {number}/938")
        QApplication.processEvents()
    assert asked.count == 0
    assert figures.text() == figures.accessibleName() == "iteration 417/938"
    figures.setText("epoch 12/60   iteration 1,417/2,938")
    QApplication.processEvents()
    assert asked.count == 1
    assert figures.width() >= figures.fontMetrics().horizontalAdvance(figures.text())


def test_an_elided_line_never_does(place, qtbot):
    line = Elided("line")
    QHBoxLayout(place).addWidget(line)
    asked = shown(qtbot, place)
    for words in ("Training", "Paused while validating the network on all pictures that there are", ""):
        line.setText(words)
        QApplication.processEvents()
        assert line.text() == line.toolTip() == words
    assert asked.count == 0


def test_a_sentence_gets_as_many_lines_as_it_needs_and_keeps_them(place, qtbot):
    sentence, rest = Sentence("says", "quiet"), QWidget()
    column = QVBoxLayout(place)
    column.addWidget(rest, 1)
    column.addWidget(sentence)
    sentence.setText("Loss fell.")
    asked = shown(qtbot, place)
    one = sentence.height()
    sentence.setText(
        "Loss fell from 2.34 to 0.08 and still falls; validation flat for 1 epoch. Best validation 97.8 %."
    )
    qtbot.waitUntil(lambda: sentence.height() >= 2 * one)
    high, before = sentence.height(), asked.count
    sentence.setText("Loss fell.")
    QApplication.processEvents()
    assert (sentence.height(), asked.count) == (high, before)


def test_a_bar_is_painted_with_everything_else_and_not_at_once(place, qtbot):
    bar = Progress()
    bar.setRange(0, 1000)
    QHBoxLayout(place).addWidget(bar)
    painted = shown(qtbot, place, QEvent.Type.Paint)
    for value in range(0, 1000, 100):
        bar.setValue(value)
    assert painted.count == 0
    qtbot.waitUntil(lambda: painted.count > 0)
    assert bar.value() == 900
