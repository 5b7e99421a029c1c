"""The learning rate over a run: the optimiser's own times the factors of its schedules.

Every schedule gives a factor of its own and all are multiplied, as torch's ChainedScheduler does with schedules that
multiply. So the run's optimiser is not touched, a person can change the learning rate under a schedule, and any of
them can be combined, a warm-up with OneCycleLR or ReduceLROnPlateau too. Factors are known in closed form: what is
drawn before the start is what is trained with, and neither needs torch.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gui_lab.core.learning import Optimizer, Scheduler

Floats = npt.NDArray[np.float64]
_LOOKED_AT = 100_000
"""Steps that a drawn curve is found from: every one in most runs."""


class Schedule:
    """Where a run is in its schedules. Tell it after each iteration and each epoch; read `factor` before a step.

    Attributes:
        lr: the learning rate that its factors are meant for.
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[Scheduler], epochs: int, iterations: int) -> None:
        """
        Args:
            optimizer: its learning rate is what factors are meant for.
            schedulers: in any order.
            epochs: of the whole run.
            iterations: of each epoch.
        """
        self._optimizer, self._schedulers = optimizer, tuple(schedulers)
        self.lr = optimizer.lr
        self._length, self._iterations = epochs, iterations
        self._followers = [follower for one in schedulers if (follower := one.follower(optimizer.lr)) is not None]
        self._followed = 1.0
        self._epochs = self._before = self._inside = 0
        self._lay_out()

    @property
    def factor(self) -> float:
        """What the optimiser's learning rate is multiplied with in the next step."""
        return self._factors[min(self._inside, self._iterations)]

    @property
    def momentum(self) -> dict[str, Any] | None:
        """What the groups of the optimiser have to be updated with before the next step: {"momentum": ...} or
        {"betas": ...}; None where no schedule moves it."""
        if self._momenta is None:
            return None
        return _momentum(self._optimizer, self._momenta[min(self._inside, self._iterations)])

    def iterated(self) -> None:
        """An iteration is over."""
        self._inside += 1

    def epoch_ended(self, validation_loss: float) -> None:
        """An epoch is over, and this is what was measured after it; NaN counts as no better."""
        self._epochs, self._before, self._inside = self._epochs + 1, self._before + self._inside, 0
        self._follow(validation_loss)
        self._lay_out()

    def _follow(self, validation_loss: float) -> None:
        if self._followers:
            self._followed = float(np.prod([follower(validation_loss) for follower in self._followers]))

    def go_on_after(self, epochs: int, validation_losses: Sequence[float] = ()) -> None:
        """So many epochs are over. What was measured after each is learned from where it is told."""
        for loss in validation_losses:
            self._follow(loss)
        self._epochs, self._before, self._inside = epochs, epochs * self._iterations, 0
        self._lay_out()

    def reach(self, epochs: int) -> None:
        """The run is to have so many epochs instead. What is fitted to the run is fitted to the new length, from the
        next step on; lengths that were named stay."""
        self._length = epochs
        self._lay_out()

    def _lay_out(self) -> None:
        """Factors and momenta of the epoch that goes on: what is asked before each step is only looked up. The last is
        that after its last iteration."""
        inside = np.arange(self._iterations + 1, dtype=np.float64) + self._before
        whole = np.full(len(inside), float(self._epochs))
        lr, length = self._optimizer.lr, self._length
        found = _factors(self._schedulers, lr, whole, inside, length, self._iterations)
        self._factors: list[float] = (self._followed * found).tolist()
        self._momenta = _momenta(self._schedulers, whole, inside, length, self._iterations)


def _factors(
    schedulers: Sequence[Scheduler], lr: float, epochs: Floats, taken: Floats, length: int, iterations: int
) -> Floats:
    """The product of all factors after so many epochs and so many iterations in all, float64 (n,)."""
    found = np.ones_like(taken)
    for one in schedulers:
        found = found * one.factors(*_steps(one, epochs, taken, length, iterations), lr)
    return found


def _momenta(
    schedulers: Sequence[Scheduler], epochs: Floats, taken: Floats, length: int, iterations: int
) -> list[float] | None:
    """Those of the last schedule that moves it."""
    for one in reversed(schedulers):
        momenta = one.momenta(*_steps(one, epochs, taken, length, iterations))
        if momenta is not None:
            return [float(value) for value in momenta]
    return None


def _steps(one: Scheduler, epochs: Floats, taken: Floats, length: int, iterations: int) -> tuple[Floats, int]:
    """Steps that a schedule has taken, and those that it takes in the whole run."""
    return (epochs, length) if one.every == "epoch" else (taken, length * iterations)


def momentum_of(optimizer: Optimizer) -> str | None:
    """The argument of an optimiser that a schedule of its momentum moves, as torch's do; None where it has none."""
    return next((name for name in ("betas", "momentum") if name in type(optimizer).model_fields), None)


def _momentum(optimizer: Optimizer, value: float) -> dict[str, Any] | None:
    name = momentum_of(optimizer)
    if name == "betas":
        return {"betas": (value, *getattr(optimizer, name)[1:])}
    return None if name is None else {name: value}


def planned(
    optimizer: Optimizer, schedulers: Sequence[Scheduler], epochs: int, iterations: int, points: int = 500
) -> tuple[Floats, Floats]:
    """The learning rate over the whole run before it starts; a schedule that follows the validation loss is drawn flat.

    Args:
        epochs: of the whole run.
        iterations: of each epoch.
        points: how many are enough to draw. Of more steps than that the lowest and the highest of each stretch are
            kept, in their order.

    Returns:
        Where a step lies, in epochs from 0 to `epochs`, float64 (n,), and its learning rate, float64 (n,); n is at most
        points + 2.
    """
    total = epochs * iterations
    taken = np.unique(np.linspace(0, total - 1, min(total, _LOOKED_AT)).round())
    rates = optimizer.lr * _factors(schedulers, optimizer.lr, taken // iterations, taken, epochs, iterations)
    kept = _outline(rates, points)
    return np.append(taken[kept] / iterations, float(epochs)), np.append(rates[kept], rates[-1])


def _outline(values: Floats, points: int) -> npt.NDArray[np.int64]:
    """Which of the values draw the same line: all of a few, the first, the extremes of each stretch and the last."""
    count = len(values)
    if count <= points:
        return np.arange(count)
    edges = np.linspace(0, count, max(points // 2, 1) + 1).astype(int)
    ends = [0, count - 1]
    for start, end in itertools.pairwise(edges):
        ends += [start + int(values[start:end].argmin()), start + int(values[start:end].argmax())]
    return np.unique(ends)
