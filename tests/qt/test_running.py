"""The window's run: steering, pulling, failing, closing; and the idiom for previews."""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from gui_lab.core import checkpoints, training
from gui_lab.core.experiment import default
from gui_lab.core.runs import Run
from gui_lab.errors import LossNotFinite, StoreError
from gui_lab.qt.running import RunControl, State
from gui_lab.qt.session import Session
from gui_lab.qt.threads import Failed, Latest
from gui_lab.qt.turns import TURNS


@pytest.fixture
def control(qtbot, quick, tmp_path):
    session = Session(quick)
    with qtbot.waitSignal(session.pins_changed, timeout=10_000):
        session.open_images()
    session.set_ready()
    made = RunControl(session, tmp_path / "runs")
    yield made
    made.close()
    session.close()


def ended(control, qtbot):
    qtbot.waitUntil(lambda: not control.running, timeout=30_000)


def test_a_run_trains_to_its_end_and_the_history_has_all_of_it(control, qtbot):
    control.train()
    assert control.running
    ended(control, qtbot)
    started = control.history.started
    assert control.history.ended.reason == "finished"
    assert len(control.history.loss) == started.epochs * started.iterations
    assert control.in_words() == "Finished"
    assert (Path(started.run) / "last.safetensors").exists()


def test_the_window_and_a_plain_loop_end_with_the_same_weights(control, qtbot, tmp_path):
    control.session.edit("model", "MNISTNet")  # dropout draws from torch's generator while pins are probed
    control.train()
    qtbot.waitUntil(lambda: len(control.history.loss) > 3, timeout=30_000)
    control.pause()
    qtbot.waitUntil(lambda: control.state == State.PAUSED, timeout=30_000)
    torch.rand(7)
    control.train()
    ended(control, qtbot)
    plain = Run(control.experiment, control.images, tmp_path / "other")
    *_, last = plain.events()
    assert control.history.ended.weights_sha256 == last.weights_sha256


def test_what_is_news_is_announced_in_turns_and_all_of_it_at_the_end(control, qtbot):
    control.session.edit("training.epochs", 400)
    control.session.pin(0, True)
    turns, pulls = [], [0]
    for name in ("advanced", "looked", "said"):
        getattr(control, name).connect(lambda name=name: turns.append((name, pulls[0])))
    pull = control.pull
    control._timer.timeout.disconnect()
    control._timer.timeout.connect(lambda: (pull(), pulls.__setitem__(0, pulls[0] + 1)))
    control.train()
    qtbot.waitUntil(lambda: pulls[0] >= 12, timeout=30_000)
    control.stop()
    ended(control, qtbot)
    within = [[name for name, pull in turns if pull == number] for number in range(12)]
    assert ["looked", "said", "advanced"] in within  # those of the pull before come first, each in an event of its own
    assert not control._say_timer.isActive()
    assert not control._look_timer.isActive()


def test_what_came_just_after_something_was_said_is_said_though_nothing_follows(control, qtbot):
    times = []
    control.said.connect(lambda: times.append(time.monotonic()))
    control.said.emit()
    control._say_in_time()
    qtbot.waitUntil(lambda: len(times) == 2)
    qtbot.wait(300)
    assert len(times) == 2
    assert times[1] - times[0] > 0.15  # and not sooner than somebody can read


def test_one_batch_starts_a_run_and_then_steps_it(control, qtbot):
    control.one_batch()
    qtbot.waitUntil(lambda: control.state == State.PAUSED, timeout=30_000)
    assert len(control.history.loss) == 1
    control.one_batch()
    qtbot.waitUntil(lambda: control.state == State.PAUSED and len(control.history.loss) == 2, timeout=30_000)
    control.stop()
    ended(control, qtbot)
    assert control.history.ended.reason == "stopped"


def test_who_carries_on_before_the_pause_was_told_trains_on(control, qtbot):
    control.session.edit("training.epochs", 9_000)
    control.train()
    qtbot.waitUntil(lambda: len(control.history.loss) > 3, timeout=30_000)
    control.pause()
    time.sleep(0.3)  # the run waits by now, and the window does not know
    control.train()
    before = len(control.history.loss)
    qtbot.waitUntil(lambda: len(control.history.loss) > before + 3, timeout=30_000)
    assert control.state == State.TRAINING


