"""The column says what the run said: in words, in its place, and paints no more than has changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QRegion

from gui_lab.core.events import BatchTrained, Changed, EpochEnded, Measuring, RunEnded, RunStarted
from gui_lab.core.events import Tested as Examined
from gui_lab.core.history import History
from gui_lab.qt import words
from gui_lab.qt.views.run_column import Progress, RunColumn, Status, items_of

STARTED = RunStarted("runs/0001-x", "cpu", 2, 10, 938, 64, 60_000, 10_000, 99, patience=5)
ENDED = RunEnded("finished", 2, 3, 1, "abc", 62.0)


def trained(history: History, epoch: int, iterations: int, *, began: float = 0.0) -> None:
    for iteration in range(1, iterations + 1):
        history.apply(BatchTrained(epoch, iteration, 1.0, 50, 64, began + iteration * 0.01, 0.0003, 1.234))


@pytest.fixture
def history() -> History:
    """In the third iteration of its second epoch, 40 seconds after it began."""
    made = History()
    made.apply(STARTED)
    trained(made, 1, 100)
    made.apply(EpochEnded(1, 1.0, 0.9, 0.3, 0.983, True, 40.0))
    trained(made, 2, 3, began=40.0)
    return made


@pytest.fixture
def column(qtbot):
    made = RunColumn()
    qtbot.addWidget(made)
    made.resize(240, 500)
    with qtbot.waitExposed(made):
        made.show()
    return made


class Painted(QObject):
    """Collects what is painted of a widget."""

    def __init__(self, widget):
        super().__init__(widget)
        self.region, self.times = QRegion(), 0
        widget.installEventFilter(self)

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            self.region, self.times = self.region.united(event.region()), self.times + 1
        return False


def status(history: History, state: str = "Training") -> str:
    return next(item.words for item in items_of(history, state) if isinstance(item, Status))


def progress(history: History, state: str = "Training") -> Progress:
    return next(item for item in items_of(history, state) if isinstance(item, Progress))


def test_every_readout_is_there_before_the_first_run_and_says_that_it_is_not_known(column):
    column.show_run(History(), "Ready")
    assert column.words[0] == "Ready"
    for name in ("epoch", "iteration", "elapsed", "time left", "speed", "learning rate", "gradient norm", "memory"):
        assert column.readout(name) == words.NONE
    assert column.readout("best") == column.readout("device") == column.readout("precision") == words.NONE


def test_it_says_where_the_run_is_and_how_fast(column, history):
    column.show_run(history, "Training", memory=1_240_000_000)
    said = {name: column.readout(name) for name in ("epoch", "iteration", "elapsed", "speed", "learning rate")}
    assert said == {
        "epoch": "2 of 10",
        "iteration": "3 of 938",
        "elapsed": "0:40",
        "speed": words.rate(history.rate(), "pictures/s"),
        "learning rate": "0.0003",
    }
    assert column.readout("time left") == words.clock(history.seconds_left())
    assert column.readout("gradient norm") == "1.23"
    assert column.readout("memory") == "1.24\u2009GB"
    assert column.readout("best") == "98.3\u2009% in epoch 1"
    assert column.readout("device") == "cpu, 2 threads"
    assert column.readout("precision") == "float32"
    assert "Stops after 5 more epochs without improvement." in column.words
    assert column.accessibleDescription() == "; ".join(column.words)


def test_epochs_that_a_person_changes_are_the_ones_that_are_told(column, history):
    history.apply(Changed(2, 3, "training.epochs", 10, 1200))
    column.show_run(history, "Training")
    assert column.readout("epoch") == "2 of 1,200"


def test_a_precision_that_was_measured_says_why(column):
    history = History()
    history.apply(replace(STARTED, precision="bfloat16", why="bfloat16: 1.9 times as fast here"))
    column.show_run(history, "Training")
    assert column.readout("precision") == "bfloat16"
    assert "bfloat16: 1.9 times as fast here" in column.words


def test_the_reason_of_an_ending_is_told_in_words(history):
    endings = {
        replace(ENDED, reason="finished"): "Finished",
        replace(ENDED, reason="stopped"): "Stopped by you",
        replace(ENDED, reason="patience"): "Stopped: no better validation accuracy for 5 epochs",
        replace(ENDED, reason="failed", sentence="The loss became nan."): "Failed: The loss became nan.",
    }
    for ended, said in endings.items():
        history.ended = ended
        assert status(history, "Ready") == said


def test_what_the_test_pictures_gave_is_told_at_the_end(column, history):
    history.apply(Examined(0.1, 0.9812, 10_000))
    history.apply(ENDED)
    column.show_run(history, "Finished")
    assert column.readout("test") == "98.1\u2009% of 10,000"
    assert column.readout("time left") == words.NONE
    assert not any("more epoch" in line for line in column.words)


def test_measuring_that_takes_a_while_is_told_with_how_far_it_is(history):
    history.apply(Measuring("validation", 2, 512, 10_000, history.elapsed + 0.2))
    assert progress(history) == Progress()  # it may be over in a moment
    history.apply(Measuring("validation", 2, 3000, 10_000, history.elapsed + 2))
    assert progress(history) == Progress("validating 3,000 of 10,000", 0.3)
    assert status(history) == "Training"


def test_a_pause_in_the_middle_of_measuring_says_so_at_once(history):
    history.apply(Measuring("validation", 2, 512, 10_000, history.elapsed + 0.2))
    assert status(history, "Paused") == words.doing("Paused", history) == "Paused while validating"
    assert progress(history, "Paused").words == "validating 512 of 10,000"
    history.apply(Measuring("test", 2, 512, 10_000, history.elapsed + 0.2))
    assert words.doing("Paused", history) == "Paused while testing"
    assert words.doing("Stopping", history) == "Stopping"


def test_figures_that_stay_are_not_painted_again(column, history, qtbot):
    column.show_run(history, "Training")
    column.repaint()
    painted = Painted(column)
    column.show_run(history, "Training")
    trained(history, 2, 4, began=40.0)
    column.show_run(history, "Training")
    qtbot.waitUntil(lambda: painted.times > 0)
    assert painted.region.boundingRect().height() < column.height() / 2
    assert painted.times == 1


def test_nothing_moves_while_figures_change_and_measuring_comes_and_goes(column, history):
    column.show_run(history, "Training")
    before = column.minimumHeight()
    trained(history, 2, 900, began=40.0)
    column.show_run(history, "Training", memory=10**10)
    history.apply(Measuring("validation", 2, 3000, 10_000, history.elapsed + 2))
    column.show_run(history, "Training", memory=10**10)
    assert column.minimumHeight() == before


def test_a_long_sentence_makes_the_column_higher_and_a_path_in_it_is_broken(column, history):
    column.show_run(history, "Training")
    before = column.minimumHeight()
    path = "/home/someone" + "/a-folder-with-a-name" * 6
    history.ended = replace(ENDED, reason="failed", sentence=f"The run could not be written to {path}: it is full.")
    column.show_run(history, "Failed")
    assert column.minimumHeight() == column.heightForWidth(240) > before + 60
    assert column.heightForWidth(220) > column.heightForWidth(500)
    assert path in column.words[0]  # who listens or copies gets it whole


def test_figures_keep_three_digits_that_count():
    assert [words.number(value) for value in (0.001, 3e-5, 0.05, 12.34, 1234.5, 0.0)] == [
        "0.001", "3e-5", "0.05", "12.3", "1,234", "0",
    ]  # fmt: skip
    assert [words.measured(value) for value in (1.5, 0.01234, 12.0, 1234.5, 0.0, 2e-7, 3.21e9)] == [
        "1.50", "0.0123", "12.0", "1,234", "0.00", "2.00e-7", "3.21e9",
    ]  # fmt: skip
    assert words.number(float("nan")) == words.measured(float("inf")) == words.NONE
    assert [words.size(amount) for amount in (312_400_000, 1_240_000_000)] == ["312\u2009MB", "1.24\u2009GB"]
