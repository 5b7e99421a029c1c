"""The newest epochs in figures: what the history says, newest first, as many as there is room for."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from gui_lab.core.events import BatchTrained, EpochEnded, RunStarted
from gui_lab.core.history import History
from gui_lab.qt.theme import THEME, colour
from gui_lab.qt.views.epoch_table import EpochTable


@pytest.fixture
def table(qtbot):
    THEME.install(QApplication.instance())
    made = EpochTable()
    qtbot.addWidget(made)
    made.resize(260, 200)
    return made


def history_of(epochs: int) -> History:
    history = History()
    history.apply(RunStarted("", "cpu", 1, 50, 1, 64, 64, 100, 1))
    for epoch in range(1, epochs + 1):
        history.apply(BatchTrained(epoch, 1, 1 / epoch, 32, 64, float(epoch)))
        history.apply(EpochEnded(epoch, 1 / epoch, 0.5, 2 / epoch, 0.1, epoch == 3, float(epoch)))
    return history


def test_the_newest_epoch_stands_on_top_with_the_figures_of_the_history(table):
    table.show_history(history_of(12))
    assert table.rows(2) == [
        ("12", "0.0833", "0.1667", "10.0\u2009%"),
        ("11", "0.0909", "0.1818", "10.0\u2009%"),
    ]
    assert table.accessibleDescription().startswith("12 0.0833")


def test_there_are_as_many_rows_as_fit_and_nothing_where_there_are_none(table):
    assert len({table.grab().toImage().pixel(x, y) for x in range(260) for y in range(200)}) == 1
    table.show_history(history_of(50))
    assert 5 <= len(table.rows(table.room())) == table.room() <= 11
    table.resize(260, 10)
    assert table.room() == 0
    assert not table.grab().isNull()


def test_the_best_epoch_is_told_by_word_and_colour(table):
    def green() -> int:
        picture, wanted = table.grab().toImage(), colour("best").rgb()
        return sum(picture.pixel(x, y) == wanted for x in range(260) for y in range(200))

    table.show_history(history_of(2))
    assert green() == 0
    table.show_history(history_of(4))
    assert green() > 0