def test_closing_while_a_pull_waits_for_its_turn_pulls_once_and_all(control, qtbot):
    control.session.edit("training.epochs", 9_000)
    control.train()
    qtbot.waitUntil(lambda: len(control.history.loss) > 3, timeout=30_000)
    TURNS.ask(control.pull)
    control.pause()
    time.sleep(0.3)  # the pause is in the mailbox by now
    control.close()
    assert not control.running
    assert control.history.ended.reason == "stopped"


def test_a_control_that_nobody_holds_goes_with_all_its_history(quick, qtbot, tmp_path):
    session = Session(quick)
    held = weakref.ref(RunControl(session, tmp_path / "runs"))
    gc.collect()
    assert held() is None
    session.close()


def test_stopping_twice_is_harmless_and_keeps_the_weights(control, qtbot):
    control.session.edit("training.epochs", 1000)
    control.train()
    qtbot.waitUntil(lambda: len(control.history.loss) > 0, timeout=30_000)
    control.stop()
    control.stop()
    ended(control, qtbot)
    assert control.history.ended.reason == "stopped"
    assert (Path(control.history.started.run) / "last.safetensors").exists()


def test_stopping_before_the_first_batch_ends_cleanly(control, qtbot):
    control.train()
    control.stop()
    ended(control, qtbot)
    assert control.history.ended.reason == "stopped"


def test_editing_while_training_leaves_the_run_as_it_began(control, qtbot):
    control.session.edit("training.epochs", 500)
    control.train()
    control.session.edit("training.batch_size", 200)
    control.session.edit("dataset", {"name": "Shapes", "count": 400})
    qtbot.waitUntil(lambda: len(control.history.loss) > 20, timeout=30_000)
    assert control.history.started.epochs == 500
    assert control.history.started.batch_size == control.experiment.training.batch_size != 200
    assert control.experiment.dataset.name_of() == "Digits"


def test_rate_epochs_and_patience_act_on_the_run_that_goes_on_and_are_recorded(control, qtbot):
    control.session.edit("training.epochs", 500)
    control.train()
    qtbot.waitUntil(lambda: len(control.history.loss) > 3, timeout=30_000)
    control.session.edit("optimizer.lr", 0.0002)
    control.session.edit("training.patience", 400)
    qtbot.waitUntil(lambda: control.history.lr.values[-1] == 0.0002, timeout=30_000)
    control.session.edit("training.epochs", 1)
    ended(control, qtbot)
    assert control.history.ended.reason == "finished"
    log = (Path(control.history.started.run) / "metrics.jsonl").read_text().splitlines()
    changes = [event for event in map(json.loads, log) if event["event"] == "changed"]
    assert [(event["setting"], event["after"]) for event in changes] == [
        ("optimizer.lr", 0.0002), ("training.patience", 400), ("training.epochs", 1),
    ]  # fmt: skip


def test_another_optimiser_is_for_the_next_run(control, qtbot):
    control.session.edit("training.epochs", 500)
    control.train()
    qtbot.waitUntil(lambda: len(control.history.loss) > 3, timeout=30_000)
    rate = control.history.lr.values[-1]
    control.session.edit("optimizer", "Adadelta")
    control.session.edit("training.patience", 300)  # arrives after it
    qtbot.waitUntil(lambda: len(control.history.marks) == 1, timeout=30_000)
    assert control.history.lr.values[-1] == rate


def test_several_batches_and_an_epoch_end_in_a_pause(control, qtbot):
    control.batches(3)
    qtbot.waitUntil(lambda: control.state == State.PAUSED, timeout=30_000)
    assert len(control.history.loss) == 3
    control.one_epoch()
    qtbot.waitUntil(lambda: control.state == State.PAUSED and control.history.epochs == 1, timeout=30_000)
    assert len(control.history.loss) == control.history.started.iterations
    assert [mark.kind for mark in control.history.marks] == ["paused", "paused"]
    control.stop()
    ended(control, qtbot)


