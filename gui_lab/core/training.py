"""One plain loop that yields facts; who iterates it controls it.

Pause is not to ask for the next event, one batch is to ask once, stop is to close the generator. The window, the
command line and the tests iterate this same function, and nothing in it knows who does. While it measures it yields
too, batch by batch, so that pause and stop answer there as well.

Every step's randomness is a function of (seed, epoch, iteration): torch's generator is seeded before each batch, the
order of the pictures and the draws of the transforms come from `dice`. So nothing that happens between two batches
(a pause, a probe of pinned pictures, another thread) can change the weights.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, get_total_norm

from gui_lab.core import machine, memory
from gui_lab.core.batches import Batches
from gui_lab.core.blame import first_not_finite
from gui_lab.core.dice import Indices, seed_of
from gui_lab.core.events import BatchTrained, EpochEnded, Event, Measuring, Reason, Tested
from gui_lab.core.learner import Learner
from gui_lab.core.machine import out_of_memory_told
from gui_lab.errors import LossNotFinite
from gui_lab.schema import Repair

_EVALUATION_BATCH = 512
_SECONDS_BETWEEN_NORMS = 0.05
"""Gradients that are not clipped are measured so often: each time costs a tenth of a small network's iteration."""

Part = Literal["training", "validation", "test"]


@dataclass
class Sums:
    """Loss and accuracy over the pictures so far: of a batch's mean loss and how many were right."""

    loss: float = 0.0
    correct: int = 0
    samples: int = 0

    def add(self, loss: float, correct: int, samples: int) -> None:
        self.loss += loss * samples
        self.correct += correct
        self.samples += samples

    @property
    def mean_loss(self) -> float:
        return self.loss / self.samples if self.samples else float("nan")

    @property
    def accuracy(self) -> float:
        return self.correct / self.samples if self.samples else float("nan")


def train(learner: Learner) -> Generator[Event, None, Reason]:
    """Train a learner from where it stands to its end: a `BatchTrained` after each iteration, `Measuring` while it
    measures, an `EpochEnded` after each epoch's validation, and one `Tested` where the data set has test pictures.
    Returns why it ended.

    Raises:
        LossNotFinite: before the optimiser's step, so the weights are those of the last finite step.
        OutOfMemory: with a remedy; the weights are kept.
        DataError: a picture can no longer be read.
    """
    stepper, plan, standing = _Stepper(learner), learner.plan, learner.standing
    clock, reason = Stopwatch(standing.seconds), "finished"
    with memory.kept_for_a_run(), machine.deterministic(learner.experiment.training.deterministic):
        while standing.epoch < plan.epochs:
            epoch, sums = standing.epoch + 1, Sums()
            yield from _trained(learner, stepper, epoch, sums, clock)
            remeasured = Sums()
            if learner.experiment.training.remeasure:
                yield from measuring(learner, learner.images.train, "training", epoch, remeasured, clock)
            validated = Sums()
            yield from measuring(learner, learner.images.validation, "validation", epoch, validated, clock)
            learner.schedule.epoch_ended(validated.mean_loss)
            better = standing.epoch_ended(validated.mean_loss, validated.accuracy, clock.seconds)
            yield EpochEnded(
                epoch, sums.mean_loss, sums.accuracy, validated.mean_loss, validated.accuracy, better, clock.seconds,
                remeasured.mean_loss,
            )  # fmt: skip
            if plan.patience and epoch - standing.best_epoch >= plan.patience and epoch < plan.epochs:
                reason = "patience"
                break
        if len(learner.images.test):
            tested = Sums()
            yield from measuring(learner, learner.images.test, "test", standing.epoch, tested, clock)
            yield Tested(tested.mean_loss, tested.accuracy, tested.samples)
    return "patience" if reason == "patience" else "finished"


def _trained(learner: Learner, stepper: _Stepper, epoch: int, sums: Sums, clock: Stopwatch) -> Iterator[BatchTrained]:
    """One epoch's iterations."""
    told = out_of_memory_told(f"a batch of {learner.experiment.training.batch_size}", _smaller(learner))
    with contextlib.closing(Batches(learner, epoch)) as batches:
        for iteration in range(1, len(batches) + 1):
            with clock, told:
                pictures, labels = batches.take(iteration - 1)
                stepped = stepper.step(pictures, labels, epoch, iteration, len(batches) - iteration)
            sums.add(stepped.loss, stepped.correct, len(labels))
            yield BatchTrained(
                epoch, iteration, stepped.loss, stepped.correct, len(labels), clock.seconds, stepped.lr, stepped.norm
            )


@dataclass(slots=True)
class _Stepped:
    loss: float
    correct: int
    lr: float
    norm: float


