"""Whether the window can stay open all day: live training for minutes while somebody clicks around, measured.

    xvfb-run -a -s "-screen 0 1280x800x24" python tests/benchmarks/soak.py --minutes 10 --platform xcb
    python tests/benchmarks/soak.py --events 10000000

Every minute is the same round of acts and every second minute begins a new run, so that minutes can be compared with
each other. What the soak itself computes to measure is left out of the window's heartbeat. It waits in event loops
only: QTest's own wait would hold Python's lock and starve the thread that trains. Exit status 1 if memory grew by
more than a tenth and 30 MB, or if anything was raised or warned about.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import tempfile
import threading
import time
import traceback
import warnings
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psutil
from flood import flood

from gui_lab.testing.bench.processors import Others

_SAMPLE_SECONDS = 5.0
_BEAT_MILLISECONDS = 16
_RUN_MINUTES = 2
_EPOCHS = 5000
_TENTH, _MEGABYTES = 0.10, 30.0
_HARMLESS = ("This plugin does not support",)  # the offscreen platform has no window manager


@dataclass
class Minute:
    """What was measured within one minute."""

    megabytes: list[float] = field(default_factory=list)
    gaps: array[float] = field(default_factory=lambda: array("d"))
    iterations: int = 0
    training_seconds: float = 0.0
    widgets: int = 0
    top_level: int = 0
    qobjects: int = 0
    others: float = 0.0
    objects: Counter[str] = field(default_factory=Counter)

    @property
    def median_megabytes(self) -> float:
        return statistics.median(self.megabytes)

    @property
    def speed(self) -> float:
        """Iterations per second of the time in which the run was not paused, stopped or starting."""
        return self.iterations / self.training_seconds if self.training_seconds else float("nan")

    def row(self, number: int) -> str:
        ordered = sorted(self.gaps)
        p50, p99 = (ordered[int(len(ordered) * part)] for part in (0.50, 0.99))
        return (
            f"{number:6} {self.median_megabytes:9.1f} {self.iterations:7,} {self.speed:7.1f} {self.widgets:8,} "
            f"{self.top_level:5} {self.qobjects:9,} {self.objects.total():11,} {p50:7.1f} {p99:7.1f} "
            f"{ordered[-1]:8.1f} {self.others:7.0%}"
        )


HEADING = """\
(p50, p99, largest: gaps of the 16 ms heartbeat; others: part of the processors that other programs took)
minute    RSS MB   iter.  iter/s  widgets  tops  QObjects  gc objects  p50 ms  p99 ms  largest  others"""


class Faults:
    """What goes wrong without ending the window: exceptions of every thread, Python's warnings, Qt's messages."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()

    def install(self) -> None:
        from PySide6.QtCore import qInstallMessageHandler

        qInstallMessageHandler(self._qt_said)
        sys.excepthook = lambda _kind, error, _trace: self.raised("exception", error)
        threading.excepthook = lambda args: self.raised("exception in a thread", args.exc_value)
        sys.unraisablehook = lambda args: self.raised("unraisable exception", args.exc_value)
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, kind, file, line, *_: self.note(f"warning: {message} ({file}:{line})")

    def raised(self, where: str, error: BaseException | None) -> None:
        if error is not None:
            traceback.print_exception(error)
        self.note(f"{where}: {type(error).__name__}: {error}")

    def note(self, what: str) -> None:
        self.found[what] += 1
        print(f"soak: {what}", file=sys.stderr, flush=True)

    def _qt_said(self, kind: Any, _context: Any, message: str) -> None:
        from PySide6.QtCore import QtMsgType

        serious = (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg)
        if kind in serious and not message.startswith(_HARMLESS):
            self.note(f"Qt: {message}")