def test_a_run_that_is_discarded_leaves_nothing(control, qtbot, monkeypatch):
    monkeypatch.setattr("PySide6.QtCore.QFile.moveToTrash", lambda *_: False)  # the tests have no bin
    control.batches(2)
    qtbot.waitUntil(lambda: control.state == State.PAUSED, timeout=30_000)
    folder = Path(control.history.started.run)
    assert folder.exists()
    control.discard()
    qtbot.waitUntil(lambda: not control.running, timeout=30_000)
    assert not folder.exists()
    assert control.history.started is None
    assert control.in_words() == "Ready"


def test_pausing_while_it_validates_waits_there(control, qtbot, monkeypatch):
    measuring = training.measuring

    def slowly(*given):
        for event in measuring(*given):
            time.sleep(0.003)  # a machine on which a validation takes longer than the window's next look
            yield event

    monkeypatch.setattr(training, "_EVALUATION_BATCH", 1)
    monkeypatch.setattr(training, "measuring", slowly)
    control.session.edit("training.epochs", 2)
    control.train()
    qtbot.waitUntil(lambda: control.history.measuring is not None, timeout=30_000)
    control.pause()
    qtbot.waitUntil(lambda: control.state == State.PAUSED, timeout=30_000)
    assert control.history.measuring is not None
    assert control.history.measuring.done < control.history.measuring.total
    control.train()
    ended(control, qtbot)
    assert control.history.ended.reason == "finished"


def test_the_batch_is_looked_at_when_it_waits_and_on_demand(control, qtbot):
    control.session.edit("training.epochs", 500)
    control.one_batch()
    qtbot.waitUntil(lambda: control.viewed is not None, timeout=30_000)
    assert (control.viewed.epoch, control.viewed.iteration) == (1, 1)
    control.watch(True)
    control.train()
    qtbot.waitUntil(lambda: control.viewed.iteration > 1 or control.viewed.epoch > 1, timeout=30_000)
    control.stop()
    ended(control, qtbot)


def test_softmax_of_pinned_pictures_comes_with_the_run_and_follows_new_pins_while_paused(control, qtbot):
    control.one_batch()
    qtbot.waitUntil(lambda: control.probed is not None and control.state == State.PAUSED, timeout=30_000)
    assert control.probed.indices == control.session.pins
    assert np.allclose(control.probed.probabilities.sum(1), 1, atol=1e-5)
    new = int(control.images.train[5])
    control.session.pin(new, True)
    qtbot.waitUntil(lambda: new in control.probed.indices, timeout=30_000)


def test_a_loss_that_is_not_finite_ends_the_run_with_its_sentence(control, qtbot):
    control.session.edit("model", {"name": "MLP", "hidden": [32, 32]})
    control.session.edit("optimizer", {"name": "SGD", "lr": 1e9})
    with qtbot.waitSignal(control.failed, timeout=30_000) as said:
        control.train()
    assert isinstance(said.args[0].error, LossNotFinite)
    ended(control, qtbot)
    assert control.in_words() == "Failed"
    assert not control.why_not()


def test_a_run_folder_that_cannot_be_written_ends_the_run_with_a_remedy(control, qtbot, tmp_path):
    (tmp_path / "runs").write_text("a file is in the way")
    with qtbot.waitSignal(control.failed, timeout=30_000) as said:
        control.train()
    assert isinstance(said.args[0].error, StoreError)


def test_a_bug_in_the_run_thread_arrives_with_its_traceback(control, qtbot, monkeypatch):
    monkeypatch.setattr("gui_lab.core.training._Stepper.step", lambda *_: 1 / 0)
    with qtbot.waitSignal(control.failed, timeout=30_000) as said:
        control.train()
    assert isinstance(said.args[0].error, ZeroDivisionError)
    assert "ZeroDivisionError" in said.args[0].trace


def test_training_waits_for_torch_pictures_and_a_sound_experiment(qtbot, quick, tmp_path):
    session = Session(quick)
    control = RunControl(session, tmp_path)
    assert control.why_not() == "PyTorch is loading."
    session.set_ready()
    assert "opened" in control.why_not()
    with qtbot.waitSignal(session.pins_changed, timeout=10_000):
        session.open_images()
    assert control.why_not() == ""
    session.edit("transforms", ())
    assert "float tensors" in control.why_not()
    control.train()
    assert not control.running
    session.close()


