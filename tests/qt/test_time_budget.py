"""The time budget's window: a trial says what fits, one press uses it, and the run tells how right it was."""

from __future__ import annotations

from functools import partial

import pytest
from PySide6.QtWidgets import QPushButton, QWidget

from gui_lab.core import budget
from gui_lab.core.budget import Trial, Trying
from gui_lab.errors import OutOfMemory
from gui_lab.qt import words
from gui_lab.qt.running import RunControl, State
from gui_lab.qt.session import Session
from gui_lab.qt.time_budget import TimeBudget


@pytest.fixture
def control(quick, qtbot):
    session = Session(quick)
    with qtbot.waitSignal(session.pins_changed, timeout=10_000):
        session.open_images()
    session.set_ready()
    made = RunControl(session)
    yield made
    made.close()
    session.close()


@pytest.fixture
def panel(control, qtbot):
    home = QWidget()
    qtbot.addWidget(home)
    made = TimeBudget(control.session, control, home)
    made.open()
    yield made
    made.close_down()


def button(panel, name: str) -> QPushButton:
    return panel.findChild(QPushButton, f"time_budget.{name}")


def told(panel) -> dict[str, str]:
    return {name: fact.text() for name, fact in panel.facts.items()}


def trial(batch_size: int = 128, per_epoch: float = 12.5) -> Trial:
    return Trial(
        batch_size=batch_size, samples=1437, iterations=42, seconds_per_iteration=0.1, seconds_per_epoch=per_epoch,
        seconds_after=0.0, seconds_to_start=0.5, memory=300 * 2**20, device="cpu", precision="float32",
    )  # fmt: skip


def trying(*found: Trial):
    """In place of the trials: what they find, at once."""

    def trials(experiment, images, available):
        yield Trying(experiment.training.batch_size, 0.5)
        return list(found)

    return trials


def tried(panel, qtbot) -> None:
    button(panel, "run").click()
    qtbot.waitUntil(lambda: not panel.busy, timeout=30_000)


def test_a_real_trial_fills_in_what_it_measured_and_a_run_tells_how_right_it_was(panel, control, monkeypatch, qtbot):
    monkeypatch.setattr(budget, "trials", partial(budget.trials, seconds=0.2))
    assert set(told(panel).values()) == {words.NONE}
    tried(panel, qtbot)
    assert told(panel)["rate"].endswith("pictures/s")
    assert told(panel)["memory"].endswith("MiB")
    assert told(panel)["device"] == "cpu, float32"
    assert panel.proposal.fits
    assert control.why_not() == ""
    with qtbot.waitSignal(panel.judged, timeout=30_000) as said:
        control.train()
    assert said.args[0].startswith("It was to take ")
    assert panel.verdict.text() == said.args[0]


def test_use_it_sets_epochs_and_batch_size_in_one_step(panel, control, monkeypatch, qtbot):
    session, before = control.session, control.session.experiment
    monkeypatch.setattr(budget, "trials", trying(trial(per_epoch=400), trial(batch_size=512, per_epoch=100)))
    tried(panel, qtbot)
    assert "2 epochs of 1:40 each with batches of 512" in panel.words.text()
    assert told(panel)["epoch"] == "1:40 with batches of 512"
    button(panel, "use").click()
    training = session.experiment.training
    assert (training.epochs, training.batch_size) == (2, 512)
    assert button(panel, "use").text() == "In use"
    session.undo()
    assert session.experiment == before
    assert panel.proposal is not None


def test_another_time_is_proposed_for_without_another_trial(panel, monkeypatch, qtbot):
    monkeypatch.setattr(budget, "trials", trying(trial()))
    tried(panel, qtbot)
    assert panel.proposal.epochs == 23
    panel.minutes.setValue(1)
    assert panel.proposal.epochs == 4
    panel.minutes.setValue(0.1)
    assert not panel.proposal.fits
    assert not button(panel, "use").isEnabled()
    assert "Not even one epoch" in panel.words.text()


def test_no_time_at_all_is_refused_in_a_sentence(panel, control):
    panel.minutes.setValue(0)
    assert "name some minutes" in panel.words.text()
    assert not button(panel, "run").isEnabled()
    panel.try_or_stop()
    assert not panel.busy


def test_what_was_tried_is_forgotten_when_it_no_longer_holds(panel, control, monkeypatch, qtbot):
    session = control.session
    monkeypatch.setattr(budget, "trials", trying(trial()))
    tried(panel, qtbot)
    session.edit("optimizer.lr", 0.02)
    session.edit("training.epochs", 3)
    assert panel.proposal is not None
    session.edit("model", "MLP")
    assert panel.proposal is None
    assert set(told(panel).values()) == {words.NONE}
    assert not button(panel, "use").isEnabled()


def test_a_run_that_was_not_tried_or_did_not_end_by_itself_is_not_judged(panel, control, monkeypatch, qtbot):
    monkeypatch.setattr(budget, "trials", trying(trial()))
    tried(panel, qtbot)
    control.session.edit("training.batch_size", 64)
    control.train()
    qtbot.waitUntil(lambda: control.state == State.IDLE, timeout=30_000)
    assert panel.verdict.text() == ""
    control.session.edit("training.batch_size", 128)
    control.session.edit("training.epochs", 9000)
    control.train()
    qtbot.waitUntil(lambda: len(control.history.loss) > 0, timeout=30_000)
    control.stop()
    qtbot.waitUntil(lambda: control.state == State.IDLE, timeout=30_000)
    assert panel.verdict.text() == ""


def test_no_run_starts_beside_a_trial_and_none_is_tried_beside_a_run(panel, control, qtbot):
    button(panel, "run").click()
    assert control.why_not() == "The time budget is being tried."
    control.train()
    assert not control.running
    button(panel, "run").click()
    qtbot.waitUntil(lambda: not panel.busy, timeout=30_000)
    assert "Stopped" in panel.status.text()
    control.session.edit("training.epochs", 9000)
    control.train()
    assert not button(panel, "run").isEnabled()
    panel.try_or_stop()
    assert not panel.busy


def test_closing_in_the_midst_of_a_trial_ends_it(panel, control, qtbot):
    button(panel, "run").click()
    button(panel, "close").click()
    qtbot.waitUntil(lambda: not panel.busy, timeout=30_000)
    panel.open()
    button(panel, "run").click()
    panel.close_down()
    assert control.why_not() == ""


def test_what_fails_is_said_with_its_remedy(panel, control, monkeypatch, qtbot):
    def fail(experiment, images, available):
        raise OutOfMemory("There is not enough memory.", "Use a smaller batch size.")
        yield

    monkeypatch.setattr(budget, "trials", fail)
    tried(panel, qtbot)
    assert panel.status.text() == "There is not enough memory. Use a smaller batch size."
    assert panel.status.property("role") == "error"
    assert panel.proposal is None
    assert control.why_not() == ""
