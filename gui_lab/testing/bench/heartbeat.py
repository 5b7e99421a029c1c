"""The window's pulse: a precise timer every 16 ms. Where a tick comes late the window could not have answered a person
for as long."""

from __future__ import annotations

import time
from array import array

from PySide6.QtCore import QObject, Qt, QTimer

BEAT_MILLISECONDS = 16


class Heartbeat(QObject):
    """Lives in the thread of the window.

    Attributes:
        gaps: milliseconds from each tick to the next, since `begin`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gaps = array("d")
        self._at = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MILLISECONDS)
        self._timer.timeout.connect(self._tick)

    def begin(self) -> None:
        self.gaps = array("d")
        self._at = time.perf_counter()
        self._timer.start()

    def end(self) -> None:
        self._timer.stop()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append(1000 * (now - self._at))
        self._at = now


def part_of(gaps: array[float], part: float) -> float:
    """The gap that this part (0..1) of all gaps does not exceed, in ms; NaN without any."""
    ordered = sorted(gaps)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else float("nan")
