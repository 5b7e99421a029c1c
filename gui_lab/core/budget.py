"""How long a run will take, asked before it starts: a few seconds of it are trained and thrown away.

The trial trains by the loop that trains (`training.train`), on a learner of its own. What is measured after each epoch
is timed by measuring a part of it.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gui_lab.core import machine, memory
from gui_lab.core.events import BatchTrained
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import ImageSet
from gui_lab.core.learner import Learner
from gui_lab.core.learning import Training
from gui_lab.core.machine import generators_kept
from gui_lab.core.training import Stopwatch, Sums, measuring, train
from gui_lab.errors import OutOfMemory
from gui_lab.schema import knobs

SECONDS = 3.0
_TRAINED_PART = 0.8  # of the seconds; the rest is for measuring
_WARM_UP = 3  # iterations, where there are more than twice as many
_PARTS = 8
_LARGER = 4  # times the batch size that is tried where one epoch takes too long
_LARGEST = 1024  # pictures; larger batches need another learning rate and hardly save time


@dataclass(frozen=True, slots=True)
class Trial:
    """What a few seconds of training said about the whole.

    Attributes:
        batch_size, samples: pictures in an iteration and in an epoch.
        iterations: how many were trained.
        seconds_per_iteration: of the middle one of them.
        seconds_per_epoch: with all that is measured after it.
        seconds_after: measuring the test pictures after the last epoch.
        seconds_to_start: building the network and preparing pictures, before the first iteration.
        rate: pictures per second while it trains.
        memory: bytes in use while it trains, as `machine.memory_in_use` counts.
        device, precision: what was computed on and in.
    """

    batch_size: int
    samples: int
    iterations: int
    seconds_per_iteration: float
    seconds_per_epoch: float
    seconds_after: float
    seconds_to_start: float
    memory: int
    device: str
    precision: str

    @property
    def rate(self) -> float:
        return self.batch_size / self.seconds_per_iteration

    def seconds(self, epochs: int) -> float:
        """Of a run of so many epochs, from its first iteration on."""
        return epochs * self.seconds_per_epoch + self.seconds_after


@dataclass(frozen=True, slots=True)
class Trying:
    """How far a trial is: `part` of its time, 0..1."""

    batch_size: int
    part: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """How to use the time there is: `words` says it in a sentence or two; where it does not fit even one epoch does
    not, and nothing is proposed but that epoch."""

    epochs: int
    batch_size: int
    expected_seconds: float
    fits: bool
    words: str


def trial(experiment: Experiment, images: ImageSet, seconds: float = SECONDS) -> Generator[Trying, None, Trial]:
    """Train for a moment on a learner of its own, which is thrown away; says how far it is once that is made and after
    each batch. In between torch's generators are as they were. Who does not ask on cancels. One iteration is trained at
    least, however long it takes.

    Raises:
        InvalidExperiment: it cannot run on these pictures.
        TrainingError: it fails within these seconds, as a run would.
    """
    training = experiment.training.changed(remeasure=False, patience=0)  # measuring is timed apart
    began = time.perf_counter()
    with generators_kept(machine.resolve(training.device)):
        learner = Learner(replace(experiment, training=training), images)
    started = time.perf_counter()
    yield Trying(training.batch_size, 0.0)
    taken: list[float] = []
    with contextlib.closing(_iterations(learner)) as iterations:
        for spent in iterations:
            taken.append(spent)
            over = (time.perf_counter() - started) / (seconds * _TRAINED_PART)
            yield Trying(training.batch_size, min(over, 1.0) * _TRAINED_PART)
            if over >= 1:
                break
        in_use = machine.memory_in_use(learner.device)  # what a step frees is given back once it is closed
    with memory.kept_for_a_run():
        to_measure = yield from _measured(learner, images, seconds * (1 - _TRAINED_PART))
    iteration, samples = _usual(taken), len(images.train)
    measured = len(images.validation) + (samples if experiment.training.remeasure else 0)
    return Trial(
        batch_size=training.batch_size,
        samples=samples,
        iterations=len(taken),
        seconds_per_iteration=iteration,
        seconds_per_epoch=samples / training.batch_size * iteration + measured * to_measure,
        seconds_after=len(images.test) * to_measure,
        seconds_to_start=started - began,
        memory=in_use,
        device=learner.device,
        precision=learner.precision,
    )


def _iterations(learner: Learner) -> Generator[float, None, None]:
    """The seconds of one iteration after the other, to the end of the run; nothing is measured between epochs."""
    images = learner.images
    learner.images = replace(images, validation=images.validation[:0], test=images.test[:0])
    before = 0.0
    with contextlib.closing(train(learner)) as events:
        while True:
            with generators_kept(learner.device):
                event = next(events, None)
            if event is None:
                return
            if isinstance(event, BatchTrained):
                yield event.seconds - before
                before = event.seconds


def _measured(learner: Learner, images: ImageSet, seconds: float) -> Generator[Trying, None, float]:
    """The seconds of measuring one picture in evaluation mode, from a part of them; two batches at least."""
    pictures = images.validation if len(images.validation) else images.train
    since, taken = time.perf_counter(), list[float]()
    while True:
        before, done = 0.0, 0
        for event in measuring(learner, pictures, "validation", 1, Sums(), Stopwatch()):
            taken.append((event.seconds - before) / (event.done - done))
            before, done = event.seconds, event.done
            over = (time.perf_counter() - since) / seconds
            part = _TRAINED_PART + min(over, 1.0) * (1 - _TRAINED_PART)
            yield Trying(learner.experiment.training.batch_size, part)
            if over >= 1 and len(taken) > 1:
                return _usual(taken)


def _usual(taken: Sequence[float]) -> float:
    """What one takes: the middle one of the means of eight parts in a row. The first few, in which algorithms are
    chosen and memory is found, are left out, and one hiccup of the machine spoils one part; but what comes again and
    again, as on a busy machine, counts, which a median of single ones would not see."""
    timed = np.array(taken[_WARM_UP:] if len(taken) > 2 * _WARM_UP else taken[len(taken) // 2 :])
    return float(np.median([part.mean() for part in np.array_split(timed, min(_PARTS, len(timed)))]))


def trials(
    experiment: Experiment, images: ImageSet, available: float, seconds: float = SECONDS
) -> Generator[Trying, None, list[Trial]]:
    """A trial of an experiment; where not even one epoch fits in the seconds that are available, another one with
    larger batches, if there is memory for them.

    Raises:
        LabError: as for `trial`.
    """
    found = [(yield from trial(experiment, images, seconds))]
    larger = larger_batch(found[0], available)
    if larger:
        training = experiment.training.changed(batch_size=larger)
        with contextlib.suppress(OutOfMemory):
            found.append((yield from trial(replace(experiment, training=training), images, seconds)))
    return found


def larger_batch(trial: Trial, seconds: float) -> int:
    """The batch size to try as well, where not even one epoch fits in the time; 0 where there is none."""
    larger = min(_LARGER * trial.batch_size, _LARGEST, trial.samples)
    return larger if _fitting(trial, seconds) < 1 and larger > trial.batch_size else 0


def propose(trials: Sequence[Trial], seconds: float) -> Proposal:
    """How many epochs fit in the time; with the batch size tried first, unless only another one lets an epoch fit.

    Args:
        trials: one for each batch size tried, the first that of the experiment.
        seconds: how long a person wants to wait.
    """
    first, best = trials[0], max(trials, key=lambda trial: _fitting(trial, seconds) >= 1)  # the first of those alike
    fitting = _fitting(best, seconds)
    epochs = max(fitting, 1)
    expected = best.seconds(epochs)
    if not fitting:
        sentence = f"Not even one epoch fits: it takes about {told(expected)}."
        return Proposal(
            1, best.batch_size, expected, False, f"{sentence} Use fewer or smaller pictures, or a smaller model."
        )
    many = "1 epoch" if epochs == 1 else f"{epochs:,} epochs of {told(best.seconds_per_epoch)} each"
    words = f"{many} with batches of {best.batch_size:,}: about {told(expected)}."
    if best is not first:
        words += f" With batches of {first.batch_size:,} one epoch takes {told(first.seconds_per_epoch)}."
        words += " Larger batches often need a higher learning rate."
    return Proposal(epochs, best.batch_size, expected, True, words)


def _fitting(trial: Trial, seconds: float) -> int:
    """Whole epochs that fit in the time, with the start and the test at the end; not more than a run may have."""
    most = next(int(knob.high or 0) for knob in knobs(Training) if knob.name == "epochs")
    left = seconds - trial.seconds_to_start - trial.seconds_after
    return max(min(math.floor(left / trial.seconds_per_epoch), most), 0)


def verdict(expected: float, took: float) -> str:
    """How right an expectation in seconds was: "It was to take 4:52 and took 5:03: 4 % longer." """
    part = took / expected - 1
    off = f"{abs(part):.0%}".replace("%", " %")
    how = "just as expected" if abs(part) < 0.005 else f"{off} {'longer' if part > 0 else 'shorter'}"
    return f"It was to take {told(expected)} and took {told(took)}: {how}."


def told(seconds: float) -> str:
    """4.2 ms, 0.84 s, 12.5 s, 4:52, 1:02:03"""
    if seconds < 0.0995:
        return f"{1000 * seconds:.2g} ms"
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
