"""Events become growing arrays: the one reducer behind plots, command line and replay.

A small network trains thousands of batches a second, so what is done for each of them is a few additions, and lists
take in the rest; what needs more (arrays, medians, the time left) is done a few times in a second of the run's own
clock. It depends on nothing but the events: a replay says what the run said.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from gui_lab.core.events import (
    BatchTrained,
    Branched,
    Changed,
    EpochEnded,
    Event,
    Measuring,
    Paused,
    RunEnded,
    RunStarted,
    Tested,
)

Floats = npt.NDArray[np.float64]

_RECENT = 200  # iterations whose pace counts as that of now
_BLOCKS = 10  # of them, of whose means the median is taken
_SECONDS_BETWEEN_LOOKS = 0.25  # at the time left
_LARGEST_RESERVE = 2**24
_NAMES = {"optimizer.lr": "learning rate", "training.epochs": "epochs", "training.patience": "patience"}


class Column:
    """A float64 array that grows at its end in amortised constant time. What is appended waits in a list, which takes a
    tenth of the time of a store in an array, until somebody looks at the values or `settle` is called. For one thread,
    and not to be copied."""

    __slots__ = ("_count", "_values", "_waiting", "append")

    append: Callable[[float], None]

    def __init__(self) -> None:
        self._values = np.empty(1024)
        self._count = 0
        self._waiting: list[float] = []
        self.append = self._waiting.append

    def __len__(self) -> int:
        return self._count + len(self._waiting)

    def settle(self) -> None:
        """Lay out what waits; now and then, so that it never is much."""
        if self._waiting:
            end = len(self)
            if end > len(self._values):
                self._grow(max(end, 2 * len(self._values)))
            self._values[self._count : end] = self._laid_out(self._waiting)
            self._count = end
            self._waiting.clear()

    def _laid_out(self, waiting: list[float]) -> list[float]:
        return waiting

    def reserve(self, count: int) -> None:
        """Have room for so many values in all: then no growing copies millions of them at once. Memory that is not
        written yet costs nothing."""
        if count > len(self._values):
            self._grow(count)

    def _grow(self, room: int) -> None:
        grown = np.empty(room)
        grown[: self._count] = self._values[: self._count]
        self._values = grown

    @property
    def values(self) -> Floats:
        """A view of what is there, float64 (n,); stays valid and unchanged while the column grows."""
        self.settle()
        return self._values[: self._count]


class Smoothed(Column):
    """An exponential moving average without bias at its start (Kingma and Ba's correction), one value a value."""

    __slots__ = ("_memory", "_sum", "_weight")

    def __init__(self, memory: float = 0.98) -> None:
        super().__init__()
        self._memory = memory
        self._sum = 0.0
        self._weight = 0.0

    def remember(self, values: float) -> None:
        """How many values the average reaches back from now on, about."""
        self.settle()
        self._memory = 1 - 1 / max(values, 1.0)

    def _laid_out(self, waiting: list[float]) -> list[float]:
        memory, new, smoothed = self._memory, 1 - self._memory, []
        for value in waiting:
            self._sum = memory * self._sum + new * value
            self._weight = memory * self._weight + new
            smoothed.append(self._sum / self._weight)
        return smoothed


@dataclass(frozen=True, slots=True)
class Mark:
    """Something a person did to the run: `at` is how many iterations were trained by then, `words` says what."""

    at: int
    kind: Literal["changed", "paused", "branched"]
    words: str


class _End:
    """When the run will end, on its own clock: an average of what is expected, so that the time left falls with the
    clock and never jumps. It forgets faster the nearer the end is."""

    def __init__(self) -> None:
        self.seconds = float("nan")
        self._told = 0
        self._at = 0.0

    def expect(self, now: float, left: float) -> None:
        """At `now` it looks as if so many seconds were `left`."""
        self._told += 1
        if self._told == 1:
            self.seconds = now + left
        else:
            memory = min(max(left / 10, 2.0), 60.0)
            weight = max(1 - math.exp((self._at - now) / memory), 1 / self._told)  # at first the mean of all
            self.seconds += weight * (now + left - self.seconds)
        self._at = now

    def move(self, seconds: float) -> None:
        self.seconds += seconds


class History:
    """All that a run has said so far.

    Attributes:
        loss, seconds, lr, gradient_norm: one value an iteration; `loss` in the unit of the loss (nats for
            cross-entropy), `seconds` since the run started, `gradient_norm` NaN where it was not measured; `smooth` is
            the loss smoothed.
        epoch_loss, epoch_accuracy, validation_loss, validation_accuracy, remeasured_loss: one value an epoch.
        epoch_at, epoch_seconds: iterations trained, and seconds since the run started, when each epoch had ended.
        best_epoch, best_accuracy: of the best validation so far; 0 and NaN before there is one.
        correct, samples: of the current epoch so far; `trained` pictures in all.
        epochs_planned: as it was begun, or as a person changed it; `patience` likewise.
        norm_now: the newest gradient norm that was measured; NaN before there is one.
        elapsed: seconds of training and measuring so far, pauses left out.
        measuring: how far the measuring is that goes on; None while it trains.
        branched: from which run and epoch it branched, where it did; the newest of several.
        marks: what a person changed, where the run paused and where it branched, oldest first.
    """

    def __init__(self) -> None:
        self.started: RunStarted | None = None
        self.last: BatchTrained | None = None
        self.measuring: Measuring | None = None
        self.branched: Branched | None = None
        self.tested: Tested | None = None
        self.ended: RunEnded | None = None
        self.best_epoch = 0
        self.best_accuracy = self.norm_now = float("nan")
        self.loss, self.smooth, self.seconds = Column(), Smoothed(), Column()
        self.lr, self.gradient_norm = Column(), Column()
        self._of_iterations = self.loss, self.smooth, self.seconds, self.lr, self.gradient_norm
        self.epoch_at, self.epoch_seconds = Column(), Column()
        self.epoch_loss, self.epoch_accuracy, self.remeasured_loss = Column(), Column(), Column()
        self.validation_loss, self.validation_accuracy = Column(), Column()
        self.marks: list[Mark] = []
        self.correct = self.samples = self.trained = 0
        self.epochs_planned = self.patience = 0
        self.elapsed = 0.0
        self._took: deque[float] = deque(maxlen=_RECENT)
        self._measured: deque[float] = deque(maxlen=20)
        self._remeasures = False
        self._end = _End()
        self._expect_at = 0.0

    @property
    def epochs(self) -> int:
        """How many epochs have ended."""
        return len(self.epoch_at)

    @property
    def lr_now(self) -> float:
        """The learning rate of the last step; NaN before there is one."""
        return self.last.lr if self.last is not None else float("nan")

    def apply(self, event: Event) -> None:
        match event:
            case BatchTrained():
                self._apply_batch(event)
            case Measuring():
                self._apply_measuring(event)
            case EpochEnded():
                self._apply_epoch(event)
            case Changed():
                self._apply_changed(event)
            case Paused():
                self.marks.append(Mark(len(self.loss), "paused", "paused"))
            case Branched():
                self._apply_branched(event)
            case RunStarted():
                self._apply_started(event)
            case Tested():
                self.measuring, self.tested = None, event
            case RunEnded():
                self.measuring, self.ended = None, event
                self.elapsed = max(event.seconds, self.elapsed)

    def _apply_started(self, event: RunStarted) -> None:
        self.started = event
        self.epochs_planned, self.patience = event.epochs, event.patience
        batches = event.epochs * event.iterations
        self.smooth.remember(min(max(batches / 50, 5), 200))
        for column in self._of_iterations:
            column.reserve(min(batches, _LARGEST_RESERVE))

    def _apply_batch(self, event: BatchTrained) -> None:
        if event.iteration == 1:
            self.correct = self.samples = 0
        samples, seconds, loss, norm = event.samples, event.seconds, event.loss, event.gradient_norm
        self.last, self.measuring = event, None
        self.correct += event.correct
        self.samples += samples
        self.trained += samples
        self.loss.append(loss)
        self.smooth.append(loss)
        self.seconds.append(seconds)
        self.lr.append(event.lr)
        self.gradient_norm.append(norm)
        if norm == norm:
            self.norm_now = norm
        self._took.append(seconds - self.elapsed)
        self.elapsed = seconds
        if seconds >= self._expect_at:
            self._expect()

    def _apply_measuring(self, event: Measuring) -> None:
        self.measuring = event
        self._remeasures = self._remeasures or event.part == "training"
        self.elapsed = event.seconds
        self._expect()

    def _apply_epoch(self, event: EpochEnded) -> None:
        self.measuring = None
        self.epoch_at.append(len(self.loss))
        self.epoch_seconds.append(event.seconds)
        self.epoch_loss.append(event.loss)
        self.epoch_accuracy.append(event.accuracy)
        self.validation_loss.append(event.validation_loss)
        self.validation_accuracy.append(event.validation_accuracy)
        self.remeasured_loss.append(event.remeasured_loss)
        if event.best:
            self.best_epoch, self.best_accuracy = event.epoch, event.validation_accuracy
        self._remeasures = not math.isnan(event.remeasured_loss)
        self.elapsed = event.seconds
        pictures = self._measured_each_epoch()
        if pictures and self.last is not None:
            self._measured.append((event.seconds - self.last.seconds) / pictures)
        self._expect()

    def _apply_changed(self, event: Changed) -> None:
        before, after = (f"{value:,.6g}" for value in (event.before, event.after))
        self.marks.append(
            Mark(len(self.loss), "changed", f"{_NAMES.get(event.setting, event.setting)} {before} to {after}")
        )
        if event.setting == "training.patience":
            self.patience = int(event.after)
        elif event.setting == "training.epochs":
            self._plan(int(event.after))

    def _apply_branched(self, event: Branched) -> None:
        self.branched, self.patience = event, event.patience
        self._plan(event.epochs)
        self.marks.append(Mark(len(self.loss), "branched", f"branched from {event.run} after epoch {event.epoch:,}"))

    def _plan(self, epochs: int) -> None:
        left = self._left()
        self.epochs_planned = epochs
        self._end.move(self._left() - left)

    def rate(self) -> float:
        """Pictures per second over the last two hundred iterations; NaN before the second."""
        took = sum(self._took)
        if len(self._took) < 2 or self.started is None or took <= 0:
            return float("nan")
        return len(self._took) * self.started.batch_size / took

    def patience_left(self) -> int | None:
        """After how many more epochs without a better validation the run stops, that under way included; None where it
        does not, or is over."""
        over = self.ended is not None or (self.measuring is not None and self.measuring.part == "test")
        if not self.patience or over:
            return None
        return max(self.patience - (self.epochs - self.best_epoch), 1)

    # ---------------------------------------------------------------- the time left

    def seconds_left(self) -> float:
        """Seconds of training and measuring left at the pace of the last two hundred iterations, all planned epochs
        trained; falls with the clock of the run and does not jump but where a person changes the epochs. NaN before it
        can be known: for ten iterations, or three that took two seconds."""
        return 0.0 if self.ended is not None else max(self._end.seconds - self.elapsed, 0.0)

    def _expect(self) -> None:
        count = len(self.loss)
        known = self.started is not None and (count >= 10 or (count >= 3 and self.elapsed >= 2))
        if known and self.elapsed >= self._expect_at:
            self._end.expect(self.elapsed, self._left())
            self._expect_at = self.elapsed + _SECONDS_BETWEEN_LOOKS
            for column in self._of_iterations:
                column.settle()

    def _left(self) -> float:
        """Seconds left as it looks now."""
        if self.started is None or self.last is None:
            return float("nan")
        iteration = self._iteration_seconds()
        batches = max(self.epochs_planned, self.last.epoch) * self.started.iterations - len(self.loss)
        testing = self.measuring is not None and self.measuring.part == "test"  # patience may have ended it early
        return (0 if testing else batches * iteration) + self._pictures_left() * self._picture_seconds(iteration)

    def _iteration_seconds(self) -> float:
        """Of recent iterations in blocks the median of the blocks' means: one that was held up does not count, and
        every fourth that also takes a step does."""
        took, blocks = list(self._took), min(_BLOCKS, len(self._took))
        ends = [len(took) * place // blocks for place in range(blocks + 1)]
        return statistics.median(sum(took[a:b]) / (b - a) for a, b in pairwise(ends))

    def _picture_seconds(self, iteration: float) -> float:
        """Of measuring one picture: the median of the epochs so far, before that what this measuring takes, and before
        any a third of training one, which is the forward pass."""
        now, started = self.measuring, self.started
        if self._measured:
            return statistics.median(self._measured)
        if now is not None and now.part == "validation" and now.done and self.last is not None and not self._remeasures:
            return (now.seconds - self.last.seconds) / now.done
        return iteration / started.batch_size / 3 if started is not None else float("nan")

    def _pictures_left(self) -> int:
        """How many pictures are still to be measured in this run."""
        now, started = self.measuring, self.started
        if started is None or self.last is None or self.tested is not None:
            return 0
        if now is not None and now.part == "test":
            return now.total - now.done
        each = self._measured_each_epoch()
        done = 0 if now is None else now.done
        if now is not None and now.part == "validation":
            done += each - started.validation_samples
        return (max(self.epochs_planned, self.last.epoch) - self.epochs) * each - done + started.test_samples

    def _measured_each_epoch(self) -> int:
        """Pictures that are measured after each epoch."""
        if self.started is None:
            return 0
        return self.started.validation_samples + (self.started.samples if self._remeasures else 0)
