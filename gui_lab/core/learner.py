"""What trains: a network with its loss, its optimiser, its schedule and its pictures, on one device.

The loop (`training.py`) asks it for batches and steps; finder, budget and probes ask it for the same things without
training. What a person may change while a run goes on is the `Plan`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from gui_lab.core import machine, memory, precision
from gui_lab.core.chain import Chain
from gui_lab.core.dice import Indices, seed_of
from gui_lab.core.experiment import Experiment
from gui_lab.core.front import fronts, taken
from gui_lab.core.images import ImageSet
from gui_lab.core.ledger import ledger, multiplications
from gui_lab.core.loading import epoch_order
from gui_lab.core.machine import out_of_memory_told
from gui_lab.core.pooling import quickened
from gui_lab.core.schedule import Schedule
from gui_lab.core.uncompiled import leave_the_compiler_out, step_of
from gui_lab.errors import InvalidExperiment, TrainingError

_MEASURED_BATCH = 64


@dataclass
class Plan:
    """What a person may change while a run goes on: `epochs` to train, `patience` in epochs (0: none), and the learning
    rate `lr` that the schedules multiply."""

    epochs: int
    patience: int
    lr: float


@dataclass
class Standing:
    """How far a run has come, as of its last whole epoch: where `train` goes on.

    Attributes:
        epoch: how many have ended.
        seconds: spent on training and measuring, pauses left out.
        best, best_epoch: the best validation accuracy, 0..1, and after which epoch; -infinity and 0 before one ended.
        validation_losses: as measured after each.
    """

    epoch: int = 0
    seconds: float = 0.0
    best: float = float("-inf")
    best_epoch: int = 0
    validation_losses: list[float] = field(default_factory=list)

    def epoch_ended(self, loss: float, accuracy: float, seconds: float) -> bool:
        """Another epoch has, with this validation loss and accuracy. Says whether it is the best so far."""
        self.epoch, self.seconds = self.epoch + 1, seconds
        self.validation_losses.append(loss)
        better = accuracy > self.best
        if better:
            self.best, self.best_epoch = accuracy, self.epoch
        return better


class Learner:
    """Ready to train on one device. Must be made and used on the thread that trains: the number of torch threads is
    set for it.

    Attributes:
        model: the network with what it ends in, on `device`.
        averaged: the moving average of its weights; None where none is kept.
        optimizer: torch's optimiser of its parameters.
        schedule: what the learning rate of the plan is multiplied with.
        plan: what may be changed while it trains.
        standing: how far it has come.
        device: "cpu", "cuda", ...; never "auto".
        precision: "float32" or "bfloat16"; `why` it was chosen, where it was measured.
        classes: number of scores.
        counts: training pictures of each class.
        loss, losses: of what leaves the network, float32 (B, classes), and the labels: that of the batch, float32 (),
            and that of each picture, float32 (B,).
        fronts: the pictures that are kept half done, those to train on and those to measure with; None where none are.
        threads: CPU threads that torch computes with; the weights depend on it in their last bits.
    """

    def __init__(self, experiment: Experiment, images: ImageSet, measured: str = "") -> None:
        """
        Args:
            measured: what "auto" found to be the faster precision before; empty to measure.

        Raises:
            InvalidExperiment: it cannot run on these pictures; all problems at once.
            TrainingError: the device is not there.
            OutOfMemory: there is no memory for the network or for the pictures that are kept ready.
        """
        problems = [problem for problem in experiment.problems(images) if problem.severity == "error"]
        if problems:
            raise InvalidExperiment(problems)
        self.experiment, self.images = experiment, images
        training = experiment.training
        self.device = _device(training.device)
        self.chain: Chain = experiment.chain
        with out_of_memory_told("the pictures that are kept ready"):
            self.fronts = fronts(self.chain, images)
        self._making = threading.Lock()
        self.classes = len(images.classes)
        self.counts = tuple(np.bincount(images.labels[images.train], minlength=self.classes).tolist())
        shape = self.chain.output(images.kind).shape
        cost = multiplications(ledger(experiment.model, shape, self.classes))
        self.threads = machine.threads(cost * training.batch_size)
        torch.set_num_threads(self.threads)
        with out_of_memory_told("the network"):
            machine.seed(seed_of(training.seed, 0), self.device)
            self.model = quickened(experiment.model.network(shape, self.classes).to(self.device))
        self.loss = self._built_loss("mean")
        self.losses = self._built_loss("none")
        self.precision, self.why = self._chosen_precision(measured)
        with out_of_memory_told("the network"):
            self.model = precision.prepared(self.model, self.precision)
            self.averaged = _averaged(self.model, training.ema_decay)
            leave_the_compiler_out()
            self.optimizer = experiment.optimizer.build(self.model.parameters())
        self.plan = Plan(training.epochs, training.patience, experiment.optimizer.lr)
        self.standing = Standing()
        self.schedule = self.scheduled(experiment.optimizer.lr)

    def scheduled(self, lr: float) -> Schedule:
        """The run's schedules from their start, as meant for an optimiser of this learning rate."""
        experiment, samples = self.experiment, len(self.images.train)
        epochs, iterations = experiment.training.epochs, experiment.training.iterations(samples)
        return Schedule(experiment.optimizer.changed(lr=lr), experiment.schedulers, epochs, iterations)

    def _built_loss(self, reduction: Literal["mean", "none"]) -> Callable[[Tensor, Tensor], Tensor]:
        built = self.experiment.loss.build(self.counts, reduction)
        return built.to(self.device) if isinstance(built, nn.Module) else built

    def _chosen_precision(self, measured: str) -> tuple[str, str]:
        wanted = self.experiment.training.precision
        missing = precision.why_not(self.device) if wanted == "bfloat16" else ""
        if missing:
            raise TrainingError(f"This run cannot compute in bfloat16: {missing}", "Choose float32 or auto.")
        if wanted != "auto":
            return wanted, ""
        if measured:
            return measured, f"{measured}, as it was measured for the run that this one branched from."
        part = self.images.train[: min(self.experiment.training.batch_size, len(self.images.train))]
        pictures, labels = self.batch(part, epoch=1, training=False)
        with memory.kept_for_a_run(), out_of_memory_told("measuring the precision"):
            choice = precision.measured(self.model, pictures, labels, self.loss, self.device)
        return choice.precision, choice.why

    @property
    def parameters(self) -> int:
        """How many numbers are learned."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def evaluated(self) -> nn.Module:
        """The network that is validated and kept as the best: the average's where one is kept."""
        return self.model if self.averaged is None else self.averaged.module

    def batch(self, indices: Indices, epoch: int, training: bool) -> tuple[Tensor, Tensor]:
        """Pictures as the network gets them, float32 (B, C, H, W), and labels, int64 (B,), both on the device. While
        training labels are float32 (B, classes) where the chain mixes pictures. From any thread, one at a time."""
        front, seed = self.fronts[0 if training else 1], self.experiment.training.seed
        pictures: Tensor | list[Tensor]
        with self._making:
            if front is None:
                pictures, rest = taken(self.images.pictures, indices, self.device), slice(None)
            else:
                pictures, rest = front.take(indices, self.device), slice(front.place.steps, None)
            ready = self.chain.run(pictures, indices, seed=seed, epoch=epoch, training=training, steps=rest)
        labels = torch.from_numpy(self.images.labels[indices])
        if training:
            kind = self.images.kind
            labels = self.chain.labels(labels, self.classes, indices, kind, seed=seed, epoch=epoch)
        return ready, labels.to(self.device)

    def order(self, epoch: int) -> Indices:
        """The training pictures in the order of this epoch; each class equally often where they are balanced."""
        training = self.experiment.training
        train, labels = self.images.train, self.images.labels
        return epoch_order(train, labels, seed=training.seed, epoch=epoch, balanced=training.balanced)

    def outputs(self, pictures: Tensor, network: nn.Module | None = None) -> Tensor:
        """What leaves the network (or another one of its kind) in the precision of the run, float32 (B, classes)."""
        with precision.autocast(self.device, self.precision):
            outputs: Tensor = (network or self.model)(pictures)
        return outputs.float()

    def probabilities(self, outputs: Tensor) -> Tensor:
        """Of what leaves the network, float32 (B, classes); rows sum to 1."""
        return self.experiment.model.probabilities(outputs)

    def step(self, closure: Callable[[], Tensor] | None = None) -> float:
        """Let the optimiser take a step at the learning rate in force, which is returned."""
        rate = self.plan.lr * self.schedule.factor
        for group in self.optimizer.param_groups:
            group["lr"] = rate
            if self.schedule.momentum is not None:
                group.update(self.schedule.momentum)
        step_of(self.optimizer)(closure)
        if self.averaged is not None:
            self.averaged.update_parameters(self.model)
        return rate


def _device(wanted: str) -> str:
    """The one that is meant; it is there."""
    found = machine.resolve(wanted)
    if found not in machine.devices():
        raise TrainingError(f"This machine has no {found} device that torch can use.", "Choose auto or cpu.")
    return found


def _averaged(model: nn.Module, decay: float) -> AveragedModel | None:
    if not decay:
        return None
    fold = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]  # torch's
    return AveragedModel(model, multi_avg_fn=fold, use_buffers=True)
