"""What the x axis of the curves counts: epochs, iterations or seconds. All lines of a run are told by how many
iterations were trained; this turns that into a place on the axis, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from gui_lab.qt import words

Floats = npt.NDArray[np.float64]
Unit = Literal["epoch", "iteration", "time"]
UNITS: tuple[Unit, ...] = get_args(Unit)


@dataclass(frozen=True, eq=False)
class Along:
    """
    Attributes:
        unit: what is counted.
        iterations: of an epoch.
        seconds: at the end of each iteration so far, never falling, float64 (n,).
    """

    unit: Unit
    iterations: int
    seconds: Floats

    def place(self, trained: npt.NDArray[np.int64] | Floats) -> Floats:
        """Where on the axis so many iterations are trained, float64 (n,)."""
        if self.unit == "iteration":
            return trained.astype(np.float64)
        if self.unit == "epoch":
            return trained / self.iterations
        with_start = np.minimum(trained.astype(np.int64), len(self.seconds))
        return np.where(with_start > 0, self.seconds[with_start - 1], 0.0) if len(self.seconds) else with_start * 0.0

    def trained(self, x: float) -> float:
        """How many iterations are trained there; the inverse of `place`."""
        if self.unit == "iteration":
            return x
        if self.unit == "epoch":
            return x * self.iterations
        return float(np.searchsorted(self.seconds, x, side="left")) + 1

    def in_words(self, trained: int) -> str:
        """A place in all three units: "epoch 3, iteration 1,234, 0:42"; iterations are counted from the run's start."""
        epoch = max(-(-trained // self.iterations), 1)
        told = f"epoch {epoch:,}, iteration {trained:,}"
        return f"{told}, {words.clock(float(self.seconds[trained - 1]))}" if 0 < trained <= len(self.seconds) else told
