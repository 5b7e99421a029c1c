"""The window's question where to branch: the epochs that are kept, what will differ, and what does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton, QWidget

from gui_lab.core.comparing import Difference, differences
from gui_lab.core.experiment import default
from gui_lab.qt.branching import Brancher
from gui_lab.qt.running import RunControl, State
from gui_lab.qt.session import Session


@pytest.fixture
def control(quick, qtbot, tmp_path):
    session = Session(quick)
    with qtbot.waitSignal(session.pins_changed, timeout=10_000):
        session.open_images()
    session.set_ready()
    session.edit("training.epochs", 4)
    made = RunControl(session, tmp_path / "runs")
    made.train()
    qtbot.waitUntil(lambda: not made.running, timeout=30_000)
    yield made
    made.close()
    session.close()


@pytest.fixture
def brancher(control, qtbot):
    home = QWidget()
    qtbot.addWidget(home)
    made = Brancher(control, home)
    yield made
    made.close()


def offered(brancher) -> list[str]:
    return [brancher.epoch.itemText(row) for row in range(brancher.epoch.count())]


def problems(brancher) -> list[str]:
    return [line._problem.sentence for line in brancher.problems._lines]


def test_the_epochs_that_are_kept_are_offered_the_newest_first_and_the_best_is_told(brancher, control):
    brancher.ask()
    assert [text.partition(":")[0] for text in offered(brancher)] == ["4", "3", "2", "1"]
    best = control.history.best_epoch
    assert [text.endswith(", the best") for text in offered(brancher)] == [epoch == best for epoch in (4, 3, 2, 1)]


@pytest.mark.parametrize(("wanted", "chosen"), [(None, 4), (2, 2), (99, 4)])
def test_it_opens_at_the_epoch_that_was_pointed_at(brancher, wanted, chosen):
    brancher.ask(wanted)
    assert brancher.epoch.currentData() == chosen


def test_it_says_that_nothing_differs_or_what_does(brancher, control):
    brancher.ask(2)
    assert brancher.changes.text() == "No setting differs: the new run will do the same, to the last bit."
    control.session.edit("optimizer.lr", 0.0005)
    control.session.edit("training.epochs", 12)
    assert brancher.changes.text() == "From there on: lr 0.001 to 0.0005; epochs 4 to 12."
    control.session.edit("optimizer", "SGD")
    assert brancher.changes.text() == "From there on: optimizer Adam to SGD; epochs 4 to 12."
    assert problems(brancher) == [
        "What Adam remembers of the run is left behind: the optimiser remembers other things."
    ]
    assert brancher.begin.isEnabled()


def test_what_does_not_fit_is_repaired_by_one_press(brancher, control, qtbot):
    brancher.ask(4)
    assert problems(brancher) == ["The plan is 4 epochs, and 4 are over where it branches."]
    assert not brancher.begin.isEnabled()
    assert not brancher.changes.isVisible()
    repair = brancher.findChild(QPushButton, "branch.repair.0")
    repair.click()
    assert control.session.experiment.training.epochs == 14
    assert brancher.begin.isEnabled()
    brancher.begin.click()
    assert not brancher.isVisible()
    qtbot.waitUntil(lambda: control.history.branched is not None, timeout=30_000)
    qtbot.waitUntil(lambda: not control.running, timeout=30_000)
    assert control.history.epochs == 14


def test_while_the_run_goes_on_it_says_that_it_is_stopped_and_kept(brancher, control, qtbot):
    control.session.edit("training.epochs", 10_000)
    control.train()
    qtbot.waitUntil(lambda: control.history.epochs >= 1, timeout=30_000)
    brancher.ask()
    assert brancher.note.text() == "The run that goes on is stopped first, and kept."
    assert brancher.begin.isEnabled()
    control.session.edit("loss", "NLLLoss")
    assert brancher.note.text() == control.why_not() != ""
    assert not brancher.begin.isEnabled()
    control.session.edit("loss", "CrossEntropyLoss")
    control.stop()
    assert brancher.note.text() == "Once the run has stopped."
    assert not brancher.begin.isEnabled()
    qtbot.waitUntil(lambda: not control.running, timeout=30_000)
    assert not brancher.note.isVisible()


def test_other_pictures_that_are_still_opened_let_nothing_begin(brancher, control):
    control.session.edit("dataset", {"name": "Shapes", "count": 400})
    brancher.ask(2)
    assert problems(brancher) == ["The pictures are being opened."]
    assert not brancher.begin.isEnabled()


def test_a_run_whose_files_are_gone_is_told(brancher, control):
    epochs = Path(control.history.started.run) / "epochs"
    for file in epochs.iterdir():
        file.write_bytes(b"damaged")
    brancher.ask(3)
    assert problems(brancher)[0].startswith("What was kept of that epoch cannot be read: 0003.safetensors is not there")
    for file in epochs.iterdir():
        file.unlink()
    brancher.ask()
    assert offered(brancher) == []
    assert problems(brancher)[0].startswith("There is nothing to begin from in")
    assert not brancher.begin.isEnabled()


def test_an_epoch_that_is_gone_when_the_answer_comes_is_told_and_the_run_goes_on(brancher, control, qtbot):
    control.session.edit("training.epochs", 10_000)
    control.train()
    qtbot.waitUntil(lambda: control.history.epochs >= 2, timeout=30_000)
    brancher.ask(1)
    (Path(control.history.started.run) / "epochs" / "0001.safetensors").unlink()
    brancher.begin.click()
    assert brancher.isVisible()
    assert "Epoch 1 of" in problems(brancher)[0]
    assert control.state == State.TRAINING


def test_it_asks_about_the_run_it_was_opened_for(brancher, control, qtbot):
    first = control.history.started.run
    brancher.ask(2)
    control.session.edit("training.epochs", 6)
    control.train()
    qtbot.waitUntil(lambda: control.history.epochs >= 1, timeout=30_000)
    brancher.begin.click()
    qtbot.waitUntil(lambda: control.history.branched is not None, timeout=30_000)
    assert control.history.branched.run == Path(first).name


def test_differences_are_told_by_section_list_or_field():
    one = default()
    other = one.edited("model", "LeNet5").edited("transforms", []).edited("training.seed", 7)
    assert differences(one, other) == [
        Difference("transforms", None, None),
        Difference("model", "MNISTNet", "LeNet5"),
        Difference("training.seed", 1, 7),
    ]
    assert differences(one, one) == []
