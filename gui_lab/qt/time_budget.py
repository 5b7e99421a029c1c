"""The time budget: how long an epoch takes, tried for three seconds, and what fits in the time a person has.

It remembers what it foretold. When a run that was tried ends by itself, the verdict says how right that was.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui_lab.core.events import RunEnded
from gui_lab.core.experiment import Experiment
from gui_lab.errors import LabError
from gui_lab.qt import words
from gui_lab.qt.rehearsal import Rehearsal
from gui_lab.qt.running import RunControl
from gui_lab.qt.session import Session
from gui_lab.qt.theme import L, M, S, label, numbers_font, set_role, with_icon
from gui_lab.qt.threads import Failed
from gui_lab.qt.views.number_box import NumberBox
from gui_lab.schema import Knob

if TYPE_CHECKING:
    from gui_lab.core.budget import Proposal, Trial, Trying

_WIDTH = 480
_MINUTES = Knob("minutes", "float", 5.0, False, False, "", "min", False, True, None, 0.1, 10_000.0, False, False)
_FACTS = {
    "epoch": "One epoch, validation included",
    "rate": "Speed of training",
    "start": "Before the first iteration",
    "memory": "Memory in use",
    "device": "Computed on",
}
_BEGIN = "Try it, and what fits in this time is said here."
_NOT_TRIED = "Not tried yet."


class TimeBudget(QDialog):
    """Made once torch is there; `open()` shows it, and closing it stops what it does. `close_down()` before the window
    goes.

    `judged` carries the verdict after a run that was tried before it.
    """

    judged = Signal(str)

    def __init__(self, session: Session, control: RunControl, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("time_budget")
        self.setWindowTitle("Time budget")
        self.session, self.control = session, control
        self.proposal: Proposal | None = None
        self._trials: list[Trial] = []
        self._tried: Experiment | None = None
        self._judged: RunEnded | None = None
        self._rehearsal = Rehearsal(control, "The time budget is being tried.", self)
        self._rehearsal.advanced.connect(self._advance)
        self._rehearsal.ended.connect(self._take_over)
        self._rehearsal.stopped.connect(lambda: self._finish("Stopped before the end."))
        self._rehearsal.failed.connect(self._fail)
        self._lay_out()
        self.finished.connect(self._rehearsal.stop)
        self.minutes.valueChanged.connect(self._propose)
        for changed in (session.experiment_changed, session.problems_changed, session.images_changed):
            changed.connect(self._follow)
        control.state_changed.connect(self._judge)
        control.state_changed.connect(self._refresh)
        self._refresh()

    # ---------------------------------------------------------------- building

    def _lay_out(self) -> None:
        self.minutes = NumberBox(_MINUTES)
        self.minutes.setObjectName("time_budget.minutes")
        self.minutes.setAccessibleName("Minutes you have")
        self.minutes.setValue(5.0)
        self.minutes.setFixedWidth(112)
        self.run = _button("run", "Try")
        self.run.setDefault(True)
        self.run.clicked.connect(self.try_or_stop)
        self.bar = QProgressBar()
        self.bar.setObjectName("time_budget.progress")
        self.bar.setAccessibleName("Progress of the trial")
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.status = label(_NOT_TRIED, "quiet", wrap=True, name="time_budget.status")
        self.facts: dict[str, QLabel] = {}
        self.words = label(_BEGIN, "body", wrap=True, name="time_budget.words")
        self.words.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.words.setMinimumHeight(3 * self.words.fontMetrics().lineSpacing())  # the longest of them; nothing jumps
        self.use = _button("use", "Use it")
        self.use.setAccessibleName("Use the proposed epochs and batch size")
        self.use.clicked.connect(self.use_it)
        self.verdict = label("", "quiet", wrap=True, name="time_budget.verdict")
        leave = _button("close", "Close")
        leave.setAccessibleName("Close the time budget")
        leave.clicked.connect(self.reject)
        about = "Trains for three seconds and throws that away. It tells how long an epoch takes, and what fits."
        column = QVBoxLayout(self)
        column.setContentsMargins(L, L, L, L)
        column.setSpacing(M)
        for part in (label(about, "quiet", wrap=True), _row(label("I have"), self.minutes, None, self.run), self.bar):
            column.addWidget(part)
        column.addWidget(self.status)
        column.addLayout(self._fact_lines())
        column.addWidget(_line())
        column.addWidget(self.words)
        column.addWidget(self.verdict)
        column.addStretch(1)
        column.addWidget(_row(None, self.use, leave))
        self.setFixedWidth(_WIDTH)

    def _fact_lines(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(L)
        grid.setVerticalSpacing(S)
        grid.setColumnStretch(1, 1)
        for row, (name, words_before) in enumerate(_FACTS.items()):
            self.facts[name] = label(words.NONE, "body", name=f"time_budget.{name}")
            self.facts[name].setFont(numbers_font())
            self.facts[name].setAccessibleName(words_before)
            grid.addWidget(label(words_before, "quiet"), row, 0)
            grid.addWidget(self.facts[name], row, 1)
        return grid

    # ---------------------------------------------------------------- the trial

    @property
    def busy(self) -> bool:
        return self._rehearsal.busy

    def try_or_stop(self) -> None:
        """What the button does: begin a trial, or end the one under way after the batch in hand."""
        if self.busy:
            self._rehearsal.stop()
            self.run.setText("Stopping")
        elif not self._why_not():
            self._start()

    def close_down(self) -> None:
        """Stop and wait for the batch in hand; before the window is gone."""
        self._rehearsal.close_down()

    def _start(self) -> None:
        from gui_lab.core.budget import trials

        images = self.session.images
        assert images is not None
        self._forget()
        self._tried = self.session.experiment
        self._say("The network is being built.")
        self._rehearsal.begin(partial(trials, self._tried, images, self._seconds))

    def _advance(self, said: list[Trying]) -> None:
        last = said[-1]
        self.bar.setValue(round(1000 * last.part))
        self._say(f"Training with batches of {words.count(last.batch_size)}.")

    def _take_over(self, trials: list[Trial]) -> None:
        self._trials = trials
        self._finish(f"{words.count(trials[-1].iterations)} iterations were tried.")

    def _finish(self, said: str) -> None:
        self.bar.setValue(0)
        self._say(said)
        self._show_facts()
        self._propose()

    def _fail(self, failed: Failed) -> None:
        self._finish("")
        if not isinstance(failed.error, LabError):
            raise failed.error
        self._say(f"{failed.error.sentence} {failed.error.remedy}", "error")

    def _say(self, said: str, role: str = "quiet") -> None:
        self.status.setText(said)
        set_role(self.status, role)

    # ---------------------------------------------------------------- what it says

    @property
    def _seconds(self) -> float:
        return 60 * self.minutes.value()

    def _show_facts(self) -> None:
        from gui_lab.core.budget import told

        if not self._trials:
            for fact in self.facts.values():
                fact.setText(words.NONE)
            return
        trial = self._trials[-1]  # of two the one that is proposed
        batches = f" with batches of {words.count(trial.batch_size)}" if len(self._trials) > 1 else ""
        facts = {
            "epoch": f"{told(trial.seconds_per_epoch)}{batches}",
            "rate": words.rate(trial.rate, "pictures/s"),
            "start": told(trial.seconds_to_start),
            "memory": f"{trial.memory / 2**20:,.0f}{words.THIN}MiB",
            "device": f"{trial.device}, {trial.precision}",
        }
        for name, said in facts.items():
            self.facts[name].setText(said)

    def _propose(self) -> None:
        """What fits in the time that is named; again whenever another time is."""
        from gui_lab.core.budget import propose

        self.proposal = propose(self._trials, self._seconds) if self._trials and self._seconds > 0 else None
        said = self.proposal.words if self.proposal else _BEGIN
        self.words.setText(said if self._seconds > 0 else "No time at all: name some minutes.")
        self._refresh()

    def use_it(self) -> None:
        """Set the proposed epochs and batch size; one step back undoes both."""
        if self.proposal is not None and self.proposal.fits:
            training = self.session.experiment.training
            chosen = training.changed(epochs=self.proposal.epochs, batch_size=self.proposal.batch_size)
            self.session.try_edit("training", chosen)

    def _judge(self) -> None:
        """After a run that was tried: how right it was."""
        ended, run = self.control.history.ended, self.control.experiment
        if self.control.running or ended is None or ended is self._judged or run is None:
            return
        self._judged = ended
        same = [trial for trial in self._trials if trial.batch_size == run.training.batch_size]
        whole = ended.reason == "finished" and ended.epoch == run.training.epochs
        if not same or not whole or self._tried is None or _pace(run) != _pace(self._tried):
            return
        from gui_lab.core.budget import verdict

        self.verdict.setText(verdict(same[0].seconds(run.training.epochs), ended.seconds))
        self.judged.emit(self.verdict.text())

    # ---------------------------------------------------------------- what can be done

    def _follow(self) -> None:
        """What was tried is forgotten once something is edited that makes a run faster or slower."""
        if self._tried is not None and not self.busy and _pace(self.session.experiment) != _pace(self._tried):
            self._forget()
        self._refresh()

    def _forget(self) -> None:
        self._trials, self._tried = [], None
        self._say(_NOT_TRIED)
        self.verdict.setText("")
        self._show_facts()
        self._propose()

    def _why_not(self) -> str:
        if self.control.running:
            return "Once the run has ended."
        return self.control.why_not() if self._seconds > 0 else "Name some minutes first."

    def _refresh(self) -> None:
        why = "" if self.busy else self._why_not()
        self.run.setText("Stop" if self.busy else "Try again" if self._trials else "Try")
        self.run.setAccessibleName("Stop the trial" if self.busy else "Try for three seconds")
        with_icon(self.run, "stop" if self.busy else "timer", "text" if self.busy else "on_accent")
        set_role(self.run, "" if self.busy else "primary")
        self.run.setEnabled(not why)
        self.run.setToolTip(why)
        self.minutes.setEnabled(not self.busy)
        training, proposal = self.session.experiment.training, self.proposal
        used = proposal is not None and (training.epochs, training.batch_size) == (proposal.epochs, proposal.batch_size)
        self.use.setText("In use" if used else "Use it")
        self.use.setEnabled(proposal is not None and proposal.fits and not used)


def _pace(experiment: Experiment) -> Experiment:
    """What decides how long an epoch takes; the batch size is compared apart."""
    training = experiment.training.changed(epochs=1, batch_size=1, patience=0, seed=0)
    return replace(experiment, optimizer=experiment.optimizer.changed(lr=1.0), schedulers=(), training=training)


def _button(name: str, words: str) -> QPushButton:
    button = QPushButton(words)
    button.setObjectName(f"time_budget.{name}")
    button.setAccessibleName(words)
    button.setAutoDefault(False)
    return button


def _row(*parts: QWidget | None) -> QWidget:
    """Widgets in a line; None for what stretches."""
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(S)
    for part in parts:
        if part is None:
            line.addStretch(1)
        else:
            line.addWidget(part)
    return row


def _line() -> QWidget:
    line = QFrame()
    line.setProperty("role", "line")
    return line
