"""The run bar's menus and words: what is chosen acts at once, and what is measured is told."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from gui_lab.core.events import Changed, EpochEnded, Measuring
from gui_lab.core.runs import Run
from gui_lab.qt.runbar import RunBar, Sparkline
from gui_lab.qt.running import RunControl, State
from gui_lab.qt.session import Session


@pytest.fixture
def control(qtbot, quick, tmp_path):
    session = Session(quick.edited("training.epochs", 1000))
    with qtbot.waitSignal(session.pins_changed, timeout=10_000):
        session.open_images()
    session.set_ready()
    made = RunControl(session, tmp_path / "runs")
    yield made
    made.close()
    session.close()


@pytest.fixture
def bar(qtbot, control):
    made = RunBar()
    qtbot.addWidget(made)
    made.steer(control)
    made.resize(1024, 50)
    with qtbot.waitExposed(made):
        made.show()
    return made


def choose(qtbot, more, words: str) -> None:
    """Open the menu beside a button and click the action with these words."""
    qtbot.mouseClick(more, Qt.MouseButton.LeftButton)
    menu = QApplication.activePopupWidget()
    assert menu is more.menu_above
    action = next(action for action in menu.actions() if action.text() == words)
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())
    qtbot.waitUntil(lambda: not menu.isVisible())


def paused(qtbot, control) -> None:
    qtbot.waitUntil(lambda: control.state == State.PAUSED, timeout=60_000)


def test_so_many_batches_are_trained_and_then_it_waits(bar, control, qtbot):
    choose(qtbot, bar.more_batches, "10 batches")
    paused(qtbot, control)
    assert len(control.history.loss) == 10
    choose(qtbot, bar.more_batches, "One batch")
    qtbot.waitUntil(lambda: len(control.history.loss) == 11, timeout=60_000)
    paused(qtbot, control)


def test_the_rest_of_an_epoch_is_trained_with_its_validation(bar, control, qtbot, tmp_path):
    control.one_batch()
    paused(qtbot, control)
    choose(qtbot, bar.more_batches, "To the end of the epoch")
    qtbot.waitUntil(lambda: control.state == State.PAUSED and control.history.epochs == 1, timeout=60_000)
    plain = Run(control.experiment, control.images, tmp_path / "plain")
    first_epoch = next(event for event in plain.events() if isinstance(event, EpochEnded))
    assert len(control.history.loss) == control.history.started.iterations
    assert control.history.best_accuracy == first_epoch.validation_accuracy


def test_stop_keeps_the_weights_and_discard_does_not(bar, control, qtbot, monkeypatch):
    asked = []
    monkeypatch.setattr(control, "stop", lambda: asked.append("stop"))
    monkeypatch.setattr(control, "discard", lambda: asked.append("discard"))
    other = RunBar()
    qtbot.addWidget(other)
    other.steer(control)
    other.show()
    other.more_stop.setEnabled(True)
    choose(qtbot, other.more_stop, "Stop and keep")
    choose(qtbot, other.more_stop, "Discard")
    assert asked == ["stop", "discard"]


def test_an_arrow_can_be_used_when_its_button_can(bar, control, qtbot):
    def usable() -> list[bool]:
        return [button.isEnabled() for button in (bar.one_batch, bar.more_batches, bar.stop, bar.more_stop)]

    assert usable() == [True, True, False, False]
    control.train()
    assert usable() == [False, False, True, True]
    control.pause()
    paused(qtbot, control)
    assert usable() == [True, True, True, True]
    control.stop()
    assert usable()[2:] == [False, False]


def test_whoever_asks_for_training_is_shown_where_it_can_be_watched(bar, control, qtbot):
    with qtbot.waitSignal(bar.training_wanted):
        bar.one_batch.click()
    paused(qtbot, control)
    with qtbot.waitSignal(bar.training_wanted):
        choose(qtbot, bar.more_batches, "10 batches")
    paused(qtbot, control)
    with qtbot.waitSignal(bar.training_wanted):
        bar.train.click()
    with qtbot.assertNotEmitted(bar.training_wanted):
        bar.pause.click()
        bar.stop.click()


def test_figures_are_those_of_now_as_often_as_the_run_says_something(bar, control, qtbot):
    control.one_batch()
    paused(qtbot, control)
    control.history.apply(Measuring("validation", 1, 3000, 10_000, control.history.elapsed + 0.1))
    assert "iteration 1/" in bar.where.text()
    control.said.emit()
    assert bar.where.text() == "epoch 1/1000   validating 3,000/10,000"


def test_a_pause_in_the_middle_of_measuring_is_told(bar, control, qtbot):
    control.one_batch()
    paused(qtbot, control)
    history = control.history
    assert "iteration 1/" in bar.where.text()
    history.apply(Measuring("validation", 1, 3000, 10_000, history.elapsed + 0.1))
    bar.refresh()
    assert bar.state.text() == "Paused"
    assert bar.where.text() == "epoch 1/1000   validating 3,000/10,000"


def test_epochs_that_were_changed_while_it_runs_are_the_ones_shown(bar, control, qtbot):
    control.batches(10)
    paused(qtbot, control)
    history = control.history
    history.apply(Changed(1, 10, "training.epochs", 1000, 1))
    bar.refresh()
    assert bar.where.text().startswith("epoch 1/1 ")
    assert bar.run_progress.value() == 1000 * 10 // history.started.iterations


def test_in_a_narrow_bar_the_curve_makes_room_for_the_words(bar, control, qtbot):
    control.one_batch()
    paused(qtbot, control)
    history = control.history
    history.apply(Measuring("validation", 1, 3000, 10_000, history.elapsed + 0.1))
    bar.refresh()
    assert not bar.sparkline.isVisible()
    assert bar.minimumSizeHint().width() <= 1000  # the smallest window
    assert bar.state.width() >= bar.state.fontMetrics().horizontalAdvance("Paused")
    bar.resize(1280, 50)
    assert bar.sparkline.isVisible()


def test_the_tiny_curve_goes_from_the_first_value_to_the_last_however_many_there_are(qtbot):
    curve = Sparkline()
    qtbot.addWidget(curve)

    def ink(x: int) -> list[int]:
        picture = curve.grab().toImage()
        return [y for y in range(curve.height()) if picture.pixelColor(x, y) != picture.pixelColor(0, 0)]

    for count in (50, 100_000):
        curve.show_values(np.linspace(1.0, 0.0, count))
        assert max(ink(2)) < curve.height() / 3
        assert min(ink(curve.width() - 3)) > curve.height() * 2 / 3


def test_nothing_moves_under_the_pointer_when_the_run_starts_and_pauses(bar, control, qtbot):
    def places() -> list[int]:
        QApplication.processEvents()
        return [button.x() for button in (bar.pause, bar.one_batch, bar.more_batches, bar.stop, bar.more_stop)]

    before = places()
    control.batches(1)
    paused(qtbot, control)
    assert bar.train.text() == "Carry on"
    assert places() == before
