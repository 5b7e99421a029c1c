"""Learning rate schedules of torch.optim.lr_scheduler, with torch's own arguments and defaults.

torch's objects go from step to step on an optimiser. Here stand the same schedules in closed form, each tried against
torch's own step by step. Where torch wants to know how long something lasts, None fits it to the run; where it has
five steps as a default, which suit no run in particular, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from gui_lab.core.learning import SCHEDULERS, Optimizer, Scheduler, Training
from gui_lab.core.schedule import momentum_of
from gui_lab.schema import Problem, Repair, knob

Floats = npt.NDArray[np.float64]
Step = Annotated[int, Field(ge=1, le=100_000_000)]
LONGEST = 100_000_000
"""Steps: the longest run there is has 10,000 epochs of some thousand iterations."""
Every = Literal["epoch", "iteration"]
_EVERY = "When it takes a step: after each epoch or each iteration."
_GAMMA = "What the learning rate is multiplied with each time."


def _part(total: int, parts: int) -> int:
    return max(total // parts, 1)


@SCHEDULERS.add
class StepLR(Scheduler):
    """Falls by the same factor again and again, in stairs."""

    step_size: int | None = knob(
        None, "Steps from one fall to the next; none: a third of the run.", unit="steps", ge=1, le=LONGEST
    )
    gamma: float = knob(0.1, _GAMMA, gt=0, le=1)

    def factors(self, steps: Floats, total: int, lr: float) -> Floats:
        return np.asarray(self.gamma ** (steps // (self.step_size or max(-(-total // 3), 1))))


@SCHEDULERS.add
class MultiStepLR(Scheduler):
    """Falls by the same factor at the steps that are named."""

    milestones: tuple[Step, ...] | None = knob(None, "Steps at which it falls; none: at 1/2 and 3/4 of the run.")
    gamma: float = knob(0.1, _GAMMA, gt=0, le=1)

    def factors(self, steps: Floats, total: int, lr: float) -> Floats:
        milestones = (_part(total, 2), max(3 * total // 4, 1)) if self.milestones is None else sorted(self.milestones)
        return np.asarray(self.gamma ** np.searchsorted(milestones, steps, "right").astype(np.float64))


@SCHEDULERS.add
class ExponentialLR(Scheduler):
    """Falls by the same factor at each step."""

    gamma: float = knob(0.95, _GAMMA, gt=0, le=1, step=0.01)

    def factors(self, steps: Floats, total: int, lr: float) -> Floats:
        return np.asarray(self.gamma**steps)


@SCHEDULERS.add
class CosineAnnealingLR(Scheduler):
    """Falls along half a cosine, slowly at both ends (Loshchilov and Hutter, 2016)."""

    T_max: int | None = knob(None, "Steps of the fall; none: the whole run.", unit="steps", ge=1, le=LONGEST)
    eta_min: float = knob(0.0, "The learning rate at its end.", ge=0, le=1e10)

    def factors(self, steps: Floats, total: int, lr: float) -> Floats:
        return _annealed(steps / (self.T_max or total), self.eta_min / lr)

    def problems(self, path: str, optimizer: Optimizer, training: Training, total: int) -> list[Problem]:
        return _climbing(f"{path}.eta_min", self.eta_min, optimizer.lr)


@SCHEDULERS.add
class CosineAnnealingWarmRestarts(Scheduler):
    """Falls along half a cosine and starts again, once or many times (Loshchilov and Hutter, 2016)."""

    T_0: int | None = knob(None, "Steps of the first fall; none: a quarter of the run.", unit="steps", ge=1, le=LONGEST)
    T_mult: int = knob(1, "How many times as long as the last each fall is.", ge=1, le=100)
    eta_min: float = knob(0.0, "The learning rate at the end of each fall.", ge=0, le=1e10)

    def factors(self, steps: Floats, total: int, lr: float) -> Floats:
        first = self.T_0 or max(-(-total // 4), 1)
        if self.T_mult == 1:
            return _annealed(steps % first / first, self.eta_min / lr)
        starts = [0]
        while starts[-1] <= steps.max(initial=0):
            starts.append(starts[-1] + first * self.T_mult ** (len(starts) - 1))
        fall = np.searchsorted(starts, steps, "right") - 1
        lasts = first * float(self.T_mult) ** fall
        return _annealed((steps - np.array(starts, np.float64)[fall]) / lasts, self.eta_min / lr)

    def problems(self, path: str, optimizer: Optimizer, training: Training, total: int) -> list[Problem]:
        return _climbing(f"{path}.eta_min", self.eta_min, optimizer.lr)


def _annealed(part: Floats, least: float) -> Floats:
    """From 1 to the least along half a cosine, as the part goes from 0 to 1."""
    return np.asarray(least + (1 - least) * (1 + np.cos(math.pi * part)) / 2)


def _climbing(path: str, least: float, lr: float) -> list[Problem]:
    if least < lr:
        return []
    sentence = f"The learning rate of {lr:g} would not fall but climb: {least:g} is not below it."
    return [Problem(path, sentence, (Repair("Use 0", path, 0.0),), "warning")]


@SCHEDULERS.add
class OneCycleLR(Scheduler):
    """Climbs to a high learning rate and falls far below the first, while momentum goes the other way (Smith, 2017)."""

    absolute: ClassVar[bool] = True

    max_lr: float | None = knob(None, "The highest learning rate; none: that of the optimiser.", gt=0, le=1e10)
    total_steps: int | None = knob(None, "Steps of the cycle; none: the whole run.", unit="steps", ge=1, le=LONGEST)
    pct_start: float = knob(0.3, "Part of the cycle in which it climbs.", ge=0, le=1, felt=True)
    anneal_strategy: Literal["cos", "linear"] = knob("cos", "The shape of its slopes.")
    cycle_momentum: bool = knob(True, "Let momentum fall while the learning rate climbs, and the other way round.")
    base_momentum: float = knob(0.85, "The lowest momentum, where the learning rate is highest.", ge=0, lt=1)
    max_momentum: float = knob(0.95, "The highest momentum, at the start and at the end.", ge=0, lt=1)
    div_factor: float = knob(25.0, "The first learning rate is the highest divided by this.", gt=0, le=1e10)
    final_div_factor: float = knob(1e4, "The last learning rate is the first divided by this.", gt=0, le=1e10)
    three_phase: bool = knob(False, "Fall to the first learning rate as fast as it climbed, then to the last.")
    every: Every = knob("iteration", _EVERY)

    def factors(self, steps: Floats, total: int, lr: float) -> Floats:
        highest = (self.max_lr or lr) / lr
        first = highest / self.div_factor
        return self._cycle(steps, total, first, highest, first / self.final_div_factor)

    def momenta(self, steps: Floats, total: int) -> Floats | None:
        if not self.cycle_momentum:
            return None
        return self._cycle(steps, total, self.max_momentum, self.base_momentum, self.max_momentum)

    def problems(self, path: str, optimizer: Optimizer, training: Training, total: int) -> list[Problem]:
        found = self._momentum_problems(path, optimizer) if self.cycle_momentum else []
        if self.total_steps is not None and self.total_steps < total:
            field = f"{path}.total_steps"
            sentence = (
                f"The cycle is over after {self.total_steps:,} of {total:,} steps; from then on the learning rate "
                "stays at its last, very small value."
            )
            found.append(Problem(field, sentence, (Repair("Fit it to the run", field, None),), "warning"))
        return found

    def _momentum_problems(self, path: str, optimizer: Optimizer) -> list[Problem]:
        field, name = f"{path}.cycle_momentum", optimizer.name_of()
        leave = Repair("Leave momentum alone", field, False)
        momentum = momentum_of(optimizer)
        if momentum is None:
            return [Problem(field, f"{name} has no momentum that OneCycleLR could move.", (leave,))]
        if getattr(optimizer, momentum) == 0:
            sentence = f"{name} has a momentum of 0, but OneCycleLR gives it one of up to {self.max_momentum:g}."
            repairs = (leave, Repair("Use a momentum of 0.9", f"optimizer.{momentum}", 0.9))
            return [Problem(field, sentence, repairs, "warning")]
        return []

    def _cycle(self, steps: Floats, total: int, first: float, turn: float, last: float) -> Floats:
        """From the first value to that of the turn and to the last, where it stays."""
        length = self.total_steps or total
        step = np.minimum(steps, length - 1)
        climbed = self.pct_start * length - 1
        if not self.three_phase:
            up, down = self._slope(step, 0, climbed, first, turn), self._slope(step, climbed, length - 1, turn, last)
            return np.where(step <= climbed, up, down)
        back = 2 * self.pct_start * length - 2
        slopes = (
            self._slope(step, 0, climbed, first, turn),
            self._slope(step, climbed, back, turn, first),
            self._slope(step, back, length - 1, first, last),
        )
        return np.select([step <= climbed, step <= back], slopes[:2], slopes[2])

    def _slope(self, step: Floats, start: float, end: float, before: float, after: float) -> Floats:
        part = (step - start) / (end - start) if end != start else np.ones_like(step)
        if self.anneal_strategy == "linear":
            return np.asarray(before + (after - before) * part)
        return np.asarray(after + (before - after) / 2 * (1 + np.cos(math.pi * part)))


@SCHEDULERS.add
class ReduceLROnPlateau(Scheduler):
    """Falls when the validation loss has not become smaller for some epochs."""

    factor: float = knob(0.1, "What the learning rate is multiplied with each time.", gt=0, lt=1)
    patience: int = knob(10, "Epochs without a smaller loss that are still accepted.", unit="epochs", ge=0, le=1000)
    threshold: float = knob(1e-4, "By how much the loss has to be smaller to count.", ge=0, le=1)
    threshold_mode: Literal["rel", "abs"] = knob("rel", "The threshold is a part of the best loss, or a difference.")
    cooldown: int = knob(0, "Epochs after a fall that do not count.", unit="epochs", ge=0, le=1000)
    min_lr: float = knob(0.0, "The learning rate never falls below this.", ge=0, le=1e10)
    eps: float = knob(1e-8, "A fall by less than this is left out.", ge=0, le=1)
    every: Literal["epoch"] = knob("epoch", "After each epoch, when the validation loss is known.", listed=False)

    def factors(self, steps: Floats, total: int, lr: float) -> Floats:
        """What it starts with: the rest depends on the run."""
        return np.ones_like(steps)

    def follower(self, lr: float) -> Callable[[float], float]:
        return _Plateau(self, lr, lr)

    def problems(self, path: str, optimizer: Optimizer, training: Training, total: int) -> list[Problem]:
        found, field = [], f"{path}.patience"
        if self.patience + 2 >= total:
            sentence = f"It can act after {self.patience + 2:,} epochs at the earliest, but the run has {total:,}."
            fitting = (Repair(f"Use {total // 4}", field, total // 4),) if total // 4 + 2 < total else ()
            found.append(Problem(field, sentence, fitting, "warning"))
        elif 0 < training.patience <= self.patience + 1:
            sentence = (
                f"The run stops after {training.patience} epochs without improvement, before the learning rate falls."
            )
            sooner, later = max(training.patience // 2 - 1, 0), 2 * self.patience + 5
            earlier = Repair(f"Use {sooner}", field, sooner), training.patience > sooner + 1
            wait = Repair(f"Stop after {later}", "training.patience", later), later <= 1000
            repairs = tuple(repair for repair, mends in (earlier, wait) if mends)
            found.append(Problem(field, sentence, repairs, "warning"))
        if self.min_lr >= optimizer.lr:
            least = f"{path}.min_lr"
            sentence = f"The learning rate of {optimizer.lr:g} cannot fall: {self.min_lr:g} is not below it."
            found.append(Problem(least, sentence, (Repair("Use 0", least, 0.0),), "warning"))
        return found


@dataclass
class _Plateau:
    """What torch's scheduler remembers from epoch to epoch."""

    spec: ReduceLROnPlateau
    lr: float
    rate: float
    best: float = math.inf
    worse: int = 0
    cooling: int = 0

    def __call__(self, loss: float) -> float:
        if loss < self._to_beat():
            self.best, self.worse = loss, 0
        else:
            self.worse += 1
        if self.cooling:
            self.cooling, self.worse = self.cooling - 1, 0
        if self.worse > self.spec.patience:
            fallen = max(self.rate * self.spec.factor, self.spec.min_lr)
            if self.rate - fallen > self.spec.eps:
                self.rate = fallen
            self.cooling, self.worse = self.spec.cooldown, 0
        return self.rate / self.lr

    def _to_beat(self) -> float:
        relative = self.spec.threshold_mode == "rel"
        return self.best * (1 - self.spec.threshold) if relative else self.best - self.spec.threshold


