"""Who uses the processors while something is measured: where other programs take a large part, a speed says little."""

from __future__ import annotations

import os
import time

import psutil


class Others:
    """The part of all processors that programs other than this process, and those that it started and saw end, take
    from now on."""

    def __init__(self) -> None:
        self._busy, self._own, self._since = _busy_seconds(), _own_seconds(), time.perf_counter()

    def part(self) -> float:
        """0..1, since this was made."""
        taken = (_busy_seconds() - self._busy) - (_own_seconds() - self._own)
        return max(taken, 0.0) / (time.perf_counter() - self._since) / (os.cpu_count() or 1)


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - sum(getattr(times, name, 0.0) for name in ("iowait", "guest", "guest_nice")))


def _own_seconds() -> float:
    ended = os.times()
    return time.process_time() + ended.children_user + ended.children_system