def test_closing_while_training_stops_the_thread_and_keeps_the_weights(control, qtbot):
    control.session.edit("training.epochs", 1000)
    control.train()
    qtbot.waitUntil(lambda: len(control.history.loss) > 0, timeout=30_000)
    control.close()
    assert not control.running
    assert control.history.ended.reason == "stopped"


def test_of_many_requests_only_the_newest_is_delivered(qtbot):
    latest, seen, began = Latest(), [], threading.Event()
    go_on = threading.Event()
    latest.arrived.connect(seen.append)

    def slow():
        began.set()
        go_on.wait(10)
        return "first"

    latest.ask(slow)
    began.wait(10)
    for number in range(50):
        latest.ask(lambda number=number: number)
    go_on.set()
    qtbot.waitUntil(lambda: not latest.busy, timeout=10_000)
    assert seen == [49]
    latest.close()


def test_a_failing_request_is_told_and_the_next_one_works(qtbot):
    latest = Latest()
    with qtbot.waitSignal(latest.failed) as said:
        latest.ask(lambda: 1 / 0)
    assert isinstance(said.args[0], Failed)
    with qtbot.waitSignal(latest.arrived) as said:
        latest.ask(lambda: default().training.epochs)
    assert said.args[0] == default().training.epochs
    latest.close()


@pytest.mark.skipif(sys.platform != "linux", reason="GNU's OpenMP ends a team with who it is for, others keep it")
def test_a_thread_that_has_nothing_to_do_ends_and_so_do_those_that_helped_it(qtbot):
    def alive():
        return {thread.id for thread in psutil.Process().threads()}

    def summed():
        torch.set_num_threads(2)  # of this thread, and of those that begin after it
        return float(torch.ones(4_000_000).sum()), alive()

    latest, usual = Latest(), torch.get_num_threads()
    before, found = alive(), []
    latest.arrived.connect(found.append)
    latest.ask(summed)
    qtbot.waitUntil(lambda: bool(found), timeout=30_000)
    torch.set_num_threads(usual)
    total, meanwhile = found[0]
    assert total == 4_000_000
    assert len(meanwhile - before) == 2
    qtbot.waitUntil(lambda: not (meanwhile - before) & alive(), timeout=10_000)
    latest.close()


def test_a_run_that_is_over_is_branched_with_the_settings_as_they_are_now(control, qtbot):
    control.session.edit("training.epochs", 4)
    control.train()
    ended(control, qtbot)
    first = control.history
    control.session.edit("optimizer.lr", 0.0005)
    control.branch(Path(first.started.run), 2)
    qtbot.waitUntil(lambda: control.history.branched is not None, timeout=30_000)
    ended(control, qtbot)
    history = control.history
    begun = 2 * history.started.iterations
    assert history.started.run != first.started.run
    assert (history.branched.run, history.branched.epoch) == (Path(first.started.run).name, 2)
    assert np.array_equal(history.loss.values[:begun], first.loss.values[:begun])
    assert set(history.lr.values[begun:]) == {0.0005}
    assert [mark.kind for mark in history.marks] == ["branched"]
    assert (history.epochs, history.ended.reason) == (4, "finished")


def test_a_run_that_goes_on_is_stopped_and_kept_before_it_is_branched(control, qtbot):
    control.session.edit("training.epochs", 10_000)
    control.train()
    qtbot.waitUntil(lambda: control.history.epochs >= 2, timeout=30_000)
    first = Path(control.history.started.run)
    control.branch(first, 1)
    qtbot.waitUntil(lambda: control.history.branched is not None, timeout=30_000)
    assert control.running
    assert json.loads((first / "metrics.jsonl").read_text().splitlines()[-1])["reason"] == "stopped"
    control.pause()
    qtbot.waitUntil(lambda: control.state == State.PAUSED, timeout=30_000)
    control.stop()
    ended(control, qtbot)
    assert control.history.started.run != str(first)


def test_what_is_shown_of_a_branch_is_its_own_network_from_where_it_begins(control, qtbot):
    control.session.edit("training.epochs", 3)
    control.train()
    ended(control, qtbot)
    control.branch(Path(control.history.started.run), 2)
    qtbot.waitUntil(lambda: control.history.branched is not None, timeout=30_000)
    ended(control, qtbot)
    begun = 2 * control.history.started.iterations
    seen = control.trails.of(control.pins[0]).means()
    assert np.isnan(seen[: begun - 1]).all()
    assert np.isfinite(seen[begun - 1 :]).all()
    assert [one.epoch for one in control.snapshots] == [3]


