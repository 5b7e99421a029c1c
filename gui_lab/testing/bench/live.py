"""The real window, told what to train: it opens an experiment, presses Train and stays on the Train page, where curves
and the softmax outputs of the pinned pictures move as for a person.

It is asked through a thread of its own, since a window whose thread waits for a line is no window.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from PySide6.QtCore import QEventLoop, QObject, QThread, QTimer, Signal

from gui_lab import paths
from gui_lab.core.experiment import Experiment
from gui_lab.errors import LabError
from gui_lab.qt.app import application
from gui_lab.testing.bench.cases import CASES
from gui_lab.testing.bench.children import Answer, answered, answers
from gui_lab.testing.bench.heartbeat import Heartbeat, part_of
from gui_lab.testing.bench.pace import Pace
from gui_lab.testing.bench.pictures import register
from gui_lab.testing.bench.processors import Others
from gui_lab.testing.hands import Hands
from gui_lab.testing.robot import Robot, start

_OPENED_SECONDS = 120.0
_LONGER = 1.3  # epochs are planned for so much more time than is measured, and the run is then stopped


class Lines(QThread):
    """What arrives on stdin, a line at a time; `over` when nobody asks any more."""

    arrived = Signal(str)
    over = Signal()

    def run(self) -> None:
        """Called by Qt on the new thread."""
        for line in sys.stdin:
            self.arrived.emit(line)
        self.over.emit()


class LiveWindow:
    """The window and a person who only watches."""

    def __init__(self, robot: Robot) -> None:
        self.robot = robot
        self.control = robot.lab.control

    def perform(self, question: Mapping[str, Any]) -> Answer:
        """What is asked for: `train` a case, or `beat` with a network."""
        case = next(case for case in CASES if case.name == question["case"])
        folder = Path(question["folder"])
        if question["way"] == "train":
            return self.train(case.experiment(folder, question["epochs"]), question["limit"])
        made = case.experiment(folder).edited("model", question["model"])
        return self.beat(made, question["seconds"])

    def train(self, made: Experiment, limit: float) -> Answer:
        """Train it to its end."""
        self._open(made)
        pace, others = self._pace(made), Others()
        with _Connected(self.control.advanced, lambda: pace.note(len(self.control.history.loss))):
            self.robot.train.start()
            self._until_over(limit)
        history = self.control.history
        self._look_at_what_was_shown()
        return {
            "epoch_seconds": pace.epoch_seconds(),
            "epochs": history.epochs,
            "accuracy": float(history.validation_accuracy.values[-1]),
            "precision": history.started.precision if history.started is not None else "",
            "others": others.part(),
        }

    def beat(self, made: Experiment, seconds: float) -> Answer:
        """Train for so many seconds and measure the heartbeat. A short run before it tells how many epochs fill the
        time, so that the curve crosses the plot as it does for a person."""
        trial = self.train(made.edited("training.epochs", 2), _OPENED_SECONDS + 60 * seconds)
        epochs = int(_LONGER * seconds / trial["epoch_seconds"]) + 2
        self._open(made.edited("training.epochs", min(epochs, 10_000)))
        counted = _Counted(self)
        heart = Heartbeat()
        self.robot.train.start()
        self.robot.train.wait_iterations(1)
        others = Others()
        with _Connected(self.control.advanced, counted.count):
            heart.begin()
            _live(seconds)
            heart.end()
        part = others.part()
        if self.control.running:
            self.robot.train.stop()
        self._look_at_what_was_shown()
        return {
            "p50": part_of(heart.gaps, 0.50),
            "p99": part_of(heart.gaps, 0.99),
            "longest": max(heart.gaps),
            "beats": len(heart.gaps),
            "curves": counted.curves / seconds,
            "softmax": counted.softmax / seconds,
            "others": part,
        }

    def _pace(self, made: Experiment) -> Pace:
        images = self.robot.lab.session.images
        assert images is not None
        return Pace(made.training.iterations(len(images.train)))

    def _open(self, made: Experiment) -> None:
        """As a file that is opened; the pictures may have to be read."""
        file = paths.config() / "bench.lab"
        file.parent.mkdir(parents=True, exist_ok=True)
        made.save(file)
        lab = self.robot.lab
        lab.window.open_file(file)
        self.robot.hands.wait(lambda: lab.session.experiment == made, "the experiment is opened")
        self.robot.hands.wait(lambda: not self.control.why_not(), "training can begin", _OPENED_SECONDS)
        self.robot.train.show()

    def _until_over(self, limit: float) -> None:
        """An event loop that nothing polls: what measures must not take part."""
        loop = QEventLoop()
        with _Connected(self.control.state_changed, lambda: None if self.control.running else loop.quit()):
            late = QTimer()
            late.setSingleShot(True)
            late.timeout.connect(loop.quit)
            late.start(int(1000 * limit))
            if self.control.running:
                loop.exec()
        if self.control.running:
            self.robot.train.stop()
            raise LabError(f"The run was not over after {limit:.0f} s.", "Try --quick.")

    def _look_at_what_was_shown(self) -> None:
        """A window that showed nothing would be quick for nothing."""
        control = self.control
        if control.failure is not None:
            raise LabError(f"The run failed: {control.failure.error}", "This is a bug; tell us.")
        if control.probed is None or not set(control.pins) or not len(control.history.loss):
            raise LabError("The window showed nothing of the run.", "This is a bug; tell us.")


class _Counted:
    """How often there was news for the curves and for the softmax outputs."""

    def __init__(self, live: LiveWindow) -> None:
        self.curves = self.softmax = 0
        self._control, self._probed = live.control, live.control.probed

    def count(self) -> None:
        self.curves += 1
        self.softmax += self._control.probed is not self._probed
        self._probed = self._control.probed


class _Connected:
    """A signal connected while this is entered."""

    def __init__(self, signal: Any, slot: Callable[[], object]) -> None:
        self._signal, self._slot = signal, slot

    def __enter__(self) -> None:
        self._signal.connect(self._slot)

    def __exit__(self, *_: object) -> None:
        self._signal.disconnect(self._slot)


def _live(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()


class Asked(QObject):
    """Does what it is asked for, in the thread of the window."""

    def __init__(self, live: LiveWindow, to: IO[str]) -> None:
        super().__init__()
        self._live, self._to = live, to

    def answer(self, line: str) -> None:
        answered(line, self._live.perform, self._to)


def main() -> None:
    to = answers()
    register()
    app = application()
    robot = start(alone=True)
    robot.hands = Hands(robot.lab.window)  # Qt's own events also on X: a process for each click would stop the window
    asked, lines = Asked(LiveWindow(robot), to), Lines()
    lines.arrived.connect(asked.answer)
    lines.over.connect(app.quit)
    lines.start()
    app.exec()
    lines.wait()
    robot.close()


if __name__ == "__main__":
    main()
