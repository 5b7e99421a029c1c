"""What a network has thought of each pinned picture since the run began, in as much memory after a year as after a
minute.

The run is cut into slices of equally many iterations, and of each slice the mean probabilities are kept. When there is
no room for another slice, pairs of them become one. numpy only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from gui_lab.core.looks import Probed

SLICES = 256
_VALUES = 65_536  # of one trail, unless there are so many classes that even the fewest slices take more
_FEWEST = 32


def _slices(classes: int) -> int:
    """How many slices a trail has room for; an even number."""
    return int(np.clip(_VALUES // max(classes, 1), _FEWEST, SLICES)) // 2 * 2


class Trail:
    """The probabilities of one picture over the run.

    Attributes:
        every: iterations in one slice.
    """

    def __init__(self, classes: int) -> None:
        self.every = 1
        self._sums = np.zeros((_slices(classes), classes), np.float32)
        self._counts = np.zeros(len(self._sums), np.int64)
        self._used = 0

    def add(self, trained: int, probabilities: npt.NDArray[np.float32]) -> None:
        """
        Args:
            trained: iterations trained so far, not fewer than before.
            probabilities: float32 (classes,); left out where one is no number.
        """
        place = max(trained - 1, 0) // self.every
        while place >= len(self._sums):
            self._halve()
            place = max(trained - 1, 0) // self.every
        self._used = max(self._used, place + 1)
        if np.isfinite(probabilities).all():
            self._sums[place] += probabilities
            self._counts[place] += 1

    def _halve(self) -> None:
        half = len(self._sums) // 2
        self._sums[:half] = self._sums[0::2] + self._sums[1::2]
        self._counts[:half] = self._counts[0::2] + self._counts[1::2]
        self._sums[half:], self._counts[half:] = 0, 0
        self._used = -(-self._used // 2)
        self.every *= 2

    def means(self) -> npt.NDArray[np.float32]:
        """Mean probabilities of each slice so far, float32 (slices, classes). A slice in which nobody looked shows what
        was seen before it, and NaN before the first look."""
        counts = self._counts[: self._used]
        last = np.maximum.accumulate(np.where(counts > 0, np.arange(len(counts)), -1))
        rows = np.maximum(last, 0)
        with np.errstate(invalid="ignore"):
            return np.asarray(self._sums[rows] / counts[rows, None].astype(np.float32))


class Trails:
    """The trails of the pictures that are pinned now."""

    def __init__(self) -> None:
        self._trails: dict[int, Trail] = {}
        self._at: tuple[int, int] | None = None

    def take(self, probed: Probed) -> None:
        """Add what a probe saw. A trail whose picture is not among its own is forgotten; a second look at the same
        weights adds nothing but pictures that were pinned meanwhile."""
        again = self._at == (probed.epoch, probed.iteration)
        self._at = (probed.epoch, probed.iteration)
        before, self._trails = self._trails, {}
        for index, probabilities in zip(probed.indices, probed.probabilities, strict=True):
            trail = before.get(index)
            fresh = trail is None
            trail = trail or Trail(len(probabilities))
            if fresh or not again:
                trail.add(probed.trained, probabilities)
            self._trails[index] = trail

    def of(self, index: int) -> Trail | None:
        """The trail of a pinned picture; None before it was looked at."""
        return self._trails.get(index)