_WARM_UP = "Steps until it is over; none: a twentieth of the run."


@SCHEDULERS.add
class LinearLR(Scheduler):
    """Climbs in a straight line to the learning rate: a warm-up, alone or before another schedule."""

    start_factor: float = knob(1 / 3, "Part of the learning rate that it begins with.", gt=0, le=1, step=0.05)
    end_factor: float = knob(1.0, "Part of the learning rate that it ends with.", ge=0, le=1, step=0.05)
    total_iters: int | None = knob(None, _WARM_UP, unit="steps", ge=1, le=LONGEST)
    every: Every = knob("iteration", _EVERY)

    def factors(self, steps: Floats, total: int, lr: float) -> Floats:
        last = self.total_iters or _part(total, 20)
        return np.asarray(self.start_factor + (self.end_factor - self.start_factor) * np.minimum(steps, last) / last)


@SCHEDULERS.add
class ConstantLR(Scheduler):
    """Holds a part of the learning rate for a while, then all of it."""

    factor: float = knob(1 / 3, "Part of the learning rate that is held.", gt=0, le=1, step=0.05)
    total_iters: int | None = knob(None, _WARM_UP, unit="steps", ge=1, le=LONGEST)
    every: Every = knob("iteration", _EVERY)

    def factors(self, steps: Floats, total: int, lr: float) -> Floats:
        return np.where(steps < (self.total_iters or _part(total, 20)), self.factor, 1.0)


@SCHEDULERS.add
class PolynomialLR(Scheduler):
    """Falls to zero along a power of what is left of the run: in a straight line where the power is 1."""

    total_iters: int | None = knob(None, "Steps until it is zero; none: the whole run.", unit="steps", ge=1, le=LONGEST)
    power: float = knob(1.0, "Above 1 it falls fast at first, below 1 at the end.", ge=0, le=10, step=0.1)

    def factors(self, steps: Floats, total: int, lr: float) -> Floats:
        length = self.total_iters or total
        return np.asarray((1 - np.minimum(steps, length) / length) ** self.power)