class Gauge:
    """Measures a lab, minute by minute."""

    def __init__(self, lab: Any) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.minutes = [Minute()]
        self.longest: dict[str, float] = {}
        self.references = self.references_at_first = sys.getrefcount(None)
        self.doing = ""
        self._control = lab.control
        self._process = psutil.Process()
        self._others = Others()
        self._history, self._counted = lab.control.history, 0
        self._trained_at: float | None = None
        self._beat_at = time.perf_counter()
        self._beat, self._sampler = QTimer(), QTimer()
        self._beat.setTimerType(Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._tick)
        self._sampler.timeout.connect(self._sample)
        lab.control.advanced.connect(self._count)
        lab.control.state_changed.connect(self._clock)

    def begin(self) -> None:
        self._beat_at = time.perf_counter()
        self._others, self.references_at_first = Others(), sys.getrefcount(None)
        self._beat.start(_BEAT_MILLISECONDS)
        self._sampler.start(int(_SAMPLE_SECONDS * 1000))

    def end(self) -> None:
        self.references = sys.getrefcount(None)
        self._beat.stop()
        self._sampler.stop()

    def next_minute(self) -> None:
        """Close this minute with what is too slow to look at more often."""
        from PySide6.QtWidgets import QApplication

        minute = self.minutes[-1]
        minute.others = self._others.part()
        tops = QApplication.topLevelWidgets()
        minute.qobjects = sum(_descendants(top) for top in tops) + _descendants(QApplication.instance())
        minute.objects = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())
        print(minute.row(len(self.minutes)), flush=True)
        self.minutes.append(Minute())
        self._others = Others()
        self._beat_at = time.perf_counter()

    def _tick(self) -> None:
        now = time.perf_counter()
        gap, self._beat_at = 1000 * (now - self._beat_at), now
        self.minutes[-1].gaps.append(gap)
        self.longest[self.doing] = max(self.longest.get(self.doing, 0.0), gap)

    def _sample(self) -> None:
        from PySide6.QtWidgets import QApplication

        minute = self.minutes[-1]
        minute.megabytes.append(self._process.memory_info().rss / 2**20)
        minute.widgets, minute.top_level = len(QApplication.allWidgets()), len(QApplication.topLevelWidgets())

    def _count(self) -> None:
        """The history has grown, or it is a new run's."""
        history = self._control.history
        if history is not self._history:
            self._history, self._counted = history, 0
        self.minutes[-1].iterations += len(history.loss) - self._counted
        self._counted = len(history.loss)
        self._clock()

    def _clock(self) -> None:
        """Time counts from when the run begins to train until it does not."""
        from gui_lab.qt.running import State

        now = time.perf_counter()
        if self._trained_at is not None:
            self.minutes[-1].training_seconds += now - self._trained_at
        self._trained_at = now if self._control.state == State.TRAINING else None


def _descendants(root: Any) -> int:
    from PySide6.QtCore import QObject

    return 1 + len(root.findChildren(QObject))


class Person:
    """Somebody who clicks around while a network trains. Each round ends with the experiment it began with."""

    def __init__(self, robot: Any) -> None:
        self.robot, self.hands, self.lab = robot, robot.hands, robot.lab
        self._pinned = -1

    def settle(self) -> None:
        """The experiment that is trained: digits, turned at random, and the two-conv network."""
        self.robot.transforms.select(None)
        self.robot.transforms.add("RandomRotation", degrees=10)
        self.robot.transforms.move(len(self.robot.transforms.names()) - 1, to=0)
        self.robot.train.set(epochs=_EPOCHS)

    def acts(self) -> tuple[tuple[Callable[[], None], float], ...]:
        """A round: what is done, and how many seconds it is looked at. About 50 s together."""
        return (
            (self.watch, 7.0),
            (self.drag_the_curves, 2.0),
            (self.go_back_to_live, 2.0),
            (self.toggle_logarithm, 2.0),
            (self.toggle_logarithm, 1.0),
            (self.pin, 2.0),
            (self.filter_pictures, 2.0),
            (self.choose_dark, 2.0),
            (self.turn_the_knob, 2.0),
            (self.add_and_remove_a_transform, 2.0),
            (self.undo_and_redo, 1.0),
            (self.choose_another_network, 2.0),
            (self.choose_the_network_again, 2.0),
            (self.watch, 6.0),
            (self.pause, 2.0),
            (self.train_one_batch, 1.0),
            (self.carry_on, 2.0),
            (self.choose_light, 2.0),
            (self.unpin, 2.0),
        )

    def restart(self) -> None:
        if self.lab.control.running:
            self.robot.train.stop()
        self.robot.train.start()
        self.robot.train.wait_iterations(1)

    def stop(self) -> None:
        self.robot.train.stop()

    def watch(self) -> None:
        self.robot.train.show()

    def drag_the_curves(self) -> None:
        from PySide6.QtCore import QPoint

        plot = self.lab.window.page("Train").curves.loss
        middle = plot.rect().center()
        self.hands.drag(plot, middle, middle + QPoint(60, 10))

    def go_back_to_live(self) -> None:
        self.hands.click("plots.live")

    def toggle_logarithm(self) -> None:
        self.hands.click("plots.loss.logarithmic")

    def pin(self) -> None:
        self.robot.dataset.show()
        grid = self.hands.find("dataset.grid")
        self._pinned = next(int(one) for one in grid.indices()[:30] if one not in self.lab.session.pins)
        self.robot.dataset.pin(self._pinned)

    def unpin(self) -> None:
        self.robot.dataset.show()
        self.hands.press("dataset.grid", "P")
        self.hands.wait(lambda: self._pinned not in self.lab.session.pins, "the picture is unpinned")

    def filter_pictures(self) -> None:
        for part in ("validation", "training", "all"):
            self.hands.click(f"dataset.part.{part}")
        for key in ("Down", "Down", "Home"):
            self.hands.press("dataset.classes", key)

    def choose_dark(self) -> None:
        self._choose_scheme("dark")

    def choose_light(self) -> None:
        self._choose_scheme("light")

    def _choose_scheme(self, scheme: str) -> None:
        """Through the File menu; opened without the button, whose own event loop would hold Python's lock."""
        from PySide6.QtGui import QAction

        from gui_lab.testing.hands import live

        button, menu = self.hands.find("header.file"), self.lab.window.menu
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))
        live(300)
        menu.findChild(QAction, f"action.scheme.{scheme}").trigger()
        menu.close()

    def turn_the_knob(self) -> None:
        """The angle up and down again by its slider, faster than previews are computed."""
        from gui_lab.testing.hands import live

        self.robot.transforms.select(0)
        for key in ("Right",) * 12 + ("Left",) * 12:
            self.hands.press("transforms.0.degrees.slider", key)
            live(60)

    def add_and_remove_a_transform(self) -> None:
        self.robot.transforms.add("RandomCrop", size=8, padding=1)
        self.robot.transforms.remove(self.robot.transforms.selected())

    def undo_and_redo(self) -> None:
        self.robot.undo()
        self.robot.redo()

    def choose_another_network(self) -> None:
        self.robot.model.choose("MLP", hidden=(64, 32))

    def choose_the_network_again(self) -> None:
        self.robot.model.choose("MNISTNet")

    def pause(self) -> None:
        self.robot.train.pause()

    def train_one_batch(self) -> None:
        self.robot.train.one_batch()

    def carry_on(self) -> None:
        self.robot.train.carry_on()


