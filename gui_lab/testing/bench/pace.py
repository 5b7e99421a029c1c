"""How fast a run goes, from when its iterations were trained.

Epochs are timed from the middle of the first to the middle of the last: whole epochs, each with its validation, without
the start. So a window that hears of iterations ten times a second is timed as exactly as a loop that counts each one:
in the middle of an epoch they come evenly, and between two looks they may be interpolated.
"""

from __future__ import annotations

import time
from array import array

import numpy as np


class Pace:
    """Notes of one run: how many iterations were trained at which moment."""

    def __init__(self, iterations: int) -> None:
        """
        Args:
            iterations: in each epoch.
        """
        self.iterations = iterations
        self._trained = array("q")
        self._at = array("d")

    def note(self, trained: int, now: float | None = None) -> None:
        """So many iterations are trained by `now`, in seconds of `time.perf_counter`."""
        if not self._trained or trained > self._trained[-1]:
            self._trained.append(trained)
            self._at.append(time.perf_counter() if now is None else now)

    @property
    def epochs(self) -> float:
        """How many epochs were trained."""
        return self._trained[-1] / self.iterations if self._trained else 0.0

    def epoch_seconds(self) -> float:
        """Seconds of a whole epoch; NaN before the middle of the second."""
        middles = np.arange(0.5, self.epochs) * self.iterations
        if len(middles) < 2:
            return float("nan")
        first, last = np.interp(middles[[0, -1]], self._trained, self._at)
        return float(last - first) / (len(middles) - 1)

    def batch_seconds(self) -> float:
        """Seconds of an iteration within the epochs, validation left out; median over the epochs, without the first
        where there are more. NaN where an epoch has one iteration."""
        trained, at = np.array(self._trained), np.array(self._at)
        epoch = (trained - 1) // self.iterations
        found = []
        for number in range(int(self.epochs)):
            times = at[epoch == number]
            if len(times) > 1:
                found.append((times[-1] - times[0]) / (len(times) - 1))
        return float(np.median(found[1:] or found)) if found else float("nan")
