"""The window's pulse while a network trains, for as long as one likes: how late its 16 ms timer comes.

    xvfb-run -a -s "-screen 0 1440x900x24" python tests/benchmarks/heartbeat.py [--minutes 5] [--model MLP]

The default network, data set and chain train in the real window on its Train page, with curves and softmax outputs of
the pinned pictures live. Printed are gaps between beats in milliseconds, a line for each ten seconds and one for all:
the promise is that 99 of a hundred are within 22 and none is longer than 50. Besides: the milliseconds a second that
the window's thread computed, how long it waited for a processor that others had (Linux), and the part of all
processors that other programs took; where that is much, gaps say more of them than of the window. A small network needs
a small --batch-size, or its run is over before the time is.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from array import array
from pathlib import Path

from gui_lab.testing.bench.heartbeat import Heartbeat, part_of
from gui_lab.testing.bench.processors import Others

_LINE_SECONDS = 10.0
_ENDLESS = 10_000


class Thread:
    """What the calling thread has computed and waited, in seconds."""

    def __init__(self) -> None:
        self._file = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._ran, self._waited = self._now()
        self._at = time.perf_counter()

    def _now(self) -> tuple[float, float]:
        if not self._file.exists():
            return time.thread_time(), float("nan")
        ran, waited, _ = self._file.read_text(encoding="ascii").split()
        return int(ran) / 1e9, int(waited) / 1e9

    def parts(self) -> tuple[float, float]:
        """Computed and waited, each as a part of the time since this was made."""
        seconds = time.perf_counter() - self._at
        ran, waited = self._now()
        return (ran - self._ran) / seconds, (waited - self._waited) / seconds


def line(name: str, gaps: array[float], thread: Thread, others: Others, iterations: float) -> None:
    ran, waited = thread.parts()
    late = sum(gap > 22 for gap in gaps) / len(gaps)
    print(
        f"{name:>8} {part_of(gaps, 0.5):7.1f} {part_of(gaps, 0.99):7.1f} {max(gaps):8.1f} {late:8.2%} "
        f"{1000 * ran:9.0f} {1000 * waited:9.0f} {others.part():7.0%} {iterations:9.1f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--model", default="", help="another network than the default one")
    parser.add_argument("--batch-size", type=int, default=64)
    given = parser.parse_args()
    if not os.environ.get("DISPLAY"):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory(prefix="gui-lab-heartbeat-") as home:
        os.environ["GUI_LAB_HOME"] = home
        measure(60 * given.minutes, given.model, given.batch_size)


def measure(seconds: float, model: str, batch_size: int) -> None:
    from PySide6.QtCore import QEventLoop, QTimer

    from gui_lab.qt.app import application
    from gui_lab.testing.hands import Hands
    from gui_lab.testing.robot import start

    application()
    robot = start(alone=True)
    robot.hands = Hands(robot.lab.window)  # Qt's own events also on X: a process for each click would stop the window
    if model:
        robot.lab.session.edit("model", model)
    robot.lab.session.edit("training.epochs", _ENDLESS)
    robot.lab.session.edit("training.batch_size", batch_size)
    robot.train.start()
    robot.train.show()
    robot.train.wait_iterations(20)
    print("seconds     p50     p99  longest  over 22  cpu ms/s wait ms/s  others   iter./s")
    history, heart = robot.train.history, Heartbeat()
    every, thread, others = array("d"), Thread(), Others()
    first = len(history.loss)
    for part in range(max(round(seconds / _LINE_SECONDS), 1)):
        loop, now, there = QEventLoop(), (Thread(), Others()), len(history.loss)
        QTimer.singleShot(int(1000 * min(_LINE_SECONDS, seconds)), loop.quit)
        heart.begin()
        loop.exec()
        heart.end()
        every.extend(heart.gaps)
        line(f"{(part + 1) * _LINE_SECONDS:.0f}", heart.gaps, *now, (len(history.loss) - there) / _LINE_SECONDS)
    line("all", every, thread, others, (len(history.loss) - first) / seconds)
    robot.train.stop()
    robot.close()


if __name__ == "__main__":
    main()