def soak(minutes: int, faults: Faults) -> Gauge:
    """Open the window, let the person act for so many minutes, close it; what was measured."""
    from gui_lab.qt.app import application
    from gui_lab.testing.hands import Hands, RobotError, live
    from gui_lab.testing.robot import start

    application()
    robot = start(alone=True)
    robot.hands = Hands(robot.lab.window)  # Qt's own events also on X: a process for each click would stop the window
    robot.lab.control.failed.connect(lambda failed: faults.raised("the run failed", failed.error))
    gauge, person = Gauge(robot.lab), Person(robot)
    try:
        person.settle()
        gauge.begin()
        began = time.monotonic()
        for minute in range(minutes):
            over = began + 60 * (minute + 1)
            rounds = ((person.restart, 1.0), *person.acts()) if minute % _RUN_MINUTES == 0 else person.acts()
            for act, seconds in rounds:
                gauge.doing = act.__name__.replace("_", " ")
                act()
                live(int(1000 * max(min(seconds, over - time.monotonic()), 0)))
            live(int(1000 * max(over - time.monotonic(), 0)))
            gauge.next_minute()
        gauge.doing = "stop"
        person.stop()
    except RobotError as error:
        faults.raised("the robot", error)
    gauge.end()
    robot.close()
    return gauge


def verdict(gauge: Gauge, faults: Faults, minutes: int) -> bool:
    """Say what came out; True where all is well."""
    measured = gauge.minutes[:-1]
    if len(measured) < minutes:
        print(f"verdict: ended after {len(measured)} of {minutes} minutes")
        return False
    second, last = measured[1], measured[-1]
    grown = last.median_megabytes - second.median_megabytes
    flat = grown <= _TENTH * second.median_megabytes + _MEGABYTES
    types = Counter({name: count - second.objects[name] for name, count in last.objects.items()})
    print("\ntypes that grew most since minute 2: " + ", ".join(f"{n} {c:+,}" for n, c in types.most_common(8)))
    longest = sorted(gauge.longest.items(), key=lambda pair: -pair[1])[:6]
    print("longest gaps: " + ", ".join(f"{name} {gap:.0f} ms" for name, gap in longest))
    print(f"verdict: memory {'is flat' if flat else 'GROWS'}: {grown:+.1f} MB from minute 2 to minute {minutes}")
    print(f"verdict: speed {second.speed:.1f} -> {last.speed:.1f} iterations/s ({last.speed / second.speed:.0%})")
    print(f"verdict: {faults.found.total()} exceptions and warnings")
    for what, times in faults.found.most_common():
        print(f"  {times} x {what}")
    return flat and not faults.found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=10, help="at least 3")
    parser.add_argument("--events", type=int, help="instead: so many iterations, made up, as fast as the window can")
    parser.add_argument("--platform", choices=("offscreen", "xcb"), default="offscreen")
    arguments = parser.parse_args()
    if arguments.minutes < 3:
        parser.error("the second minute is compared with the last: there must be at least 3")
    os.environ["QT_QPA_PLATFORM"] = arguments.platform
    faults = Faults()
    with tempfile.TemporaryDirectory(prefix="gui-lab-soak-") as home:
        os.environ["GUI_LAB_HOME"] = home
        faults.install()
        if arguments.events:
            return 0 if flood(arguments.events, faults) else 1
        print(HEADING)
        gauge = soak(arguments.minutes, faults)
    print(f"references to None: {gauge.references_at_first:,} at first, {gauge.references:,} in the end")
    return 0 if verdict(gauge, faults, arguments.minutes) else 1


if __name__ == "__main__":
    sys.exit(main())