def test_a_person_who_stops_or_discards_lets_no_branch_begin(control, qtbot):
    control.session.edit("training.epochs", 10_000)
    for end in (control.stop, control.discard):
        control.train()
        qtbot.waitUntil(lambda: control.history.epochs >= 1, timeout=30_000)
        first = Path(control.history.started.run)
        control.branch(first, 1)
        end()
        ended(control, qtbot)
        assert not control.running
        assert first.exists() == (end == control.stop)
    control.train()
    qtbot.waitUntil(lambda: control.history.epochs >= 1, timeout=30_000)
    control.discard()
    control.branch(Path(control.history.started.run), 1)  # what is thrown away cannot be begun from
    ended(control, qtbot)
    assert not control.running
    assert control.failure is None


def test_a_branch_of_what_is_gone_by_then_ends_with_its_sentence_and_leaves_the_run_on_screen(control, qtbot):
    control.session.edit("training.epochs", 2)
    control.train()
    ended(control, qtbot)
    before, trained = control.history, control.experiment
    folder = Path(before.started.run)
    for file in (folder / "epochs").iterdir():
        file.unlink()
    control.session.edit("training.epochs", 5)
    control.branch(folder, 1)
    control.discard()  # of the new run: there is none
    ended(control, qtbot)
    assert isinstance(control.failure.error, StoreError)
    assert "There is nothing to begin from" in control.failure.error.sentence
    assert (control.history, control.experiment) == (before, trained)
    assert folder.exists()


def test_a_pause_of_the_other_run_does_not_pause_the_branch(control, qtbot):
    control.session.edit("training.epochs", 3)
    control.one_epoch()
    qtbot.waitUntil(lambda: control.state == State.PAUSED, timeout=30_000)
    control.train()
    ended(control, qtbot)
    control.session.edit("training.epochs", 10_000)
    control.branch(Path(control.history.started.run), 3)
    qtbot.waitUntil(lambda: control.history.epochs > 3, timeout=30_000)
    assert [mark.kind for mark in control.history.marks] == ["paused", "branched"]
    assert control.state == State.TRAINING
    control.pause()
    qtbot.waitUntil(lambda: control.state == State.PAUSED, timeout=30_000)


def test_what_is_asked_while_the_other_run_is_told_acts_on_the_branch(control, qtbot):
    control.session.edit("training.epochs", 6)
    control.train()
    ended(control, qtbot)
    control.session.edit("training.epochs", 12)
    control.branch(Path(control.history.started.run), 5)
    control.one_epoch()
    control.session.edit("training.epochs", 20)
    qtbot.waitUntil(lambda: control.state == State.PAUSED, timeout=30_000)
    assert control.history.epochs == 6
    assert [mark.kind for mark in control.history.marks] == ["branched", "changed", "paused"]
    assert control.history.epochs_planned == 20
    assert control.probed.epoch == 6


def test_a_run_that_was_stopped_for_a_branch_that_cannot_begin_is_told(control, qtbot):
    control.session.edit("training.epochs", 10_000)
    control.train()
    qtbot.waitUntil(lambda: control.history.epochs >= 1, timeout=30_000)
    control.branch(Path(control.history.started.run), 1)
    with qtbot.waitSignal(control.session.erred, timeout=30_000) as told:
        control.session.edit("loss", "NLLLoss")
    ended(control, qtbot)
    assert "The run was stopped, but the new one cannot begin: " in told.args[0].sentence


def test_an_epoch_that_is_held_outlives_those_around_it(control, qtbot, monkeypatch):
    monkeypatch.setattr(checkpoints, "_MOST", 2)
    control.session.edit("training.epochs", 10_000)
    control.train()
    control.hold_epoch(3)
    qtbot.waitUntil(lambda: control.history.epochs >= 12, timeout=30_000)
    folder = Path(control.history.started.run)
    assert 3 in checkpoints.kept(folder)
    assert 5 not in checkpoints.kept(folder)
    control.branch(folder, 3)
    qtbot.waitUntil(lambda: control.history.branched is not None, timeout=30_000)
    assert control.history.branched.epoch == 3
