"""Which learning rate: the range test of Smith (Cyclical Learning Rates for Training Neural Networks, 2015).

A copy of the network trains for some steps while the learning rate grows from far too small to far too large; where the
loss falls is where to begin. It is trained by the loop that trains (`training.train`), whose plan is changed before
every step, so what is tried is what a run does: its chain, loss, batches, clipping and precision.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gui_lab.core import machine
from gui_lab.core.events import BatchTrained, EpochEnded, Event
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import ImageSet
from gui_lab.core.learner import Learner, Plan, Standing
from gui_lab.core.machine import generators_kept, out_of_memory_told
from gui_lab.core.schedule import Schedule
from gui_lab.core.training import train
from gui_lab.errors import LossNotFinite

LOW, HIGH, STEPS = 1e-7, 10.0, 100
_MEMORY = 0.8  # of the loss that decides about stopping: it reaches back five steps
_DIVERGED = 4.0  # times the best smoothed loss
_BREADTH = 2.0  # steps, of the bell that smooths the curve to its left and right alike
_FEWEST = 10  # steps that a suggestion can be read from
_FELL = 0.95  # of the first loss: what does not fall below it did not learn

SUGGESTED = {
    "Steepest descent": "The loss falls fastest here: learning is quick, and still safe.",
    "Valley": "Two thirds down the longest descent of the loss: the usual first choice.",
    "Tenth of the minimum": "A tenth of the rate with the lowest loss, beyond which steps are too large.",
}
"""What is suggested, by name, and why."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tried:
    """One step: its learning rate, the loss before it was taken, and that loss smoothed over the last steps."""

    lr: float
    loss: float
    smoothed: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A learning rate to begin with, two significant digits; `loss` is that of the curve there, `why` a sentence."""

    name: str
    lr: float
    loss: float
    why: str


def search(experiment: Experiment, images: ImageSet) -> Generator[Tried, None, None]:
    """`find` on a learner of its own, made by whoever asks for the first step.

    Raises:
        LabError: the experiment cannot run on these pictures, or as for `find`.
    """
    with generators_kept(machine.resolve(experiment.training.device)):
        learner = Learner(experiment, images)
    yield from find(learner)


def find(learner: Learner, low: float = LOW, high: float = HIGH, steps: int = STEPS) -> Generator[Tried, None, None]:
    """Train a copy for at most so many steps of the optimiser, from `low` to `high` in equal ratios. It ends early
    when the smoothed loss is more than four times its best, or when loss or gradient are no longer finite. Schedules
    are left out. The learner, and between two steps torch's generators, are as they were. Who does not ask on cancels.

    Raises:
        OutOfMemory: there is no memory for the copy or for a batch.
        DataError: a picture cannot be read.
    """
    twin = _twin(learner, low, steps)
    average = weight = 0.0
    best = math.inf
    with closing(train(twin)) as events:
        losses = _losses(events, learner)
        for step in range(steps):
            twin.plan.lr = low * (high / low) ** (step / (steps - 1))
            try:
                loss = next(losses)
            except LossNotFinite:
                return
            average = _MEMORY * average + (1 - _MEMORY) * loss
            weight = _MEMORY * weight + (1 - _MEMORY)
            smoothed = average / weight
            best = min(best, smoothed)
            yield Tried(twin.plan.lr, loss, smoothed)
            if smoothed > _DIVERGED * best:
                return


def _twin(learner: Learner, lr: float, steps: int) -> Learner:
    """A learner of its own that begins where this one is, without schedules, and measures nothing between epochs."""
    experiment, images = learner.experiment, learner.images
    plain = experiment.training.changed(remeasure=False)
    iterations = plain.iterations(len(images.train))
    twin = copy.copy(learner)
    twin.experiment = replace(experiment, schedulers=(), training=plain)
    twin.images = replace(images, validation=images.validation[:0], test=images.test[:0])
    with out_of_memory_told("a copy of the network"):
        twin.model, twin.averaged = copy.deepcopy(learner.model), None
        twin.optimizer = experiment.optimizer.build(twin.model.parameters())
        twin.optimizer.load_state_dict(copy.deepcopy(learner.optimizer.state_dict()))
    twin.schedule = Schedule(experiment.optimizer, (), plain.epochs, iterations)
    twin.standing = Standing()
    twin.plan = Plan(epochs=steps * plain.accumulate, patience=0, lr=lr)  # more than enough
    return twin


def _losses(events: Generator[Event, None, object], learner: Learner) -> Iterator[float]:
    """The mean loss of each group of batches for which the optimiser takes a step."""
    group: list[float] = []
    while True:
        with generators_kept(learner.device):
            event = next(events)
        if isinstance(event, BatchTrained):
            group.append(event.loss)
        if group and (isinstance(event, EpochEnded) or len(group) == learner.experiment.training.accumulate):
            yield sum(group) / len(group)
            group = []


def curve(tried: Sequence[Tried]) -> Floats:
    """The losses smoothed to the left and right alike, so that the curve does not lag behind its rates; float64 (n,),
    nats."""
    losses = np.array([one.loss for one in tried])
    steps = np.arange(len(losses))
    weights = np.exp(-(((steps[:, None] - steps[None, :]) / _BREADTH) ** 2) / 2)
    smooth: Floats = (weights @ losses) / weights.sum(1)
    return smooth


def suggestions(tried: Sequence[Tried]) -> tuple[Suggestion, ...]:
    """Learning rates to begin with, read from the curve; none where the loss never fell or too few steps were tried."""
    if len(tried) < _FEWEST:
        return ()
    losses = curve(tried)
    lowest = int(losses.argmin())
    if lowest < 2 or losses[lowest] > _FELL * float(np.median(losses[: len(losses) // 10])):
        return ()
    slopes = np.gradient(losses[: lowest + 1])
    places = float(slopes.argmin()), _valley(losses), _tenth(tried, lowest)
    return tuple(_suggestion(name, tried, losses, place) for name, place in zip(SUGGESTED, places, strict=True))


def _suggestion(name: str, tried: Sequence[Tried], losses: Floats, place: float) -> Suggestion:
    steps = np.arange(len(tried))
    lr = math.exp(np.interp(place, steps, np.log([one.lr for one in tried])))
    return Suggestion(name, float(f"{lr:.1e}"), float(np.interp(place, steps, losses)), SUGGESTED[name])


def _tenth(tried: Sequence[Tried], lowest: int) -> float:
    """The step, counted from 0, at a tenth of the rate of the lowest loss."""
    rates = np.log([one.lr for one in tried])
    return float(np.interp(rates[lowest] - math.log(10), rates, np.arange(len(tried))))


def _valley(losses: Floats) -> float:
    """The step, counted from 0, two thirds down the longest descent: the longest sequence of steps, others between them
    left out, of which each is lower than the one before (as fastai's finder does)."""
    least = 1e-3 * float(np.ptp(losses))  # on a level stretch rounding alone makes one lower than the other
    lengths = np.ones(len(losses), np.int64)
    for step in range(1, len(losses)):
        higher = lengths[:step][losses[:step] - losses[step] > least]
        if len(higher):
            lengths[step] = higher.max() + 1
    end = int(lengths.argmax())
    start = end - int(lengths[end]) + 1
    return start + (end - start) * 2 / 3