@dataclass
class _Stepper:
    """Iterations of one run: gradients are added up over `accumulate` batches before the optimiser's step."""

    learner: Learner
    _normed: float = field(default=float("-inf"))
    _parameters: tuple[nn.Parameter, ...] = ()
    _one: Tensor = field(default_factory=lambda: torch.ones(()))

    def __post_init__(self) -> None:
        self._parameters = tuple(self.learner.model.parameters())
        self._one = self._one.to(self.learner.device)

    def step(self, pictures: Tensor, labels: Tensor, epoch: int, iteration: int, left: int) -> _Stepped:
        """Forward and backward, and the optimiser's step where the batch is the last of its group.

        Args:
            pictures, labels: a batch, as `Learner.batch` gives it.
            left: iterations of the epoch that come after this one; the last group may be a smaller one.
        """
        learner, training = self.learner, self.learner.experiment.training
        seed = seed_of(training.seed, epoch, iteration)
        if not learner.model.training:  # a look leaves it measuring; going through all layers each time takes time
            learner.model.train()
        place = (iteration - 1) % training.accumulate
        group = min(training.accumulate, place + 1 + left)
        outputs: list[Tensor] = []

        def forward() -> Tensor:
            machine.seed(seed, learner.device)
            left_network = learner.outputs(pictures)
            outputs.append(left_network.detach())
            return learner.loss(left_network, labels)

        loss = forward()
        value = loss.item()
        if not math.isfinite(value):
            raise _not_finite(learner, value, epoch, iteration, forward)
        if place == 0:
            self._forget()
        backward(loss if group == 1 else loss / group, self._one)
        rate, norm = learner.plan.lr * learner.schedule.factor, float("nan")
        if place + 1 == group:
            norm = self._norm()
            if not math.isfinite(norm) and not math.isnan(norm):
                raise _not_finite(learner, value, epoch, iteration, forward)
            rate = learner.step(self._closure(forward) if learner.experiment.optimizer.closure else None)
        learner.schedule.iterated()
        return _Stepped(value, _right(outputs[0], labels), rate, norm)

    def _closure(self, forward: Callable[[], Tensor]) -> Callable[[], Tensor]:
        def closure() -> Tensor:
            self._forget()
            loss = forward()
            loss.backward()  # type: ignore[no-untyped-call]  # torch's
            return loss

        return closure

    def _forget(self) -> None:
        """What optimizer.zero_grad does, without the profiler around it."""
        for parameter in self._parameters:
            parameter.grad = None

    def _norm(self) -> float:
        """The norm of all gradients before they are clipped; NaN where it is not measured this time."""
        most = self.learner.experiment.training.max_norm
        if most:
            return float(clip_grad_norm_(self.learner.model.parameters(), most))
        now = time.monotonic()
        if now - self._normed < _SECONDS_BETWEEN_NORMS:
            return float("nan")
        self._normed = now
        gradients = [one.grad for one in self.learner.model.parameters() if one.grad is not None]
        return float(get_total_norm(gradients)) if gradients else float("nan")


def backward(loss: Tensor, one: Tensor) -> None:
    """What loss.backward() does, by torch's engine at once: that takes a twentieth off a small network's iteration.

    Args:
        loss: float32 ().
        one: 1.0, float32 () on the same device; kept by who calls, for to make it each time takes half of what is won.
    """
    engine: Any = torch.autograd.Variable._execution_engine
    engine.run_backward((loss,), (one,), False, False, (), allow_unreachable=True, accumulate_grad=True)


def _right(outputs: Tensor, labels: Tensor) -> int:
    """How many pictures have the largest score at their class: of mixed pictures the one with the larger part."""
    truth = labels if labels.dim() == 1 else labels.argmax(1)
    if outputs.device.type == "cpu":  # of so few numbers NumPy's kernels are done twice as soon as torch's
        return int(np.count_nonzero(outputs.numpy().argmax(1) == truth.numpy()))
    return int((outputs.argmax(1) == truth).sum())


def _not_finite(
    learner: Learner, value: float, epoch: int, iteration: int, forward: Callable[[], Tensor]
) -> LossNotFinite:
    where = first_not_finite(learner.model, forward)
    what = f"The loss became {value}" if not math.isfinite(value) else "The gradient became infinite"
    first = f"{where} is the first that is not finite" if where != "the loss" else "all layers before it are finite"
    lower = learner.plan.lr / 10
    return LossNotFinite(
        f"{what} in epoch {epoch}, iteration {iteration}: {first}. No step was taken with it.",
        "Lower the learning rate, shorten gradients (max_norm), or normalise the pictures.",
        [Repair(f"Use a learning rate of {lower:.3g}", "optimizer.lr", lower)],
    )


def _smaller(learner: Learner) -> list[Repair]:
    """A batch of half the size, alone or with as many pictures for each step as before."""
    training = learner.experiment.training
    half = training.batch_size // 2
    if not half:
        return []
    alike = training.changed(batch_size=half, accumulate=min(2 * training.accumulate, 1024))
    return [
        Repair(f"Use batches of {half:,}", "training.batch_size", half),
        Repair(f"Use batches of {half:,}, {alike.accumulate} for each step", "training", alike),
    ]


def measuring(
    learner: Learner, indices: Indices, part: Part, epoch: int, sums: Sums, clock: Stopwatch
) -> Iterator[Measuring]:
    """Add loss and accuracy in evaluation mode, random transforms off, to `sums`; an event after each batch."""
    for start in range(0, len(indices), _EVALUATION_BATCH):
        chosen = indices[start : start + _EVALUATION_BATCH]
        with clock, out_of_memory_told("measuring"), torch.inference_mode():
            learner.evaluated.eval()
            pictures, labels = learner.batch(chosen, epoch=1, training=False)
            outputs = learner.outputs(pictures, learner.evaluated)
            sums.add(learner.loss(outputs, labels).item(), _right(outputs, labels), len(chosen))
        yield Measuring(part, epoch, sums.samples, len(indices), clock.seconds)


def measure(learner: Learner, indices: Indices) -> Sums:
    """All of it at once."""
    sums = Sums()
    for _ in measuring(learner, indices, "validation", 1, sums, Stopwatch()):
        pass
    return sums


def weights_sha256(model: nn.Module) -> str:
    """A digest of all weights and buffers: names, dtypes, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        values = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}\n".encode())
        digest.update(values.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


class Stopwatch:
    """Seconds spent inside `with`: pauses between events are not training time."""

    def __init__(self, seconds: float = 0.0) -> None:
        """
        Args:
            seconds: spent before.
        """
        self.seconds = seconds
        self._since = 0.0

    def __enter__(self) -> None:
        self._since = time.perf_counter()

    def __exit__(self, *_: Any) -> None:
        self.seconds += time.perf_counter() - self._since
