"""The run of the window: starts it, steers it, and pulls what it says.

The worker fills a mailbox at its own speed; a timer has it emptied ten times a second, all of it applied to the
history and said once that there is news. So a network that does a thousand batches a second costs the window ten
repaints. What was looked at meanwhile, softmax outputs and batches, and what is said in words and figures is announced
later, between two of these times: no frame has to paint everything, and the window answers in between. All of it is
done between two batches (`turns.py`).
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QElapsedTimer, QFile, QObject, QTimer, Signal

from gui_lab.core.concepts import Weights
from gui_lab.core.events import BatchTrained, Branched, Event, Paused, Reason, RunStarted
from gui_lab.core.experiment import Experiment
from gui_lab.core.history import History
from gui_lab.core.images import ImageSet
from gui_lab.core.looks import BatchView, Probed
from gui_lab.core.trails import Trails
from gui_lab.errors import LabError, TrainingError
from gui_lab.qt.session import Session
from gui_lab.qt.threads import Failed, RunThread
from gui_lab.qt.turns import TURNS

if TYPE_CHECKING:
    from gui_lab.core.runs import Run

_PULL_MILLISECONDS = 96  # ten times a second, and a little to spare for those that come late
_LOOK_MILLISECONDS = 40  # after a pull
_SAY_MILLISECONDS = 200  # nobody reads figures that change ten times a second
SNAPSHOTS_AT_MOST = 24


class State(Enum):
    """Where the run is; the value is the word shown."""

    IDLE = "Ready"
    STARTING = "Starting"
    TRAINING = "Training"
    PAUSING = "Pausing"
    PAUSED = "Paused"
    STOPPING = "Stopping"


_ENDINGS: dict[Reason, str] = {
    "finished": "Finished",
    "patience": "Stopped early",
    "stopped": "Stopped",
    "failed": "Failed",
}
_LIVE = ("optimizer.lr", "training.epochs", "training.patience")
"""What acts on a run that goes on."""


class RunControl(QObject):
    """
    Attributes:
        state: where the run is.
        experiment, images: what the current or last run trains on; its own, whatever is edited meanwhile.
        history: all that it said; empty before the first run.
        pins: indices of pinned pictures among `images`.
        probed: the newest look at the pinned pictures; None before there is one.
        trails: their probabilities since the run began.
        viewed: the newest look at a batch; None before there is one.
        weights: of the run's network, as new as they are asked for by `want_weights`; None before there are some.
        snapshots: one for each epoch, the oldest first, as many as there is room for.
        stepping: a person goes batch by batch.
    """

    state_changed = Signal()
    advanced = Signal()
    """The history has grown (once per pull, however much came)."""
    looked = Signal()
    """There is a newer look at the pinned pictures or at a batch."""
    said = Signal()
    """What the run is doing, in words and figures, may be said anew: a moment after the history has grown, five times
    a second."""
    failed = Signal(object)
    """The run ended by an error: a `Failed`."""

    def __init__(self, session: Session, runs: Path | None = None) -> None:
        super().__init__()
        self.session = session
        self.state = State.IDLE
        self.experiment: Experiment | None = None
        self.images: ImageSet | None = None
        self.history = History()
        self.pins: tuple[int, ...] = ()
        self.probed: Probed | None = None
        self.trails = Trails()
        self.viewed: BatchView | None = None
        self.weights: Weights | None = None
        self.snapshots: list[Weights] = []
        self.failure: Failed | None = None
        self._runs = runs
        self._thread: RunThread | None = None
        self.stepping = False
        self._discarding = self._watched = self._weights_wanted = False
        self._branch: tuple[Path, int] | None = None
        self._replaying = self._begun = False
        self._left: tuple[Experiment, ImageSet] | None = None
        self._handed: dict[str, float] = {}
        self._held = ""
        self._said = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(_PULL_MILLISECONDS)
        self._timer.timeout.connect(self._ask_to_pull)
        self._look_timer = self._later(_LOOK_MILLISECONDS, self._ask_to_look)
        self._say_timer = self._later(_LOOK_MILLISECONDS, self._ask_to_say)
        self.said.connect(self._said.start)
        session.pins_changed.connect(self._hand_over_pins)
        session.experiment_changed.connect(self._hand_over_settings)

    def _later(self, milliseconds: int, ask: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(ask)
        return timer

    def _ask_to_pull(self) -> None:
        TURNS.ask(self.pull)

    def _ask_to_look(self) -> None:
        TURNS.ask(self.looked.emit)

    def _ask_to_say(self) -> None:
        TURNS.ask(self.said.emit)

    @property
    def running(self) -> bool:
        """True while there is a run that has not ended (paused counts)."""
        return self._thread is not None

    def memory(self) -> int:
        """Bytes that the run's device has in use; 0 before the first run."""
        return _memory_in_use()(self.history.started.device) if self.history.started is not None else 0

    def why_not(self) -> str:
        """Why training cannot start now, in a sentence; empty where it can."""
        session = self.session
        if not session.ready:
            return "PyTorch is loading."
        if session.data_error is not None:
            return session.data_error.sentence
        if session.images is None:
            return "The pictures are being opened."
        errors = [problem for problem in session.problems if problem.severity == "error"]
        return errors[0].sentence if errors else self._held

    def hold(self, why: str) -> None:
        """Let no run start, and say why: something else trains for a moment. Empty lets it start again."""
        self._held = why
        self.state_changed.emit()

    # ---------------------------------------------------------------- steering

    def train(self) -> None:
        """Start a run, or carry on with a paused one."""
        self.stepping = False
        if self._thread is None:
            self._begin(batches=None)
        elif self.state in (State.PAUSED, State.PAUSING):
            self._thread.carry_on()
            self._enter(State.TRAINING)

    def batches(self, count: int) -> None:
        """Train so many batches, then pause; starts a run if there is none."""
        self.stepping = count == 1
        if self._thread is None:
            self._begin(batches=count)
        elif self.state == State.PAUSED:
            self._thread.batches(count)
            self._enter(State.PAUSING if count == 1 else State.TRAINING)

    def one_batch(self) -> None:
        self.batches(1)

    def one_epoch(self) -> None:
        """Train to the end of the epoch, then pause; starts a run if there is none."""
        if self._thread is None:
            self._begin(batches=None)
        if self._thread is not None and self.state in (State.STARTING, State.PAUSED):
            self._thread.one_epoch()
            self._enter(State.TRAINING if self.state == State.PAUSED else self.state)

    def watch(self, on: bool) -> None:
        """Look at the current batch while it trains on too, or only when it waits."""
        self._watched = on
        if self._thread is not None:
            self._thread.watched = on

    def want_weights(self, on: bool) -> None:
        """Have `weights` follow the run while it trains, or be as of the last epoch only."""
        self._weights_wanted = on
        if self._thread is not None:
            self._thread.weights_wanted = on

    def discard(self) -> None:
        """End after the batch in hand and throw the run away: its folder goes to the bin."""
        self._discarding = self._thread is not None
        self.stop()

    def branch(self, run: Path, epoch: int) -> None:
        """Begin a new run where another one was after an epoch, with the settings as they are now. One that goes on is
        stopped first and kept; where it is being thrown away nothing happens.

        Args:
            run: the folder of the other run.
        """
        if self._discarding and self._thread is not None:
            return
        self.stepping = False
        self._branch = run, epoch
        if self._thread is None:
            self._begin(batches=None)
        else:
            self._stop()

    def hold_epoch(self, epoch: int) -> None:
        """Have the run that goes on keep this epoch as long as a person may choose to branch from it; 0 for none."""
        if self._thread is not None:
            self._thread.held = epoch

    def pause(self) -> None:
        """Pause after the batch in hand."""
        if self._thread is not None and self.state in (State.STARTING, State.TRAINING):
            self._thread.pause()
            self._enter(State.PAUSING)

    def stop(self) -> None:
        """End after the batch in hand and keep the weights; twice is harmless."""
        self._branch = None
        self._stop()

    def _stop(self) -> None:
        if self._thread is not None and self.state != State.STOPPING:
            self._thread.stop()
            self._enter(State.STOPPING)

    def close(self) -> None:
        """Stop, wait for the thread, and let it go."""
        self._branch = None
        if self._thread is not None:
            self._thread.stop()
            self._thread.wait()
            self.pull()
        TURNS.close_down()

    def _begin(self, batches: int | None) -> None:
        branch, self._branch = self._branch, None
        if self.why_not():
            return
        assert self.session.images is not None
        if branch is None:
            self._forget()
        elif self.experiment is not None and self.images is not None:  # what is on screen stays until there is more
            self._left = self.experiment, self.images
        self.experiment, self.images = self.session.experiment, self.session.images
        self._replaying, self._begun, self.failure = branch is not None, False, None
        self._handed = _live_settings(self.experiment)
        self._discarding = False
        thread = RunThread(partial(_new_run, self.experiment, self.images, self._runs, branch), batches=batches)
        thread.setObjectName("run")
        self._thread = thread
        thread.watched, thread.weights_wanted = self._watched, self._weights_wanted
        self._hand_over_pins()
        thread.start()
        self._timer.start()
        self._enter(State.STARTING)
        self.advanced.emit()

    def _hand_over_pins(self) -> None:
        """The run follows the session's pins as long as both have the same pictures before them."""
        if self.session.images is self.images:
            self.pins = self.session.pins
        if self._thread is not None:
            self._thread.pins, self._thread.own = self.pins, self.session.own_pictures

    def _hand_over_settings(self) -> None:
        """What a person edits acts on the run that goes on, as far as it can."""
        if self._thread is None:
            return
        assert self.experiment is not None
        edited = self.session.experiment
        alike = edited.optimizer.name_of() == self.experiment.optimizer.name_of()  # another one has a rate of its own
        for setting, value in _live_settings(edited).items():
            if value != self._handed[setting] and (alike or setting != "optimizer.lr"):
                self._handed[setting] = value
                self._thread.change(setting, value)

    # ---------------------------------------------------------------- pulling

    def pull(self) -> None:
        """Empty the mailbox into the history; done in turns, as often as the timer asks for it."""
        if self._thread is None:
            return
        over = self._thread.isFinished()  # asked first: what is in the mailbox then is all there will be
        mailbox = self._thread.mailbox
        news = bool(mailbox)
        for _ in range(len(mailbox)):  # and no more: a worker that fills it as fast would hold the window for ever
            item = mailbox.popleft()
            if type(item) is BatchTrained and (self._replaying or self.state != State.STARTING):
                self.history.apply(item)
            else:
                self._take(item)
        if news:
            self.advanced.emit()
            self._say_in_time()
        if over:
            self._let_go()

    def _say_in_time(self) -> None:
        """Have it said what is new: with what is looked at after this pull, or after the next one where it was just
        said; there may be none, so it is said in any case."""
        left = _SAY_MILLISECONDS - self._said.elapsed() if self._said.isValid() else 0
        if left < _PULL_MILLISECONDS:
            self._say_timer.start(_LOOK_MILLISECONDS)
        elif not self._say_timer.isActive():
            self._say_timer.start(left)

    def _take(self, item: Any) -> None:
        match item:
            case Probed():
                self.probed = item
                self.trails.take(item)
                self._look_timer.start()
            case BatchView():
                self.viewed = item
                self._look_timer.start()
            case Weights():
                self._take_weights(item)
            case Paused() if not self._replaying:
                self.history.apply(item)
                if self._thread is not None and self._thread.waits:  # it may have been told to go on meanwhile
                    self._enter(State.PAUSED)
            case Failed():
                self.failure = item
                if self._left is not None:  # it could not even begin
                    (self.experiment, self.images), self._left = self._left, None
            case _:
                self._apply(item)

    def _apply(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._begun = True
            if self._left is not None:
                self._left = None
                self._forget()
        self.history.apply(event)
        self._replaying = self._replaying and not isinstance(event, Branched)
        if self.state == State.STARTING and not self._replaying:
            self._enter(State.TRAINING)

    def _take_weights(self, weights: Weights) -> None:
        self.weights = weights
        if weights.of_epoch:
            self.snapshots.append(weights)
            if len(self.snapshots) > SNAPSHOTS_AT_MOST:  # the first and the last matter most: every other one goes
                self.snapshots = self.snapshots[:-1:2] + self.snapshots[-1:]

    def _let_go(self) -> None:
        for timer in (self._timer, self._look_timer, self._say_timer):  # who hears that it is over shows all of it
            timer.stop()
        thread, self._thread = self._thread, None
        assert thread is not None
        thread.wait()
        thread.deleteLater()
        if self._discarding and self._begun:
            self._throw_away()
        self._enter(State.IDLE)
        if self.failure is not None:
            self._branch = None
            self.failed.emit(self.failure)
        if self._branch is not None:
            why = self.why_not()
            self._begin(batches=None)
            if why:
                remedy = "Mend that, and branch again: what it was to begin from is kept."
                told = TrainingError(f"The run was stopped, but the new one cannot begin: {why}", remedy)
                self.session.erred.emit(told)

    def _throw_away(self) -> None:
        """Into the bin, from where a person can take it back; where there is none, for good."""
        started = self.history.started
        self._forget()
        if started is not None and not QFile(started.run).moveToTrash():
            shutil.rmtree(started.run, ignore_errors=True)
        self.advanced.emit()

    def _forget(self) -> None:
        """What the last run said and showed."""
        self.history, self.probed, self.viewed, self.failure = History(), None, None, None
        self.trails, self.weights, self.snapshots = Trails(), None, []

    def _enter(self, state: State) -> None:
        if state != self.state:
            self.state = state
            TURNS.expect(state == State.TRAINING)
            self.state_changed.emit()

    def in_words(self) -> str:
        """What the run does, or how it ended."""
        if self.state != State.IDLE:
            return str(self.state.value)
        if self.failure is not None:
            return "Failed"
        ending = self.history.ended
        return _ENDINGS[ending.reason] if ending else "Ready"


@functools.cache
def _memory_in_use() -> Callable[[str], int]:
    """torch is there where a run has started."""
    from gui_lab.core.machine import memory_in_use

    return memory_in_use


def _live_settings(experiment: Experiment) -> dict[str, float]:
    training = experiment.training
    return dict(zip(_LIVE, (experiment.optimizer.lr, training.epochs, training.patience), strict=True))


def _new_run(experiment: Experiment, images: ImageSet, runs: Path | None, branch: tuple[Path, int] | None) -> Run:
    from gui_lab.core.branches import Branch
    from gui_lab.core.runs import Run

    return Run(experiment, images, runs, Branch(*branch) if branch is not None else None)


def as_lab_error(failed: Failed) -> LabError:
    """The sentence and remedy of a run that failed; a bug is named as what it is."""
    if isinstance(failed.error, LabError):
        return failed.error
    return TrainingError(
        f"The run ended by an unexpected error: {type(failed.error).__name__}: {failed.error}",
        "The report says where. The weights of the last step were kept if the run had a folder.",
    )
