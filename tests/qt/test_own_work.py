"""What a concept sees of a person's own work: the weights and the place of the run, as long as they are of what is
chosen."""

from __future__ import annotations

import pytest

from gui_lab.qt.own_work import own_work
from gui_lab.qt.running import SNAPSHOTS_AT_MOST, RunControl, State
from gui_lab.qt.session import Session


@pytest.fixture
def session(qtbot, quick):
    made = Session(quick)
    with qtbot.waitSignal(made.pins_changed, timeout=10_000):
        made.open_images()
    made.set_ready()
    yield made
    made.close()


@pytest.fixture
def control(session, tmp_path):
    made = RunControl(session, tmp_path / "runs")
    yield made
    made.close()


def ended(qtbot, control) -> None:
    qtbot.waitUntil(lambda: not control.running, timeout=60_000)


def test_before_a_run_there_are_pictures_and_nothing_else(session, control):
    own = own_work(session, control)
    assert own.images is session.images
    assert (own.weights, own.snapshots, own.place) == (None, (), None)


def test_each_epoch_of_a_run_leaves_a_snapshot(session, control, qtbot):
    control.train()
    ended(qtbot, control)
    own = own_work(session, control)
    assert [one.epoch for one in own.snapshots] == [1, 2]
    assert own.weights is own.snapshots[-1]
    assert own.place is None
    first, last = (one.state for one in own.snapshots)
    assert any((first[key] != last[key]).any() for key in first)


def test_a_long_run_keeps_snapshots_of_its_whole_length(session, control, qtbot):
    session.edit("training.epochs", 60)
    control.train()
    ended(qtbot, control)
    epochs = [one.epoch for one in own_work(session, control).snapshots]
    assert len(epochs) <= SNAPSHOTS_AT_MOST
    assert (epochs[0], epochs[-1]) == (1, 60)
    assert epochs == sorted(set(epochs))


def test_weights_count_only_for_the_network_that_is_chosen(session, control, qtbot):
    control.train()
    ended(qtbot, control)
    session.edit("model", "MLP")
    assert own_work(session, control).weights is None
    session.undo()
    assert own_work(session, control).weights is not None


def test_the_place_is_told_while_the_run_goes_on_with_the_batches_that_are_chosen(session, control, qtbot):
    control.batches(3)
    qtbot.waitUntil(lambda: control.state == State.PAUSED, timeout=60_000)
    assert own_work(session, control).place == (1, 3)
    session.edit("training.batch_size", 32)
    assert own_work(session, control).place is None
    session.undo()
    assert own_work(session, control).place == (1, 3)


def test_weights_follow_a_run_while_they_are_wanted(session, control, qtbot):
    control.want_weights(True)
    control.batches(2)
    qtbot.waitUntil(lambda: control.weights is not None and control.weights.iteration == 2, timeout=60_000)
    assert not control.weights.of_epoch
