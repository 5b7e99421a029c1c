"""A noisy series smoothed by an exponential moving average, over every value, whatever of it is drawn.

An average that moves over the drawn points would change with the zoom. Over all values it is a recurrence, which in
Python takes a second for ten million of them. Here 64 values are one product with a triangular matrix, and only what
goes from one block to the next is a loop. The same series may be smoothed in pieces, a few at a time, so that a slider
never waits for all of them.
"""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import numpy.typing as npt

from gui_lab.core.pyramid import Growing

Floats = npt.NDArray[np.float64]

_BLOCK = 64
_UNBIASED = 1 - 1e-15


class Smoothing:
    """Follows a series that only grows: s = memory * s + (1 - memory) * y, without bias at its start (Kingma and Ba
    2015, section 3). A missing value (NaN) is passed over: the average there is that before it."""

    def __init__(self, memory: float) -> None:
        """
        Args:
            memory: 0 (as it is) up to, but not including, 1; 1 / (1 - memory) values are remembered, about.
        """
        self.memory = memory
        self._sum = self._weight = 0.0
        self._smooth = Growing(np.float64)
        age = np.arange(_BLOCK)[None, :] - np.arange(_BLOCK)[:, None]  # of value `row` at place `column`
        self._within = np.where(age >= 0, (1 - memory) * memory ** np.maximum(age, 0), 0.0)
        self._fading = memory ** np.arange(1, _BLOCK + 1)

    @property
    def values(self) -> Floats:
        """What is smoothed so far, float64 (n,); a view, unchanged while more comes."""
        return self._smooth.values

    def reserve(self, count: int) -> None:
        """So many values will come."""
        self._smooth.reserve(count)

    def follow(self, values: Floats, most: int = 2**62) -> None:
        """Smooth what is new of `values`, all of the series so far, float64 (n,); at most so many of them at once."""
        done = len(self._smooth)
        new = values[done : done + most]
        if not len(new):
            return
        missing = np.isnan(new)
        if missing.any():
            self._sum, self._weight = self._follow_known(new, ~missing)
            return
        sums, self._sum = self._averaged(new, self._sum)
        if self._weight < _UNBIASED:
            weights = 1 - (1 - self._weight) * self.memory ** np.arange(1.0, len(new) + 1)
            self._weight = float(weights[-1])
            sums /= weights
        self._smooth.extend(sums)

    def _follow_known(self, new: Floats, known: npt.NDArray[np.bool_]) -> tuple[float, float]:
        """Smooth what is known, and repeat it where something is missing."""
        sums, last_sum = self._averaged(new[known], self._sum)
        weights, last_weight = self._averaged(np.ones(len(sums)), self._weight)
        before = np.array([self._sum / self._weight if self._weight else np.nan])
        with_start = np.concatenate([before, sums / weights])
        self._smooth.extend(with_start[np.cumsum(known)])
        return last_sum, last_weight

    def _averaged(self, values: Floats, start: float) -> tuple[Floats, float]:
        """The recurrence from `start` on, float64 (n,), and its last value."""
        if not len(values):
            return values, start
        rows = -(-len(values) // _BLOCK)
        padded = np.zeros(rows * _BLOCK)
        padded[: len(values)] = values
        within = padded.reshape(rows, _BLOCK) @ self._within
        over = float(self._fading[-1])
        carried = list(accumulate(within[:-1, -1].tolist(), lambda before, end: over * before + end, initial=start))
        within += np.array(carried)[:, None] * self._fading
        smooth: Floats = within.ravel()[: len(values)]
        return smooth, float(smooth[-1])
